package webhooks_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	driverDir = "driver"
	// oldestNode is the oldest release of Node that the driver is written for.
	oldestNode = 20
	// installPatience is how long the registry may take to serve three packages.
	installPatience = 2 * time.Minute
)

// node finds a Node that is new enough, or skips.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node is not installed: nobody else signed webhooks")
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").Output()
	require.NoError(t, err)
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err, "node --version says %q", version)
	if n < oldestNode {
		t.Skipf("Node is %s and the driver needs %d or newer: nobody else signed webhooks", bytes.TrimSpace(version), oldestNode)
	}
	return path
}

// installLibrary gives a folder with the node_modules that package-lock.json pins,
// made once for each lock in the user's cache directory, as e2e/sdk does.
func installLibrary(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(driverDir, "package-lock.json"))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	parent := filepath.Join(cache, "sendoff", "sdk")
	sum := sha256.Sum256(lock)
	dir := filepath.Join(parent, "webhooks-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(parent, 0o750))
	fresh, err := os.MkdirTemp(parent, ".webhooks-*")
	require.NoError(t, err)
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(driverDir, name))
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
		t.Skip("npm is not installed and the library is not cached: nobody else signed webhooks")
	}
	ctx, cancel := context.WithTimeout(t.Context(), installPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000")
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		t.Skipf("npm did not end within %s and the library is not cached: nobody else signed webhooks", installPatience)
	case unreachable.Match(said):
		t.Skipf("the npm registry cannot be reached (%s) and the library is not cached: nobody else signed webhooks", unreachable.FindSubmatch(said)[1])
	default:
		require.NoError(t, err, "npm ci: %s", said)
	}
}

func TestLockNamesNoRegistry(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile(filepath.Join(driverDir, "package-lock.json"))
	require.NoError(t, err)
	require.NotContains(t, string(lock), `"resolved"`, "make the lock with npm's omit-lockfile-registry-resolved=true")
	require.NotContains(t, string(lock), "registry.")
	require.Contains(t, string(lock), `"integrity"`)
	require.Regexp(t, `"standardwebhooks": "\d+\.\d+\.\d+"`, string(lock), "the library must be pinned exactly")
}
