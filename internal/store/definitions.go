package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// definition is what a file defines, as it was applied: a rule in versions. Policies
// and access reviews are alike in all of this.
type definition[Rule any] struct {
	ID          string
	Name        string
	Version     int // 0 = it was never applied
	Rule        Rule
	Hash        string // of the rule
	Source      string // the file's text
	Set         string // the set of files it was applied with; empty = alone
	State       schema.PolicyState
	PauseReason string
	PausedBy    string
	Withdrawn   bool // paused because its file left its set
	UpdatedBy   string
	UpdatedID   schema.TokenID
	UpdatedAt   time.Time
	CreatedAt   time.Time
}

// defined is a row of one kind: a definition with what only that kind has.
type defined[Row, Rule any] interface {
	definition() definition[Rule]
	// with is the row as it becomes with another definition.
	with(d definition[Rule]) Row
}

// definitions is one kind of definition. Its table holds what they are now, the table
// of the same name with _version what each version said.
type definitions[Row defined[Row, Rule], Rule interface{ Hash() string }] struct {
	one, a, many string // "policy", "a policy", "policies"
	shownBy      string // the command that lists them
	table        string
	reference    string // the column by which versions refer to the table
	own          string // what a row has besides its definition, selected of the table d
	alarmed      string // selects alarms about the one with @id
	action       string // begins the names of its audit records

	says  func(r Rule) (name string, connections []string)
	tells func(id string) schema.OutboxRow // brings its schedule in line
	// changed writes what a change means for what only that kind has.
	changed func(ctx context.Context, t *tx, before, after Row) error
}

// selects reads definitions d with one of their versions v; the clause follows.
func (k definitions[Row, Rule]) selects(clause string) string {
	return `select d.id, d.name, v.version, v.rule, v.hash, v.source, d.set_name as "set", d.state, d.pause_reason, d.paused_by, d.withdrawn,
		v.updated_by, v.updated_id, v.updated_at, d.created_at, ` + k.own + `
	from ` + k.table + ` d join ` + k.table + `_version v on v.` + k.reference + ` = d.id` + clause
}

// present, for selects, reads definitions as they are now.
const present = ` and v.version = d.version`

// list lists by name, from the one after the filter's. It returns the last name of
// the page when there are more.
func (k definitions[Row, Rule]) list(ctx context.Context, q querier, f schema.PolicyFilter) ([]Row, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	where, a := ` where d.name > @after`, args{"after": f.After, "limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = where+` and d.state = @state`, f.State
	}
	if f.Set != "" {
		where, a["set"] = where+` and d.set_name = @set`, f.Set
	}
	rows, err := all[Row](ctx, q, k.selects(present+where+` order by d.name limit @limit`), a)
	if err != nil || len(rows) <= f.Limit {
		return rows, "", translate("list "+k.many, err)
	}
	return rows[:f.Limit], rows[f.Limit-1].definition().Name, nil
}

// find returns the one of a name or id, as it is now.
func (k definitions[Row, Rule]) find(ctx context.Context, q querier, ref string) (Row, error) {
	match := ` where d.name = @ref`
	if uuid.Validate(ref) == nil {
		match = ` where d.id = @ref::text::uuid`
	}
	row, ok, err := maybe[Row](ctx, q, k.selects(present+match), args{"ref": ref})
	if err == nil && !ok {
		err = k.none(ref)
	}
	return row, err
}

func (k definitions[Row, Rule]) none(ref string) error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no " + k.one + " " + ref, Fix: k.shownBy + " shows all " + k.many}
}

// lock locks the one of a name or id and reads it. The read is a statement of its
// own, because only that sees the version that came with the lock.
func (k definitions[Row, Rule]) lock(ctx context.Context, t *tx, ref string) (Row, error) {
	row, err := k.find(ctx, t, ref)
	if err != nil {
		return row, err
	}
	id := row.definition().ID
	if err := t.run(ctx, `select 1 from `+k.table+` where id = @id for no key update`, args{"id": id}); err != nil {
		return row, err
	}
	return k.find(ctx, t, id)
}

// at returns one as it was at a version: its state is that of now.
func (k definitions[Row, Rule]) at(ctx context.Context, q querier, id string, version int) (Row, error) {
	row, ok, err := maybe[Row](ctx, q, k.selects(` where d.id = @id and v.version = @version`), args{"id": id, "version": version})
	if err == nil && !ok {
		err = k.none(id + " version " + strconv.Itoa(version))
	}
	return row, err
}

