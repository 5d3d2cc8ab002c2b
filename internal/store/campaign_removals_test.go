package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// removals begins a campaign over accounts that are all in the group g, of which the
// first administers, and opens it.
func removals(t *testing.T, people int, edit ...func(*schema.AccessReviewRule)) *reviewing {
	t.Helper()
	c := campaignSetup(t)
	r := &reviewing{campaigns: c, boss: c.person("boss@example.com", "it"), owner: c.person("owner@example.com", "it")}
	r.by, r.signer = c.reviewer("boss@example.com"), c.reviewer("owner@example.com")
	c.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at) select id, 'g', 'Plans', false, '', now() from connection`)
	for n := range people {
		p := c.person(fmt.Sprintf("user%d@example.com", n+1), "it")
		c.exec(`update person set manager_id = $2 where id = $1`, string(p), string(r.boss))
		c.held(fmt.Sprint(n+1), p)
	}
	c.exec(`update account set role = 'coadmin' where external_id = '1'`)
	r.joins()
	edit = append([]func(*schema.AccessReviewRule){func(rule *schema.AccessReviewRule) {
		rule.Watch, rule.Effect.Budget.Privileged = 24*time.Hour, 10
	}}, edit...)
	r.review = c.has(looksAt("quarter", edit...))
	run := c.begins(r.review)
	r.id = run.ID
	c.lists(run, c.query(r.review))
	r.assign()
	require.NoError(t, c.OpenCampaign(t.Context(), r.id, time.Now().Add(time.Hour)))
	return r
}

// joins puts all accounts into the group g.
func (r *reviewing) joins() {
	r.t.Helper()
	r.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
		select connection_id, 'g', external_id, 'm' || external_id, 'member', now() from account on conflict do nothing`)
}

// kind is the item of an account of a kind.
func (r *reviewing) kind(external string, kind schema.ItemKind) schema.CampaignItem {
	r.t.Helper()
	for _, i := range r.items() {
		if i.Facts.ExternalID == schema.ExternalID(external) && i.Facts.Kind == kind {
			return i
		}
	}
	require.Fail(r.t, "no such item", "%s %s", external, kind)
	return schema.CampaignItem{}
}

// answers gives items of an account an answer.
func (r *reviewing) answers(external string, answer schema.ItemAnswer, kinds ...schema.ItemKind) {
	r.t.Helper()
	for _, k := range kinds {
		r.takes(r.kind(external, k), answer, r.by)
	}
}

func (r *reviewing) gathers() int {
	r.t.Helper()
	n, err := r.GatherRemovals(r.t.Context(), r.id)
	require.NoError(r.t, err)
	return n
}

// of account: its removals, oldest first.
func (r *reviewing) removed(external string) []schema.Removal {
	r.t.Helper()
	list, _, err := r.Removals(r.t.Context(), r.id, schema.RemovalFilter{Limit: 500})
	require.NoError(r.t, err)
	return slices.DeleteFunc(list, func(m schema.Removal) bool { return m.Account.ExternalID != schema.ExternalID(external) })
}

// says how far the removals of an account are, with how many items they remove.
func (r *reviewing) states(external string) string {
	r.t.Helper()
	var out []string
	for _, m := range r.removed(external) {
		out = append(out, fmt.Sprintf("%s %d", m.State, len(m.Items)))
	}
	return strings.Join(out, ", ")
}

// last is the newest removal of an account.
func (r *reviewing) last(external string) schema.Removal {
	r.t.Helper()
	list := r.removed(external)
	require.NotEmpty(r.t, list)
	return list[len(list)-1]
}

var (
	leaves   = schema.StepFact{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: []schema.ExternalID{"g"}}}
	shutsOff = schema.StepFact{Kind: schema.StepSuspend}
)

