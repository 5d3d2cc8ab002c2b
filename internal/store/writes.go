package store

import (
	"context"
	"strconv"

	"sendoff/schema"
)

// IntendWrite journals a write directly before it is sent, after every check
// was made again. A plan that waited runs again with it.
func (s *Store) IntendWrite(ctx context.Context, ref schema.StepRef, w schema.VendorWrite) error {
	return s.inPlan(ctx, "intend "+w.Op, ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		step, _ := p.Step(ref.Index)
		kind := step.Kind
		if w.Op == schema.OpOpenWindow {
			kind = schema.StepTransfer
		}
		if err := t.gateWrite(ctx, p, ref, kind); err != nil {
			return err
		}
		n, err := t.journal(ctx, p, w)
		if err != nil {
			return err
		}
		t.recordStep(p, ref, "write.intended", with(w.Details, "op", w.Op, "n", strconv.Itoa(n)))
		return t.move(ctx, &p, schema.PlanRunning)
	})
}

// IntendUndo is IntendWrite for a plan that is cancelling. One that was parked
// after its cancel was decided goes on cancelling.
func (s *Store) IntendUndo(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error {
	return s.inPlan(ctx, "intend "+w.Op, id, func(ctx context.Context, t *tx, p planRow) error {
		if p.State.Ended() {
			return stopped(p)
		}
		if !p.Stopping {
			return conflict("plan "+string(id)+" is "+string(p.State)+" and nobody cancelled it, so nothing is undone", "cancel the case first")
		}
		if err := allowWrite(ctx, t, p.ConnectionID); err != nil {
			return err
		}
		if err := t.move(ctx, &p, schema.PlanCancelling); err != nil {
			return err
		}
		n, err := t.journal(ctx, p, w)
		if err != nil {
			return err
		}
		t.recordPlan(p, engine(), "undo.intended", with(w.Details, "op", w.Op, "n", strconv.Itoa(n)))
		return nil
	})
}

// IntendClosing is IntendWrite for the closing of an open window. Only the engine's
// switch and the connection can forbid it.
func (s *Store) IntendClosing(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error {
	return s.inPlan(ctx, "intend "+w.Op, id, func(ctx context.Context, t *tx, p planRow) error {
		if p.WindowOpen.IsZero() {
			return conflict("plan "+string(id)+" has no open window", "")
		}
		if err := allowWrite(ctx, t, p.ConnectionID); err != nil {
			return err
		}
		n, err := t.journal(ctx, p, w)
		if err != nil {
			return err
		}
		t.recordPlan(p, engine(), "write.intended", with(w.Details, "op", w.Op, "n", strconv.Itoa(n)))
		return nil
	})
}

func (t *tx) journal(ctx context.Context, p planRow, w schema.VendorWrite) (n int, err error) {
	return scalar[int](ctx, t, `insert into vendor_write (plan_id, op, n, intended_at)
		select @id, @op, coalesce(max(n), 0) + 1, @now from vendor_write where plan_id = @id and op = @op
		returning n`, args{"id": p.ID, "op": w.Op, "now": t.now})
}

// LastWrite returns the journal of the plan's writes of that op, and whether
// there is any.
func (s *Store) LastWrite(ctx context.Context, id schema.PlanID, op string) (schema.WriteRecord, bool, error) {
	r, err := one[schema.WriteRecord](ctx, s.pool, `select count(*) as count, min(intended_at) as first_at, max(intended_at) as last_at,
			coalesce((array_agg(outcome order by n desc))[1], '') as outcome,
			min(outcome_at) filter (where outcome = 'accepted') as accepted_at,
			coalesce(bool_or(outcome in ('', 'unknown')), false) as lost
		from vendor_write where plan_id = @id and op = @op`, args{"id": id, "op": op})
	return r, r.Count > 0, translate("read the journal", err)
}

// RecordOutcome journals what became of the last write of w.Op, whatever the
// plan's state is by now: the detail "outcome" is accepted, refused or unknown.
// Where the plan was superseded meanwhile, its successor has the journal.
func (s *Store) RecordOutcome(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error {
	outcome := w.Details["outcome"]
	switch outcome {
	case schema.WriteAccepted, schema.WriteRefused, schema.WriteUnknown:
	default:
		return &schema.Error{Code: schema.CodeInternal, Message: "the outcome of a write is accepted, refused or unknown, not " + strconv.Quote(outcome)}
	}
	return s.inPlan(ctx, "record outcome", id, func(ctx context.Context, t *tx, p planRow) error {
		p, err := t.heirOf(ctx, p)
		if err != nil {
			return err
		}
		t.recordPlan(p, engine(), "write.outcome", with(w.Details, "op", w.Op))
		return t.changeOne(ctx, `update vendor_write set outcome = @outcome, outcome_at = @now
			where plan_id = @id and op = @op and n = (select max(n) from vendor_write where plan_id = @id and op = @op)`,
			args{"id": p.ID, "op": w.Op, "outcome": outcome, "now": t.now})
	})
}
