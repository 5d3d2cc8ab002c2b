package local_test

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/local"
)

// TestTemporalCLI looks for the CLI in machines made of two directories: what
// is on PATH, and the user's cache.
func TestTemporalCLI(t *testing.T) {
	t.Parallel()
	real, err := local.EnsureTemporalCLI(t.Context(), func(line string) { t.Log(line) })
	require.NoError(t, err)
	find := func(t *testing.T, path, cache string) (string, error) {
		t.Helper()
		out, err := self(t, "temporal cli", "PATH="+path+":/bin:/usr/bin", "HOME="+cache, "XDG_CACHE_HOME="+cache).Output()
		return string(out), err
	}
	builds := func(t *testing.T, path string) int {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(path, "builds"))
		require.NoError(t, err)
		return strings.Count(string(raw), "install github.com/temporalio/cli/cmd/temporal@v1.5.1")
	}

	t.Run("is taken from PATH", func(t *testing.T) {
		t.Parallel()
		path := t.TempDir()
		script(t, path, "temporal", "echo 'temporal version 1.6.0 (Server 1.30.2, UI 2.45.0)'")
		out, err := find(t, path, t.TempDir())
		require.NoError(t, err, out)
		require.Contains(t, out, "Server 1.30.2")
		require.Contains(t, out, "found "+filepath.Join(path, "temporal"))
	})
	t.Run("is built once, however many ask", func(t *testing.T) {
		t.Parallel()
		info, err := buildinfo.ReadFile(real)
		if err != nil || info.Main.Version != "v1.5.1" {
			t.Skip("the CLI on PATH is another version than the one to be built")
		}
		path, cache := t.TempDir(), t.TempDir()
		// Too old, so that it has to be built.
		script(t, path, "temporal", "echo 'temporal version 1.0.0 (Server 1.24.2, UI 2.30.0)'")
		script(t, path, "go", `echo "$@" >> `+path+`/builds; ln -s `+real+` "$GOBIN/temporal"`)
		abandoned := filepath.Join(cache, "sendoff", "bin", "build-1")
		require.NoError(t, os.MkdirAll(abandoned, 0o755))
		var group sync.WaitGroup
		outs, errs := make([]string, 3), make([]error, 3)
		for i := range outs {
			group.Go(func() { outs[i], errs[i] = find(t, path, cache) })
		}
		group.Wait()
		for i := range outs {
			require.NoError(t, errs[i], outs[i])
			require.Contains(t, outs[i], "older than server 1.29")
			require.Contains(t, outs[i], "found "+filepath.Join(cache, "sendoff", "bin", "temporal"))
		}
		require.Equal(t, 1, builds(t, path))
		require.NoDirExists(t, abandoned)
	})
	t.Run("is not believed to be built", func(t *testing.T) {
		t.Parallel()
		path, cache := t.TempDir(), t.TempDir()
		script(t, path, "temporal", "exit 1")
		script(t, path, "go", `echo "$@" >> `+path+`/builds; echo nonsense > "$GOBIN/temporal"`)
		out, err := find(t, path, cache)
		require.Error(t, err)
		require.Contains(t, out, "ErrNoTemporal")
		require.NoFileExists(t, filepath.Join(cache, "sendoff", "bin", "temporal"))
	})
	t.Run("tells how building failed", func(t *testing.T) {
		t.Parallel()
		path := t.TempDir()
		script(t, path, "temporal", "exit 1")
		script(t, path, "go", "echo 'no route to proxy' >&2; exit 1")
		out, err := find(t, path, t.TempDir())
		require.Error(t, err)
		require.Contains(t, out, "no route to proxy")
	})
	t.Run("needs Go to be built", func(t *testing.T) {
		t.Parallel()
		path := t.TempDir()
		if _, err := os.Stat("/usr/bin/go"); err == nil {
			t.Skip("Go is where every PATH of this test leads")
		}
		script(t, path, "temporal", "exit 1")
		out, err := find(t, path, t.TempDir())
		require.Error(t, err)
		for _, hint := range []string{"ErrNoTemporal", "https://go.dev/dl", "TEMPORAL_ADDRESS"} {
			require.Contains(t, out, hint)
		}
	})
}
