package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// inactive opens a case of a lower cause than that of leaver.
func (b *bundle) inactive(external, receiver string) schema.Plan {
	b.t.Helper()
	d := b.draft(external, receiver, "leaver")
	d.Request.Door = schema.DoorInactivity
	d.Accounts[0].Facts.Cause = string(schema.DoorInactivity)
	d.Hash = schema.CaseHash([]string{d.Accounts[0].Facts.Hash()})
	return b.write(d)
}

func (b *bundle) inactiveAtTransfer(source, receiver string) (schema.Plan, schema.StepRef) {
	b.t.Helper()
	p := b.inactive(source, receiver)
	ref := b.through(p.ID, 3)
	b.enter(ref, source, receiver)
	return p, ref
}

func TestASuccessorHoldsNoLaneForWhatWasNotSent(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(b *bundle, ref schema.StepRef){
		"intended": func(*bundle, schema.StepRef) {},
		"busy":     func(b *bundle, ref schema.StepRef) { b.outcome(ref, schema.OutcomeBusy) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, ref := b.inactiveAtTransfer("1", "2")
			bring(b, ref)
			behind := b.toTransfer("3", "2")
			require.Equal(t, schema.TransferWaiting, b.enter(behind, "3", "2").State)
			b.drain()
			d := b.draft("1", "2", "leaver")
			d.Request.EffectiveAt = time.Now().Add(30 * 24 * time.Hour)
			heir := b.write(d)
			require.Equal(t, []schema.PlanID{behind.PlanID}, b.lanes(), "whoever waited is told")
			require.Equal(t, schema.TransferWaiting, b.transfer(heir.ID).State)
			require.Zero(t, b.transfer(heir.ID).Position)
			require.Equal(t, schema.TransferIntended, b.enter(behind, "3", "2").State)
		})
	}
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.enter(b.toTransfer("5", "4"), "5", "4")
		p := b.inactive("1", "4")
		require.Equal(t, schema.TransferWaiting, b.enter(b.through(p.ID, 3), "1", "4").State)
		heir := b.leaver("1", "4", "leaver")
		require.Zero(t, b.transfer(heir.ID).Position)
		require.Equal(t, 1, b.enter(b.through(heir.ID, 3), "1", "4").Position, "it queues anew when it begins")
	})
	t.Run("but keeps those of a request that may be running", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, ref := b.inactiveAtTransfer("1", "2")
		b.outcome(ref, schema.OutcomeUnknown)
		heir := b.leaver("1", "2", "leaver")
		require.Equal(t, schema.TransferSettling, b.transfer(heir.ID).State)
		holder, held, err := b.LaneHolder(t.Context(), b.conn.ID, "2")
		require.NoError(t, err)
		require.True(t, held)
		require.Equal(t, heir.CaseID, holder)
	})
}

func TestASuccessorIsNotBoundByAWaivedTransfer(t *testing.T) {
	t.Parallel()
	waived := func(b *bundle, class schema.OutcomeClass) schema.Plan {
		p, ref := b.inactiveAtTransfer("1", "2")
		b.outcome(ref, class)
		if class == schema.OutcomeUnknown {
			_, err := b.ConcludeTransfer(b.t.Context(), ref, schema.TransferStalled, nil)
			require.NoError(b.t, err)
		}
		b.park(p.ID, schema.ParkTransferRefused)
		require.NoError(b.t, b.told(p, schema.Decision{Kind: schema.DecideWaive}))
		require.Equal(b.t, schema.TransferGivenUp, b.transfer(p.ID).State)
		return b.leaver("1", "2", "leaver")
	}
	t.Run("refused, it is sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		heir := waived(b, schema.OutcomeRefused)
		ref := b.through(heir.ID, 3)
		require.Equal(t, schema.TransferIntended, b.enter(ref, "1", "2").State)
		_, err := b.markSent(ref)
		require.NoError(t, err)
	})
	t.Run("stalled, somebody is asked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		heir := waived(b, schema.OutcomeUnknown)
		ref := b.through(heir.ID, 3)
		require.Equal(t, schema.TransferStalled, b.enter(ref, "1", "2").State)
		b.park(heir.ID, schema.ParkTransferStalled)
		require.NoError(t, b.told(heir, schema.Decision{Kind: schema.DecideWaive}))
		require.Equal(t, schema.TransferGivenUp, b.transfer(heir.ID).State)
	})
}

// What a superseded plan sent is answered after its end.
func TestAnswersReachTheSuccessor(t *testing.T) {
	t.Parallel()
	t.Run("to a write", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx := t.Context()
		old := b.inactive("1", "2")
		require.NoError(t, b.IntendWrite(ctx, b.through(old.ID, 1), schema.VendorWrite{Op: "suspend"}))
		heir := b.leaver("1", "2", "leaver")
		require.NoError(t, b.RecordOutcome(ctx, old.ID, schema.VendorWrite{Op: "suspend", Details: map[string]string{"outcome": "accepted"}}))
		w, ok, err := b.LastWrite(ctx, heir.ID, "suspend")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, schema.WriteAccepted, w.Outcome)
		require.Contains(t, b.actions(heir.CaseID), "write.outcome")
	})
	for class, to := range map[schema.OutcomeClass]schema.TransferState{
		schema.OutcomeAccepted: schema.TransferSettling, schema.OutcomeRefused: schema.TransferRefused,
		schema.OutcomeBusy: schema.TransferWaiting, schema.OutcomeNotStarted: schema.TransferWaiting,
	} {
		t.Run("to a transfer, "+string(class), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, ref := b.inactiveAtTransfer("1", "2")
			_, err := b.markSent(ref)
			require.NoError(t, err)
			heir := b.leaver("1", "2", "leaver")
			_, err = b.RecordTransferOutcome(t.Context(), ref, schema.TransferOutcome{Class: class, FolderID: "f1"})
			requireCode(t, schema.CodeSuperseded, err)
			tr := b.transfer(heir.ID)
			require.Equal(t, to, tr.State)
			require.EqualValues(t, class, tr.LastOutcome)
			require.Equal(t, []schema.ExternalID{"f1"}, tr.FolderIDs)
			_, held, err := b.LaneHolder(t.Context(), b.conn.ID, "2")
			require.NoError(t, err)
			require.Equal(t, to == schema.TransferSettling, held)
		})
	}
	t.Run("but not where the successor sent its own", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, old := b.inactiveAtTransfer("1", "2")
		_, err := b.markSent(old)
		require.NoError(t, err)
		heir := b.leaver("1", "2", "leaver")
		ref := b.through(heir.ID, 3)
		_, err = b.RecordTransferOutcome(t.Context(), ref, schema.TransferOutcome{Class: schema.OutcomeNotStarted})
		require.NoError(t, err)
		_, err = b.markSent(ref)
		require.NoError(t, err)
		_, err = b.RecordTransferOutcome(t.Context(), old, schema.TransferOutcome{Class: schema.OutcomeRefused})
		requireCode(t, schema.CodeSuperseded, err)
		require.Equal(t, schema.TransferSent, b.transfer(heir.ID).State)
	})
}
