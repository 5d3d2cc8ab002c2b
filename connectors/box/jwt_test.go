package box_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"github.com/youmark/pkcs8"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const passphrase = "p4ssphr4se-canary"

// newKey makes an RSA key; tests share it, for making one takes a while.
var newKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func armor(t testing.TB, key any, typ, pass string) string {
	t.Helper()
	der, err := pkcs8.MarshalPrivateKey(key, []byte(pass), nil)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// configFile is Box's configuration file, with what the test changes.
func configFile(t testing.TB, change ...func(app, auth, file map[string]any)) string {
	t.Helper()
	auth := map[string]any{"publicKeyID": "kid-1", "privateKey": armor(t, newKey(), "ENCRYPTED PRIVATE KEY", passphrase), "passphrase": passphrase}
	app := map[string]any{"clientID": "app", "clientSecret": clientSecret, "appAuth": auth}
	file := map[string]any{"boxAppSettings": app, "enterpriseID": "11"}
	for _, f := range change {
		f(app, auth, file)
	}
	b, err := json.Marshal(file)
	require.NoError(t, err)
	return string(b)
}

func withJWT(file string, user schema.ExternalID) func(*connectors.Config) {
	return func(cfg *connectors.Config) {
		cfg.Connection.AuthKind, cfg.Connection.AsUser, cfg.Secret = schema.AuthJWT, user, file
	}
}

// jwtHost is a Box that gives tokens for assertions alone, by a clock of its own.
type jwtHost struct {
	url   string
	mu    sync.Mutex
	ahead time.Duration // of the true time
	seen  []jwt.MapClaims
	jtis  map[string]bool
	burn  int // this many assertions are taken for used
	deny  string
}

func newJWTHost(t *testing.T) *jwtHost {
	t.Helper()
	h := &jwtHost{jtis: map[string]bool{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/oauth2/token" {
			_, _ = io.WriteString(w, `{"id":"7","role":"user","enterprise":{"id":"11"}}`)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		w.Header().Set("Date", time.Now().Add(h.ahead).UTC().Format(http.TimeFormat))
		if fault := h.fault(r); fault != "" {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": fault})
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"`+accessToken+`","expires_in":3600}`)
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

// fault checks a token request as Box does and says what is wrong with it.
func (h *jwtHost) fault(r *http.Request) string {
	_ = r.ParseForm()
	if r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || r.PostForm.Get("client_id") != "app" || r.PostForm.Get("client_secret") != clientSecret {
		return "Grant credentials are invalid"
	}
	now := time.Now().Add(h.ahead)
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(r.PostForm.Get("assertion"), claims, func(tok *jwt.Token) (any, error) {
		if tok.Header["kid"] != "kid-1" {
			return nil, fmt.Errorf("kid %v", tok.Header["kid"])
		}
		return newKey().Public(), nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	if err != nil {
		return "signature: " + err.Error()
	}
	h.seen = append(h.seen, claims)
	exp, _ := claims["exp"].(float64)
	jti, _ := claims["jti"].(string)
	used := h.jtis[jti]
	h.jtis[jti] = true
	switch {
	case h.deny != "":
		return h.deny
	case claims["aud"] != "https://api.box.com/oauth2/token" || claims["iss"] != "app":
		return fmt.Sprint("aud or iss: ", claims)
	case now.Unix() >= int64(exp):
		return "Current date/time MUST be before the expiration date/time listed in the 'exp' claim"
	case int64(exp)-now.Unix() > 60:
		return "Please check the 'exp' claim. The 'exp' value exceeds the maximum value of 60 seconds beyond the issue time."
	case used || h.burn > 0 || len(jti) < 16 || len(jti) > 128:
		h.burn--
		return "Please check the 'jti' claim. A unique 'jti' value is required."
	}
	return ""
}

func TestJWTSignsIn(t *testing.T) {
	t.Parallel()
	for user, want := range map[schema.ExternalID][2]string{"": {"enterprise", "11"}, "99": {"user", "99"}} {
		h := newJWTHost(t)
		_, err := open(t, h.url, withJWT(configFile(t), user)).Check(t.Context())
		require.NoError(t, err)
		require.Len(t, h.seen, 1)
		require.Equal(t, want, [2]string{h.seen[0]["box_sub_type"].(string), h.seen[0]["sub"].(string)})
		require.InDelta(t, 45, h.seen[0]["exp"].(float64)-h.seen[0]["iat"].(float64), 0)
	}
}

func TestJWTClockIsCorrectedOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ahead time.Duration
		burn  int
		deny  string
		sent  int
		fails string
	}{
		"clocks agree":          {sent: 1},
		"ours is slow":          {ahead: time.Hour, sent: 2},
		"ours is fast":          {ahead: -10 * time.Minute, sent: 2},
		"an id that was used":   {burn: 1, sent: 2},
		"always used":           {burn: 9, sent: 2, fails: "check this machine's clock"},
		"another fault":         {deny: "Please check the 'sub' claim. The 'sub' specified is invalid.", sent: 1, fails: "assertion was refused"},
		"ours is fast, and sub": {ahead: -10 * time.Minute, deny: "Please check the 'exp' claim", sent: 2, fails: "check this machine's clock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newJWTHost(t)
			h.ahead, h.burn, h.deny = tc.ahead, tc.burn, tc.deny
			c := open(t, h.url, withJWT(configFile(t), ""))
			_, err := c.Check(t.Context())
			h.mu.Lock()
			defer h.mu.Unlock()
			require.Len(t, h.seen, tc.sent)
			require.Len(t, h.jtis, tc.sent, "no assertion is sent twice")
			if tc.fails == "" {
				require.NoError(t, err)
				return
			}
			e := errorOf(t, err)
			require.Equal(t, connectors.Unauthorized, e.Kind)
			require.Contains(t, e.Detail, tc.fails)
		})
	}
}

// TestRenewal: credentials that were rotated while a connector was open are
// picked up when the old ones are refused, once.
func TestRenewal(t *testing.T) {
	t.Parallel()
	h := newJWTHost(t)
	stored := config(h.url).Connection
	stored.State, stored.Version, stored.AuthKind = schema.ConnectionEnabled, 2, schema.AuthJWT
	asked := 0
	var fails error
	renew := func(c *connectors.Config) {
		c.Connection.Version = 1
		c.Renew = func(context.Context) (schema.Connection, string, error) { asked++; return stored, configFile(t), fails }
	}
	_, err := open(t, h.url, renew).Check(t.Context()) // by client secret, which this host refuses
	require.NoError(t, err)
	require.Equal(t, 1, asked)

	stored.Version = 1
	_, err = open(t, h.url, renew).Check(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind, "nothing newer is stored")
	stored.Version, stored.State = 2, schema.ConnectionDisabled
	_, err = open(t, h.url, renew).Check(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind, "a connection that was disabled is not used on")
	stored.State, fails = schema.ConnectionEnabled, &schema.Error{Code: schema.CodeUnavailable, Message: "no database"}
	_, err = open(t, h.url, renew).Check(t.Context())
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind, "not known to be unauthorized")
}

func TestConfigFile(t *testing.T) {
	t.Parallel()
	read := func(file string) (connectors.ConfigFile, error) { return box.Factory{}.ReadConfigFile(file) }
	want := connectors.ConfigFile{AuthKind: schema.AuthJWT, ClientID: "app", EnterpriseID: "11"}
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(newKey())}))
	for name, file := range map[string]string{
		"as Box makes it": configFile(t),
		"byte order mark": "\ufeff" + configFile(t),
		"ids as numbers":  configFile(t, func(_, _, file map[string]any) { file["enterpriseID"] = 11 }),
		"plain key":       configFile(t, func(_, auth, _ map[string]any) { auth["privateKey"] = armor(t, newKey(), "PRIVATE KEY", "") }),
		"PKCS #1":         configFile(t, func(_, auth, _ map[string]any) { auth["privateKey"] = pkcs1 }),
		"escaped newlines": configFile(t, func(_, auth, _ map[string]any) {
			auth["privateKey"] = strings.ReplaceAll(fmt.Sprint(auth["privateKey"]), "\n", `\n`)
		}),
	} {
		got, err := read(file)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestConfigFileNamesEveryFault(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	const auth = "config-file:boxAppSettings.appAuth."
	set := func(name string, value any) string {
		return configFile(t, func(_, a, _ map[string]any) { a[name] = value })
	}
	for name, tc := range map[string]struct {
		file string
		want []string
	}{
		"everything missing": {`{}`, []string{
			"config-file:boxAppSettings.clientID", "config-file:boxAppSettings.clientSecret", auth + "publicKeyID", auth + "privateKey", "config-file:enterpriseID",
		}},
		"two faults": {configFile(t, func(app, a, _ map[string]any) { delete(app, "clientID"); a["passphrase"] = "wrong" }), []string{
			"config-file:boxAppSettings.clientID", auth + "passphrase",
		}},
		"empty":             {" ", []string{"config-file"}},
		"cut":               {configFile(t)[:700], []string{"config-file"}},
		"another file":      {`<html>` + passphrase, []string{"config-file"}},
		"wrong type":        {`{"boxAppSettings":"` + passphrase + `"}`, []string{"config-file"}},
		"too long":          {strings.Repeat(" ", box.MaxConfigFileBytes+1), []string{"config-file"}},
		"odd enterprise":    {configFile(t, func(_, _, f map[string]any) { f["enterpriseID"] = "1/1" }), []string{"config-file:enterpriseID"}},
		"enterprise 0":      {configFile(t, func(_, _, f map[string]any) { f["enterpriseID"] = "0" }), []string{"config-file:enterpriseID"}},
		"wrong passphrase":  {set("passphrase", "wrong"), []string{auth + "passphrase"}},
		"no passphrase":     {set("passphrase", nil), []string{auth + "passphrase"}},
		"EC key":            {set("privateKey", armor(t, ec, "ENCRYPTED PRIVATE KEY", passphrase)), []string{auth + "privateKey"}},
		"EC key, SEC 1":     {set("privateKey", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"), []string{auth + "privateKey"}},
		"certificate":       {set("privateKey", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), []string{auth + "privateKey"}},
		"no PEM":            {set("privateKey", passphrase), []string{auth + "privateKey"}},
		"damaged":           {set("privateKey", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), []string{auth + "privateKey"}},
		"damaged encrypted": {set("privateKey", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----"), []string{auth + "passphrase"}},
	} {
		_, err := box.Factory{}.ReadConfigFile(tc.file)
		var e *schema.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, schema.CodeInvalid, e.Code)
		var where []string
		for _, p := range e.Problems {
			where = append(where, p.Where)
			require.NotEmpty(t, p.Message, name)
			require.NotEmpty(t, p.Fix, name)
		}
		require.Equal(t, tc.want, where, name)
		require.NotContains(t, fmt.Sprintf("%+v", e), passphrase, name)
		require.NotContains(t, fmt.Sprintf("%+v", e), clientSecret, name)
	}
}

// TestOpenRefusesAConfigFileOfAnotherEnterprise: what the connection was checked
// for is what it stays.
func TestOpenRefusesAConfigFileOfAnotherEnterprise(t *testing.T) {
	t.Parallel()
	cfg := config("https://api.box.com")
	withJWT(configFile(t, func(_, _, f map[string]any) { f["enterpriseID"] = "12" }), "")(&cfg)
	_, err := box.Factory{}.Open(cfg)
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Problems, 1)
	require.Equal(t, "config-file:enterpriseID", e.Problems[0].Where)
	cfg.Secret = ""
	_, err = box.Factory{}.Open(cfg)
	require.ErrorAs(t, err, &e)
	require.Equal(t, "config-file", e.Problems[0].Where)
	cfg.Connection.AuthKind = "kerberos"
	_, err = box.Factory{}.Open(cfg)
	require.ErrorAs(t, err, &e)
	require.Equal(t, "auth-kind", e.Problems[0].Where)
}
