package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// DecideBatch writes a principal's word on a held batch: the second release by
// another principal, of a batch no larger than the first one saw, starts it; one
// discard ends it. CodeConflict for the same principal again, for a batch that is
// not held, or one that has grown since d.Size; CodeForbidden for a batch with the
// principal in it, and for a release by who asked for the review that it holds.
// Audited.
func (s *Store) DecideBatch(ctx context.Context, id schema.BatchID, d schema.BatchDecision, by schema.Principal) (schema.Batch, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Batch{}, err
	}
	if d.Kind != schema.BatchReleased && d.Kind != schema.BatchDiscarded || strings.TrimSpace(d.Reason) == "" {
		return schema.Batch{}, &schema.Error{Code: schema.CodeInvalid, Message: "a batch is released or discarded with a reason", Fix: "say why"}
	}
	d.Principal, d.TokenID = by.Name, by.TokenID
	err := s.inTx(ctx, "decide about the batch", func(ctx context.Context, t *tx) error {
		// Alone, for it locks the batch before its leavers; others lock a leaver first.
		if err := t.lockPeople(ctx, true); err != nil {
			return err
		}
		return t.decideBatch(ctx, id, d, by)
	})
	if err != nil {
		return schema.Batch{}, err
	}
	return s.FindBatch(ctx, string(id))
}

func (t *tx) decideBatch(ctx context.Context, id schema.BatchID, d schema.BatchDecision, by schema.Principal) error {
	b, ok, err := maybe[batchRow](ctx, t, `select `+batchColumns+` from batch where id = @id for no key update`, args{"id": id})
	switch {
	case err != nil:
		return err
	case !ok:
		return &schema.Error{Code: schema.CodeNotFound, Message: "there is no such batch", Fix: "sendoff batches list shows them"}
	case b.State != schema.BatchHeld:
		return conflict("the batch is "+string(b.State)+" already", "")
	case b.Size > d.Size:
		return conflict("the batch has grown to "+strconv.Itoa(b.Size), "look at who joined it and decide again")
	}
	if err := t.refuseInBatch(ctx, b, d.Kind, by); err != nil {
		return err
	}
	before, err := t.validReleases(ctx, b)
	if err != nil {
		return err
	}
	if d.Kind == schema.BatchReleased {
		others := make([]tokenHolder, len(before))
		for i, r := range before {
			others[i] = tokenHolder{r.Principal, r.TokenID}
		}
		again, err := t.among(ctx, by.Name, by.TokenID, others)
		if err != nil {
			return err
		}
		if again {
			return conflict("you have released the batch already", "somebody else must, too")
		}
	}
	err = t.run(ctx, `insert into batch_decision (batch_id, kind, reason, size, principal, token_id, created_at)
		values (@id, @kind, @reason, @size, @principal, @token, @now)`,
		args{"id": id, "kind": d.Kind, "reason": d.Reason, "size": b.Size, "principal": d.Principal, "token": d.TokenID, "now": t.now})
	if err != nil {
		return err
	}
	releases := len(before) + 1
	t.record(b.batchScope().stream(), principal(by), "batch.decided", audit.Subject{}, map[string]string{
		"batch": string(id), "decision": string(d.Kind), "reason": d.Reason, "size": strconv.Itoa(b.Size), "release": strconv.Itoa(releases),
	})
	if d.Kind == schema.BatchReleased && releases < schema.ReleasesNeeded {
		return nil
	}
	counted := []time.Time{t.now}
	if d.Kind == schema.BatchReleased {
		for _, r := range before {
			counted = append(counted, r.CreatedAt)
		}
	}
	if err := t.changeOne(ctx, `update batch set counted = @counted where id = @id`, args{"id": id, "counted": counted}); err != nil {
		return err
	}
	if err := t.endBatch(ctx, b, d.Kind); err != nil {
		return err
	}
	return t.endHolding(ctx, b, d.Kind)
}

