package scim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/internal/scim/scimtest"
	"sendoff/schema"
)

// tooSlow is how long no single request of a fuzzer may take: what grows with the
// square of its input takes hours, and a busy machine seconds.
const tooSlow = time.Minute

// world is a store with a few resources, driven without a network.
type world struct {
	t      *testing.T
	store  *scimtest.Memory
	source schema.Source
	h      http.Handler
	user   string
	group  string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: scimtest.NewMemory()}
	w.source = w.store.AddSource("okta", token)
	w.h = scim.New(scim.Config{Store: w.store, PublicURL: "https://sendoff.example.com"})
	w.user = w.made("/Users", `{"userName":"ada@example.com","title":"T","active":true,"name":{"givenName":"Ada"},"roles":["a","b"],
		"emails":[{"type":"work","value":"ada@example.com","primary":true},{"type":"home","value":"x"}],"level":7,"`+urnEnterprise+`":{"department":"D","manager":"m"}}`)
	w.made("/Users", `{"userName":"grace@example.com","externalId":"x"}`)
	w.group = w.made("/Groups", `{"displayName":"Ops","members":[{"value":"`+w.user+`"}]}`)
	return w
}

func (w *world) made(path, body string) string {
	rec := w.do(http.MethodPost, path, body)
	require.Equal(w.t, http.StatusCreated, rec.Code, "%s", rec.Body)
	var r struct{ ID string }
	require.NoError(w.t, json.Unmarshal(rec.Body.Bytes(), &r))
	return r.ID
}

func (w *world) do(method, path, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	req := httptest.NewRequestWithContext(w.t.Context(), method, scim.Prefix+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	began := time.Now()
	w.h.ServeHTTP(rec, req)
	require.Less(w.t, time.Since(began), tooSlow)
	require.Less(w.t, rec.Code, http.StatusInternalServerError, "%s", rec.Body)
	return rec
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "ada@example.com"`, `emails[type eq "work"].value eq "x"`, `not (a pr) and (b co "x" or c gt 1.5e3)`, urnEnterprise + `:manager.value eq "m"`,
		`emails[type eq "work" and (value sw "a" or not (primary eq true))]`, `meta.created ge "2026-01-01T00:00:00Z"`, `title eq "\"\\\u00e9"`, `members eq "x"`, `$w0 pr`, `((((a pr))))`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		w := newWorld(t)
		q := "?filter=" + url.QueryEscape(raw)
		for _, path := range []string{"/Users", "/Groups"} {
			rec := w.do(http.MethodGet, path+q, "")
			var got struct {
				TotalResults int
				Resources    []json.RawMessage
				ScimType     string
			}
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &got))
			if rec.Code != http.StatusOK {
				require.Equal(t, http.StatusBadRequest, rec.Code)
				require.Equal(t, "invalidFilter", got.ScimType)
				continue
			}
			require.Len(t, got.Resources, got.TotalResults)
			if strings.TrimSpace(raw) == "" {
				continue
			}
			// A filter and its opposite share nothing, and leave nobody out.
			rec = w.do(http.MethodGet, path+"?filter="+url.QueryEscape("not ("+raw+")"), "")
			if rec.Code != http.StatusOK {
				continue // longer or deeper than is taken
			}
			all := got.TotalResults
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &got))
			require.Equal(t, len(keptOf(w, path)), all+got.TotalResults, raw)
		}
	})
}

func keptOf(w *world, path string) []schema.SCIMResource {
	var out []schema.SCIMResource
	for _, r := range w.store.Kept(w.source.ID) {
		if "/"+string(r.Type)+"s" == path {
			out = append(out, r)
		}
	}
	return out
}

func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`{"op":"replace","value":{"active":false,"name.givenName":"B","` + urnEnterprise + `:manager":"x"}}`,
		`{"op":"Add","path":"emails[type eq \"home\" and primary eq true].value","value":"h"},{"op":"Remove","path":"emails[type eq \"work\"]"}`,
		`{"op":"remove","path":"members","value":[{"value":"x"}]}`, `{"op":"add","path":"members","value":[]}`, `{"op":"replace","path":"displayName","value":"y"}`,
		`{"op":"add","value":{"password":"SECRET"}}`, `{"op":"replace","path":"id","value":"x"}`, `{"op":"replace","path":"urn:a:b","value":{"c":{"d":[1,null,{}]}}}`,
		`{"op":"replace","path":"roles","value":"a"},{"op":"remove","path":"roles.value"},{"op":"add","path":"level.x","value":1}`,
		`{"op":"add","path":"emails","value":[{"primary":true},{"primary":true}]}`, `{"op":"replace","path":"userName","value":"grace@example.com"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, operations string) {
		w := newWorld(t)
		for _, path := range []string{"/Users/" + w.user, "/Groups/" + w.group} {
			before := w.store.Kept(w.source.ID)
			rec := w.do(http.MethodPatch, path, ops(operations))
			after := w.store.Kept(w.source.ID)
			require.Len(t, after, len(before))
			if rec.Code != http.StatusOK {
				require.Equal(t, before, after, "what is refused changes nothing")
				continue
			}
			for i := range after {
				requireWhole(t, before[i], after[i])
			}
			again := w.do(http.MethodGet, path, "")
			require.Equal(t, again.Body.String(), rec.Body.String(), "what is answered is what is kept")
		}
	})
}

// requireWhole demands of a resource what no PATCH may change or break.
func requireWhole(t *testing.T, before, after schema.SCIMResource) {
	t.Helper()
	require.Equal(t, before.ID, after.ID)
	require.Equal(t, before.SourceID, after.SourceID)
	require.Equal(t, before.Type, after.Type)
	require.Equal(t, before.CreatedAt, after.CreatedAt)
	require.LessOrEqual(t, after.Version-before.Version, int64(1))
	require.NotEmpty(t, after.Name)
	require.True(t, json.Valid(after.Body))
	var body map[string]any
	require.NoError(t, json.Unmarshal(after.Body, &body))
	for _, key := range []string{"id", "meta", "password", "schemas", "members"} {
		if key == "members" && after.Type == schema.SCIMUser {
			continue
		}
		require.NotContains(t, body, key)
	}
	require.NotContains(t, strings.ToLower(string(after.Body)), `password":`)
	if after.Type == schema.SCIMUser {
		require.Equal(t, after.Active, body["active"])
		require.Equal(t, after.Name, body["userName"])
	}
	require.False(t, bytes.Contains(after.Body, []byte(`\u0000`)))
	_, _ = scim.Tell(before, after)
}
