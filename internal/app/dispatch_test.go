package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// newDispatcher returns a dispatcher to the tests' Temporal server.
func newDispatcher(t *testing.T) *dispatcher {
	t.Helper()
	d, _ := dialTests(t)
	return d
}

// dialTests also returns the options by which it was reached.
func dialTests(t *testing.T) (*dispatcher, temporalx.Options) {
	t.Helper()
	keys, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	o := temporalx.Options{
		LocalAddress: localtest.Temporal(t).Address(), Namespace: localtest.SharedNamespace, Logger: zap.NewNop(), Identity: "test",
		Converters: func(namespace string) (converter.DataConverter, converter.FailureConverter) {
			return secret.Converters(keys, namespace)
		},
	}
	c, err := temporalx.Dial(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &dispatcher{temporal: c, rows: ended{}, log: zap.NewNop()}, o
}

// ended is an outbox whose plans and cases have all ended, and open one in which
// none has.
type (
	ended struct{ outbox }
	open  struct{ outbox }
)

func (ended) StillOpen(context.Context, schema.OutboxRow) (bool, error) { return false, nil }
func (open) StillOpen(context.Context, schema.OutboxRow) (bool, error)  { return true, nil }

// TestDispatchRevives: a plan or case that is open and has no workflow gets one.
func TestDispatchRevives(t *testing.T) {
	t.Parallel()
	d := newDispatcher(t)
	d.rows = open{}
	plan := schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: "c", PlanID: schema.PlanID(localtest.Name("plan")), DecisionID: "d1"}
	whole := schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: schema.CaseID(localtest.Name("case")), DecisionID: "d2"}
	for _, row := range []schema.OutboxRow{plan, whole} {
		require.NoError(t, d.dispatch(t.Context(), row), "never started")
		first, err := d.temporal.DescribeWorkflowExecution(t.Context(), workflowOf(row), "")
		require.NoError(t, err)
		require.NoError(t, d.temporal.TerminateWorkflow(t.Context(), workflowOf(row), "", "test"))
		require.NoError(t, d.dispatch(t.Context(), row), "terminated")
		second, err := d.temporal.DescribeWorkflowExecution(t.Context(), workflowOf(row), "")
		require.NoError(t, err)
		require.NotEqual(t, first.GetWorkflowExecutionInfo().GetExecution().GetRunId(), second.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	}
}

// recorder is a workflow that takes what Deprovision takes and returns what it
// was told, once it was told that its lane is free.
func recorder(ctx workflow.Context) ([]schema.DecisionID, error) {
	var told []schema.DecisionID
	err := workflow.SetUpdateHandler(ctx, workflows.UpdateDecide, func(_ workflow.Context, in workflows.DecideInput) error {
		told = append(told, in.DecisionID)
		return nil
	})
	workflow.GetSignalChannel(ctx, workflows.SignalLane).Receive(ctx, nil)
	return told, err
}

// record starts a recorder in the place of a plan's workflow.
func (d *dispatcher) record(t *testing.T, id schema.PlanID) client.WorkflowRun {
	t.Helper()
	queue := localtest.Name("queue")
	w := worker.New(d.temporal, queue, worker.Options{})
	w.RegisterWorkflow(recorder)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	run, err := temporalx.Start(t.Context(), d.temporal, client.StartWorkflowOptions{ID: workflows.DeprovisionID(id), TaskQueue: queue}, recorder)
	require.NoError(t, err)
	return run
}

func TestDispatchStartCase(t *testing.T) {
	t.Parallel()
	d := newDispatcher(t)
	row := schema.OutboxRow{Kind: schema.OutboxStartCase, CaseID: schema.CaseID(localtest.Name("case"))}
	require.NoError(t, d.dispatch(t.Context(), row))
	require.NoError(t, d.dispatch(t.Context(), row), "its mark was lost with our process")
	got, err := d.temporal.DescribeWorkflowExecution(t.Context(), workflows.OffboardingID(row.CaseID), "")
	require.NoError(t, err)
	require.Equal(t, workflows.QueueEngine, got.GetExecutionConfig().GetTaskQueue().GetName())

	require.NoError(t, d.temporal.TerminateWorkflow(t.Context(), workflows.OffboardingID(row.CaseID), "", "test"))
	require.NoError(t, d.dispatch(t.Context(), row), "a case never starts anew")
	again, err := d.temporal.DescribeWorkflowExecution(t.Context(), workflows.OffboardingID(row.CaseID), "")
	require.NoError(t, err)
	require.Equal(t, got.GetWorkflowExecutionInfo().GetExecution().GetRunId(), again.GetWorkflowExecutionInfo().GetExecution().GetRunId())
}

