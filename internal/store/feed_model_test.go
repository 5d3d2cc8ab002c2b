package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// feedModel is what a feed must have stored: each event once, whatever came how
// often, in which order and by which stream.
type feedModel struct {
	b     *bundle
	sql   *pgx.Conn
	state schema.FeedState
	round int
	pages int
	// pool are the events that there are; happened those that were handled.
	pool     []schema.ActivityEvent
	happened map[string]schema.ActivityEvent
}

func newFeedModel(rt *rapid.T, b *bundle, sql *pgx.Conn, round int) *feedModel {
	m := &feedModel{b: b, sql: sql, round: round, happened: map[string]schema.ActivityEvent{}}
	source := schema.ActivitySource(fmt.Sprint("feed.", round))
	now := ago(0)
	for i := range rapid.IntRange(1, 12).Draw(rt, "pool") {
		e := schema.ActivityEvent{
			ID: fmt.Sprint("e", i), Type: rapid.SampledFrom([]string{"LOGIN", "PREVIEW", "éDIT"}).Draw(rt, "type"),
			// Few instants, so that some are at the same.
			At:    now.Add(-time.Duration(rapid.SampledFrom([]int{0, 1, 30, 200, 500}).Draw(rt, "hours")) * time.Hour),
			Actor: schema.ExternalID(rapid.SampledFrom([]string{m.account(0), m.account(1), m.account(2), ""}).Draw(rt, "actor")),
		}
		m.pool = append(m.pool, e)
	}
	m.known(rt, 0)
	f, err := b.Feed(b.t.Context(), b.conn.ID, source)
	require.NoError(rt, err)
	m.state, err = b.BeginFeed(b.t.Context(), f, "live-0", now, schema.Interval{From: now.Add(-30 * day), To: now})
	require.NoError(rt, err)
	return m
}

func (m *feedModel) account(n int) string { return fmt.Sprintf("r%d-%d", m.round, n) }

// known makes an account of the round part of the inventory.
func (m *feedModel) known(rt *rapid.T, n int) {
	a := m.b.account(m.account(n))
	require.NotEmpty(rt, a.ID)
}

// page draws events, with repeats of any that came before, in any order.
func (m *feedModel) page(rt *rapid.T, live bool) []schema.ActivityEvent {
	var page []schema.ActivityEvent
	for range rapid.IntRange(0, 8).Draw(rt, "events") {
		e := rapid.SampledFrom(m.pool).Draw(rt, "event")
		// A vendor's live stream keeps two weeks; older events come once, by the past.
		_, again := m.happened[e.ID]
		if old := time.Since(e.At) > 14*day; old && (live || again) {
			continue
		}
		page = append(page, e)
	}
	return page
}

func (m *feedModel) handle(rt *rapid.T) {
	live := rapid.Bool().Draw(rt, "live") || m.state.Backfill.Empty()
	page := m.page(rt, live)
	m.pages++
	next := fmt.Sprint("p", m.pages)
	call := func() (schema.FeedState, error) {
		if live {
			return m.b.HandleLive(m.b.t.Context(), m.state, page, next, time.Time{})
		}
		return m.b.HandlePast(m.b.t.Context(), m.state, page, next, false)
	}
	after, err := call()
	require.NoError(rt, err)
	for _, e := range page {
		m.happened[e.ID] = e
	}
	if rapid.Bool().Draw(rt, "by a zombie too") {
		_, err = call()
		require.Equal(rt, schema.CodeStale, schema.CodeOf(err))
	}
	m.state = after
	if rapid.Bool().Draw(rt, "crash") {
		m.state, err = m.b.Feed(m.b.t.Context(), m.b.conn.ID, m.state.Source)
		require.NoError(rt, err)
		require.Equal(rt, after, m.state)
	}
}

// finish ends the back-fill and reads the live stream's end.
func (m *feedModel) finish(rt *rapid.T) {
	var err error
	m.state, err = m.b.HandlePast(m.b.t.Context(), m.state, nil, "", true)
	require.NoError(rt, err)
	m.state, err = m.b.HandleLive(m.b.t.Context(), m.state, nil, m.state.Live, ago(0))
	require.NoError(rt, err)
	require.EqualValues(rt, len(m.happened), m.state.Events)
	require.Len(rt, m.state.Covered, 1)
}

// expected is what is known of an account: first use, last use and the word of it.
type expected struct {
	First, Last time.Time
	Event       string
}

func (m *feedModel) check(rt *rapid.T) {
	ctx := m.b.t.Context()
	uses, days := map[string]expected{}, map[string]int{}
	for _, e := range m.happened {
		if e.Actor == "" {
			continue
		}
		days[string(e.Actor)+" "+e.At.Format(time.DateOnly)]++
		u, ok := uses[string(e.Actor)]
		if !ok || e.At.Before(u.First) {
			u.First = e.At
		}
		if !ok || e.At.After(u.Last) || e.At.Equal(u.Last) && e.Type > u.Event {
			u.Last, u.Event = e.At, e.Type
		}
		uses[string(e.Actor)] = u
	}
	gotUses, gotDays := map[string]expected{}, map[string]int{}
	rows, err := m.sql.Query(ctx, `select external_id, first_active_at, last_active_at, last_event from account_activity where source = $1`, m.state.Source)
	require.NoError(rt, err)
	var id string
	var u expected
	_, err = pgx.ForEachRow(rows, []any{&id, &u.First, &u.Last, &u.Event}, func() error {
		gotUses[id] = expected{u.First.UTC(), u.Last.UTC(), u.Event}
		return nil
	})
	require.NoError(rt, err)
	rows, err = m.sql.Query(ctx, `select external_id || ' ' || day, events from activity_day where source = $1`, m.state.Source)
	require.NoError(rt, err)
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { gotDays[id] = n; return nil })
	require.NoError(rt, err)
	require.Equal(rt, uses, gotUses)
	require.Equal(rt, days, gotDays)

	// What the account shows: also the one that the inventory learns of only now.
	m.known(rt, 1)
	for n, want := range map[int]expected{0: uses[m.account(0)], 1: uses[m.account(1)]} {
		var got expected
		err := m.sql.QueryRow(ctx, `select coalesce(last_active_at, 'epoch'), last_event from account where external_id = $1`, m.account(n)).Scan(&got.Last, &got.Event)
		require.NoError(rt, err)
		if want.Last.IsZero() {
			want.Last = time.Unix(0, 0)
		}
		require.True(rt, want.Last.Equal(got.Last), "account %d: %s instead of %s", n, got.Last, want.Last)
		require.Equal(rt, want.Event, got.Event)
	}
}

// TestRepeatsAndDisorderChangeNothing runs random pages of both streams against
// the model.
func TestRepeatsAndDisorderChangeNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sql := b.sql()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m := newFeedModel(rt, b, sql, round)
		for range rapid.IntRange(1, 6).Draw(rt, "pages") {
			m.handle(rt)
		}
		m.finish(rt)
		m.check(rt)
	})
}
