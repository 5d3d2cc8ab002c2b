package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// keepSource makes the store keep the source and secrets of a creation.
func (b *bundle) keepSource() (*schema.Source, *schema.SourceSecrets) {
	kept, secrets := &schema.Source{}, &schema.SourceSecrets{}
	b.store.CreateSourceFunc = func(s schema.Source, have schema.SourceSecrets) (schema.Source, error) {
		s.ID, s.Version, s.CreatedAt = "s1", 1, now
		*kept, *secrets = s, have
		return s, nil
	}
	return kept, secrets
}

// TestSourceDefaults: a source that names little can be worked with, and its
// secret is shown in the answer that makes it and nowhere else.
func TestSourceDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kept, secrets := b.keepSource()
	a := b.do("admin", "POST", "/v1/hr/sources", `{"name":"hris","kind":"standard-webhooks","time_zone":"Europe/Berlin"}`)
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, "leaver", kept.Template)
	require.Equal(t, []string{"manager", "department-owner"}, kept.Receivers)
	require.Equal(t, schema.DefaultStartLimit(), kept.Limit)
	require.Equal(t, 7*24*time.Hour, kept.Rhythm)
	require.Zero(t, kept.PollEvery)
	made := a.json["secret"].(string)
	require.Equal(t, secrets.Current, made)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made, "whsec_"))
	require.NoError(t, err)
	require.Len(t, key, 32)
	src := a.json["source"].(map[string]any)
	require.Equal(t, "/hooks/hris", src["door"])
	require.Equal(t, map[string]any{"number": 5.0, "percent": 2.0, "window": "1d"}, src["limit"])

	again := b.do("admin", "POST", "/v1/hr/sources", `{"name":"hris","kind":"standard-webhooks","time_zone":"Europe/Berlin"}`)
	require.NotEqual(t, made, again.json["secret"])

	given := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24))
	a = b.do("admin", "POST", "/v1/hr/sources", `{"name":"hris","kind":"standard-webhooks","time_zone":"UTC","secret":"`+given+`"}`)
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, given, secrets.Current)
	require.NotContains(t, a.raw, given, "what was given is not shown")

	a = b.do("admin", "POST", "/v1/hr/sources", `{"name":"b","kind":"bamboohr","time_zone":"UTC","base_url":"https://acme.bamboohr.com/","api_key":"key-of-the-api","template":"suspend"}`)
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, schema.SourceSecrets{APIKey: "key-of-the-api"}, *secrets, "BambooHR makes its own secret")
	require.Equal(t, "https://acme.bamboohr.com", kept.BaseURL)
	require.Equal(t, 15*time.Minute, kept.PollEvery)
	require.Empty(t, kept.Receivers, "the template transfers nothing")
	require.NotContains(t, a.raw, "key-of-the-api")
	a = b.do("admin", "POST", "/v1/hr/sources", `{"name":"okta","kind":"scim","time_zone":"UTC"}`)
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, schema.SourceSecrets{}, *secrets)
	require.Equal(t, "/scim/v2", a.json["source"].(map[string]any)["door"])
}

// TestSourceFaults: every fault at once, and nothing stored.
func TestSourceFaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for body, want := range map[string][]string{
		`{"name":"h r","kind":"carrier-pigeon"}`: {"name:name", "kind:unknown_kind", "time_zone:required"},
		`{"name":"manual","kind":"manual","time_zone":"Local","template":"nonsense","owner":"nobody","approvals":3}`: {
			"name:reserved", "kind:unknown_kind", "time_zone:zone", "template:unknown_template", "approvals:out_of_range", "owner:email_syntax",
		},
		`{"name":"h","kind":"bamboohr","time_zone":"CEST","poll_every":"30s","rhythm":"1m","base_url":"http://acme.bamboohr.com","secret":"short",
			"limit":{"number":-1,"percent":101,"window":"59m"},"receivers":["me","ada@example.com"]}`: {
			"time_zone:zone", "receivers[0]:email_syntax", "rhythm:out_of_range", "limit.number:out_of_range", "limit.percent:out_of_range",
			"limit.window:out_of_range", "base_url:url", "poll_every:out_of_range", "api_key:required", "secret:too_short",
		},
		`{"name":"h","kind":"bamboohr","time_zone":"UTC","base_url":"https://a.example.com","api_key":"k","poll_every":"6h","rhythm":"7h"}`: {"rhythm:below_poll"},
		`{"name":"h","kind":"hmac","time_zone":"UTC","secret":"short","api_key":"k"}`: {
			"signature:required", "mapping:required", "api_key:no_api", "secret:too_short",
		},
		`{"name":"h","kind":"hmac","time_zone":"UTC","signature":{"header":"X-S","hash":"md5","encoding":"hex","content":"{body}"},"mapping":{"fields":{"shoe_size":"a"}}}`: {
			"signature.hash:unknown", "mapping.fields.shoe_size:unknown_field", "mapping.fields.external_id:required",
		},
		`{"name":"h","kind":"standard-webhooks","time_zone":"UTC","secret":"whsec_` + base64.StdEncoding.EncodeToString(make([]byte, 65)) + `"}`: {"secret:secret_form"},
		`{"name":"h","kind":"standard-webhooks","time_zone":"UTC","secret":"` + base64.StdEncoding.EncodeToString(make([]byte, 32)) + `"}`:       {"secret:secret_form"},
		`{"name":"h","kind":"csv","time_zone":"UTC","secret":"0123456789abcdef","rhythm":"367d","limit":{"window":"31d"}}`: {
			"rhythm:out_of_range", "limit.window:out_of_range", "secret:no_secret",
		},
		`{"name":"h","kind":"scim","time_zone":"UTC","base_url":"https://a.example.com","template":"suspend","receivers":["ada@example.com"]}`: {
			"receivers:no_transfer", "base_url:no_api",
		},
	} {
		a := b.do("admin", "POST", "/v1/hr/sources", body)
		require.Equal(t, 422, a.status, body)
		require.Equal(t, want, a.problems(), body)
	}
	a := b.do("admin", "POST", "/v1/hr/sources", `{"name":"h","kind":"csv","time_zone":"UTC","shoe_size":"38"}`)
	require.Equal(t, 422, a.status, "an unknown member is not passed over")
}

