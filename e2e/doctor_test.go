package e2e_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/app"
	"sendoff/internal/cli"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
)

// doctor runs the command as somebody on the server's machine does; a later
// variable wins over the stack's.
func (s *stack) doctor(env ...string) (code int, found map[string]app.Finding) {
	s.t.Helper()
	var out, errout bytes.Buffer
	code = cli.Run(s.t.Context(), []string{"doctor", "--output", "json", "--data", s.dir}, strings.NewReader(""), &out, &errout, append(s.processEnv(), env...))
	var said struct {
		OK     bool          `json:"ok"`
		Checks []app.Finding `json:"checks"`
	}
	require.NoError(s.t, json.Unmarshal(out.Bytes(), &said), "%s%s", out.String(), errout.String())
	require.Equal(s.t, code == cli.ExitDone, said.OK)
	found = map[string]app.Finding{}
	for _, f := range said.Checks {
		if before, ok := found[f.Check]; ok && before.Verdict != app.VerdictOK {
			continue // the worst of several is what matters
		}
		require.NotEmpty(s.t, f.Fact, f.Check)
		require.Equal(s.t, f.Verdict == app.VerdictOK, f.Fix == "", "%s: what is not right has a fix", f.Check)
		found[f.Check] = f
	}
	return code, found
}

// failing names the checks that failed.
func failing(found map[string]app.Finding) []string {
	out := []string{}
	for name, f := range found {
		if f.Verdict == app.VerdictFail {
			out = append(out, name)
		}
	}
	return out
}

func (s *stack) sql(statement string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.database)
	require.NoError(s.t, err)
	_, err = conn.Exec(s.t.Context(), statement)
	require.NoError(s.t, err)
	require.NoError(s.t, conn.Close(s.t.Context()))
}

// Each part that can be broken is broken in turn: doctor says which, goes on with
// the others, and says what to do.
func TestDoctor(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	code, found := s.doctor()
	require.Equal(t, cli.ExitInternal, code)
	require.Equal(t, []string{"task-queue"}, failing(found), "no worker was started yet")

	awaitReady(t, s.spawn("worker").pages())
	localtest.Wait(t, patience, "the worker is seen", func() bool { code, found = s.doctor(); return code == cli.ExitDone })
	for _, name := range []string{
		"postgres", "postgres-tls", "postgres-version", "fsync", "synchronous-commit", "clock-postgres", "role", "migrations", "key", "outbox",
		"sealer", "checkpoint", "pause", "parked", "temporal", "temporal-tls", "temporal-version", "task-queue",
		"server", "clock-server", "ready", "connection box", "tokens",
	} {
		require.Equal(t, app.VerdictOK, found[name].Verdict, "%s: %s", name, found[name].Fact)
	}
	require.Equal(t, app.VerdictWarn, found["configuration"].Verdict, "time is scaled")
	require.Equal(t, app.VerdictWarn, found["namespace"].Verdict, "a test's namespace keeps a day")

	t.Run("a pause, and a token that ends soon", func(t *testing.T) {
		s.must("pause", "--reason", "drill")
		s.must("tokens", "create", "--name", "brief", "--role", "auditor", "--expires", "3d")
		_, found := s.doctor()
		require.Equal(t, app.VerdictWarn, found["pause"].Verdict)
		require.Equal(t, app.VerdictWarn, found["tokens"].Verdict)
		require.Contains(t, found["tokens"].Fact, "brief")
		s.must("unpause")
		s.must("tokens", "revoke", "brief")
	})
	t.Run("another key", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.key")
		_, err := secret.LoadOrCreateKeyring(path)
		require.NoError(t, err)
		code, found := s.doctor("SENDOFF_KEY_FILE=" + path)
		require.Equal(t, cli.ExitInternal, code)
		require.Equal(t, []string{"key"}, failing(found))
		require.Contains(t, found["key"].Fact, "wrong key")
	})
	t.Run("rights that the application must not have", func(t *testing.T) {
		s.sql(`grant update on audit_record to sendoff_app`)
		_, found := s.doctor()
		require.Equal(t, []string{"role"}, failing(found))
		require.Contains(t, found["role"].Fact, "UPDATE on audit_record")
		s.sql(`revoke update on audit_record from sendoff_app`)
	})
	t.Run("a database and a Temporal that are not there", func(t *testing.T) {
		_, found := s.doctor("SENDOFF_DATABASE_URL=postgres://nobody:hunter2@127.0.0.1:1/none?sslmode=disable", "TEMPORAL_ADDRESS=127.0.0.1:1")
		require.ElementsMatch(t, []string{"postgres", "temporal"}, failing(found))
		require.NotContains(t, found["postgres"].Fact, "hunter2")
		require.Equal(t, app.VerdictOK, found["server"].Verdict)
	})
	t.Run("settings that cannot be used", func(t *testing.T) {
		code, found := s.doctor("SENDOFF_LOG_LEVEL=loud", "SENDOFF_LISTEN=nowhere")
		require.Equal(t, cli.ExitInternal, code)
		require.Contains(t, failing(found), "configuration")
		require.Equal(t, app.VerdictOK, found["migrations"].Verdict)
	})
	t.Run("a server that is down is one line", func(t *testing.T) {
		s.server.Kill()
		_, found := s.doctor()
		require.Equal(t, []string{"server"}, failing(found))
		require.Equal(t, app.VerdictOK, found["checkpoint"].Verdict)
	})
}
