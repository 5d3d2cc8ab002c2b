package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

// loadTransfer reads the transfer of a plan, and whether there is one. Its
// position counts the earlier waiters that share an account with it.
func loadTransfer(ctx context.Context, q querier, id schema.PlanID) (schema.Transfer, bool, error) {
	list, err := loadTransfers(ctx, q, []schema.PlanID{id})
	if err != nil || len(list) == 0 {
		return schema.Transfer{}, false, err
	}
	return list[0], true, nil
}

func loadTransfers(ctx context.Context, q querier, ids []schema.PlanID) ([]schema.Transfer, error) {
	return all[schema.Transfer](ctx, q, `select t.plan_id, t.connection_id, t.source, t.receiver, t.receiver_id, t.state, t.attempts,
			case when t.queued_seq is null then 0 else 1 + (
				select count(*) from transfer e where e.connection_id = t.connection_id and e.queued_seq < t.queued_seq
				and (e.source in (t.source, t.receiver) or e.receiver in (t.source, t.receiver))) end as position,
			t.bytes_before, t.bytes_left, t.witness_total, t.witness_found, t.folder_ids,
			t.sent_at, t.ended_at, t.clear_since, t.moved_at, t.last_read_at, t.last_outcome, t.last_cause, t.updated_at
		from transfer t where t.plan_id = any(@ids)`, args{"ids": ids})
}

// Transfer returns the transfer of a plan, and whether there is one.
func (s *Store) Transfer(ctx context.Context, id schema.PlanID) (schema.Transfer, bool, error) {
	tr, ok, err := loadTransfer(ctx, s.pool, id)
	return tr, ok, translate("read transfer", err)
}

// inTransfer runs fn over a locked plan and its transfer and returns the
// transfer as it is after that.
func (s *Store) inTransfer(ctx context.Context, op string, ref schema.StepRef, fn func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error) (schema.Transfer, error) {
	var after schema.Transfer
	err := s.inStep(ctx, op, ref, func(ctx context.Context, t *tx, p planRow) error {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return err
		}
		if !ok {
			return notFound("transfer of plan", string(p.ID))
		}
		if err := fn(ctx, t, p, tr); err != nil {
			return err
		}
		after, _, err = loadTransfer(ctx, t, p.ID)
		return err
	})
	return after, err
}

// moveTransfer changes the state of a transfer by compare-and-set.
func (t *tx) moveTransfer(ctx context.Context, tr *schema.Transfer, to schema.TransferState) error {
	if !tr.State.CanMove(to) {
		return conflict("the transfer of plan "+string(tr.PlanID)+" is "+string(tr.State)+" and cannot become "+string(to), "look at the case again")
	}
	err := t.changeOne(ctx, `update transfer set state = @to, updated_at = @now where plan_id = @id and state = @from`,
		args{"id": tr.PlanID, "from": tr.State, "to": to, "now": t.now})
	tr.State = to
	return err
}

// EnterLane makes the transfer's row, and takes both parties' lanes or a place
// in the queue: it returns the state intended, or waiting with the position. A
// transfer beyond those states is returned as it is. A waiter that chose
// another receiver queues anew, for it must not pass those who wait for that one.
func (s *Store) EnterLane(ctx context.Context, ref schema.StepRef, want schema.Transfer) (schema.Transfer, error) {
	var after schema.Transfer
	if want.Source == "" || want.Receiver == "" || want.Source == want.Receiver {
		return after, &schema.Error{Code: schema.CodeInternal, Message: "a transfer goes from one account to another"}
	}
	err := s.inStep(ctx, "enter lane", ref, func(ctx context.Context, t *tx, p planRow) error {
		err := checkGoesOn(p)
		if err == nil {
			want.PlanID, want.ConnectionID = p.ID, p.ConnectionID
			err = t.queueOrEnter(ctx, p, ref, want)
		}
		if err == nil {
			after, _, err = loadTransfer(ctx, t, p.ID)
		}
		return err
	})
	return after, err
}

func (t *tx) queueOrEnter(ctx context.Context, p planRow, ref schema.StepRef, want schema.Transfer) error {
	if err := t.lockLanes(ctx, p.ConnectionID); err != nil {
		return err
	}
	tr, ok, err := loadTransfer(ctx, t, p.ID)
	if err != nil || (ok && tr.State != schema.TransferWaiting) {
		return err
	}
	if !ok || tr.Position == 0 || tr.Receiver != want.Receiver {
		if ok {
			if err := t.freeLane(ctx, tr); err != nil { // those behind the old place may go
				return err
			}
		}
		if err := t.putInQueue(ctx, want); err != nil {
			return err
		}
		t.recordStep(p, ref, "transfer.queued", map[string]string{"source": string(want.Source), "receiver": string(want.Receiver)})
	}
	entered, err := t.enterLane(ctx, want)
	if err != nil {
		return err
	}
	if !entered {
		return t.move(ctx, &p, schema.PlanWaiting)
	}
	t.recordStep(p, ref, "transfer.intended", map[string]string{"source": string(want.Source), "receiver": string(want.Receiver)})
	err = t.changeOne(ctx, `update transfer set state = 'intended', queued_seq = null, updated_at = @now
		where plan_id = @id and state = 'waiting'`, args{"id": p.ID, "now": t.now})
	if err != nil {
		return err
	}
	return t.move(ctx, &p, schema.PlanRunning)
}

