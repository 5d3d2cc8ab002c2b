package schema

import "time"

type (
	// SourceID names a source of HR events.
	SourceID string
	// HREventID names an event that a source told.
	HREventID string
	// LeaverID names a leaver.
	LeaverID string
	// BatchID names a held batch.
	BatchID string
	// NoticeID names a notice.
	NoticeID string
)

// SourceKind is how a source tells of people.
type SourceKind string

// The kinds of source.
const (
	SourceStandardWebhooks SourceKind = "standard-webhooks" // signed as Standard Webhooks 1.0.0 says
	SourceBambooHR         SourceKind = "bamboohr"          // signed hints, and a poll of its API
	SourceHMAC             SourceKind = "hmac"              // signed as the source's Signature says
	SourceSCIM             SourceKind = "scim"              // an identity provider pushes to /scim/v2
	SourceCSV              SourceKind = "csv"               // files that somebody imports
	SourceManual           SourceKind = "manual"            // what people say by hand; one is built in
)

// SourceKinds lists the kinds that a source can be made of.
func SourceKinds() []SourceKind {
	return []SourceKind{SourceStandardWebhooks, SourceBambooHR, SourceHMAC, SourceSCIM, SourceCSV}
}

// ManualSource is the name of the built-in source of what people say by hand.
const ManualSource = "manual"

// Source is a system that tells who is employed and who leaves. Its name is the
// source of the employments that it tells (EmploymentKey).
type Source struct {
	ID    SourceID
	Name  string
	Kind  SourceKind
	State ConnectionState // as a connection's: enabled, disabled, removed
	// TimeZone is the company's: it counts where neither person nor site has one.
	TimeZone string
	// Template, Receivers and Approvals are those of the cases it opens; Approvals
	// below the template's do not count.
	Template  string
	Receivers []string
	Approvals int
	Owner     string // mail address of who is told of its alarms; empty = nobody
	// Rhythm is how long it may be silent before that is an alarm; 0 = for ever.
	Rhythm time.Duration
	Limit  StartLimit
	// Mapping reads the bodies of webhooks; of the kinds that need one.
	Mapping *Mapping
	// Signature says how bodies are signed; of the kind hmac.
	Signature *Signature
	// BaseURL is where the source's API is, PollEvery how often it is asked; of the
	// kind bamboohr.
	BaseURL   string
	PollEvery time.Duration
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time

	LastHeardAt time.Time // when it last told anything, or was asked with success; zero = never
	LastEventAt time.Time // when it last told an event; zero = never
	NextPollAt  time.Time // zero = it is not polled
	PollMarker  string    // where the next poll goes on
	PollError   string    // of the last poll; empty = it went well
}

// StartLimit is how many leavers a source may start within a window: the larger
// of the number and the share of the people it tells of.
type StartLimit struct {
	Number  int           // of leavers
	Percent int           // of those it tells of who have not left
	Window  time.Duration // back from now
}

// DefaultStartLimit is the limit of a source that names none.
func DefaultStartLimit() StartLimit {
	return StartLimit{Number: 5, Percent: 2, Window: 24 * time.Hour}
}

// Allows is how many may start of a population: the larger of both, rounded down.
func (l StartLimit) Allows(population int) int {
	return max(l.Number, population*l.Percent/100)
}

// Mapping says where a JSON body holds the facts of employments.
type Mapping struct {
	// List is the path of a list of employments; empty = the body is one.
	List string `json:"list,omitempty"`
	// Fields are the paths of the facts, by the columns of a roster.
	Fields map[string]string `json:"fields"`
	// Words read the source's own words: of status and kind.
	Words map[string]map[string]string `json:"words,omitempty"`
	// EventID is the path of the event's own id in the body; empty = a header, or
	// the hash of the body.
	EventID string `json:"event_id,omitempty"`
	// DateLayouts are layouts of dates besides YYYY-MM-DD, as Go writes them.
	DateLayouts []string `json:"date_layouts,omitempty"`
	// When keeps to bodies that have one of the values at each of the paths; any
	// other is accepted and tells nothing. Empty = every body is read.
	When map[string][]string `json:"when,omitempty"`
}

// Signature says how a source signs its webhooks with HMAC.
type Signature struct {
	Header   string `json:"header"`              // that holds the signature
	Prefix   string `json:"prefix,omitempty"`    // before it, such as "v0="
	Hash     string `json:"hash"`                // sha256 or sha512
	Encoding string `json:"encoding"`            // hex, base64 or base64url
	Content  string `json:"content"`             // what is signed, of {body}, {timestamp}, {id} and plain text
	Time     string `json:"timestamp,omitempty"` // header of the time in Unix seconds; empty = none is sent
	EventID  string `json:"event_id,omitempty"`  // header of the event's id; empty = none is sent
}

// SourceToken is a bearer token of a SCIM source; the token itself is shown once.
type SourceToken struct {
	ID         TokenID
	SourceID   SourceID
	CreatedAt  time.Time
	CreatedBy  string
	ExpiresAt  time.Time // zero = never
	RevokedAt  time.Time // zero = valid
	LastUsedAt time.Time // zero = never used
}

// SourceSecrets are the secrets of a source: during a rotation the one before is
// good too.
type SourceSecrets struct {
	Current  string
	Previous string // empty = none is good
	// APIKey is what the poll of the source's API signs in with.
	APIKey string
}

// Site is a place of work with its zone.
type Site struct {
	Name      string
	TimeZone  string // IANA name
	UpdatedBy string
	UpdatedAt time.Time
}
