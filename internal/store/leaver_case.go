package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// heldLeaver is what is known of a locked leaver.
type heldLeaver struct {
	ID         schema.LeaverID
	PersonID   schema.PersonID
	SourceID   schema.SourceID
	Source     string
	State      schema.LeaverState
	CaseID     schema.CaseID
	OwnCase    bool
	BatchID    schema.BatchID
	Revision   int64
	DueAt      time.Time
	CaseDueAt  time.Time
	Findings   []schema.Finding
	Lost       []string
	ExternalID string
}

// Leaver returns a leaver; CodeNotFound.
func (s *Store) Leaver(ctx context.Context, id schema.LeaverID) (schema.Leaver, error) {
	l, ok, err := maybe[schema.Leaver](ctx, s.pool, `select l.id, l.person_id, coalesce(p.email, '') as email, p.name, l.source_id, s.name as source,
			l.external_id, l.moment, l.for_cause, l.reason, l.by_hand, l.state, l.end_kind as "end", l.case_id, l.own_case, l.batch_id,
			l.findings, l.lost, l.revision, l.template, l.receivers, l.approvals, l.created_at, l.updated_at, l.ended_at
		from leaver l join person p on p.id = l.person_id join hr_source s on s.id = l.source_id where l.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("leaver", string(id))
	}
	return l, translate("read leaver", err)
}

// withLeaver runs fn with the leaver locked. CodeStale when its revision is
// another. People are locked first, as everywhere.
func (s *Store) withLeaver(ctx context.Context, op string, id schema.LeaverID, revision int64, fn func(context.Context, *tx, heldLeaver) error) error {
	return s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
		if err := t.lockPeople(ctx, false); err != nil {
			return err
		}
		if err := t.run(ctx, `select 1 from leaver where id = @id for no key update`, args{"id": id}); err != nil {
			return err
		}
		l, ok, err := maybe[heldLeaver](ctx, t, `select l.id, l.person_id, l.source_id, s.name as source, l.state, l.case_id, l.own_case, l.batch_id,
				l.revision, l.due_at, l.case_due_at, l.findings, l.lost, l.external_id
			from leaver l join hr_source s on s.id = l.source_id where l.id = @id`, args{"id": id})
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound("leaver", string(id))
		case l.Revision != revision:
			return &schema.Error{Code: schema.CodeStale, Message: "what HR wants for the leaver has changed", Fix: "read it again"}
		}
		return fn(ctx, t, l)
	})
}

// requireUnplanned is CodeStale for a leaver whom no case is to be opened for. Who
// found that there is no account, or that pre-flight refuses, may be late: another
// attempt may have opened the case meanwhile.
func (l heldLeaver) requireUnplanned() error {
	if l.CaseID != "" || !slices.Contains([]schema.LeaverState{schema.LeaverPlanning, schema.LeaverNoAccount, schema.LeaverRefused}, l.State) {
		return &schema.Error{Code: schema.CodeStale, Message: "the leaver needs no case now"}
	}
	return nil
}

func (l heldLeaver) principal() schema.Principal { return sourcePrincipal(l.SourceID, l.Source) }

// recordLeaver appends an event about a leaver to the person's stream.
func (t *tx) recordLeaver(l heldLeaver, action string, details map[string]string) {
	subject := audit.Subject{PersonID: string(l.PersonID), CaseID: string(l.CaseID)}
	all := map[string]string{"leaver": string(l.ID), "source": l.Source, "revision": strconv.FormatInt(l.Revision, 10)}
	for k, v := range details {
		all[k] = v
	}
	t.record(audit.PersonStream(string(l.PersonID)), engine(), action, subject, all)
}

// OpenLeaverCase writes the draft's case and joins the leaver to it.
func (s *Store) OpenLeaverCase(ctx context.Context, id schema.LeaverID, revision int64, d schema.Draft) (schema.Case, error) {
	var opened schema.Case
	err := s.withLeaver(ctx, "open a leaver's case", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if err := l.requireUnplanned(); err != nil {
			return err
		}
		c, err := newCaseOf(d, l.principal())
		if err != nil {
			return err
		}
		if err := checkAccountsOnce([]newCase{c}); err != nil {
			return err
		}
		cases := []newCase{c}
		if err := t.insertCases(ctx, cases, l.principal()); err != nil {
			return err
		}
		opened = cases[0].Case
		l.CaseID = opened.ID
		t.recordLeaver(l, "leaver.case_opened", map[string]string{"case": string(opened.ID)})
		return t.setLeaver(ctx, l, `state = 'open', case_id = @case, own_case = true, case_due_at = @due, findings = @findings`,
			args{"case": opened.ID, "due": opened.EffectiveAt, "findings": warnings(d)})
	})
	return opened, err
}

// warnings are what pre-flight found and did not refuse for.
func warnings(d schema.Draft) []schema.Finding {
	return append([]schema.Finding{}, d.AllFindings()...)
}

// setLeaver changes a locked leaver. Its revision is HR's and stays.
func (t *tx) setLeaver(ctx context.Context, l heldLeaver, set string, a args) error {
	a["id"], a["now"] = l.ID, t.now
	return t.changeOne(ctx, `update leaver set `+set+`, updated_at = @now where id = @id`, a)
}

// OpenCaseOf returns the newest case of the person that is not closed and acts for
// the door offboarding, and whether there is one.
func (s *Store) OpenCaseOf(ctx context.Context, person schema.PersonID) (schema.Case, bool, error) {
	found, err := scalars[schema.CaseID](ctx, s.pool, `select id from lifecycle_case
		where person_id = @person and closed_at is null and door = 'offboarding' order by created_at desc, id desc limit 1`, args{"person": person})
	if err != nil || len(found) == 0 {
		return schema.Case{}, false, translate("find a person's case", err)
	}
	c, err := s.Case(ctx, found[0])
	return c, err == nil, err
}

// LoginsOf returns the logins of the person's accounts that are not deleted, on
// enabled connections.
func (s *Store) LoginsOf(ctx context.Context, person schema.PersonID) ([]string, error) {
	list, err := scalars[string](ctx, s.pool, `select distinct lower(a.login) from account a join connection c on c.id = a.connection_id and c.state = 'enabled'
		where a.person_id = @person and a.status <> 'deleted' and a.kind = 'person' and a.login <> '' order by 1`, args{"person": person})
	return list, translate("find a person's logins", err)
}

// JoinCase joins a leaver to a case: another's, or one of its own that began
// before the leaver was held.
func (s *Store) JoinCase(ctx context.Context, id schema.LeaverID, revision int64, c schema.CaseID) error {
	return s.withLeaver(ctx, "join a case", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		own := l.CaseID == c && l.OwnCase
		if l.State == schema.LeaverHeld {
			if err := t.shrinkBatch(ctx, l.BatchID, 1); err != nil {
				return err
			}
		}
		joined, err := t.lockCase(ctx, c)
		if err != nil {
			return err
		}
		if !joined.ClosedAt.IsZero() {
			return &schema.Error{Code: schema.CodeStale, Message: "the case is closed by now"}
		}
		l.CaseID = c
		t.recordLeaver(l, "leaver.case_joined", map[string]string{"case": string(c), "own": strconv.FormatBool(own)})
		t.record(audit.CaseStream(string(c)), engine(), "case.leaver_joined", audit.Subject{CaseID: string(c), PersonID: string(l.PersonID)},
			map[string]string{"leaver": string(l.ID), "source": l.Source})
		return t.setLeaver(ctx, l, `state = 'open', case_id = @case, own_case = @own, batch_id = null, findings = '[]'`, args{"case": c, "own": own})
	})
}

// MissLeaver records that nobody has an account of the leaver.
func (s *Store) MissLeaver(ctx context.Context, id schema.LeaverID, revision int64) error {
	return s.withLeaver(ctx, "miss a leaver", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if err := l.requireUnplanned(); err != nil || l.State == schema.LeaverNoAccount {
			return err
		}
		t.recordLeaver(l, "leaver.no_account", map[string]string{"from": string(l.State)})
		return t.setLeaver(ctx, l, `state = 'no_account', findings = '[]'`, args{})
	})
}

// RefuseLeaver records that pre-flight refuses, and tells of it when it refuses for
// something new.
func (s *Store) RefuseLeaver(ctx context.Context, id schema.LeaverID, revision int64, findings []schema.Finding) error {
	return s.withLeaver(ctx, "refuse a leaver", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if err := l.requireUnplanned(); err != nil || l.State == schema.LeaverRefused && slices.Equal(codesOf(l.Findings), codesOf(findings)) {
			return err
		}
		t.recordLeaver(l, "leaver.refused", map[string]string{"codes": joinCodes(findings)})
		if err := t.setLeaver(ctx, l, `state = 'refused', findings = @findings`, args{"findings": append([]schema.Finding{}, findings...)}); err != nil {
			return err
		}
		return t.notice(ctx, schema.NoticeRefused, noticeAbout{leaverID: l.ID})
	})
}

// codesOf are the codes of what refuses, each once, in order.
func codesOf(findings []schema.Finding) []string {
	var codes []string
	for _, f := range findings {
		if !f.Warning {
			codes = append(codes, string(f.Code))
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func joinCodes(findings []schema.Finding) string {
	text := ""
	for _, c := range codesOf(findings) {
		text += " " + c
	}
	return text[min(1, len(text)):]
}

// MoveLeaverCase gives the leaver's own case the leaver's moment, if none of its
// plans has begun; CodeConflict else. A moment that it was given before is not given
// again: an operator may have moved the case since.
func (s *Store) MoveLeaverCase(ctx context.Context, id schema.LeaverID, revision int64) error {
	return s.withLeaver(ctx, "move a leaver's case", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if l.CaseDueAt.Equal(l.DueAt) {
			return nil
		}
		if err := t.requireUnbegun(ctx, l); err != nil {
			return err
		}
		if err := t.decideFor(ctx, l, schema.DecideMoveDate, "HR moved the moment", l.DueAt); err != nil {
			return err
		}
		return t.setLeaver(ctx, l, `case_due_at = @due`, args{"due": l.DueAt})
	})
}

// requireUnbegun is CodeConflict when a plan of the leaver's case has begun. The
// case is locked: no plan begins until the transaction ends.
func (t *tx) requireUnbegun(ctx context.Context, l heldLeaver) error {
	if l.CaseID == "" || !l.OwnCase {
		return conflict("the case is not the leaver's own", "")
	}
	if _, err := t.lockCase(ctx, l.CaseID); err != nil {
		return err
	}
	err := t.run(ctx, `select 1 from (select id from plan where case_id = @case order by id for no key update) as locked`, args{"case": l.CaseID})
	if err != nil {
		return err
	}
	begun, err := scalar[bool](ctx, t, `select exists (select 1 from plan where case_id = @case and state <> 'planned')`, args{"case": l.CaseID})
	if err == nil && begun {
		err = conflict("a plan of the case has begun", "cancel the case")
	}
	return err
}

// decideFor decides about the leaver's case in the name of its source.
func (t *tx) decideFor(ctx context.Context, l heldLeaver, kind schema.DecisionKind, reason string, to time.Time) error {
	by := l.principal()
	d := schema.Decision{CaseID: l.CaseID, Kind: kind, Reason: reason, To: to, Receivers: []string{}, Principal: by.Name, TokenID: by.TokenID}
	var err error
	if d.ID, err = newID[schema.DecisionID](); err != nil {
		return err
	}
	return t.decide(ctx, &d, by)
}

// CancelLeaverCase cancels the leaver's own case and keeps what will not come back.
// With unlessBegun, CodeConflict when a plan has begun. A leaver that stays one is
// planned anew once the case has ended.
func (s *Store) CancelLeaverCase(ctx context.Context, id schema.LeaverID, revision int64, reason string, lost []string, unlessBegun bool) error {
	return s.withLeaver(ctx, "cancel a leaver's case", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if unlessBegun {
			if err := t.requireUnbegun(ctx, l); err != nil {
				return err
			}
		}
		stopping, err := scalar[bool](ctx, t, `select not exists (select 1 from plan where case_id = @case
			and state not in ('done', 'cancelled', 'superseded') and not stopping)`, args{"case": l.CaseID})
		if err != nil {
			return err
		}
		if stopping {
			return nil // asked again: its end is told
		}
		if err := t.decideFor(ctx, l, schema.DecideCancel, reason, time.Time{}); err != nil {
			return err
		}
		t.recordLeaver(l, "leaver.case_cancelled", map[string]string{"reason": reason, "not_brought_back": strconv.Itoa(len(lost))})
		state := l.State
		if state == schema.LeaverOpen {
			state = schema.LeaverPlanning
		}
		return t.setLeaver(ctx, l, `state = @state, lost = @lost`, args{"state": state, "lost": append([]string{}, lost...)})
	})
}

// LeaveCase parts a leaver from its own case that is closed.
func (s *Store) LeaveCase(ctx context.Context, id schema.LeaverID, revision int64) error {
	return s.withLeaver(ctx, "leave a case", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		closed, err := scalar[bool](ctx, t, `select exists (select 1 from lifecycle_case where id = @case and closed_at is not null)`, args{"case": l.CaseID})
		if err != nil {
			return err
		}
		if !closed {
			return &schema.Error{Code: schema.CodeStale, Message: "the leaver has another case by now"}
		}
		t.recordLeaver(l, "leaver.case_left", nil)
		return t.setLeaver(ctx, l, `case_id = null, own_case = false`, args{})
	})
}

// EndLeaver ends a leaver. Of a withdrawn one it adds what had been destroyed.
func (s *Store) EndLeaver(ctx context.Context, id schema.LeaverID, revision int64, end schema.LeaverEnd) error {
	return s.withLeaver(ctx, "end a leaver", id, revision, func(ctx context.Context, t *tx, l heldLeaver) error {
		if l.State == schema.LeaverEnded {
			return nil
		}
		if end == schema.EndNoAccount {
			if err := l.requireUnplanned(); err != nil {
				return err
			}
		}
		lost := l.Lost
		if end == schema.EndWithdrawn {
			more, err := t.lostFor(ctx, l)
			if err != nil {
				return err
			}
			lost = append(lost, more...)
		}
		t.recordLeaver(l, "leaver.ended", map[string]string{"end": string(end), "not_brought_back": strconv.Itoa(len(lost))})
		return t.setLeaver(ctx, l, `state = 'ended', end_kind = @end, ended_at = @now, lost = @lost`, args{"end": end, "lost": append([]string{}, lost...)})
	})
}

// lostFor says what a withdrawn leaver's case did that nothing undoes, and that
// another's case was left as it is.
func (t *tx) lostFor(ctx context.Context, l heldLeaver) ([]string, error) {
	if l.CaseID == "" {
		return nil, nil
	}
	if !l.OwnCase {
		return []string{"case " + string(l.CaseID) + " was opened by somebody else and goes on: cancel it if they stay"}, nil
	}
	return scalars[string](ctx, t, `select c.name || ': the account is deleted, it does not come back' from plan p join connection c on c.id = p.connection_id
		where p.case_id = @case and exists (select 1 from plan_step s where s.plan_id = p.id and s.kind = 'delete' and s.state = 'done') order by 1`,
		args{"case": l.CaseID})
}

// tellLeavers lets the leavers of a case look at it again.
func (t *tx) tellLeavers(ctx context.Context, c schema.CaseID) error {
	ids, err := scalars[schema.LeaverID](ctx, t, `select id from leaver where case_id = @case and state <> 'ended'`, args{"case": c})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxLeaver, LeaverID: id}); err != nil {
			return err
		}
	}
	return nil
}
