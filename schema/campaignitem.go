package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// ItemID names an item of a campaign.
type ItemID string

// CampaignItemState is where an item stands.
type CampaignItemState string

// The states of an item.
const (
	ItemUnassigned CampaignItemState = "unassigned" // a reviewer is to be found for the present stage
	ItemOpen       CampaignItemState = "open"       // its reviewer is asked
	ItemDecided    CampaignItemState = "decided"    // by the last stage it comes to
	ItemCarried    CampaignItemState = "carried"    // the decision of the campaign before was taken over
	ItemUndecided  CampaignItemState = "undecided"  // nobody decided in time
	ItemGone       CampaignItemState = "gone"       // the access ended before anybody decided
	ItemWithdrawn  CampaignItemState = "withdrawn"  // with its campaign
)

// CampaignItemStates lists them.
func CampaignItemStates() []CampaignItemState {
	return []CampaignItemState{ItemUnassigned, ItemOpen, ItemDecided, ItemCarried, ItemUndecided, ItemGone, ItemWithdrawn}
}

// ItemAnswer is what a reviewer decides.
type ItemAnswer string

// The answers.
const (
	AnswerKeep    ItemAnswer = "keep"
	AnswerRevoke  ItemAnswer = "revoke"
	AnswerAbstain ItemAnswer = "abstain" // the next in the chain decides
)

// ItemAnswers lists them.
func ItemAnswers() []ItemAnswer { return []ItemAnswer{AnswerKeep, AnswerRevoke, AnswerAbstain} }

// RiskLevel is how much harm access can do.
type RiskLevel string

// The levels, lowest first.
const (
	RiskLow    RiskLevel = "low"
	RiskMedium RiskLevel = "medium"
	RiskHigh   RiskLevel = "high"
)

// riskOrder puts the levels in order.
func (r RiskLevel) riskOrder() int {
	switch r {
	case RiskLow:
		return 1
	case RiskMedium:
		return 2
	case RiskHigh:
		return 3
	}
	return 0
}

// Below tells whether a level is known and lower than the other.
func (r RiskLevel) Below(other RiskLevel) bool {
	return r.riskOrder() > 0 && r.riskOrder() < other.riskOrder()
}

// ItemRef names what an item is about: the same in every campaign. Of a group it is
// the group's id, of a collaboration the group's id, a slash and the
// collaboration's id; else it is empty.
type ItemRef struct {
	AccountID AccountID `json:"account_id"`
	Kind      ItemKind  `json:"kind"`
	Ref       string    `json:"ref,omitempty"`
}

// ItemFacts are what a decision is about. When one of them is other than what the
// reviewer was shown, the decision is refused and the item shown again. The type has
// neither maps nor floats.
type ItemFacts struct {
	ItemRef
	ConnectionID  ConnectionID     `json:"connection_id"`
	ExternalID    ExternalID       `json:"external_id"`
	Login         string           `json:"login"`
	HolderID      PersonID         `json:"holder_id,omitempty"` // empty = nobody is known to hold it
	Employment    EmploymentStatus `json:"employment,omitempty"`
	AccountStatus AccountStatus    `json:"account_status"`
	AccountKind   AccountKind      `json:"account_kind"`
	Role          AccountRole      `json:"role"`
	// Access is the vendor's word for what is held: the role of the account, of the
	// membership, of the collaboration.
	Access     string `json:"access,omitempty"`
	Group      string `json:"group,omitempty"`      // name
	Provenance string `json:"provenance,omitempty"` // the directory that feeds the group; empty = the vendor itself
	Target     string `json:"target,omitempty"`     // name of the folder or file of a collaboration
	Grade      Grade  `json:"grade"`
	Held       bool   `json:"held"` // false = the access has ended
}

