package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// said tells whether a text says something.
func said(text string) bool { return strings.TrimSpace(text) != "" }

// CancelCampaign ends a campaign and tells its workflow: removals that have started
// go on. CodeConflict for one that is signed or has ended.
func (s *Store) CancelCampaign(ctx context.Context, id schema.CampaignID, reason string, by schema.Principal) (schema.Campaign, error) {
	if err := checkCampaignWord(reason, by); err != nil {
		return schema.Campaign{}, err
	}
	var c schema.Campaign
	err := s.inTx(ctx, "cancel a campaign", func(ctx context.Context, t *tx) (err error) {
		if c, err = t.lockCampaign(ctx, id); err != nil {
			return err
		}
		switch c.State {
		case schema.CampaignEnded:
			return conflict("the campaign has ended: it is "+string(c.End), "")
		case schema.CampaignSigned:
			return conflict("the campaign is signed: nothing of it changes", "")
		}
		if err := t.endCampaign(ctx, &c, schema.CampaignCancelled, reason, principal(by)); err != nil {
			return err
		}
		return t.tellCampaign(ctx, id)
	})
	return c, err
}

// campaignEnds are how a campaign may end.
func campaignEnds() []schema.CampaignEnd {
	return []schema.CampaignEnd{
		schema.CampaignDone, schema.CampaignEmpty, schema.CampaignStale, schema.CampaignCancelled, schema.CampaignFailed, schema.CampaignDark,
	}
}

// EndCampaign ends a campaign. One that has ended stays as it is. CodeStale for one
// that is to be done and is not signed.
func (s *Store) EndCampaign(ctx context.Context, id schema.CampaignID, end schema.CampaignEnd, why string) error {
	if !slices.Contains(campaignEnds(), end) {
		return &schema.Error{Code: schema.CodeInternal, Message: "a campaign does not end " + strconv.Quote(string(end))}
	}
	return s.inTx(ctx, "end a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil || c.State == schema.CampaignEnded {
			return err
		}
		if (end == schema.CampaignDone) != (c.State == schema.CampaignSigned) {
			return staleCampaign(c)
		}
		return t.endCampaign(ctx, &c, end, why, engine())
	})
}

// endCampaign ends a locked campaign: items that are not decided are withdrawn,
// removals that have not started too, and what they took of budgets is given back. A
// batch that still holds it is discarded.
func (t *tx) endCampaign(ctx context.Context, c *schema.Campaign, end schema.CampaignEnd, why string, actor audit.Actor) error {
	t.recordCampaign(*c, actor, "campaign.ended", map[string]string{"from": string(c.State), "end": string(end), "why": why})
	err := t.moveCampaign(ctx, c, schema.CampaignEnded, `, end_kind = @end, why = @why, ended_at = @now`, args{"end": end, "why": why, "now": t.now})
	if err != nil {
		return err
	}
	c.End, c.Why, c.EndedAt = end, why, t.now
	if end != schema.CampaignDone { // what was signed has nothing of that, and stays
		if err := t.withdrawCampaign(ctx, *c); err != nil {
			return err
		}
	}
	switch end {
	case schema.CampaignFailed:
		return t.raiseAlarm(ctx, schema.Alarm{
			AccessReviewID: c.ReviewID, Code: schema.AlarmReviewFailed, Message: "a campaign of access review " + c.Review + " failed; its schedule stops",
			Fix: "look at it with sendoff review show " + string(c.ID) + ", mend the cause, then sendoff review resume " + c.Review + " --reason TEXT",
		})
	case schema.CampaignDone, schema.CampaignEmpty:
		return t.clearAccessReviewAlarm(ctx, c.ReviewID, schema.AlarmReviewFailed)
	}
	return nil
}

// withdrawCampaign takes back what a campaign that ended has not done.
func (t *tx) withdrawCampaign(ctx context.Context, c schema.Campaign) error {
	for _, sql := range []string{
		`update campaign_assignment a set ended_at = @now, end_why = 'the campaign ended: ' || @end
			where a.campaign_id = @id and a.ended_at is null
			and exists (select from campaign_item i where i.id = a.item_id and i.state in ('unassigned', 'open'))`,
		`update campaign_item set state = 'withdrawn', why = 'the campaign ended: ' || @end, escalate_at = null, updated_at = @now
			where campaign_id = @id and state in ('unassigned', 'open')`,
	} {
		if err := t.run(ctx, sql, args{"id": c.ID, "end": string(c.End), "now": t.now}); err != nil {
			return err
		}
	}
	if err := t.withdrawRemovals(ctx, c); err != nil {
		return err
	}
	tag, err := t.Exec(ctx, `delete from budget_use where campaign_id = @id and reserved`, args{"id": c.ID})
	if err != nil {
		return err
	}
	if tag.RowsAffected() > 0 {
		if err := t.tellWaiting(ctx, ""); err != nil {
			return err
		}
	}
	if c.BatchID == "" {
		return nil
	}
	b, held, err := maybe[batchRow](ctx, t, `select `+batchColumns+` from batch where id = @id and state = 'held' for no key update`, args{"id": c.BatchID})
	if err != nil || !held {
		return err
	}
	t.record(b.batchScope().stream(), engine(), "batch.discarded", audit.Subject{PolicyID: string(c.ReviewID), CampaignID: string(c.ID)},
		map[string]string{"batch": string(b.ID), "reason": "its campaign ended"})
	return t.endBatch(ctx, b, schema.BatchDiscarded)
}

// withdrawRemovals withdraws removals that have not started of a campaign that ended.
// Those that have go on: of these, ended plans are followed here for the last time, the
// others when they end.
func (t *tx) withdrawRemovals(ctx context.Context, c schema.Campaign) error {
	list, err := all[schema.Removal](ctx, t, `update campaign_removal m set state = 'withdrawn', why = 'the campaign ended: ' || @end, updated_at = @now
		where campaign_id = @id and state in ('wanted', 'planned', 'ready') returning `+removalColumns, args{"id": c.ID, "end": string(c.End), "now": t.now})
	if err != nil {
		return err
	}
	for _, m := range list {
		t.recordRemoval(c, m, engine(), "removal.withdrawn", map[string]string{"why": m.Why})
	}
	// A plan that ends just now waits until this campaign has ended, or is waited for.
	err = t.run(ctx, `select 1 from plan p where p.case_id in (select m.case_id from campaign_removal m where m.campaign_id = @id and m.state = 'started')
		order by p.id for share`, args{"id": c.ID})
	if err != nil {
		return err
	}
	return t.followAll(ctx, c, `m.campaign_id = @id`, args{"id": c.ID})
}
