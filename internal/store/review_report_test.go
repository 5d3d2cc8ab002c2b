package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// deletes makes the plan of a started item one that deletes, in a state.
func (r *reviewed) deletes(p schema.Plan, step schema.StepState) {
	r.t.Helper()
	r.exec(`insert into plan_step (plan_id, index, kind, wait_seconds, params, state) values ($1, 9, 'delete', 0, '{}', $2)`, string(p.ID), string(step))
	if step == schema.StepDone {
		r.exec(`update plan set state = 'done' where id = $1`, string(p.ID))
		r.exec(`update account set status = 'deleted' where id = $1`, string(p.AccountID))
	}
}

func TestReviewReport(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	_, freed, answers := r.started("1")
	_, second, _ := r.started("2")
	_, ahead, _ := r.started("3")
	_, waived, _ := r.started("4")
	r.deletes(freed, schema.StepDone)
	r.deletes(second, schema.StepDone)
	r.deletes(ahead, schema.StepPending)
	r.deletes(waived, schema.StepWaived)
	r.exec(`update plan set facts = jsonb_set(facts, '{kind}', '"app"') where id = $1`, string(second.ID)) // holds no seat
	r.exec(`update review_ask set state = 'failed' where id = $1`, string(answers[0].ID))
	require.NoError(t, r.answer(func() schema.AskRow { _, _, l := r.asked("5"); return l[0] }(), schema.AnswerNeeded, "x"))
	require.NoError(t, r.answer(func() schema.AskRow { _, _, l := r.asked("6"); return l[0] }(), schema.AnswerNotNeeded, ""))
	r.in(schema.ReviewJudging)
	for n, exclusion := range []int{1, 1, 7} {
		j := judgedOf(r.account([]string{"20", "21", "22"}[n]), schema.ReasonExcluded)
		j.Verdict.Exclusion = exclusion
		require.NoError(t, r.AddJudged(ctx, r.run, []schema.Judged{j}))
	}
	r.in(schema.ReviewActing)

	report := func() schema.ReviewReport {
		got, err := r.ReviewReport(ctx, r.run)
		require.NoError(t, err)
		return got
	}
	got := report()
	require.Equal(t, r.run, got.Review.ID)
	require.Equal(t, []schema.ItemCount{{State: schema.ItemAsking, Count: 1}, {State: schema.ItemKept, Count: 1}, {State: schema.ItemStarted, Count: 4}}, got.Items)
	require.Equal(t, []schema.PlanCount{{State: schema.PlanDone, Count: 2}, {State: schema.PlanPlanned, Count: 2}}, got.Plans)
	require.Equal(t, []int{12, 2, 1, 1, 1}, []int{got.Asked, got.Answered, got.Needed, got.NotNeeded, got.Undeliverable})
	require.Equal(t, []int64{1, 1}, []int64{got.SeatsFreed, got.SeatsAhead})
	require.Empty(t, got.AtRenewal, "nothing is known of the contract")
	require.Equal(t, []schema.ExcludedCount{{Exclusion: 1, Reason: "the chief", Count: 2}, {Exclusion: 7, Count: 1}}, got.Excluded)

	// Seven accounts of persons are left: of ten seats three are free.
	seats := func(n int64, period schema.Period) []schema.Money {
		_, err := r.SetLicense(ctx, schema.License{ConnectionID: r.conn.ID, Seats: n, Price: schema.Money{Minor: 1500, Currency: "EUR"}, Period: period}, r.admin)
		require.NoError(t, err)
		return report().AtRenewal
	}
	require.Equal(t, []schema.Money{{Minor: 1500, Currency: "EUR"}}, seats(10, schema.PerYear))
	require.Equal(t, []schema.Money{{Minor: 18000, Currency: "EUR"}}, seats(10, schema.PerMonth))
	require.Empty(t, seats(5, schema.PerYear), "more are in use than were bought: nothing is had back")

	_, err := r.ReviewReport(ctx, schema.ReviewID(newUUID()))
	requireCode(t, schema.CodeNotFound, err)
}
