package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// toTransfer opens a case from one account to another and begins its transfer.
func (b *bundle) toTransfer(source, receiver string) schema.StepRef {
	b.t.Helper()
	return b.through(b.leaver(source, receiver, "transfer").ID, 1)
}

func (b *bundle) enter(ref schema.StepRef, source, receiver string) schema.Transfer {
	b.t.Helper()
	tr, err := b.EnterLane(b.t.Context(), ref, schema.Transfer{
		Source: schema.ExternalID(source), Receiver: schema.ExternalID(receiver),
		BytesBefore: 1000, WitnessTotal: 2,
	})
	require.NoError(b.t, err)
	return tr
}

// markSent marks the transfer as sent to the receiver that its row names.
func (b *bundle) markSent(ref schema.StepRef) (schema.Transfer, error) {
	tr, _, err := b.Transfer(b.t.Context(), ref.PlanID)
	if err != nil {
		return tr, err
	}
	return b.MarkSent(b.t.Context(), ref, tr.Receiver)
}

func (b *bundle) outcome(ref schema.StepRef, class schema.OutcomeClass) schema.Transfer {
	b.t.Helper()
	_, err := b.markSent(ref)
	require.NoError(b.t, err)
	tr, err := b.RecordTransferOutcome(b.t.Context(), ref, schema.TransferOutcome{Class: class, HTTPStatus: 400})
	require.NoError(b.t, err)
	return tr
}

// lanes lists the plans that the outbox tells to look at their lane.
func (b *bundle) lanes() []schema.PlanID {
	b.t.Helper()
	var out []schema.PlanID
	for _, row := range b.drain() {
		if row.Kind == schema.OutboxLane {
			out = append(out, row.PlanID)
		}
	}
	return out
}

func TestOneOfManyMarksSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.toTransfer("1", "2")
	_, err := b.markSent(ref)
	requireCode(t, schema.CodeConflict, err)
	b.enter(ref, "1", "2")
	errs := make([]error, 10)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.markSent(ref) })
	}
	wg.Wait()
	requireOneWins(t, schema.CodeConflict, errs)
	tr, ok, err := b.Transfer(t.Context(), ref.PlanID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 1, tr.Attempts)
	require.Equal(t, schema.TransferSent, tr.State)
}

func TestMarkSentChecksEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")
	_, err := b.SetSwitch(ctx, schema.Switch{Paused: true, Reason: "incident"}, b.admin)
	require.NoError(t, err)
	_, err = b.markSent(ref)
	requireCode(t, schema.CodePaused, err)
	_, err = b.SetSwitch(ctx, schema.Switch{}, b.admin)
	require.NoError(t, err)
	_, err = b.markSent(schema.StepRef{PlanID: ref.PlanID, Index: ref.Index, Fence: ref.Fence + 1})
	requireCode(t, schema.CodeStateBehind, err)
	_, err = b.MarkSent(ctx, ref, "3")
	requireCode(t, schema.CodeConflict, err)
	b.exec(`delete from transfer_party where external_id = '2'`)
	_, err = b.markSent(ref)
	requireCode(t, schema.CodeInternal, err)
}

