package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"go.uber.org/zap"

	"sendoff/schema"
)

// acceptSQL writes an event that did not come before, of an enabled source, and
// returns it, and whether that the source was heard has to be noted.
const acceptSQL = `with s as materialized (
		select id, name, coalesce(last_event_at < now() - interval '1 second', true) as stale from hr_source where id = @source and state = 'enabled'),
	added as (
		insert into hr_event (id, source_id, event_id, group_id, via, kind, body_hash, body, change, state, problems, received_at)
		select @id, s.id, @event_id, @group, @via, @kind, @hash, @body, @change, @state, @problems, now() from s
		on conflict (source_id, event_id) do nothing
		returning seq, received_at)
	select added.seq, added.received_at, s.name as source, s.stale from added, s`

// heardByEventSQL notes that a source told an event, and ends its silence. One of many
// that come at once does so: others find the row taken, or noted this second.
const heardByEventSQL = `with free as (
		select id from hr_source where id = @source and coalesce(last_event_at < now() - interval '1 second', true) for no key update skip locked),
	heard as (update hr_source s set last_heard_at = now(), last_event_at = now() from free where s.id = free.id)
	update alarm a set cleared_at = now() from free
	where a.source_id = free.id and a.connection_id is null and a.code = @silent and a.cleared_at is null`

// AcceptEvent writes an event, unless the same came before: then it is a
// Duplicate, and what was written first is returned. CodeConflict for the same id
// with another body, which also raises AlarmEventReused, and for a source that is
// not enabled. A refused event that comes again, readable now, is accepted.
func (s *Store) AcceptEvent(ctx context.Context, e schema.HREvent) (schema.Accepted, error) {
	const op = "accept an event"
	row, err := newEvent(e)
	if err != nil {
		return schema.Accepted{}, translate(op, err)
	}
	var taken schema.Accepted
	if row.State == schema.EventPending {
		// One statement is a transaction of its own: nothing goes to Postgres but it.
		if added, ok, err := addEvent(ctx, s.pool, row); err != nil || ok {
			if err == nil {
				s.acceptedEvent(ctx, added)
			}
			return schema.Accepted{Event: added.HREvent}, translate(op, err)
		}
	}
	reused := false
	err = s.inTx(ctx, op, func(ctx context.Context, t *tx) (err error) {
		taken, reused, err = t.acceptEvent(ctx, row)
		return err
	})
	if err == nil && reused {
		return schema.Accepted{}, eventReused()
	}
	if err == nil && !taken.Duplicate {
		s.acceptedEvent(ctx, addedEvent{taken.Event, true})
	}
	return taken, err
}

// acceptedEvent does what an accepted event brings about and what does not decide
// whether it is accepted: it is, and its sender must not hear otherwise.
func (s *Store) acceptedEvent(ctx context.Context, e addedEvent) {
	s.wakeAppliers()
	if !e.Stale {
		return
	}
	if _, err := s.pool.Exec(ctx, heardByEventSQL, args{"source": e.SourceID, "silent": schema.AlarmFeedSilent}); err != nil {
		s.log.Warn("that a source was heard could not be noted", zap.String("source", e.Source), zap.Error(translate("note it", err)))
	}
}

// addedEvent is an event that was written, and whether its source was last noted
// as heard longer ago than events note it.
type addedEvent struct {
	schema.HREvent
	Stale bool
}

