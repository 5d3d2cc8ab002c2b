package schema

import "time"

// DecisionKind is what a principal decided about a case.
type DecisionKind string

// The decisions of this release.
const (
	DecideApprove DecisionKind = "approve"
	DecideResume  DecisionKind = "resume"
	DecideCancel  DecisionKind = "cancel"
)

// Decision is a principal's decision. It is written with its effect on the
// state in one transaction; the workflow is told its id alone.
type Decision struct {
	ID        DecisionID
	CaseID    CaseID
	PlanID    PlanID // empty = the whole case
	Kind      DecisionKind
	Hash      string // the hash approved, for approvals
	Reason    string
	Principal string
	TokenID   TokenID
	CreatedAt time.Time
}