// drafts is the plan of an account's removal.
func (r *reviewing) drafts(external string, steps ...schema.StepFact) schema.Draft {
	r.t.Helper()
	a, err := r.Account(r.t.Context(), r.last(external).AccountID)
	require.NoError(r.t, err)
	facts := schema.Facts{
		Cause: string(schema.DoorAccessReview), ConnectionID: a.ConnectionID, EnterpriseID: "900", AccountID: a.ExternalID, Login: a.Login, Role: a.Role, Kind: a.Kind,
		Steps: steps, Template: "review:quarter", TemplateVersion: 1,
	}
	t := schema.Template{Name: facts.Template, Version: 1, Steps: steps}
	return schema.Draft{
		Request:  schema.Request{Door: schema.DoorAccessReview, Email: a.Login, Template: t.Name, Source: "review", Receivers: []string{}},
		Accounts: []schema.DraftAccount{{Connection: r.conn, Account: a, Facts: facts, Steps: t.Resolve(time.Hour), TemplateRecord: t}},
		Hash:     schema.CaseHash([]string{facts.Hash()}),
	}
}

// plans plans the wanted removals of accounts.
func (r *reviewing) plans(bytes int64, step schema.StepFact, externals ...string) {
	r.t.Helper()
	r.gathers()
	for _, e := range externals {
		d := r.drafts(e, step)
		require.NoError(r.t, r.PlanRemoval(r.t.Context(), schema.PlannedRemoval{ID: r.last(e).ID, Facts: d.Accounts[0].Facts, Bytes: bytes}))
	}
}

func (r *reviewing) budgets() schema.Campaign {
	r.t.Helper()
	c, err := r.TakeBudget(r.t.Context(), r.id)
	require.NoError(r.t, err)
	return c
}

// starts takes a revoked account to its case.
func (r *reviewing) starts(external string, step schema.StepFact) schema.Plan {
	r.t.Helper()
	r.plans(10, step, external)
	r.budgets()
	c, err := r.StartRemoval(r.t.Context(), r.last(external).ID, r.drafts(external, step))
	require.NoError(r.t, err)
	plans, err := r.CasePlans(r.t.Context(), c.ID)
	require.NoError(r.t, err)
	return plans[0]
}

// carriesOut takes a plan to its end.
func (r *reviewing) carriesOut(p schema.Plan) {
	r.t.Helper()
	for i := range p.Steps {
		require.NoError(r.t, r.CompleteStep(r.t.Context(), r.begin(p.ID, i), schema.StepDone, map[string]string{"n": "1"}))
	}
	require.NoError(r.t, r.EndPlan(r.t.Context(), p.ID, schema.PlanDone))
}

func (r *reviewing) follows() int {
	r.t.Helper()
	n, err := r.FollowRemovals(r.t.Context(), r.id)
	require.NoError(r.t, err)
	return n
}

// removing closes the campaign for answers.
func (r *reviewing) removing() {
	r.t.Helper()
	_, err := r.CloseCampaign(r.t.Context(), r.id, true, "done", r.admin)
	require.NoError(r.t, err)
	for n := 1; n > 0; {
		n, err = r.ApplySilence(r.t.Context(), r.id, r.review.Rule.Time.Silence, time.Now().Add(24*time.Hour), 50)
		require.NoError(r.t, err)
	}
	require.NoError(r.t, r.MoveCampaign(r.t.Context(), r.id, schema.CampaignClosing, schema.CampaignRemoving))
}

func TestWhatIsRevokedIsGathered(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	r.answers("1", schema.AnswerRevoke, schema.ItemRole, schema.ItemGroup)
	r.answers("2", schema.AnswerKeep, schema.ItemAccount)
	r.exec(`insert into campaign_item (id, campaign_id, kind, connection_id, login, facts, facts_hash, context, risk, score, applies, control, state, answer, updated_at)
		select $2, campaign_id, kind, connection_id, 'made@example.com', facts, facts_hash, context, risk, score, applies, 'made_up', 'decided', 'revoke', now()
		from campaign_item where campaign_id = $1 limit 1`, string(r.id), newUUID())
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "wanted 2", r.states("1"), "one for both, and none for what is made up")
	require.Empty(t, r.states("2"))
	before := r.count(`select count(*) from audit_record`)
	require.Zero(t, r.gathers())
	require.Equal(t, before, r.count(`select count(*) from audit_record`), "a repeat changes nothing")

	r.plans(10, leaves, "1")
	r.answers("1", schema.AnswerKeep, schema.ItemRole)
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "wanted 1", r.states("1"), "planned anew")
	r.plans(10, leaves, "1")
	r.answers("1", schema.AnswerRevoke, schema.ItemRole)
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "wanted 2", r.states("1"), "what is revoked later joins it")
	r.plans(10, leaves, "1")
	r.answers("1", schema.AnswerKeep, schema.ItemRole, schema.ItemGroup)
	r.gathers()
	require.Equal(t, "withdrawn 0", r.states("1"))

	r.answers("1", schema.AnswerRevoke, schema.ItemGroup)
	p := r.starts("1", leaves)
	r.answers("1", schema.AnswerRevoke, schema.ItemRole)
	require.Zero(t, r.gathers())
	require.Equal(t, "withdrawn 0, started 1", r.states("1"), "one that started is left alone")
	r.carriesOut(p)
	require.Zero(t, r.follows())
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "withdrawn 0, done 1, wanted 1", r.states("1"))
}

