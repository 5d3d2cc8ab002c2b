package store_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// limits sets the budget of a rule; privileged accounts are allowed.
func limits(b schema.Budget) func(*schema.PolicyRule) {
	return func(r *schema.PolicyRule) { r.Budget = b }
}

// decides says a word on the batch that holds a run.
func (p *policies) decides(r schema.Review, kind schema.BatchState, by schema.Principal) (schema.Batch, error) {
	return p.DecideBatch(p.t.Context(), r.BatchID, schema.BatchDecision{Kind: kind, Reason: "looked", Size: r.Wanted.Accounts}, by)
}

func TestEachLimitHoldsARun(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	list := p.matched(numbers(1, 4)...)
	list[0].Privileged = true
	any4 := schema.Budget{Privileged: 1}
	cases := []struct {
		over   schema.BudgetLimit
		budget schema.Budget
		engine schema.EngineBudget
		want   schema.Overrun
	}{
		{schema.LimitPerRun, schema.Budget{PerRun: 3, Privileged: 1}, schema.EngineBudget{}, schema.Overrun{Wanted: 4, Allowed: 3}},
		{schema.LimitPerDay, schema.Budget{PerDay: 3, Privileged: 1}, schema.EngineBudget{}, schema.Overrun{Wanted: 4, Allowed: 3}},
		{schema.LimitConnection, schema.Budget{Connection: 3, Privileged: 1}, schema.EngineBudget{}, schema.Overrun{Subject: p.conn.ID, Wanted: 4, Allowed: 3}},
		{schema.LimitPercent, schema.Budget{Percent: 3, Privileged: 1}, schema.EngineBudget{}, schema.Overrun{Wanted: 4, Allowed: 3}},
		{schema.LimitBytes, schema.Budget{Bytes: 39, Privileged: 1}, schema.EngineBudget{}, schema.Overrun{Wanted: 40, Allowed: 39}},
		{schema.LimitPrivileged, schema.Budget{}, schema.EngineBudget{}, schema.Overrun{Wanted: 1}},
		{schema.LimitEngine, any4, schema.EngineBudget{PerDay: 3}, schema.Overrun{Wanted: 4, Allowed: 3}},
		{schema.LimitEngineConn, any4, schema.EngineBudget{Connection: 3}, schema.Overrun{Subject: p.conn.ID, Wanted: 4, Allowed: 3}},
	}
	for _, c := range cases {
		_, err := p.SetEngineBudget(t.Context(), c.engine, p.admin)
		require.NoError(t, err)
		policy := p.has(suspends(string(c.over)[:3]+fmt.Sprint(len(c.over)), limits(c.budget)))
		r := p.ends(p.plans(policy, list...))
		c.want.Limit = c.over
		require.Equal(t, schema.ReviewHeld, r.State, c.over)
		require.Equal(t, []schema.Overrun{c.want}, r.Overruns)
		require.Equal(t, []string{schema.AlarmOverBudget}, p.openAlarms())
		require.Equal(t, policy.ID, p.alarms()[0].PolicyID)
		require.Zero(t, p.used(), "nothing is taken")
		b, err := p.FindBatch(t.Context(), string(r.BatchID))
		require.NoError(t, err)
		require.Equal(t, []any{schema.BatchOfPolicy, string(policy.ID), policy.Name, 4}, []any{b.Scope, b.ScopeID, b.ScopeName, b.Size})
		require.NoError(t, p.EndReview(t.Context(), r.ID, schema.ReviewFailed, "test"))
		b, err = p.FindBatch(t.Context(), string(r.BatchID))
		require.NoError(t, err)
		require.Equal(t, schema.BatchDiscarded, b.State, "nothing is left to decide")
		_, err = p.SetPolicyState(t.Context(), policy.Name, schema.PolicyActive, "seen", p.admin)
		require.NoError(t, err)
		require.Empty(t, p.openAlarms())
	}
	_, err := p.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 4, Connection: 4}, p.admin)
	require.NoError(t, err)
	fits := p.has(suspends("fits", limits(schema.Budget{PerRun: 4, PerDay: 4, Connection: 4, Percent: 4, Bytes: 40, Privileged: 1})))
	require.Equal(t, schema.ReviewActing, p.ends(p.plans(fits, list...)).State, "up to each limit")
}

