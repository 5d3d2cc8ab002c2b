package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// told decides and returns the error.
func (b *bundle) told(p schema.Plan, d schema.Decision) error {
	b.t.Helper()
	d.CaseID, d.Reason = p.CaseID, "test"
	_, err := b.Decide(b.t.Context(), d, b.admin)
	return err
}

func (b *bundle) park(id schema.PlanID, code schema.ParkCode) {
	b.t.Helper()
	require.NoError(b.t, b.ParkPlan(b.t.Context(), id, schema.Cause{Code: code, Message: "why", Fix: "how"}))
}

// parkUndo parks a plan that is being cancelled.
func (b *bundle) parkUndo(id schema.PlanID, code schema.ParkCode) {
	b.t.Helper()
	require.NoError(b.t, b.ParkUndo(b.t.Context(), id, schema.Cause{Code: code, Message: "why", Fix: "how"}))
}

// atTransfer opens a case whose transfer holds its lanes.
func (b *bundle) atTransfer(source, receiver string) (schema.Plan, schema.StepRef) {
	b.t.Helper()
	p := b.leaver(source, receiver, "leaver")
	ref := b.through(p.ID, 3)
	_, err := b.EnterLane(b.t.Context(), ref, schema.Transfer{Source: schema.ExternalID(source), Receiver: schema.ExternalID(receiver), WitnessTotal: 3})
	require.NoError(b.t, err)
	return p, ref
}

// stalled parks a case whose transfer stalled.
func (b *bundle) stalled(source, receiver string) (schema.Plan, schema.StepRef) {
	b.t.Helper()
	p, ref := b.atTransfer(source, receiver)
	b.outcome(ref, schema.OutcomeUnknown)
	_, err := b.ConcludeTransfer(b.t.Context(), ref, schema.TransferStalled, nil)
	require.NoError(b.t, err)
	b.park(p.ID, schema.ParkTransferStalled)
	return p, ref
}

// deleteRefused parks a case whose proven transfer a refused delete voided.
func deleteRefused(t *testing.T) (*bundle, schema.Plan, schema.StepRef) {
	t.Helper()
	b := setup(t)
	ctx := t.Context()
	p, ref := b.atTransfer("1", "2")
	b.outcome(ref, schema.OutcomeUnknown)
	_, err := b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
	require.NoError(t, err)
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))
	require.NoError(t, b.CompleteStep(ctx, b.begin(p.ID, 4), schema.StepDone, nil))
	ref = b.begin(p.ID, 5)
	require.NoError(t, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "delete"}))
	_, err = b.CountDeleteRefusal(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, b.transfer(p.ID).State)
	b.park(p.ID, schema.ParkContentRemains)
	return b, p, ref
}

