package localtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"sendoff/internal/local/localtest"
)

const namespaceKnownWithin = 15 * time.Second

func TestTemporal(t *testing.T) {
	t.Parallel()
	server := localtest.Temporal(t)
	require.Same(t, server, localtest.Temporal(t), "one server per process")
	for _, namespace := range []string{localtest.SharedNamespace, localtest.Namespace(t)} {
		c, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address(), Namespace: namespace})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		id := localtest.Name("workflow")
		// A new namespace takes a moment to be known to the whole server.
		localtest.Wait(t, namespaceKnownWithin, "a workflow to start in "+namespace, func() bool {
			_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: id}, "Nothing") //nolint:forbidigo // the server is tested here, not our way of starting
			return err == nil
		})
	}
}
