package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// back is a plan at the step that makes an account of that status active.
func (b *bundle) back(before string) schema.StepRef {
	b.t.Helper()
	b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = before })
	b.template("back", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{Kind: schema.StepReactivate}, schema.StepFact{
		Kind: schema.StepManual, StepParams: schema.StepParams{Title: "tell the holder", Owner: "desk"},
	})
	return b.leave(schema.StepReactivate, "back")
}

func TestReactivate(t *testing.T) {
	t.Parallel()
	for _, before := range []string{inactive, restricted} {
		t.Run("sends once, reads back, and a cancel gives back "+before, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.back(before)
			require.NoError(t, b.step(b.acts.Reactivate, ref))
			require.NoError(t, b.step(b.acts.Reactivate, ref), "a repeat after a lost completion")
			require.Equal(t, []string{"set_status 10 active"}, b.vendor.writes())
			p := b.plan(ref.PlanID)
			require.Equal(t, before, p.PriorStatus)
			require.Equal(t, map[string]string{"status": active}, p.Steps[ref.Index].Proof)
			b.cancel(ref.PlanID)
			require.NoError(t, b.restore(ref.PlanID))
			require.NoError(t, b.restore(ref.PlanID), "a repeat")
			require.Equal(t, []string{"set_status 10 active", "set_status 10 " + before}, b.vendor.writes())
		})
	}

	t.Run("an active account is not written to, nor given back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.back(active)
		require.NoError(t, b.step(b.acts.Reactivate, ref))
		b.cancel(ref.PlanID)
		require.NoError(t, b.restore(ref.PlanID))
		require.Empty(t, b.vendor.writes())
	})

	t.Run("a vendor that accepts and does not act is left to an operator", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.back(inactive)
		b.vendor.deaf["set_status"] = true
		requireType(t, b.step(b.acts.Reactivate, ref), activities.TypeNotYet, true)
		b.later(16 * time.Minute)
		requireParks(t, b.step(b.acts.Reactivate, ref), schema.ParkNotConfirmed)
	})

	t.Run("a leaver's plan takes over, with the status before", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = inactive })
		b.template("back", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{Kind: schema.StepReactivate}, schema.StepFact{Kind: schema.StepWait, WaitSeconds: 60})
		lower := b.lower("back")
		require.NoError(t, b.step(b.acts.Reactivate, b.carry(lower, schema.StepReactivate)))
		higher := b.leave(schema.StepSuspend, "suspend")
		require.Equal(t, schema.PlanSuperseded, b.plan(lower).State)
		require.NoError(t, b.step(b.acts.Suspend, higher))
		require.Equal(t, inactive, b.plan(higher.PlanID).PriorStatus, "a cancel closes what was closed before")
	})

	for name, c := range map[string]struct {
		happens func(b *bundle)
		want    schema.ParkCode
	}{
		"an admin by now": {func(b *bundle) {
			b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleOwner })
		}, schema.ParkSourceProtected},
		"gone": {func(b *bundle) { b.vendor.remove(leaver) }, schema.ParkAccountGone},
	} {
		t.Run("not of an account that is "+name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.back(inactive)
			c.happens(b)
			requireParks(t, b.step(b.acts.Reactivate, ref), c.want)
			require.Empty(t, b.vendor.writes())
		})
	}

	t.Run("not of an account that is protected by now", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.back(inactive)
		b.vendor.during["check"] = func() { b.restrict(schema.RestrictProtection) }
		requireType(t, b.step(b.acts.Reactivate, ref), activities.TypeOf(schema.CodeProtected), false)
		require.Empty(t, b.vendor.writes())
	})
}

// TestWatchersMayLookAtAdmins: a plan that writes nothing goes through for an
// account that every other plan refuses.
func TestWatchersMayLookAtAdmins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.change(leaver, func(a *schema.Account) { a.Role, a.Kind = schema.RoleOwner, schema.KindService })
	b.template("look", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{
		Kind: schema.StepManual, WaitSeconds: 86_400, StepParams: schema.StepParams{Title: "is this admin needed?", Owner: "desk"},
	})
	found := func(template string) (refused bool, said []schema.FindingCode) {
		for _, f := range b.draft(request(template))[0].Accounts[0].Findings {
			said = append(said, f.Code)
			refused = refused || !f.Warning
		}
		return refused, said
	}
	refused, said := found("look")
	require.False(t, refused)
	require.ElementsMatch(t, []schema.FindingCode{schema.SourceIsAdmin, schema.ServiceAccount}, said)
	ref := b.leave(schema.StepManual, "look")
	task, err := call[activities.StepInput, activities.TaskResult](b, b.acts.Task, activities.StepInput{Ref: ref})
	require.NoError(t, err)
	require.False(t, task.Done)
	require.Empty(t, b.vendor.writes())
	refused, said = found("suspend")
	require.True(t, refused)
	require.Subset(t, said, []schema.FindingCode{schema.SourceIsAdmin, schema.ServiceAccount})

	b.restrict(schema.RestrictProtection)
	refused, _ = found("look")
	require.True(t, refused, "a protection is kept by all")
}