func TestWaive(t *testing.T) {
	t.Parallel()
	waive := func(kind schema.StepKind) schema.Decision {
		return schema.Decision{Kind: schema.DecideWaive, Step: kind}
	}
	t.Run("the step it is parked in, and the plan goes on", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.leaver("1", "2", "suspend")
		ref := b.through(p.ID, 2)
		b.park(p.ID, schema.ParkUnsupported)
		b.drain()
		require.NoError(t, b.told(p, waive("")))
		now := b.plan(p.ID)
		require.Equal(t, schema.PlanRunning, now.State)
		require.Equal(t, schema.StepWaived, now.Steps[2].State)
		require.Equal(t, "admin", now.Steps[2].Proof["waived_by"])
		require.False(t, now.Steps[2].FinishedAt.IsZero())
		require.Equal(t, p.Hash, now.Hash, "what was approved stays")
		require.Equal(t, p.ID, b.drain()[0].PlanID)
		requireCode(t, schema.CodeWaived, b.IntendWrite(t.Context(), ref, schema.VendorWrite{Op: "revoke_sessions"}))
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanDone))
	})
	t.Run("the last step that it waits in, and the plan can end", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.manual("1")
		ref := b.through(p.ID, 1)
		require.NoError(t, b.WaitStep(t.Context(), ref, time.Now().Add(time.Hour)))
		require.NoError(t, b.told(p, waive("")))
		now := b.plan(p.ID)
		require.Equal(t, schema.PlanRunning, now.State)
		require.True(t, now.WaitUntil.IsZero())
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanDone))
	})
	t.Run("a later step by its kind, and the plan stays as it is", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.leaver("1", "2", "leaver")
		b.through(p.ID, 1)
		require.NoError(t, b.told(p, waive(schema.StepRevokeSessions)))
		require.Equal(t, schema.StepWaived, b.plan(p.ID).Steps[2].State)
		requireCode(t, schema.CodeConflict, b.told(p, waive(schema.StepRevokeSessions)))
		requireCode(t, schema.CodeConflict, b.told(p, waive(schema.StepNotify)))
		requireCode(t, schema.CodeConflict, b.told(p, waive(schema.StepSuspend)))
		requireCode(t, schema.CodeConflict, b.told(p, waive("")))
	})
	t.Run("a stalled transfer is given up, and the delete with it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, _ := b.stalled("1", "2")
		require.NoError(t, b.told(p, waive("")))
		require.Equal(t, schema.TransferGivenUp, b.transfer(p.ID).State)
		now := b.plan(p.ID)
		require.Equal(t, schema.StepWaived, now.Steps[3].State)
		require.Equal(t, schema.StepPending, now.Steps[4].State)
		require.Equal(t, schema.StepWaived, now.Steps[5].State)
		_, held, err := b.LaneHolder(t.Context(), b.conn.ID, "2")
		require.NoError(t, err)
		require.False(t, held)
	})
	t.Run("a transfer that the vendor may be at cannot be given up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		b.outcome(ref, schema.OutcomeUnknown)
		b.park(p.ID, schema.ParkVendorFailing)
		requireCode(t, schema.CodeConflict, b.told(p, waive("")))
		require.Equal(t, schema.TransferSettling, b.transfer(p.ID).State)
		require.Equal(t, schema.StepRunning, b.plan(p.ID).Steps[3].State)
	})
	t.Run("a delete that met content, and the plan can end", func(t *testing.T) {
		t.Parallel()
		b, p, ref := deleteRefused(t)
		require.NoError(t, b.told(p, waive("")))
		require.Equal(t, schema.TransferGivenUp, b.transfer(p.ID).State)
		_, held, err := b.LaneHolder(t.Context(), b.conn.ID, "2")
		require.NoError(t, err)
		require.False(t, held)
		requireCode(t, schema.CodeWaived, b.IntendWrite(t.Context(), ref, schema.VendorWrite{Op: "delete"}))
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanDone))
		_, unsettled, err := b.UnsettledTransferOf(t.Context(), b.conn.ID, "1")
		require.NoError(t, err)
		require.True(t, unsettled, "the next case asks")
	})
	t.Run("a delete whose transfer was sent again waits for that", func(t *testing.T) {
		t.Parallel()
		b, p, ref := deleteRefused(t)
		_, err := b.ConcludeTransfer(t.Context(), ref, schema.TransferStalled, nil)
		require.NoError(t, err)
		require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
		b.outcome(ref, schema.OutcomeUnknown)
		b.park(p.ID, schema.ParkVendorFailing)
		requireCode(t, schema.CodeConflict, b.told(p, waive("")))
		require.Equal(t, schema.TransferSettling, b.transfer(p.ID).State)
	})
	t.Run("a plan on its way out is not turned round", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p := b.leaver("1", "2", "suspend")
		b.through(p.ID, 2)
		b.decide(p, schema.DecideCancel)
		requireCode(t, schema.CodeConflict, b.told(p, waive(schema.StepRevokeSessions)))
		b.parkUndo(p.ID, schema.ParkVendorRefused)
		requireCode(t, schema.CodeConflict, b.told(p, waive("")))
		require.Equal(t, schema.PlanParked, b.plan(p.ID).State)
	})
}

// manual opens a case whose second and last step is somebody's task.
func (b *bundle) manual(external string) schema.Plan {
	b.t.Helper()
	d := b.draft(external, "", "suspend")
	a := &d.Accounts[0]
	a.Facts.Steps = append(a.Facts.Steps[:1:1], schema.StepFact{Kind: schema.StepManual, StepParams: schema.StepParams{Title: "collect the laptop"}})
	d.Hash = schema.CaseHash([]string{a.Facts.Hash()})
	return b.write(d)
}

