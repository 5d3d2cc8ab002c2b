package workflows_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const planID = schema.PlanID("00000000-0000-7000-8000-000000000001")

// engine stands for the activities: it scripts what each returns and keeps what
// it was called with, in order.
type engine struct {
	mu    sync.Mutex
	calls []string
	refs  []schema.StepRef
	state schema.PlanState
	cause schema.Cause

	kinds   []schema.StepKind
	window  bool // the source was left active for a call
	groups  bool // memberships were taken away
	resumed *bool
	done    int                // of the steps, by an earlier run
	begun   bool               // and the one after them begun
	fence   int64              // of the plan when the run begins
	script  map[string][]reply // by activity; the last reply repeats
	env     *testsuite.TestWorkflowEnvironment
}

type reply struct {
	transfer activities.TransferStatus
	deleted  activities.DeleteStatus
	left     time.Duration
	err      error
	do       func()
}

func newEngine(t *testing.T, kinds ...schema.StepKind) *engine {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	e := &engine{kinds: kinds, state: schema.PlanPlanned, script: map[string][]reply{}, env: patient(&suite)}
	e.env.SetTestTimeout(20 * time.Second)
	e.env.SetWorkflowRunTimeout(365 * 24 * time.Hour) // the environment caps activities by it
	workflows.Register(e.env)
	var a *activities.Activities
	e.env.OnActivity(a.LoadPlan, anything, anything).Return(e.loadPlan).Maybe()
	e.env.OnActivity(a.Park, anything, anything).Return(e.park).Maybe()
	e.env.OnActivity(a.Finish, anything, anything).Return(e.finish).Maybe()
	e.env.OnActivity(a.Wait, anything, anything).Return(e.wait).Maybe()
	e.env.OnActivity(a.Delete, anything, anything).Return(e.deleteAccount).Maybe()
	e.env.OnActivity(a.RestoreStatus, anything, anything).Return(func(context.Context, activities.UndoInput) error {
		return e.take("RestoreStatus", nil).err
	}).Maybe()
	e.env.OnActivity(a.RestoreAccess, anything, anything).Return(func(context.Context, activities.UndoInput) error {
		return e.take("RestoreAccess", nil).err
	}).Maybe()
	for name, fn := range map[string]any{"RestoreGroups": a.RestoreGroups, "CloseWindow": a.CloseWindow} {
		e.env.OnActivity(fn, anything, anything).Return(func(context.Context, activities.UndoInput) error {
			return e.take(name, nil).err
		}).Maybe()
	}
	e.env.OnActivity(a.Task, anything, anything).Return(e.task).Maybe()
	for name, fn := range map[string]any{
		"Snapshot": a.Snapshot, "Suspend": a.Suspend, "Reactivate": a.Reactivate, "RevokeSessions": a.RevokeSessions, "CompleteTransfer": a.CompleteTransfer,
		"RemoveFromGroups": a.RemoveFromGroups, "Notify": a.Notify, "OpenWindow": a.OpenWindow,
	} {
		e.env.OnActivity(fn, anything, anything).Return(func(_ context.Context, in activities.StepInput) error {
			return e.take(name, &in.Ref).err
		}).Maybe()
	}
	for name, fn := range map[string]any{
		"EnterTransfer": a.EnterTransfer, "SendTransfer": a.SendTransfer, "InspectTransfer": a.InspectTransfer,
		"RearmTransfer": a.RearmTransfer, "ReopenTransfer": a.ReopenTransfer, "SettleTransfer": a.SettleTransfer, "StopTransfer": a.StopTransfer,
	} {
		e.env.OnActivity(fn, anything, anything).Return(func(_ context.Context, in activities.StepInput) (activities.TransferStatus, error) {
			r := e.take(name, &in.Ref)
			return r.transfer, r.err
		}).Maybe()
	}
	return e
}

// take records a call and returns its next scripted reply.
func (e *engine) take(name string, ref *schema.StepRef) reply {
	e.mu.Lock()
	e.calls = append(e.calls, name)
	if ref != nil {
		e.refs = append(e.refs, *ref)
	}
	var r reply
	if s := e.script[name]; len(s) > 0 {
		r = s[0]
		if len(s) > 1 {
			e.script[name] = s[1:]
		}
	}
	e.mu.Unlock()
	if r.do != nil {
		r.do()
	}
	return r
}

func (e *engine) loadPlan(_ context.Context, in activities.PlanInput) (activities.PlanOutline, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := activities.PlanOutline{State: e.state, Fence: e.fence, Window: e.window, LeftGroups: e.groups, Resumed: e.resumed}
	for i, k := range e.kinds {
		out.Steps = append(out.Steps, activities.StepOutline{Kind: k, Done: i < e.done, Begun: e.begun && i == e.done})
	}
	return out, nil
}

func (e *engine) park(_ context.Context, in activities.ParkInput) error {
	e.take("Park", nil)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.cause = schema.PlanParked, in.Cause
	return nil
}

func (e *engine) finish(_ context.Context, in activities.FinishInput) error {
	if err := e.take("Finish:"+string(in.State), nil).err; err != nil {
		return err
	}
	e.set(in.State)
	return nil
}

func (e *engine) wait(_ context.Context, in activities.WaitInput) (activities.WaitResult, error) {
	r := e.take("Wait", &in.Ref)
	return activities.WaitResult{Left: r.left}, r.err
}

func (e *engine) task(_ context.Context, in activities.StepInput) (activities.TaskResult, error) {
	r := e.take("Task", &in.Ref)
	return activities.TaskResult{Done: r.left == 0, Left: r.left}, r.err
}

func (e *engine) deleteAccount(_ context.Context, in activities.StepInput) (activities.DeleteStatus, error) {
	r := e.take("Delete", &in.Ref)
	return r.deleted, r.err
}

func (e *engine) set(s schema.PlanState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = s
}

// decide changes the plan's row after a while and tells the workflow, as the
// API and the dispatcher do.
func (e *engine) decide(t *testing.T, after time.Duration, id string, to schema.PlanState) {
	t.Helper()
	e.env.RegisterDelayedCallback(func() {
		e.set(to)
		e.env.UpdateWorkflow(workflows.UpdateDecide, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { t.Error("decision refused", err) }, OnComplete: func(any, error) {},
		}, workflows.DecideInput{DecisionID: schema.DecisionID(id)})
	}, after)
}

func (e *engine) run(t *testing.T) []string {
	t.Helper()
	e.env.ExecuteWorkflow(workflows.Deprovision, workflows.DeprovisionInput{PlanID: planID})
	require.True(t, e.env.IsWorkflowCompleted())
	require.NoError(t, e.env.GetWorkflowError())
	return e.calls
}

func at(s schema.TransferState) reply {
	return reply{transfer: activities.TransferStatus{State: s}}
}

func vendorError(kind string) error {
	return temporal.NewNonRetryableApplicationError("box.call: "+kind, kind, nil)
}

// patient is an environment of a suite that a busy machine does not fail: by default a
// workflow that got no processor for a second is called deadlocked.
func patient(suite *testsuite.WorkflowTestSuite) *testsuite.TestWorkflowEnvironment {
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	return env
}
