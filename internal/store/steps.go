package store

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

// inPlan runs fn over a locked plan.
func (s *Store) inPlan(ctx context.Context, op string, id schema.PlanID, fn func(ctx context.Context, t *tx, p planRow) error) error {
	return s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		p, err := t.lockPlan(ctx, id)
		if err != nil {
			return err
		}
		return fn(ctx, t, p)
	})
}

// inStep runs fn over a locked plan whose fence fits and that has not ended.
func (s *Store) inStep(ctx context.Context, op string, ref schema.StepRef, fn func(ctx context.Context, t *tx, p planRow) error) error {
	return s.inPlan(ctx, op, ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		if p.State.Ended() {
			return stopped(p)
		}
		if err := checkFence(p, ref); err != nil {
			return err
		}
		return fn(ctx, t, p)
	})
}

// BeginStep makes the step the plan's current one and raises the fence to
// ref.Fence+1; a repeat for the same ref changes nothing and returns the same.
// Steps run in their order: those before must be finished. CodeWaived, with the
// fence raised, for one that an operator left out; CodeUnavailable, which passes by
// itself, before the case is due.
func (s *Store) BeginStep(ctx context.Context, ref schema.StepRef) (schema.Plan, error) {
	var begun planRow
	err := s.inPlan(ctx, "begin step", ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		err := checkGoesOn(p)
		if err == nil {
			err = t.begin(ctx, p, ref)
		}
		if err == nil {
			begun, err = loadPlan(ctx, t, ref.PlanID, true)
		}
		return err
	})
	if err == nil {
		err = checkWaived(begun, ref) // after the commit: the fence stays raised
	}
	return begun.Plan, err
}

func (t *tx) begin(ctx context.Context, p planRow, ref schema.StepRef) error {
	if p.Fence < ref.Fence {
		return behind(p, ref.Fence)
	}
	if p.Fence > ref.Fence {
		if err := checkFence(p, ref); err != nil { // the repeat of a beginning, or overtaken
			return err
		}
		return checkWaived(p, ref)
	}
	step, ok := p.Step(ref.Index)
	if ok && step.State == schema.StepWaived {
		return t.passWaived(ctx, p, ref)
	}
	if !ok || step.State != schema.StepPending {
		return conflict("plan "+string(p.ID)+" has no step "+strconv.Itoa(ref.Index)+" to begin", "")
	}
	for _, before := range p.Steps[:ref.Index] {
		if !before.State.Finished() {
			return conflict("step "+strconv.Itoa(before.Index)+" of plan "+string(p.ID)+" is "+string(before.State)+"; steps run in their order", "")
		}
	}
	if err := checkApproved(p); err != nil {
		return err
	}
	if err := t.checkDue(ctx, p); err != nil {
		return err
	}
	if p.State == schema.PlanPlanned {
		if err := t.noticeStarting(ctx, p); err != nil {
			return err
		}
	}
	if err := t.move(ctx, &p, schema.PlanRunning); err != nil {
		return err
	}
	err := t.changeOne(ctx, `update plan set current_step = @index, fence = fence + 1, updated_at = @now
		where id = @id and fence = @fence`, args{"id": p.ID, "index": ref.Index, "fence": ref.Fence, "now": t.now})
	if err != nil {
		return err
	}
	t.recordStep(p, ref, "step.begun", map[string]string{"fence": strconv.FormatInt(ref.Fence+1, 10)})
	return t.moveStep(ctx, ref, schema.StepPending, schema.StepRunning, map[string]string{})
}

// checkDue refuses to begin a plan before its case is due: the date may have been
// moved after the plan's workflow was started.
func (t *tx) checkDue(ctx context.Context, p planRow) error {
	if p.State != schema.PlanPlanned {
		return nil
	}
	at, err := scalar[time.Time](ctx, t, `select effective_at from lifecycle_case where id = @id`, args{"id": p.CaseID})
	if err == nil && at.After(t.now) {
		err = &schema.Error{
			Code: schema.CodeUnavailable, Message: "case " + string(p.CaseID) + " begins at " + schema.FormatInstant(at),
			Fix: "wait until then, or move its date (sendoff cases move-date)",
		}
	}
	return err
}

