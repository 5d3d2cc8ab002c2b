package scim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	oracleDir = "oracle"
	// oldestNode is the oldest release of Node that the oracle is written for.
	oldestNode = 20
	// installPatience is how long the registry may take to serve five packages.
	installPatience = 2 * time.Minute
	askPatience     = time.Minute
)

// node finds a Node that is new enough, or skips.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node is not installed: nothing was held against the libraries of others")
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").Output()
	require.NoError(t, err)
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err, "node --version says %q", version)
	if n < oldestNode {
		t.Skipf("Node is %s and the oracle needs %d or newer: nothing was held against the libraries of others", bytes.TrimSpace(version), oldestNode)
	}
	return path
}

// installOracle gives a folder with the node_modules that package-lock.json pins.
// It is made once for each lock, in the user's cache directory: installed beside
// it and renamed, so that two tests at once end with one whole folder.
func installOracle(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(oracleDir, "package-lock.json"))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	parent := filepath.Join(cache, "sendoff", "oracle")
	sum := sha256.Sum256(lock)
	dir := filepath.Join(parent, "scim-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(parent, 0o750))
	fresh, err := os.MkdirTemp(parent, ".scim-*")
	require.NoError(t, err)
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(oracleDir, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(fresh, name), text, 0o600))
	}
	npmCI(t, fresh)
	if err := os.Rename(fresh, dir); err != nil {
		require.DirExists(t, dir, "%v", err) // somebody else was faster
	}
	return dir
}

// unreachable matches npm's codes for a registry that does not answer, or does
// not serve; a lock that does not fit is none of them.
var unreachable = regexp.MustCompile(`(?m)^npm (?:error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ENOTCACHED|E40[134]|E429|E5\d\d)$`)

func npmCI(t *testing.T, dir string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed and the libraries are not cached: nothing was held against them")
	}
	ctx, cancel := context.WithTimeout(t.Context(), installPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000")
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		t.Skipf("npm did not end within %s and the libraries are not cached: nothing was held against them", installPatience)
	case unreachable.Match(said):
		t.Skipf("the npm registry cannot be reached (%s) and the libraries are not cached: nothing was held against them", unreachable.FindSubmatch(said)[1])
	default:
		require.NoError(t, err, "npm ci: %s", said)
	}
}

func TestOracleLockNamesNoRegistry(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile(filepath.Join(oracleDir, "package-lock.json"))
	require.NoError(t, err)
	require.NotContains(t, string(lock), `"resolved"`, "make the lock with npm's omit-lockfile-registry-resolved=true")
	require.NotContains(t, string(lock), "registry.")
	require.Contains(t, string(lock), `"integrity"`)
	for _, name := range []string{"scim-patch", "scim2-parse-filter"} {
		require.Regexp(t, `"`+name+`": "\d+\.\d+\.\d+"`, string(lock), "must be pinned exactly")
	}
}

type (
	// question is what the oracle is asked.
	question struct {
		Modules   string       `json:"modules"`
		Patches   []patchAsked `json:"patches"`
		Filters   []string     `json:"filters"`
		Resources []any        `json:"resources"`
	}
	patchAsked struct {
		Resource   any `json:"resource"`
		Operations any `json:"operations"`
	}
	// said is what it answers.
	said struct {
		Patches []struct {
			OK    bool
			Value map[string]any
			Error string
		}
		Filters []struct {
			OK    bool
			Value []bool
			Error string
		}
	}
)

func ask(t *testing.T, q question) said {
	t.Helper()
	program := node(t)
	q.Modules = installOracle(t)
	if q.Patches == nil {
		q.Patches = []patchAsked{}
	}
	if q.Filters == nil {
		q.Filters = []string{}
	}
	in, err := json.Marshal(q)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), askPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, filepath.Join(oracleDir, "main.mjs"))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	var out said
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &out))
	require.Len(t, out.Patches, len(q.Patches))
	require.Len(t, out.Filters, len(q.Filters))
	return out
}
