package boxsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// TestAssertionsFindTheirKey: an assertion that names a key is judged by that
// one, an assertion that names none by every key of the app.
func TestAssertionsFindTheirKey(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	known, other, stranger := newKey(t), newKey(t), newKey(t)
	require.NoError(t, b.sim.AddAppKey("known", publicPEM(t, known)))
	require.NoError(t, b.sim.AddAppKey("other", publicPEM(t, other)))
	for _, c := range []struct {
		name, kid string
		key       *rsa.PrivateKey
		status    int
	}{
		{"named", "known", known, http.StatusOK},
		{"not named", "", known, http.StatusOK},
		{"not named, the app's second", "", other, http.StatusOK},
		{"named, of another", "known", other, http.StatusBadRequest},
		{"named, unknown", "nobody", known, http.StatusBadRequest},
		{"not named, of a stranger", "", stranger, http.StatusBadRequest},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"iss": boxsim.MainClientID, "sub": boxsim.EnterpriseID, "box_sub_type": "enterprise",
			"aud": "https://api.box.com/oauth2/token", "exp": time.Now().Add(30 * time.Second).Unix(),
			"jti": strings.Repeat("j", 16) + c.name,
		})
		if c.kid != "" {
			token.Header["kid"] = c.kid
		}
		assertion, err := token.SignedString(c.key)
		require.NoError(t, err)
		res := b.form("/oauth2/token", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion},
			"client_id": {boxsim.MainClientID}, "client_secret": {boxsim.ClientSecret},
		})
		require.Equal(t, c.status, res.status, "%s: %s", c.name, res.raw)
	}
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
