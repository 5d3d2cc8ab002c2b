package store_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/store"
	"sendoff/schema"
)

// reviewBench is a population with a policy that takes one in twenty.
type reviewBench struct {
	s       *store.Store
	pool    *pgxpool.Pool
	rule    schema.PolicyRule
	policy  schema.PolicyID
	filter  schema.PopulationQuery
	runs    int
	matched int64
}

// BenchmarkReview1M judges a population in one review run, and in the same run lets
// one bare statement with that filter do what SQL alone would: evaluate, by SQL and
// the policy's CEL, beside a statement that inserts the ids of the same accounts
// into an unlogged table; keep, the same with what a run has to keep of each account
// as the worker does it, beside a statement that inserts that into a table with a
// primary key. It reports both in ms, their ratio, and by how much the heap grew at
// most. SENDOFF_BENCH_ACCOUNTS sets the number of accounts; without it they are
// 20,000.
func BenchmarkReview1M(b *testing.B) {
	accounts := benchSize(b, "SENDOFF_BENCH_ACCOUNTS", 20_000)
	n := newReviewBench(b, accounts)
	b.Run("evaluate", func(b *testing.B) { n.compare(b, n.bareIDs, n.evaluate) })
	b.Run("keep", func(b *testing.B) { n.compare(b, n.bareKeep, n.keep) })
}

func newReviewBench(b *testing.B, accounts int) *reviewBench {
	b.Helper()
	s, pool, conn := benchInventory(b, accounts)
	for _, sql := range []string{
		`create unlogged table bare (id uuid)`,
		`create table bare_kept (review_id uuid, account_id uuid, connection_id uuid not null, external_id text not null, login text not null,
			privileged boolean not null, state text not null, grade text not null, threshold_seconds bigint not null, last_active_at timestamptz,
			bytes bigint not null, updated_at timestamptz not null, primary key (review_id, account_id))`,
		`vacuum analyze`,
	} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	n := &reviewBench{s: s, pool: pool}
	space := strconv.Itoa(accounts / 7)
	n.rule = schema.PolicyRule{
		Name: "dormant", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdActs, Connections: []string{"box"},
		Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted},
		Grades: []schema.Grade{schema.GradeInactive, schema.GradeNever}, Threshold: schema.Threshold{Default: 158 * reportDay},
		Match: `account.space_used < ` + space + ` && !account.login.startsWith("svc-") && activity.silent_for > days(100)`,
		Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}, Budget: schema.Budget{PerRun: 10},
		Freshness: schema.Freshness{Sync: reportDay, Activity: reportDay, Patience: reportDay},
	}
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}
	applied, err := s.ApplyPolicies(b.Context(), schema.ApplyPolicies{Files: []schema.PolicyFile{{Rule: n.rule, Source: "policy"}}}, by)
	require.NoError(b, err)
	n.policy = applied[0].Policy.ID
	n.filter = schema.PopulationQuery{
		Connections: []schema.ConnectionID{conn}, Kinds: n.rule.Kinds, Statuses: n.rule.Statuses, Grades: n.rule.Grades, Threshold: n.rule.Threshold,
		Bounds: []schema.Bound{{Field: schema.BoundSpaceUsed, Op: schema.BoundLess, Values: []string{space}}},
	}
	return n
}

// compare runs both in turn, three times, and reports the fastest of each.
func (n *reviewBench) compare(b *testing.B, bare, ours func(*testing.B) time.Duration) {
	for b.Loop() {
		sql, through := time.Duration(1<<62), time.Duration(1<<62)
		var peak uint64
		for range 3 {
			n.filter.Now = time.Now().UTC()
			sql = min(sql, bare(b))
			stop := watchHeap()
			through = min(through, ours(b))
			peak = max(peak, stop())
		}
		b.ReportMetric(float64(n.matched), "matched")
		b.ReportMetric(float64(through)/1e6, "review-ms")
		b.ReportMetric(float64(sql)/1e6, "sql-ms")
		b.ReportMetric(float64(through)/float64(sql), "ratio")
		b.ReportMetric(float64(peak)/(1<<20), "heap-MB")
	}
}

func (n *reviewBench) bareIDs(b *testing.B) time.Duration {
	began := time.Now()
	n.matched = bareFilter(b, n.pool, n.filter)
	return time.Since(began)
}

// bareKeep is bareFilter with the columns of an item.
func (n *reviewBench) bareKeep(b *testing.B) time.Duration {
	began := time.Now()
	n.runs++
	review := fmt.Sprintf("00000000-0000-0000-0000-%012d", n.runs)
	tag, err := n.pool.Exec(b.Context(), `insert into bare_kept
		select $6, g.id, g.connection_id, g.external_id, g.login, g.role <> 'member', 'matched', g.grade, 158 * 86400, g.last_active_at, g.space_used, $1
		from (select a.*, case
				when a.last_active_at >= i.cutoff then 'active'
				when a.last_active_at is null and a.created_at between i.f and i.t then 'never'
				when greatest(a.last_active_at, a.created_at, i.f) > i.t - ($1::timestamptz - i.cutoff) then 'unknown'
				else 'inactive' end as grade
			from account a, (select max(from_at) as f, max(to_at) as t, $1::timestamptz - interval '158 days' as cutoff from activity_interval) i
			where a.connection_id = $2 and a.kind = any($3) and a.status = any($4) and a.space_used < `+n.filter.Bounds[0].Values[0]+`) g
		where g.grade = any($5)`, n.filter.Now, string(n.filter.Connections[0]), n.filter.Kinds, n.filter.Statuses, n.filter.Grades, review)
	require.NoError(b, err)
	n.matched = tag.RowsAffected()
	return time.Since(began)
}

// evaluate judges the population and keeps nothing, as a preview does.
func (n *reviewBench) evaluate(b *testing.B) time.Duration {
	judge := activities.NewPolicyJudge(activities.ReviewsConfig{Store: n.s, History: n.s, Clocks: schema.DefaultClocks()})
	began := time.Now()
	p, err := judge.Preview(b.Context(), n.rule, 0)
	took := time.Since(began)
	require.NoError(b, err)
	require.Equal(b, n.matched, p.Matched, "both take the same")
	return took
}

// keep judges the population in a run.
func (n *reviewBench) keep(b *testing.B) time.Duration {
	n.runs++
	r, err := n.s.BeginReview(b.Context(), n.policy, n.filter.Now, "review/bench/"+newUUID())
	require.NoError(b, err)
	require.NoError(b, n.s.BeginJudging(b.Context(), r.ID))
	reviews := activities.NewReviews(activities.ReviewsConfig{Store: n.s, Clocks: schema.DefaultClocks()})
	began := time.Now()
	require.NoError(b, reviews.JudgeAccounts(b.Context(), activities.ReviewInput{ReviewID: r.ID}))
	took := time.Since(began)
	judged, err := n.s.Review(b.Context(), r.ID)
	require.NoError(b, err)
	require.Equal(b, n.matched, schema.CountOf(judged.Reasons, schema.ReasonMatched), "both take the same")
	require.NoError(b, n.s.EndReview(b.Context(), r.ID, schema.ReviewCancelled, "measured"))
	return took
}
