package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestBeginStep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")

	t.Run("raises the fence once, however often it is repeated", func(t *testing.T) {
		ref := schema.StepRef{PlanID: p.ID}
		first, err := b.BeginStep(ctx, ref)
		require.NoError(t, err)
		require.EqualValues(t, 1, first.Fence)
		require.Equal(t, schema.PlanRunning, first.State)
		require.Equal(t, schema.StepRunning, first.Steps[0].State)
		again, err := b.BeginStep(ctx, ref)
		require.NoError(t, err)
		require.Equal(t, first, again)
	})
	t.Run("runs steps in their order", func(t *testing.T) {
		_, err := b.BeginStep(ctx, schema.StepRef{PlanID: p.ID, Index: 1, Fence: 1})
		requireCode(t, schema.CodeConflict, err)
		_, err = b.BeginStep(ctx, schema.StepRef{PlanID: p.ID, Index: 9, Fence: 1})
		requireCode(t, schema.CodeConflict, err)
	})
	t.Run("a caller that was overtaken is stale", func(t *testing.T) {
		ref := schema.StepRef{PlanID: p.ID}
		require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, map[string]string{"a": "b"}))
		require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil), "a repeat is no change")
		require.Equal(t, map[string]string{"a": "b"}, b.plan(p.ID).Steps[0].Proof)
		b.begin(p.ID, 1)
		_, err := b.BeginStep(ctx, ref)
		requireCode(t, schema.CodeStale, err)
		requireCode(t, schema.CodeStale, b.CompleteStep(ctx, ref, schema.StepDone, nil))
		requireCode(t, schema.CodeStale, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
	})
	t.Run("a database restored behind its workflow is noticed", func(t *testing.T) {
		ref := schema.StepRef{PlanID: p.ID, Index: 1, Fence: 1}
		b.exec(`update plan set fence = 1 where id = $1`, p.ID)
		requireCode(t, schema.CodeStateBehind, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
		requireCode(t, schema.CodeStateBehind, b.CompleteStep(ctx, ref, schema.StepDone, nil))
		b.exec(`update plan set fence = 0 where id = $1`, p.ID)
		_, err := b.BeginStep(ctx, ref)
		requireCode(t, schema.CodeStateBehind, err)
		requireCode(t, schema.CodeStateBehind, b.RecordEvidence(ctx, ref, schema.Evidence{Kind: "account"}))
	})
	t.Run("unknown plans are not found, ended ones stopped", func(t *testing.T) {
		_, err := b.BeginStep(ctx, schema.StepRef{PlanID: "0197c0de-0000-7000-8000-000000000001"})
		requireCode(t, schema.CodeNotFound, err)
		b.exec(`update plan set state = 'superseded' where id = $1`, p.ID)
		_, err = b.BeginStep(ctx, schema.StepRef{PlanID: p.ID})
		requireCode(t, schema.CodeSuperseded, err)
		b.exec(`update plan set state = 'done' where id = $1`, p.ID)
		_, err = b.BeginStep(ctx, schema.StepRef{PlanID: p.ID})
		requireCode(t, schema.CodeStopped, err)
		_, err = b.ReplacePlan(ctx, p.ID, p.Facts, nil)
		requireCode(t, schema.CodeStopped, err)
	})
}

// The workflow may have been started before somebody moved the date.
func TestNothingBeginsBeforeItsDate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "leaver")
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}))
	_, err := b.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID})
	requireCode(t, schema.CodeUnavailable, err)
	require.ErrorContains(t, err, "2099-01-01T00:00:00Z")
	require.Equal(t, schema.PlanPlanned, b.plan(p.ID).State)
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: time.Now()}))
	b.begin(p.ID, 0)
}

func TestMembershipsAreAddedToThoseKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.begin(b.leaver("1", "2", "leaver").ID, 0)
	first, late := schema.Membership{ID: "m1", GroupID: "g1", Role: "admin"}, schema.Membership{ID: "m2", GroupID: "g2", Role: "member"}
	require.NoError(t, b.SaveMemberships(ctx, ref, nil))
	require.NoError(t, b.SaveMemberships(ctx, ref, []schema.Membership{first}))
	require.NoError(t, b.SaveMemberships(ctx, ref, []schema.Membership{{ID: "m3", GroupID: "g1", Role: "member"}, late}))
	require.NoError(t, b.SaveMemberships(ctx, ref, nil), "taken away by now")
	require.Equal(t, []schema.Membership{first, late}, b.plan(ref.PlanID).Memberships)
}

