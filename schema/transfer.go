package schema

import (
	"slices"
	"time"
)

// TransferState is how far a transfer is (DESIGN section 6).
type TransferState string

// The states of a transfer. Waiting is before the lane is free; the last three
// but skipped are verdicts over evidence.
const (
	TransferWaiting  TransferState = "waiting"  // for a lane
	TransferIntended TransferState = "intended" // lane held, nothing sent
	TransferSent     TransferState = "sent"     // a request is, or may be, on the wire
	TransferRefused  TransferState = "refused"  // definite refusal
	TransferBusy     TransferState = "busy"     // somebody else's job runs
	TransferSettling TransferState = "settling" // outcome unknown or accepted; evidence is awaited
	TransferProven   TransferState = "proven"
	TransferPresumed TransferState = "presumed"
	TransferStalled  TransferState = "stalled"
	TransferSkipped  TransferState = "skipped"  // the source owns nothing
	TransferGivenUp  TransferState = "given_up" // an operator waived it: content stays where it is
)

var transferMoves = map[TransferState][]TransferState{
	TransferWaiting:  {TransferIntended, TransferSkipped, TransferGivenUp},
	TransferIntended: {TransferSent, TransferWaiting, TransferGivenUp},
	TransferSent:     {TransferRefused, TransferBusy, TransferIntended, TransferSettling},
	TransferRefused:  {TransferIntended, TransferWaiting, TransferGivenUp},
	TransferBusy:     {TransferIntended, TransferWaiting, TransferSettling, TransferGivenUp},
	TransferSettling: {TransferProven, TransferPresumed, TransferStalled},
	TransferStalled:  {TransferSettling, TransferGivenUp},
	TransferProven:   {TransferSettling}, // a delete refusal voids it
	TransferPresumed: {TransferSettling},
}

// CanMove tells whether a transfer may go from one state to the other.
func (s TransferState) CanMove(to TransferState) bool {
	return slices.Contains(transferMoves[s], to)
}

// BeforeSend tells whether nothing was sent that the vendor may have taken: the
// receiver may still be another.
func (s TransferState) BeforeSend() bool {
	return s == TransferWaiting || s == TransferIntended || s == TransferRefused
}

// MaySendAgain tells whether an operator's decision, and nothing else, may bring
// the transfer back before its send, to intended or waiting, although the vendor
// may have taken the last request: nothing moved for the whole stall time.
func (s TransferState) MaySendAgain() bool { return s == TransferStalled }

// Settled tells whether a delete may rely on the transfer.
func (s TransferState) Settled() bool {
	return s == TransferProven || s == TransferPresumed || s == TransferSkipped
}

// Transfer is the transfer of one plan.
type Transfer struct {
	PlanID       PlanID
	ConnectionID ConnectionID
	Source       ExternalID
	Receiver     ExternalID
	ReceiverID   AccountID
	State        TransferState
	Attempts     int // requests sent, definite refusals included
	Position     int // in the lane's queue, 1 = next; 0 = not queued
	BytesBefore  int64
	BytesLeft    int64
	WitnessTotal int
	WitnessFound int
	FolderIDs    []ExternalID
	SentAt       time.Time // last request; zero = none
	EndedAt      time.Time // when the last call ended; zero = not known
	ClearSince   time.Time // since when every read was clear; zero = not clear
	MovedAt      time.Time // last read that differed from the one before in bytes or witnesses
	LastReadAt   time.Time
	LastOutcome  string // class of the last outcome
	LastCause    RefusalCause
	UpdatedAt    time.Time
}

// OutcomeClass sorts the answers to a transfer request.
type OutcomeClass string

// The classes. Only refused, rate_limited, unauthorized and busy are definite
// refusals; not_started means that no byte of the request left us.
const (
	OutcomeNotStarted   OutcomeClass = "not_started"
	OutcomeRateLimited  OutcomeClass = "rate_limited"
	OutcomeUnauthorized OutcomeClass = "unauthorized"
	OutcomeBusy         OutcomeClass = "busy"
	OutcomeRefused      OutcomeClass = "refused"
	OutcomeAccepted     OutcomeClass = "accepted" // 2xx: may still be running
	OutcomeUnknown      OutcomeClass = "unknown"
)

