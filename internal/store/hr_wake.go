package store

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// hrChannel is where writers of events wake who applies them.
const hrChannel = "sendoff_hr"

// WaitEvents returns nil when events were accepted, or after atMost; as
// WaitOutbox.
func (s *Store) WaitEvents(ctx context.Context, atMost time.Duration) error {
	return s.hrListener.wait(ctx, s.pool, hrChannel, "wait for events", atMost)
}

// waker tells listeners that events were committed. It does so after the commit
// and not in it: Postgres lets one transaction at a time commit a notification,
// so that many events could not share a flush to disk (NOTIFY takes a lock of the
// whole database, src/backend/commands/async.c). While one notification is on its
// way, and a moment after it, however many events ask for the next one. Nothing
// rests on it: who waits looks by itself now and then.
type waker struct {
	mu            sync.Mutex
	busy, again   bool
	closed        bool
	notifications sync.WaitGroup
}

const (
	wakeTimeout = 5 * time.Second       // of one notification
	wakePause   = 10 * time.Millisecond // between two
)

// wakeAppliers lets those who wait for events look.
func (s *Store) wakeAppliers() {
	s.waker.mu.Lock()
	defer s.waker.mu.Unlock()
	if s.waker.closed {
		return
	}
	if s.waker.busy {
		s.waker.again = true
		return
	}
	s.waker.busy = true
	s.waker.notifications.Go(s.notifyAppliers)
}

func (s *Store) notifyAppliers() {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), wakeTimeout)
		_, err := s.pool.Exec(ctx, `select pg_notify(@channel, '')`, args{"channel": hrChannel})
		cancel()
		if err != nil {
			s.log.Warn("the appliers of events could not be woken; they look by themselves", zap.Error(translate("wake", err)))
		}
		<-time.After(wakePause)
		if !s.waker.goOn() {
			return
		}
	}
}

// goOn tells whether to notify once more, and is not busy any more when not.
func (w *waker) goOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = w.again && !w.closed
	w.again = false
	return w.busy
}

// close waits for the notification on its way and lets none follow.
func (w *waker) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.notifications.Wait()
}
