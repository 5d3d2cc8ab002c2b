package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// DeprovisionInput names the plan to carry out.
type DeprovisionInput struct {
	PlanID schema.PlanID `json:"plan_id"`
}

// Deprovision carries out the plan of one account, whatever its cause: step by
// step, parking at whatever needs an operator, and undoing what can be undone
// when it is cancelled.
func Deprovision(ctx workflow.Context, in DeprovisionInput) error {
	d := &deprovision{id: in.PlanID}
	if err := d.listen(ctx); err != nil {
		return err
	}
	return d.run(ctx)
}

type deprovision struct {
	nudges
	id     schema.PlanID
	fence  int64
	rerun  bool // an earlier run was lost; whatever it parked for was resumed
	unsent int  // sends in a row that the vendor definitely did not take
}

func (d *deprovision) run(ctx workflow.Context) error {
	plan, err := loadPlan(ctx, d.id)
	if err != nil {
		return err
	}
	if plan.State.Ended() {
		return nil
	}
	d.fence = plan.Fence
	d.rerun = plan.State != schema.PlanPlanned && (plan.Resumed == nil || *plan.Resumed)
	if slices.ContainsFunc(plan.Steps, func(s activities.StepOutline) bool { return s.Begun }) {
		d.fence-- // an earlier run raised it for the step it was in
	}
	if plan.State == schema.PlanParked { // by an earlier run
		stopped, err := d.awaitResume(ctx)
		if err != nil {
			return err
		}
		if stopped {
			return d.stop(ctx)
		}
	}
	for i, step := range plan.Steps {
		if step.Done {
			continue
		}
		stopped, err := d.carryOut(ctx, schema.StepRef{PlanID: d.id, Index: i, Fence: d.fence}, step.Kind)
		if err != nil {
			return err
		}
		if stopped {
			return d.stop(ctx)
		}
		d.fence++
	}
	if err := finish(ctx, d.id, schema.PlanDone); err != nil {
		if judge("", err).stopped { // cancelled after its last step
			return d.stop(ctx)
		}
		return err
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// carryOut runs a step until it is done, parking at each failure until somebody
// decides. It tells whether the plan was stopped instead.
func (d *deprovision) carryOut(ctx workflow.Context, ref schema.StepRef, kind schema.StepKind) (stopped bool, err error) {
	for {
		if tooLong(ctx) {
			return false, again(ctx, d.id)
		}
		err := d.do(ctx, ref, kind)
		if err == nil {
			return false, nil
		}
		if workflow.IsContinueAsNewError(err) {
			return false, err
		}
		v := judge(kind, err)
		if v.stopped || v.waived {
			return v.stopped, nil
		}
		if stopped, err := d.park(ctx, v.cause); stopped || err != nil {
			return stopped, err
		}
	}
}

// do runs one step once.
func (d *deprovision) do(ctx workflow.Context, ref schema.StepRef, kind schema.StepKind) error {
	switch kind {
	case schema.StepSnapshot:
		return takeSnapshot(ctx, ref)
	case schema.StepSuspend:
		return suspend(ctx, ref)
	case schema.StepReactivate:
		return reactivate(ctx, ref)
	case schema.StepRevokeSessions:
		return revokeSessions(ctx, ref)
	case schema.StepRemoveFromGroups:
		return removeFromGroups(ctx, ref)
	case schema.StepSetRole:
		return setRole(ctx, ref)
	case schema.StepTransfer:
		return d.transfer(ctx, ref)
	case schema.StepWait:
		return d.wait(ctx, ref)
	case schema.StepDelete:
		return d.delete(ctx, ref)
	case schema.StepNotify:
		return notify(ctx, ref)
	case schema.StepManual:
		return d.manual(ctx, ref)
	default:
		return refusal(schema.ParkUnsupported, "this release does not know the step "+string(kind), "upgrade sendoff, then resume")
	}
}

// wait sleeps until the step's time is over; a decision makes it look again.
func (d *deprovision) wait(ctx workflow.Context, ref schema.StepRef) error {
	for {
		w, err := wait(ctx, ref)
		if err != nil || w.Left == 0 {
			return err
		}
		if err := d.sleep(ctx, w.Left); err != nil {
			return err
		}
	}
}

// manual waits until somebody's decision completes the task.
func (d *deprovision) manual(ctx workflow.Context, ref schema.StepRef) error {
	for {
		t, err := task(ctx, ref)
		if err != nil || t.Done {
			return err
		}
		if err := d.sleep(ctx, t.Left); err != nil {
			return err
		}
	}
}

// delete deletes the account. A transfer that lost its verdict, because the
// vendor said that content remains, settles again before each try.
func (d *deprovision) delete(ctx workflow.Context, ref schema.StepRef) error {
	for {
		if err := d.settleAgain(ctx, ref); err != nil {
			return err
		}
		s, err := deleteAccount(ctx, ref)
		if err != nil || s.Deleted {
			return err
		}
		if err := d.sleep(ctx, s.Again); err != nil {
			return err
		}
	}
}

// settleAgain settles a transfer that is settling, and does nothing for others.
// One that stalls parks, and an operator may have it sent again.
func (d *deprovision) settleAgain(ctx workflow.Context, ref schema.StepRef) error {
	t, err := settleTransfer(ctx, ref)
	if err != nil || t.State != schema.TransferStalled {
		return err
	}
	if t, err = d.stalled(ctx, ref, t); err == nil {
		_, err = d.toVerdict(ctx, ref, t)
	}
	return err
}

// tooLong tells whether the history has grown so long that the server asks for a
// new run. Everything a new run needs stands in the plan's row.
func tooLong(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// again ends the run so that a new one goes on from the plan's row.
func again(ctx workflow.Context, id schema.PlanID) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Deprovision, DeprovisionInput{PlanID: id})
}

// park records the cause and waits until the plan is no longer parked.
func (d *deprovision) park(ctx workflow.Context, cause schema.Cause) (stopped bool, err error) {
	if err := park(ctx, d.id, cause); err != nil {
		if judge("", err).stopped { // cancelled meanwhile: the undo goes its own way
			return true, nil
		}
		return false, err
	}
	return d.awaitResume(ctx)
}

// awaitResume waits until the plan is not parked, and tells whether it was
// stopped instead of resumed.
func (d *deprovision) awaitResume(ctx workflow.Context) (stopped bool, err error) {
	for {
		plan, err := loadPlan(ctx, d.id)
		if err != nil {
			return false, err
		}
		switch plan.State {
		case schema.PlanParked:
			if err := d.awaitDecision(ctx); err != nil {
				return false, err
			}
		case schema.PlanCancelling, schema.PlanSuperseded, schema.PlanCancelled, schema.PlanDone:
			return true, nil
		default:
			return false, nil
		}
	}
}

// stop ends a plan that was cancelled or superseded. A superseded plan is left
// as it is: its successor inherited it. A cancelled one waits for its transfer
// and then gets back what can be given back, on a context that a cancelled
// workflow does not take away.
func (d *deprovision) stop(ctx workflow.Context) error {
	ctx, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	for {
		plan, err := loadPlan(ctx, d.id)
		if err != nil {
			return err
		}
		switch plan.State {
		case schema.PlanCancelling:
			err = d.undo(ctx, plan)
			if err == nil {
				return finish(ctx, d.id, schema.PlanCancelled)
			}
			if err := parkUndo(ctx, d.id, judge(schema.StepSuspend, err).cause); err != nil {
				return err
			}
		case schema.PlanParked: // a decision that did not resume it
		default:
			return nil
		}
		if err := d.awaitDecision(ctx); err != nil {
			return err
		}
	}
}

// undo waits until the transfer, if one was sent, is over, and restores the
// status the account had before, then its groups, and then its access to what was
// transferred: vendors refuse to give the last two to suspended accounts.
func (d *deprovision) undo(ctx workflow.Context, plan activities.PlanOutline) error {
	ref := schema.StepRef{PlanID: d.id, Index: plan.CurrentStep, Fence: d.fence}
	if ref.Fence == plan.Fence {
		ref.Fence-- // between two steps: the row's fence is that of the step before
	}
	t, err := stopTransfer(ctx, ref)
	if err == nil && t.State == schema.TransferSettling {
		_, err = settleTransfer(ctx, ref)
	}
	if err == nil && plan.Window {
		err = d.closeWindow(ctx)
	}
	if err == nil {
		err = restoreStatus(ctx, d.id)
	}
	if err == nil && plan.RoleChanged {
		err = restoreRole(ctx, d.id)
	}
	if err == nil && plan.LeftGroups {
		err = restoreGroups(ctx, d.id)
	}
	if err != nil {
		return err
	}
	return restoreAccess(ctx, d.id)
}
