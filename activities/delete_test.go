package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func (b *bundle) delete(ref schema.StepRef) (activities.DeleteStatus, error) {
	return call[activities.StepInput, activities.DeleteStatus](b, b.acts.Delete, activities.StepInput{Ref: ref})
}

func (b *bundle) deletes() int { return b.vendor.count("delete") }

// empty is a plan before the delete of an account that owns nothing.
func (b *bundle) empty(template string) schema.StepRef {
	b.t.Helper()
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
	return b.leave(schema.StepDelete, template)
}

// moved is a plan before the delete of an account whose content was transferred.
func (b *bundle) moved() schema.StepRef {
	b.t.Helper()
	b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
	return b.leave(schema.StepDelete, "leaver", heirLogin)
}

func (b *bundle) requireDeleted(ref schema.StepRef) {
	b.t.Helper()
	p := b.plan(ref.PlanID)
	require.Equal(b.t, schema.StepDone, p.Steps[ref.Index].State)
	require.Equal(b.t, map[string]string{"read_by_id": "404", "enterprise": "900"}, p.Steps[ref.Index].Proof)
	a, err := b.Account(b.t.Context(), p.AccountID)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.AccountDeleted, a.Status)
}

func TestDelete(t *testing.T) {
	t.Parallel()

	t.Run("after a transfer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.moved()
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		require.Equal(t, 1, b.deletes())
		b.requireDeleted(ref)
	})

	t.Run("that is done is not looked at again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.empty("delete")
		_, err := b.delete(ref)
		require.NoError(t, err)
		b.exec(`update connection set state = 'disabled'`)
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		b.requireDeleted(ref)
	})

	t.Run("of an account that owns nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.empty("delete")
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		b.requireDeleted(ref)
	})

	t.Run("whose answer was lost is done at the next try", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.lost["delete"] = failure(connectors.Unavailable)
		ref := b.empty("delete")
		_, err := b.delete(ref)
		requireType(t, err, activities.TypeUnavailable, true)
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		require.Equal(t, 1, b.deletes())
		b.requireDeleted(ref)
	})

	t.Run("that took effect late meets nobody at the next try and is done", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.empty("delete")
		b.vendor.errs["delete"] = []error{failure(connectors.Unavailable)}
		_, err := b.delete(ref)
		requireType(t, err, activities.TypeUnavailable, true)
		b.vendor.lost["delete"] = failure(connectors.NotFound) // gone between the look and the call
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		b.requireDeleted(ref)
	})
}

// TestDeleteAbsence: absence is not our deletion (promise 8).
func TestDeleteAbsence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(b *bundle, ref schema.StepRef)
		want   schema.ParkCode
	}{
		"without an intent of ours": {func(*bundle, schema.StepRef) {}, schema.ParkAccountGone},
		"after a refused intent": {func(b *bundle, ref schema.StepRef) {
			b.vendor.errs["delete"] = []error{failure(connectors.Forbidden)}
			_, err := b.delete(ref)
			requireType(b.t, err, activities.TypeForbidden, false)
		}, schema.ParkAccountGone},
		"after an intent that never left us": {func(b *bundle, ref schema.StepRef) {
			b.vendor.errs["delete"] = []error{&connectors.Error{Kind: connectors.Unavailable, Op: "vendor.delete"}}
			_, err := b.delete(ref)
			requireType(b.t, err, activities.TypeUnavailable, true)
			require.Equal(b.t, "refused", b.audited(ref.PlanID, "write.outcome")[2]["outcome"])
		}, schema.ParkAccountGone},
		"in another enterprise, after a lost answer": {func(b *bundle, ref schema.StepRef) {
			b.vendor.errs["delete"] = []error{failure(connectors.Unavailable)}
			_, err := b.delete(ref)
			requireType(b.t, err, activities.TypeUnavailable, true)
			b.vendor.me.EnterpriseID = "901"
		}, schema.ParkEnterprise},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.empty("delete")
			c.before(b, ref)
			sent := b.deletes()
			b.vendor.remove(leaver)
			_, err := b.delete(ref)
			requireParks(t, err, c.want)
			require.Equal(t, sent, b.deletes())
			require.Equal(t, schema.StepRunning, b.plan(ref.PlanID).Steps[ref.Index].State)
		})
	}
}

