package store

import (
	"context"

	"sendoff/schema"
)

// Removals lists the removals of a campaign, with their items, oldest first.
func (s *Store) Removals(ctx context.Context, id schema.CampaignID, f schema.RemovalFilter) ([]schema.Removal, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	var list []schema.Removal
	var next string
	err = s.readTx(ctx, "list removals", func(ctx context.Context, q querier) error {
		if _, err := loadCampaign(ctx, q, id); err != nil {
			return err
		}
		where, a := `where m.campaign_id = @id`, args{"id": id, "limit": f.Limit + 1}
		if f.State != "" {
			where, a["state"] = where+` and m.state = @state`, f.State
		}
		if f.After != "" {
			where, a["at"], a["after"] = where+` and (m.created_at, m.id) > (@at, @after::uuid)`, from.At, schema.RemovalID(from.ID)
		}
		rows, err := all[schema.Removal](ctx, q, selectRemovals+where+` order by m.created_at, m.id limit @limit`, a)
		if err != nil {
			return err
		}
		list, next = page(rows, f.Limit, func(m schema.Removal) cursor { return cursor{m.CreatedAt, string(m.ID)} })
		return addRemovalParts(ctx, q, list, false)
	})
	return list, next, err
}

// Returns lists access that came back after its removal, oldest first.
func (s *Store) Returns(ctx context.Context, id schema.CampaignID) ([]schema.Return, error) {
	list, err := all[schema.Return](ctx, s.pool, `select campaign_id, item_id, facts, cause, detail, seen_at, follow_up from campaign_return
		where campaign_id = @id order by id`, args{"id": id})
	return list, translate("read returns", err)
}
