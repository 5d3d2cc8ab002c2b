package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// confirmed makes items of a run ready.
func (p *policies) confirmed(r schema.Review, list []schema.Judged) {
	p.t.Helper()
	for _, j := range list {
		require.NoError(p.t, p.AskAbout(p.t.Context(), r.ID, j.AccountID, nil, time.Time{}))
	}
}

func (p *policies) tryStart(policy schema.Policy, r schema.Review, j schema.Judged) error {
	p.t.Helper()
	d, err := p.draftOf(policy, j)
	require.NoError(p.t, err)
	_, err = p.StartItem(p.t.Context(), r.ID, j.AccountID, d)
	return err
}

// What was planned two weeks ago counts on the day it starts, beside what others did
// that day; what finds no room waits, says until when, and raises one alarm.
func TestAccountsWaitForRoomOnTheDayTheyStart(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.has(suspends("dormant", limits(schema.Budget{PerDay: 3})))
	list := p.matched(numbers(1, 3)...)
	r := p.ends(p.plans(policy, list...))
	p.confirmed(r, list)
	p.exec(`update budget_use set used_at = used_at - interval '14 days'`)
	require.Zero(t, p.used())
	n, err := p.PruneBudgets(ctx, 100)
	require.NoError(t, err)
	require.Equal(t, 1, n, "nothing of it counts any more")

	_, err = p.SetEngineBudget(ctx, schema.EngineBudget{PerDay: 2}, p.admin)
	require.NoError(t, err)
	p.leaver("9", "", "suspend")
	wait, err := p.WaitForBudget(ctx, r.ID)
	require.NoError(t, err)
	require.Zero(t, wait.Accounts, "there is room for one")
	require.NoError(t, p.tryStart(policy, r, list[0]))
	require.Equal(t, 2, p.used())
	err = p.tryStart(policy, r, list[1])
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, string(schema.OverBudget), problemsOf(t, err)[0].Code)
	require.Equal(t, map[schema.ItemState]int{schema.ItemStarted: 1, schema.ItemReady: 2}, p.items(r.ID), "nothing is refused for good")

	for range 2 {
		wait, err = p.WaitForBudget(ctx, r.ID)
		require.NoError(t, err)
	}
	require.Equal(t, []any{2, schema.LimitEngine}, []any{wait.Accounts, wait.Overruns[0].Limit})
	require.WithinDuration(t, time.Now().Add(24*time.Hour), wait.Until, time.Minute, "when the leaver's day is over")
	require.Equal(t, []string{schema.AlarmBudgetWait}, p.openAlarms())
	require.Len(t, p.alarms(), 1)
	require.Contains(t, p.alarms()[0].Message, "2 confirmed accounts")
	require.Equal(t, wait.Until.UTC(), p.run(r.ID).BudgetWait.Until.UTC())
	ready, err := p.ReadyItems(ctx, r.ID, wait.Connections, nil, 10)
	require.NoError(t, err)
	require.Empty(t, ready)

	p.outbox()
	_, err = p.SetEngineBudget(ctx, schema.EngineBudget{PerDay: 3}, p.admin)
	require.NoError(t, err)
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox(), "it looks again")
	require.NoError(t, p.tryStart(policy, r, list[1]))
	wait, err = p.WaitForBudget(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, 1, wait.Accounts)
	p.exec(`update budget_use set used_at = used_at - interval '25 hours'`)
	wait, err = p.WaitForBudget(ctx, r.ID)
	require.NoError(t, err)
	require.Zero(t, wait.Accounts)
	require.Empty(t, p.openAlarms())
	require.Nil(t, p.run(r.ID).BudgetWait)
	require.NoError(t, p.tryStart(policy, r, list[2]))
	require.NoError(t, p.EndReview(ctx, r.ID, schema.ReviewDone, ""))
	require.Equal(t, 1, p.used())
	require.Contains(t, p.actionsOf(policy.ID), "review.waits_for_budget")
}

// A run that ends gives back what it reserved, and whoever waits for that looks.
func TestWhatARunGivesBackWakesThoseWhoWait(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy, other := p.has(suspends("dormant")), p.has(suspends("other"))
	list := p.matched("1")
	r := p.ends(p.plans(policy, list...))
	p.confirmed(r, list)
	p.exec(`update budget_use set used_at = used_at - interval '14 days'`)
	_, err := p.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 1}, p.admin)
	require.NoError(t, err)
	holds := p.ends(p.plans(other, p.matched("2")...))
	wait, err := p.WaitForBudget(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, 1, wait.Accounts, "what is reserved counts")
	p.outbox()
	require.NoError(t, p.EndReview(t.Context(), holds.ID, schema.ReviewCancelled, "not now"))
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	require.NoError(t, p.tryStart(policy, r, list[0]))
	require.NoError(t, p.EndReview(t.Context(), r.ID, schema.ReviewCancelled, "seen"))
	require.Empty(t, p.openAlarms())
}

// Two people released three accounts over a limit of one: so many may start in a
// day, also when the day is another, but not beside others; and not above a limit
// that was lowered since.
func TestAReleaseCoversWhatWasShown(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	_, err := p.SetEngineBudget(ctx, schema.EngineBudget{PerDay: 2}, p.admin)
	require.NoError(t, err)
	policy := p.has(suspends("dormant"))
	list := p.matched(numbers(1, 3)...)
	r := p.ends(p.plans(policy, list...))
	require.Equal(t, schema.ReviewHeld, r.State)
	for _, by := range []schema.Principal{p.holder("eve", ""), p.holder("joe", "")} {
		_, err := p.decides(r, schema.BatchReleased, by)
		require.NoError(t, err)
	}
	p.confirmed(r, list)
	p.exec(`update budget_use set used_at = used_at - interval '14 days'`)
	p.leaver("9", "", "suspend")
	require.NoError(t, p.tryStart(policy, r, list[0]))
	require.NoError(t, p.tryStart(policy, r, list[1]), "over the limit, as was released")
	requireCode(t, schema.CodeConflict, p.tryStart(policy, r, list[2]))
	p.exec(`update budget_use set used_at = used_at - interval '25 hours'`)
	_, err = p.SetEngineBudget(ctx, schema.EngineBudget{PerDay: 1}, p.admin)
	require.NoError(t, err)
	p.leaver("10", "", "suspend")
	requireCode(t, schema.CodeConflict, p.tryStart(policy, r, list[2]))
}
