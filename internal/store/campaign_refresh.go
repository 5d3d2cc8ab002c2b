package store

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// RefreshItems compares up to limit items that are not decided (after the id) with
// the inventory as it is now: what differs gets its new facts and version; access
// that ended is gone, and needs a reviewer again when it is back; what is with a
// reviewer who holds the account by now, or decided about it in another stage, is
// taken back. It returns the last id looked at, empty at the end. Of a campaign that
// is neither open nor finding reviewers nothing is changed: what was signed stays, and
// what comes back after the close is looked for by WatchRemovals.
func (s *Store) RefreshItems(ctx context.Context, id schema.CampaignID, after schema.ItemID, limit int) (schema.ItemID, error) {
	if limit < 1 {
		return "", checkLimit(limit, maxPage)
	}
	var last schema.ItemID
	err := s.inTx(ctx, "compare a campaign's items", func(ctx context.Context, t *tx) error {
		last = ""
		c, err := t.shareCampaign(ctx, id)
		if err != nil || c.State != schema.CampaignOpen && c.State != schema.CampaignAssigning {
			return err
		}
		rule, err := campaignRule(ctx, t, c)
		if err != nil {
			return err
		}
		ids, err := scalars[schema.ItemID](ctx, t, `select id from campaign_item where campaign_id = @campaign and state in ('unassigned', 'open', 'gone')
				and (@after::uuid is null or id > @after) order by id limit @limit for no key update`,
			args{"campaign": id, "after": after, "limit": limit})
		if err != nil {
			return err
		}
		if len(ids) == limit {
			last = ids[limit-1]
		}
		if err := t.refresh(ctx, c, rule, ids); err != nil {
			return err
		}
		return t.unseatHolders(ctx, c, ids)
	})
	return last, err
}

// refresh compares locked items with the present.
func (t *tx) refresh(ctx context.Context, c schema.Campaign, rule schema.AccessReviewRule, ids []schema.ItemID) error {
	items, err := all[liveItem](ctx, t, selectLiveItems+`where i.id = any(@items) order by i.id`, liveArgs([]schema.PersonID{}, t.now, args{"items": ids}))
	if err != nil {
		return err
	}
	var other []newFacts
	for _, i := range items {
		if now := i.now(rule.Threshold(), t.now); now != i.Facts {
			other = append(other, newFacts{item: i, facts: now})
		}
	}
	if err := t.weighAnew(ctx, other); err != nil {
		return err
	}
	controls, err := t.otherControls(ctx, rule, ids)
	if err != nil {
		return err
	}
	if other = append(other, controls...); len(other) == 0 {
		return nil
	}
	gone, back := 0, 0
	for _, n := range other {
		switch {
		case n.item.Facts.Held && !n.facts.Held:
			gone++
		case !n.item.Facts.Held && n.facts.Held:
			back++
		}
	}
	b := &pgx.Batch{}
	queueFacts(b, other, t.now)
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.items_changed", map[string]string{
		"items": strconv.Itoa(len(other)), "gone": strconv.Itoa(gone), "back": strconv.Itoa(back),
	})
	if back == 0 {
		return nil
	}
	return t.wakeCampaign(ctx, c.ID)
}
