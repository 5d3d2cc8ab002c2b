package store

import (
	"context"
	"strconv"

	"sendoff/schema"
)

// listedEventColumns leave out what may be large: the body, and the roster that
// was read from it.
const listedEventColumns = `e.id, e.seq, e.source_id, s.name as source, e.event_id, e.group_id, e.via, e.kind, e.body_hash,
	null::bytea as body, null::bytea as change, e.state, e.problems, e.outcome, e.received_at, e.applied_at`

// ListHREvents lists events, newest first, without their bodies: of its change an
// event tells the kind alone.
func (s *Store) ListHREvents(ctx context.Context, f schema.HREventFilter) ([]schema.HREvent, string, error) {
	const op = "list events"
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(f.After, false)
	if err != nil {
		return nil, "", err
	}
	a := args{"limit": f.Limit + 1}
	where := ` where true`
	if f.After != "" {
		before, err := strconv.ParseInt(from[0], 10, 64)
		if err != nil {
			return nil, "", errCursor()
		}
		where += ` and e.seq < @before`
		a["before"] = before
	}
	if f.Source != "" {
		src, err := sourceByName(ctx, s.pool, f.Source, "")
		if err != nil {
			return nil, "", translate(op, err)
		}
		where += ` and e.source_id = @source`
		a["source"] = src.ID
	}
	rows, err := all[eventRow](ctx, s.pool, eventList(f.State, where, a), a)
	if err != nil {
		return nil, "", translate(op, err)
	}
	rows, next := cut(rows, f.Limit, func(r eventRow) keyCursor { return keyCursor{strconv.FormatInt(r.Seq, 10)} })
	events := make([]schema.HREvent, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, next, nil
}

// eventList is the query for a page. Those of a rare state are found by the
// index of that state, whatever Postgres thinks of how many there are.
func eventList(state schema.EventState, where string, a args) string {
	selected := `hr_event e`
	switch state {
	case schema.EventPending:
		where += ` and e.state = 'pending'`
		selected = `(with few as materialized (select e.seq from hr_event e` + where + `)
			select e.* from hr_event e join few on few.seq = e.seq) e`
		where = ``
	case schema.EventRefused: // the index needs the state in the statement's text
		where += ` and e.state = 'refused'`
	case "":
	default:
		where += ` and e.state = @state`
		a["state"] = state
	}
	return `select ` + listedEventColumns + ` from ` + selected + ` join hr_source s on s.id = e.source_id` + where + `
		order by e.seq desc limit @limit`
}

// HREvent returns one event with its body; CodeNotFound.
func (s *Store) HREvent(ctx context.Context, id schema.HREventID) (schema.HREvent, error) {
	const op = "read event"
	row, ok, err := maybe[eventRow](ctx, s.pool, `select `+eventColumns+` from hr_event e join hr_source s on s.id = e.source_id where e.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no event " + string(id), Fix: "sendoff hr events shows all events"}
	}
	if err != nil {
		return schema.HREvent{}, translate(op, err)
	}
	e, err := row.whole()
	return e, translate(op, err)
}
