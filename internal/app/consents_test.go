package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/rate"
	"sendoff/connectors/simkit"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// apiBench is a consentBench with the API before it, which browsers reach too.
type apiBench struct {
	*consentBench
	api  *httptest.Server
	logs *observer.ObservedLogs
}

func newAPIBench(t *testing.T, cfg boxsim.Config) *apiBench {
	t.Helper()
	b := &apiBench{consentBench: newConsentBench(t, cfg)}
	core, logs := observer.New(zapcore.DebugLevel)
	b.logs = logs
	b.api = httptest.NewUnstartedServer(nil)
	b.api.Config.Handler = web.New(web.Config{
		Store: adminStore{b.db, b.admin}, Planner: webtest.Planner(nil), Checker: b.process(b.db), Log: zap.New(core),
		PublicURL: "http://" + b.api.Listener.Addr().String(),
	})
	b.api.Start()
	t.Cleanup(b.api.Close)
	return b
}

type reply struct {
	status int
	raw    string
	json   map[string]any
	header http.Header
}

func (b *apiBench) call(method, path string, body any) reply {
	b.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(b.t, err)
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.api.URL+path, bytes.NewReader(raw))
	require.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer sendoff_admin")
	req.Header.Set("Content-Type", "application/json")
	return b.send(req)
}

func (b *apiBench) send(req *http.Request) reply {
	b.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	r := reply{status: res.StatusCode, raw: string(raw), header: res.Header}
	_ = json.Unmarshal(raw, &r.json) // pages are no JSON
	return r
}

func (b *apiBench) visit(address string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	require.NoError(b.t, err)
	return b.send(req)
}

// begin begins a sign-in; extra replaces members of the request.
func (b *apiBench) begin(extra map[string]any) reply {
	b.t.Helper()
	body := map[string]any{
		"name": "box", "vendor": "box", "base_url": b.banner.BaseURL, "token_url": b.banner.TokenURL, "authorize_url": b.banner.AuthorizeURL,
		"client_id": b.banner.ClientID, "client_secret": b.banner.ClientSecret, "owner": "owner@example.com",
	}
	for name, value := range extra {
		body[name] = value
	}
	return b.call(http.MethodPost, "/v1/consents", body)
}

// decide does what a person does on the vendor's page, and returns where the
// vendor sends the browser.
func (b *apiBench) decide(begun reply, user, decision string) *url.URL {
	b.t.Helper()
	require.Equal(b.t, http.StatusCreated, begun.status, begun.raw)
	address := begun.json["authorize_url"].(string)
	page := b.visit(address)
	require.Equal(b.t, http.StatusOK, page.status, page.raw)
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"user": {user}, "decision": {decision}}.Encode()))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sent := b.send(req)
	require.Equal(b.t, http.StatusFound, sent.status, sent.raw)
	back, err := url.Parse(sent.header.Get("Location"))
	require.NoError(b.t, err)
	return back
}

func (b *apiBench) finish(back *url.URL) reply {
	b.t.Helper()
	q := back.Query()
	return b.call(http.MethodPost, "/v1/consents/finish", map[string]string{"state": q.Get("state"), "code": q.Get("code"), "error": q.Get("error")})
}

// connected signs in through the server's callback.
func (b *apiBench) connected() {
	b.t.Helper()
	page := b.visit(b.decide(b.begin(nil), b.banner.AdminID, "grant").String())
	require.Equal(b.t, http.StatusOK, page.status, page.raw)
	require.Contains(b.t, page.raw, "Connected")
}

func TestASignInAtTheServersCallback(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	begun := b.begin(nil)
	require.Equal(t, b.api.URL+"/oauth/callback", begun.json["redirect_url"])
	back := b.decide(begun, b.banner.AdminID, "grant")

	head, err := http.NewRequestWithContext(t.Context(), http.MethodHead, back.String(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusMethodNotAllowed, b.send(head).status, "a preview uses no state up")

	page := b.visit(back.String())
	require.Equal(t, http.StatusOK, page.status, page.raw)
	require.Contains(t, page.raw, "<h1>Connected</h1>")
	require.Contains(t, page.raw, b.banner.EnterpriseID)
	require.Equal(t, "no-store", page.header.Get("Cache-Control"))
	require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "no-referrer", page.header.Get("Referrer-Policy"))

	c := b.call(http.MethodGet, "/v1/connections/box", nil).json
	require.Equal(t, "authorization_code", c["auth_kind"])
	require.Equal(t, b.banner.EnterpriseID, c["enterprise_id"], "taken from the vendor")
	require.Equal(t, b.banner.AdminID, c["as_user"])
	require.Equal(t, "owner@example.com", c["owner"])
	test := b.call(http.MethodPost, "/v1/connections/box/test", nil)
	require.Equal(t, http.StatusOK, test.status, test.raw)

	again := b.visit(back.String())
	require.Equal(t, http.StatusConflict, again.status)
	require.Contains(t, again.raw, "a state is good once")
	for _, entry := range b.logs.All() {
		line, err := json.Marshal(entry.ContextMap())
		require.NoError(t, err)
		require.NotContains(t, string(line), back.Query().Get("state"))
		require.NotContains(t, string(line), back.Query().Get("code"))
	}
}

