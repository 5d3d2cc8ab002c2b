package box_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const (
	transferURI  = "PUT /2.0/users/5/folders/0?notify=false"
	transferBody = `{"owned_by":{"id":"6"}}`
)

func send(t *testing.T, ctx context.Context, c *box.Connector) schema.TransferOutcome {
	t.Helper()
	p, err := c.PrepareTransfer(t.Context(), "5", "6")
	require.NoError(t, err)
	o := p.Send(ctx)
	require.WithinDuration(t, time.Now(), o.EndedAt, time.Minute)
	require.NotContains(t, o.Reason, leaver)
	require.NotContains(t, o.Reason, accessToken)
	return o
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestTransferOutcomes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		exchange
		class  schema.OutcomeClass
		cause  schema.RefusalCause
		code   string
		reason string // part of it
		after  time.Duration
		folder schema.ExternalID
	}{
		"accepted":        {exchange: exchange{answer: `{"type":"folder","id":"900","owned_by":{"id":"6"}}`}, class: schema.OutcomeAccepted, folder: "900"},
		"accepted by 202": {exchange: exchange{status: 202}, class: schema.OutcomeAccepted},
		"accepted, cut": {exchange: exchange{do: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"type":"fol`)
		}}, class: schema.OutcomeAccepted},
		"accepted, odd body": {exchange: exchange{answer: `<html>`}, class: schema.OutcomeAccepted},
		"rate limited":       {exchange: exchange{status: 429, header: map[string]string{"Retry-After": "3"}, answer: refusal("429", "rate_limit_exceeded", "x")}, class: schema.OutcomeRateLimited, code: "rate_limit_exceeded", after: 3 * time.Second},
		"expired token":      {exchange: exchange{status: 401}, class: schema.OutcomeUnauthorized},
		"told unauthorized":  {exchange: exchange{status: 401, answer: refusal("401", "unauthorized", "Unauthorized - Cannot authorize with this service")}, class: schema.OutcomeRefused, code: "unauthorized", reason: "must authorize"},
		"running":            {exchange: exchange{status: 409, answer: refusal("409", "operation_blocked_temporary", "The operation is blocked by another ongoing operation")}, class: schema.OutcomeBusy, code: "operation_blocked_temporary"},
		"bare 409":           {exchange: exchange{status: 409}, class: schema.OutcomeBusy},
		"locked by 403":      {exchange: exchange{status: 403, answer: refusal("403", "forbidden", "User is locked")}, class: schema.OutcomeBusy, code: "forbidden"},
		"locked by 400":      {exchange: exchange{status: 400, answer: refusal("400", "bad_request", "user is LOCKED.")}, class: schema.OutcomeBusy, code: "bad_request"},
		"locked by code":     {exchange: exchange{status: 403, answer: refusal("403", "access_denied_item_locked", "x")}, class: schema.OutcomeBusy, code: "access_denied_item_locked"},
		"blocked place":      {exchange: exchange{status: 403, answer: refusal("403", "access_from_location_blocked", "x")}, class: schema.OutcomeRefused, code: "access_from_location_blocked"},
		"privileged":         {exchange: exchange{status: 403, answer: refusal("403", "forbidden", "Cannot transfer files from/to higher privilaged accounts")}, cause: schema.RefusedPrivilege, class: schema.OutcomeRefused, code: "forbidden", reason: "primary administrator"},
		"storage by code":    {exchange: exchange{status: 403, answer: refusal("403", "storage_limit_exceeded", "x")}, cause: schema.RefusedReceiverFull, class: schema.OutcomeRefused, code: "storage_limit_exceeded", reason: "storage limit"},
		"storage by text":    {exchange: exchange{status: 400, answer: refusal("400", "bad_request", "Account storage limit reached")}, cause: schema.RefusedReceiverFull, class: schema.OutcomeRefused, code: "bad_request", reason: "storage limit"},
		"no permission":      {exchange: exchange{status: 403, answer: refusal("403", "access_denied_insufficient_permissions", "x")}, cause: schema.RefusedPrivilege, class: schema.OutcomeRefused, code: "access_denied_insufficient_permissions", reason: "may not do this"},
		"no scope":           {exchange: exchange{status: 403, answer: refusal("403", "insufficient_scope", "x")}, class: schema.OutcomeRefused, code: "insufficient_scope", reason: "lacks a scope"},
		"barrier":            {exchange: exchange{status: 403, answer: refusal("403", "forbidden_by_policy", "x")}, class: schema.OutcomeRefused, code: "forbidden_by_policy", reason: "policy"},
		"storage by 507":     {exchange: exchange{status: 507, answer: refusal("507", "insufficient_storage", "x")}, cause: schema.RefusedReceiverFull, class: schema.OutcomeRefused, code: "insufficient_storage", reason: "storage limit"},
		"507 by a gateway":   {exchange: exchange{status: 507, answer: `<html>`}, class: schema.OutcomeUnknown},
		"locked by 409":      {exchange: exchange{status: 409, answer: refusal("409", "conflict", "User is locked")}, class: schema.OutcomeBusy, code: "conflict"},
		"locked by 401":      {exchange: exchange{status: 401, answer: refusal("401", "unauthorized", "User is locked")}, class: schema.OutcomeBusy, code: "unauthorized"},
		"inactive by 403":    {exchange: exchange{status: 403, answer: refusal("403", "forbidden", "User has been deactivated")}, cause: schema.RefusedInactiveSource, class: schema.OutcomeRefused, code: "forbidden", reason: "inactive"},
		"inactive by 401":    {exchange: exchange{status: 401, answer: refusal("401", "unauthorized", "Unauthorized - User has been deactivated")}, cause: schema.RefusedInactiveSource, class: schema.OutcomeRefused, code: "unauthorized", reason: "inactive"},
		"inactive by 400":    {exchange: exchange{status: 400, answer: refusal("400", "bad_request", "The user is INACTIVE")}, cause: schema.RefusedInactiveSource, class: schema.OutcomeRefused, code: "bad_request", reason: "inactive"},
		"suspended":          {exchange: exchange{status: 400, answer: refusal("400", "bad_request", "Source user must be active")}, cause: schema.RefusedInactiveSource, class: schema.OutcomeRefused, code: "bad_request", reason: "inactive"},
		"inactive receiver":  {exchange: exchange{status: 403, answer: refusal("403", "forbidden", "The new owner has been deactivated")}, class: schema.OutcomeRefused, code: "forbidden", reason: "inactive"},
		"unknown account":    {exchange: exchange{status: 404, answer: refusal("404", "not_found", "Not Found")}, class: schema.OutcomeRefused, code: "not_found", reason: "does not know"},
		"unknown refusal":    {exchange: exchange{status: 400, answer: refusal("400", "not a word!", "x")}, class: schema.OutcomeRefused, reason: "refused the transfer"},
		"403 by a gateway":   {exchange: exchange{status: 403, answer: `<html>no</html>`}, class: schema.OutcomeUnknown},
		"404, empty":         {exchange: exchange{status: 404}, class: schema.OutcomeUnknown},
		"other JSON":         {exchange: exchange{status: 400, answer: `{"error":"x"}`}, class: schema.OutcomeUnknown},
		"envelope of a 500":  {exchange: exchange{status: 400, answer: refusal("500", "internal_server_error", "x")}, class: schema.OutcomeUnknown},
		"401 by a gateway":   {exchange: exchange{status: 401, answer: `<html>`}, class: schema.OutcomeUnknown},
		"refusal, cut": {exchange: exchange{do: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, refusal("403", "forbidden", "x"))
		}}, class: schema.OutcomeUnknown},
		"refusal, too long": {exchange: exchange{status: 403, answer: refusal("403", "forbidden", strings.Repeat("x", 70<<10))}, class: schema.OutcomeUnknown},
		"500":               {exchange: exchange{status: 500, answer: refusal("500", "internal_server_error", "locked")}, class: schema.OutcomeUnknown, code: "internal_server_error"},
		"503 with a wait":   {exchange: exchange{status: 503, header: map[string]string{"Retry-After": "9"}, answer: refusal("503", "unavailable", "x")}, class: schema.OutcomeUnknown, code: "unavailable", after: 9 * time.Second},
		"504":               {exchange: exchange{status: 504, answer: `<html>`}, class: schema.OutcomeUnknown},
		"redirect":          {exchange: exchange{status: 307, header: map[string]string{"Location": "/2.0/users/5/folders/0?notify=false"}}, class: schema.OutcomeUnknown},
		"dropped":           {exchange: exchange{do: abort}, class: schema.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want, tc.body = transferURI, transferBody
			s := newScript(t, tc.exchange)
			o := send(t, t.Context(), open(t, s.url))
			require.Equal(t, tc.class, o.Class)
			require.Equal(t, tc.cause, o.Cause)
			require.Equal(t, tc.code, o.VendorCode)
			require.Contains(t, o.Reason, tc.reason)
			require.NotEmpty(t, o.Reason)
			require.Equal(t, tc.after, o.RetryAfter)
			require.Equal(t, tc.folder, o.FolderID)
			requests, _ := s.count()
			require.Equal(t, 1, requests, "one request, whatever the answer")
		})
	}
}