func TestOneOfManyBeginningsRaisesTheFence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "suspend")
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID}) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, b.plan(p.ID).Fence)
}

func TestWaitStep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")
	ref := b.begin(p.ID, 0)
	until := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, b.WaitStep(ctx, ref, until))
	waiting := b.plan(p.ID)
	require.Equal(t, schema.PlanWaiting, waiting.State)
	require.Equal(t, until, waiting.WaitUntil)
	require.NoError(t, b.WaitStep(ctx, ref, until))
	require.Equal(t, waiting, b.plan(p.ID))
	_, err := b.BeginStep(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, schema.PlanWaiting, b.plan(p.ID).State, "looking at the step again does not end the wait")
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))
	require.Equal(t, schema.PlanRunning, b.plan(p.ID).State)
	require.True(t, b.plan(p.ID).WaitUntil.IsZero())
}

func TestIntendWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")
	ref := b.begin(p.ID, 0)
	write := schema.VendorWrite{Op: "suspend", Details: map[string]string{"account": "1"}}

	t.Run("the journal tells what was sent and what became of it", func(t *testing.T) {
		_, ok, err := b.LastWrite(ctx, p.ID, "suspend")
		require.NoError(t, err)
		require.False(t, ok)
		require.Error(t, b.RecordOutcome(ctx, p.ID, schema.VendorWrite{Op: "suspend", Details: map[string]string{"outcome": "accepted"}}), "nothing was intended")
		for _, outcome := range []string{schema.WriteUnknown, schema.WriteAccepted, schema.WriteRefused} {
			require.NoError(t, b.IntendWrite(ctx, ref, write))
			require.NoError(t, b.RecordOutcome(ctx, p.ID, schema.VendorWrite{Op: "suspend", Details: map[string]string{"outcome": outcome}}))
		}
		w, ok, err := b.LastWrite(ctx, p.ID, "suspend")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 3, w.Count)
		require.Equal(t, schema.WriteRefused, w.Outcome)
		require.False(t, w.AcceptedAt.IsZero())
		require.False(t, w.AcceptedAt.Before(w.FirstAt))
		require.False(t, w.LastAt.Before(w.AcceptedAt))
		require.Error(t, b.RecordOutcome(ctx, p.ID, schema.VendorWrite{Op: "suspend"}))
	})
	t.Run("is refused while paused, disabled or read-only", func(t *testing.T) {
		_, err := b.SetSwitch(ctx, schema.Switch{Paused: true, Reason: "incident"}, b.admin)
		require.NoError(t, err)
		requireCode(t, schema.CodePaused, b.IntendWrite(ctx, ref, write))
		_, err = b.SetSwitch(ctx, schema.Switch{}, b.admin)
		require.NoError(t, err)
		_, err = b.SetConnectionState(ctx, "box", schema.ConnectionDisabled, "", b.admin)
		require.NoError(t, err)
		requireCode(t, schema.CodeClosed, b.IntendWrite(ctx, ref, write))
		_, err = b.SetConnectionState(ctx, "box", schema.ConnectionEnabled, "", b.admin)
		require.NoError(t, err)
		b.exec(`update connection set read_only = true`)
		requireCode(t, schema.CodeReadOnly, b.IntendWrite(ctx, ref, write))
		b.exec(`update connection set read_only = false`)
		require.NoError(t, b.IntendWrite(ctx, ref, write))
	})
	t.Run("is refused once parked", func(t *testing.T) {
		require.NoError(t, b.ParkPlan(ctx, p.ID, schema.Cause{Code: schema.ParkInternal}))
		requireCode(t, schema.CodeConflict, b.IntendWrite(ctx, ref, write))
	})
}