func TestSignInsThatDoNotSucceed(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	loopback := map[string]any{"redirect_url": redirect}
	none := func(why string) {
		t.Helper()
		require.Equal(t, http.StatusNotFound, b.call(http.MethodGet, "/v1/connections/box", nil).status, why)
	}
	refused := func(r reply, text string) {
		t.Helper()
		require.GreaterOrEqual(t, r.status, 400)
		require.Contains(t, r.raw, text)
		none(text)
	}

	denied := b.decide(b.begin(loopback), b.banner.AdminID, "deny")
	refused(b.finish(denied), "access was denied")
	refused(b.visit(b.decide(b.begin(nil), b.banner.AdminID, "deny").String()), "access was denied")

	// States that are unknown, used, or of a sign-in that ends elsewhere.
	granted := b.decide(b.begin(loopback), b.banner.AdminID, "grant")
	wrong := *granted
	wrong.RawQuery = url.Values{"state": {"guessed"}, "code": {granted.Query().Get("code")}}.Encode()
	refused(b.finish(&wrong), "no sign-in with this state")
	refused(b.visit(b.api.URL+"/oauth/callback?"+granted.RawQuery), "was to end elsewhere")
	refused(b.finish(granted), "good once")
	refused(b.finish(b.decide(b.begin(nil), b.banner.AdminID, "grant")), "was to end elsewhere")

	late := b.decide(b.begin(loopback), b.banner.AdminID, "grant")
	b.sql(`update consent set expires_at = now() where used_at is null`)
	refused(b.finish(late), "longer than ten minutes")

	// The consent of another enterprise is revoked again.
	other := b.decide(b.begin(map[string]any{"redirect_url": redirect, "enterprise_id": "1"}), b.banner.AdminID, "grant")
	r := b.finish(other)
	refused(r, "not to 1; the consent was revoked again")
	require.Equal(t, 1, b.ops("revoke"))

	// A code whose secret is wrong.
	r = b.finish(b.decide(b.begin(map[string]any{"redirect_url": redirect, "client_secret": "wrong"}), b.banner.AdminID, "grant"))
	refused(r, "client secret is wrong")

	for field, value := range map[string]string{
		"redirect_url": "https://evil.example.com/back", "authorize_url": "http://box.example.com/", "owner": "nobody", "vendor": "fox",
	} {
		r := b.begin(map[string]any{field: value})
		require.Equal(t, http.StatusUnprocessableEntity, r.status, field)
		require.Contains(t, r.raw, `"where":"`+field)
	}
	none("nothing was stored at any time")
}

func (b *apiBench) sql(statement string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(b.t.Context()) }()
	_, err = conn.Exec(b.t.Context(), statement)
	require.NoError(b.t, err)
}

func TestAConsentIsRenewedByTheSameUser(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	b.connected()
	rotate := b.call(http.MethodPost, "/v1/connections/box/rotate", map[string]string{"client_secret": "x"})
	require.Equal(t, http.StatusUnprocessableEntity, rotate.status)
	require.Contains(t, rotate.raw, "--browser --renew box")

	require.NoError(t, b.sim.ChangeApp(boxsim.AppChange{ClientID: b.banner.ClientID, Action: boxsim.AppRevoke}))
	renew := map[string]any{"renew": true, "redirect_url": redirect, "vendor": "", "base_url": "", "token_url": "", "client_id": "", "owner": ""}
	someone, err := b.sim.AddUser(boxsim.UserSpec{Name: "Someone", Login: "someone@example.com"})
	require.NoError(t, err)
	r := b.finish(b.decide(b.begin(renew), someone, "grant"))
	require.Equal(t, http.StatusUnprocessableEntity, r.status)
	require.Contains(t, r.raw, "the connection acts as "+b.banner.AdminID+"; the consent was revoked again")

	r = b.finish(b.decide(b.begin(renew), b.banner.AdminID, "grant"))
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	test := b.call(http.MethodPost, "/v1/connections/box/test", nil)
	require.Equal(t, http.StatusOK, test.status, test.raw)
}