func TestComplete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	complete := schema.Decision{Kind: schema.DecideComplete}
	p := b.manual("1")
	b.through(p.ID, 0)
	requireCode(t, schema.CodeConflict, b.told(p, complete))
	p = b.manual("3")
	ref := b.through(p.ID, 1)
	require.NoError(t, b.WaitStep(ctx, ref, time.Now().Add(time.Hour)))
	require.NoError(t, b.told(p, complete))
	now := b.plan(p.ID)
	require.Equal(t, schema.StepDone, now.Steps[1].State)
	require.Equal(t, "test", now.Steps[1].Proof["evidence"])
	require.Equal(t, schema.PlanRunning, now.State)
	requireCode(t, schema.CodeConflict, b.told(p, complete))

	p = b.manual("4")
	b.through(p.ID, 1)
	b.park(p.ID, schema.ParkManualOverdue)
	require.NoError(t, b.told(p, complete), "late is done too")
	require.Equal(t, schema.PlanRunning, b.plan(p.ID).State)

	p = b.manual("5")
	b.through(p.ID, 1)
	b.decide(p, schema.DecideCancel)
	b.parkUndo(p.ID, schema.ParkVendorRefused)
	requireCode(t, schema.CodeConflict, b.told(p, complete))
	require.Equal(t, schema.PlanParked, b.plan(p.ID).State)
}

func TestMoveDate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	to := time.Date(2099, 12, 1, 17, 0, 0, 0, time.UTC)
	move := schema.Decision{Kind: schema.DecideMoveDate, To: to}
	late := schema.Decision{Kind: schema.DecideMoveDate, To: time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -12*3600))}

	d := b.draft("1", "2", "leaver")
	d.Request.Approvals = 1
	p := b.write(d)
	_, err := b.Decide(ctx, schema.Decision{CaseID: p.CaseID, Kind: schema.DecideApprove, Hash: d.Hash}, b.principal("ann"))
	require.NoError(t, err)
	requireCode(t, schema.CodeInvalid, b.told(p, late))
	require.NoError(t, b.told(p, move))
	c, err := b.Case(ctx, p.CaseID)
	require.NoError(t, err)
	require.Equal(t, to, c.EffectiveAt)
	now := b.plan(p.ID)
	require.Equal(t, "2099-12-01T17:00:00Z", now.Facts.EffectiveAt)
	require.NotEqual(t, p.Hash, now.Hash)
	require.Equal(t, schema.CaseHash([]string{now.Hash}), c.Hash)
	require.Zero(t, now.Approved, "approvals are asked again")

	p = b.leaver("3", "4", "leaver")
	b.through(p.ID, 1)
	requireCode(t, schema.CodeConflict, b.told(p, move))
	for i := 1; i < 4; i++ {
		ref := schema.StepRef{PlanID: p.ID, Index: i, Fence: b.plan(p.ID).Fence - 1}
		if i > 1 {
			ref = b.begin(p.ID, i)
		}
		require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))
	}
	ref := b.begin(p.ID, 4)
	require.NoError(t, b.WaitStep(ctx, ref, time.Now().Add(time.Hour)))
	require.NoError(t, b.told(p, move))
	now = b.plan(p.ID)
	require.Equal(t, "2099-12-01T17:00:00Z", now.Steps[4].Params.Until)
	require.Equal(t, now.Facts.Steps[4].Until, now.Steps[4].Params.Until)
	require.Equal(t, schema.StepRunning, now.Steps[4].State)
	require.Equal(t, schema.StepDone, now.Steps[3].State, "what was done stays")
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil), "the fence stays")
}