func TestTransferOnTheWire(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: transferURI, body: transferBody, do: func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || !r.Close || r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != "" {
			t.Errorf("proto %s, close %v, headers %v", r.Proto, r.Close, r.Header)
		}
		_, _ = io.WriteString(w, `{"id":"900"}`)
	}})
	g := &gatekeeper{}
	c := open(t, s.url, func(cfg *connectors.Config) { cfg.Limiter, cfg.Guard = g, g })
	p, err := c.PrepareTransfer(t.Context(), "5", "6")
	require.NoError(t, err)
	require.Len(t, g.waits, 1, "rate is waited for when preparing")
	require.Zero(t, g.asks, "the guard is asked at the send")
	require.Equal(t, schema.OutcomeAccepted, p.Send(t.Context()).Class)
	require.Len(t, g.waits, 1)
	require.Equal(t, 1, g.asks)

	o := p.Send(t.Context())
	require.Equal(t, schema.OutcomeUnknown, o.Class, "used twice: nothing is sent, and the first may be running")
}

func TestTransferNotStarted(t *testing.T) {
	t.Parallel()
	t.Run("guard refuses", func(t *testing.T) {
		t.Parallel()
		s := newScript(t)
		g := &gatekeeper{deny: &schema.Error{Code: schema.CodePaused, Message: "paused"}}
		o := send(t, t.Context(), open(t, s.url, func(cfg *connectors.Config) { cfg.Guard = g }))
		require.Equal(t, schema.OutcomeNotStarted, o.Class)
		require.Contains(t, o.Reason, "not allowed")
	})
	t.Run("prepared too long ago", func(t *testing.T) {
		t.Parallel()
		s := newScript(t)
		var late atomic.Int64
		c := open(t, s.url, func(cfg *connectors.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
		})
		p, err := c.PrepareTransfer(t.Context(), "5", "6")
		require.NoError(t, err)
		late.Store(int64(31 * time.Second))
		o := p.Send(t.Context())
		require.Equal(t, schema.OutcomeNotStarted, o.Class)
		require.Contains(t, o.Reason, "30 s")
	})
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		s := newScript(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, schema.OutcomeNotStarted, send(t, ctx, open(t, s.url)).Class)
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := newScript(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, l.Close())
		c := open(t, "http://"+l.Addr().String(), func(cfg *connectors.Config) { cfg.Connection.TokenURL = s.url + "/oauth2/token" })
		o := send(t, t.Context(), c)
		require.Equal(t, schema.OutcomeNotStarted, o.Class)
		require.Contains(t, o.Reason, "refuses connections")
	})
	t.Run("handshake fails", func(t *testing.T) {
		t.Parallel()
		s := newScript(t)
		srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request got through") }))
		t.Cleanup(srv.Close) // its certificate is not trusted here
		c := open(t, srv.URL, func(cfg *connectors.Config) { cfg.Connection.TokenURL = s.url + "/oauth2/token" })
		require.Equal(t, schema.OutcomeNotStarted, send(t, t.Context(), c).Class)
	})
}

