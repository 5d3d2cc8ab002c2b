package workflows

import "go.temporal.io/sdk/worker"

// Register registers every workflow: one list for workers, tests and replay.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflow(Offboarding)
	r.RegisterWorkflow(Deprovision)
	r.RegisterWorkflow(Sync)
	r.RegisterWorkflow(CollectActivity)
	r.RegisterWorkflow(Probe)
	r.RegisterWorkflow(Leaver)
	r.RegisterWorkflow(PollSource)
	r.RegisterWorkflow(DeliverNotice)
	r.RegisterWorkflow(Review)
	r.RegisterWorkflow(Campaign)
}