// passWaived makes a step that was waived before it began the current one, so
// that the fence counts it.
func (t *tx) passWaived(ctx context.Context, p planRow, ref schema.StepRef) error {
	return t.changeOne(ctx, `update plan set current_step = @index, fence = fence + 1, updated_at = @now
		where id = @id and fence = @fence`, args{"id": p.ID, "index": ref.Index, "fence": ref.Fence, "now": t.now})
}

func (t *tx) moveStep(ctx context.Context, ref schema.StepRef, from, to schema.StepState, proof map[string]string) error {
	return t.changeOne(ctx, `update plan_step set state = @to, proof = @proof,
			started_at = coalesce(started_at, @now),
			finished_at = case when @to = 'running' then null else @now::timestamptz end
		where plan_id = @id and index = @index and state = @from`,
		args{"id": ref.PlanID, "index": ref.Index, "from": from, "to": to, "proof": proof, "now": t.now})
}

// WaitStep records that the plan waits: until an instant, or, when it is zero,
// for something else.
func (s *Store) WaitStep(ctx context.Context, ref schema.StepRef, until time.Time) error {
	return s.inStep(ctx, "wait", ref, func(ctx context.Context, t *tx, p planRow) error {
		if err := checkGoesOn(p); err != nil {
			return err
		}
		until = until.Truncate(time.Microsecond)
		if p.State == schema.PlanWaiting && p.WaitUntil.Equal(until) {
			return nil
		}
		if err := t.move(ctx, &p, schema.PlanWaiting); err != nil {
			return err
		}
		t.recordStep(p, ref, "plan.waiting", map[string]string{"until": schema.FormatInstant(until)})
		return t.changeOne(ctx, `update plan set wait_until = @until where id = @id`, args{"id": p.ID, "until": until})
	})
}

// CompleteStep ends the running step as done or skipped, with its proof, and
// returns the plan to running. Of a step that has ended already nothing changes: a
// try that was taken for lost came first. A transfer step is done only when its
// transfer is settled.
func (s *Store) CompleteStep(ctx context.Context, ref schema.StepRef, state schema.StepState, proof map[string]string) error {
	if state != schema.StepDone && state != schema.StepSkipped {
		return &schema.Error{Code: schema.CodeInternal, Message: "a step is completed as done or skipped, not as " + string(state)}
	}
	return s.inStep(ctx, "complete step", ref, func(ctx context.Context, t *tx, p planRow) error {
		step, ok := p.Step(ref.Index)
		if err := checkWaived(p, ref); err != nil {
			return err
		}
		if ok && step.State.Finished() {
			return nil
		}
		if !ok || step.State != schema.StepRunning {
			return conflict("step "+strconv.Itoa(ref.Index)+" of plan "+string(p.ID)+" is not running", "")
		}
		if step.Kind == schema.StepTransfer {
			tr, found, err := loadTransfer(ctx, t, p.ID)
			if err != nil {
				return err
			}
			if found && !tr.State.Settled() {
				return conflict("the transfer is "+string(tr.State)+", so its step is not "+string(state), "")
			}
		}
		if err := t.moveStep(ctx, ref, schema.StepRunning, state, with(proof)); err != nil {
			return err
		}
		t.recordStep(p, ref, "step."+string(state), proof)
		return t.backToRunning(ctx, &p)
	})
}

// backToRunning ends a wait. A plan parked or cancelling meanwhile stays so.
func (t *tx) backToRunning(ctx context.Context, p *planRow) error {
	if p.State == schema.PlanWaiting || p.State == schema.PlanSettling {
		return t.move(ctx, p, schema.PlanRunning)
	}
	return t.changeOne(ctx, `update plan set updated_at = @now where id = @id`, args{"id": p.ID, "now": t.now})
}

