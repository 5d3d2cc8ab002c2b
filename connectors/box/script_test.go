package box_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const (
	clientSecret = "cl13nt-s3cr3t"
	accessToken  = "acc3ss-t0ken"
	leaver       = "ann@example.com"
	userQuery    = "fields=id%2Cname%2Clogin%2Crole%2Cstatus%2Cspace_used%2Cspace_amount%2Centerprise%2Cis_platform_access_only%2Ccreated_at%2Ctracking_codes"
)

// exchange is one expected request and its answer.
type exchange struct {
	want   string // method and request URI
	asUser string
	body   string // expected request body
	status int    // 0 = 200
	header map[string]string
	answer string
	do     http.HandlerFunc // instead of status and answer
}

// script is a Box that expects exactly these requests in this order.
type script struct {
	t    *testing.T
	url  string
	mu   sync.Mutex
	todo []exchange
	seen []*http.Request // bodies replaced by what was read
	tok  int             // token requests
}

func newScript(t *testing.T, todo ...exchange) *script {
	t.Helper()
	s := &script{t: t, todo: todo}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, x := range s.todo {
			t.Errorf("never asked: %s", x.want)
		}
	})
	s.url = srv.URL
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/token" {
		s.mu.Lock()
		s.tok++
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+accessToken+`","token_type":"bearer","expires_in":4123,"restricted_to":[]}`)
		return
	}
	body, _ := io.ReadAll(r.Body)
	x, ok := s.next(r)
	got := r.Method + " " + r.URL.RequestURI()
	if !ok || x.want != got || x.asUser != r.Header.Get("As-User") || x.body != string(body) || r.Header.Get("Authorization") != "Bearer "+accessToken {
		s.t.Errorf("unexpected request %s as %q with %s; wanted %s as %q with %s", got, r.Header.Get("As-User"), body, x.want, x.asUser, x.body)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if x.do != nil {
		x.do(w, r)
		return
	}
	for name, value := range x.header {
		w.Header().Set(name, value)
	}
	if x.status != 0 {
		w.WriteHeader(x.status)
	}
	_, _ = io.WriteString(w, x.answer)
}

func (s *script) next(r *http.Request) (exchange, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r)
	if len(s.todo) == 0 {
		return exchange{}, false
	}
	x := s.todo[0]
	s.todo = s.todo[1:]
	return x, true
}

func (s *script) count() (requests, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen), s.tok
}

// gatekeeper is limiter and guard; deny stops writes.
type gatekeeper struct {
	mu    sync.Mutex
	waits []schema.ExternalID
	asks  int
	deny  error
}

func (g *gatekeeper) Wait(_ context.Context, _ schema.ConnectionID, u schema.ExternalID, _ connectors.Priority) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = append(g.waits, u)
	return nil
}

func (g *gatekeeper) AllowWrite(context.Context, schema.ConnectionID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asks++
	return g.deny
}

func config(base string) connectors.Config {
	g := &gatekeeper{}
	return connectors.Config{
		Connection: schema.Connection{
			ID: "conn", Vendor: "box", BaseURL: base, TokenURL: base + "/oauth2/token", ClientID: "app", EnterpriseID: "11",
		},
		Secret: clientSecret, Limiter: g, Guard: g, Now: time.Now,
	}
}

func open(t *testing.T, base string, change ...func(*connectors.Config)) *box.Connector {
	t.Helper()
	cfg := config(base)
	for _, f := range change {
		f(&cfg)
	}
	c, err := box.Factory{}.Open(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	b, ok := c.(*box.Connector)
	require.True(t, ok)
	return b
}

func errorOf(t *testing.T, err error) *connectors.Error {
	t.Helper()
	var e *connectors.Error
	require.ErrorAs(t, err, &e)
	require.NotContains(t, err.Error(), leaver)
	require.NotContains(t, err.Error(), accessToken)
	require.NotContains(t, err.Error(), clientSecret)
	return e
}

// refusal is Box's error envelope; its message names a person, which must not
// come through.
func refusal(status, code, message string) string {
	return `{"type":"error","status":` + status + `,"code":"` + code + `","help_url":"http://developers.box.com/docs/#errors","message":"` +
		message + ` (` + leaver + `)","request_id":"req-1"}`
}
