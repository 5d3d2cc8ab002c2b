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

// template makes a template of those steps in the database.
func (b *bundle) template(name string, steps ...schema.StepFact) {
	b.t.Helper()
	_, err := b.ApplyTemplates(b.t.Context(), []schema.Template{{Name: name, Steps: steps, Source: "test"}}, b.admin)
	require.NoError(b.t, err)
}

// inGroups is a plan at the step that takes a member of two groups out of them; a
// third one the vendor keeps.
func (b *bundle) inGroups() schema.StepRef {
	b.t.Helper()
	b.vendor.groups = []schema.Membership{
		{ID: "m1", GroupID: "g1", Role: "member"},
		{ID: "m2", GroupID: "g2", Role: "admin", Permissions: map[string]bool{"can_run_reports": true}},
		{ID: "m3", GroupID: "everybody", Role: "member", Fixed: true},
	}
	b.template("groups", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{Kind: schema.StepSuspend}, schema.StepFact{Kind: schema.StepRemoveFromGroups})
	return b.leave(schema.StepRemoveFromGroups, "groups")
}

func (b *bundle) restoreGroups(id schema.PlanID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.RestoreGroups, activities.UndoInput{PlanID: id})
	return err
}

func TestRemoveFromGroups(t *testing.T) {
	t.Parallel()

	t.Run("and back with role and permissions", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		require.NoError(t, b.step(b.acts.RemoveFromGroups, ref))
		require.Len(t, b.vendor.groups, 1)
		require.Equal(t, map[string]string{"removed": "2", "left_by_vendor": "1"}, b.plan(ref.PlanID).Steps[ref.Index].Proof)
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreGroups(ref.PlanID))
		require.NoError(t, b.restoreGroups(ref.PlanID), "a repeat")
		require.Len(t, b.vendor.groups, 3)
		require.Contains(t, b.vendor.groups, schema.Membership{ID: "m2-again", GroupID: "g2", Role: "admin", Permissions: map[string]bool{"can_run_reports": true}})
		require.Len(t, b.audited(ref.PlanID, "undo.intended"), 2)
	})

	t.Run("is done when the listing says so, not before", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		b.vendor.deaf["remove_membership"] = true
		requireType(t, b.step(b.acts.RemoveFromGroups, ref), activities.TypeNotYet, true)
		b.vendor.deaf["remove_membership"] = false
		require.NoError(t, b.step(b.acts.RemoveFromGroups, ref))
		require.Len(t, b.plan(ref.PlanID).Memberships, 2, "what was there first is kept")
	})

	t.Run("a worker that took over late sees that it is done", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		b.vendor.during["groups"] = func() {
			if b.vendor.count("remove_membership") == 2 {
				b.vendor.during["groups"] = nil
				b.exec("update plan_step set state = 'pending' where kind = 'remove_from_groups'") // the worker dies before it tells
			}
		}
		require.Error(t, b.step(b.acts.RemoveFromGroups, ref))
		b.exec("update plan_step set state = 'running' where kind = 'remove_from_groups'")
		b.later(time.Hour)
		require.NoError(t, b.step(b.acts.RemoveFromGroups, ref))
		require.Equal(t, "2", b.plan(ref.PlanID).Steps[ref.Index].Proof["removed"])
	})

	t.Run("an answer that was lost half way loses no membership", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		b.vendor.lost["remove_membership"] = failure(connectors.Unavailable)
		requireType(t, b.step(b.acts.RemoveFromGroups, ref), activities.TypeUnavailable, true)
		delete(b.vendor.lost, "remove_membership")
		b.cancel(ref.PlanID)
		require.NoError(t, b.restoreGroups(ref.PlanID))
		require.Len(t, b.vendor.groups, 3)
	})

	t.Run("a group that is gone is left out and said so", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		require.NoError(t, b.step(b.acts.RemoveFromGroups, ref))
		b.cancel(ref.PlanID)
		b.vendor.errs["add_membership"] = []error{failure(connectors.NotFound)}
		require.NoError(t, b.restoreGroups(ref.PlanID))
		require.Len(t, b.vendor.groups, 2)
		require.Contains(t, b.audited(ref.PlanID, "evidence.read"), map[string]string{"evidence": "group_gone", "id": "g1", "step_index": "2"})
	})

	t.Run("nothing is sent while the engine is paused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.inGroups()
		_, err := b.SetSwitch(t.Context(), schema.Switch{Paused: true, Reason: "test"}, b.admin)
		require.NoError(t, err)
		requireType(t, b.step(b.acts.RemoveFromGroups, ref), activities.TypeOf(schema.CodePaused), true)
		require.Zero(t, b.vendor.count("remove_membership"))
	})
}
