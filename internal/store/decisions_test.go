package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestApprove(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	d := b.draft("1", "2", "suspend")
	d.Request.Approvals = 2
	p := b.write(d)
	b.drain()
	ref := schema.StepRef{PlanID: p.ID}
	c, err := b.Case(ctx, p.CaseID)
	require.NoError(t, err)
	approve := schema.Decision{CaseID: p.CaseID, Kind: schema.DecideApprove, Hash: c.Hash, Reason: "looks right"}
	ann, ben, cid := b.principal("ann"), b.principal("ben"), b.principal("cid")

	_, err = b.BeginStep(ctx, ref)
	requireCode(t, schema.CodeNotApproved, err)
	wrong := approve
	wrong.Hash = "0000"
	_, err = b.Decide(ctx, wrong, ann)
	requireCode(t, schema.CodeHashDiffers, err)
	_, err = b.Decide(ctx, approve, b.admin)
	requireCode(t, schema.CodeForbidden, err)
	self := ann
	self.Email = strings.ToUpper(c.Email)
	_, err = b.Decide(ctx, approve, self)
	requireCode(t, schema.CodeForbidden, err)
	onePlan := approve
	onePlan.PlanID = p.ID
	_, err = b.Decide(ctx, onePlan, ann)
	requireCode(t, schema.CodeInvalid, err)

	decision, err := b.Decide(ctx, approve, ann)
	require.NoError(t, err)
	require.Equal(t, "ann", decision.Principal)
	_, err = b.Decide(ctx, approve, ann)
	requireCode(t, schema.CodeConflict, err)
	_, err = b.BeginStep(ctx, ref)
	requireCode(t, schema.CodeNotApproved, err)
	_, err = b.Decide(ctx, approve, ben)
	require.NoError(t, err)
	begun, err := b.BeginStep(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, 2, begun.Approved)

	rows := b.drain()
	require.Len(t, rows, 2)
	require.Equal(t, schema.OutboxRow{ID: rows[0].ID, Kind: schema.OutboxDecision, CaseID: p.CaseID, DecisionID: decision.ID, CreatedAt: rows[0].CreatedAt}, rows[0])

	// A fact drifts: the approvals were for another hash (promise 5).
	facts := p.Facts
	facts.Role = schema.RoleCoadmin
	replaced, err := b.ReplacePlan(ctx, p.ID, facts, p.Facts.Drift(facts))
	require.NoError(t, err)
	require.Zero(t, replaced.Approved)
	requireCode(t, schema.CodeNotApproved, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
	_, err = b.Decide(ctx, approve, cid)
	requireCode(t, schema.CodeHashDiffers, err)
	c, err = b.Case(ctx, p.CaseID)
	require.NoError(t, err)
	approve.Hash = c.Hash
	for _, by := range []schema.Principal{ann, cid} {
		_, err = b.Decide(ctx, approve, by)
		require.NoError(t, err)
	}
	require.NoError(t, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
	list, err := b.Decisions(ctx, p.CaseID)
	require.NoError(t, err)
	require.Len(t, list, 4)
	require.Equal(t, decision, list[0])
	require.Equal(t, p.ID, b.drain()[0].PlanID, "the plan has begun, so its own workflow is told")
}

func TestDriftOfOnePlanKeepsTheApprovalsOfTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	d, second := b.draft("1", "2", "suspend"), b.draft("3", "4", "suspend")
	d.Request.Approvals = 1
	d.Accounts = append(d.Accounts, second.Accounts...)
	d.Hash = schema.CaseHash([]string{d.Accounts[0].Facts.Hash(), d.Accounts[1].Facts.Hash()})
	cases, err := b.CreateCases(ctx, []schema.Draft{d}, b.admin)
	require.NoError(t, err)
	_, err = b.Decide(ctx, schema.Decision{CaseID: cases[0].ID, Kind: schema.DecideApprove, Hash: d.Hash}, b.principal("ann"))
	require.NoError(t, err)
	plans, err := b.CasePlans(ctx, cases[0].ID)
	require.NoError(t, err)
	facts := plans[0].Facts
	facts.Login = "renamed@example.com"
	_, err = b.ReplacePlan(ctx, plans[0].ID, facts, []string{"login"})
	require.NoError(t, err)
	require.Zero(t, b.plan(plans[0].ID).Approved)
	require.Equal(t, 1, b.plan(plans[1].ID).Approved)
}

func TestApproveNeedsACaseThatAsksForIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "suspend")
	_, err := b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideApprove, Hash: schema.CaseHash([]string{p.Hash})}, b.principal("ann"))
	requireCode(t, schema.CodeConflict, err)
	_, err = b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: "bless"}, b.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = b.Decide(t.Context(), schema.Decision{CaseID: "0197c0de-0000-7000-8000-000000000001", Kind: schema.DecideCancel}, b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, PlanID: "0197c0de-0000-7000-8000-000000000001", Kind: schema.DecideCancel}, b.admin)
	requireCode(t, schema.CodeNotFound, err)
}

