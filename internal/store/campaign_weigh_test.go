package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// TestWhatFollowsFromFactsFollowsThem: an item whose facts have become others is as
// risky as these are, wherever that was found out, and words are judged by it.
func TestWhatFollowsFromFactsFollowsThem(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3, func(rule *schema.AccessReviewRule) {
		rule.Decisions = schema.DecisionRule{HighRiskReason: true, BulkBelow: schema.RiskMedium}
	})
	bare := func(i schema.CampaignItem, bulk bool) string {
		w := word(i, schema.AnswerKeep)
		w.Reason, w.Bulk = "", bulk
		return r.says(w, r.by).Code
	}
	role := func(external, to string) {
		r.exec(`update account set role = $2, last_active_at = null where external_id = $1`, external, to)
	}
	refresh := func() {
		t.Helper()
		_, err := r.RefreshItems(t.Context(), r.id, "", 100)
		require.NoError(t, err)
	}

	// By a comparison.
	i := r.of("1")
	require.Equal(t, schema.RiskLow, i.Risk.Level)
	r.exec(`update account set role = 'coadmin', space_used = 7, last_active_at = now(), last_event = 'LOGIN', last_source = 'box.events' where external_id = '1'`)
	refresh()
	now := r.item(i.ID)
	require.Equal(t, schema.Risk{Level: schema.RiskHigh, Score: 40, Reasons: []string{"PRIVILEGED_ROLE"}}, now.Risk)
	require.Equal(t, schema.Recommendation{Reasons: []string{}}, now.Recommendation)
	require.Equal(t, []any{int64(7), "LOGIN", schema.ActivitySource("box.events"), "User1", "user1@example.com"},
		[]any{now.Context.Bytes, now.Context.LastEvent, now.Context.Source, now.Context.Holder, now.Context.HolderEmail})
	require.WithinDuration(t, time.Now(), now.Context.LastActiveAt, time.Minute)
	require.Equal(t, "invalid", bare(now, false), "high risk needs a reason")
	require.Equal(t, "invalid", bare(now, true))

	// By a word on a page that was right before, and is right again.
	role("1", "member")
	require.Equal(t, "", bare(i, true), "it is of low risk again, and so it is judged")
	require.Equal(t, []any{3, schema.RiskLow}, []any{r.item(i.ID).Version, r.item(i.ID).Risk.Level})
	j := r.of("2")
	role("2", "coadmin")
	refresh()
	risky := r.item(j.ID)
	role("2", "member")
	refresh()
	require.Equal(t, schema.RiskLow, r.item(j.ID).Risk.Level)
	role("2", "coadmin")
	require.Equal(t, "invalid", bare(risky, false), "the page is right, and of high risk by now")
	require.Equal(t, schema.RiskHigh, r.item(j.ID).Risk.Level, "it is kept though the word was refused")

	// By a stale word; and of another holder nothing is said that was of the last one.
	k := r.of("3")
	r.exec(`update campaign_item set context = jsonb_set(context, '{peers}', '{"people": 9, "with": 9}') where id = $1`, string(k.ID))
	r.exec(`update account set person_id = null where external_id = '3'`)
	require.Equal(t, "stale", bare(k, false))
	now = r.item(k.ID)
	require.Equal(t, schema.RiskMedium, now.Risk.Level)
	require.Equal(t, schema.Recommendation{Answer: schema.AnswerRevoke, Reasons: []string{"UNMATCHED"}}, now.Recommendation)
	require.Equal(t, []any{"", "", "", schema.Peers{}}, []any{now.Context.Holder, now.Context.HolderEmail, now.Context.Department, now.Context.Peers})
	require.Equal(t, "invalid", bare(now, true), "medium risk is not decided in bulk")
	require.Equal(t, "", bare(now, false))
	r.requireWordsAreJudgedByWhatWasShown(k.ID)
}

// requireWordsAreJudgedByWhatWasShown refuses to correct a word of which the facts spoke
// for the contrary, for they do not any more: what was said stays what it was.
func (r *reviewing) requireWordsAreJudgedByWhatWasShown(id schema.ItemID) {
	r.t.Helper()
	judged := func() []int {
		list, err := r.ReviewerStats(r.t.Context(), r.id)
		require.NoError(r.t, err)
		require.Len(r.t, list, 1)
		return []int{list[0].Recommended, list[0].Against, list[0].SaidRevoke}
	}
	shown, before := r.item(id), judged()
	require.Equal(r.t, []int{2, 1, 1}, before)
	r.exec(`update account set person_id = $1, role = 'coadmin' where external_id = '3'`, string(r.owner))
	require.Equal(r.t, "stale", r.says(word(shown, schema.AnswerRevoke), r.by).Code)
	now := r.item(id)
	require.Equal(r.t, []any{schema.ItemDecided, shown.Version + 1, schema.RiskHigh, schema.ItemAnswer("")},
		[]any{now.State, now.Version, now.Risk.Level, now.Recommendation.Answer})
	require.Equal(r.t, before, judged())
	require.Equal(r.t, 1, r.count(`select count(*) from audit_record where stream = $1 and convert_from(body, 'UTF8') like '%"campaign.items_changed"%'
		and convert_from(body, 'UTF8') like '%"holder role"%' and convert_from(body, 'UTF8') like '%' || $2 || '%'`,
		audit.ReviewerStream(string(r.id), string(r.boss)), string(id)), "a word changes nothing without a record")

	e, err := r.Evidence(r.t.Context(), r.id)
	require.NoError(r.t, err)
	n := slices.IndexFunc(e.Items, func(i schema.EvidenceItem) bool { return i.ID == id })
	require.Len(r.t, e.Items[n].Shown, 1)
	require.Equal(r.t, &schema.ShownWeighed{Context: shown.Context, Recommendation: shown.Recommendation, Risk: shown.Risk}, e.Items[n].Shown[0].Weighed)
	require.Equal(r.t, now.Risk, e.Items[n].Risk)
}