// TestSetSource: what is left out stays, what is given is checked with the rest.
func TestSetSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	have := schema.Source{
		ID: "s1", Name: "bob", Kind: schema.SourceBambooHR, State: schema.ConnectionEnabled, TimeZone: "UTC", Template: "leaver", Receivers: []string{"manager"},
		Owner: "it@example.com", Limit: schema.DefaultStartLimit(), BaseURL: "https://acme.bamboohr.com", PollEvery: 15 * time.Minute, Rhythm: 24 * time.Hour, Version: 4,
	}
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) {
		require.Equal(t, "bob", name)
		return have, nil
	}
	var got schema.Source
	b.store.UpdateSourceFunc = func(s schema.Source) (schema.Source, error) { got = s; return s, nil }
	a := b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"version":4,"limit":{"number":0},"owner":"","receivers":[],"poll_every":"1h"}`)
	require.Equal(t, 200, a.status, a.raw)
	want := have
	want.Limit.Number, want.Owner, want.Receivers, want.PollEvery = 0, "", nil, time.Hour
	require.Equal(t, want, got)
	a = b.do("admin", "PATCH", "/v1/hr/sources/bob", `{}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, have, got)

	require.Equal(t, 409, b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"version":3}`).status)
	require.Equal(t, []string{"rhythm:below_poll"}, b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"poll_every":"13h"}`).problems())
	require.Equal(t, 422, b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"kind":"csv"}`).status, "the kind stays")
	require.Equal(t, 422, b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"secret":"0123456789abcdef"}`).status, "secrets are rotated")

	have = schema.Source{ID: "m", Name: "bob", Kind: schema.SourceManual, TimeZone: "UTC", Template: "leaver", Limit: schema.DefaultStartLimit()}
	a = b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"time_zone":"Europe/Berlin"}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "Europe/Berlin", got.TimeZone)
	require.Equal(t, []string{"rhythm:no_rhythm"}, b.do("admin", "PATCH", "/v1/hr/sources/bob", `{"rhythm":"7d"}`).problems())
}

func TestRotateSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kind := schema.SourceHMAC
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) { return schema.Source{Name: name, Kind: kind}, nil }
	var secrets schema.SourceSecrets
	var overlap time.Duration
	b.store.RotateSourceFunc = func(_ string, s schema.SourceSecrets, d time.Duration) (schema.Source, error) {
		secrets, overlap = s, d
		return schema.Source{Name: "h", Kind: kind}, nil
	}
	a := b.do("admin", "POST", "/v1/hr/sources/h/secret", `{}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, secrets.Current, a.json["secret"])
	require.NotEmpty(t, secrets.Current)
	require.Equal(t, 24*time.Hour, overlap)
	a = b.do("admin", "POST", "/v1/hr/sources/h/secret", `{"secret":"0123456789abcdef","overlap":"0"}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Zero(t, overlap)
	require.NotContains(t, a.raw, "0123456789abcdef")
	require.Equal(t, []string{"overlap:too_long", "secret:too_short"}, b.do("admin", "POST", "/v1/hr/sources/h/secret", `{"secret":"x","overlap":"31d"}`).problems())

	kind = schema.SourceBambooHR
	require.Equal(t, []string{"secret:required"}, b.do("admin", "POST", "/v1/hr/sources/h/secret", `{}`).problems(), "BambooHR makes its own")
	require.Equal(t, 200, b.do("admin", "POST", "/v1/hr/sources/h/secret", `{"api_key":"k2"}`).status)
	require.Equal(t, schema.SourceSecrets{APIKey: "k2"}, secrets)
	for _, kind = range []schema.SourceKind{schema.SourceSCIM, schema.SourceCSV, schema.SourceManual} {
		require.Equal(t, []string{"secret:no_secret"}, b.do("admin", "POST", "/v1/hr/sources/h/secret", `{}`).problems(), kind)
	}
	b.store.SourceByNameFunc = nil
	require.Equal(t, 404, b.do("admin", "POST", "/v1/hr/sources/h/secret", `{}`).status)
}

func TestSourceStatePollAndLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.SetSourceStateFunc = func(name string, to schema.ConnectionState, reason string) (schema.Source, error) {
		return schema.Source{Name: name + " " + reason, State: to}, nil
	}
	a := b.do("admin", "POST", "/v1/hr/sources/h/state", `{"state":"removed","reason":" gone "}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "h gone", a.json["name"])
	require.Equal(t, "removed", a.json["state"])
	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/hr/sources/h/state", `{"state":"disabled","reason":" "}`).problems())
	require.Equal(t, 422, b.do("admin", "POST", "/v1/hr/sources/h/state", `{"state":"asleep","reason":"x"}`).status)

	b.store.PollSourceFunc = func(name string) (schema.Source, error) {
		return schema.Source{Name: name, NextPollAt: now, PollError: "HTTP 403"}, nil
	}
	a = b.do("operator", "POST", "/v1/hr/sources/h/poll", "")
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "2026-11-21T12:00:00Z", a.json["next_poll_at"])
	require.Equal(t, "HTTP 403", a.json["poll_error"])
	require.Nil(t, a.json["last_heard_at"])

	b.store.ListSourcesFunc = func(after string, limit int) ([]schema.Source, string, error) {
		require.Equal(t, "x", after)
		require.Equal(t, 2, limit)
		return []schema.Source{{Name: "a"}, {Name: "b"}}, "b", nil
	}
	a = b.do("auditor", "GET", "/v1/hr/sources?cursor=x&limit=2", "")
	require.Len(t, a.json["sources"], 2)
	require.Equal(t, "b", a.json["next"])
	require.Equal(t, 404, b.do("auditor", "GET", "/v1/hr/sources/none", "").status)
}

// TestSourceTokens: a token is shown once, in a form of its own, and only its hash
// is kept.
func TestSourceTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kind := schema.SourceSCIM
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) { return schema.Source{Name: name, Kind: kind}, nil }
	var kept [32]byte
	b.store.CreateSourceTokenFunc = func(_ string, hash [32]byte, expires time.Time, by schema.Principal) (schema.SourceToken, error) {
		kept = hash
		return schema.SourceToken{ID: "tok", CreatedAt: now, CreatedBy: by.Name, ExpiresAt: expires}, nil
	}
	a := b.do("admin", "POST", "/v1/hr/sources/okta/tokens", `{"expires":"1d"}`)
	require.Equal(t, 201, a.status, a.raw)
	token := a.json["token"].(string)
	require.Regexp(t, `^sendoff_scim_[A-Za-z0-9_-]{43}$`, token)
	require.Equal(t, sha256.Sum256([]byte(token)), kept)
	require.Equal(t, "2026-11-22T12:00:00Z", a.json["record"].(map[string]any)["expires_at"])
	require.Equal(t, []string{"expires:past"}, b.do("admin", "POST", "/v1/hr/sources/okta/tokens", `{"expires":"2026-01-01T00:00:00Z"}`).problems())
	require.Equal(t, []string{"expires:expiry"}, b.do("admin", "POST", "/v1/hr/sources/okta/tokens", `{"expires":""}`).problems())
	kind = schema.SourceHMAC
	a = b.do("admin", "POST", "/v1/hr/sources/okta/tokens", `{"expires":"1d"}`)
	require.Equal(t, "refused", a.json["code"])

	b.store.ListSourceTokensFunc = func(string) ([]schema.SourceToken, error) { return []schema.SourceToken{{ID: "tok"}}, nil }
	a = b.do("admin", "GET", "/v1/hr/sources/okta/tokens", "")
	require.Len(t, a.json["tokens"], 1)
	b.store.RevokeSourceTokenFunc = func(name string, id schema.TokenID) (schema.SourceToken, error) {
		require.Equal(t, "okta", name)
		return schema.SourceToken{ID: id, RevokedAt: now}, nil
	}
	a = b.do("admin", "DELETE", "/v1/hr/sources/okta/tokens/tok", "")
	require.Equal(t, 200, a.status, a.raw)
	require.NotNil(t, a.json["revoked_at"])
	require.Equal(t, 401, b.do(strings.TrimPrefix(token, "sendoff_"), "GET", "/v1/hr/sources", "").status, "it is no token of this API")
}
