package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// presentStatuses are those of accounts that are not known to be gone.
func presentStatuses() []schema.AccountStatus {
	return []schema.AccountStatus{schema.AccountActive, schema.AccountSuspended, schema.AccountRestricted, schema.AccountMissing}
}

// ReportOrphans lists accounts that nobody, or not surely somebody, is known to
// hold, by login.
func (s *Store) ReportOrphans(ctx context.Context, f schema.OrphanFilter) (schema.OrphanReport, error) {
	var r schema.OrphanReport
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return r, err
	}
	from, err := parseKeyCursor(f.After, false, true)
	if err != nil {
		return r, err
	}
	f.Kinds = orAll(f.Kinds, []schema.AccountKind{schema.KindPerson})
	err = s.reportTx(ctx, "report orphans", f.ConnectionID, f.Now, func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error {
		r.ReportHead = head
		connections := connectionsOf(bases)
		if f.After == "" {
			if r.Counts, err = countOrphans(ctx, q, connections, f.Now); err != nil {
				return err
			}
		}
		sql, a := orphanList(f, from, connections)
		rows, err := all[orphanRow](ctx, q, sql, a)
		rows, r.Next = cut(rows, f.Limit, func(r orphanRow) keyCursor { return keyCursor{r.LoginKey, string(r.ID)} })
		for _, row := range rows {
			r.Rows = append(r.Rows, row.OrphanRow)
		}
		return err
	})
	return r, err
}

type orphanRow struct {
	schema.OrphanRow
	LoginKey string
}

// orphanList is the query for a page and the entry behind it: accounts without a
// person by their index, and those in doubt by the list of doubts, merged.
func orphanList(f schema.OrphanFilter, from keyCursor, connections []schema.ConnectionID) (string, args) {
	also := ``
	if f.Issue == schema.AccountUnmatched {
		also = ` and not exists (select from correlation_issue i where i.account_id = a.id)`
	}
	plain, a := accountPage(schema.AccountFilter{
		Statuses: presentStatuses(), Kinds: f.Kinds, Person: schema.WithoutPerson, Limit: f.Limit,
	}, from, connections, also)
	a["only"], a["chosen"], a["present"], a["of_kinds"] = connections, f.Issue, presentStatuses(), f.Kinds
	keys := `(select a.login_key, a.id from correlation_issue i join account a on a.id = i.account_id
		where (i.kind = @chosen or (@chosen = '' and not a.unmatched)) and a.connection_id = any(@only)
		and a.status = any(@present) and a.kind = any(@of_kinds) and (a.login_key, a.id) > (lower(@from), @from_id::uuid)
		order by a.login_key, a.id limit @limit)`
	switch f.Issue {
	case "":
		keys += ` union all (` + plain + `)`
	case schema.AccountUnmatched:
		keys = plain
		delete(a, "only")
		delete(a, "chosen")
		delete(a, "present")
		delete(a, "of_kinds")
	default:
		a = args{
			"only": connections, "chosen": f.Issue, "present": presentStatuses(), "of_kinds": f.Kinds,
			"from": from[0], "from_id": from[1], "limit": f.Limit + 1,
		}
	}
	return `select ` + accountRowColumns + `, a.login_key, coalesce(i.kind, 'unmatched') as issue,
			coalesce(array(select coalesce(n.email, n.name) from person n where n.id = any(i.persons) order by 1), '{}') as candidates
		from (select k.* from (` + keys + `) k order by k.login_key, k.id limit @limit) k join account a on a.id = k.id` + accountRowJoins + `
		left join correlation_issue i on i.account_id = a.id order by k.login_key, k.id`, a
}

// countOrphans counts what is in doubt, of accounts that are not gone.
func countOrphans(ctx context.Context, q querier, connections []schema.ConnectionID, now time.Time) (*schema.OrphanCounts, error) {
	rows, err := all[struct {
		Kind  schema.AccountKind
		Issue schema.AccountIssue
		N     int64
	}](ctx, q, `select o.kind, o.issue, count(*) as n from (
			select a.kind, coalesce(i.kind, 'unmatched') as issue from account a left join correlation_issue i on i.account_id = a.id
			where a.connection_id = any(@connections) and a.status = any(@present) and a.unmatched
			union all
			select a.kind, i.kind from correlation_issue i join account a on a.id = i.account_id
			where a.connection_id = any(@connections) and a.status = any(@present) and not a.unmatched) o
		group by 1, 2`, args{"connections": connections, "present": presentStatuses()})
	if err != nil {
		return nil, err
	}
	out := &schema.OrphanCounts{Issues: map[schema.AccountIssue]int64{}, Others: map[schema.AccountKind]int64{}}
	for _, r := range rows {
		if r.Kind == schema.KindPerson {
			out.Issues[r.Issue] += r.N
		} else {
			out.Others[r.Kind] += r.N
		}
	}
	people, err := one[struct{ People, Unmanaged int64 }](ctx, q, `select count(*) as people, count(*) filter (where p.manager_id is null) as unmanaged
		from person p where `+employedNow, args{"today": schema.DateOf(now.UTC()).String()})
	out.People, out.PeopleWithoutManager = people.People, people.Unmanaged
	return out, err
}

// employedNow tells whether a source tells of a person p who has not left.
const employedNow = `p.merged_into is null and p.kind <> '' and (p.last_day is null or p.last_day >= @today::date)`

// ReportUnmanaged lists people that a source tells of, who have not left and have
// no manager, by address. Whoever leads the company is one of them.
func (s *Store) ReportUnmanaged(ctx context.Context, now time.Time, after string, limit int) ([]schema.Unmanaged, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false, true)
	if err != nil {
		return nil, "", err
	}
	rows, err := all[schema.Unmanaged](ctx, s.pool, `select p.id as person_id, coalesce(p.email, '') as email, p.name, p.department, p.kind,
			coalesce((select e.manager from employment e where e.person_id = p.id and e.manager <> '' order by e.updated_at desc, e.source limit 1), '') as said
		from person p where `+employedNow+` and p.manager_id is null and (p.list_key, p.id) > (@from, @from_id::uuid)
		order by p.list_key, p.id limit @limit`,
		args{"today": schema.DateOf(now.UTC()).String(), "from": from[0], "from_id": from[1], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list people without a manager", err)
	}
	rows, next := cut(rows, limit, func(p schema.Unmanaged) keyCursor { return keyCursor{p.Email, string(p.PersonID)} })
	return rows, next, nil
}