// acceptEvent is AcceptEvent for what needs more than one statement. For an id
// that came with another body it raises the alarm, which has to be committed.
func (t *tx) acceptEvent(ctx context.Context, row eventRow) (taken schema.Accepted, reused bool, err error) {
	src, err := t.openSource(ctx, row.SourceID)
	if err != nil {
		return taken, false, err
	}
	added, ok, err := addEvent(ctx, t, row)
	if err != nil {
		return taken, false, err
	}
	if ok {
		if row.State == schema.EventRefused {
			err = t.raiseAlarm(ctx, refusedAlarm(src))
		}
		return schema.Accepted{Event: added.HREvent}, false, err
	}
	before, ok, err := maybe[eventRow](ctx, t, `select `+eventColumns+` from hr_event e join hr_source s on s.id = e.source_id
		where e.source_id = @source and e.event_id = @event_id for no key update of e`,
		args{"source": row.SourceID, "event_id": row.EventID})
	if err == nil && !ok { // somebody disabled the source after it was read
		err = sourceClosed(src.Name, schema.ConnectionDisabled)
	}
	if err != nil {
		return taken, false, err
	}
	if !bytes.Equal(before.BodyHash, row.BodyHash) {
		return taken, true, t.raiseAlarm(ctx, reusedAlarm(src))
	}
	if before.State == schema.EventRefused && row.State == schema.EventPending {
		return t.acceptRefused(ctx, before, row)
	}
	stored, err := before.whole()
	return schema.Accepted{Event: stored, Duplicate: true}, false, err
}

// acceptRefused takes an event that was refused and is readable now. It is
// applied where it came first.
func (t *tx) acceptRefused(ctx context.Context, before, row eventRow) (taken schema.Accepted, reused bool, err error) {
	now, err := one[eventRow](ctx, t, `with e as (
			update hr_event set state = 'pending', kind = @kind, change = @change, problems = '[]' where id = @id and state = 'refused' returning *)
		select `+eventColumns+` from e join hr_source s on s.id = e.source_id`,
		args{"id": before.ID, "kind": row.Kind, "change": row.Change})
	if err != nil {
		return taken, false, err
	}
	left, err := scalar[bool](ctx, t, `select exists (select 1 from hr_event where source_id = @source and state = 'refused' and id <> @id)`,
		args{"source": before.SourceID, "id": before.ID})
	if err == nil && !left {
		err = t.clearSourceAlarm(ctx, before.SourceID, schema.AlarmEventRefused)
	}
	if err != nil {
		return taken, false, err
	}
	stored, err := now.whole()
	return schema.Accepted{Event: stored}, false, err
}

// openSource reads a source that events are taken from.
func (t *tx) openSource(ctx context.Context, id schema.SourceID) (schema.Source, error) {
	row, ok, err := maybe[sourceRow](ctx, t, `select `+sourceColumns+` from hr_source where id = @id and state <> 'removed'`, args{"id": id})
	switch {
	case err != nil:
		return schema.Source{}, err
	case !ok:
		return schema.Source{}, noSource(string(id))
	case row.State != schema.ConnectionEnabled:
		return schema.Source{}, sourceClosed(row.Name, row.State)
	}
	return row.source(), nil
}

// addEvent writes an event; false when one of its id is there, or its source is
// not enabled.
func addEvent(ctx context.Context, q querier, row eventRow) (addedEvent, bool, error) {
	added, ok, err := maybe[struct {
		Seq        int64
		ReceivedAt time.Time
		Source     string
		Stale      bool
	}](ctx, q, acceptSQL, args{
		"id": row.ID, "source": row.SourceID, "event_id": row.EventID, "group": row.GroupID, "via": row.Via, "kind": row.Kind,
		"hash": row.BodyHash, "body": row.Body, "change": row.Change, "state": row.State, "problems": row.Problems,
	})
	if err != nil || !ok {
		return addedEvent{}, false, err
	}
	row.Seq, row.ReceivedAt, row.Source = added.Seq, added.ReceivedAt, added.Source
	e := row.event()
	e.Change = row.given
	return addedEvent{e, added.Stale}, true, nil
}

func eventReused() error {
	return conflict("an event of that id came before with another body", "send another event under an id of its own")
}

