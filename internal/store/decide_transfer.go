package store

import (
	"context"

	"sendoff/schema"
)

// sendAgain lets a parked plan's stalled transfer be sent anew: at once when it
// still holds both lanes, from the queue's end otherwise.
func (t *tx) sendAgain(ctx context.Context, open []planRow) ([]planRow, error) {
	var again []planRow
	for _, p := range open {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return nil, err
		}
		if !ok || !tr.State.MaySendAgain() || p.State != schema.PlanParked || p.Stopping {
			continue
		}
		again = append(again, p)
		if err := t.rearmStalled(ctx, p, tr); err != nil {
			return nil, err
		}
		if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
			return nil, err
		}
	}
	if len(again) == 0 {
		return nil, conflict("no parked plan of the case has a stalled transfer", "a transfer is sent again only when nothing moved for a day; resume without --send-again watches on")
	}
	return again, nil
}

func (t *tx) rearmStalled(ctx context.Context, p planRow, tr schema.Transfer) error {
	if err := t.lockLanes(ctx, tr.ConnectionID); err != nil {
		return err
	}
	lanes, err := scalar[int](ctx, t, `select count(*) from transfer_party where plan_id = @id`, args{"id": p.ID})
	if err != nil {
		return err
	}
	to := schema.TransferIntended
	if lanes != 2 {
		to = schema.TransferWaiting
		if err := t.freeLane(ctx, tr); err != nil {
			return err
		}
	}
	t.recordPlan(p, engine(), "transfer.rearmed", map[string]string{"from": string(tr.State), "to": string(to)})
	return t.changeOne(ctx, `update transfer set state = @to, updated_at = @now where plan_id = @id and state = @from`,
		args{"id": p.ID, "from": tr.State, "to": to, "now": t.now})
}

// reactivate lets the refused transfer of a parked plan make its suspended source
// active for the time of the call.
func (t *tx) reactivate(ctx context.Context, open []planRow) ([]planRow, error) {
	var allowed []planRow
	for _, p := range open {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return nil, err
		}
		if !ok || tr.State != schema.TransferRefused || p.State != schema.PlanParked || p.Stopping {
			continue
		}
		allowed = append(allowed, p)
		if err := t.changeOne(ctx, `update plan set reactivate = true where id = @id`, args{"id": p.ID}); err != nil {
			return nil, err
		}
		if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
			return nil, err
		}
	}
	if len(allowed) == 0 {
		return nil, conflict("no parked plan of the case has a refused transfer", "reactivating is for a transfer that the vendor refused because its source is suspended")
	}
	return allowed, nil
}

// releaseLane lets others use the accounts of a stalled transfer. The plan itself
// stays as it is and may go on watching.
func (t *tx) releaseLane(ctx context.Context, open []planRow) ([]planRow, error) {
	var released []planRow
	for _, p := range open {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return nil, err
		}
		if !ok || tr.State != schema.TransferStalled {
			continue
		}
		released = append(released, p)
		if err := t.freeLane(ctx, tr); err != nil {
			return nil, err
		}
	}
	if len(released) == 0 {
		return nil, conflict("no plan of the case has a stalled transfer", "a lane is released only when nothing moved for a day")
	}
	return released, nil
}