func TestTwoReleaseARun(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	p.tells(toIT("it@example.com"))
	policy := p.has(suspends("dormant", limits(schema.Budget{PerRun: 1}), needs(1)))
	asker := p.holder("asker", "")
	r, err := p.RequestReview(ctx, "dormant", schema.ReviewActs, asker)
	require.NoError(t, err)
	list := p.matched("1", "2", "3")
	r = p.judges(r, list...)
	for _, j := range list {
		require.NoError(t, p.PlanItem(ctx, r.ID, schema.PlannedItem{AccountID: j.AccountID, Facts: p.facts(policy, j)}))
	}
	r = p.ends(r)
	require.Equal(t, r, p.ends(r), "one alarm, one notice")
	require.Len(t, p.alarms(), 1)
	require.Contains(t, p.alarms()[0].Message, "policy dormant would act on 3 accounts and is over budget (limit per_run, accounts of one run: 0 used, 3 wanted, 1 allowed)")
	require.Equal(t, 1, p.count(`select count(*) from notice where event = 'batch_held' and batch_id = $1`, r.BatchID))
	p.outbox()

	eve, joe := p.holder("eve", ""), p.holder("joe", "")
	in := p.holder("in", "user3@example.com")
	for _, by := range []schema.Principal{asker, in} {
		_, err = p.decides(r, schema.BatchReleased, by)
		requireCode(t, schema.CodeForbidden, err)
	}
	b, err := p.decides(r, schema.BatchReleased, eve)
	require.NoError(t, err)
	require.Equal(t, schema.BatchHeld, b.State)
	_, err = p.decides(r, schema.BatchReleased, eve)
	requireCode(t, schema.CodeConflict, err)
	require.Zero(t, p.used())
	_, err = p.ApproveReview(ctx, r.ID, r.Hash, "looked", joe)
	requireCode(t, schema.CodeConflict, err)
	_, err = p.AnswerItem(ctx, r.ID, list[0].AccountID, schema.AnswerNeeded, "mine", joe)
	require.NoError(t, err)
	p.outbox()
	b, err = p.decides(r, schema.BatchReleased, joe)
	require.NoError(t, err)
	require.Equal(t, schema.BatchReleased, b.State)
	released := p.run(r.ID)
	require.Equal(t, []any{schema.ReviewApproving, r.Hash, r.Overruns}, []any{released.State, released.Hash, released.Overruns})
	require.Equal(t, 2, p.used(), "what is still planned is counted, though it is over budget")
	require.Empty(t, p.openAlarms())
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	require.Contains(t, p.actionsOf(policy.ID), "review.released")
	_, err = p.ApproveReview(ctx, r.ID, r.Hash, "looked", joe)
	require.NoError(t, err, "who released may approve: both are words of their own")
}

func TestOneDiscardsARun(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy := p.has(suspends("dormant", limits(schema.Budget{PerRun: 1})))
	r := p.ends(p.plans(policy, p.matched("1", "2")...))
	p.outbox()
	_, err := p.decides(r, schema.BatchDiscarded, p.author)
	require.NoError(t, err)
	r = p.run(r.ID)
	require.Equal(t, []any{schema.ReviewEnded, schema.ReviewDiscarded}, []any{r.State, r.End})
	require.Equal(t, map[schema.ItemState]int{schema.ItemCancelled: 2}, p.items(r.ID))
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	require.Empty(t, p.openAlarms())
	held := p.ends(p.plans(policy, p.matched("1", "2")...))
	_, err = p.CancelReview(t.Context(), held.ID, "not now", p.admin)
	require.NoError(t, err)
	_, err = p.decides(held, schema.BatchReleased, p.admin)
	requireCode(t, schema.CodeConflict, err)
}