func TestSetReceiver(t *testing.T) {
	t.Parallel()
	set := func(p schema.Plan) schema.Decision {
		return schema.Decision{
			Kind: schema.DecideSetReceiver, Receivers: []string{"nine@example.com"},
			ReceiverFor: map[schema.PlanID]schema.Account{p.ID: {ExternalID: "9", Login: "nine@example.com"}},
		}
	}
	t.Run("before anything was sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		b.park(p.ID, schema.ParkReceiverMissing)
		require.NoError(t, b.told(p, set(p)))
		now := b.plan(p.ID)
		require.Equal(t, schema.ExternalID("9"), now.Facts.Receiver)
		require.Equal(t, schema.PlanRunning, now.State, "nothing else was in its way")
		_, err := b.MarkSent(t.Context(), ref, "9")
		requireCode(t, schema.CodeConflict, err)
		c, err := b.Case(t.Context(), p.CaseID)
		require.NoError(t, err)
		require.Equal(t, []string{"nine@example.com"}, c.Receivers)
		list, err := b.Decisions(t.Context(), p.CaseID)
		require.NoError(t, err)
		require.Equal(t, []string{"nine@example.com"}, list[0].Receivers)
	})
	t.Run("while a send of the old one is being prepared", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		require.NoError(t, b.told(p, set(p)))
		_, err := b.MarkSent(t.Context(), ref, "2")
		requireCode(t, schema.CodeConflict, err)
		require.Equal(t, schema.TransferIntended, b.transfer(p.ID).State, "nothing was sent to whom the plan does not name")
	})
	t.Run("not while an earlier request may have brought content to the old one", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.stalled("1", "2")
		require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
		requireCode(t, schema.CodeConflict, b.told(p, set(p)))
		b.outcome(ref, schema.OutcomeRefused)
		requireCode(t, schema.CodeConflict, b.told(p, set(p)))
	})
	t.Run("parked for another cause it stays parked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		b.outcome(ref, schema.OutcomeRefused)
		b.park(p.ID, schema.ParkTransferRefused)
		require.NoError(t, b.told(p, set(p)))
		require.Equal(t, schema.PlanParked, b.plan(p.ID).State)
	})
	t.Run("not once it was sent, nor for plans without a choice or on their way out", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		none := set(p)
		none.ReceiverFor = nil
		requireCode(t, schema.CodeConflict, b.told(p, none))
		b.outcome(ref, schema.OutcomeUnknown)
		requireCode(t, schema.CodeConflict, b.told(p, set(p)))
		require.Equal(t, schema.ExternalID("2"), b.plan(p.ID).Facts.Receiver)

		p, _ = b.atTransfer("3", "4")
		b.decide(p, schema.DecideCancel)
		b.parkUndo(p.ID, schema.ParkReceiverMissing)
		requireCode(t, schema.CodeConflict, b.told(p, set(p)))
		require.Equal(t, schema.PlanParked, b.plan(p.ID).State)
	})
}

func TestSendAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	again, release := schema.Decision{Kind: schema.DecideSendAgain}, schema.Decision{Kind: schema.DecideReleaseLane}
	p, ref := b.atTransfer("1", "2")
	b.outcome(ref, schema.OutcomeUnknown)
	requireCode(t, schema.CodeConflict, b.told(p, again))
	requireCode(t, schema.CodeConflict, b.told(p, release))

	p, ref = b.stalled("3", "4")
	require.NoError(t, b.told(p, again))
	require.Equal(t, schema.TransferIntended, b.transfer(p.ID).State)
	require.Equal(t, schema.PlanRunning, b.plan(p.ID).State)
	tr, err := b.markSent(ref)
	require.NoError(t, err)
	require.Equal(t, 2, tr.Attempts)

	p, ref = b.stalled("5", "6")
	other := b.leaver("7", "6", "leaver")
	otherRef := b.through(other.ID, 3)
	tr, err = b.EnterLane(ctx, otherRef, schema.Transfer{Source: "7", Receiver: "6"})
	require.NoError(t, err)
	require.Equal(t, schema.TransferWaiting, tr.State)
	b.drain()
	require.NoError(t, b.told(p, release))
	require.Equal(t, schema.PlanParked, b.plan(p.ID).State)
	require.Equal(t, []schema.PlanID{other.ID}, b.lanes())
	tr, err = b.EnterLane(ctx, otherRef, schema.Transfer{Source: "7", Receiver: "6"})
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, tr.State)

	require.NoError(t, b.told(p, again))
	require.Equal(t, schema.TransferWaiting, b.transfer(p.ID).State, "its lane is another's now")
	tr, err = b.EnterLane(ctx, ref, schema.Transfer{Source: "5", Receiver: "6"})
	require.NoError(t, err)
	require.Equal(t, schema.TransferWaiting, tr.State)
}

func TestReactivate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, ref := b.atTransfer("1", "2")
	reactivate := schema.Decision{Kind: schema.DecideReactivate}
	requireCode(t, schema.CodeConflict, b.told(p, reactivate))
	b.outcome(ref, schema.OutcomeRefused)
	b.park(p.ID, schema.ParkInactiveRefused)
	require.NoError(t, b.told(p, reactivate))
	now := b.plan(p.ID)
	require.True(t, now.Reactivate)
	require.Equal(t, schema.PlanRunning, now.State)
	require.Equal(t, p.Hash, now.Hash)
}

func TestNobodyDecidesAboutTheirOwnAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.draft("1", "2", "suspend")
	d.Request.Email = "alias@example.com"
	p := b.write(d)
	for _, own := range []string{"alias@example.com", "USER1@example.com"} {
		_, err := b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideCancel}, b.holder("holder of "+own, own))
		requireCode(t, schema.CodeForbidden, err)
	}
	_, err := b.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideCancel}, b.holder("other", "user2@example.com"))
	require.NoError(t, err)
}
