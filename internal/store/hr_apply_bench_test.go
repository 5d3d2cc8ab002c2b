package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// BenchmarkApplyEvents applies 10,000 events of one employment each, over as many
// people, of whom every fiftieth leaves; and then events that come one at a time.
func BenchmarkApplyEvents(tb *testing.B) {
	const people, single = 10_000, 200
	url := localtest.DatabaseFrom(tb, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(tb.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(tb, err)
	defer s.Close()
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}
	manual, err := s.SourceByName(tb.Context(), schema.ManualSource)
	require.NoError(tb, err)
	rows := make([]schema.Employment, people)
	for i := range rows {
		rows[i] = employment(fmt.Sprint(i), address(i), fmt.Sprintf("department=%d", i%40), fmt.Sprintf("manager=%d", i/10))
	}
	_, err = s.ImportRoster(tb.Context(), schema.Roster{Source: manual.Name, Mode: schema.RosterWhole, Employments: rows, Fields: everyField()}, false, by)
	require.NoError(tb, err)
	conn, err := pgx.Connect(tb.Context(), url)
	require.NoError(tb, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(tb.Context(), `update hr_source set limit_percent = 100, time_zone = 'Europe/Berlin'`)
	require.NoError(tb, err)
	_, err = conn.Exec(tb.Context(), `vacuum analyze`)
	require.NoError(tb, err)
	n := 0
	accept := func(row schema.Employment) {
		n++
		_, err := s.AcceptEvent(tb.Context(), schema.HREvent{
			SourceID: manual.ID, EventID: fmt.Sprint(n), Via: schema.ViaWebhook, Body: []byte("{}"), Change: changes(row),
		})
		require.NoError(tb, err)
	}
	apply := func() time.Duration {
		began := time.Now()
		for {
			_, took, err := s.ApplyEvents(tb.Context(), judge)
			require.NoError(tb, err)
			if !took {
				return time.Since(began)
			}
		}
	}
	for tb.Loop() {
		for i := range rows {
			rows[i].Department = fmt.Sprint(n, i%7)
			if i%50 == 0 {
				rows[i].LastWorkingDay = inDays(3 + n%300)
			}
			accept(rows[i])
		}
		tb.ReportMetric(people/apply().Seconds(), "events/s")
		var alone time.Duration
		for i := range single {
			rows[i].LastWorkingDay = inDays(400 + n%300)
			accept(rows[i])
			alone += apply()
		}
		tb.ReportMetric(float64(alone.Milliseconds())/single, "ms/event-alone")
	}
}
