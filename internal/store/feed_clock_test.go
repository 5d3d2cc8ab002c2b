package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestAClockAheadProvesNoSilence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.past(b.feed(), "", true)
	f = b.live(f, "live-1", time.Now().Add(30*day))
	require.WithinRange(t, f.Unbroken().To, ago(2*time.Hour), time.Now().Add(time.Minute))
	require.False(t, f.LiveAt.After(time.Now().Add(time.Minute)))
}

func TestAFeedDoesNotBeginInTheFuture(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f, err := b.Feed(t.Context(), b.conn.ID, boxEvents)
	require.NoError(t, err)
	at := time.Now().Add(30 * day)
	f, err = b.BeginFeed(t.Context(), f, "live-0", at, schema.Interval{From: at.Add(-60 * day), To: at})
	require.NoError(t, err)
	require.False(t, f.LiveAt.After(time.Now().Add(time.Minute)))
	f = b.past(f, "", true)
	require.False(t, f.Unbroken().To.After(time.Now().Add(time.Minute)))
}
