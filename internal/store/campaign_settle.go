package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// deletedRow is a removal that has not started, or was refused before it did, whose
// account is deleted.
type deletedRow struct {
	ID    schema.RemovalID
	Case  string // that deleted it; empty = somebody else
	At    time.Time
	Watch int64 // microseconds
}

// settleDeleted ends removals that have not started and whose account is deleted: by
// a case whose step proved that, or by whoever else, as the vendor told a sync. What
// was revoked is gone with it. Nothing could be planned for such an account, and
// nothing would be left to wait for. That holds for what was refused before it started,
// too; what is kept by now of such a removal is not in it.
func (t *tx) settleDeleted(ctx context.Context, c schema.Campaign) (int, error) {
	rows, err := all[deletedRow](ctx, t, `select m.id, coalesce(x.case_id::text, '') as "case", coalesce(x.finished_at, a.checked_at, a.observed_at) as at,
			coalesce((v.rule->>'watch')::bigint, 0) / 1000 as watch
		from campaign_removal m join account a on a.id = m.account_id
		join access_review_version v on v.review_id = @review and v.version = @version
		left join lateral (select p.case_id, s.finished_at from plan p join plan_step s on s.plan_id = p.id
			where p.account_id = m.account_id and s.kind = 'delete' and s.state = 'done' order by s.finished_at desc limit 1) x on true
		where m.campaign_id = @id and (m.state in ('wanted', 'planned', 'ready') or m.state = 'refused' and m.case_id is null
				and exists (select 1 from campaign_item i where i.removal_id = m.id and `+revokedItems+`))
			and (a.status = 'deleted' or x.finished_at is not null and (a.status = 'missing' or x.finished_at >= a.observed_at))
		order by m.id`, args{"id": c.ID, "review": c.ReviewID, "version": c.Version})
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		m, err := t.lockRemoval(ctx, r.ID)
		if err != nil {
			return 0, err
		}
		if m.State == schema.RemovalRefused {
			err = t.run(ctx, `update campaign_item i set removal_id = null, updated_at = @now where i.removal_id = @removal and not (`+revokedItems+`)`,
				args{"id": c.ID, "removal": m.ID, "now": t.now})
			if err != nil {
				return 0, err
			}
		}
		why := "the account was deleted: the vendor says so"
		if r.Case != "" {
			why = "the account was deleted by case " + r.Case
		}
		err = t.moveRemoval(ctx, c, &m, schema.RemovalDone, `, why = @why, waits_for = null, proven_at = @at,
			watch_until = @at::timestamptz + @watch::bigint * interval '1 microsecond'`, args{"why": why, "at": r.At, "watch": r.Watch})
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// settleRemoved ends removals that have not started of accounts whose connection was
// removed: nothing can be sent there any more.
func (t *tx) settleRemoved(ctx context.Context, c schema.Campaign) (int, error) {
	ids, err := scalars[schema.RemovalID](ctx, t, `select m.id from campaign_removal m join account a on a.id = m.account_id join connection k on k.id = a.connection_id
		where m.campaign_id = @id and m.state in ('wanted', 'planned', 'ready') and k.state = 'removed' order by m.id`, args{"id": c.ID})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return 0, err
		}
		err = t.moveRemoval(ctx, c, &m, schema.RemovalImpossible, `, why = @why, way = @way, waits_for = null`,
			args{"why": removalNotPossible, "way": "its connection was removed: take the access away at the vendor"})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// PartRemoval takes items that cannot be removed from here out of a wanted removal,
// into one of their own that is impossible, with the way how people remove them: the
// proof of the others says nothing of these.
func (s *Store) PartRemoval(ctx context.Context, id schema.RemovalID, items []schema.ItemID, way string) error {
	return s.withRemoval(ctx, "part a removal", id, func(ctx context.Context, t *tx, c schema.Campaign, m schema.Removal) error {
		if m.State != schema.RemovalWanted {
			return staleRemoval(m)
		}
		part, err := newID[schema.RemovalID]()
		if err != nil {
			return err
		}
		err = t.run(ctx, `insert into campaign_removal (id, campaign_id, account_id, state, why, way, created_at, updated_at)
			values (@part, @campaign, @account, 'impossible', @why, @way, @now, @now)`, args{
			"part": part, "campaign": c.ID, "account": m.AccountID, "why": removalNotPossible, "way": way, "now": t.now,
		})
		if err != nil {
			return err
		}
		if err := t.lockItemsOf(ctx, id); err != nil {
			return err
		}
		tag, err := t.Exec(ctx, `update campaign_item set removal_id = @part, updated_at = @now where removal_id = @id and id = any(@items)`,
			args{"part": part, "id": id, "items": items, "now": t.now})
		if err == nil && tag.RowsAffected() != int64(len(items)) {
			err = staleRemoval(m)
		}
		if err != nil {
			return err
		}
		t.recordRemoval(c, schema.Removal{ID: part, AccountID: m.AccountID}, engine(), "removal.impossible", map[string]string{"of": string(id)})
		return nil
	})
}

// removalNotPossible is why a removal is impossible.
const removalNotPossible = "it cannot be removed from here"
