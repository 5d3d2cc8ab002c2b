package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/schema"
)

func (b *bundle) loadCase(id schema.CaseID) activities.CaseOutline {
	b.t.Helper()
	out, err := call[activities.CaseInput, activities.CaseOutline](b, b.acts.LoadCase, activities.CaseInput{CaseID: id})
	require.NoError(b.t, err)
	return out
}

func (b *bundle) endCancelled(id schema.CaseID) {
	b.t.Helper()
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.EndCancelled, activities.CaseInput{CaseID: id})
	require.NoError(b.t, err)
}

// dated opens a case for the leaver that begins in a month.
func (b *bundle) dated() schema.Plan {
	b.t.Helper()
	r := request("leaver", heirLogin)
	r.EffectiveAt = time.Now().Add(30 * 24 * time.Hour)
	return b.open(r)
}

// TestCancelOfASuccessor: a plan that took over from another has something to give
// back although it never began itself.
func TestCancelOfASuccessor(t *testing.T) {
	t.Parallel()

	t.Run("that never began, of an account nobody touched, ends at once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.dated()
		b.cancel(p.ID)
		require.True(t, b.loadCase(p.CaseID).Stopped)
		b.endCancelled(p.CaseID)
		require.Equal(t, schema.PlanCancelled, b.plan(p.ID).State)
	})

	t.Run("whose predecessor suspended goes through its undo, now", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.carry(b.lower("suspend"), schema.StepRevokeSessions)
		p := b.dated()
		b.cancel(p.ID)
		out := b.loadCase(p.CaseID)
		require.False(t, out.Stopped)
		require.True(t, out.Approved)
		require.Zero(t, out.Left)
		require.Equal(t, []schema.PlanID{p.ID}, out.Open)
		b.endCancelled(p.CaseID)
		require.Equal(t, schema.PlanCancelling, b.plan(p.ID).State, "it is not ended without its undo")
		require.NoError(t, b.restore(p.ID))
		require.Equal(t, active, b.vendor.accounts[leaver].VendorStatus)
	})

	t.Run("whose predecessor sent a transfer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		ref := b.carry(b.lower("leaver", heirLogin), schema.StepTransfer)
		_, err := b.enter(ref)
		require.NoError(t, err)
		b.vendor.outcome.Class = schema.OutcomeUnknown
		_, err = b.send(ref)
		require.NoError(t, err)
		p := b.dated()
		b.cancel(p.ID)
		require.False(t, b.loadCase(p.CaseID).Stopped)
		b.endCancelled(p.CaseID)
	})
}

// TestNoSuccessorInAWindow: while the source is active for a call, only the plan
// that opened the window knows to close it.
func TestNoSuccessorInAWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.lower("leaver", heirLogin)
	ref := b.carry(old, schema.StepTransfer)
	_, err := b.enter(ref)
	require.NoError(t, err)
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRefused, Cause: schema.RefusedInactiveSource}
	_, err = b.send(ref)
	require.NoError(t, err)
	require.NoError(t, b.ParkPlan(t.Context(), old, schema.Cause{Code: schema.ParkInactiveRefused}))
	b.decide(old, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
	require.NoError(t, b.step(b.acts.OpenWindow, ref))
	require.Contains(t, findings(b.draft(request("leaver", heirLogin))[0].AllFindings()), "BUSY")
	require.NoError(t, b.closeWindow(old))
	require.Contains(t, findings(b.draft(request("leaver", heirLogin))[0].AllFindings()), "(SUPERSEDES)")
}

// TestSecondWindow: one that opens long after the first was closed is judged by
// itself.
func TestSecondWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.refusedInactive()
	b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideReactivate}, b.admin)
	_, err := call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
	require.NoError(t, err)
	_, err = b.enter(ref)
	require.NoError(t, err)
	require.NoError(t, b.step(b.acts.OpenWindow, ref))
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRateLimited, RetryAfter: 20 * time.Minute}
	_, err = b.send(ref)
	require.NoError(t, err)
	require.NoError(t, b.closeWindow(ref.PlanID))
	b.later(20 * time.Minute)
	require.NoError(t, b.step(b.acts.OpenWindow, ref))
}

// TestContentAfterTheSnapshot: what appeared since is transferred, and its arrival
// presumed, for nobody listed it.
func TestContentAfterTheSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
	ref := b.carry(b.open(request("leaver", heirLogin)).ID, schema.StepTransfer)
	require.True(t, b.plan(ref.PlanID).Snapshot.OwnsNothing())
	b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 5000 })
	s, err := b.enter(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, s.State)
	require.False(t, b.plan(ref.PlanID).Snapshot.WitnessesOK)
}

// TestOldWordOverHolds: a declaration made before holds could be read does not
// cover that they cannot be read any more.
func TestOldWordOverHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declare := func() {
		_, err := b.DeclareNoHolds(t.Context(), b.conn.Name, schema.Declaration{Reason: "test", ExpiresAt: time.Now().Add(time.Hour)}, b.admin)
		require.NoError(t, err)
	}
	declare()
	ref := b.moved()
	require.Equal(t, schema.HoldsRead, b.plan(ref.PlanID).Facts.Holds)
	b.vendor.errs["holds"] = []error{failure("forbidden"), failure("forbidden")}
	_, err := b.delete(ref)
	requireParks(t, err, schema.ParkHoldsUnreadable)
	declare()
	s, err := b.delete(ref)
	require.NoError(t, err)
	require.True(t, s.Deleted)
}
