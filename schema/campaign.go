package schema

import (
	"slices"
	"time"
)

// CampaignID names a campaign.
type CampaignID string

// CampaignState is how far a campaign is.
type CampaignState string

// The states of a campaign.
const (
	CampaignDraft     CampaignState = "draft"     // made and not started
	CampaignGathering CampaignState = "gathering" // waits for fresh facts
	CampaignListing   CampaignState = "listing"   // takes its snapshot
	CampaignAssigning CampaignState = "assigning" // finds reviewers
	CampaignOpen      CampaignState = "open"      // reviewers decide
	CampaignClosing   CampaignState = "closing"   // no more answers; silence is given its meaning
	CampaignRemoving  CampaignState = "removing"  // what was revoked is removed, as far as it need not wait
	CampaignHeld      CampaignState = "held"      // removals are over budget: two must release them
	CampaignClosed    CampaignState = "closed"    // waits for its sign-off; removals that had to wait go on
	CampaignSigned    CampaignState = "signed"    // the following syncs are watched; removals that had to wait go on
	CampaignEnded     CampaignState = "ended"
)

// CampaignStates lists them.
func CampaignStates() []CampaignState {
	return []CampaignState{
		CampaignDraft, CampaignGathering, CampaignListing, CampaignAssigning, CampaignOpen, CampaignClosing, CampaignRemoving, CampaignHeld,
		CampaignClosed, CampaignSigned, CampaignEnded,
	}
}

// campaignMoves are the legal moves between the states. A closed campaign opens
// again for what came back, for a redone part or for a later deadline.
var campaignMoves = map[CampaignState][]CampaignState{
	CampaignDraft:     {CampaignGathering, CampaignEnded},
	CampaignGathering: {CampaignListing, CampaignEnded},
	CampaignListing:   {CampaignAssigning, CampaignEnded},
	CampaignAssigning: {CampaignOpen, CampaignEnded},
	CampaignOpen:      {CampaignClosing, CampaignEnded},
	CampaignClosing:   {CampaignRemoving, CampaignOpen, CampaignEnded},
	CampaignRemoving:  {CampaignHeld, CampaignClosed, CampaignOpen, CampaignEnded},
	CampaignHeld:      {CampaignRemoving, CampaignOpen, CampaignEnded},
	CampaignClosed:    {CampaignSigned, CampaignOpen, CampaignEnded},
	CampaignSigned:    {CampaignEnded},
}

// CanMove tells whether a campaign may go from one state to the other.
func (s CampaignState) CanMove(to CampaignState) bool { return slices.Contains(campaignMoves[s], to) }

// Removes tells whether removals of a campaign in the state may be planned and
// started.
func (s CampaignState) Removes() bool {
	switch s {
	case CampaignOpen, CampaignRemoving, CampaignClosed, CampaignSigned:
		return true
	}
	return false
}

// CampaignEnd is how a campaign ended.
type CampaignEnd string

// The ends.
const (
	CampaignDone      CampaignEnd = "done"      // signed, and watched to the end
	CampaignEmpty     CampaignEnd = "empty"     // nothing is in its scope
	CampaignStale     CampaignEnd = "stale"     // the facts were too old
	CampaignCancelled CampaignEnd = "cancelled" // by a principal
	CampaignFailed    CampaignEnd = "failed"
	CampaignDark      CampaignEnd = "blackout"
)

