package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// settling is a plan whose transfer of one file and one folder was accepted.
func (b *bundle) settling() schema.StepRef {
	b.t.Helper()
	b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}, {ID: "101", Type: "folder"}}
	return b.sent()
}

func (b *bundle) sent() schema.StepRef {
	b.t.Helper()
	ref := b.intended()
	b.vendor.outcome.Class = schema.OutcomeAccepted
	s, err := b.send(ref)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.TransferSettling, s.State)
	return ref
}

func (b *bundle) settleNotYet(ref schema.StepRef) time.Duration {
	b.t.Helper()
	_, err := b.settle(ref)
	return requireType(b.t, err, activities.TypeNotYet, true).NextRetryDelay()
}

func TestSettleProven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.settling()
	require.Equal(t, 15*time.Second, b.settleNotYet(ref))
	require.Zero(t, b.vendor.count("locate"), "witnesses are not looked for while bytes are left")
	b.vendor.moved(leaver, heir)
	b.settleNotYet(ref)
	b.later(9*time.Minute + 55*time.Second)
	require.LessOrEqual(t, b.settleNotYet(ref), 5*time.Second, "not later than the quiet time ends")
	b.later(6 * time.Second)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, activities.TransferStatus{State: schema.TransferProven, Outcome: schema.OutcomeAccepted}, s)
	require.Equal(t, []schema.ExternalID{"500"}, b.transferOf(ref).FolderIDs)
	proof := b.audited(ref.PlanID, "transfer.proven")[0]
	require.Equal(t, "2", proof["found"])
	require.Equal(t, "500", proof["folders"])

	s, err = b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferProven, s.State, "a repeat is no change")
	require.NoError(t, b.step(b.acts.CompleteTransfer, ref))
	require.Equal(t, map[string]string{"verdict": "proven"}, b.plan(ref.PlanID).Steps[ref.Index].Proof)
}

// TestSettleMissing: an empty source proves nothing while a witness is missing.
func TestSettleMissing(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]schema.WitnessPlace{
		"not found":                    {},
		"owned by somebody else":       {Found: true, Owner: second, FolderID: "500"},
		"still the leaver's":           {Found: true, Owner: leaver, FolderID: "500"},
		"at the receiver's root":       {Found: true, Owner: heir},
		"in a place that nobody found": {Owner: heir, FolderID: "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.settling()
			b.vendor.moved(leaver, heir)
			b.vendor.places["101"] = place
			b.settleNotYet(ref)
			b.later(time.Hour)
			b.settleNotYet(ref)
			tr := b.transferOf(ref)
			require.Equal(t, 1, tr.WitnessFound)
			require.True(t, tr.ClearSince.IsZero())
			b.later(24 * time.Hour)
			s, err := b.settle(ref)
			require.NoError(t, err)
			require.Equal(t, activities.TransferStatus{State: schema.TransferStalled, Outcome: schema.OutcomeAccepted, Missing: 1}, s)
			require.Equal(t, "101", b.audited(ref.PlanID, "transfer.stalled")[0]["missing"])
		})
	}
}

// TestSettlePresumed: without witnesses a day must pass, whatever the reads say.
func TestSettlePresumed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.errs["root"] = []error{failure(connectors.Forbidden)}
	ref := b.sent()
	b.vendor.moved(leaver, heir)
	b.settleNotYet(ref)
	b.later(23 * time.Hour)
	b.settleNotYet(ref)
	b.later(time.Hour)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferPresumed, s.State)
}

func TestSettleStalled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.settling()
	move := func() {
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed-- })
	}
	b.settleNotYet(ref)
	b.later(23 * time.Hour)
	move()
	b.settleNotYet(ref)
	b.later(23 * time.Hour)
	b.settleNotYet(ref)
	b.later(2 * time.Hour)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferStalled, s.State)

	// An operator who resumes watches on, for another day without movement.
	reopen := func() {
		s, err := call[activities.StepInput, activities.TransferStatus](b, b.acts.ReopenTransfer, activities.StepInput{Ref: ref})
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, s.State)
	}
	reopen()
	b.settleNotYet(ref)
	b.later(23 * time.Hour)
	b.settleNotYet(ref)
	b.later(2 * time.Hour)
	s, err = b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferStalled, s.State)
	reopen()
	b.vendor.moved(leaver, heir)
	b.settled(ref)
	require.Equal(t, schema.TransferProven, b.transferOf(ref).State)
}

// TestSettleClearsAnew: a clear read followed by one that is not begins the quiet
// time again.
func TestSettleClearsAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.settling()
	b.vendor.moved(leaver, heir)
	b.settleNotYet(ref)
	b.later(9 * time.Minute)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1 })
	b.settleNotYet(ref)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
	b.later(2 * time.Minute)
	b.settleNotYet(ref)
	b.later(11 * time.Minute)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferProven, s.State)
}

// TestSettleTrash: trash that the vendor leaves with the source is no content.
func TestSettleTrash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.trash[leaver], b.vendor.bytes = []schema.Witness{{ID: "900", Type: "file"}}, 7
	ref := b.settling()
	b.vendor.moved(leaver, heir)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 7 })
	b.settled(ref)
	require.Equal(t, schema.TransferProven, b.transferOf(ref).State)
}

