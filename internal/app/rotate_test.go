package app

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/youmark/pkcs8"

	"sendoff/connectors"
	"sendoff/connectors/all"
	"sendoff/connectors/box/boxsim"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

// sealsWith lends a keyring to the store.
type sealsWith struct{ *secret.Keyring }

func (s sealsWith) Seal(purpose string, aad, plain []byte) ([]byte, error) {
	return s.Keyring.Seal(secret.Purpose(purpose), secret.NewAAD(string(aad)), plain)
}

func (s sealsWith) Open(purpose string, aad, sealed []byte) ([]byte, error) {
	return s.Keyring.Open(secret.Purpose(purpose), secret.NewAAD(string(aad)), sealed)
}

// boxApp makes a key pair: Box's configuration file with the private half, and the
// public half in PEM.
func boxApp(t *testing.T, b boxsim.Banner, kid string) (file, public string) {
	t.Helper()
	const passphrase = "not-a-passphrase-of-anybody"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := pkcs8.MarshalPrivateKey(key, []byte(passphrase), nil)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{
		"enterpriseID": b.EnterpriseID,
		"boxAppSettings": map[string]any{
			"clientID": b.ClientID, "clientSecret": b.ClientSecret, "appAuth": map[string]any{
				"publicKeyID": kid, "passphrase": passphrase,
				"privateKey": string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})),
			},
		},
	})
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return string(text), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
}

// TestRotatedCredentialsAreTakenUp: with a real database and a simulated Box, new
// credentials reach connectors that are opened next and those that are in use, and
// the old ones are of no use any more.
func TestRotatedCredentialsAreTakenUp(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	sim, err := boxsim.New(boxsim.Config{})
	require.NoError(t, err)
	vendor := httptest.NewServer(sim.Handler())
	t.Cleanup(vendor.Close)
	banner := sim.Banner(vendor.URL)
	oldFile, oldPublic := boxApp(t, banner, "kid-1")
	newFile, newPublic := boxApp(t, banner, "kid-2")
	require.NoError(t, sim.AddAppKey("kid-1", oldPublic))
	require.NoError(t, sim.AddAppKey("kid-2", newPublic))

	url := localtest.DatabaseFrom(t, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	keys, err := secret.NewKeyring(make([]byte, secret.RootKeyBytes))
	require.NoError(t, err)
	db, err := store.Open(ctx, store.Config{URL: url, Sealer: sealsWith{keys}, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	_, err = db.BootstrapToken(ctx, [32]byte{1})
	require.NoError(t, err)
	admin, err := db.Authenticate(ctx, [32]byte{1})
	require.NoError(t, err)

	o := newOpeners(openerConfig{Factories: all.Factories(), Secrets: db, Guard: db, Limiter: unlimited{}})
	t.Cleanup(o.close)
	file, err := o.ReadConfigFile("box", oldFile)
	require.NoError(t, err)
	first, err := db.CreateConnection(ctx, schema.Connection{
		Name: "box", Vendor: "box", BaseURL: banner.BaseURL, TokenURL: banner.TokenURL, AuthKind: file.AuthKind,
		ClientID: file.ClientID, EnterpriseID: file.EnterpriseID, AsUser: schema.ExternalID(banner.AdminID),
	}, oldFile, admin)
	require.NoError(t, err)

	inUse, err := o.Open(ctx, first)
	require.NoError(t, err)
	second, err := db.RotateConnection(ctx, first, newFile, admin)
	require.NoError(t, err)
	require.NoError(t, sim.AddAppKey("kid-1", newPublic)) // the old key is worth nothing now

	works := func(c connectors.Connector) {
		t.Helper()
		who, err := c.Check(ctx)
		require.NoError(t, err)
		require.Equal(t, schema.ExternalID(banner.AdminID), who.ExternalID)
	}
	works(inUse)
	next, err := o.Open(ctx, second)
	require.NoError(t, err)
	require.NotSame(t, inUse, next)
	works(next)
	stale, err := o.Open(ctx, first)
	require.NoError(t, err)
	require.Same(t, next, stale, "who read the connection before the rotation gets what is stored now")

	d, err := o.Diagnose(ctx, first, oldFile)
	require.NoError(t, err)
	require.Equal(t, schema.HealthFailed, d.Health, "the old key is refused")
	require.Equal(t, schema.ProbeGrantRefused, d.Code())
	d, err = o.Diagnose(ctx, first, "")
	require.NoError(t, err)
	require.Equal(t, banner.EnterpriseID, d.Identity.EnterpriseID)
}

func TestReadConfigFileOfAVendorThatHasNone(t *testing.T) {
	t.Parallel()
	o, _, _ := newFake()
	_, err := o.ReadConfigFile("fake", "{}")
	require.Contains(t, code(t, schema.CodeInvalid, err).Fix, "client secret")
	_, err = o.ReadConfigFile("fox", "{}")
	code(t, schema.CodeInvalid, err)
}