func TestWhatAStepKeeps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	ref := b.begin(p.ID, 0)

	require.NoError(t, b.SavePriorStatus(ctx, ref, "active"))
	require.NoError(t, b.SavePriorStatus(ctx, ref, "inactive"))
	require.Equal(t, "active", b.plan(p.ID).PriorStatus, "the first wins")

	planned, err := b.PlannedBytes(ctx, b.conn.ID, "2")
	require.NoError(t, err)
	require.EqualValues(t, 1000, planned)
	snapshot := schema.Snapshot{
		TakenAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Status: "active", SpaceUsed: 5000,
		Witnesses: []schema.Witness{{ID: "f1", Type: "file"}}, WitnessesOK: true, GroupIDs: []string{"g"},
		Trash: []schema.Witness{}, Collabs: []schema.SharedBy{},
	}
	require.NoError(t, b.SaveSnapshot(ctx, ref, snapshot))
	require.Equal(t, &snapshot, b.plan(p.ID).Snapshot)
	planned, err = b.PlannedBytes(ctx, b.conn.ID, "2")
	require.NoError(t, err)
	require.EqualValues(t, 5000, planned)
	planned, err = b.PlannedBytes(ctx, b.conn.ID, "3")
	require.NoError(t, err)
	require.Zero(t, planned)

	before := len(b.actions(p.CaseID))
	seen := schema.Evidence{Kind: "account", Details: map[string]string{"status": "active"}}
	require.NoError(t, b.RecordEvidence(ctx, ref, seen))
	require.NoError(t, b.RecordEvidence(ctx, ref, seen))
	require.Equal(t, []string{"evidence.read"}, b.actions(p.CaseID)[before:], "what was seen before is not recorded again")
	seen.Details["status"] = "inactive"
	require.NoError(t, b.RecordEvidence(ctx, ref, seen))
	require.NoError(t, b.RecordEvidence(ctx, schema.StepRef{PlanID: p.ID, Fence: 1}, schema.Evidence{Kind: "undo"}))
	require.Len(t, b.actions(p.CaseID), before+3)

	require.Error(t, b.CompleteStep(ctx, ref, schema.StepCancelled, nil))
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepSkipped, nil))
	requireCode(t, schema.CodeConflict, b.EndPlan(ctx, p.ID, schema.PlanDone))
	requireCode(t, schema.CodeConflict, b.EndPlan(ctx, p.ID, schema.PlanParked))
}

func TestReplacePlanLeavesBegunSteps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	ref := b.begin(p.ID, 0)
	facts := p.Facts
	facts.Steps = append([]schema.StepFact{}, p.Facts.Steps...)
	facts.Steps[4].WaitSeconds = 60
	facts.Receiver = "3"
	replaced, err := b.ReplacePlan(ctx, p.ID, facts, []string{"receiver", "steps"})
	require.NoError(t, err)
	require.Equal(t, facts.Hash(), replaced.Hash)
	require.EqualValues(t, 60, replaced.Steps[4].WaitSeconds)
	require.Equal(t, schema.StepRunning, replaced.Steps[0].State)
	require.EqualValues(t, 1, replaced.Fence)
	c, err := b.Case(ctx, p.CaseID)
	require.NoError(t, err)
	require.Equal(t, schema.CaseHash([]string{facts.Hash()}), c.Hash)
	same, err := b.ReplacePlan(ctx, p.ID, facts, nil)
	require.NoError(t, err)
	require.Equal(t, replaced, same)
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))

	facts.Steps = facts.Steps[1:]
	_, err = b.ReplacePlan(ctx, p.ID, facts, []string{"steps"})
	requireCode(t, schema.CodeConflict, err)
}

// TestATryThatWasOvertakenComesAgain: while a try was on its way to the vendor, one that
// was taken for lost finished the step. Nothing is behind, and nobody has to resume.
func TestATryThatWasOvertakenComesAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.begin(b.leaver("1", "2", "suspend").ID, 0)
	require.NoError(t, b.CompleteStep(t.Context(), ref, schema.StepDone, map[string]string{"n": "1"}))
	requireCode(t, schema.CodeUnavailable, b.IntendWrite(t.Context(), ref, schema.VendorWrite{Op: "suspend"}))
	require.NoError(t, b.CompleteStep(t.Context(), ref, schema.StepSkipped, map[string]string{"n": "2"}))
	p, err := b.Plan(t.Context(), ref.PlanID)
	require.NoError(t, err)
	require.Equal(t, []any{schema.StepDone, "1"}, []any{p.Steps[0].State, p.Steps[0].Proof["n"]}, "the first stands")
}
