package conformance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// errors: every call under every fault, at its first request and at its last.
func (b bench) errors(t T) {
	b.eachCall(t, every, func(t T, k call) {
		n := b.length(t, k)
		for _, f := range faults() {
			t.Run(f.name, func(t T) {
				b.spoilt(t, k, f, 0)
				if n > 1 {
					b.spoilt(t, k, f, n-1)
				}
			})
		}
		t.Run("token_expired_once", func(t T) { b.expiredOnce(t, k) })
	})
}

// length is how many requests a call makes when all goes well.
func (b bench) length(t T, k call) int {
	t.Helper()
	s := b.open(t)
	do, _ := k.prepare(s)
	mark := s.wire.mark()
	s.mustRun(do)
	n := s.wire.calls(mark)
	require.Positive(t, n, "the call must ask the vendor")
	if k.writes {
		require.Positive(t, s.wire.written(mark), "the call writes")
	} else {
		require.Zero(t, s.wire.written(mark), "the call only reads")
	}
	return n
}

// spoilt makes the call and lets the request with that index, and all after it,
// meet the fault.
func (b bench) spoilt(t T, k call, f fault, at int) {
	t.Helper()
	s := b.open(t)
	do, _ := k.prepare(s)
	s.wire.spoil(spoilt{fault: f, skip: at})
	started := time.Now()
	err := do(t.Context())
	require.Less(t, time.Since(started), 20*time.Second, "what is refused returns")
	met := s.wire.met()
	require.Positive(t, met)
	require.LessOrEqual(t, met, f.requests(k), "request %d: the call is not repeated: retries are Temporal's alone", at+1)
	if err == nil {
		require.True(t, tolerates(k, f, at), "request %d: the fault must be an error", at+1)
		return
	}
	e := s.fails(err, f.kinds...)
	require.True(t, e.Sent, "the request was sent, so Sent must say so")
	require.GreaterOrEqual(t, e.RetryAfter, f.after, "Retry-After must be handed on")
	if f.after == 0 {
		require.Zero(t, e.RetryAfter, "the vendor asked for no wait")
	} else {
		require.LessOrEqual(t, e.RetryAfter, f.after+2*time.Minute)
	}
}

// requests is how many requests of one call may meet the fault.
func (f fault) requests(k call) int {
	if f.fresh || f.lost && !k.writes {
		return 2
	}
	return 1
}

// tolerates tells whether a call may succeed in spite of the fault: one that only
// looks whether something is there, a further look that it can do without, a
// write whose answer says no more than its status.
func tolerates(k call, f fault, at int) bool {
	absent := slices.ContainsFunc(f.kinds, func(kind connectors.Kind) bool {
		return kind == connectors.NotFound || kind == connectors.Forbidden
	})
	return absent && (k.lookup || at > 0) || k.writes && f.accepted
}

// expiredOnce: a token that ended is renewed once, within the call.
func (b bench) expiredOnce(t T, k call) {
	s := b.open(t)
	do, _ := k.prepare(s)
	unauthorized := faults()[slices.IndexFunc(faults(), func(f fault) bool { return f.fresh })]
	mark := s.wire.mark()
	s.wire.spoil(spoilt{fault: unauthorized, times: 1})
	err := do(t.Context())
	signIns := 0
	for _, r := range s.wire.since(mark) {
		if r.token {
			signIns++
		}
	}
	if err != nil && k.writes { // one that must not be repeated
		s.fails(err, connectors.Unauthorized)
		require.Equal(t, 1, s.wire.met())
		return
	}
	require.NoError(t, err, "a read with a token that has just ended is made again with a fresh one")
	require.Equal(t, 2, signIns, "one sign-in before, one after")
}

