package store_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// BenchmarkReview1M judges a population in one review run: SQL, the policy's CEL,
// and the keeping of what matched, as the worker does. In the same run one bare
// statement with that filter inserts the ids of the same accounts into an unlogged
// table. It reports both in ms, their ratio, and by how much the heap grew at most.
// SENDOFF_BENCH_ACCOUNTS sets the number of accounts; without it they are 20,000.
func BenchmarkReview1M(b *testing.B) {
	accounts := benchSize(b, "SENDOFF_BENCH_ACCOUNTS", 20_000)
	s, pool, conn := benchInventory(b, accounts)
	for _, sql := range []string{`create unlogged table bare (id uuid)`, `vacuum analyze`} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	space := strconv.Itoa(accounts / 7)
	rule := schema.PolicyRule{
		Name: "dormant", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdActs, Connections: []string{"box"},
		Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted},
		Grades: []schema.Grade{schema.GradeInactive, schema.GradeNever}, Threshold: schema.Threshold{Default: 158 * reportDay},
		Match: `account.space_used < ` + space + ` && !account.login.startsWith("svc-") && activity.silent_for > days(100)`,
		Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}, Budget: schema.Budget{PerRun: 10},
		Freshness: schema.Freshness{Sync: reportDay, Activity: reportDay, Patience: reportDay},
	}
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}
	applied, err := s.ApplyPolicies(b.Context(), schema.ApplyPolicies{Files: []schema.PolicyFile{{Rule: rule, Source: "policy"}}}, by)
	require.NoError(b, err)
	reviews := activities.NewReviews(activities.ReviewsConfig{Store: s, Clocks: schema.DefaultClocks()})
	filter := schema.PopulationQuery{
		Connections: []schema.ConnectionID{conn}, Kinds: rule.Kinds, Statuses: rule.Statuses, Grades: rule.Grades, Threshold: rule.Threshold,
		Bounds: []schema.Bound{{Field: schema.BoundSpaceUsed, Op: schema.BoundLess, Values: []string{space}}},
	}
	run := 0
	for b.Loop() {
		bare, ours := time.Duration(1<<62), time.Duration(1<<62)
		var peak uint64
		for range 3 { // the fastest of each
			filter.Now = time.Now().UTC()
			began := time.Now()
			inserted := bareFilter(b, pool, filter)
			bare = min(bare, time.Since(began))

			run++
			r, err := s.BeginReview(b.Context(), applied[0].Policy.ID, filter.Now, fmt.Sprintf("review/bench/%d", run))
			require.NoError(b, err)
			require.NoError(b, s.BeginJudging(b.Context(), r.ID))
			stop := watchHeap()
			began = time.Now()
			require.NoError(b, reviews.JudgeAccounts(b.Context(), activities.ReviewInput{ReviewID: r.ID}))
			ours = min(ours, time.Since(began))
			peak = max(peak, stop())
			judged, err := s.Review(b.Context(), r.ID)
			require.NoError(b, err)
			require.Equal(b, inserted, schema.CountOf(judged.Reasons, schema.ReasonMatched), "both take the same")
			require.NoError(b, s.EndReview(b.Context(), r.ID, schema.ReviewCancelled, "measured"))
			b.ReportMetric(float64(inserted), "matched")
			b.ReportMetric(float64(judged.Looked), "looked")
		}
		b.ReportMetric(float64(ours)/1e6, "review-ms")
		b.ReportMetric(float64(bare)/1e6, "sql-ms")
		b.ReportMetric(float64(ours)/float64(bare), "ratio")
		b.ReportMetric(float64(peak)/(1<<20), "heap-MB")
	}
}
