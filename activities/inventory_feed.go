package activities

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// eventsAtATime is about how many events are stored in one transaction.
	eventsAtATime = 5000
	// clockMargin is how far beyond both ends of a span its events are asked for: the
	// vendor's clock may be ahead of ours, or behind. What comes twice for it counts
	// once.
	clockMargin = 10 * time.Minute
	// liveMargin is how long before the stream forgets a position it is given up:
	// the past may be read for a day, and the stream's first page tried for another,
	// before it is used. Of a position that it forgot, the stream says nothing.
	liveMargin = 2 * 24 * time.Hour
)

// feed is a connection's feed as an activity works on it.
type feed struct {
	source
	events connectors.ActivityFeed
	state  schema.FeedState
}

func (v *Inventory) openFeed(ctx context.Context, id schema.RunID) (context.Context, *feed, error) {
	ctx, s, err := v.open(ctx, id)
	if err != nil {
		return ctx, nil, err
	}
	f := &feed{source: s}
	if f.events, err = connectors.Capability[connectors.ActivityFeed](s.c, "read_events"); err != nil {
		return ctx, nil, err
	}
	f.state, err = v.store.Feed(ctx, s.conn.ID, f.events.ActivitySource())
	return ctx, f, err
}

// BeginFeed makes sure that the live stream is followed: from now on the first
// time, and anew when the stream has forgotten the position. What lies between is
// read back.
func (v *Inventory) BeginFeed(ctx context.Context, in RunInput) error {
	ctx, f, err := v.openFeed(ctx, in.RunID)
	if err != nil {
		return err
	}
	past, live := f.events.Reach()
	now := v.now().UTC()
	from := f.stillWanted()
	switch {
	case f.state.Live == "":
		window, err := v.store.BackfillOf(ctx, f.conn.ID)
		if err != nil {
			return err
		}
		from = now.Add(-min(window, past))
	case now.Sub(f.state.LiveAt) < live-liveMargin:
		return nil
	}
	if from.IsZero() || from.Before(now.Add(-past)) {
		from = now.Add(-past)
	}
	position, err := f.events.LivePosition(ctx)
	if err != nil {
		return err
	}
	// What was in the stream before the position is in the past by now.
	at := v.now().UTC()
	_, err = v.store.BeginFeed(ctx, f.state, position, at, schema.Interval{From: from, To: at})
	return err
}

// stillWanted is where the past begins that is not known yet, up to now: at the
// end of what is covered, or earlier where reading back has not come to its end.
func (f *feed) stillWanted() time.Time {
	from := f.state.Unbroken().To
	if open := f.state.Backfill; !open.Empty() && (from.IsZero() || open.From.Before(from)) {
		return open.From
	}
	return from
}

// ReadPast reads the span that is to be read back, to its end. Events reach the
// log late, so its end is not believed before they have had their time.
func (v *Inventory) ReadPast(ctx context.Context, in RunInput) error {
	ctx, f, err := v.openFeed(ctx, in.RunID)
	if err != nil || f.state.Backfill.Empty() {
		return err
	}
	if wait := f.state.Backfill.To.Add(v.clocks.EventDelay).Sub(v.now()); wait > 0 {
		return &notYet{"events of the last minutes are not in the log yet", wait}
	}
	var held []schema.ActivityEvent
	pages := 0
	position := f.state.BackfillPosition
	span := schema.Interval{From: f.state.Backfill.From.Add(-clockMargin), To: f.state.Backfill.To.Add(clockMargin)}
	return drain(ctx, position, func(ctx context.Context, at string) (connectors.Page[schema.ActivityEvent], error) {
		return pastPage(ctx, f.events, span, at)
	}, func(ctx context.Context, p connectors.Page[schema.ActivityEvent]) (err error) {
		held = append(held, p.Entries...)
		pages++
		end := p.Next == ""
		if !end {
			position = p.Next
		}
		if len(held) < eventsAtATime && !end {
			return nil
		}
		if f.state, err = v.store.HandlePast(ctx, f.state, held, position, end); err != nil {
			return err
		}
		err = v.store.CountRead(ctx, in.RunID, schema.DataActivity, pages, int64(len(held)))
		held, pages = held[:0], 0
		return err
	})
}

// pastPage is a page of the past as a page of a listing: the last has no next.
func pastPage(ctx context.Context, events connectors.ActivityFeed, span schema.Interval, at string) (connectors.Page[schema.ActivityEvent], error) {
	p, err := events.PastEvents(ctx, span, at)
	if err != nil || p.End {
		return connectors.Page[schema.ActivityEvent]{Entries: p.Events}, err
	}
	return connectors.Page[schema.ActivityEvent]{Entries: p.Events, Next: p.Next}, nil
}

// ReadLive reads the live stream to its present end. It is complete up to a while
// before the moment in which its end was met.
func (v *Inventory) ReadLive(ctx context.Context, in RunInput) error {
	ctx, f, err := v.openFeed(ctx, in.RunID)
	if err != nil {
		return err
	}
	var held []schema.ActivityEvent
	pages := 0
	position := f.state.Live
	seen := circle{}
	for {
		asked := v.now().UTC()
		p, err := f.events.LiveEvents(ctx, position)
		if err == nil && !p.End {
			err = seen.pass(position, p.Next)
		}
		if err != nil {
			return err
		}
		held, position, pages = append(held, p.Events...), p.Next, pages+1
		if len(held) < eventsAtATime && !p.End {
			continue
		}
		var coveredTo time.Time
		if p.End {
			coveredTo = asked.Add(-v.clocks.EventDelay)
		}
		if f.state, err = v.store.HandleLive(ctx, f.state, held, position, coveredTo); err != nil {
			return err
		}
		if err := v.store.CountRead(ctx, in.RunID, schema.DataActivity, pages, int64(len(held))); err != nil {
			return err
		}
		if p.End {
			return v.activityRead(ctx, in.RunID, f.conn.ID)
		}
		held, pages = held[:0], 0
	}
}

// activityRead records that a connection's events are read to their end.
func (v *Inventory) activityRead(ctx context.Context, id schema.RunID, c schema.ConnectionID) error {
	if err := v.store.FinishDataset(ctx, id, schema.DataActivity, schema.DatasetCollected, ""); err != nil {
		return err
	}
	return v.store.SaveActivityStatus(ctx, c, schema.DatasetCollected, "", "")
}

// SkipActivity records that a connection's events cannot be had, and why.
func (v *Inventory) SkipActivity(ctx context.Context, in SkipInput) error {
	_, conn, err := v.store.RunOf(ctx, in.RunID)
	if err == nil {
		err = v.store.FinishDataset(ctx, in.RunID, schema.DataActivity, schema.DatasetNotCollected, in.Reason)
	}
	if err != nil {
		return err
	}
	return v.store.SaveActivityStatus(ctx, conn.ID, schema.DatasetNotCollected, in.Reason, "")
}
