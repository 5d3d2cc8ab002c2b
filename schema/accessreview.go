package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// AccessReviewID names the definition of an access review.
type AccessReviewID string

// AccessReview is what a file of the kind AccessReview says, as it was applied.
// Each campaign is one run of it.
type AccessReview struct {
	ID          AccessReviewID
	Name        string
	Version     int // raised with each change; campaigns keep the one they were made by
	Rule        AccessReviewRule
	Hash        string // of the rule
	Source      string // the file's text
	Set         string // the set of files it was applied with; empty = alone
	State       PolicyState
	PauseReason string // of a paused one
	PausedBy    string
	UpdatedBy   string
	UpdatedID   TokenID
	UpdatedAt   time.Time
	CreatedAt   time.Time
}

// AccessReviewTemplatePrefix begins the template name of a review's plans.
const AccessReviewTemplatePrefix = "review:"

// AccessReviewRule is what a file says. The type has neither maps nor floats, so
// that its JSON is one byte string for one meaning.
type AccessReviewRule struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	// Owner signs: an address. Items that nobody else may decide come to them.
	Owner     string             `json:"owner"`
	Scope     CampaignScope      `json:"scope"`
	Freshness CampaignFreshness  `json:"freshness"`
	Schedule  PolicySchedule     `json:"schedule"`
	Events    []CampaignTrigger  `json:"events,omitempty"` // mover, privileged_role: small campaigns about one person or account
	Stages    []ReviewStage      `json:"stages"`           // one at least
	Owners    []EntitlementOwner `json:"owners,omitempty"`
	LoadCap   int                `json:"load_cap,omitempty"` // items of one reviewer in one campaign; 0 = no cap
	Decisions DecisionRule       `json:"decisions"`
	Time      CampaignTime       `json:"time"`
	Quality   QualityRule        `json:"quality"`
	Effect    EffectRule         `json:"effect"`
	// Watch is how long after a removal the following syncs look whether the access
	// came back.
	Watch time.Duration `json:"watch"`
}

// usualThreshold is what grades of items are by where the scope asks for no unused
// time.
const usualThreshold = 90 * 24 * time.Hour

// Threshold is what the grades of a campaign's items are by: when it takes its
// snapshot, and whenever that is compared with the present.
func (r AccessReviewRule) Threshold() time.Duration {
	if r.Scope.UnusedFor > 0 {
		return r.Scope.UnusedFor
	}
	return usualThreshold
}

