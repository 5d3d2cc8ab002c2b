package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// allows gives the rule of a campaign a budget.
func allows(b schema.Budget) func(*schema.AccessReviewRule) {
	return func(rule *schema.AccessReviewRule) { rule.Effect.Budget = b }
}

// revokes plans the removal of accounts by a step.
func (r *reviewing) revokes(bytes int64, step schema.StepFact, externals ...string) {
	r.t.Helper()
	for _, e := range externals {
		r.answers(e, schema.AnswerRevoke, schema.ItemAccount)
	}
	r.plans(bytes, step, externals...)
}

// limitsOf are the limits that a campaign exceeds.
func limitsOf(c schema.Campaign) []schema.BudgetLimit {
	list := []schema.BudgetLimit{}
	for _, o := range c.Overruns {
		list = append(list, o.Limit)
	}
	return list
}

func (r *reviewing) batch() schema.Batch {
	r.t.Helper()
	b, err := r.FindBatch(r.t.Context(), string(r.campaign(r.id).BatchID))
	require.NoError(r.t, err)
	return b
}

func (r *reviewing) decidesOn(b schema.Batch, kind schema.BatchState, by schema.Principal) (schema.Batch, error) {
	return r.DecideBatch(r.t.Context(), b.ID, schema.BatchDecision{Kind: kind, Reason: "looked", Size: b.Size}, by)
}

// in counts the removals of the campaign in a state.
func (r *reviewing) in(state schema.RemovalState) int {
	r.t.Helper()
	return r.count(`select count(*) from campaign_removal where campaign_id = $1 and state = $2`, string(r.id), string(state))
}

// TestEachLimitHoldsACampaign: over all that it took, not over each piece alone.
func TestEachLimitHoldsACampaign(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		budget        schema.Budget
		before        int64 // bytes of the first
		first, second string
		step          schema.StepFact
		limit         schema.BudgetLimit
	}{
		"run":        {schema.Budget{PerRun: 1}, 10, "2", "3", leaves, schema.LimitPerRun},
		"percent":    {schema.Budget{Percent: 30}, 10, "2", "3", leaves, schema.LimitPercent},
		"bytes":      {schema.Budget{Bytes: 15}, 10, "2", "3", shutsOff, schema.LimitBytes},
		"privileged": {schema.Budget{}, 10, "2", "1", shutsOff, schema.LimitPrivileged},
		"day":        {schema.Budget{PerDay: 1}, 10, "2", "3", leaves, schema.LimitPerDay},
		"connection": {schema.Budget{Connection: 1}, 10, "2", "3", leaves, schema.LimitConnection},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := removals(t, 4, allows(test.budget))
			r.revokes(test.before, test.step, test.first)
			require.Empty(t, limitsOf(r.budgets()))
			require.Equal(t, 1, r.in(schema.RemovalReady))
			r.revokes(10, test.step, test.second)
			require.Equal(t, []schema.BudgetLimit{test.limit}, limitsOf(r.budgets()))
			require.Equal(t, []int{1, 1}, []int{r.in(schema.RemovalReady), r.in(schema.RemovalPlanned)})
			c := r.campaign(r.id)
			require.Equal(t, schema.CampaignOpen, c.State, "answers are still taken")
			require.Equal(t, []any{schema.BatchHeld, 1}, []any{r.batch().State, r.batch().Size})
			r.budgets()
			require.Equal(t, 1, r.count(`select count(*) from batch`), "one batch")
			require.Len(t, r.alarms(), 1)
			require.Equal(t, 1, r.count(`select sum(accounts) from budget_use`), "nothing of it is taken")
		})
	}
}

// TestAPrivilegedAccountThatStaysCountsAsAnyOther: nobody loses an administrator by
// taking it out of a group.
func TestAPrivilegedAccountThatStaysCountsAsAnyOther(t *testing.T) {
	t.Parallel()
	r := removals(t, 2, allows(schema.Budget{}))
	r.answers("1", schema.AnswerRevoke, schema.ItemGroup)
	r.plans(10, leaves, "1")
	require.Empty(t, limitsOf(r.budgets()))
	require.Equal(t, 1, r.in(schema.RemovalReady))
}

func TestWhatOthersUsedCounts(t *testing.T) {
	t.Parallel()
	r := removals(t, 4, allows(schema.Budget{Connection: 2}))
	r.leaver("4", "", "suspend")
	r.revokes(10, leaves, "2", "3")
	require.Equal(t, []schema.BudgetLimit{schema.LimitConnection}, limitsOf(r.budgets()))
	require.Equal(t, 2, r.in(schema.RemovalPlanned))
	_, err := r.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 2, Connection: 2}, r.admin)
	require.NoError(t, err)
	require.Equal(t, []schema.BudgetLimit{schema.LimitEngine, schema.LimitConnection, schema.LimitEngineConn}, limitsOf(r.budgets()))
	_, err = r.SetEngineBudget(t.Context(), schema.EngineBudget{}, r.admin)
	require.NoError(t, err)
	r.exec(`delete from budget_use`)
	require.Empty(t, limitsOf(r.budgets()))
	require.Equal(t, 2, r.in(schema.RemovalReady))
	require.Equal(t, schema.BatchDiscarded, r.batch().State, "there is nothing to decide any more")
	require.Empty(t, r.alarms())
}

