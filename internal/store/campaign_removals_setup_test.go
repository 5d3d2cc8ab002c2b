package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// follows is how many removals are at work.
func (r *reviewing) follows() int {
	r.t.Helper()
	return r.left().Working
}

func (r *reviewing) left() schema.RemovalsLeft {
	r.t.Helper()
	left, err := r.FollowRemovals(r.t.Context(), r.id)
	require.NoError(r.t, err)
	return left
}

// removing closes the campaign for answers.
func (r *reviewing) removing() {
	r.t.Helper()
	_, err := r.CloseCampaign(r.t.Context(), r.id, true, "done", r.admin)
	require.NoError(r.t, err)
	for n := 1; n > 0; {
		n, err = r.ApplySilence(r.t.Context(), r.id, r.review.Rule.Time.Silence, 50)
		require.NoError(r.t, err)
	}
	require.NoError(r.t, r.MoveCampaign(r.t.Context(), r.id, schema.CampaignClosing, schema.CampaignRemoving))
}

// actionsOf are what a stream records.
func (r *reviewing) actionsOf(stream string) []string {
	var out []string
	for _, e := range r.auditOf(stream) {
		out = append(out, e.Action)
	}
	return out
}
