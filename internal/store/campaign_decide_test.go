package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func TestAWordIsTakenOnce(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	i := r.of("1")
	require.Equal(t, []any{schema.ItemOpen, r.boss, "Boss"}, []any{i.State, i.ReviewerID, i.Reviewer})
	w := word(i, schema.AnswerKeep)
	require.Equal(t, schema.Decided{ItemID: i.ID, Version: 1, State: schema.ItemDecided, Answer: schema.AnswerKeep}, r.says(w, r.by))
	require.Equal(t, schema.Decided{ItemID: i.ID, Version: 1, State: schema.ItemDecided, Answer: schema.AnswerKeep, Duplicate: true}, r.says(w, r.by))
	other := w
	other.Answer = schema.AnswerRevoke
	require.Equal(t, string(schema.CodeConflict), r.says(other, r.by).Code)
	require.Equal(t, string(schema.CodeConflict), r.says(w, r.holds(r.of("2"), "owner@example.com")).Code, "another person's repeat is none")
	i = r.item(i.ID)
	require.Equal(t, []any{schema.ItemDecided, schema.AnswerKeep, "because", r.by.Name}, []any{i.State, i.Answer, i.Reason, i.DecidedBy})
	said, err := r.ItemDecisions(t.Context(), r.id, i.ID, r.by)
	require.NoError(t, err)
	require.Len(t, said, 1)
	require.Equal(t, []any{w.ID, r.boss, r.by.TokenID, true}, []any{said[0].ID, said[0].ReviewerID, said[0].TokenID, said[0].Current})
	require.Equal(t, 1, r.count(`select count(*) from audit_record where stream = $1`, audit.ReviewerStream(string(r.id), string(r.boss))))

	list, err := r.DecideItems(t.Context(), r.id, []schema.Decide{w, word(r.of("2"), schema.AnswerRevoke), word(r.of("3"), "maybe"), word(schema.CampaignItem{ID: "x"}, schema.AnswerKeep)}, r.by)
	require.NoError(t, err)
	require.Equal(t, []string{"", "forbidden", "invalid", "not_found"}, []string{list[0].Code, list[1].Code, list[2].Code, list[3].Code})
	require.True(t, list[0].Duplicate)
}

// holds gives an item to somebody else, and returns them.
func (r *reviewing) holds(i schema.CampaignItem, email string) schema.Principal {
	r.t.Helper()
	_, err := r.Reassign(r.t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: email, Reason: "holidays"}, r.admin)
	require.NoError(r.t, err)
	r.assign()
	by := r.signer
	by.Email = email
	return by
}

func TestWhoMayNotDecide(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2)
	i := r.of("1")
	user := r.reviewer("user1@example.com")
	_, err := r.DecideItems(t.Context(), r.id, []schema.Decide{word(i, schema.AnswerKeep)}, user)
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.DecideItems(t.Context(), r.id, []schema.Decide{word(i, schema.AnswerKeep)}, r.admin)
	requireCode(t, schema.CodeForbidden, err)
	require.ErrorContains(t, err, "no reviewer")

	_, err = r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: "user1@example.com", Reason: "why not"}, r.admin)
	requireCode(t, schema.CodeConflict, err)
	_, err = r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: "owner@example.com", Reason: "why not"}, user)
	requireCode(t, schema.CodeConflict, err)

	r.exec(`update account set person_id = $2 where id = $1`, string(i.Facts.AccountID), string(r.boss))
	require.Equal(t, "forbidden", r.says(word(i, schema.AnswerKeep), r.by).Code)
	r.exec(`update account set person_id = null where id = $1`, string(i.Facts.AccountID))
	r.exec(`update person_email set person_id = $2 where email = $1`, "user1@example.com", string(r.boss))
	require.Equal(t, "forbidden", r.says(word(i, schema.AnswerKeep), r.by).Code, "an unmatched account with their address as login")
	_, err = r.RefreshItems(t.Context(), r.id, "", 100)
	require.NoError(t, err)
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUnassigned: 1, schema.ItemOpen: 1}, r.itemStates(r.id))
	r.exec(`update person set merged_into = $2 where id = (select person_id from account where id = $1)`, string(r.of("2").Facts.AccountID), string(r.boss))
	require.Equal(t, "forbidden", r.says(word(r.of("2"), schema.AnswerKeep), r.by).Code, "the holder is the reviewer, found to be one person")
	require.Equal(t, 0, r.count(`select count(*) from campaign_decision`))
}