// TestDeleteAnsweredNotFound: a proxy that repeats our delete answers for its
// second; the account was read just before, and the journal shows who sent it.
func TestDeleteAnsweredNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.empty("delete")
	b.vendor.lost["delete"] = failure(connectors.NotFound)
	s, err := b.delete(ref)
	require.NoError(t, err)
	require.True(t, s.Deleted)
	b.requireDeleted(ref)
	require.Equal(t, "unknown", b.audited(ref.PlanID, "write.outcome")[2]["outcome"])
}

// TestDeleteWaitsForItsTurn: what is decided while the request waits for its turn
// at the vendor's rate stops it.
func TestDeleteWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		during func(b *bundle, id schema.PlanID)
		want   schema.Code
	}{
		"a hold":       {func(b *bundle, _ schema.PlanID) { b.restrict(schema.RestrictHold) }, schema.CodeHeld},
		"a protection": {func(b *bundle, _ schema.PlanID) { b.restrict(schema.RestrictProtection) }, schema.CodeProtected},
		"a cancel":     {func(b *bundle, id schema.PlanID) { b.cancel(id) }, schema.CodeStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.moved()
			b.vendor.during["prepare_delete"] = func() { c.during(b, ref.PlanID) }
			_, err := b.delete(ref)
			requireType(t, err, activities.TypeOf(c.want), false)
			require.Zero(t, b.deletes())
		})
	}
}

// TestDeleteWithAnExpiredToken: the request is prepared anew once, with every check.
func TestDeleteWithAnExpiredToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.moved()
	b.vendor.errs["delete"] = []error{failure(connectors.Unauthorized)}
	s, err := b.delete(ref)
	require.NoError(t, err)
	require.True(t, s.Deleted)
	require.Equal(t, 2, b.vendor.count("prepare_delete"))

	b = setup(t)
	ref = b.moved()
	b.vendor.errs["delete"] = []error{failure(connectors.Unauthorized), failure(connectors.Unauthorized)}
	_, err = b.delete(ref)
	requireType(t, err, activities.TypeUnauthorized, false)
	require.Equal(t, 2, b.deletes())
}

// TestDeleteContentRemains: the vendor's refusal voids the transfer's verdict;
// the sixth is an operator's matter.
func TestDeleteContentRemains(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.moved()
	refusal := &connectors.Error{Kind: connectors.Conflict, Op: "vendor.delete", Status: 400, Err: connectors.ErrContentRemains}
	for try := 1; try <= 6; try++ {
		b.vendor.errs["delete"] = []error{refusal}
		s, err := b.delete(ref)
		if try == 6 {
			requireParks(t, err, schema.ParkContentRemains)
			break
		}
		require.NoError(t, err)
		require.Equal(t, activities.DeleteStatus{Again: time.Hour}, s)
		require.Equal(t, schema.TransferSettling, b.transferOf(ref).State)
		_, err = b.delete(ref)
		requireParks(t, err, schema.ParkContentRemains)
		require.Equal(t, try, b.deletes(), "not sent before the transfer has settled again")
		b.settled(ref)
	}
	require.Equal(t, 6, b.deletes())
	require.Equal(t, 6, b.plan(ref.PlanID).DeleteTries)
}

