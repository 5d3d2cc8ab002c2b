package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// BenchmarkDecide lets 300 reviewers decide about items at once, one word a call,
// beside as many clients that insert a row like a decision's and nothing else. Both
// use 20 connections. SENDOFF_BENCH_ITEMS sets the number of items; without it they
// are 3,000.
func BenchmarkDecide(b *testing.B) {
	const reviewers = 300
	items := benchSize(b, "SENDOFF_BENCH_ITEMS", 3_000)
	d := newDecideBench(b, reviewers, items)
	for b.Loop() {
		_, err := d.pool.Exec(b.Context(), `truncate bare`)
		require.NoError(b, err)
		bare, bare95 := d.run(b, func(ctx context.Context, w schema.Decide, by schema.Principal) error {
			_, err := d.pool.Exec(ctx, `insert into bare (id, campaign_id, item_id, stage, version, answer, reason, principal, token_id, reviewer_id, decided_at)
				values ($1, $2, $3, 0, 1, $4, '', $5, $6, $6, now())`, string(w.ID), string(d.id), string(w.ItemID), string(w.Answer), by.Name, string(by.TokenID))
			return err
		})
		ours, ours95 := d.run(b, func(ctx context.Context, w schema.Decide, by schema.Principal) error {
			done, err := d.store.DecideItems(ctx, d.id, []schema.Decide{w}, by)
			if err == nil && done[0].Code != "" {
				err = fmt.Errorf("%s: %s", done[0].Code, done[0].Message)
			}
			return err
		})
		b.ReportMetric(ours, "decisions/s")
		b.ReportMetric(bare, "inserts/s")
		b.ReportMetric(ours/bare, "ratio")
		b.ReportMetric(ours95, "p95-ms")
		b.ReportMetric(bare95, "bare-p95-ms")
	}
}

type decideBench struct {
	store *store.Store
	pool  *pgxpool.Pool
	id    schema.CampaignID
	by    []schema.Principal
	items [][]schema.ItemID // of each reviewer
}

func newDecideBench(b *testing.B, reviewers, items int) *decideBench {
	b.Helper()
	url := localtest.DatabaseFrom(b, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	config, err := pgxpool.ParseConfig(url)
	require.NoError(b, err)
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	s, err := store.Open(b.Context(), store.Config{URL: url, AllowUnsafe: true, MaxConnections: 20})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	d := &decideBench{store: s, pool: pool, items: make([][]schema.ItemID, reviewers)}
	exec := func(sql string, args ...any) {
		_, err := pool.Exec(b.Context(), sql, args...)
		require.NoError(b, err, sql)
	}
	exec(`create table bare (like campaign_decision including all)`)
	exec(`insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, created_at, updated_at, version)
		values (gen_random_uuid(), 'box', 'box', 'enabled', true, 'https://api.example.com', 'https://api.example.com', 'c', '900', '', now(), now(), 1)`)
	exec(`insert into person (id, email, kind, created_at) select gen_random_uuid(), 'p' || g || '@example.com', 'employee', now() from generate_series(0, $1::int) g`, items+reviewers)
	exec(`insert into person_email select email, id, true, now() from person`)
	exec(`insert into account (id, connection_id, external_id, person_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, created_at, observed_at)
		select gen_random_uuid(), c.id, g::text, p.id, 'user' || g || '@example.com', '', 'member', 'active', 'x', 'person', '900', 0, -1, now(), now()
		from connection c cross join generate_series($2::int, $2::int + $1::int - 1) g join person p on p.email = 'p' || g || '@example.com'`, items, reviewers)
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench", Role: schema.RoleReviewer}
	applied, err := s.ApplyAccessReviews(b.Context(), reviewFiles("", looksAt("bench")), by)
	require.NoError(b, err)
	c, err := s.NewCampaign(b.Context(), schema.NewCampaign{Review: "bench", Start: true}, by)
	require.NoError(b, err)
	d.id = c.ID
	require.NoError(b, s.BeginListing(b.Context(), c.ID, nil))
	connections, err := s.ConnectionNamed(b.Context(), "box")
	require.NoError(b, err)
	var held []schema.Holding
	require.NoError(b, s.ListHoldings(b.Context(), c.ID, schema.HoldingQuery{
		Review: applied[0].Review.ID, Connections: []schema.ConnectionID{connections.ID}, Items: []schema.ItemKind{schema.ItemAccount}, Holders: schema.HoldersAll,
		Threshold: applied[0].Review.Rule.Threshold(), Now: time.Now(),
	}, takesAll(&held)))
	exec(`update campaign_item i set state = 'open', reviewer_id = p.id, assigned_at = now() from account a join person p on p.email = 'p' || a.external_id::int % $1 || '@example.com'
		where a.id = i.account_id`, reviewers)
	exec(`insert into campaign_assignment (campaign_id, item_id, stage, reviewer_id, at) select campaign_id, id, 0, reviewer_id, now() from campaign_item`)
	require.NoError(b, s.OpenCampaign(b.Context(), c.ID, time.Now().Add(time.Hour)))
	exec(`vacuum analyze`)
	d.read(b, by)
	return d
}

func (d *decideBench) read(b *testing.B, by schema.Principal) {
	b.Helper()
	rows, err := d.pool.Query(b.Context(), `select i.id::text, a.external_id::int % $1 from campaign_item i join account a on a.id = i.account_id`, len(d.items))
	require.NoError(b, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		require.NoError(b, rows.Scan(&id, &n))
		d.items[n] = append(d.items[n], schema.ItemID(id))
	}
	require.NoError(b, rows.Err())
	for n := range d.items {
		p := by
		p.Email = fmt.Sprintf("p%d@example.com", n)
		d.by = append(d.by, p)
	}
}

// run has each reviewer say a word on each of their items, one after the other, and
// returns words per second and the 95th percentile in ms.
func (d *decideBench) run(b *testing.B, say func(context.Context, schema.Decide, schema.Principal) error) (perSecond, p95 float64) {
	b.Helper()
	var lock sync.Mutex
	var took []time.Duration
	var failed error
	var wait sync.WaitGroup
	began := time.Now()
	for n, items := range d.items {
		wait.Go(func() {
			for _, i := range items {
				w := schema.Decide{ID: schema.DecisionID(newUUID()), ItemID: i, Version: 1, Answer: schema.AnswerKeep, Reason: "because"}
				at := time.Now()
				err := say(b.Context(), w, d.by[n])
				lock.Lock()
				took = append(took, time.Since(at))
				if err != nil {
					failed = err
				}
				lock.Unlock()
			}
		})
	}
	wait.Wait()
	total := time.Since(began)
	require.NoError(b, failed)
	slices.Sort(took)
	return float64(len(took)) / total.Seconds(), float64(took[len(took)*95/100]) / 1e6
}
