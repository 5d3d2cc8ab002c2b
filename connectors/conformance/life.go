package conformance

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
)

// life: a connection is used by many at once, ends once, and leaves nothing.
func (b bench) life(t T) {
	t.Run("close_twice", func(t T) {
		s := b.open(t)
		_, err := s.conn.Check(t.Context())
		require.NoError(t, err)
		require.NotPanics(t, func() { s.conn.Close(); s.conn.Close() })
	})
	t.Run("after_close", b.afterClose)
	t.Run("at_once", b.atOnce)
	t.Run("leaves_nothing", b.leavesNothing)
	t.Run("clock", func(t T) {
		s := b.open(t)
		as[connectors.AccountReader](s, "AccountReader")
		id := s.person()
		s.ahead.Store(int64(-48 * time.Hour))
		require.WithinDuration(t, time.Now().Add(-48*time.Hour), s.read(id).ObservedAt, time.Minute, "time is told by Config.Now")
	})
}

// afterClose: a call on a closed connection works or fails, at once and in a way
// that is tried again on a new one.
func (b bench) afterClose(t T) {
	b.eachCall(t, every, func(t T, k call) {
		s := b.open(t)
		do, _ := k.prepare(s)
		s.conn.Close()
		done := make(chan error, 1)
		go func() {
			defer func() {
				if p := recover(); p != nil {
					done <- fmt.Errorf("panic: %v", p)
				}
			}()
			done <- do(t.Context())
		}()
		if err := s.promptly(done); err != nil {
			s.fails(err, connectors.Unavailable)
		}
	})
}

// atOnce: reads and writes by many, as the race detector sees them.
func (b bench) atOnce(t T) {
	s := b.open(t)
	const many = 12
	var actions []action
	for _, k := range calls() {
		if k.can(s.conn) && (!k.writes || k.name == "set_status" || k.name == "delete_account") {
			for range 2 {
				do, _ := k.prepare(s)
				actions = append(actions, do)
			}
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, many*len(actions))
	for worker := range many {
		wg.Go(func() {
			for i, do := range actions {
				if i%many == worker || i%3 == worker%3 {
					errs[worker*len(actions)+i] = do(t.Context())
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		// The same account may be deleted by two of them, or be gone for a third.
		if err != nil && connectors.KindOf(err) != connectors.NotFound {
			require.NoError(t, err)
		}
	}
	signIns := 0
	for _, r := range s.wire.since(0) {
		if r.token {
			signIns++
		}
	}
	require.LessOrEqual(t, signIns, 1, "one sign-in serves all that wait for it")
}

// leavesNothing: no goroutine outlives Close, whatever became of the calls.
func (b bench) leavesNothing(t T) {
	s := b.open(t)
	// Goroutines inherit the labels of those that start them, so that those of
	// other tests are told apart.
	mark := fmt.Sprintf("%s-%p", t.Name(), s)
	done := make(chan struct{})
	go pprof.Do(context.Background(), pprof.Labels("conformance", mark), func(context.Context) {
		defer close(done)
		conn, err := s.world.Factory.Open(s.cfg)
		if err != nil {
			t.Errorf("open: %v", err)
			return
		}
		defer conn.Close()
		was := s.conn
		s.conn = conn
		defer func() { s.conn = was }()
		s.useAndLeave()
	})
	<-done
	var left string
	clean := func() bool { left = labelled(mark); return left == "" }
	if deadline := time.Now().Add(promptly); !clean() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !clean() && time.Now().Before(deadline) {
			<-tick.C
		}
	}
	require.Empty(t, left, "a goroutine of the connection outlives Close")
}

// useAndLeave makes calls that end well, in a refusal, and by being left.
func (s *scene) useAndLeave() {
	for _, k := range calls() {
		if k.can(s.conn) {
			do, _ := k.prepare(s)
			_ = do(s.Context()) // what it answers is not the matter here
		}
	}
	for _, f := range breakages() {
		s.wire.spoil(spoilt{fault: f, times: 3})
		_, _ = s.conn.Check(s.Context())
	}
	s.wire.spoil(spoilt{fault: hangs()})
	ctx, cancel := context.WithTimeout(s.Context(), 50*time.Millisecond)
	defer cancel()
	_, _ = s.conn.Check(ctx)
	if c, ok := s.conn.(connectors.Transferer); ok {
		if p, err := c.PrepareTransfer(s.Context(), s.person(), s.person()); err == nil {
			_ = p.Send(ctx)
		}
	}
}

// labelled returns the goroutines that bear the label.
func labelled(mark string) string {
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		return err.Error()
	}
	var out []string
	for _, g := range strings.Split(buf.String(), "\n\n") {
		if strings.Contains(g, mark) {
			out = append(out, g)
		}
	}
	return strings.Join(out, "\n\n")
}
