package apiclient

import "time"

// Request asks for the offboarding of one person. Empty fields mean the
// server's defaults.
type Request struct {
	Email       string   `json:"email"`
	Cause       string   `json:"cause,omitempty"` // offboarding, access_review, inactivity
	Receivers   []string `json:"receivers,omitempty"`
	EffectiveAt string   `json:"effective_at,omitempty"` // RFC 3339 with zone
	Grace       string   `json:"grace,omitempty"`        // such as 30d
	Template    string   `json:"template,omitempty"`
	Approvals   *int     `json:"approvals,omitempty"`
	// SendAgain sends a transfer although an earlier case ended while its
	// transfer had no verdict: a second destination folder may appear.
	SendAgain bool `json:"send_again,omitempty"`
}

// Finding is one result of pre-flight.
type Finding struct {
	Code       string `json:"code"`
	Warning    bool   `json:"warning,omitempty"`
	Connection string `json:"connection,omitempty"`
	Message    string `json:"message"`
	Fix        string `json:"fix,omitempty"`
}

// Plan is what would be done.
type Plan struct {
	Drafts  []Draft `json:"drafts"`
	Hash    string  `json:"hash"`
	Refused bool    `json:"refused"`
}

// Draft is the plan for one person.
type Draft struct {
	Email       string         `json:"email"`
	Template    string         `json:"template"`
	Receivers   []string       `json:"receivers"`
	EffectiveAt *time.Time     `json:"effective_at"`
	Grace       string         `json:"grace"`
	Approvals   int            `json:"approvals"`
	Hash        string         `json:"hash"`
	Refused     bool           `json:"refused"`
	Accounts    []DraftAccount `json:"accounts"`
	Findings    []Finding      `json:"findings"`
}

// DraftAccount is the plan for one account.
type DraftAccount struct {
	Connection   string      `json:"connection"`
	Vendor       string      `json:"vendor"`
	AccountID    string      `json:"account_id"`
	Login        string      `json:"login"`
	Role         string      `json:"role"`
	Status       string      `json:"status"`
	Receiver     *Receiver   `json:"receiver"`
	PlannedBytes int64       `json:"planned_bytes"`
	Steps        []DraftStep `json:"steps"`
	Findings     []Finding   `json:"findings"`
}

// Receiver gets the content.
type Receiver struct {
	AccountID string `json:"account_id"`
	Login     string `json:"login"`
}

// DraftStep is one step of a plan.
type DraftStep struct {
	Kind         string `json:"kind"`
	WaitSeconds  int64  `json:"wait_seconds,omitempty"`
	Irreversible bool   `json:"irreversible,omitempty"`
}

// Case is an offboarding under way, or ended.
type Case struct {
	CaseID      string     `json:"case_id"`
	State       string     `json:"state"`
	Email       string     `json:"email"`
	Template    string     `json:"template"`
	EffectiveAt *time.Time `json:"effective_at"`
	Grace       string     `json:"grace"`
	Hash        string     `json:"hash"`
	RequestedBy string     `json:"requested_by"`
	CreatedAt   time.Time  `json:"created_at"`
	// Leaver is what HR wants, when one case is shown; nil = HR did not ask.
	Leaver   *CaseLeaver `json:"leaver,omitempty"`
	Accounts []Account   `json:"accounts"`
}

// Account is one account of a case.
type Account struct {
	Connection  string     `json:"connection"`
	AccountID   string     `json:"account_id"`
	PlanID      string     `json:"plan_id"`
	State       string     `json:"state"`
	Step        string     `json:"step"`
	Cause       string     `json:"cause"`
	CauseDetail *Cause     `json:"cause_detail"`
	WaitUntil   *time.Time `json:"wait_until"`
	Position    int        `json:"position,omitempty"`
	Steps       []Step     `json:"steps"`
	Transfer    *Transfer  `json:"transfer"`
}

// Cause is why an account is parked.
type Cause struct {
	Owner   string    `json:"owner"` // operator, admin, vendor
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
	At      time.Time `json:"at"`
}

