package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func TestAnEndedCaseIsFollowed(t *testing.T) {
	t.Parallel()
	r := removals(t, 5)
	ctx := t.Context()
	plans := map[string]schema.Plan{}
	for _, e := range []string{"2", "3", "4", "5"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup)
		plans[e] = r.starts(e, leaves)
	}
	require.Equal(t, 4, r.follows())
	r.carriesOut(plans["5"])
	r.exec(`update plan_step set state = 'waived', kind = 'notify' where plan_id = $1`, string(plans["5"].ID))
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
	require.Equal(t, schema.RemovalDone, r.last("5").State, "a notice that was left out proves as little as one that was sent")
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

// TestWhatWasRefusedIsGoneWithItsAccount: nothing of it is left that could not be removed.
func TestWhatWasRefusedIsGoneWithItsAccount(t *testing.T) {
	t.Parallel()
	r := removals(t, 4)
	ctx := t.Context()
	refuses := func(external string) {
		require.NoError(t, r.SettleRemoval(ctx, r.last(external).ID, schema.RemovalRefused, "pre-flight refuses it now", "", ""))
	}
	for _, e := range []string{"1", "2", "3", "4"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup, schema.ItemAccount)
	}
	r.gathers()
	refuses("1")
	refuses("2")
	r.answers("2", schema.AnswerKeep, schema.ItemGroup)
	refuses("3")
	r.answers("3", schema.AnswerKeep, schema.ItemGroup, schema.ItemAccount)
	waived := r.starts("4", shutsOff)
	r.carriesOut(waived)
	r.exec(`update plan_step set state = 'waived' where plan_id = $1`, string(waived.ID))
	require.Zero(t, r.follows())
	r.gathers()
	require.Equal(t, []string{"refused 2", "refused 2", "refused 2", "refused 2"}, []string{r.states("1"), r.states("2"), r.states("3"), r.states("4")})

	r.exec(`update account set status = 'deleted'`)
	require.Equal(t, 2, r.gathers())
	m := r.last("1")
	require.Equal(t, []any{schema.RemovalDone, "the account was deleted: the vendor says so"}, []any{m.State, m.Why})
	require.False(t, m.ProvenAt.IsZero())
	require.Equal(t, "done 1", r.states("2"), "what is kept was not removed")
	require.Equal(t, "refused 2", r.states("3"), "nothing of it is revoked any more")
	require.Equal(t, "refused 2", r.states("4"), "its case says what became of it")
	require.Zero(t, r.gathers())
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
	require.Zero(t, r.follows())
	require.Equal(t, 1, r.gathers(), "the rest is still revoked, and goes on while the campaign is closed")
	require.Equal(t, "undone 1, wanted 1", r.states("1"))
	require.Equal(t, []any{schema.AnswerKeep, schema.RemovalUndone}, []any{r.kind("1", schema.ItemRole).Answer, r.kind("1", schema.ItemRole).Removal})
	r.answers("1", schema.AnswerKeep, schema.ItemGroup)
	r.gathers()
	require.Equal(t, "undone 1, withdrawn 0", r.states("1"))
	require.Zero(t, r.gathers(), "nothing is removed again")
	require.Equal(t, schema.CampaignClosed, r.campaign(r.id).State)
}

