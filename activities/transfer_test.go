package activities_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func (b *bundle) enter(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.EnterTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) send(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.SendTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) inspect(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.InspectTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) stop(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.StopTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) settle(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.SettleTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) transferOf(ref schema.StepRef) schema.Transfer {
	b.t.Helper()
	tr, ok, err := b.Transfer(b.t.Context(), ref.PlanID)
	require.NoError(b.t, err)
	require.True(b.t, ok)
	return tr
}

// intended is a plan that holds its lane and has sent nothing.
func (b *bundle) intended() schema.StepRef {
	b.t.Helper()
	ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
	s, err := b.enter(ref)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.TransferIntended, s.State)
	return ref
}

// transfer carries a transfer step through: all of the leaver's content arrives,
// which is proven by witnesses, or presumed a day later without.
func (b *bundle) transfer(ref schema.StepRef) {
	b.t.Helper()
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeAccepted}
	s, err := b.enter(ref)
	require.NoError(b.t, err)
	if s.State == schema.TransferIntended {
		s, err = b.send(ref)
		require.NoError(b.t, err)
		require.Equal(b.t, schema.TransferSettling, s.State)
		b.vendor.moved(leaver, b.transferOf(ref).Receiver)
		b.settled(ref)
		s.State = b.transferOf(ref).State
	}
	require.True(b.t, s.State.Settled(), s.State)
	require.NoError(b.t, b.step(b.acts.CompleteTransfer, ref))
}

// settled looks twice, a day apart, and requires a verdict.
func (b *bundle) settled(ref schema.StepRef) {
	b.t.Helper()
	_, err := b.settle(ref)
	requireType(b.t, err, activities.TypeNotYet, true)
	b.later(25 * time.Hour)
	s, err := b.settle(ref)
	require.NoError(b.t, err)
	require.True(b.t, s.State.Settled(), s.State)
}

// TestSendOutcomes: each class of answer leads to its state, and only a definite
// refusal to one from which the request may be sent again (promise 2).
func TestSendOutcomes(t *testing.T) {
	t.Parallel()
	for class, c := range map[schema.OutcomeClass]struct {
		retryAfter time.Duration
		state      schema.TransferState
		again      time.Duration
	}{
		schema.OutcomeNotStarted:   {0, schema.TransferIntended, 0},
		schema.OutcomeRateLimited:  {7 * time.Second, schema.TransferIntended, 7 * time.Second},
		schema.OutcomeUnauthorized: {0, schema.TransferIntended, 0},
		schema.OutcomeBusy:         {0, schema.TransferBusy, 2 * time.Minute},
		schema.OutcomeRefused:      {0, schema.TransferRefused, 0},
		schema.OutcomeAccepted:     {0, schema.TransferSettling, 0},
		schema.OutcomeUnknown:      {0, schema.TransferSettling, 0},
		"a class yet to come":      {0, schema.TransferSettling, 0},
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.intended()
			b.vendor.outcome = schema.TransferOutcome{
				Class: class, RetryAfter: c.retryAfter, HTTPStatus: 499, VendorCode: "a_code", Reason: "a reason", FolderID: "500",
			}
			s, err := b.send(ref)
			require.NoError(t, err)
			require.Equal(t, activities.TransferStatus{
				State: c.state, Again: c.again, Outcome: class, Code: "a_code", Reason: "a reason", Missing: s.Missing,
			}, s)
			require.Equal(t, 1, b.vendor.count("send"))
			tr := b.transferOf(ref)
			require.Equal(t, c.state, tr.State)
			require.Equal(t, 1, tr.Attempts)
			require.Equal(t, []schema.ExternalID{"500"}, tr.FolderIDs)
			require.Len(t, b.audited(ref.PlanID, "transfer.outcome"), 1)

			again := 1
			if c.state == schema.TransferIntended {
				again = 2
			}
			_, err = b.send(ref)
			require.NoError(t, err)
			require.Equal(t, again, b.vendor.count("send"), "only an intended transfer is sent")
			require.Equal(t, again, b.transferOf(ref).Attempts)
		})
	}
}

// TestSendAgainAfterRefusal: an operator resumes a refused transfer, a busy one
// is made ready by time.
func TestSendAgainAfterRefusal(t *testing.T) {
	t.Parallel()
	for class, rearmed := range map[schema.OutcomeClass]schema.TransferState{
		schema.OutcomeBusy: schema.TransferIntended, schema.OutcomeRefused: schema.TransferWaiting,
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.intended()
			b.vendor.outcome.Class = class
			_, err := b.send(ref)
			require.NoError(t, err)
			s, err := call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
			require.NoError(t, err)
			require.Equal(t, rearmed, s.State)
			s, err = b.enter(ref)
			require.NoError(t, err)
			require.Equal(t, schema.TransferIntended, s.State)
			b.vendor.outcome.Class = schema.OutcomeAccepted
			_, err = b.send(ref)
			require.NoError(t, err)
			require.Equal(t, 2, b.transferOf(ref).Attempts)
		})
	}

	t.Run("one that may be at work is not", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.intended()
		b.vendor.outcome.Class = schema.OutcomeUnknown
		_, err := b.send(ref)
		require.NoError(t, err)
		s, err := call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, s.State)
	})
}

