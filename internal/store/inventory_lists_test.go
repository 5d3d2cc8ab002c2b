package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
	"sendoff/schema"
)

// fill makes n accounts in two connections, most of them alike, and some of every
// combination of status, kind, role and person.
func (b *bundle) fill(t testing.TB, n int) (second schema.ConnectionID) {
	t.Helper()
	second = "0197c0de-0000-7000-8000-00000000c002"
	conn := b.sql()
	for _, sql := range []string{
		`insert into connection (id, name, vendor, state, read_only, base_url, token_url, auth_kind, client_id, enterprise_id, as_user, created_at, updated_at, version, secret)
			select '` + string(second) + `', 'box-two', vendor, state, true, base_url, token_url, auth_kind, client_id, '901', as_user, created_at, updated_at, version, secret
			from connection where name = 'box'`,
		`insert into person (id, email, created_at) select gen_random_uuid(), 'p' || g || '@example.com', now() from generate_series(1, 100) g`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	_, err := conn.Exec(t.Context(), `insert into account (id, connection_id, external_id, person_id, login, name, role, status, vendor_status, kind,
			enterprise_id, space_used, space_amount, created_at, observed_at, last_active_at, last_event, last_source)
		select gen_random_uuid(), case when g % 10 < 8 then $2::uuid else $3::uuid end, g::text,
			case when g % 100 < 70 then (select id from person where email = 'p' || (1 + g % 100) || '@example.com') end,
			case when g % 2 = 0 then 'User' else 'user' end || (g * 7919) % 1000003 || '@Example.com', 'Name ' || g,
			case when g % 500 = 3 then 'coadmin' when g % 25000 = 4 then 'admin' else 'member' end,
			(array['active', 'suspended', 'restricted', 'missing', 'deleted'])[case when g % 20 < 16 then 1 else 1 + g % 5 end],
			'x', (array['person', 'service', 'app', 'external'])[case when g % 30 < 26 then 1 else 1 + g % 4 end],
			'900', g, -1, now() - (g % 2000) * interval '1 day', now(),
			case when g % 3 > 0 then now() - (g % 400) * interval '1 day' end, '', ''
		from generate_series(1, $1) g`, n, b.conn.ID, second)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `vacuum analyze account`)
	require.NoError(t, err)
	return second
}

// everyFilter is each combination of what a list may be filtered by.
func everyFilter(connection schema.ConnectionID) []schema.AccountFilter {
	var filters []schema.AccountFilter
	for _, c := range []schema.ConnectionID{"", connection} {
		for _, st := range [][]schema.AccountStatus{nil, {schema.AccountMissing}, {schema.AccountActive, schema.AccountSuspended, schema.AccountActive}} {
			for _, k := range [][]schema.AccountKind{nil, {schema.KindService}, {schema.KindPerson, schema.KindExternal}} {
				for _, p := range []schema.PersonKnown{"", schema.WithPerson, schema.WithoutPerson} {
					for _, prefix := range []string{"", "uSer99", "nobody"} {
						base := schema.AccountFilter{ConnectionID: c, Statuses: st, Kinds: k, Person: p, LoginPrefix: prefix, Limit: 20}
						privileged, member, coadmin, owner := base, base, base, base
						privileged.Privileged, member.Role, coadmin.Role, owner.Role = true, schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner
						filters = append(filters, base, privileged, member, coadmin, owner)
					}
				}
			}
		}
	}
	return filters
}

// selects tells whether the filter selects the account, told the simple way.
func selects(f schema.AccountFilter, a schema.AccountRow) bool {
	return (f.ConnectionID == "" || a.ConnectionID == f.ConnectionID) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, a.Status)) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, a.Kind)) &&
		(f.Role == "" || a.Role == f.Role) && (!f.Privileged || a.Role.Privileged()) &&
		(f.Person == "" || (f.Person == schema.WithPerson) == (a.PersonID != "")) &&
		strings.HasPrefix(strings.ToLower(a.Login), strings.ToLower(f.LoginPrefix))
}

