package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// BenchmarkUseHistory reads a year of accounts that were used on one day in three,
// after a quarter that lies before the span. SENDOFF_BENCH_HISTORY sets the number
// of accounts; without it they are 2,000.
func BenchmarkUseHistory(b *testing.B) {
	accounts := benchSize(b, "SENDOFF_BENCH_HISTORY", 2_000)
	const conn schema.ConnectionID = "0197c0de-0000-7000-8000-00000000c001"
	url := localtest.DatabaseFrom(b, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	pool, err := pgxpool.New(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	for _, sql := range []string{
		`insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, created_at, updated_at, version)
			values ('` + string(conn) + `', 'box', 'box', 'enabled', true, '', '', 'c', '900', '', now(), now(), 1)`,
		`insert into activity_feed (connection_id, source, live, updated_at) select id, 'box.events', '1', now() from connection`,
		`insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
			select gen_random_uuid(), c.id, 'u' || g, 'u' || g, '', 'member', 'active', '', 'person', '900', 0, 0, now()
			from connection c cross join generate_series(0, ` + fmt.Sprint(accounts-1) + `) g`,
		`insert into activity_day select c.id, 'box.events', current_date - 455 + d, 'u' || g, 3
			from connection c cross join generate_series(0, 455) d cross join generate_series(0, ` + fmt.Sprint(accounts-1) + `) g where (g + d) % 3 = 0`,
		`vacuum analyze`,
	} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err, sql)
	}
	s, err := store.Open(b.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	now := time.Now().UTC()
	q := schema.ReplayQuery{Connections: []schema.ConnectionID{conn}, Kinds: []schema.AccountKind{schema.KindPerson}, From: now.AddDate(0, 0, -364), To: now}
	b.ResetTimer()
	for range b.N {
		stop := watchHeap()
		read, days := 0, 0
		err := s.UseHistory(b.Context(), q, func(list []schema.UsedAccount) error {
			for _, u := range list {
				read, days = read+1, days+len(u.Days)
			}
			return nil
		})
		require.NoError(b, err)
		require.Equal(b, accounts, read)
		b.ReportMetric(float64(days), "days")
		b.ReportMetric(float64(stop())/(1<<20), "heap-MB")
	}
}
