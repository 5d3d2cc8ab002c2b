package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// inRole is a plan at the step that makes an administrator a plain user; then
// somebody has a task, so that it can be cancelled.
func (b *bundle) inRole() schema.StepRef {
	b.t.Helper()
	b.vendor.me.Role = schema.RoleOwner
	b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin })
	b.template("role", schema.StepFact{Kind: schema.StepSetRole, StepParams: schema.StepParams{Role: schema.RoleMember}},
		schema.StepFact{Kind: schema.StepManual, StepParams: schema.StepParams{Title: "tell the holder", Owner: "desk"}},
		schema.StepFact{Kind: schema.StepSuspend})
	return b.leave(schema.StepSetRole, "role")
}

func (b *bundle) restoreRole(id schema.PlanID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.RestoreRole, activities.UndoInput{PlanID: id})
	return err
}

func TestSetRole(t *testing.T) {
	t.Parallel()

	t.Run("sends once, reads back, and a cancel gives the role back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		hash := b.plan(ref.PlanID).Hash
		require.NoError(t, b.step(b.acts.SetRole, ref))
		require.NoError(t, b.step(b.acts.SetRole, ref), "a repeat after a lost completion")
		require.Equal(t, []string{"set_role 10 member"}, b.vendor.writes())
		p := b.plan(ref.PlanID)
		require.Equal(t, map[string]string{"role": "member"}, p.Steps[ref.Index].Proof)
		require.Equal(t, hash, p.Hash, "what the plan itself did is no drift")
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreRole(ref.PlanID))
		require.NoError(t, b.restoreRole(ref.PlanID), "a repeat")
		require.Equal(t, []string{"set_role 10 member", "set_role 10 coadmin"}, b.vendor.writes())
	})

	t.Run("the role that the plan took away is no drift for its later steps", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		hash := b.plan(ref.PlanID).Hash
		require.NoError(t, b.step(b.acts.SetRole, ref))
		ref = b.carry(ref.PlanID, schema.StepManual)
		b.exec("update plan_step set state = 'done' where kind = 'manual'")
		require.NoError(t, b.step(b.acts.Suspend, schema.StepRef{PlanID: ref.PlanID, Index: 2, Fence: b.plan(ref.PlanID).Fence}))
		require.Equal(t, hash, b.plan(ref.PlanID).Hash)
	})

	t.Run("a role that somebody changed since is left as it is", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		require.NoError(t, b.step(b.acts.SetRole, ref))
		b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin })
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreRole(ref.PlanID))
		require.Equal(t, []string{"set_role 10 member"}, b.vendor.writes())
	})

	t.Run("a vendor that accepts and does not act is left to an operator", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		b.vendor.deaf["set_role"] = true
		requireType(t, b.step(b.acts.SetRole, ref), activities.TypeNotYet, true)
		b.later(16 * time.Minute)
		requireParks(t, b.step(b.acts.SetRole, ref), schema.ParkNotConfirmed)
	})

	t.Run("an answer that was lost is looked at before it is sent again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		b.vendor.lost["set_role"] = failure(connectors.Unavailable)
		requireType(t, b.step(b.acts.SetRole, ref), activities.TypeUnavailable, true)
		delete(b.vendor.lost, "set_role")
		require.NoError(t, b.step(b.acts.SetRole, ref))
		require.Equal(t, []string{"set_role 10 member"}, b.vendor.writes())
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreRole(ref.PlanID))
		require.Len(t, b.vendor.writes(), 2)
	})

	t.Run("one that the plan never wrote is not given back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inRole()
		b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleMember })
		require.NoError(t, b.step(b.acts.SetRole, ref))
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreRole(ref.PlanID))
		require.Empty(t, b.vendor.writes())
	})
}

func TestRemoveFromNamedGroups(t *testing.T) {
	t.Parallel()
	named := func(b *bundle, groups ...schema.ExternalID) schema.StepRef {
		b.vendor.groups = []schema.Membership{
			{ID: "m1", GroupID: "g1", Role: "member"}, {ID: "m2", GroupID: "g2", Role: "member"}, {ID: "m3", GroupID: "fed", Role: "member", Fixed: true},
		}
		b.template("named", schema.StepFact{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: groups}},
			schema.StepFact{Kind: schema.StepManual, StepParams: schema.StepParams{Title: "look", Owner: "desk"}})
		return b.leave(schema.StepRemoveFromGroups, "named")
	}

	t.Run("leaves the others", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := named(b, "g2")
		require.NoError(t, b.step(b.acts.RemoveFromGroups, ref))
		require.Equal(t, []string{"remove_membership m2"}, b.vendor.writes())
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreGroups(ref.PlanID))
		require.Len(t, b.vendor.groups, 3)
	})

	t.Run("is no success where the vendor keeps the account in one", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		requireParks(t, b.step(b.acts.RemoveFromGroups, named(b, "g1", "fed")), schema.ParkUnsupported)
		require.Empty(t, b.vendor.writes())
	})
}
