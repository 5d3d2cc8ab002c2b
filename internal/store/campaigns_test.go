package store_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func TestACampaignBeginsOnce(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	d := c.has(looksAt("quarter"))
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	one, err := c.BeginCampaign(ctx, d.ID, at, "flow")
	require.NoError(t, err)
	require.Equal(t, []any{d.ID, "quarter", 1, "Title of quarter", "owner@example.com", schema.CampaignScheduled, at, schema.CampaignGathering, "flow"},
		[]any{one.ReviewID, one.Review, one.Version, one.Title, one.Owner, one.Trigger, one.ScheduledAt, one.State, one.WorkflowID})
	again, err := c.BeginCampaign(ctx, d.ID, at, "flow")
	require.NoError(t, err)
	require.Equal(t, one, again)
	_, err = c.BeginCampaign(ctx, d.ID, at.Add(time.Hour), "other")
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, string(one.ID))

	d = c.has(looksAt("quarter", func(r *schema.AccessReviewRule) { r.Title = "Changed" }))
	require.Equal(t, 2, d.Version)
	require.Equal(t, []any{1, "Title of quarter"}, []any{c.campaign(one.ID).Version, c.campaign(one.ID).Title}, "it keeps the version it was made by")
	_, err = c.SetAccessReviewState(ctx, "quarter", schema.PolicyPaused, "wait", c.admin)
	require.NoError(t, err)
	again, err = c.BeginCampaign(ctx, d.ID, at, "flow")
	require.NoError(t, err, "one that has begun goes on")
	require.Equal(t, one.ID, again.ID)
	require.NoError(t, c.EndCampaign(ctx, one.ID, schema.CampaignStale, "too old"))
	_, err = c.BeginCampaign(ctx, d.ID, at.Add(time.Hour), "other")
	requireCode(t, schema.CodeClosed, err)
	_, err = c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter"}, c.admin)
	requireCode(t, schema.CodeClosed, err)
	flow, ended, err := c.CampaignFlow(ctx, one.ID)
	require.NoError(t, err)
	require.Equal(t, []any{"flow", true}, []any{flow, ended})
}

func TestACampaignIsAskedFor(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	c.has(looksAt("quarter"))
	c.dispatched()
	draft, err := c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter"}, c.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.CampaignDraft, schema.CampaignByPerson, "admin", "campaign/" + string(draft.ID)},
		[]any{draft.State, draft.Trigger, draft.RequestedBy, draft.WorkflowID})
	require.Empty(t, c.dispatched(), "a draft has no workflow")
	whole, err := c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Start: true}, c.admin)
	require.NoError(t, err)
	require.Equal(t, []string{"campaign " + string(whole.ID)}, c.dispatched())
	_, err = c.StartCampaign(ctx, draft.ID, c.admin)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, string(whole.ID))

	a := c.account("1")
	small, err := c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Start: true, Accounts: []schema.AccountID{a.ID}}, c.admin)
	require.NoError(t, err, "a small one may be beside the whole one")
	require.Equal(t, []schema.AccountID{a.ID}, small.Accounts)
	_, err = c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Persons: []schema.PersonID{schema.PersonID(a.ID)}}, c.admin)
	require.Len(t, problemsOf(t, err), 1)
	_, err = c.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Trigger: schema.CampaignScheduled}, c.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = c.NewCampaign(ctx, schema.NewCampaign{Review: "none"}, c.admin)
	requireCode(t, schema.CodeNotFound, err)

	c.dispatched()
	whole, err = c.CancelCampaign(ctx, whole.ID, "not now", c.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.CampaignEnded, schema.CampaignCancelled, "not now"}, []any{whole.State, whole.End, whole.Why})
	_, err = c.CancelCampaign(ctx, whole.ID, "again", c.admin)
	requireCode(t, schema.CodeConflict, err)
	draft, err = c.StartCampaign(ctx, draft.ID, c.admin)
	require.NoError(t, err)
	require.Equal(t, schema.CampaignGathering, draft.State)
	_, err = c.StartCampaign(ctx, draft.ID, c.admin)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, []string{"campaign " + string(whole.ID), "campaign " + string(draft.ID)}, c.dispatched())
}

