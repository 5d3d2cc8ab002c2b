package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock" //nolint:depguard // the SDK's environment takes its matchers
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"sendoff/activities"
	"sendoff/schema"
	"sendoff/workflows"
)

const anything = mock.Anything

var leaver = []schema.StepKind{schema.StepSnapshot, schema.StepSuspend, schema.StepRevokeSessions, schema.StepTransfer, schema.StepWait, schema.StepDelete}

func TestDeprovision(t *testing.T) {
	t.Parallel()

	t.Run("runs a leaver's steps in order and carries the fence", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, leaver...)
		e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.script["Wait"] = []reply{{left: 30 * 24 * time.Hour}, {}}
		e.script["Delete"] = []reply{{deleted: activities.DeleteStatus{Deleted: true}}}
		start := e.env.Now()
		require.Equal(t, []string{
			"Snapshot", "Suspend", "RevokeSessions", "EnterTransfer", "SendTransfer", "SettleTransfer",
			"CompleteTransfer", "Wait", "Wait", "SettleTransfer", "Delete", "Finish:done",
		}, e.run(t))
		require.GreaterOrEqual(t, e.env.Now().Sub(start), 30*24*time.Hour)
		for _, ref := range e.refs {
			require.Equal(t, int64(ref.Index), ref.Fence, "the fence is raised by each step")
		}
	})

	t.Run("a vendor's failure parks, and resume carries out the step again", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSuspend)
		e.script["Suspend"] = []reply{{err: vendorError("forbidden")}, {}}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"Suspend", "Park", "Suspend", "Finish:done"}, e.run(t))
		require.Equal(t, schema.ParkVendorRefused, e.cause.Code)
		require.Equal(t, schema.StepSuspend, e.cause.Step)
		require.NotEmpty(t, e.cause.Fix)
	})

	t.Run("cancelling a parked plan undoes and ends cancelled", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSuspend, schema.StepDelete)
		e.script["Delete"] = []reply{{err: vendorError("forbidden")}}
		e.decide(t, time.Hour, "d1", schema.PlanCancelling)
		require.Equal(t, []string{"Suspend", "SettleTransfer", "Delete", "Park", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
	})

	t.Run("cancelling during the wait undoes at once", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepWait, schema.StepDelete)
		e.script["Wait"] = []reply{{left: 30 * 24 * time.Hour}, {err: vendorError(activities.TypeOf(schema.CodeStopped))}}
		e.decide(t, 24*time.Hour, "d1", schema.PlanCancelling)
		start := e.env.Now()
		require.Equal(t, []string{"Wait", "Wait", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
		require.Less(t, e.env.Now().Sub(start), 25*time.Hour)
	})

	t.Run("a reactivation is carried out, and cancelled, as a suspension is", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSnapshot, schema.StepReactivate, schema.StepManual)
		require.Equal(t, []string{"Snapshot", "Reactivate", "Task", "Finish:done"}, e.run(t))
		e = newEngine(t, schema.StepReactivate)
		e.script["Reactivate"] = []reply{{err: vendorError("forbidden")}}
		e.decide(t, time.Hour, "d1", schema.PlanCancelling)
		require.Equal(t, []string{"Reactivate", "Park", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
	})

	t.Run("a superseded plan ends without undo", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSuspend)
		e.script["Suspend"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeSuperseded)), do: func() { e.set(schema.PlanSuperseded) }}}
		require.Equal(t, []string{"Suspend"}, e.run(t))
	})

	t.Run("an undo that fails parks the plan and goes on after resume", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepSuspend)
		e.script["Suspend"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped)), do: func() { e.set(schema.PlanCancelling) }}}
		e.script["RestoreStatus"] = []reply{{err: vendorError("unauthorized")}, {}}
		e.decide(t, time.Hour, "d1", schema.PlanCancelling)
		require.Equal(t, []string{"Suspend", "StopTransfer", "RestoreStatus", "Park", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
		require.Equal(t, schema.ParkUnauthorized, e.cause.Code)
	})

	t.Run("content that remains settles again before the next delete", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepDelete)
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.script["Delete"] = []reply{{deleted: activities.DeleteStatus{Again: time.Hour}}, {deleted: activities.DeleteStatus{Deleted: true}}}
		start := e.env.Now()
		require.Equal(t, []string{"SettleTransfer", "Delete", "SettleTransfer", "Delete", "Finish:done"}, e.run(t))
		require.GreaterOrEqual(t, e.env.Now().Sub(start), time.Hour)
	})
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	intended := at(schema.TransferIntended)

	t.Run("a source that owns nothing is skipped", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{at(schema.TransferSkipped)}
		require.Equal(t, []string{"EnterTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("a lost worker is settled by evidence and not sent again", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{err: temporal.NewHeartbeatTimeoutError()}}
		e.script["InspectTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "InspectTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("a worker lost before the send sends", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{err: temporal.NewHeartbeatTimeoutError()}, at(schema.TransferSettling)}
		e.script["InspectTransfer"] = []reply{intended}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "InspectTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("a rate limit waits as told and sends again", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{
			{transfer: activities.TransferStatus{State: schema.TransferIntended, Outcome: schema.OutcomeRateLimited, Again: 90 * time.Second}},
			at(schema.TransferSettling),
		}
		e.script["SettleTransfer"] = []reply{at(schema.TransferPresumed)}
		start := e.env.Now()
		e.run(t)
		require.GreaterOrEqual(t, e.env.Now().Sub(start), 90*time.Second)
	})

	t.Run("two 401s in a row park", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferIntended, Outcome: schema.OutcomeUnauthorized}}}
		e.decide(t, time.Hour, "d1", schema.PlanCancelling)
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "SendTransfer", "Park", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
		require.Equal(t, schema.ParkUnauthorized, e.cause.Code)
	})

	t.Run("busy waits and is armed again", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferBusy, Again: 2 * time.Minute}}, at(schema.TransferSettling)}
		e.script["RearmTransfer"] = []reply{intended}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "RearmTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("a refusal parks with the vendor's reason and resume sends again", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferRefused, Code: "forbidden", Reason: "higher privileged account"}}, at(schema.TransferSettling)}
		e.script["RearmTransfer"] = []reply{at(schema.TransferWaiting)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "Park", "RearmTransfer", "EnterTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
		require.Equal(t, schema.ParkTransferRefused, e.cause.Code)
		require.Contains(t, e.cause.Message, "higher privileged account")
	})

	t.Run("a waiter goes on when its lane signal comes", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferWaiting, Again: 10 * time.Hour}}, intended}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		e.env.RegisterDelayedCallback(func() { e.env.SignalWorkflow(workflows.SignalLane, nil) }, time.Minute)
		start := e.env.Now()
		e.run(t)
		require.Less(t, e.env.Now().Sub(start), time.Hour)
	})

	t.Run("a stalled transfer parks and resume watches on without sending", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{at(schema.TransferStalled), at(schema.TransferProven)}
		e.script["ReopenTransfer"] = []reply{at(schema.TransferSettling)}
		e.decide(t, time.Hour, "d1", schema.PlanRunning)
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "SettleTransfer", "Park", "ReopenTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
		require.Equal(t, schema.ParkTransferStalled, e.cause.Code)
	})

	t.Run("a failure before the send is tried again, not parked", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{{err: temporal.NewApplicationError("token host down", "unavailable")}, at(schema.TransferSettling)}
		e.script["InspectTransfer"] = []reply{intended}
		e.script["SettleTransfer"] = []reply{at(schema.TransferProven)}
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "InspectTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "Finish:done"}, e.run(t))
	})

	t.Run("cancel during settling acts when it has settled", func(t *testing.T) {
		t.Parallel()
		e := newEngine(t, schema.StepTransfer, schema.StepDelete)
		e.script["EnterTransfer"] = []reply{intended}
		e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
		e.script["SettleTransfer"] = []reply{{transfer: activities.TransferStatus{State: schema.TransferProven}, do: func() { e.set(schema.PlanCancelling) }}}
		e.script["Delete"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped))}}
		e.script["CompleteTransfer"] = []reply{{err: vendorError(activities.TypeOf(schema.CodeStopped))}}
		require.Equal(t, []string{"EnterTransfer", "SendTransfer", "SettleTransfer", "CompleteTransfer", "StopTransfer", "RestoreStatus", "RestoreAccess", "Finish:cancelled"}, e.run(t))
	})
}

