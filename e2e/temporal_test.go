package e2e_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"

	"sendoff/internal/app"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

func temporalAddress(t *testing.T) string {
	t.Helper()
	server, err := shared.temporal()
	require.NoError(t, err)
	return server.Address
}

// newNamespace returns a namespace of the test's own that is ready for use.
func newNamespace(t *testing.T) string {
	t.Helper()
	keys, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	name := localtest.Name("ns")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, temporalx.EnsureNamespace(ctx, temporalx.Options{
		LocalAddress: temporalAddress(t), Namespace: name, Logger: zap.NewNop(), Converters: convertersOf(keys),
	}, 24*time.Hour))
	return name
}

func convertersOf(keys *secret.Keyring) func(string) (converter.DataConverter, converter.FailureConverter) {
	return func(namespace string) (converter.DataConverter, converter.FailureConverter) {
		return secret.Converters(keys, namespace)
	}
}

// client connects to the stack's namespace as anybody who reaches the server
// could: without the product's keys.
func (s *stack) client() client.Client {
	s.t.Helper()
	c, err := client.Dial(client.Options{HostPort: temporalAddress(s.t), Namespace: s.namespace, Logger: temporalx.NewLogger(zap.NewNop())})
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

// keyring is the stack's own.
func (s *stack) keyring() *secret.Keyring {
	s.t.Helper()
	keys, err := secret.LoadKeyring(filepath.Join(s.dir, app.KeyFileName))
	require.NoError(s.t, err)
	return keys
}
