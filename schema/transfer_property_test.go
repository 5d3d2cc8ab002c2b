package schema_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

func transferStates() []schema.TransferState {
	return []schema.TransferState{
		schema.TransferWaiting, schema.TransferIntended, schema.TransferSent, schema.TransferRefused, schema.TransferBusy,
		schema.TransferSettling, schema.TransferProven, schema.TransferPresumed, schema.TransferStalled, schema.TransferSkipped,
		schema.TransferGivenUp,
	}
}

func outcomeClasses() []schema.OutcomeClass {
	return []schema.OutcomeClass{
		schema.OutcomeNotStarted, schema.OutcomeRateLimited, schema.OutcomeUnauthorized, schema.OutcomeBusy,
		schema.OutcomeRefused, schema.OutcomeAccepted, schema.OutcomeUnknown,
	}
}

// definite are the outcomes after which the vendor surely does nothing.
func definite(class schema.OutcomeClass) bool {
	return !slices.Contains([]schema.OutcomeClass{schema.OutcomeAccepted, schema.OutcomeUnknown, "", "what a later release says"}, class)
}

// transferWalk is a transfer under random legal events, with what only the
// vendor knows: whether a request of ours may be at work.
type transferWalk struct {
	state  schema.TransferState
	atWork bool
	sends  int
	// allowed counts why a further send was right: definite answers, and an
	// operator's decisions.
	allowed int
}

// move moves the transfer, whoever moves it.
func (w *transferWalk) move(rt *rapid.T, to schema.TransferState) {
	if to == schema.TransferSent {
		require.False(rt, w.atWork, "sent again while the vendor may be at work")
		w.sends++
		require.LessOrEqual(rt, w.sends, w.allowed+1)
		w.atWork = true
	}
	w.state = to
}

func (w *transferWalk) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"engine moves": func(rt *rapid.T) {
			if w.state == schema.TransferSent {
				return // only an answer, or none, leads on
			}
			if legal := w.legal(); len(legal) > 0 {
				w.move(rt, rapid.SampledFrom(legal).Draw(rt, "to"))
			}
		},
		"vendor answers": func(rt *rapid.T) {
			if w.state != schema.TransferSent {
				return // nothing is on the wire
			}
			class := rapid.SampledFrom(append(outcomeClasses(), "", "what a later release says")).Draw(rt, "class")
			next := schema.TransferOutcome{Class: class}.Next()
			require.True(rt, w.state.CanMove(next), "%s leads to %s", class, next)
			if definite(class) {
				w.atWork = false
				w.allowed++
			}
			w.move(rt, next)
		},
		"operator sends again": func(rt *rapid.T) {
			if !w.state.MaySendAgain() {
				return // nobody is asked
			}
			w.atWork = false
			w.allowed++
			w.move(rt, rapid.SampledFrom([]schema.TransferState{schema.TransferIntended, schema.TransferWaiting}).Draw(rt, "to"))
		},
	}
}

// legal are the states that the machine allows next.
func (w *transferWalk) legal() []schema.TransferState {
	var legal []schema.TransferState
	for _, to := range transferStates() {
		if w.state.CanMove(to) {
			legal = append(legal, to)
		}
	}
	return legal
}

// Promise 2: whatever happens, a request is sent again only after an answer that
// is a definite refusal, or when an operator decided so about a stalled transfer.
func TestATransferIsNeverSentTwiceBlindly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &transferWalk{state: schema.TransferWaiting}
		rt.Repeat(w.actions())
	})
}

// The way back before a send begins only where nothing was taken, and every
// answer that is not definite leads to settling.
func TestOnlyWhatWasNotTakenGoesBack(t *testing.T) {
	t.Parallel()
	for _, from := range transferStates() {
		for _, to := range []schema.TransferState{schema.TransferIntended, schema.TransferWaiting, schema.TransferSent} {
			if !from.CanMove(to) {
				continue
			}
			require.Contains(t, []schema.TransferState{
				schema.TransferWaiting, schema.TransferIntended, schema.TransferSent, schema.TransferRefused, schema.TransferBusy,
			}, from, "%s to %s: only what was surely not taken goes back before its send", from, to)
		}
	}
	require.True(t, schema.TransferSent.CanMove(schema.TransferIntended), "the one way back from sent is a definite answer")
	for _, class := range outcomeClasses() {
		require.Equal(t, definite(class), (schema.TransferOutcome{Class: class}).Next() != schema.TransferSettling, class)
	}
}