func TestAnOpenCampaignIsExtendedAndClosed(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	boss := c.person("boss@example.com", "it")
	for n := range 3 {
		c.account(strconv.Itoa(n + 1))
	}
	run := c.opens(c.has(looksAt("quarter")), boss)
	require.Equal(t, schema.CampaignOpen, run.State)
	require.Equal(t, 1, c.count(`select count(*) from notice where campaign_id = $1 and person_id = $2 and event = 'review_ask' and audience = 'reviewer'
		and recipients = array['boss@example.com']`, string(run.ID), string(boss)))
	require.NoError(t, c.OpenCampaign(ctx, run.ID, time.Now().Add(2*time.Hour)), "it is opened once")
	require.Equal(t, 1, c.count(`select count(*) from notice`))

	for _, to := range []time.Time{time.Now().Add(-time.Hour), run.DueAt, run.DueAt.Add(-time.Minute), time.Now().Add(367 * 24 * time.Hour)} {
		_, err := c.ExtendCampaign(ctx, run.ID, schema.Extend{To: to, Reason: "holidays"}, c.admin)
		requireCode(t, schema.CodeInvalid, err)
	}
	later := run.DueAt.Add(time.Hour)
	c.exec(`update campaign_item set escalate_at = $2::timestamptz + ('{-30,30,90}'::int[])[(facts->>'external_id')::int] * interval '1 minute' where campaign_id = $1`,
		string(run.ID), run.DueAt)
	extended, err := c.ExtendCampaign(ctx, run.ID, schema.Extend{To: later, Reason: "holidays"}, c.admin)
	require.NoError(t, err)
	require.Equal(t, []time.Time{later, later}, []time.Time{extended.DueAt, c.campaign(run.ID).DueAt})
	for external, at := range map[string]time.Time{"1": run.DueAt.Add(-30 * time.Minute), "2": {}, "3": run.DueAt.Add(90 * time.Minute)} {
		require.Equal(t, 1, c.count(`select count(*) from campaign_item where facts->>'external_id' = $1 and escalate_at is not distinct from $2::timestamptz`, external, orNil(at)),
			"item "+external+": whoever has it since shortly before the old deadline has it until the new one")
	}

	_, err = c.CloseCampaign(ctx, run.ID, false, "done", c.admin)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, "3 items")
	c.dispatched()
	closed, err := c.CloseCampaign(ctx, run.ID, true, "done", c.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.CampaignClosing, false}, []any{closed.State, closed.ClosedAt.IsZero()})
	require.Equal(t, []string{"campaign " + string(run.ID)}, c.dispatched())
	_, err = c.CloseCampaign(ctx, run.ID, true, "again", c.admin)
	requireCode(t, schema.CodeClosed, err)
	_, err = c.ExtendCampaign(ctx, run.ID, schema.Extend{To: later.Add(time.Hour), Reason: "holidays"}, c.admin)
	requireCode(t, schema.CodeClosed, err)

	require.NoError(t, c.MoveCampaign(ctx, run.ID, schema.CampaignClosing, schema.CampaignRemoving))
	require.NoError(t, c.MoveCampaign(ctx, run.ID, schema.CampaignClosing, schema.CampaignRemoving), "a repeat changes nothing")
	requireCode(t, schema.CodeStale, c.MoveCampaign(ctx, run.ID, schema.CampaignOpen, schema.CampaignClosing))
	requireCode(t, schema.CodeInternal, c.MoveCampaign(ctx, run.ID, schema.CampaignRemoving, schema.CampaignSigned))
	require.NoError(t, c.MoveCampaign(ctx, run.ID, schema.CampaignRemoving, schema.CampaignClosed))
	require.NoError(t, c.MoveCampaign(ctx, run.ID, schema.CampaignClosed, schema.CampaignOpen))
	require.True(t, c.campaign(run.ID).ClosedAt.IsZero(), "it takes answers again")

	_, err = c.CancelCampaign(ctx, run.ID, "enough", c.admin)
	require.NoError(t, err)
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemWithdrawn: 3}, c.itemStates(run.ID))
	requireCode(t, schema.CodeInternal, c.EndCampaign(ctx, run.ID, "somehow", ""))
	require.NoError(t, c.EndCampaign(ctx, run.ID, schema.CampaignDone, ""), "it stays as it is")
	require.Equal(t, schema.CampaignCancelled, c.campaign(run.ID).End)
	var actions []string
	for _, e := range c.auditOf(audit.CampaignStream(string(run.ID))) {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{
		"campaign.begun", "campaign.listing", "campaign.listed", "campaign.open", "campaign.extended", "campaign.closing",
		"campaign.removing", "campaign.closed", "campaign.open", "campaign.ended",
	}, actions)
}

