package activities_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// campaigned are the records of a notice that is one of a campaign.
type campaigned struct {
	activities.NoticeRecords
	facts schema.NoticeCampaignFacts
}

func (c campaigned) NoticeFacts(context.Context, schema.NoticeID) (schema.NoticeFacts, error) {
	return schema.NoticeFacts{Event: schema.NoticeReviewRemind, To: []string{"boss@example.com"}, Campaign: &c.facts}, nil
}

func TestAReviewerWhoIsDoneIsNotReminded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells()
	p := b.open(request("suspend"))
	n := b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceIT)
	records := campaigned{b.Store, schema.NoticeCampaignFacts{ID: "0197c0de-0000-7000-8000-000000000004", Title: "Box", Over: true}}
	require.NoError(t, b.deliver(records, n.ID))
	require.Empty(t, b.mail.notices)
	got := b.noticed(n.ID)
	require.Equal(t, []any{schema.NoticeSkipped, ""}, []any{got.State, got.TextHash})
	require.Len(t, b.audited(p.ID, "notice.skipped"), 1)
	require.Empty(t, b.audited(p.ID, "notice.delivered"))
	require.NoError(t, b.deliver(records, n.ID), "it has ended")

	n = b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceManager)
	records.facts.Over, records.facts.Open = false, 2
	require.NoError(t, b.deliver(records, n.ID))
	require.Len(t, b.mail.notices, 1)
	require.Contains(t, b.mail.notices[0].Message, "Waiting for you: 2 accesses")
	require.Contains(t, b.mail.notices[0].Message, "https://sendoff.example.com/review/0197c0de-0000-7000-8000-000000000004\n")
}
