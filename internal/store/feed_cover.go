package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sendoff/schema"
)

// holeSight is how long a hole is remembered: longer than any vendor's past can be
// read back, and than any threshold asks for.
const holeSight = 2 * 366 * 24 * time.Hour

const lockRow = `for no key update`

type feedRow struct {
	Live             string
	LiveAt           time.Time
	BackfillFrom     time.Time
	BackfillTo       time.Time
	BackfillPosition string
	Events           int64
}

// readFeed reads a feed with what it covers, and whether there is one.
func readFeed(ctx context.Context, q querier, c schema.ConnectionID, source schema.ActivitySource, lock string) (schema.FeedState, bool, error) {
	f := schema.FeedState{ConnectionID: c, Source: source}
	row, known, err := maybe[feedRow](ctx, q, `select live, live_at, backfill_from, backfill_to, backfill_position, events
		from activity_feed where connection_id = @c and source = @source `+lock, args{"c": c, "source": source})
	if err != nil || !known {
		return f, false, err
	}
	f.Live, f.LiveAt, f.BackfillPosition, f.Events = row.Live, row.LiveAt, row.BackfillPosition, row.Events
	f.Backfill = schema.Interval{From: row.BackfillFrom, To: row.BackfillTo}
	type span struct{ FromAt, ToAt time.Time }
	spans, err := all[span](ctx, q, `select from_at, to_at from activity_interval
		where connection_id = @c and source = @source order by from_at`, args{"c": c, "source": source})
	for _, i := range spans {
		f.Covered = append(f.Covered, schema.Interval{From: i.FromAt, To: i.ToAt})
	}
	return f, true, err
}

// openFeed locks the feed; one that was not there is made, not begun.
func (t *tx) openFeed(ctx context.Context, c schema.ConnectionID, source schema.ActivitySource) (schema.FeedState, error) {
	err := t.run(ctx, `insert into activity_feed (connection_id, source, updated_at) values (@c, @source, @now) on conflict do nothing`,
		args{"c": c, "source": source, "now": t.now})
	if err != nil {
		return schema.FeedState{}, err
	}
	f, _, err := readFeed(ctx, t, c, source, lockRow)
	return f, err
}

// moveFeed stores a feed's new state, and what its coverage gained or lost.
func (t *tx) moveFeed(ctx context.Context, before, after schema.FeedState) error {
	err := t.changeOne(ctx, `update activity_feed set live = @live, live_at = @live_at, backfill_from = @from, backfill_to = @to,
			backfill_position = @position, events = @events, updated_at = @now
		where connection_id = @c and source = @source`,
		args{
			"c": after.ConnectionID, "source": after.Source, "live": after.Live, "live_at": after.LiveAt, "from": after.Backfill.From,
			"to": after.Backfill.To, "position": after.BackfillPosition, "events": after.Events, "now": t.now,
		})
	if err != nil || slices.EqualFunc(before.Covered, after.Covered, sameSpan) {
		return err
	}
	if err := t.saveCovered(ctx, after); err != nil {
		return err
	}
	return t.noteHoles(ctx, after, schema.Holes(before.Covered), schema.Holes(after.Covered))
}

// saveCovered replaces the feed's covered spans, of which there are few.
func (t *tx) saveCovered(ctx context.Context, f schema.FeedState) error {
	var from, to []time.Time
	for _, i := range f.Covered {
		from, to = append(from, i.From), append(to, i.To)
	}
	err := t.run(ctx, `delete from activity_interval where connection_id = @c and source = @source and from_at <> all(@from::timestamptz[])`,
		args{"c": f.ConnectionID, "source": f.Source, "from": from})
	if err != nil {
		return err
	}
	return t.run(ctx, `insert into activity_interval as i (connection_id, source, from_at, to_at)
		select @c, @source, from_at, to_at from unnest(@from::timestamptz[], @to::timestamptz[]) as s(from_at, to_at)
		on conflict (connection_id, source, from_at) do update set to_at = excluded.to_at where i.to_at <> excluded.to_at`,
		args{"c": f.ConnectionID, "source": f.Source, "from": from, "to": to})
}

// extend moves the end of the last covered span forward to an instant, and forgets
// the spans before a hole that nobody will ask for any more.
func extend(f *schema.FeedState, to, now time.Time) {
	last := len(f.Covered) - 1
	if last < 0 || !to.After(f.Covered[last].To) {
		return
	}
	f.LiveAt = to
	f.Covered = slices.Clone(f.Covered)
	f.Covered[last].To = to
	for len(f.Covered) > 1 && f.Covered[1].From.Before(now.Add(-holeSight)) {
		f.Covered = f.Covered[1:]
	}
}

// noteHoles records the holes that came and those that were closed, and raises or
// clears the alarm.
func (t *tx) noteHoles(ctx context.Context, f schema.FeedState, before, after []schema.Interval) error {
	closed := slices.DeleteFunc(slices.Clone(before), func(h schema.Interval) bool { return slices.ContainsFunc(after, overlaps(h)) })
	found := slices.DeleteFunc(slices.Clone(after), func(h schema.Interval) bool { return slices.ContainsFunc(before, overlaps(h)) })
	for _, h := range closed {
		t.recordFeed(f, "activity.hole_closed", map[string]string{"from": instant(h.From), "to": instant(h.To)})
	}
	for _, h := range found {
		t.recordFeed(f, "activity.hole_found", map[string]string{"from": instant(h.From), "to": instant(h.To)})
	}
	switch {
	case len(found) > 0:
		if err := t.clearHoles(ctx, f.ConnectionID); err != nil {
			return err
		}
		return t.raiseHole(ctx, f, after)
	case len(before) > 0 && len(after) == 0:
		others, err := scalar[bool](ctx, t, `select exists (select from activity_interval
			where connection_id = @c and source <> @source group by source having count(*) > 1)`,
			args{"c": f.ConnectionID, "source": f.Source})
		if err != nil || others {
			return err
		}
		return t.clearHoles(ctx, f.ConnectionID)
	}
	return nil
}

func sameSpan(a, b schema.Interval) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }

func overlaps(a schema.Interval) func(schema.Interval) bool {
	return func(b schema.Interval) bool { return a.From.Before(b.To) && b.From.Before(a.To) }
}

// raiseHole opens an alarm about the newest hole, so that each one is told of.
func (t *tx) raiseHole(ctx context.Context, f schema.FeedState, holes []schema.Interval) error {
	newest := holes[len(holes)-1]
	message := fmt.Sprintf("the events of %s from %s to %s are not known: accounts last used before or in that time are graded unknown",
		f.Source, newest.From.Format(time.RFC3339), newest.To.Format(time.RFC3339))
	if older := len(holes) - 1; older > 0 {
		message += fmt.Sprintf("; %d older spans are missing too", older)
	}
	return t.raiseAlarm(ctx, schema.Alarm{
		ConnectionID: f.ConnectionID, Code: schema.AlarmActivityHole, Message: message,
		Fix: "nothing, where the past can still be read back: the alarm ends when it is; otherwise grades are proven again " +
			"once the threshold lies wholly after that time",
	})
}

// clearHoles ends the open alarm about holes.
func (t *tx) clearHoles(ctx context.Context, c schema.ConnectionID) error {
	return t.run(ctx, `update alarm set cleared_at = @now where connection_id = @c and code = @code and cleared_at is null`,
		args{"c": c, "code": schema.AlarmActivityHole, "now": t.now})
}