func TestTransferOutcomes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")

	tr := b.outcome(ref, schema.OutcomeRateLimited)
	require.Equal(t, schema.TransferIntended, tr.State)
	require.Equal(t, "rate_limited", tr.LastOutcome)
	require.False(t, tr.EndedAt.IsZero())

	tr = b.outcome(ref, schema.OutcomeBusy)
	require.Equal(t, schema.TransferBusy, tr.State)
	tr, err := b.RearmTransfer(ctx, ref, false)
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, tr.State)

	tr = b.outcome(ref, schema.OutcomeRefused)
	require.Equal(t, schema.TransferRefused, tr.State)
	other := b.toTransfer("3", "2")
	require.Equal(t, schema.TransferIntended, b.enter(other, "3", "2").State, "a refusal frees the lane")
	tr, err = b.RearmTransfer(ctx, ref, false)
	require.NoError(t, err)
	require.Equal(t, schema.TransferWaiting, tr.State)
	require.Equal(t, 1, b.enter(ref, "1", "2").Position)
	require.NoError(t, b.LeaveLane(ctx, other.PlanID))
	require.Equal(t, schema.TransferIntended, b.enter(ref, "1", "2").State)

	tr = b.outcome(ref, schema.OutcomeUnknown)
	require.Equal(t, schema.TransferSettling, tr.State)
	require.Equal(t, 4, tr.Attempts)
	late, err := b.RecordTransferOutcome(ctx, ref, schema.TransferOutcome{Class: schema.OutcomeAccepted, FolderID: "f9"})
	require.NoError(t, err, "an answer that came late")
	require.Equal(t, []schema.ExternalID{"f9"}, late.FolderIDs)
	require.Equal(t, "unknown", late.LastOutcome)
	_, err = b.RecordTransferOutcome(ctx, ref, schema.TransferOutcome{Class: schema.OutcomeRefused})
	requireCode(t, schema.CodeConflict, err)
	tr, err = b.RearmTransfer(ctx, ref, false)
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, tr.State, "what may be at work is not made ready again")
	requireCode(t, schema.CodeConflict, b.CompleteStep(ctx, ref, schema.StepDone, nil))
}

func TestTransferEvidence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")
	b.outcome(ref, schema.OutcomeAccepted)
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	read := func(minute, found int, left int64, clear bool) schema.Transfer {
		t.Helper()
		tr, err := b.RecordTransferRead(ctx, ref, schema.TransferRead{
			BytesLeft: left, WitnessFound: found, WitnessTotal: 2,
			Clear: clear, FolderIDs: []schema.ExternalID{"f1"}, At: at.Add(time.Duration(minute) * time.Minute),
		})
		require.NoError(t, err)
		return tr
	}

	tr := read(0, 0, 1000, false)
	require.Equal(t, at, tr.MovedAt)
	tr = read(1, 0, 1000, false)
	require.Equal(t, at, tr.MovedAt, "nothing moved")
	require.Equal(t, at.Add(time.Minute), tr.LastReadAt)
	tr = read(2, 2, 0, true)
	require.Equal(t, at.Add(2*time.Minute), tr.MovedAt)
	require.Equal(t, at.Add(2*time.Minute), tr.ClearSince)
	tr = read(3, 2, 0, true)
	require.Equal(t, at.Add(2*time.Minute), tr.ClearSince, "since the first clear read")
	require.Equal(t, []schema.ExternalID{"f1"}, tr.FolderIDs)
	tr = read(4, 1, 0, false)
	require.True(t, tr.ClearSince.IsZero())

	stalled, err := b.ConcludeTransfer(ctx, ref, schema.TransferStalled, nil)
	require.NoError(t, err)
	require.Equal(t, schema.TransferStalled, stalled.State)
	_, err = b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
	requireCode(t, schema.CodeConflict, err)
	require.NoError(t, b.ParkPlan(ctx, ref.PlanID, schema.Cause{Code: schema.ParkTransferStalled}))
	b.decide(b.plan(ref.PlanID), schema.DecideResume)
	reopened, err := b.ReopenTransfer(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, reopened.State)
	require.Equal(t, schema.PlanSettling, b.plan(ref.PlanID).State)
	again, err := b.ReopenTransfer(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, reopened, again)

	proven, err := b.ConcludeTransfer(ctx, ref, schema.TransferProven, map[string]string{"witnesses": "2 of 2"})
	require.NoError(t, err)
	again, err = b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
	require.NoError(t, err)
	require.Equal(t, proven, again)
	require.Equal(t, schema.PlanRunning, b.plan(ref.PlanID).State)
	_, err = b.ReopenTransfer(ctx, ref)
	requireCode(t, schema.CodeConflict, err)
	planned, err := b.PlannedBytes(ctx, b.conn.ID, "2")
	require.NoError(t, err)
	require.Zero(t, planned)
}

