package apiclient_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
)

func TestNewRefusesToShowTheToken(t *testing.T) {
	t.Parallel()
	for base, says := range map[string]string{
		"http://sendoff.example.com": "https", "": "SENDOFF_URL", "sendoff.example.com": "SENDOFF_URL", "ftp://x": "SENDOFF_URL",
	} {
		_, err := apiclient.New(base, "t")
		var e *apiclient.Error
		require.ErrorAs(t, err, &e, base)
		require.Equal(t, apiclient.CodeUsage, e.Code)
		require.Contains(t, e.Fix, says)
	}
	for _, base := range []string{"http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:1", "https://sendoff.example.com"} {
		_, err := apiclient.New(base, "t")
		require.NoError(t, err, base)
	}
	_, err := apiclient.New("https://sendoff.example.com", "")
	require.ErrorContains(t, err, "no token")
}

func TestAnswersThatAreNoSendoff(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"html":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"bad 404": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/", http.StatusFound)
		},
	} {
		srv := httptest.NewServer(h)
		c, err := apiclient.New(srv.URL, "t")
		require.NoError(t, err)
		_, err = c.Case(t.Context(), "x")
		require.Equal(t, apiclient.CodeUnreachable, apiclient.CodeOf(err), name)
		srv.Close()
		_, err = c.Case(t.Context(), "canary@example.com")
		require.Equal(t, apiclient.CodeUnreachable, apiclient.CodeOf(err))
		require.NotContains(t, err.Error(), "canary")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = c.Case(ctx, "x")
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestProblemsAreDecoded(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/v1/cases/a%2Fb@example.com", r.URL.EscapedPath())
		require.Equal(t, "Bearer tok", r.Header.Get("Authorization"))
		w.Header().Set("X-Request-Id", "r1")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"detail":"m","code":"conflict","fix":"f","problems":[{"where":"w","code":"c","message":"pm","fix":"pf"}]}`))
	}))
	defer srv.Close()
	c, err := apiclient.New(srv.URL+"/", "tok")
	require.NoError(t, err)
	_, err = c.Case(t.Context(), "a/b@example.com")
	require.Equal(t, &apiclient.Error{
		Code: "conflict", Message: "m", Fix: "f", Status: 409, RequestID: "r1",
		Problems: []apiclient.Problem{{Where: "w", Code: "c", Message: "pm", Fix: "pf"}},
	}, err)
}
