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

const benchAccounts = 100_000

// benchFeed is a store with many accounts and a feed begun.
func benchFeed(b *testing.B) (*store.Store, schema.FeedState) {
	b.Helper()
	ctx := b.Context()
	url := localtest.DatabaseFrom(b, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(ctx, store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	owner, err := pgx.Connect(ctx, url)
	require.NoError(b, err)
	b.Cleanup(func() { _ = owner.Close(context.Background()) })
	conn := schema.ConnectionID("0197c0de-0000-7000-8000-00000000000a")
	_, err = owner.Exec(ctx, `insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, version, created_at, updated_at)
		values ($1, 'box', 'box', 'enabled', true, '', '', '', '900', '', 1, now(), now())`, string(conn))
	require.NoError(b, err)
	_, err = owner.Exec(ctx, `insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
		select gen_random_uuid(), $1::uuid, 'u' || n, 'u' || n || '@example.com', '', 'member', 'active', 'active', 'person', '900', 0, 0, now()
		from generate_series(0, $2::int - 1) as n`, string(conn), benchAccounts)
	require.NoError(b, err)
	_, err = owner.Exec(ctx, `vacuum analyze`)
	require.NoError(b, err)
	f, err := s.Feed(ctx, conn, boxEvents)
	require.NoError(b, err)
	at := ago(0)
	f, err = s.BeginFeed(ctx, f, "live-0", at, schema.Interval{From: at.Add(-183 * day), To: at})
	require.NoError(b, err)
	return s, f
}

// benchPage is a page of a stream that has total events in the span, evenly, in
// the order of time and by accounts in no order.
func benchPage(span schema.Interval, first, size, total int) []schema.ActivityEvent {
	step := span.To.Sub(span.From) / time.Duration(total)
	page := make([]schema.ActivityEvent, size)
	for i := range page {
		n := first + i
		page[i] = schema.ActivityEvent{
			ID: fmt.Sprintf("9f3c1d52-77aa-4b1e-%012d", n), Type: "PREVIEW", At: span.From.Add(time.Duration(n) * step),
			Actor: schema.ExternalID(fmt.Sprint("u", n*7919%benchAccounts)),
		}
	}
	return page
}

// BenchmarkHandlePast reads two million events back, in pages of the vendor's
// most (500) and of twenty such at a time; then the end, which all accounts show.
func BenchmarkHandlePast(b *testing.B) {
	benchPages(b, func(s *store.Store, f schema.FeedState, page []schema.ActivityEvent, next string, end bool) (schema.FeedState, error) {
		return s.HandlePast(b.Context(), f, page, next, end)
	}, schema.Interval{From: ago(183 * day), To: ago(0)})
}

// BenchmarkHandleLive handles as many that are remembered, each by its id.
func BenchmarkHandleLive(b *testing.B) {
	benchPages(b, func(s *store.Store, f schema.FeedState, page []schema.ActivityEvent, next string, end bool) (schema.FeedState, error) {
		to := time.Time{}
		if end {
			to = ago(0)
		}
		return s.HandleLive(b.Context(), f, page, next, to)
	}, schema.Interval{From: ago(13 * day), To: ago(0)})
}

type handle func(s *store.Store, f schema.FeedState, page []schema.ActivityEvent, next string, end bool) (schema.FeedState, error)

func benchPages(b *testing.B, h handle, span schema.Interval) {
	b.Helper()
	const total = 2_000_000
	for _, size := range []int{500, 10_000} {
		b.Run(fmt.Sprint("page=", size), func(b *testing.B) {
			s, f := benchFeed(b)
			n := 0
			for b.Loop() {
				var err error
				f, err = h(s, f, benchPage(span, n%total, size, total), fmt.Sprint(n), false)
				require.NoError(b, err)
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
			begun := time.Now()
			_, err := h(s, f, nil, fmt.Sprint(n), true)
			require.NoError(b, err)
			b.ReportMetric(float64(time.Since(begun).Milliseconds()), "end-ms")
		})
	}
}
