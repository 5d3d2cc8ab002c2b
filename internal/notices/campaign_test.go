package notices_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/schema"
)

func campaignEvents() []schema.NoticeEvent {
	return []schema.NoticeEvent{schema.NoticeReviewAsk, schema.NoticeReviewRemind, schema.NoticeReviewEscalated, schema.NoticeReviewOwner}
}

func written(t *testing.T, f schema.NoticeFacts) string {
	t.Helper()
	// The rules of notices say nothing of campaigns.
	text, err := notices.Render(schema.NoticeRules{Texts: map[schema.NoticeEvent]string{f.Event: "own words"}}, f)
	require.NoError(t, err)
	return text
}

func TestAReviewerIsToldHowMuchWaitsUntilWhen(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeReviewAsk)
	require.Equal(t, `Please review access: Box, every quarter

You are asked because you know best who needs what.

Review: Box, every quarter
Waiting for you: 12 accesses, 3 of high risk
Answer until: 2026-11-30 17:00 Europe/Berlin (UTC+01:00)

For each, say whether it is still needed: keep it or revoke it. What is revoked is taken away.

To decide: https://sendoff.example.com/review/0197c0de-0000-7000-8000-000000000004

Questions about it: security@example.com`, written(t, f))

	f.PublicURL, f.Campaign.Open, f.Campaign.DueAt, f.TimeZone = "", 1, time.Time{}, ""
	text := written(t, f)
	require.Contains(t, text, "To decide: sendoff review queue\n")
	require.Contains(t, text, "Waiting for you: 1 access, 3 of high risk\nAnswer until: no deadline yet\n")
	require.NotContains(t, text, "http")

	for e, subject := range map[schema.NoticeEvent]string{
		schema.NoticeReviewRemind: "Still to review: Box, every quarter\n", schema.NoticeReviewEscalated: "Access to review has come to you: Box, every quarter\n",
	} {
		text := written(t, notices.DemoFacts(e))
		require.True(t, strings.HasPrefix(text, subject), text)
		require.Contains(t, text, "12 accesses, 3 of high risk\nAnswer until: 2026-11-30 17:00 Europe/Berlin (UTC+01:00)\n")
	}
}

func TestTheOwnerIsToldWhatTheCampaignNeeds(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeReviewOwner)
	text := written(t, f)
	require.True(t, strings.HasPrefix(text, "Box, every quarter needs you\n"), text)
	require.Contains(t, text, "REVIEWER_ALARMED: 1 of the reviewers decided in a way that is doubted; ITEMS_UNDECIDED: 2 items are not decided\n")
	require.Contains(t, text, "What to do: let somebody else take a second look at their decisions; have them decided")
	f.Campaign.Needs, f.PublicURL = nil, ""
	text = written(t, f)
	require.Contains(t, text, "What it needs: its signature: nothing stands against it\n")
	require.Contains(t, text, "To look at it: sendoff review show 0197c0de-0000-7000-8000-000000000004")
}

// The title is what people wrote: it is one line, and no placeholder.
func TestATitleWritesNoHeaders(t *testing.T) {
	t.Parallel()
	for _, e := range campaignEvents() {
		f := notices.DemoFacts(e)
		f.Campaign.Title = "a\r\nBcc: b@example.com {{link}}"
		text := written(t, f)
		require.NotContains(t, text, "\nBcc")
		require.Contains(t, strings.SplitN(text, "\n", 2)[0], "a Bcc: b@example.com {{link}}")
		require.NotContains(t, strings.ReplaceAll(text, f.Campaign.Title, ""), "\r")
		for _, p := range notices.Placeholders(e) {
			if p != "{{link}}" {
				require.NotContains(t, text, p)
			}
		}
	}
}

func TestRulesCannotRouteACampaign(t *testing.T) {
	t.Parallel()
	for _, e := range campaignEvents() {
		_, report := notices.Parse("n.yaml", rulesOf(t, e, "x"))
		require.NotEmpty(t, report.Errors, e)
	}
}
