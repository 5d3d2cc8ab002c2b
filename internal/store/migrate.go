package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"sendoff/schema"
)

// Migrate brings the database of ownerURL up to this program's schema; any
// number of processes may do so at once. It makes the role sendoff_app when it
// is absent, lets the owner assume it, and tells progress (which may be nil)
// one line per migration. A database newer than this program is refused with
// CodeInvalid, a missing right with CodeForbidden and the fix.
func Migrate(ctx context.Context, ownerURL string, progress func(string)) error {
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "the owner's database URL is not a Postgres connection string",
			Fix: "use postgres://user:password@host:5432/database",
		}
	}
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()
	if err := ensureAppRole(ctx, db, cfg.User); err != nil {
		return translate("make the role "+appRole, err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	provider, err := newProvider(db, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	err = up(ctx, provider, progress)
	if sqlState(err) != "" {
		// What Postgres says about a table's definition quotes nobody's data.
		return fmt.Errorf("migrate: %w", err)
	}
	return translate("migrate", err)
}

func up(ctx context.Context, provider *goose.Provider, progress func(string)) error {
	// Up takes the session lock and makes goose's table; before that there is
	// nothing that could be too new.
	results, err := provider.Up(ctx)
	if err != nil {
		return err
	}
	for _, r := range results {
		if progress != nil {
			progress(fmt.Sprintf("migration %d applied in %s", r.Source.Version, r.Duration.Round(1e6)))
		}
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return newerDatabase(have, want)
	}
	return nil
}

func newerDatabase(have, want int64) error {
	return &schema.Error{
		Code:    schema.CodeInvalid,
		Message: fmt.Sprintf("the database is at migration %d, this program knows %d at most: a newer sendoff set it up", have, want),
		Fix:     "run the newer sendoff",
	}
}

func newProvider(db *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(schema.Migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	return goose.NewProvider(goose.DialectPostgres, db, files, options...)
}

// latestMigration is the newest migration this program carries.
func latestMigration() (int64, error) {
	names, err := fs.Glob(schema.Migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var latest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		latest = max(latest, version)
	}
	return latest, nil
}

// ensureAppRole makes the role and grants it to the owner. Roles belong to the
// whole server, so that another database's migration may do the same right now.
func ensureAppRole(ctx context.Context, db *sql.DB, owner string) error {
	var exists, member bool
	row := db.QueryRowContext(ctx, `select count(*) > 0 from pg_roles where rolname = $1`, appRole)
	if err := row.Scan(&exists); err != nil {
		return err
	}
	if !exists {
		err := exec(ctx, db, `create role `+appRole+` nologin`, codeDuplicateObject, codeUniqueViolation)
		if err != nil {
			return ownerMayNot(err, "create role "+appRole+" nologin; grant "+appRole+" to "+pgx.Identifier{owner}.Sanitize())
		}
	}
	// The right to assume it, not superuser's right to assume anything.
	row = db.QueryRowContext(ctx, `select count(*) > 0 from pg_auth_members m
		where m.roleid = (select oid from pg_roles where rolname = $1)
		and m.member = (select oid from pg_roles where rolname = current_user)
		or current_user = $1`, appRole)
	if err := row.Scan(&member); err != nil || member {
		return err
	}
	// XX000 is "tuple concurrently updated": another process grants the same.
	err := exec(ctx, db, `grant `+appRole+` to current_user`, codeUniqueViolation, codeInternalError)
	return ownerMayNot(err, "grant "+appRole+" to "+pgx.Identifier{owner}.Sanitize())
}

func ownerMayNot(err error, statements string) error {
	if sqlState(err) != codeInsufficientPrivilege {
		return err
	}
	return &schema.Error{
		Code: schema.CodeForbidden, Message: "the database's owner may not make or grant the role " + appRole,
		Fix: "run as a superuser, once: " + statements,
	}
}

func exec(ctx context.Context, db *sql.DB, statement string, harmless ...string) error {
	_, err := db.ExecContext(ctx, statement)
	for _, code := range harmless {
		if sqlState(err) == code {
			return nil
		}
	}
	return err
}

// KeyChecker makes and verifies a value that only the right key can have made.
type KeyChecker interface {
	NewKeyCheck() ([]byte, error)
	// VerifyKeyCheck fails when another key made the stored value.
	VerifyKeyCheck(stored []byte) error
}

// EnsureKeyCheck stores the key's check in a new database and verifies it in
// any other. It returns the checker's own error for a wrong key: the program
// must not go on then, for it could open no secret and no payload.
func (s *Store) EnsureKeyCheck(ctx context.Context, k KeyChecker) error {
	if k == nil {
		return errors.New("key check: no key was given")
	}
	fresh, err := k.NewKeyCheck()
	if err != nil {
		return fmt.Errorf("key check: %w", err)
	}
	var stored []byte
	err = s.inTx(ctx, "key check", func(ctx context.Context, t *tx) error {
		if err := t.run(ctx, `insert into key_check (sealed) values (@sealed) on conflict (one) do nothing`, args{"sealed": fresh}); err != nil {
			return err
		}
		stored, err = scalar[[]byte](ctx, t, `select sealed from key_check`, nil)
		return err
	})
	if err != nil {
		return err
	}
	return k.VerifyKeyCheck(stored)
}
