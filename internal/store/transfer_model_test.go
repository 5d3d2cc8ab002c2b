package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// modelPlan is what a plan's transfer must be.
type modelPlan struct {
	ref              schema.StepRef
	caseID           schema.CaseID
	source, receiver schema.ExternalID

	state    schema.TransferState // "" = no row yet
	attempts int
	answered bool // the last request, or one before it, has an outcome
	atWork   bool // the vendor may be at work on a request of ours
}

func (p *modelPlan) parties() []schema.ExternalID {
	return []schema.ExternalID{p.source, p.receiver}
}

func (p *modelPlan) shares(with []schema.ExternalID) bool {
	return slices.ContainsFunc(p.parties(), func(id schema.ExternalID) bool { return slices.Contains(with, id) })
}

// laneModel is a connection's lanes, as the design says they are: an account takes
// part in one open transfer, and the others wait in line.
type laneModel struct {
	b     *bundle
	plans []*modelPlan
	queue []*modelPlan
	held  map[schema.ExternalID]*modelPlan
	woken []schema.PlanID // by the operation under way
}

// newLaneModel opens three cases whose accounts overlap: two bring their content
// to one receiver, who brings theirs to the first of the two.
func newLaneModel(b *bundle, round int) *laneModel {
	m := &laneModel{b: b, held: map[schema.ExternalID]*modelPlan{}}
	id := func(n int) string { return fmt.Sprintf("%d-%d", round, n) }
	for _, pair := range [][2]int{{1, 3}, {2, 3}, {3, 1}} {
		p := &modelPlan{ref: b.toTransfer(id(pair[0]), id(pair[1])), source: schema.ExternalID(id(pair[0])), receiver: schema.ExternalID(id(pair[1]))}
		p.caseID = b.plan(p.ref.PlanID).CaseID
		m.plans = append(m.plans, p)
	}
	b.drain()
	return m
}

// ready are the waiters that may go: nobody holds an account of theirs, and
// nobody who shares one waited longer.
func (m *laneModel) ready() []*modelPlan {
	taken := map[schema.ExternalID]bool{}
	for id := range m.held {
		taken[id] = true
	}
	var out []*modelPlan
	for _, p := range m.queue {
		if !taken[p.source] && !taken[p.receiver] {
			out = append(out, p)
		}
		taken[p.source], taken[p.receiver] = true, true
	}
	return out
}

func (m *laneModel) position(p *modelPlan) int {
	at := slices.Index(m.queue, p)
	if at < 0 {
		return 0
	}
	n := 1
	for _, earlier := range m.queue[:at] {
		if earlier.shares(p.parties()) {
			n++
		}
	}
	return n
}

// free gives up lanes or a place, and wakes whoever may go because of it.
func (m *laneModel) free(p *modelPlan) {
	var freed []schema.ExternalID
	for id, holder := range m.held {
		if holder == p {
			freed = append(freed, id)
			delete(m.held, id)
		}
	}
	if at := slices.Index(m.queue, p); at >= 0 {
		m.queue = slices.Delete(m.queue, at, at+1)
		freed = append(freed, p.parties()...)
	}
	for _, w := range m.ready() {
		if w.shares(freed) {
			m.woken = append(m.woken, w.ref.PlanID)
		}
	}
}

func (m *laneModel) hold(p *modelPlan) {
	for _, id := range p.parties() {
		if m.held[id] == nil {
			m.held[id] = p
		}
	}
}

func (m *laneModel) lanes(p *modelPlan) (n int) {
	for _, holder := range m.held {
		if holder == p {
			n++
		}
	}
	return n
}

// step is one operation of the store on a plan: what it does, and what the model
// says it must do; false means that it must be refused.
type step struct {
	do   func() error
	want func() bool
}

func (m *laneModel) enter(p *modelPlan) step {
	return step{
		do: func() error {
			_, err := m.b.EnterLane(m.b.t.Context(), p.ref, schema.Transfer{Source: p.source, Receiver: p.receiver, BytesBefore: 1000, WitnessTotal: 2})
			return err
		},
		want: func() bool {
			if p.state != "" && p.state != schema.TransferWaiting {
				return true
			}
			p.state = schema.TransferWaiting
			if !slices.Contains(m.queue, p) {
				m.queue = append(m.queue, p)
			}
			if slices.Contains(m.ready(), p) {
				m.queue = slices.DeleteFunc(m.queue, func(w *modelPlan) bool { return w == p })
				p.state = schema.TransferIntended
				m.hold(p)
			}
			return true
		},
	}
}

