package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func TestSuspend(t *testing.T) {
	t.Parallel()

	t.Run("sends once, reads back and remembers the status before", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = restricted })
		ref := b.leave(schema.StepSuspend, "suspend")
		require.NoError(t, b.step(b.acts.Suspend, ref))
		require.Equal(t, []string{"set_status 10 inactive"}, b.vendor.writes())
		p := b.plan(ref.PlanID)
		require.Equal(t, restricted, p.PriorStatus)
		require.Equal(t, schema.StepDone, p.Steps[ref.Index].State)
		require.Equal(t, map[string]string{"status": inactive}, p.Steps[ref.Index].Proof)

		require.NoError(t, b.step(b.acts.Suspend, ref), "a repeat after a lost completion")
		require.Len(t, b.vendor.writes(), 1)
	})

	t.Run("an account already suspended is not written to", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = inactive })
		ref := b.leave(schema.StepSuspend, "suspend")
		require.NoError(t, b.step(b.acts.Suspend, ref))
		require.Empty(t, b.vendor.writes())
		p := b.plan(ref.PlanID)
		require.Empty(t, p.PriorStatus, "undo has nothing to restore")
		require.Equal(t, schema.StepDone, p.Steps[ref.Index].State)
	})

	t.Run("an error after the effect is seen at the next try", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.lost["set_status"] = failure(connectors.Unavailable)
		ref := b.leave(schema.StepSuspend, "suspend")
		requireType(t, b.step(b.acts.Suspend, ref), activities.TypeUnavailable, true)
		require.Equal(t, "unknown", b.audited(ref.PlanID, "write.outcome")[0]["outcome"])
		require.NoError(t, b.step(b.acts.Suspend, ref))
		require.Len(t, b.vendor.writes(), 1)
		require.Equal(t, active, b.plan(ref.PlanID).PriorStatus)
	})

	t.Run("the prior status is the one before the first try", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = restricted })
		b.vendor.deaf["set_status"] = true
		ref := b.leave(schema.StepSuspend, "suspend")
		requireType(t, b.step(b.acts.Suspend, ref), activities.TypeNotYet, true)
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = active })
		b.vendor.deaf["set_status"] = false
		require.NoError(t, b.step(b.acts.Suspend, ref))
		require.Equal(t, restricted, b.plan(ref.PlanID).PriorStatus)
	})
}

// TestSuspendNotConfirmed: a vendor that accepts and does not act is asked again
// for the read-back time and then left to an operator.
func TestSuspendNotConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.deaf["set_status"] = true
	ref := b.leave(schema.StepSuspend, "suspend")
	app := requireType(t, b.step(b.acts.Suspend, ref), activities.TypeNotYet, true)
	require.Equal(t, 2*time.Second, app.NextRetryDelay())
	b.later(14 * time.Minute)
	requireType(t, b.step(b.acts.Suspend, ref), activities.TypeNotYet, true)
	require.Len(t, b.vendor.writes(), 2)
	b.later(2 * time.Minute)
	requireParks(t, b.step(b.acts.Suspend, ref), schema.ParkNotConfirmed)
	require.Len(t, b.vendor.writes(), 2)

	// An operator who resumes gets the whole time again.
	b.later(-16 * time.Minute)
	b.exec(`update vendor_write set intended_at = intended_at - interval '1 hour', outcome_at = outcome_at - interval '1 hour'`)
	b.exec(`update plan set updated_at = updated_at - interval '1 hour'`)
	requireParks(t, b.step(b.acts.Suspend, ref), schema.ParkNotConfirmed)
	require.NoError(t, b.ParkPlan(t.Context(), ref.PlanID, schema.Cause{Code: schema.ParkNotConfirmed}))
	b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideResume}, b.admin)
	b.vendor.deaf["set_status"] = false
	require.NoError(t, b.step(b.acts.Suspend, ref))
}

// TestSuspendJudgesWhatItRead: the row may show what a worker saw whose clock is
// ahead. A read-back that took the row for the answer would be wrong.
func TestSuspendJudgesWhatItRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.leave(schema.StepSuspend, "suspend")
	b.exec(`update account set observed_at = observed_at + interval '1 hour'`)
	require.NoError(t, b.step(b.acts.Suspend, ref))
	require.Len(t, b.vendor.writes(), 1)
}

// TestSuspendLooksFirst: what an operator must see stops the step before a write.
func TestSuspendLooksFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(v *vendor)
		want   schema.ParkCode
	}{
		"the account is gone": {func(v *vendor) { v.remove(leaver) }, schema.ParkAccountGone},
		"the account is gone because the connection looks elsewhere": {func(v *vendor) {
			v.remove(leaver)
			v.me.EnterpriseID = "901"
		}, schema.ParkEnterprise},
		"the account belongs to another enterprise": {func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.EnterpriseID = "901" })
		}, schema.ParkEnterprise},
		"the connection acts in another enterprise": {func(v *vendor) { v.me.EnterpriseID = "901" }, schema.ParkEnterprise},
		"the account became a co-admin": {func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin })
		}, schema.ParkSourceProtected},
		"the account became a service account": {func(v *vendor) {
			v.change(leaver, func(a *schema.Account) { a.Kind = schema.KindService })
		}, schema.ParkSourceProtected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.leave(schema.StepSuspend, "suspend")
			c.change(b.vendor)
			err := b.step(b.acts.Suspend, ref)
			requireParks(t, err, c.want)
			require.Empty(t, b.vendor.writes())
			require.NotContains(t, err.Error(), "@example.com")
		})
	}
}

