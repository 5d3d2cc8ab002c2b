package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func (t *tx) applyRoster(ctx context.Context, r schema.Roster, plan rosterPlan, by schema.Principal) error {
	a := args{"now": t.now, "today": schema.DateOf(t.now.UTC()), "source": r.Source}
	err := t.ownTable(ctx, "roster_person", `id uuid primary key`)
	if err != nil {
		return err
	}
	for _, m := range plan.merges {
		if err := t.mergePersons(ctx, m, by); err != nil {
			return err
		}
	}
	if err := t.stageRoster(ctx, plan.writes); err != nil {
		return err
	}
	steps := []string{
		// New persons come with what their only employments say; they are counted
		// again with all others below.
		`insert into person as p (id, email, name, kind, department, manager_id, last_day, created_at, updated_at)
			select distinct on (e.person_id) e.person_id, nullif(e.email, ''), e.name, e.kind, e.department, e.manager_id,
				coalesce(e.last_working_day, e.terminated_on), @now::timestamptz, @now
			from roster_row e where not exists (select 1 from person p where p.id = e.person_id)
			order by e.person_id, ` + presentFirst,
		`insert into person_email (email, person_id, verified, since)
			select distinct e.email, e.person_id, true, @now::timestamptz from roster_row e where e.email <> ''
			on conflict (email) do update set verified = true where not person_email.verified`,
		`insert into employment (source, external_id, person_id, kind, name, email, employee_number, hire_date, last_working_day,
				terminated_on, garden_leave_from, status, active_again, for_cause, leave_reason, time_zone, department, site, manager, manager_id, updated_at)
			select @source, e.external_id, e.person_id, e.kind, e.name, e.email, e.employee_number, e.hire_date, e.last_working_day,
				e.terminated_on, e.garden_leave_from, e.status, e.active_again, e.for_cause, e.leave_reason, e.time_zone, e.department, e.site, e.manager, e.manager_id, @now::timestamptz
			from roster_row e
			on conflict (source, external_id) do update set (kind, name, email, employee_number, hire_date, last_working_day,
				terminated_on, garden_leave_from, status, active_again, for_cause, leave_reason, time_zone, department, site, manager, manager_id, updated_at,
				absent_since)
			= (excluded.kind, excluded.name, excluded.email, excluded.employee_number, excluded.hire_date, excluded.last_working_day,
				excluded.terminated_on, excluded.garden_leave_from, excluded.status, excluded.active_again, excluded.for_cause, excluded.leave_reason, excluded.time_zone, excluded.department, excluded.site, excluded.manager,
				excluded.manager_id, excluded.updated_at, null)`,
		`insert into roster_person select distinct person_id from roster_row on conflict do nothing`,
	}
	for _, sql := range steps {
		if err := t.runWith(ctx, sql, a); err != nil {
			return err
		}
	}
	err = t.run(ctx, `with gone as (update employment set absent_since = @now
			where source = @source and external_id = any(@ids) and absent_since is null returning person_id)
		insert into roster_person select distinct person_id from gone on conflict do nothing`,
		args{"now": t.now, "source": r.Source, "ids": plan.absent})
	if err != nil {
		return err
	}
	return t.refreshPersons(ctx, r.Source, plan, a)
}

// ownTable makes a table of the transaction's own, empty, of which there may be one
// already.
func (t *tx) ownTable(ctx context.Context, name, columns string) error {
	err := t.run(ctx, `create temp table if not exists `+name+` (`+columns+`) on commit drop`, nil)
	if err != nil || !t.own[name] {
		if t.own == nil {
			t.own = map[string]bool{}
		}
		t.own[name] = true
		return err
	}
	return t.run(ctx, `truncate `+name, nil)
}

// runWith executes a statement with those of the arguments that it names.
func (t *tx) runWith(ctx context.Context, sql string, a args) error {
	_, err := t.Exec(ctx, sql, pgx.NamedArgs(a))
	return err
}

// stageRoster copies what is to be written into a table of the transaction's own.
func (t *tx) stageRoster(ctx context.Context, writes []rosterWrite) error {
	err := t.ownTable(ctx, "roster_row", `external_id text, person_id uuid, kind text, name text, email text collate "C", employee_number text,
		hire_date date, last_working_day date, terminated_on date, garden_leave_from date, status text, active_again date, for_cause boolean, leave_reason text,
		time_zone text, department text, site text, manager text, manager_id uuid, source text, absent_since timestamptz`)
	if err != nil {
		return err
	}
	columns := []string{
		"external_id", "person_id", "kind", "name", "email", "employee_number", "hire_date", "last_working_day", "terminated_on",
		"garden_leave_from", "status", "active_again", "for_cause", "leave_reason", "time_zone", "department", "site", "manager", "manager_id", "source",
	}
	_, err = t.CopyFrom(ctx, pgx.Identifier{"roster_row"}, columns, pgx.CopyFromSlice(len(writes), func(i int) ([]any, error) {
		e := writes[i].Employment
		return []any{
			e.ExternalID, string(e.PersonID), string(e.Kind), e.Name, e.Email, e.EmployeeNumber, e.HireDate, e.LastWorkingDay, e.TerminatedOn,
			e.GardenLeaveFrom, string(e.Status), e.ActiveAgain, e.ForCause, e.LeaveReason, e.TimeZone, e.Department, e.Site, e.Manager, string(e.ManagerID), e.Source,
		}, nil
	}))
	if err != nil {
		return err
	}
	return t.run(ctx, `analyze roster_row`, nil)
}

