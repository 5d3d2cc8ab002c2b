package store

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// listenRetry is the pause before a lost connection is replaced.
const listenRetry = time.Second

// OutboxListener tells a dispatcher when outbox rows were written. It saves
// waiting, nothing rests on it: rows that are due again, and those written
// while its connection was lost, are found by asking now and then.
type OutboxListener struct {
	// C receives after rows were written and after each new connection. Wake-ups
	// that nobody took yet are one.
	C     <-chan struct{}
	wake  chan struct{}
	store *Store
}

// OutboxListener returns a listener; Run makes it work.
func (s *Store) OutboxListener() *OutboxListener {
	wake := make(chan struct{}, 1)
	return &OutboxListener{C: wake, wake: wake, store: s}
}

// Run listens on a connection of its own, and on a new one when that is lost,
// until ctx ends; then it returns nil.
func (l *OutboxListener) Run(ctx context.Context) error {
	for {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return nil
		}
		l.store.log.Warn("outbox listener lost its connection", zap.Error(translate("listen", err)))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(listenRetry):
		}
	}
}

func (l *OutboxListener) listen(ctx context.Context) error {
	pooled, err := l.store.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	// Out of the pool: a connection that listens must serve nobody else.
	conn := pooled.Hijack()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `listen `+outboxChannel); err != nil {
		return err
	}
	for {
		select {
		case l.wake <- struct{}{}:
		default:
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