// Who gives an account up does not come to decide about it by that: not at any of
// the places where a reviewer is found, nor where the word is taken.
func TestWhoHeldItBeforeDoesNotDecide(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	i, j := r.of("1"), r.of("2")
	require.NoError(t, r.LinkAccount(t.Context(), i.Facts.AccountID, r.boss, "his", r.admin))
	require.NoError(t, r.UnlinkAccount(t.Context(), i.Facts.AccountID, "no longer his", r.admin))
	require.NotEqual(t, string(r.boss), r.text(`select coalesce(person_id::text, '') from account where id = $1`, string(i.Facts.AccountID)))
	// The login that the item was made with is another one by now.
	r.exec(`update account set login = 'renamed@example.com' where id = $1`, string(j.Facts.AccountID))
	_, err := r.RefreshItems(t.Context(), r.id, "", 100)
	require.NoError(t, err)
	r.exec(`update person_email set person_id = $1 where email = 'user2@example.com'`, string(r.boss))

	for _, item := range []schema.CampaignItem{i, j} {
		require.Equal(t, "forbidden", r.says(word(r.item(item.ID), schema.AnswerKeep), r.by).Code)
		_, err = r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{item.ID}, To: "boss@example.com", Reason: "why not"}, r.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{item.ID}, To: "owner@example.com", Reason: "why not"}, r.by)
		requireCode(t, schema.CodeConflict, err)
	}
	_, err = r.RefreshItems(t.Context(), r.id, "", 100)
	require.NoError(t, err)
	open, err := r.Unassigned(t.Context(), r.id, 10)
	require.NoError(t, err)
	require.Len(t, open, 2)
	for _, u := range open {
		require.Contains(t, u.Holders, r.boss)
		require.NoError(t, r.Assign(t.Context(), r.id, []schema.Assignment{{ItemID: u.ItemID, Version: u.Version, ReviewerID: r.boss}}, nil))
	}
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUnassigned: 2, schema.ItemOpen: 1}, r.itemStates(r.id))
	r.assign()
	require.Equal(t, r.owner, r.item(i.ID).ReviewerID)
	require.Equal(t, r.owner, r.item(j.ID).ReviewerID)
}

func TestAStalePage(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2)
	i := r.of("1")
	r.exec(`update account set role = 'coadmin' where id = $1`, string(i.Facts.AccountID))
	d := r.says(word(i, schema.AnswerKeep), r.by)
	require.Equal(t, "stale", d.Code)
	require.Equal(t, []schema.Difference{{Fact: "role", Before: "member", Now: "coadmin"}}, d.Changed)
	require.Equal(t, 2, d.Version)
	d = r.says(word(i, schema.AnswerKeep), r.by)
	require.Equal(t, []any{"stale", 2, 1}, []any{d.Code, d.Version, len(d.Changed)}, "the old page stays old")
	now := r.item(i.ID)
	require.Equal(t, schema.RoleCoadmin, now.Facts.Role)
	require.Equal(t, now.Facts.Hash(), r.text(`select facts_hash from campaign_item where id = $1`, string(i.ID)))
	r.takes(now, schema.AnswerKeep, r.by)

	// Access that ends is gone, and comes back.
	j := r.of("2")
	r.exec(`update account set status = 'deleted' where id = $1`, string(j.Facts.AccountID))
	d = r.says(word(j, schema.AnswerKeep), r.by)
	require.Equal(t, []any{"stale", schema.ItemGone}, []any{d.Code, d.State})
	require.Equal(t, "conflict", r.says(word(r.item(j.ID), schema.AnswerKeep), r.by).Code)
	r.exec(`update account set status = 'active' where id = $1`, string(j.Facts.AccountID))
	last, err := r.RefreshItems(t.Context(), r.id, "", 100)
	require.NoError(t, err)
	require.Empty(t, last)
	require.Equal(t, schema.ItemUnassigned, r.item(j.ID).State)
	r.assign()
	require.Equal(t, r.boss, r.item(j.ID).ReviewerID, "who had it before it was gone may have it again")
	r.takes(r.item(j.ID), schema.AnswerKeep, r.by)
	require.Equal(t, 2, r.count(`select count(*) from campaign_item_version where item_id = $1`, string(j.ID)))
}