// Hash is the SHA-256 of the rule's JSON, in hex.
func (r AccessReviewRule) Hash() string {
	b, _ := json.Marshal(r) // strings, integers and dates alone: Marshal cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ItemKind is what an item of a campaign is about.
type ItemKind string

// The kinds of item.
const (
	ItemAccount       ItemKind = "account"       // that the account exists
	ItemRole          ItemKind = "role"          // its administrative role at the vendor
	ItemGroup         ItemKind = "group"         // its membership of a group
	ItemCollaboration ItemKind = "collaboration" // what it reaches through a group
)

// ItemKinds lists them.
func ItemKinds() []ItemKind { return []ItemKind{ItemAccount, ItemRole, ItemGroup, ItemCollaboration} }

// HolderScope says which accounts by who holds them.
type HolderScope string

// The scopes.
const (
	HoldersAll       HolderScope = "all"
	HoldersMatched   HolderScope = "matched"   // a person is known to hold it
	HoldersUnmatched HolderScope = "unmatched" // nobody is known to hold it
)

// CampaignScope says what a campaign looks at. Every member narrows it.
type CampaignScope struct {
	Connections []string      `json:"connections"` // by name
	Items       []ItemKind    `json:"items"`
	Kinds       []AccountKind `json:"kinds,omitempty"`  // of accounts; empty = all
	Roles       []AccountRole `json:"roles,omitempty"`  // of items of the kind role; empty = the privileged ones
	Groups      []string      `json:"groups,omitempty"` // patterns of * and ? of group names, of the kinds group and collaboration; empty = all
	Match       string        `json:"match,omitempty"`  // CEL over the account, as in an InactivityPolicy
	// UnusedFor takes only accounts that are proven to be unused for so long; 0 = all.
	// One whose use is not known is not unused: UnknownUse takes those besides.
	UnusedFor  time.Duration `json:"unused_for,omitempty"`
	UnknownUse bool          `json:"unknown_use,omitempty"`
	Changed    bool          `json:"changed,omitempty"`    // only what is new or other than in the review's last signed campaign
	Privileged bool          `json:"privileged,omitempty"` // only accounts with a privileged role
	Holders    HolderScope   `json:"holders"`
}

// StaleRule is what stale facts do to a launch.
type StaleRule string

// The rules.
const (
	StaleBlocks StaleRule = "block"
	StaleWarns  StaleRule = "warn" // the campaign begins, and says so in its evidence
)

// CampaignFreshness is how old what a campaign shows may be when it is launched. A
// sync that is older is asked for and waited for, for Patience at most.
type CampaignFreshness struct {
	Sync     time.Duration `json:"sync"`
	Activity time.Duration `json:"activity"`
	Doctor   bool          `json:"doctor"` // the connection's health must be good
	Patience time.Duration `json:"patience"`
	Stale    StaleRule     `json:"stale"`
}

// CampaignTrigger is why a campaign began.
type CampaignTrigger string

// The triggers.
const (
	CampaignScheduled  CampaignTrigger = "schedule"
	CampaignByPerson   CampaignTrigger = "person"
	CampaignMover      CampaignTrigger = "mover"           // a person's department or manager is another
	CampaignPrivileged CampaignTrigger = "privileged_role" // an account was given a privileged role
	CampaignReturned   CampaignTrigger = "returned"        // access that was removed came back after the sign-off
)

// ReviewerKind is how a reviewer is found.
type ReviewerKind string

// The kinds of reviewer.
const (
	ReviewerManager          ReviewerKind = "manager" // of the holder
	ReviewerManagersManager  ReviewerKind = "managers_manager"
	ReviewerAppOwner         ReviewerKind = "app_owner"         // of the connection
	ReviewerEntitlementOwner ReviewerKind = "entitlement_owner" // of the group, by the file or else its administrators
	ReviewerNamed            ReviewerKind = "named"             // people of these addresses, whoever has fewest items
	ReviewerGroup            ReviewerKind = "group"             // members of a group, whoever has fewest items
	ReviewerOwner            ReviewerKind = "owner"             // of the campaign: the last of every chain, added without being said
)

// ReviewerCandidate is one place in a chain of reviewers: the first that names somebody who
// may decide has the item; the next ones have it after an escalation.
type ReviewerCandidate struct {
	Whom       ReviewerKind `json:"whom"`
	To         []string     `json:"to,omitempty"`         // of named: addresses
	Connection string       `json:"connection,omitempty"` // of group
	Group      string       `json:"group,omitempty"`      // of group: a name or the vendor's id
	When       string       `json:"when,omitempty"`       // CEL over the account: only for such; empty = always
}

// StageOf says which items come to a stage after the first.
type StageOf string

// The items of a stage.
const (
	StageAll     StageOf = "all"
	StageKept    StageOf = "kept"    // what the stage before keeps
	StageRevoked StageOf = "revoked" // what the stage before revokes
	StageHigh    StageOf = "high"    // of high risk
)

// ReviewStage is one round of decisions. Nobody decides about an item in two
// stages; the last stage that an item comes to decides.
type ReviewStage struct {
	Name string              `json:"name"`
	Of   StageOf             `json:"of"`
	Who  []ReviewerCandidate `json:"who"`
}

// EntitlementOwner owns a group.
type EntitlementOwner struct {
	Connection string   `json:"connection"`
	Group      string   `json:"group"` // a name or the vendor's id
	To         []string `json:"to"`    // addresses
}

// DecisionRule says how decisions are taken.
type DecisionRule struct {
	// ReasonFor are the answers that need a reason; HighRiskReason: every answer about
	// an item of high risk does.
	ReasonFor      []ItemAnswer `json:"reason_for,omitempty"`
	HighRiskReason bool         `json:"high_risk_reason"`
	// BulkBelow: several items may be decided by one answer only if each is below the
	// level; empty = never.
	BulkBelow RiskLevel `json:"bulk_below,omitempty"`
	Abstain   bool      `json:"abstain"` // whether a reviewer may abstain: the item goes to the next in the chain
	// Carry takes over the last "keep" for items below the level that have not changed
	// since, at most Times campaigns in a row; empty = never.
	Carry      RiskLevel `json:"carry,omitempty"`
	CarryTimes int       `json:"carry_times,omitempty"`
}

// CampaignSilence is what an item that nobody decided comes to at the deadline.
type CampaignSilence string

// The meanings.
const (
	SilenceEscalates CampaignSilence = "escalate" // to the next in the chain, each for EscalateFor; then it stays undecided
	SilenceKeeps     CampaignSilence = "keep"
	SilenceRevokes   CampaignSilence = "revoke"
)

// CampaignTime says when what happens, counted from the opening. A day is 24 hours;
// with WorkingDays what falls on a weekend or outside 09:00 to 17:00 of the
// reviewer's zone waits for the next working morning.
type CampaignTime struct {
	Due           time.Duration   `json:"due"`
	Remind        []time.Duration `json:"remind,omitempty"`         // before the deadline
	EscalateAfter time.Duration   `json:"escalate_after,omitempty"` // without a decision, counted from the assignment; 0 = at the deadline alone
	EscalateFor   time.Duration   `json:"escalate_for"`             // what each in the chain has after the deadline
	Silence       CampaignSilence `json:"silence"`
	WorkingDays   bool            `json:"working_days"`
}

// QualityRule says when decisions are doubted. A zero member watches nothing.
type QualityRule struct {
	// MinItems is how many decisions of a reviewer are needed before they are judged.
	MinItems int `json:"min_items"`
	// MinSeconds: the median time between a reviewer's decisions must not be below.
	MinSeconds int `json:"min_seconds"`
	// ApproveAll is the percentage of keeps from which on it is an alarm, unless every
	// item was recommended to be kept.
	ApproveAll int `json:"approve_all"`
	// Against is the percentage of decisions against a recommendation from which on it
	// is an alarm.
	Against int `json:"against"`
	// Controls are made up items whose right answer is revoke: Each is how many each
	// reviewer gets. They are declared in the evidence and remove nothing.
	Controls ControlRule `json:"controls,omitzero"`
}

// ControlRule seeds control items.
type ControlRule struct {
	Each   int     `json:"each,omitempty"`
	Decoys []Decoy `json:"decoys,omitempty"`
}

// Decoy is an account that does not exist.
type Decoy struct {
	Login string `json:"login"`
	Name  string `json:"name,omitempty"`
	Note  string `json:"note,omitempty"` // what the reviewer should see through it by; for the evidence
}

// EffectTime is when revocations take effect.
type EffectTime string

// The times.
const (
	EffectAtOnce  EffectTime = "at_once"
	EffectAtClose EffectTime = "at_close"
)

// EffectRule says what a revocation does.
type EffectRule struct {
	When EffectTime `json:"when"`
	// Account are the steps for a revoked account. What is revoked of an account that
	// itself is kept is one plan: out of the groups, and another role.
	Account   []StepFact  `json:"account"`
	Role      AccountRole `json:"role"` // given in place of a revoked one
	Receivers []string    `json:"receivers,omitempty"`
	Approvals int         `json:"approvals"` // of each removal's plan, besides the reviewer's decision
	Budget    Budget      `json:"budget"`
}

// ApplyAccessReviews are files to apply together.
type ApplyAccessReviews struct {
	Set    string // of the files; empty = each alone
	Rules  []AccessReviewFile
	DryRun bool
	// Seen are the versions that the difference was shown for, 0 of new ones; nil = it
	// was not shown.
	Seen []SeenVersion
}

// AccessReviewFile is one file.
type AccessReviewFile struct {
	Rule   AccessReviewRule
	Source string
}

// SeenVersion is the version of a definition that somebody saw.
type SeenVersion struct {
	Name    string
	Version int
}

// AppliedAccessReview is what applying one file did, or would do.
type AppliedAccessReview struct {
	Name   string
	Change PolicyChange
	Review AccessReview // as it is then
	// Before is the rule that a changed one has replaced; nil = the same, or none.
	Before *AccessReviewRule
	Diff   []string // the members that differ, "path: before -> after"
}

// AccessReviewFilter selects definitions; zero values select all.
type AccessReviewFilter struct {
	Set   string
	State PolicyState
	After string
	Limit int
}