// Step is one step with its proof.
type Step struct {
	Kind       string            `json:"kind"`
	State      string            `json:"state"`
	StartedAt  *time.Time        `json:"started_at"`
	FinishedAt *time.Time        `json:"finished_at"`
	Proof      map[string]string `json:"proof"`
}

// Transfer is how far the content is.
type Transfer struct {
	State          string   `json:"state"`
	Attempts       int      `json:"attempts"`
	BytesBefore    int64    `json:"bytes_before"`
	BytesLeft      int64    `json:"bytes_left"`
	WitnessesFound int      `json:"witnesses_found"`
	WitnessesTotal int      `json:"witnesses_total"`
	FolderIDs      []string `json:"folder_ids"`
	Position       int      `json:"position"`
}

// Created is the answer to a request for cases.
type Created struct {
	Cases    []Case    `json:"cases"`
	Warnings []Finding `json:"warnings"`
}

// CasePage is a page of cases; Next is empty on the last.
type CasePage struct {
	Cases []Case `json:"cases"`
	Next  string `json:"next"`
}

// Connection is a connection without its secret.
type Connection struct {
	Name         string     `json:"name"`
	Vendor       string     `json:"vendor"`
	State        string     `json:"state"`      // pending, active, degraded, failed, disabled or removed
	Code         string     `json:"code"`       // the first fault the doctor found; empty or OK = none
	Since        *time.Time `json:"since"`      // when the doctor first found it in that state
	CheckedAt    *time.Time `json:"checked_at"` // when the doctor last looked
	ReadOnly     bool       `json:"read_only"`
	BaseURL      string     `json:"base_url"`
	TokenURL     string     `json:"token_url"`
	AuthKind     string     `json:"auth_kind"` // client_credentials, jwt or authorization_code
	ClientID     string     `json:"client_id"`
	EnterpriseID string     `json:"enterprise_id"`
	AsUser       string     `json:"as_user"`
	Owner        string     `json:"owner"` // who is told of its alarms; empty = nobody
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
}

// NewConnection is a connection to be checked and stored.
type NewConnection struct {
	Name         string `json:"name"`
	Vendor       string `json:"vendor"`
	BaseURL      string `json:"base_url"`
	TokenURL     string `json:"token_url"`
	ClientID     string `json:"client_id,omitempty"`     // left out with a configuration file
	EnterpriseID string `json:"enterprise_id,omitempty"` // left out with a configuration file
	AsUser       string `json:"as_user,omitempty"`
	Owner        string `json:"owner,omitempty"`
	ReadOnly     bool   `json:"read_only,omitempty"`
	Secret
}

// Secret is what a connection signs in with: one of the two.
type Secret struct {
	ClientSecret string `json:"client_secret,omitempty"`
	ConfigFile   string `json:"config_file,omitempty"` // the vendor's own file, as it is
}

// Checked is a connection with what its vendor says.
type Checked struct {
	Connection Connection `json:"connection"`
	Check      Check      `json:"check"`
	Diagnosis  *Diagnosis `json:"diagnosis"` // nil = the doctor could not look
}

// Check is whom a connection acts as.
type Check struct {
	ActsAs       string `json:"acts_as"`
	Role         string `json:"role"`
	EnterpriseID string `json:"enterprise_id"`
	Service      bool   `json:"service"`
}

// Token is a token's record.
type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Email      string     `json:"email"` // of the person who holds it; empty = not a person's
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// NewToken asks for a token. Expires is a duration, an instant or "never".
type NewToken struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Email   string `json:"email,omitempty"` // of the person who will hold it
	Expires string `json:"expires"`
}

// CreatedToken is the only answer that holds a token itself.
type CreatedToken struct {
	Token  string `json:"token"`
	Record Token  `json:"record"`
}

// Engine is the engine's one switch.
type Engine struct {
	Paused    bool       `json:"paused"`
	Reason    string     `json:"reason"`
	ChangedBy string     `json:"changed_by"`
	ChangedAt *time.Time `json:"changed_at"`
}