// history lists the versions of one, newest first. The cursor is the last version of
// the page before.
func (k definitions[Row, Rule]) history(ctx context.Context, q querier, ref, after string, limit int) ([]Row, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	row, err := k.find(ctx, q, ref)
	if err != nil {
		return nil, "", translate("read "+k.one, err)
	}
	d := row.definition()
	before := d.Version + 1
	if after != "" {
		if before, err = strconv.Atoi(after); err != nil {
			return nil, "", errCursor()
		}
	}
	rows, err := all[Row](ctx, q, k.selects(` where d.id = @id and v.version < @before order by v.version desc limit @limit`),
		args{"id": d.ID, "before": before, "limit": limit + 1})
	if err != nil || len(rows) <= limit {
		return rows, "", translate("list versions of "+k.a, err)
	}
	return rows[:limit], strconv.Itoa(rows[limit-1].definition().Version), nil
}

// setState pauses or resumes one by somebody's word: a file that comes back does not
// resume it. Resuming also lets a schedule go on that a failed run has stopped.
func (k definitions[Row, Rule]) setState(ctx context.Context, s *Store, ref string, to schema.PolicyState, reason string, by schema.Principal) (row Row, err error) {
	switch err := checkPrincipal(by); {
	case err != nil:
		return row, err
	case to != schema.PolicyActive && to != schema.PolicyPaused:
		return row, &schema.Error{Code: schema.CodeInvalid, Message: k.a + " is active or paused, not " + strconv.Quote(string(to))}
	case strings.TrimSpace(reason) == "":
		return row, &schema.Error{Code: schema.CodeInvalid, Message: k.a + " is paused and resumed with a reason", Fix: "say why"}
	}
	err = s.inTx(ctx, "change "+k.one, func(ctx context.Context, t *tx) error {
		if row, err = k.lock(ctx, t, ref); err != nil {
			return err
		}
		if err := k.putState(ctx, t, row.definition(), to, reason, by); err != nil {
			return err
		}
		row, err = k.find(ctx, t, row.definition().ID)
		return err
	})
	return row, err
}

func (k definitions[Row, Rule]) putState(ctx context.Context, t *tx, d definition[Rule], to schema.PolicyState, reason string, by schema.Principal) error {
	action := k.action + ".resumed"
	switch {
	case to == schema.PolicyActive:
		d.PauseReason, d.PausedBy = "", ""
		if err := k.clearAlarm(ctx, t, d.ID, schema.AlarmReviewFailed); err != nil {
			return err
		}
	case d.State == schema.PolicyPaused && !d.Withdrawn:
		return conflict(k.one+" "+d.Name+" is paused already", "")
	default:
		action, d.PauseReason, d.PausedBy = k.action+".paused", reason, by.Name
	}
	k.record(t, d, principal(by), action, map[string]string{"from": string(d.State), "reason": reason})
	d.State, d.Withdrawn = to, false
	return k.save(ctx, t, d)
}

// save stores what changes of a locked definition, and lets its schedule be brought
// in line.
func (k definitions[Row, Rule]) save(ctx context.Context, t *tx, d definition[Rule]) error {
	err := t.changeOne(ctx, `update `+k.table+` set version = @version, set_name = @set, state = @state, pause_reason = @reason, paused_by = @by,
			withdrawn = @withdrawn, updated_at = @now where id = @id`,
		args{
			"id": d.ID, "version": d.Version, "set": d.Set, "state": d.State, "reason": d.PauseReason, "by": d.PausedBy,
			"withdrawn": d.Withdrawn, "now": t.now,
		})
	if err != nil {
		return err
	}
	return t.enqueue(ctx, k.tells(d.ID))
}

// record appends an event to the stream of a definition. The text of its file is
// never among the details: it holds addresses, and the log is for ever.
func (k definitions[Row, Rule]) record(t *tx, d definition[Rule], actor audit.Actor, action string, details map[string]string) {
	t.record(audit.PolicyStream(d.ID), actor, action, audit.Subject{PolicyID: d.ID},
		with(details, "name", d.Name, "version", strconv.Itoa(d.Version), "hash", d.Hash, "set", d.Set))
}

// clearAlarm ends the open alarm of that code about a definition, if there is one.
func (k definitions[Row, Rule]) clearAlarm(ctx context.Context, t *tx, id, code string) error {
	return t.run(ctx, `update alarm set cleared_at = @now
		where connection_id is null and source_id is null and `+k.alarmed+` and code = @code and cleared_at is null`,
		args{"now": t.now, "id": id, "code": code})
}

// each makes one of every row, of a list that is never nil.
func each[Row, T any](rows []Row, of func(Row) T) []T {
	list := make([]T, len(rows))
	for i, r := range rows {
		list[i] = of(r)
	}
	return list
}
