package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// errRosterSeen ends a transaction whose result is wanted and whose effect is not.
var errRosterSeen = errors.New("dry run")

// ImportRoster applies a roster in one transaction: all of its rows but those that
// an issue names, or with dryRun none. Employments keep their persons whatever
// changes; new ones join a person by address or employee number, or make one.
// What a whole roster leaves out is marked absent and goes on as it was. Accounts
// are matched anew at the end. Audited with counts.
func (s *Store) ImportRoster(ctx context.Context, r schema.Roster, dryRun bool, by schema.Principal) (schema.RosterResult, error) {
	var result schema.RosterResult
	if err := checkPrincipal(by); err != nil {
		return result, err
	}
	if r.Source == "" || (r.Mode != schema.RosterWhole && r.Mode != schema.RosterChanges) {
		return result, &schema.Error{Code: schema.CodeInvalid, Message: "a roster needs its source and a mode", Fix: "name the source; use the mode whole or changes"}
	}
	err := s.inTx(ctx, "import the roster", func(ctx context.Context, t *tx) (err error) {
		if result, err = t.importRoster(ctx, r, by); err == nil && dryRun {
			err = errRosterSeen
		}
		return err
	})
	if errors.Is(err, errRosterSeen) {
		err = nil
	}
	result.DryRun = dryRun
	return result, err
}

// lockPeople lets nobody else make or join persons until the transaction ends.
// Imports take it alone, cases and restrictions, which may make a person, together.
func (t *tx) lockPeople(ctx context.Context, alone bool) error {
	lock := `pg_advisory_xact_lock_shared`
	if alone {
		lock = `pg_advisory_xact_lock`
	}
	return t.run(ctx, `select `+lock+`(hashtextextended('people', 0))`, nil)
}

func (t *tx) importRoster(ctx context.Context, r schema.Roster, by schema.Principal) (schema.RosterResult, error) {
	result := schema.RosterResult{Rows: len(r.Employments)}
	if err := t.lockPeople(ctx, true); err != nil {
		return result, err
	}
	if err := t.joinByHash(ctx); err != nil {
		return result, err
	}
	facts, err := t.rosterFacts(ctx, r)
	if err != nil {
		return result, err
	}
	plan, err := matchRoster(r, facts)
	if err != nil {
		return result, err
	}
	if plan.writesAnything() {
		if err := t.applyRoster(ctx, r, plan, by); err != nil {
			return result, err
		}
		if err := t.saveManagerIssues(ctx, r.Source); err != nil {
			return result, err
		}
	}
	if err := t.saveRosterIssues(ctx, r, plan.issues); err != nil {
		return result, err
	}
	if result.Correlation, err = t.correlate(ctx, ""); err != nil {
		return result, err
	}
	plan.count(&result)
	if result.Issues, err = sourceIssues(ctx, t, r.Source, schema.MaxRosterEntries); err != nil {
		return result, err
	}
	t.record(audit.SystemStream, principal(by), "roster.imported", audit.Subject{}, map[string]string{
		"source": r.Source, "mode": string(r.Mode), "rows": strconv.Itoa(result.Rows), "added": strconv.Itoa(result.Added),
		"changed": strconv.Itoa(result.Changed), "unchanged": strconv.Itoa(result.Unchanged), "absent": strconv.Itoa(result.Absent),
		"refused": strconv.Itoa(result.Refused), "matched_accounts": strconv.FormatInt(result.Correlation.Matched, 10),
	})
	return result, nil
}

func (p rosterPlan) writesAnything() bool { return len(p.writes)+len(p.merges)+len(p.absent) > 0 }

// count fills in what the plan comes to, and its first entries of each kind.
func (p rosterPlan) count(r *schema.RosterResult) {
	r.Unchanged, r.Absent, r.Refused, r.NewPeople, r.Merged = p.unchanged, len(p.absent), len(p.issues), len(p.people), len(p.merges)
	listed := map[schema.RosterChange]int{}
	list := func(e schema.RosterEntry) {
		if listed[e.Change]++; listed[e.Change] <= schema.MaxRosterEntries {
			r.Entries = append(r.Entries, e)
		}
	}
	for _, w := range p.writes {
		list(w.entry)
	}
	r.Added, r.Changed = listed[schema.RosterAdded], listed[schema.RosterChanged]
	for _, id := range p.absent {
		list(schema.RosterEntry{Change: schema.RosterAbsent, ExternalID: id})
	}
	for _, issue := range p.issues {
		list(schema.RosterEntry{Change: schema.RosterRefused, ExternalID: issue.ExternalID})
	}
}

