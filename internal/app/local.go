package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"sendoff/internal/config"
	"sendoff/internal/local"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/temporalx"
	"sendoff/schema"
)

// The files of a local data directory.
const (
	KeyFileName    = "root.key"
	TokenFileName  = "admin-token"
	ServerFileName = "server.json"
	LogFileName    = "sendoff.log"
)

// databaseName is the database of a local stack.
const databaseName = "sendoff"

// Address tells the CLI where a local stack is; it lies in ServerFileName.
type Address struct {
	URL        string `json:"url"`
	TemporalUI string `json:"temporal_ui,omitempty"`
}

// UpConfig is what a local stack is started with.
type UpConfig struct {
	Config  config.Config
	Env     []string // as os.Environ; Temporal's own variables are read from it
	Log     *zap.Logger
	Version string
	// Progress is told slow steps, a line each.
	Progress func(string)
	// Fresh uses any free port instead of the configured one.
	Fresh bool
}

// Local is a stack in one process: database and Temporal as children unless the
// environment names others, server and worker as goroutines.
type Local struct {
	Address Address
	Token   string // of the first admin

	cfg      UpConfig
	engine   *Engine
	postgres *local.Postgres
	temporal *local.Temporal
	listener net.Listener
}

// StartLocal starts everything but server and worker and migrates the database.
// Run serves until its context ends; Close must follow.
func StartLocal(ctx context.Context, cfg UpConfig) (*Local, error) {
	cfg.Config.Version = cfg.Version
	l := &Local{cfg: cfg}
	if err := l.start(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Local) start(ctx context.Context) error {
	// Passable, so that Postgres as its own user reaches its cluster; each file in
	// it is readable by its owner alone.
	if err := os.MkdirAll(l.cfg.Config.DataDir, 0o711); err != nil {
		return fmt.Errorf("the data directory cannot be made: %w", err)
	}
	keys, err := l.keyring()
	if err != nil {
		return err
	}
	if err := l.startPostgres(ctx); err != nil {
		return err
	}
	temporal, err := l.startTemporal(ctx)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, l.ownerURL(), l.cfg.Progress); err != nil {
		return err
	}
	if l.engine, err = OpenEngine(ctx, l.cfg.Config, keys, temporal, l.cfg.Log); err != nil {
		return err
	}
	if l.Token, err = bootstrapToken(ctx, l.engine.store, l.path(TokenFileName)); err != nil {
		return err
	}
	if err := l.writeStack(); err != nil {
		return err
	}
	return l.listen()
}

func (l *Local) path(name string) string { return filepath.Join(l.cfg.Config.DataDir, name) }

func (l *Local) keyring() (*secret.Keyring, error) {
	if l.cfg.Config.KeyFile != "" {
		return secret.LoadKeyring(l.cfg.Config.KeyFile)
	}
	return secret.LoadOrCreateKeyring(l.path(KeyFileName))
}

func (l *Local) ownerURL() string {
	if l.cfg.Config.DatabaseOwnerURL != "" {
		return l.cfg.Config.DatabaseOwnerURL
	}
	return l.cfg.Config.DatabaseURL
}

func (l *Local) startPostgres(ctx context.Context) error {
	if l.cfg.Config.DatabaseURL != "" {
		return nil
	}
	var err error
	l.postgres, err = local.StartPostgres(ctx, local.PostgresConfig{DataDir: l.cfg.Config.DataDir, Durable: true, Progress: l.cfg.Progress})
	if err != nil {
		return err
	}
	l.cfg.Config.DatabaseURL, err = l.postgres.CreateDatabase(ctx, databaseName)
	return err
}

func (l *Local) startTemporal(ctx context.Context) (temporalx.Options, error) {
	o := temporalx.Options{Environment: environment(l.cfg.Env)}
	if address, ok := environment(l.cfg.Env).LookupEnv("TEMPORAL_ADDRESS"); ok && address != "" {
		return o, nil
	}
	var err error
	l.temporal, err = local.StartTemporal(ctx, local.TemporalConfig{
		DataDir:   l.cfg.Config.DataDir,
		Namespace: temporalx.DefaultNamespace, Progress: l.cfg.Progress,
	})
	if err != nil {
		return o, err
	}
	o.LocalAddress, o.Namespace = l.temporal.Address(), l.temporal.Namespace()
	return o, nil
}

// listen opens the API's port and writes the address file that the CLI reads.
func (l *Local) listen() error {
	address := l.cfg.Config.Listen
	if l.cfg.Fresh {
		address = "127.0.0.1:0"
	}
	var err error
	if l.listener, err = net.Listen("tcp", address); err != nil {
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "cannot listen on " + address + ": another program does",
			Fix: "end it, or choose another port with --listen 127.0.0.1:PORT",
		}
	}
	l.Address.URL = "http://" + l.listener.Addr().String()
	if l.temporal != nil {
		l.Address.TemporalUI = l.temporal.UIURL()
	}
	text, err := json.MarshalIndent(l.Address, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(l.path(ServerFileName), append(text, '\n'))
}

// Run serves and works until ctx ends, or until a part of the stack does.
func (l *Local) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.engine.RunServer(ctx, l.listener, l.cfg.Version) })
	g.Go(func() error { return l.engine.RunWorker(ctx) })
	g.Go(func() error { return l.watch(ctx) })
	return g.Wait()
}

// watch ends the stack when a child has ended: its state is safe, and a start
// goes on from it.
func (l *Local) watch(ctx context.Context) error {
	var postgres, temporal <-chan struct{}
	if l.postgres != nil {
		postgres = l.postgres.Done()
	}
	if l.temporal != nil {
		temporal = l.temporal.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case <-postgres:
		return errors.New("the local Postgres has ended, its log says why: " + l.postgres.Log())
	case <-temporal:
		return errors.New("the local Temporal server has ended, its log says why: " + l.temporal.Log())
	}
}

// closeFor bounds the end of the children.
const closeFor = 40 * time.Second

// Close ends what StartLocal started.
func (l *Local) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeFor)
	defer cancel()
	if l.listener != nil {
		_ = l.listener.Close() // closed already when Run served it
	}
	if l.engine != nil {
		l.engine.Close()
	}
	if l.temporal != nil {
		if err := l.temporal.Stop(ctx); err != nil {
			l.cfg.Log.Warn("Temporal did not stop in time", zap.Error(err))
		}
	}
	if l.postgres != nil {
		if err := l.postgres.Stop(ctx); err != nil {
			l.cfg.Log.Warn("Postgres did not stop in time", zap.Error(err))
		}
	}
}
