package store

import (
	"context"
	"strings"

	"sendoff/schema"
)

// saveRosterIssues puts the issues of an import in the place of those that its
// rows had before. One that stays keeps its instant.
func (t *tx) saveRosterIssues(ctx context.Context, r schema.Roster, found []schema.PersonIssue) error {
	kinds, ids, persons, others := []string{}, []string{}, []string{}, []string{}
	for _, f := range found {
		kinds, ids = append(kinds, string(f.Kind)), append(ids, f.ExternalID)
		persons, others = append(persons, joinPersons(f.Persons)), append(others, strings.Join(f.Others, "\x1f"))
	}
	rows := []string{}
	for _, e := range r.Employments {
		rows = append(rows, e.ExternalID)
	}
	err := t.run(ctx, `delete from roster_issue i where i.source = @source and (@whole or i.external_id = any(@rows))
		and i.kind in ('email_taken', 'email_twice', 'number_taken', 'number_ambiguous', 'two_cases')
		and not exists (select 1 from unnest(@ids::text[], @kinds::text[]) as n(id, kind) where (n.id, n.kind) = (i.external_id, i.kind))`,
		args{"source": r.Source, "whole": r.Mode == schema.RosterWhole, "rows": rows, "ids": ids, "kinds": kinds})
	if err != nil {
		return err
	}
	return t.run(ctx, `insert into roster_issue (source, external_id, kind, persons, others, seen_at)
		select @source, n.id, n.kind, string_to_array(n.persons, ',')::uuid[], string_to_array(n.others, chr(31)), @now
		from unnest(@ids::text[], @kinds::text[], @persons::text[], @others::text[]) as n(id, kind, persons, others)
		on conflict (source, external_id, kind) do update set persons = excluded.persons, others = excluded.others`,
		args{"source": r.Source, "now": t.now, "ids": ids, "kinds": kinds, "persons": persons, "others": others})
}

func joinPersons(ids []schema.PersonID) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = string(id)
	}
	return strings.Join(text, ",")
}

// saveManagerIssues lists managers of the employments retold who are unknown or the
// person itself.
func (t *tx) saveManagerIssues(ctx context.Context, about args) error {
	found, err := all[struct {
		ExternalID string
		Kind       string
		PersonID   schema.PersonID
	}](ctx, t, `with looked as (select e.external_id, e.person_id, case when e.manager = '' then '' when e.manager_id is null then 'manager_unknown'
			when e.manager_id = e.person_id then 'self_manager' else '' end as kind from employment e where `+retold+`),
		ended as (delete from roster_issue i using looked l where i.source = @source and i.external_id = l.external_id
			and i.kind in ('manager_unknown', 'self_manager') and i.kind <> l.kind)
		select external_id, kind, person_id from looked where kind <> ''`, about)
	if err != nil || len(found) == 0 {
		return err
	}
	ids, kinds, persons := []string{}, []string{}, []schema.PersonID{}
	for _, f := range found {
		ids, kinds, persons = append(ids, f.ExternalID), append(kinds, f.Kind), append(persons, f.PersonID)
	}
	return t.run(ctx, `insert into roster_issue (source, external_id, kind, persons, others, seen_at)
			select @source, n.id, n.kind, array[n.person], '{}', @now from unnest(@ids::text[], @kinds::text[], @persons::uuid[]) as n(id, kind, person)
		on conflict (source, external_id, kind) do update set persons = excluded.persons`,
		args{"source": about["source"], "now": t.now, "ids": ids, "kinds": kinds, "persons": persons})
}

// findCycles lists managers who lead in a circle, of any source. A new circle goes
// through somebody whom the roster touches.
func (t *tx) findCycles(ctx context.Context) error {
	edges, err := all[struct{ ID, ManagerID schema.PersonID }](ctx, t, `with recursive above (id, manager_id) as (
			select p.id, p.manager_id from person p where p.id = any(array(select id from roster_person
				union select unnest(i.persons) from roster_issue i where i.kind = 'manager_cycle'))
			union select m.id, m.manager_id from above a join person m on m.id = a.manager_id)
		select id, manager_id from above where manager_id is not null and manager_id <> id`, nil)
	if err != nil {
		return err
	}
	manager := make(map[schema.PersonID]schema.PersonID, len(edges))
	for _, e := range edges {
		manager[e.ID] = e.ManagerID
	}
	return t.saveCycles(ctx, managerCycles(manager))
}