// rosterFacts reads what decides whose employments the roster's rows are.
func (t *tx) rosterFacts(ctx context.Context, r schema.Roster) (rosterFacts, error) {
	f := rosterFacts{
		today: schema.DateOf(t.now.UTC()), known: map[string]*schema.Employment{}, addresses: map[string]holder{}, withCases: map[schema.PersonID]bool{},
	}
	var ids, numbers, emails []string
	for _, e := range r.Employments {
		ids, emails = append(ids, e.ExternalID), append(emails, e.Email)
		if e.EmployeeNumber != "" {
			numbers = append(numbers, e.EmployeeNumber)
		}
		if e.Manager != "" {
			ids, emails = append(ids, e.Manager), append(emails, e.Manager)
		}
	}
	known, err := all[schema.Employment](ctx, t, `select `+employmentColumns+` from employment e where e.source = @source
		and (@whole or e.external_id = any(@ids) or e.employee_number = any(@numbers)
			or e.person_id in (select person_id from person_email where email = any(@emails)))`,
		args{"source": r.Source, "whole": r.Mode == schema.RosterWhole, "ids": ids, "numbers": numbers, "emails": emails})
	if err != nil {
		return f, err
	}
	persons := make([]schema.PersonID, 0, len(known))
	for i := range known {
		f.known[known[i].ExternalID] = &known[i]
		persons = append(persons, known[i].PersonID)
	}
	holders, err := all[struct {
		Email              string
		PersonID           schema.PersonID
		Verified, Employed bool
	}](ctx, t, `select pe.email, pe.person_id, pe.verified, p.kind <> '' as employed
		from person_email pe join person p on p.id = pe.person_id where pe.email = any(@emails)`, args{"emails": emails})
	if err != nil {
		return f, err
	}
	for _, h := range holders {
		f.addresses[h.Email] = holder{person: h.PersonID, verified: h.Verified, employed: h.Employed}
		persons = append(persons, h.PersonID)
	}
	withCases, err := scalars[schema.PersonID](ctx, t, `select distinct person_id from lifecycle_case where person_id = any(@persons)`,
		args{"persons": persons})
	for _, p := range withCases {
		f.withCases[p] = true
	}
	return f, err
}

const employmentColumns = `e.source, e.external_id, e.person_id, e.kind, e.name, e.email, e.employee_number, e.hire_date, e.last_working_day,
	e.terminated_on, e.leave_reason, e.time_zone, e.department, e.site, e.manager, e.manager_id, e.updated_at, e.absent_since`

// presentFirst orders a person's employments: the one that counts now first. It
// is one that lasts, is in the roster, has begun, and an employee's before a
// contractor's.
const presentFirst = `(coalesce(e.last_working_day, e.terminated_on) < @today::date) is true, e.absent_since is not null,
	(e.hire_date > @today::date) is true, e.kind = 'contractor', e.hire_date desc nulls last, e.source, e.external_id`

func (t *tx) applyRoster(ctx context.Context, r schema.Roster, plan rosterPlan, by schema.Principal) error {
	a := args{"now": t.now, "today": schema.DateOf(t.now.UTC()), "source": r.Source}
	err := t.run(ctx, `create temp table roster_person (id uuid primary key) on commit drop`, nil)
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
				terminated_on, leave_reason, time_zone, department, site, manager, manager_id, updated_at)
			select @source, e.external_id, e.person_id, e.kind, e.name, e.email, e.employee_number, e.hire_date, e.last_working_day,
				e.terminated_on, e.leave_reason, e.time_zone, e.department, e.site, e.manager, e.manager_id, @now::timestamptz
			from roster_row e
			on conflict (source, external_id) do update set (kind, name, email, employee_number, hire_date, last_working_day,
				terminated_on, leave_reason, time_zone, department, site, manager, manager_id, updated_at, absent_since)
			= (excluded.kind, excluded.name, excluded.email, excluded.employee_number, excluded.hire_date, excluded.last_working_day,
				excluded.terminated_on, excluded.leave_reason, excluded.time_zone, excluded.department, excluded.site, excluded.manager,
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
	return t.refreshPersons(ctx, a)
}

