package store

import (
	"context"

	"sendoff/schema"
)

// revokedItems is the condition for items i of a campaign that are to be removed.
const revokedItems = `i.campaign_id = @id and i.state = 'decided' and i.answer = 'revoke' and i.account_id is not null`

// gatherPiece is how many accounts are given removals in one transaction: reviewers
// wait for the campaign meanwhile.
const gatherPiece = 500

// GatherRemovals makes a removal for each account with revoked items that have none,
// or adds them to one that has not started; takes items that are kept by now out of
// those; and ends those whose account is deleted by now. It returns how many removals
// it touched.
func (s *Store) GatherRemovals(ctx context.Context, id schema.CampaignID) (int, error) {
	for touched := 0; ; {
		n, made, err := s.gatherRemovals(ctx, id)
		if touched += n; err != nil || made < gatherPiece {
			return touched, err
		}
	}
}

// gatherRemovals does a piece of that, and returns how many removals it touched and how
// many accounts it gave one.
func (s *Store) gatherRemovals(ctx context.Context, id schema.CampaignID) (touched, made int, err error) {
	err = s.inTx(ctx, "gather removals", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil {
			return err
		}
		if !c.State.Removes() {
			return staleCampaign(c)
		}
		gone, err := t.releaseKept(ctx, c)
		if err != nil {
			return err
		}
		if made, err = t.gather(ctx, c, gatherPiece); err != nil {
			return err
		}
		removed, err := t.settleRemoved(ctx, c)
		if err != nil {
			return err
		}
		deleted, err := t.settleDeleted(ctx, c)
		touched = gone + made + removed + deleted
		return err
	})
	return touched, made, err
}

// releaseKept takes items that are not revoked any more out of removals that have
// not started. A removal that is left without items is withdrawn.
func (t *tx) releaseKept(ctx context.Context, c schema.Campaign) (int, error) {
	kept, err := scalars[schema.RemovalID](ctx, t, `with freed as (
			update campaign_item i set removal_id = null, updated_at = @now from campaign_removal m
			where m.id = i.removal_id and m.campaign_id = @id and m.state in ('wanted', 'planned', 'ready') and not (`+revokedItems+`)
			returning m.id)
		select distinct id::text from freed order by 1`, args{"id": c.ID, "now": t.now})
	if err != nil {
		return 0, err
	}
	for _, id := range kept {
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return 0, err
		}
		left, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_item where removal_id = @id)`, args{"id": id})
		if err != nil {
			return 0, err
		}
		to, why := schema.RemovalWanted, "planned anew: part of it is kept"
		if !left {
			to, why = schema.RemovalWithdrawn, "what was revoked is kept"
		}
		if err := t.moveRemoval(ctx, c, &m, to, `, why = @why`, args{"why": why}); err != nil {
			return 0, err
		}
	}
	return len(kept), nil
}

// gather gives the revoked items without a removal of up to limit accounts one: that
// of their account which has not started, or a new one. What was impossible of these
// accounts joins them: it may be possible together. Items of accounts whose removal
// goes on wait. It returns how many accounts there were.
func (t *tx) gather(ctx context.Context, c schema.Campaign, limit int) (int, error) {
	accounts, err := all[struct {
		AccountID schema.AccountID
		RemovalID schema.RemovalID // that has not started; empty = none
	}](ctx, t, `select x.account_id, m.id as removal_id from (
			select distinct i.account_id from campaign_item i where `+revokedItems+` and i.removal_id is null
				and not exists (select 1 from campaign_removal m where m.campaign_id = @id and m.account_id = i.account_id and m.state = 'started')
			order by 1 limit @limit) x
		left join campaign_removal m on m.campaign_id = @id and m.account_id = x.account_id and m.state in ('wanted', 'planned', 'ready')
		order by x.account_id`, args{"id": c.ID, "limit": limit})
	if err != nil || len(accounts) == 0 {
		return 0, err
	}
	var of, fresh []schema.AccountID
	var ids []schema.RemovalID
	for _, a := range accounts {
		if of = append(of, a.AccountID); a.RemovalID != "" {
			if err := t.planAnew(ctx, c, a.RemovalID); err != nil {
				return 0, err
			}
			continue
		}
		id, err := newID[schema.RemovalID]()
		if err != nil {
			return 0, err
		}
		fresh, ids = append(fresh, a.AccountID), append(ids, id)
		t.recordRemoval(c, schema.Removal{ID: id, AccountID: a.AccountID}, engine(), "removal.wanted", nil)
	}
	err = t.run(ctx, `insert into campaign_removal (id, campaign_id, account_id, state, created_at, updated_at)
		select x.id, @id, x.account_id, 'wanted', @now, @now from unnest(@ids::uuid[], @fresh::uuid[]) as x(id, account_id)`,
		args{"id": c.ID, "ids": some(ids), "fresh": some(fresh), "now": t.now})
	if err != nil {
		return 0, err
	}
	if err := t.freeImpossible(ctx, c, of); err != nil {
		return 0, err
	}
	return len(accounts), t.run(ctx, `update campaign_item i set removal_id = m.id, updated_at = @now from campaign_removal m
		where m.campaign_id = @id and m.account_id = i.account_id and m.state = 'wanted' and i.account_id = any(@of) and i.removal_id is null and `+revokedItems,
		args{"id": c.ID, "of": of, "now": t.now})
}

// freeImpossible withdraws removals of accounts that were impossible: nothing was sent
// for them, and more of the account is revoked now.
func (t *tx) freeImpossible(ctx context.Context, c schema.Campaign, of []schema.AccountID) error {
	ids, err := scalars[schema.RemovalID](ctx, t, `select id from campaign_removal where campaign_id = @id and account_id = any(@of) and state = 'impossible' order by id`,
		args{"id": c.ID, "of": of})
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, id := range ids {
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return err
		}
		if err := t.moveRemoval(ctx, c, &m, schema.RemovalWithdrawn, `, why = 'planned anew: more of the account is revoked'`, args{}); err != nil {
			return err
		}
	}
	return t.run(ctx, `update campaign_item i set removal_id = null, updated_at = @now where i.removal_id = any(@ids) and `+revokedItems,
		args{"id": c.ID, "ids": ids, "now": t.now})
}

// planAnew has a removal that has not started planned again, with more to remove.
func (t *tx) planAnew(ctx context.Context, c schema.Campaign, id schema.RemovalID) error {
	m, err := t.lockRemoval(ctx, id)
	if err != nil || m.State == schema.RemovalWanted {
		return err
	}
	return t.moveRemoval(ctx, c, &m, schema.RemovalWanted, `, why = 'planned anew: more of it is revoked'`, args{})
}
