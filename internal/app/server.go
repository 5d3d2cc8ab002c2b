package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"sendoff/internal/audit"
	"sendoff/internal/web"
)

// shutdownFor is how long a stopping server lets requests end.
const shutdownFor = 10 * time.Second

// RunServer serves the API on the listener, dispatches the outbox and seals the
// audit log, until ctx ends.
func (e *Engine) RunServer(ctx context.Context, l net.Listener, version string) error {
	temporal, err := e.dial(ctx, "server")
	if err != nil {
		return fmt.Errorf("cannot reach Temporal: %w", err)
	}
	defer temporal.Close()
	sealer, err := audit.NewSealer(audit.SealerConfig{Store: e.store, Signer: e.signer, OnError: func(err error) {
		e.log.Warn("audit log could not be sealed, trying again", zap.Error(err))
	}})
	if err != nil {
		return err
	}
	handler := web.New(web.Config{Store: decorated[web.Store](e.store, e.ports.API), Planner: e.planner, Checker: e.openers, Log: e.log.Named("web"), Version: version})
	d := &dispatcher{rows: decorated[Outbox](e.store, e.ports.Outbox), temporal: temporal, log: e.log.Named("dispatch")}

	g, ctx := errgroup.WithContext(ctx)
	for range dispatchers {
		g.Go(func() error { return d.run(ctx) })
	}
	g.Go(func() error { return ignoreDone(ctx, sealer.Run(ctx)) })
	g.Go(func() error { return serve(ctx, web.NewServer(handler), l) })
	e.log.Info("server is up", zap.String("listen", l.Addr().String()))
	return g.Wait()
}

// serve serves until ctx ends and then lets requests end.
func serve(ctx context.Context, s *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownFor)
		defer cancel()
		stopped <- s.Shutdown(end)
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// ignoreDone drops the error of something that ended because ctx did.
func ignoreDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