func TestTransferCancelledUnderWay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newScript(t, exchange{want: transferURI, body: transferBody, do: func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}})
	o := send(t, ctx, open(t, s.url))
	require.Equal(t, schema.OutcomeUnknown, o.Class)
	require.Zero(t, o.HTTPStatus)
	require.Contains(t, o.Reason, "cancelled")
}

// TestTransferConnectionClosedAtOnce closes each connection as soon as it is
// accepted. Whether bytes were written is a race; that an outcome of
// not_started means none arrived is not.
func TestTransferConnectionClosedAtOnce(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var conns atomic.Int64
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	c := open(t, "http://"+l.Addr().String(), func(cfg *connectors.Config) { cfg.Connection.TokenURL = s.url + "/oauth2/token" })
	for range 20 {
		o := send(t, t.Context(), c)
		require.Contains(t, []schema.OutcomeClass{schema.OutcomeNotStarted, schema.OutcomeUnknown}, o.Class)
	}
	require.EqualValues(t, 20, conns.Load(), "no second connection")
}

func TestTransferDropsAnExpiredToken(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: transferURI, body: transferBody, status: 401},
		exchange{want: transferURI, body: transferBody, answer: `{"id":"900"}`},
	)
	c := open(t, s.url)
	require.Equal(t, schema.OutcomeUnauthorized, send(t, t.Context(), c).Class)
	_, tokens := s.count()
	require.Equal(t, 1, tokens)
	require.Equal(t, schema.OutcomeAccepted, send(t, t.Context(), c).Class)
	_, tokens = s.count()
	require.Equal(t, 2, tokens)
}

func TestTransferToItselfIsRefusedHere(t *testing.T) {
	t.Parallel()
	_, err := open(t, newScript(t).url).PrepareTransfer(t.Context(), "5", "5")
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
}
