package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/schema"
)

var _ activities.FeedStore = (*store.Store)(nil)

const boxEvents schema.ActivitySource = "box.events"

const day = 24 * time.Hour

// ago is an instant before now, as Postgres keeps it.
func ago(d time.Duration) time.Time { return time.Now().Add(-d).UTC().Truncate(time.Microsecond) }

func login(id, actor string, at time.Time) schema.ActivityEvent {
	return schema.ActivityEvent{ID: id, Type: "LOGIN", At: at, Actor: schema.ExternalID(actor)}
}

// feed begins the connection's feed an hour ago, with a month to be read back.
func (b *bundle) feed() schema.FeedState {
	b.t.Helper()
	at := ago(time.Hour)
	f, err := b.Feed(b.t.Context(), b.conn.ID, boxEvents)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.FeedState{ConnectionID: b.conn.ID, Source: boxEvents}, f)
	f, err = b.BeginFeed(b.t.Context(), f, "live-0", at, schema.Interval{From: at.Add(-30 * day), To: at})
	require.NoError(b.t, err)
	return f
}

func (b *bundle) live(f schema.FeedState, next string, coveredTo time.Time, events ...schema.ActivityEvent) schema.FeedState {
	b.t.Helper()
	f, err := b.HandleLive(b.t.Context(), f, events, next, coveredTo)
	require.NoError(b.t, err)
	b.requireStored(f)
	return f
}

func (b *bundle) past(f schema.FeedState, next string, end bool, events ...schema.ActivityEvent) schema.FeedState {
	b.t.Helper()
	f, err := b.HandlePast(b.t.Context(), f, events, next, end)
	require.NoError(b.t, err)
	b.requireStored(f)
	return f
}

// requireStored proves that the state a call returned is the one a restart reads.
func (b *bundle) requireStored(f schema.FeedState) {
	b.t.Helper()
	stored, err := b.Feed(b.t.Context(), f.ConnectionID, f.Source)
	require.NoError(b.t, err)
	require.Equal(b.t, f, stored)
}

// shown is what an account shows of its use.
type shown struct {
	at            time.Time
	event, source string
}

func (b *bundle) shown(external string) shown {
	b.t.Helper()
	var s shown
	var at *time.Time
	require.NoError(b.t, b.sql().QueryRow(b.t.Context(), `select last_active_at, last_event, last_source from account
		where connection_id = $1 and external_id = $2`, b.conn.ID, external).Scan(&at, &s.event, &s.source))
	if at != nil {
		s.at = at.UTC()
	}
	return s
}

func (b *bundle) count(sql string, args ...any) (n int) {
	b.t.Helper()
	require.NoError(b.t, b.sql().QueryRow(b.t.Context(), sql, args...).Scan(&n))
	return n
}

func (b *bundle) audited(action string) int {
	b.t.Helper()
	return b.count(`select count(*) from audit_record where stream = $1 and convert_from(body, 'UTF8') like '%"'||$2||'"%'`,
		audit.ConnectionStream(string(b.conn.ID)), action)
}

func TestFeedIsReadBackAndGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.account("1")
	f := b.feed()
	begun := f.LiveAt
	require.Equal(t, []schema.Interval{{From: begun, To: begun}}, f.Covered)
	require.Equal(t, 1, b.audited("activity.feed_begun"))

	old, recent := ago(20*day), ago(2*day)
	f = b.past(f, "p1", false, login("a", "1", old))
	require.Zero(t, b.shown("1").at, "a back-fill proves nothing before its end")
	f = b.past(f, "", true, login("b", "1", recent))
	require.Equal(t, shown{recent, "LOGIN", "box.events"}, b.shown("1"))
	require.Equal(t, []schema.Interval{{From: begun.Add(-30 * day), To: begun}}, f.Covered)
	require.True(t, f.Backfill.Empty())

	now := ago(0)
	f = b.live(f, "live-1", time.Time{}, login("c", "1", now.Add(-time.Minute)))
	require.Equal(t, begun, f.Unbroken().To, "there is more to fetch")
	require.Equal(t, recent, b.shown("1").at)
	f = b.live(f, "live-1", now)
	require.Equal(t, now, f.Unbroken().To)
	require.Equal(t, now, f.LiveAt)
	require.Equal(t, now.Add(-time.Minute), b.shown("1").at)
	f = b.live(f, "live-1", begun)
	require.Equal(t, now, f.Unbroken().To, "coverage never goes back")
	require.EqualValues(t, 3, f.Events)
	require.Zero(t, b.audited("activity.hole_found"))
}

func TestPageOfAnotherTryIsStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.account("1")
	f := b.feed()

	after := b.past(f, "p1", false, login("a", "1", ago(20*day)))
	_, err := b.HandlePast(ctx, f, []schema.ActivityEvent{login("a", "1", ago(20*day)), login("b", "1", ago(19*day))}, "p1", false)
	requireCode(t, schema.CodeStale, err)
	after = b.past(after, "", true)
	_, err = b.HandlePast(ctx, f, nil, "", true)
	requireCode(t, schema.CodeStale, err)

	after = b.live(after, "live-1", time.Time{}, login("c", "1", ago(time.Minute)))
	_, err = b.HandleLive(ctx, f, []schema.ActivityEvent{login("d", "1", ago(0))}, "live-1", ago(0))
	requireCode(t, schema.CodeStale, err)
	_, err = b.BeginFeed(ctx, f, "live-9", ago(0), schema.Interval{})
	requireCode(t, schema.CodeStale, err)
	_, err = b.HandleLive(ctx, schema.FeedState{ConnectionID: b.conn.ID, Source: "never.begun"}, nil, "x", ago(0))
	requireCode(t, schema.CodeStale, err)

	b.requireStored(after)
	require.Equal(t, 2, b.count(`select sum(events) from activity_day`))
}

func TestHoleIsFoundAndClosed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	f := b.past(b.feed(), "", true)
	lost, again := f.Unbroken().To, ago(time.Minute)

	f, err := b.BeginFeed(ctx, f, "live-9", again, schema.Interval{From: lost, To: again})
	require.NoError(t, err)
	require.Equal(t, []schema.Interval{{From: lost, To: again}}, schema.Holes(f.Covered))
	require.Equal(t, again, f.Unbroken().From)
	openAlarms := `select count(*) from alarm where connection_id = $1 and code = $2 and cleared_at is null and message like '%' || $3 || '%'`
	from := lost.Format(time.RFC3339)
	require.Equal(t, 1, b.count(openAlarms, b.conn.ID, schema.AlarmActivityHole, from))
	require.Equal(t, 1, b.audited("activity.hole_found"))

	f = b.past(f, "p1", false)
	require.Len(t, f.Covered, 2, "not read to the end")
	f = b.past(f, "", true)
	require.Empty(t, schema.Holes(f.Covered))
	require.Zero(t, b.count(openAlarms, b.conn.ID, schema.AlarmActivityHole, ""))
	require.Equal(t, 1, b.audited("activity.hole_closed"))
}

// TestEachHoleIsToldOf: a second hole is not hidden by the alarm about the first,
// and the alarm ends with the last.
func TestEachHoleIsToldOf(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.past(b.feed(), "", true)
	first, second := ago(30*time.Minute), ago(10*time.Minute)
	f, err := b.BeginFeed(t.Context(), f, "live-9", first, schema.Interval{})
	require.NoError(t, err)
	lost := f.Unbroken().To
	f, err = b.BeginFeed(t.Context(), f, "live-10", second, schema.Interval{From: lost, To: second})
	require.NoError(t, err)
	require.Len(t, schema.Holes(f.Covered), 2)
	require.Equal(t, 2, b.count(`select count(*) from alarm`))
	require.Equal(t, 1, b.count(`select count(*) from alarm where cleared_at is null and message like '%older spans%'`))
	f = b.past(f, "", true)
	require.Len(t, schema.Holes(f.Covered), 1)
	require.Equal(t, 1, b.count(`select count(*) from alarm where cleared_at is null`))
	f, err = b.BeginFeed(t.Context(), f, "live-11", second, schema.Interval{From: first.Add(-day), To: second})
	require.NoError(t, err)
	b.past(f, "", true)
	require.Zero(t, b.count(`select count(*) from alarm where cleared_at is null`))
}

func TestEventFromTheFutureCountsAsNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, id := range []string{"1", "2", "3"} {
		b.account(id)
	}
	f := b.feed()
	near := ago(-2 * time.Minute)
	ahead, far := login("a", "1", ago(-3*time.Hour)), login("b", "2", ago(-400*day))
	f = b.live(f, "live-1", ago(0), ahead, far, login("c", "3", near))
	require.Equal(t, near, b.shown("3").at, "a little ahead is how clocks are")
	first, second := b.shown("1"), b.shown("2")
	for _, s := range []shown{first, second} {
		require.WithinDuration(t, time.Now(), s.at, time.Minute)
	}
	f = b.live(f, "live-2", ago(0), ahead, far)
	require.Equal(t, first, b.shown("1"))
	require.Equal(t, second, b.shown("2"))
	require.EqualValues(t, 3, f.Events)
}

func TestEventsThatProveNoUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.account("1")
	f := b.feed()
	at := ago(time.Minute)
	b.live(f, "live-1", ago(0),
		schema.ActivityEvent{ID: "a", Type: "ADMIN_LOGIN", At: at},
		schema.ActivityEvent{ID: "b", Type: "LOGIN", Actor: "1"}, // no instant
		schema.ActivityEvent{ID: "c", Type: "DELETE_USER", At: at, Deleted: "77", DeletedBy: "1"},
		schema.ActivityEvent{ID: "c", Type: "DELETE_USER", At: at, Deleted: "77", DeletedBy: "1"})
	require.Zero(t, b.shown("1").at)
	require.Zero(t, b.count(`select (select count(*) from account_activity) + (select count(*) from activity_day)`))
	require.Equal(t, 1, b.count(`select count(*) from vendor_deletion where external_id = '77' and deleted_by = '1' and deleted_at = $1`, at))
}

func TestUseBeforeTheAccountIsKnownCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.feed()
	at := ago(time.Minute)
	f = b.live(f, "live-1", time.Time{}, login("a", "1", at), login("b", "10", ago(time.Second)))
	b.account("1")
	require.Equal(t, shown{at, "LOGIN", "box.events"}, b.shown("1"))
	b.account("1")
	require.Equal(t, shown{at, "LOGIN", "box.events"}, b.shown("1"), "listing it again changes nothing")

	// The account's transaction and the page's do not see each other: the next read
	// of the feed's end brings them together.
	b.exec(`update account set last_active_at = null, last_event = '', last_source = ''`)
	b.live(f, "live-1", ago(0))
	require.Equal(t, shown{at, "LOGIN", "box.events"}, b.shown("1"))
}

func TestPartitionsRollOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.account("1")
	f := b.feed()
	partitions := func() []string {
		rows, err := b.sql().Query(ctx, `select inhrelid::regclass::text from pg_inherits where inhparent = 'activity_event'::regclass order by 1`)
		require.NoError(t, err)
		var names []string
		for rows.Next() {
			var name string
			require.NoError(t, rows.Scan(&name))
			names = append(names, name)
		}
		require.NoError(t, rows.Err())
		return names
	}
	first, last := login("a", "1", ago(14*day)), login("b", "1", ago(time.Minute))
	f = b.live(f, "live-1", time.Time{}, first, last)
	f = b.live(f, "live-2", time.Time{}, last, first)
	require.EqualValues(t, 2, f.Events)
	names := partitions()
	require.Len(t, names, 18)

	// A day later the oldest is gone, and with it what was remembered of it.
	b.exec(`select activity_partitions(current_date + 1)`)
	require.Len(t, partitions(), 18)
	require.NotEqual(t, names, partitions())
	b.exec(`select activity_partitions(current_date + 100)`)
	require.Zero(t, b.count(`select count(*) from activity_event`))

	// The store makes what it needs, whatever is there.
	f = b.live(f, "live-3", time.Time{}, login("c", "1", ago(0)))
	require.EqualValues(t, 3, f.Events)
	require.Subset(t, partitions(), names)
	require.Equal(t, 3, b.count(`select sum(events) from activity_day`))
}

