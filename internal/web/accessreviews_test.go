package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func accessReviewText(name, due string) string {
	return "apiVersion: sendoff/v1\nkind: AccessReview\nname: " + name + "\nowner: it@example.com\nscope:\n  connections: [box-main]\n  items: [account]\n" +
		"reviewers: [manager]\ntime: {due: " + due + "}\n"
}

// keepingReviews applies as a store does that has version 4 of each access review, due
// after 21 days.
func keepingReviews(b *bundle, got *schema.ApplyAccessReviews) {
	b.store.ApplyAccessReviewsFunc = func(a schema.ApplyAccessReviews) ([]schema.AppliedAccessReview, error) {
		*got = a
		var out []schema.AppliedAccessReview
		for _, f := range a.Rules {
			one := schema.AppliedAccessReview{
				Name: f.Rule.Name, Change: schema.PolicyUnchanged,
				Review: schema.AccessReview{Name: f.Rule.Name, Version: 4, Rule: f.Rule, State: schema.PolicyActive},
			}
			for _, s := range a.Seen {
				if s.Name == f.Rule.Name && s.Version != 4 {
					return nil, &schema.Error{Code: schema.CodeStale, Message: "another is applied"}
				}
			}
			if f.Rule.Time.Due != 21*24*time.Hour {
				before := f.Rule
				before.Time.Due = 21 * 24 * time.Hour
				one.Change, one.Before, one.Review.Version = schema.PolicyChanged, &before, 5
			}
			out = append(out, one)
		}
		if a.Set != "" {
			out = append(out, schema.AppliedAccessReview{
				Name: "gone", Change: schema.PolicyWithdrawn, Review: schema.AccessReview{Name: "gone", Version: 7, State: schema.PolicyPaused},
			})
		}
		return out, nil
	}
}

func TestApplyAccessReviewsTellsEveryFaultOfEveryFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("admin", "PUT", "/v1/access-reviews", policies(t, nil,
		"a.yaml", accessReviewText("quarterly", "21d"), "b.yaml", "kind: AccessReview\nstray: 1\n", "c.yaml", accessReviewText("quarterly", "7d"),
		"d.yaml", accessReviewText("other", "often")))
	require.Equal(t, http.StatusUnprocessableEntity, a.status, a.raw)
	where := strings.Join(a.problems(), "\n")
	require.Contains(t, where, "c.yaml:duplicate")
	require.Contains(t, where, "b.yaml line 2, column 1:unknown_member")
	require.Contains(t, where, "b.yaml line 1, column 1 (name):required")
	require.Contains(t, where, "d.yaml line 9")
	require.Equal(t, []string{"set:name", "files:count"}, b.do("admin", "PUT", "/v1/access-reviews", `{"set":"a b","files":[]}`).problems())
	require.Equal(t, http.StatusUnprocessableEntity, b.do("admin", "PUT", "/v1/access-reviews", `{"files":[],"stray":1}`).status)
}

func TestApplyAccessReviewsIsWhatWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var got schema.ApplyAccessReviews
	keepingReviews(b, &got)
	files := []string{"a.yaml", accessReviewText("quarterly", "14d"), "b.yaml", accessReviewText("same", "21d")}
	dry := b.do("admin", "PUT", "/v1/access-reviews", policies(t, map[string]any{"dry_run": true, "set": "main"}, files...))
	require.Equal(t, http.StatusOK, dry.status, dry.raw)
	require.Equal(t, false, dry.json["applied"])
	require.True(t, got.DryRun)
	require.Nil(t, got.Seen, "nobody looked")
	require.Equal(t, "main", got.Set)
	require.Equal(t, accessReviewText("quarterly", "14d"), got.Rules[0].Source)
	rows, _ := dry.json["reviews"].([]any)
	require.Len(t, rows, 3)
	first, _ := rows[0].(map[string]any)
	require.Equal(t, []any{"time.due: 21d -> 14d"}, first["diff"])
	require.InDelta(t, 4, first["from_version"], 0)
	require.InDelta(t, 5, first["version"], 0)
	require.Equal(t, "a.yaml", first["file"])
	require.Empty(t, first["warnings"])
	last, _ := rows[2].(map[string]any)
	require.Equal(t, "paused", last["change"])
	require.Empty(t, last["file"])

	a := b.do("admin", "PUT", "/v1/access-reviews", policies(t, map[string]any{"seen": []map[string]any{{"name": "quarterly", "version": 4}}}, files...))
	require.Equal(t, true, a.json["applied"], a.raw)
	require.Equal(t, []schema.SeenVersion{{Name: "quarterly", Version: 4}}, got.Seen)
	a = b.do("admin", "PUT", "/v1/access-reviews", policies(t, map[string]any{"seen": []map[string]any{{"name": "quarterly", "version": 3}}}, files...))
	require.Equal(t, http.StatusConflict, a.status, a.raw)
	require.Equal(t, "stale", a.json["code"])
	b.do("admin", "PUT", "/v1/access-reviews", policies(t, map[string]any{"seen": []any{}}, files...))
	require.NotNil(t, got.Seen, "an empty list says that all are new")
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		require.Equal(t, "it@example.com", ref)
		return "", &schema.Error{Code: schema.CodeNotFound, Message: "there is no such person"}
	}
	a = b.do("admin", "PUT", "/v1/access-reviews", policies(t, nil, files[:2]...))
	require.Equal(t, true, a.json["applied"], a.raw)
	require.Contains(t, a.raw, `"warnings":[{"where":"owner","code":"OWNER_UNKNOWN","message":"nobody is known by the address`)
}