func TestTheListingAndTheComparisonSayTheSame(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	r.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at) select id, '9', 'Nine', false, 'okta', now() from connection`)
	r.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at) select id, '9', '1', 'm1', 'admin', now() from connection`)
	r.exec(`insert into group_collaboration (connection_id, group_id, external_id, item_type, item_id, item_name, role, status, first_seen_at)
		select id, '9', 'c1', 'folder', '7', 'Plans', 'editor', 'accepted', now() from connection`)
	r.exec(`update account set role = 'coadmin', last_active_at = now() - interval '100 days' where external_id = '2'`)
	r.exec(`insert into activity_feed (connection_id, source, live, updated_at) select id, 'box.events', '1', now() from connection`)
	r.exec(`insert into activity_interval select id, 'box.events', now() - interval '180 days', now() from connection`)
	_, err := r.CancelCampaign(t.Context(), r.id, "again", r.admin)
	require.NoError(t, err)
	run := r.begins(r.review)
	held := r.lists(run, r.query(r.review))
	require.Len(t, held, 6, "three accounts, a role, a group and what it reaches")
	_, err = r.RefreshItems(t.Context(), run.ID, "", 100)
	require.NoError(t, err)
	require.Equal(t, 0, r.count(`select count(*) from campaign_item where campaign_id = $1 and version > 1`, string(run.ID)))
	r.exec(`update group_collaboration set granted_by = 'ann@example.com'`)
	_, err = r.RefreshItems(t.Context(), run.ID, "", 100)
	require.NoError(t, err)
	require.Equal(t, 0, r.count(`select count(*) from campaign_item where campaign_id = $1 and version > 1`, string(run.ID)), "who gave it is no fact")
	r.exec(`update vendor_group set name = 'Ten'`)
	r.exec(`delete from group_collaboration`)
	_, err = r.RefreshItems(t.Context(), run.ID, "", 100)
	require.NoError(t, err)
	require.Equal(t, 2, r.count(`select count(*) from campaign_item where campaign_id = $1 and version > 1`, string(run.ID)))
	require.Equal(t, "gone", r.text(`select state from campaign_item where campaign_id = $1 and kind = 'collaboration'`, string(run.ID)))
}

func TestWhatTheRuleAsksOfAWord(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3, func(rule *schema.AccessReviewRule) {
		rule.Decisions = schema.DecisionRule{ReasonFor: []schema.ItemAnswer{schema.AnswerRevoke}, HighRiskReason: true, BulkBelow: schema.RiskMedium}
	})
	r.exec(`update campaign_item set risk = 'high' where account_id = (select id from account where external_id = '2')`)
	bare := func(external string, answer schema.ItemAnswer, bulk bool) string {
		w := word(r.of(external), answer)
		w.Reason, w.Bulk = " ", bulk
		return r.says(w, r.by).Code
	}
	require.Equal(t, "invalid", bare("1", schema.AnswerRevoke, false), "revoking needs a reason")
	require.Equal(t, "invalid", bare("2", schema.AnswerKeep, false), "high risk needs a reason")
	require.Equal(t, "invalid", bare("1", schema.AnswerAbstain, false), "nobody abstains")
	w := word(r.of("2"), schema.AnswerKeep)
	w.Bulk = true
	require.Equal(t, "invalid", r.says(w, r.by).Code, "high risk is not decided in bulk")
	require.Equal(t, "", bare("1", schema.AnswerKeep, true))
	require.Equal(t, "", bare("3", schema.AnswerKeep, false))
}

func TestAWordWaitsForWhoeverMovesItsItem(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1)
	i, ctx := r.of("1"), t.Context()
	tx, err := r.sql().Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `update campaign_item set state = 'unassigned', reviewer_id = null where id = $1`, string(i.ID))
	require.NoError(t, err)
	said := make(chan schema.Decided, 1)
	go func() {
		done, err := r.DecideItems(ctx, r.id, []schema.Decide{word(i, schema.AnswerKeep)}, r.by)
		if err != nil || len(done) != 1 {
			done = []schema.Decided{{Code: "failed"}}
		}
		said <- done[0]
	}()
	look := r.sql()
	require.Eventually(t, func() bool {
		return ask[int](t, look, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) > 0
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "forbidden", (<-said).Code, "it is judged by what is so after that")
}

