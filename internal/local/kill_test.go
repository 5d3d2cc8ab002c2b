package local_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"sendoff/internal/local"
)

// TestKill is the promise of `sendoff up`: kill it at any instant and start it
// again, and nothing is lost or left behind.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owner, first := startStack(t, dir)
	fill(t, first)

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	wait(t, "Postgres to end with its owner", func() bool { return gone(first.PostgresPID) })
	wait(t, "Temporal to end with its owner", func() bool { return gone(first.TemporalPID) })

	p, err := local.StartPostgres(t.Context(), local.PostgresConfig{DataDir: dir, Durable: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Destroy(context.Background())) })
	s, err := local.StartTemporal(t.Context(), temporalConfig(dir))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	requireFilled(t, p, s)
}

// TestKillAndStartAtOnce does not wait for the old servers to end.
func TestKillAndStartAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 3 {
		owner, _ := startStack(t, dir)
		require.NoError(t, owner.Process.Kill())
		require.Error(t, owner.Wait())
	}
	p, err := local.StartPostgres(t.Context(), local.PostgresConfig{DataDir: dir, Durable: true})
	require.NoError(t, err)
	require.NoError(t, p.Destroy(context.Background()))
}

const workflowID = "deprovision/1"

func fill(t *testing.T, s stack) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.PostgresURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	_, err = conn.Exec(t.Context(), "create table leaver (id int); insert into leaver values (7)")
	require.NoError(t, err)

	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.TemporalAddress, Namespace: "sendoff"})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflowID, TaskQueue: "none"}, "Deprovision") //nolint:forbidigo // the server is tested here, not our way of starting
	require.NoError(t, err)
}

func requireFilled(t *testing.T, p *local.Postgres, s *local.Temporal) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var id int
	require.NoError(t, conn.QueryRow(t.Context(), "select id from leaver").Scan(&id))
	require.Equal(t, 7, id)

	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.Address(), Namespace: "sendoff"})
	require.NoError(t, err)
	defer c.Close()
	got, err := c.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, got.GetWorkflowExecutionInfo().GetStatus())
}

func TestTemporal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := local.StartTemporal(t.Context(), temporalConfig(dir))
	require.NoError(t, err)

	t.Run("keeps closed workflows for 30 days", func(t *testing.T) {
		c, err := client.NewNamespaceClient(client.Options{HostPort: s.Address()})
		require.NoError(t, err)
		defer c.Close()
		got, err := c.Describe(t.Context(), s.Namespace())
		require.NoError(t, err)
		require.Equal(t, 30*24*time.Hour, got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	})
	t.Run("has the search attributes and our limit of ids", func(t *testing.T) {
		c, err := client.DialContext(t.Context(), client.Options{HostPort: s.Address(), Namespace: s.Namespace()})
		require.NoError(t, err)
		defer c.Close()
		attributes, err := c.OperatorService().ListSearchAttributes(t.Context(),
			&operatorservice.ListSearchAttributesRequest{Namespace: s.Namespace()})
		require.NoError(t, err)
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, attributes.GetCustomAttributes()["SendoffCase"])
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_DATETIME, attributes.GetCustomAttributes()["SendoffDue"])
		start := func(bytes int) error {
			opts := client.StartWorkflowOptions{ID: strings.Repeat("i", bytes), TaskQueue: "none"}
			_, err := c.ExecuteWorkflow(t.Context(), opts, "Deprovision") //nolint:forbidigo // the server is tested here, not our way of starting
			return err
		}
		require.NoError(t, start(255))
		require.Error(t, start(256))
	})
	t.Run("shows its web UI", func(t *testing.T) {
		resp, err := http.Get(s.UIURL())
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	})
	t.Run("lets nobody else onto its data", func(t *testing.T) {
		_, err := local.StartTemporal(t.Context(), temporalConfig(dir))
		require.ErrorIs(t, err, local.ErrInUse)
	})
	t.Run("stops, and starts again on its data", func(t *testing.T) {
		require.NoError(t, s.Stop(t.Context()))
		<-s.Done()
		again, err := local.StartTemporal(t.Context(), temporalConfig(dir))
		require.NoError(t, err)
		require.NoError(t, again.Stop(t.Context()))
	})
	t.Run("needs a namespace", func(t *testing.T) {
		_, err := local.StartTemporal(t.Context(), local.TemporalConfig{})
		require.ErrorContains(t, err, "namespace")
	})
}