// RefusalCause is what a vendor refused a transfer for, where its answer tells.
type RefusalCause string

// The causes.
const (
	RefusedOther          RefusalCause = ""
	RefusedInactiveSource RefusalCause = "source_inactive" // it transfers from active accounts alone
	RefusedReceiverFull   RefusalCause = "receiver_full"
	RefusedPrivilege      RefusalCause = "privilege"
)

// TransferOutcome is what became of one transfer request.
type TransferOutcome struct {
	// Attempt is the request that was answered, as Transfer.Attempts counted it
	// when it was sent; 0 = the last one.
	Attempt    int
	Class      OutcomeClass
	HTTPStatus int    // 0 = no answer
	VendorCode string // from the vendor's envelope
	Reason     string // for people; free of logins and secrets
	Cause      RefusalCause
	RetryAfter time.Duration
	FolderID   ExternalID // from a 2xx body
	EndedAt    time.Time
}

// Next is the state an outcome leads to from sent.
func (o TransferOutcome) Next() TransferState {
	switch o.Class {
	case OutcomeNotStarted, OutcomeRateLimited, OutcomeUnauthorized:
		return TransferIntended
	case OutcomeBusy:
		return TransferBusy
	case OutcomeRefused:
		return TransferRefused
	default:
		return TransferSettling
	}
}

// Witness is an item that the source owns at its root: when it is found under
// the destination folder and owned by the receiver, it has arrived.
type Witness struct {
	ID   ExternalID `json:"id"`
	Type string     `json:"type"` // file, folder, web_link
}

// WitnessPlace is where a witness is now.
type WitnessPlace struct {
	Found    bool
	Owner    ExternalID
	FolderID ExternalID // the folder it lies in; empty = at the root itself
}

// Snapshot is what was found before the first write.
type Snapshot struct {
	TakenAt      time.Time  `json:"taken_at"`
	Status       string     `json:"status"` // vendor status
	Role         string     `json:"role"`
	SpaceUsed    int64      `json:"space_used_bytes"`
	Witnesses    []Witness  `json:"witnesses"`
	WitnessesOK  bool       `json:"witnesses_ok"` // false = could not be read; see WitnessNote
	WitnessNote  string     `json:"witness_note,omitempty"`
	Trash        []Witness  `json:"trash"`
	TrashBytes   int64      `json:"trash_bytes"`
	GroupIDs     []string   `json:"group_ids"`
	GroupsNote   string     `json:"groups_note,omitempty"` // why they could not be read
	Collabs      []SharedBy `json:"collaborations"`
	DeepDone     int        `json:"deep_done"`  // root items whose collaborations were read
	DeepTotal    int        `json:"deep_total"` // root items there were
	OwnedForeign int        `json:"shared_with_source"`
}

// DeepRead is who items are shared with, read before a dated case is due.
type DeepRead struct {
	TakenAt time.Time    `json:"taken_at"`
	Items   []ExternalID `json:"items"` // whose collaborations were read
	Total   int          `json:"total"` // items there were
	Collabs []SharedBy   `json:"collaborations"`
}

// OwnsNothing tells whether there is nothing to transfer: witnesses could be
// read and there are none, no trash, and no byte in use.
func (s Snapshot) OwnsNothing() bool {
	return s.WitnessesOK && len(s.Witnesses) == 0 && len(s.Trash) == 0 && s.SpaceUsed == 0
}

// SharedBy is a collaboration on an item of the source, kept as evidence of who
// had access: ids alone.
type SharedBy struct {
	ItemID ExternalID `json:"item_id"`
	Type   string     `json:"item_type"`
	With   ExternalID `json:"with"`
	Role   string     `json:"role"`
}
