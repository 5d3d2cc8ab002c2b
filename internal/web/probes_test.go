package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// numbers stand for the process's metrics.
var numbers = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("sendoff_build_info 1\n")) })

func TestProbes(t *testing.T) {
	t.Parallel()
	var missing error
	h := web.Probes{Ready: func(context.Context) error { return missing }, Metrics: numbers}.Handler()
	ask := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return rec
	}
	require.Equal(t, http.StatusOK, ask("/readyz").Code)
	require.Contains(t, ask("/metrics").Body.String(), "sendoff_build_info")
	missing = &schema.Error{
		Code: schema.CodeUnavailable, Message: "this process is not ready",
		Problems: []schema.Problem{{Where: "temporal", Message: "does not answer", Fix: "start it"}},
	}
	require.Equal(t, http.StatusServiceUnavailable, ask("/readyz").Code)
	require.Contains(t, ask("/readyz").Body.String(), `"where":"temporal"`)
	require.Equal(t, http.StatusOK, ask("/healthz").Code, "it lives all the same")
	require.Equal(t, http.StatusNotFound, ask("/v1/cases").Code)
	require.Equal(t, http.StatusOK, askProbe(web.Probes{}.Handler(), "/readyz"))
	require.Equal(t, http.StatusNotFound, askProbe(web.Probes{}.Handler(), "/metrics"))
}

func askProbe(h http.Handler, path string) int {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return rec.Code
}

// On the API's port the numbers are for those who may read cases.
func TestMetricsNeedAReader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	srv := httptest.NewServer(web.New(web.Config{
		Store: b.store, Planner: webtest.Planner(nil), Checker: webtest.Checker(nil), Probes: web.Probes{Metrics: numbers},
	}))
	t.Cleanup(srv.Close)
	b.srv = srv
	require.Equal(t, http.StatusUnauthorized, b.do("", http.MethodGet, "/metrics", "").status)
	require.Equal(t, http.StatusForbidden, b.do("reviewer", http.MethodGet, "/metrics", "").status)
	for _, role := range []string{"admin", "operator", "auditor"} {
		a := b.do(role, http.MethodGet, "/metrics", "")
		require.Equal(t, http.StatusOK, a.status, role)
		require.Contains(t, a.raw, "sendoff_build_info")
	}
}