// TestRemovalIsProvenByACallThatFails, for each kind of sign-in and for a
// connection that may only read.
func TestRemovalIsProvenByACallThatFails(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	credentials := func(extra map[string]any) {
		t.Helper()
		body := map[string]any{
			"name": "box", "vendor": "box", "base_url": b.banner.BaseURL, "token_url": b.banner.TokenURL,
			"client_id": b.banner.ClientID, "client_secret": b.banner.ClientSecret, "enterprise_id": b.banner.EnterpriseID,
		}
		for name, value := range extra {
			body[name] = value
		}
		r := b.call(http.MethodPost, "/v1/connections", body)
		require.Equal(t, http.StatusCreated, r.status, r.raw)
	}
	file, public := boxApp(t, b.banner, "kid-1")
	require.NoError(t, b.sim.AddAppKey("kid-1", public))
	for name, connect := range map[string]func(){
		"consent":            b.connected,
		"client credentials": func() { credentials(map[string]any{"as_user": b.banner.AdminID}) },
		"read only":          func() { credentials(map[string]any{"as_user": b.banner.AdminID, "read_only": true}) },
		"jwt": func() {
			credentials(map[string]any{"as_user": b.banner.AdminID, "config_file": file, "client_secret": "", "client_id": "", "enterprise_id": ""})
		},
	} {
		connect()
		before := len(b.sim.Requests())
		r := b.call(http.MethodDelete, "/v1/connections/box?reason=moved", nil)
		require.Equal(t, http.StatusOK, r.status, "%s: %s", name, r.raw)
		require.Equal(t, true, r.json["revocation"].(map[string]any)["revoked"], name)
		require.Equal(t, true, r.json["revocation"].(map[string]any)["proven"], name)
		calls := b.sim.Requests()[before:]
		last := calls[len(calls)-1]
		require.Equal(t, []any{"users.me", http.StatusUnauthorized}, []any{last.Op, last.Status}, name)
		require.Equal(t, http.StatusNotFound, b.call(http.MethodGet, "/v1/connections/box", nil).status)
		var kept int
		conn, err := pgx.Connect(t.Context(), b.url)
		require.NoError(t, err)
		require.NoError(t, conn.QueryRow(t.Context(), `select (select count(*) from connection where secret is not null) +
			(select count(*) from connection_grant where sealed is not null)`).Scan(&kept))
		require.NoError(t, conn.Close(t.Context()))
		require.Zero(t, kept, name)
	}
	b.connected() // again, under the same name
}

func TestARemovalThatCannotRevokeIsRefusedUnlessSaid(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	b.connected()
	require.NoError(t, b.sim.AddFaults(simkit.Fault{Op: "revoke", Attempt: 1, LastAttempt: 1000, Action: simkit.ActionStatus, Status: http.StatusServiceUnavailable}))
	r := b.call(http.MethodDelete, "/v1/connections/box", nil)
	require.Equal(t, http.StatusBadGateway, r.status, r.raw)
	require.Contains(t, r.raw, "--unrevoked")
	require.Contains(t, r.raw, "stored as before")
	require.Equal(t, http.StatusOK, b.call(http.MethodPost, "/v1/connections/box/test", nil).status, "it works as before")

	r = b.call(http.MethodDelete, "/v1/connections/box?unrevoked=true", nil)
	require.Equal(t, http.StatusOK, r.status, r.raw)
	revocation := r.json["revocation"].(map[string]any)
	require.Equal(t, false, revocation["revoked"])
	require.Equal(t, false, revocation["proven"])
	require.Contains(t, revocation["why"], "503")
}

// TestADisabledConnectionCallsNobody: whatever is asked of it, nothing leaves.
func TestADisabledConnectionCallsNobody(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, boxsim.Config{})
	b.connected()
	c, err := b.db.ConnectionByName(t.Context(), "box")
	require.NoError(t, err)
	o := newOpeners(openerConfig{Factories: b.process(b.db).cfg.Factories, Secrets: b.db, Grants: b.db, Guard: b.db, Limiter: rate.New(b.db, 960)})
	t.Cleanup(o.close)
	open, err := o.Open(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.call(http.MethodPost, "/v1/connections/box/disable", map[string]string{}).status)
	before := len(b.sim.Requests())
	for what, try := range map[string]func() error{
		"a connector that work under way holds": func() error { _, err := open.Check(t.Context()); return err },
		"one that is opened": func() error {
			stale, err := o.Open(t.Context(), c)
			if err == nil {
				_, err = stale.Check(t.Context())
			}
			return err
		},
		"opening one for the doctor": func() error { _, err := o.OpenProbe(t.Context(), c); return err },
		"the doctor":                 func() error { _, err := o.Diagnose(t.Context(), c, ""); return err },
	} {
		require.Error(t, try(), what)
	}
	for _, path := range []string{"/v1/connections/box/test", "/v1/connections/box/rotate"} {
		r := b.call(http.MethodPost, path, map[string]string{"client_secret": "x"})
		require.GreaterOrEqual(t, r.status, 400, path)
	}
	require.Equal(t, http.StatusConflict, b.begin(map[string]any{"renew": true}).status)
	require.Empty(t, b.sim.Requests()[before:])

	// Its removal is the one thing that asks the vendor.
	r := b.call(http.MethodDelete, "/v1/connections/box", nil)
	require.Equal(t, http.StatusOK, r.status, r.raw)
	require.Equal(t, true, r.json["revocation"].(map[string]any)["proven"])
}

// adminStore knows the token of one admin.
type adminStore struct {
	*store.Store
	admin schema.Principal
}

// Authenticate takes every token for the admin's.
func (s adminStore) Authenticate(context.Context, [32]byte) (schema.Principal, error) {
	return s.admin, nil
}
