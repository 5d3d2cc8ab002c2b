package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

func dateIn(year int, month time.Month, day int) schema.Date {
	return schema.Date{Year: year, Month: month, Day: day}
}

// TestUseHistory: what a replay reads of accounts that were used, moved and went.
func TestUseHistory(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	conn := b.sql()
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql, args...)
		require.NoError(t, err, sql)
	}
	exec(`delete from activity_day`)
	exec(`delete from inventory_change`)
	exec(`insert into activity_day (connection_id, source, day, external_id, events) values ($1, 'box.events', '2026-03-05', 'ann', 1), ($1, 'box.events', '2026-02-28', 'ann', 1),
		($1, 'box.events', '2026-03-01', 'ann', 2), ($1, 'box.events', '2026-06-30', 'ann', 1), ($1, 'box.events', '2026-07-01', 'ann', 1), ($1, 'other', '2026-04-01', 'ann', 1),
		($1, 'box.events', '2026-01-01', 'bob', 1), ($1, 'box.events', '2025-01-01', 'bob', 1), ($2, 'box.events', '2026-04-01', 'ann', 1), ($1, 'box.events', '2026-04-01', 'nobody', 1)`,
		b.conn.ID, boxTwo)
	change := func(login, kind, before, after, at string) {
		exec(`insert into inventory_change (connection_id, kind, account_id, external_id, before, after, seen_at)
			select connection_id, $2, id, external_id, $3, $4, $5::timestamptz from account where connection_id = $1 and external_id = $6`,
			b.conn.ID, kind, before, after, at, login)
	}
	change("mia", "status", "active", "suspended", "2026-05-02T10:00:00Z")
	change("mia", "status", "suspended", "active", "2026-05-01T10:00:00Z")
	change("mia", "status", "active", "suspended", "2026-02-01T10:00:00Z") // before
	change("mia", "role", "member", "coadmin", "2026-05-01T10:00:00Z")
	change("gone", "account_missing", "active", "missing", "2026-03-03T00:00:00Z")
	change("gone", "account_returned", "missing", "active", "2026-03-04T00:00:00Z")
	change("gone", "account_missing", "active", "missing", "2026-04-03T00:00:00Z")
	change("gone", "account_deleted", "missing", "deleted", "2026-04-04T00:00:00Z")

	exec(`insert into employment (source, external_id, person_id, kind, name, email, department, hire_date, last_working_day, updated_at)
		select 'hr', 'E' || v.n, p.id, v.kind, 'eve', '', v.kind, v.hired::date, v.left_on::date, now() from person p
		cross join (values (2, 'employee', '2019-01-01', '2020-01-01'), (3, 'contractor', '2021-01-01', null), (4, 'contractor', '2020-05-01', null)) as v(n, kind, hired, left_on)
		where p.name = 'eve'`)

	q := schema.ReplayQuery{
		Connections: []schema.ConnectionID{b.conn.ID, boxThree}, Kinds: []schema.AccountKind{schema.KindPerson}, Needs: schema.Needs{Person: true},
		From: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC), To: time.Date(2026, 6, 30, 6, 0, 0, 0, time.UTC),
	}
	got := history(t, b, q)
	require.Len(t, got, 17+2, "deleted and missing ones are among them, services and other connections are not")
	ann := got["ann"]
	require.Equal(t, []schema.Date{dateIn(2026, 3, 1), dateIn(2026, 3, 5), dateIn(2026, 6, 30)}, ann.Days)
	require.Equal(t, dateIn(2026, 2, 28), ann.Before)
	require.Zero(t, ann.GoneAt)
	require.Equal(t, "Sales", ann.Person.Department)
	require.Empty(t, got["bob"].Days)
	require.Equal(t, dateIn(2026, 1, 1), got["bob"].Before)
	require.Zero(t, got["cyd"].Before)
	require.Equal(t, []schema.StatusMove{
		{At: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), Before: "suspended", After: "active"},
		{At: time.Date(2026, 5, 2, 10, 0, 0, 0, time.UTC), Before: "active", After: "suspended"},
	}, got["mia"].Changes)
	require.Equal(t, time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), got["gone"].GoneAt, "since then it did not return")
	require.Len(t, got["gone"].Changes, 4)
	require.Equal(t, daysAgo(0.1), got["old"].GoneAt, "nothing tells more than when it was seen last")
	require.Empty(t, got["viv"].Days, "of a connection without a source")
	for _, u := range got {
		alone, err := b.Subject(t.Context(), u.Account.ID, q.Needs)
		require.NoError(t, err)
		require.Equal(t, alone, u.Subject, "whether people are looked up or joined as a whole")
	}
	require.Equal(t, dateIn(2021, 1, 1), got["eve"].Person.HireDate)

	q.From = q.To.Add(time.Hour * 24)
	requireCode(t, schema.CodeInvalid, b.UseHistory(t.Context(), q, func([]schema.UsedAccount) error { return nil }))
	q.From = q.To.AddDate(-4, 0, 0)
	requireCode(t, schema.CodeInvalid, b.UseHistory(t.Context(), q, func([]schema.UsedAccount) error { return nil }))
	q.From = q.To
	stop := errors.New("stop")
	require.ErrorIs(t, b.UseHistory(t.Context(), q, func([]schema.UsedAccount) error { return stop }), stop)
}

