package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"sendoff/activities"
	"sendoff/internal/audit"
	"sendoff/internal/policy"
	"sendoff/internal/scim"
	"sendoff/internal/web"
)

// shutdownFor is how long a stopping server lets requests end, less than the
// 30 s that containers are given.
const shutdownFor = 25 * time.Second

// RunServer serves the API on the listener, dispatches the outbox and seals the
// audit log, until ctx ends. A stop lets requests end first and dispatches what they
// wrote.
func (e *Engine) RunServer(ctx context.Context, l net.Listener, version string) error {
	return e.runServer(ctx, l, nil, version)
}

// runServer is RunServer with a listener for the process's own pages, or nil.
func (e *Engine) runServer(ctx context.Context, l, pages net.Listener, version string) error {
	temporal, err := e.dial(ctx, "server")
	if err != nil {
		return fmt.Errorf("cannot reach Temporal: %w", err)
	}
	defer temporal.Close()
	if err := e.telemetry.WatchGauges(e.gauges); err != nil {
		return err
	}
	sealer, err := audit.NewSealer(audit.SealerConfig{Store: e.store, Signer: e.signer, OnError: func(err error) {
		e.log.Warn("audit log could not be sealed, trying again", zap.Error(err))
	}})
	if err != nil {
		return err
	}
	ready := &readiness{store: e.store, keys: e.keys, temporal: temporal}
	defer e.servePages(pages, ready)()
	d := e.dispatcher(temporal)

	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(working)
	looking, quit := context.WithCancel(failed)
	defer quit()
	var dispatching sync.WaitGroup
	for range dispatchers {
		dispatching.Add(1)
		g.Go(func() error {
			defer dispatching.Done()
			return d.run(failed, looking)
		})
	}
	g.Go(func() error { return ignoreDone(failed, sealer.Run(failed)) })
	g.Go(func() error { return runDue(failed, e.store, !e.cfg.NoSchedules, e.log.Named("runs")) })
	g.Go(func() error { return applyEvents(failed, e.store, policy.JudgeLeaver, e.log.Named("hr")) })
	g.Go(func() error {
		return keepFeeds(failed, e.store, policy.JudgeLeaver, !e.cfg.NoSchedules, e.log.Named("hr"))
	})
	if !e.cfg.NoSchedules {
		every := max(changesEvery/time.Duration(max(e.cfg.TimeScale, 1)), time.Second)
		g.Go(func() error { return keepReviews(failed, e.store, every, e.log.Named("reviews")) })
	}
	g.Go(func() error {
		defer stop() // the rest ends after the last request
		serving, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(failed, end)()
		defer context.AfterFunc(serving, func() { ready.draining.Store(true) })()
		err := e.serve(serving, web.NewServer(e.api(ready, version)), l)
		quit()
		awaitWithin(finishFor, dispatching.Wait) // cut off on its way, a row would be another server's
		d.finish(failed)
		return err
	})
	e.log.Info("server is up", zap.String("listen", l.Addr().String()))
	err = g.Wait()
	e.log.Info("server has stopped")
	return err
}

// api builds the handler of the API.
func (e *Engine) api(ready *readiness, version string) http.Handler {
	return web.New(web.Config{
		Store: decorated[web.Store](e.store, e.ports.API), Planner: e.planner, Checker: e.openers,
		Log: e.log.Named("web"), Version: version, Now: e.ports.Now, PublicURL: e.cfg.PublicURL, Observer: e.telemetry, Events: e.telemetry,
		Probes: web.Probes{Ready: ready.check, Metrics: e.telemetry.Handler()},
		HR:     e.store, Policies: e.store, Asks: e.store, Judge: activities.NewPolicyJudge(e.reviewsConfig()),
		AccessReviews: e.store, Campaigns: e.store,
		SCIM: scim.New(scim.Config{Store: e.store, Log: e.log.Named("scim"), PublicURL: e.cfg.PublicURL}),
	})
}

func (e *Engine) dispatcher(temporal client.Client) *dispatcher {
	rows := decorated[Outbox](e.store, e.ports.Outbox)
	if e.telemetry.Tracing() {
		rows = tracedOutbox{Outbox: rows, tracer: e.telemetry.Tracer()}
	}
	return &dispatcher{rows: rows, temporal: temporal, policies: e.policyTeller(temporal), campaigns: e.campaignTeller(temporal), log: e.log.Named("dispatch")}
}

// finishFor bounds the dispatch of what the last requests wrote.
const finishFor = 5 * time.Second

// awaitWithin waits for what wait waits for, but no longer than that.
func awaitWithin(d time.Duration, wait func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wait()
	}()
	select {
	case <-ended:
	case <-time.After(d):
	}
}

// finish dispatches what is due now. What it does not get to, the next server does.
func (d *dispatcher) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishFor)
	defer cancel()
	for {
		if n, err := d.rows.ClaimOutbox(ctx, dispatchBatch, d.dispatch); n == 0 || err != nil {
			return
		}
	}
}

// serve serves until ctx ends and then lets requests end.
func (e *Engine) serve(ctx context.Context, s *http.Server, l net.Listener) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownFor)
		defer cancel()
		if s.Shutdown(end) != nil {
			e.log.Warn("requests did not end in time and are cut off", zap.Duration("waited", shutdownFor))
			_ = s.Close() // their callers see it
		}
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

// ignoreDone drops the error of something that ended because ctx did.
func ignoreDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
