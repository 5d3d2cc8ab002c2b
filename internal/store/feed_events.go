package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

const (
	// maxAhead is how far an event may lie in the future by the database's clock
	// before it is taken to have happened now. It did happen, so it is kept; but a
	// vendor whose clock is ahead must not make accounts look used for ever.
	maxAhead = 5 * time.Minute
	// Events are remembered for the days of activity_partitions: from 15 before to 2
	// after the present one.
	dedupeBefore = 15
	dedupeAfter  = 2
)

// use is what a page of events says of one account.
type use struct {
	first, last time.Time
	event       string // of the last
}

// later tells whether an event comes after the last one. Of two at one instant the
// greater word does, so that order of arrival does not matter.
func (u use) later(at time.Time, event string) bool {
	return cmp.Or(at.Compare(u.last), cmp.Compare(event, u.event)) > 0
}

// accountDay is a day (UTC) on which an account was used.
type accountDay struct {
	day     int64 // as time.Unix(day * 86400, 0)
	account schema.ExternalID
}

// eventPage is a page of events, each of them once.
type eventPage struct {
	events []schema.ActivityEvent
	// clamped are those that lay too far in the future: their instant is that of the
	// transaction, and another one each time they come.
	clamped map[string]bool
}

// readPage drops repeats within the page, and events without an instant, which
// prove nothing; those too far ahead are moved to now.
func readPage(events []schema.ActivityEvent, now time.Time) eventPage {
	p := eventPage{events: make([]schema.ActivityEvent, 0, len(events)), clamped: map[string]bool{}}
	seen := make(map[string]bool, len(events))
	for _, e := range events {
		if seen[e.ID] || e.At.IsZero() {
			continue
		}
		seen[e.ID] = true
		e.At = micros(e.At)
		if e.At.After(now.Add(maxAhead)) {
			e.At = now
			p.clamped[e.ID] = true
		}
		p.events = append(p.events, e)
	}
	return p
}

// storeEvents stores a page and returns how many events of it are new. Accounts
// show it when the coverage moves, since before nothing is proven by their silence;
// but where another source could prove it meanwhile, they show it at once. An
// update of an account costs more than all the rest, for its indexes.
func (t *tx) storeEvents(ctx context.Context, f schema.FeedState, events []schema.ActivityEvent) (int64, error) {
	if len(events) == 0 {
		return 0, nil
	}
	page := readPage(events, t.now)
	isNew, err := t.rememberEvents(ctx, f, page)
	if err != nil {
		return 0, err
	}
	uses, days, sighted := map[schema.ExternalID]use{}, map[accountDay]int32{}, map[accountDay]int32{}
	var fresh int64
	for _, e := range page.events {
		known := !isNew(e)
		if !known {
			fresh++
		}
		if e.Actor == "" || known && page.clamped[e.ID] {
			continue
		}
		addUse(uses, e)
		day := accountDay{dayOf(e.At), e.Actor}
		switch {
		case !known:
			days[day]++
		case e.At.Before(t.dedupeFrom()):
			sighted[day] = 1
		}
	}
	sources, err := sourcesOf(ctx, t, f.ConnectionID)
	if err != nil {
		return 0, err
	}
	if err := t.saveUses(ctx, f, uses, len(sources) > 1); err != nil {
		return 0, err
	}
	if err := t.saveDays(ctx, f, days, `do update set events = d.events + excluded.events`); err != nil {
		return 0, err
	}
	if err := t.saveDays(ctx, f, sighted, `do nothing`); err != nil {
		return 0, err
	}
	return fresh, t.saveDeletions(ctx, f, page)
}

func addUse(uses map[schema.ExternalID]use, e schema.ActivityEvent) {
	u, ok := uses[e.Actor]
	if !ok {
		uses[e.Actor] = use{first: e.At, last: e.At, event: e.Type}
		return
	}
	if e.At.Before(u.first) {
		u.first = e.At
	}
	if u.later(e.At, e.Type) {
		u.last, u.event = e.At, e.Type
	}
	uses[e.Actor] = u
}

func dayOf(at time.Time) int64 { return at.Unix() / 86400 }

func dateOf(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }

