// Package store keeps sendoff's state in Postgres: one file per aggregate, SQL
// by hand. Each change of state is one transaction that checks the move, makes
// it, and appends the audit record and the outbox row that go with it.
//
// Locks are taken in one order, so that transactions wait for each other but
// never in a circle: connection, account, case, plan, lanes of a connection,
// audit streams. Rows are locked FOR NO KEY UPDATE, because a foreign key's
// check on a row that somebody else works on must not wait.
package store

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"sendoff/schema"
)

// appRole is what the store works as: it owns nothing, and on the audit tables
// it may insert and read alone.
const appRole = "sendoff_app"

// Sealer encrypts what must not lie in the database in plain. A sealed text
// opens only for the purpose and associated data it was sealed with.
type Sealer interface {
	Seal(purpose string, aad []byte, plain []byte) ([]byte, error)
	Open(purpose string, aad []byte, sealed []byte) ([]byte, error)
}

// Config is what Open needs.
type Config struct {
	// URL is a connection string whose role is sendoff_app or may assume it.
	URL            string
	Log            *zap.Logger // nil = none
	Sealer         Sealer      // nil = connections can neither be made nor opened
	MaxConnections int32       // 0 = the URL's pool_max_conns, or enough for every part of a process
	// Weigh judges items of campaigns whose facts have changed; nil = they stay as they
	// were judged when they were listed. What decides or compares items needs it.
	Weigh Weigher
	// AllowUnsafe accepts a server that may lose committed rows (fsync off).
	// Only tests set it: with it no promise about transfers holds.
	AllowUnsafe bool
}

// Store is sendoff's state in Postgres. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	log        *zap.Logger
	sealer     Sealer
	auditLog   atomic.Pointer[auditLog]
	listener   listener // of the outbox
	hrListener listener
	waker      waker
	weigh      Weigher
}

// defaultConnections is enough for four dispatchers, each of which holds one
// connection while it calls Temporal and may need another, for the listener and
// the sealer, and for as many requests at once as a small server sees.
const defaultConnections = 20

// Open connects and checks that the server keeps what it commits and that the
// schema is the one this program was built with. Migrate comes before it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	poolConfig, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		// pgx's message quotes the URL, and with it perhaps a password.
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "the database URL is not a Postgres connection string",
			Fix: "use postgres://user:password@host:5432/database",
		}
	}
	switch {
	case cfg.MaxConnections > 0:
		poolConfig.MaxConns = cfg.MaxConnections
	case !strings.Contains(cfg.URL, "pool_max_conns"):
		poolConfig.MaxConns = max(poolConfig.MaxConns, defaultConnections)
	}
	poolConfig.AfterConnect = prepareConnection
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, translate("open the database", err)
	}
	s := &Store{pool: pool, log: cfg.Log, sealer: cfg.Sealer, weigh: cfg.Weigh}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if err := s.check(ctx, cfg.AllowUnsafe); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// Close waits for running queries and closes all connections.
func (s *Store) Close() {
	s.waker.close()
	s.listener.close()
	s.hrListener.close()
	s.pool.Close()
}

// Ping tells whether Postgres answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate("ping", s.pool.Ping(ctx))
}

// prepareConnection gives up the owner's rights and insists on durable commits.
// A stronger synchronous_commit, such as remote_apply, is left alone.
func prepareConnection(ctx context.Context, conn *pgx.Conn) error {
	registerTypes(conn.TypeMap())
	batch := &pgx.Batch{}
	batch.Queue(`set role ` + appRole)
	batch.Queue(`select set_config('synchronous_commit', 'on', false)
		where current_setting('synchronous_commit') in ('off', 'local')`)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		if sqlState(err) == codeUndefinedObject || sqlState(err) == codeInsufficientPrivilege {
			return &schema.Error{
				Code: schema.CodeUnavailable, Message: "the database user cannot assume the role " + appRole,
				Fix: "run sendoff migrate once with the owner's URL",
			}
		}
		return err
	}
	return nil
}

func (s *Store) check(ctx context.Context, allowUnsafe bool) error {
	const op = "check the database"
	fsync, err := scalar[string](ctx, s.pool, `select current_setting('fsync')`, nil)
	if err != nil {
		return translate(op, err)
	}
	if fsync != "on" && !allowUnsafe {
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "Postgres runs with fsync " + fsync + ": a crash would lose what was committed",
			Fix: "set fsync = on in postgresql.conf and restart Postgres",
		}
	}
	have, err := scalar[int64](ctx, s.pool, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`, nil)
	if err != nil {
		return translate(op, err)
	}
	want, err := latestMigration()
	if err != nil {
		return err
	}
	if have > want {
		return newerDatabase(have, want)
	}
	if have < want {
		return &schema.Error{
			Code:    schema.CodeUnavailable,
			Message: fmt.Sprintf("the database is at migration %d, this program needs %d", have, want), Fix: "run sendoff migrate",
		}
	}
	return nil
}
