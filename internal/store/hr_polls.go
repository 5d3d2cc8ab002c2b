package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sendoff/schema"
)

// AcceptPoll writes the events of a poll and where the next goes on, in one
// transaction, and clears AlarmPollFailed. The source was heard, also when nothing
// changed. Events that came before are left out of the count; the events of one
// poll are applied together. CodeConflict when the marker is no longer from, or the
// source is not enabled.
func (s *Store) AcceptPoll(ctx context.Context, id schema.SourceID, from, to string, events []schema.HREvent) (int, error) {
	group := ""
	if len(events) > 1 {
		g, err := uuid.NewV7()
		if err != nil {
			return 0, err
		}
		group = g.String()
	}
	rows := make([]eventRow, len(events))
	for i, e := range events {
		e.SourceID, e.Via, e.GroupID = id, schema.ViaPoll, group
		var err error
		if rows[i], err = newEvent(e); err != nil {
			return 0, err
		}
	}
	accepted := 0
	err := s.inTx(ctx, "accept a poll", func(ctx context.Context, t *tx) (err error) {
		accepted, err = t.acceptPoll(ctx, id, from, to, rows)
		return err
	})
	if err == nil && accepted > 0 {
		s.wakeAppliers()
	}
	return accepted, err
}

func (t *tx) acceptPoll(ctx context.Context, id schema.SourceID, from, to string, rows []eventRow) (int, error) {
	src, err := t.openSource(ctx, id)
	if err != nil {
		return 0, err
	}
	tag, err := t.Exec(ctx, `update hr_source set poll_marker = @to, poll_error = '', last_heard_at = @now
		where id = @id and state = 'enabled' and poll_marker = @from`, args{"id": id, "from": from, "to": to, "now": t.now})
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() == 0 {
		return 0, conflict("source "+src.Name+" was polled meanwhile", "")
	}
	accepted := 0
	for chunk := range slices.Chunk(rows, polledAtOnce) {
		n, err := t.addPolled(ctx, id, chunk)
		if err != nil {
			return 0, err
		}
		accepted += n
	}
	if accepted > 0 {
		if err := t.run(ctx, `update hr_source set last_event_at = @now where id = @id`, args{"id": id, "now": t.now}); err != nil {
			return 0, err
		}
	}
	if slices.ContainsFunc(rows, func(r eventRow) bool { return r.State == schema.EventRefused }) {
		if err := t.raiseAlarm(ctx, refusedAlarm(src)); err != nil {
			return 0, err
		}
	}
	if err := t.clearSourceAlarm(ctx, id, schema.AlarmPollFailed); err != nil {
		return 0, err
	}
	return accepted, t.clearSourceAlarm(ctx, id, schema.AlarmFeedSilent)
}

// polledAtOnce is how many events of a poll one statement writes.
const polledAtOnce = 500

// addPolled writes the events of a poll that did not come before, and returns how
// many. Another body under an id that is known is news all the same, and gets an id
// of its own: nobody but the source answers a poll, and to leave it out would lose
// what the source says now.
func (t *tx) addPolled(ctx context.Context, id schema.SourceID, rows []eventRow) (int, error) {
	added, err := t.insertPolled(ctx, id, rows)
	if err != nil || added == len(rows) {
		return added, err
	}
	hashes, ids := make([][]byte, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		hashes[i], ids[i] = r.BodyHash, r.EventID
	}
	changed, err := scalars[int](ctx, t, `select n::int from unnest(@ids::text[], @hashes::bytea[]) with ordinality as u(event_id, hash, n)
		join hr_event e on e.source_id = @source and e.event_id = u.event_id where e.body_hash <> u.hash order by n`,
		args{"source": id, "ids": ids, "hashes": hashes})
	if err != nil || len(changed) == 0 {
		return added, err
	}
	others := make([]eventRow, len(changed))
	for i, n := range changed {
		others[i] = rows[n-1]
		others[i].EventID += "~" + hex.EncodeToString(others[i].BodyHash[:8])
	}
	more, err := t.insertPolled(ctx, id, others)
	return added + more, err
}