func TestTheEngineBoundsEveryDoor(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	ctx := t.Context()
	none, err := h.EngineBudget(ctx)
	require.NoError(t, err)
	require.Equal(t, schema.EngineBudget{}, none)
	before := time.Now().Add(-time.Hour)
	h.leaver("1", "", "suspend")
	_, err = h.SetEngineBudget(ctx, schema.EngineBudget{PerDay: -1}, h.admin)
	requireCode(t, schema.CodeInvalid, err)
	set, err := h.SetEngineBudget(ctx, schema.EngineBudget{PerDay: 3, Connection: 2}, h.admin)
	require.NoError(t, err)
	got, err := h.EngineBudget(ctx)
	require.NoError(t, err)
	require.Equal(t, set, got)
	require.Equal(t, []string{"budget.set"}, h.systemActions("budget."))

	_, err = h.CreateCases(ctx, []schema.Draft{h.draft("2", "", "suspend"), h.draft("3", "", "suspend")}, h.admin)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, []schema.Problem{{
		Where: "box", Code: "OVER_BUDGET", Message: "limit engine_connection, accounts of connection box by all doors in 24 hours: 1 used, 2 wanted, 2 allowed",
		Fix: "wait until less was used in the last 24 hours, or let an admin raise the engine's budget",
	}}, problemsOf(t, err), "what was used before the limit counts")
	h.leaver("2", "", "suspend")
	h.leave(1)
	who := h.who(address(1))
	_, err = h.OpenLeaverCase(ctx, who.ID, who.Revision, h.draft("3", "", "suspend"))
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, "OVER_BUDGET", problemsOf(t, err)[0].Code, "HR's leavers are tried again later")
	manual := h.draft("4", "", "suspend")
	a := &manual.Accounts[0]
	a.Facts.Steps = []schema.StepFact{{Kind: schema.StepManual}}
	manual.Hash = schema.CaseHash([]string{a.Facts.Hash()})
	h.write(manual)
	spent, err := h.BudgetUsed(ctx, before)
	require.NoError(t, err)
	require.Equal(t, schema.Spending{Accounts: 2, Bytes: 2000, Connection: map[schema.ConnectionID]int{h.conn.ID: 2}}, spent)
	h.exec(`update budget_use set used_at = used_at - interval '24 hours'`)
	h.leaver("3", "", "suspend")
}

// A case that a person opens counts, also one that they say is for inactivity.
func TestACaseForInactivityByHandCounts(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	_, err := h.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 1}, h.admin)
	require.NoError(t, err)
	for n, code := range []schema.Code{"", schema.CodeConflict} {
		d := h.draft(strconv.Itoa(n+1), "", "suspend")
		d.Request.Door = schema.DoorInactivity
		_, err := h.CreateCases(t.Context(), []schema.Draft{d}, h.admin)
		require.Equal(t, code, schema.CodeOf(err), "%v", err)
	}
}

// Of cases that are opened at the same moment, no more start than the engine's
// budget allows.
func TestTheEnginesBudgetIsNotRaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 3}, b.admin)
	require.NoError(t, err)
	errs := make(chan error)
	for _, id := range numbers(1, 6) {
		d := b.draft(id, "", "suspend")
		go func() {
			_, err := b.CreateCases(t.Context(), []schema.Draft{d}, b.admin)
			errs <- err
		}()
	}
	refused := 0
	for range 6 {
		if err := <-errs; err != nil {
			requireCode(t, schema.CodeConflict, err)
			refused++
		}
	}
	require.Equal(t, 3, refused)
	require.Equal(t, 3, b.count(`select sum(accounts)::int from budget_use`))
}
