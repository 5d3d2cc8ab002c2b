package workflows

import (
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// OffboardingInput names the case to carry out.
type OffboardingInput struct {
	CaseID schema.CaseID `json:"case_id"`
}

// Offboarding waits until a case is due and approved, carries out one plan for
// each account, all at once, and closes the case when every plan has ended. A
// parked plan keeps its case open and holds up nothing else.
func Offboarding(ctx workflow.Context, in OffboardingInput) error {
	o := &offboarding{id: in.CaseID}
	if err := o.listen(ctx); err != nil {
		return err
	}
	return o.run(ctx)
}

type offboarding struct {
	nudges
	id        schema.CaseID
	readAhead bool // done, or tried
}

func (o *offboarding) run(ctx workflow.Context) error {
	due, err := o.awaitDue(ctx)
	if err != nil {
		return err
	}
	if due.Stopped {
		if err := endCancelled(ctx, o.id); err != nil {
			return err
		}
	} else if err := o.deprovision(ctx, due.Open); err != nil {
		return err
	}
	if err := closeCase(ctx, o.id); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// awaitDue waits for the effective time and the approvals, whichever is later.
func (o *offboarding) awaitDue(ctx workflow.Context) (activities.CaseOutline, error) {
	for {
		c, err := loadCase(ctx, o.id)
		switch {
		case err != nil, c.Stopped, c.Approved && c.Left == 0:
			return c, err
		case c.Approved:
			err = o.awaitDate(ctx, c.Left)
		default:
			err = o.awaitDecision(ctx)
		}
		if err != nil {
			return c, err
		}
	}
}

// awaitDate sleeps until the effective time, or shorter when a decision is told.
// On its way it reads ahead, once, within the day before.
func (o *offboarding) awaitDate(ctx workflow.Context, left time.Duration) error {
	if o.readAhead || workflow.GetVersion(ctx, "read-ahead", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return o.sleep(ctx, left)
	}
	if left > dayBefore {
		return o.sleep(ctx, left-dayBefore)
	}
	o.readAhead = true
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := readAhead(ctx, o.id); err != nil {
			workflow.GetLogger(ctx).Warn("reading ahead failed; the snapshot reads for itself", "case_id", o.id)
		}
	})
	return o.sleep(ctx, left)
}

// dayBefore is how long before its date a case is read ahead.
const dayBefore = 24 * time.Hour

// deprovision starts one workflow for each plan and waits for all of them. They
// live on when this one ends, whatever the reason.
func (o *offboarding) deprovision(ctx workflow.Context, plans []schema.PlanID) error {
	running := make([]workflow.ChildWorkflowFuture, 0, len(plans))
	for _, id := range plans {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: DeprovisionID(id), TaskQueue: QueueEngine,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		})
		running = append(running, workflow.ExecuteChildWorkflow(child, Deprovision, DeprovisionInput{PlanID: id}))
	}
	for _, child := range running {
		if err := child.Get(ctx, nil); err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			workflow.GetLogger(ctx).Error("a plan's workflow failed", "case_id", o.id)
		}
	}
	return nil
}