// TestSettlePolls pins that the looks at a transfer come when the activity asks:
// 15 s, then half as long again each time (schema.TestClocks pins the rest; the
// environment ends an activity after StartToClose of skipped time).
func TestSettlePolls(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepTransfer)
	clocks := schema.DefaultClocks()
	e.script["EnterTransfer"] = []reply{at(schema.TransferIntended)}
	e.script["SendTransfer"] = []reply{at(schema.TransferSettling)}
	var times []time.Time
	var replies []reply
	for i := int32(1); i <= 9; i++ {
		replies = append(replies, reply{
			do:  func() { times = append(times, e.env.Now()) },
			err: temporal.NewApplicationErrorWithOptions("not yet", activities.TypeNotYet, temporal.ApplicationErrorOptions{NextRetryDelay: clocks.PollDelay(i)}),
		})
	}
	e.script["SettleTransfer"] = append(replies, at(schema.TransferProven))
	e.run(t)
	require.Len(t, times, 9)
	require.Equal(t, 15*time.Second, times[1].Sub(times[0]).Round(time.Second))
	require.Equal(t, 22500*time.Millisecond, times[2].Sub(times[1]).Round(time.Millisecond*100))
	require.Equal(t, clocks.PollDelay(8).Round(time.Second), times[8].Sub(times[7]).Round(time.Second))
}

func TestDecideNeedsAnID(t *testing.T) {
	t.Parallel()
	e := newEngine(t, schema.StepSuspend)
	e.script["Suspend"] = []reply{{err: vendorError("forbidden")}, {}}
	var refused error
	e.env.RegisterDelayedCallback(func() {
		e.env.UpdateWorkflow(workflows.UpdateDecide, "empty", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { refused = err }, OnComplete: func(any, error) {},
		}, workflows.DecideInput{})
	}, time.Minute)
	e.decide(t, time.Hour, "d1", schema.PlanRunning)
	e.run(t)
	require.ErrorContains(t, refused, "no id")
}