func (m *laneModel) leave(p *modelPlan) step {
	return step{
		do: func() error { return m.b.LeaveLane(m.b.t.Context(), p.ref.PlanID) },
		want: func() bool {
			switch p.state {
			case schema.TransferIntended, schema.TransferBusy, schema.TransferWaiting:
				p.state = schema.TransferWaiting
				m.free(p)
			}
			return true
		},
	}
}

func (m *laneModel) send(rt *rapid.T, p *modelPlan) step {
	return step{
		do: func() error {
			_, err := m.b.MarkSent(m.b.t.Context(), p.ref, p.receiver)
			return err
		},
		want: func() bool {
			if p.state != schema.TransferIntended {
				return false
			}
			require.False(rt, p.atWork, "sent again while the vendor may be at work")
			require.Equal(rt, 2, m.lanes(p))
			p.state, p.atWork, p.answered = schema.TransferSent, true, false
			p.attempts++
			return true
		},
	}
}

func (m *laneModel) answer(rt *rapid.T, p *modelPlan) step {
	class := rapid.SampledFrom([]schema.OutcomeClass{
		schema.OutcomeNotStarted, schema.OutcomeRateLimited, schema.OutcomeUnauthorized, schema.OutcomeBusy,
		schema.OutcomeRefused, schema.OutcomeAccepted, schema.OutcomeUnknown,
	}).Draw(rt, "class")
	o := schema.TransferOutcome{Class: class}
	return step{
		do: func() error {
			_, err := m.b.RecordTransferOutcome(m.b.t.Context(), p.ref, o)
			return err
		},
		want: func() bool {
			if p.state != schema.TransferSent {
				return p.state == o.Next() && p.answered
			}
			p.state, p.answered = o.Next(), true
			p.atWork = class == schema.OutcomeAccepted || class == schema.OutcomeUnknown
			if p.state == schema.TransferRefused {
				m.free(p)
			}
			return true
		},
	}
}

func (m *laneModel) rearm(rt *rapid.T, p *modelPlan) step {
	moved := rapid.Bool().Draw(rt, "moved")
	return step{
		do: func() error {
			_, err := m.b.RearmTransfer(m.b.t.Context(), p.ref, moved)
			return err
		},
		want: func() bool {
			switch p.state {
			case schema.TransferRefused:
				p.state = schema.TransferWaiting
			case schema.TransferBusy:
				p.state = schema.TransferIntended
				if moved {
					p.state = schema.TransferSettling
				}
			case schema.TransferIntended, schema.TransferWaiting, schema.TransferSettling:
			default:
				return false
			}
			return true
		},
	}
}

func (m *laneModel) conclude(rt *rapid.T, p *modelPlan) step {
	to := rapid.SampledFrom([]schema.TransferState{schema.TransferProven, schema.TransferPresumed, schema.TransferStalled}).Draw(rt, "verdict")
	return step{
		do: func() error {
			_, err := m.b.ConcludeTransfer(m.b.t.Context(), p.ref, to, nil)
			return err
		},
		want: func() bool {
			if p.state == to {
				return true
			}
			if p.state != schema.TransferSettling {
				return false
			}
			p.state = to
			if to.Settled() {
				m.free(p)
			}
			return true
		},
	}
}

func (m *laneModel) reopen(p *modelPlan) step {
	return step{
		do: func() error {
			_, err := m.b.ReopenTransfer(m.b.t.Context(), p.ref)
			return err
		},
		want: func() bool {
			ok := p.state == schema.TransferStalled || p.state == schema.TransferSettling
			if ok {
				p.state = schema.TransferSettling
			}
			return ok
		},
	}
}

// void is the vendor's refusal to delete: content is left after all.
func (m *laneModel) void(p *modelPlan) step {
	return step{
		do: func() error {
			_, err := m.b.CountDeleteRefusal(m.b.t.Context(), p.ref)
			return err
		},
		want: func() bool {
			if p.state == schema.TransferProven || p.state == schema.TransferPresumed {
				p.state = schema.TransferSettling
				m.hold(p)
			}
			return true
		},
	}
}