// TestDeleteChecks: what must hold directly before the call, or nothing is sent.
func TestDeleteChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan   func(b *bundle) schema.StepRef
		change func(v *vendor)
		want   schema.ParkCode
	}{
		"content in an account that was empty, with a transfer": {
			func(b *bundle) schema.StepRef { return b.empty("leaver") },
			func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1 }) }, schema.ParkContentRemains,
		},
		"content in an account that was empty, without a transfer": {
			func(b *bundle) schema.StepRef { return b.empty("delete") },
			func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1 }) }, schema.ParkContentRemains,
		},
		"content in an account whose transfer was proven": {
			(*bundle).moved, func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1 }) }, schema.ParkContentRemains,
		},
		"an account that was activated after our suspend": {
			(*bundle).moved, func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.VendorStatus = active }) }, schema.ParkReactivated,
		},
		"an empty account that was activated after our suspend": {
			func(b *bundle) schema.StepRef { return b.empty("delete") },
			func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.VendorStatus = restricted }) }, schema.ParkReactivated,
		},
		"trash that did not arrive": {
			func(b *bundle) schema.StepRef {
				b.vendor.trash[leaver] = []schema.Witness{{ID: "901", Type: "file"}, {ID: "902", Type: "file"}}
				return b.moved()
			},
			func(v *vendor) { v.trashed["902"] = false }, schema.ParkTrashRemains,
		},
		"a privileged account": {
			(*bundle).moved, func(v *vendor) { v.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin }) }, schema.ParkSourceProtected,
		},
		"another enterprise": {(*bundle).moved, func(v *vendor) { v.me.EnterpriseID = "901" }, schema.ParkEnterprise},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := c.plan(b)
			c.change(b.vendor)
			_, err := b.delete(ref)
			cause := requireParks(t, err, c.want)
			require.Zero(t, b.deletes())
			if c.want == schema.ParkTrashRemains {
				require.Contains(t, cause.Message, "902")
				require.NotContains(t, cause.Message, "901")
			}
		})
	}

	t.Run("trash that arrived is no hindrance", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.trash[leaver] = []schema.Witness{{ID: "901", Type: "file"}}
		s, err := b.delete(b.moved())
		require.NoError(t, err)
		require.True(t, s.Deleted)
	})

	t.Run("an account whose content could not be listed is not deleted without a transfer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
		id := b.open(request("delete")).ID
		b.vendor.errs["root"] = []error{failure(connectors.Forbidden)}
		_, err := b.delete(b.carry(id, schema.StepDelete))
		requireParks(t, err, schema.ParkContentRemains)
		require.Zero(t, b.deletes())
	})
}

// TestDeleteNotConfirmed: a delete that was accepted is never sent again.
func TestDeleteNotConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.deaf["delete"] = true
	ref := b.empty("delete")
	_, err := b.delete(ref)
	requireType(t, err, activities.TypeNotYet, true)
	b.later(14 * time.Minute)
	_, err = b.delete(ref)
	requireType(t, err, activities.TypeNotYet, true)
	b.later(2 * time.Minute)
	_, err = b.delete(ref)
	requireParks(t, err, schema.ParkNotConfirmed)
	require.Equal(t, 1, b.deletes())
	b.vendor.remove(leaver)
	s, err := b.delete(ref)
	require.NoError(t, err)
	require.True(t, s.Deleted)
	b.requireDeleted(ref)
}

// TestDeleteErrors: a definite refusal parks at once, a failure that may pass is
// tried again after a look.
func TestDeleteErrors(t *testing.T) {
	t.Parallel()
	for kind, retryable := range map[connectors.Kind]bool{
		connectors.Invalid: false, connectors.Forbidden: false,
		connectors.RateLimited: true, connectors.Malformed: true, connectors.Unavailable: true, connectors.Conflict: true,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.empty("delete")
			b.vendor.errs["delete"] = []error{failure(kind)}
			_, err := b.delete(ref)
			requireType(t, err, string(kind), retryable)
			require.Equal(t, 1, b.deletes())
			require.Zero(t, b.plan(ref.PlanID).DeleteTries)
			s, err := b.delete(ref)
			require.NoError(t, err)
			require.True(t, s.Deleted)
			require.Equal(t, 2, b.deletes())
		})
	}
}
