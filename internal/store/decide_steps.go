package store

import (
	"context"
	"slices"
	"strconv"

	"sendoff/schema"
)

// waive leaves one step out of each plan the decision names: the current one, or
// the next of the kind asked for. A transfer that was begun is given up, and a
// delete after a waived transfer is waived with it: it would meet content. One
// whose verdict a delete voided is given up with that delete.
func (t *tx) waive(ctx context.Context, d schema.Decision, open []planRow) ([]planRow, error) {
	var waived []planRow
	for _, p := range open {
		step, ok := stepToWaive(p, d.Step)
		if !ok {
			continue
		}
		if err := checkWaivable(p, step); err != nil {
			return nil, err
		}
		waived = append(waived, p)
		if step.Kind == schema.StepTransfer {
			if err := t.giveUpTransfer(ctx, p); err != nil {
				return nil, err
			}
		}
		if step.Kind.Irreversible() {
			if err := t.giveUpVoid(ctx, p); err != nil {
				return nil, err
			}
		}
		if err := t.waiveStep(ctx, d, p, step); err != nil {
			return nil, err
		}
		if (p.State == schema.PlanParked || p.State == schema.PlanWaiting) && step.Index == p.CurrentStep {
			if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
				return nil, err
			}
		}
	}
	if len(waived) == 0 {
		return nil, conflict("no open plan of the case has such a step before it", "look at the case; name the step with --step")
	}
	return waived, nil
}

// stepToWaive is the plan's unfinished step of the kind, or without one the step
// it is parked or waiting in.
func stepToWaive(p planRow, kind schema.StepKind) (schema.Step, bool) {
	if kind == "" {
		if p.State != schema.PlanParked && p.State != schema.PlanWaiting {
			return schema.Step{}, false
		}
		step, ok := p.Step(p.CurrentStep)
		return step, ok && !step.State.Finished()
	}
	i := slices.IndexFunc(p.Steps, func(s schema.Step) bool { return s.Kind == kind && !s.State.Finished() })
	return p.Step(i)
}

func checkWaivable(p planRow, step schema.Step) error {
	switch {
	case !p.WindowOpen.IsZero():
		return conflict("the account of plan "+string(p.ID)+" is active for its transfer's call", "resume first: it is suspended again before anything else")
	case p.Approvals > 0 && holdsBack(p, step):
		return conflict("the step "+string(step.Kind)+" stands before a delete that was approved with it", "move its date (sendoff cases move-date), which asks for the approvals again; or cancel the case")
	case !step.Kind.Waivable():
		return conflict("the step "+string(step.Kind)+" cannot be waived: nothing after it could be proven", "cancel the case instead")
	case p.State == schema.PlanCancelling, p.Stopping:
		return conflict("plan "+string(p.ID)+" is being cancelled", "wait for its end; if it is parked, resume it")
	case step.State == schema.StepRunning && p.State != schema.PlanParked && p.State != schema.PlanWaiting:
		return conflict("the step "+string(step.Kind)+" of plan "+string(p.ID)+" is being carried out now", "wait until it is done or parked")
	}
	return nil
}

// holdsBack tells whether the step gives people time or a say before a delete.
func holdsBack(p planRow, step schema.Step) bool {
	if step.Kind != schema.StepWait && step.Kind != schema.StepManual {
		return false
	}
	return slices.ContainsFunc(p.Steps[step.Index:], func(s schema.Step) bool { return s.Kind.Irreversible() && !s.State.Finished() })
}

// giveUpTransfer ends a transfer without a verdict, if one was begun, and frees
// its lanes. One that was sent and is watched cannot be given up before it stalls.
func (t *tx) giveUpTransfer(ctx context.Context, p planRow) error {
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil || !ok || tr.State == schema.TransferGivenUp {
		return err
	}
	if !tr.State.CanMove(schema.TransferGivenUp) {
		return conflict("the transfer of plan "+string(p.ID)+" is "+string(tr.State)+": the vendor may be moving content now", "wait until it is settled or stalled")
	}
	if err := t.moveTransfer(ctx, &tr, schema.TransferGivenUp); err != nil {
		return err
	}
	t.recordPlan(p, engine(), "transfer.given_up", map[string]string{"missing": strconv.Itoa(tr.WitnessTotal - tr.WitnessFound)})
	return t.freeLane(ctx, tr)
}

// giveUpVoid gives up the transfer whose verdict a refused delete voided, when that
// delete is left out: nothing waits for another verdict any more. Its request was
// over when it had one, so unlike one sent again since it moves nothing now.
func (t *tx) giveUpVoid(ctx context.Context, p planRow) error {
	step, ok := p.StepOf(schema.StepTransfer)
	if !ok || step.State != schema.StepDone {
		return nil
	}
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil || !ok || tr.State.Settled() {
		return err
	}
	over, err := scalar[bool](ctx, t, `select exists (select 1 from vendor_write where plan_id = @id and op = 'delete' and intended_at > @sent)`,
		args{"id": p.ID, "sent": tr.SentAt})
	if err != nil {
		return err
	}
	if over && tr.State == schema.TransferSettling {
		if err := t.moveTransfer(ctx, &tr, schema.TransferStalled); err != nil {
			return err
		}
	}
	return t.giveUpTransfer(ctx, p)
}

func (t *tx) waiveStep(ctx context.Context, d schema.Decision, p planRow, step schema.Step) error {
	steps := []schema.Step{step}
	if step.Kind == schema.StepTransfer {
		for _, later := range p.Steps[step.Index+1:] {
			if later.Kind.Irreversible() && !later.State.Finished() {
				steps = append(steps, later)
			}
		}
	}
	for _, s := range steps {
		ref := schema.StepRef{PlanID: p.ID, Index: s.Index}
		proof := map[string]string{"waived_by": d.Principal, "decision": string(d.ID)}
		if err := t.moveStep(ctx, ref, s.State, schema.StepWaived, proof); err != nil {
			return err
		}
		t.recordStep(p, ref, "step.waived", map[string]string{"decision": string(d.ID), "kind": string(s.Kind)})
	}
	return nil
}

// complete ends the manual step that the plans are in; the reason is its evidence.
func (t *tx) complete(ctx context.Context, d schema.Decision, open []planRow) ([]planRow, error) {
	var completed []planRow
	for _, p := range open {
		step, ok := p.Step(p.CurrentStep)
		if !ok || step.Kind != schema.StepManual || step.State != schema.StepRunning || p.State == schema.PlanCancelling || p.Stopping {
			continue
		}
		completed = append(completed, p)
		ref := schema.StepRef{PlanID: p.ID, Index: step.Index}
		proof := map[string]string{"completed_by": d.Principal, "evidence": d.Reason, "decision": string(d.ID)}
		if err := t.moveStep(ctx, ref, schema.StepRunning, schema.StepDone, proof); err != nil {
			return nil, err
		}
		t.recordStep(p, ref, "step.done", map[string]string{"decision": string(d.ID)})
		if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
			return nil, err
		}
	}
	if len(completed) == 0 {
		return nil, conflict("no plan of the case is in a manual step", "look at the case to see what it waits for")
	}
	return completed, nil
}