func (t *tx) dedupeFrom() time.Time { return dateOf(dayOf(t.now) - dedupeBefore) }

// rememberEvents stores the ids of recent events and returns which events are new.
// An older one is known when it lies in a span of which every event is.
func (t *tx) rememberEvents(ctx context.Context, f schema.FeedState, page eventPage) (func(schema.ActivityEvent) bool, error) {
	from := t.dedupeFrom()
	again, err := t.clampedBefore(ctx, f, page)
	if err != nil {
		return nil, err
	}
	var ids []string
	var days []time.Time
	for _, e := range page.events {
		if !e.At.Before(from) && !again[e.ID] {
			ids, days = append(ids, e.ID), append(days, dateOf(dayOf(e.At)))
		}
	}
	fresh := make(map[string]bool, len(ids))
	if len(ids) > 0 {
		if err := t.partitions(ctx); err != nil {
			return nil, err
		}
		inserted, err := scalars[string](ctx, t, `insert into activity_event (day, connection_id, source, event_id)
			select day, @c, @source, id from unnest(@days::date[], @ids::text[]) as e(day, id) order by day, id
			on conflict do nothing returning event_id`,
			args{"c": f.ConnectionID, "source": f.Source, "days": days, "ids": ids})
		if err != nil {
			return nil, err
		}
		for _, id := range inserted {
			fresh[id] = true
		}
	}
	return func(e schema.ActivityEvent) bool {
		if !e.At.Before(from) {
			return fresh[e.ID]
		}
		return !slices.ContainsFunc(f.Covered, func(i schema.Interval) bool { return i.Contains(e.At) })
	}, nil
}

// clampedBefore are the events too far ahead that came before: on whatever day.
func (t *tx) clampedBefore(ctx context.Context, f schema.FeedState, page eventPage) (map[string]bool, error) {
	if len(page.clamped) == 0 {
		return nil, nil //nolint:nilnil // no events, no error
	}
	ids, err := scalars[string](ctx, t, `select event_id from activity_event
		where connection_id = @c and source = @source and event_id = any(@ids)`,
		args{"c": f.ConnectionID, "source": f.Source, "ids": slices.Collect(maps.Keys(page.clamped))})
	again := make(map[string]bool, len(ids))
	for _, id := range ids {
		again[id] = true
	}
	return again, err
}

// partitions makes sure that there is a partition for each day that is remembered.
// Once a day that means new ones, and the end of the oldest.
func (t *tx) partitions(ctx context.Context) error {
	return t.run(ctx, `select activity_partitions(@today::date) where exists (
		select from generate_series(@today::date - @before::int, @today::date + @after::int, interval '1 day') as d
		where to_regclass('activity_event_' || to_char(d, 'YYYYMMDD')) is null)`,
		args{"today": dateOf(dayOf(t.now)), "before": dedupeBefore, "after": dedupeAfter})
}

// saveUses moves the first and last use of accounts apart, never together.
func (t *tx) saveUses(ctx context.Context, f schema.FeedState, uses map[schema.ExternalID]use, show bool) error {
	if len(uses) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(uses))
	first, last, events := make([]time.Time, len(ids)), make([]time.Time, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		u := uses[id]
		first[i], last[i], events[i] = u.first, u.last, u.event
	}
	err := t.run(ctx, `insert into account_activity as a (connection_id, source, external_id, first_active_at, last_active_at, last_event)
		select @c, @source, id, first, last, event
		from unnest(@ids::text[], @first::timestamptz[], @last::timestamptz[], @events::text[]) as u(id, first, last, event)
		on conflict (connection_id, external_id, source) do update set
			first_active_at = least(a.first_active_at, excluded.first_active_at),
			last_active_at = greatest(a.last_active_at, excluded.last_active_at),
			last_event = case when (excluded.last_active_at, excluded.last_event collate "C") > (a.last_active_at, a.last_event collate "C")
				then excluded.last_event else a.last_event end
		where excluded.first_active_at < a.first_active_at
			or (excluded.last_active_at, excluded.last_event collate "C") > (a.last_active_at, a.last_event collate "C")`,
		args{"c": f.ConnectionID, "source": f.Source, "ids": ids, "first": first, "last": last, "events": events})
	if err != nil || !show {
		return err
	}
	return t.run(ctx, showUse(`unnest(@ids::text[], @last::timestamptz[], @events::text[]) as u(external_id, last_active_at, last_event)
		join account a on a.connection_id = @c and a.external_id = u.external_id`, 0),
		args{"c": f.ConnectionID, "source": f.Source, "ids": ids, "last": last, "events": events})
}