func TestTwoCampaignsOverOneItem(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	boss := c.person("boss@example.com", "it")
	c.account("1")
	unknown := c.opens(c.has(looksAt("of nobody")), boss)
	require.Len(t, unknown.Warnings, 1, "nobody has the owner's address")
	require.Equal(t, []any{schema.CampaignOwnerUnknown, true}, []any{unknown.Warnings[0].Code, unknown.Warnings[0].Warning})
	_, err := c.CancelCampaign(t.Context(), unknown.ID, "enough", c.admin)
	require.NoError(t, err)
	c.person("owner@example.com", "it")
	one := c.opens(c.has(looksAt("a", func(r *schema.AccessReviewRule) { r.Owner = "Owner@example.com" })), boss)
	require.Empty(t, one.Warnings)
	two := c.opens(c.has(looksAt("b")), boss)
	require.Len(t, two.Warnings, 1)
	require.Equal(t, []any{schema.CampaignOverlaps, true}, []any{two.Warnings[0].Code, two.Warnings[0].Warning})
	require.Contains(t, two.Warnings[0].Message, string(one.ID))
}

func TestAFailedCampaignStopsItsSchedule(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	d := c.has(looksAt("a"))
	run := c.begins(d)
	requireCode(t, schema.CodeStale, c.EndCampaign(ctx, run.ID, schema.CampaignDone, ""))
	require.NoError(t, c.EndCampaign(ctx, run.ID, schema.CampaignFailed, "fault"))
	open := `select count(*) from alarm where access_review_id = $1 and code = 'REVIEW_FAILED' and cleared_at is null`
	require.Equal(t, 1, c.count(open, string(d.ID)))
	_, err := c.SetAccessReviewState(ctx, "a", schema.PolicyActive, "mended", c.admin)
	require.NoError(t, err)
	require.Zero(t, c.count(open, string(d.ID)))
}

func TestCampaignsAreListed(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	a, b := c.has(looksAt("a")), c.has(looksAt("b"))
	one := c.begins(a)
	require.NoError(t, c.EndCampaign(ctx, one.ID, schema.CampaignStale, ""))
	two, three := c.begins(b), c.begins(a)
	ids := func(f schema.CampaignFilter) (out []schema.CampaignID) {
		for {
			list, next, err := c.Campaigns(ctx, f)
			require.NoError(t, err)
			for _, r := range list {
				out = append(out, r.ID)
			}
			if f.After = next; next == "" {
				return out
			}
		}
	}
	require.Equal(t, []schema.CampaignID{three.ID, two.ID, one.ID}, ids(schema.CampaignFilter{Limit: 1}))
	require.Equal(t, []schema.CampaignID{three.ID, one.ID}, ids(schema.CampaignFilter{Review: "a", Limit: 1}))
	require.Equal(t, []schema.CampaignID{one.ID}, ids(schema.CampaignFilter{State: schema.CampaignEnded, Limit: 2}))
	_, _, err := c.Campaigns(ctx, schema.CampaignFilter{Review: "none", Limit: 2})
	requireCode(t, schema.CodeNotFound, err)
	_, err = c.CampaignView(ctx, schema.CampaignID(newUUID()))
	requireFix(t, schema.CodeNotFound, "sendoff review list shows", err)
	_, err = c.CampaignItem(ctx, two.ID, schema.ItemID(newUUID()), c.admin)
	requireFix(t, schema.CodeNotFound, "sendoff review items "+string(two.ID)+" lists", err)
}