func storedAccessReview(version int, due time.Duration) schema.AccessReview {
	return schema.AccessReview{
		ID: "d1", Name: "quarterly", Version: version, Hash: "ab", Source: "the file", State: schema.PolicyActive, UpdatedBy: "root", UpdatedAt: now, CreatedAt: now,
		Rule: schema.AccessReviewRule{
			Name: "quarterly", Owner: "it@example.com",
			Scope:  schema.CampaignScope{Connections: []string{"box-main"}, Items: []schema.ItemKind{schema.ItemAccount}, UnusedFor: 90 * 24 * time.Hour, Holders: schema.HoldersAll},
			Stages: []schema.ReviewStage{{Name: "managers", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}}}},
			Time:   schema.CampaignTime{Due: due, Remind: []time.Duration{24 * time.Hour}, Silence: schema.SilenceEscalates},
			Quality: schema.QualityRule{MinItems: 5, Controls: schema.ControlRule{Each: 1, Decoys: []schema.Decoy{
				{Login: "decoy@example.com", Note: "left years ago"},
			}}},
			Effect: schema.EffectRule{When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: 86400}}},
			Watch:  48 * time.Hour,
		},
	}
}

func TestShowAccessReviews(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.AccessReviewFunc = func(ref string) (schema.AccessReview, error) {
		if ref != "quarterly" {
			return schema.AccessReview{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is none"}
		}
		return storedAccessReview(3, 21*24*time.Hour), nil
	}
	b.store.AccessReviewsFunc = func(f schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
		require.Equal(t, schema.AccessReviewFilter{State: schema.PolicyActive, Set: "main", After: "c", Limit: 1}, f)
		return []schema.AccessReview{storedAccessReview(3, time.Hour)}, "n", nil
	}
	a := b.do("auditor", "GET", "/v1/access-reviews/quarterly", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "the file", a.json["source"])
	for _, part := range []string{
		`"unused_for":"90d"`, `"due":"21d"`, `"remind":["1d"]`, `"whom":"manager","to":[]`, `"watch":"2d"`, `"kinds":[]`, `"account":[{"kind":"suspend"},{"kind":"wait","wait":"1d"}]`,
		`"controls":{"each":1,"decoys":[{"login":"decoy@example.com","name":"","note":"left years ago"}]}`,
	} {
		require.Contains(t, a.raw, part)
	}
	a = b.do("reviewer", "GET", "/v1/access-reviews/quarterly", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Nil(t, a.json["source"])
	require.NotContains(t, a.raw, "decoy@", "who is asked about control items is not told them")
	require.Contains(t, a.raw, `"controls":null`)
	require.Equal(t, http.StatusNotFound, b.do("reviewer", "GET", "/v1/access-reviews/other", "").status)
	a = b.do("reviewer", "GET", "/v1/access-reviews?state=active&set=main&cursor=c&limit=1", "")
	require.Equal(t, "n", a.json["next"], a.raw)
	require.NotContains(t, a.raw, "decoy@")
	require.Contains(t, b.do("operator", "GET", "/v1/access-reviews?state=active&set=main&cursor=c&limit=1", "").raw, "decoy@")
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/access-reviews?limit=501", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/access-reviews?stray=1", "").status)
}

func TestPauseAndHistoryOfAccessReviews(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.SetAccessReviewStateFunc = func(_ string, state schema.PolicyState, reason string) (schema.AccessReview, error) {
		d := storedAccessReview(3, time.Hour)
		d.State, d.PauseReason = state, reason
		return d, nil
	}
	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/access-reviews/quarterly/pause", `{"reason":" "}`).problems())
	a := b.do("admin", "POST", "/v1/access-reviews/quarterly/pause", `{"reason":" holidays "}`)
	require.Equal(t, "paused", a.json["state"], a.raw)
	require.Equal(t, "holidays", a.json["pause_reason"])
	require.Equal(t, "active", b.do("admin", "POST", "/v1/access-reviews/quarterly/resume", `{"reason":"back"}`).json["state"])

	versions := []schema.AccessReview{storedAccessReview(3, 7*24*time.Hour), storedAccessReview(2, 14*24*time.Hour), storedAccessReview(1, 21*24*time.Hour)}
	b.store.AccessReviewHistoryFunc = func(_, after string, _ int) ([]schema.AccessReview, string, error) {
		if after == "2" {
			return versions[2:], "", nil
		}
		return versions[:2], "2", nil
	}
	a = b.do("auditor", "GET", "/v1/access-reviews/quarterly/history?limit=2", "")
	require.Contains(t, a.raw, "time.due: 14d -> 7d")
	require.Contains(t, a.raw, "time.due: 21d -> 14d", "also of the last one of the page")
	require.Equal(t, "2", a.json["next"])
	require.Contains(t, b.do("auditor", "GET", "/v1/access-reviews/quarterly/history?cursor=2", "").raw, `"diff":[]`, "nothing is before the first")
}
