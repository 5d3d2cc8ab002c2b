package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"

	"sendoff/e2e/harness"
	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/internal/local"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/temporalx"
)

// atOnce is how many waves play at the same time.
const atOnce = "2"

// shared are the servers of this process: one pair that nobody kills, and one of
// each for the waves that kill it.
var shared struct {
	dir                      string
	postgres, mortalPostgres func() (*postgresServer, error)
	temporal, mortalTemporal func() (*temporalServer, error)
	postgresDies             sync.Mutex // one wave at a time kills it
	temporalDies             sync.Mutex
	mu                       sync.Mutex
	ends                     []func()
}

func TestMain(m *testing.M) {
	if kind := os.Getenv(envChild); kind != "" {
		os.Exit(runChild(kind))
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sendoff-chaos-")
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // Postgres's own user has to pass
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.dir = dir
	shared.postgres, shared.mortalPostgres = postgresNamed("shared"), postgresNamed("mortal")
	shared.temporal, shared.mortalTemporal = temporalNamed("shared"), temporalNamed("mortal")
	defer func() { _ = os.RemoveAll(dir) }() // the system cleans what is left
	defer func() {
		for _, end := range shared.ends {
			end()
		}
	}()
	return m.Run()
}

func atEnd(do func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.ends = append(shared.ends, do)
}

// serversFor returns the servers for a wave that kills the victim, which is the
// wave's alone until the test ends.
func serversFor(t *testing.T, victim string) (*postgresServer, *temporalServer, error) {
	t.Helper()
	pg, tp := shared.postgres, shared.temporal
	switch victim {
	case killPostgres:
		pg = shared.mortalPostgres
		shared.postgresDies.Lock()
		t.Cleanup(shared.postgresDies.Unlock)
	case killTemporal:
		tp = shared.mortalTemporal
		shared.temporalDies.Lock()
		t.Cleanup(shared.temporalDies.Unlock)
	}
	p, err := pg()
	if err != nil {
		return nil, nil, err
	}
	s, err := tp()
	return p, s, err
}

// postgresServer is a server that keeps what it commits, and comes back at its port.
type postgresServer struct {
	dir  string
	port int
	mu   sync.Mutex
	up   *local.Postgres
}

// templateDatabase is migrated once; each wave gets a copy.
const templateDatabase = "chaos_template"

func postgresNamed(name string) func() (*postgresServer, error) {
	return sync.OnceValues(func() (*postgresServer, error) {
		p := &postgresServer{dir: filepath.Join(shared.dir, "pg-"+name)}
		ctx := context.Background()
		if err := p.start(ctx); err != nil {
			return nil, err
		}
		atEnd(func() {
			if err := p.up.Destroy(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, "stop Postgres:", err)
			}
		})
		url, err := p.up.CreateDatabase(ctx, templateDatabase)
		if err == nil {
			err = local.EnsureRoles(ctx, url)
		}
		if err == nil {
			err = store.Migrate(ctx, url, nil)
		}
		return p, err
	})
}

// start starts the server, the second time where it was.
func (p *postgresServer) start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.up == nil {
		port, err := harness.FreePort()
		if err != nil {
			return err
		}
		if p.port, err = strconv.Atoi(port); err != nil {
			return err
		}
		if err := os.Mkdir(p.dir, 0o711); err != nil { //nolint:gosec // as above
			return err
		}
	}
	cfg := local.PostgresConfig{DataDir: p.dir, Durable: true, MaxConnections: 300, Port: p.port}
	// Sessions of the server that was killed may live for a moment; then it comes
	// up at another port, where its clients would not look.
	for {
		up, err := local.StartPostgres(ctx, cfg)
		if err != nil {
			return err
		}
		if strings.Contains(up.URL(), "@127.0.0.1:"+strconv.Itoa(p.port)+"/") {
			p.up = up
			return nil
		}
		if err := up.Stop(ctx); err != nil {
			return err
		}
	}
}

// kill ends the server as a power cut would.
func (p *postgresServer) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(p.up.PID(), syscall.SIGKILL)
	<-p.up.Done()
	_ = p.up.Stop(context.Background()) // lets go of its directory
}

// newDatabase returns the owner's URL of a migrated database of the test's own.
func (p *postgresServer) newDatabase(t *testing.T) string {
	t.Helper()
	name := localtest.Name("chaos")
	url, err := p.up.CloneDatabase(t.Context(), name, templateDatabase)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.up.DropDatabase(context.Background(), name)) })
	return url
}

// token makes the first admin's token and returns the path of its file.
func (p *postgresServer) token(t *testing.T, database, dir string) string {
	t.Helper()
	path := filepath.Join(dir, app.TokenFileName)
	require.NoError(t, app.Migrate(t.Context(), config.Config{DatabaseURL: database}, path, func(string) {}))
	return path
}

// temporalServer is a server whose state is on disk, and that comes back at its port.
type temporalServer struct {
	cfg harness.TemporalConfig
	mu  sync.Mutex
	up  *harness.Temporal
}

func temporalNamed(name string) func() (*temporalServer, error) {
	return sync.OnceValues(func() (*temporalServer, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // it may have to be built
		defer cancel()
		cli, err := local.EnsureTemporalCLI(ctx, func(line string) { fmt.Fprintln(os.Stderr, line) })
		if err != nil {
			return nil, err
		}
		port, err := harness.FreePort()
		if err != nil {
			return nil, err
		}
		s := &temporalServer{cfg: harness.TemporalConfig{
			CLI: cli, Log: filepath.Join(shared.dir, "temporal-"+name+".log"), Port: port,
			Database: filepath.Join(shared.dir, "temporal-"+name+".db"),
		}}
		atEnd(func() {
			if s.up != nil {
				s.kill()
			}
		})
		return s, s.start(ctx)
	})
}

func (s *temporalServer) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	up, err := harness.StartTemporal(ctx, s.cfg)
	if err == nil {
		s.up = up
	}
	return err
}

func (s *temporalServer) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up.Kill()
}

func (s *temporalServer) address() string { return "127.0.0.1:" + s.cfg.Port }

// newNamespace returns a namespace of the wave's own that is ready for use.
func (s *temporalServer) newNamespace(t *testing.T) string {
	t.Helper()
	name := localtest.Name("ns")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	keys, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	require.NoError(t, temporalx.EnsureNamespace(ctx, temporalx.Options{
		LocalAddress: s.address(), Namespace: name, Logger: zap.NewNop(), Converters: convertersOf(keys),
	}, 24*time.Hour))
	return name
}

func convertersOf(keys *secret.Keyring) func(string) (converter.DataConverter, converter.FailureConverter) {
	return func(namespace string) (converter.DataConverter, converter.FailureConverter) {
		return secret.Converters(keys, namespace)
	}
}
