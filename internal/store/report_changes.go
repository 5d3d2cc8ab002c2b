package store

import (
	"context"
	"strconv"
	"time"

	"sendoff/schema"
)

const changeColumns = `h.id, h.connection_id, h.run_id, h.kind, h.account_id, h.external_id, h.login, h.group_id, h.group_name, h.item_id,
	h.before, h.after, h.since, h.seen_at`

// ReportChanges lists what is other than it was, what was seen last first, with the
// age of what it is told from.
func (s *Store) ReportChanges(ctx context.Context, f schema.ChangeFilter, now time.Time) (schema.ChangeReport, error) {
	var r schema.ChangeReport
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return r, err
	}
	from, err := parseChangeCursor(f.After)
	if err != nil {
		return r, err
	}
	err = s.reportTx(ctx, "list changes", f.ConnectionID, now, func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error {
		r.ReportHead = head
		sql, a := changePage(f, from, connectionsOf(bases))
		rows, err := all[schema.ChangeRow](ctx, q, `select `+changeColumns+`, c.name as connection
			from (`+sql+`) k join inventory_change h on h.id = k.id join connection c on c.id = h.connection_id
			order by h.seen_at desc, h.id desc`, a)
		r.Rows, r.Next = cut(rows, f.Limit, func(r schema.ChangeRow) keyCursor {
			return keyCursor{r.SeenAt.UTC().Format(time.RFC3339Nano), strconv.FormatInt(r.ID, 10)}
		})
		return err
	})
	return r, err
}

// changePage is the query for the keys of a page: one range of an index for each
// connection, or each connection and kind, merged; or the changes of one account.
func changePage(f schema.ChangeFilter, from changeCursor, connections []schema.ConnectionID) (string, args) {
	a := args{"connections": connections, "limit": f.Limit + 1}
	ranges, where := `unnest(@connections::uuid[]) as f(connection_id)`, `h.connection_id = f.connection_id`
	switch {
	case f.AccountID != "":
		where += ` and h.account_id = @account and (@every or h.kind = any(@kinds))`
		a["account"], a["kinds"], a["every"] = f.AccountID, f.Kinds, len(f.Kinds) == 0
	case len(f.Kinds) > 0:
		ranges += ` cross join unnest(@kinds::text[]) as w(kind)`
		where += ` and h.kind = w.kind`
		a["kinds"] = orAll(f.Kinds, nil)
	}
	if !f.Since.IsZero() {
		where += ` and h.seen_at >= @since`
		a["since"] = f.Since
	}
	switch {
	case f.After != "":
		where += ` and (h.seen_at, h.id) < (@from, @from_id)`
		a["from"], a["from_id"] = from.at, from.id
		if !f.Until.IsZero() {
			where += ` and h.seen_at + interval '0' < @until` // of two upper bounds the cursor's is the nearer
			a["until"] = f.Until
		}
	case !f.Until.IsZero():
		where += ` and h.seen_at < @until`
		a["until"] = f.Until
	}
	return `select k.id from ` + ranges + ` cross join lateral (select h.seen_at, h.id from inventory_change h where ` + where + `
			order by h.seen_at desc, h.id desc limit @limit) k
		order by k.seen_at desc, k.id desc limit @limit`, a
}

// changeCursor is the place after a change.
type changeCursor struct {
	at time.Time
	id int64
}

func parseChangeCursor(s string) (changeCursor, error) {
	parts, err := parseKeyCursor(s, false, false)
	if err != nil || s == "" {
		return changeCursor{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	id, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || err2 != nil {
		return changeCursor{}, errCursor()
	}
	return changeCursor{at, id}, nil
}