func (t *tx) putInQueue(ctx context.Context, tr schema.Transfer) error {
	return t.run(ctx, `insert into transfer (plan_id, connection_id, source, receiver, receiver_id, state,
			bytes_before, bytes_left, witness_total, queued_seq, updated_at)
		values (@plan, @connection, @source, @receiver, @receiver_id, 'waiting',
			@bytes, @bytes, @witnesses, nextval('transfer_queue_seq'), @now)
		on conflict (plan_id) do update set source = excluded.source, receiver = excluded.receiver, receiver_id = excluded.receiver_id,
			bytes_before = excluded.bytes_before, bytes_left = excluded.bytes_left, witness_total = excluded.witness_total,
			queued_seq = excluded.queued_seq, updated_at = excluded.updated_at`,
		args{
			"plan": tr.PlanID, "connection": tr.ConnectionID, "source": tr.Source, "receiver": tr.Receiver,
			"receiver_id": tr.ReceiverID, "bytes": tr.BytesBefore, "witnesses": tr.WitnessTotal, "now": t.now,
		})
}

// LeaveLane frees the lane or the place in the queue of a transfer of which
// nothing is on its way: waiting, intended or busy. Any other keeps what it has.
func (s *Store) LeaveLane(ctx context.Context, id schema.PlanID) error {
	return s.inPlan(ctx, "leave lane", id, func(ctx context.Context, t *tx, p planRow) error {
		tr, ok, err := loadTransfer(ctx, t, id)
		if err != nil || !ok {
			return err
		}
		switch tr.State {
		case schema.TransferWaiting:
			if tr.Position == 0 {
				return nil
			}
		case schema.TransferIntended, schema.TransferBusy:
			if err := t.moveTransfer(ctx, &tr, schema.TransferWaiting); err != nil {
				return err
			}
		default:
			return nil
		}
		t.recordPlan(p, engine(), "transfer.left_lane", nil)
		return t.freeLane(ctx, tr)
	})
}

// SkipTransfer records that the source owns nothing. A repeat is no change.
func (s *Store) SkipTransfer(ctx context.Context, ref schema.StepRef, want schema.Transfer) error {
	return s.inStep(ctx, "skip transfer", ref, func(ctx context.Context, t *tx, p planRow) error {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil || tr.State == schema.TransferSkipped {
			return err
		}
		t.recordStep(p, ref, "transfer.skipped", map[string]string{"source": string(p.Facts.AccountID)})
		if ok {
			if err := t.moveTransfer(ctx, &tr, schema.TransferSkipped); err != nil {
				return err
			}
			return t.freeLane(ctx, tr)
		}
		return t.run(ctx, `insert into transfer (plan_id, connection_id, source, receiver, receiver_id, state,
				bytes_before, bytes_left, witness_total, updated_at)
			values (@plan, @connection, @source, @receiver, @receiver_id, 'skipped', 0, 0, 0, @now)`,
			args{
				"plan": p.ID, "connection": p.ConnectionID, "source": p.Facts.AccountID, "receiver": want.Receiver,
				"receiver_id": want.ReceiverID, "now": t.now,
			})
	})
}

// ConcludeTransfer moves settling to proven, presumed or stalled. The first two
// free the lane, wake the next waiters and let the plan run on. A repeat is no
// change.
func (s *Store) ConcludeTransfer(ctx context.Context, ref schema.StepRef, to schema.TransferState, proof map[string]string) (schema.Transfer, error) {
	return s.inTransfer(ctx, "conclude transfer", ref, func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error {
		if tr.State == to {
			return nil
		}
		if err := t.moveTransfer(ctx, &tr, to); err != nil {
			return err
		}
		t.recordStep(p, ref, "transfer."+string(to), with(proof, "attempts", strconv.Itoa(tr.Attempts)))
		if !to.Settled() {
			return nil
		}
		if err := t.freeLane(ctx, tr); err != nil {
			return err
		}
		return t.backToRunning(ctx, &p)
	})
}