// validReleases are the releases of a batch by those who saw all that is in it, and of
// whose word it carries out nothing.
func (t *tx) validReleases(ctx context.Context, b batchRow) ([]schema.BatchDecision, error) {
	rows, err := decisionsOn(ctx, t, []schema.BatchID{b.ID})
	var out []schema.BatchDecision
	for _, r := range rows {
		if r.Kind == schema.BatchReleased && r.Size >= b.Size && !r.CreatedAt.Before(b.GrownAt) {
			out = append(out, r.BatchDecision)
		}
	}
	if err == nil && b.Scope == schema.BatchOfAccessReview {
		return t.withoutRevokers(ctx, b, out)
	}
	return out, err
}

// refuseInBatch refuses a principal who is in the batch, and to release a run who
// asked for it.
func (t *tx) refuseInBatch(ctx context.Context, b batchRow, kind schema.BatchState, by schema.Principal) error {
	switch b.Scope {
	case schema.BatchOfPolicy:
		return t.refuseOfRun(ctx, b, kind, by)
	case schema.BatchOfAccessReview:
		return t.refuseOfCampaign(ctx, b, kind, by)
	}
	own, err := t.personOf(ctx, by)
	if err != nil || own == "" {
		return err
	}
	in, err := scalar[bool](ctx, t, `select exists (select 1 from leaver where batch_id = @id and person_id = @person and state = 'held')`,
		args{"id": b.ID, "person": own})
	if err == nil && in {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about a batch that they are in", Fix: "let others do it"}
	}
	return err
}

// endHolding does with what a batch held as was decided.
func (t *tx) endHolding(ctx context.Context, b batchRow, to schema.BatchState) error {
	switch b.Scope {
	case schema.BatchOfPolicy:
		return t.endHoldingRun(ctx, b, to)
	case schema.BatchOfAccessReview:
		return t.endHoldingCampaign(ctx, b, to)
	}
	if to == schema.BatchReleased {
		return t.releaseLeavers(ctx, b)
	}
	return t.discardLeavers(ctx, b)
}

// releaseLeavers starts the leavers of a batch. One whose case was not taken back
// yet goes on with it.
func (t *tx) releaseLeavers(ctx context.Context, b batchRow) error {
	return t.endHeld(ctx, b, "leaver.released", `state = case when l.own_case and `+caseWorks+` then 'open' else 'planning' end`)
}

// discardLeavers ends the leavers of a batch. One whose case was not taken back yet
// is withdrawn, which takes it back.
func (t *tx) discardLeavers(ctx context.Context, b batchRow) error {
	return t.endHeld(ctx, b, "leaver.discarded", `state = case when l.case_id is null then 'ended' else 'withdrawn' end,
		end_kind = case when l.case_id is null then 'discarded' else '' end, ended_at = case when l.case_id is null then @now::timestamptz end`)
}

func (t *tx) endHeld(ctx context.Context, b batchRow, action, set string) error {
	rows, err := all[startedLeaver](ctx, t, `update leaver l set `+set+`, revision = l.revision + 1, updated_at = @now
		where l.batch_id = @id and l.state = 'held' returning l.id, l.person_id, l.state, l.revision`, args{"id": b.ID, "now": t.now})
	if err != nil {
		return err
	}
	var told []schema.LeaverID
	var started []startedLeaver
	for _, l := range rows {
		t.record(audit.PersonStream(string(l.PersonID)), engine(), action, audit.Subject{PersonID: string(l.PersonID)}, map[string]string{
			"leaver": string(l.ID), "batch": string(b.ID), "source": b.ScopeName, "state": string(l.State), "revision": strconv.FormatInt(l.Revision, 10),
		})
		if told = append(told, l.ID); l.State == schema.LeaverPlanning || l.State == schema.LeaverOpen {
			started = append(started, l)
		}
	}
	if err := t.tellChanged(ctx, told); err != nil {
		return err
	}
	return t.noticeAffected(ctx, started)
}
