package box_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// The fuzz tests hold the parsers of what others write to a few rules, whatever
// the bytes: nothing panics, nothing foreign gets into an error's text, and only
// what is certain is called so.

func FuzzErrorEnvelope(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", "<html>", `{"type":"error"}`, refusal("403", "forbidden", "User has been deactivated"),
		refusal("400", "bad_request", "User has managed content"), `{"type":"error","status":"403"}`, `{"type":"error","code":{"a":1}}`,
		`{"type":"error","status":404,"code":"not_found","context_info":{"errors":[{"reason":"invalid_parameter","name":"item"}]}}`,
		`{"type":"error","context_info":{"conflicts":{"id":"1"}}}`, `{"type":"error","context_info":{"conflicts":[]}}`,
	} {
		f.Add(403, body)
		f.Add(400, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		for _, op := range []string{"box.read_user", "box.delete_user"} {
			e := &connectors.Error{Kind: connectors.Forbidden, Op: op, Status: status}
			box.Explain(e, []byte(body))
			require.Contains(t, []connectors.Kind{connectors.Forbidden, connectors.Unauthorized, connectors.Conflict}, e.Kind)
			require.False(t, strings.ContainsAny(e.Code+e.RequestID, "@ \r\n\"{}<>"), e.Error())
			require.NotContains(t, e.Detail, "@")
			if errors.Is(e, connectors.ErrContentRemains) {
				require.Equal(t, []any{"box.delete_user", 400}, []any{op, status}, "content remains is a delete's 400 alone")
			}
		}
	})
}

func FuzzTransferOutcome(f *testing.F) {
	for _, body := range []string{
		"", "null", `{"id":"900"}`, `{"id":900}`, `{"id":9.5}`, `{"id":"../x"}`, "<html>", refusal("403", "forbidden", "User is locked"),
		refusal("400", "bad_request", "x"), refusal("507", "insufficient_storage", "x"), refusal("401", "unauthorized", "deactivated"),
	} {
		for _, status := range []int{200, 202, 302, 400, 401, 403, 404, 409, 429, 500, 503, 504, 507} {
			f.Add(status, body, true)
			f.Add(status, body, false)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string, whole bool) {
		o := box.OutcomeOf(httpx.Answer{Written: true, Status: status, Body: []byte(body), Whole: whole})
		require.NotEmpty(t, o.Reason)
		require.NotContains(t, o.Reason+o.VendorCode, "@")
		require.NotContains(t, string(o.FolderID), "/")
		success := status >= 200 && status < 300
		require.Equal(t, success, o.Class == schema.OutcomeAccepted)
		switch o.Class {
		case schema.OutcomeRefused:
			require.True(t, whole && (status >= 400 && status < 500 || status == 507), "a refusal is a whole 4xx or 507")
			require.True(t, json.Valid([]byte(body)), "with an envelope")
		case schema.OutcomeBusy:
			require.True(t, status >= 400 && status < 500)
		case schema.OutcomeNotStarted:
			require.Fail(t, "bytes were written")
		}
		if o.Cause != schema.RefusedOther {
			require.Equal(t, schema.OutcomeRefused, o.Class)
		}
	})
}

// sameAnswer is a Box that answers every call alike.
type sameAnswer struct {
	url   string
	mu    sync.Mutex
	body  string
	calls atomic.Int64
}

func newSameAnswer(f *testing.F) *sameAnswer {
	f.Helper()
	s := &sameAnswer{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/token" {
			_, _ = w.Write([]byte(`{"access_token":"` + accessToken + `","expires_in":3600}`))
			return
		}
		s.calls.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = w.Write([]byte(s.body))
	}))
	f.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *sameAnswer) say(body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = body
	s.calls.Store(0)
}

// opened is a connector for a fuzz target, which outlives single inputs.
func (s *sameAnswer) opened(f *testing.F) *box.Connector {
	f.Helper()
	c, err := box.Factory{}.Open(config(s.url))
	require.NoError(f, err)
	f.Cleanup(c.Close)
	b, ok := c.(*box.Connector)
	require.True(f, ok)
	return b
}

func FuzzUser(f *testing.F) {
	s := newSameAnswer(f)
	c := s.opened(f)
	for _, body := range []string{
		"", "null", "[]", wireUser(`"5"`, leaver), wireUser(`5`, leaver), wireUser(`5e0`, leaver), wireUser(`"5"`, leaver, `"role":"king"`),
		wireUser(`"5"`, leaver, `"space_used":-1`), wireUser(`"5"`, leaver, `"space_used":1e30`), wireUser(`"5"`, leaver, `"enterprise":null`),
		wireUser(`"5"`, leaver, `"created_at":"yesterday"`),
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s.say(body)
		a, err := c.ReadAccount(t.Context(), "5")
		if err != nil {
			require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
			return
		}
		require.Equal(t, schema.ExternalID("5"), a.ExternalID)
		require.NotEmpty(t, a.Login)
		require.GreaterOrEqual(t, a.SpaceUsed, int64(0))
		require.Contains(t, []schema.AccountRole{schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner}, a.Role)
		require.True(t, a.Kind == schema.KindExternal || a.VendorStatus != "")
	})
}

// FuzzListings holds each listing to its end: the same page again and again is
// noticed, whatever it says of markers and totals.
func FuzzListings(f *testing.F) {
	s := newSameAnswer(f)
	c := s.opened(f)
	for _, body := range []string{
		"", "{}", "null", nothing, `{"entries":null}`, `{"entries":[],"next_marker":"x"}`, `{"entries":[],"next_marker":7}`, `{"entries":{}}`,
		`{"entries":[null],"total_count":1,"limit":1}`, `{"entries":[],"total_count":9000000000000000000,"limit":1000}`,
		`{"entries":[],"total_count":-5,"limit":-5}`, `{"entries":[],"total_count":"3","limit":"2"}`, `{"entries":[{"id":1,"group":{"id":2}}],"total_count":1,"limit":1}`,
		`{"entries":[{"id":"1","status":"active","assigned_to":{"id":5}}],"limit":1000}`, `{"entries":[{"id":"1","status":"released"}]}`,
		`{"entries":[{"type":"file","id":"1","owned_by":{"id":"5"},"size":1}],"limit":1000}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s.say(body)
		holds, err := c.Holds(t.Context(), "5")
		if err != nil {
			require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
			require.Empty(t, holds)
		}
		s.say(body)
		if _, _, err = c.RootItems(t.Context(), "5"); err != nil {
			require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
		}
		require.LessOrEqual(t, s.calls.Load(), int64(2), "a marker that comes back ends the listing")
	})
}

func FuzzConfigFile(f *testing.F) {
	good := configFile(f)
	for _, text := range []string{
		"", "{}", "null", "[]", good, good[:200], strings.ToUpper(good), `{"enterpriseID":11}`, `{"boxAppSettings":{"appAuth":{"privateKey":"-----BEGIN"}}}`,
		strings.Replace(good, passphrase, "wrong", 1), strings.Replace(good, "ENCRYPTED PRIVATE", "EC PRIVATE", 2),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := box.Factory{}.ReadConfigFile(text)
		if err == nil {
			require.NotEmpty(t, got.ClientID)
			require.NotEmpty(t, got.EnterpriseID)
			return
		}
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Problems)
		for _, p := range e.Problems {
			require.NotEmpty(t, p.Fix)
			require.True(t, strings.HasPrefix(p.Where, "config-file"))
			require.NotContains(t, p.Message+p.Fix, passphrase)
		}
	})
}
