package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// listener is a connection that hears when rows are written. It saves waiting and
// nothing rests on it: rows that come due again, or were written while it was
// lost, are found by looking now and then.
type listener struct {
	mu   sync.Mutex
	conn *pgx.Conn
}

// WaitOutbox returns nil when outbox rows were written, or after atMost. The
// first call, and the first after a lost connection, returns as soon as it
// listens, since rows may have been written before. One waits at a time.
func (s *Store) WaitOutbox(ctx context.Context, atMost time.Duration) error {
	return s.listener.wait(ctx, s.pool, outboxChannel, "wait for the outbox", atMost)
}

func (l *listener) wait(ctx context.Context, pool *pgxpool.Pool, channel, op string, atMost time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	var err error
	if l.conn == nil {
		err = l.listen(waiting, pool, channel)
	} else {
		_, err = l.conn.WaitForNotification(waiting)
	}
	if err == nil {
		return nil
	}
	if waiting.Err() != nil && ctx.Err() == nil && l.conn != nil && !l.conn.IsClosed() {
		return nil // the time is over; the connection goes on listening
	}
	l.drop()
	return translate(op, err)
}

// listen takes a connection out of the pool for good: one that listens must
// serve nobody else.
func (l *listener) listen(ctx context.Context, pool *pgxpool.Pool, channel string) error {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	l.conn = pooled.Hijack()
	_, err = l.conn.Exec(ctx, `listen `+channel)
	return err
}

func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

func (l *listener) drop() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // whatever became of it, it is given up
	l.conn = nil
}
