package campaign_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// What an earlier removal of the account was refused, or gave back, is not taken
// away by the next one; what it did take is gone.
func TestStepsLeaveWhatIsAnotherRemovals(t *testing.T) {
	t.Parallel()
	rule := schema.EffectRule{Account: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}, {Kind: schema.StepDelete}}}
	account := func(of schema.RemovalID, became schema.RemovalState) schema.CampaignItem {
		return schema.CampaignItem{
			State: schema.ItemDecided, Answer: schema.AnswerRevoke, RemovalID: of, Removal: became,
			Facts: schema.ItemFacts{ItemRef: schema.ItemRef{AccountID: "a", Kind: schema.ItemAccount}, Held: true},
		}
	}
	group := schema.CampaignItem{
		State: schema.ItemDecided, Answer: schema.AnswerRevoke, RemovalID: "now", Removal: schema.RemovalWanted,
		Facts: schema.ItemFacts{ItemRef: schema.ItemRef{AccountID: "a", Kind: schema.ItemGroup, Ref: "g"}, Group: "Finance", Held: true},
	}
	for _, became := range []schema.RemovalState{schema.RemovalRefused, schema.RemovalUndone, schema.RemovalImpossible, schema.RemovalDone} {
		steps, _ := campaign.Steps(rule, schema.Removal{ID: "now", Items: []schema.CampaignItem{account("before", became), group}})
		require.Len(t, steps, 1, became)
		require.Equal(t, schema.StepRemoveFromGroups, steps[0].Kind, became)
		require.Equal(t, []schema.ExternalID{"g"}, steps[0].Groups)
	}
	// One that was revoked only now is planned together with this in a moment.
	reached := group
	reached.Facts.Kind, reached.Facts.Ref, reached.RemovalID, reached.Removal = schema.ItemCollaboration, "g/c", "", ""
	steps, way := campaign.Steps(rule, schema.Removal{ID: "now", Items: []schema.CampaignItem{group, reached}})
	require.Empty(t, way)
	require.Len(t, steps, 1)
	steps, _ = campaign.Steps(rule, schema.Removal{ID: "now", Items: []schema.CampaignItem{account("now", schema.RemovalWanted), group}})
	require.Equal(t, rule.Account, steps)
}
