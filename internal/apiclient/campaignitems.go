package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// CampaignItem is one item of a campaign, as its reviewer sees it.
type CampaignItem struct {
	ID             string             `json:"id"`
	CampaignID     string             `json:"campaign_id"`
	Version        int                `json:"version"` // a decision names the one that was shown
	Kind           string             `json:"kind"`    // account, role, group or collaboration
	Account        string             `json:"account"` // our id; empty for reviewers
	Ref            string             `json:"ref"`
	Facts          ItemFacts          `json:"facts"`
	Context        ItemContext        `json:"context"`
	Recommendation ItemRecommendation `json:"recommendation"`
	Risk           ItemRisk           `json:"risk"`
	State          string             `json:"state"` // unassigned, open, decided, carried, undecided, gone or withdrawn
	Stage          int                `json:"stage"`
	ReviewerID     string             `json:"reviewer_id"`
	Reviewer       string             `json:"reviewer"`
	Position       int                `json:"position"`
	AssignedAt     *time.Time         `json:"assigned_at"`
	EscalateAt     *time.Time         `json:"escalate_at"`
	Answer         string             `json:"answer"` // keep, revoke or abstain; empty = none yet
	Reason         string             `json:"reason"`
	DecidedBy      string             `json:"decided_by"`
	DecidedAt      *time.Time         `json:"decided_at"`
	Why            string             `json:"why"`
	Control        *bool              `json:"control"` // nil = it is not shown, as to reviewers
	RemovalID      string             `json:"removal_id"`
	Removal        string             `json:"removal"` // state of the removal
	UpdatedAt      time.Time          `json:"updated_at"`
}

// ItemFacts are what a decision is about.
type ItemFacts struct {
	ConnectionID  string `json:"connection_id"`
	AccountID     string `json:"account_id"` // the vendor's
	Login         string `json:"login"`
	HolderID      string `json:"holder_id"`
	Employment    string `json:"employment"`
	AccountStatus string `json:"account_status"`
	AccountKind   string `json:"account_kind"`
	Role          string `json:"role"`
	Access        string `json:"access"`
	Group         string `json:"group"`
	Provenance    string `json:"provenance"`
	Target        string `json:"target"`
	Grade         string `json:"grade"`
	Held          bool   `json:"held"`
}

// ItemContext is what helps to decide.
type ItemContext struct {
	Connection     string     `json:"connection"`
	Name           string     `json:"name"`
	Holder         string     `json:"holder"`
	HolderEmail    string     `json:"holder_email"`
	EmploymentKind string     `json:"employment_kind"`
	Department     string     `json:"department"`
	Manager        string     `json:"manager"`
	Since          *time.Time `json:"since"`
	SinceSeen      bool       `json:"since_seen"` // since is when we first saw it
	GrantedBy      string     `json:"granted_by"`
	LastActiveAt   *time.Time `json:"last_active_at"`
	LastEvent      string     `json:"last_event"`
	Source         string     `json:"source"`
	CoveredFrom    *time.Time `json:"covered_from"`
	CoveredTo      *time.Time `json:"covered_to"`
	ObservedAt     *time.Time `json:"observed_at"`
	Bytes          int64      `json:"bytes"`
	Peers          struct {
		People int64 `json:"people"`
		With   int64 `json:"with"`
	} `json:"peers"`
	LastDecision *LastDecision `json:"last_decision"` // nil = none
	Changed      bool          `json:"changed"`
	FreesSeat    bool          `json:"frees_seat"`
	SeatPerYear  *struct {
		Amount   string `json:"amount"`
		Minor    int64  `json:"amount_minor"`
		Currency string `json:"currency"`
	} `json:"seat_per_year"` // nil = no contract is known
	Everybody bool `json:"everybody"`
}

// LastDecision is what was decided about the same access before.
type LastDecision struct {
	CampaignID string    `json:"campaign_id"`
	Answer     string    `json:"answer"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
	Carried    int       `json:"carried"`
}

// ItemRecommendation is what the facts speak for; empty = neither.
type ItemRecommendation struct {
	Answer  string   `json:"answer"`
	Reasons []string `json:"reasons"`
}

// ItemRisk is how much harm an access can do.
type ItemRisk struct {
	Level   string   `json:"level"` // low, medium or high
	Score   int      `json:"score"`
	Reasons []string `json:"reasons"`
}

// CampaignItemFilter selects items; zero values select all. Reviewers cannot select by
// reviewer or account.
type CampaignItemFilter struct {
	State    string
	Answer   string
	Risk     string
	Kind     string
	Reviewer string // our id or an address
	Account  string // our id, CONNECTION/ID, or the whole login
}

func (f CampaignItemFilter) values() url.Values {
	return url.Values{"state": {f.State}, "answer": {f.Answer}, "risk": {f.Risk}, "kind": {f.Kind}, "reviewer": {f.Reviewer}, "account": {f.Account}}
}

type campaignItemPage struct {
	Items []CampaignItem `json:"items"`
	Next  string         `json:"next"`
}

// CampaignItems returns a page of a campaign's items, those with the highest risk first.
func (c *Client) CampaignItems(ctx context.Context, id string, f CampaignItemFilter, cursor string, limit int) ([]CampaignItem, string, error) {
	p, err := call[campaignItemPage](ctx, c, http.MethodGet, path("campaigns", id, "items")+pageOf(f.values(), cursor, limit), nil)
	return p.Items, p.Next, err
}

// MyItems returns a page of the open items of whoever asks, of all campaigns.
func (c *Client) MyItems(ctx context.Context, cursor string, limit int) ([]CampaignItem, string, error) {
	p, err := call[campaignItemPage](ctx, c, http.MethodGet, path("my", "items")+pageOf(nil, cursor, limit), nil)
	return p.Items, p.Next, err
}

// CampaignItem returns an item.
func (c *Client) CampaignItem(ctx context.Context, id, item string) (CampaignItem, error) {
	return call[CampaignItem](ctx, c, http.MethodGet, path("campaigns", id, "items", item), nil)
}
