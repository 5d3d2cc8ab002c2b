package store

import (
	"context"
	"strconv"

	"sendoff/schema"
)

// MarkSent moves intended to sent with every check of IntendWrite, durably, and
// counts the attempt. Whoever gets an answer without an error sends; of two at
// once one gets CodeConflict, and so does who looked at another receiver than
// the transfer and the plan have by now.
func (s *Store) MarkSent(ctx context.Context, ref schema.StepRef, receiver schema.ExternalID) (schema.Transfer, error) {
	var after schema.Transfer
	err := s.inPlan(ctx, "mark transfer sent", ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		if err := t.gateWrite(ctx, p, ref, schema.StepTransfer); err != nil {
			return err
		}
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return err
		}
		if !ok || tr.State != schema.TransferIntended {
			return conflict("the transfer of plan "+string(p.ID)+" is "+string(tr.State)+", only an intended one is sent", "read the transfer again")
		}
		if tr.Receiver != receiver || p.Facts.Receiver != receiver {
			return conflict("the transfer of plan "+string(p.ID)+" has another receiver by now", "read the transfer again")
		}
		if err := t.send(ctx, p, ref, tr); err != nil {
			return err
		}
		after, _, err = loadTransfer(ctx, t, p.ID)
		return err
	})
	return after, err
}

func (t *tx) send(ctx context.Context, p planRow, ref schema.StepRef, tr schema.Transfer) error {
	lanes, err := scalar[int](ctx, t, `select count(*) from transfer_party where plan_id = @id`, args{"id": p.ID})
	if err != nil {
		return err
	}
	if lanes != 2 {
		return &schema.Error{Code: schema.CodeInternal, Message: "plan " + string(p.ID) + " would send a transfer without holding both lanes"}
	}
	n := tr.Attempts + 1
	if err := t.moveTransfer(ctx, &tr, schema.TransferSent); err != nil {
		return err
	}
	err = t.changeOne(ctx, `update transfer set attempts = @n, sent_at = @now, ended_at = null, clear_since = null,
			moved_at = null, last_read_at = null, last_outcome = '', last_cause = '' where plan_id = @id`, args{"id": p.ID, "n": n, "now": t.now})
	if err != nil {
		return err
	}
	t.recordStep(p, ref, "transfer.sent", map[string]string{"attempt": strconv.Itoa(n), "source": string(tr.Source), "receiver": string(tr.Receiver)})
	err = t.run(ctx, `insert into transfer_attempt (plan_id, n, state, sent_at) values (@id, @n, 'sent', @now)`,
		args{"id": p.ID, "n": n, "now": t.now})
	if err != nil {
		return err
	}
	return t.move(ctx, &p, schema.PlanRunning)
}

// RecordTransferOutcome moves sent to o.Next(). A refusal frees the lane. What
// was already recorded stays: a repeat is no change, and an answer that arrives
// after the call was given up as unknown only adds its folder.
func (s *Store) RecordTransferOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error) {
	return s.inTransfer(ctx, "record transfer outcome", ref, func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error {
		if tr.State == o.Next() && tr.LastOutcome != "" {
			return t.addFolder(ctx, tr, o.FolderID)
		}
		if tr.State != schema.TransferSent {
			return conflict("the transfer of plan "+string(p.ID)+" is "+string(tr.State)+", only a sent one gets an outcome", "read the transfer again")
		}
		if err := t.saveOutcome(ctx, p, ref, tr, o); err != nil {
			return err
		}
		switch to := o.Next(); to {
		case schema.TransferSettling:
			return t.settle(ctx, &p, &tr)
		case schema.TransferRefused:
			if err := t.moveTransfer(ctx, &tr, to); err != nil {
				return err
			}
			return t.freeLane(ctx, tr)
		default:
			return t.moveTransfer(ctx, &tr, to)
		}
	})
}

func (t *tx) saveOutcome(ctx context.Context, p planRow, ref schema.StepRef, tr schema.Transfer, o schema.TransferOutcome) error {
	if o.EndedAt.IsZero() {
		o.EndedAt = t.now
	}
	t.recordStep(p, ref, "transfer.outcome", map[string]string{
		"attempt": strconv.Itoa(tr.Attempts), "class": string(o.Class), "http_status": strconv.Itoa(o.HTTPStatus),
		"vendor_code": o.VendorCode, "cause": string(o.Cause), "folder": string(o.FolderID), "to": string(o.Next()),
	})
	err := t.changeOne(ctx, `update transfer_attempt set state = @state, ended_at = @ended, outcome = @class,
			http_status = @status, vendor_code = @code, reason = @reason where plan_id = @id and n = @n and state = 'sent'`,
		args{
			"id": tr.PlanID, "n": tr.Attempts, "state": o.Next(), "ended": o.EndedAt, "class": o.Class,
			"status": o.HTTPStatus, "code": o.VendorCode, "reason": o.Reason,
		})
	if err != nil {
		return err
	}
	err = t.changeOne(ctx, `update transfer set ended_at = @ended, last_outcome = @class, last_cause = @cause where plan_id = @id`,
		args{"id": tr.PlanID, "ended": o.EndedAt, "class": o.Class, "cause": o.Cause})
	if err != nil {
		return err
	}
	return t.addFolder(ctx, tr, o.FolderID)
}

func (t *tx) addFolder(ctx context.Context, tr schema.Transfer, id schema.ExternalID) error {
	return t.changeOne(ctx, `update transfer set folder_ids = @folders where plan_id = @id`,
		args{"id": tr.PlanID, "folders": union(tr.FolderIDs, []schema.ExternalID{id})})
}

// RearmTransfer moves busy to intended, or to settling when the source was seen
// to be empty, or refused to waiting so that EnterLane can be asked again. A
// repeat is no change.
func (s *Store) RearmTransfer(ctx context.Context, ref schema.StepRef, moved bool) (schema.Transfer, error) {
	return s.inTransfer(ctx, "rearm transfer", ref, func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error {
		if err := checkGoesOn(p); err != nil {
			return err
		}
		to := schema.TransferIntended
		switch tr.State {
		case schema.TransferIntended, schema.TransferWaiting, schema.TransferSettling:
			return nil
		case schema.TransferRefused:
			to = schema.TransferWaiting
		case schema.TransferBusy:
			if moved {
				t.recordStep(p, ref, "transfer.moved_by_others", nil)
				return t.settle(ctx, &p, &tr)
			}
		default:
			return conflict("the transfer is "+string(tr.State)+", only a refused or busy one is made ready again", "look at the case again")
		}
		t.recordStep(p, ref, "transfer.rearmed", map[string]string{"from": string(tr.State), "to": string(to)})
		return t.moveTransfer(ctx, &tr, to)
	})
}
