package scim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/internal/scim/scimtest"
	"sendoff/schema"
)

const (
	token      = "the-token-of-the-source"
	otherToken = "the-token-of-another"

	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// bundle is a server with two sources.
type bundle struct {
	t             testing.TB
	store         *scimtest.Memory
	url           string // up to and with /scim/v2
	client        *http.Client
	source, other schema.Source
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{t: t, store: scimtest.NewMemory()}
	b.source, b.other = b.store.AddSource("okta", token), b.store.AddSource("entra", otherToken)
	srv := httptest.NewServer(scim.New(scim.Config{Store: b.store}))
	t.Cleanup(srv.Close)
	b.url, b.client = srv.URL+scim.Prefix, srv.Client()
	return b
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// do sends a request with the source's token.
func (b *bundle) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	return b.as(token, method, path, body, headers...)
}

func (b *bundle) as(token, method, path, body string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	a := answer{t: b.t, status: res.StatusCode, header: res.Header, raw: raw}
	if len(raw) > 0 {
		require.Equal(b.t, "application/scim+json", res.Header.Get("Content-Type"))
		dec := json.NewDecoder(bytes.NewReader(raw))
		require.NoError(b.t, dec.Decode(&a.body), "%s", raw)
	}
	return a
}

// is demands a status, and of an error the body that RFC 7644 section 3.12 wants.
func (a answer) is(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.raw)
	if status >= http.StatusBadRequest {
		require.Equal(a.t, []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, a.body["schemas"])
		require.Equal(a.t, http.StatusText(status), http.StatusText(a.status))
		require.Equal(a.t, jsonNumber(status), a.body["status"], "status is a text")
		require.NotEmpty(a.t, a.body["detail"])
	}
	return a
}

func jsonNumber(n int) string {
	out, _ := json.Marshal(n)
	return string(out)
}

// refused demands an error of a scimType.
func (a answer) refused(status int, scimType string) answer {
	a.t.Helper()
	a.is(status)
	require.Equal(a.t, scimType, a.body["scimType"], "%s", a.raw)
	return a
}

// at is a value by its path of keys and indexes.
func (a answer) at(path ...any) any {
	a.t.Helper()
	return dig(a.body, path...)
}

func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) id() string {
	a.t.Helper()
	id, _ := a.at("id").(string)
	require.NotEmpty(a.t, id, "%s", a.raw)
	return id
}

// user makes a user.
func (b *bundle) user(userName string) string {
	b.t.Helper()
	return b.do(http.MethodPost, "/Users", `{"schemas":["`+urnUser+`"],"userName":"`+userName+`","name":{"givenName":"Ada","familyName":"Byron"},
		"emails":[{"type":"work","primary":true,"value":"`+userName+`"}],"active":true}`).is(http.StatusCreated).id()
}

func (b *bundle) grp(name string, members ...string) string {
	b.t.Helper()
	list := []map[string]string{}
	for _, m := range members {
		list = append(list, map[string]string{"value": m})
	}
	raw, err := json.Marshal(map[string]any{"schemas": []string{urnGroup}, "displayName": name, "members": list})
	require.NoError(b.t, err)
	return b.do(http.MethodPost, "/Groups", string(raw)).is(http.StatusCreated).id()
}

// ops is the body of a PATCH.
func ops(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
}

func (b *bundle) patch(path, operations string) answer {
	b.t.Helper()
	return b.do(http.MethodPatch, path, ops(operations))
}

// found lists the ids that a filter finds.
func (b *bundle) found(path, filter string) []string {
	b.t.Helper()
	a := b.do(http.MethodGet, path+"?filter="+url.QueryEscape(filter), "").is(http.StatusOK)
	ids := []string{}
	list, _ := a.body["Resources"].([]any)
	for _, r := range list {
		id, _ := dig(r, "id").(string)
		ids = append(ids, id)
	}
	require.EqualValues(b.t, len(ids), a.body["totalResults"])
	return ids
}

// last is what was told last.
func (b *bundle) last() scimtest.Told {
	b.t.Helper()
	told := b.store.Told(b.source.ID)
	require.NotEmpty(b.t, told)
	return told[len(told)-1]
}
