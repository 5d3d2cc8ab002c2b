package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestAnEndedCaseIsFollowed(t *testing.T) {
	t.Parallel()
	r := removals(t, 5)
	ctx := t.Context()
	plans := map[string]schema.Plan{}
	for _, e := range []string{"2", "3", "4"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup)
		plans[e] = r.starts(e, leaves)
	}
	require.Equal(t, 3, r.follows())
	r.carriesOut(plans["2"])
	r.exec(`update plan_step set finished_at = '2026-05-01 12:00:00+00' where plan_id = $1`, string(plans["2"].ID))
	r.carriesOut(plans["3"])
	r.exec(`update plan_step set state = 'waived' where plan_id = $1`, string(plans["3"].ID))
	r.decide(plans["4"], schema.DecideCancel)
	require.NoError(t, r.EndPlan(ctx, plans["4"].ID, schema.PlanCancelled))
	require.Zero(t, r.follows())
	m := r.last("2")
	proof := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	require.Equal(t, []any{schema.RemovalDone, proof, proof.Add(24 * time.Hour)}, []any{m.State, m.ProvenAt.UTC(), m.WatchUntil.UTC()}, "since the vendor said so")
	require.Equal(t, schema.RemovalRefused, r.last("3").State)
	require.Contains(t, r.last("3").Why, "left a step out")
	require.Equal(t, schema.RemovalUndone, r.last("4").State)
	require.Zero(t, r.gathers(), "what an operator cancelled is not removed again")
	require.Zero(t, r.follows())
}

// TestAHigherCaseThatDeletesTheAccount: nothing of what was revoked is left then.
func TestAHigherCaseThatDeletesTheAccount(t *testing.T) {
	t.Parallel()
	r := removals(t, 3)
	ctx := t.Context()
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.starts("2", leaves)
	hr := r.leaver("2", "", "suspend")
	require.Zero(t, r.follows())
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "undone 0, wanted 1", r.states("2"))
	require.NoError(t, r.SettleRemoval(ctx, r.last("2").ID, schema.RemovalWanted, "busy", "", hr.CaseID))
	require.Zero(t, r.gathers(), "it waits")
	for i := range hr.Steps {
		require.NoError(t, r.CompleteStep(ctx, r.begin(hr.ID, i), schema.StepDone, nil))
	}
	require.NoError(t, r.EndPlan(ctx, hr.ID, schema.PlanDone))
	require.Zero(t, r.gathers(), "a suspended account is not a deleted one")
	r.exec(`update plan_step set kind = 'delete' where plan_id = $1 and index = (select max(index) from plan_step where plan_id = $1)`, string(hr.ID))
	require.Equal(t, 1, r.gathers())
	m := r.last("2")
	require.Equal(t, []any{schema.RemovalDone, "the account was deleted by case " + string(hr.CaseID), schema.CaseID("")}, []any{m.State, m.Why, m.WaitsFor})
	require.False(t, m.ProvenAt.IsZero())
	require.Equal(t, schema.RemovalDone, r.kind("2", schema.ItemGroup).Removal)

	r.answers("3", schema.AnswerRevoke, schema.ItemAccount)
	r.plans(10, shutsOff, "3")
	r.budgets()
	r.exec(`update account set status = 'deleted' where external_id = '3'`)
	r.gathers()
	require.Equal(t, "done 1", r.states("3"))
	require.Equal(t, "the account was deleted: the vendor says so", r.last("3").Why)
	require.Zero(t, r.count(`select count(*) from budget_use where reserved`))
}

// TestAStartedRemovalIsCorrected: what the case took is given back, and the rest of
// it is removed by another one.
func TestAStartedRemovalIsCorrected(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	ctx := t.Context()
	r.answers("1", schema.AnswerRevoke, schema.ItemRole, schema.ItemGroup)
	p := r.starts("1", leaves)
	r.removing()
	require.NoError(t, r.MoveCampaign(ctx, r.id, schema.CampaignRemoving, schema.CampaignClosed))
	r.answers("1", schema.AnswerKeep, schema.ItemRole)
	require.Equal(t, schema.PlanCancelling, r.plan(p.ID).State)
	require.NoError(t, r.EndPlan(ctx, p.ID, schema.PlanCancelled))
	_, _, err := r.WatchRemovals(ctx, r.id)
	requireCode(t, schema.CodeStale, err)
	require.Equal(t, schema.CampaignRemoving, r.campaign(r.id).State, "the rest is still revoked")
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "undone 1, wanted 1", r.states("1"))
	require.Equal(t, []any{schema.AnswerKeep, schema.RemovalUndone}, []any{r.kind("1", schema.ItemRole).Answer, r.kind("1", schema.ItemRole).Removal})
	r.answers("1", schema.AnswerKeep, schema.ItemGroup)
	r.gathers()
	require.Equal(t, "undone 1, withdrawn 0", r.states("1"))
	require.Zero(t, r.gathers())
	require.NoError(t, r.MoveCampaign(ctx, r.id, schema.CampaignRemoving, schema.CampaignClosed))
	_, _, err = r.WatchRemovals(ctx, r.id)
	require.NoError(t, err, "nothing is removed again")
}
