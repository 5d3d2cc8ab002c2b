package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/schema"
)

// recover recovers beside the test's own sessions.
func (b *bundle) recover() schema.Recovery {
	b.t.Helper()
	done, err := b.Recover(b.t.Context(), store.RecoverOptions{Reason: "backup of Monday", AllowSessions: true})
	require.NoError(b.t, err)
	require.True(b.t, done.Done)
	return done
}

// unlock allows writes again, as an admin does after a recovery.
func (b *bundle) unlock() {
	b.t.Helper()
	_, err := b.AllowConnectionWrites(b.t.Context(), b.conn.Name, "looked at the vendor", b.admin)
	require.NoError(b.t, err)
	_, err = b.SetSwitch(b.t.Context(), schema.Switch{}, b.admin)
	require.NoError(b.t, err)
}

func (b *bundle) transfer(id schema.PlanID) schema.Transfer {
	b.t.Helper()
	tr, ok, err := b.Transfer(b.t.Context(), id)
	require.NoError(b.t, err)
	require.True(b.t, ok)
	return tr
}

// current is the ref of the step that a plan is in.
func (b *bundle) current(id schema.PlanID) schema.StepRef {
	b.t.Helper()
	p := b.plan(id)
	return schema.StepRef{PlanID: id, Index: p.CurrentStep, Fence: p.Fence - 1}
}

func TestRecoverTakesATransferForSent(t *testing.T) {
	t.Parallel()
	for _, state := range []schema.TransferState{schema.TransferIntended, schema.TransferSent, schema.TransferBusy, schema.TransferRefused, schema.TransferWaiting} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.toTransfer("1", "2")
			require.NoError(t, b.SaveSnapshot(t.Context(), ref, schema.Snapshot{SpaceUsed: 1000, WitnessesOK: true}))
			attempts := b.bringTo(ref, state)
			before := b.transfer(ref.PlanID)
			require.Equal(t, state, before.State)
			b.drain()

			done := b.recover()

			require.Equal(t, []schema.RecoveredTransfer{{
				CaseID: b.plan(ref.PlanID).CaseID, PlanID: ref.PlanID, From: state, To: schema.TransferSettling,
			}}, done.Transfers)
			b.unlock()
			tr := b.transfer(ref.PlanID)
			require.Equal(t, schema.TransferSettling, tr.State)
			require.Equal(t, attempts, tr.Attempts)
			require.False(t, tr.SentAt.IsZero())
			_, err := b.markSent(ref)
			requireCode(t, schema.CodeStale, err)
			_, err = b.markSent(b.current(ref.PlanID))
			requireCode(t, schema.CodeConflict, err)
			_, err = b.ConcludeTransfer(t.Context(), b.current(ref.PlanID), schema.TransferProven, nil)
			require.NoError(t, err, "the new run goes on")
			b.seal()
			require.Empty(t, b.verify().Problems)
		})
	}
}

// bringTo brings the transfer of a begun step to a state, and returns how many
// requests it will count once what may have been sent counts as sent.
func (b *bundle) bringTo(ref schema.StepRef, state schema.TransferState) int {
	b.t.Helper()
	if state == schema.TransferWaiting {
		other := b.toTransfer("3", "2")
		b.enter(other, "3", "2")
		b.enter(ref, "1", "2")
		b.outcome(other, schema.OutcomeAccepted)
		return 1
	}
	b.enter(ref, "1", "2")
	switch state {
	case schema.TransferSent:
		_, err := b.markSent(ref)
		require.NoError(b.t, err)
		return 1
	case schema.TransferBusy:
		b.outcome(ref, schema.OutcomeBusy)
		return 2
	case schema.TransferRefused:
		b.outcome(ref, schema.OutcomeRefused)
		return 2
	}
	return 1
}

