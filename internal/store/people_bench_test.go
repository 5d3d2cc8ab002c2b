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

// benchmarkRows is the size of the roster that is measured.
const benchmarkRows = 100_000

// BenchmarkRoster imports a roster beside a bare COPY of the same rows into a
// table with the same key: first, unchanged, and with one row in a hundred changed.
func BenchmarkRoster(tb *testing.B) {
	for tb.Loop() {
		measureRoster(tb)
	}
}

func measureRoster(tb *testing.B) {
	tb.Helper()
	url := localtest.DatabaseFrom(tb, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(tb.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(tb, err)
	defer s.Close()
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}
	rows := make([]schema.Employment, benchmarkRows)
	for i := range rows {
		rows[i] = employment(fmt.Sprint(i), fmt.Sprintf("person%d@example.com", i), fmt.Sprintf("manager=%d", i/10), fmt.Sprintf("number=N%d", i), fmt.Sprintf("department=D%d", i%200))
	}
	bare := timed(tb, func() {
		conn, err := pgx.Connect(tb.Context(), url)
		require.NoError(tb, err)
		defer func() { _ = conn.Close(context.Background()) }()
		_, err = conn.Exec(tb.Context(), `create table bare (source text, external_id text, kind text, name text, email text, number text, department text, manager text, primary key (source, external_id))`)
		require.NoError(tb, err)
		_, err = conn.CopyFrom(tb.Context(), pgx.Identifier{"bare"}, []string{"source", "external_id", "kind", "name", "email", "number", "department", "manager"},
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				e := rows[i]
				return []any{"hr", e.ExternalID, string(e.Kind), e.Name, e.Email, e.EmployeeNumber, e.Department, e.Manager}, nil
			}))
		require.NoError(tb, err)
	})
	load := func() float64 {
		return timed(tb, func() {
			r, err := s.ImportRoster(tb.Context(), schema.Roster{Source: "hr", Mode: schema.RosterWhole, Employments: rows, Fields: everyField()}, false, by)
			require.NoError(tb, err)
			require.Len(tb, r.Issues, 1, "one manages themselves")
		})
	}
	first, again := load(), load()
	for i := 0; i < len(rows); i += 100 {
		rows[i].Department = "moved"
	}
	changed := load()
	tb.ReportMetric(bare, "s/bare_copy")
	tb.ReportMetric(first, "s/first")
	tb.ReportMetric(again, "s/unchanged")
	tb.ReportMetric(changed, "s/1%_changed")
	tb.ReportMetric(first/bare, "first/copy")
	tb.ReportMetric(0, "ns/op")
}

func timed(tb *testing.B, do func()) float64 {
	tb.Helper()
	began := time.Now()
	do()
	return time.Since(began).Seconds()
}
