package rate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/rate"
	"sendoff/schema"
)

// store is a token bucket that fills with the (fake) clock, and the record of
// what it was asked.
type store struct {
	mu     sync.Mutex
	level  map[string]float64
	filled map[string]time.Time
	burst  float64
	wants  []int
	err    error
}

func newStore(burst float64) *store {
	return &store{level: map[string]float64{}, filled: map[string]time.Time{}, burst: burst}
}

func (s *store) Lease(_ context.Context, connection, user string, want int, perMinute float64) (int, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wants = append(s.wants, want)
	if s.err != nil {
		return 0, 0, s.err
	}
	k, now := connection+"/"+user, time.Now()
	if _, ok := s.filled[k]; !ok {
		s.level[k] = s.burst
	} else {
		s.level[k] = min(s.burst, s.level[k]+now.Sub(s.filled[k]).Minutes()*perMinute)
	}
	s.filled[k] = now
	granted := min(want, int(s.level[k]+1e-9))
	s.level[k] -= float64(granted)
	if granted == 0 {
		return 0, time.Duration((1 - s.level[k]) / perMinute * float64(time.Minute)), nil
	}
	return granted, 0, nil
}

func (s *store) asked() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.wants...)
}

func TestRateIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(10)
		l := rate.New(s, 600) // 10 a second
		start := time.Now()
		for range 110 {
			require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		}
		require.InDelta(t, 10, time.Since(start).Seconds(), 0.5, "10 at once, then 100 at 10 a second")
	})
}

func TestLeasesGrowToASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000)
		l := rate.New(s, 1000) // a second is 16 tokens
		for range 200 {
			require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		}
		wants := s.asked()
		require.Equal(t, 1, wants[0], "a lone call leases one token")
		require.Equal(t, 16, wants[len(wants)-1])
		for _, w := range wants {
			require.LessOrEqual(t, w, 16)
		}
		require.Less(t, len(wants), 20, "a busy caller asks rarely")
	})
}

func TestUnusedTokensExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000)
		l := rate.New(s, 1000)
		for range 2 { // leases 1, then 2: one is left over
			require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		}
		require.Equal(t, []int{1, 2}, s.asked())
		<-time.After(rate.LeaseSpan) // fake time
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		require.Len(t, s.asked(), 3, "the left-over token must not be used after a second")
	})
}

func TestPriorityThenFirstCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1)
		l := rate.New(s, 60)
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		var mu sync.Mutex
		var got []string
		queue := func(name string, p connectors.Priority) {
			go func() {
				err := l.Wait(t.Context(), "c", "u", p)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, name)
				}
			}()
			synctest.Wait()
		}
		queue("sync", connectors.PrioritySync)
		queue("write1", connectors.PriorityWrite)
		queue("preflight", connectors.PriorityPreflight)
		queue("write2", connectors.PriorityWrite)
		queue("suspend", connectors.PrioritySuspend)
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"suspend", "write1", "write2", "preflight", "sync"}, got)
	})
}

func TestCancelledWaiterCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1)
		l := rate.New(s, 60)
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, l.Wait(ctx, "c", "u", connectors.PriorityWrite), context.DeadlineExceeded)
		require.Equal(t, 100*time.Millisecond, time.Since(start))
		synctest.Wait()
		asked := len(s.asked())
		<-time.After(time.Minute)
		require.Len(t, s.asked(), asked, "nobody waits, nobody asks")
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		require.ErrorIs(t, l.Wait(ctx, "c", "u", connectors.PriorityWrite), context.DeadlineExceeded)
	})
}

func TestUsersAndConnectionsAreApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := rate.New(newStore(1), 1)
		start := time.Now()
		for _, k := range []struct {
			c schema.ConnectionID
			u schema.ExternalID
		}{{"c", "u"}, {"c", "v"}, {"d", "u"}} {
			require.NoError(t, l.Wait(t.Context(), k.c, k.u, connectors.PriorityWrite))
		}
		require.Zero(t, time.Since(start))
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
		require.InDelta(t, 60, time.Since(start).Seconds(), 1, "below one token in 3 s a lease is still one token")
	})
}

func TestStoreFailureReachesAllWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1)
		s.err = errors.New("down")
		l := rate.New(s, 60)
		errs := make(chan error, 3)
		for range 3 {
			go func() { errs <- l.Wait(t.Context(), "c", "u", connectors.PriorityWrite) }()
		}
		for range 3 {
			require.ErrorIs(t, <-errs, s.err)
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		require.NoError(t, l.Wait(t.Context(), "c", "u", connectors.PriorityWrite))
	})
}
