package store

import (
	"context"
	"strconv"
	"time"

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

// RecordTransferOutcome moves sent to o.Next(), a busy one to settling while an
// earlier request of ours may be what keeps the account busy. A refusal frees the
// lane. What was already recorded stays: a repeat is no change, and an answer that
// arrives after the call was given up as unknown, or once another was sent, only
// adds its folder. The answer to a superseded plan's request is recorded for the
// plan that took over, and CodeSuperseded returned.
func (s *Store) RecordTransferOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error) {
	const op = "record transfer outcome"
	var after schema.Transfer
	var gone error
	err := s.inPlan(ctx, op, ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		gone = nil
		heir, err := t.heirOf(ctx, p)
		switch {
		case err != nil:
			return err
		case heir.ID != p.ID:
			gone = stopped(p)
			return t.recordForHeir(ctx, p, heir, o)
		case p.State.Ended():
			return stopped(p)
		}
		if err := checkFence(p, ref); err != nil {
			return err
		}
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err == nil && !ok {
			err = notFound("transfer of plan", string(p.ID))
		}
		if err == nil {
			err = t.recordTransferOutcome(ctx, p, ref, tr, o)
		}
		if err == nil {
			after, _, err = loadTransfer(ctx, t, p.ID)
		}
		return err
	})
	if err == nil {
		err = gone // after the commit: the answer is kept
	}
	return after, err
}

func (t *tx) recordTransferOutcome(ctx context.Context, p planRow, ref schema.StepRef, tr schema.Transfer, o schema.TransferOutcome) error {
	if o.Attempt != 0 && o.Attempt < tr.Attempts {
		t.recordStep(p, ref, "transfer.late_answer", map[string]string{"attempt": strconv.Itoa(o.Attempt), "class": string(o.Class), "folder": string(o.FolderID)})
		return t.addFolder(ctx, tr, o.FolderID)
	}
	to, err := t.afterOutcome(ctx, tr, o)
	if err != nil {
		return err
	}
	if tr.State == to && tr.LastOutcome != "" {
		return t.addFolder(ctx, tr, o.FolderID)
	}
	if tr.State != schema.TransferSent {
		return conflict("the transfer of plan "+string(p.ID)+" is "+string(tr.State)+", only a sent one gets an outcome", "read the transfer again")
	}
	if err := t.saveOutcome(ctx, p, ref, tr, o, to); err != nil {
		return err
	}
	switch to {
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
}

// afterOutcome is the state that an outcome leads to. An account that is busy
// while an earlier request of ours may be running is most likely busy with that.
func (t *tx) afterOutcome(ctx context.Context, tr schema.Transfer, o schema.TransferOutcome) (schema.TransferState, error) {
	to := o.Next()
	if to != schema.TransferBusy {
		return to, nil
	}
	ours, err := scalar[bool](ctx, t, `select exists (`+attemptOpen+` and y.plan_id = @id and y.n < @n)`,
		args{"id": tr.PlanID, "n": tr.Attempts})
	if ours {
		to = schema.TransferSettling
	}
	return to, err
}

// recordForHeir records the answer to a request that a plan sent before another
// took over, unless that one sent its own since. A successor that has not begun
// keeps no lane for what did not start.
func (t *tx) recordForHeir(ctx context.Context, p, heir planRow, o schema.TransferOutcome) error {
	tr, ok, err := loadTransfer(ctx, t, heir.ID)
	if err != nil || !ok {
		return err
	}
	first, err := scalar[time.Time](ctx, t, `select created_at from plan where id = @id`, args{"id": p.SupersededBy})
	if err != nil {
		return err
	}
	if tr.State != schema.TransferSent || heir.State.Ended() || tr.SentAt.After(first) {
		return t.addFolder(ctx, tr, o.FolderID)
	}
	if err := t.recordTransferOutcome(ctx, heir, schema.StepRef{PlanID: heir.ID, Index: heir.CurrentStep}, tr, o); err != nil {
		return err
	}
	tr, _, err = loadTransfer(ctx, t, heir.ID)
	if err != nil || heir.State != schema.PlanPlanned || (tr.State != schema.TransferIntended && tr.State != schema.TransferBusy) {
		return err
	}
	if err := t.moveTransfer(ctx, &tr, schema.TransferWaiting); err != nil {
		return err
	}
	return t.freeLane(ctx, tr)
}

func (t *tx) saveOutcome(ctx context.Context, p planRow, ref schema.StepRef, tr schema.Transfer, o schema.TransferOutcome, to schema.TransferState) error {
	if o.EndedAt.IsZero() {
		o.EndedAt = t.now
	}
	t.recordStep(p, ref, "transfer.outcome", map[string]string{
		"attempt": strconv.Itoa(tr.Attempts), "class": string(o.Class), "http_status": strconv.Itoa(o.HTTPStatus),
		"vendor_code": o.VendorCode, "cause": string(o.Cause), "folder": string(o.FolderID), "to": string(to),
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
