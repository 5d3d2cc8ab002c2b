package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

const (
	// readyFor is how long an answer is given again: whoever may ask must not be
	// able to keep database and Temporal busy with it.
	readyFor      = time.Second
	readyPatience = 2 * time.Second
)

// readiness tells whether a process can do its work now.
type readiness struct {
	store    *store.Store
	keys     *secret.Keyring
	temporal client.Client
	draining atomic.Bool
	polling  *atomic.Bool // whether the workers poll; nil = the process has none

	mu   sync.Mutex
	at   time.Time
	last error
}

// check returns nil, or a schema.Error that names each part that is missing.
func (r *readiness) check(ctx context.Context) error {
	if r.draining.Load() {
		return unready(schema.Problem{Where: "process", Message: "is stopping and takes no new work", Fix: "send the work to another process"})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) >= readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyPatience)
		defer cancel()
		r.last, r.at = r.ask(ctx), time.Now()
	}
	return r.last
}

func (r *readiness) ask(ctx context.Context) error {
	var problems []schema.Problem
	if err := r.store.Ready(ctx, r.keys); err != nil {
		problems = append(problems, problemWith("postgres", err, "see the log of the process and Postgres"))
	}
	if _, err := r.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		problems = append(problems, schema.Problem{Where: "temporal", Message: "does not answer", Fix: "see the log of the process and Temporal's"})
	}
	if r.polling != nil && !r.polling.Load() {
		problems = append(problems, schema.Problem{Where: "worker", Message: "does not poll its task queues", Fix: "see the log of the process"})
	}
	return unready(problems...)
}

// problemWith says what our own errors say, and of others only that something
// failed: their text may quote anything.
func problemWith(where string, err error, fix string) schema.Problem {
	p := schema.Problem{Where: where, Message: "cannot be used", Fix: fix}
	var known *schema.Error
	if errors.As(err, &known) {
		p.Message = known.Message
		if known.Fix != "" {
			p.Fix = known.Fix
		}
	}
	return p
}

func unready(problems ...schema.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeUnavailable, Message: "this process is not ready", Problems: problems}
}

// listenPages opens the port of a process's own pages. A default that another
// process has taken is done without; one that was asked for is not.
func listenPages(asked, otherwise string, log *zap.Logger) (net.Listener, error) {
	if asked == "off" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	address := asked
	if address == "" {
		address = otherwise
	}
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		log.Info("health and metrics are served", zap.String("health_listen", l.Addr().String()))
		return l, nil
	case asked == "":
		log.Warn("health and metrics have no port of their own: another program listens there, choose one with --health-listen",
			zap.String("health_listen", address))
		return nil, nil //nolint:nilnil // as above
	}
	return nil, &schema.Error{Code: schema.CodeInvalid, Message: "cannot listen on " + address, Fix: "choose another address with --health-listen"}
}

// servePages serves /healthz, /readyz and /metrics until stop is called, also
// while the process drains. A nil listener serves nothing.
func (e *Engine) servePages(l net.Listener, r *readiness) (stop func()) {
	if l == nil {
		return func() {}
	}
	s := web.NewServer(web.Probes{Ready: r.check, Metrics: e.telemetry.Handler()}.Handler())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			e.log.Warn("the pages for health and metrics ended", zap.Error(err))
		}
	}()
	return func() { _ = s.Close(); <-ended }
}
