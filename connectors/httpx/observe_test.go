package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
)

// watcher keeps what it is told.
type watcher struct {
	mu    sync.Mutex
	calls []connectors.ObservedCall
	ends  []connectors.ObservedEnd
}

func (w *watcher) BeginCall(ctx context.Context, c connectors.ObservedCall) (context.Context, func(connectors.ObservedEnd)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
	return ctx, func(end connectors.ObservedEnd) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ends = append(w.ends, end)
	}
}

// Each request that is sent is told of once, with what became of it and no word
// of its path, query, headers or body.
func TestObserver(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			w.Header().Set("Box-Request-Id", "req-1")
			_, _ = w.Write([]byte(`{}`))
		case "/limited":
			w.Header().Set("Box-Request-Id", "ada@example.com") // not a plain word
			w.WriteHeader(http.StatusTooManyRequests)
		case "/expired":
			w.WriteHeader(http.StatusUnauthorized)
		case "/gone":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(srv.Close)
	for name, c := range map[string]struct {
		method, path string
		want         []connectors.ObservedEnd
	}{
		"accepted":     {http.MethodGet, "/ok", []connectors.ObservedEnd{{Status: 200, RequestID: "req-1"}}},
		"refused":      {http.MethodGet, "/limited", []connectors.ObservedEnd{{Kind: connectors.RateLimited, Status: 429}}},
		"unanswered":   {http.MethodPost, "/gone", []connectors.ObservedEnd{{Kind: connectors.Unavailable}}},
		"sent again":   {http.MethodGet, "/expired", []connectors.ObservedEnd{{Kind: connectors.Unauthorized, Status: 401}, {Kind: connectors.Unauthorized, Status: 401}}},
		"never so far": {http.MethodGet, "no path", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &watcher{}
			client, _ := newClient(t, srv.URL, func(o *httpx.Options) { o.Observer = w })
			_ = client.Do(t.Context(), httpx.Request{Op: "box.look", Method: c.method, Path: c.path}, nil) // only what is told matters
			require.Equal(t, c.want, w.ends)
			require.Len(t, w.calls, len(c.want))
			for _, call := range w.calls {
				require.Equal(t, connectors.ObservedCall{Connection: "conn", Op: "box.look", Method: c.method}, call)
			}
		})
	}
	t.Run("a request that is sent once", func(t *testing.T) {
		t.Parallel()
		w := &watcher{}
		client, _ := newClient(t, srv.URL, func(o *httpx.Options) { o.Observer = w })
		once, err := client.Prepare(t.Context(), httpx.Request{Op: "box.transfer", Method: http.MethodPut, Path: "/ok"})
		require.NoError(t, err)
		require.Empty(t, w.calls, "nothing was sent yet")
		require.Equal(t, http.StatusOK, once.Send(t.Context()).Status)
		once.Send(t.Context())
		require.Equal(t, []connectors.ObservedEnd{{Status: 200, RequestID: "req-1"}}, w.ends)
	})
}
