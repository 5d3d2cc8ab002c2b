package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"go.temporal.io/sdk/interceptor"

	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// Environment of a child: what it is, and where it reports the points it passes.
const (
	envChild = "CHAOS_CHILD"
	envHooks = "CHAOS_HOOKS"
)

// runChild is main of a child process: the server or a worker of the product,
// over ports that report where they are. It ends by being killed.
func runChild(kind string) int {
	if err := child(context.Background(), kind); err != nil {
		fmt.Fprintln(os.Stderr, kind, "ended:", err)
		return 1
	}
	return 0
}

func child(ctx context.Context, kind string) error {
	cfg, err := config.Load(config.Sources{Env: os.LookupEnv})
	if err != nil {
		return err
	}
	log, err := app.NewLogger(cfg.LogLevel, "stderr")
	if err != nil {
		return err
	}
	keys, err := secret.LoadKeyring(cfg.KeyFile)
	if err != nil {
		return err
	}
	h := childHooks(kind, os.Getenv(envHooks))
	e, err := app.OpenEngine(ctx, cfg, keys, temporalx.Options{}, log, app.Ports{
		Store: h.store, Connectors: h.connectors, API: h.api, Outbox: h.outbox,
		Interceptors: []interceptor.WorkerInterceptor{&impatient{}},
	})
	if err != nil {
		return err
	}
	defer e.Close()
	if kind == killWorker {
		return e.RunWorker(ctx)
	}
	l, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	return e.RunServer(ctx, l, "chaos")
}

// listen waits for the port of the server before us, which was killed.
func listen(ctx context.Context, address string) (net.Listener, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := net.Listen("tcp", address)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
