package store

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const (
	// maxRound is how many events a round takes, besides the rest of a group.
	maxRound = 500
	// maxAlone is that of a round in which each is applied by itself.
	maxAlone = 50
	// maxWaiting is how many sources with pending events a round looks at.
	maxWaiting = 100
)

// ApplyEvents applies what one source has told since, in the order it was
// accepted, in one transaction: employments, who leaves by them, and what is asked
// of the engine. The source is the one whose events wait longest and that nobody
// else applies just now, be it disabled or removed since: what was answered counts.
// It returns whether there was anything. Events of a group are applied together;
// an event whose data nothing can be done with is refused and stops none of the
// others.
func (s *Store) ApplyEvents(ctx context.Context, judge schema.LeaverJudge) (schema.Applied, bool, error) {
	waiting, err := all[tellingSource](ctx, s.pool, `select s.id, s.name, s.template, s.receivers, s.approvals, s.time_zone, s.kind
		from hr_source s cross join lateral (
			select e.seq from hr_event e where e.source_id = s.id and e.state = 'pending' order by e.seq limit 1) as oldest
		order by oldest.seq limit @limit`, args{"limit": maxWaiting})
	if err != nil {
		return schema.Applied{}, false, translate("look for events", err)
	}
	var failed []error
	for _, src := range waiting {
		applied, took, err := s.applySource(ctx, src, judge)
		if took && err == nil {
			return applied, true, nil
		}
		// What one source told stops no other.
		failed = append(failed, err)
	}
	return schema.Applied{}, false, errors.Join(failed...)
}

func (s *Store) applySource(ctx context.Context, src tellingSource, judge schema.LeaverJudge) (schema.Applied, bool, error) {
	applied, took, err := s.applyRound(ctx, src, judge, false)
	if err == nil || transient(err) {
		return applied, took, err
	}
	return s.applyRound(ctx, src, judge, true)
}

// applyRound applies events of a source, alone = each by itself, so that one that
// nothing can be done with is found and refused.
func (s *Store) applyRound(ctx context.Context, src tellingSource, judge schema.LeaverJudge, alone bool) (schema.Applied, bool, error) {
	applied, took := schema.Applied{Source: src.Name}, false
	err := s.inTx(ctx, "apply events", func(ctx context.Context, t *tx) (err error) {
		applied, took = schema.Applied{Source: src.Name}, false
		// Locking the source itself would let those wait who write its events.
		held, err := scalar[bool](ctx, t, `select pg_try_advisory_xact_lock(hashtextextended('hr_apply/' || @id, 0))`, args{"id": string(src.ID)})
		if err != nil || !held {
			return err
		}
		r := &round{tx: t, judge: judge, source: src, alone: alone, touched: map[schema.PersonID]*touch{}, merged: map[schema.PersonID]schema.PersonID{}}
		if err := r.readEvents(ctx); err != nil || len(r.inbox) == 0 {
			return err
		}
		took = true
		applied, err = r.apply(ctx)
		return err
	})
	return applied, took && err == nil, err
}

// transient tells whether an error says nothing about the data: trying again may
// go well.
func transient(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || schema.CodeOf(err) == schema.CodeUnavailable
}

// databaseFailed tells whether an error is Postgres's trouble and not what it was
// given: no space or memory, a lock not had or a statement ended, a standby
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
func databaseFailed(err error) bool {
	code := sqlState(err)
	return slices.ContainsFunc([]string{"25", "40", "53", "54", "55", "57", "58", "XX"}, func(class string) bool { return strings.HasPrefix(code, class) })
}

// tellingSource is a source in so far as its events are applied.
type tellingSource struct {
	ID        schema.SourceID
	Name      string
	Kind      schema.SourceKind
	TimeZone  string
	Template  string
	Receivers []string
	Approvals int
}

func (s tellingSource) principal() schema.Principal { return sourcePrincipal(s.ID, s.Name) }

// round is a source's events on their way into the tables.
type round struct {
	*tx
	judge   schema.LeaverJudge
	source  tellingSource
	alone   bool
	inbox   []*inboxEvent
	touched map[schema.PersonID]*touch
	merged  map[schema.PersonID]schema.PersonID
	sides   judgeSides
	leavers leaverSet
}

// inboxEvent is an event of the round with what becomes of it.
type inboxEvent struct {
	ID         schema.HREventID
	Change     []byte
	ReceivedAt time.Time

	change   schema.HRChange
	persons  map[string]schema.PersonID  // of its rows, by external id
	issues   map[string]schema.IssueKind // against its rows
	person   schema.PersonID             // of what is said by hand
	problems []schema.Problem            // of a refused one
}

// pendingEvents selects what a source told and nobody applied yet.
const pendingEvents = ` from hr_event e where e.source_id = @source and e.state = 'pending'`

// readEvents reads what is pending, up to maxRound and the end of every group that
// is begun.
func (r *round) readEvents(ctx context.Context) error {
	upTo, err := r.lastEvent(ctx)
	if err != nil || upTo == 0 {
		return err
	}
	rows, err := query(ctx, r, `select e.id, e.change, e.received_at`+pendingEvents+` and e.seq <= @up_to order by e.seq`,
		args{"source": r.source.ID, "up_to": upTo})
	if err != nil {
		return err
	}
	r.inbox, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[inboxEvent])
	for _, e := range r.inbox {
		if err := json.Unmarshal(e.Change, &e.change); err != nil {
			e.refuse(&schema.Error{Code: schema.CodeInvalid, Message: "what the event tells cannot be read again"})
		}
	}
	return err
}

