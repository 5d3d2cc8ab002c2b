package schema

import "time"

// DecisionKind is what a principal decided about a case.
type DecisionKind string

// The decisions.
const (
	DecideApprove     DecisionKind = "approve"
	DecideResume      DecisionKind = "resume"
	DecideCancel      DecisionKind = "cancel"
	DecideSendAgain   DecisionKind = "send_again"   // resume, and send a stalled transfer anew
	DecideReactivate  DecisionKind = "reactivate"   // resume, and make the source active for the call
	DecideWaive       DecisionKind = "waive"        // leave a step out and go on
	DecideMoveDate    DecisionKind = "move_date"    // another effective time, or end of the wait
	DecideSetReceiver DecisionKind = "set_receiver" // other receivers, in order
	DecideComplete    DecisionKind = "complete"     // a manual step is done; the reason is its evidence
	DecideReleaseLane DecisionKind = "release_lane" // let others use the accounts of a stalled transfer
	// DecideSupersede is written by the opening of a case with a higher cause.
	DecideSupersede DecisionKind = "supersede"
)

// DecisionKinds lists every kind of decision that a principal can take by itself.
func DecisionKinds() []DecisionKind {
	return []DecisionKind{
		DecideApprove, DecideResume, DecideCancel, DecideSendAgain, DecideReactivate,
		DecideWaive, DecideMoveDate, DecideSetReceiver, DecideComplete, DecideReleaseLane,
	}
}

// Decision is a principal's decision. It is written with its effect on the
// state in one transaction; the workflow is told its id alone.
type Decision struct {
	ID     DecisionID
	CaseID CaseID
	PlanID PlanID // empty = the whole case
	Kind   DecisionKind
	Hash   string // the hash approved, for approvals
	Reason string
	// Step is the kind of step that is waived or completed; empty = the current one.
	Step      StepKind
	To        time.Time // of a move of date
	Receivers []string  // logins of a set_receiver, in order
	// ReceiverFor is the receiver that pre-flight chose for each plan of a
	// set_receiver; it is kept in the plans' facts, not with the decision.
	ReceiverFor map[PlanID]Account `db:"-"`
	Principal   string
	TokenID     TokenID
	CreatedAt   time.Time
}
