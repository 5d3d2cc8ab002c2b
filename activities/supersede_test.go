package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// lower opens a plan of a lower cause for the leaver.
func (b *bundle) lower(template string, receivers ...string) schema.PlanID {
	b.t.Helper()
	r := request(template, receivers...)
	r.Door = schema.DoorInactivity
	return b.open(r).ID
}

// TestSupersede: a higher cause takes over what a lower one found and did, in one
// transaction and without undo (DESIGN section 5).
func TestSupersede(t *testing.T) {
	t.Parallel()

	t.Run("a plan that has suspended", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		old := b.lower("suspend")
		ref := b.carry(old, schema.StepRevokeSessions)
		d := b.draft(request("leaver", heirLogin))[0]
		require.Equal(t, []string{"(SOURCE_ALREADY_INACTIVE)", "(SUPERSEDES)"}, findings(d.AllFindings()))
		p := b.open(request("leaver", heirLogin))
		require.Equal(t, schema.PlanSuperseded, b.plan(old).State)
		require.Equal(t, active, b.plan(p.ID).PriorStatus)
		require.Equal(t, []schema.Witness{{ID: "100", Type: "file"}}, b.plan(p.ID).Snapshot.Witnesses)
		requireType(t, b.step(b.acts.RevokeSessions, ref), activities.TypeOf(schema.CodeSuperseded), false)
		require.Len(t, b.audited(old, "plan.superseded"), 1)
		require.Len(t, b.audited(p.ID, "plan.inherited"), 1)

		to := b.carry(p.ID, schema.StepDelete)
		s, err := b.delete(to)
		require.NoError(t, err)
		require.True(t, s.Deleted, "witnesses of before the first suspend prove the transfer")
		require.Equal(t, 1, b.vendor.count("set_status"), "suspended once")
	})

	t.Run("a transfer that was sent goes on and is not sent twice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		old := b.lower("leaver", heirLogin)
		ref := b.carry(old, schema.StepTransfer)
		_, err := b.enter(ref)
		require.NoError(t, err)
		b.vendor.outcome.Class = schema.OutcomeUnknown
		_, err = b.send(ref)
		require.NoError(t, err)

		p := b.open(request("leaver", heirLogin))
		to := b.carry(p.ID, schema.StepTransfer)
		s, err := b.enter(to)
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, s.State)
		tr := b.transferOf(to)
		require.Equal(t, 1, tr.Attempts)
		_, err = b.send(to)
		require.NoError(t, err)
		require.Equal(t, 1, b.vendor.count("send"))
		holder, held, err := b.LaneHolder(t.Context(), b.conn.ID, heir)
		require.NoError(t, err)
		require.True(t, held)
		require.Equal(t, p.CaseID, holder, "the lane went with the plan")
	})

	t.Run("an undo gives back what the first plan took", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.carry(b.lower("suspend"), schema.StepRevokeSessions)
		p := b.open(request("leaver", heirLogin))
		b.cancel(p.ID)
		require.NoError(t, b.restore(p.ID))
		require.Equal(t, active, b.vendor.accounts[leaver].VendorStatus)
	})

	t.Run("not by an equal cause, not while it is undone, not without the transfer it began", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		old := b.lower("leaver", heirLogin)
		same := request("leaver", heirLogin)
		same.Door = schema.DoorInactivity
		require.Equal(t, []string{"BUSY"}, findings(b.draft(same)[0].AllFindings()))
		_, err := b.enter(b.carry(old, schema.StepTransfer))
		require.NoError(t, err)
		require.Contains(t, findings(b.draft(request("suspend"))[0].AllFindings()), "BUSY")
		b.cancel(old)
		require.Contains(t, findings(b.draft(request("leaver", heirLogin))[0].AllFindings()), "BUSY")
	})

	t.Run("refused when the plan began to be undone since the draft", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		old := b.lower("suspend")
		drafts := b.draft(request("leaver", heirLogin))
		b.cancel(old)
		_, err := b.CreateCases(t.Context(), drafts, b.admin)
		require.Equal(t, schema.CodeConflict, schema.CodeOf(err))
		require.Equal(t, schema.PlanCancelling, b.plan(old).State)
	})
}
