package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// streamEvent is an event on its way to a stream.
type streamEvent struct {
	stream string
	event  audit.Event
}

// engine is the actor of everything that no principal decided.
func engine() audit.Actor { return audit.Actor{Kind: audit.ActorEngine} }

func principal(p schema.Principal) audit.Actor {
	return audit.Actor{Kind: audit.ActorPrincipal, ID: string(p.TokenID), Name: p.Name}
}

// checkPrincipal refuses a principal that the audit log could not name.
func checkPrincipal(p schema.Principal) error {
	if p.TokenID == "" || p.Name == "" {
		return &schema.Error{Code: schema.CodeUnauthorized, Message: "a decision needs a principal with a token and a name"}
	}
	return nil
}

// record appends an event to a stream when the transaction commits.
func (t *tx) record(stream string, actor audit.Actor, action string, subject audit.Subject, details map[string]string) {
	t.events = append(t.events, streamEvent{stream: stream, event: audit.Event{
		At: t.now, Actor: actor, Action: action, Subject: subject, Details: details,
	}})
}

// recordPlan appends an event about a plan to its case's stream.
func (t *tx) recordPlan(p planRow, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.CaseStream(string(p.CaseID)), actor, action, audit.Subject{
		CaseID: string(p.CaseID), PlanID: string(p.ID), ConnectionID: string(p.ConnectionID), AccountID: string(p.AccountID),
	}, details)
}

// recordStep is recordPlan for an event of one step.
func (t *tx) recordStep(p planRow, ref schema.StepRef, action string, details map[string]string) {
	details = with(details, "step_index", strconv.Itoa(ref.Index))
	t.recordPlan(p, engine(), action, details)
	if step, ok := p.Step(ref.Index); ok {
		t.events[len(t.events)-1].event.Subject.Step = string(step.Kind)
	}
}

// with returns a copy of details with the pairs added.
func with(details map[string]string, pairs ...string) map[string]string {
	out := maps.Clone(details)
	if out == nil {
		out = map[string]string{}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// appendEvents links the events to the heads of their streams. All streams are
// locked first, in one order, so that two transactions cannot wait for each
// other and nobody reads a head that another is about to move.
func (t *tx) appendEvents(ctx context.Context) error {
	if len(t.events) == 0 {
		return nil
	}
	streams := make([]string, len(t.events))
	for i, e := range t.events {
		streams[i] = e.stream
	}
	slices.Sort(streams)
	streams = slices.Compact(streams)
	heads, err := t.lockHeads(ctx, streams)
	if err != nil {
		return err
	}
	records := make([]audit.Record, len(t.events))
	for i, e := range t.events {
		body, err := e.event.Body()
		if err != nil {
			return err
		}
		records[i] = audit.Next(heads[e.stream], e.stream, body)
		heads[e.stream] = records[i].Head()
	}
	return t.insertRecords(ctx, records)
}

func (t *tx) lockHeads(ctx context.Context, streams []string) (map[string]audit.Head, error) {
	err := t.run(ctx, `select pg_advisory_xact_lock(hashtextextended('audit/' || stream, 0))
		from (select stream from unnest(@streams::text[]) with ordinality as s(stream, place) order by place) as sorted`,
		args{"streams": streams})
	if err != nil {
		return nil, err
	}
	type head struct {
		Stream string
		Seq    int64
		Hash   []byte
	}
	// A statement of its own: its snapshot is taken after the locks were.
	rows, err := all[head](ctx, t, `select s.stream, last.seq, last.hash
		from unnest(@streams::text[]) as s(stream)
		cross join lateral (select r.seq, r.hash from audit_record r
			where r.stream = s.stream order by r.seq desc limit 1) as last`,
		args{"streams": streams})
	if err != nil {
		return nil, err
	}
	heads := make(map[string]audit.Head, len(streams))
	for _, r := range rows {
		heads[r.Stream] = audit.Head{Seq: r.Seq, Hash: audit.Hash(r.Hash)}
	}
	return heads, nil
}

func (t *tx) insertRecords(ctx context.Context, records []audit.Record) error {
	slices.SortStableFunc(records, func(a, b audit.Record) int { return cmp.Compare(a.Stream, b.Stream) })
	n := len(records)
	streams, seqs := make([]string, n), make([]int64, n)
	prevs, hashes, bodies := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i, r := range records {
		streams[i], seqs[i] = r.Stream, r.Seq
		prevs[i], hashes[i], bodies[i] = r.PrevHash[:], r.Hash[:], r.Body
	}
	return t.run(ctx, `with added as (
			insert into audit_record (stream, seq, prev_hash, hash, body)
			select stream, seq, prev_hash, hash, body
			from unnest(@streams::text[], @seqs::bigint[], @prevs::bytea[], @hashes::bytea[], @bodies::bytea[])
				as r(stream, seq, prev_hash, hash, body)
			returning stream, seq)
		insert into audit_pending (stream, seq) select stream, seq from added`,
		args{"streams": streams, "seqs": seqs, "prevs": prevs, "hashes": hashes, "bodies": bodies})
}

// CaseAudit returns the bodies of a case's stream after a sequence number,
// oldest first; limit is 1 to 1000.
func (s *Store) CaseAudit(ctx context.Context, id schema.CaseID, afterSeq int64, limit int) ([][]byte, error) {
	const op = "read the case's audit"
	if err := checkLimit(limit, 1000); err != nil {
		return nil, err
	}
	bodies, err := scalars[[]byte](ctx, s.pool, `select body from audit_record
		where stream = @stream and seq > @after order by seq limit @limit`,
		args{"stream": audit.CaseStream(string(id)), "after": afterSeq, "limit": limit})
	return bodies, translate(op, err)
}
