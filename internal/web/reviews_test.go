package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// knowing lets the store hold the connection c1 = box-main and the account a1.
func knowing(b *bundle) {
	b.store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
		return []schema.Connection{{ID: "c1", Name: "box-main"}}, "", nil
	}
	b.store.AccountDetailFunc = func(ref string, _ time.Duration) (schema.AccountDetail, error) {
		if ref != "box-main/111" {
			return schema.AccountDetail{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no such account"}
		}
		return schema.AccountDetail{AccountRow: schema.AccountRow{Account: schema.Account{ID: "a1"}}}, nil
	}
}

func heldReview() schema.Review {
	return schema.Review{
		ID: "r1", PolicyID: "p1", Policy: "dormant", Version: 3, ScheduledAt: now, Trigger: schema.TriggerPerson, RequestedBy: "root",
		Mode: schema.ReviewActs, State: schema.ReviewHeld, Looked: 100, Changed: 2, Hash: "feed", BatchID: "b1", Approvals: 1, BudgetWait: &schema.BudgetWait{
			Accounts: 2, Since: now, Until: now.Add(24 * time.Hour), Overruns: []schema.Overrun{{Limit: schema.LimitEngine, Used: 5, Wanted: 1, Allowed: 5}},
		},
		CreatedAt: now, JudgedAt: now,
		Reasons: []schema.ReasonCount{{Reason: schema.ReasonUnknown, Count: 70}, {Reason: schema.ReasonMatched, Count: 30}},
		Basis: []schema.PopulationBasis{
			{ConnectionID: "c1", Connection: "box-main", Covered: schema.Interval{From: now.Add(-time.Hour), To: now}, SyncedAt: now},
			{Connection: "box-two", Why: "SCOPE_MISSING"},
		},
		Wanted:   schema.Spending{Accounts: 30, Privileged: 1, Bytes: 7, Connection: map[schema.ConnectionID]int{"c1": 28, "c0": 2}},
		Overruns: []schema.Overrun{{Limit: schema.LimitConnection, Subject: "c1", Used: 4, Wanted: 28, Allowed: 25}, {Limit: schema.LimitPerRun, Wanted: 30, Allowed: 25}},
		Approved: []schema.ReviewApproval{{Principal: "second", Reason: "looked", Hash: "feed", CreatedAt: now}},
	}
}

const heldReviewJSON = `{"id":"r1","policy":"dormant","policy_id":"p1","version":3,"mode":"act","state":"held","end":"","why":"","trigger":"person","requested_by":"root",
	"scheduled_at":"2026-11-21T12:00:00Z","looked":100,"matched":30,"reasons":[{"reason":"unknown","count":70},{"reason":"matched","count":30}],"changed":2,
	"basis":[{"connection":"box-main","covered_from":"2026-11-21T11:00:00Z","covered_to":"2026-11-21T12:00:00Z","synced_at":"2026-11-21T12:00:00Z","why":""},
		{"connection":"box-two","covered_from":null,"covered_to":null,"synced_at":null,"why":"SCOPE_MISSING"}],
	"hash":"feed","wanted":{"accounts":30,"privileged":1,"bytes":7,"connections":[{"connection":"box-main","accounts":28},{"connection":"c0","accounts":2}]},
	"overruns":[{"limit":"connection","connection":"box-main","used":4,"wanted":28,"allowed":25},{"limit":"per_run","connection":"","used":0,"wanted":30,"allowed":25}],
	"budget_wait":{"accounts":2,"since":"2026-11-21T12:00:00Z","until":"2026-11-22T12:00:00Z","overruns":[{"limit":"engine","connection":"","used":5,"wanted":1,"allowed":5}]},
	"batch_id":"b1","approvals":1,"approved":[{"principal":"second","reason":"looked","hash":"feed","at":"2026-11-21T12:00:00Z"}],
	"created_at":"2026-11-21T12:00:00Z","judged_at":"2026-11-21T12:00:00Z","ended_at":null}`

func TestReviewRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.RequestReviewFunc = func(ref string, mode schema.ReviewMode) (schema.Review, error) {
		require.Equal(t, "dormant", ref)
		return schema.Review{ID: "r1", Mode: mode}, nil
	}
	a := b.do("operator", "POST", "/v1/policies/dormant/reviews", `{}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.Equal(t, "act", a.json["mode"])
	require.Equal(t, "report", b.do("operator", "POST", "/v1/policies/dormant/reviews", `{"mode":"report"}`).json["mode"])
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/policies/dormant/reviews", `{"mode":"shadow"}`).status)

	b.store.ReviewFunc = func(schema.ReviewID) (schema.Review, error) { return heldReview(), nil }
	require.JSONEq(t, heldReviewJSON, b.do("auditor", "GET", "/v1/reviews/r1", "").raw)
	b.store.ReviewsFunc = func(f schema.ReviewFilter) ([]schema.Review, string, error) {
		require.Equal(t, schema.ReviewFilter{Policy: "dormant", State: schema.ReviewHeld, After: "c", Limit: 2}, f)
		return []schema.Review{heldReview()}, "more", nil
	}
	a = b.do("auditor", "GET", "/v1/reviews?policy=dormant&state=held&cursor=c&limit=2", "")
	require.JSONEq(t, `[`+heldReviewJSON+`]`, field(t, a, "reviews"))
	require.Equal(t, "more", a.json["next"])

	b.store.ReviewItemsFunc = func(id schema.ReviewID, f schema.ItemFilter) ([]schema.ReviewItem, string, error) {
		require.Equal(t, schema.ItemFilter{State: schema.ItemDrifted, Limit: 50}, f)
		return []schema.ReviewItem{{
			ReviewID: id, AccountID: "a1", ConnectionID: "c1", ExternalID: "111", Login: "ada@example.com", State: schema.ItemDrifted, Grade: schema.GradeInactive,
			Threshold: 90 * 24 * time.Hour, Facts: &schema.Facts{AccountID: "111", Steps: []schema.StepFact{{Kind: schema.StepSuspend}}}, Hash: "ab",
			Drift: []schema.Difference{{Fact: "role", Before: "member", Now: "admin"}}, Why: "the role changed", UpdatedAt: now,
		}}, "", nil
	}
	a = b.do("auditor", "GET", "/v1/reviews/r1/items?state=drifted", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	for _, part := range []string{`"connection":"box-main"`, `"threshold":"90d"`, `"drift":[{"fact":"role","before":"member","now":"admin"}]`, `"steps":[{"kind":"suspend"}]`, `"ask_until":null`} {
		require.Contains(t, a.raw, part)
	}
	b.store.VerdictsFunc = func(id schema.ReviewID, reason schema.VerdictReason, changed bool, after string, limit int) ([]schema.VerdictRow, string, error) {
		require.Equal(t, schema.ReasonExcluded, reason)
		require.True(t, changed)
		return []schema.VerdictRow{{AccountID: "a1", Connection: "box-main", ExternalID: "111", Login: "x", Reason: reason, Before: schema.ReasonMatched, Exclusion: 0}}, "n", nil
	}
	a = b.do("auditor", "GET", "/v1/reviews/r1/verdicts?reason=excluded&changed=true", "")
	require.JSONEq(t, `[{"account":"a1","connection":"box-main","account_id":"111","login":"x","reason":"excluded","before":"matched","exclusion":0}]`, field(t, a, "verdicts"))
}

func TestReviewDecisions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.ApproveReviewFunc = func(id schema.ReviewID, hash, reason string, by schema.Principal) (schema.Review, error) {
		require.Equal(t, "night-shift", by.Name)
		if hash != "feed" {
			return schema.Review{}, &schema.Error{Code: schema.CodeHashDiffers, Message: "the hash is another"}
		}
		return schema.Review{ID: id, State: schema.ReviewActing, Hash: hash}, nil
	}
	require.Equal(t, []string{"reason:required", "hash:required"}, b.do("operator", "POST", "/v1/reviews/r1/approve", `{"hash":" ","reason":""}`).problems())
	a := b.do("operator", "POST", "/v1/reviews/r1/approve", `{"hash":"beef","reason":"fine"}`)
	require.Equal(t, "hash_differs", a.json["code"])
	require.Equal(t, "acting", b.do("operator", "POST", "/v1/reviews/r1/approve", `{"hash":"FEED","reason":"fine"}`).json["state"])

	b.store.CancelReviewFunc = func(id schema.ReviewID, reason string) (schema.Review, error) {
		require.Equal(t, "not now", reason)
		return schema.Review{ID: id, State: schema.ReviewEnded, End: schema.ReviewCancelled}, nil
	}
	require.Equal(t, []string{"reason:required"}, b.do("operator", "POST", "/v1/reviews/r1/cancel", `{"reason":""}`).problems())
	require.Equal(t, "cancelled", b.do("operator", "POST", "/v1/reviews/r1/cancel", `{"reason":" not now "}`).json["end"])

	b.store.AnswerItemFunc = func(id schema.ReviewID, account schema.AccountID, answer schema.Answer, reason string) (schema.ReviewItem, error) {
		require.Equal(t, schema.AccountID("a1"), account)
		return schema.ReviewItem{ReviewID: id, AccountID: account, ConnectionID: "c1", State: schema.ItemKept, Why: reason}, nil
	}
	a = b.do("operator", "POST", "/v1/reviews/r1/items/box-main%2F111/answer", `{"answer":"needed","reason":"on leave"}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "kept", a.json["state"])
	require.Equal(t, http.StatusNotFound, b.do("operator", "POST", "/v1/reviews/r1/items/nobody/answer", `{"answer":"needed","reason":"x"}`).status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/reviews/r1/items/box-main%2F111/answer", `{"answer":"perhaps","reason":"x"}`).status)
}

func TestReviewReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.ReviewReportFunc = func(id schema.ReviewID) (schema.ReviewReport, error) {
		return schema.ReviewReport{
			Review: schema.Review{ID: id}, Items: []schema.ItemCount{{State: schema.ItemStarted, Count: 4}}, Plans: []schema.PlanCount{{State: schema.PlanDone, Count: 3}},
			Asked: 9, Answered: 5, Needed: 3, NotNeeded: 2, Undeliverable: 1, SeatsFreed: 3, SeatsAhead: 1,
			AtRenewal: []schema.Money{{Minor: 4500, Currency: "EUR"}}, Excluded: []schema.ExcludedCount{{Exclusion: 1, Reason: "on leave", Count: 6}},
		}, nil
	}
	a := b.do("auditor", "GET", "/v1/reviews/r1/report", "")
	require.JSONEq(t, `[{"state":"started","count":4}]`, field(t, a, "items"))
	require.JSONEq(t, `[{"state":"done","count":3}]`, field(t, a, "plans"))
	require.JSONEq(t, `{"asked":9,"answered":5,"needed":3,"not_needed":2,"undeliverable":1}`, field(t, a, "asks"))
	require.JSONEq(t, `{"freed":3,"ahead":1}`, field(t, a, "seats"))
	require.JSONEq(t, `[{"amount":"45.00","amount_minor":4500,"currency":"EUR"}]`, field(t, a, "at_renewal"))
	require.JSONEq(t, `[{"exclusion":1,"reason":"on leave","count":6}]`, field(t, a, "excluded"))
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.EngineBudgetFunc = func() (schema.EngineBudget, error) { return schema.EngineBudget{PerDay: 100}, nil }
	b.store.BudgetUsedFunc = func(since time.Time) (schema.Spending, error) {
		require.Equal(t, now.Add(-24*time.Hour), since)
		return schema.Spending{Accounts: 3, Connection: map[schema.ConnectionID]int{"c1": 3}}, nil
	}
	require.JSONEq(t, `{"per_day":100,"per_connection":0,"used":{"accounts":3,"privileged":0,"bytes":0,"connections":[{"connection":"box-main","accounts":3}]},
		"updated_by":"","updated_at":null}`, b.do("auditor", "GET", "/v1/budget", "").raw)
	b.store.SetEngineBudgetFunc = func(e schema.EngineBudget) (schema.EngineBudget, error) {
		e.UpdatedBy, e.UpdatedAt = "root", now
		return e, nil
	}
	a := b.do("admin", "PUT", "/v1/budget", `{"per_day":50,"per_connection":20}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.InDelta(t, 20, a.json["per_connection"], 0)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("admin", "PUT", "/v1/budget", `{"per_day":-1,"per_connection":20}`).status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("admin", "PUT", "/v1/budget", `{"per_day":1}`).status, "nothing is set by leaving it out")
}
