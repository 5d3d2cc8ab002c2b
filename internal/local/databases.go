package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// AppRole is what sendoff works as. It cannot log in: its pool connects as the
// owner and issues SET ROLE, so one credential serves both and the grants of
// the migrations decide what the application may do.
const AppRole = "sendoff_app"

// CreateDatabase makes sure that the database exists and returns the owner's
// connection string for it.
func (p *Postgres) CreateDatabase(ctx context.Context, name string) (string, error) {
	return p.createDatabase(ctx, name, "template0")
}

// CloneDatabase makes a copy of another database, to which nobody may be
// connected meanwhile, and returns the owner's connection string for the copy.
func (p *Postgres) CloneDatabase(ctx context.Context, name, template string) (string, error) {
	return p.createDatabase(ctx, name, template)
}

func (p *Postgres) createDatabase(ctx context.Context, name, template string) (string, error) {
	err := execute(ctx, p.URL(), "create database "+quote(name)+" template "+quote(template))
	if err != nil && !hasCode(err, "42P04") { // duplicate_database
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return p.databaseURL(name), nil
}

// DropDatabase ends the sessions of a database and deletes it.
func (p *Postgres) DropDatabase(ctx context.Context, name string) error {
	if err := execute(ctx, p.URL(), "drop database if exists "+quote(name)+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// DropDatabasesWithPrefix deletes all databases whose names begin with prefix.
func (p *Postgres) DropDatabasesWithPrefix(ctx context.Context, prefix string) error {
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "select datname from pg_database where starts_with(datname, $1)", prefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range names {
		err = errors.Join(err, p.DropDatabase(ctx, name))
	}
	return err
}

// EnsureRoles makes the application's role in the cluster behind ownerURL and
// lets the owner assume it. It needs the right to create roles. Repeating it,
// also at the same time from several processes, is harmless.
func EnsureRoles(ctx context.Context, ownerURL string) error {
	err := execute(ctx, ownerURL, "create role "+AppRole+" nologin")
	// 42710 duplicate_object; 23505 unique_violation when two create it at once.
	if err != nil && !hasCode(err, "42710", "23505") {
		return fmt.Errorf("create role %s: %w", AppRole, err)
	}
	err = execute(ctx, ownerURL, "grant "+AppRole+" to current_user")
	// XX000 "tuple concurrently updated": another process granted the same.
	if err != nil && !hasCode(err, "23505", "XX000") {
		return fmt.Errorf("grant role %s to the owner: %w", AppRole, err)
	}
	return nil
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func hasCode(err error, codes ...string) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	for _, code := range codes {
		if pgErr.Code == code {
			return true
		}
	}
	return false
}
