package httpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

const secretToken = "s3cr3t-t0ken"

// tokens hands out secretToken-0, -1, ... a new one after each Drop.
type tokens struct {
	mu sync.Mutex
	n  int
}

func (t *tokens) Token(context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%s-%d", secretToken, t.n), nil
}

func (t *tokens) Drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == fmt.Sprintf("%s-%d", secretToken, t.n) {
		t.n++
	}
}

// order records limiter and guard calls in the order they come.
type order struct {
	mu    sync.Mutex
	calls []string
	deny  error
}

func (o *order) Wait(_ context.Context, c schema.ConnectionID, u schema.ExternalID, p connectors.Priority) error {
	o.add(fmt.Sprintf("wait %s/%s at %d", c, u, p))
	return nil
}

func (o *order) AllowWrite(_ context.Context, c schema.ConnectionID) error {
	o.add("guard " + string(c))
	return o.deny
}

func (o *order) add(s string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, s)
}

func (o *order) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.calls...)
}

var fixedNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newClient(t *testing.T, base string, change ...func(*httpx.Options)) (*httpx.Client, *order) {
	t.Helper()
	o := &order{}
	opts := httpx.Options{
		BaseURL: base, Connection: "conn", TokenUser: "7", Tokens: &tokens{},
		Limiter: o, Guard: o, Now: func() time.Time { return fixedNow },
	}
	for _, f := range change {
		f(&opts)
	}
	c, err := httpx.New(opts)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, o
}