// Campaign is one run of an access review.
type Campaign struct {
	ID          CampaignID
	ReviewID    AccessReviewID
	Review      string // its name
	Version     int    // of the review
	Title       string
	Owner       string // address of who signs
	Trigger     CampaignTrigger
	ScheduledAt time.Time
	RequestedBy string // principal's name; empty = a schedule or the engine
	RequestedID TokenID
	// Accounts and Persons narrow a small campaign to what it was made for; both
	// empty = the whole scope.
	Accounts []AccountID
	Persons  []PersonID
	// Follows is the campaign that removed what came back; empty = none.
	Follows CampaignID
	State   CampaignState
	End     CampaignEnd // of an ended one
	Why     string      // in words, of an end that is not done
	// Basis is what its snapshot is of: each connection with when it was synced and
	// what of it is not known. Warnings are what the launch was warned of.
	Basis    []PopulationBasis
	Warnings []Finding
	// SnapshotAt is the one instant of the database that all items were read at;
	// OpenedAt when reviewers could begin; DueAt the deadline, with its extensions.
	SnapshotAt time.Time
	OpenedAt   time.Time
	DueAt      time.Time
	ClosedAt   time.Time // no more answers since; zero = open
	Overruns   []Overrun // of a held one
	BatchID    BatchID   // that holds it; empty = none
	SignedAt   time.Time
	SignedBy   string
	SignReason string // what was accepted with the signature
	Evidence   string // hex SHA-256 of the signed evidence
	CreatedAt  time.Time
	EndedAt    time.Time
	WorkflowID string
}

// CampaignFilter selects campaigns; zero values select all.
type CampaignFilter struct {
	Review string // name or id
	State  CampaignState
	After  string
	Limit  int
}

// CampaignCounts sum a campaign's items.
type CampaignCounts struct {
	Items    int64
	States   []StateCount // by item state
	Answers  []AnswerCount
	Risks    []RiskCount
	Removals []RemovalCount
	Returned int64 // accesses that came back
	Controls int64 // among the items
}

// StateCount counts items of a campaign in a state.
type StateCount struct {
	State CampaignItemState `json:"state"`
	Count int64             `json:"count"`
}

// AnswerCount counts items by their answer.
type AnswerCount struct {
	Answer ItemAnswer `json:"answer"`
	Count  int64      `json:"count"`
}

// RiskCount counts items of a level.
type RiskCount struct {
	Risk  RiskLevel `json:"risk"`
	Count int64     `json:"count"`
}

// RemovalCount counts removals in a state.
type RemovalCount struct {
	State RemovalState `json:"state"`
	Count int64        `json:"count"`
}

// CampaignView is a campaign with what its owner asks first.
type CampaignView struct {
	Campaign
	Counts CampaignCounts
	// Blocks is what stands against a sign-off now, in words with the fix; empty = it
	// may be signed.
	Blocks []Finding
}

// NewCampaign asks for a campaign.
type NewCampaign struct {
	Review   string // name or id
	Start    bool   // at once; else it stays a draft
	Accounts []AccountID
	Persons  []PersonID
	Trigger  CampaignTrigger // empty = person
	Follows  CampaignID
}

// Extend moves a deadline.
type Extend struct {
	To     time.Time
	Reason string
}

// SignOff is the owner's word that a campaign is complete.
type SignOff struct {
	Reason string
	// AcceptOpen accepts what is undecided, refused, impossible or not removed yet:
	// it is listed as an exception under the signature.
	AcceptOpen bool
}

// What keeps a campaign from being launched or signed.
const (
	CampaignStaleFacts     FindingCode = "STALE_FACTS"
	CampaignUnhealthy      FindingCode = "CONNECTION_UNHEALTHY"
	CampaignOverlaps       FindingCode = "CAMPAIGNS_OVERLAP"   // another open campaign looks at the same
	CampaignNotCollected   FindingCode = "NOT_COLLECTED"       // part of the scope cannot be known
	CampaignOwnerUnknown   FindingCode = "OWNER_UNKNOWN"       // nobody has the address that the review names
	CampaignHasAlarms      FindingCode = "REVIEWER_ALARMED"    // decisions that need a second look
	CampaignUndecided      FindingCode = "ITEMS_UNDECIDED"     //
	CampaignOpenRemovals   FindingCode = "REMOVALS_OPEN"       // not proven yet
	CampaignFailedRemovals FindingCode = "REMOVALS_IMPOSSIBLE" // refused, impossible, given back
	CampaignNotClosed      FindingCode = "CAMPAIGN_NOT_CLOSED"
)

// Whole tells whether a campaign is about all of its review's scope, of which there
// is one at a time.
func (c Campaign) Whole() bool {
	return (c.Trigger == CampaignScheduled || c.Trigger == CampaignByPerson) && len(c.Accounts) == 0 && len(c.Persons) == 0
}
