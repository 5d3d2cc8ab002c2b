package store

import (
	"context"

	"sendoff/schema"
)

// applyAccessReview writes one change.
func (t *tx) applyAccessReview(ctx context.Context, c *accessReviewChange, by schema.Principal) error {
	if c.existed && !c.versioned() && c.before.Set == c.after.Set && c.before.State == c.after.State {
		return nil
	}
	if !c.existed {
		if err := t.addAccessReview(ctx, &c.after); err != nil {
			return err
		}
	}
	if c.versioned() {
		err := t.run(ctx, `insert into access_review_version (review_id, version, rule, hash, source, updated_by, updated_id, updated_at)
			values (@id, @version, @rule, @hash, @source, @by, @by_id, @now)`,
			args{
				"id": c.after.ID, "version": c.after.Version, "rule": c.after.Rule, "hash": c.after.Hash, "source": c.after.Source,
				"by": by.Name, "by_id": by.TokenID, "now": t.now,
			})
		if err != nil {
			return err
		}
	}
	if len(c.before.Rule.Events) == 0 && len(c.after.Rule.Events) > 0 {
		if err := t.lookFromNow(ctx, c.after.ID); err != nil {
			return err
		}
	}
	t.recordAppliedReview(*c, by)
	return t.saveAccessReview(ctx, c.after)
}

func (t *tx) addAccessReview(ctx context.Context, d *accessReviewRow) (err error) {
	if d.ID, err = newID[schema.AccessReviewID](); err != nil {
		return err
	}
	return t.run(ctx, `insert into access_review (id, name, version, set_name, state, created_at, updated_at)
		values (@id, @name, @version, @set, 'active', @now, @now)`,
		args{"id": d.ID, "name": d.Name, "version": d.Version, "set": d.Set, "now": t.now})
}

// lookFromNow lets an access review that begins to listen to changes leave those
// that were before.
func (t *tx) lookFromNow(ctx context.Context, id schema.AccessReviewID) error {
	return t.changeOne(ctx, `update access_review set seen_change = coalesce((select max(id) from inventory_change), 0),
			seen_person_change = coalesce((select max(id) from person_change), 0) where id = @id`, args{"id": id})
}

// recordAppliedReview audits what an apply did.
func (t *tx) recordAppliedReview(c accessReviewChange, by schema.Principal) {
	details := map[string]string{"change": string(c.change), "from_set": c.before.Set, "from_hash": c.before.Hash}
	switch c.change {
	case schema.PolicyWithdrawn:
		t.recordAccessReview(c.after, principal(by), "access_review.paused", map[string]string{"from": string(c.before.State), "reason": c.reason})
	case schema.PolicyRestored:
		t.recordAccessReview(c.after, principal(by), "access_review.resumed", with(details, "from", string(c.before.State), "reason", "its file is back"))
	default:
		t.recordAccessReview(c.after, principal(by), "access_review.applied", details)
	}
}