// signIn: what goes wrong with the sign-in is told as it is, and nothing of the
// call was sent.
func (b bench) signIn(t T) {
	for _, tc := range []struct {
		name  string
		fault string
		kinds []connectors.Kind
		after time.Duration
	}{
		{"refused", "unauthorized_told", []connectors.Kind{connectors.Unauthorized}, 0},
		{"rate_limited", "rate_limited", []connectors.Kind{connectors.RateLimited}, retryWait},
		{"internal_error", "internal_error", []connectors.Kind{connectors.Unavailable}, 0},
		{"reset", "reset_before", []connectors.Kind{connectors.Unavailable}, 0},
		{"redirect", "redirect_307", []connectors.Kind{connectors.Malformed}, 0},
		{"html_200", "html_200", []connectors.Kind{connectors.Malformed}, 0},
		{"truncated", "truncated", []connectors.Kind{connectors.Malformed, connectors.Unavailable}, 0},
		{"endless", "endless_200", []connectors.Kind{connectors.Malformed, connectors.Unavailable}, 0},
	} {
		t.Run(tc.name, func(t T) {
			s := b.open(t)
			f := faults()[slices.IndexFunc(faults(), func(f fault) bool { return f.name == tc.fault })]
			s.wire.spoil(spoilt{fault: f, tokens: true})
			_, err := s.conn.Check(t.Context())
			if s.wire.met() == 0 {
				t.Skipf("the connection signs in without a request")
			}
			e := s.fails(err, tc.kinds...)
			require.False(t, e.Sent, "nothing of the call itself was sent")
			require.Equal(t, tc.after, e.RetryAfter)
			require.Zero(t, s.wire.calls(0))
			s.wire.calm()
			_, err = s.conn.Check(t.Context())
			require.NoError(t, err, "a sign-in that failed is made anew")
		})
	}
}

// cancelled: no call outlives its context.
func (b bench) cancelled(t T) {
	b.eachCall(t, every, func(t T, k call) {
		t.Run("before", func(t T) {
			s := b.open(t)
			do, _ := k.prepare(s)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			e := s.fails(do(ctx), connectors.Unavailable)
			require.False(t, e.Sent)
			require.Zero(t, s.wire.calls(0), "a call that was cancelled before it began sends nothing")
		})
		t.Run("under_way", func(t T) {
			s := b.open(t)
			do, _ := k.prepare(s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := b.leave(s, do, ctx, cancel)
			require.True(t, s.fails(err, connectors.Unavailable).Sent)
			require.ErrorIs(t, err, context.Canceled)
		})
	})
	t.Run("sign_in", func(t T) {
		s := b.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.wire.spoil(spoilt{fault: hangs(), tokens: true})
		done := make(chan error, 1)
		go func() { _, err := s.conn.Check(ctx); done <- err }()
		require.Eventually(t, func() bool { return s.wire.mark() > 0 }, promptly, time.Millisecond)
		cancel()
		require.False(t, s.fails(s.promptly(done), connectors.Unavailable).Sent)
	})
}

// leave cancels the call once the vendor has its request, which is never
// answered.
func (b bench) leave(s *scene, do action, ctx context.Context, cancel func()) error { //nolint:revive // the context is what is cancelled
	s.Helper()
	s.wire.spoil(spoilt{fault: hangs()})
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	require.Eventually(s, func() bool { return s.wire.met() > 0 }, promptly, time.Millisecond)
	cancel()
	return s.promptly(done)
}

// promptly waits for a call that has no more reason to take long.
func (s *scene) promptly(done <-chan error) error {
	s.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(promptly):
		require.FailNow(s, "the call outlives its context")
		return errors.New("unreachable")
	}
}

// hostileIDs: an id that would change what a request means is refused before the
// wire.
func (b bench) hostileIDs(t T) {
	b.eachCall(t, func(k call) bool { return k.hostile != nil }, func(t T, k call) {
		s := b.open(t)
		for _, id := range []schema.ExternalID{"", "../1", "1/folders/0", "1?force=true", "1%2f..", "1#", "1\r\nX-Force: 1", "1 2"} {
			err := k.hostile(s.conn, id)(t.Context())
			e := s.fails(err, connectors.Invalid)
			require.False(t, e.Sent, "id %q", id)
			require.Empty(t, s.wire.since(0), "with the id %q nothing may be sent", id)
		}
	})
}