// SavePriorStatus keeps the vendor status that undo restores; the first wins.
func (s *Store) SavePriorStatus(ctx context.Context, ref schema.StepRef, vendorStatus string) error {
	return s.inStep(ctx, "save prior status", ref, func(ctx context.Context, t *tx, p planRow) error {
		if p.PriorStatus != "" {
			return nil
		}
		t.recordStep(p, ref, "prior_status.saved", map[string]string{"status": vendorStatus})
		return t.changeOne(ctx, `update plan set prior_status = @status where id = @id`, args{"id": p.ID, "status": vendorStatus})
	})
}

// SaveMemberships keeps the memberships that are about to be taken away. Those of
// a group that was not seen before are added, and of one that was the first wins:
// somebody may join between two tries.
func (s *Store) SaveMemberships(ctx context.Context, ref schema.StepRef, m []schema.Membership) error {
	return s.inStep(ctx, "save memberships", ref, func(ctx context.Context, t *tx, p planRow) error {
		var added []schema.Membership
		for _, one := range m {
			if !slices.ContainsFunc(p.Memberships, func(had schema.Membership) bool { return had.GroupID == one.GroupID }) {
				added = append(added, one)
			}
		}
		if p.Memberships != nil && len(added) == 0 {
			return nil
		}
		t.recordStep(p, ref, "memberships.saved", map[string]string{"groups": groupIDs(added)})
		return t.changeOne(ctx, `update plan set memberships = @memberships where id = @id`,
			args{"id": p.ID, "memberships": append(append([]schema.Membership{}, p.Memberships...), added...)})
	})
}

func groupIDs(m []schema.Membership) string {
	ids := make([]schema.ExternalID, len(m))
	for i := range m {
		ids[i] = m[i].GroupID
	}
	return joinIDs(ids)
}

// OpenWindow records that the source is about to be made active for a call. A
// repeat is no change.
func (s *Store) OpenWindow(ctx context.Context, ref schema.StepRef) error {
	return s.inStep(ctx, "open window", ref, func(ctx context.Context, t *tx, p planRow) error {
		if err := checkGoesOn(p); err != nil {
			return err
		}
		if !p.Reactivate {
			return conflict("nobody allowed plan "+string(p.ID)+" to make its source active", "resume the case with --reactivate")
		}
		if !p.WindowOpen.IsZero() {
			return nil
		}
		t.recordStep(p, ref, "window.opened", map[string]string{"account": string(p.Facts.AccountID)})
		return t.changeOne(ctx, `update plan set window_open = @now where id = @id`, args{"id": p.ID, "now": t.now})
	})
}

// AllowWindow lets the plan open a window. A repeat is no change.
func (s *Store) AllowWindow(ctx context.Context, ref schema.StepRef) error {
	return s.inStep(ctx, "allow window", ref, func(ctx context.Context, t *tx, p planRow) error {
		if p.Reactivate {
			return nil
		}
		t.recordStep(p, ref, "window.allowed", map[string]string{"by": "template"})
		return t.changeOne(ctx, `update plan set reactivate = true where id = @id`, args{"id": p.ID})
	})
}

// CloseWindow records that the source is suspended again, whatever the plan's
// state is by now. A repeat is no change.
func (s *Store) CloseWindow(ctx context.Context, id schema.PlanID) error {
	return s.inPlan(ctx, "close window", id, func(ctx context.Context, t *tx, p planRow) error {
		if p.WindowOpen.IsZero() {
			return nil
		}
		t.recordPlan(p, engine(), "window.closed", map[string]string{
			"account": string(p.Facts.AccountID), "open_seconds": strconv.FormatInt(int64(t.now.Sub(p.WindowOpen).Seconds()), 10),
		})
		return t.changeOne(ctx, `update plan set window_open = null where id = @id`, args{"id": p.ID})
	})
}

// SaveDeep keeps what was read ahead of a plan that has not begun.
func (s *Store) SaveDeep(ctx context.Context, id schema.PlanID, d schema.DeepRead) error {
	return s.inPlan(ctx, "save what was read ahead", id, func(ctx context.Context, t *tx, p planRow) error {
		if p.State != schema.PlanPlanned {
			return nil // its snapshot reads for itself
		}
		t.recordPlan(p, engine(), "plan.read_ahead", map[string]string{
			"items_read": strconv.Itoa(len(d.Items)), "items_total": strconv.Itoa(d.Total), "collaborations": strconv.Itoa(len(d.Collabs)),
		})
		return t.changeOne(ctx, `update plan set deep = @deep where id = @id`, args{"id": id, "deep": d})
	})
}

