package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestACampaignIsSigned(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	ctx := t.Context()
	r.takes(r.of("1"), schema.AnswerKeep, r.by)
	r.takes(r.of("2"), schema.AnswerRevoke, r.by)
	_, err := r.SignCampaign(ctx, r.id, schema.SignOff{}, render, r.signer)
	require.Equal(t, []string{"CAMPAIGN_NOT_CLOSED", "ITEMS_UNDECIDED", "REMOVALS_OPEN"}, codesOf(t, err))
	_, err = r.SignedEvidence(ctx, r.id)
	requireCode(t, schema.CodeNotFound, err)
	for state, fix := range map[schema.CampaignState]string{
		schema.CampaignDraft: "sendoff review start " + string(r.id), schema.CampaignAssigning: "until it is open", schema.CampaignRemoving: "that needs nobody",
		schema.CampaignHeld: "sendoff batches release ", schema.CampaignOpen: "sendoff review close " + string(r.id) + " --reason TEXT, with --early",
	} {
		r.exec(`update campaign set state = $2 where id = $1`, string(r.id), string(state))
		v, err := r.CampaignView(ctx, r.id)
		require.NoError(t, err)
		require.Contains(t, v.Blocks[0].Fix, fix, "what is to be done while it is %s", state)
	}
	r.exec(`update campaign set state = 'open' where id = $1`, string(r.id))
	r.closes()
	for _, by := range []schema.Principal{r.by, r.admin} {
		_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "late"}, render, by)
		requireCode(t, schema.CodeForbidden, err)
	}
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{Reason: "done"}, render, r.signer)
	require.Equal(t, []string{"ITEMS_UNDECIDED", "REMOVALS_OPEN"}, codesOf(t, err))
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true}, render, r.signer)
	requireCode(t, schema.CodeInvalid, err)
	require.Equal(t, schema.CampaignClosed, r.campaign(r.id).State)

	var seen schema.CampaignEvidence
	signed, err := r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "late"}, func(e schema.CampaignEvidence) ([]byte, error) {
		seen = e
		return render(e)
	}, r.holdsToken("OWNER@example.com"))
	require.NoError(t, err)
	require.Equal(t, []any{schema.CampaignSigned, r.signer.Name, "late"}, []any{signed.State, signed.SignedBy, signed.SignReason})
	require.Len(t, seen.Exceptions, 2)
	require.True(t, seen.Signed)
	body, err := r.SignedEvidence(ctx, r.id)
	require.NoError(t, err)
	want, err := render(seen)
	require.NoError(t, err)
	require.Equal(t, want, body)
	sum := sha256.Sum256(body)
	require.Equal(t, hex.EncodeToString(sum[:]), signed.Evidence)
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "again"}, render, r.signer)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, 1, r.count(`select count(*) from campaign_evidence`))

	one, err := r.Evidence(ctx, r.id)
	require.NoError(t, err)
	two, err := r.Evidence(ctx, r.id)
	require.NoError(t, err)
	one.ExportedAt = two.ExportedAt
	require.Equal(t, one, two)
	require.Len(t, one.Items, 3)
	for _, i := range one.Items {
		require.Len(t, i.Assignments, 1)
		require.Len(t, i.Shown, len(i.Decisions))
	}
}

func codesOf(t *testing.T, err error) []string {
	t.Helper()
	requireCode(t, schema.CodeConflict, err)
	var out []string
	for _, p := range problemsOf(t, err) {
		out = append(out, p.Code)
	}
	return out
}

func TestARobotIsSeen(t *testing.T) {
	t.Parallel()
	r := reviews(t, 8, func(rule *schema.AccessReviewRule) {
		rule.Quality = schema.QualityRule{MinItems: 4, MinSeconds: 10, ApproveAll: 90, Against: 50}
	})
	ctx := t.Context()
	r.exec(`update campaign_item set recommended = 'revoke' where login in ('user1@example.com', 'user2@example.com')`)
	for _, i := range r.items() {
		r.takes(i, schema.AnswerKeep, r.by)
	}
	// Every two seconds, with a break of an hour.
	r.exec(`with o as (select id, row_number() over (order by decided_at) as n from campaign_decision)
		update campaign_decision d set decided_at = now() + o.n * interval '2 seconds' + case when o.n > 4 then interval '1 hour' else '0' end from o where o.id = d.id`)
	stats, err := r.ReviewerStats(ctx, r.id)
	require.NoError(t, err)
	require.Len(t, stats, 1)
	s := stats[0]
	require.Equal(t, []any{8, 0, 8, 8, 0, int64(2000), 8, 2, 2}, []any{s.Items, s.Open, s.Decided, s.Kept, s.Revoked, s.MedianMillis, s.Recommended, s.Against, s.SaidRevoke})
	require.Equal(t, []schema.ReviewerAlarm{schema.AlarmSpeed, schema.AlarmApproveAll}, s.Alarms)
	r.closes()
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "all fine"}, render, r.signer)
	require.Equal(t, []string{"REVIEWER_ALARMED"}, codesOf(t, err))

	look := schema.SecondLook{Reviewer: r.boss, Reason: "I looked at each"}
	user, second := r.reviewer("user1@example.com"), r.reviewer("boss@example.com ")
	second.Email = "boss@example.com"
	for _, by := range []schema.Principal{r.by, second, user} {
		_, err = r.SecondLook(ctx, r.id, look, by)
		requireCode(t, schema.CodeForbidden, err)
	}
	s, err = r.SecondLook(ctx, r.id, look, r.signer)
	require.NoError(t, err)
	require.True(t, s.Cleared())
	r.takes(r.of("1"), schema.AnswerRevoke, r.by) // a correction leaves the number as it is
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "all fine"}, render, r.signer)
	require.Equal(t, []string{"REVIEWER_ALARMED"}, codesOf(t, err), "the look was not at the correction")
	look.Redo, look.Reason = true, "do it again"
	r.takes(r.of("2"), schema.AnswerKeep, r.by)
	s, err = r.SecondLook(ctx, r.id, look, r.signer)
	require.NoError(t, err)
	require.Equal(t, 0, s.Decided)
	require.Equal(t, schema.CampaignOpen, r.campaign(r.id).State, "it opens again")
	require.True(t, r.campaign(r.id).DueAt.After(time.Now().Add(time.Hour)))
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUnassigned: 8}, r.itemStates(r.id))
	require.Equal(t, 0, r.count(`select count(*) from campaign_decision where current`))
	r.assign()
	require.Equal(t, r.owner, r.of("1").ReviewerID, "the robot gets none of them")
}

