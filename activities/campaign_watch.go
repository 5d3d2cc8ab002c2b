package activities

import (
	"context"

	"sendoff/schema"
)

// watchPiece is how many removals are looked at in one transaction.
const watchPiece = 200

// WatchCampaign looks at what was removed by campaigns that are closed or signed:
// access that came back opens its item again, or after the sign-off makes a
// follow-up campaign. Removals that had to wait go on meanwhile. A signed campaign
// ends when nothing is left to remove or to watch.
func (c *Campaigns) WatchCampaign(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || !watches(r.campaign.State) {
		return Piece{More: true}, err
	}
	defer beat(ctx)()
	left, more, err := c.remove(ctx, r)
	if err != nil || more {
		return Piece{More: err == nil}, err
	}
	seen, err := c.watch(ctx, r.campaign.ID)
	switch {
	case schema.CodeOf(err) == schema.CodeStale: // it moved on meanwhile
		return Piece{More: true}, nil
	case err != nil:
		return Piece{}, err
	case r.campaign.State == schema.CampaignSigned && !seen.Until.After(c.now()):
		return Piece{More: true}, c.store.EndCampaign(ctx, r.campaign.ID, schema.CampaignDone, "")
	case r.campaign.State == schema.CampaignClosed:
		if open, err := c.reopen(ctx, r.campaign.ID, seen.Returned); err != nil || open {
			return Piece{More: true}, err
		}
	}
	if left.Working > 0 {
		return Piece{Wait: c.removingPoll()}, c.store.CampaignWentOn(ctx, r.campaign.ID)
	}
	return Piece{Wait: c.refreshEvery()}, c.store.CampaignWentOn(ctx, r.campaign.ID)
}

func watches(s schema.CampaignState) bool {
	return s == schema.CampaignClosed || s == schema.CampaignSigned
}

// watch looks at all removals that are done, in pieces.
func (c *Campaigns) watch(ctx context.Context, id schema.CampaignID) (schema.RemovalsWatched, error) {
	for returned := 0; ; {
		seen, err := c.store.WatchRemovals(ctx, id, watchPiece)
		returned += seen.Returned
		if seen.Returned = returned; err != nil || seen.Looked < watchPiece {
			return seen, err
		}
	}
}

// reopen opens a closed campaign again when access came back: now, or before a
// worker died that had only kept it. It tells whether it did.
func (c *Campaigns) reopen(ctx context.Context, id schema.CampaignID, returned int) (bool, error) {
	if returned == 0 {
		left, err := c.store.Unassigned(ctx, id, 1)
		if err != nil || len(left) == 0 {
			return false, err
		}
	}
	return true, unlessStale(c.store.MoveCampaign(ctx, id, schema.CampaignClosed, schema.CampaignOpen))
}