func TestTwoReleaseACampaign(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
	eve, joe := r.holder("eve", "eve@example.com"), r.holder("joe", "user3@example.com")
	ann := r.holder("ann", "ann@example.com")
	r.revokes(10, shutsOff, "2", "3")
	r.removing()
	require.Equal(t, schema.CampaignHeld, r.budgets().State)
	b := r.batch()
	_, err := r.decidesOn(b, schema.BatchReleased, joe)
	requireCode(t, schema.CodeForbidden, err)
	r.exec(`update person_email set person_id = $1 where email = 'user2@example.com'`, string(r.person("ann@example.com", "it")))
	_, err = r.decidesOn(b, schema.BatchReleased, ann)
	requireCode(t, schema.CodeForbidden, err)
	r.exec(`insert into person_account (person_id, account_id) select $1, id from account where external_id = '3'`, string(r.person("was@example.com", "it")))
	_, err = r.decidesOn(b, schema.BatchReleased, r.holder("was", "was@example.com"))
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.decidesOn(b, schema.BatchReleased, r.holder("another token of the boss", "boss@example.com"))
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.decidesOn(b, schema.BatchReleased, eve)
	require.NoError(t, err)
	require.Equal(t, schema.CampaignHeld, r.campaign(r.id).State)
	_, err = r.decidesOn(b, schema.BatchReleased, r.admin)
	require.NoError(t, err)
	c := r.campaign(r.id)
	require.Equal(t, []any{schema.CampaignRemoving, 2, 0}, []any{c.State, r.in(schema.RemovalReady), len(c.Overruns)})
	require.Equal(t, 2, r.count(`select sum(accounts) from budget_use where reserved`))
	require.Empty(t, r.alarms())

	// The same plan again was released; another one was not, nor is anybody else's.
	again := r.last("2").ID
	require.NoError(t, r.SettleRemoval(t.Context(), again, schema.RemovalWanted, "planned anew", "", ""))
	r.plans(10, shutsOff, "2")
	require.Equal(t, schema.CampaignRemoving, r.budgets().State)
	require.Equal(t, 2, r.in(schema.RemovalReady))
	require.NoError(t, r.SettleRemoval(t.Context(), again, schema.RemovalWanted, "planned anew", "", ""))
	r.plans(11, shutsOff, "2")
	require.Equal(t, schema.CampaignHeld, r.budgets().State)
	require.Equal(t, 1, r.in(schema.RemovalReady))
	_, err = r.decidesOn(r.batch(), schema.BatchDiscarded, eve)
	require.NoError(t, err)
	require.Equal(t, []any{schema.RemovalRefused, "its batch was discarded"}, []any{r.last("2").State, r.last("2").Why})
	require.Equal(t, schema.CampaignRemoving, r.campaign(r.id).State)
}

func TestABatchOfACampaignThatGrew(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
	eve := r.holder("eve", "eve@example.com")
	r.revokes(10, leaves, "2", "3")
	r.budgets()
	_, err := r.decidesOn(r.batch(), schema.BatchReleased, eve)
	require.NoError(t, err)
	r.answers("3", schema.AnswerKeep, schema.ItemAccount)
	r.revokes(10, leaves, "4") // as many as before, but not the same
	r.budgets()
	b, err := r.decidesOn(r.batch(), schema.BatchReleased, r.admin)
	require.NoError(t, err)
	require.Equal(t, schema.BatchHeld, b.State, "eve did not see who joined")
	require.Equal(t, 2, r.in(schema.RemovalPlanned))
	r.answers("4", schema.AnswerKeep, schema.ItemAccount)
	_, err = r.decidesOn(r.batch(), schema.BatchReleased, eve)
	require.NoError(t, err)
	require.Equal(t, "ready 1", r.states("2"))
	require.Equal(t, "withdrawn 0", r.states("4"), "what was kept meanwhile is not released")
	require.Equal(t, schema.CampaignOpen, r.campaign(r.id).State)
	require.Empty(t, r.campaign(r.id).Overruns)
}

