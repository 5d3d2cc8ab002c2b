package conformance

import (
	"context"
	"errors"
	"slices"
	"sync"

	"sendoff/connectors"
	"sendoff/schema"
)

// What happens before and on the wire.
const (
	eventWait    = "wait"
	eventGuard   = "guard"
	eventRequest = "request"
)

// event is one thing that a call did, in order.
type event struct {
	what     string
	user     schema.ExternalID // of a wait
	conn     schema.ConnectionID
	priority connectors.Priority
	writes   bool // of a request
}

var (
	errPaused = errors.New("the engine is paused")
	errNoRate = errors.New("no rate is left")
)

// gate is the suite's limiter and guard.
type gate struct {
	mu     sync.Mutex
	events []event
	paused bool
	dry    bool
}

// Wait implements connectors.Limiter.
func (g *gate) Wait(_ context.Context, conn schema.ConnectionID, user schema.ExternalID, p connectors.Priority) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, event{what: eventWait, user: user, conn: conn, priority: p})
	if g.dry {
		return errNoRate
	}
	return nil
}

// AllowWrite implements connectors.Guard.
func (g *gate) AllowWrite(_ context.Context, conn schema.ConnectionID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, event{what: eventGuard, conn: conn})
	if g.paused {
		return errPaused
	}
	return nil
}

func (g *gate) note(e event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, e)
}

// reset forgets what happened.
func (g *gate) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = nil
}

func (g *gate) pause(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = yes
}

func (g *gate) runDry(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dry = yes
}

func (g *gate) happened() []event {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.events)
}
