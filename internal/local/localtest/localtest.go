// Package localtest gives tests real servers: one Postgres and one Temporal per
// test process, started on first use, ended with the process.
package localtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/local"
)

const databasePrefix = "test_"

// servers are started at most once per process. They are the one thing here
// that outlives a test, which is why it is a package variable.
//
//nolint:gochecknoglobals // a test process has one of each, whatever package asks
var servers struct {
	postgres  once[*local.Postgres]
	temporal  once[*local.Temporal]
	templates sync.Map // key -> *once[string]
}

// once is sync.OnceValues with the function given at the call.
type once[T any] struct {
	sync.Once
	value T
	err   error
}

func (o *once[T]) get(make func() (T, error)) (T, error) {
	o.Do(func() { o.value, o.err = make() })
	return o.value, o.err
}

// Postgres returns this test process's server. It runs without fsync.
func Postgres(t testing.TB) *local.Postgres {
	t.Helper()
	p, err := servers.postgres.get(startPostgres)
	require.NoError(t, err)
	return p
}

// Database returns the owner's connection string for a new, empty database that
// is dropped when the test ends. The roles exist.
func Database(t testing.TB) string {
	t.Helper()
	return newDatabase(t, "template0")
}

// DatabaseFrom is Database with contents: prepare fills a database once per
// process and key, every test gets a copy of it (about 50 ms).
func DatabaseFrom(t testing.TB, key string, prepare func(ctx context.Context, ownerURL string) error) string {
	t.Helper()
	p := Postgres(t)
	entry, _ := servers.templates.LoadOrStore(key, new(once[string]))
	name, err := entry.(*once[string]).get(func() (string, error) {
		ctx := context.Background()
		name := Name("template")
		url, err := p.CreateDatabase(ctx, name)
		if err != nil {
			return "", err
		}
		return name, prepare(ctx, url)
	})
	require.NoError(t, err)
	return newDatabase(t, name)
}

func newDatabase(t testing.TB, template string) string {
	t.Helper()
	p := Postgres(t)
	name := Name("db")
	url, err := p.CloneDatabase(t.Context(), name, template)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.DropDatabase(context.Background(), name))
	})
	return url
}

// Name returns a name no other test uses: fit for databases, workflow ids, task
// queues and namespaces.
func Name(kind string) string {
	return databasePrefix + kind + "_" + strings.ToLower(rand.Text()[:12])
}

// startPostgres takes the first free of a few clusters that are kept between
// runs, so that initdb (over a second) is rarely paid. Packages tested at the
// same time take different ones. What a killed run left behind is dropped.
func startPostgres() (*local.Postgres, error) {
	root, err := scratch()
	if err != nil {
		return nil, err
	}
	for n := range perKind {
		dir := filepath.Join(root, fmt.Sprintf("pg-%d", n))
		p, err := startPostgresIn(dir)
		if errors.Is(err, local.ErrInUse) {
			continue
		}
		return p, err
	}
	return nil, fmt.Errorf("all %d test clusters in %s are in use", perKind, root)
}

func startPostgresIn(dir string) (*local.Postgres, error) {
	ctx := context.Background()
	cfg := local.PostgresConfig{DataDir: dir}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	p, err := local.StartPostgres(ctx, cfg)
	if err != nil && !errors.Is(err, local.ErrInUse) && !errors.Is(err, local.ErrNoPostgres) {
		// Without fsync a crash of the machine may ruin a cluster, and another
		// Postgres version may have made it. It holds nothing of worth.
		if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o711)); err != nil {
			return nil, err
		}
		p, err = local.StartPostgres(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	return p, errors.Join(p.DropDatabasesWithPrefix(ctx, databasePrefix), local.EnsureRoles(ctx, p.URL()))
}

// Wait polls a condition until it holds or the time is over.
func Wait(t testing.TB, atMost time.Duration, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, atMost, 20*time.Millisecond, "waited %s for: %s", atMost, what)
}