func TestStagesHaveDistinctPeople(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("first", schema.StageAll, named("boss@example.com")), stage("second", schema.StageKept, named("boss@example.com", "owner@example.com"))),
		func(rule *schema.AccessReviewRule) { rule.Decisions.Abstain = true })
	i, j := r.of("1"), r.of("2")
	r.takes(i, schema.AnswerKeep, r.by)
	require.Equal(t, []any{schema.ItemUnassigned, 1, schema.ItemAnswer("")}, []any{r.item(i.ID).State, r.item(i.ID).Stage, r.item(i.ID).Answer})
	require.Equal(t, []string{"campaign " + string(r.id)}, lastOf(r.dispatched()))
	r.assign()
	require.Equal(t, r.owner, r.item(i.ID).ReviewerID)
	_, err := r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: "boss@example.com", Reason: "why not"}, r.admin)
	requireCode(t, schema.CodeConflict, err)
	r.exec(`update campaign_item set reviewer_id = $2 where id = $1`, string(i.ID), string(r.boss))
	require.Equal(t, "forbidden", r.says(word(r.item(i.ID), schema.AnswerKeep), r.by).Code, "not even when they were given it")
	r.exec(`update campaign_item set reviewer_id = $2 where id = $1`, string(i.ID), string(r.owner))

	r.takes(r.item(i.ID), schema.AnswerRevoke, r.by)
	require.Equal(t, []any{schema.ItemDecided, 0, schema.AnswerRevoke}, []any{r.item(i.ID).State, r.item(i.ID).Stage, r.item(i.ID).Answer}, "what is revoked comes to no second stage")
	r.takes(r.item(i.ID), schema.AnswerKeep, r.by)
	r.assign()
	r.takes(r.item(i.ID), schema.AnswerKeep, r.signer)
	require.Equal(t, schema.ItemDecided, r.item(i.ID).State)
	require.Equal(t, "forbidden", r.says(word(r.item(i.ID), schema.AnswerRevoke), r.by).Code, "a later stage has decided")
	r.takes(r.item(i.ID), schema.AnswerRevoke, r.signer)
	require.Equal(t, schema.AnswerRevoke, r.item(i.ID).Answer)

	r.takes(j, schema.AnswerAbstain, r.by)
	require.Equal(t, []any{schema.ItemUnassigned, 0, 0}, []any{r.item(j.ID).State, r.item(j.ID).Position, r.item(j.ID).Stage})
	r.assign()
	require.Equal(t, r.owner, r.item(j.ID).ReviewerID, "the next in the chain")
	require.Equal(t, "forbidden", r.says(word(r.item(j.ID), schema.AnswerKeep), r.by).Code)
	r.takes(r.item(j.ID), schema.AnswerRevoke, r.signer)
	require.Equal(t, schema.ItemDecided, r.item(j.ID).State)
}

// TestWhoAbstainsLeavesItToTheOthersNamed: those who are named beside them come before the
// next place in the chain.
func TestWhoAbstainsLeavesItToTheOthersNamed(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("only", schema.StageAll, named("boss@example.com", "second@example.com"), named("third@example.com"))),
		func(rule *schema.AccessReviewRule) { rule.Decisions.Abstain = true })
	second, third := r.person("second@example.com", "it"), r.person("third@example.com", "it")
	by := map[schema.PersonID]schema.Principal{r.boss: r.by, second: r.reviewer("second@example.com"), third: r.reviewer("third@example.com")}
	seen := []schema.PersonID{r.of("1").ReviewerID}
	for range 3 {
		i := r.of("1")
		r.takes(i, schema.AnswerAbstain, by[i.ReviewerID])
		r.assign()
		seen = append(seen, r.of("1").ReviewerID)
	}
	require.ElementsMatch(t, []schema.PersonID{r.boss, second}, seen[:2])
	require.Equal(t, []schema.PersonID{third, r.owner}, seen[2:])
}

func lastOf(list []string) []string {
	if len(list) == 0 {
		return list
	}
	return list[len(list)-1:]
}