// TestWhatIsNotStartedIsGivenBack: exactly what was taken.
func TestWhatIsNotStartedIsGivenBack(t *testing.T) {
	t.Parallel()
	r := removals(t, 4)
	r.revokes(7, shutsOff, "1")
	r.budgets()
	r.revokes(5, shutsOff, "2", "3")
	r.budgets()
	sums := func() string {
		return r.text(`select coalesce(sum(accounts), 0) || ' ' || coalesce(sum(privileged), 0) || ' ' || coalesce(sum(bytes), 0) from budget_use`)
	}
	require.Equal(t, "3 1 17", sums())
	r.exec(`update account set role = 'member' where external_id = '1'`)
	require.NoError(t, r.SettleRemoval(t.Context(), r.last("1").ID, schema.RemovalRefused, "pre-flight refuses it now", "", ""))
	require.Equal(t, "2 0 10", sums())
	r.answers("2", schema.AnswerKeep, schema.ItemAccount)
	r.gathers()
	require.Equal(t, "1 0 5", sums())
	require.NoError(t, r.SettleRemoval(t.Context(), r.last("3").ID, schema.RemovalWanted, "planned anew", "", ""))
	require.Equal(t, "0 0 0", sums())
}

func TestACancelledCampaignGivesBack(t *testing.T) {
	t.Parallel()
	r := removals(t, 4, allows(schema.Budget{PerRun: 2}))
	p := func() schema.Plan {
		r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
		return r.starts("2", leaves)
	}()
	r.revokes(10, leaves, "3")
	r.budgets()
	r.revokes(10, leaves, "4")
	r.budgets()
	require.Equal(t, 2, r.count(`select count(*) from budget_use`))
	require.Len(t, r.alarms(), 1)
	_, err := r.CancelCampaign(t.Context(), r.id, "not now", r.admin)
	require.NoError(t, err)
	require.Equal(t, 1, r.count(`select count(*) from budget_use`), "what has started goes on")
	require.Equal(t, []int{1, 2}, []int{r.in(schema.RemovalStarted), r.in(schema.RemovalWithdrawn)})
	require.Equal(t, schema.PlanPlanned, r.plan(p.ID).State)
	require.Equal(t, schema.BatchDiscarded, r.batch().State)
	require.Empty(t, r.alarms())
}

// TestTwoCampaignsDoNotBothFit: whoever comes second sees what the first took.
func TestTwoCampaignsDoNotBothFit(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	_, err := r.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 1}, r.admin)
	require.NoError(t, err)
	r.revokes(10, leaves, "2")
	other := schema.CampaignID(newUUID())
	r.exec(`insert into campaign (id, review_id, version, trigger, scheduled_at, state, workflow_id, created_at, accounts)
		select $2, review_id, version, 'mover', now(), 'open', 'other', now(), array[$2::uuid] from campaign where id = $1`, string(r.id), string(other))
	r.exec(`insert into campaign_removal (id, campaign_id, account_id, state, facts, bytes, created_at, updated_at)
		select $2, $2, account_id, state, facts, bytes, now(), now() from campaign_removal where campaign_id = $1`, string(r.id), string(other))
	var wg sync.WaitGroup
	for _, id := range []schema.CampaignID{r.id, other} {
		wg.Go(func() {
			if _, err := r.TakeBudget(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, r.count(`select sum(accounts) from budget_use`))
	require.Equal(t, 1, r.count(`select count(*) from campaign_removal where state = 'ready'`))
	require.Equal(t, 1, r.count(`select count(*) from batch where state = 'held'`))
}

// TestARemovalThatStartsLateHasRoomThen: what it took a day ago counts no more.
func TestARemovalThatStartsLateHasRoomThen(t *testing.T) {
	t.Parallel()
	r := removals(t, 4, allows(schema.Budget{PerDay: 1}))
	ctx := t.Context()
	start := func(e string) error {
		_, err := r.StartRemoval(ctx, r.last(e).ID, r.drafts(e, leaves))
		return err
	}
	r.revokes(10, leaves, "2")
	require.Empty(t, limitsOf(r.budgets()))
	r.exec(`update budget_use set used_at = used_at - interval '25 hours'`)
	r.revokes(10, leaves, "3")
	require.Empty(t, limitsOf(r.budgets()), "the day has room for one")
	require.NoError(t, start("3"))
	err := start("2")
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, schema.RemovalReady, r.last("2").State, "it waits")
	r.exec(`update campaign_removal set released = true where account_id = $1`, string(r.last("2").AccountID))
	require.NoError(t, start("2"), "two people let it go over")
}

// TestOnlyWhatABatchHeldIsReleased: what was planned since they looked is not in it.
func TestOnlyWhatABatchHeldIsReleased(t *testing.T) {
	t.Parallel()
	for _, kind := range []schema.BatchState{schema.BatchReleased, schema.BatchDiscarded} {
		r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
		r.revokes(10, leaves, "2", "3")
		require.NotEmpty(t, limitsOf(r.budgets()))
		b := r.batch()
		r.revokes(10, leaves, "4")
		_, err := r.decidesOn(b, kind, r.holder("eve", "eve@example.com"))
		require.NoError(t, err)
		if kind == schema.BatchReleased {
			_, err = r.decidesOn(b, kind, r.admin)
			require.NoError(t, err)
			require.Equal(t, 2, r.in(schema.RemovalReady))
		}
		require.Equal(t, schema.RemovalPlanned, r.last("4").State)
	}
}

// TestAHeldBatchOutlivesNewPlans: what it holds is planned anew, and is not fitting.
func TestAHeldBatchOutlivesNewPlans(t *testing.T) {
	t.Parallel()
	r := removals(t, 4, allows(schema.Budget{PerRun: 1}))
	r.revokes(10, leaves, "2", "3")
	require.NotEmpty(t, limitsOf(r.budgets()))
	b := r.batch()
	for _, e := range []string{"2", "3"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup)
	}
	r.gathers()
	require.Equal(t, 2, r.in(schema.RemovalWanted))
	r.budgets()
	require.Equal(t, schema.BatchHeld, r.batch().State)
	r.plans(10, leaves, "2", "3")
	require.NotEmpty(t, limitsOf(r.budgets()))
	require.Equal(t, b.ID, r.batch().ID)
}

