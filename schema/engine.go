package schema

import "time"

// StepRef names a step of a plan and the fence its workflow holds: the plan's
// fence before the step began. Activities present it with every change.
type StepRef struct {
	PlanID PlanID
	Index  int
	Fence  int64
}

// VendorWrite is the journal entry of one write to a vendor: intent before,
// outcome after. Details are ids and codes, never names or logins.
type VendorWrite struct {
	Op      string // e.g. "suspend", "delete", "transfer"
	Details map[string]string
}

// OpOpenWindow is the write that makes a suspended source active for its
// transfer's call.
const OpOpenWindow = "open_window"

// WriteRecord is the journal of one plan's writes of one op (table vendor_write).
type WriteRecord struct {
	Count      int       // intents journalled
	FirstAt    time.Time // first intent
	LastAt     time.Time // last intent
	Outcome    string    // of the last: "", accepted, refused, unknown
	AcceptedAt time.Time // first accepted outcome; zero = none
	Lost       bool      // some intent's outcome is unknown or was never journalled
}

// The outcomes of a vendor write, in VendorWrite.Details["outcome"].
const (
	WriteAccepted = "accepted"
	WriteRefused  = "refused"
	WriteUnknown  = "unknown"
)

// Evidence is what a read showed. It is recorded when it differs from the last
// evidence of that kind for the step.
type Evidence struct {
	Kind    string
	Details map[string]string
}

// TransferRead is one look at the evidence of a transfer.
type TransferRead struct {
	BytesLeft    int64
	WitnessFound int
	WitnessTotal int
	MissingIDs   []ExternalID
	FolderIDs    []ExternalID
	Clear        bool // nothing more to wait for but quiet time
	At           time.Time
}

// AccountView is one account of a case, for people.
type AccountView struct {
	Plan       Plan
	Account    Account
	Connection string
	Transfer   *Transfer // nil = no transfer was begun
}

// CaseView is a case with everything people are shown of it.
type CaseView struct {
	Case     Case
	State    PlanState
	Accounts []AccountView
}

// CaseFilter selects cases for a list; zero values select all.
type CaseFilter struct {
	State PlanState
	Email string
	// After continues a list: the cursor of the last page, "" for the first.
	After string
	Limit int // 1 to 500
}

// Switch is the engine's one switch (promise 12).
type Switch struct {
	Paused    bool
	Reason    string
	ChangedBy string
	ChangedAt time.Time
}

// OutboxKind is what an outbox row asks the dispatcher to do.
type OutboxKind string

// The kinds of outbox row.
const (
	OutboxStartCase OutboxKind = "start_case" // start offboarding/<case id>
	OutboxDecision  OutboxKind = "decision"   // update a workflow with a decision's id
	OutboxLane      OutboxKind = "lane"       // signal deprovision/<plan id>: look at the lane
	OutboxStartRun  OutboxKind = "start_run"  // start sync/<run id>, activity/<run id> or probe/<run id>
	OutboxLeaver    OutboxKind = "leaver"     // start leaver/<leaver id>, or tell it to look again
	OutboxPoll      OutboxKind = "poll"       // start poll/<source id>
	OutboxNotice    OutboxKind = "notice"     // start notice/<notice id>
	OutboxPolicy    OutboxKind = "policy"     // bring the Temporal Schedule of a policy in line with it
	OutboxReview    OutboxKind = "review"     // start review/<review id>, or tell it to look again
	// OutboxAccessReview brings the Temporal Schedule of an access review in line with
	// it; OutboxCampaign starts campaign/<campaign id>, or tells it to look again.
	OutboxAccessReview OutboxKind = "access_review"
	OutboxCampaign     OutboxKind = "campaign"
)

// OutboxRow is one message to Temporal, written with the state it announces.
type OutboxRow struct {
	ID             int64
	Kind           OutboxKind
	CaseID         CaseID // empty for what is about no case
	PlanID         PlanID // empty = the case's own workflow
	DecisionID     DecisionID
	RunID          RunID
	RunKind        RunKind
	LeaverID       LeaverID
	SourceID       SourceID
	NoticeID       NoticeID
	PolicyID       PolicyID
	ReviewID       ReviewID
	AccessReviewID AccessReviewID
	CampaignID     CampaignID
	Tries          int
	CreatedAt      time.Time
}
