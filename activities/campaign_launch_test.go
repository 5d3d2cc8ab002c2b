package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// TestWhatCameBackIsLookedAt: a campaign about access that came back neither waits for
// what its review would like to be fresher, nor leaves out what the review narrows.
func TestWhatCameBackIsLookedAt(t *testing.T) {
	t.Parallel()
	k := takes(setup(t))
	ctx := t.Context()
	rule := schema.AccessReviewRule{
		Name: "dormant", Owner: "owner@example.com",
		Scope: schema.CampaignScope{
			Connections: []string{"fake"}, Items: schema.ItemKinds(), Holders: schema.HoldersMatched, Privileged: true, Changed: true,
			Kinds: []schema.AccountKind{schema.KindService}, UnusedFor: 90 * day,
		},
		Freshness: schema.CampaignFreshness{Stale: schema.StaleBlocks},
		Stages:    []schema.ReviewStage{{Name: "first", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}}}},
		Time:      schema.CampaignTime{Due: 14 * day, Silence: schema.SilenceEscalates},
		Effect:    schema.EffectRule{When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSuspend}}, Role: schema.RoleMember},
	}
	applied, err := k.ApplyAccessReviews(ctx, schema.ApplyAccessReviews{Rules: []schema.AccessReviewFile{{Source: "x", Rule: rule}}}, k.admin)
	require.NoError(t, err)
	for trigger, want := range map[schema.CampaignTrigger]schema.CampaignEnd{schema.CampaignScheduled: schema.CampaignStale, schema.CampaignReturned: ""} {
		c, err := k.BeginCampaign(ctx, applied[0].Review.ID, time.Now(), "campaign/"+string(trigger))
		require.NoError(t, err)
		k.exec(`update campaign set trigger = $2, accounts = array[$3::uuid] where id = $1`, string(c.ID), string(trigger), string(k.account.ID))
		k.id = c.ID
		in := activities.CampaignInput{CampaignID: c.ID}
		_, err = k.campaigns.GatherCampaign(ctx, in)
		require.NoError(t, err)
		require.NoError(t, k.campaigns.ListCampaign(ctx, in))
		c, err = k.Campaign(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, want, c.End)
		if want == "" {
			require.Equal(t, schema.CampaignAssigning, c.State)
		}
	}
}
