package localtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"sendoff/internal/local"
)

// SharedNamespace exists on the server that Temporal returns.
const SharedNamespace = "sendoff"

// Temporal returns this test process's development server, in memory and
// without a web UI. Tests share it: take workflow ids and task queues from
// Name, or a namespace of your own from Namespace.
func Temporal(t testing.TB) *local.Temporal {
	t.Helper()
	s, err := servers.temporal.get(func() (*local.Temporal, error) {
		return local.StartTemporal(context.Background(), local.TemporalConfig{
			Namespace: SharedNamespace,
			Headless:  true,
			Progress:  func(line string) { t.Log(line) },
		})
	})
	require.NoError(t, err)
	return s
}

// Namespace returns a new namespace on the server that Temporal returns.
func Namespace(t testing.TB) string {
	t.Helper()
	c, err := client.NewNamespaceClient(client.Options{HostPort: Temporal(t).Address()})
	require.NoError(t, err)
	defer c.Close()
	name := Name("ns")
	require.NoError(t, c.Register(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace:                        name,
		WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	}))
	return name
}
