package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// asked opens a campaign over the accounts of that many people, whose items a
// reviewer has, and returns the notice that asks them.
func (c *campaigns) asked(people int) (schema.Campaign, schema.PersonID, schema.NoticeID) {
	c.t.Helper()
	boss := c.person("boss@example.com", "it")
	c.person("owner@example.com", "it")
	for n := range people {
		external := string(rune('1' + n))
		c.held(external, c.person("user"+external+"@example.com", "it"))
	}
	run := c.opens(c.has(looksAt("quarter")), boss)
	list, _, err := c.ListNotices(c.t.Context(), schema.NoticeFilter{Limit: 100})
	require.NoError(c.t, err)
	require.Len(c.t, list, 1)
	require.Equal(c.t, []any{schema.NoticeReviewAsk, run.ID, boss}, []any{list[0].Event, list[0].CampaignID, list[0].PersonID})
	return run, boss, list[0].ID
}

func (c *campaigns) noticeFacts(id schema.NoticeID) schema.NoticeFacts {
	c.t.Helper()
	f, err := c.NoticeFacts(c.t.Context(), id)
	require.NoError(c.t, err)
	return f
}

// decides decides so many of the open items of a campaign.
func (c *campaigns) decides(id schema.CampaignID, n int) {
	c.t.Helper()
	c.exec(`update campaign_item set state = 'decided', answer = 'keep', decided_at = now() where id in
		(select id from campaign_item where campaign_id = $1 and state = 'open' order by id limit $2)`, string(id), n)
}

func TestFactsOfANoticeToAReviewer(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	run, boss, id := c.asked(3)
	c.exec(`insert into employment (source, external_id, person_id, kind, name, email, time_zone, updated_at)
		values ('hr', '1', $1, 'employee', 'Boss', 'boss@example.com', 'Europe/Berlin', now())`, string(boss))
	c.exec(`update campaign_item set risk = 'high' where id = (select max(id::text)::uuid from campaign_item where campaign_id = $1)`, string(run.ID))
	f := c.noticeFacts(id)
	require.Equal(t, schema.NoticeFacts{
		Event: schema.NoticeReviewAsk, To: []string{"boss@example.com"}, TimeZone: "Europe/Berlin",
		Campaign: &schema.NoticeCampaignFacts{ID: run.ID, Title: "Title of quarter", Owner: "owner@example.com", DueAt: run.DueAt, Open: 3, High: 1},
	}, f)
	text, err := json.Marshal(f)
	require.NoError(t, err)
	require.NotContains(t, string(text), "user1", "no account is named in a mail")

	c.decides(run.ID, 2)
	f = c.noticeFacts(id)
	require.Equal(t, []any{1, 1, false}, []any{f.Campaign.Open, f.Campaign.High, f.Campaign.Over})
	c.decides(run.ID, 1)
	f = c.noticeFacts(id)
	require.Equal(t, []any{0, 0, true}, []any{f.Campaign.Open, f.Campaign.High, f.Campaign.Over}, "nothing is left for them")

	require.NoError(t, c.RecordNotice(t.Context(), id, schema.NoticeOutcome{State: schema.NoticeSkipped, Error: "OVER"}))
	n, err := c.QueuedNotice(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []any{schema.NoticeSkipped, "", time.Time{}}, []any{n.State, n.TextHash, n.DeliveredAt})
	_, err = c.RetryNotice(t.Context(), id, c.admin)
	requireCode(t, schema.CodeConflict, err)
}

// Items stay with the id they were given to when two people turn out to be one, and
// a campaign that is open no more asks nobody.
func TestAMergedReviewerIsToldOfTheirItems(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	run, boss, id := c.asked(2)
	other := c.person("other@example.com", "it")
	c.exec(`update person set merged_into = $2, email = null where id = $1`, string(boss), string(other))
	require.Equal(t, 2, c.noticeFacts(id).Campaign.Open)
	c.exec(`update campaign_item set reviewer_id = $2 where campaign_id = $1`, string(run.ID), string(other))
	require.Equal(t, 2, c.noticeFacts(id).Campaign.Open)
	require.False(t, c.noticeFacts(id).Campaign.Over)
	c.exec(`update campaign set state = 'closing' where id = $1`, string(run.ID))
	require.True(t, c.noticeFacts(id).Campaign.Over)
}

func TestFactsOfANoticeToTheOwner(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	run, _, _ := c.asked(2)
	queued := schema.NoticeID(c.text(`insert into notice (id, event, audience, channel, recipients, campaign_id, person_id, state, created_at)
		values (new_id(), 'review_owner', 'owner', 'mail', '{owner@example.com}', $1, (select person_id from person_email where email = 'owner@example.com'),
			'pending', now()) returning id::text`, string(run.ID)))
	needs := func() []schema.FindingCode {
		var out []schema.FindingCode
		for _, n := range c.noticeFacts(queued).Campaign.Needs {
			require.NotEmpty(t, n.What)
			require.NotEmpty(t, n.Fix)
			out = append(out, n.Code)
		}
		return out
	}
	require.Equal(t, []schema.FindingCode{schema.CampaignNotClosed, schema.CampaignUndecided}, needs())
	c.decides(run.ID, 2)
	c.exec(`update campaign set state = 'held' where id = $1`, string(run.ID))
	require.Equal(t, []schema.FindingCode{schema.OverBudget, schema.CampaignNotClosed}, needs())
	c.exec(`update campaign set state = 'closed' where id = $1`, string(run.ID))
	require.Empty(t, needs(), "it can be signed")
	require.False(t, c.noticeFacts(queued).Campaign.Over)
	c.exec(`update campaign set state = 'signed', signed_at = now() where id = $1`, string(run.ID))
	require.True(t, c.noticeFacts(queued).Campaign.Over)
}