func (t *tx) insertPolled(ctx context.Context, id schema.SourceID, rows []eventRow) (int, error) {
	var ids, eventIDs, kinds, states, problems []string
	var hashes, bodies, changes [][]byte
	for _, r := range rows {
		said, err := json.Marshal(r.Problems)
		if err != nil {
			return 0, err
		}
		ids, eventIDs, kinds, states = append(ids, string(r.ID)), append(eventIDs, r.EventID), append(kinds, string(r.Kind)), append(states, string(r.State))
		hashes, bodies, changes, problems = append(hashes, r.BodyHash), append(bodies, r.Body), append(changes, r.Change), append(problems, string(said))
	}
	tag, err := t.Exec(ctx, `insert into hr_event (id, source_id, event_id, group_id, via, kind, body_hash, body, change, state, problems, received_at)
		select u.id, @source, u.event_id, @group, 'poll', u.kind, u.hash, u.body, u.change, u.state, u.problems::jsonb, @now
		from unnest(@ids::uuid[], @event_ids::text[], @kinds::text[], @hashes::bytea[], @bodies::bytea[], @changes::bytea[], @states::text[], @problems::text[])
			with ordinality as u(id, event_id, kind, hash, body, change, state, problems, n)
		order by u.n
		on conflict (source_id, event_id) do nothing`,
		args{
			"source": id, "group": rows[0].GroupID, "now": t.now, "ids": ids, "event_ids": eventIDs, "kinds": kinds, "hashes": hashes,
			"bodies": bodies, "changes": changes, "states": states, "problems": problems,
		})
	return int(tag.RowsAffected()), err
}

// PollFailed keeps why a poll failed, in words free of data, and raises
// AlarmPollFailed.
func (s *Store) PollFailed(ctx context.Context, id schema.SourceID, message string) error {
	if !storable(message) {
		message = strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", ""), "")
	}
	return s.inTx(ctx, "note a failed poll", func(ctx context.Context, t *tx) error {
		row, ok, err := maybe[sourceRow](ctx, t, `update hr_source set poll_error = @message where id = @id and state = 'enabled' returning `+sourceColumns,
			args{"id": id, "message": message})
		if err != nil || !ok { // nobody waits for a source that is not enabled
			return err
		}
		return t.raiseAlarm(ctx, schema.Alarm{
			SourceID: id, Code: schema.AlarmPollFailed, Message: "the API of source " + row.Name + " cannot be read: " + message,
			Fix: "look at the source: sendoff hr sources show " + row.Name,
		})
	})
}

// PollSource lets the source's API be asked now. CodeConflict for a source that
// has none or is not enabled.
func (s *Store) PollSource(ctx context.Context, name string, by schema.Principal) (schema.Source, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Source{}, err
	}
	var src schema.Source
	err := s.inTx(ctx, "poll the source", func(ctx context.Context, t *tx) error {
		found, err := t.lockSource(ctx, name)
		if err != nil {
			return err
		}
		if found.State != schema.ConnectionEnabled {
			return sourceClosed(name, found.State)
		}
		if found.Kind != schema.SourceBambooHR || found.BaseURL == "" {
			return conflict("source "+name+" has no API that is asked", "sources of the kind bamboohr with a base URL have one")
		}
		row, err := one[sourceRow](ctx, t, `update hr_source set next_poll_at = case when poll_seconds > 0
				then @now::timestamptz + poll_seconds * interval '1 second' end
			where id = @id returning `+sourceColumns, args{"id": found.ID, "now": t.now})
		if err != nil {
			return err
		}
		src = row.source()
		t.recordSource(src, by, "source.polled", nil)
		return t.enqueuePoll(ctx, src.ID)
	})
	return src, err
}

// StartDuePolls asks for up to limit polls that are due, and returns how many.
// Nothing is caught up: however late a poll is, it is one. Any number of servers
// may ask: each source is one's.
func (s *Store) StartDuePolls(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.inTx(ctx, "start due polls", func(ctx context.Context, t *tx) error {
		due, err := scalars[schema.SourceID](ctx, t, `with due as (
				select id from hr_source where state = 'enabled' and next_poll_at <= @now order by next_poll_at limit @limit
				for no key update skip locked)
			update hr_source s set next_poll_at = @now::timestamptz + s.poll_seconds * interval '1 second' from due where s.id = due.id
			returning s.id`, args{"now": t.now, "limit": limit})
		if err != nil {
			return err
		}
		for _, id := range due {
			if err := t.enqueuePoll(ctx, id); err != nil {
				return err
			}
		}
		n = len(due)
		return nil
	})
	return n, err
}

// enqueuePoll asks the dispatcher for a poll, unless it is asked already.
func (t *tx) enqueuePoll(ctx context.Context, id schema.SourceID) error {
	asked, err := scalar[bool](ctx, t, `select exists (select 1 from outbox
		where source_id = @id and kind = @kind and dispatched_at is null)`, args{"id": id, "kind": schema.OutboxPoll})
	if err != nil || asked {
		return err
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxPoll, SourceID: id})
}