// The transfer may have been sent although the backup knows of none.
func TestRecoverTakesATransferForSentThatHasNoRow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	seen := b.begin(b.leaver("1", "2", "transfer").ID, 0)
	require.NoError(t, b.SaveSnapshot(ctx, seen, schema.Snapshot{SpaceUsed: 77, Witnesses: []schema.Witness{{ID: "w1", Type: "file"}}, WitnessesOK: true}))
	unseen := b.leaver("3", "2", "leaver")
	empty := b.begin(b.leaver("9", "2", "leaver").ID, 0)
	require.NoError(t, b.SaveSnapshot(ctx, empty, schema.Snapshot{WitnessesOK: true}))
	unnamed := b.leaver("5", "", "leaver")
	b.leaver("6", "", "suspend")
	finished := b.toTransfer("7", "8")
	b.enter(finished, "7", "8")
	b.outcome(finished, schema.OutcomeAccepted)
	_, err := b.ConcludeTransfer(ctx, finished, schema.TransferProven, nil)
	require.NoError(t, err)

	done := b.recover()

	require.Equal(t, 6, done.Plans)
	require.Equal(t, []schema.RecoveredTransfer{
		{CaseID: b.plan(seen.PlanID).CaseID, PlanID: seen.PlanID, To: schema.TransferSettling},
		{CaseID: unseen.CaseID, PlanID: unseen.ID, To: schema.TransferStalled},
		{CaseID: unnamed.CaseID, PlanID: unnamed.ID, To: schema.TransferStalled},
	}, done.Transfers)
	tr := b.transfer(seen.PlanID)
	require.EqualValues(t, 77, tr.BytesBefore)
	require.Equal(t, 1, tr.WitnessTotal)
	require.Equal(t, 1, tr.Attempts)
	require.Zero(t, tr.Position)
	require.Equal(t, schema.TransferStalled, b.transfer(unseen.ID).State)
	require.Equal(t, schema.TransferProven, b.transfer(finished.PlanID).State)
	require.Equal(t, schema.PlanPlanned, b.plan(unseen.ID).State, "it begins when it is due")
}

// A receiver that an operator gave after the backup is not in it, and a transfer
// may have gone there.
func TestRecoverTakesATransferForSentThatHasNoReceiver(t *testing.T) {
	t.Parallel()
	given := func(p schema.Plan) schema.Decision {
		return schema.Decision{
			Kind: schema.DecideSetReceiver, Receivers: []string{"two@example.com"},
			ReceiverFor: map[schema.PlanID]schema.Account{p.ID: {ExternalID: "2", Login: "two@example.com"}},
		}
	}
	restored := func(t *testing.T) (*bundle, schema.Plan, schema.StepRef) {
		t.Helper()
		b := setup(t)
		p := b.leaver("1", "", "leaver")
		ref := b.through(p.ID, 3)
		require.NoError(t, b.SaveSnapshot(t.Context(), ref, schema.Snapshot{SpaceUsed: 77, WitnessesOK: true}))
		b.park(p.ID, schema.ParkReceiverMissing)
		b.recover()
		b.unlock()
		_, held, err := b.LaneHolder(t.Context(), b.conn.ID, "")
		require.NoError(t, err)
		require.False(t, held)
		return b, p, b.current(p.ID)
	}
	t.Run("given again, it is looked at and not sent", func(t *testing.T) {
		t.Parallel()
		b, p, ref := restored(t)
		require.NoError(t, b.told(p, given(p)))
		tr, err := b.EnterLane(t.Context(), ref, schema.Transfer{Source: "1", Receiver: "2"})
		require.NoError(t, err)
		require.Equal(t, schema.TransferStalled, tr.State)
		require.Equal(t, schema.ExternalID("2"), tr.Receiver)
		_, err = b.MarkSent(t.Context(), ref, "2")
		requireCode(t, schema.CodeConflict, err)
		tr, err = b.ReopenTransfer(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferSettling, tr.State)
	})
	t.Run("watched without one, it stays stalled", func(t *testing.T) {
		t.Parallel()
		b, p, ref := restored(t)
		b.decide(p, schema.DecideResume)
		tr, err := b.ReopenTransfer(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferStalled, tr.State)
	})
	t.Run("sent by an operator's decision alone", func(t *testing.T) {
		t.Parallel()
		b, p, ref := restored(t)
		require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
		b.park(p.ID, schema.ParkReceiverMissing)
		require.NoError(t, b.told(p, given(p)))
		tr, err := b.EnterLane(t.Context(), ref, schema.Transfer{Source: "1", Receiver: "2"})
		require.NoError(t, err)
		require.Equal(t, schema.TransferIntended, tr.State)
		_, err = b.MarkSent(t.Context(), ref, "2")
		require.NoError(t, err)
	})
}

