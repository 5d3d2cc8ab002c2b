package store

import (
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// leaverSet is what becomes of the leavers of a round.
type leaverSet struct {
	sides   judgeSides
	changes map[schema.PersonID]*leaverChange
	order   []schema.PersonID
}

func (s *leaverSet) add(p schema.PersonID, c *leaverChange) {
	if c == nil {
		return
	}
	if s.changes[p] == nil {
		s.order = append(s.order, p)
	}
	s.changes[p] = c
}

// each calls fn for every change that is written, in one order.
func (s *leaverSet) each(fn func(c *leaverChange) error) error {
	for _, p := range s.order {
		if c := s.changes[p]; c.writes() {
			if err := fn(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// writes tells whether there is anything to write.
func (c *leaverChange) writes() bool {
	if c.told || c.before == nil {
		return c.told
	}
	return c.after.ByHand != c.before.ByHand || !sameHeard(c.before.Heard, c.after.Heard)
}

func sameHeard(a, b *schema.Moment) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Same(*b)
}

func (s *leaverSet) count(done *schema.Applied) {
	for _, c := range s.changes {
		switch {
		case !c.told:
		case c.held:
			done.Held++
		default:
			done.Leavers++
		}
	}
}

// saveLeavers writes what becomes of leavers: how many may start is looked at
// first.
func (t *tx) saveLeavers(ctx context.Context, set leaverSet) error {
	if err := t.nameNew(set); err != nil {
		return err
	}
	if err := t.limitStarts(ctx, &set); err != nil {
		return err
	}
	batch, told := &pgx.Batch{}, []schema.LeaverID{}
	err := set.each(func(c *leaverChange) error {
		t.queueLeaver(batch, c)
		if c.told {
			told = append(told, c.after.ID)
			t.recordChange(c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if batch.Len() > 0 {
		if err := t.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
	}
	if err := t.leaveBatches(ctx, set); err != nil {
		return err
	}
	if err := t.tellChanged(ctx, told); err != nil {
		return err
	}
	if err := t.noteContradictions(ctx, set); err != nil {
		return err
	}
	if err := t.noteTooLate(ctx, set); err != nil {
		return err
	}
	return t.noticeAffected(ctx, startedIn(set))
}

// nameNew gives new leavers their ids.
func (t *tx) nameNew(set leaverSet) error {
	return set.each(func(c *leaverChange) (err error) {
		if c.before == nil {
			c.after.ID, err = newID[schema.LeaverID]()
		}
		return err
	})
}

func (t *tx) queueLeaver(batch *pgx.Batch, c *leaverChange) {
	l := c.after
	a := args{
		"id": l.ID, "source": l.SourceID, "external_id": l.ExternalID, "moment": l.Moment, "due_at": l.Moment.DueAt, "for_cause": l.ForCause,
		"reason": l.Reason, "by_hand": l.ByHand, "heard": l.Heard, "state": l.State, "end": l.EndKind, "batch": l.BatchID, "revision": l.Revision,
		"template": l.Template, "receivers": append([]string{}, l.Receivers...), "approvals": l.Approvals, "counted_at": l.CountedAt, "now": t.now,
		"asked_by": l.AskedBy, "asked_id": l.AskedID,
	}
	if c.before == nil {
		a["person"] = l.PersonID
		batch.Queue(`insert into leaver (id, person_id, source_id, external_id, moment, due_at, for_cause, reason, by_hand, heard, state, end_kind,
				batch_id, revision, template, receivers, approvals, counted_at, asked_by, asked_id, created_at, updated_at)
			values (@id, @person, @source, @external_id, @moment, @due_at, @for_cause, @reason, @by_hand, @heard, @state, @end,
				@batch, @revision, @template, @receivers, @approvals, @counted_at, @asked_by, @asked_id, @now, @now)`, a)
		return
	}
	batch.Queue(`update leaver set source_id = @source, external_id = @external_id, moment = @moment, due_at = @due_at, for_cause = @for_cause,
			reason = @reason, by_hand = @by_hand, heard = @heard, state = @state, end_kind = @end, batch_id = @batch, revision = @revision,
			template = @template, receivers = @receivers, approvals = @approvals, counted_at = @counted_at, asked_by = @asked_by, asked_id = @asked_id,
			updated_at = @now, ended_at = case when @state = 'ended' then coalesce(ended_at, @now) end
		where id = @id`, a)
}

// recordChange appends what HR wants now to the person's stream, with what it
// wanted before.
func (t *tx) recordChange(c *leaverChange) {
	details := map[string]string{
		"leaver": string(c.after.ID), "source": c.source.Name, "event": string(c.event), "revision": strconv.FormatInt(c.after.Revision, 10),
		"why": c.why, "state": string(c.after.State), "by_hand": strconv.FormatBool(c.after.ByHand),
	}
	if c.before != nil {
		describeMoment(details, "before_", c.before.Moment)
	}
	describeMoment(details, "after_", c.after.Moment)
	subject := audit.Subject{PersonID: string(c.after.PersonID), CaseID: string(c.after.CaseID)}
	stream := audit.PersonStream(string(c.after.PersonID))
	action := map[schema.EventEffect]string{
		schema.EffectLeaver: "leaver.heard", schema.EffectMoved: "leaver.moved", schema.EffectWithdrawn: "leaver.withdrawn",
	}[c.effect]
	if action != "" {
		t.record(stream, c.actor, action, subject, details)
	}
	if c.held {
		t.record(stream, engine(), "leaver.held", subject, map[string]string{
			"leaver": string(c.after.ID), "batch": string(c.after.BatchID), "revision": strconv.FormatInt(c.after.Revision, 10),
		})
	}
}

// describeMoment adds a moment to the details of an audit record.
func describeMoment(details map[string]string, prefix string, m schema.Moment) {
	details[prefix+"starts"], details[prefix+"due_at"] = string(m.Starts), schema.FormatInstant(m.DueAt)
	if !m.Date.IsZero() {
		details[prefix+"date"], details[prefix+"at"], details[prefix+"zone"] = m.Date.String(), m.At.String(), m.TimeZone
	}
}

// leaveBatches takes those out of their held batches who are no longer in them.
func (t *tx) leaveBatches(ctx context.Context, set leaverSet) error {
	left := map[schema.BatchID]int{}
	var batches []schema.BatchID
	for _, p := range set.order {
		c := set.changes[p]
		if c.before == nil || c.before.State != schema.LeaverHeld || c.after.State == schema.LeaverHeld && c.after.BatchID == c.before.BatchID {
			continue
		}
		if left[c.before.BatchID]++; left[c.before.BatchID] == 1 {
			batches = append(batches, c.before.BatchID)
		}
	}
	slices.Sort(batches)
	for _, id := range batches {
		if err := t.shrinkBatch(ctx, id, left[id]); err != nil {
			return err
		}
	}
	return nil
}

// tellChanged lets the engine look at leavers.
func (t *tx) tellChanged(ctx context.Context, ids []schema.LeaverID) error {
	if len(ids) == 0 {
		return nil
	}
	t.wake = true
	return t.run(ctx, `insert into outbox (kind, leaver_id, created_at, next_try_at, traceparent)
		select @kind, n.id, @now, @now, @traceparent from unnest(@ids::uuid[]) with ordinality as n(id, place) order by n.place`,
		args{"kind": schema.OutboxLeaver, "ids": ids, "now": t.now, "traceparent": t.traceparent})
}

// noteContradictions raises the alarm for those who go on being employed and were
// dismissed for cause: people must look.
func (t *tx) noteContradictions(ctx context.Context, set leaverSet) error {
	for _, p := range set.order {
		c := set.changes[p]
		if !c.cause || c.event == "" {
			continue
		}
		t.record(audit.PersonStream(string(p)), engine(), "leaver.contradiction", audit.Subject{PersonID: string(p)},
			map[string]string{"source": c.source.Name, "event": string(c.event), "why": c.why})
		err := t.raiseAlarm(ctx, schema.Alarm{
			SourceID: c.source.ID, Code: schema.AlarmForCause,
			Message: "source " + c.source.Name + " tells of somebody dismissed for cause who goes on being employed (person " + string(p) + ")",
			Fix:     "look at them with sendoff people show " + string(p) + "; if they leave now, say so with sendoff hr leave",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// outcome is what an event did, about each person of whom it tells.
func (r *round) outcome(e *inboxEvent) []schema.EventOutcome {
	switch {
	case e.refused():
		return nil
	case e.change.Kind == schema.ChangeHint:
		return []schema.EventOutcome{{Effect: schema.EffectPoll}}
	case e.person != "":
		return []schema.EventOutcome{r.effectOn(e.person)}
	}
	var out []schema.EventOutcome
	rows := e.change.Roster.Employments
	for _, row := range rows {
		o := schema.EventOutcome{Effect: schema.EffectNone}
		if p, known := e.persons[row.ExternalID]; known {
			o = r.effectOn(p)
		}
		if issue := e.issues[row.ExternalID]; issue != "" {
			o.Detail = string(issue)
			if o.Effect == schema.EffectNone {
				o.Effect = schema.EffectRefused
			}
		}
		if o.ExternalID = row.ExternalID; o.Effect != schema.EffectNone || len(rows) <= schema.MaxRosterEntries {
			out = append(out, o)
		}
	}
	return out
}

func (r *round) effectOn(p schema.PersonID) schema.EventOutcome {
	p = r.survivor(p)
	o := schema.EventOutcome{PersonID: p, Effect: schema.EffectNone}
	if c := r.leavers.changes[p]; c != nil {
		o.Effect, o.LeaverID = c.effect, c.after.ID
		if c.held {
			o.Effect = schema.EffectHeld
		}
	}
	return o
}

// eventDetails is what the audit log keeps of an applied event.
func eventDetails(e *inboxEvent, out []schema.EventOutcome) map[string]string {
	details := map[string]string{"event": string(e.ID), "change": string(e.change.Kind)}
	counts := map[schema.EventEffect]int{}
	for _, o := range out {
		counts[o.Effect]++
	}
	for effect, n := range counts {
		details["effect_"+string(effect)] = strconv.Itoa(n)
	}
	if e.refused() {
		details["code"] = e.problems[0].Code
	}
	return details
}
