package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// reporting lets the store answer with one report after the other; the last stays.
func reporting(b *bundle, reports ...schema.ReviewReport) {
	b.store.ReviewReportFunc = func(id schema.ReviewID) (schema.ReviewReport, error) {
		r := reports[0]
		r.Review.ID, r.Review.Policy = id, "dormant"
		if len(reports) > 1 {
			reports = reports[1:]
		}
		return r, nil
	}
}

func inState(state schema.ReviewState, items ...schema.ItemCount) schema.ReviewReport {
	return schema.ReviewReport{Review: schema.Review{State: state, CreatedAt: now, Looked: 10, JudgedAt: now}, Items: items}
}

func TestPolicyRunWaitsForItsEndOrForPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.RequestReviewFunc = func(ref string, mode schema.ReviewMode) (schema.Review, error) {
		if ref == "busy" {
			return schema.Review{}, &schema.Error{Code: schema.CodeConflict, Message: "review r0 of the policy is open"}
		}
		return schema.Review{ID: "r1", Policy: ref, Mode: mode}, nil
	}
	r := b.run("policy", "run", "dormant", "--report-only")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, "Review r1 of policy dormant begins (report).\n", r.out)
	require.Equal(t, cli.ExitRefused, b.run("policy", "run", "busy").code)

	ended := inState(schema.ReviewEnded, schema.ItemCount{State: schema.ItemStarted, Count: 4})
	ended.Review.End = schema.ReviewDone
	reporting(b, schema.ReviewReport{Review: schema.Review{State: schema.ReviewGathering}}, ended)
	r = b.run("policy", "run", "dormant", "--wait")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.errout, "dormant gathering\n")
	require.Contains(t, r.errout, "dormant done, looked at 10, matched 0, started 4\n")

	held := inState(schema.ReviewHeld)
	held.Review.BatchID = "b1"
	reporting(b, held)
	r = b.run("policy", "run", "dormant", "--wait")
	require.Equal(t, cli.ExitParked, r.code)
	require.Contains(t, r.errout, "sendoff batches show b1")
}

func TestPolicyReviewsShowEndsAsTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	asking := inState(schema.ReviewActing, schema.ItemCount{State: schema.ItemAsking, Count: 2}, schema.ItemCount{State: schema.ItemKept, Count: 1})
	reporting(b, inState(schema.ReviewActing, schema.ItemCount{State: schema.ItemReady, Count: 3}), asking)
	r, v := b.runJSON("policy", "reviews", "show", "r1", "--wait")
	require.Equal(t, cli.ExitDone, r.code, "answers may take weeks")
	require.Contains(t, r.errout, "ready 3")
	require.Len(t, v["items"], 2)
	approving := inState(schema.ReviewApproving)
	approving.Review.Hash, approving.Review.Approvals = "feed", 1
	reporting(b, approving)
	r = b.run("policy", "reviews", "show", "r1")
	require.Equal(t, cli.ExitDone, r.code, "it was only looked at")
	require.Contains(t, r.errout, "sendoff policy reviews approve r1 --hash feed")
	stale := inState(schema.ReviewEnded)
	stale.Review.End, stale.Review.Why = schema.ReviewStale, "activity of box-main is not collected"
	reporting(b, stale)
	r = b.run("policy", "reviews", "show", "r1", "--wait")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.out, "activity of box-main is not collected")
}

func TestPolicyReviewsLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.ReviewsFunc = func(f schema.ReviewFilter) ([]schema.Review, string, error) {
		require.Equal(t, schema.ReviewFilter{Policy: "dormant", State: schema.ReviewEnded, Limit: 50}, f)
		return []schema.Review{{ID: "r1", Policy: "dormant", State: schema.ReviewEnded, End: schema.ReviewTooMany, CreatedAt: now}}, "", nil
	}
	require.Regexp(t, `dormant .*too many .*r1`, b.run("policy", "reviews", "list", "--policy", "dormant", "--state", "ended").out)
	b.store.ReviewItemsFunc = func(schema.ReviewID, schema.ItemFilter) ([]schema.ReviewItem, string, error) {
		return []schema.ReviewItem{{
			AccountID: "a1", ConnectionID: "c1", ExternalID: "111", Login: "ada@example.com", State: schema.ItemDrifted, Grade: schema.GradeInactive, Threshold: 24 * time.Hour,
			Drift: []schema.Difference{{Fact: "role", Before: "member", Now: "admin"}}, Why: "it changed",
		}}, "", nil
	}
	require.Regexp(t, `box-main/111 +ada@example.com +drifted +inactive 1d .*it changed; role: member -> admin`, b.run("policy", "reviews", "items", "r1").out)
	b.store.VerdictsFunc = func(_ schema.ReviewID, reason schema.VerdictReason, changed bool, _ string, _ int) ([]schema.VerdictRow, string, error) {
		require.Equal(t, schema.ReasonExcluded, reason)
		require.True(t, changed)
		return []schema.VerdictRow{{Connection: "box-main", ExternalID: "111", Login: "ada@example.com", Reason: reason, Before: schema.ReasonMatched, Exclusion: 2}}, "", nil
	}
	require.Regexp(t, `box-main/111 +ada@example.com +excluded +matched +2`, b.run("policy", "reviews", "verdicts", "r1", "--reason", "excluded", "--changed").out)
	report := inState(schema.ReviewEnded)
	report.Asked, report.SeatsFreed, report.AtRenewal = 9, 3, []schema.Money{{Minor: 4500, Currency: "EUR"}}
	report.Excluded = []schema.ExcludedCount{{Exclusion: 1, Reason: "on leave", Count: 6}}
	reporting(b, report)
	r := b.run("policy", "reviews", "report", "r1")
	require.Contains(t, r.out, "at renewal   45.00 EUR saved in each period")
	require.Regexp(t, `6 +1 +on leave`, r.out)
}

func TestPolicyReviewDecisions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.ApproveReviewFunc = func(id schema.ReviewID, hash, _ string, _ schema.Principal) (schema.Review, error) {
		if hash != "feed" {
			return schema.Review{}, &schema.Error{Code: schema.CodeHashDiffers, Message: "the plans are not those any more"}
		}
		return schema.Review{ID: id, State: schema.ReviewApproving, Approvals: 2, Approved: []schema.ReviewApproval{{Principal: "root"}}}, nil
	}
	require.Contains(t, b.run("policy", "reviews", "approve", "r1", "--hash", "FEED", "--reason", "looked").out, "It needs 1 more.")
	require.Equal(t, cli.ExitHashDiffers, b.run("policy", "reviews", "approve", "r1", "--hash", "beef", "--reason", "looked").code)
	b.store.CancelReviewFunc = func(id schema.ReviewID, reason string) (schema.Review, error) { return schema.Review{ID: id}, nil }
	require.Contains(t, b.run("policy", "reviews", "cancel", "r1", "--reason", "no").out, "Cancelled review r1.")
	b.store.AnswerItemFunc = func(_ schema.ReviewID, _ schema.AccountID, answer schema.Answer, _ string) (schema.ReviewItem, error) {
		require.Equal(t, schema.AnswerNotNeeded, answer)
		return schema.ReviewItem{ConnectionID: "c1", Login: "ada@example.com", State: schema.ItemReady}, nil
	}
	require.Equal(t, "Answered for ada@example.com of box-main: it is ready now.\n",
		b.run("policy", "reviews", "answer", "r1", "ada@example.com", "--not-needed", "--reason", "she said so").out)
	require.Equal(t, cli.ExitUsage, b.run("policy", "reviews", "answer", "r1", "ada@example.com", "--reason", "x").code, "an answer is needed")
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	budget := schema.EngineBudget{PerDay: 100, Connection: 40}
	b.store.EngineBudgetFunc = func() (schema.EngineBudget, error) { return budget, nil }
	b.store.SetEngineBudgetFunc = func(e schema.EngineBudget) (schema.EngineBudget, error) {
		budget = e
		return e, nil
	}
	b.store.BudgetUsedFunc = func(time.Time) (schema.Spending, error) {
		return schema.Spending{Accounts: 3, Connection: map[schema.ConnectionID]int{"c1": 3}}, nil
	}
	r := b.run("budget", "set", "--per-connection", "0")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, schema.EngineBudget{PerDay: 100}, budget, "what is not given stays")
	require.Contains(t, r.out, "by all doors together: 100; of one connection: any number")
	require.Contains(t, b.run("budget", "show").out, "  box-main: 3\n")
	require.Equal(t, cli.ExitUsage, b.run("budget", "set").code)
}
