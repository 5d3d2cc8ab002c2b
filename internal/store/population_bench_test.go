package store_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
	"sendoff/schema"
)

// BenchmarkPopulation1M reads a population through the store, and in the same run
// lets one bare statement with that filter insert the ids that it selects into an
// unlogged table. It reports both in ms, their ratio, and by how much the heap grew
// at most. SENDOFF_BENCH_ACCOUNTS sets the number of accounts; without it they are
// 20,000.
func BenchmarkPopulation1M(b *testing.B) {
	accounts := benchSize(b, "SENDOFF_BENCH_ACCOUNTS", 20_000)
	s, pool, conn := benchInventory(b, accounts)
	_, err := pool.Exec(b.Context(), `insert into employment (source, external_id, person_id, kind, name, email, department, site, hire_date, updated_at)
		select 'hr', p.email, p.id, p.kind, 'N', p.email, p.department, 'HQ', current_date - 1000, now() from person p`)
	require.NoError(b, err)
	for _, sql := range []string{`create unlogged table bare (id uuid)`, `vacuum analyze`} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	now := time.Now().UTC()
	people := []schema.AccountKind{schema.KindPerson}
	active := []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted}
	silent := []schema.Grade{schema.GradeInactive, schema.GradeNever}
	all := schema.PopulationQuery{
		Kinds: append(people, schema.KindService, schema.KindApp, schema.KindExternal), Statuses: append(active, schema.AccountSuspended),
		Grades: append(silent, schema.GradeActive), Threshold: schema.Threshold{Default: 90 * reportDay},
	}
	few := schema.PopulationQuery{Kinds: people, Statuses: active, Grades: silent, Threshold: schema.Threshold{Default: 158 * reportDay}}
	few.Bounds = []schema.Bound{{Field: schema.BoundSpaceUsed, Op: schema.BoundLess, Values: []string{strconv.Itoa(accounts / 7)}}}
	fewNeed, roles := few, few
	fewNeed.Needs.Person = true
	roles.Threshold.Roles = []schema.RoleThreshold{{Role: schema.RoleCoadmin, For: 30 * reportDay}}
	allNeed := all
	allNeed.Needs.Person = true
	for _, c := range []struct {
		name  string
		query schema.PopulationQuery
	}{{"5percent", few}, {"5percent_person", fewNeed}, {"5percent_roles", roles}, {"all", all}, {"all_person", allNeed}} {
		b.Run(c.name, func(b *testing.B) {
			c.query.Connections, c.query.Now = []schema.ConnectionID{conn}, now
			benchPopulation(b, s, pool, c.query)
		})
	}
}

func benchPopulation(b *testing.B, s *store.Store, pool *pgxpool.Pool, q schema.PopulationQuery) {
	b.Helper()
	for range b.N {
		bare, through := time.Duration(1<<62), time.Duration(1<<62)
		var peak uint64
		for range 3 { // the fastest of each
			began := time.Now()
			inserted := bareFilter(b, pool, q)
			bare = min(bare, time.Since(began))

			stop := watchHeap()
			began = time.Now()
			var handed int64
			_, err := s.Population(b.Context(), q, func(list []schema.Subject) error { handed += int64(len(list)); return nil })
			require.NoError(b, err)
			through = min(through, time.Since(began))
			peak = max(peak, stop())
			require.Equal(b, inserted, handed, "both take the same")
			b.ReportMetric(float64(handed), "handed-out")
		}
		b.ReportMetric(float64(through)/1e6, "store-ms")
		b.ReportMetric(float64(bare)/1e6, "sql-ms")
		b.ReportMetric(float64(through)/float64(bare), "ratio")
		b.ReportMetric(float64(peak)/(1<<20), "heap-MB")
	}
}

// bareFilter is what one would write by hand for one connection and one threshold;
// what a coadmin's is besides concerns few.
func bareFilter(b *testing.B, pool *pgxpool.Pool, q schema.PopulationQuery) int64 {
	b.Helper()
	tx, err := pool.Begin(b.Context())
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(b.Context()) }()
	_, err = tx.Exec(b.Context(), `truncate bare`)
	require.NoError(b, err)
	space, cutoff := `true`, fmt.Sprintf(`$1::timestamptz - interval '%d seconds'`, int(q.Threshold.Default.Seconds()))
	if len(q.Threshold.Roles) > 0 {
		cutoff = fmt.Sprintf(`$1::timestamptz - case a.role when 'coadmin' then interval '%d seconds' else interval '%d seconds' end`,
			int(q.Threshold.Roles[0].For.Seconds()), int(q.Threshold.Default.Seconds()))
	}
	if len(q.Bounds) > 0 {
		space = `a.space_used < ` + q.Bounds[0].Values[0]
	}
	tag, err := tx.Exec(b.Context(), `insert into bare select a.id from account a, (select max(from_at) as f, max(to_at) as t from activity_interval) i
		where a.connection_id = $2 and a.kind = any($3) and a.status = any($4) and `+space+` and case
			when a.last_active_at >= `+cutoff+` then 'active'
			when a.last_active_at is null and a.created_at between i.f and i.t then 'never'
			when greatest(a.last_active_at, a.created_at, i.f) > i.t - ($1::timestamptz - (`+cutoff+`)) then 'unknown'
			else 'inactive' end = any($5)`, q.Now, string(q.Connections[0]), q.Kinds, q.Statuses, q.Grades)
	require.NoError(b, err)
	return tag.RowsAffected()
}

// watchHeap samples the heap until it is stopped, and returns by how much it grew.
func watchHeap() func() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapInuse, atomic.Uint64{}
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapInuse))
			}
		}
	}()
	return func() uint64 {
		close(end)
		<-done
		return max(most.Load(), before) - before
	}
}

func benchSize(b *testing.B, name string, without int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return without
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return n
}
