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

func (b *bundle) restore(id schema.PlanID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.RestoreStatus, activities.UndoInput{PlanID: id})
	return err
}

func (b *bundle) restoreAccess(id schema.PlanID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.RestoreAccess, activities.UndoInput{PlanID: id})
	return err
}

func (b *bundle) finish(id schema.PlanID, to schema.PlanState) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.Finish, activities.FinishInput{PlanID: id, State: to})
	return err
}

func (b *bundle) cancel(id schema.PlanID) {
	b.decide(id, schema.Decision{Kind: schema.DecideCancel}, b.admin)
}

// suspended is a plan that suspended an account of that status.
func (b *bundle) suspended(before string) schema.PlanID {
	b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = before })
	return b.leave(schema.StepRevokeSessions, "suspend").PlanID
}

// TestRestoreStatus: cancel gives back the status there was (promise 7).
func TestRestoreStatus(t *testing.T) {
	t.Parallel()
	for _, before := range []string{active, restricted} {
		t.Run("in the vendor's own word "+before, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.suspended(before)
			b.cancel(id)
			require.NoError(t, b.restore(id))
			require.Equal(t, []string{"set_status 10 inactive", "set_status 10 " + before}, b.vendor.writes())
			require.Len(t, b.audited(id, "undo.intended"), 1)
			require.NoError(t, b.restore(id), "a repeat")
			require.Len(t, b.vendor.writes(), 2)
		})
	}

	t.Run("not of a plan that never suspended", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.suspended(inactive)
		b.cancel(id)
		require.NoError(t, b.restore(id))
		require.Empty(t, b.vendor.writes())
	})

	t.Run("only of a plan that is cancelled", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.suspended(active)
		requireType(t, b.restore(id), activities.TypeOf(schema.CodeConflict), false)
		require.Len(t, b.vendor.writes(), 1)
	})

	t.Run("is gated, read back and repeated until it shows", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.suspended(active)
		b.cancel(id)
		_, err := b.SetSwitch(t.Context(), schema.Switch{Paused: true, Reason: "test"}, b.admin)
		require.NoError(t, err)
		requireType(t, b.restore(id), activities.TypeOf(schema.CodePaused), true)
		require.Len(t, b.vendor.writes(), 1)
		_, err = b.SetSwitch(t.Context(), schema.Switch{}, b.admin)
		require.NoError(t, err)
		b.vendor.errs["set_status"] = []error{failure(connectors.Unavailable)}
		requireType(t, b.restore(id), activities.TypeUnavailable, true)
		b.vendor.deaf["set_status"] = true
		requireType(t, b.restore(id), activities.TypeNotYet, true)
		b.vendor.deaf["set_status"] = false
		require.NoError(t, b.restore(id))
	})

	t.Run("of an account that is gone gives nothing back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.suspended(active)
		b.cancel(id)
		b.vendor.remove(leaver)
		require.NoError(t, b.restore(id))
		require.Len(t, b.vendor.writes(), 1)
	})
}