// TestWhatIsKeptInTimeIsNotRemoved: also when nobody gathered between the word and
// the start.
func TestWhatIsKeptInTimeIsNotRemoved(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.plans(10, leaves, "2")
	r.budgets()
	r.answers("2", schema.AnswerKeep, schema.ItemGroup)
	_, err := r.StartRemoval(t.Context(), r.last("2").ID, r.drafts("2", leaves))
	requireCode(t, schema.CodeHashDiffers, err)
	require.Equal(t, "ready 1", r.states("2"))
	r.gathers()
	require.Equal(t, "withdrawn 0", r.states("2"))
	require.Zero(t, r.count(`select count(*) from budget_use`))
	require.Zero(t, r.count(`select count(*) from lifecycle_case`))
}

func TestNothingThatIsRevokedIsLost(t *testing.T) {
	t.Parallel()
	r := removals(t, 4)
	items := r.items()
	for round := range 3 {
		var wg sync.WaitGroup
		for k := range 3 {
			wg.Go(func() {
				for n, i := range items {
					if n%3 != k {
						continue
					}
					answer := []schema.ItemAnswer{schema.AnswerRevoke, schema.AnswerKeep}[(n+round)%2]
					w := word(i, answer)
					list, err := r.DecideItems(t.Context(), r.id, []schema.Decide{w}, r.by)
					if err != nil || list[0].Code != "" {
						t.Error(err, list)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for range 3 {
					if _, err := r.GatherRemovals(t.Context(), r.id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		r.gathers()
		require.Zero(t, r.count(`select count(*) from campaign_item i left join campaign_removal m on m.id = i.removal_id
			where i.answer = 'revoke' and m.state is distinct from 'wanted' or i.answer = 'keep' and i.removal_id is not null`))
		require.Zero(t, r.count(`select count(*) from campaign_removal m where m.state = 'wanted' and not exists (select 1 from campaign_item where removal_id = m.id)`))
	}
}

func TestARemovalIsStartedOnce(t *testing.T) {
	t.Parallel()
	r := removals(t, 2, func(rule *schema.AccessReviewRule) { rule.Effect.Approvals = 1 })
	ctx := t.Context()
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.plans(10, leaves, "2")
	m := r.last("2")
	_, err := r.StartRemoval(ctx, m.ID, r.drafts("2", leaves))
	requireCode(t, schema.CodeStale, err)
	r.budgets()
	_, err = r.StartRemoval(ctx, m.ID, r.drafts("2", shutsOff))
	requireCode(t, schema.CodeHashDiffers, err)
	hr := r.leaver("2", "", "suspend")
	_, err = r.StartRemoval(ctx, m.ID, r.drafts("2", leaves))
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, "ready 1", r.states("2"))
	require.NoError(t, r.SettleRemoval(ctx, m.ID, schema.RemovalReady, "busy", "", hr.CaseID))
	r.decide(hr, schema.DecideCancel)
	require.NoError(t, r.EndPlan(ctx, hr.ID, schema.PlanCancelled))
	low := r.inactive("2", "")
	require.Equal(t, 2, r.count(`select sum(accounts) from budget_use where not reserved`)) // both by hand

	ids := make([]schema.CaseID, 3)
	var wg sync.WaitGroup
	d := r.drafts("2", leaves)
	for n := range ids {
		wg.Go(func() {
			if c, err := r.StartRemoval(ctx, m.ID, d); err == nil {
				ids[n] = c.ID
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, ids[0])
	require.Equal(t, []schema.CaseID{ids[0], ids[0]}, ids[1:])
	c, err := r.Case(ctx, ids[0])
	require.NoError(t, err)
	require.Equal(t, []any{schema.DoorAccessReview, "review:quarter", schema.TokenID(r.review.ID), 1}, []any{c.Door, c.RequestedBy, c.RequestedID, c.Approvals})
	require.Equal(t, schema.PlanSuperseded, r.plan(low.ID).State)
	m = r.last("2")
	require.Equal(t, []any{schema.RemovalStarted, ids[0], schema.CaseID("")}, []any{m.State, m.CaseID, m.WaitsFor})
	require.Equal(t, 3, r.count(`select sum(accounts) from budget_use`), "what was reserved is used, and counted once")
	require.Zero(t, r.count(`select count(*) from budget_use where reserved`))
}

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

func TestWhatIsImpossibleIsARemovalOfItsOwn(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	r.answers("1", schema.AnswerRevoke, schema.ItemRole, schema.ItemGroup)
	r.gathers()
	group := r.kind("1", schema.ItemGroup).ID
	require.NoError(t, r.PartRemoval(t.Context(), r.last("1").ID, []schema.ItemID{group}, "in the directory"))
	require.Equal(t, "wanted 1, impossible 1", r.states("1"))
	m := r.last("1")
	require.Equal(t, []any{"in the directory", group}, []any{m.Way, m.Items[0].ID})
	require.Zero(t, r.gathers())
	requireCode(t, schema.CodeStale, r.PartRemoval(t.Context(), r.removed("1")[0].ID, []schema.ItemID{group}, "again"))
	require.Contains(t, r.actionsOf(audit.CampaignStream(string(r.id))), "removal.impossible")
	r.answers("1", schema.AnswerKeep, schema.ItemGroup)
	r.gathers()
	require.Equal(t, "wanted 1, impossible 1", r.states("1"))
}

// actionsOf are what a stream records.
func (r *reviewing) actionsOf(stream string) []string {
	var out []string
	for _, e := range r.auditOf(stream) {
		out = append(out, e.Action)
	}
	return out
}

// TestWhatWaitsLetsOthersGo: pieces of removals begin with what can go on.
func TestWhatWaitsLetsOthersGo(t *testing.T) {
	t.Parallel()
	r := removals(t, 4)
	ctx := t.Context()
	for _, e := range []string{"1", "2", "3", "4"} {
		r.answers(e, schema.AnswerRevoke, schema.ItemGroup)
	}
	r.gathers()
	first := func() schema.Removal {
		list, err := r.RemovalsIn(ctx, r.id, schema.RemovalWanted, 1)
		require.NoError(t, err)
		require.Len(t, list, 1)
		return list[0]
	}
	hr := r.leaver("4", "", "suspend")
	seen := map[schema.RemovalID]bool{}
	for range 4 {
		m := first()
		seen[m.ID] = true
		require.NoError(t, r.SettleRemoval(ctx, m.ID, schema.RemovalWanted, "its connection does not answer", "", ""))
	}
	require.Len(t, seen, 4)
	m := first()
	require.Len(t, m.Items, len(r.ofAccount(m.AccountID)), "with what is not revoked of the account")
	require.NoError(t, r.SettleRemoval(ctx, m.ID, schema.RemovalWanted, "busy", "", hr.CaseID))
	for range 4 {
		next := first()
		require.NotEqual(t, m.ID, next.ID)
		require.NoError(t, r.SettleRemoval(ctx, next.ID, schema.RemovalWanted, "its connection does not answer", "", ""))
	}

	var listed []schema.RemovalID
	for after := ""; ; {
		page, next, err := r.Removals(ctx, r.id, schema.RemovalFilter{State: schema.RemovalWanted, After: after, Limit: 3})
		require.NoError(t, err)
		for _, m := range page {
			listed = append(listed, m.ID)
			require.Len(t, m.Items, 1)
		}
		if after = next; next == "" {
			break
		}
	}
	require.Len(t, listed, 4)
	_, _, err := r.Removals(ctx, r.id, schema.RemovalFilter{})
	requireCode(t, schema.CodeInvalid, err)
}

func (r *reviewing) ofAccount(id schema.AccountID) []schema.CampaignItem {
	return slices.DeleteFunc(r.items(), func(i schema.CampaignItem) bool { return i.Facts.AccountID != id })
}