// SaveSnapshot keeps what was found before the first write.
func (s *Store) SaveSnapshot(ctx context.Context, ref schema.StepRef, snapshot schema.Snapshot) error {
	return s.inStep(ctx, "save snapshot", ref, func(ctx context.Context, t *tx, p planRow) error {
		t.recordStep(p, ref, "snapshot.taken", map[string]string{
			"status": snapshot.Status, "role": snapshot.Role, "space_used_bytes": strconv.FormatInt(snapshot.SpaceUsed, 10),
			"witnesses": strconv.Itoa(len(snapshot.Witnesses)), "witnesses_ok": strconv.FormatBool(snapshot.WitnessesOK),
			"trash": strconv.Itoa(len(snapshot.Trash)), "trash_bytes": strconv.FormatInt(snapshot.TrashBytes, 10),
			"groups": strconv.Itoa(len(snapshot.GroupIDs)), "deep_done": strconv.Itoa(snapshot.DeepDone), "deep_total": strconv.Itoa(snapshot.DeepTotal),
		})
		return t.changeOne(ctx, `update plan set snapshot = @snapshot, planned_bytes = @bytes where id = @id`,
			args{"id": p.ID, "snapshot": snapshot, "bytes": snapshot.SpaceUsed})
	})
}

// RecordEvidence keeps what a read showed and audits it when it differs from
// the last evidence of its kind for the step. Undo reads too, with the fence it
// finds, so a fence that is not behind is enough.
func (s *Store) RecordEvidence(ctx context.Context, ref schema.StepRef, e schema.Evidence) error {
	return s.inPlan(ctx, "record evidence", ref.PlanID, func(ctx context.Context, t *tx, p planRow) error {
		if p.Fence < ref.Fence {
			return behind(p, ref.Fence)
		}
		return t.recordEvidence(ctx, p, ref, e)
	})
}

func (t *tx) recordEvidence(ctx context.Context, p planRow, ref schema.StepRef, e schema.Evidence) error {
	last, err := scalar[map[string]string](ctx, t, `select evidence->@kind from plan_step where plan_id = @id and index = @index`,
		args{"id": ref.PlanID, "index": ref.Index, "kind": e.Kind})
	if err != nil {
		return err
	}
	if last != nil && maps.Equal(last, e.Details) {
		return nil
	}
	t.recordStep(p, ref, "evidence.read", with(e.Details, "evidence", e.Kind))
	return t.changeOne(ctx, `update plan_step set evidence = evidence || jsonb_build_object(@kind::text, @details::jsonb)
		where plan_id = @id and index = @index`,
		args{"id": ref.PlanID, "index": ref.Index, "kind": e.Kind, "details": with(e.Details)})
}

// CountDeleteRefusal raises and returns the plan's refused deletes. A proven or
// presumed transfer goes back to settling: the vendor just said that content is
// left. It takes back those of its lanes that nobody holds meanwhile.
func (s *Store) CountDeleteRefusal(ctx context.Context, ref schema.StepRef) (int, error) {
	var tries int
	err := s.inStep(ctx, "count delete refusal", ref, func(ctx context.Context, t *tx, p planRow) error {
		tr, ok, err := loadTransfer(ctx, t, p.ID)
		if err != nil {
			return err
		}
		void := ok && (tr.State == schema.TransferProven || tr.State == schema.TransferPresumed)
		if void {
			if err := t.voidVerdict(ctx, &p, tr); err != nil {
				return err
			}
		}
		t.recordStep(p, ref, "delete.refused", map[string]string{"tries": strconv.Itoa(p.DeleteTries + 1), "transfer_void": strconv.FormatBool(void)})
		tries, err = scalar[int](ctx, t, `update plan set delete_tries = delete_tries + 1, updated_at = @now
			where id = @id returning delete_tries`, args{"id": p.ID, "now": t.now})
		return err
	})
	return tries, err
}