// TestSettleTrashAlone: bytes that equal the trash tell nothing when no witness
// tells that the rest moved: they may be the content itself.
func TestSettleTrashAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 7 })
	b.vendor.trash[leaver], b.vendor.bytes = []schema.Witness{{ID: "900", Type: "file"}}, 7
	ref := b.sent()
	b.settleNotYet(ref)
	b.later(time.Hour)
	b.settleNotYet(ref)
	require.True(t, b.transferOf(ref).ClearSince.IsZero())
	b.later(24 * time.Hour)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferStalled, s.State)

	_, err = call[activities.StepInput, activities.TransferStatus](b, b.acts.ReopenTransfer, activities.StepInput{Ref: ref})
	require.NoError(t, err)
	b.vendor.moved(leaver, heir)
	b.settled(ref)
	require.Equal(t, schema.TransferProven, b.transferOf(ref).State)
}

// TestSettleBeyondEvidence: what can never be looked at parks a plan, and lets
// one that is cancelling go on with its undo.
func TestSettleBeyondEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(v *vendor)
		want   schema.ParkCode
		about  string
	}{
		"the receiver is suspended": {func(v *vendor) {
			v.moved(leaver, heir)
			v.change(heir, func(a *schema.Account) { a.VendorStatus = inactive })
		}, schema.ParkReceiverInactive, "receiver 20 "},
		"the receiver is gone": {func(v *vendor) {
			v.moved(leaver, heir)
			v.remove(heir)
		}, schema.ParkReceiverInactive, "receiver 20 "},
		"the source is gone": {func(v *vendor) { v.remove(leaver) }, schema.ParkAccountGone, "account 10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.settling()
			c.change(b.vendor)
			_, err := b.settle(ref)
			require.Contains(t, requireParks(t, err, c.want).Message, c.about)
			require.Zero(t, b.vendor.count("locate"))
			require.Equal(t, schema.TransferSettling, b.transferOf(ref).State)

			b.cancel(ref.PlanID)
			s, err := b.settle(ref)
			require.NoError(t, err)
			require.Equal(t, schema.TransferStalled, s.State)
			require.Equal(t, string(c.want), b.audited(ref.PlanID, "transfer.stalled")[0]["why"])
			require.NoError(t, b.restore(ref.PlanID))
			require.NoError(t, b.restoreAccess(ref.PlanID))
			require.NoError(t, b.finish(ref.PlanID, schema.PlanCancelled))
			require.Equal(t, schema.PlanCancelled, b.plan(ref.PlanID).State)
		})
	}

	t.Run("a cancelling plan whose receiver is suspended is watched while its source still moves", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.settling()
		b.vendor.change(heir, func(a *schema.Account) { a.VendorStatus = inactive })
		b.cancel(ref.PlanID)
		_, err := b.settle(ref)
		requireType(t, err, activities.TypeNotYet, true)
		require.Equal(t, schema.TransferSettling, b.transferOf(ref).State)
		b.vendor.moved(leaver, heir)
		s, err := b.settle(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferStalled, s.State)
	})

	t.Run("a failure that may pass keeps a cancelling plan waiting", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.settling()
		b.cancel(ref.PlanID)
		b.vendor.errs["read"] = []error{failure(connectors.Unavailable)}
		_, err := b.settle(ref)
		requireType(t, err, activities.TypeUnavailable, true)
		b.vendor.me.EnterpriseID = "901"
		b.vendor.remove(leaver)
		_, err = b.settle(ref)
		requireParks(t, err, schema.ParkEnterprise)
		require.Equal(t, schema.TransferSettling, b.transferOf(ref).State)
	})
}

// TestSettleLooks: reads that fail are tried again or park; none of them moves
// the transfer.
func TestSettleLooks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(v *vendor)
		check  func(t *testing.T, err error)
	}{
		"the vendor is down": {
			func(v *vendor) { v.errs["read"] = []error{failure(connectors.Unavailable)} },
			func(t *testing.T, err error) { requireType(t, err, activities.TypeUnavailable, true) },
		},
		"a witness cannot be read": {
			func(v *vendor) { v.moved(leaver, heir); v.errs["locate"] = []error{failure(connectors.RateLimited)} },
			func(t *testing.T, err error) { requireType(t, err, activities.TypeRateLimited, true) },
		},
		"the source is gone": {
			func(v *vendor) { v.remove(leaver) },
			func(t *testing.T, err error) { requireParks(t, err, schema.ParkAccountGone) },
		},
		"the connection looks elsewhere": {
			func(v *vendor) { v.remove(leaver); v.me.EnterpriseID = "901" },
			func(t *testing.T, err error) { requireParks(t, err, schema.ParkEnterprise) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.settling()
			c.change(b.vendor)
			_, err := b.settle(ref)
			c.check(t, err)
			tr := b.transferOf(ref)
			require.Equal(t, schema.TransferSettling, tr.State)
			require.True(t, tr.LastReadAt.IsZero())
		})
	}

	t.Run("a cancelled plan still learns what became of its transfer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.settling()
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideCancel}, b.admin)
		s, err := b.stop(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, s.State)
		b.vendor.moved(leaver, heir)
		b.settled(ref)
		require.Equal(t, schema.PlanCancelling, b.plan(ref.PlanID).State)
	})
}