func TestResume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")
	ref := b.begin(p.ID, 0)
	_, err := b.Decide(ctx, schema.Decision{CaseID: p.CaseID, Kind: schema.DecideResume}, b.admin)
	requireCode(t, schema.CodeConflict, err)
	cause := schema.Cause{Code: schema.ParkUnauthorized, Step: schema.StepSnapshot, Message: "no", Fix: "renew"}
	require.NoError(t, b.ParkPlan(ctx, p.ID, cause))
	parked := b.plan(p.ID)
	require.Equal(t, schema.PlanParked, parked.State)
	require.Equal(t, schema.ParkUnauthorized, parked.Cause.Code)
	require.False(t, parked.Cause.At.IsZero())
	_, err = b.BeginStep(ctx, ref)
	requireCode(t, schema.CodeConflict, err)

	require.NoError(t, b.ParkPlan(ctx, p.ID, cause))
	require.Equal(t, parked, b.plan(p.ID), "the same code again is no change")
	cause.Code = schema.ParkVendorFailing
	require.NoError(t, b.ParkPlan(ctx, p.ID, cause))
	require.Equal(t, schema.ParkVendorFailing, b.plan(p.ID).Cause.Code)

	b.drain()
	b.decide(p, schema.DecideResume)
	resumed := b.plan(p.ID)
	require.Equal(t, schema.PlanRunning, resumed.State)
	require.Nil(t, resumed.Cause)
	require.Equal(t, p.ID, b.drain()[0].PlanID)
	_, err = b.BeginStep(ctx, ref)
	require.NoError(t, err)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	undo := schema.VendorWrite{Op: "restore_status", Details: map[string]string{"to": "active"}}

	t.Run("of a case not begun tells the case's workflow", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.leaver("1", "2", "suspend")
		b.drain()
		b.decide(p, schema.DecideCancel)
		require.Equal(t, schema.PlanCancelling, b.plan(p.ID).State)
		rows := b.drain()
		require.Len(t, rows, 1)
		require.Empty(t, rows[0].PlanID)
		_, err := b.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID})
		requireCode(t, schema.CodeStopped, err)
		b.decide(p, schema.DecideCancel)
		require.Len(t, b.drain(), 1, "told again, for the workflow may be gone")
		require.Equal(t, schema.PlanCancelling, b.plan(p.ID).State)
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanCancelled), "a repeat")
		require.Equal(t, schema.StepCancelled, b.plan(p.ID).Steps[0].State)
		_, err = b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideCancel}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		requireCode(t, schema.CodeStopped, b.ParkPlan(t.Context(), p.ID, schema.Cause{Code: schema.ParkInternal}))
	})
	t.Run("parked on its way out, a plan goes on cancelling", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx := t.Context()
		p := b.leaver("1", "2", "suspend")
		ref := b.begin(p.ID, 0)
		requireCode(t, schema.CodeConflict, b.IntendUndo(ctx, p.ID, undo))
		requireCode(t, schema.CodeConflict, b.EndPlan(ctx, p.ID, schema.PlanCancelled))
		b.decide(p, schema.DecideCancel)
		requireCode(t, schema.CodeStopped, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
		requireCode(t, schema.CodeStopped, b.ParkPlan(ctx, p.ID, schema.Cause{Code: schema.ParkVendorRefused}))
		require.NoError(t, b.IntendUndo(ctx, p.ID, undo))
		require.NoError(t, b.ParkUndo(ctx, p.ID, schema.Cause{Code: schema.ParkVendorRefused}))
		b.decide(p, schema.DecideResume)
		require.Equal(t, schema.PlanCancelling, b.plan(p.ID).State)
		require.NoError(t, b.ParkUndo(ctx, p.ID, schema.Cause{Code: schema.ParkVendorRefused}))
		require.NoError(t, b.IntendUndo(ctx, p.ID, undo))
		require.Equal(t, schema.PlanCancelling, b.plan(p.ID).State)
		w, ok, err := b.LastWrite(ctx, p.ID, undo.Op)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 2, w.Count)
		require.NoError(t, b.ParkUndo(ctx, p.ID, schema.Cause{Code: schema.ParkVendorRefused}))
		require.NoError(t, b.EndPlan(ctx, p.ID, schema.PlanCancelled))
		requireCode(t, schema.CodeStopped, b.IntendUndo(ctx, p.ID, undo))
	})
	t.Run("of one plan leaves the others", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		d, second := b.draft("1", "2", "suspend"), b.draft("3", "4", "suspend")
		d.Accounts = append(d.Accounts, second.Accounts...)
		d.Hash = schema.CaseHash([]string{d.Accounts[0].Facts.Hash(), d.Accounts[1].Facts.Hash()})
		cases, err := b.CreateCases(t.Context(), []schema.Draft{d}, b.admin)
		require.NoError(t, err)
		plans, err := b.CasePlans(t.Context(), cases[0].ID)
		require.NoError(t, err)
		_, err = b.Decide(t.Context(), schema.Decision{CaseID: cases[0].ID, PlanID: plans[1].ID, Kind: schema.DecideCancel}, b.admin)
		require.NoError(t, err)
		require.Equal(t, schema.PlanPlanned, b.plan(plans[0].ID).State)
		require.Equal(t, schema.PlanCancelling, b.plan(plans[1].ID).State)
		requireCode(t, schema.CodeConflict, b.CloseCase(t.Context(), cases[0].ID))
	})
}
