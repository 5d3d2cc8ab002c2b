package temporalx_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// bundle is a client in a namespace, and a task queue with a worker on it.
type bundle struct {
	client client.Client
	queue  string
}

func options(t *testing.T) temporalx.Options {
	t.Helper()
	keyring, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	return temporalx.Options{
		LocalAddress: localtest.Temporal(t).Address(),
		Namespace:    localtest.SharedNamespace,
		Logger:       zap.NewNop(),
		Identity:     "test",
		Converters: func(namespace string) (converter.DataConverter, converter.FailureConverter) {
			return secret.Converters(keyring, namespace)
		},
	}
}

func setup(t *testing.T) bundle {
	t.Helper()
	c, err := temporalx.Dial(t.Context(), options(t))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	b := bundle{client: c, queue: localtest.Name("queue")}
	w := worker.New(c, b.queue, worker.Options{})
	w.RegisterWorkflowWithOptions(counter, workflow.RegisterOptions{Name: "Counter"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return b
}

func (b bundle) start(t *testing.T) string {
	t.Helper()
	id := localtest.Name("workflow")
	_, err := temporalx.Start(t.Context(), b.client, client.StartWorkflowOptions{ID: id, TaskQueue: b.queue}, "Counter", canary)
	require.NoError(t, err)
	return id
}

const canary = "canary-51c2"

// counter adds what updates bring, refuses negative numbers, takes its time for
// 99, and ends by a signal.
func counter(ctx workflow.Context, _ string) (int, error) {
	sum := 0
	add := func(ctx workflow.Context, n int) (int, error) {
		switch n {
		case 13:
			return 0, temporal.NewApplicationError(canary+" thirteen", "Unlucky")
		case 99:
			return 0, workflow.Sleep(ctx, time.Hour)
		}
		sum += n
		return sum, nil
	}
	validate := func(n int) error {
		if n < 0 {
			return errors.New(canary + " negative")
		}
		return nil
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, "add", add, workflow.UpdateHandlerOptions{Validator: validate})
	if err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return sum, nil
}

func TestStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	again := func(id string) error {
		_, err := temporalx.Start(t.Context(), b.client, client.StartWorkflowOptions{ID: id, TaskQueue: b.queue}, "Counter", "")
		return err
	}
	id := b.start(t)
	run := b.client.GetWorkflow(t.Context(), id, "")

	err := again(id)
	require.ErrorIs(t, err, temporalx.ErrAlreadyStarted, "while it runs")
	var already *temporalx.AlreadyStartedError
	require.ErrorAs(t, err, &already)
	require.Equal(t, id, already.WorkflowID)
	require.Equal(t, run.GetRunID(), already.RunID)

	require.NoError(t, temporalx.Signal(t.Context(), b.client, id, "end", nil))
	require.NoError(t, run.Get(t.Context(), nil))
	require.ErrorIs(t, again(id), temporalx.ErrAlreadyStarted, "after it has ended")

	require.ErrorContains(t, again(""), "required")
	require.ErrorContains(t, again(string(make([]byte, 256))), "at most 255")
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.start(t)
	update := func(to, updateID string, n int, change func(*temporalx.UpdateRequest)) (int, error) {
		sum := 0
		req := temporalx.UpdateRequest{WorkflowID: to, Name: "add", UpdateID: updateID, Arg: n, Result: &sum}
		if change != nil {
			change(&req)
		}
		err := temporalx.Update(t.Context(), b.client, req)
		return sum, err
	}
	accepted := func(req *temporalx.UpdateRequest) { req.Until, req.Result = temporalx.UntilAccepted, nil }
	briefly := func(req *temporalx.UpdateRequest) { req.Wait = 2 * time.Second }

	t.Run("returns the result, the first one for a repeated id", func(t *testing.T) {
		sum, err := update(id, "one", 1, nil)
		require.NoError(t, err)
		require.Equal(t, 1, sum)
		sum, err = update(id, "two", 2, nil)
		require.NoError(t, err)
		require.Equal(t, 3, sum)
		sum, err = update(id, "one", 1, nil)
		require.NoError(t, err)
		require.Equal(t, 1, sum, "not done twice")
	})
	t.Run("tells a refusal, also when only acceptance is awaited", func(t *testing.T) {
		_, err := update(id, "negative", -1, nil)
		require.ErrorIs(t, err, temporalx.ErrRefused)
		require.ErrorContains(t, err, "negative")
		_, err = update(id, "negative again", -1, accepted)
		require.ErrorIs(t, err, temporalx.ErrRefused)
		_, err = update(id, "thirteen", 13, nil)
		require.ErrorIs(t, err, temporalx.ErrRefused)
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, "Unlucky", failure.Type())
	})
	t.Run("tells accepted from completed", func(t *testing.T) {
		_, err := update(id, "slow", 99, accepted)
		require.NoError(t, err)
		_, err = update(id, "slow", 99, briefly)
		require.ErrorIs(t, err, temporalx.ErrPending)
	})
	t.Run("ends without a worker", func(t *testing.T) {
		orphan := localtest.Name("workflow")
		_, err := temporalx.Start(t.Context(), b.client, client.StartWorkflowOptions{ID: orphan, TaskQueue: orphan}, "Counter", "")
		require.NoError(t, err)
		begun := time.Now()
		_, err = update(orphan, "lost", 1, briefly)
		require.ErrorIs(t, err, temporalx.ErrUnavailable)
		require.Less(t, time.Since(begun), 8*time.Second)
	})
	t.Run("tells an ended workflow from an unknown one", func(t *testing.T) {
		ended := b.start(t)
		require.NoError(t, temporalx.Signal(t.Context(), b.client, ended, "end", nil))
		require.NoError(t, b.client.GetWorkflow(t.Context(), ended, "").Get(t.Context(), nil))
		_, err := update(ended, "late", 1, nil)
		require.ErrorIs(t, err, temporalx.ErrClosed)
		require.ErrorIs(t, temporalx.Signal(t.Context(), b.client, ended, "end", nil), temporalx.ErrClosed)

		_, err = update(localtest.Name("nobody"), "early", 1, nil)
		require.ErrorIs(t, err, temporalx.ErrNotFound)
		require.ErrorIs(t, temporalx.Signal(t.Context(), b.client, localtest.Name("nobody"), "end", nil), temporalx.ErrNotFound)
	})
	t.Run("needs an update id", func(t *testing.T) {
		_, err := update(id, "", 1, nil)
		require.ErrorContains(t, err, "update id")
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.start(t)
	require.ErrorIs(t, temporalx.Update(t.Context(), b.client, temporalx.UpdateRequest{
		WorkflowID: id, Name: "add", UpdateID: "thirteen", Arg: 13,
	}), temporalx.ErrRefused)
	require.NoError(t, temporalx.Signal(t.Context(), b.client, id, "end", canary))
	require.NoError(t, b.client.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))

	events := int64(0)
	history := b.client.GetWorkflowHistory(t.Context(), id, "", false, 0)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		raw, err := proto.Marshal(event)
		require.NoError(t, err)
		require.NotContains(t, string(raw), canary, "arguments, signals and error texts are sealed")
		events++
	}
	length, err := temporalx.HistoryLength(t.Context(), b.client, id)
	require.NoError(t, err)
	require.Equal(t, events, length)
	require.Positive(t, length)
	_, err = temporalx.HistoryLength(t.Context(), b.client, localtest.Name("nobody"))
	require.ErrorIs(t, err, temporalx.ErrNotFound)
}