// TestSendTwiceAtOnce: an activity that was given up may still run beside its
// successor. One of them sends.
func TestSendTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.intended()
	b.vendor.outcome.Class = schema.OutcomeAccepted
	var both sync.WaitGroup
	both.Add(2)
	b.vendor.during["prepare"] = func() { both.Done(); both.Wait() }
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := b.send(ref)
			errs <- err
		}()
	}
	for range 2 {
		require.NoError(t, <-errs, "the one that came late tells where the transfer stands")
	}
	require.Equal(t, 1, b.vendor.count("send"))
	require.Equal(t, 1, b.transferOf(ref).Attempts)
}

// TestSendLostWorker: a worker that ended during the call left the row at sent.
// Nobody sends it again; only evidence tells what became of it.
func TestSendLostWorker(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(b *bundle, ref schema.StepRef) (activities.TransferStatus, error){
		"inspected": (*bundle).inspect, "stopped": (*bundle).stop,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.intended()
			_, err := b.markSent(ref)
			require.NoError(t, err)
			s, err := b.send(ref)
			require.NoError(t, err)
			require.Equal(t, schema.TransferSent, s.State)
			require.Zero(t, b.vendor.count("send"))
			s, err = look(b, ref)
			require.NoError(t, err)
			require.Equal(t, schema.TransferSettling, s.State)
			require.Equal(t, schema.OutcomeUnknown, s.Outcome)
		})
	}
}

// TestInspectAndStopBeforeSend: what was not sent leaves its lane and may go on.
func TestInspectAndStopBeforeSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
	s, err := b.inspect(ref)
	require.NoError(t, err)
	require.Empty(t, s.State, "no transfer yet")
	s, err = b.enter(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, s.State)
	s, err = b.inspect(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, s.State)
	s, err = b.stop(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferWaiting, s.State)
	require.Zero(t, b.transferOf(ref).Position)
}

// TestSendCancelledMeanwhile: a cancelled activity neither cuts the call short
// nor loses its answer.
func TestSendCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.intended()
	ctx, cancel := context.WithCancel(t.Context())
	var cut error
	b.vendor.sending = func(call context.Context) schema.TransferOutcome {
		cancel()
		cut = call.Err()
		return schema.TransferOutcome{Class: schema.OutcomeRefused, VendorCode: "a_code"}
	}
	_, _ = b.activityEnv(worker.Options{BackgroundActivityContext: ctx}).ExecuteActivity(b.acts.SendTransfer, activities.StepInput{Ref: ref})
	require.NoError(t, cut)
	require.Error(t, ctx.Err())
	require.Equal(t, schema.TransferRefused, b.transferOf(ref).State)
	require.Equal(t, "a_code", b.audited(ref.PlanID, "transfer.outcome")[0]["vendor_code"])
}

// TestSendStoppedMeanwhile: a plan that is cancelled or parked during the call
// still learns its outcome.
func TestSendStoppedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, stop := range map[schema.PlanState]func(b *bundle, id schema.PlanID){
		schema.PlanCancelling: (*bundle).cancel,
		schema.PlanParked: func(b *bundle, id schema.PlanID) {
			require.NoError(b.t, b.ParkPlan(b.t.Context(), id, schema.Cause{Code: schema.ParkVendorFailing}))
		},
	} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.intended()
			b.vendor.outcome.Class = schema.OutcomeAccepted
			b.vendor.during["send"] = func() { stop(b, ref.PlanID) }
			s, err := b.send(ref)
			require.NoError(t, err)
			require.Equal(t, schema.TransferSettling, s.State)
			require.Equal(t, name, b.plan(ref.PlanID).State)
		})
	}
}

// TestSendToAnotherReceiverNeedsApproval: the receiver is a hashed fact
// (promise 5).
func TestSendToAnotherReceiverNeedsApproval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request("leaver", heirLogin, secondLogin)
	r.Approvals = 1
	id := b.open(r).ID
	boss := b.principal("boss")
	approve := func() {
		c, err := b.Case(t.Context(), b.plan(id).CaseID)
		require.NoError(t, err)
		b.decide(id, schema.Decision{Kind: schema.DecideApprove, Hash: c.Hash}, boss)
	}
	approve()
	ref := b.carry(id, schema.StepTransfer)
	b.vendor.remove(heir)
	b.vendor.outcome.Class = schema.OutcomeAccepted
	s, err := b.enter(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, s.State)
	_, err = b.send(ref)
	requireType(t, err, activities.TypeOf(schema.CodeNotApproved), false)
	require.Zero(t, b.vendor.count("send"))
	approve()
	_, err = b.send(ref)
	require.NoError(t, err)
	require.Equal(t, 1, b.vendor.count("send 10 30"))
}

// TestSendGates: a transfer is gated as every write is, and what fails before
// the send leaves the transfer intended.
func TestSendGates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.intended()
	b.vendor.errs["prepare"] = []error{failure(connectors.RateLimited)}
	_, err := b.send(ref)
	requireType(t, err, activities.TypeRateLimited, true)
	_, err = b.SetSwitch(t.Context(), schema.Switch{Paused: true, Reason: "test"}, b.admin)
	require.NoError(t, err)
	_, err = b.send(ref)
	requireType(t, err, activities.TypeOf(schema.CodePaused), true)
	_, err = b.SetSwitch(t.Context(), schema.Switch{}, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, b.transferOf(ref).State)
	b.vendor.during["prepare"] = func() { b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideCancel}, b.admin) }
	_, err = b.send(ref)
	requireType(t, err, activities.TypeOf(schema.CodeStopped), false)
	require.Zero(t, b.vendor.count("send"))
	require.Zero(t, b.transferOf(ref).Attempts)
}