func TestAReadNamesWhatIsMissingAndEndsAWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")
	b.outcome(ref, schema.OutcomeAccepted)
	require.NoError(t, b.WaitStep(ctx, ref, time.Time{}))
	require.Equal(t, schema.PlanWaiting, b.plan(ref.PlanID).State)
	read := schema.TransferRead{BytesLeft: 7, WitnessFound: 0, WitnessTotal: 2, MissingIDs: []schema.ExternalID{"w1", "w2"}, At: time.Now()}
	_, err := b.RecordTransferRead(ctx, ref, read)
	require.NoError(t, err)
	require.Equal(t, schema.PlanSettling, b.plan(ref.PlanID).State)
	events := b.events(b.plan(ref.PlanID).CaseID)
	require.Equal(t, "w1,w2", events[len(events)-1].Details["missing"])
	_, err = b.RecordTransferRead(ctx, ref, read)
	require.NoError(t, err)
	require.Len(t, b.events(b.plan(ref.PlanID).CaseID), len(events), "the same again is not recorded")
}

func TestDeleteWaitsForTheTransfer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	transfer := b.through(p.ID, 3)
	b.enter(transfer, "1", "2")
	b.outcome(transfer, schema.OutcomeUnknown)
	_, err := b.ConcludeTransfer(ctx, transfer, schema.TransferPresumed, nil)
	require.NoError(t, err)
	require.NoError(t, b.CompleteStep(ctx, transfer, schema.StepDone, nil))
	require.NoError(t, b.CompleteStep(ctx, b.begin(p.ID, 4), schema.StepDone, nil))
	ref := b.begin(p.ID, 5)
	del := schema.VendorWrite{Op: "delete"}
	require.NoError(t, b.IntendWrite(ctx, ref, del))

	tries, err := b.CountDeleteRefusal(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, 1, tries)
	tr, _, err := b.Transfer(ctx, p.ID)
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, tr.State, "the vendor's refusal voids the verdict")
	require.Equal(t, schema.PlanSettling, b.plan(p.ID).State)
	requireCode(t, schema.CodeConflict, b.IntendWrite(ctx, ref, del))
	_, err = b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
	require.NoError(t, err)

	other := b.toTransfer("8", "1")
	b.enter(other, "8", "1")
	requireCode(t, schema.CodeUnavailable, b.IntendWrite(ctx, ref, del))
	require.NoError(t, b.LeaveLane(ctx, other.PlanID))
	require.NoError(t, b.IntendWrite(ctx, ref, del))
	tries, err = b.CountDeleteRefusal(ctx, ref)
	require.NoError(t, err)
	require.Equal(t, 2, tries)
}

func TestSkipTransfer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	require.NoError(t, b.SkipTransfer(ctx, ref, schema.Transfer{Receiver: "2"}))
	require.NoError(t, b.SkipTransfer(ctx, ref, schema.Transfer{Receiver: "2"}))
	require.Equal(t, schema.TransferSkipped, b.enter(ref, "1", "2").State)
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepSkipped, nil))
	require.NoError(t, b.EndPlan(ctx, ref.PlanID, schema.PlanDone))

	holder := b.toTransfer("3", "4")
	b.enter(holder, "3", "4")
	waits := b.toTransfer("5", "4")
	require.Equal(t, schema.TransferWaiting, b.enter(waits, "5", "4").State)
	require.NoError(t, b.SkipTransfer(ctx, waits, schema.Transfer{}))
	requireCode(t, schema.CodeConflict, b.SkipTransfer(ctx, holder, schema.Transfer{}))
	_, err := b.EnterLane(ctx, holder, schema.Transfer{Source: "3", Receiver: "3"})
	require.Error(t, err)
	_, err = b.RearmTransfer(ctx, b.toTransfer("6", "7"), false)
	requireCode(t, schema.CodeNotFound, err)
}

func TestLanesAreFirstInFirstOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	a, second, third, apart := b.toTransfer("1", "9"), b.toTransfer("2", "9"), b.toTransfer("3", "2"), b.toTransfer("4", "5")
	require.Equal(t, schema.TransferIntended, b.enter(a, "1", "9").State)
	require.Equal(t, 1, b.enter(second, "2", "9").Position)
	require.Equal(t, schema.PlanWaiting, b.plan(second.PlanID).State)
	require.Equal(t, 2, b.enter(third, "3", "2").Position, "2 and 3 are free, but an earlier waiter needs 2")
	require.Equal(t, schema.TransferIntended, b.enter(apart, "4", "5").State, "who shares nothing passes")
	require.Equal(t, 1, b.enter(second, "2", "9").Position, "asking again keeps the place")
	b.drain()

	require.NoError(t, b.LeaveLane(ctx, apart.PlanID))
	require.Empty(t, b.lanes())
	b.outcome(a, schema.OutcomeUnknown)
	require.NoError(t, b.LeaveLane(ctx, a.PlanID), "nothing may be freed while the vendor may be at work")
	require.Equal(t, schema.TransferWaiting, b.enter(second, "2", "9").State)
	_, err := b.ConcludeTransfer(ctx, a, schema.TransferProven, nil)
	require.NoError(t, err)
	require.Equal(t, []schema.PlanID{second.PlanID}, b.lanes())
	require.Equal(t, schema.TransferWaiting, b.enter(third, "3", "2").State, "woken or not, it is not its turn")
	require.Equal(t, schema.TransferIntended, b.enter(second, "2", "9").State)
	require.Equal(t, schema.PlanRunning, b.plan(second.PlanID).State)

	view, err := b.CaseView(ctx, b.plan(third.PlanID).CaseID)
	require.NoError(t, err)
	require.Equal(t, 1, view.Accounts[0].Transfer.Position)

	b.decide(b.plan(second.PlanID), schema.DecideCancel)
	require.NoError(t, b.EndPlan(ctx, second.PlanID, schema.PlanCancelled))
	require.Equal(t, []schema.PlanID{third.PlanID}, b.lanes(), "a plan that ends frees its lane")
}

func TestAWaiterThatLeavesOrChangesMakesRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	a, second, third, fourth := b.toTransfer("1", "9"), b.toTransfer("2", "9"), b.toTransfer("3", "2"), b.toTransfer("4", "8")
	b.enter(a, "1", "9")
	b.enter(second, "2", "9")
	b.enter(third, "3", "2")
	b.enter(fourth, "4", "8")
	b.drain()
	require.Equal(t, schema.TransferWaiting, b.enter(second, "2", "8").State, "8 is taken, and it queues anew")
	require.Equal(t, []schema.PlanID{third.PlanID}, b.lanes())
	require.NoError(t, b.LeaveLane(ctx, second.PlanID))
	require.NoError(t, b.LeaveLane(ctx, second.PlanID))
	require.Equal(t, []schema.PlanID{third.PlanID}, b.lanes())
	require.Equal(t, schema.TransferIntended, b.enter(third, "3", "2").State)
	require.NoError(t, b.LeaveLane(ctx, b.leaver("20", "21", "suspend").ID), "a plan without transfer")
}

func TestEndPlanRefusesWhileContentMoves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ref := b.toTransfer("1", "2")
	b.enter(ref, "1", "2")
	b.outcome(ref, schema.OutcomeUnknown)
	b.decide(b.plan(ref.PlanID), schema.DecideCancel)
	requireCode(t, schema.CodeConflict, b.EndPlan(ctx, ref.PlanID, schema.PlanCancelled))
	_, err := b.RecordTransferRead(ctx, ref, schema.TransferRead{At: time.Now()})
	require.NoError(t, err, "a cancelling plan goes on watching")
	require.Equal(t, schema.PlanCancelling, b.plan(ref.PlanID).State)
	_, err = b.ConcludeTransfer(ctx, ref, schema.TransferStalled, nil)
	require.NoError(t, err)
	require.NoError(t, b.EndPlan(ctx, ref.PlanID, schema.PlanCancelled), "an operator gave it up")
	require.Equal(t, schema.TransferIntended, b.enter(b.toTransfer("3", "2"), "3", "2").State)
}

