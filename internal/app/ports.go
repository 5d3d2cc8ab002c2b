package app

import (
	"time"

	"go.temporal.io/sdk/interceptor"

	"sendoff/activities"
	"sendoff/internal/web"
)

// Ports lets somebody stand between the engine and what it reaches, to watch or
// to hold each call. The product passes none; tests that kill processes at a
// named point do. A nil field leaves its port as it is.
type Ports struct {
	Store      func(activities.Store) activities.Store           // what activities and planner keep state in
	Connectors func(activities.Connectors) activities.Connectors // what they reach vendors through
	API        func(web.Store) web.Store                         // what the API keeps state in
	Outbox     func(Outbox) Outbox                               // what the dispatcher reads
	// Interceptors of the workers stand around the engine's own.
	Interceptors []interceptor.WorkerInterceptor
	// Now is the clock of activities, planner, connectors and API; nil = the machine's.
	Now func() time.Time
}

func (p Ports) clock() func() time.Time {
	if p.Now == nil {
		return time.Now
	}
	return p.Now
}

// Outbox is what the dispatcher needs of the store.
type Outbox interface{ outbox }

// decorated is the port with what stands before it.
func decorated[P any](port P, before func(P) P) P {
	if before == nil {
		return port
	}
	return before(port)
}
