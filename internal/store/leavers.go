package store

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const leaverColumns = `l.id, l.person_id, coalesce(p.email, '') as email, p.name, l.source_id, s.name as source, l.external_id, l.moment, l.for_cause,
	l.reason, l.by_hand, l.state, l.end_kind as "end", l.case_id, l.own_case, l.batch_id, l.findings, l.lost, l.revision, l.template, l.receivers,
	l.approvals, l.created_at, l.updated_at, l.ended_at`

const leaverJoins = ` join person p on p.id = l.person_id join hr_source s on s.id = l.source_id`

// ListLeavers lists leavers, newest first.
func (s *Store) ListLeavers(ctx context.Context, f schema.LeaverFilter) ([]schema.Leaver, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where, a := leaverConditions(f, from)
	// The page is cut before anything is joined to it.
	list, err := all[schema.Leaver](ctx, s.pool, `select `+leaverColumns+` from (
			select * from leaver l`+where+` order by l.created_at desc, l.id desc limit @limit) as l`+leaverJoins+`
		order by l.created_at desc, l.id desc`, a)
	if err != nil {
		return nil, "", translate("list leavers", err)
	}
	list, next := page(list, f.Limit, func(l schema.Leaver) cursor { return cursor{l.CreatedAt, string(l.ID)} })
	return list, next, nil
}

func leaverConditions(f schema.LeaverFilter, from cursor) (string, args) {
	where, a := ` where true`, args{"limit": f.Limit + 1}
	add := func(sql, name string, value any) {
		where += ` and ` + sql
		a[name] = value
	}
	if f.After != "" {
		add(`(l.created_at, l.id) < (@at, @id::uuid)`, "at", from.At)
		a["id"] = schema.LeaverID(from.ID)
	}
	if f.Source != "" {
		add(`l.source_id in (select id from hr_source where name = @source)`, "source", f.Source)
	}
	if f.State != "" {
		add(`l.state = @state`, "state", f.State)
	}
	if f.Email != "" {
		add(`l.person_id in (select person_id from person_email where email = lower(@email))`, "email", strings.TrimSpace(f.Email))
	}
	if f.Batch != "" {
		add(`l.batch_id = @batch`, "batch", f.Batch)
	}
	if f.Open {
		where += ` and l.state <> 'ended'`
	}
	return where, a
}

// FindLeaver returns the leaver of an id, or the newest of an address, one that
// has not ended before others; CodeNotFound.
func (s *Store) FindLeaver(ctx context.Context, ref string) (schema.Leaver, error) {
	ref = strings.TrimSpace(ref)
	where := ` where l.person_id in (select person_id from person_email where email = lower(@ref))`
	if uuid.Validate(ref) == nil {
		where = ` where l.id = @ref::text::uuid`
	}
	l, ok, err := s.leaverBy(ctx, where, args{"ref": ref})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no such leaver", Fix: "sendoff hr leavers shows them"}
	}
	return l, err
}

// LeaverOfCase returns the leaver that a case was opened for or joined by.
func (s *Store) LeaverOfCase(ctx context.Context, id schema.CaseID) (schema.Leaver, bool, error) {
	return s.leaverBy(ctx, ` where l.case_id = @case`, args{"case": id})
}

func (s *Store) leaverBy(ctx context.Context, where string, a args) (schema.Leaver, bool, error) {
	l, ok, err := maybe[schema.Leaver](ctx, s.pool, `select `+leaverColumns+` from leaver l`+leaverJoins+where+`
		order by l.state <> 'ended' desc, l.created_at desc, l.id desc limit 1`, a)
	return l, ok, translate("find leaver", err)
}

// mergeLeavers gives the leavers of a person who was found to be another to that
// one. Of two that have not ended the one without a case ends.
func (t *tx) mergeLeavers(ctx context.Context, m personMerge, by schema.Principal) error {
	a := args{"keep": m.keep, "lose": m.lose}
	pair, two, err := maybe[leaverPair](ctx, t, `select k.id as keep, l.id as lose, l.by_hand and not k.by_hand as word,
			l.state = 'held' as held, k.state = 'withdrawn' and l.state <> 'withdrawn' as stayed, l.batch_id as batch
		from leaver k join leaver l on l.person_id = @lose and l.state <> 'ended' where k.person_id = @keep and k.state <> 'ended'`, a)
	if err != nil {
		return err
	}
	if two {
		if err := t.joinLeavers(ctx, pair); err != nil {
			return err
		}
		t.record(audit.PersonStream(string(m.keep)), principal(by), "leaver.merged", audit.Subject{PersonID: string(m.keep)},
			map[string]string{"leaver": string(pair.Keep), "replaces": string(pair.Lose)})
	}
	return t.runWith(ctx, `update leaver set person_id = @keep where person_id = @lose`, a)
}

// leaverPair is two leavers of what is one person.
type leaverPair struct {
	Keep, Lose schema.LeaverID
	Word       bool // somebody's word is said of the one that ends alone
	Held       bool // the one that ends is held
	Stayed     bool // the one that is kept is withdrawn, the other is not
	Batch      schema.BatchID
}

// joinLeavers ends one of two leavers of a person. Somebody's word goes over to the
// other: it counts in place of a feed's, and who was to stay leaves by it, or is
// held by it.
func (t *tx) joinLeavers(ctx context.Context, p leaverPair) error {
	takes := p.Word && p.Stayed && p.Held // its place in the batch
	if p.Word {
		err := t.run(ctx, `update leaver k set by_hand = true, moment = l.moment, due_at = l.due_at, for_cause = l.for_cause, reason = l.reason,
				source_id = l.source_id, external_id = l.external_id, asked_by = l.asked_by, asked_id = l.asked_id,
				state = case when @takes then 'held' when @stayed then 'planning' else k.state end,
				batch_id = case when @takes then l.batch_id else k.batch_id end, revision = k.revision + 1, updated_at = @now
			from leaver l where k.id = @keep and l.id = @lose`,
			args{"keep": p.Keep, "lose": p.Lose, "takes": takes, "stayed": p.Stayed, "now": t.now})
		if err != nil {
			return err
		}
	}
	err := t.run(ctx, `update leaver set state = 'ended', end_kind = 'withdrawn', ended_at = @now, revision = revision + 1, updated_at = @now where id = @lose`,
		args{"lose": p.Lose, "now": t.now})
	if err != nil {
		return err
	}
	if p.Held && !takes {
		if err := t.shrinkBatch(ctx, p.Batch, 1); err != nil {
			return err
		}
	}
	return t.tellChanged(ctx, []schema.LeaverID{p.Keep, p.Lose})
}
