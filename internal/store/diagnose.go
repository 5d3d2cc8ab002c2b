package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// Diagnosis is what a database says of itself, also one that Open would refuse.
type Diagnosis struct {
	Version           int // major
	Fsync             string
	SynchronousCommit string
	Now               time.Time // the server's clock
	Took              time.Duration
	MayAssumeRole     bool // whether the user is sendoff_app or may become it
	// ExcessRights are what sendoff_app may do to the audit log beyond reading
	// and adding, such as "UPDATE on audit_record".
	ExcessRights []string
	// Migration is the newest applied one, 0 in an empty database; Wanted is the
	// one this program needs.
	Migration, Wanted int64
	KeyCheck          []byte // nil = the database was never started with a key
}

// Diagnose asks a database for the facts that everything else rests on. It
// changes nothing. The error says why it cannot be asked.
func Diagnose(ctx context.Context, url string) (Diagnosis, error) {
	d := Diagnosis{}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return d, &schema.Error{
			Code: schema.CodeInvalid, Message: "the database URL is not a Postgres connection string",
			Fix: "use postgres://user:password@host:5432/database",
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return d, translate("connect", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is left to lose
	if d.Wanted, err = latestMigration(); err != nil {
		return d, err
	}
	if err := d.readServer(ctx, conn); err != nil {
		return d, translate("ask the database", err)
	}
	return d, translate("ask the database", d.readSchema(ctx, conn))
}

func (d *Diagnosis) readServer(ctx context.Context, conn *pgx.Conn) error {
	began := time.Now()
	row := conn.QueryRow(ctx, `select current_setting('server_version_num')::int / 10000, current_setting('fsync'),
		current_setting('synchronous_commit'), clock_timestamp(),
		coalesce((select pg_has_role(r.oid, 'MEMBER') from pg_roles r where r.rolname = $1), false)`, appRole)
	err := row.Scan(&d.Version, &d.Fsync, &d.SynchronousCommit, &d.Now, &d.MayAssumeRole)
	d.Took = time.Since(began)
	return err
}

func (d *Diagnosis) readSchema(ctx context.Context, conn *pgx.Conn) error {
	var migrated bool
	if err := conn.QueryRow(ctx, `select to_regclass('goose_db_version') is not null and to_regclass('key_check') is not null`).Scan(&migrated); err != nil || !migrated {
		return err
	}
	if d.MayAssumeRole {
		if _, err := conn.Exec(ctx, `set role `+appRole); err != nil {
			return err
		}
	}
	row := conn.QueryRow(ctx, `select (select coalesce(max(version_id), 0) from goose_db_version where is_applied), (select sealed from key_check)`)
	if err := row.Scan(&d.Migration, &d.KeyCheck); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `select p.name || ' on ' || c.relname from pg_class c, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) p(name)
		where c.oid in (to_regclass('audit_record'), to_regclass('audit_leaf'), to_regclass('audit_node'), to_regclass('audit_checkpoint'), to_regclass('audit_key'))
		and has_table_privilege($1, c.oid, p.name) order by 1`, appRole)
	if err != nil {
		return err
	}
	d.ExcessRights, err = pgx.CollectRows(rows, pgx.RowTo[string])
	slices.Sort(d.ExcessRights)
	return err
}

// NewestCheckpoint returns the newest signed checkpoint of the audit log, nil when
// there is none.
func (s *Store) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	notes, err := scalars[string](ctx, s.pool, `select note from audit_checkpoint order by size desc limit 1`, nil)
	if err != nil || len(notes) == 0 {
		return nil, translate("read the newest checkpoint", err)
	}
	return []byte(notes[0]), nil
}
