package store

import (
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// leaverRow is a leaver as it is stored, without what others write.
type leaverRow struct {
	ID         schema.LeaverID
	PersonID   schema.PersonID
	SourceID   schema.SourceID
	Source     string // name
	ExternalID string
	Moment     schema.Moment
	ForCause   bool
	Reason     string
	ByHand     bool
	// Heard is the moment that feeds last told; nil = that they stay. The same moment
	// told again is no news, whatever became of the leaver since.
	Heard     *schema.Moment
	State     schema.LeaverState
	EndKind   schema.LeaverEnd
	CaseID    schema.CaseID
	BatchID   schema.BatchID
	Revision  int64
	Template  string
	Receivers []string
	Approvals int
	CountedAt time.Time
	AskedBy   string // who said it by hand or handed the file in; "" = a feed told it
	AskedID   schema.TokenID
	Works     bool // its case is not closed and not being cancelled
}

const leaverRowColumns = `l.id, l.person_id, l.source_id, (select s.name from hr_source s where s.id = l.source_id) as source, l.external_id, l.moment, l.for_cause, l.reason, l.by_hand, l.heard, l.state, l.end_kind,
	l.case_id, l.batch_id, l.revision, l.template, l.receivers, l.approvals, l.counted_at, l.asked_by, l.asked_id, ` + caseWorks + ` as works`

// caseWorks tells of a leaver's case that it is not closed and nothing of it is
// being undone.
const caseWorks = `(exists (select 1 from lifecycle_case c where c.id = l.case_id and c.closed_at is null)
	and not exists (select 1 from plan p where p.case_id = l.case_id and (p.stopping or p.state in ('cancelling', 'cancelled'))))`

// leaverChange is what becomes of a leaver.
type leaverChange struct {
	before *leaverRow // nil = a new one
	after  leaverRow
	effect schema.EventEffect
	starts bool // it counts against the limit of its source
	held   bool // it joins a held batch
	source tellingSource
	event  schema.HREventID
	actor  audit.Actor
	why    string
	told   bool // what HR wants has changed
	cause  bool // somebody goes on being employed who was dismissed for cause
}

// heard is the moment of the verdict, nil = they stay.
func (h *hearing) heard() *schema.Moment {
	if !h.verdict.Leaves {
		return nil
	}
	m := h.verdict.Moment
	return &m
}

// change begins a change of the last leaver, or a new one for nil.
func (h *hearing) change(from *leaverRow, effect schema.EventEffect, why string) *leaverChange {
	c := &leaverChange{
		before: from, effect: effect, why: why, source: h.decides, event: h.event, cause: h.verdict.Contradicts,
		actor: principal(h.decides.principal()), told: true,
	}
	if from != nil {
		c.after = *from
	}
	c.after.Heard = h.heard()
	return c
}

// note keeps what feeds tell of a leaver that it does not change.
func (h *hearing) note(effect schema.EventEffect) *leaverChange {
	c := h.change(h.last, effect, h.verdict.Why)
	c.told = false
	return c
}

// byFeeds decides by what feeds tell alone.
func (h *hearing) byFeeds() *leaverChange {
	l, heard := h.last, h.heard()
	switch {
	case l == nil || l.State == schema.LeaverEnded || l.State == schema.LeaverWithdrawn:
		return h.anew()
	case l.ByHand:
		return h.note(schema.EffectByHand)
	case heard == nil && !h.counts(l.Source):
		return nil // its source tells nothing now: that is no word that they stay
	case heard == nil:
		return h.withdraw(h.verdict.Why)
	case l.Moment.Same(*heard):
		return h.note(schema.EffectNone)
	}
	return h.move(h.verdict)
}

// anew decides about somebody who is no leaver now. What was told before is no news.
func (h *hearing) anew() *leaverChange {
	l, heard := h.last, h.heard()
	switch {
	case l == nil && heard == nil:
		return h.note(schema.EffectNone)
	case l == nil:
		return h.start(h.verdict, schema.ByHand{})
	case heard == nil && l.Heard != nil && l.EndKind == schema.EndDone:
		return h.note(schema.EffectTooLate)
	case heard == nil:
		return h.note(schema.EffectNone)
	case l.Heard == nil || !l.Heard.Same(*heard):
		return h.start(h.verdict, schema.ByHand{})
	case l.ByHand:
		return h.note(schema.EffectByHand)
	}
	return h.note(schema.EffectNone)
}

// counts tells whether a source of the name does: one that was made anew under it
// goes on with its employments.
func (h *hearing) counts(name string) bool {
	_, ok := h.sides.sources[name]
	return ok
}

// leaves decides by somebody's word that the person leaves.
func (h *hearing) leaves(said schema.ByHand, v schema.Leaving) *leaverChange {
	h.decides = h.teller
	l := h.last
	if l == nil || l.State == schema.LeaverEnded || l.State == schema.LeaverWithdrawn || l.State == schema.LeaverHeld && !l.ByHand {
		return h.start(v, said)
	}
	c := h.move(v)
	if l.Moment.Same(v.Moment) {
		c.effect = schema.EffectLeaver
	}
	c.byHand(said)
	return c
}

// returns decides by somebody's word that the person stays.
func (h *hearing) returns(said schema.ByHand) *leaverChange {
	h.decides = h.teller
	if h.last == nil {
		return nil
	}
	switch {
	case h.last.State == schema.LeaverEnded && h.last.EndKind == schema.EndDone:
		return h.note(schema.EffectTooLate)
	case h.last.State == schema.LeaverEnded:
		return h.note(schema.EffectNone)
	}
	c := h.note(schema.EffectNone)
	if h.last.State != schema.LeaverWithdrawn {
		c = h.withdraw(said.Reason)
	}
	c.byHand(said)
	return c
}

// byHand makes it somebody's word.
func (c *leaverChange) byHand(said schema.ByHand) {
	c.after.ByHand, c.after.AskedBy, c.after.AskedID = true, said.Principal, said.TokenID
	c.actor = principal(schema.Principal{Name: said.Principal, TokenID: said.TokenID})
	c.why = said.Reason
}

// take puts a verdict into the leaver.
func (c *leaverChange) take(h *hearing, v schema.Leaving) {
	c.after.SourceID, c.after.ExternalID, c.after.ByHand = h.decides.ID, v.Key.ExternalID, false
	c.after.Moment, c.after.ForCause, c.after.Reason = v.Moment, v.ForCause, v.Reason
	c.after.AskedBy, c.after.AskedID = h.asked.Principal, h.asked.TokenID
	c.after.Revision++
}

// start makes somebody a leaver: a new one, or the last where that is being undone
// or held.
func (h *hearing) start(v schema.Leaving, said schema.ByHand) *leaverChange {
	from := h.last
	if from != nil && from.State == schema.LeaverEnded {
		from = nil
	}
	c := h.change(from, schema.EffectLeaver, v.Why)
	c.take(h, v)
	c.starts = true
	c.after.PersonID, c.after.State, c.after.BatchID, c.after.CountedAt = h.person, schema.LeaverPlanning, "", h.now
	c.after.Template, c.after.Receivers, c.after.Approvals = h.decides.Template, h.decides.Receivers, h.decides.Approvals
	if c.after.Works {
		c.after.State = schema.LeaverOpen
	}
	if said.Principal != "" {
		c.byHand(said)
	}
	return c
}

func (h *hearing) move(v schema.Leaving) *leaverChange {
	c := h.change(h.last, schema.EffectMoved, v.Why)
	c.take(h, v)
	return c
}

// withdraw takes a leaver back. One that is held and never had a case is nothing
// to undo.
func (h *hearing) withdraw(why string) *leaverChange {
	c := h.change(h.last, schema.EffectWithdrawn, why)
	c.after.Revision++
	c.after.State = schema.LeaverWithdrawn
	if h.last.State == schema.LeaverHeld && h.last.CaseID == "" {
		c.after.State, c.after.EndKind = schema.LeaverEnded, schema.EndWithdrawn
	}
	return c
}
