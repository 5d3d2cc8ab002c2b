package store

import (
	"context"
	"fmt"
	"strconv"

	"sendoff/schema"
)

// holdReview holds a run that is over budget: nothing of it starts until two
// principals release it. It raises one alarm and queues one notice.
func (t *tx) holdReview(ctx context.Context, r *schema.Review) error {
	worst, b := worstOf(r.Overruns), schema.Batch{Size: r.Wanted.Accounts}
	if worst.Limit != schema.LimitBytes {
		b.Started, b.Allowed, b.Limit.Number = int(worst.Used), int(worst.Allowed), int(worst.Allowed)
	}
	switch worst.Limit {
	case schema.LimitPerDay, schema.LimitConnection, schema.LimitEngine, schema.LimitEngineConn:
		b.Limit.Window = budgetWindow
	}
	var err error
	if b.ID, err = t.holdBatch(ctx, batchScope{schema.BatchOfPolicy, string(r.PolicyID), r.Policy}, b); err != nil {
		return err
	}
	err = t.moveReview(ctx, r, schema.ReviewHeld, `, hash = @hash, wanted = @wanted, overruns = @overruns, batch_id = @batch`,
		args{"hash": r.Hash, "wanted": r.Wanted, "overruns": r.Overruns, "batch": b.ID})
	if err != nil {
		return err
	}
	names, err := t.connectionNames(ctx, []schema.Overrun{worst})
	if err != nil {
		return err
	}
	text := overrunText(worst, names[worst.Subject])
	if more := len(r.Overruns) - 1; more > 0 {
		text += fmt.Sprintf(", and %d limits more", more)
	}
	err = t.raiseAlarm(ctx, schema.Alarm{
		PolicyID: r.PolicyID, Code: schema.AlarmOverBudget,
		Message: fmt.Sprintf("policy %s would act on %d accounts and is over budget (%s): none of them starts", r.Policy, r.Wanted.Accounts, text),
		Fix:     "look at it with sendoff policy reviews show " + string(r.ID) + "; two people release batch " + string(b.ID) + ", one discards it",
	})
	if err != nil {
		return err
	}
	return t.notice(ctx, schema.NoticeBatchHeld, noticeAbout{batchID: b.ID})
}

// worstOf is the limit of accounts that is exceeded by most, or else that of bytes.
func worstOf(over []schema.Overrun) schema.Overrun {
	worst := over[0]
	for _, o := range over[1:] {
		if worst.Limit == schema.LimitBytes || o.Limit != schema.LimitBytes && o.Used+o.Wanted-o.Allowed > worst.Used+worst.Wanted-worst.Allowed {
			worst = o
		}
	}
	return worst
}

// heldReview locks the run that a batch holds. The batch is locked.
func (t *tx) heldReview(ctx context.Context, b batchRow) (schema.Review, error) {
	id, err := scalar[schema.ReviewID](ctx, t, `select id from review where batch_id = @id`, args{"id": b.ID})
	if err != nil {
		return schema.Review{}, err
	}
	return t.lockReview(ctx, id)
}

// refuseOfRun refuses a principal who asked for the run that a batch holds to
// release it, and one who is in the run to say anything about it.
func (t *tx) refuseOfRun(ctx context.Context, b batchRow, kind schema.BatchState, by schema.Principal) error {
	r, err := t.heldReview(ctx, b)
	if err != nil {
		return err
	}
	if kind == schema.BatchReleased {
		if err := t.refuseRequester(ctx, r, by); err != nil {
			return err
		}
	}
	return t.refuseInRun(ctx, r, by)
}

// refuseRequester refuses who asked for a run; another token of theirs is theirs,
// too.
func (t *tx) refuseRequester(ctx context.Context, r schema.Review, by schema.Principal) error {
	if r.RequestedID == "" {
		return nil
	}
	own, err := t.among(ctx, by.Name, by.TokenID, []tokenHolder{{r.RequestedBy, r.RequestedID}})
	if err == nil && own {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody releases or approves what they asked for", Fix: "ask somebody else"}
	}
	return err
}

// refuseInRun refuses a principal whose account the run would act on.
func (t *tx) refuseInRun(ctx context.Context, r schema.Review, by schema.Principal) error {
	if by.Email == "" {
		return nil
	}
	person, err := t.personOf(ctx, by)
	if err != nil {
		return err
	}
	in, err := scalar[bool](ctx, t, `select exists (select 1 from review_item i join account a on a.id = i.account_id
		where i.review_id = @id and i.state <> 'refused' and (a.person_id = @person or lower(i.login) = lower(@email)))`,
		args{"id": r.ID, "person": person, "email": by.Email})
	if err == nil && in {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about a review that they are in", Fix: "let others do it"}
	}
	return err
}

// endHoldingRun lets a released run go on with what it takes all the same, and ends
// a discarded one.
func (t *tx) endHoldingRun(ctx context.Context, b batchRow, to schema.BatchState) error {
	r, err := t.heldReview(ctx, b)
	if err != nil {
		return err
	}
	if r.State != schema.ReviewHeld {
		return conflict("the review is "+string(r.State)+" already", "")
	}
	if to == schema.BatchDiscarded {
		if err := t.endReview(ctx, &r, schema.ReviewDiscarded, "its batch was discarded", engine()); err != nil {
			return err
		}
		return t.tellRun(ctx, r.ID)
	}
	p, err := policyAt(ctx, t, r.PolicyID, r.Version)
	if err != nil {
		return err
	}
	// Who counts at the same time waits, and sees what was released.
	if _, err := t.lockEngineBudget(ctx); err != nil {
		return err
	}
	// Some of its accounts may be said to be needed by now.
	now, err := t.wantedBy(ctx, r, p.Rule)
	if err != nil {
		return err
	}
	t.recordReview(r, engine(), "review.released", map[string]string{
		"batch": string(b.ID), "hash": r.Hash, "accounts": strconv.Itoa(now.Accounts), "limits": limitsOf(r.Overruns),
	})
	r.Wanted = now
	if err := t.takeBudget(ctx, &r); err != nil {
		return err
	}
	return t.tellRun(ctx, r.ID)
}