// TestOldEventsOfCoveredSpansAreKnown: a back-fill over what was read before does
// not count it again, although its events are not remembered.
func TestOldEventsOfCoveredSpansAreKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.account("1")
	old, late := login("a", "1", ago(20*day)), login("b", "1", ago(21*day))
	f := b.past(b.feed(), "", true, old)
	f, err := b.BeginFeed(t.Context(), f, "live-1", ago(0), schema.Interval{From: ago(25 * day), To: ago(0)})
	require.NoError(t, err)
	b.past(f, "", true, late, old)
	require.Equal(t, 2, b.count(`select count(*) from activity_day`))
	require.Equal(t, 2, b.count(`select sum(events) from activity_day`))
	require.Equal(t, 1, b.count(`select count(*) from account_activity where first_active_at = $1 and last_active_at = $2`, late.At, old.At))
}

func TestActivityStatusAndBackfill(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	window, err := b.BackfillOf(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, schema.DefaultSchedule().Backfill, window)
	b.exec(`insert into connection_schedule values ($1, 0, 0, 60, 86400)`, b.conn.ID)
	window, err = b.BackfillOf(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, day, window)

	status := `select count(*) from dataset where connection_id = $1 and dataset = 'activity' and state = $2 and reason = $3 and rows = $4`
	require.NoError(t, b.SaveActivityStatus(ctx, b.conn.ID, schema.DatasetNotCollected, "PLAN_WITHOUT_EVENTS", "the plan has no events"))
	require.Equal(t, 1, b.count(status+` and as_of is null`, b.conn.ID, "not_collected", "PLAN_WITHOUT_EVENTS", 0))
	to := ago(0)
	b.live(b.feed(), "live-1", to, login("a", "1", to))
	require.NoError(t, b.SaveActivityStatus(ctx, b.conn.ID, schema.DatasetCollected, "", ""))
	require.Equal(t, 1, b.count(status+` and as_of = $5`, b.conn.ID, "collected", "", 1, to))
}

func TestFeedRefusesWhatCannotGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	f := b.feed()
	for name, call := range map[string]func() error{
		"no live position":   func() error { _, err := b.BeginFeed(ctx, f, "", ago(0), schema.Interval{}); return err },
		"no instant":         func() error { _, err := b.BeginFeed(ctx, f, "x", time.Time{}, schema.Interval{}); return err },
		"no next, live":      func() error { _, err := b.HandleLive(ctx, f, nil, "", ago(0)); return err },
		"no next, past":      func() error { _, err := b.HandlePast(ctx, f, nil, "", false); return err },
		"a source too many":  func() error { return b.SetActivitySources(ctx, "box", []schema.ActivitySource{"a", "a"}, b.admin) },
		"a source of spaces": func() error { return b.SetActivitySources(ctx, "box", []schema.ActivitySource{"a b"}, b.admin) },
	} {
		t.Run(name, func(t *testing.T) { requireCode(t, schema.CodeInvalid, call()) })
	}
	requireCode(t, schema.CodeNotFound, b.SetActivitySources(ctx, "none", nil, b.admin))
	b.requireStored(f)
}

func events(n int, make func(i int) schema.ActivityEvent) []schema.ActivityEvent {
	out := []schema.ActivityEvent{}
	for i := range n {
		out = append(out, make(i))
	}
	return out
}

func TestManyEventsOfOnePage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.account("7")
	at := ago(3 * time.Hour)
	page := events(2000, func(i int) schema.ActivityEvent {
		return login(fmt.Sprint("e", i), fmt.Sprint(i%50), at.Add(time.Duration(i)*time.Second))
	})
	f := b.live(b.feed(), "live-1", ago(0), append(page, page...)...)
	require.EqualValues(t, 2000, f.Events)
	require.Equal(t, at.Add(1957*time.Second), b.shown("7").at)
	require.Equal(t, 2000, b.count(`select sum(events) from activity_day`))
	require.Equal(t, 50, b.count(`select count(*) from account_activity`))
}