// serve starts a server that records each request in short.
func serve(t *testing.T, h http.HandlerFunc) (string, *order) {
	t.Helper()
	seen := &order{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.add(r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization"))
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, seen
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func errorOf(t *testing.T, err error) *connectors.Error {
	t.Helper()
	var e *connectors.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestCallIsBuiltAndDecoded(t *testing.T) {
	t.Parallel()
	url1, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"status":"inactive"}` || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("As-User") != "9" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, `{"id":"5"}`)
	})
	c, o := newClient(t, url1+"/base/")
	var out struct{ ID string }
	ctx := connectors.WithPriority(t.Context(), connectors.PrioritySuspend)
	err := c.Do(ctx, httpx.Request{
		Op: "v.put", Method: http.MethodPut, Path: "/2.0/users/5", Query: url.Values{"fields": {"id,name"}},
		Header: http.Header{"As-User": {"9"}}, ActsAs: "9", Body: map[string]string{"status": "inactive"},
	}, &out)
	require.NoError(t, err)
	require.Equal(t, "5", out.ID)
	require.Equal(t, []string{"PUT /base/2.0/users/5?fields=id%2Cname Bearer " + secretToken + "-0"}, seen.list())
	require.Equal(t, []string{"wait conn/7 at 0", "wait conn/9 at 0", "guard conn"}, o.list())
}

func TestReadsDoNotAskTheGuard(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, status(200, `{}`))
	c, o := newClient(t, base, func(o *httpx.Options) { o.ReadOnly = true })
	require.NoError(t, c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x", ActsAs: "7"}, nil))
	require.Equal(t, []string{"wait conn/7 at 1"}, o.list(), "the token's own user is debited once")
}

func TestRefusedBeforeTheWire(t *testing.T) {
	t.Parallel()
	base, seen := serve(t, status(200, `{}`))
	write := httpx.Request{Op: "v.op", Method: http.MethodDelete, Path: "/users/5"}
	with := func(f func(*httpx.Request)) httpx.Request { r := write; f(&r); return r }
	readOnly := func(o *httpx.Options) { o.ReadOnly = true }
	for name, tc := range map[string]struct {
		req    httpx.Request
		change func(*httpx.Options)
		kind   connectors.Kind
	}{
		"query force":         {req: with(func(r *httpx.Request) { r.Query = url.Values{"force": {"true"}} }), kind: connectors.Blocked},
		"query Force=1":       {req: with(func(r *httpx.Request) { r.Query = url.Values{"Force": {"1"}} }), kind: connectors.Blocked},
		"query bare force":    {req: with(func(r *httpx.Request) { r.Query = url.Values{"force": {""}} }), kind: connectors.Blocked},
		"query second force":  {req: with(func(r *httpx.Request) { r.Query = url.Values{"force": {"false", "true"}} }), kind: connectors.Blocked},
		"body force":          {req: with(func(r *httpx.Request) { r.Body = map[string]any{"force": true} }), kind: connectors.Blocked},
		"nested body force":   {req: with(func(r *httpx.Request) { r.Body = []any{map[string]any{"a": map[string]any{"FORCE": "yes"}}} }), kind: connectors.Blocked},
		"force on a read":     {req: httpx.Request{Op: "v.op", Method: http.MethodGet, Path: "/x", Query: url.Values{"force": {"true"}}}, kind: connectors.Blocked},
		"read-only delete":    {req: write, change: readOnly, kind: connectors.Blocked},
		"read-only post":      {req: with(func(r *httpx.Request) { r.Method = http.MethodPost }), change: readOnly, kind: connectors.Blocked},
		"query in path":       {req: with(func(r *httpx.Request) { r.Path = "/users/5?force=true" }), kind: connectors.Invalid},
		"escaped query":       {req: with(func(r *httpx.Request) { r.Path = "/users/5%3Fforce=true" }), kind: connectors.Invalid},
		"climbing path":       {req: with(func(r *httpx.Request) { r.Path = "/users/../x" }), kind: connectors.Invalid},
		"escaped climb":       {req: with(func(r *httpx.Request) { r.Path = "/users/%2e%2e/x" }), kind: connectors.Invalid},
		"empty id in path":    {req: with(func(r *httpx.Request) { r.Path = "/users//folders/0" }), kind: connectors.Invalid},
		"odd method":          {req: with(func(r *httpx.Request) { r.Method = "TRACE" }), kind: connectors.Invalid},
		"body that is no doc": {req: with(func(r *httpx.Request) { r.Body = func() {} }), kind: connectors.Invalid},
	} {
		c, _ := newClient(t, base, append([]func(*httpx.Options){}, nonNil(tc.change)...)...)
		err := c.Do(t.Context(), tc.req, nil)
		require.Equal(t, tc.kind, connectors.KindOf(err), name)
		require.False(t, errorOf(t, err).Sent, name)
		_, err = c.Prepare(t.Context(), tc.req)
		require.Equal(t, tc.kind, connectors.KindOf(err), name)
	}
	require.Empty(t, seen.list(), "nothing may reach the vendor")

	c, _ := newClient(t, base)
	require.NoError(t, c.Do(t.Context(), with(func(r *httpx.Request) { r.Body = map[string]any{"force": false} }), nil))
}

func nonNil(f func(*httpx.Options)) []func(*httpx.Options) {
	if f == nil {
		return nil
	}
	return []func(*httpx.Options){f}
}

func TestGuardStopsTheWrite(t *testing.T) {
	t.Parallel()
	base, seen := serve(t, status(200, `{}`))
	c, o := newClient(t, base)
	o.deny = &schema.Error{Code: schema.CodePaused, Message: "the engine is paused"}
	err := c.Do(t.Context(), httpx.Request{Op: "v.del", Method: http.MethodDelete, Path: "/x"}, nil)
	require.Equal(t, connectors.Blocked, errorOf(t, err).Kind)
	require.Equal(t, schema.CodePaused, schema.CodeOf(err), "the cause can be read from the chain")
	require.Empty(t, seen.list())
}

func TestStatusBecomesKind(t *testing.T) {
	t.Parallel()
	for code, kind := range map[int]connectors.Kind{
		301: connectors.Malformed, 304: connectors.Malformed, 307: connectors.Malformed,
		400: connectors.Invalid, 401: connectors.Unauthorized, 403: connectors.Forbidden, 404: connectors.NotFound,
		405: connectors.Invalid, 408: connectors.Unavailable, 409: connectors.Conflict, 410: connectors.Invalid,
		412: connectors.Conflict, 422: connectors.Invalid, 423: connectors.Conflict, 429: connectors.RateLimited,
		500: connectors.Unavailable, 502: connectors.Unavailable, 503: connectors.Unavailable, 504: connectors.Unavailable,
		507: connectors.Invalid,
	} {
		base, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			if code != 304 {
				_, _ = io.WriteString(w, `{"message":"ann@example.com may not"}`)
			}
		})
		c, _ := newClient(t, base)
		err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x", Query: url.Values{"filter_term": {"ann@example.com"}}}, nil)
		e := errorOf(t, err)
		require.Equal(t, kind, e.Kind, code)
		require.Equal(t, code, e.Status)
		require.True(t, e.Sent)
		require.Len(t, seen.list(), 1, "no retry and no redirect for %d", code)
		require.NotContains(t, err.Error(), "ann@example.com")
		require.NotContains(t, err.Error(), secretToken)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "1.5": 1500 * time.Millisecond, "-3": 0, "NaN": 0, "soon": 0,
		"Inf": 24 * time.Hour, "1e300": 24 * time.Hour,
		fixedNow.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		fixedNow.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		c, _ := newClient(t, base)
		err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
		require.Equal(t, want, errorOf(t, err).RetryAfter, "Retry-After: %s", value)
	}
}

func TestNotReadyYet(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusAccepted)
	})
	c, _ := newClient(t, base)
	e := errorOf(t, c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil))
	require.Equal(t, connectors.Unavailable, e.Kind)
	require.Equal(t, 2*time.Second, e.RetryAfter)
}

func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	old := "Bearer " + secretToken + "-0"
	base, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == old {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	for _, req := range []httpx.Request{
		{Method: http.MethodGet}, {Method: http.MethodPut, Body: map[string]int{"a": 1}}, {Method: http.MethodDelete}, {Method: http.MethodPost, Idempotent: true},
	} {
		c, o := newClient(t, base)
		req.Op, req.Path = "v.op", "/x"
		var out map[string]int
		if req.Body == nil {
			require.NoError(t, c.Do(t.Context(), req, nil), req.Method)
		} else {
			require.NoError(t, c.Do(t.Context(), req, &out), req.Method)
			require.Equal(t, map[string]int{"a": 1}, out, "the body is sent again whole")
		}
		if req.Method != http.MethodGet {
			require.Equal(t, []string{"wait conn/7 at 1", "guard conn", "wait conn/7 at 1", "guard conn"}, o.list())
		}
	}
	require.Len(t, seen.list(), 8)

	c, _ := newClient(t, base)
	post := httpx.Request{Op: "v.op", Method: http.MethodPost, Path: "/x"}
	require.Equal(t, connectors.Unauthorized, errorOf(t, c.Do(t.Context(), post, nil)).Kind)
	require.Len(t, seen.list(), 9, "a POST is not repeated")
	require.NoError(t, c.Do(t.Context(), post, nil), "but its token was dropped")
}

func TestUnauthorizedIsNotALoop(t *testing.T) {
	t.Parallel()
	for body, requests := range map[string]int{"": 2, `{"code":"unauthorized"}`: 1} {
		base, seen := serve(t, status(http.StatusUnauthorized, body))
		c, _ := newClient(t, base)
		err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
		require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
		require.Len(t, seen.list(), requests, "body %q", body)
	}
}

func TestAnswersThatBreakTheContract(t *testing.T) {
	t.Parallel()
	type doc struct {
		ID   string `json:"id"`
		Size int64  `json:"size"`
	}
	for name, tc := range map[string]struct {
		h    http.HandlerFunc
		kind connectors.Kind
	}{
		"empty":        {status(200, ""), connectors.Malformed},
		"no content":   {status(204, ""), connectors.Malformed},
		"html":         {status(200, "<html>ann@example.com</html>"), connectors.Malformed},
		"wrong type":   {status(200, `{"id":"1","size":"ann@example.com"}`), connectors.Malformed},
		"half a doc":   {status(200, `{"id":"1","si`), connectors.Malformed},
		"two docs":     {status(200, `{"id":"1"}{"id":"2"}`), connectors.Malformed},
		"over the cap": {status(200, `{"id":"`+strings.Repeat("x", httpx.MaxBodyBytes)+`"}`), connectors.Malformed},
		"cut under way": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"id":"1"`)
		}, connectors.Unavailable},
		"dropped": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, connectors.Unavailable},
	} {
		base, _ := serve(t, tc.h)
		c, _ := newClient(t, base)
		var out doc
		err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, &out)
		require.Equal(t, tc.kind, connectors.KindOf(err), name)
		require.NotContains(t, err.Error(), "ann@example.com", name)
	}
}

func TestErrorBodiesAreCapped(t *testing.T) {
	t.Parallel()
	var got int
	base, _ := serve(t, status(500, strings.Repeat("x", httpx.MaxErrorBytes*2)))
	c, _ := newClient(t, base, func(o *httpx.Options) {
		o.Explain = func(e *connectors.Error, _ http.Header, body []byte) { got, e.Code = len(body), "told" }
	})
	err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
	require.Equal(t, "told", errorOf(t, err).Code)
	require.Equal(t, httpx.MaxErrorBytes, got)
}

func TestTimeoutAndCancel(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c, _ := newClient(t, base)
	err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x", Timeout: 20 * time.Millisecond}, nil)
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)
	require.True(t, errorOf(t, err).Sent)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = c.Do(ctx, httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errorOf(t, err).Sent)
}

func TestDeadHost(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	c, _ := newClient(t, srv.URL)
	e := errorOf(t, c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil))
	require.Equal(t, connectors.Unavailable, e.Kind)
	require.False(t, e.Sent)
	require.Contains(t, e.Error(), "refuses connections")
}

func TestLimiterFailureIsNotACall(t *testing.T) {
	t.Parallel()
	base, seen := serve(t, status(200, `{}`))
	c, _ := newClient(t, base, func(o *httpx.Options) { o.Limiter = brokenLimiter{} })
	err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)
	require.Empty(t, seen.list())
}

type brokenLimiter struct{}

func (brokenLimiter) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return errors.New("down")
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"https://api.example.com": true, "https://api.example.com/base/": true, "http://127.0.0.1:8080": true,
		"http://localhost:1": true, "http://[::1]:1": true,
		"http://api.example.com": false, "http://localhost.example.com": false, "http://10.0.0.1": false,
		"https://u:p4ss@example.com": false, "https://example.com?x=1": false, "https://example.com#f": false,
		"ftp://localhost": false, "": false, "example.com": false, "https://": false, "https://:443": false, "://p4ss": false,
	} {
		_, err := httpx.ParseURL(raw)
		require.Equal(t, ok, err == nil, raw)
		if err != nil {
			require.NotContains(t, err.Error(), "p4ss")
		}
	}
}

func TestErrorsAreJSONSafe(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, status(403, `{"message":"ann@example.com"}`))
	c, _ := newClient(t, base)
	err := c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, nil)
	b, jsonErr := json.Marshal(errorOf(t, err))
	require.NoError(t, jsonErr)
	require.NotContains(t, string(b), "ann@example.com")
}

// noToken is a token host that was asked and did not answer.
type noToken struct{ tokens }

func (*noToken) Token(context.Context) (string, error) {
	return "", &connectors.Error{Kind: connectors.Unavailable, Op: "v.token", Sent: true}
}

func TestWithoutATokenTheCallWasNotSent(t *testing.T) {
	t.Parallel()
	base, seen := serve(t, func(http.ResponseWriter, *http.Request) {})
	c, _ := newClient(t, base, func(o *httpx.Options) { o.Tokens = &noToken{} })
	e := errorOf(t, c.Do(t.Context(), httpx.Request{Op: "v.delete", Method: http.MethodDelete, Path: "/x"}, nil))
	require.False(t, e.Sent, "whatever became of the token request")
	require.Empty(t, seen.list())
}
