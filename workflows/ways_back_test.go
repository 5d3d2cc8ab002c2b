package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"sendoff/activities"
	"sendoff/schema"
)

func TestStepsOfTemplates(t *testing.T) {
	t.Parallel()

	t.Run("groups, notices and tasks run in the plan's order", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepRemoveFromGroups, schema.StepNotify, schema.StepManual)
		e.script["Task"] = []reply{{left: 48 * time.Hour}, {}}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		start := e.env.Now()
		require.Equal(t, []string{"RemoveFromGroups", "Notify", "Task", "Task", "Finish:done"}, e.run(t))
		require.Less(t, e.env.Now().Sub(start), 2*time.Hour, "a decision is looked at when it comes")
	})

	t.Run("a task that nobody completed parks", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepManual)
		overdue := temporal.NewNonRetryableApplicationError("overdue", activities.TypeRefusal, nil, schema.Cause{Code: schema.ParkManualOverdue})
		e.script["Task"] = []reply{{left: 48 * time.Hour}, {err: overdue}, {}}
		e.decide(t, 72*time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"Task", "Task", "Park", "Task", "Finish:done"}, e.run(t))
		require.Equal(t, schema.ParkManualOverdue, e.cause.Code)
	})
}

func TestWaivedStep(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepSuspend, schema.StepRevokeSessions, schema.StepWait)
	e.script["RevokeSessions"] = []reply{{err: vendorError("forbidden")}, {err: vendorError(activities.TypeOf(schema.CodeWaived))}}
	e.decide(t, time.Hour, "d1", schema.PlanRunning)
	require.Equal(t, []string{"Suspend", "RevokeSessions", "Park", "RevokeSessions", "Wait", "Finish:done"}, e.run(t))
	require.Equal(t, schema.StepRef{PlanID: planID, Index: 2, Fence: 2}, e.refs[len(e.refs)-1], "a waived step counts for the fence")
}

func TestHeldStep(t *testing.T) {
	t.Parallel()
	for code, want := range map[schema.Code]schema.ParkCode{
		schema.CodeHeld: schema.ParkOnHold, schema.CodeProtected: schema.ParkSourceProtected,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, schema.StepSuspend)
			held := temporal.NewNonRetryableApplicationError("held", activities.TypeOf(code), nil, "release it, then resume")
			e.script["Suspend"] = []reply{{err: held}, {}}
			e.decide(t, time.Hour, "d1", schema.PlanRunning)
			require.Equal(t, []string{"Suspend", "Park", "Suspend", "Finish:done"}, e.run(t))
			require.Equal(t, want, e.cause.Code)
			require.Equal(t, "release it, then resume", e.cause.Fix)
		})
	}
}

func TestSendAgain(t *testing.T) {
	t.Parallel()

	t.Run("goes out at once when the lane is still held", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferStalled), at(schema.TransferProven)}
		e.script["ReopenTransfer"] = []reply{at(schema.TransferIntended)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{
			"EnterTransfer", "SendTransfer", "SettleTransfer", "Park", "ReopenTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
	})

	t.Run("queues anew when the lane was released", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferStalled), at(schema.TransferProven)}
		e.script["ReopenTransfer"] = []reply{at(schema.TransferWaiting)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{
			"EnterTransfer", "SendTransfer", "SettleTransfer", "Park", "ReopenTransfer", "EnterTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
	})

	t.Run("also before a delete whose transfer lost its verdict", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepDelete)
		e.script["SettleTransfer"] = []reply{at(schema.TransferStalled), at(schema.TransferProven)}
		e.script["ReopenTransfer"] = []reply{at(schema.TransferIntended)}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["Delete"] = []reply{{deleted: activities.DeleteStatus{Deleted: true}}}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"SettleTransfer", "Park", "ReopenTransfer", "SendTransfer", "SettleTransfer", "Delete", "Finish:done"}, e.run(t))
	})

	t.Run("a transfer given up ends its step", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferStalled)}
		e.script["ReopenTransfer"] = []reply{at(schema.TransferGivenUp)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "SettleTransfer", "Park", "ReopenTransfer", "Finish:done"}, e.run(t))
	})
}

