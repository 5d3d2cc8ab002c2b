package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

const reportDay = 24 * time.Hour

// reportNow is the instant that the reports of the fixture are made at: a Saturday.
var reportNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func daysAgo(days float64) time.Time { return reportNow.Add(-time.Duration(days * float64(reportDay))) }

const (
	boxTwo   schema.ConnectionID = "0197c0de-0000-7000-8000-00000000c002"
	boxThree schema.ConnectionID = "0197c0de-0000-7000-8000-00000000c003"
)

// person is one of the fixture's; last is the last day, empty = none said.
type fixturePerson struct{ name, department, manager, last string }

// fixtureAccount is one of the fixture's; ages are in days, negative = not known.
type fixtureAccount struct {
	login, kind, status, role, person string
	made, used                        float64
}

// fixturePeople: boss leads, gus has left, and fay's manager is not found.
func fixturePeople() []fixturePerson {
	return []fixturePerson{
		{"boss", "Board", "", ""},
		{"ann", "Sales", "boss", ""},
		{"bob", "Sales", "boss", "2027-03-31"},
		{"cyd", "Engineering", "boss", ""},
		{"dan", "Engineering", "boss", ""},
		{"eve", "", "boss", ""},
		{"fay", "Sales", "", ""},
		{"gus", "Sales", "", "2026-10-31"},
	}
}

// fixtureBox are the accounts of the first connection, whose feed covers the last
// 180.5 days.
func fixtureBox() []fixtureAccount {
	return []fixtureAccount{
		{"boss", "person", "active", "admin", "boss", 1000, 1},
		{"ann", "person", "active", "member", "ann", 1000, 9},
		{"bob", "person", "active", "member", "bob", 1000, 29},
		{"cyd", "person", "active", "coadmin", "cyd", 1000, 45},
		{"dan", "person", "active", "member", "dan", 1000, 75},
		{"eve", "person", "active", "member", "eve", 1000, 100},
		{"fay", "person", "active", "member", "fay", 1000, 200}, // before the coverage began
		{"hal", "person", "active", "member", "", 1000, -1},
		{"ida", "person", "active", "member", "", 20, -1},
		{"jan", "person", "active", "member", "gus", 1000, 120},
		{"kim", "person", "restricted", "member", "", 1000, 5},
		{"lou", "person", "restricted", "member", "", 119, -1},
		{"mia", "person", "suspended", "member", "bob", 1000, 95},
		{"nat", "person", "suspended", "member", "", 1000, -1},
		{"svc", "service", "active", "coadmin", "", 1000, 0.5},
		{"svc2", "service", "active", "member", "", 1000, -1},
		{"app", "app", "active", "member", "", 1000, -1},
		{"ext", "external", "active", "member", "", 1000, 3},
		{"old", "person", "missing", "member", "", 1000, 60},
		{"gone", "person", "deleted", "member", "", 1000, 60},
		{"ola", "person", "active", "member", "", -1, -1},
	}
}

// fixtureTwo are those of the second, whose feed covers 40 days, and fixtureThree
// those of the third, which has none.
func fixtureTwo() []fixtureAccount {
	return []fixtureAccount{
		{"pam", "person", "active", "member", "", 1000, 10},
		{"quy", "person", "active", "member", "", 1000, 60},
		{"ray", "person", "active", "member", "", 1000, 100},
		{"sue", "person", "active", "member", "", 1000, -1},
		{"tom", "person", "active", "member", "", 30, -1},
		{"uma", "person", "suspended", "member", "", 1000, -1},
	}
}

func fixtureThree() []fixtureAccount {
	return []fixtureAccount{
		{"viv", "person", "active", "member", "", 1000, 10},
		{"wes", "person", "active", "member", "", 1000, -1},
	}
}

