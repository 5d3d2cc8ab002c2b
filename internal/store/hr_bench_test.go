package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// The size of the measurement: events, and how many are written at once.
const (
	benchmarkEvents  = 10_000
	benchmarkWriters = 16
)

// BenchmarkAcceptEvent accepts events beside bare inserts of the same rows into a
// table with the same columns and keys, by as many writers.
func BenchmarkAcceptEvent(tb *testing.B) {
	for tb.Loop() {
		measureInbox(tb)
	}
}

func measureInbox(tb *testing.B) {
	tb.Helper()
	url := localtest.DatabaseFrom(tb, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(tb.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: benchmarkWriters + 2})
	require.NoError(tb, err)
	defer s.Close()
	src, err := s.SourceByName(tb.Context(), schema.ManualSource)
	require.NoError(tb, err)
	cfg, err := pgxpool.ParseConfig(url)
	require.NoError(tb, err)
	cfg.MaxConns = benchmarkWriters
	pool, err := pgxpool.NewWithConfig(tb.Context(), cfg)
	require.NoError(tb, err)
	defer pool.Close()
	for _, statement := range []string{
		`create table bare (like hr_event including all)`, `alter table bare add foreign key (source_id) references hr_source`,
	} {
		_, err = pool.Exec(tb.Context(), statement)
		require.NoError(tb, err)
	}

	events := make([]schema.HREvent, benchmarkEvents)
	for i := range events {
		events[i] = event(src, fmt.Sprint("event-", i), fmt.Sprintf(`{"employee": {"id": %d, "lastWorkingDay": "2026-03-31"}}`, i))
	}
	insert := func(e schema.HREvent) error {
		change, err := json.Marshal(e.Change)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(e.Body)
		_, err = pool.Exec(tb.Context(), `insert into bare (id, source_id, event_id, group_id, via, kind, body_hash, body, change, state, problems, received_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', now())`,
			uuid.Must(uuid.NewV7()), string(e.SourceID), e.EventID, e.GroupID, e.Via, e.Change.Kind, sum[:], e.Body, change, e.State)
		return err
	}
	accept := func(e schema.HREvent) error {
		_, err := s.AcceptEvent(tb.Context(), e)
		return err
	}
	bare := timed(tb, func() { byWriters(tb, events, insert) })
	accepted := timed(tb, func() { byWriters(tb, events, accept) })
	again := timed(tb, func() { byWriters(tb, events, accept) })
	tb.ReportMetric(benchmarkEvents/bare, "bare/s")
	tb.ReportMetric(benchmarkEvents/accepted, "accepted/s")
	tb.ReportMetric(benchmarkEvents/again, "duplicates/s")
	tb.ReportMetric(accepted/bare, "accepted/bare")
	tb.ReportMetric(0, "ns/op")
}

func byWriters(tb *testing.B, events []schema.HREvent, write func(schema.HREvent) error) {
	tb.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range benchmarkWriters {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(events); i = next.Add(1) - 1 {
				if err := write(events[i]); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