func TestRecoverStopsWrites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.through(b.leaver("1", "2", "suspend").ID, 1)
	require.NoError(t, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}))
	b.drain()
	b.seal()
	size := b.verify().Latest.Size

	done := b.recover()

	require.Equal(t, 1, done.Writes)
	require.Equal(t, []string{"box"}, done.Connections)
	require.Equal(t, size, done.CheckpointSize)
	journal, _, err := b.LastWrite(ctx, ref.PlanID, "suspend")
	require.NoError(t, err)
	require.Equal(t, schema.WriteUnknown, journal.Outcome)
	requireCode(t, schema.CodePaused, b.AllowWrite(ctx, b.conn.ID))
	_, err = b.SetSwitch(ctx, schema.Switch{}, b.admin)
	require.NoError(t, err)
	requireCode(t, schema.CodeReadOnly, b.AllowWrite(ctx, b.conn.ID))
	_, err = b.AllowConnectionWrites(ctx, "box", "", b.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = b.AllowConnectionWrites(ctx, "other", "seen", b.admin)
	requireCode(t, schema.CodeNotFound, err)
	c, err := b.AllowConnectionWrites(ctx, "box", "seen", b.admin)
	require.NoError(t, err)
	require.False(t, c.ReadOnly)
	require.Greater(t, c.Version, b.conn.Version+1)
	require.NoError(t, b.AllowWrite(ctx, b.conn.ID))

	id := b.plan(ref.PlanID).CaseID
	require.Equal(t, []schema.OutboxRow{
		{Kind: schema.OutboxRestart, CaseID: id, PlanID: ref.PlanID}, {Kind: schema.OutboxRestart, CaseID: id},
	}, bare(b.drain()))
	require.Subset(t, b.actions(id), []string{"write.outcome", "plan.recovered"})
	b.seal()
	require.Empty(t, b.verify().Problems)
}

// bare are rows without what differs from run to run.
func bare(rows []schema.OutboxRow) []schema.OutboxRow {
	out := make([]schema.OutboxRow, len(rows))
	for i, r := range rows {
		out[i] = schema.OutboxRow{Kind: r.Kind, CaseID: r.CaseID, PlanID: r.PlanID, DecisionID: r.DecisionID}
	}
	return out
}

func TestWritesAreAllowedToOneConnectionOfAnEnterprise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	beside := b.conn
	beside.Name, beside.ReadOnly = "beside", true
	_, err := b.CreateConnection(t.Context(), beside, "hunter2", b.admin)
	require.NoError(t, err)
	_, err = b.AllowConnectionWrites(t.Context(), "beside", "seen", b.admin)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, "connection box already writes")
	c, err := b.AllowConnectionWrites(t.Context(), "box", "seen", b.admin)
	require.NoError(t, err)
	require.Equal(t, b.conn.Version, c.Version, "it may write already")
}

func TestRecoverLooksFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")
	before := b.verify().Records

	looked, err := b.Recover(ctx, store.RecoverOptions{Reason: "look", DryRun: true, AllowSessions: true})
	require.NoError(t, err)
	require.False(t, looked.Done)
	require.Len(t, looked.Transfers, 1)
	require.Equal(t, []string{"box"}, looked.Connections)
	require.Equal(t, schema.TransferIntended, b.transfer(ref.PlanID).State)
	require.Equal(t, before, b.verify().Records)

	_, err = b.Recover(ctx, store.RecoverOptions{AllowSessions: true})
	requireCode(t, schema.CodeInvalid, err)
	conn := b.sql()
	_, err = b.Recover(ctx, store.RecoverOptions{Reason: "beside others"})
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, "other sessions use the database")
	require.NoError(t, conn.Ping(ctx))
}

