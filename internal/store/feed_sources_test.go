package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

const signIns schema.ActivitySource = "directory.sign_ins"

func TestSourcesInDeclaredOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	account := b.account("1")
	f := b.feed()
	boxUse, directoryUse := ago(40*time.Minute), ago(20*time.Minute)
	b.live(f, "live-1", ago(30*time.Minute), login("a", "1", boxUse))

	// Nobody declared it: its own feed alone counts, and no other may be recorded.
	sources, err := b.SourcesOf(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, []schema.ActivitySource{boxEvents}, sources)
	covered := schema.Interval{From: ago(10 * day), To: ago(0)}
	use := []schema.ActivityEvent{login("a", "1", directoryUse)} // another source's ids are its own
	_, err = b.RecordActivity(ctx, b.conn.ID, signIns, use, covered)
	requireCode(t, schema.CodeConflict, err)

	require.NoError(t, b.SetActivitySources(ctx, "box", []schema.ActivitySource{signIns, boxEvents}, b.admin))
	require.Equal(t, 1, b.audited("activity.sources_declared"))
	for range 2 { // again: nothing changes
		got, err := b.RecordActivity(ctx, b.conn.ID, signIns, use, covered)
		require.NoError(t, err)
		require.EqualValues(t, 1, got.Events)
	}
	require.Equal(t, shown{directoryUse, "LOGIN", "directory.sign_ins"}, b.shown("1"))
	_, err = b.RecordActivity(ctx, b.conn.ID, boxEvents, use, covered)
	requireCode(t, schema.CodeConflict, err)

	activity, created, err := b.ActivityOf(ctx, account.ID)
	require.NoError(t, err)
	require.Zero(t, created)
	require.Equal(t, []schema.Activity{
		{Source: signIns, LastActiveAt: directoryUse, LastEvent: "LOGIN", Covered: covered},
		{Source: boxEvents, LastActiveAt: boxUse, LastEvent: "LOGIN", Covered: activity[1].Covered},
	}, activity)
	coverage, err := b.ConnectionActivity(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Len(t, coverage, 2)
	require.Equal(t, covered, coverage[0].Unbroken())
	require.False(t, coverage[1].Backfill.Empty())

	// What is not declared any more does not count any more; it is not forgotten.
	require.NoError(t, b.SetActivitySources(ctx, "box", nil, b.admin))
	require.Equal(t, shown{boxUse, "LOGIN", "box.events"}, b.shown("1"))
	require.NoError(t, b.SetActivitySources(ctx, "box", []schema.ActivitySource{"other"}, b.admin))
	require.Zero(t, b.shown("1"))
	require.NoError(t, b.SetActivitySources(ctx, "box", []schema.ActivitySource{signIns}, b.admin))
	require.Equal(t, shown{directoryUse, "LOGIN", "directory.sign_ins"}, b.shown("1"))
}

// TestUseShowsAtOnceBesideAnotherSource: the other source may prove
// silence while the feed is still being read.
func TestUseShowsAtOnceBesideAnotherSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.account("1")
	require.NoError(t, b.SetActivitySources(t.Context(), "box", []schema.ActivitySource{signIns, boxEvents}, b.admin))
	past, live := ago(20*day), ago(time.Minute)
	f := b.past(b.feed(), "p1", false, login("a", "1", past))
	require.Equal(t, past, b.shown("1").at)
	b.live(f, "live-1", time.Time{}, login("b", "1", live))
	require.Equal(t, live, b.shown("1").at)
}

func TestActivityOfNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, err := b.ActivityOf(t.Context(), "0197c0de-0000-7000-8000-000000000001")
	requireCode(t, schema.CodeNotFound, err)
	activity, _, err := b.ActivityOf(t.Context(), b.account("1").ID)
	require.NoError(t, err)
	require.Empty(t, activity)
	require.Equal(t, schema.GradeNotCollected, schema.GradeOf(activity, day, time.Time{}, time.Now()))
}
