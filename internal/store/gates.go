package store

import (
	"context"
	"fmt"
	"strconv"

	"sendoff/schema"
)

// stopped says why nothing more may be done for a plan.
func stopped(p planRow) error {
	if p.State == schema.PlanSuperseded {
		return &schema.Error{Code: schema.CodeSuperseded, Message: "plan " + string(p.ID) + " was superseded by a case with a higher cause"}
	}
	return &schema.Error{Code: schema.CodeStopped, Message: "plan " + string(p.ID) + " is " + string(p.State)}
}

// checkGoesOn refuses what would carry a plan forward when it was stopped,
// superseded or parked.
func checkGoesOn(p planRow) error {
	switch {
	case p.State.Ended(), p.State == schema.PlanCancelling, p.Stopping:
		return stopped(p)
	case p.State == schema.PlanParked:
		return conflict("plan "+string(p.ID)+" is parked", "resume the case")
	}
	return nil
}

// checkFence compares the fence that a workflow holds with the plan's while the
// workflow's step runs: the row must be exactly one ahead. A row further behind
// is from a restored backup, one further ahead belongs to a later step.
func checkFence(p planRow, ref schema.StepRef) error {
	switch want := ref.Fence + 1; {
	case p.Fence < want:
		return behind(p, want)
	case p.Fence > want, p.CurrentStep != ref.Index:
		return stale(p, want)
	}
	return nil
}

func behind(p planRow, want int64) error {
	return &schema.Error{
		Code:    schema.CodeStateBehind,
		Message: fmt.Sprintf("plan %s is at fence %d in the database, its workflow at %d: the database was restored to an earlier state", p.ID, p.Fence, want),
		Fix:     "stop server and workers and run sendoff recover --after-restore",
	}
}

func stale(p planRow, want int64) error {
	return &schema.Error{
		Code:    schema.CodeStale,
		Message: fmt.Sprintf("plan %s is at fence %d, step %d; the caller is at %d and was overtaken", p.ID, p.Fence, p.CurrentStep, want),
	}
}

// checkWaived refuses to go on with a step that an operator left out.
func checkWaived(p planRow, ref schema.StepRef) error {
	if step, ok := p.Step(ref.Index); ok && step.State == schema.StepWaived {
		return &schema.Error{Code: schema.CodeWaived, Message: "step " + strconv.Itoa(ref.Index) + " of plan " + string(p.ID) + " was waived"}
	}
	return nil
}

func checkApproved(p planRow) error {
	if p.Approved >= p.Approvals {
		return nil
	}
	return &schema.Error{
		Code:    schema.CodeNotApproved,
		Message: "plan " + string(p.ID) + " has " + strconv.Itoa(p.Approved) + " of " + strconv.Itoa(p.Approvals) + " approvals for what it would do now",
		Fix:     "look at the case and approve it",
	}
}

// gateWrite is every check that stands before a request that changes something
// at a vendor. It runs in the transaction that journals the intent. The kind is
// that of the write: a delete step may have to send its transfer again.
func (t *tx) gateWrite(ctx context.Context, p planRow, ref schema.StepRef, kind schema.StepKind) error {
	if err := checkGoesOn(p); err != nil {
		return err
	}
	if err := checkFence(p, ref); err != nil {
		return err
	}
	if err := checkWaived(p, ref); err != nil {
		return err
	}
	step, ok := p.Step(ref.Index)
	if ok && step.State.Finished() {
		return &schema.Error{
			Code:    schema.CodeUnavailable,
			Message: "another try of step " + strconv.Itoa(ref.Index) + " of plan " + string(p.ID) + " has finished it: the next one finds that",
		}
	}
	if !ok || step.State != schema.StepRunning {
		return stale(p, ref.Fence+1)
	}
	if err := checkApproved(p); err != nil {
		return err
	}
	if err := allowWrite(ctx, t, p.ConnectionID); err != nil {
		return err
	}
	if err := t.gateRestrictions(ctx, p, kind); err != nil {
		return err
	}
	if kind == schema.StepSuspend {
		return t.gateLane(ctx, p) // a receiver that is suspended could not be looked at
	}
	if kind.Irreversible() {
		return t.gateDelete(ctx, p)
	}
	return nil
}

// gateDelete refuses to delete while a transfer of this plan is not settled or
// the account takes part in anybody's.
func (t *tx) gateDelete(ctx context.Context, p planRow) error {
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil {
		return err
	}
	if ok && !tr.State.Settled() {
		return conflict("the plan's transfer is "+string(tr.State)+": a delete relies on a settled one", "wait for the transfer")
	}
	return t.gateLane(ctx, p)
}

// gateLane refuses while the account takes part in a transfer of another plan.
func (t *tx) gateLane(ctx context.Context, p planRow) error {
	busy, err := scalar[bool](ctx, t, `select exists (select 1 from transfer_party
		where connection_id = @connection and external_id = @account and plan_id <> @plan)`,
		args{"connection": p.ConnectionID, "account": p.Facts.AccountID, "plan": p.ID})
	if err == nil && busy {
		// Passes by itself, so it is worth waiting for and no reason to park.
		err = &schema.Error{Code: schema.CodeUnavailable, Message: "the account takes part in an open transfer", Fix: "wait for that transfer"}
	}
	return err
}
