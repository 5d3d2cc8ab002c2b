package store

import (
	"context"
	"slices"
	"strconv"

	"sendoff/schema"
)

// lastYear is the last in which every instant has a year of four digits in UTC,
// with whatever zone it was given.
const lastYear = 9998

// moveDate gives plans that have not begun another effective time, and the waits
// that plans are in another end. Both are hashed: where approvals are required
// the new plan asks for them again.
func (t *tx) moveDate(ctx context.Context, d schema.Decision, open []planRow) ([]planRow, error) {
	if d.To.UTC().Year() > lastYear {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the date is after the year " + strconv.Itoa(lastYear), Fix: "give an earlier one"}
	}
	to := schema.FormatInstant(d.To)
	var moved []planRow
	for _, p := range open {
		facts := p.Facts
		switch step, ok := p.Step(p.CurrentStep); {
		case p.State == schema.PlanPlanned:
			facts.EffectiveAt = to
			if err := t.changeOne(ctx, `update lifecycle_case set effective_at = @to where id = @id`, args{"id": p.CaseID, "to": d.To.UTC()}); err != nil {
				return nil, err
			}
		case ok && p.State == schema.PlanWaiting && step.Kind == schema.StepWait && step.State == schema.StepRunning:
			facts.Steps = slices.Clone(facts.Steps)
			facts.Steps[step.Index].Until = to
			p.Steps = slices.Clone(p.Steps)
			p.Steps[step.Index].Params.Until = to
			err := t.changeOne(ctx, `update plan_step set params = @params where plan_id = @id and index = @index`,
				args{"id": p.ID, "index": step.Index, "params": facts.Steps[step.Index].StepParams})
			if err != nil {
				return nil, err
			}
		default:
			continue
		}
		moved = append(moved, p)
		if err := t.changeFacts(ctx, d, p, facts); err != nil {
			return nil, err
		}
	}
	if len(moved) == 0 {
		return nil, conflict("nothing in the case waits for a date", "a date is moved before the case begins or while it waits")
	}
	if !slices.ContainsFunc(moved, func(p planRow) bool { return p.State == schema.PlanPlanned && p.Facts.EffectiveAt != to }) {
		return moved, nil // a wait within the case ends at another time
	}
	return moved, t.notice(ctx, schema.NoticeMoved, noticeAbout{caseID: d.CaseID})
}

// setReceiver gives the case other receivers and each plan whose transfer was not
// sent the one that pre-flight chose. A plan parked for want of one runs again.
func (t *tx) setReceiver(ctx context.Context, d schema.Decision, open []planRow) ([]planRow, error) {
	var changed []planRow
	for _, p := range open {
		receiver, chosen := d.ReceiverFor[p.ID]
		ready, err := t.beforeSend(ctx, p)
		if err != nil {
			return nil, err
		}
		if !chosen || !ready || p.State == schema.PlanCancelling || p.Stopping {
			continue
		}
		changed = append(changed, p)
		facts := p.Facts
		facts.Receiver, facts.ReceiverLogin = receiver.ExternalID, receiver.Login
		if err := t.changeFacts(ctx, d, p, facts); err != nil {
			return nil, err
		}
		err = t.run(ctx, `update transfer set receiver = @receiver, updated_at = @now where plan_id = @id and receiver = ''`,
			args{"id": p.ID, "receiver": receiver.ExternalID, "now": t.now})
		if err != nil {
			return nil, err
		}
		if p.State == schema.PlanParked && p.Cause != nil && p.Cause.Code == schema.ParkReceiverMissing {
			if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
				return nil, err
			}
		}
	}
	if len(changed) == 0 {
		return nil, conflict("no plan of the case has a transfer still to be sent", "a receiver is changed before the transfer is sent")
	}
	return changed, t.changeOne(ctx, `update lifecycle_case set receivers = @receivers where id = @id`,
		args{"id": d.CaseID, "receivers": d.Receivers})
}

// beforeSend tells whether the plan has a transfer of which nothing was sent yet,
// or whose every request was refused. One that is sent again keeps its receiver:
// the first request may have brought content there. One that a recovery found
// without a receiver is given the one that it may have been sent to.
func (t *tx) beforeSend(ctx context.Context, p planRow) (bool, error) {
	step, ok := p.StepOf(schema.StepTransfer)
	if !ok || step.State.Finished() {
		return false, nil
	}
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil || !ok {
		return err == nil, err
	}
	if tr.Receiver == "" || !tr.State.BeforeSend() {
		return tr.Receiver == "", nil
	}
	taken, err := scalar[bool](ctx, t, `select exists (`+attemptOpen+` and y.plan_id = @id)`, args{"id": p.ID})
	return !taken, err
}

// changeFacts replaces a plan's facts and hash by a principal's decision. The
// approvals of the old hash do not count for the new one.
func (t *tx) changeFacts(ctx context.Context, d schema.Decision, p planRow, facts schema.Facts) error {
	drift := p.Facts.Drift(facts)
	if len(drift) == 0 {
		return nil
	}
	return t.replaceFacts(ctx, p, facts, append(drift, "decision "+string(d.ID)))
}
