package app

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"sendoff/schema"
)

// serveHealth serves a worker's /healthz: 200 while the database answers.
func (e *Engine) serveHealth(ctx context.Context, address string) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "cannot listen on " + address, Fix: "choose another address with --health-listen"}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ask, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if e.store.Ping(ask) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := serve(ctx, s, l); err != nil {
			e.log.Warn("health page ended", zap.Error(err))
		}
	}()
	return func() { _ = s.Close() }, nil
}
