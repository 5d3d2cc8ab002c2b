package store

import (
	"context"

	"sendoff/schema"
)

// ReviewItems lists the items of a run, by account id.
func (s *Store) ReviewItems(ctx context.Context, id schema.ReviewID, f schema.ItemFilter) ([]schema.ReviewItem, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where, a := `where i.review_id = @id`, args{"id": id, "limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = where+` and i.state = @state`, f.State
	}
	if f.After != "" {
		where, a["after"] = where+` and i.account_id > @after`, schema.AccountID(from.ID)
	}
	list, err := all[schema.ReviewItem](ctx, s.pool, `select `+itemColumns+` from review_item i `+where+` order by i.account_id limit @limit`, a)
	list, next := page(list, f.Limit, func(i schema.ReviewItem) cursor { return cursor{ID: string(i.AccountID)} })
	return list, next, translate("list a review's items", err)
}

// Verdicts lists what a run keeps of the accounts that it judged, by account id: of
// a reason, or of all, and with changed only those judged otherwise than before.
func (s *Store) Verdicts(ctx context.Context, id schema.ReviewID, reason schema.VerdictReason, changed bool, after string, limit int) ([]schema.VerdictRow, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	where, a := ``, args{"id": id, "limit": limit + 1}
	if changed {
		where += ` and before <> ''`
	}
	if after != "" {
		where, a["after"] = where+` and account_id > @after`, schema.AccountID(from.ID)
	}
	const matched, others = `select account_id, connection_id, external_id, login, 'matched' as reason, before, -1 as exclusion from review_item`,
		`select account_id, connection_id, external_id, login, reason, before, exclusion from review_verdict`
	part := func(of string) string {
		return `(` + of + ` where review_id = @id` + where + ` order by account_id limit @limit)`
	}
	rows := part(matched) + ` union all ` + part(others)
	switch reason {
	case "":
	case schema.ReasonMatched:
		rows = part(matched)
	default:
		where, a["reason"] = where+` and reason = @reason`, reason
		rows = part(others)
	}
	list, err := all[schema.VerdictRow](ctx, s.pool, `select v.account_id, c.name as connection, v.external_id, v.login, v.reason, v.before, v.exclusion
		from (`+rows+`) v join connection c on c.id = v.connection_id order by v.account_id limit @limit`, a)
	list, next := page(list, limit, func(v schema.VerdictRow) cursor { return cursor{ID: string(v.AccountID)} })
	return list, next, translate("list a review's verdicts", err)
}
