package store

import (
	"context"
	"fmt"

	"sendoff/schema"
)

// signBlocks is what stands against a sign-off of a campaign now, in a fixed order;
// empty = it may be signed.
func signBlocks(ctx context.Context, q querier, c schema.Campaign, rule schema.AccessReviewRule) ([]schema.Finding, error) {
	list := []schema.Finding{}
	add := func(n int64, code schema.FindingCode, what, fix string) {
		if n > 0 {
			list = append(list, schema.Finding{Code: code, Message: fmt.Sprintf("%d %s", n, what), Fix: fix})
		}
	}
	if c.State != schema.CampaignClosed && c.State != schema.CampaignSigned && c.State != schema.CampaignEnded {
		list = append(list, schema.Finding{
			Code: schema.CampaignNotClosed, Message: "the campaign is " + string(c.State), Fix: "wait until it is closed, or close it early",
		})
	}
	stats, err := reviewerStats(ctx, q, c.ID, rule)
	if err != nil {
		return nil, err
	}
	var alarmed int64
	for _, s := range stats {
		if !s.Cleared() {
			alarmed++
		}
	}
	add(alarmed, schema.CampaignHasAlarms, "of the reviewers decided in a way that is doubted", "let somebody else take a second look at their decisions")
	n, err := one[struct{ Undecided, Open, Failed int64 }](ctx, q, `select
			count(*) filter (where i.state in ('unassigned', 'open', 'undecided')) as undecided,
			count(*) filter (where i.state = 'decided' and i.answer = 'revoke' and coalesce(m.state, 'wanted') in ('wanted', 'planned', 'ready', 'started')) as open,
			count(*) filter (where i.state = 'decided' and i.answer = 'revoke' and m.state in ('refused', 'impossible', 'withdrawn', 'undone')) as failed
		from campaign_item i left join campaign_removal m on m.id = i.removal_id where i.campaign_id = @id and i.account_id is not null`, args{"id": c.ID})
	if err != nil {
		return nil, err
	}
	add(n.Undecided, schema.CampaignUndecided, "items are not decided", "have them decided, or accept that with the signature")
	add(n.Open, schema.CampaignOpenRemovals, "revoked items are not proven to be gone yet", "wait for their removals, or accept that with the signature")
	add(n.Failed, schema.CampaignFailedRemovals, "revoked items could not be removed", "remove them by hand, correct the decisions, or accept that with the signature")
	return list, nil
}
