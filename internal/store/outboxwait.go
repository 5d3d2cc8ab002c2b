package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// outboxListener is a connection that hears when outbox rows are written. It
// saves waiting and nothing rests on it: rows that come due again, or were
// written while it was lost, are found by looking now and then.
type outboxListener struct {
	mu   sync.Mutex
	conn *pgx.Conn
}

// WaitOutbox returns nil when outbox rows were written, or after atMost. The
// first call, and the first after a lost connection, returns as soon as it
// listens, since rows may have been written before. One waits at a time.
func (s *Store) WaitOutbox(ctx context.Context, atMost time.Duration) error {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	waiting, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	var err error
	if s.listener.conn == nil {
		err = s.listen(waiting)
	} else {
		_, err = s.listener.conn.WaitForNotification(waiting)
	}
	if err == nil {
		return nil
	}
	if waiting.Err() != nil && ctx.Err() == nil && s.listener.conn != nil && !s.listener.conn.IsClosed() {
		return nil // the time is over; the connection goes on listening
	}
	s.listener.drop()
	return translate("wait for the outbox", err)
}

// listen takes a connection out of the pool for good: one that listens must
// serve nobody else.
func (s *Store) listen(ctx context.Context) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	s.listener.conn = pooled.Hijack()
	_, err = s.listener.conn.Exec(ctx, `listen `+outboxChannel)
	return err
}

func (l *outboxListener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

func (l *outboxListener) drop() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // whatever became of it, it is given up
	l.conn = nil
}