func TestDispatchToPlan(t *testing.T) {
	t.Parallel()
	d := newDispatcher(t)
	plan := schema.PlanID(localtest.Name("plan"))
	decision := schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: "c", PlanID: plan, DecisionID: "d1"}
	lane := schema.OutboxRow{Kind: schema.OutboxLane, CaseID: "c", PlanID: plan}
	require.NoError(t, d.dispatch(t.Context(), decision), "a workflow that never was")
	require.NoError(t, d.dispatch(t.Context(), lane))

	run := d.record(t, plan)
	require.NoError(t, d.dispatch(t.Context(), decision))
	require.NoError(t, d.dispatch(t.Context(), decision), "told twice, taken once")
	second := decision
	second.DecisionID = "d2"
	require.NoError(t, d.dispatch(t.Context(), second))
	require.NoError(t, d.dispatch(t.Context(), lane))
	var told []schema.DecisionID
	require.NoError(t, run.Get(t.Context(), &told))
	require.Equal(t, []schema.DecisionID{"d1", "d2"}, told)

	third := decision
	third.DecisionID = "d3"
	require.NoError(t, d.dispatch(t.Context(), third), "a workflow that has ended reads the state itself")
	require.NoError(t, d.dispatch(t.Context(), lane))
}

// TestDispatchKeepsRows: what could not be told, and what this release does not
// know, is not marked as dispatched.
func TestDispatchKeepsRows(t *testing.T) {
	t.Parallel()

	t.Run("a workflow without a worker", func(t *testing.T) {
		t.Parallel()
		d := newDispatcher(t)
		start := schema.OutboxRow{Kind: schema.OutboxStartCase, CaseID: schema.CaseID(localtest.Name("case"))}
		require.NoError(t, d.dispatch(t.Context(), start))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := d.dispatch(ctx, schema.OutboxRow{Kind: schema.OutboxDecision, CaseID: start.CaseID, DecisionID: "d1"})
		require.ErrorIs(t, err, temporalx.ErrUnavailable)
	})
	t.Run("a kind of a later release", func(t *testing.T) {
		t.Parallel()
		d := &dispatcher{log: zap.NewNop()}
		require.ErrorContains(t, d.dispatch(t.Context(), schema.OutboxRow{Kind: "fax"}), "does not know")
	})
}

// scripted is an outbox that answers as told and ends the run after that.
type scripted struct {
	ended
	claims []error // of each ClaimOutbox; nil = one row was dispatched
	waits  []error // of each WaitOutbox
	end    context.CancelFunc
	events []string
}

func (s *scripted) ClaimOutbox(context.Context, int, func(context.Context, schema.OutboxRow) error) (int, error) {
	s.events = append(s.events, "claim")
	if len(s.claims) == 0 {
		return 0, nil
	}
	err := s.claims[0]
	s.claims = s.claims[1:]
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func (s *scripted) WaitOutbox(_ context.Context, atMost time.Duration) error {
	s.events = append(s.events, "wait "+atMost.String())
	if len(s.waits) == 0 {
		s.end()
		return context.Canceled
	}
	err := s.waits[0]
	s.waits = s.waits[1:]
	return err
}

// TestDispatcherRun: a lost database is waited out; rows are not.
func TestDispatcherRun(t *testing.T) {
	t.Parallel()
	down := errors.New("ann@example.com: connection reset")
	for name, c := range map[string]struct {
		claims, waits []error
		want          []string
		takes         time.Duration
		warnings      int
	}{
		"rows one after the other": {[]error{nil, nil}, nil, []string{"claim", "claim", "claim", "wait 1s"}, 0, 0},
		"a database that is down": {
			[]error{down, down, nil},
			[]error{down, down},
			[]string{"claim", "wait 1s", "claim", "wait 1s", "claim", "claim", "wait 1s"},
			2 * time.Second, 2,
		},
		"a wake-up": {nil, []error{nil}, []string{"claim", "wait 1s", "claim", "wait 1s"}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				core, logs := observer.New(zapcore.WarnLevel)
				rows := &scripted{claims: c.claims, waits: c.waits, end: cancel}
				d := &dispatcher{rows: rows, log: zap.New(core)}
				began := time.Now()
				require.NoError(t, d.run(ctx, ctx))
				require.Equal(t, c.want, rows.events)
				require.Equal(t, c.takes, time.Since(began))
				require.Equal(t, c.warnings, logs.Len())
			})
		})
	}
}