func (b *bundle) allAccounts(f schema.AccountFilter) []schema.AccountRow {
	b.t.Helper()
	var rows []schema.AccountRow
	for {
		page, next, err := b.ListAccounts(b.t.Context(), f)
		require.NoError(b.t, err)
		require.LessOrEqual(b.t, len(page), f.Limit)
		rows = append(rows, page...)
		if next == "" {
			return rows
		}
		f.After = next
	}
}

// TestListsAnswerFromIndexes: whatever the filter, a page is right, and Postgres
// reads no row of the table that it does not show but the few that end a range.
func TestListsAnswerFromIndexes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(t, 50_000)
	every := b.allAccounts(schema.AccountFilter{Limit: 500})
	require.Len(t, every, 50_000)
	require.True(t, slices.IsSortedFunc(every, func(x, y schema.AccountRow) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.Login), strings.ToLower(y.Login)), strings.Compare(string(x.ID), string(y.ID)))
	}))
	for i, f := range everyFilter(b.conn.ID) {
		want := []schema.AccountRow{}
		for _, a := range every {
			if len(want) > 2*f.Limit { // two pages, and that there is a third
				break
			}
			if selects(f, a) {
				want = append(want, a)
			}
		}
		got, next, err := b.ListAccounts(t.Context(), f)
		require.NoError(t, err)
		require.Equal(t, want[:min(len(want), f.Limit)], got, "%+v", f)
		require.Equal(t, len(want) > f.Limit, next != "", "%+v", f)
		if next != "" && i%2 == 0 {
			f.After = next
			got, _, err = b.ListAccounts(t.Context(), f)
			require.NoError(t, err)
			require.Equal(t, want[f.Limit:min(len(want), 2*f.Limit)], got, "%+v", f)
		}
		requireIndexed(t, b, f)
	}
}

func requireIndexed(t *testing.T, b *bundle, f schema.AccountFilter) {
	t.Helper()
	plan, err := b.ExplainAccounts(t.Context(), f)
	require.NoError(t, err)
	plan.Walk(func(n store.Explained) {
		if n.Relation != "account" {
			return
		}
		require.NotEqual(t, "Seq Scan", n.NodeType, "%+v", f)
		if f.Role.Privileged() { // few accounts are: those with another such role may be read in vain
			require.LessOrEqual(t, n.Rows+n.Removed, 50_000.0/400, "%+v", f)
			return
		}
		require.Contains(t, n.NodeType, "Index", "%+v", f)
		require.LessOrEqual(t, n.Rows, float64(f.Limit+1), "of one range of %s: %+v", n.Index, f)
		require.Zero(t, n.Removed, "rows read in vain by %s: %+v", n.Index, f)
	})
}

// TestEveryStatusAndKindIsListed: a value that the table allows and the list does
// not enumerate would be left out in silence.
func TestEveryStatusAndKindIsListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	for column, most := range map[string]int{"status": 5, "kind": 4} {
		var check string
		require.NoError(t, conn.QueryRow(t.Context(), `select pg_get_constraintdef(oid) from pg_constraint
			where conrelid = 'account'::regclass and conname = 'account_'||$1||'_check'`, column).Scan(&check))
		require.Equal(t, most, strings.Count(check, "'::text"), check)
	}
}

// TestLoginsAreNeverMixedUp: one that begins another, and one that is another
// account's name.
func TestLoginsAreNeverMixedUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for id, login := range map[string]string{"1": "ann@example.com", "2": "ann@example.com.au", "3": "Joann@example.com", "4": "ANNE@example.com"} {
		a := b.account(id)
		a.Login, a.Name = login, "ann@example.com"
		_, err := b.SaveAccount(t.Context(), a)
		require.NoError(t, err)
	}
	d, err := b.AccountDetail(t.Context(), "Ann@Example.com", 90*reportDay, reportNow)
	require.NoError(t, err)
	require.Equal(t, schema.ExternalID("1"), d.ExternalID)
	for ref, id := range map[string]schema.ExternalID{"box/2": "2", string(d.ID): "1", "anne@example.com": "4"} {
		d, err := b.AccountDetail(t.Context(), ref, 90*reportDay, reportNow)
		require.NoError(t, err, ref)
		require.Equal(t, id, d.ExternalID)
	}
	_, err = b.AccountDetail(t.Context(), "ann", 90*reportDay, reportNow)
	requireCode(t, schema.CodeNotFound, err)
	var got []string
	for _, a := range b.allAccounts(schema.AccountFilter{LoginPrefix: "ANN@example.com", Limit: 1}) {
		got = append(got, a.Login)
	}
	require.Equal(t, []string{"ann@example.com", "ann@example.com.au"}, got)
	b.fill(t, 0)
	b.exec(`update account set connection_id = (select id from connection where name = 'box-two'), login = 'ann@example.com' where external_id = '4'`)
	_, err = b.AccountDetail(t.Context(), "ann@example.com", 90*reportDay, reportNow)
	requireCode(t, schema.CodeAmbiguous, err)
	require.ErrorContains(t, err, "box/1 or box-two/4")
}