// TestForeignPayload is somebody with access to Temporal and no key.
func TestForeignPayload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.start(t)
	foreign, err := client.DialContext(t.Context(), client.Options{
		HostPort: localtest.Temporal(t).Address(), Namespace: localtest.SharedNamespace,
	})
	require.NoError(t, err)
	t.Cleanup(foreign.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	handle, err := foreign.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateID: "forged", UpdateName: "add", Args: []any{1000}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(t, err)
	require.Error(t, handle.Get(ctx, nil), "a plain argument is not taken")
	sum := 0
	require.NoError(t, temporalx.Update(t.Context(), b.client, temporalx.UpdateRequest{
		WorkflowID: id, Name: "add", UpdateID: "ours", Arg: 1, Result: &sum, Wait: 30 * time.Second,
	}))
	require.Equal(t, 1, sum, "and the workflow goes on")
}

func TestEnsureNamespace(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Namespace = localtest.Name("ns")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, retention := range []time.Duration{48 * time.Hour, 48 * time.Hour, 72 * time.Hour} {
		require.NoError(t, temporalx.EnsureNamespace(ctx, o, retention))
		opts, err := temporalx.ClientOptions(o)
		require.NoError(t, err)
		namespaces, err := client.NewNamespaceClient(opts)
		require.NoError(t, err)
		got, err := namespaces.Describe(ctx, o.Namespace)
		namespaces.Close()
		require.NoError(t, err)
		require.Equal(t, retention, got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	}
	c, err := temporalx.Dial(ctx, o)
	require.NoError(t, err)
	defer c.Close()
	_, err = temporalx.Start(ctx, c, client.StartWorkflowOptions{ID: "first", TaskQueue: "none"}, "Counter", "")
	require.NoError(t, err, "a namespace that was ensured can be used at once")
}