// TestAHeldCampaignCountsAnew: what is kept while a batch is held, or gone without it,
// takes it along, and the rest starts when it fits. The evidence tells each count.
func TestAHeldCampaignCountsAnew(t *testing.T) {
	t.Parallel()
	r := removals(t, 6, allows(schema.Budget{PerRun: 1}))
	r.revokes(10, shutsOff, "2", "3", "4", "5")
	r.removing()
	require.Equal(t, schema.CampaignHeld, r.budgets().State)
	recount := func() (bool, schema.CampaignState) {
		t.Helper()
		less, err := r.RecountHeld(t.Context(), r.id)
		require.NoError(t, err)
		return less, r.campaign(r.id).State
	}
	goesOn := func() {
		t.Helper()
		less, state := recount()
		require.Equal(t, []any{true, schema.CampaignRemoving}, []any{less, state})
		require.Equal(t, schema.BatchHeld, r.batch().State)
	}
	less, state := recount()
	require.Equal(t, []any{false, schema.CampaignHeld}, []any{less, state}, "nothing is kept")
	r.answers("2", schema.AnswerKeep, schema.ItemAccount)
	goesOn()
	require.Equal(t, []any{schema.CampaignHeld, 3}, []any{r.budgets().State, r.batch().Size}, "three are still too many")
	r.exec(`update account set status = 'deleted' where external_id = '3'`)
	goesOn()
	require.Equal(t, []any{schema.CampaignHeld, 2}, []any{r.budgets().State, r.batch().Size})
	r.answers("4", schema.AnswerKeep, schema.ItemAccount)
	goesOn()
	require.Equal(t, schema.CampaignRemoving, r.budgets().State)
	require.Equal(t, []any{1, 1, 2, schema.BatchDiscarded}, []any{r.in(schema.RemovalReady), r.in(schema.RemovalDone), r.in(schema.RemovalWithdrawn), r.batch().State})
	require.Empty(t, r.alarms())
	var counts []string
	e, err := r.Evidence(t.Context(), r.id)
	require.NoError(t, err)
	for _, event := range e.Events {
		for _, d := range event.Details {
			if event.Action == "campaign.over_budget" && d.Name == "accounts" || event.Action == "campaign.recounted" && d.Name == "less" {
				counts = append(counts, event.Action+" "+d.Value)
			}
		}
	}
	require.Equal(t, []string{
		"campaign.over_budget 4", "campaign.recounted 1", "campaign.over_budget 3", "campaign.recounted 1", "campaign.over_budget 2", "campaign.recounted 1",
	}, counts)
}

// TestWhatOthersDeletedIsNotOurUse: what was refused and is gone by somebody else's case
// counts against no budget of the campaign.
func TestWhatOthersDeletedIsNotOurUse(t *testing.T) {
	t.Parallel()
	r := removals(t, 6, allows(schema.Budget{PerRun: 1}))
	r.revokes(10, shutsOff, "2", "3")
	require.NotEmpty(t, limitsOf(r.budgets()))
	_, err := r.decidesOn(r.batch(), schema.BatchDiscarded, r.admin)
	require.NoError(t, err)
	r.exec(`update account set status = 'deleted' where external_id in ('2', '3')`)
	r.gathers()
	require.Equal(t, 2, r.in(schema.RemovalDone))
	r.revokes(10, shutsOff, "4")
	require.Empty(t, limitsOf(r.budgets()))
	require.Equal(t, 1, r.in(schema.RemovalReady))
}