func TestDecisionsAfterTheClose(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3, func(rule *schema.AccessReviewRule) { rule.Time.Silence = schema.SilenceKeeps })
	i := r.of("1")
	w := word(i, schema.AnswerRevoke)
	require.Empty(t, r.says(w, r.by).Code)
	r.closes()
	_, err := r.DecideItems(t.Context(), r.id, []schema.Decide{word(r.of("2"), schema.AnswerKeep)}, r.by)
	requireCode(t, schema.CodeClosed, err)
	var closed *schema.Error
	require.ErrorAs(t, err, &closed)
	require.Contains(t, closed.Fix, "second look", "no first word: nothing else opens it again")
	require.Equal(t, []any{schema.ItemDecided, schema.AnswerKeep, ""}, []any{r.of("2").State, r.of("2").Answer, r.of("2").DecidedBy})
	require.True(t, r.says(w, r.by).Duplicate, "what was taken is known after the close")
	require.Empty(t, r.says(word(r.item(i.ID), schema.AnswerKeep), r.by).Code, "corrected until the sign-off")
	require.Equal(t, "forbidden", r.says(word(r.item(i.ID), schema.AnswerRevoke), r.holdsToken("owner@example.com")).Code)
	_, err = r.SignCampaign(t.Context(), r.id, schema.SignOff{}, render, r.signer)
	require.NoError(t, err)
	_, err = r.DecideItems(t.Context(), r.id, []schema.Decide{word(r.item(i.ID), schema.AnswerRevoke)}, r.by)
	requireFix(t, schema.CodeClosed, "nothing opens it again", err)
	require.True(t, r.says(w, r.by).Duplicate)
}

func (r *reviewing) holdsToken(email string) schema.Principal {
	p := r.signer
	p.Email = email
	return p
}

func render(e schema.CampaignEvidence) ([]byte, error) {
	var b strings.Builder
	for _, i := range e.Items {
		b.WriteString(string(i.ID) + " " + string(i.Answer) + "\n")
	}
	return []byte(b.String()), nil
}

func TestACorrectionAndItsRemoval(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2)
	i := r.of("1")
	r.takes(i, schema.AnswerRevoke, r.by)
	_, err := r.GatherRemovals(t.Context(), r.id)
	require.NoError(t, err)
	require.Equal(t, schema.RemovalWanted, r.item(i.ID).Removal)
	r.drain()
	r.takes(r.item(i.ID), schema.AnswerKeep, r.by)
	require.Equal(t, []string{"campaign " + string(r.id)}, r.dispatched(), "what is kept is taken out of its removal")
	_, err = r.GatherRemovals(t.Context(), r.id)
	require.NoError(t, err)

	r.takes(r.item(i.ID), schema.AnswerRevoke, r.by)
	_, err = r.GatherRemovals(t.Context(), r.id)
	require.NoError(t, err)
	p := r.leaver("1", "2", "leaver")
	started := func(state string) {
		r.exec(`update campaign_removal set state = $3, case_id = $2 where id = (select removal_id from campaign_item where id = $1)`, string(i.ID), string(p.CaseID), state)
	}
	started("started")
	r.takes(r.item(i.ID), schema.AnswerKeep, r.by)
	require.Equal(t, schema.PlanCancelling, r.plan(p.ID).State)
	require.Equal(t, r.by.Name, r.text(`select principal from decision where case_id = $1 and kind = 'cancel'`, string(p.CaseID)))
	d := r.says(word(r.item(i.ID), schema.AnswerRevoke), r.by)
	require.Equal(t, "conflict", d.Code, "it is being given back")

	r.exec(`update campaign_item set answer = 'revoke' where id = $1`, string(i.ID))
	r.exec(`update plan set state = 'done' where id = $1`, string(p.ID))
	d = r.says(word(r.item(i.ID), schema.AnswerKeep), r.by)
	require.Equal(t, "conflict", d.Code)
	require.Contains(t, d.Fix, "operator")
	started("done")
	require.Equal(t, "conflict", r.says(word(r.item(i.ID), schema.AnswerKeep), r.by).Code, "the vendor says that it is gone")
	require.Equal(t, 4, r.count(`select count(*) from campaign_decision`))
}
