package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
	"sendoff/workflows"
)

// runAgain runs the workflow to its end and requires that it begins anew for the
// same plan.
func (e *engine) runAgain(t *testing.T) []string {
	t.Helper()
	e.env.ExecuteWorkflow(workflows.Deprovision, workflows.DeprovisionInput{PlanID: planID})
	require.True(t, e.env.IsWorkflowCompleted())
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, e.env.GetWorkflowError(), &next)
	require.Equal(t, "Deprovision", next.WorkflowType.Name)
	var in workflows.DeprovisionInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, workflows.DeprovisionInput{PlanID: planID}, in)
	return e.calls
}

// grow lets the server say that the history has become too long.
func (e *engine) grow() { e.env.SetContinueAsNewSuggested(true) }

// TestContinueAsNew: a history that has grown too long ends in a new run, at
// every place where a run may turn in a circle.
func TestContinueAsNew(t *testing.T) {
	t.Parallel()

	t.Run("from the transfer's loop", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferWaiting, Again: time.Hour}}}
		e.env.RegisterDelayedCallback(e.grow, 90*time.Minute)
		require.Equal(t, []string{"EnterTransfer", "EnterTransfer", "EnterTransfer"}, e.runAgain(t))
	})

	t.Run("from a step that is tried again after a resume", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSuspend)
		e.script["Suspend"] = []reply{{err: vendorError("forbidden")}}
		e.env.RegisterDelayedCallback(e.grow, 90*time.Minute)
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		e.decide(t, 2*time.Hour, "d2", schema.PlanRunning)
		require.Equal(t, []string{"Suspend", "Park", "Suspend", "Park"}, e.runAgain(t))
	})
}

// TestLaterRun: a run that is not the plan's first, because the history grew too
// long or the workflow was lost, goes on from the plan's row.
func TestLaterRun(t *testing.T) {
	t.Parallel()
	kinds := []schema.StepKind{schema.StepSnapshot, schema.StepSuspend, schema.StepRevokeSessions}

	t.Run("repeats a begun step with the fence of its beginning", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, kinds...)
		e.state, e.done, e.begun, e.fence = schema.PlanRunning, 1, true, 2
		require.Equal(t, []string{"Suspend", "RevokeSessions", "Finish:done"}, e.run(t))
		require.Equal(t, []schema.StepRef{{PlanID: planID, Index: 1, Fence: 1}, {PlanID: planID, Index: 2, Fence: 2}}, e.refs)
	})

	t.Run("begins the next step with the fence there is", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, kinds...)
		e.state, e.done, e.fence = schema.PlanRunning, 1, 1
		require.Equal(t, []string{"Suspend", "RevokeSessions", "Finish:done"}, e.run(t))
		require.Equal(t, []schema.StepRef{{PlanID: planID, Index: 1, Fence: 1}, {PlanID: planID, Index: 2, Fence: 2}}, e.refs)
	})

	t.Run("of a parked plan waits for a decision", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, kinds...)
		e.state, e.done, e.begun, e.fence = schema.PlanParked, 1, true, 2
		var acted time.Time
		e.script["Suspend"] = []reply{{do: func() { acted = e.env.Now() }}}
		start := e.env.Now()
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"Suspend", "RevokeSessions", "Finish:done"}, e.run(t))
		require.GreaterOrEqual(t, acted.Sub(start), time.Hour)
		require.EqualValues(t, 1, e.refs[0].Fence)
	})

	t.Run("of a parked plan that is cancelled undoes and carries out nothing", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, kinds...)
		e.state, e.done, e.begun, e.fence = schema.PlanParked, 1, true, 2
		e.decide(t, time.Hour, "d1", schema.PlanCancelling)
		require.Equal(t, []string{"StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
	})

	t.Run("of a cancelling plan undoes", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, kinds...)
		e.state, e.done, e.begun, e.fence = schema.PlanCancelling, 1, true, 2
		e.script["Suspend"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped))}} // as the row's gate refuses
		calls := e.run(t)
		require.Equal(t, []string{"StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, calls[len(calls)-4:])
		require.NotContains(t, calls, "RevokeSessions")
		require.EqualValues(t, 1, e.refs[len(e.refs)-1].Fence, "the transfer is looked at with the fence of the begun step")
	})

	for _, ended := range []schema.PlanState{schema.PlanDone, schema.PlanCancelled, schema.PlanSuperseded} {
		t.Run("of a plan that is "+string(ended)+" does nothing", func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, kinds...)
			e.state, e.done, e.fence = ended, 1, 1
			require.Empty(t, e.run(t))
		})
	}
}