func reusedAlarm(src schema.Source) schema.Alarm {
	return schema.Alarm{
		SourceID: src.ID, Code: schema.AlarmEventReused,
		Message: "source " + src.Name + " sent an event under an id that came before with another body; it was refused",
		Fix:     "ask who runs " + src.Name + " whether its ids repeat; if not, somebody else has its secret: sendoff hr sources rotate " + src.Name,
	}
}

func refusedAlarm(src schema.Source) schema.Alarm {
	return schema.Alarm{
		SourceID: src.ID, Code: schema.AlarmEventRefused, Message: "source " + src.Name + " sends events that cannot be read: nobody leaves by them",
		Fix: "see why with sendoff hr events --state refused, mend the source's mapping, and let the events be sent again",
	}
}

// newEvent prepares an event to be written.
func newEvent(e schema.HREvent) (eventRow, error) {
	problems := checkKey("event id", e.EventID)
	if e.GroupID != "" {
		problems = append(problems, checkKey("group id", e.GroupID)...)
	}
	if e.State == "" {
		e.State = schema.EventPending
	}
	if e.State != schema.EventPending && e.State != schema.EventRefused {
		problems = append(problems, schema.Problem{Where: "state", Code: "unknown", Message: "an event comes pending or refused"})
	}
	if err := invalidIf("the event cannot be kept", problems); err != nil {
		return eventRow{}, err
	}
	id, err := newID[schema.HREventID]()
	if err != nil {
		return eventRow{}, err
	}
	change, err := json.Marshal(e.Change)
	if err != nil {
		return eventRow{}, err
	}
	sum := sha256.Sum256(e.Body)
	return eventRow{
		ID: id, SourceID: e.SourceID, EventID: e.EventID, GroupID: e.GroupID, Via: e.Via, Kind: e.Change.Kind, BodyHash: sum[:],
		Body: append([]byte{}, e.Body...), Change: change, State: e.State, Problems: storableProblems(e.Problems), Outcome: []schema.EventOutcome{}, given: e.Change,
	}, nil
}

// storableProblems replaces what jsonb does not hold: problems may quote a body.
func storableProblems(problems []schema.Problem) []schema.Problem {
	clean := func(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\ufffd"), "\ufffd") }
	out := make([]schema.Problem, len(problems))
	for i, p := range problems {
		out[i] = schema.Problem{Where: clean(p.Where), Code: clean(p.Code), Message: clean(p.Message), Fix: clean(p.Fix)}
	}
	return out
}

const eventColumns = `e.id, e.seq, e.source_id, s.name as source, e.event_id, e.group_id, e.via, e.kind, e.body_hash, e.body, e.change,
	e.state, e.problems, e.outcome, e.received_at, e.applied_at`

// eventRow is an event as it is stored.
type eventRow struct {
	ID                    schema.HREventID
	Seq                   int64
	SourceID              schema.SourceID
	Source                string
	EventID, GroupID      string
	Via                   schema.EventVia
	Kind                  schema.HRChangeKind
	BodyHash              []byte
	Body                  []byte
	Change                []byte
	State                 schema.EventState
	Problems              []schema.Problem
	Outcome               []schema.EventOutcome
	ReceivedAt, AppliedAt time.Time

	given schema.HRChange // of an event that is about to be written
}

// event is the row without its change, of which it has the kind alone.
func (r eventRow) event() schema.HREvent {
	return schema.HREvent{
		ID: r.ID, Seq: r.Seq, SourceID: r.SourceID, Source: r.Source, EventID: r.EventID, GroupID: r.GroupID, Via: r.Via,
		BodyHash: hex.EncodeToString(r.BodyHash), Body: r.Body, Change: schema.HRChange{Kind: r.Kind},
		State: r.State, Problems: r.Problems, Outcome: r.Outcome, ReceivedAt: r.ReceivedAt, AppliedAt: r.AppliedAt,
	}
}

// whole is the row with its change.
func (r eventRow) whole() (schema.HREvent, error) {
	e := r.event()
	return e, json.Unmarshal(r.Change, &e.Change)
}
