package schema

import (
	"slices"
	"time"
)

// PlanState is how far a plan is. A case shows the least finished of its plans.
type PlanState string

// The states of a plan, least finished first.
const (
	PlanPlanned    PlanState = "planned"    // made, not begun: dated, or waiting for approval
	PlanRunning    PlanState = "running"    // a step is being carried out
	PlanWaiting    PlanState = "waiting"    // for a timer or a free lane
	PlanSettling   PlanState = "settling"   // a transfer was sent and is watched
	PlanCancelling PlanState = "cancelling" // cancelled; waits for a safe point, then undoes
	PlanParked     PlanState = "parked"     // needs an operator
	PlanSuperseded PlanState = "superseded" // a higher cause took over
	PlanCancelled  PlanState = "cancelled"
	PlanDone       PlanState = "done"
)

// planMoves are the legal moves between plan states.
var planMoves = map[PlanState][]PlanState{
	PlanPlanned:    {PlanRunning, PlanWaiting, PlanParked, PlanCancelling, PlanCancelled, PlanSuperseded},
	PlanRunning:    {PlanRunning, PlanWaiting, PlanSettling, PlanParked, PlanCancelling, PlanSuperseded, PlanDone},
	PlanWaiting:    {PlanRunning, PlanWaiting, PlanParked, PlanCancelling, PlanSuperseded},
	PlanSettling:   {PlanRunning, PlanSettling, PlanWaiting, PlanParked, PlanCancelling, PlanSuperseded},
	PlanParked:     {PlanRunning, PlanCancelling, PlanSuperseded},
	PlanCancelling: {PlanCancelled, PlanParked, PlanDone},
}

// CanMove tells whether a plan may go from one state to the other.
func (s PlanState) CanMove(to PlanState) bool { return slices.Contains(planMoves[s], to) }

// Ended tells whether nothing happens to the plan any more.
func (s PlanState) Ended() bool {
	return s == PlanDone || s == PlanCancelled || s == PlanSuperseded
}

// planOrder is the order of the constants above.
var planOrder = []PlanState{
	PlanPlanned, PlanRunning, PlanWaiting, PlanSettling, PlanCancelling, PlanParked, PlanSuperseded, PlanCancelled, PlanDone,
}

// LeastFinished returns the state a case shows for its plans: the least
// finished one, PlanDone for none.
func LeastFinished(states ...PlanState) PlanState {
	least := len(planOrder) - 1
	for _, s := range states {
		if i := slices.Index(planOrder, s); i >= 0 && i < least {
			least = i
		}
	}
	return planOrder[least]
}

// ParkCode names why a plan is parked. The fix for each is in docs/cases.md.
type ParkCode string

// The causes of parking.
const (
	ParkVendorRefused    ParkCode = "VENDOR_REFUSED"   // the vendor refused a call
	ParkUnauthorized     ParkCode = "UNAUTHORIZED"     // credentials are not accepted
	ParkVendorFailing    ParkCode = "VENDOR_FAILING"   // retried for the whole time allowed
	ParkBadAnswer        ParkCode = "BAD_ANSWER"       // the vendor's answer breaks its contract
	ParkUnsupported      ParkCode = "UNSUPPORTED"      // the connector cannot do the step
	ParkNotConfirmed     ParkCode = "NOT_CONFIRMED"    // a write was accepted and reads never agreed
	ParkTransferRefused  ParkCode = "TRANSFER_REFUSED" // the vendor refused the transfer
	ParkTransferStalled  ParkCode = "TRANSFER_STALLED" // no proof after stall_after
	ParkTransferBusy     ParkCode = "TRANSFER_BUSY"    // another job held the account for a day
	ParkReceiverMissing  ParkCode = "RECEIVER_MISSING" // no receiver in the list is valid now
	ParkContentRemains   ParkCode = "CONTENT_REMAINS"  // delete would meet content
	ParkTrashRemains     ParkCode = "TRASH_REMAINS"    // trash did not arrive and the plan keeps it
	ParkAccountGone      ParkCode = "ACCOUNT_GONE"     // missing, and not by our delete
	ParkFactsChanged     ParkCode = "FACTS_CHANGED"    // a hashed fact drifted and approval is void
	ParkEnterprise       ParkCode = "ENTERPRISE_MISMATCH"
	ParkReactivated      ParkCode = "SOURCE_REACTIVATED" // active again after our suspend
	ParkReceiverInactive ParkCode = "RECEIVER_INACTIVE"  // its content cannot be looked at
	ParkSourceProtected  ParkCode = "SOURCE_PROTECTED"   // protected, or became privileged or a service account
	ParkStateBehind      ParkCode = "STATE_BEHIND"       // database restored behind the workflow
	ParkConnectionClosed ParkCode = "CONNECTION_CLOSED"
	ParkInternal         ParkCode = "INTERNAL"
	ParkOnHold           ParkCode = "SOURCE_ON_HOLD"          // a hold appeared
	ParkHoldsUnreadable  ParkCode = "HOLDS_UNREADABLE"        // nobody knows whether there are legal holds
	ParkInactiveRefused  ParkCode = "SOURCE_INACTIVE_REFUSED" // the vendor transfers from active accounts alone
	ParkNoticeFailed     ParkCode = "NOTICE_FAILED"           // a notice could not be delivered
	ParkManualOverdue    ParkCode = "MANUAL_OVERDUE"          // nobody completed the task by its time
	ParkWindowOpen       ParkCode = "WINDOW_OPEN"             // made active for a call and not suspended again
	ParkActivityUnknown  ParkCode = "ACTIVITY_UNKNOWN"        // nobody knows whether the account was used lately
)

