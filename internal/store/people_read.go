package store

import (
	"context"
	"time"

	"sendoff/schema"
)

const summaryColumns = `p.id, coalesce(p.email, '') as email, p.name, p.created_at, p.kind, p.department, p.last_day, p.manager_id,
	coalesce(m.email, '') as manager, (select count(*) from account a where a.person_id = p.id and a.status <> 'deleted')::int as accounts`

const selectSummaries = `select ` + summaryColumns + ` from person p left join person m on m.id = p.manager_id `

// listedPerson is a person in a list with their place in it.
type listedPerson struct {
	schema.PersonSummary
	ListKey string
}

// ListPeople lists persons by address.
func (s *Store) ListPeople(ctx context.Context, f schema.PersonFilter) ([]schema.PersonSummary, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(f.After, false, true)
	if err != nil {
		return nil, "", err
	}
	where, a := peopleConditions(f, from)
	// The page is cut before accounts are counted.
	rows, err := all[listedPerson](ctx, s.pool, `select `+summaryColumns+`, p.list_key from (
			select * from person p `+where+` order by p.list_key, p.id limit @limit) as p
		left join person m on m.id = p.manager_id order by p.list_key, p.id`, a)
	if err != nil {
		return nil, "", translate("list people", err)
	}
	rows, next := cut(rows, f.Limit, func(r listedPerson) keyCursor { return keyCursor{r.ListKey, string(r.ID)} })
	out := []schema.PersonSummary{}
	for _, r := range rows {
		out = append(out, r.PersonSummary)
	}
	return out, next, nil
}

func peopleConditions(f schema.PersonFilter, from keyCursor) (string, args) {
	where, a := `where p.merged_into is null and (p.list_key, p.id) > (@key, @id::text::uuid)`, args{"key": from[0], "id": from[1], "limit": f.Limit + 1}
	if f.Department != "" {
		where += ` and p.department = @department`
		a["department"] = f.Department
	}
	today := func() { a["today"] = schema.DateOf(time.Now().UTC()) }
	if f.Ended != nil {
		where += ` and (p.last_day < @today::date) is ` + map[bool]string{true: "true", false: "not true"}[*f.Ended]
		today()
	}
	if f.WithoutManager {
		where += ` and p.manager_id is null and p.kind <> '' and (p.last_day < @today::date) is not true`
		today()
	}
	if f.WithoutAccount {
		where += ` and not exists (select 1 from account a where a.person_id = p.id and a.status <> 'deleted')`
	}
	switch {
	case f.Source != "" && f.Absent:
		where += ` and exists (select 1 from employment e where e.person_id = p.id and e.source = @source and e.absent_since is not null)`
	case f.Source != "":
		where += ` and exists (select 1 from employment e where e.person_id = p.id and e.source = @source)`
	case f.Absent:
		where += ` and exists (select 1 from employment e where e.person_id = p.id and e.absent_since is not null)`
	}
	if f.Source != "" {
		a["source"] = f.Source
	}
	return where, a
}

// Person returns everything known of the person of an id or address.
func (s *Store) Person(ctx context.Context, ref string) (schema.PersonView, error) {
	var v schema.PersonView
	err := s.readTx(ctx, "read person", func(ctx context.Context, q querier) error {
		id, err := personRef(ctx, q, ref)
		if err != nil {
			return err
		}
		if v.PersonSummary, err = one[schema.PersonSummary](ctx, q, selectSummaries+`where p.id = @id`, args{"id": id}); err != nil {
			return err
		}
		v.Emails, err = all[schema.PersonEmail](ctx, q, `select email, verified, since from person_email where person_id = @id order by since desc, email`, args{"id": id})
		if err != nil {
			return err
		}
		v.Employments, err = all[schema.Employment](ctx, q, `select `+employmentColumns+` from employment e where e.person_id = @id order by `+presentFirst,
			args{"id": id, "today": schema.DateOf(time.Now().UTC())})
		if err != nil {
			return err
		}
		v.Accounts, err = all[schema.PersonAccount](ctx, q, `select a.id as account_id, c.name as connection, a.external_id, a.login, a.status, a.person_by as matched_by
			from account a join connection c on c.id = a.connection_id where a.person_id = @id order by c.name, a.login_key, a.id`, args{"id": id})
		if err != nil {
			return err
		}
		v.Reports, err = all[schema.PersonSummary](ctx, q, selectSummaries+`where p.manager_id = @id order by p.list_key, p.id limit @limit`,
			args{"id": id, "limit": schema.MaxReports})
		if err != nil {
			return err
		}
		if v.ReportsAll, err = scalar[int](ctx, q, `select count(*)::int from person where manager_id = @id`, args{"id": id}); err != nil {
			return err
		}
		return readChain(ctx, q, &v)
	})
	return v, err
}

// longestChain bounds how many managers are followed, whatever the rows say.
const longestChain = 100

func readChain(ctx context.Context, q querier, v *schema.PersonView) error {
	met := map[schema.PersonID]bool{v.ID: true}
	for next := v.ManagerID; next != "" && len(v.Chain) < longestChain; {
		if met[next] {
			v.Loops = true
			return nil
		}
		met[next] = true
		m, err := one[schema.PersonSummary](ctx, q, selectSummaries+`where p.id = @id`, args{"id": next})
		if err != nil {
			return err
		}
		v.Chain, next = append(v.Chain, m), m.ManagerID
	}
	return nil
}

// Departments lists the departments that somebody works in or owns, by name.
func (s *Store) Departments(ctx context.Context, after string, limit int) ([]schema.Department, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false)
	if err != nil {
		return nil, "", err
	}
	list, err := all[schema.Department](ctx, s.pool, `with named as (
			select department as name, count(*)::int as people from person where department <> '' and merged_into is null group by department)
		select coalesce(n.name, o.department) as name, coalesce(n.people, 0) as people, o.person_id as owner_id, coalesce(p.email, '') as owner
		from named n full join department_owner o on o.department = n.name left join person p on p.id = o.person_id
		where coalesce(n.name, o.department) collate "C" > @after order by coalesce(n.name, o.department) collate "C" limit @limit`, args{"after": from[0], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list departments", err)
	}
	list, next := cut(list, limit, func(d schema.Department) keyCursor { return keyCursor{d.Name} })
	return list, next, nil
}
