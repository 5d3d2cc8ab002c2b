package store_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// BenchmarkListAccounts1M lists filtered pages of 50 accounts through the store,
// and beside it in the same run with the SQL that one would write for that filter
// alone. It reports the 95th percentiles in ms and their ratio, and how long the
// reports over all accounts take. SENDOFF_BENCH_ACCOUNTS sets the number of
// accounts; without it they are 20,000.
func BenchmarkListAccounts1M(b *testing.B) {
	accounts := 20_000
	if text := os.Getenv("SENDOFF_BENCH_ACCOUNTS"); text != "" {
		var err error
		accounts, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	s, pool, conn := benchInventory(b, accounts)
	now := time.Now().UTC()
	for _, c := range []struct {
		name, where string
		filter      schema.AccountFilter
	}{
		{"connection", `true`, schema.AccountFilter{}},
		{"status", `a.status = 'suspended'`, schema.AccountFilter{Statuses: []schema.AccountStatus{schema.AccountSuspended}}},
		{"statuses_kind", `a.status in ('active', 'restricted') and a.kind = 'person'`, schema.AccountFilter{
			Statuses: []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted}, Kinds: []schema.AccountKind{schema.KindPerson},
		}},
		{"privileged", `a.privileged`, schema.AccountFilter{Privileged: true}},
		{"prefix", `a.login_key like 'user7%'`, schema.AccountFilter{LoginPrefix: "user7"}},
		{"without_person", `a.person_id is null`, schema.AccountFilter{Person: schema.WithoutPerson}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.filter.ConnectionID, c.filter.Limit = conn, 50
			for range b.N {
				through, bare := pages(b, s, pool, c.filter, c.where)
				b.ReportMetric(float64(through)/1e6, "p95-store-ms")
				b.ReportMetric(float64(bare)/1e6, "p95-sql-ms")
				b.ReportMetric(float64(through)/float64(bare), "ratio")
			}
		})
	}
	b.Run("report_inactive_page", func(b *testing.B) {
		for range b.N {
			r, err := s.ReportInactive(b.Context(), schema.InactiveFilter{ConnectionID: conn, Threshold: 90 * reportDay, Now: now, Limit: 50})
			require.NoError(b, err)
			var took []time.Duration
			for range 100 {
				began := time.Now()
				r, err = s.ReportInactive(b.Context(), schema.InactiveFilter{ConnectionID: conn, Threshold: 90 * reportDay, Now: now, Limit: 50, After: r.Next})
				require.NoError(b, err)
				took = append(took, time.Since(began))
			}
			b.ReportMetric(float64(p95(took))/1e6, "p95-store-ms")
		}
	})
	b.Run("report_licenses", func(b *testing.B) {
		for range b.N {
			_, err := s.ReportLicenses(b.Context(), conn, 90*reportDay, now)
			require.NoError(b, err)
		}
	})
	b.Run("report_usage", func(b *testing.B) {
		for range b.N {
			_, err := s.ReportUsage(b.Context(), schema.UsageFilter{
				ConnectionID: conn, From: schema.DateOf(now.Add(-89 * reportDay)), To: schema.DateOf(now), Now: now, Limit: 50,
			})
			require.NoError(b, err)
		}
	})
}

// benchInventory is a store with so many accounts, each used on a day in three of
// the last 90.
func benchInventory(b *testing.B, accounts int) (*store.Store, *pgxpool.Pool, schema.ConnectionID) {
	b.Helper()
	const conn schema.ConnectionID = "0197c0de-0000-7000-8000-00000000c001"
	url := localtest.DatabaseFrom(b, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	pool, err := pgxpool.New(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	for _, sql := range []string{
		`insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, created_at, updated_at, version)
			values ('` + string(conn) + `', 'box', 'box', 'enabled', true, 'https://api.example.com', 'https://api.example.com', 'c', '900', '', now(), now(), 1)`,
		`insert into activity_feed (connection_id, source, live, updated_at) select id, 'box.events', '1', now() from connection`,
		`insert into activity_interval select id, 'box.events', now() - interval '180 days', now() from connection`,
		`insert into person (id, email, kind, department, created_at)
			select gen_random_uuid(), 'p' || g || '@example.com', 'employee', 'D' || g % 40, now() from generate_series(0, ` + fmt.Sprint(accounts-1) + `) g`,
		`insert into account (id, connection_id, external_id, person_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used,
				space_amount, created_at, observed_at, last_active_at)
			select gen_random_uuid(), c.id, g::text, p.id, 'user' || (g::bigint * 7919) % 1000003 || '@example.com', 'Name ' || g,
				case when g % 5000 = 3 then 'coadmin' else 'member' end,
				(array['active', 'suspended', 'restricted', 'missing', 'deleted'])[case when g % 20 < 16 then 1 else 1 + g % 5 end], 'x',
				(array['person', 'service', 'app', 'external'])[case when g % 30 < 28 then 1 else 1 + g % 4 end], '900', g, -1,
				now() - interval '400 days', now(), case when g % 3 > 0 then now() - (g % 170) * interval '1 day' end
			from connection c cross join generate_series(0, ` + fmt.Sprint(accounts-1) + `) g
			left join person p on p.email = 'p' || g || '@example.com' and g % 10 < 9`,
		`insert into activity_day select c.id, 'box.events', current_date - d, g::text, 3
			from connection c cross join generate_series(0, 89) d cross join generate_series(0, ` + fmt.Sprint(accounts-1) + `) g where (g + d) % 9 = 0 and g % 3 > 0`,
		`vacuum analyze`,
	} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err, sql)
	}
	s, err := store.Open(b.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	return s, pool, conn
}

// pages reads up to 200 pages of a list, each through the store and as bare SQL in
// turn, and returns the 95th percentiles.
func pages(b *testing.B, s *store.Store, pool *pgxpool.Pool, f schema.AccountFilter, where string) (through, bare time.Duration) {
	b.Helper()
	var store, sql []time.Duration
	key, id := "", "00000000-0000-0000-0000-000000000000"
	for range 200 {
		began := time.Now()
		rows, next, err := s.ListAccounts(b.Context(), f)
		require.NoError(b, err)
		store = append(store, time.Since(began))

		began = time.Now()
		last, lastID, n := bareRead(b, pool, where, f, key, id)
		sql = append(sql, time.Since(began))
		require.Equal(b, len(rows), n)
		if next == "" {
			break
		}
		require.Equal(b, string(rows[n-1].ID), lastID, "both read the same page")
		f.After, key, id = next, last, lastID
	}
	return p95(store), p95(sql)
}

func bareRead(b *testing.B, pool *pgxpool.Pool, where string, f schema.AccountFilter, key, id string) (last, lastID string, n int) {
	b.Helper()
	rows, err := pool.Query(b.Context(), `select a.*, c.name, p.email from account a join connection c on c.id = a.connection_id
		left join person p on p.id = a.person_id where a.connection_id = $1 and `+where+` and (a.login_key, a.id) > ($2, $3)
		order by a.login_key, a.id limit $4`, string(f.ConnectionID), key, id, f.Limit)
	require.NoError(b, err)
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		require.NoError(b, err)
		for i, d := range rows.FieldDescriptions() {
			switch d.Name {
			case "login_key":
				last = values[i].(string)
			case "id":
				u := values[i].([16]byte)
				lastID = fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
			}
		}
		n++
	}
	require.NoError(b, rows.Err())
	return last, lastID, n
}

func p95(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)*95/100]
}
