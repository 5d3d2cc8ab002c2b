package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// ApproveReview approves a run's plans; the last approval that is needed lets it
// act. CodeHashDiffers for another hash, CodeForbidden for who asked for the run,
// applied the policy's version or is in the run, CodeConflict when the run waits for
// no approval or has this principal's.
func (s *Store) ApproveReview(ctx context.Context, id schema.ReviewID, hash, reason string, by schema.Principal) (schema.Review, error) {
	if err := checkWord(reason, by); err != nil {
		return schema.Review{}, err
	}
	var r schema.Review
	err := s.inTx(ctx, "approve a review", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.lockReview(ctx, id); err != nil {
			return err
		}
		switch {
		case r.State != schema.ReviewApproving:
			return conflict("the review is "+string(r.State)+": it waits for no approval", "")
		case hash != r.Hash:
			return &schema.Error{Code: schema.CodeHashDiffers, Message: "the hash given is not the review's: what was looked at is not what would run", Fix: "look at the review again and approve the hash it shows"}
		}
		if err := t.refuseApproval(ctx, r, by); err != nil {
			return err
		}
		if err := t.approveReview(ctx, &r, reason, by); err != nil {
			return err
		}
		r, err = loadReview(ctx, t, id)
		return err
	})
	return r, err
}

// checkWord refuses a word without a principal or a reason.
func checkWord(reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return &schema.Error{Code: schema.CodeInvalid, Message: "a decision about a review needs a reason", Fix: "say why"}
	}
	return nil
}

// refuseApproval refuses who may not approve a run.
func (t *tx) refuseApproval(ctx context.Context, r schema.Review, by schema.Principal) error {
	if err := t.refuseRequester(ctx, r, by); err != nil {
		return err
	}
	p, err := policyAt(ctx, t, r.PolicyID, r.Version)
	if err != nil {
		return err
	}
	own, err := t.among(ctx, by.Name, by.TokenID, []tokenHolder{{p.UpdatedBy, p.UpdatedID}})
	if err != nil {
		return err
	}
	if own {
		return &schema.Error{Code: schema.CodeForbidden, Message: "nobody approves a run of a policy version that they applied", Fix: "ask somebody else to approve"}
	}
	if err := t.refuseInRun(ctx, r, by); err != nil {
		return err
	}
	before := make([]tokenHolder, len(r.Approved))
	for i, a := range r.Approved {
		before[i] = tokenHolder{a.Principal, a.TokenID}
	}
	again, err := t.among(ctx, by.Name, by.TokenID, before)
	if err == nil && again {
		err = conflict(by.Name+" has approved this before", "ask somebody else to approve")
	}
	return err
}

func (t *tx) approveReview(ctx context.Context, r *schema.Review, reason string, by schema.Principal) error {
	err := t.run(ctx, `insert into review_approval (review_id, hash, principal, token_id, email, reason, created_at)
		values (@id, @hash, @principal, @token, @email, @reason, @now)`,
		args{"id": r.ID, "hash": r.Hash, "principal": by.Name, "token": by.TokenID, "email": by.Email, "reason": reason, "now": t.now})
	if err != nil {
		return err
	}
	given := len(r.Approved) + 1
	t.recordReview(*r, principal(by), "review.approved", map[string]string{
		"hash": r.Hash, "reason": reason, "approval": strconv.Itoa(given), "needed": strconv.Itoa(r.Approvals),
	})
	if given < r.Approvals {
		return nil
	}
	if err := t.moveReview(ctx, r, schema.ReviewActing, ``, args{}); err != nil {
		return err
	}
	return t.tellRun(ctx, r.ID)
}

// CancelReview ends a run and tells its workflow: what it started goes on.
// CodeConflict for one that has ended.
func (s *Store) CancelReview(ctx context.Context, id schema.ReviewID, reason string, by schema.Principal) (schema.Review, error) {
	if err := checkWord(reason, by); err != nil {
		return schema.Review{}, err
	}
	var r schema.Review
	err := s.inTx(ctx, "cancel a review", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.lockReview(ctx, id); err != nil {
			return err
		}
		if r.State == schema.ReviewEnded {
			return conflict("the review has ended: it is "+string(r.End), "")
		}
		if err := t.endReview(ctx, &r, schema.ReviewCancelled, reason, principal(by)); err != nil {
			return err
		}
		if err := t.tellRun(ctx, id); err != nil {
			return err
		}
		r, err = loadReview(ctx, t, id)
		return err
	})
	return r, err
}

// reviewEnds are how a run may end.
func reviewEnds() []schema.ReviewEnd {
	return []schema.ReviewEnd{
		schema.ReviewDone, schema.ReviewReported, schema.ReviewStale, schema.ReviewTooMany, schema.ReviewDiscarded,
		schema.ReviewCancelled, schema.ReviewFailed, schema.ReviewDark,
	}
}