// showPart is how many accounts one transaction changes at most when all that a
// back-fill found is shown: nobody shall wait long for an account's row.
const showPart = 20_000

// showAll brings the last use that the source knows to every account that shows an
// earlier one, in short transactions. What it shows is so, whether or not the
// caller goes on.
func (s *Store) showAll(ctx context.Context, f schema.FeedState) error {
	for {
		var shown int64
		err := s.inTx(ctx, "show what a back-fill found", func(ctx context.Context, t *tx) error {
			// Held, as by every page, against another order of sources.
			if _, _, err := readFeed(ctx, t, f.ConnectionID, f.Source, lockRow); err != nil {
				return err
			}
			tag, err := t.Exec(ctx, showUse(everyAccount, showPart), args{"c": f.ConnectionID, "source": f.Source})
			shown = tag.RowsAffected()
			return err
		})
		if err != nil || shown < showPart {
			return err
		}
	}
}

// show is showAll within the transaction.
func (t *tx) show(ctx context.Context, f schema.FeedState) error {
	return t.run(ctx, showUse(everyAccount, 0), args{"c": f.ConnectionID, "source": f.Source})
}

const everyAccount = `account a join account_activity u on u.connection_id = a.connection_id and u.external_id = a.external_id
	and u.source = @source and a.connection_id = @c`

// showUse updates accounts from a join of them, a, with what the source @source of
// the connection @c knows of their use, u; if that source counts. Most 0 = all of
// them. Rows are locked in the order of ids, as everywhere.
func showUse(join string, most int) string {
	limit := ""
	if most > 0 {
		limit = `limit ` + strconv.Itoa(most)
	}
	return `update account set last_active_at = u.last_active_at, last_event = u.last_event, last_source = @source
		from (select a.id, u.last_active_at, u.last_event from ` + join + `
			where activity_counts(@c, @source) and (a.last_active_at is null or
				(u.last_active_at, u.last_event collate "C", @source collate "C") > (a.last_active_at, a.last_event collate "C", a.last_source collate "C"))
			order by a.id ` + limit + ` for no key update of a) as u
		where account.id = u.id`
}

func (t *tx) saveDays(ctx context.Context, f schema.FeedState, counts map[accountDay]int32, onConflict string) error {
	if len(counts) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b accountDay) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.account, b.account))
	})
	days, ids, events := make([]time.Time, len(keys)), make([]schema.ExternalID, len(keys)), make([]int32, len(keys))
	for i, k := range keys {
		days[i], ids[i], events[i] = dateOf(k.day), k.account, counts[k]
	}
	return t.run(ctx, `insert into activity_day as d (connection_id, source, day, external_id, events)
		select @c, @source, day, id, n from unnest(@days::date[], @ids::text[], @events::int[]) as u(day, id, n)
		on conflict (connection_id, source, day, external_id) `+onConflict,
		args{"c": f.ConnectionID, "source": f.Source, "days": days, "ids": ids, "events": events})
}

// saveDeletions keeps who the vendor says was deleted, and by whom.
func (t *tx) saveDeletions(ctx context.Context, f schema.FeedState, page eventPage) error {
	var ids, by []schema.ExternalID
	var events []string
	var at []time.Time
	for _, e := range page.events {
		if e.Deleted != "" {
			ids, by, events, at = append(ids, e.Deleted), append(by, e.DeletedBy), append(events, e.ID), append(at, e.At)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.run(ctx, `insert into vendor_deletion (connection_id, external_id, event_id, deleted_at, deleted_by)
		select @c, id, event, at, by from unnest(@ids::text[], @events::text[], @at::timestamptz[], @by::text[]) as d(id, event, at, by)
		on conflict do nothing`,
		args{"c": f.ConnectionID, "ids": ids, "events": events, "at": at, "by": by})
}
