package local_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local"
)

func startPostgres(t *testing.T, dir string, progress func(string)) *local.Postgres {
	t.Helper()
	p, err := local.StartPostgres(t.Context(), local.PostgresConfig{DataDir: dir, Durable: true, Progress: progress})
	require.NoError(t, err)
	return p
}

// ask returns the single text a query answers.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var text string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&text))
	return text
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 20))
	p := startPostgres(t, dir, nil)

	t.Run("is durable, local and short of socket path", func(t *testing.T) {
		require.Equal(t, "on", ask(t, p.URL(), "show fsync"))
		require.Equal(t, "on", ask(t, p.URL(), "show synchronous_commit"))
		require.Equal(t, "127.0.0.1", ask(t, p.URL(), "show listen_addresses"))
		require.Equal(t, "UTC", ask(t, p.URL(), "show timezone"))
		sockets := ask(t, p.URL(), "show unix_socket_directories")
		require.Less(t, len(sockets)+len("/.s.PGSQL.65535"), 100)
	})
	t.Run("wants its password, which only the owner can read", func(t *testing.T) {
		u, err := url.Parse(p.URL())
		require.NoError(t, err)
		password, _ := u.User.Password()
		require.GreaterOrEqual(t, len(password), 26)
		u.User = url.UserPassword(local.OwnerRole, "guess")
		_, err = pgx.Connect(t.Context(), u.String())
		require.ErrorContains(t, err, "password authentication failed")
		info, err := os.Stat(filepath.Join(dir, "postgres", "password"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		log, err := os.ReadFile(p.Log())
		require.NoError(t, err)
		require.NotContains(t, string(log), password)
	})
	t.Run("makes databases once", func(t *testing.T) {
		for range 2 {
			url, err := p.CreateDatabase(t.Context(), `sendoff "quoted"`)
			require.NoError(t, err)
			require.Equal(t, `sendoff "quoted"`, ask(t, url, "select current_database()"))
		}
	})
	t.Run("makes the application's role once, without rights", func(t *testing.T) {
		done := make(chan error, 4)
		for range cap(done) {
			go func() { done <- local.EnsureRoles(t.Context(), p.URL()) }()
		}
		for range cap(done) {
			require.NoError(t, <-done)
		}
		require.Equal(t, "false false false", ask(t, p.URL(),
			"select concat_ws(' ', rolcanlogin::text, rolsuper::text, rolcreaterole::text) from pg_roles where rolname = 'sendoff_app'"))
	})
	t.Run("lets nobody else onto its data", func(t *testing.T) {
		_, err := local.StartPostgres(t.Context(), local.PostgresConfig{DataDir: dir})
		require.ErrorIs(t, err, local.ErrInUse)
	})
	t.Run("stops, and starts again on its data", func(t *testing.T) {
		before := ask(t, p.URL(), "select system_identifier::text from pg_control_system()")
		require.NoError(t, p.Stop(t.Context()))
		require.True(t, gone(p.PID()))
		require.NoError(t, p.Stop(t.Context()), "stopping twice is harmless")
		p = startPostgres(t, dir, nil)
		require.Equal(t, before, ask(t, p.URL(), "select system_identifier::text from pg_control_system()"))
	})
	t.Run("is deleted whole", func(t *testing.T) {
		data := ask(t, p.URL(), "show data_directory")
		require.NoError(t, p.Destroy(t.Context()))
		require.NoDirExists(t, filepath.Dir(data))
		require.NoDirExists(t, filepath.Join(dir, "postgres"))
	})
}

// TestPostgresLeftover starts beside what an earlier run left behind.
func TestPostgresLeftover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startPostgres(t, dir, nil)
	data := ask(t, p.URL(), "show data_directory")
	binary, err := os.Readlink("/proc/" + strconv.Itoa(p.PID()) + "/exe")
	if err != nil {
		binary, err = exec.LookPath("postgres")
	}
	require.NoError(t, err)
	require.NoError(t, p.Stop(t.Context()))

	// asServer prepares a process of the user that owns the data.
	asServer := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = "/"
		info, err := os.Stat(data)
		require.NoError(t, err)
		if stat := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
		}
		return cmd
	}

	t.Run("a server without its owner is stopped", func(t *testing.T) {
		stray := asServer(binary, "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+data)
		require.NoError(t, stray.Start())
		ended := make(chan error, 1)
		go func() { ended <- stray.Wait() }()
		wait(t, "the stray server to lock its data", func() bool {
			raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
			return err == nil && strings.Contains(string(raw), "ready")
		})
		var told []string
		p := startPostgres(t, dir, func(line string) { told = append(told, line) })
		require.NoError(t, <-ended, "it was asked to stop, not killed")
		require.Contains(t, strings.Join(told, "\n"), "earlier run")
		require.Equal(t, data, ask(t, p.URL(), "show data_directory"))
		require.NoError(t, p.Stop(t.Context()))
	})
	t.Run("a stranger with the old number is left alone", func(t *testing.T) {
		stranger := asServer("sleep", "600")
		require.NoError(t, stranger.Start())
		defer func() { _, _ = stranger.Process.Kill(), stranger.Wait() }()
		lock := strconv.Itoa(stranger.Process.Pid) + "\n" + data + "\n1700000000\n5432\n\n127.0.0.1\n"
		pidFile := filepath.Join(data, "postmaster.pid")
		require.NoError(t, os.WriteFile(pidFile, []byte(lock), 0o600))
		if os.Geteuid() == 0 {
			info, err := os.Stat(data)
			require.NoError(t, err)
			stat := info.Sys().(*syscall.Stat_t)
			require.NoError(t, os.Chown(pidFile, int(stat.Uid), int(stat.Gid)))
		}
		p := startPostgres(t, dir, nil)
		require.Equal(t, data, ask(t, p.URL(), "show data_directory"))
		require.NoError(t, stranger.Process.Signal(syscall.Signal(0)), "still alive")
		require.NoError(t, p.Stop(t.Context()))
	})
	t.Run("another cluster in its place is not touched", func(t *testing.T) {
		id := filepath.Join(filepath.Dir(data), "id")
		right, err := os.ReadFile(id)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(id, []byte("another"), 0o600))
		_, err = local.StartPostgres(t.Context(), local.PostgresConfig{DataDir: dir})
		require.ErrorContains(t, err, "another cluster")
		require.NoError(t, os.WriteFile(id, right, 0o600))
	})
	p = startPostgres(t, dir, nil)
	require.NoError(t, p.Destroy(t.Context()))
}

