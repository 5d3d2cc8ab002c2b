// Package e2e_test holds the product to what it promises, as a person at the
// command line meets it: real Temporal, real Postgres that keeps what it commits,
// and simulated vendors over real HTTP, whose logs and books are the judges.
package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"

	"sendoff/e2e/harness"
	"sendoff/internal/local"
	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
)

// atOnce is how many tests run at the same time: they wait far more than they
// compute, so the number of processors says little.
const atOnce = "6"

// shared is what all tests of this process use: one Postgres with fsync on,
// because the product refuses any other, and one build of the program.
var shared struct {
	dir      string
	postgres func() (*local.Postgres, error)
	temporal func() (*harness.Temporal, error)
	program  func() (string, error)
	mu       sync.Mutex
	ends     []func() // what ends the servers that were started
	apis     sync.Map // clients of servers, by URL and token
}

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // memory is cheaper than processors
	}
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "sendoff-e2e-")
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // Postgres's own user has to pass
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.dir = dir
	shared.postgres, shared.temporal = sync.OnceValues(startPostgres), sync.OnceValues(startTemporal)
	shared.program = sync.OnceValues(buildProgram)
	defer func() { _ = os.RemoveAll(dir) }() // the system cleans what is left
	defer stopServers()
	return m.Run()
}

// templateDatabase is migrated once; each test gets a copy.
const templateDatabase = "e2e_template"

func startPostgres() (*local.Postgres, error) {
	ctx := context.Background()
	dir, remove, err := localtest.Folder("e2e")
	if err != nil {
		return nil, err
	}
	p, err := local.StartPostgres(ctx, local.PostgresConfig{DataDir: dir, Durable: true, MaxConnections: 500})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	atEnd(func() {
		if err := errors.Join(p.Destroy(context.Background()), remove()); err != nil {
			fmt.Fprintln(os.Stderr, "stop Postgres:", err)
		}
	})
	url, err := p.CreateDatabase(ctx, templateDatabase)
	if err == nil {
		err = local.EnsureRoles(ctx, url)
	}
	if err == nil {
		err = store.Migrate(ctx, url, nil)
	}
	return p, err
}

// atEnd has something done after the last test.
func atEnd(do func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.ends = append(shared.ends, do)
}

func stopServers() {
	for _, end := range shared.ends {
		end()
	}
}

// buildProgram builds the program as make build does, for tests that kill it.
func buildProgram() (string, error) {
	path := filepath.Join(shared.dir, "sendoff")
	out, err := exec.Command("go", "build", "-o", path, "sendoff/cmd/sendoff").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
}