func TestListsRefuseWhatIsNoCursor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, after := range []string{"x", "!", "WyJhIl0", "WyJhIiwiYiJd"} {
		_, _, err := b.ListAccounts(t.Context(), schema.AccountFilter{After: after, Limit: 1})
		requireCode(t, schema.CodeInvalid, err)
		_, _, err = b.ListGroups(t.Context(), "", "", after, 1)
		requireCode(t, schema.CodeInvalid, err)
		_, err = b.ReportChanges(t.Context(), schema.ChangeFilter{After: after, Limit: 1}, reportNow)
		requireCode(t, schema.CodeInvalid, err)
	}
	for _, limit := range []int{0, 501} {
		_, _, err := b.ListAccounts(t.Context(), schema.AccountFilter{Limit: limit})
		requireCode(t, schema.CodeInvalid, err)
	}
}

func TestGroupsAndTheirMembers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.fill(t, 0)
	conn := b.sql()
	for i, name := range []string{"Sales", "sales EU", "Zoo", "Éclair", "sales"} {
		c := b.conn.ID
		if i == 4 {
			c = second
		}
		_, err := conn.Exec(t.Context(), `insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at, members)
			values ($1, $2, $3, $4, '', now(), 3)`, c, fmt.Sprint("g", i), name, i == 2)
		require.NoError(t, err)
	}
	for _, id := range []string{"10", "11", "12"} {
		a := b.account(id)
		_, err := conn.Exec(t.Context(), `insert into group_membership (connection_id, group_id, account_id, external_id, role, permissions, first_seen_at)
			select $1, g, $2, 'm' || g || $2, 'member', '{"can_run_reports": true}', now() from unnest(array['g0', 'g1']) g`, a.ConnectionID, a.ExternalID)
		require.NoError(t, err)
	}
	names := func(c schema.ConnectionID, prefix string) (out []string) {
		for after := ""; ; {
			page, next, err := b.ListGroups(t.Context(), c, prefix, after, 1)
			require.NoError(t, err)
			for _, g := range page {
				out = append(out, g.Connection+":"+g.Name)
			}
			if next == "" {
				return out
			}
			after = next
		}
	}
	require.Equal(t, []string{"box-two:sales", "box:Sales", "box:sales EU"}, names("", "SALES"))
	require.Equal(t, []string{"box:Sales", "box:sales EU", "box:Zoo", "box:Éclair"}, names(b.conn.ID, ""))
	g, err := b.Group(t.Context(), b.conn.ID, "g2")
	require.NoError(t, err)
	require.True(t, g.Everybody)
	_, err = b.Group(t.Context(), b.conn.ID, "g9")
	requireCode(t, schema.CodeNotFound, err)

	first, next, err := b.GroupMembers(t.Context(), b.conn.ID, "g0", "", 2)
	require.NoError(t, err)
	rest, last, err := b.GroupMembers(t.Context(), b.conn.ID, "g0", next, 2)
	require.NoError(t, err)
	require.Empty(t, last)
	var logins []string
	for _, m := range append(first, rest...) {
		logins = append(logins, m.Login)
		require.Equal(t, map[string]bool{"can_run_reports": true}, m.Permissions)
	}
	require.Equal(t, []string{"user10@example.com", "user11@example.com", "user12@example.com"}, logins)
	groups, next, err := b.AccountGroups(t.Context(), rest[0].OurID, "", 1)
	require.NoError(t, err)
	require.Equal(t, "Sales", groups[0].GroupName)
	require.NotEmpty(t, next)
}
