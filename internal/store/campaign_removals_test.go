package store_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

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

// TestARemovalIsNotMadeReadyByWhoeverReadIt: part of it is kept between the read and the
// word that it waits, and it gave its budget back.
func TestARemovalIsNotMadeReadyByWhoeverReadIt(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	r.revokes(10, shutsOff, "2")
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.budgets()
	m := r.last("2")
	require.Equal(t, schema.RemovalReady, m.State)
	require.NoError(t, r.SettleRemoval(t.Context(), m.ID, schema.RemovalWanted, "planned anew: part of it is kept", "", ""))
	require.Zero(t, r.count(`select count(*) from budget_use`))
	requireCode(t, schema.CodeStale, r.SettleRemoval(t.Context(), m.ID, m.State, "its connection does not answer", "", ""))
	require.Equal(t, schema.RemovalWanted, r.last("2").State)
	requireCode(t, schema.CodeStale, r.SettleRemoval(t.Context(), m.ID, schema.RemovalPlanned, "it waits", "", ""))
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
		list, err := r.RemovalsIn(ctx, r.id, schema.RemovalWanted, nil, 1)
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
	var others []schema.RemovalID
	for range 4 {
		next := first()
		if next.AccountID == r.last("4").AccountID {
			require.NoError(t, r.SettleRemoval(ctx, next.ID, schema.RemovalWanted, "busy", "", hr.CaseID))
			continue
		}
		others = append(others, next.ID)
		require.NoError(t, r.SettleRemoval(ctx, next.ID, schema.RemovalWanted, "its connection does not answer", "", ""))
	}
	require.Len(t, others, 3)
	list, err := r.RemovalsIn(ctx, r.id, schema.RemovalWanted, others[:2], 10)
	require.NoError(t, err)
	require.Len(t, list, 1, "neither what was seen, nor what a case still works on")
	require.Equal(t, others[2], list[0].ID)
	require.Equal(t, schema.RemovalsLeft{Waiting: 4}, r.left())

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
	_, _, err = r.Removals(ctx, r.id, schema.RemovalFilter{})
	requireCode(t, schema.CodeInvalid, err)
}

func (r *reviewing) ofAccount(id schema.AccountID) []schema.CampaignItem {
	return slices.DeleteFunc(r.items(), func(i schema.CampaignItem) bool { return i.Facts.AccountID != id })
}

// TestWhatWasImpossibleAloneIsPlannedTogether: a membership cannot be taken away while
// something reached through it is not revoked.
func TestWhatWasImpossibleAloneIsPlannedTogether(t *testing.T) {
	t.Parallel()
	r := removals(t, 2)
	ctx := t.Context()
	r.answers("1", schema.AnswerRevoke, schema.ItemGroup)
	r.gathers()
	alone := r.last("1").ID
	require.NoError(t, r.SettleRemoval(ctx, alone, schema.RemovalImpossible, "alone", "share it otherwise", ""))
	require.Zero(t, r.gathers(), "it is not tried again by itself")
	r.answers("1", schema.AnswerRevoke, schema.ItemRole)
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "withdrawn 0, wanted 2", r.states("1"))
	require.Zero(t, r.gathers())
}

// TestNothingIsSentThroughARemovedConnection: what was revoked there is told to people.
func TestNothingIsSentThroughARemovedConnection(t *testing.T) {
	t.Parallel()
	r := removals(t, 3)
	r.answers("1", schema.AnswerRevoke, schema.ItemGroup)
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.plans(10, leaves, "1")
	r.budgets()
	r.exec(`update connection set state = 'removed'`)
	r.gathers()
	for _, e := range []string{"1", "2"} {
		require.Equal(t, []any{schema.RemovalImpossible, "its connection was removed: take the access away at the vendor"}, []any{r.last(e).State, r.last(e).Way})
	}
	require.Zero(t, r.count(`select count(*) from budget_use where reserved`), "what it took is given back")
	require.Equal(t, schema.RemovalsLeft{}, r.left())
}