func TestManyAtOnceDoNotLookSlow(t *testing.T) {
	t.Parallel()
	r := reviews(t, 6)
	var words []schema.Decide
	for _, i := range r.items() {
		words = append(words, word(i, schema.AnswerKeep))
	}
	list, err := r.DecideItems(t.Context(), r.id, words[:5], r.by)
	require.NoError(t, err)
	require.Len(t, list, 5)
	r.takes(r.items()[5], schema.AnswerKeep, r.by)
	r.exec(`update campaign_assignment set at = at - interval '1 day'`)
	r.exec(`update campaign set opened_at = (select min(decided_at) from campaign_decision) - interval '60 seconds'`)
	stats, err := r.ReviewerStats(t.Context(), r.id)
	require.NoError(t, err)
	require.Equal(t, int64(12_000), stats[0].MedianMillis, "five in a minute")
}

func TestRemindersAndAbsences(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1)
	ctx := t.Context()
	require.NoError(t, r.Remind(ctx, r.id, r.boss, time.Now().Add(-time.Minute)))
	require.NoError(t, r.Remind(ctx, r.id, r.boss, time.Now().Add(-time.Minute)))
	require.NoError(t, r.Remind(ctx, r.id, r.owner, time.Now()))
	n, err := r.RemindReviewers(ctx, r.id, "", r.admin)
	require.NoError(t, err)
	require.Equal(t, 0, n, "within the hour")
	require.Equal(t, 1, r.count(`select count(*) from notice where event = 'review_remind'`))
	r.exec(`update campaign_reviewer set reminded_at = now() - interval '2 hours'`)
	n, err = r.RemindReviewers(ctx, r.id, "boss@example.com", r.admin)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	open, err := r.OpenReviewers(ctx, r.id)
	require.NoError(t, err)
	require.Equal(t, []any{r.boss, "boss@example.com", 1, false}, []any{open[0].ID, open[0].Email, open[0].Open, open[0].RemindedAt.IsZero()})

	day := func(n int) time.Time { return time.Now().AddDate(0, 0, n) }
	first, err := r.SetAbsence(ctx, schema.NewAbsence{From: day(1), Until: day(3), Delegate: "owner@example.com", Reason: "sun"}, r.by)
	require.NoError(t, err)
	require.Equal(t, []string{"boss@example.com", "owner@example.com"}, []string{first.Person, first.Delegate}, "people are named by address")
	for _, n := range []schema.NewAbsence{{From: day(2), Until: day(4), Reason: "x"}, {From: day(0), Reason: "x"}} {
		_, err = r.SetAbsence(ctx, n, r.by)
		requireCode(t, schema.CodeConflict, err)
	}
	for _, n := range []schema.NewAbsence{{From: day(5), Until: day(4), Reason: "x"}, {From: day(5)}, {From: day(5), Delegate: "boss@example.com", Reason: "x"}} {
		_, err = r.SetAbsence(ctx, n, r.by)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err = r.SetAbsence(ctx, schema.NewAbsence{Person: "owner@example.com", From: day(1), Reason: "x"}, r.by)
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.SetAbsence(ctx, schema.NewAbsence{Person: "owner@example.com", From: day(2), Until: day(9), Delegate: "boss@example.com", Reason: "a circle"}, r.admin)
	require.NoError(t, err)
	_, err = r.SetAbsence(ctx, schema.NewAbsence{From: day(3), Until: day(4), Reason: "the day after"}, r.by)
	require.NoError(t, err)
	page, next, err := r.Absences(ctx, "", "", 2)
	require.NoError(t, err)
	rest, end, err := r.Absences(ctx, "", next, 2)
	require.NoError(t, err)
	require.Equal(t, []any{2, 1, "", first.ID}, []any{len(page), len(rest), end, rest[0].ID})
	ended, err := r.EndAbsence(ctx, first.ID, r.by)
	require.NoError(t, err)
	require.False(t, ended.EndedAt.IsZero())
	_, err = r.EndAbsence(ctx, "x", r.by)
	requireCode(t, schema.CodeNotFound, err)
	mine, _, err := r.Absences(ctx, "boss@example.com", "", 10)
	require.NoError(t, err)
	require.Len(t, mine, 2)
	require.Equal(t, []string{"boss@example.com", "", "boss@example.com", "owner@example.com"}, []string{mine[0].Person, mine[0].Delegate, mine[1].Person, mine[1].Delegate})
}