// retold selects the employments of a source whose manager a roster may change:
// those told another or new, and those that name as manager whoever is new or has
// a new address. With whole all are looked at.
const retold = `e.source = @source and (@whole or e.external_id = any(@ids) or e.manager = any(@names))`

func retoldArgs(source string, plan rosterPlan) (args, bool) {
	ids, names := []string{}, []string{}
	for _, w := range plan.writes {
		added := w.entry.Change == schema.RosterAdded
		if added || slices.Contains(w.entry.Fields, "manager") {
			ids = append(ids, w.ExternalID)
		}
		if added {
			names = append(names, w.ExternalID)
		}
		if w.Email != "" && (added || slices.Contains(w.entry.Fields, "email")) {
			names = append(names, w.Email)
		}
	}
	whole := len(plan.merges) > 0
	return args{"source": source, "whole": whole, "ids": ids, "names": names}, whole || len(ids)+len(names) > 0
}

// refreshPersons resolves the managers that a roster tells, or makes known, takes
// over into persons what the employments that count now say, and lists what is
// wrong with managers.
func (t *tx) refreshPersons(ctx context.Context, source string, plan rosterPlan, a args) error {
	about, managers := retoldArgs(source, plan)
	if managers {
		// Scalar lookups, for a planner that knows nothing of a source's first roster
		// joins its rows with themselves.
		const manager = `coalesce((select m.person_id from employment m where m.source = e.source and m.external_id = e.manager and e.manager <> ''),
			(select pe.person_id from person_email pe where pe.email = e.manager and pe.verified))`
		err := t.run(ctx, `with moved as (update employment e set manager_id = `+manager+`
				where `+retold+` and e.manager_id is distinct from `+manager+` returning e.person_id)
			insert into roster_person select distinct person_id from moved on conflict do nothing`, about)
		if err != nil {
			return err
		}
	}
	if err := t.run(ctx, `analyze roster_person`, nil); err != nil {
		return err
	}
	// The statement sees persons as they were before it.
	moved, err := scalar[bool](ctx, t, `with changed as (
			update person p set email = coalesce(nullif(x.email, ''), p.email), name = coalesce(nullif(x.name, ''), p.name), kind = x.kind,
				department = x.department, manager_id = x.manager_id, last_day = x.last_day, updated_at = @now
			from (select distinct on (e.person_id) e.person_id, e.email, e.name, e.kind, e.department, e.manager_id,
					coalesce(e.last_working_day, e.terminated_on) as last_day
				from employment e join roster_person rp on rp.id = e.person_id order by e.person_id, `+presentFirst+`) as x
			where p.id = x.person_id and (p.email, p.name, p.kind, p.department, p.manager_id, p.last_day) is distinct from
				(coalesce(nullif(x.email, ''), p.email), coalesce(nullif(x.name, ''), p.name), x.kind, x.department, x.manager_id, x.last_day)
			returning p.id, p.manager_id)
		select exists (select 1 from changed c join person p on p.id = c.id where p.manager_id is distinct from c.manager_id)`,
		args{"now": a["now"], "today": a["today"]})
	if err != nil {
		return err
	}
	if managers {
		if err := t.saveManagerIssues(ctx, about); err != nil {
			return err
		}
	}
	if !managers && !moved {
		return nil
	}
	return t.findCycles(ctx)
}

// mergePersons makes one person of two: who is known by a roster, and who was
// known only by the address that a case or a restriction named. The row of the one
// stays, for records of the audit log name it.
func (t *tx) mergePersons(ctx context.Context, m personMerge, by schema.Principal) error {
	a := args{"keep": m.keep, "lose": m.lose, "now": t.now}
	for _, sql := range []string{
		`update person set email = null, kind = '', department = '', manager_id = null, last_day = null, merged_into = @keep, updated_at = @now where id = @lose`,
		`update person set merged_into = @keep where merged_into = @lose`,
		`update person_email set person_id = @keep where person_id = @lose`,
		`update employment set person_id = @keep where person_id = @lose`,
		`update employment set manager_id = @keep where manager_id = @lose`,
		`update person set manager_id = @keep where manager_id = @lose`,
		`update department_owner set person_id = @keep where person_id = @lose`,
		`update account set person_id = @keep where person_id = @lose`,
		`insert into person_account (account_id, person_id) select account_id, @keep from person_account where person_id = @lose on conflict do nothing`,
		`insert into roster_person values (@keep) on conflict do nothing`,
	} {
		if err := t.runWith(ctx, sql, a); err != nil {
			return err
		}
	}
	if err := t.mergeLeavers(ctx, m, by); err != nil {
		return err
	}
	for _, p := range []schema.PersonID{m.keep, m.lose} {
		t.record(audit.PersonStream(string(p)), principal(by), "person.merged", audit.Subject{PersonID: string(p)},
			map[string]string{"kept": string(m.keep), "given_up": string(m.lose)})
	}
	return nil
}