// TestPlanLife: the activities that only move rows.
func TestPlanLife(t *testing.T) {
	t.Parallel()

	t.Run("a wait lasts from its first start", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
		r := request("leaver")
		r.Grace = 30 * 24 * time.Hour
		ref := b.carry(b.open(r).ID, schema.StepWait)
		wait := func() time.Duration {
			out, err := call[activities.WaitInput, activities.WaitResult](b, b.acts.Wait, activities.WaitInput{Ref: ref})
			require.NoError(t, err)
			return out.Left
		}
		require.InDelta(t, r.Grace, wait(), float64(time.Minute))
		require.Equal(t, schema.PlanWaiting, b.plan(ref.PlanID).State)
		b.later(29 * 24 * time.Hour)
		require.InDelta(t, 24*time.Hour, wait(), float64(time.Minute))
		b.later(24 * time.Hour)
		require.Zero(t, wait())
		require.Equal(t, schema.StepDone, b.plan(ref.PlanID).Steps[ref.Index].State)
	})

	t.Run("parking leaves the lane, unless something may be on its way", func(t *testing.T) {
		t.Parallel()
		for _, sent := range []bool{false, true} {
			b := setup(t)
			ref := b.intended()
			want := schema.TransferWaiting
			if sent {
				_, err := b.markSent(ref)
				require.NoError(t, err)
				want = schema.TransferSent
			}
			in := activities.ParkInput{PlanID: ref.PlanID, Cause: schema.Cause{Code: schema.ParkVendorFailing, Step: schema.StepTransfer}}
			_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.Park, in)
			require.NoError(t, err)
			require.Equal(t, want, b.transferOf(ref).State)
			p := b.plan(ref.PlanID)
			require.Equal(t, schema.PlanParked, p.State)
			require.Equal(t, schema.ParkVendorFailing, p.Cause.Code)
		}
	})

	t.Run("a case stopped before it was due ends with nothing sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := request("suspend")
		r.EffectiveAt, r.Approvals = b.now().Add(time.Hour), 1
		p := b.open(r)
		load := func() activities.CaseOutline {
			out, err := call[activities.CaseInput, activities.CaseOutline](b, b.acts.LoadCase, activities.CaseInput{CaseID: p.CaseID})
			require.NoError(t, err)
			return out
		}
		out := load()
		require.InDelta(t, time.Hour, out.Left, float64(time.Minute))
		require.Equal(t, []schema.PlanID{p.ID}, out.Open)
		require.False(t, out.Approved)
		require.False(t, out.Stopped)
		b.cancel(p.ID)
		b.later(2 * time.Hour)
		out = load()
		require.True(t, out.Stopped)
		require.Zero(t, out.Left)
		for _, end := range []any{b.acts.EndCancelled, b.acts.CloseCase} {
			_, err := b.activityEnv(worker.Options{}).ExecuteActivity(end, activities.CaseInput{CaseID: p.CaseID})
			require.NoError(t, err)
		}
		require.Equal(t, schema.PlanCancelled, b.plan(p.ID).State)
		c, err := b.Case(t.Context(), p.CaseID)
		require.NoError(t, err)
		require.False(t, c.ClosedAt.IsZero())
		require.Empty(t, load().Open)
		require.Empty(t, b.vendor.writes())
	})

	t.Run("a plan loads with its steps and finishes when they are", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepRevokeSessions, "suspend")
		requireType(t, b.finish(ref.PlanID, schema.PlanDone), activities.TypeOf(schema.CodeConflict), false)
		out, err := call[activities.PlanInput, activities.PlanOutline](b, b.acts.LoadPlan, activities.PlanInput{PlanID: ref.PlanID})
		require.NoError(t, err)
		require.Equal(t, activities.PlanOutline{
			State: schema.PlanRunning, Fence: ref.Fence, CurrentStep: 1,
			Steps: []activities.StepOutline{{Kind: schema.StepSnapshot, Done: true}, {Kind: schema.StepSuspend, Done: true}, {Kind: schema.StepRevokeSessions}},
		}, out)
		b.vendor.errs["revoke"] = []error{failure(connectors.Forbidden)}
		requireType(t, b.step(b.acts.RevokeSessions, ref), activities.TypeForbidden, false)
		out, err = call[activities.PlanInput, activities.PlanOutline](b, b.acts.LoadPlan, activities.PlanInput{PlanID: ref.PlanID})
		require.NoError(t, err)
		require.Equal(t, activities.StepOutline{Kind: schema.StepRevokeSessions, Begun: true}, out.Steps[2])
		require.Equal(t, ref.Fence+1, out.Fence, "a later run repeats the step with the fence before")
		require.NoError(t, b.step(b.acts.RevokeSessions, ref))
		require.NoError(t, b.finish(ref.PlanID, schema.PlanDone))
		require.Equal(t, schema.PlanDone, b.plan(ref.PlanID).State)
	})
}
