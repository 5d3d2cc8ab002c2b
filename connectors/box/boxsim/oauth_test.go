package boxsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
)

// appKey is made once: RSA keys are dear.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func ownPublicPEM(t *testing.T) string {
	t.Helper()
	key, err := appKey()
	require.NoError(t, err)
	return publicPEM(t, key)
}

// assertion is a good one of the service account, as at now, with a jti of its
// own; change spoils it.
func assertion(t *testing.T, now time.Time, method jwt.SigningMethod, change func(jwt.MapClaims, map[string]any)) string {
	t.Helper()
	key, err := appKey()
	require.NoError(t, err)
	claims := jwt.MapClaims{
		"iss": boxsim.MainClientID, "sub": boxsim.EnterpriseID, "box_sub_type": "enterprise",
		"aud": "https://api.box.com/oauth2/token", "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(45 * time.Second).Unix(),
	}
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = "key1"
	if change != nil {
		change(claims, token.Header)
	}
	raw, err := token.SignedString(key)
	require.NoError(t, err)
	return raw
}

func (b *bench) grantJWT(assertion string) answer {
	b.t.Helper()
	return b.form("/oauth2/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {boxsim.MainClientID},
		"client_secret": {boxsim.ClientSecret}, "assertion": {assertion},
	})
}

func TestAssertionsAreTakenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	b.control(http.StatusOK, http.MethodPost, "/app_keys", obj{"kid": "key1", "public_key": ownPublicPEM(t)})
	b.control(http.StatusBadRequest, http.MethodPost, "/app_keys", obj{"kid": "key2", "public_key": "none"})
	ann := b.user("Ann")
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodRS256, jwt.SigningMethodRS384, jwt.SigningMethodRS512} {
		raw := assertion(t, time.Now(), method, nil)
		res := b.grantJWT(raw)
		require.Equal(t, http.StatusOK, res.status, res.raw)
		require.NotContains(t, res.body, "refresh_token")
		require.Contains(t, b.get("/users/me", withToken(res.body["access_token"].(string)))["login"], "AutomationUser")
		again := b.grantJWT(raw)
		require.Equal(t, http.StatusBadRequest, again.status)
		require.Equal(t, obj{
			"error": "invalid_grant", "error_description": "Please check the 'jti' claim. A unique 'jti' value is required.",
		}, again.body)
	}
	user := b.grantJWT(assertion(t, time.Now(), jwt.SigningMethodRS256, func(c jwt.MapClaims, _ map[string]any) {
		c["sub"], c["box_sub_type"] = ann, "user"
	}))
	require.Equal(t, ann, b.get("/users/me", withToken(user.body["access_token"].(string)))["id"])

	b.set("no_user_tokens", "true")
	refused := b.grantJWT(assertion(t, time.Now(), jwt.SigningMethodRS256, func(c jwt.MapClaims, _ map[string]any) {
		c["sub"], c["box_sub_type"] = ann, "user"
	}))
	require.Equal(t, "Cannot obtain user token based on the enterprise configuration for your app", refused.body["error_description"])
	b.set("app_state", "unauthorized")
	refused = b.grantJWT(assertion(t, time.Now(), jwt.SigningMethodRS256, nil))
	require.Equal(t, "unauthorized_client", refused.body["error"])
}

func TestBadAssertionsAreRefusedByClaim(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	require.NoError(t, b.sim.AddAppKey("key1", ownPublicPEM(t)))
	claim := func(name string, value any) func(jwt.MapClaims, map[string]any) {
		return func(c jwt.MapClaims, _ map[string]any) { c[name] = value }
	}
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		change func(jwt.MapClaims, map[string]any)
		want   string
	}{
		"unknown kid":    {func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "key9" }, "'kid'"},
		"wrong issuer":   {claim("iss", "somebody"), "'iss'"},
		"wrong subject":  {claim("sub", "1"), "The 'sub' specified is invalid."},
		"wrong kind":     {claim("box_sub_type", "group"), "The 'sub' specified is invalid."},
		"wrong audience": {claim("aud", b.url+"/oauth2/token"), "'aud'"},
		"short jti":      {claim("jti", "short"), "A unique 'jti' value is required."},
		"long jti":       {claim("jti", strings.Repeat("x", 129)), "A unique 'jti' value is required."},
		"no expiry":      {claim("exp", nil), "Should be an integer"},
		"fractional":     {claim("exp", float64(now)+30.5), "Should be an integer"},
		"text":           {claim("exp", "soon"), "Should be an integer"},
		"too long":       {claim("exp", now+90), "exceeds the maximum value of 60 seconds"},
		"old":            {claim("exp", now-5), "MUST be before the expiration date/time"},
		"not yet":        {claim("nbf", now+600), "'nbf'"},
		"another key's":  {func(_ jwt.MapClaims, h map[string]any) { h["alg"] = "HS256" }, "'alg'"},
	} {
		res := b.grantJWT(assertion(t, time.Now(), jwt.SigningMethodRS256, c.change))
		require.Equal(t, http.StatusBadRequest, res.status, name)
		require.Equal(t, "invalid_grant", res.body["error"], name)
		require.Contains(t, res.body["error_description"], c.want, name)
	}
	require.Equal(t, "invalid_request", b.grantJWT("").body["error"])
}