func TestSuspendDrift(t *testing.T) {
	t.Parallel()
	rename := func(b *bundle) {
		b.vendor.change(leaver, func(a *schema.Account) { a.Login = "renamed@example.com" })
	}

	t.Run("without approvals the plan is renewed and audited", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepSuspend, "suspend")
		before := b.plan(ref.PlanID)
		rename(b)
		require.NoError(t, b.step(b.acts.Suspend, ref))
		after := b.plan(ref.PlanID)
		require.Equal(t, "renamed@example.com", after.Facts.Login)
		replaced := b.audited(ref.PlanID, "plan.replaced")
		require.Len(t, replaced, 1)
		require.Equal(t, map[string]string{"drift": "login", "old_hash": before.Hash, "new_hash": after.Hash, "approvals_void": "0"}, replaced[0])
	})

	t.Run("with approvals nothing is sent until the new plan is approved (promise 5)", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := request("suspend")
		r.Approvals = 1
		id := b.open(r).ID
		approve := func(by schema.Principal) {
			c, err := b.Case(t.Context(), b.plan(id).CaseID)
			require.NoError(t, err)
			b.decide(id, schema.Decision{Kind: schema.DecideApprove, Hash: c.Hash}, by)
		}
		boss := b.principal("boss")
		approve(boss)
		ref := b.carry(id, schema.StepSuspend)
		rename(b)
		requireType(t, b.step(b.acts.Suspend, ref), activities.TypeOf(schema.CodeNotApproved), false)
		require.Empty(t, b.vendor.writes())
		require.Equal(t, "1", b.audited(id, "plan.replaced")[0]["approvals_void"])
		approve(boss)
		require.NoError(t, b.step(b.acts.Suspend, ref))
		require.Len(t, b.vendor.writes(), 1)
	})
}

// TestWriteGate: whatever happens between the look and the write, the write is
// gated in the transaction that records its intent (promises 7, 11 and 12).
func TestWriteGate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens   func(b *bundle, id schema.PlanID)
		want      schema.Code
		retryable bool
	}{
		"paused": {func(b *bundle, _ schema.PlanID) {
			_, err := b.SetSwitch(b.t.Context(), schema.Switch{Paused: true, Reason: "test"}, b.admin)
			require.NoError(b.t, err)
		}, schema.CodePaused, true},
		"disabled": {func(b *bundle, _ schema.PlanID) {
			_, err := b.SetConnectionState(b.t.Context(), "fake", schema.ConnectionDisabled, "test", b.admin)
			require.NoError(b.t, err)
		}, schema.CodeClosed, false},
		"read-only": {func(b *bundle, _ schema.PlanID) {
			b.exec(`update connection set read_only = true`)
		}, schema.CodeReadOnly, false},
		"cancelled": {func(b *bundle, id schema.PlanID) {
			b.decide(id, schema.Decision{Kind: schema.DecideCancel}, b.admin)
		}, schema.CodeStopped, false},
		"superseded": {func(b *bundle, _ schema.PlanID) {
			b.exec(`update plan set state = 'superseded'`)
		}, schema.CodeSuperseded, false},
		"parked": {func(b *bundle, id schema.PlanID) {
			require.NoError(b.t, b.ParkPlan(b.t.Context(), id, schema.Cause{Code: schema.ParkInternal}))
		}, schema.CodeConflict, false},
		"restored from a backup": {func(b *bundle, _ schema.PlanID) {
			b.exec(`update plan set fence = fence - 1`)
		}, schema.CodeStateBehind, false},
		"overtaken": {func(b *bundle, _ schema.PlanID) {
			b.exec(`update plan set fence = fence + 1`)
		}, schema.CodeStale, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.leave(schema.StepSuspend, "suspend")
			b.vendor.during["check"] = func() { c.happens(b, ref.PlanID) }
			app := requireType(t, b.step(b.acts.Suspend, ref), activities.TypeOf(c.want), c.retryable)
			if c.want == schema.CodePaused {
				require.Equal(t, 10*time.Second, app.NextRetryDelay())
			}
			require.Empty(t, b.vendor.writes())
			require.Empty(t, b.audited(ref.PlanID, "write.intended"))
		})
	}

	t.Run("a workflow with the wrong fence does not even look", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepSuspend, "suspend")
		looks := b.vendor.count("read")
		ahead, old := ref, ref
		ahead.Fence, old.Fence = ref.Fence+1, ref.Fence-1
		requireType(t, b.step(b.acts.Suspend, ahead), activities.TypeOf(schema.CodeStateBehind), false)
		require.NoError(t, b.step(b.acts.Suspend, ref))
		sent, looked := len(b.vendor.writes()), b.vendor.count("read")
		require.Greater(t, looked, looks)
		requireType(t, b.step(b.acts.Suspend, old), activities.TypeOf(schema.CodeStale), false)
		require.Len(t, b.vendor.writes(), sent)
		require.Equal(t, looked, b.vendor.count("read"))
	})
}

func TestRevokeSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.errs["revoke"] = []error{failure(connectors.RateLimited)}
	ref := b.leave(schema.StepRevokeSessions, "suspend")
	requireType(t, b.step(b.acts.RevokeSessions, ref), activities.TypeRateLimited, true)
	require.NoError(t, b.step(b.acts.RevokeSessions, ref))
	require.Equal(t, []string{"set_status 10 inactive", "revoke 10", "revoke 10"}, b.vendor.writes())
	require.Equal(t, map[string]string{"accepted": "true"}, b.plan(ref.PlanID).Steps[ref.Index].Proof)
}
