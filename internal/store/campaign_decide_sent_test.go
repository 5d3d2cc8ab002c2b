package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestWordsThatAreSentTogether: one answer for one reason to several items is decided
// together, whatever its sender says; and how a word was sent makes it no other word.
func TestWordsThatAreSentTogether(t *testing.T) {
	t.Parallel()
	r := reviews(t, 5, func(rule *schema.AccessReviewRule) { rule.Decisions.BulkBelow = schema.RiskMedium })
	r.exec(`update campaign_item set risk = 'medium' where account_id in (select id from account where external_id in ('2', '3'))`)
	say := func(external string, answer schema.ItemAnswer, reason string) schema.Decide {
		w := word(r.of(external), answer)
		w.Reason = reason
		return w
	}
	words := []schema.Decide{
		say("1", schema.AnswerKeep, "as always"), say("2", schema.AnswerKeep, " As  always "), say("3", schema.AnswerKeep, "runs the shop"),
		say("4", schema.AnswerKeep, "as always"), say("5", schema.AnswerRevoke, "as always"),
	}
	send := func(words ...schema.Decide) []schema.Decided {
		t.Helper()
		done, err := r.DecideItems(t.Context(), r.id, words, r.by)
		require.NoError(t, err)
		return done
	}
	done := send(words...)
	require.Equal(t, []string{"", "invalid", "", "", ""}, []string{done[0].Code, done[1].Code, done[2].Code, done[3].Code, done[4].Code})
	require.Contains(t, done[1].Fix, "with its own reason")
	require.Equal(t, 2, r.count(`select count(*) from campaign_decision where bulk`), "what was said of several, and neither the one reason nor the one answer")
	require.False(t, words[0].Bulk, "whoever asks keeps what they sent")
	for _, w := range words[2:] {
		require.True(t, send(w)[0].Duplicate, "alone it is the same word")
	}
	require.True(t, send(words[2], say("5", schema.AnswerKeep, "runs the shop"))[0].Duplicate, "and so it is among others")
	require.Empty(t, send(words[1])[0].Code, "on its own it is a decision")
}

// TestAWordThatIsSentAgainSaysWhatStands: one that was corrected is not said to stand.
func TestAWordThatIsSentAgainSaysWhatStands(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("first", schema.StageAll, named("boss@example.com")), stage("second", schema.StageKept, named("owner@example.com"))))
	i := r.of("1")
	keep, revoke := word(i, schema.AnswerKeep), word(i, schema.AnswerRevoke)
	require.Empty(t, r.says(revoke, r.by).Code)
	require.Empty(t, r.says(keep, r.by).Code)
	d := r.says(revoke, r.by)
	require.Equal(t, []any{true, true, schema.ItemAnswer(""), schema.ItemUnassigned}, []any{d.Duplicate, d.Overtaken, d.Answer, d.State})
	require.Contains(t, d.Message, "does not count any more")
	require.Contains(t, d.Fix, "change the reason")
	d = r.says(keep, r.by)
	require.Equal(t, []any{true, false, ""}, []any{d.Duplicate, d.Overtaken, d.Message}, "it stands: a second stage has the item")
	r.assign()
	r.takes(r.item(i.ID), schema.AnswerRevoke, r.signer)
	d = r.says(keep, r.by)
	require.Equal(t, []any{true, true, schema.AnswerRevoke, ""}, []any{d.Duplicate, d.Overtaken, d.Answer, d.Fix}, "a later stage has the last word")
	require.Contains(t, d.Message, "a later word is revoke")
	d = r.says(revoke, r.by)
	require.Equal(t, []any{true, false}, []any{d.Duplicate, d.Overtaken}, "what it says is what the item says")

	j := r.of("2")
	no, yes := word(j, schema.AnswerRevoke), word(j, schema.AnswerRevoke)
	require.Empty(t, r.says(no, r.by).Code)
	yes.Answer = schema.AnswerKeep
	require.Empty(t, r.says(yes, r.by).Code)
	back := word(j, schema.AnswerRevoke)
	require.Empty(t, r.says(back, r.by).Code)
	d = r.says(yes, r.by)
	require.Equal(t, []any{true, true, schema.AnswerRevoke}, []any{d.Duplicate, d.Overtaken, d.Answer})
	require.Contains(t, d.Message, "the item says revoke")
	yes.Reason = "said anew"
	require.Equal(t, "conflict", r.says(yes, r.by).Code, "the id is that of the reason it had")

	_, err := r.SecondLook(t.Context(), r.id, schema.SecondLook{Reviewer: r.boss, Redo: true, Reason: "too fast"}, r.admin)
	require.NoError(t, err)
	d = r.says(back, r.by)
	require.Equal(t, []any{true, true, schema.ItemUnassigned}, []any{d.Duplicate, d.Overtaken, d.State})
	require.Equal(t, "it cannot be said again: the item is not yours to decide", d.Fix)
}