// runWith executes a statement with those of the arguments that it names.
func (t *tx) runWith(ctx context.Context, sql string, a args) error {
	_, err := t.Exec(ctx, sql, pgx.NamedArgs(a))
	return err
}

// stageRoster copies what is to be written into a table of the transaction's own.
func (t *tx) stageRoster(ctx context.Context, writes []rosterWrite) error {
	err := t.run(ctx, `create temp table roster_row (external_id text, person_id uuid, kind text, name text, email text collate "C", employee_number text,
		hire_date date, last_working_day date, terminated_on date, leave_reason text, time_zone text, department text, site text,
		manager text, manager_id uuid, source text, absent_since timestamptz) on commit drop`, nil)
	if err != nil {
		return err
	}
	columns := []string{
		"external_id", "person_id", "kind", "name", "email", "employee_number", "hire_date", "last_working_day", "terminated_on",
		"leave_reason", "time_zone", "department", "site", "manager", "manager_id", "source",
	}
	_, err = t.CopyFrom(ctx, pgx.Identifier{"roster_row"}, columns, pgx.CopyFromSlice(len(writes), func(i int) ([]any, error) {
		e := writes[i].Employment
		return []any{
			e.ExternalID, string(e.PersonID), string(e.Kind), e.Name, e.Email, e.EmployeeNumber, e.HireDate, e.LastWorkingDay, e.TerminatedOn,
			e.LeaveReason, e.TimeZone, e.Department, e.Site, e.Manager, string(e.ManagerID), e.Source,
		}, nil
	}))
	if err != nil {
		return err
	}
	return t.run(ctx, `analyze roster_row`, nil)
}

// refreshPersons resolves the managers of a source's employments, of which some
// may have been unknown before, and takes over into persons what the employments
// that count now say.
func (t *tx) refreshPersons(ctx context.Context, a args) error {
	for _, sql := range []string{
		`with resolved as (
			select e.source, e.external_id, coalesce(m.person_id, pe.person_id) as manager_id from employment e
			left join employment m on m.source = e.source and m.external_id = e.manager and e.manager <> ''
			left join person_email pe on m.person_id is null and pe.email = e.manager and pe.verified
			where e.source = @source),
		moved as (update employment e set manager_id = r.manager_id from resolved r
			where (e.source, e.external_id) = (r.source, r.external_id) and e.manager_id is distinct from r.manager_id returning e.person_id)
		insert into roster_person select distinct person_id from moved on conflict do nothing`,
		`analyze roster_person`,
		`update person p set email = coalesce(nullif(x.email, ''), p.email), name = coalesce(nullif(x.name, ''), p.name), kind = x.kind,
				department = x.department, manager_id = x.manager_id, last_day = x.last_day, updated_at = @now
			from (select distinct on (e.person_id) e.person_id, e.email, e.name, e.kind, e.department, e.manager_id,
					coalesce(e.last_working_day, e.terminated_on) as last_day
				from employment e join roster_person rp on rp.id = e.person_id order by e.person_id, ` + presentFirst + `) as x
			where p.id = x.person_id and (p.email, p.name, p.kind, p.department, p.manager_id, p.last_day) is distinct from
				(coalesce(nullif(x.email, ''), p.email), coalesce(nullif(x.name, ''), p.name), x.kind, x.department, x.manager_id, x.last_day)`,
	} {
		if err := t.runWith(ctx, sql, a); err != nil {
			return err
		}
	}
	return nil
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
	for _, p := range []schema.PersonID{m.keep, m.lose} {
		t.record(audit.PersonStream(string(p)), principal(by), "person.merged", audit.Subject{PersonID: string(p)},
			map[string]string{"kept": string(m.keep), "given_up": string(m.lose)})
	}
	return nil
}