func TestFindPostgres(t *testing.T) {
	t.Parallel()
	install := func(t *testing.T, version string) string {
		t.Helper()
		dir := t.TempDir()
		script(t, dir, "initdb", "exit 0")
		script(t, dir, "postgres", "echo 'postgres (PostgreSQL) "+version+"'")
		return dir
	}
	t.Run("passes over what is too old or incomplete", func(t *testing.T) {
		t.Parallel()
		old, lone, good := install(t, "14.20"), t.TempDir(), install(t, "18.1 (Debian 18.1-1)")
		script(t, lone, "postgres", "echo 'postgres (PostgreSQL) 17.0'")
		got, err := local.FirstUsable([]string{old, lone, good})
		require.NoError(t, err)
		require.Equal(t, filepath.Join(good, "postgres"), got)
	})
	t.Run("says what to install", func(t *testing.T) {
		t.Parallel()
		_, err := local.FirstUsable(nil)
		require.ErrorIs(t, err, local.ErrNoPostgres)
		for _, hint := range []string{"apt-get install postgresql", "dnf install", "brew install", "SENDOFF_DATABASE_URL"} {
			require.ErrorContains(t, err, hint)
		}
		old := install(t, "13.3")
		_, err = local.FirstUsable([]string{old})
		require.ErrorIs(t, err, local.ErrNoPostgres)
		require.ErrorContains(t, err, old+" (major version 13)")
	})
}