// Hash is the SHA-256 of the facts' JSON, in hex.
func (f ItemFacts) Hash() string {
	b, _ := json.Marshal(f) // strings and truths alone: Marshal cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Differences are the facts that are other now, in the order of the members.
func (f ItemFacts) Differences(now ItemFacts) []Difference {
	var out []Difference
	differ := func(fact, before, after string) {
		if before != after {
			out = append(out, Difference{Fact: fact, Before: before, Now: after})
		}
	}
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	differ("login", f.Login, now.Login)
	differ("holder", string(f.HolderID), string(now.HolderID))
	differ("employment", string(f.Employment), string(now.Employment))
	differ("account_status", string(f.AccountStatus), string(now.AccountStatus))
	differ("account_kind", string(f.AccountKind), string(now.AccountKind))
	differ("role", string(f.Role), string(now.Role))
	differ("access", f.Access, now.Access)
	differ("group", f.Group, now.Group)
	differ("provenance", f.Provenance, now.Provenance)
	differ("target", f.Target, now.Target)
	differ("grade", string(f.Grade), string(now.Grade))
	differ("held", yes(f.Held), yes(now.Held))
	return out
}

// ItemContext is what helps to decide. It may change without making a decision
// void.
type ItemContext struct {
	Connection   string         `json:"connection"` // name
	Name         string         `json:"name"`       // of the account
	Holder       string         `json:"holder,omitempty"`
	HolderEmail  string         `json:"holder_email,omitempty"`
	Employment   EmploymentKind `json:"employment_kind,omitempty"`
	Department   string         `json:"department,omitempty"`
	Manager      string         `json:"manager,omitempty"` // address
	Since        time.Time      `json:"since,omitzero"`    // the vendor's date, or when we first saw it: SinceSeen
	SinceSeen    bool           `json:"since_seen,omitempty"`
	GrantedBy    string         `json:"granted_by,omitempty"` // empty = not known
	LastActiveAt time.Time      `json:"last_active_at,omitzero"`
	LastEvent    string         `json:"last_event,omitempty"`
	Source       ActivitySource `json:"source,omitempty"`        // of the activity
	CoveredFrom  time.Time      `json:"covered_from,omitzero"`   // since when its use is known; zero = it is not collected
	CoveredTo    time.Time      `json:"covered_to,omitzero"`     // up to when
	ObservedAt   time.Time      `json:"observed_at"`             // when the account was last seen at the vendor
	Bytes        int64          `json:"bytes"`                   // that the account owns
	Peers        Peers          `json:"peers"`                   // of the holder's department
	Last         *LastDecision  `json:"last_decision,omitempty"` // in the last campaign that decided about it
	Changed      bool           `json:"changed"`                 // new or other than then; true when there was none
	FreesSeat    bool           `json:"frees_seat,omitempty"`
	SeatPerYear  *Money         `json:"seat_per_year,omitempty"` // nil = no contract is known
	Everybody    bool           `json:"everybody,omitempty"`     // the group is one that all accounts are in: nobody leaves it alone
	Decoy        string         `json:"-"`                       // of a control item; never shown to its reviewer
}

// Peers is how usual an access is in a department.
type Peers struct {
	People int64 `json:"people"` // in the department, but the holder
	With   int64 `json:"with"`   // of these with the same access
}

// LastDecision is what was decided about the same access before.
type LastDecision struct {
	CampaignID CampaignID `json:"campaign_id"`
	Answer     ItemAnswer `json:"answer"`
	Reason     string     `json:"reason,omitempty"`
	By         string     `json:"by"`
	At         time.Time  `json:"at"`
	Carried    int        `json:"carried,omitempty"` // how often it was taken over since
	FactsHash  string     `json:"facts_hash"`
}

// Recommendation is what the facts speak for. It is never an answer that is set
// before the reviewer gives one.
type Recommendation struct {
	Answer  ItemAnswer `json:"answer,omitempty"` // keep or revoke; empty = the facts speak for neither
	Reasons []string   `json:"reasons"`          // codes, see docs/reviews.md
}

// Risk is how much harm an access can do.
type Risk struct {
	Level   RiskLevel `json:"level"`
	Score   int       `json:"score"` // orders a queue, highest first
	Reasons []string  `json:"reasons"`
}

// Holding is one access as the inventory has it, before it is an item.
type Holding struct {
	Subject Subject
	Facts   ItemFacts
	Context ItemContext
	// Everybody: the group is one that all accounts are in.
	Everybody bool
	// GroupExternalID is of a group or collaboration.
	GroupExternalID ExternalID
}

// HoldingQuery selects holdings.
type HoldingQuery struct {
	Review      AccessReviewID
	Connections []ConnectionID
	Items       []ItemKind
	Kinds       []AccountKind
	Accounts    []AccountID // empty = all
	Persons     []PersonID  // who hold them; empty = all
	Holders     HolderScope
	Privileged  bool
	Threshold   time.Duration // that grades are by
	Now         time.Time
	Needs       Needs
}

// NewItem is a holding that a campaign takes.
type NewItem struct {
	Facts          ItemFacts
	Context        ItemContext
	Recommendation Recommendation
	Risk           Risk
	// Applies says for each stage which candidates of its chain apply, as a string of
	// 0 and 1.
	Applies []string
	Carried bool // the last decision is taken over
}

// CampaignItem is one item: the view that reviewers decide by.
type CampaignItem struct {
	ID         ItemID
	CampaignID CampaignID
	// Version is raised whenever the facts change: a decision names the one it saw.
	Version        int
	Facts          ItemFacts
	Context        ItemContext
	Recommendation Recommendation
	Risk           Risk
	State          CampaignItemState
	Stage          int // index into the review's stages
	ReviewerID     PersonID
	Reviewer       string // their name or address
	Position       int    // in the chain
	AssignedAt     time.Time
	EscalateAt     time.Time // zero = not before the deadline
	Answer         ItemAnswer
	Reason         string
	DecidedBy      string
	DecidedAt      time.Time
	Why            string // of one that is gone, undecided, carried or without reviewer, in words
	Control        bool   // false in what its reviewer is shown
	RemovalID      RemovalID
	Removal        RemovalState // of the present one; empty = none
	UpdatedAt      time.Time
}

// CampaignItemFilter selects items of a campaign; zero values select all. Items come
// with the highest risk first.
type CampaignItemFilter struct {
	State    CampaignItemState
	Reviewer PersonID
	Answer   ItemAnswer
	Risk     RiskLevel
	Kind     ItemKind
	Account  AccountID
	After    string
	Limit    int
}

// CampaignDecision is one word of a reviewer on an item.
type CampaignDecision struct {
	ID         DecisionID // given by who sends it: a repeat is known by it
	CampaignID CampaignID
	ItemID     ItemID
	Stage      int
	Version    int // of the item that was shown
	Answer     ItemAnswer
	Reason     string
	Bulk       bool // one of several with one answer
	Principal  string
	TokenID    TokenID
	ReviewerID PersonID
	DecidedAt  time.Time
	Current    bool // not corrected since
	// Number counts the decisions about the item in the order they were taken in, from
	// 1; 0 = not kept.
	Number int
}

// Decide is one word that is sent.
type Decide struct {
	ID      DecisionID
	ItemID  ItemID
	Version int
	Answer  ItemAnswer
	Reason  string
	Bulk    bool
}

// Decided is what became of one word.
type Decided struct {
	ItemID    ItemID
	Duplicate bool       // it was taken before
	Overtaken bool       // of a duplicate: it does not stand any more, Message says what does
	Answer    ItemAnswer // that the item has now; empty = none
	Code      string     // of a refused one; empty = it is taken
	Message   string
	Fix       string
	Changed   []Difference // of a stale one: what is other than what was shown
	Version   int          // that the item has now
	State     CampaignItemState
}

// Items counts items in words: Items(1, "is", "are") is "1 item is".
func Items(n int64, one, several string) string {
	if n == 1 {
		return "1 item " + one
	}
	return strconv.FormatInt(n, 10) + " items " + several
}

// UndecidedItems says how many items nobody decided.
func UndecidedItems(n int64) string { return Items(n, "is not decided", "are not decided") }
