package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// scattered is a plan whose transfer is proven, with content in two folders of
// the receiver's.
func (b *bundle) scattered() schema.PlanID {
	b.t.Helper()
	ref := b.settling()
	b.vendor.moved(leaver, heir)
	b.vendor.places["101"] = schema.WitnessPlace{Found: true, Owner: heir, FolderID: "501"}
	b.settled(ref)
	require.Equal(b.t, []schema.ExternalID{"500", "501"}, b.transferOf(ref).FolderIDs)
	return ref.PlanID
}

func (b *bundle) grants() int { return b.vendor.count("grant") }

// TestRestoreAccess: cancel gives back access to the content, not the ownership
// (promise 7).
func TestRestoreAccess(t *testing.T) {
	t.Parallel()

	t.Run("to every destination folder, once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		require.NoError(t, b.restoreAccess(id))
		require.Equal(t, 1, b.vendor.count("grant 20 500 10"))
		require.Equal(t, 1, b.vendor.count("grant 20 501 10"))
		require.Len(t, b.audited(id, "undo.intended"), 2)
		require.NoError(t, b.restoreAccess(id), "a repeat")
		require.Equal(t, 2, b.grants())
	})

	t.Run("not where it is there already", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		b.vendor.access["500 10"] = true
		require.NoError(t, b.restoreAccess(id))
		require.Equal(t, 1, b.grants())
		require.Equal(t, 1, b.vendor.count("grant 20 501 10"))
	})

	t.Run("not when the receiver is gone, which is recorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		b.vendor.remove(heir)
		require.NoError(t, b.restoreAccess(id))
		require.Zero(t, b.grants())
		require.NotEmpty(t, b.audited(id, "evidence.read"))
	})

	t.Run("not while the receiver is suspended, which is recorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		b.vendor.change(heir, func(a *schema.Account) { a.VendorStatus = inactive })
		require.NoError(t, b.restoreAccess(id))
		require.Zero(t, b.grants())
		require.NotEmpty(t, b.audited(id, "evidence.read"))
	})

	t.Run("only of a plan that is cancelled", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		requireType(t, b.restoreAccess(id), activities.TypeOf(schema.CodeConflict), false)
		require.Zero(t, b.grants())
	})

	t.Run("is gated, read back and repeated until it shows", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		_, err := b.SetSwitch(t.Context(), schema.Switch{Paused: true, Reason: "test"}, b.admin)
		require.NoError(t, err)
		requireType(t, b.restoreAccess(id), activities.TypeOf(schema.CodePaused), true)
		require.Zero(t, b.grants())
		_, err = b.SetSwitch(t.Context(), schema.Switch{}, b.admin)
		require.NoError(t, err)
		b.vendor.deaf["grant"] = true
		requireType(t, b.restoreAccess(id), activities.TypeNotYet, true)
		require.Zero(t, b.vendor.count("grant 20 501 10"), "one folder after the other")
		b.vendor.deaf["grant"] = false
		b.vendor.lost["grant"] = failure(connectors.Unavailable)
		requireType(t, b.restoreAccess(id), activities.TypeUnavailable, true)
		require.Equal(t, 2, b.vendor.count("grant 20 500 10"))
		delete(b.vendor.lost, "grant")
		require.NoError(t, b.restoreAccess(id))
		require.Equal(t, 2, b.vendor.count("grant 20 500 10"), "its lost answer was seen to have had effect")
		require.Equal(t, 1, b.vendor.count("grant 20 501 10"))
	})

	t.Run("not of a plan that moved nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.intended().PlanID
		b.cancel(id)
		require.NoError(t, b.restoreAccess(id))
		require.Zero(t, b.grants())
	})

	t.Run("not to an account that is gone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.scattered()
		b.cancel(id)
		b.vendor.remove(leaver)
		require.NoError(t, b.restoreAccess(id))
		require.Zero(t, b.grants())
	})
}

// TestNothingGivenBackAfterDelete: a delete that the vendor accepted before the
// cancel came may take effect at any time, also while the account still reads.
func TestNothingGivenBackAfterDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.moved()
	b.vendor.deaf["delete"] = true
	_, err := b.delete(ref)
	requireType(t, err, activities.TypeNotYet, true)
	require.Equal(t, []schema.ExternalID{"500"}, b.transferOf(ref).FolderIDs)
	require.Equal(t, active, b.plan(ref.PlanID).PriorStatus)
	b.cancel(ref.PlanID)
	sent := b.vendor.writes()
	require.NoError(t, b.restore(ref.PlanID))
	require.NoError(t, b.restoreAccess(ref.PlanID))
	require.Equal(t, sent, b.vendor.writes())
	require.Empty(t, b.audited(ref.PlanID, "undo.intended"))
}

// TestGivenBackAfterRefusedDelete: a delete that the vendor refused took nothing.
func TestGivenBackAfterRefusedDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.moved()
	b.vendor.errs["delete"] = []error{failure(connectors.Forbidden)}
	_, err := b.delete(ref)
	requireType(t, err, activities.TypeForbidden, false)
	b.cancel(ref.PlanID)
	require.NoError(t, b.restore(ref.PlanID))
	require.NoError(t, b.restoreAccess(ref.PlanID))
	require.Equal(t, 1, b.vendor.count("set_status 10 active"))
	require.Equal(t, 1, b.vendor.count("grant 20 500 10"))
}