// Owner is who can usually mend what a plan is parked for.
type Owner string

// The owners.
const (
	OwnerOperator Owner = "operator" // of sendoff
	OwnerAdmin    Owner = "admin"    // of sendoff
	OwnerVendor   Owner = "vendor"   // the vendor's admin
)

// Owner is who can usually mend the cause.
func (c ParkCode) Owner() Owner {
	switch c {
	case ParkVendorRefused, ParkVendorFailing, ParkTransferRefused, ParkTransferBusy, ParkWindowOpen, ParkReceiverInactive:
		return OwnerVendor
	case ParkUnauthorized, ParkBadAnswer, ParkSourceProtected, ParkOnHold, ParkHoldsUnreadable, ParkEnterprise,
		ParkConnectionClosed, ParkNoticeFailed, ParkStateBehind, ParkInternal:
		return OwnerAdmin
	default:
		return OwnerOperator
	}
}

// Cause is why a plan is parked, in a form that people can act on.
type Cause struct {
	Code    ParkCode  `json:"code"`
	Step    StepKind  `json:"step,omitempty"`
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
	At      time.Time `json:"at"`
}

// Rank orders the causes of plans; a higher one may supersede a lower one.
type Rank int

// The ranks, lowest first.
const (
	RankInactivity   Rank = 10
	RankAccessReview Rank = 20
	RankOffboarding  Rank = 30
)

// Plan is the ordered steps for one account, with the hash of what was approved.
type Plan struct {
	ID           PlanID
	CaseID       CaseID
	ConnectionID ConnectionID
	AccountID    AccountID
	Rank         Rank
	State        PlanState
	Hash         string // hex SHA-256 of Facts
	Facts        Facts
	Template     string
	Steps        []Step
	CurrentStep  int   // index into Steps
	Fence        int64 // raised by each step; the workflow carries it
	Approvals    int   // how many are required
	Approved     int   // how many decisions approve this very hash
	Cause        *Cause
	PriorStatus  string // vendor status before our suspend; undo restores it
	Snapshot     *Snapshot
	Deep         *DeepRead    // nil = not read ahead
	WaitUntil    time.Time    // zero = not waiting for an instant
	DeleteTries  int          // deletes the vendor refused because content was left
	Memberships  []Membership // taken away by remove_from_groups; undo makes them again
	// Reactivate: an operator or the template lets the transfer make its source
	// active for the call. WindowOpen is since when it is; zero = it is not.
	Reactivate bool
	WindowOpen time.Time
	// Stopping remembers that a cancel was decided, so that a plan parked on its
	// way out goes on cancelling when it is resumed.
	Stopping  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Step returns the step at the index, and whether there is one.
func (p Plan) Step(index int) (Step, bool) {
	if index < 0 || index >= len(p.Steps) {
		return Step{}, false
	}
	return p.Steps[index], true
}

// StepOf returns the plan's step of that kind, and whether there is one.
func (p Plan) StepOf(kind StepKind) (Step, bool) {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Kind == kind })
	return p.Step(i)
}

// YieldsTo tells whether a plan of that rank and template may take over from this
// one: its cause is higher, this one is not being undone, its source is not active
// for a call, which its own workflow ends within minutes, and a transfer that was
// begun goes on in the new plan.
func (p Plan) YieldsTo(rank Rank, t Template) bool {
	if rank <= p.Rank || p.State.Ended() || p.State == PlanCancelling || p.Stopping || !p.WindowOpen.IsZero() {
		return false
	}
	step, transfers := p.StepOf(StepTransfer)
	return !transfers || step.State == StepPending || t.Has(StepTransfer)
}
