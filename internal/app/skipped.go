package app

import (
	"context"
	"net/http"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// What follows is an engine in parts, wired as the processes are: for tests that
// carry workflows out in skipped time, where no Temporal server can take part.

// Register registers every workflow and activity on one registry.
func (e *Engine) Register(r worker.Registry) {
	e.registerEngine(r)
	e.registerInventory(r)
}

// Handler is the API. Without a Temporal server it never says that it is ready.
func (e *Engine) Handler() http.Handler {
	ready := &readiness{store: e.store, keys: e.keys}
	ready.draining.Store(true)
	return e.api(ready, e.cfg.Version)
}

// Dispatch carries what is due in the outbox now to whoever stands for Temporal.
func (e *Engine) Dispatch(ctx context.Context, temporal client.Client) {
	e.dispatcher(temporal).finish(ctx)
}