// TestRemovalsGoOnAfterTheSignature: what had to wait for another case is removed once
// that ends, in whatever state the campaign is, and its end is told.
func TestRemovalsGoOnAfterTheSignature(t *testing.T) {
	t.Parallel()
	r := removals(t, 3)
	ctx := t.Context()
	hr := r.leaver("2", "", "suspend")
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.removing()
	r.gathers()
	require.NoError(t, r.SettleRemoval(ctx, r.last("2").ID, schema.RemovalWanted, "another case works on the account", "", hr.CaseID))
	require.Equal(t, schema.RemovalsLeft{Waiting: 1}, r.left())
	require.NoError(t, r.MoveCampaign(ctx, r.id, schema.CampaignRemoving, schema.CampaignClosed))
	_, err := r.SignCampaign(ctx, r.id, schema.SignOff{Reason: "complete"}, render, r.signer)
	requireCode(t, schema.CodeConflict, err)
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "HR has the account"}, render, r.signer)
	require.NoError(t, err)
	until, _ := r.watches()
	require.True(t, until.After(time.Now()), "there is something left to remove")

	r.dispatched()
	r.decide(hr, schema.DecideCancel)
	require.NoError(t, r.EndPlan(ctx, hr.ID, schema.PlanCancelled))
	require.Contains(t, r.dispatched(), "campaign "+string(r.id), "it is told")
	p := r.starts("2", leaves)
	require.Equal(t, schema.CampaignSigned, r.campaign(r.id).State)
	require.Equal(t, schema.RemovalsLeft{Working: 1}, r.left())
	r.carriesOut(p)
	require.Contains(t, r.dispatched(), "campaign "+string(r.id))
	require.Equal(t, schema.RemovalsLeft{}, r.left())
	require.Equal(t, schema.RemovalDone, r.last("2").State)
	r.exec(`update campaign_removal set watch_until = now() - interval '1 second'`)
	until, _ = r.watches()
	require.True(t, until.IsZero())
	r.exec(`update campaign_item set removal_id = null where removal_id = $1`, string(r.last("2").ID)) // as when HR takes a started one over
	until, _ = r.watches()
	require.True(t, until.After(time.Now()), "a revoked item without a removal gets another one")
}

// TestRemovalsThatWaitForApprovals are not at work: a campaign is not kept open by them.
func TestRemovalsThatWaitForApprovals(t *testing.T) {
	t.Parallel()
	r := removals(t, 2, func(rule *schema.AccessReviewRule) { rule.Effect.Approvals = 1 })
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	p := r.starts("2", leaves)
	require.Equal(t, schema.RemovalsLeft{Approving: 1}, r.left())
	c, err := r.Case(t.Context(), p.CaseID)
	require.NoError(t, err)
	approve := func(by schema.Principal) error {
		_, err := r.Decide(t.Context(), schema.Decision{CaseID: c.ID, Kind: schema.DecideApprove, Hash: c.Hash, Reason: "looked"}, by)
		return err
	}
	boss := r.holder("another token of the boss", "boss@example.com")
	requireCode(t, schema.CodeForbidden, approve(boss)) // who revoked it
	require.NoError(t, approve(r.admin))
	require.Equal(t, schema.RemovalsLeft{Working: 1}, r.left())
}

// TestRemovalsOfACancelledCampaignEndWithTheirCases: nobody looks at it any more.
func TestRemovalsOfACancelledCampaignEndWithTheirCases(t *testing.T) {
	t.Parallel()
	r := removals(t, 6)
	ctx := t.Context()
	plans := map[string]schema.Plan{}
	for _, e := range []string{"2", "3", "4"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup)
		plans[e] = r.starts(e, leaves)
	}
	r.answers("5", schema.AnswerRevoke, schema.ItemGroup)
	r.carriesOut(r.starts("5", leaves)) // nobody followed it before the campaign ended
	r.answers("6", schema.AnswerRevoke, schema.ItemGroup)
	r.gathers()
	_, err := r.CancelCampaign(ctx, r.id, "seen enough", r.admin)
	require.NoError(t, err)
	require.Equal(t, []schema.RemovalState{schema.RemovalDone, schema.RemovalWithdrawn}, []schema.RemovalState{r.last("5").State, r.last("6").State})
	require.Contains(t, r.actionsOf(audit.CampaignStream(string(r.id))), "removal.withdrawn")
	r.carriesOut(plans["2"])
	r.decide(plans["3"], schema.DecideCancel)
	require.NoError(t, r.EndPlan(ctx, plans["3"].ID, schema.PlanCancelled))
	r.leaver("4", "", "suspend")
	require.Equal(t, []schema.RemovalState{schema.RemovalDone, schema.RemovalUndone, schema.RemovalUndone},
		[]schema.RemovalState{r.last("2").State, r.last("3").State, r.last("4").State})
}
