package store

import (
	"context"

	"sendoff/schema"
)

// stumblingOf is a condition on an alarm: it says that a campaign cannot go on.
const stumblingOf = `cleared_at is null and code = @code and campaign_id = @id`

func stumblingArgs(id schema.CampaignID) args {
	return args{"id": id, "code": schema.AlarmCampaignFailed}
}

// CampaignStumbled raises the alarm of a campaign that cannot go on, and says why. One
// that has ended meanwhile needs none.
func (s *Store) CampaignStumbled(ctx context.Context, id schema.CampaignID, why string) error {
	return s.inTx(ctx, "raise the alarm of a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil || c.State == schema.CampaignEnded {
			return err
		}
		return t.raiseAlarm(ctx, schema.StumblingAlarm(c, why))
	})
}

// CampaignWentOn ends the alarm of a campaign that could not go on. Without one
// nothing is written.
func (s *Store) CampaignWentOn(ctx context.Context, id schema.CampaignID) error {
	const op = "end the alarm of a campaign"
	open, err := scalar[bool](ctx, s.pool, `select exists (select 1 from alarm where `+stumblingOf+`)`, stumblingArgs(id))
	if err != nil || !open {
		return translate(op, err)
	}
	return s.inTx(ctx, op, func(ctx context.Context, t *tx) error { return t.clearStumbling(ctx, id) })
}

func (t *tx) clearStumbling(ctx context.Context, id schema.CampaignID) error {
	a := stumblingArgs(id)
	a["now"] = t.now
	return t.run(ctx, `update alarm set cleared_at = @now where `+stumblingOf, a)
}

// clearHeldAlarm ends the alarm that a campaign's batch is held.
func (t *tx) clearHeldAlarm(ctx context.Context, id schema.CampaignID) error {
	return t.run(ctx, `update alarm set cleared_at = @now where cleared_at is null and code = @code and campaign_id = @id`,
		args{"now": t.now, "id": id, "code": schema.AlarmOverBudget})
}

// clearNotBegun ends the alarm about a campaign that did not begin: another one did.
func (t *tx) clearNotBegun(ctx context.Context, c schema.Campaign, review schema.AccessReviewID) error {
	if !c.Whole() {
		return nil
	}
	return t.clearAccessReviewAlarm(ctx, review, schema.AlarmCampaignNotBegun)
}
