package store_test

import (
	"context"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

func TestMigrate(t *testing.T) {
	t.Parallel()

	t.Run("tells each migration once, also when many migrate at once", func(t *testing.T) {
		t.Parallel()
		database := localtest.Database(t)
		var mu sync.Mutex
		var told []string
		var wg sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs {
			wg.Go(func() {
				errs[i] = store.Migrate(t.Context(), database, func(line string) {
					mu.Lock()
					defer mu.Unlock()
					told = append(told, line)
				})
			})
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		files, err := schema.Migrations.ReadDir("migrations")
		require.NoError(t, err)
		require.Len(t, told, len(files))
		require.Contains(t, told[0], "migration 1 applied")
	})

	t.Run("refuses a database that a newer program set up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.exec(`insert into goose_db_version (version_id, is_applied) values (999, true)`)
		err := store.Migrate(t.Context(), b.url, nil)
		requireCode(t, schema.CodeInvalid, err)
		require.ErrorContains(t, err, "run the newer sendoff")
		_, err = store.Open(t.Context(), store.Config{URL: b.url, AllowUnsafe: true})
		requireCode(t, schema.CodeInvalid, err)
	})

	t.Run("names the fix when the owner may not grant the role", func(t *testing.T) {
		t.Parallel()
		database := localtest.Database(t)
		owner := localtest.Name("owner")
		run(t, database, `create role `+owner+` login password 'example'`)
		t.Cleanup(func() {
			conn, err := pgx.Connect(context.Background(), localtest.Postgres(t).URL())
			require.NoError(t, err)
			_, err = conn.Exec(context.Background(), `drop role `+owner)
			require.NoError(t, err)
			require.NoError(t, conn.Close(context.Background()))
		})
		err := store.Migrate(t.Context(), asUser(t, database, owner), nil)
		requireCode(t, schema.CodeForbidden, err)
		require.ErrorContains(t, err, `grant sendoff_app to "`+owner+`"`)
	})

	t.Run("refuses what is no connection string, without quoting it", func(t *testing.T) {
		t.Parallel()
		err := store.Migrate(t.Context(), "postgres://u:hunter2@[", nil)
		requireCode(t, schema.CodeInvalid, err)
		require.NotContains(t, err.Error(), "hunter2")
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("refuses a server that may lose commits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := store.Open(t.Context(), store.Config{URL: b.url})
		requireCode(t, schema.CodeInvalid, err)
		require.ErrorContains(t, err, "fsync")
	})

	t.Run("asks for migrations first", func(t *testing.T) {
		t.Parallel()
		_, err := store.Open(t.Context(), store.Config{URL: localtest.Database(t), AllowUnsafe: true})
		requireCode(t, schema.CodeUnavailable, err)
		require.ErrorContains(t, err, "sendoff migrate")
	})

	t.Run("says when nobody answers, without the password", func(t *testing.T) {
		t.Parallel()
		_, err := store.Open(t.Context(), store.Config{URL: "postgres://u:hunter2@127.0.0.1:1/x", AllowUnsafe: true})
		requireCode(t, schema.CodeUnavailable, err)
		require.NotContains(t, err.Error(), "hunter2")
	})

	t.Run("says when the login is refused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := store.Open(t.Context(), store.Config{URL: asUser(t, b.url, "nobody"), AllowUnsafe: true})
		requireCode(t, schema.CodeUnavailable, err)
		require.ErrorContains(t, err, "login")
	})

	t.Run("answers a ping until it is closed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.open()
		require.NoError(t, s.Ping(t.Context()))
		s.Close()
		require.Error(t, s.Ping(t.Context()))
	})
}

func TestAppRoleMayNotChangeTheAuditLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	_, err := conn.Exec(t.Context(), `set role sendoff_app`)
	require.NoError(t, err)
	for _, statement := range []string{
		`update audit_record set body = ''`, `delete from audit_record`, `truncate audit_record`,
		`update audit_leaf set seq = 0`, `delete from audit_leaf`,
		`update audit_node set hash = ''`, `delete from audit_node`,
		`update audit_checkpoint set note = ''`, `delete from audit_checkpoint`,
		`update decision set principal = ''`, `delete from decision`, `delete from plan_approval`,
		`delete from plan`, `update key_check set sealed = ''`, `update audit_key set sealed = ''`, `drop table audit_record`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.ErrorContains(t, err, "42501", statement) // insufficient_privilege
	}
	_, err = conn.Exec(t.Context(), `select count(*) from audit_record`)
	require.NoError(t, err)
}

func TestEnsureKeyCheck(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.EnsureKeyCheck(t.Context(), keyring(t, 1)))
	require.NoError(t, b.EnsureKeyCheck(t.Context(), keyring(t, 1)), "a second start with the same key")
	err := b.EnsureKeyCheck(t.Context(), keyring(t, 2))
	require.ErrorIs(t, err, secret.ErrWrongKey)
	require.Error(t, b.EnsureKeyCheck(t.Context(), nil))
}

func run(t *testing.T, database, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func asUser(t *testing.T, database, user string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.UserPassword(user, "example")
	return u.String()
}