// A plan that its workflow parked for being behind goes on; others stay parked.
func TestRecoverUnparksWhatWasOnlyBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	behind := b.through(b.leaver("1", "2", "suspend").ID, 1)
	leaving := b.through(b.leaver("3", "2", "suspend").ID, 1)
	refused := b.through(b.leaver("5", "2", "suspend").ID, 1)
	b.decide(b.plan(leaving.PlanID), schema.DecideCancel)
	require.NoError(t, b.ParkPlan(ctx, behind.PlanID, schema.Cause{Code: schema.ParkStateBehind}))
	require.NoError(t, b.ParkUndo(ctx, leaving.PlanID, schema.Cause{Code: schema.ParkStateBehind}))
	require.NoError(t, b.ParkPlan(ctx, refused.PlanID, schema.Cause{Code: schema.ParkVendorRefused}))

	b.recover()

	require.Equal(t, schema.PlanRunning, b.plan(behind.PlanID).State)
	require.Equal(t, schema.PlanCancelling, b.plan(leaving.PlanID).State)
	require.Equal(t, schema.PlanParked, b.plan(refused.PlanID).State)
	requireCode(t, schema.CodeStale, b.CompleteStep(ctx, behind, schema.StepDone, nil))
	require.NoError(t, b.CompleteStep(ctx, b.current(behind.PlanID), schema.StepDone, nil))

	require.NoError(t, b.ParkPlan(ctx, behind.PlanID, schema.Cause{Code: schema.ParkStateBehind}), "the overtaken run, before its end")
	p, err := b.UnparkBehind(ctx, behind.PlanID)
	require.NoError(t, err)
	require.Equal(t, schema.PlanRunning, p.State)
	p, err = b.UnparkBehind(ctx, refused.PlanID)
	require.NoError(t, err)
	require.Equal(t, schema.PlanParked, p.State)
}

func TestARestoredDatabaseIsRecognized(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.NoError(t, b.EnsureIdentity(ctx))
	require.NoError(t, b.EnsureIdentity(ctx))
	// What a dump brings into another database.
	restored := func() { b.exec(`update database_identity set identity = '7/00000001/5/6'`) }
	restored()
	requireCode(t, schema.CodeStateBehind, b.EnsureIdentity(ctx))
	b.recover()
	require.NoError(t, b.EnsureIdentity(ctx))
	b.unlock()

	restored()
	done, err := b.Recover(ctx, store.RecoverOptions{Reason: "moved to a larger server", NothingLost: true, AllowSessions: true})
	require.NoError(t, err)
	require.Empty(t, done.Connections)
	require.NoError(t, b.EnsureIdentity(ctx))
	require.NoError(t, b.AllowWrite(ctx, b.conn.ID))
	require.Equal(t, []string{"engine.restored", "engine.paused", "engine.unpaused", "engine.moved"}, b.systemActions("engine."))
}

// systemActions lists the actions of the system's stream with a prefix.
func (b *bundle) systemActions(prefix string) []string {
	b.t.Helper()
	rows, err := b.sql().Query(b.t.Context(), `select body from audit_record where stream = 'system' order by seq`)
	require.NoError(b.t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var body []byte
		require.NoError(b.t, rows.Scan(&body))
		e, err := audit.ParseEvent(body)
		require.NoError(b.t, err)
		require.WithinDuration(b.t, time.Now(), e.At, time.Hour)
		if len(e.Action) > len(prefix) && e.Action[:len(prefix)] == prefix {
			out = append(out, e.Action)
		}
	}
	require.NoError(b.t, rows.Err())
	return out
}
