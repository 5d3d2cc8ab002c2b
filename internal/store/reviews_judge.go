package store

import (
	"context"
	"strconv"

	"sendoff/schema"
)

// BeginJudging moves gathering to judging. Asked again, it changes nothing.
func (s *Store) BeginJudging(ctx context.Context, id schema.ReviewID) error {
	return s.inTx(ctx, "begin to judge", func(ctx context.Context, t *tx) error {
		r, err := t.lockReview(ctx, id)
		if err != nil || r.State == schema.ReviewJudging {
			return err
		}
		t.recordReview(r, engine(), "review.judging", nil)
		return t.moveReview(ctx, &r, schema.ReviewJudging, ``, args{})
	})
}

// BeginPlanning keeps what the rule came to, marks accounts whose verdict is another
// than in the run before, and moves judging to planning, or ends the run when its
// mode is not to act or nothing matched. Asked again, it returns the run.
func (s *Store) BeginPlanning(ctx context.Context, id schema.ReviewID, j schema.Judgement) (schema.Review, error) {
	var r schema.Review
	err := s.inTx(ctx, "begin to plan", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.lockReview(ctx, id); err != nil {
			return err
		}
		if r.State == schema.ReviewPlanning || r.State == schema.ReviewEnded {
			return nil
		}
		changed, err := t.markChanged(ctx, r)
		if err != nil {
			return err
		}
		matched, err := scalar[int](ctx, t, `select count(*)::int from review_item where review_id = @id`, args{"id": id})
		if err != nil {
			return err
		}
		t.recordReview(r, engine(), "review.counted", map[string]string{
			"looked": strconv.FormatInt(j.Looked, 10), "matched": strconv.Itoa(matched), "changed": strconv.FormatInt(changed, 10),
			"at": schema.FormatInstant(j.At),
		})
		err = t.moveReview(ctx, &r, schema.ReviewPlanning, `, looked = @looked, reasons = @reasons, basis = @basis, judged_at = @at, changed = @changed`, args{
			"looked": j.Looked, "reasons": append([]schema.ReasonCount{}, j.Reasons...), "basis": append([]schema.PopulationBasis{}, j.Basis...),
			"at": j.At, "changed": changed,
		})
		if err != nil {
			return err
		}
		if err := t.endUnplanned(ctx, &r, matched); err != nil {
			return err
		}
		r, err = loadReview(ctx, t, id)
		return err
	})
	return r, err
}

// endUnplanned ends a judged run that plans nothing, and counts one after which the
// policy has had its cold start.
func (t *tx) endUnplanned(ctx context.Context, r *schema.Review, matched int) error {
	if r.Mode == schema.ReviewActs || r.Mode == schema.ReviewColdStarts {
		if err := t.countActed(ctx, *r); err != nil {
			return err
		}
	}
	switch {
	case r.Mode != schema.ReviewActs:
		return t.endReview(ctx, r, schema.ReviewReported, "", engine())
	case matched == 0:
		return t.endReview(ctx, r, schema.ReviewDone, "", engine())
	}
	return nil
}

// countActed counts a run for the policy as it is now. One of an older version, which
// took others or did something else, says nothing of the present one.
func (t *tx) countActed(ctx context.Context, r schema.Review) error {
	now, err := t.lockPolicy(ctx, string(r.PolicyID))
	if err != nil {
		return err
	}
	if now.Version != r.Version {
		then, err := policyAt(ctx, t, r.PolicyID, r.Version)
		if err != nil || !then.Rule.TakesAs(now.Rule) {
			return err
		}
	}
	return t.changeOne(ctx, `update policy set acted = acted + 1 where id = @id`, args{"id": r.PolicyID})
}

// markChanged marks the verdicts of a run that are others than in the last judged
// run of its policy, adds the accounts that are not kept any more, and counts both.
// What a run does not keep is the reason other. The rows of this run are new, so no
// statistics tell how many they are: nested loops over them would be chosen, and
// take the square of their number.
func (t *tx) markChanged(ctx context.Context, r schema.Review) (int64, error) {
	last, err := scalars[schema.ReviewID](ctx, t, `select id from review where policy_id = @policy and state = 'ended' and judged_at is not null
		order by created_at desc, id desc limit 1`, args{"policy": r.PolicyID})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	if err := t.run(ctx, `select set_config('enable_nestloop', 'off', true)`, nil); err != nil {
		return 0, err
	}
	changed, err := scalar[int64](ctx, t, `with prior as not materialized (
			select account_id, connection_id, external_id, login, 'matched' as reason from review_item where review_id = @last
			union all
			select account_id, connection_id, external_id, login, reason from review_verdict where review_id = @last and reason <> 'other'),
		items as (
			update review_item i set before = c.before from (
				select v.account_id, coalesce(o.reason, 'other') as before from review_item v left join prior o on o.account_id = v.account_id
				where v.review_id = @id and coalesce(o.reason, 'other') <> 'matched') c
			where i.review_id = @id and i.account_id = c.account_id returning 1),
		verdicts as (
			update review_verdict w set before = c.before from (
				select v.account_id, coalesce(o.reason, 'other') as before from review_verdict v left join prior o on o.account_id = v.account_id
				where v.review_id = @id and coalesce(o.reason, 'other') <> v.reason) c
			where w.review_id = @id and w.account_id = c.account_id returning 1),
		gone as (
			insert into review_verdict (review_id, account_id, connection_id, external_id, login, reason, before)
			select @id, o.account_id, o.connection_id, o.external_id, o.login, 'other', o.reason from prior o
			where not exists (select 1 from review_item v where v.review_id = @id and v.account_id = o.account_id)
				and not exists (select 1 from review_verdict v where v.review_id = @id and v.account_id = o.account_id) returning 1)
		select (select count(*) from items) + (select count(*) from verdicts) + (select count(*) from gone)`, args{"id": r.ID, "last": last[0]})
	if err != nil {
		return 0, err
	}
	return changed, t.run(ctx, `select set_config('enable_nestloop', 'on', true)`, nil)
}