// EndReview ends a run and its items, gives back what it did not use of budgets,
// and ends its questions. A run that has ended stays as it is. CodeStale for one
// that is to be done and has items to go on with: somebody may have confirmed an
// account since its workflow looked.
func (s *Store) EndReview(ctx context.Context, id schema.ReviewID, end schema.ReviewEnd, why string) error {
	if !slices.Contains(reviewEnds(), end) {
		return &schema.Error{Code: schema.CodeInternal, Message: "a review does not end " + strconv.Quote(string(end))}
	}
	return s.inTx(ctx, "end a review", func(ctx context.Context, t *tx) error {
		r, err := t.lockReview(ctx, id)
		if err != nil || r.State == schema.ReviewEnded {
			return err
		}
		if end == schema.ReviewDone {
			if err := t.requireNoItems(ctx, id); err != nil {
				return err
			}
		}
		return t.endReview(ctx, &r, end, why, engine())
	})
}

// requireNoItems is CodeStale when a locked run has items to go on with.
func (t *tx) requireNoItems(ctx context.Context, id schema.ReviewID) error {
	left, err := scalar[bool](ctx, t, `select exists (select 1 from review_item where review_id = @id and state in ('matched', 'planned', 'asking', 'ready'))`,
		args{"id": id})
	if err == nil && left {
		err = staleItem("the review has accounts to go on with")
	}
	return err
}

// endReview ends a locked run. A batch that still holds it is discarded.
func (t *tx) endReview(ctx context.Context, r *schema.Review, end schema.ReviewEnd, why string, actor audit.Actor) error {
	t.recordReview(*r, actor, "review.ended", map[string]string{"from": string(r.State), "end": string(end), "why": why})
	err := t.moveReview(ctx, r, schema.ReviewEnded, `, end_kind = @end, why = @why, ended_at = @now`, args{"end": end, "why": why, "now": t.now})
	if err != nil {
		return err
	}
	r.End, r.Why, r.EndedAt = end, why, t.now
	err = t.run(ctx, `update review_item set state = 'cancelled', why = 'the review ended: ' || @end, updated_at = @now
		where review_id = @id and state in ('matched', 'planned', 'asking', 'ready')`, args{"id": r.ID, "end": end, "now": t.now})
	if err != nil {
		return err
	}
	// Whoever was asked about an account that has a case may still keep it.
	err = t.run(ctx, `update review_ask a set state = 'ended' where a.review_id = @id and a.state in ('pending', 'delivered') and not exists (
			select 1 from review_item i where i.review_id = a.review_id and i.account_id = a.account_id and i.state = 'started')`, args{"id": r.ID})
	if err != nil {
		return err
	}
	if err := t.endWait(ctx, *r); err != nil {
		return err
	}
	if err := t.returnBudget(ctx, r.ID); err != nil {
		return err
	}
	if err := t.dropBatch(ctx, *r); err != nil {
		return err
	}
	return t.alarmsOfEnd(ctx, *r)
}

// dropBatch discards the batch that still holds a run which ended otherwise.
func (t *tx) dropBatch(ctx context.Context, r schema.Review) error {
	if r.BatchID == "" {
		return nil
	}
	b, held, err := maybe[batchRow](ctx, t, `select `+batchColumns+` from batch where id = @id and state = 'held' for no key update`, args{"id": r.BatchID})
	if err != nil || !held {
		return err
	}
	t.record(b.batchScope().stream(), engine(), "batch.discarded", audit.Subject{PolicyID: string(r.PolicyID)},
		map[string]string{"batch": string(b.ID), "reason": "its review ended"})
	return t.endBatch(ctx, b, schema.BatchDiscarded)
}

// alarmsOfEnd raises the alarm of a run that failed, which stops the schedule until
// somebody resumes the policy. A policy without a schedule has nothing to resume: its
// next good run ends the alarm.
func (t *tx) alarmsOfEnd(ctx context.Context, r schema.Review) error {
	switch r.End {
	case schema.ReviewFailed:
		err := t.raiseAlarm(ctx, schema.Alarm{
			PolicyID: r.PolicyID, Code: schema.AlarmReviewFailed, Message: "a review of policy " + r.Policy + " failed; its schedule stops",
			Fix: "look at it with sendoff policy reviews show " + string(r.ID) + ", mend the cause, then sendoff policy resume " + r.Policy + " --reason TEXT",
		})
		if err != nil {
			return err
		}
		return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxPolicy, PolicyID: r.PolicyID})
	case schema.ReviewDone, schema.ReviewReported:
		p, err := findPolicy(ctx, t, string(r.PolicyID))
		if err != nil || p.Rule.Scheduled() {
			return err
		}
		return t.clearPolicyAlarm(ctx, r.PolicyID, schema.AlarmReviewFailed)
	}
	return nil
}
