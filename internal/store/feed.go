package store

import (
	"context"
	"slices"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// Feed returns where reading of a connection's events is; a feed never begun has
// no Live and no Covered.
func (s *Store) Feed(ctx context.Context, c schema.ConnectionID, source schema.ActivitySource) (schema.FeedState, error) {
	var f schema.FeedState
	err := s.readTx(ctx, "read the feed", func(ctx context.Context, q querier) (err error) {
		f, _, err = readFeed(ctx, q, c, source, ``)
		return err
	})
	return f, err
}

// BeginFeed starts a feed, or starts it anew after a gap. The live stream is
// complete since the instant, so the span between it and what was covered before
// is a hole until the past is read back. A back-fill that was under way is given
// up: past has to hold what of it is still wanted. Audited. CodeStale when f is
// not how the feed stands.
func (s *Store) BeginFeed(ctx context.Context, f schema.FeedState, live string, at time.Time, past schema.Interval) (schema.FeedState, error) {
	if live == "" || at.IsZero() {
		return f, &schema.Error{Code: schema.CodeInvalid, Message: "a feed begins at a position of the live stream and the instant it is complete since"}
	}
	at, past = micros(at), schema.Interval{From: micros(past.From), To: micros(past.To)}
	var after schema.FeedState
	err := s.inTx(ctx, "begin the feed", func(ctx context.Context, t *tx) error {
		before, err := t.openFeed(ctx, f.ConnectionID, f.Source)
		if err != nil {
			return err
		}
		if before.Live != f.Live || !sameBackfill(before, f) {
			return staleFeed()
		}
		after = before
		at, past := notAhead(at, t.now), upTo(past, t.now)
		after.Live, after.LiveAt, after.Backfill, after.BackfillPosition = live, at, past, ""
		// An instant inside what is covered takes nothing of it away.
		since := schema.Interval{From: at, To: at}
		if last := before.Unbroken(); last.To.After(at) {
			since.To = last.To
		}
		after.Covered = schema.JoinInterval(before.Covered, since)
		details := map[string]string{"live_since": instant(at)}
		if !past.Empty() {
			details = with(details, "past_from", instant(past.From), "past_to", instant(past.To))
		}
		t.recordFeed(f, "activity.feed_begun", details)
		return t.moveFeed(ctx, before, after)
	})
	return after, err
}

// HandleLive stores events of the live stream, with the position after them, and
// moves the end of what is covered forward, never back and never beyond the
// database's present; with it accounts show their use. LiveAt is that end: what the
// vendor keeps for a limited time is safe up to there. CodeStale when the live position is not f's.
func (s *Store) HandleLive(ctx context.Context, f schema.FeedState, events []schema.ActivityEvent, next string, coveredTo time.Time) (schema.FeedState, error) {
	if next == "" {
		return f, noPosition()
	}
	var after schema.FeedState
	err := s.inTx(ctx, "store live events", func(ctx context.Context, t *tx) error {
		before, known, err := readFeed(ctx, t, f.ConnectionID, f.Source, lockRow)
		if err != nil {
			return err
		}
		if !known || before.Live == "" || before.Live != f.Live {
			return staleFeed()
		}
		after = before
		after.Live = next
		stored, err := t.storeEvents(ctx, before, events)
		if err != nil {
			return err
		}
		after.Events += stored
		if !coveredTo.IsZero() {
			extend(&after, notAhead(micros(coveredTo), t.now), t.now)
			if err := t.show(ctx, f); err != nil {
				return err
			}
		}
		return t.moveFeed(ctx, before, after)
	})
	return after, err
}

// HandlePast stores events of the past, with the position after them; end means
// that the span is read, and it joins the covered ones; with it accounts show their
// use. CodeStale when the back-fill is not where f has it.
func (s *Store) HandlePast(ctx context.Context, f schema.FeedState, events []schema.ActivityEvent, next string, end bool) (schema.FeedState, error) {
	if next == "" && !end {
		return f, noPosition()
	}
	if end {
		if err := s.showAll(ctx, f); err != nil {
			return f, err
		}
	}
	var after schema.FeedState
	err := s.inTx(ctx, "store past events", func(ctx context.Context, t *tx) error {
		before, known, err := readFeed(ctx, t, f.ConnectionID, f.Source, lockRow)
		if err != nil {
			return err
		}
		if !known || before.Backfill.Empty() || !sameBackfill(before, f) {
			return staleFeed()
		}
		after = before
		after.BackfillPosition = next
		stored, err := t.storeEvents(ctx, before, events)
		if err != nil {
			return err
		}
		after.Events += stored
		if end {
			after.Covered = schema.JoinInterval(before.Covered, before.Backfill)
			after.Backfill, after.BackfillPosition = schema.Interval{}, ""
			if err := t.show(ctx, f); err != nil {
				return err
			}
		}
		return t.moveFeed(ctx, before, after)
	})
	return after, err
}

// RecordActivity stores what another source than the connection's own feed knows,
// such as an identity provider's sign-ins: events, and the span for which they are
// all there is (empty = there is more to come). The source has to be declared
// (SetActivitySources): CodeConflict otherwise.
func (s *Store) RecordActivity(ctx context.Context, c schema.ConnectionID, source schema.ActivitySource, events []schema.ActivityEvent, covered schema.Interval) (schema.FeedState, error) {
	covered = schema.Interval{From: micros(covered.From), To: micros(covered.To)}
	var after schema.FeedState
	err := s.inTx(ctx, "record activity", func(ctx context.Context, t *tx) error {
		before, err := t.openFeed(ctx, c, source)
		if err != nil {
			return err
		}
		declared, err := sourcesOf(ctx, t, c)
		if err != nil {
			return err
		}
		if before.Live != "" || !slices.Contains(declared, source) {
			return conflict("the source "+string(source)+" is not declared for the connection, or is its own feed",
				"declare the order of the connection's sources first")
		}
		after = before
		stored, err := t.storeEvents(ctx, before, events)
		if err != nil {
			return err
		}
		after.Events += stored
		after.Covered = schema.JoinInterval(before.Covered, upTo(covered, t.now))
		if err := t.show(ctx, before); err != nil {
			return err
		}
		return t.moveFeed(ctx, before, after)
	})
	return after, err
}

// SaveActivityStatus records whether the data set activity is collected. It is as
// of the end of what the first collected source covers.
func (s *Store) SaveActivityStatus(ctx context.Context, c schema.ConnectionID, to schema.DatasetState, reason, detail string) error {
	return s.inTx(ctx, "save the state of activity", func(ctx context.Context, t *tx) error {
		bases, err := gradeBases(ctx, t, []schema.ConnectionID{c})
		if err != nil {
			return err
		}
		return t.run(ctx, `insert into dataset as d (connection_id, dataset, state, reason, detail, as_of, rows)
			select @c, @dataset, @state, @reason, @detail, @as_of, coalesce(sum(events), 0) from activity_feed where connection_id = @c
			on conflict (connection_id, dataset) do update set state = excluded.state, reason = excluded.reason,
				detail = excluded.detail, as_of = excluded.as_of, rows = excluded.rows`,
			args{"c": c, "dataset": schema.DataActivity, "state": to, "reason": reason, "detail": detail, "as_of": bases[0].CoveredTo})
	})
}

// BackfillOf is how far back the connection's first read of events goes.
func (s *Store) BackfillOf(ctx context.Context, c schema.ConnectionID) (time.Duration, error) {
	seconds, err := scalar[int64](ctx, s.pool, `select coalesce(
		(select backfill_seconds from connection_schedule where connection_id = @c), @default)`,
		args{"c": c, "default": int64(schema.DefaultSchedule().Backfill / time.Second)})
	return time.Duration(seconds) * time.Second, translate("read the schedule", err)
}

func sameBackfill(a, b schema.FeedState) bool {
	return sameSpan(a.Backfill, b.Backfill) && a.BackfillPosition == b.BackfillPosition
}

func staleFeed() error {
	return &schema.Error{
		Code: schema.CodeStale, Message: "the feed of events is not where it was read: another try got ahead",
		Fix: "read where it is and go on from there",
	}
}

func noPosition() error {
	return &schema.Error{Code: schema.CodeInvalid, Message: "a page of events needs the position after it"}
}

// micros is an instant as Postgres keeps it.
func micros(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// notAhead is an instant, or now if that is earlier: a clock that was ahead must not
// prove a silence that has not been, nor hide for as long that reading stood still.
func notAhead(at, now time.Time) time.Time {
	if at.After(now) {
		return micros(now)
	}
	return at
}

// upTo is the part of a span that lies before now; the zero span for none.
func upTo(span schema.Interval, now time.Time) schema.Interval {
	span.To = notAhead(span.To, now)
	if span.Empty() {
		return schema.Interval{}
	}
	return span
}

func instant(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func (t *tx) recordFeed(f schema.FeedState, action string, details map[string]string) {
	t.record(audit.ConnectionStream(string(f.ConnectionID)), engine(), action, audit.Subject{ConnectionID: string(f.ConnectionID)},
		with(details, "source", string(f.Source)))
}
