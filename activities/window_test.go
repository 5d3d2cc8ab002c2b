package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func (b *bundle) closeWindow(id schema.PlanID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.CloseWindow, activities.UndoInput{PlanID: id})
	return err
}

// refusedInactive is a plan parked because the vendor refused its suspended source.
func (b *bundle) refusedInactive() schema.StepRef {
	b.t.Helper()
	ref := b.intended()
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRefused, Cause: schema.RefusedInactiveSource}
	s, err := b.send(ref)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.RefusedInactiveSource, s.Cause)
	require.False(b.t, s.MayOpen)
	require.NoError(b.t, b.ParkPlan(b.t.Context(), ref.PlanID, schema.Cause{Code: schema.ParkInactiveRefused}))
	return ref
}

func TestWindow(t *testing.T) {
	t.Parallel()

	t.Run("opens for the call alone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.refusedInactive()
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
		_, err := call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
		require.NoError(t, err)
		s, err := b.enter(ref)
		require.NoError(t, err)
		require.True(t, s.Reactivate)
		require.NoError(t, b.step(b.acts.OpenWindow, ref))
		require.Equal(t, active, b.vendor.accounts[leaver].VendorStatus)
		require.False(t, b.plan(ref.PlanID).WindowOpen.IsZero())

		b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeAccepted}
		s, err = b.send(ref)
		require.NoError(t, err)
		require.True(t, s.Window)
		require.NoError(t, b.closeWindow(ref.PlanID))
		require.NoError(t, b.closeWindow(ref.PlanID), "a repeat")
		require.Equal(t, inactive, b.vendor.accounts[leaver].VendorStatus)
		require.Equal(t, []string{
			"set_status 10 inactive", "revoke 10", "send 10 20", "set_status 10 active", "send 10 20", "set_status 10 inactive", "revoke 10",
		}, b.vendor.writes())
		require.Len(t, b.audited(ref.PlanID, "window.opened"), 1)
		require.Len(t, b.audited(ref.PlanID, "window.closed"), 1)
	})

	t.Run("only when somebody allowed it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.intended()
		requireType(t, b.step(b.acts.OpenWindow, ref), activities.TypeOf(schema.CodeConflict), false)
		require.Equal(t, inactive, b.vendor.accounts[leaver].VendorStatus)
	})

	t.Run("a template may allow it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.template("open", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{Kind: schema.StepSuspend},
			schema.StepFact{Kind: schema.StepTransfer, StepParams: schema.StepParams{Reactivate: true}})
		ref := b.leave(schema.StepTransfer, "open", heirLogin)
		_, err := b.enter(ref)
		require.NoError(t, err)
		b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRefused, Cause: schema.RefusedInactiveSource}
		s, err := b.send(ref)
		require.NoError(t, err)
		require.True(t, s.MayOpen)
		s, err = call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
		require.NoError(t, err)
		require.True(t, s.Reactivate)
		require.Len(t, b.audited(ref.PlanID, "window.allowed"), 1)
	})

	t.Run("closes though the plan was cancelled, and when the account is gone", func(t *testing.T) {
		t.Parallel()
		for _, gone := range []bool{false, true} {
			b := setup(t)
			ref := b.refusedInactive()
			b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
			require.NoError(t, b.step(b.acts.OpenWindow, ref))
			b.cancel(ref.PlanID)
			if gone {
				b.vendor.remove(leaver)
			}
			require.NoError(t, b.closeWindow(ref.PlanID))
			require.True(t, b.plan(ref.PlanID).WindowOpen.IsZero())
		}
	})

	t.Run("stays open in the row until the vendor says suspended", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.refusedInactive()
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
		require.NoError(t, b.step(b.acts.OpenWindow, ref))
		b.vendor.lost["set_status"] = failure(connectors.Unavailable)
		requireType(t, b.closeWindow(ref.PlanID), activities.TypeUnavailable, true)
		require.False(t, b.plan(ref.PlanID).WindowOpen.IsZero())
		b.vendor.deaf["set_status"] = true
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = active })
		requireType(t, b.closeWindow(ref.PlanID), activities.TypeNotYet, true)
		require.False(t, b.plan(ref.PlanID).WindowOpen.IsZero())
	})
	t.Run("closes though the vendor refuses to end sessions", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.refusedInactive()
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
		require.NoError(t, b.step(b.acts.OpenWindow, ref))
		b.vendor.errs["revoke"] = []error{failure(connectors.Forbidden)}
		require.NoError(t, b.closeWindow(ref.PlanID))
		require.Equal(t, inactive, b.vendor.accounts[leaver].VendorStatus)
		require.True(t, b.plan(ref.PlanID).WindowOpen.IsZero())
	})

	t.Run("stays open in the row when ending sessions may yet succeed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.refusedInactive()
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
		require.NoError(t, b.step(b.acts.OpenWindow, ref))
		b.vendor.errs["revoke"] = []error{failure(connectors.Unavailable)}
		requireType(t, b.closeWindow(ref.PlanID), activities.TypeUnavailable, true)
		require.False(t, b.plan(ref.PlanID).WindowOpen.IsZero())
	})
}