// lastEvent is the place of the last event of the round; 0 = nothing is pending.
func (r *round) lastEvent(ctx context.Context) (int64, error) {
	limit := maxRound
	if r.alone {
		limit = maxAlone
	}
	first, err := all[struct {
		Seq     int64
		GroupID string
	}](ctx, r, `select e.seq, e.group_id`+pendingEvents+` order by e.seq limit @limit`, args{"source": r.source.ID, "limit": limit})
	if err != nil || len(first) == 0 {
		return 0, err
	}
	upTo, groups := first[len(first)-1].Seq, map[string]bool{}
	for _, e := range first {
		groups[e.GroupID] = true
	}
	delete(groups, "")
	// The end of a group may lie behind the begin of another.
	for known := 0; known < len(groups); {
		known = len(groups)
		upTo, err = scalar[int64](ctx, r, `select greatest(@up_to, coalesce(max(e.seq), 0))`+pendingEvents+` and e.seq > @up_to and e.group_id = any(@groups)`,
			args{"source": r.source.ID, "up_to": upTo, "groups": slices.Collect(maps.Keys(groups))})
		if err != nil {
			return 0, err
		}
		begun, err := scalars[string](ctx, r, `select distinct e.group_id`+pendingEvents+` and e.seq <= @up_to and e.group_id <> ''`,
			args{"source": r.source.ID, "up_to": upTo})
		if err != nil {
			return 0, err
		}
		for _, g := range begun {
			groups[g] = true
		}
	}
	return upTo, nil
}

// refuse notes why nothing can be done with an event.
func (e *inboxEvent) refuse(err error) {
	var known *schema.Error
	if !errors.As(err, &known) {
		known = &schema.Error{Code: schema.CodeInternal, Message: "the event cannot be applied"}
	}
	e.problems = append([]schema.Problem{{Code: string(known.Code), Message: known.Message, Fix: known.Fix}}, known.Problems...)
}

func (e *inboxEvent) refused() bool { return len(e.problems) > 0 }

// apply does a round.
func (r *round) apply(ctx context.Context) (schema.Applied, error) {
	done := schema.Applied{Source: r.source.Name, Events: len(r.inbox)}
	if err := r.lockPeople(ctx, true); err != nil {
		return done, err
	}
	var err error
	if r.sides, err = r.readSides(ctx, r.source); err != nil {
		return done, err
	}
	if err := r.tell(ctx); err != nil {
		return done, err
	}
	if r.leavers, err = r.hear(ctx, slices.Sorted(maps.Keys(r.touched))); err != nil {
		return done, err
	}
	if err := r.saveLeavers(ctx, r.leavers); err != nil {
		return done, err
	}
	r.leavers.count(&done)
	if err := r.poll(ctx); err != nil {
		return done, err
	}
	return done, r.markEvents(ctx)
}

// poll lets the source's API be asked now when one of the events is a hint, and the
// next time as long after as it is asked by itself.
func (r *round) poll(ctx context.Context) error {
	hinted := slices.ContainsFunc(r.inbox, func(e *inboxEvent) bool { return e.change.Kind == schema.ChangeHint && !e.refused() })
	if !hinted {
		return nil
	}
	tag, err := r.Exec(ctx, `update hr_source set next_poll_at = @now::timestamptz + poll_seconds * interval '1 second'
		where id = @id and state = 'enabled' and poll_seconds > 0`, args{"id": r.source.ID, "now": r.now})
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return r.enqueuePoll(ctx, r.source.ID)
}

// markEvents writes what became of the events.
func (r *round) markEvents(ctx context.Context) error {
	var ids, states, problems, outcomes []string
	refused := 0
	for _, e := range r.inbox {
		state, action := schema.EventApplied, "hr_event.applied"
		if e.refused() {
			state, action = schema.EventRefused, "hr_event.refused"
			refused++
		}
		out := r.outcome(e)
		said, err := json.Marshal(append([]schema.Problem{}, e.problems...))
		if err != nil {
			return err
		}
		did, err := json.Marshal(append([]schema.EventOutcome{}, out...))
		if err != nil {
			return err
		}
		ids, states, problems, outcomes = append(ids, string(e.ID)), append(states, string(state)), append(problems, string(said)), append(outcomes, string(did))
		r.record(audit.SourceStream(string(r.source.ID)), principal(r.source.principal()), action, audit.Subject{}, eventDetails(e, out))
	}
	tag, err := r.Exec(ctx, `update hr_event e set state = n.state, problems = n.problems::jsonb, outcome = n.outcome::jsonb,
			applied_at = case when n.state = 'applied' then @now::timestamptz end
		from unnest(@ids::uuid[], @states::text[], @problems::text[], @outcomes::text[]) as n(id, state, problems, outcome)
		where e.id = n.id and e.state = 'pending'`,
		args{"now": r.now, "ids": ids, "states": states, "problems": problems, "outcomes": outcomes})
	if err == nil && tag.RowsAffected() != int64(len(ids)) {
		err = errors.New("an event of the round was applied by another")
	}
	if err != nil || refused == 0 {
		return err
	}
	return r.raiseAlarm(ctx, refusedAlarm(schema.Source{ID: r.source.ID, Name: r.source.Name}))
}
