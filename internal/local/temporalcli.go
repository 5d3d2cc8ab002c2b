package local

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// temporalCLI is the newest release of the official CLI that installs as a
	// plain module; later ones have replace directives, which go install refuses.
	temporalCLIModule  = "github.com/temporalio/cli"
	temporalCLIVersion = "v1.5.1"

	minServerMajor, minServerMinor = 1, 29 // what CLI v1.5.1 contains
)

// ErrNoTemporal is returned when there is no Temporal CLI and none can be made.
var ErrNoTemporal = errors.New("no Temporal CLI")

// EnsureTemporalCLI returns the path of a `temporal` program whose development
// server is recent enough: the one on PATH, else the one in the user's cache,
// else one built there by the Go toolchain. Building takes about five minutes
// on two cores, once per machine; progress gets a line now and then.
func EnsureTemporalCLI(ctx context.Context, progress func(string)) (string, error) {
	if path, err := exec.LookPath("temporal"); err == nil {
		version, err := serverVersion(path)
		if err == nil {
			progress("using " + path + ", " + version)
			return path, nil
		}
		progress("not using " + path + ": " + err.Error())
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: no cache directory for it: %w; set HOME or XDG_CACHE_HOME", ErrNoTemporal, err)
	}
	dir := filepath.Join(cache, "sendoff", "bin")
	path := filepath.Join(dir, "temporal")
	if isPinnedCLI(path) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoTemporal, err)
	}
	lock, err := waitForLock(ctx, path+".lock", progress)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoTemporal, err)
	}
	defer func() { _ = lock.Close() }()
	if isPinnedCLI(path) { // whoever held the lock has built it
		return path, nil
	}
	if err := buildTemporalCLI(ctx, dir, progress); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoTemporal, err)
	}
	return path, nil
}

// isPinnedCLI reports whether path was built by `go install` from the pinned
// version. The program itself cannot say: so built, it calls itself 0.0.0-DEV.
func isPinnedCLI(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && info.Main.Path == temporalCLIModule && info.Main.Version == temporalCLIVersion
}

var serverVersionPattern = regexp.MustCompile(`Server (\d+)\.(\d+)\.`)

// serverVersion returns what `temporal --version` says, and an error if the
// server inside is too old; it reads "temporal version 1.5.1 (Server 1.29.1, UI
// 2.42.1)".
func serverVersion(path string) (string, error) {
	out, err := command(path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	text := strings.TrimSpace(string(out))
	match := serverVersionPattern.FindStringSubmatch(text)
	if match == nil {
		return "", fmt.Errorf("%q names no server version", text)
	}
	major, _ := strconv.Atoi(match[1])
	minor, _ := strconv.Atoi(match[2])
	if slices.Compare([]int{major, minor}, []int{minServerMajor, minServerMinor}) < 0 {
		return "", fmt.Errorf("%q is older than server %d.%d", text, minServerMajor, minServerMinor)
	}
	return text, nil
}

// buildTemporalCLI runs go install into a neighbour of dir and moves the result
// in place, so that nobody ever sees half a program.
func buildTemporalCLI(ctx context.Context, dir string, progress func(string)) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("it is not on PATH, and there is no Go toolchain to build it with; " +
			"install it (https://docs.temporal.io/cli), or Go (https://go.dev/dl), or set TEMPORAL_ADDRESS to a running server")
	}
	abandoned, _ := filepath.Glob(filepath.Join(dir, "build-*")) // the only error is a bad pattern
	for _, old := range abandoned {
		_ = os.RemoveAll(old)
	}
	draft, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(draft) }()
	cmd := command(goTool, "install", temporalCLIModule+"/cmd/temporal@"+temporalCLIVersion)
	cmd.Dir = draft
	cmd.Env = append(goEnvironment(os.Environ()), "GOBIN="+draft, "GOWORK=off")
	if err := runSlowly(ctx, cmd, progress, "building Temporal's development server (about five minutes on two cores, once per machine)"); err != nil {
		return fmt.Errorf("go install %s@%s: %w", temporalCLIModule, temporalCLIVersion, err)
	}
	built := filepath.Join(draft, "temporal")
	if !isPinnedCLI(built) {
		return fmt.Errorf("go install made something else than %s@%s", temporalCLIModule, temporalCLIVersion)
	}
	return os.Rename(built, filepath.Join(dir, "temporal"))
}

// goEnvironment is our environment without what would make go install build
// for another machine or from our own module: the rest, such as proxies and
// caches, the toolchain needs.
func goEnvironment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"GOOS", "GOARCH", "GOFLAGS", "GOBIN", "GOWORK"}, name) ||
			strings.HasPrefix(name, "SENDOFF_") || strings.HasPrefix(name, "TEMPORAL_")
	})
}

// runSlowly runs cmd to its end and tells every 15 seconds that it still runs.
func runSlowly(ctx context.Context, cmd *exec.Cmd, progress func(string), what string) error {
	log, err := openLog("")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	begun := time.Now()
	progress(what)
	proc, err := startChild(cmd, log, syscall.SIGKILL)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-proc.done:
			if proc.err != nil {
				return fmt.Errorf("%w: %s", proc.err, proc.logTail())
			}
			progress(fmt.Sprintf("done after %s", time.Since(begun).Round(time.Second)))
			return nil
		case <-ticker.C:
			progress(fmt.Sprintf("still %s: %s", what, time.Since(begun).Round(time.Second)))
		case <-ctx.Done():
			// The whole group: the toolchain has compilers of its own running.
			_ = syscall.Kill(-proc.pid(), syscall.SIGKILL)
			<-proc.done
			return ctx.Err()
		}
	}
}
