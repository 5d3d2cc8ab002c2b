package localtest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	first, second := connect(t, localtest.Database(t)), connect(t, localtest.Database(t))
	_, err := first.Exec(t.Context(), "create table leaver (id int)")
	require.NoError(t, err)
	_, err = second.Exec(t.Context(), "select id from leaver")
	require.ErrorContains(t, err, "does not exist", "databases must not share tables")
	_, err = first.Exec(t.Context(), "set role sendoff_app")
	require.NoError(t, err)
	_, err = first.Exec(t.Context(), "select id from leaver")
	require.ErrorContains(t, err, "permission denied", "the application's role owns nothing")
}

func TestDatabaseFrom(t *testing.T) {
	t.Parallel()
	prepared := 0
	prepare := func(ctx context.Context, url string) error {
		prepared++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "create table leaver (id int); insert into leaver values (7)")
		return err
	}
	for range 2 {
		conn := connect(t, localtest.DatabaseFrom(t, "one leaver", prepare))
		var id int
		require.NoError(t, conn.QueryRow(t.Context(), "update leaver set id = id + 1 returning id").Scan(&id))
		require.Equal(t, 8, id, "each test has its own copy")
	}
	require.Equal(t, 1, prepared)
}

func TestFolder(t *testing.T) {
	t.Parallel()
	kind := localtest.Name("folder")
	first, removeFirst, err := localtest.Folder(kind)
	require.NoError(t, err)
	second, removeSecond, err := localtest.Folder(kind)
	require.NoError(t, err)
	require.NotEqual(t, first, second, "one that is in use is nobody else's")
	require.NoError(t, os.WriteFile(filepath.Join(first, "left"), nil, 0o600))
	require.NoError(t, removeFirst())
	require.NoDirExists(t, first)
	require.DirExists(t, second)

	require.NoError(t, os.Mkdir(first, 0o711)) // as a killed process leaves its own
	require.NoError(t, os.WriteFile(filepath.Join(first, "left"), nil, 0o600))
	again, removeAgain, err := localtest.Folder(kind)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NoFileExists(t, filepath.Join(again, "left"))
	require.NoError(t, removeAgain())
	require.NoError(t, removeSecond())
	require.NoError(t, errors.Join(os.Remove(first+".lock"), os.Remove(second+".lock")))
}
