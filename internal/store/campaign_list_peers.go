package store

import (
	"context"

	"sendoff/schema"
)

// countPeers counts, in tables of the transaction's own, who is in each department
// and how many of them have each access on the connections: once for all items. A
// small campaign counts the departments of the people that it is about alone.
func (t *tx) countPeers(ctx context.Context, q schema.HoldingQuery, kinds []schema.ItemKind) error {
	for name, columns := range map[string]string{
		"peer": `person_id uuid primary key, department text collate "C" not null`, "peer_department": `department text collate "C" primary key, people bigint not null`,
		"peer_access": `connection_id uuid, department text collate "C", kind text collate "C", key text collate "C", people bigint not null,
			primary key (connection_id, department, kind, key)`,
	} {
		if err := t.ownTable(ctx, name, columns); err != nil {
			return err
		}
	}
	today := schema.DateOf(q.Now.UTC())
	few, a := ``, args{"today": today}
	if len(q.Accounts)+len(q.Persons) > 0 {
		departments, err := scalars[string](ctx, t, `select distinct coalesce(e.department, p.department) from person p
			left join lateral (select e.department from employment e where e.person_id = p.id order by `+presentFirst+` limit 1) e on true
			where p.id = any(@persons) or p.id in (select person_id from account where id = any(@accounts))`,
			args{"today": today, "persons": some(q.Persons), "accounts": some(q.Accounts)})
		if err != nil {
			return err
		}
		few, a["departments"] = ` and p.id in (select person_id from employment where department = any(@departments)
			union all select id from person where department = any(@departments) and merged_into is null)`, departments
	}
	err := t.run(ctx, `insert into peer (person_id, department)
		select x.id, x.department from (select p.id, coalesce(e.department, p.department) as department from person p
			left join (select distinct on (e.person_id) e.person_id, e.department from employment e order by e.person_id, `+presentFirst+`) e on e.person_id = p.id
			where `+employedNow+few+`) as x where x.department <> ''`, a)
	if err != nil {
		return err
	}
	const peers = `from peer p join account a on a.person_id = p.person_id where a.connection_id = any(@connections) and a.status not in ('missing', 'deleted')`
	statements := []string{`insert into peer_department (department, people) select department, count(*) from peer group by department`}
	if hasKind(kinds, schema.ItemAccount) {
		statements = append(statements, `insert into peer_access (connection_id, department, kind, key, people)
			select a.connection_id, p.department, 'account', '', count(distinct p.person_id) `+peers+` group by 1, 2`)
	}
	if hasKind(kinds, schema.ItemRole) {
		statements = append(statements, `insert into peer_access (connection_id, department, kind, key, people)
			select a.connection_id, p.department, 'role', a.role, count(distinct p.person_id) `+peers+` and a.privileged group by 1, 2, 4`)
	}
	if hasKind(kinds, schema.ItemGroup) || hasKind(kinds, schema.ItemCollaboration) {
		statements = append(statements, `insert into peer_access (connection_id, department, kind, key, people)
			select m.connection_id, p.department, 'group', m.group_id, count(distinct p.person_id)
			from group_membership m join account a on a.connection_id = m.connection_id and a.external_id = m.account_id
			join peer p on p.person_id = a.person_id
			where m.connection_id = any(@connections) and a.status not in ('missing', 'deleted') group by 1, 2, 4`)
	}
	for i, sql := range statements {
		with := args{"connections": q.Connections}
		if i == 0 {
			with = nil
		}
		if err := t.run(ctx, sql, with); err != nil {
			return err
		}
	}
	return t.run(ctx, `analyze peer, peer_department, peer_access`, nil)
}