// ReopenTransfer moves stalled back to settling, for an operator who waits on.
// A repeat is no change. One without a receiver stays stalled: there is nobody
// at whom content could be seen to arrive.
func (s *Store) ReopenTransfer(ctx context.Context, ref schema.StepRef) (schema.Transfer, error) {
	return s.inTransfer(ctx, "reopen transfer", ref, func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error {
		if tr.State == schema.TransferSettling || (tr.State == schema.TransferStalled && tr.Receiver == "") {
			return nil
		}
		if tr.State != schema.TransferStalled {
			return conflict("the transfer is "+string(tr.State)+", only a stalled one is waited on", "look at the case again")
		}
		t.recordStep(p, ref, "transfer.reopened", nil)
		return t.settle(ctx, &p, &tr)
	})
}

// voidVerdict moves a proven or presumed transfer back to settling.
func (t *tx) voidVerdict(ctx context.Context, p *planRow, tr schema.Transfer) error {
	if err := t.settle(ctx, p, &tr); err != nil {
		return err
	}
	return t.retakeLane(ctx, tr)
}

// settle moves a transfer to settling, forgets since when its reads were clear,
// and lets the plan say so unless it is parked or cancelling.
func (t *tx) settle(ctx context.Context, p *planRow, tr *schema.Transfer) error {
	if err := t.moveTransfer(ctx, tr, schema.TransferSettling); err != nil {
		return err
	}
	if err := t.changeOne(ctx, `update transfer set clear_since = null, moved_at = null where plan_id = @id`, args{"id": tr.PlanID}); err != nil {
		return err
	}
	return t.showSettling(ctx, p)
}

func (t *tx) showSettling(ctx context.Context, p *planRow) error {
	if p.State != schema.PlanRunning && p.State != schema.PlanWaiting {
		return nil
	}
	if p.State == schema.PlanWaiting { // by way of running: a waiting plan sends nothing
		if err := t.move(ctx, p, schema.PlanRunning); err != nil {
			return err
		}
	}
	return t.move(ctx, p, schema.PlanSettling)
}

// RecordTransferRead keeps one look at the evidence, and audits it when it
// differs from the last.
func (s *Store) RecordTransferRead(ctx context.Context, ref schema.StepRef, r schema.TransferRead) (schema.Transfer, error) {
	return s.inTransfer(ctx, "record transfer read", ref, func(ctx context.Context, t *tx, p planRow, tr schema.Transfer) error {
		at := r.At.Truncate(time.Microsecond)
		// The first read of a watch counts as movement, also of one taken up again:
		// it has its whole time before it stalls.
		if r.BytesLeft != tr.BytesLeft || r.WitnessFound != tr.WitnessFound || tr.MovedAt.IsZero() {
			tr.MovedAt = at
		}
		switch {
		case !r.Clear:
			tr.ClearSince = time.Time{}
		case tr.ClearSince.IsZero():
			tr.ClearSince = at
		}
		err := t.changeOne(ctx, `update transfer set bytes_left = @bytes, witness_found = @found, witness_total = @total,
				folder_ids = @folders, clear_since = @clear, moved_at = @moved, last_read_at = @at, updated_at = @now
			where plan_id = @id`,
			args{
				"id": p.ID, "bytes": r.BytesLeft, "found": r.WitnessFound, "total": r.WitnessTotal,
				"folders": union(tr.FolderIDs, r.FolderIDs), "clear": tr.ClearSince, "moved": tr.MovedAt, "at": at, "now": t.now,
			})
		if err != nil {
			return err
		}
		if tr.State == schema.TransferSettling {
			if err := t.showSettling(ctx, &p); err != nil {
				return err
			}
		}
		return t.recordEvidence(ctx, p, ref, readEvidence(r))
	})
}

// missingShown is how many missing witnesses an audit record lists.
const missingShown = 50

func readEvidence(r schema.TransferRead) schema.Evidence {
	details := map[string]string{
		"bytes_left": strconv.FormatInt(r.BytesLeft, 10), "witnesses_found": strconv.Itoa(r.WitnessFound),
		"witnesses_total": strconv.Itoa(r.WitnessTotal), "clear": strconv.FormatBool(r.Clear),
	}
	if len(r.MissingIDs) > 0 {
		details["missing"] = joinIDs(r.MissingIDs[:min(len(r.MissingIDs), missingShown)])
		details["missing_count"] = strconv.Itoa(len(r.MissingIDs))
	}
	return schema.Evidence{Kind: "transfer", Details: details}
}

func joinIDs(ids []schema.ExternalID) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, id...)
	}
	return string(b)
}

// union adds to have what is new in more, in order and without "".
func union(have, more []schema.ExternalID) []schema.ExternalID {
	out := append([]schema.ExternalID{}, have...)
	for _, id := range more {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
