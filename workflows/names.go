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
	// SignalLook tells a leaver or a poll to look again.
	SignalLook = "look"
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

// LeaverFlowID is the workflow id of a leaver.
func LeaverFlowID(id schema.LeaverID) string { return "leaver/" + string(id) }

// PollID is the workflow id of a source's polls.
func PollID(id schema.SourceID) string { return "poll/" + string(id) }

// NoticeFlowID is the workflow id of a notice.
func NoticeFlowID(id schema.NoticeID) string { return "notice/" + string(id) }

// ReviewFlowID is the workflow id of a review run that somebody asked for. That of
// a scheduled run is ReviewsOf the policy with the time appended.
func ReviewFlowID(p schema.PolicyID, r schema.ReviewID) string { return ReviewsOf(p) + "/" + string(r) }

// ReviewsOf begins the workflow ids of a policy's review runs.
func ReviewsOf(p schema.PolicyID) string { return "review/" + string(p) }

// PolicyScheduleID is the id of a policy's Temporal Schedule.
func PolicyScheduleID(p schema.PolicyID) string { return "policy/" + string(p) }

// CampaignsOf begins the workflow ids of an access review's scheduled campaigns. That
// of a campaign that somebody asked for is campaign/<campaign id>.
func CampaignsOf(r schema.AccessReviewID) string { return "campaign/" + string(r) }

// AccessReviewScheduleID is the id of an access review's Temporal Schedule.
func AccessReviewScheduleID(r schema.AccessReviewID) string { return "access-review/" + string(r) }