// TestUnsent: a vendor that keeps from taking a transfer is asked less and less,
// and after about a day an operator is.
func TestUnsent(t *testing.T) {
	t.Parallel()
	intended := func(class schema.OutcomeClass) reply {
		return reply{transfer: activities.TransferStatus{State: schema.TransferIntended, Outcome: class}}
	}
	for name, answer := range map[string]reply{
		"rate limited": intended(schema.OutcomeRateLimited),
		"not started":  intended(schema.OutcomeNotStarted),
		"unavailable":  {err: temporal.NewApplicationError("token host down", activities.TypeUnavailable)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, schema.StepTransfer)
			e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
			e.script["InspectTransfer"] = []reply{at(schema.TransferIntended)}
			var sends []time.Time
			answer.do = func() { sends = append(sends, e.env.Now()) }
			e.script["SendTransfer"] = []reply{answer}
			var parked time.Time
			e.script["Park"] = []reply{{do: func() { parked = e.env.Now() }}}
			start := e.env.Now()
			e.decide(t, 72*time.Hour, "d1", schema.PlanCancelling)
			calls := e.run(t)
			require.Equal(t, []string{"Park", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, calls[len(calls)-5:])
			require.Equal(t, schema.ParkVendorFailing, e.cause.Code)
			require.NotEmpty(t, e.cause.Fix)
			require.InDelta(t, 24*time.Hour, parked.Sub(start), float64(2*time.Hour))
			require.Less(t, len(sends), 200, "each costs events of the history")
			gap := func(i int) time.Duration { return sends[i].Sub(sends[i-1]).Round(time.Second) }
			require.Equal(t, 2*time.Second, gap(1))
			for i := 2; i < len(sends); i++ {
				require.Equal(t, min(2*gap(i-1), 10*time.Minute), gap(i))
			}
		})
	}

	t.Run("the vendor's own delay counts when it is longer", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
		limited := intended(schema.OutcomeRateLimited)
		limited.transfer.Again = time.Hour
		e.script["SendTransfer"] = []reply{limited, at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		start := e.env.Now()
		e.run(t)
		require.InDelta(t, time.Hour, e.env.Now().Sub(start), float64(time.Minute))
	})
}

// TestUnsentLimitIsForEachResume: an operator who resumes gives the vendor the
// whole time again, not one more try.
func TestUnsentLimitIsForEachResume(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepTransfer)
	e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
	var parked []time.Time
	e.script["SendTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferIntended, Outcome: schema.OutcomeRateLimited}}}
	e.script["Park"] = []reply{{do: func() { parked = append(parked, e.env.Now()) }}}
	start := e.env.Now()
	e.decide(t, 72*time.Hour, "d1", schema.PlanRunning)
	e.decide(t, 200*time.Hour, "d2", schema.PlanCancelling)
	e.run(t)
	require.Len(t, parked, 2)
	require.Less(t, parked[0].Sub(start), 30*time.Hour)
	require.Greater(t, parked[1].Sub(start), 90*time.Hour)
}

// TestCancelAfterTheLastStep: what can be given back is, as long as the plan has
// not ended.
func TestCancelAfterTheLastStep(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepSuspend)
	e.script["Finish:done"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped)), do: func() { e.set(schema.PlanCancelling) }}}
	require.Equal(t, []string{"Suspend", "Finish:done", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
}

// TestRerunTakesUpWhatWasResumed: a run that was lost while its transfer was
// parked goes on at the first resume.
func TestRerunTakesUpWhatWasResumed(t *testing.T) {
	t.Parallel()
	for state, next := range map[schema.TransferState][]string{
		schema.TransferRefused: {"RearmTransfer", "EnterTransfer", "SendTransfer", "SettleTransfer"},
		schema.TransferStalled: {"ReopenTransfer", "SettleTransfer"},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, schema.StepTransfer)
			e.set(schema.PlanRunning)
			e.script["EnterTransfer"] = []reply{at(state), at(schema.TransferIntended)}
			e.script["RearmTransfer"] = []reply{at(schema.TransferWaiting)}
			e.script["ReopenTransfer"] = []reply{at(schema.TransferSettling)}
			e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
			e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
			require.Equal(t, append(append([]string{"EnterTransfer"}, next...), "CompleteTransfer", "Finish:done"), e.run(t))
		})
	}
}