// sendAgain is an operator's decision about a parked plan.
func (m *laneModel) sendAgain(p *modelPlan) step {
	return step{
		do: func() error {
			if err := m.b.ParkPlan(m.b.t.Context(), p.ref.PlanID, schema.Cause{Code: schema.ParkTransferStalled}); err != nil {
				return err
			}
			if _, err := m.decide(p, schema.DecideSendAgain); err != nil {
				m.b.decide(m.b.plan(p.ref.PlanID), schema.DecideResume) // it is as before
				return err
			}
			return nil
		},
		want: func() bool {
			if p.state != schema.TransferStalled {
				return false
			}
			p.state, p.atWork = schema.TransferIntended, false // the operator takes that upon them
			if m.lanes(p) != 2 {
				p.state = schema.TransferWaiting
				m.free(p)
			}
			return true
		},
	}
}

func (m *laneModel) release(p *modelPlan) step {
	return step{
		do: func() error { _, err := m.decide(p, schema.DecideReleaseLane); return err },
		want: func() bool {
			if p.state != schema.TransferStalled {
				return false
			}
			m.free(p)
			return true
		},
	}
}

func (m *laneModel) decide(p *modelPlan, kind schema.DecisionKind) (schema.Decision, error) {
	return m.b.Decide(m.b.t.Context(), schema.Decision{CaseID: p.caseID, Kind: kind, Reason: "test"}, m.b.admin)
}

// try does a step to a random plan and compares everything with the model.
func (m *laneModel) try(rt *rapid.T, make func(*modelPlan) step) {
	p := m.plans[rapid.IntRange(0, len(m.plans)-1).Draw(rt, "plan")]
	before, wasLanes, wasPlace := *p, m.lanes(p), m.position(p)
	records := len(m.b.events(p.caseID))
	m.woken = nil
	s := make(p)
	err, want := s.do(), s.want()
	if want {
		require.NoError(rt, err)
	} else {
		require.Error(rt, err)
		require.Contains(rt, []schema.Code{schema.CodeConflict, schema.CodeNotFound}, schema.CodeOf(err), "%v", err)
		require.Equal(rt, before, *p)
	}
	m.compare(rt)
	require.ElementsMatch(rt, m.woken, m.b.lanes(), "whoever may go now is told, and nobody else")
	if before != *p || wasLanes != m.lanes(p) || wasPlace != m.position(p) {
		require.Greater(rt, len(m.b.events(p.caseID)), records, "a change without an audit record")
	}
}

func (m *laneModel) compare(rt *rapid.T) {
	for _, p := range m.plans {
		tr, ok, err := m.b.Transfer(m.b.t.Context(), p.ref.PlanID)
		require.NoError(rt, err)
		require.Equal(rt, p.state != "", ok)
		if !ok {
			continue
		}
		require.Equal(rt, p.state, tr.State)
		require.Equal(rt, p.attempts, tr.Attempts)
		require.Equal(rt, m.position(p), tr.Position)
	}
	for _, p := range m.plans {
		id, held, err := m.b.LaneHolder(m.b.t.Context(), m.b.conn.ID, p.source)
		require.NoError(rt, err)
		holder := m.held[p.source]
		require.Equal(rt, holder != nil, held)
		if held {
			require.Equal(rt, holder.caseID, id)
		}
	}
}

// The store's transfers against a model of the design: lanes are exclusive and
// first in, first out; a request is sent again only after a definite refusal or by
// an operator's decision; each change is audited and wakes whoever waited for it.
func TestTransfersFollowTheModel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m := newLaneModel(b, round)
		steps := map[string]func(*modelPlan) step{
			"enter": m.enter, "leave": m.leave, "reopen": m.reopen, "void": m.void, "send again": m.sendAgain, "release": m.release,
			"send":     func(p *modelPlan) step { return m.send(rt, p) },
			"answer":   func(p *modelPlan) step { return m.answer(rt, p) },
			"rearm":    func(p *modelPlan) step { return m.rearm(rt, p) },
			"conclude": func(p *modelPlan) step { return m.conclude(rt, p) },
		}
		names := []string{"enter", "enter", "send", "send", "answer", "answer", "conclude", "leave", "reopen", "void", "rearm", "send again", "release"}
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			m.try(rt, steps[rapid.SampledFrom(names).Draw(rt, "step")])
		}
	})
	b.seal()
	require.Empty(t, b.verify().Problems)
}