// history reads all of it, by login's name, and checks the order.
func history(t require.TestingT, b *bundle, q schema.ReplayQuery) map[string]schema.UsedAccount {
	out, last := map[string]schema.UsedAccount{}, schema.AccountID("")
	err := b.UseHistory(b.t.Context(), q, func(batch []schema.UsedAccount) error {
		for _, u := range batch {
			require.Less(t, last, u.Account.ID)
			last = u.Account.ID
			u.Days = slices.Clone(u.Days)
			out[string(u.Account.ExternalID)] = u
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

// TestUseHistoryHasEveryDay: days that go in come out, whatever the span and however
// many batches.
func TestUseHistoryHasEveryDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	_, err := conn.Exec(t.Context(), `insert into activity_source values ($1, 0, 'a'), ($1, 1, 'b')`, string(b.conn.ID))
	require.NoError(t, err)
	const accounts = 501 // one more than a batch
	_, err = conn.Exec(t.Context(), `insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
		select gen_random_uuid(), $1, n::text, n::text, '', 'member', 'active', '', 'person', '900', 0, 0, now() from generate_series(0, $2::int - 1) n`, string(b.conn.ID), accounts)
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		from := now.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(rt, "days"))
		q := schema.ReplayQuery{Connections: []schema.ConnectionID{b.conn.ID}, Kinds: []schema.AccountKind{"person"}, From: from, To: now}
		want := map[string][]schema.Date{}
		_, err := conn.Exec(t.Context(), `delete from activity_day`)
		require.NoError(rt, err)
		for range rapid.IntRange(1, 40).Draw(rt, "uses") {
			account := fmt.Sprint(rapid.SampledFrom([]int{0, 1, accounts - 1}).Draw(rt, "account"))
			day := schema.DateOf(now.AddDate(0, 0, -rapid.IntRange(-2, 410).Draw(rt, "day")))
			source := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "source")
			_, err := conn.Exec(t.Context(), `insert into activity_day values ($1, $2, $3::date, $4, 1) on conflict do nothing`, string(b.conn.ID), source, day.String(), account)
			require.NoError(rt, err)
			if source != "c" && !day.Before(schema.DateOf(from)) && !schema.DateOf(now).Before(day) && !slices.Contains(want[account], day) {
				want[account] = append(want[account], day)
			}
		}
		got := history(rt, b, q)
		require.Len(rt, got, accounts)
		for account, u := range got {
			slices.SortFunc(want[account], func(a, b schema.Date) int { return a.In(time.UTC).Compare(b.In(time.UTC)) })
			require.Equal(rt, len(want[account]), len(u.Days))
			for i := range u.Days {
				require.Equal(rt, want[account][i], u.Days[i])
			}
		}
	})
}

func TestReplayCoverage(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	got, err := b.ReplayCoverage(t.Context(), []schema.ConnectionID{boxTwo, boxThree})
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, []schema.Interval{{From: daysAgo(40), To: reportNow.Add(-10 * time.Minute)}}, got[0].Sources[0].Covered)
	require.Equal(t, "box-three", got[1].Connection)
	require.Empty(t, got[1].Sources)
	_, err = b.ReplayCoverage(t.Context(), []schema.ConnectionID{schema.ConnectionID(uuid.NewString())})
	requireCode(t, schema.CodeNotFound, err)
}