// TestLanesUnderLoad lets fifty transfers over ten accounts compete. Each goes
// through, no account is ever in two at once, and nothing deadlocks.
// A request of which nobody knows what became of it is remembered, however its
// plan ended: the next case asks before it sends another.
func TestARequestWithoutVerdictIsRemembered(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]func(b *bundle, ref schema.StepRef){
		"to be sent again":       func(*bundle, schema.StepRef) {},
		"sent again and refused": func(b *bundle, ref schema.StepRef) { b.outcome(ref, schema.OutcomeRefused) },
		"sent again in vain":     func(b *bundle, ref schema.StepRef) { b.outcome(ref, schema.OutcomeRateLimited) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ctx := t.Context()
			p, ref := b.stalled("1", "2")
			require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
			rest(b, ref)
			b.decide(p, schema.DecideCancel)
			require.NoError(t, b.LeaveLane(ctx, p.ID))
			require.NoError(t, b.EndPlan(ctx, p.ID, schema.PlanCancelled))
			c, unsettled, err := b.UnsettledTransferOf(ctx, b.conn.ID, "1")
			require.NoError(t, err)
			require.True(t, unsettled)
			require.Equal(t, p.CaseID, c)
			b.reconnect()
			_, unsettled, err = b.UnsettledTransferOf(ctx, b.conn.ID, "1")
			require.NoError(t, err)
			require.True(t, unsettled, "over another connection to its enterprise too")
		})
	}
	t.Run("but not one that was only refused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		p, ref := b.atTransfer("1", "2")
		b.outcome(ref, schema.OutcomeRefused)
		b.decide(p, schema.DecideCancel)
		require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
		_, unsettled, err := b.UnsettledTransferOf(t.Context(), b.conn.ID, "1")
		require.NoError(t, err)
		require.False(t, unsettled)
	})
}

// While an earlier request may be running, the account is busy with that one.
func TestBusyWithAnEarlierRequestSettles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, ref := b.stalled("1", "2")
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
	require.Equal(t, schema.TransferSettling, b.outcome(ref, schema.OutcomeBusy).State)
	require.Equal(t, schema.PlanSettling, b.plan(p.ID).State)
	again, err := b.RecordTransferOutcome(t.Context(), ref, schema.TransferOutcome{Class: schema.OutcomeBusy})
	require.NoError(t, err, "a repeat")
	require.Equal(t, schema.TransferSettling, again.State)
}

func TestALateAnswerIsNotTheNextRequestsAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, ref := b.stalled("1", "2")
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideSendAgain}))
	_, err := b.markSent(ref)
	require.NoError(t, err)
	tr, err := b.RecordTransferOutcome(t.Context(), ref, schema.TransferOutcome{Attempt: 1, Class: schema.OutcomeRefused, FolderID: "f1"})
	require.NoError(t, err)
	require.Equal(t, schema.TransferSent, tr.State)
	require.Equal(t, []schema.ExternalID{"f1"}, tr.FolderIDs)
	tr, err = b.RecordTransferOutcome(t.Context(), ref, schema.TransferOutcome{Attempt: 2, Class: schema.OutcomeAccepted})
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, tr.State)
}

func TestLanesUnderLoad(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	const transfers, receivers = 50, 5
	refs := make([]schema.StepRef, transfers)
	for i := range refs {
		refs[i] = b.toTransfer(fmt.Sprint("s", i), fmt.Sprint("r", i%receivers))
	}
	busy := make([]sync.Mutex, receivers) // stands in for the vendor: one job per receiver
	errs := make([]error, transfers)
	var wg sync.WaitGroup
	for i, ref := range refs {
		wg.Go(func() {
			r := i % receivers
			for errs[i] == nil {
				tr, err := b.EnterLane(ctx, ref, schema.Transfer{Source: schema.ExternalID(fmt.Sprint("s", i)), Receiver: schema.ExternalID(fmt.Sprint("r", r))})
				if errs[i] = err; err != nil || tr.State == schema.TransferIntended {
					break
				}
				if rand.IntN(4) == 0 {
					errs[i] = b.LeaveLane(ctx, ref.PlanID)
				}
			}
			if errs[i] != nil {
				return
			}
			if !busy[r].TryLock() {
				errs[i] = errors.New("two transfers hold one account's lane")
				return
			}
			_, sent := b.markSent(ref)
			_, outcome := b.RecordTransferOutcome(ctx, ref, schema.TransferOutcome{Class: schema.OutcomeAccepted})
			busy[r].Unlock()
			_, proven := b.ConcludeTransfer(ctx, ref, schema.TransferProven, nil)
			errs[i] = errors.Join(sent, outcome, proven)
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	var deadlocks int
	require.NoError(t, b.sql().QueryRow(ctx, `select deadlocks from pg_stat_database where datname = current_database()`).Scan(&deadlocks))
	require.Zero(t, deadlocks)
}
