package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sendoff/schema"
)

// maxTries bounds how often a transaction runs that Postgres ended because of
// another one. Nothing else is tried again here: that is Temporal's business.
const maxTries = 4

// args are a query's arguments by name; a missing or unused one is an error.
type args = pgx.StrictNamedArgs

// querier is a pool, connection or transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// tx is a transaction with what is written at its end: audit records, and the
// wake-up for whoever dispatches the outbox.
type tx struct {
	pgx.Tx
	now    time.Time // the transaction's instant, by the database's clock
	events []streamEvent
	wake   bool
	own    map[string]bool     // temporary tables made
	rules  *schema.NoticeRules // of notices, once they were read
	// traceparent is the trace the transaction is part of, for outbox rows.
	traceparent *string
	weigh       Weigher // nil = items stay as they were weighed
}

// inTx runs fn in a read committed transaction and commits it with its audit
// records. fn may run more than once and must have no other effects.
func (s *Store) inTx(ctx context.Context, op string, fn func(ctx context.Context, t *tx) error) error {
	var err error
	for range maxTries {
		err = s.tryTx(ctx, fn)
		if code := sqlState(err); code != codeSerializationFailure && code != codeDeadlockDetected {
			break
		}
	}
	return translate(op, err)
}

func (s *Store) tryTx(ctx context.Context, fn func(ctx context.Context, t *tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(inner pgx.Tx) error {
		t := &tx{Tx: inner, traceparent: traceparentOf(ctx), weigh: s.weigh}
		var err error
		if t.now, err = scalar[time.Time](ctx, t, `select now()`, nil); err != nil {
			return err
		}
		if err := fn(ctx, t); err != nil {
			return err
		}
		return t.finish(ctx)
	})
}

// readClock makes the present the transaction's instant: what was locked meanwhile by
// others is older.
func (t *tx) readClock(ctx context.Context) (err error) {
	t.now, err = scalar[time.Time](ctx, t, `select clock_timestamp()`, nil)
	return err
}

// readTx runs fn in a read-only transaction in which all queries see the same
// state of the database.
func (s *Store) readTx(ctx context.Context, op string, fn func(ctx context.Context, q querier) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return translate(op, pgx.BeginTxFunc(ctx, s.pool, options, func(inner pgx.Tx) error { return fn(ctx, inner) }))
}

// finish writes what was collected. Audit streams are locked last and briefly.
func (t *tx) finish(ctx context.Context) error {
	if err := t.appendEvents(ctx); err != nil {
		return err
	}
	if t.wake {
		return t.run(ctx, `select pg_notify(@channel, '')`, args{"channel": outboxChannel})
	}
	return nil
}

// run executes a statement whose result does not matter.
func (t *tx) run(ctx context.Context, sql string, a args) error {
	_, err := t.Exec(ctx, sql, a)
	return err
}

// changeOne executes a statement that must change exactly one row.
func (t *tx) changeOne(ctx context.Context, sql string, a args) error {
	tag, err := t.Exec(ctx, sql, a)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("the statement changed %d rows instead of one", tag.RowsAffected())
	}
	return err
}

// lockKey takes the advisory lock of a name until the transaction ends.
func (t *tx) lockKey(ctx context.Context, name string) error {
	return t.run(ctx, `select pg_advisory_xact_lock(hashtextextended(@name, 0))`, args{"name": name})
}

func one[T any](ctx context.Context, q querier, sql string, a args) (T, error) {
	rows, err := query(ctx, q, sql, a)
	if err != nil {
		var none T
		return none, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
}

// maybe is one for a row that need not exist.
func maybe[T any](ctx context.Context, q querier, sql string, a args) (T, bool, error) {
	v, err := one[T](ctx, q, sql, a)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}

func all[T any](ctx context.Context, q querier, sql string, a args) ([]T, error) {
	rows, err := query(ctx, q, sql, a)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

func scalar[T any](ctx context.Context, q querier, sql string, a args) (T, error) {
	rows, err := query(ctx, q, sql, a)
	if err != nil {
		var none T
		return none, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
}

func scalars[T any](ctx context.Context, q querier, sql string, a args) ([]T, error) {
	rows, err := query(ctx, q, sql, a)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

func query(ctx context.Context, q querier, sql string, a args) (pgx.Rows, error) {
	if len(a) == 0 {
		return q.Query(ctx, sql)
	}
	return q.Query(ctx, sql, a)
}

// newID returns a version 7 UUID: ids sort by the time they were made.
func newID[T ~string]() (T, error) {
	id, err := uuid.NewV7()
	return T(id.String()), err
}