// refusedInactive is a transfer that the vendor refused for its suspended source.
func refusedInactive(mayOpen bool) reply {
	return reply{transfer: activities.TransferStatus{State: schema.TransferRefused, Cause: schema.RefusedInactiveSource, MayOpen: mayOpen}}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	open := reply{transfer: activities.TransferStatus{State: schema.TransferIntended, Reactivate: true}}
	sent := reply{transfer: activities.TransferStatus{State: schema.TransferSettling, Reactivate: true, Window: true}}

	t.Run("an operator lets the source be active for the call alone", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended), open}
		e.script["SendTransfer"] = []reply{refusedInactive(false), sent}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{
			"EnterTransfer", "SendTransfer", "Park", "RearmTransfer", "EnterTransfer",
			"OpenWindow", "SendTransfer", "CloseWindow", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
		require.Equal(t, schema.ParkInactiveRefused, e.cause.Code)
		require.Contains(t, e.cause.Fix, "--reactivate")
	})

	t.Run("a template may allow it without an operator", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended), open}
		e.script["SendTransfer"] = []reply{refusedInactive(true), sent}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{
			"EnterTransfer", "SendTransfer", "RearmTransfer", "EnterTransfer",
			"OpenWindow", "SendTransfer", "CloseWindow", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
	})

	t.Run("is closed when the send fails, and before anything else when a run was lost", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferSent, Reactivate: true, Window: true}}}
		e.script["InspectTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{"EnterTransfer", "CloseWindow", "InspectTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("is closed when opening it fails: the account may be active all the same", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{open}
		e.script["OpenWindow"] = []reply{{err: vendorError("forbidden")}, {}}
		e.script["InspectTransfer"] = []reply{open}
		e.script["SendTransfer"] = []reply{sent}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{
			"EnterTransfer", "OpenWindow", "CloseWindow", "InspectTransfer", "Park",
			"EnterTransfer", "OpenWindow", "SendTransfer", "CloseWindow", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
		require.Equal(t, schema.ParkVendorRefused, e.cause.Code)
	})

	t.Run("that cannot be closed parks with a cause of its own, and is tried first after the resume", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{open, {transfer: activities.TransferStatus{State: schema.TransferSettling, Reactivate: true, Window: true}}}
		e.script["SendTransfer"] = []reply{sent}
		e.script["CloseWindow"] = []reply{{err: vendorError("forbidden")}, {}}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{
			"EnterTransfer", "OpenWindow", "SendTransfer", "CloseWindow", "Park",
			"EnterTransfer", "CloseWindow", "SettleTransfer", "CompleteTransfer", "Finish:done",
		}, e.run(t))
		require.Equal(t, schema.ParkWindowOpen, e.cause.Code)
	})
}

// TestUndoOrder: status first, then groups, then access (DESIGN section 5).
func TestUndoOrder(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepRemoveFromGroups)
	e.groups, e.window = true, true
	e.script["RemoveFromGroups"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped)), do: func() { e.set(schema.PlanCancelling) }}}
	require.Equal(t, []string{"RemoveFromGroups", "StopTransfer", "CloseWindow", "RestoreStatus", "RestoreGroups", "RestoreAccess", "Finish:cancelled"}, e.run(t))
}

// TestBusyForADay: a job of somebody else that never ends is an operator's matter,
// and the vendor is not asked at a fixed beat until then.
func TestBusyForADay(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepTransfer)
	e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
	e.script["SendTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferBusy, Again: 2 * time.Minute}}}
	e.script["RearmTransfer"] = []reply{at(schema.TransferIntended)}
	start := e.env.Now()
	var parked time.Duration
	e.script["Park"] = []reply{{do: func() { parked = e.env.Now().Sub(start) }}}
	e.decide(t, 72*time.Hour, "d1", schema.PlanCancelling)
	calls := e.run(t)
	require.Equal(t, schema.ParkTransferBusy, e.cause.Code)
	require.InDelta(t, 24*time.Hour, parked, float64(2*time.Hour))
	sends := 0
	for _, c := range calls {
		if c == "SendTransfer" {
			sends++
		}
	}
	require.Less(t, sends, 60)
}

// TestOtherDecisionsDuringAnUndo: what does not resume a plan parked in its undo
// does not end its workflow.
func TestOtherDecisionsDuringAnUndo(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepSuspend)
	e.state = schema.PlanCancelling
	e.script["Suspend"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped))}}
	e.script["RestoreStatus"] = []reply{{err: vendorError("forbidden")}, {}}
	e.decide(t, 2*time.Hour, "d1", schema.PlanParked)
	e.decide(t, 3*time.Hour, "d2", schema.PlanCancelling)
	calls := e.run(t)
	require.Equal(t, "Finish:cancelled", calls[len(calls)-1], "%v", calls)
}

// TestRefusedIsAskedAbout: a run that ended for its length between a refusal and
// its parking comes back to a plan that nobody resumed.
func TestRefusedIsAskedAbout(t *testing.T) {
	t.Parallel()
	no := false
	e := newEngine(t, schema.StepTransfer)
	e.state, e.begun, e.fence, e.resumed = schema.PlanRunning, true, 1, &no
	e.script["EnterTransfer"] = []reply{at(schema.TransferRefused), at(schema.TransferIntended)}
	e.script["RearmTransfer"] = []reply{at(schema.TransferWaiting)}
	e.script["SendTransfer"] = []reply{at(schema.TransferProven)}
	e.decide(t, time.Hour, "d1", schema.PlanRunning)
	require.Contains(t, e.run(t), "Park")
}
