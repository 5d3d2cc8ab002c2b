package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// What is said to be reassigned is: whoever had it before, or has as many as one may
// have, gets it. What cannot be is refused at once, with all that speaks against it.
func TestAReassignmentIsDoneOrRefused(t *testing.T) {
	t.Parallel()
	r := reviews(t, 5, func(rule *schema.AccessReviewRule) { rule.LoadCap = 3 })
	r.person("next@example.com", "")
	var bosses, owners []schema.CampaignItem
	for _, i := range r.items() {
		if i.ReviewerID == r.boss {
			bosses = append(bosses, i)
			continue
		}
		owners = append(owners, i)
	}
	require.Len(t, bosses, 3)
	r.holds(bosses[0], "next@example.com")
	require.Equal(t, "Next", r.item(bosses[0].ID).Reviewer)
	r.holds(bosses[0], "boss@example.com")
	require.Equal(t, r.boss, r.item(bosses[0].ID).ReviewerID, "who had it before")
	r.holds(owners[0], "boss@example.com")
	require.Equal(t, r.boss, r.item(owners[0].ID).ReviewerID, "who has as many as one may have")

	refused := func(w schema.Reassign, by schema.Principal) []string {
		t.Helper()
		w.Reason = "why not"
		n, err := r.Reassign(t.Context(), r.id, w, by)
		requireCode(t, schema.CodeConflict, err)
		require.Equal(t, 0, n)
		var list []string
		for _, p := range problemsOf(t, err) {
			list = append(list, p.Where+": "+p.Message)
		}
		return list
	}
	own := string(bosses[1].ID)
	email := r.text(`select p.email from person p join account a on a.person_id = p.id where a.id = $1`, string(bosses[1].Facts.AccountID))
	_, err := r.SetAbsence(t.Context(), schema.NewAbsence{Person: email, Until: time.Now().Add(time.Hour), Delegate: "next@example.com", Reason: "sun"}, r.admin)
	require.NoError(t, err)
	r.takes(bosses[2], schema.AnswerKeep, r.by)
	three := []schema.ItemID{bosses[0].ID, bosses[1].ID, bosses[2].ID, bosses[0].ID}
	require.ElementsMatch(t, []string{"to: the person is absent", own + ": the person holds the account, or did", string(bosses[2].ID) + ": it is not to be decided"},
		refused(schema.Reassign{Items: three, To: email}, r.admin))
	r.exec(`update person set last_day = current_date - 2 where email = 'next@example.com'`)
	require.Equal(t, []string{"to: the person has left"}, refused(schema.Reassign{From: r.boss, To: "next@example.com"}, r.admin))
	require.Len(t, refused(schema.Reassign{From: r.boss, To: "boss@example.com"}, r.admin), 3, "they have them already")
	require.Equal(t, r.boss, r.item(bosses[0].ID).ReviewerID, "nothing was changed")
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemOpen: 4, schema.ItemDecided: 1}, r.itemStates(r.id))
}

// A second look has what a reviewer decided done again by others: in the stage of
// that decision, whatever happened to the item since, and whoever the reviewer is
// known as.
func TestDecisionsAreDoneAgain(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3, stages(stage("first", schema.StageAll, named("boss@example.com"), named("next@example.com")),
		stage("second", schema.StageKept, named("a@example.com"), named("b@example.com"))))
	ctx := t.Context()
	next, a, b := r.person("next@example.com", ""), r.person("a@example.com", ""), r.person("b@example.com", "")
	for _, i := range r.items() {
		r.takes(i, schema.AnswerKeep, r.by)
	}
	r.assign()
	escalated, gone, other := r.of("1"), r.of("2"), r.of("3")
	require.Equal(t, a, other.ReviewerID)
	r.exec(`update campaign_item set escalate_at = case id when $1 then now() else now() + interval '1 day' end`, string(escalated.ID))
	_, err := r.EscalateDue(ctx, r.id, time.Now(), 10)
	require.NoError(t, err)
	r.assign()
	require.Equal(t, []any{b, 1}, []any{r.of("1").ReviewerID, r.of("1").Position})
	r.exec(`update account set status = 'deleted' where external_id = '2'`)
	_, err = r.RefreshItems(ctx, r.id, "", 10)
	require.NoError(t, err)
	require.Equal(t, schema.ItemGone, r.item(gone.ID).State)
	kept := r.person("kept@example.com", "")
	r.exec(`update person_email set person_id = $2 where person_id = $1`, string(r.boss), string(kept))
	r.exec(`update person set merged_into = $2, email = null where id = $1`, string(r.boss), string(kept))

	for _, by := range []schema.Principal{r.by, r.reviewer("user1@example.com")} {
		_, err = r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: kept, Reason: "fine"}, by)
		requireCode(t, schema.CodeForbidden, err)
	}
	s, err := r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: r.boss, Redo: true, Reason: "too fast"}, r.signer)
	require.NoError(t, err)
	require.Equal(t, []any{kept, 0, 0}, []any{s.ReviewerID, s.Decided, s.LookedDecisions})
	require.Equal(t, 0, r.count(`select count(*) from campaign_decision where current`))
	for id, state := range map[schema.ItemID]schema.CampaignItemState{escalated.ID: schema.ItemUnassigned, gone.ID: schema.ItemGone, other.ID: schema.ItemUnassigned} {
		i := r.item(id)
		require.Equal(t, []any{state, 0, 0}, []any{i.State, i.Stage, i.Position})
	}
	r.assign()
	r.exec(`update account set status = 'active' where external_id = '2'`)
	_, err = r.RefreshItems(ctx, r.id, "", 10)
	require.NoError(t, err)
	r.assign()
	by := r.reviewer("next@example.com")
	for _, i := range r.items() {
		require.Equal(t, next, i.ReviewerID, "the next in the chain of the first stage, also of what is back")
		_, err = r.Reassign(ctx, r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: "boss@example.com", Reason: "I want it"}, r.by)
		requireCode(t, schema.CodeConflict, err)
		require.Equal(t, "a second look took it from you", problemsOf(t, err)[0].Message)
		r.takes(i, schema.AnswerKeep, by)
	}
	r.assign()
	require.Equal(t, []schema.PersonID{b, a, a}, []schema.PersonID{r.of("1").ReviewerID, r.of("2").ReviewerID, r.of("3").ReviewerID}, "who lost it by that may have it again")
	require.Equal(t, 0, r.count(`select count(*) from campaign_assignment where ended_at is null and reviewer_id = $1`, string(kept)))
}

// What is done again is another answer's removal: one that has ended is not taken for
// it, by whom or what ever it is revoked again.
func TestWhatIsRevokedAgainIsRemovedAgain(t *testing.T) {
	t.Parallel()
	r := removals(t, 1, func(rule *schema.AccessReviewRule) { rule.Time.Silence = schema.SilenceRevokes })
	r.answers("1", schema.AnswerRevoke, schema.ItemRole, schema.ItemGroup)
	r.gathers()
	require.NoError(t, r.SettleRemoval(t.Context(), r.last("1").ID, schema.RemovalRefused, "it is protected", "", ""))
	_, err := r.SecondLook(t.Context(), r.id, schema.SecondLook{Reviewer: r.boss, Redo: true, Reason: "too fast"}, r.signer)
	require.NoError(t, err)
	r.exec(`update campaign_item set facts = jsonb_set(facts, '{grade}', '"inactive"')`)
	r.removing()
	require.Equal(t, 1, r.gathers())
	require.Equal(t, "refused 0, wanted 3", r.states("1"))
}