// reportFixture is a small inventory that can be counted by hand.
func reportFixture(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.fill(t, 0)
	conn := b.sql()
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql, args...)
		require.NoError(t, err, sql)
	}
	exec(`delete from person`)
	exec(`insert into connection (id, name, vendor, state, read_only, base_url, token_url, auth_kind, client_id, enterprise_id, as_user, created_at, updated_at, version, secret)
		select $1, 'box-three', vendor, state, true, base_url, token_url, auth_kind, client_id, '902', as_user, created_at, updated_at, version, secret from connection where name = 'box'`, boxThree)
	for _, p := range fixturePeople() {
		exec(`insert into person (id, email, name, kind, department, manager_id, last_day, created_at)
			values (gen_random_uuid(), $1 || '@example.com', $1, 'employee', $2, (select id from person where name = nullif($3, '')), nullif($4, '')::date, now())`,
			p.name, p.department, p.manager, p.last)
	}
	exec(`insert into employment (source, external_id, person_id, kind, name, email, manager, updated_at)
		select 'hr', 'E1', id, 'employee', name, email, 'E99', now() from person where name = 'fay'`)
	for c, list := range map[schema.ConnectionID][]fixtureAccount{b.conn.ID: fixtureBox(), boxTwo: fixtureTwo(), boxThree: fixtureThree()} {
		for _, a := range list {
			exec(`insert into account (id, connection_id, external_id, person_id, person_by, login, name, role, status, vendor_status, kind, enterprise_id,
					space_used, space_amount, created_at, observed_at, last_active_at, last_event, last_source)
				values (gen_random_uuid(), $1, $2, (select id from person where name = nullif($3, '')), case when $3 = '' then '' else 'email' end,
					$2 || '@example.com', initcap($2), $4, $5, $5, $6, '900', 1024, -1, $7, $8, $9, case when $9::timestamptz is null then '' else 'LOGIN' end,
					case when $9::timestamptz is null then '' else 'box.events' end)`,
				c, a.login, a.person, a.role, a.status, a.kind, instantOf(a.made), daysAgo(0.1), instantOf(a.used))
		}
	}
	exec(`insert into account_activity (connection_id, external_id, source, first_active_at, last_active_at, last_event)
		select connection_id, external_id, 'box.events', last_active_at, last_active_at, 'LOGIN' from account where last_active_at is not null`)
	exec(`insert into correlation_issue (account_id, kind, persons, seen_at)
		select a.id, case a.external_id when 'ida' then 'ambiguous' else 'contradiction' end,
			array(select id from person where name in ('ann', 'bob')), now() from account a where external_id in ('ida', 'jan')`)
	fixtureFacts(exec, b.conn.ID)
	return b
}

func instantOf(days float64) *time.Time {
	if days < 0 {
		return nil
	}
	at := daysAgo(days)
	return &at
}

// fixtureFacts adds feeds, use by day, groups, changes and the age of all of it.
func fixtureFacts(exec func(string, ...any), box schema.ConnectionID) {
	for c, from := range map[schema.ConnectionID]float64{box: 180.5, boxTwo: 40} {
		exec(`insert into activity_feed (connection_id, source, live, live_at, updated_at) values ($1, 'box.events', '17', now(), now())`, c)
		exec(`insert into activity_interval (connection_id, source, from_at, to_at) values ($1, 'box.events', $2, $3)`, c, daysAgo(from), reportNow.Add(-10*time.Minute))
	}
	for day, users := range map[string][]string{
		"2026-10-13": {"ann"}, "2026-10-14": {"ann", "cyd"}, "2026-11-10": {"ann", "bob", "svc"},
		"2026-11-12": {"ann", "kim", "ext", "ghost"}, "2026-11-20": {"boss"}, "2026-11-21": {"kim"},
	} {
		exec(`insert into activity_day (connection_id, source, day, external_id, events) select $1, 'box.events', $2::date, u, 3 from unnest($3::text[]) u`, box, day, users)
	}
	exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at, members)
		values ($1, 'g1', 'Sales', false, '', now(), 4), ($1, 'g2', 'all', true, '', now(), 0), ($1, 'g3', 'empty', false, '', now(), 0)`, box)
	exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
		select $1, 'g1', u, 'm' || u, 'member', now() from unnest(array['ann', 'bob', 'fay', 'mia']) u`, box)
	exec(`insert into inventory_change (connection_id, kind, account_id, external_id, login, group_id, group_name, before, after, since, seen_at)
		select $1, k.kind, a.id, a.external_id, a.login, k.g, k.n, k.before, k.after, $2, k.seen
		from (values ('role', 'cyd', '', '', 'member', 'coadmin', $3::timestamptz), ('membership_gained', 'ann', 'g1', 'Sales', '', 'member', $3),
			('status', 'mia', '', '', 'active', 'suspended', $4)) k(kind, who, g, n, before, after, seen)
		join account a on a.external_id = k.who and a.connection_id = $1 order by k.seen, k.kind`, box, daysAgo(3), daysAgo(2), daysAgo(1))
	exec(`insert into dataset (connection_id, dataset, state, reason, detail, as_of, rows)
		values ($1, 'accounts', 'collected', '', '', $3, 21), ($1, 'groups', 'collected', '', '', $3, 3),
			($1, 'memberships', 'partial', 'GROUPS_REFUSED', 'one group was refused', $3, 4),
			($1, 'group_collaborations', 'not_collected', 'SCOPE_MISSING', 'the scope is missing', null, 0),
			($1, 'activity', 'collected', '', '', $4, 0), ($2, 'accounts', 'collected', '', '', $5, 6)`,
		box, boxTwo, daysAgo(0.1), reportNow.Add(-10*time.Minute), daysAgo(40.0/24))
}
