package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

func (b *bundle) rearm(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.RearmTransfer, activities.StepInput{Ref: ref})
}

// busy is a plan whose transfer met another job of the vendor's.
func (b *bundle) busy() schema.StepRef {
	b.t.Helper()
	ref := b.intended()
	b.vendor.outcome.Class = schema.OutcomeBusy
	s, err := b.send(ref)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.TransferBusy, s.State)
	b.vendor.outcome.Class = schema.OutcomeAccepted
	return ref
}

// TestRearmAfterBusy: the job that the vendor was at may have been ours, or one
// with the same effect. A look tells before anything is sent again (promise 2).
func TestRearmAfterBusy(t *testing.T) {
	t.Parallel()

	t.Run("an emptied source is not sent again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		ref := b.busy()
		b.vendor.moved(leaver, heir)
		s, err := b.rearm(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, s.State)
		require.Len(t, b.audited(ref.PlanID, "transfer.moved_by_others"), 1)
		_, err = b.send(ref)
		require.NoError(t, err)
		require.Equal(t, 1, b.vendor.count("send"))
		b.settled(ref)
		require.Equal(t, schema.TransferProven, b.transferOf(ref).State)
	})

	t.Run("content that went elsewhere is not proven", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		ref := b.busy()
		b.vendor.moved(leaver, second)
		_, err := b.rearm(ref)
		require.NoError(t, err)
		b.settleNotYet(ref)
		b.later(25 * time.Hour)
		s, err := b.settle(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferStalled, s.State)
	})

	t.Run("content that is left is sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.busy()
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1 })
		s, err := b.rearm(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferIntended, s.State)
	})

	t.Run("a source whose files were empty from the start is sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
		s, err := b.rearm(b.busy())
		require.NoError(t, err)
		require.Equal(t, schema.TransferIntended, s.State)
	})

	t.Run("a source that is gone is an operator's matter", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.busy()
		b.vendor.remove(leaver)
		_, err := b.rearm(ref)
		requireParks(t, err, schema.ParkAccountGone)
		require.Equal(t, schema.TransferBusy, b.transferOf(ref).State)
	})
}

// TestSendToTheReceiverOfTheRow: a request that was prepared for one receiver is
// not sent when the lane was given to another meanwhile.
func TestSendToTheReceiverOfTheRow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.leave(schema.StepTransfer, "leaver", heirLogin, secondLogin)
	_, err := b.enter(ref)
	require.NoError(t, err)
	b.vendor.outcome.Class = schema.OutcomeAccepted
	b.vendor.during["prepare"] = func() {
		require.NoError(t, b.LeaveLane(t.Context(), ref.PlanID))
		b.vendor.change(heir, func(a *schema.Account) { a.VendorStatus = inactive })
		s, err := b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferIntended, s.State)
	}
	s, err := b.send(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, s.State)
	require.Zero(t, b.vendor.count("send"))
	tr := b.transferOf(ref)
	require.Equal(t, schema.TransferIntended, tr.State)
	require.Equal(t, second, tr.Receiver)
	require.Zero(t, tr.Attempts)
	delete(b.vendor.during, "prepare")
	_, err = b.send(ref)
	require.NoError(t, err)
	require.Equal(t, 1, b.vendor.count("send 10 30"))
}

// TestSuspendWaitsForTransfers: a receiver that is suspended under a transfer
// could not be looked at.
func TestSuspendWaitsForTransfers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request("suspend")
	r.Email = heirLogin
	drafts := b.draft(r) // before the transfer takes its lanes
	first := b.intended()
	cases, err := b.CreateCases(t.Context(), drafts, b.admin)
	require.NoError(t, err)
	plans, err := b.CasePlans(t.Context(), cases[0].ID)
	require.NoError(t, err)
	ref := b.carry(plans[0].ID, schema.StepSuspend)
	sent := b.vendor.writes()
	requireType(t, b.step(b.acts.Suspend, ref), activities.TypeOf(schema.CodeUnavailable), true)
	require.Equal(t, sent, b.vendor.writes())
	require.Empty(t, b.audited(ref.PlanID, "write.intended"))
	_, err = b.stop(first)
	require.NoError(t, err)
	require.NoError(t, b.step(b.acts.Suspend, ref))
	require.Equal(t, 1, b.vendor.count("set_status 20 inactive"))
}

// TestDraftTakesPart: an account in another leaver's open transfer has to wait.
func TestDraftTakesPart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.intended()
	r := request("suspend")
	r.Email = heirLogin
	d := b.draft(r)[0]
	require.Equal(t, []string{"BUSY"}, findings(d.AllFindings()))
	require.True(t, schema.Refused(d.AllFindings()))
	require.Contains(t, d.Accounts[0].Findings[0].Message, string(b.plan(ref.PlanID).CaseID))
	_, err := b.stop(ref)
	require.NoError(t, err)
	require.Empty(t, b.draft(r)[0].AllFindings())
}

// TestDraftUnsettled: after a case that ended without a verdict the vendor may
// still be moving content. Only an operator who was told sends again (promise 2).
func TestDraftUnsettled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.settling()
	b.settleNotYet(ref)
	b.later(25 * time.Hour)
	s, err := b.settle(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferStalled, s.State)
	b.cancel(ref.PlanID)
	require.NoError(t, b.restore(ref.PlanID))
	require.NoError(t, b.finish(ref.PlanID, schema.PlanCancelled))

	r := request("leaver", heirLogin)
	d := b.draft(r)[0]
	require.Equal(t, []string{"TRANSFER_UNSETTLED"}, findings(d.AllFindings()))
	require.True(t, schema.Refused(d.AllFindings()))
	require.Contains(t, d.Accounts[0].Findings[0].Message, string(b.plan(ref.PlanID).CaseID))
	require.Contains(t, d.Accounts[0].Findings[0].Fix, "--send-again")
	require.Empty(t, b.draft(request("suspend"))[0].AllFindings(), "nothing is transferred")

	r.SendAgain = true
	d = b.draft(r)[0]
	require.Equal(t, []string{"(TRANSFER_UNSETTLED)"}, findings(d.AllFindings()))
	require.False(t, schema.Refused(d.AllFindings()))
	_, err = b.CreateCases(t.Context(), []schema.Draft{d}, b.admin)
	require.NoError(t, err)
}

// TestFinishClosesTheCase: the last plan to end closes the case, whose own
// workflow may be gone.
func TestFinishClosesTheCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := newVendor()
	other.add("77", leaverLogin, 0)
	b.connect("other", other)
	drafts := b.draft(request("suspend"))
	cases, err := b.CreateCases(t.Context(), drafts, b.admin)
	require.NoError(t, err)
	plans, err := b.CasePlans(t.Context(), cases[0].ID)
	require.NoError(t, err)
	require.Len(t, plans, 2)
	closed := func() bool {
		c, err := b.Case(t.Context(), cases[0].ID)
		require.NoError(t, err)
		return !c.ClosedAt.IsZero()
	}
	for i, p := range plans {
		require.NoError(t, b.step(b.acts.RevokeSessions, b.carry(p.ID, schema.StepRevokeSessions)))
		require.False(t, closed())
		require.NoError(t, b.finish(p.ID, schema.PlanDone))
		require.Equal(t, i == len(plans)-1, closed())
		require.NoError(t, b.finish(p.ID, schema.PlanDone), "a repeat")
	}
	require.Len(t, b.audited(plans[0].ID, "case.closed"), 1)
}