func TestAssertionsAreJudgedByTheSimulatorsClock(t *testing.T) {
	t.Parallel()
	for skew, want := range map[string]string{
		"300": "MUST be before the expiration date/time", "-300": "exceeds the maximum value of 60 seconds",
	} {
		t.Run(skew, func(t *testing.T) {
			t.Parallel()
			b := setup(t, boxsim.Config{})
			require.NoError(t, b.sim.AddAppKey("key1", ownPublicPEM(t)))
			b.set("clock_skew_s", skew)
			refused := b.grantJWT(assertion(t, time.Now(), jwt.SigningMethodRS256, nil))
			require.Contains(t, refused.body["error_description"], want)
			theirs, err := http.ParseTime(refused.header.Get("Date"))
			require.NoError(t, err)
			granted := b.grantJWT(assertion(t, theirs, jwt.SigningMethodRS256, nil))
			require.Equal(t, http.StatusOK, granted.status, granted.raw)
		})
	}
}

func client(more url.Values) url.Values {
	form := url.Values{"client_id": {boxsim.MainClientID}, "client_secret": {boxsim.ClientSecret}}
	for name, value := range more {
		form[name] = value
	}
	return form
}

func (b *bench) refresh(token string) answer {
	b.t.Helper()
	return b.form("/oauth2/token", client(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}))
}

func TestCodesAndRefreshTokensAreGoodForOneUse(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	code := b.control(http.StatusOK, http.MethodPost, "/codes", obj{"user": ann}).body["code"].(string)
	redeem := client(url.Values{"grant_type": {"authorization_code"}, "code": {code}})
	first := b.form("/oauth2/token", redeem)
	require.Equal(t, http.StatusOK, first.status, first.raw)
	require.Equal(t, ann, b.get("/users/me", withToken(first.body["access_token"].(string)))["id"])
	require.Equal(t, "invalid_grant", b.form("/oauth2/token", redeem).body["error"])

	second := b.refresh(first.body["refresh_token"].(string))
	require.Equal(t, http.StatusOK, second.status, second.raw)
	require.NotEqual(t, first.body["refresh_token"], second.body["refresh_token"])
	require.Equal(t, "Invalid refresh token", b.refresh(first.body["refresh_token"].(string)).body["error_description"])
	require.Equal(t, `No "refresh_token" parameter found`, b.refresh("").body["error_description"])

	access := withToken(second.body["access_token"].(string))
	revoked := b.form("/oauth2/revoke", client(url.Values{"token": {second.body["refresh_token"].(string)}}))
	require.Equal(t, http.StatusOK, revoked.status)
	require.Empty(t, b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil, access).raw, "either token ends the pair")
	wrong := b.form("/oauth2/revoke", url.Values{"client_id": {"sim"}, "client_secret": {"wrong"}, "token": {"x"}})
	require.Equal(t, "invalid_client", wrong.body["error"])
}

func TestCodesAndRefreshTokensEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{CodeLife: time.Nanosecond})
	ann := b.user("Ann")
	code, err := b.sim.AddCode(boxsim.CodeSpec{User: ann})
	require.NoError(t, err)
	late := b.form("/oauth2/token", client(url.Values{"grant_type": {"authorization_code"}, "code": {code}}))
	require.Equal(t, "The authorization code has expired", late.body["error_description"])

	b = setup(t, boxsim.Config{RefreshLife: time.Nanosecond})
	ann = b.user("Ann")
	code, err = b.sim.AddCode(boxsim.CodeSpec{User: ann, RedirectURI: "https://app.example.com/back"})
	require.NoError(t, err)
	pair := b.form("/oauth2/token", client(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.example.com/back"},
	}))
	require.Equal(t, http.StatusOK, pair.status, pair.raw)
	require.Equal(t, "Refresh token has expired", b.refresh(pair.body["refresh_token"].(string)).body["error_description"])

	b.suspend(ann)
	_, err = b.sim.AddCode(boxsim.CodeSpec{User: ann})
	require.ErrorContains(t, err, "active user")
}

// A call whose token ends on the way gets what an expired token gets: 401
// without a body. A deactivated account's has one.
func TestExpireEndsTheCallersToken(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	require.NoError(t, b.sim.AddFaults(simkit.Fault{Op: "users.me", Attempt: 2, Action: simkit.ActionExpire}))
	b.get("/users/me")
	expired := b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil)
	require.Empty(t, expired.raw)
	require.Contains(t, expired.header.Get("WWW-Authenticate"), "invalid_token")
	b.do(http.StatusUnauthorized, http.MethodGet, "/users", nil)
	b.admin = b.token(boxsim.MainClientID, "user", b.id)
	b.get("/users/me")
}