// reaches tells whether legal moves lead from one state to one that ends.
func reaches[S comparable](from S, all []S, move func(from, to S) bool, ends func(S) bool) bool {
	seen, next := map[S]bool{from: true}, []S{from}
	for len(next) > 0 {
		s := next[0]
		next = next[1:]
		if ends(s) {
			return true
		}
		for _, to := range all {
			if move(s, to) && !seen[to] {
				seen[to] = true
				next = append(next, to)
			}
		}
	}
	return false
}

// No transfer is stuck: from each state there is a way to one on which the plan
// can end or go on.
func TestEveryTransferCanEnd(t *testing.T) {
	t.Parallel()
	ends := func(s schema.TransferState) bool { return s.Settled() || s == schema.TransferGivenUp }
	move := func(from, to schema.TransferState) bool { return from.CanMove(to) }
	for _, s := range transferStates() {
		require.True(t, reaches(s, transferStates(), move, ends), "from %s", s)
		require.False(t, s.CanMove(s), "%s to itself is no move", s)
	}
	for _, s := range []schema.TransferState{schema.TransferSkipped, schema.TransferGivenUp} {
		for _, to := range transferStates() {
			require.False(t, s.CanMove(to), "%s is the end", s)
		}
	}
}

func planStates() []schema.PlanState {
	return []schema.PlanState{
		schema.PlanPlanned, schema.PlanRunning, schema.PlanWaiting, schema.PlanSettling, schema.PlanCancelling,
		schema.PlanParked, schema.PlanSuperseded, schema.PlanCancelled, schema.PlanDone,
	}
}

// Each plan can end, can be stopped before its end (promise 7), and does not move
// any more after it.
func TestEveryPlanCanEndAndBeStopped(t *testing.T) {
	t.Parallel()
	move := func(from, to schema.PlanState) bool { return from.CanMove(to) }
	for _, s := range planStates() {
		require.True(t, reaches(s, planStates(), move, schema.PlanState.Ended), "from %s", s)
		for _, to := range planStates() {
			require.False(t, s.Ended() && s.CanMove(to), "%s has ended and moves to %s", s, to)
		}
		if !s.Ended() && s != schema.PlanCancelling {
			require.True(t, s.CanMove(schema.PlanCancelling), "%s can be stopped", s)
			require.True(t, s.CanMove(schema.PlanSuperseded), "%s can be superseded", s)
		}
	}
}

// However a plan wanders, it is undone only after somebody stopped it, and a case
// shows the least finished of its plans at every instant.
func TestPlansWander(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plans := make([]schema.PlanState, rapid.IntRange(1, 4).Draw(rt, "plans"))
		stopped := make([]bool, len(plans))
		for i := range plans {
			plans[i] = schema.PlanPlanned
		}
		for range rapid.IntRange(0, 60).Draw(rt, "moves") {
			i := rapid.IntRange(0, len(plans)-1).Draw(rt, "plan")
			to := rapid.SampledFrom(planStates()).Draw(rt, "to")
			if !plans[i].CanMove(to) {
				continue
			}
			if to == schema.PlanCancelled {
				require.True(rt, stopped[i] || plans[i] == schema.PlanPlanned, "cancelled from %s without a decision", plans[i])
			}
			stopped[i] = stopped[i] || to == schema.PlanCancelling
			plans[i] = to
			shown := schema.LeastFinished(plans...)
			require.Contains(rt, plans, shown)
			for _, s := range plans {
				require.Equal(rt, shown, schema.LeastFinished(shown, s), "%s is less finished than %s", s, shown)
			}
		}
	})
}
