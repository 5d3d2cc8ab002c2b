package store

import (
	"context"
	"errors"
	"slices"
	"strconv"

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
	plan, err := t.takeRoster(ctx, r, by)
	if err != nil {
		return result, err
	}
	if result.Correlation, err = t.correlate(ctx, ""); err != nil {
		return result, err
	}
	plan.count(&result)
	if result.Issues, err = sourceIssues(ctx, t, r.Source, schema.MaxRosterEntries); err != nil {
		return result, err
	}
	t.recordRoster(audit.SystemStream, r, result, by)
	return result, nil
}

// takeRoster plans a roster and writes what it comes to, with its issues. It may
// be called several times in a transaction, which has locked people.
func (t *tx) takeRoster(ctx context.Context, r schema.Roster, by schema.Principal) (rosterPlan, error) {
	facts, err := t.rosterFacts(ctx, r)
	if err != nil {
		return rosterPlan{}, err
	}
	plan, err := matchRoster(r, facts)
	if err != nil {
		return plan, err
	}
	if plan.writesAnything() {
		if err := t.applyRoster(ctx, r, plan, by); err != nil {
			return plan, err
		}
	}
	return plan, t.saveRosterIssues(ctx, r, plan.issues)
}

// tellRoster is takeRoster for what a source tells as it happens: accounts are
// matched anew only to the persons that it touches, and only when an address or
// number is new.
func (t *tx) tellRoster(ctx context.Context, stream string, r schema.Roster, by schema.Principal) (rosterPlan, error) {
	plan, err := t.takeRoster(ctx, r, by)
	if err != nil {
		return plan, err
	}
	result := schema.RosterResult{Rows: len(r.Employments)}
	if plan.namesAnew() {
		if result.Correlation, err = t.correlateTouched(ctx); err != nil {
			return plan, err
		}
	}
	plan.count(&result)
	t.recordRoster(stream, r, result, by)
	return plan, nil
}

func (t *tx) recordRoster(stream string, r schema.Roster, result schema.RosterResult, by schema.Principal) {
	t.record(stream, principal(by), "roster.imported", audit.Subject{}, map[string]string{
		"source": r.Source, "mode": string(r.Mode), "rows": strconv.Itoa(result.Rows), "added": strconv.Itoa(result.Added),
		"changed": strconv.Itoa(result.Changed), "unchanged": strconv.Itoa(result.Unchanged), "absent": strconv.Itoa(result.Absent),
		"refused": strconv.Itoa(result.Refused), "matched_accounts": strconv.FormatInt(result.Correlation.Matched, 10),
	})
}

func (p rosterPlan) writesAnything() bool { return len(p.writes)+len(p.merges)+len(p.absent) > 0 }

// namesAnew tells whether anything changes by which accounts are matched.
func (p rosterPlan) namesAnew() bool {
	return len(p.merges) > 0 || slices.ContainsFunc(p.writes, func(w rosterWrite) bool {
		return w.entry.Change == schema.RosterAdded || slices.Contains(w.entry.Fields, "email") || slices.Contains(w.entry.Fields, "employee_number")
	})
}

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
	holders, err := all[struct {
		Email              string
		PersonID           schema.PersonID
		Verified, Employed bool
	}](ctx, t, `select pe.email, pe.person_id, pe.verified, p.kind <> '' as employed
		from person_email pe join person p on p.id = pe.person_id where pe.email = any(@emails)`, args{"emails": emails})
	if err != nil {
		return f, err
	}
	persons := make([]schema.PersonID, 0, 2*len(holders))
	for _, h := range holders {
		f.addresses[h.Email] = holder{person: h.PersonID, verified: h.Verified, employed: h.Employed}
		persons = append(persons, h.PersonID)
	}
	known, err := all[schema.Employment](ctx, t, `select `+employmentColumns+` from employment e where e.source = @source
		and (@whole or e.external_id = any(@ids) or e.employee_number = any(@numbers) or e.person_id = any(@persons))`,
		args{"source": r.Source, "whole": r.Mode == schema.RosterWhole, "ids": ids, "numbers": numbers, "persons": persons})
	if err != nil {
		return f, err
	}
	for i := range known {
		f.known[known[i].ExternalID] = &known[i]
		persons = append(persons, known[i].PersonID)
	}
	withCases, err := scalars[schema.PersonID](ctx, t, `select distinct person_id from lifecycle_case where person_id = any(@persons)`,
		args{"persons": persons})
	for _, p := range withCases {
		f.withCases[p] = true
	}
	return f, err
}

const employmentColumns = `e.source, e.external_id, e.person_id, e.kind, e.name, e.email, e.employee_number, e.hire_date, e.last_working_day,
	e.terminated_on, e.garden_leave_from, e.status, e.active_again, e.for_cause, e.leave_reason, e.time_zone, e.department, e.site, e.manager, e.manager_id, e.updated_at, e.absent_since`

// presentFirst orders a person's employments: the one that counts now first. It
// is one that lasts, is in the roster, has begun, and an employee's before a
// contractor's.
const presentFirst = `(coalesce(e.last_working_day, e.terminated_on) < @today::date) is true
		or e.status = 'ended' and coalesce(e.last_working_day, e.terminated_on) is null, e.absent_since is not null,
	(e.hire_date > @today::date) is true, e.kind = 'contractor', e.hire_date desc nulls last, e.source, e.external_id`
