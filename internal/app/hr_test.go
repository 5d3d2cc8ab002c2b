package app

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/policy"
	"sendoff/internal/store"
)

// TestWhatLooksAfterFeedsIsTaken: the sizes of the rounds are ones that the store
// takes; it refuses larger ones, and then nothing would ever be looked after.
func TestWhatLooksAfterFeedsIsTaken(t *testing.T) {
	t.Parallel()
	url := localtest.DatabaseFrom(t, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(t.Context(), store.Config{URL: url, AllowUnsafe: true})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	_, err = s.RejudgeLeavers(t.Context(), policy.JudgeLeaver, rejudgeAtOnce)
	require.NoError(t, err)
	_, err = s.PruneBudgets(t.Context(), pruneAtOnce)
	require.NoError(t, err)
	_, err = s.SweepLeavers(t.Context(), sweepAfter)
	require.NoError(t, err)
	_, err = s.StartDuePolls(t.Context(), pollsAtOnce)
	require.NoError(t, err)
	_, err = s.CheckRhythms(t.Context())
	require.NoError(t, err)
}
