package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/schema"
)

// configFile is a configuration file as the fake checker reads it; it holds a
// canary that no answer may show.
func configFile(client, enterprise string) string {
	b, _ := json.Marshal(map[string]string{"AuthKind": "jwt", "ClientID": client, "EnterpriseID": enterprise, "Key": "k3y-canary"})
	return string(b)
}

func body(fields map[string]any) string {
	b, _ := json.Marshal(fields)
	return string(b)
}

func TestConnectByConfigFile(t *testing.T) {
	t.Parallel()
	fields := func(change map[string]any) string {
		all := map[string]any{
			"name": "box-main", "vendor": "box", "base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/oauth2/token",
			"config_file": configFile("sim", "900001"),
		}
		for name, v := range change {
			all[name] = v
		}
		return body(all)
	}
	b := setup(t)
	b.store.ConnectionByNameFunc = notFound
	var stored schema.Connection
	b.store.CreateConnectionFunc = func(c schema.Connection, secret string) (schema.Connection, error) {
		require.Equal(t, configFile("sim", "900001"), secret, "the whole file is the secret")
		stored = c
		return c, nil
	}
	b.checker = func(c schema.Connection, secret string) (web.ConnectionCheck, error) {
		require.Equal(t, schema.AuthJWT, c.AuthKind)
		require.Contains(t, secret, "k3y-canary")
		return web.ConnectionCheck{ActsAs: "1", EnterpriseID: "900001"}, nil
	}
	a := b.do("admin", "POST", "/v1/connections", fields(nil))
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, []any{schema.AuthJWT, "sim", "900001"}, []any{stored.AuthKind, stored.ClientID, stored.EnterpriseID})
	require.Contains(t, a.raw, `"auth_kind":"jwt"`)
	require.NotContains(t, a.raw, "canary")

	for name, tc := range map[string]struct {
		change map[string]any
		want   []string
	}{
		"other ids beside it": {map[string]any{"client_id": "x", "enterprise_id": "y"}, []string{"client_id:contradiction", "enterprise_id:contradiction"}},
		"a secret beside it":  {map[string]any{"client_secret": "s"}, []string{"client_secret:ambiguous"}},
		"faulty":              {map[string]any{"config_file": "k3y-canary{"}, []string{"config-file:malformed"}},
		"too long":            {map[string]any{"config_file": strings.Repeat("k3y-canary", 7000)}, []string{"config_file:too_long"}},
	} {
		a = b.do("admin", "POST", "/v1/connections", fields(tc.change))
		require.Equal(t, tc.want, a.problems(), name)
		require.NotContains(t, a.raw, "canary", name)
	}
}

func TestRotateChecksTheVendorBeforeReplacing(t *testing.T) {
	t.Parallel()
	user := schema.Connection{
		ID: "c1", Name: "box", Vendor: "box", State: schema.ConnectionEnabled, Version: 4, ClientID: "sim", EnterpriseID: "900001", AsUser: "7",
		AuthKind: schema.AuthClientCredentials,
	}
	service := user
	service.AsUser = ""
	byFile := user
	byFile.AuthKind = schema.AuthJWT
	good := web.ConnectionCheck{ActsAs: "7", EnterpriseID: "900001"}
	secret, file := body(map[string]any{"client_secret": "s3cret-canary"}), func(client, enterprise string) string {
		return body(map[string]any{"config_file": configFile(client, enterprise)})
	}
	for name, tc := range map[string]struct {
		conn   schema.Connection
		body   string
		check  web.ConnectionCheck
		err    error
		status int
		says   string
		kind   schema.AuthKind
		client string
	}{
		"new secret":               {conn: user, body: secret, check: good, status: 200, kind: schema.AuthClientCredentials, client: "sim"},
		"from JWT to a secret":     {conn: byFile, body: secret, check: good, status: 200, kind: schema.AuthClientCredentials, client: "sim"},
		"to a file":                {conn: user, body: file("sim", "900001"), check: good, status: 200, kind: schema.AuthJWT, client: "sim"},
		"another app, same user":   {conn: user, body: file("app-2", "900001"), check: good, status: 200, kind: schema.AuthJWT, client: "app-2"},
		"service account":          {conn: service, body: secret, check: web.ConnectionCheck{ActsAs: "8", EnterpriseID: "900001"}, status: 200, kind: schema.AuthClientCredentials, client: "sim"},
		"service account, 2nd app": {conn: service, body: file("app-2", "900001"), check: good, status: 422, says: "another application"},
		"another user":             {conn: user, body: secret, check: web.ConnectionCheck{ActsAs: "8", EnterpriseID: "900001"}, status: 422, says: "act as 8, not as 7"},
		"another enterprise":       {conn: user, body: secret, check: web.ConnectionCheck{ActsAs: "7", EnterpriseID: "42"}, status: 422, says: "belong to enterprise 42"},
		"file, another enterprise": {conn: user, body: file("sim", "42"), check: good, status: 422, says: "contradiction"},
		"refused by the vendor":    {conn: user, body: secret, err: &schema.Error{Code: schema.CodeVendor, Message: "does not accept", Fix: "f"}, status: 502, says: "does not accept"},
		"nothing given":            {conn: user, body: `{}`, status: 422, says: "client_secret"},
		"both given":               {conn: user, body: body(map[string]any{"client_secret": "s", "config_file": configFile("sim", "900001")}), status: 422, says: "ambiguous"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return tc.conn, nil }
			var rotated *schema.Connection
			b.store.RotateConnectionFunc = func(c schema.Connection, secret string) (schema.Connection, error) {
				require.Contains(t, secret, "canary")
				rotated = &c
				return c, nil
			}
			b.checker = func(c schema.Connection, secret string) (web.ConnectionCheck, error) {
				require.Contains(t, secret, "canary", "the new secret is tried, never the old one")
				require.Nil(t, rotated)
				return tc.check, tc.err
			}
			a := b.do("admin", "POST", "/v1/connections/box/rotate", tc.body)
			require.Equal(t, tc.status, a.status, a.raw)
			require.Contains(t, a.raw, tc.says)
			require.NotContains(t, a.raw, "canary")
			require.Equal(t, tc.status == 200, rotated != nil)
			if rotated != nil {
				require.Equal(t, []any{tc.kind, tc.client, int64(4)}, []any{rotated.AuthKind, rotated.ClientID, rotated.Version})
			}
		})
	}
}
