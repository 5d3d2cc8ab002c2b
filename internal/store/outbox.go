package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// outboxChannel is where writers of outbox rows wake the dispatchers.
const outboxChannel = "sendoff_outbox"

// enqueue writes an outbox row with the state it announces.
func (t *tx) enqueue(ctx context.Context, row schema.OutboxRow) error {
	t.wake = true
	return t.run(ctx, `insert into outbox (kind, case_id, plan_id, decision_id, run_id, run_kind, leaver_id, source_id, notice_id,
			policy_id, review_id, access_review_id, campaign_id, created_at, next_try_at, traceparent)
		values (@kind, @case_id, @plan_id, @decision_id, @run_id, @run_kind, @leaver_id, @source_id, @notice_id,
			@policy_id, @review_id, @access_review_id, @campaign_id, @now, @now, @traceparent)`,
		args{
			"kind": row.Kind, "case_id": row.CaseID, "plan_id": row.PlanID, "decision_id": row.DecisionID,
			"run_id": row.RunID, "run_kind": row.RunKind, "leaver_id": row.LeaverID, "source_id": row.SourceID, "notice_id": row.NoticeID,
			"policy_id": row.PolicyID, "review_id": row.ReviewID,
			"access_review_id": row.AccessReviewID, "campaign_id": row.CampaignID, "now": t.now, "traceparent": t.traceparent,
		})
}

// tracedRow is an outbox row with the trace it was written in.
type tracedRow struct {
	schema.OutboxRow
	Traceparent *string
}

// ClaimOutbox gives up to limit due rows to fn, one by one, and returns how many
// of them fn dispatched. Rows of one case come in the order they were written,
// the next only after the one before was dispatched. A row is marked in the
// transaction that held it during fn, so fn must bear being called again for a
// row; when fn fails, the row comes again after 1 s, then 2 s, up to a minute.
// The context given to fn continues the trace that the row was written in.
// The error is the database's or the context's, never fn's.
func (s *Store) ClaimOutbox(ctx context.Context, limit int, fn func(ctx context.Context, row schema.OutboxRow) error) (int, error) {
	dispatched := 0
	for range limit {
		found, ok, err := s.claimOne(ctx, fn)
		if err != nil || !found {
			return dispatched, translate("dispatch the outbox", err)
		}
		if ok {
			dispatched++
		}
	}
	return dispatched, nil
}

// claimOne dispatches the first due row that nobody else holds.
func (s *Store) claimOne(ctx context.Context, fn func(ctx context.Context, row schema.OutboxRow) error) (found, dispatched bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(inner pgx.Tx) error {
		t := &tx{Tx: inner}
		var row tracedRow
		// A row that another dispatcher holds still counts as not dispatched, so
		// nothing of its case or leaver overtakes it.
		row, found, err = maybe[tracedRow](ctx, t, `select id, kind, case_id, plan_id, decision_id, run_id, run_kind, leaver_id, source_id, notice_id,
				policy_id, review_id, access_review_id, campaign_id, tries, created_at, traceparent
			from outbox o
			where dispatched_at is null and next_try_at <= now() and not exists (
				select 1 from outbox e where e.case_id = o.case_id and e.dispatched_at is null and e.id < o.id)
				and not exists (select 1 from outbox e where e.leaver_id = o.leaver_id and e.dispatched_at is null and e.id < o.id)
				and not exists (select 1 from outbox e where e.policy_id = o.policy_id and e.dispatched_at is null and e.id < o.id)
				and not exists (select 1 from outbox e where e.access_review_id = o.access_review_id and e.dispatched_at is null and e.id < o.id)
			order by next_try_at, id limit 1 for no key update skip locked`, nil)
		if err != nil || !found {
			return err
		}
		fnErr := fn(withTraceparent(ctx, row.Traceparent), row.OutboxRow)
		if ctx.Err() != nil {
			return ctx.Err() // it says nothing about the row
		}
		if dispatched = fnErr == nil; dispatched {
			return t.changeOne(ctx, `update outbox set dispatched_at = clock_timestamp(), tries = tries + 1, last_error = ''
				where id = @id`, args{"id": row.ID})
		}
		return t.changeOne(ctx, `update outbox set tries = tries + 1, last_error = @class,
				next_try_at = clock_timestamp() + least(60, power(2, least(tries, 6))) * interval '1 second'
			where id = @id`, args{"id": row.ID, "class": errorClass(fnErr)})
	})
	return found, dispatched && err == nil, err
}

// errorClass names the kind of an error without its text, which may quote people.
func errorClass(err error) string {
	var known *schema.Error
	switch {
	case errors.As(err, &known):
		return string(known.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline_exceeded"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("%T", err)
		}
		err = inner
	}
}

// StillOpen tells whether what a row is about, its plan or else its case, has not
// ended.
func (s *Store) StillOpen(ctx context.Context, row schema.OutboxRow) (bool, error) {
	open, err := scalar[bool](ctx, s.pool, `select exists (select 1 from plan
			where case_id = @case_id and (@plan_id::uuid is null or id = @plan_id) and state not in ('done', 'cancelled', 'superseded'))`,
		args{"case_id": row.CaseID, "plan_id": row.PlanID})
	return open, translate("look whether a case is open", err)
}
