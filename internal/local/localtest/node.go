package localtest

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

// oldestNode is the oldest release of Node that the tests' programs are written for.
const oldestNode = 20

// Node is a program for Node with the libraries of others that it uses. A machine
// without Node, or that reaches no registry, skips what needs it.
type Node struct {
	Dir      string        // holds package.json and package-lock.json
	Cache    string        // where libraries are kept, in sendoff's folder of the user's cache
	Patience time.Duration // how long the registry may take
	Undone   string        // what a skip leaves undone, in words
}

// Program finds a Node that is new enough, or skips.
func (n Node) Program(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("Node is not installed: %s", n.Undone)
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").Output()
	require.NoError(t, err)
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), ".")
	release, err := strconv.Atoi(major)
	require.NoError(t, err, "node --version says %q", version)
	if release < oldestNode {
		t.Skipf("Node is %s and %d or newer is needed: %s", bytes.TrimSpace(version), oldestNode, n.Undone)
	}
	return path
}

// Modules gives a folder with the node_modules that package-lock.json pins. It is
// made once for each lock, in the user's cache directory: installed beside it and
// renamed, so that two tests at once end with one whole folder.
func (n Node) Modules(t testing.TB) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(n.Dir, "package-lock.json"))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	parent, name := filepath.Split(filepath.Join(cache, "sendoff", n.Cache))
	sum := sha256.Sum256(lock)
	dir := filepath.Join(parent, name+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(parent, 0o750))
	fresh, err := os.MkdirTemp(parent, "."+name+"-*")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(fresh) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(n.Dir, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(fresh, name), text, 0o600))
	}
	n.install(t, fresh)
	if err := os.Rename(fresh, dir); err != nil {
		require.DirExists(t, dir, "%v", err) // somebody else was faster
	}
	return dir
}

// unreachable matches npm's codes for a registry that does not answer, or does
// not serve; a lock that does not fit is none of them.
var unreachable = regexp.MustCompile(`(?m)^npm (?:error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ENOTCACHED|E40[134]|E429|E5\d\d)$`)

func (n Node) install(t testing.TB, dir string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skipf("npm is not installed and the libraries are not cached: %s", n.Undone)
	}
	ctx, cancel := context.WithTimeout(t.Context(), n.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000")
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		t.Skipf("npm did not end within %s and the libraries are not cached: %s", n.Patience, n.Undone)
	case unreachable.Match(said):
		t.Skipf("the npm registry cannot be reached (%s) and the libraries are not cached: %s", unreachable.FindSubmatch(said)[1], n.Undone)
	default:
		require.NoError(t, err, "npm ci: %s", said)
	}
}

// RequireLock checks that the lock pins exactly the libraries named, by their
// content, and names no registry.
func (n Node) RequireLock(t testing.TB, libraries ...string) {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(n.Dir, "package-lock.json"))
	require.NoError(t, err)
	require.NotContains(t, string(lock), `"resolved"`, "make the lock with npm's omit-lockfile-registry-resolved=true")
	require.NotContains(t, string(lock), "registry.")
	require.Contains(t, string(lock), `"integrity"`)
	for _, name := range libraries {
		require.Regexp(t, `"`+regexp.QuoteMeta(name)+`": "\d+\.\d+\.\d+"`, string(lock), "must be pinned exactly")
	}
}
