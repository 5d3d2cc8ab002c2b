package store

import (
	"context"

	"sendoff/schema"
)

// stumblingOf is a condition on an alarm, a: it says that a campaign cannot go on.
const stumblingOf = `a.cleared_at is null and a.code = @code and starts_with(a.message, @words)
	and a.access_review_id = (select review_id from campaign where id = @id)`

func stumblingArgs(id schema.CampaignID) args {
	return args{"id": id, "code": schema.AlarmCampaignFailed, "words": schema.Stumbling(id)}
}

// CampaignWentOn ends the alarm of a campaign that could not go on. Without one
// nothing is written.
func (s *Store) CampaignWentOn(ctx context.Context, id schema.CampaignID) error {
	const op = "end the alarm of a campaign"
	open, err := scalar[bool](ctx, s.pool, `select exists (select 1 from alarm a where `+stumblingOf+`)`, stumblingArgs(id))
	if err != nil || !open {
		return translate(op, err)
	}
	return s.inTx(ctx, op, func(ctx context.Context, t *tx) error { return t.clearStumbling(ctx, id) })
}

func (t *tx) clearStumbling(ctx context.Context, id schema.CampaignID) error {
	a := stumblingArgs(id)
	a["now"] = t.now
	return t.run(ctx, `update alarm a set cleared_at = @now where `+stumblingOf, a)
}

// clearNotBegun ends the alarm about a campaign that did not begin: another one did.
func (t *tx) clearNotBegun(ctx context.Context, c schema.Campaign, review schema.AccessReviewID) error {
	if !c.Whole() {
		return nil
	}
	return t.run(ctx, `update alarm set cleared_at = @now where cleared_at is null and access_review_id = @review and code = @code and starts_with(message, @words)`,
		args{"now": t.now, "review": review, "code": schema.AlarmCampaignFailed, "words": schema.NotBegun})
}
