package web

import (
	"context"
	"net/http"
	"slices"
)

// Probes are the pages for those who watch a process.
type Probes struct {
	// Ready tells whether the process can do its work now; its schema.Error names
	// what is missing. nil = always.
	Ready func(ctx context.Context) error
	// Metrics are the numbers in Prometheus's form; nil = none.
	Metrics http.Handler
}

// Handler serves /healthz, /readyz and /metrics without asking who is there: for
// a listener of its own that only the machine or its monitoring reaches.
func (p Probes) Handler() http.Handler {
	mux := http.NewServeMux()
	p.register(mux)
	if p.Metrics != nil {
		mux.Handle("GET /metrics", p.Metrics)
	}
	return harden(mux)
}

// register adds what anybody may know: healthz says that the process answers,
// readyz that it can work.
func (p Probes) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if p.Ready != nil {
			if err := p.Ready(r.Context()); err != nil {
				exchangeOf(r.Context()).err = err
				writeProblem(w, err)
				return
			}
		}
		_, _ = w.Write([]byte("ok\n"))
	})
}

// serveMetrics serves the numbers to whoever may read cases: how many plans there
// are in which state is nobody else's business.
func (s *server) serveMetrics(mux *http.ServeMux, metrics http.Handler) {
	if metrics == nil {
		return
	}
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if role := exchangeOf(r.Context()).principal.Role; !slices.Contains(readers(), role) {
			writeProblem(w, errForbidden(role, readers()))
			return
		}
		metrics.ServeHTTP(w, r)
	})
}
