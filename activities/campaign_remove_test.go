package activities_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/schema"
)

// taking is a campaign that removes what was revoked.
type taking struct {
	*bundle
	campaigns *activities.Campaigns
	id        schema.CampaignID
	account   schema.Account
}

func takes(b *bundle, edit ...func(*schema.AccessReviewRule)) *taking {
	b.t.Helper()
	k := &taking{bundle: b, campaigns: activities.NewCampaigns(activities.CampaignsConfig{
		Store: b.Store, Planner: b.planner(), Clocks: schema.DefaultClocks(), Now: b.now,
	})}
	ctx := b.t.Context()
	rule := schema.AccessReviewRule{
		Name: "quarter", Owner: "owner@example.com", Scope: schema.CampaignScope{Connections: []string{"fake"}, Items: schema.ItemKinds(), Holders: schema.HoldersAll},
		Stages: []schema.ReviewStage{{Name: "first", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}}}},
		Time:   schema.CampaignTime{Due: 14 * day, Silence: schema.SilenceEscalates},
		Effect: schema.EffectRule{When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSuspend}}, Role: schema.RoleMember},
		Watch:  day,
	}
	for _, e := range edit {
		e(&rule)
	}
	applied, err := b.ApplyAccessReviews(ctx, schema.ApplyAccessReviews{Rules: []schema.AccessReviewFile{{Source: "x", Rule: rule}}}, b.admin)
	require.NoError(b.t, err)
	c, err := b.BeginCampaign(ctx, applied[0].Review.ID, time.Now(), "campaign/1")
	require.NoError(b.t, err)
	k.id = c.ID
	b.exec(`update campaign set state = 'removing' where id = $1`, string(c.ID))
	seen := b.vendor.accounts[leaver]
	seen.ConnectionID, seen.ObservedAt = b.conn.ID, time.Now()
	k.account, err = b.SaveAccount(ctx, seen)
	require.NoError(b.t, err)
	return k
}

// has makes an item about the account with its answer.
func (k *taking) has(answer schema.ItemAnswer, f schema.ItemFacts) {
	k.t.Helper()
	f.AccountID, f.ExternalID, f.Login, f.Role, f.Held = k.account.ID, k.account.ExternalID, k.account.Login, k.account.Role, true
	k.exec(`insert into campaign_item (id, campaign_id, account_id, kind, ref, connection_id, login, facts, facts_hash, context, risk, score, applies, state, answer, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{}', 'low', 1, '{1}', 'decided', $10, now())`,
		uuid.NewString(), string(k.id), string(k.account.ID), string(f.Kind), f.Ref, string(k.conn.ID), f.Login, f, f.Hash(), string(answer))
}

func group(ref, provenance string) schema.ItemFacts {
	return schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemGroup, Ref: ref}, Group: "Group " + ref, Provenance: provenance}
}

func (k *taking) state() schema.CampaignState {
	k.t.Helper()
	c, err := k.Campaign(k.t.Context(), k.id)
	require.NoError(k.t, err)
	return c.State
}

// watches looks at a closed campaign until it waits.
func (k *taking) watches() activities.Piece {
	k.t.Helper()
	return k.does(k.campaigns.WatchCampaign, schema.CampaignClosed)
}

// pieces carries the removals on until they wait, or the campaign is closed.
func (k *taking) pieces() activities.Piece {
	k.t.Helper()
	return k.does(k.campaigns.RemoveAccess, schema.CampaignRemoving)
}

// does a piece of work again and again until it waits, or the campaign is in another
// state.
func (k *taking) does(piece any, in schema.CampaignState) activities.Piece {
	k.t.Helper()
	for range 20 {
		env := newEnv(worker.Options{}, zap.NewNop())
		env.RegisterActivity(k.campaigns)
		value, err := env.ExecuteActivity(piece, activities.CampaignInput{CampaignID: k.id})
		require.NoError(k.t, err)
		var p activities.Piece
		require.NoError(k.t, value.Get(&p))
		if !p.More || k.state() != in {
			return p
		}
	}
	require.Fail(k.t, "it goes round in circles")
	return activities.Piece{}
}

func (k *taking) in(state schema.RemovalState) []schema.Removal {
	k.t.Helper()
	list, _, err := k.Removals(k.t.Context(), k.id, schema.RemovalFilter{State: state, Limit: 10})
	require.NoError(k.t, err)
	return list
}

func TestRevokedAccessIsRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.me.Role = schema.RoleOwner
	b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin })
	b.vendor.groups = []schema.Membership{{ID: "m1", GroupID: "g1"}, {ID: "m2", GroupID: "g2"}, {ID: "m3", GroupID: "g3", Fixed: true}}
	k := takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemRole}})
	k.has(schema.AnswerRevoke, group("g1", ""))
	k.has(schema.AnswerKeep, group("g2", ""))
	k.has(schema.AnswerRevoke, group("g3", "okta"))

	// Somebody offboards the person just now.
	hr := b.open(request("suspend"))
	require.True(t, k.pieces().More)
	wanted := k.in(schema.RemovalWanted)
	require.Len(t, wanted, 1)
	require.Equal(t, hr.CaseID, wanted[0].WaitsFor)
	require.Equal(t, schema.CampaignClosed, k.state(), "a month of another case keeps nobody from signing")
	require.Positive(t, k.watches().Wait, "and goes on meanwhile")
	require.Len(t, k.in(schema.RemovalWanted), 1)
	b.decide(hr.ID, schema.Decision{Kind: schema.DecideCancel}, b.admin)
	require.NoError(t, b.EndPlan(t.Context(), hr.ID, schema.PlanCancelled))

	b.exec(`update connection set state = 'disabled'`)
	require.Positive(t, k.watches().Wait)
	require.Equal(t, "its connection is disabled", k.in(schema.RemovalWanted)[0].Why)
	b.exec(`update connection set state = 'enabled'`)

	require.Positive(t, k.watches().Wait)
	impossible := k.in(schema.RemovalImpossible)
	require.Len(t, impossible, 1)
	require.Equal(t, `take the person out of the group "Group g3" in the directory that feeds it: okta`, impossible[0].Way)
	require.Len(t, impossible[0].Items, 1)
	started := k.in(schema.RemovalStarted)
	require.Len(t, started, 1)
	require.Len(t, started[0].Items, 2)
	plans, err := b.CasePlans(t.Context(), started[0].CaseID)
	require.NoError(t, err)
	require.Equal(t, []schema.StepFact{
		{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: []schema.ExternalID{"g1"}}},
		{Kind: schema.StepSetRole, StepParams: schema.StepParams{Role: schema.RoleMember}},
	}, plans[0].Facts.Steps)

	for i, fn := range []any{b.acts.RemoveFromGroups, b.acts.SetRole} {
		_, err := b.activityEnv(worker.Options{}).ExecuteActivity(fn, activities.StepInput{Ref: schema.StepRef{PlanID: plans[0].ID, Index: i, Fence: b.plan(plans[0].ID).Fence}})
		require.NoError(t, err)
	}
	require.Equal(t, []schema.ExternalID{"g2", "g3"}, groupsOf(b.vendor.groups))
	require.Equal(t, schema.RoleMember, b.vendor.accounts[leaver].Role)
	require.NoError(t, b.EndPlan(t.Context(), plans[0].ID, schema.PlanDone))
	k.watches()
	require.Len(t, k.in(schema.RemovalDone), 1)
	require.Len(t, k.in(schema.RemovalImpossible), 1, "nothing proves that it is gone")
	require.Equal(t, schema.CampaignClosed, k.state())
}

// TestARevokedAccountIsShutAndLeavesItsGroups: each revoked item is proven for itself.
func TestARevokedAccountIsShutAndLeavesItsGroups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.me.Role = schema.RoleOwner
	b.vendor.groups = []schema.Membership{{ID: "m1", GroupID: "g1"}, {ID: "m2", GroupID: "g2", Fixed: true}}
	k := takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	k.has(schema.AnswerRevoke, group("g1", ""))
	k.has(schema.AnswerRevoke, group("g2", "okta"))
	require.Positive(t, k.pieces().Wait)
	started := k.in(schema.RemovalStarted)
	require.Len(t, started, 1)
	require.Len(t, started[0].Items, 2, "the account and the group that it leaves")
	require.Len(t, k.in(schema.RemovalImpossible), 1, "what a directory feeds is proven by nobody's suspension")
	plans, err := b.CasePlans(t.Context(), started[0].CaseID)
	require.NoError(t, err)
	var kinds []schema.StepKind
	for i, s := range plans[0].Facts.Steps {
		kinds = append(kinds, s.Kind)
		fn := map[schema.StepKind]any{schema.StepSuspend: b.acts.Suspend, schema.StepRemoveFromGroups: b.acts.RemoveFromGroups}[s.Kind]
		_, err := b.activityEnv(worker.Options{}).ExecuteActivity(fn, activities.StepInput{Ref: schema.StepRef{PlanID: plans[0].ID, Index: i, Fence: b.plan(plans[0].ID).Fence}})
		require.NoError(t, err)
	}
	require.Equal(t, []schema.StepKind{schema.StepSuspend, schema.StepRemoveFromGroups}, kinds)
	require.Equal(t, []schema.ExternalID{"g2"}, groupsOf(b.vendor.groups))
	require.Equal(t, schema.AccountSuspended, b.vendor.accounts[leaver].Status)
}

func groupsOf(list []schema.Membership) []schema.ExternalID {
	var out []schema.ExternalID
	for _, m := range list {
		out = append(out, m.GroupID)
	}
	slices.Sort(out)
	return out
}