// managerCycles returns the circles in a map from persons to managers. Each
// person is looked at once.
func managerCycles(manager map[schema.PersonID]schema.PersonID) [][]schema.PersonID {
	var cycles [][]schema.PersonID
	walk := make(map[schema.PersonID]int, len(manager)) // in which walk somebody was met
	n := 0
	for start := range manager {
		n++
		p := start
		for walk[p] == 0 {
			next, has := manager[p]
			if !has {
				break
			}
			walk[p] = n
			p = next
		}
		if walk[p] != n {
			continue
		}
		cycle := []schema.PersonID{p}
		for next := manager[p]; next != p; next = manager[next] {
			cycle = append(cycle, next)
		}
		cycles = append(cycles, cycle)
	}
	return cycles
}

func (t *tx) saveCycles(ctx context.Context, cycles [][]schema.PersonID) error {
	ids, groups := []schema.PersonID{}, []string{}
	for _, c := range cycles {
		for _, p := range c {
			ids, groups = append(ids, p), append(groups, joinPersons(c))
		}
	}
	return t.run(ctx, `with found as (
			select distinct on (e.person_id) e.source, e.external_id, string_to_array(n.persons, ',')::uuid[] as persons
			from unnest(@ids::uuid[], @groups::text[]) as n(id, persons)
			join person p on p.id = n.id join employment e on e.person_id = n.id and e.manager_id = p.manager_id
			order by e.person_id, e.source, e.external_id),
		ended as (delete from roster_issue i where i.kind = 'manager_cycle'
			and not exists (select 1 from found f where (f.source, f.external_id) = (i.source, i.external_id)))
		insert into roster_issue (source, external_id, kind, persons, others, seen_at)
			select source, external_id, 'manager_cycle', persons, '{}', @now from found
		on conflict (source, external_id, kind) do update set persons = excluded.persons`, args{"ids": ids, "groups": groups, "now": t.now})
}

type issueRow struct {
	schema.PersonIssue
	Place string // of the list
}

// selectIssues and selectAccountIssues give every issue in one form.
const selectIssues = `select i.kind, i.source, i.external_id, null::uuid as account_id, '' as connection, i.persons::text[] as persons,
		i.others, i.seen_at, 'e' || chr(31) || i.source || chr(31) || i.external_id || chr(31) || i.kind as place
	from roster_issue i`

const selectAccountIssues = `select 'account_' || i.kind as kind, '' as source, a.external_id, a.id as account_id, c.name as connection,
		i.persons::text[] as persons, '{}'::text[] as others, i.seen_at, 'a' || chr(31) || c.name || chr(31) || a.external_id || chr(31) || i.account_id as place
	from correlation_issue i join account a on a.id = i.account_id join connection c on c.id = a.connection_id`

// sourceIssues returns the first issues of a source.
func sourceIssues(ctx context.Context, q querier, source string, limit int) ([]schema.PersonIssue, error) {
	rows, err := all[issueRow](ctx, q, selectIssues+` where i.source = @source order by i.external_id, i.kind limit @limit`, args{"source": source, "limit": limit})
	out := make([]schema.PersonIssue, len(rows))
	for i, r := range rows {
		out[i] = r.PersonIssue
	}
	return out, err
}

// PersonIssues lists what sources and accounts leave open or contradict each other
// in: accounts first, then employments by source. kind "" selects all.
func (s *Store) PersonIssues(ctx context.Context, kind schema.IssueKind, after string, limit int) ([]schema.PersonIssue, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false)
	if err != nil {
		return nil, "", err
	}
	rows, err := all[issueRow](ctx, s.pool, `select * from (`+selectAccountIssues+` union all `+selectIssues+`) as issues
		where (@kind = '' or kind = @kind) and place collate "C" > @after order by place collate "C" limit @limit`,
		args{"kind": string(kind), "after": from[0], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list issues of people", err)
	}
	rows, next := cut(rows, limit, func(r issueRow) keyCursor { return keyCursor{r.Place} })
	out := []schema.PersonIssue{}
	for _, r := range rows {
		out = append(out, r.PersonIssue)
	}
	return out, next, nil
}
