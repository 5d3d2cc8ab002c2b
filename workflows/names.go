package workflows

import "sendoff/schema"

// The task queues. What shuts an account has one of its own, so that it never
// waits behind the work of others; so have transfers: their calls last minutes,
// and a worker that stops gives them time to end.
const (
	QueueEngine   = "sendoff-engine"
	QueueSuspend  = "sendoff-suspend"
	QueueTransfer = "sendoff-transfer"
	// QueueInventory is for runs, so that no listing stands in a leaver's way.
	QueueInventory = "sendoff-inventory"
)

// The messages that workflows take.
const (
	// UpdateDecide tells a workflow that a decision about it was written.
	UpdateDecide = "decide"
	// SignalLane tells a plan that its lane may be free.
	SignalLane = "lane"
)

// OffboardingID is the workflow id of a case.
func OffboardingID(id schema.CaseID) string { return "offboarding/" + string(id) }

// DeprovisionID is the workflow id of a plan.
func DeprovisionID(id schema.PlanID) string { return "deprovision/" + string(id) }

// DecideInput is the argument of UpdateDecide: the decision's id alone. What was
// decided is read from the database.
type DecideInput struct {
	DecisionID schema.DecisionID `json:"decision_id"`
}

// RunID is the workflow id of a run.
func RunID(kind schema.RunKind, id schema.RunID) string { return string(kind) + "/" + string(id) }
