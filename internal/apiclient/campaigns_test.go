package apiclient_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// served is a client of a real server over a store of functions, and how to get an
// answer as it was sent.
func served(t *testing.T, store *webtest.Store) (*apiclient.Client, func(path string) string) {
	t.Helper()
	store.Tokens = map[string]schema.Principal{"sendoff_t": {TokenID: "t1", Name: "root", Role: schema.RoleAdmin, Email: "root@example.com"}}
	srv := httptest.NewServer(web.New(web.Config{
		Store: store, Planner: webtest.Receivers{}, Checker: webtest.Doctor{}, AccessReviews: store, Campaigns: store, Now: func() time.Time { return at },
	}))
	t.Cleanup(srv.Close)
	c, err := apiclient.New(srv.URL, "sendoff_t")
	require.NoError(t, err)
	return c, func(path string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer sendoff_t")
		res, err := srv.Client().Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode, string(b))
		return string(b)
	}
}

// sameJSON requires that a type of the client keeps all that the server says.
func sameJSON(t *testing.T, raw string, read any) {
	t.Helper()
	b, err := json.Marshal(read)
	require.NoError(t, err)
	require.JSONEq(t, raw, string(b))
}

// listed is the answer with a list and no next page.
func listed(name string, list any) map[string]any { return map[string]any{name: list, "next": ""} }

func fullReview() schema.AccessReview {
	return schema.AccessReview{
		ID: "d1", Name: "quarterly", Version: 2, Hash: "ab", Source: "text", Set: "main", State: schema.PolicyPaused, PauseReason: "holidays", PausedBy: "root", UpdatedAt: at,
		Rule: schema.AccessReviewRule{
			Title: "t", Owner: "o@example.com", Events: []schema.CampaignTrigger{schema.CampaignMover}, LoadCap: 5, Watch: time.Hour,
			Scope:     schema.CampaignScope{Connections: []string{"box"}, Kinds: []schema.AccountKind{schema.KindPerson}, UnusedFor: time.Hour, Changed: true, Privileged: true},
			Freshness: schema.CampaignFreshness{Sync: time.Hour, Doctor: true, Stale: schema.StaleWarns},
			Schedule:  schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 6, Days: []int{1}}}, Zone: "UTC"},
			Stages:    []schema.ReviewStage{{Name: "one", Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerGroup, Connection: "box", Group: "g", When: "true", To: []string{"x"}}}}},
			Owners:    []schema.EntitlementOwner{{Connection: "box", Group: "g", To: []string{"o@example.com"}}},
			Decisions: schema.DecisionRule{ReasonFor: []schema.ItemAnswer{schema.AnswerRevoke}, HighRiskReason: true, BulkBelow: schema.RiskMedium, Abstain: true, Carry: schema.RiskLow, CarryTimes: 2},
			Time:      schema.CampaignTime{Due: time.Hour, Remind: []time.Duration{time.Minute}, Silence: schema.SilenceEscalates, WorkingDays: true},
			Quality:   schema.QualityRule{MinItems: 1, MinSeconds: 2, ApproveAll: 3, Against: 4, Controls: schema.ControlRule{Each: 1, Decoys: []schema.Decoy{{Login: "l", Name: "n", Note: "o"}}}},
			Effect: schema.EffectRule{
				When: schema.EffectAtOnce, Account: []schema.StepFact{{Kind: schema.StepWait, WaitSeconds: 60}}, Role: "member", Receivers: []string{"r"}, Approvals: 1,
				Budget: schema.Budget{PerRun: 1, PerDay: 2, Connection: 3, Percent: 4, Bytes: 5, Privileged: 6},
			},
		},
	}
}

func TestAccessReviewsAreReadWhole(t *testing.T) {
	t.Parallel()
	store := &webtest.Store{}
	c, get := served(t, store)
	var state schema.PolicyState
	store.AccessReviewFunc = func(string) (schema.AccessReview, error) { return fullReview(), nil }
	store.AccessReviewsFunc = func(f schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
		require.Equal(t, "c", f.After)
		return []schema.AccessReview{fullReview()}, "n", nil
	}
	store.AccessReviewHistoryFunc = func(string, string, int) ([]schema.AccessReview, string, error) {
		return []schema.AccessReview{fullReview()}, "", nil
	}
	store.SetAccessReviewStateFunc = func(_ string, to schema.PolicyState, reason string) (schema.AccessReview, error) {
		require.Equal(t, "why", reason)
		state = to
		return fullReview(), nil
	}
	one, err := c.AccessReview(t.Context(), "quarterly")
	require.NoError(t, err)
	sameJSON(t, get("/v1/access-reviews/quarterly"), one)
	list, next, err := c.AccessReviews(t.Context(), "paused", "main", "c", 5)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "n", next)
	versions, _, err := c.AccessReviewHistory(t.Context(), "quarterly", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/access-reviews/quarterly/history"), listed("versions", versions))
	for to, call := range map[schema.PolicyState]func() (apiclient.AccessReview, error){
		schema.PolicyPaused: func() (apiclient.AccessReview, error) { return c.PauseAccessReview(t.Context(), "quarterly", "why") },
		schema.PolicyActive: func() (apiclient.AccessReview, error) { return c.ResumeAccessReview(t.Context(), "quarterly", "why") },
	} {
		_, err := call()
		require.NoError(t, err)
		require.Equal(t, to, state)
	}

	var seen []schema.SeenVersion
	store.ApplyAccessReviewsFunc = func(a schema.ApplyAccessReviews) ([]schema.AppliedAccessReview, error) {
		seen = a.Seen
		before := a.Rules[0].Rule
		before.Title = "before"
		return []schema.AppliedAccessReview{{Name: "q", Change: schema.PolicyChanged, Before: &before, Review: schema.AccessReview{Version: 8, State: schema.PolicyActive, Rule: a.Rules[0].Rule}}}, nil
	}
	text := "apiVersion: sendoff/v1\nkind: AccessReview\nname: q\nowner: it@example.com\nscope: {connections: [box], items: [account]}\nreviewers: [manager]\ntime: {due: 7d}\n"
	files := []apiclient.PolicyFile{{Name: "q.yaml", Source: text}}
	dry, err := c.ApplyAccessReviews(t.Context(), apiclient.ApplyAccessReviews{Files: files, DryRun: true})
	require.NoError(t, err)
	require.Nil(t, seen)
	require.False(t, dry.Applied)
	require.Equal(t, []string{`title: "before" -> (none)`}, dry.Reviews[0].Diff)
	done, err := c.ApplyAccessReviews(t.Context(), apiclient.ApplyAccessReviews{Files: files, Seen: dry.Seen()})
	require.NoError(t, err)
	require.True(t, done.Applied)
	require.Equal(t, []schema.SeenVersion{{Name: "q", Version: 7}}, seen)
}

func fullCampaign() schema.Campaign {
	return schema.Campaign{
		ID: "c1", ReviewID: "d1", Review: "quarterly", Version: 2, Title: "t", Owner: "o@example.com", Trigger: schema.CampaignReturned, ScheduledAt: at, RequestedBy: "root",
		Accounts: []schema.AccountID{"a1"}, Persons: []schema.PersonID{"p1"}, Follows: "c0", State: schema.CampaignSigned, End: schema.CampaignDone, Why: "w",
		Basis:    []schema.PopulationBasis{{Connection: "box", Covered: schema.Interval{From: at, To: at.Add(1)}, SyncedAt: at, GroupsAsOf: at, Unread: true, Why: "X"}},
		Warnings: []schema.Finding{{Code: "X", Warning: true, Message: "m", Fix: "f"}}, SnapshotAt: at, OpenedAt: at, DueAt: at, ClosedAt: at, BatchID: "b",
		SignedAt: at, SignedBy: "s", SignReason: "r", Evidence: "e", CreatedAt: at, EndedAt: at,
	}
}

func TestCampaignsAreReadWhole(t *testing.T) {
	t.Parallel()
	store := &webtest.Store{}
	c, get := served(t, store)
	var asked schema.NewCampaign
	store.NewCampaignFunc = func(n schema.NewCampaign) (schema.Campaign, error) { asked = n; return fullCampaign(), nil }
	store.StartCampaignFunc = func(schema.CampaignID) (schema.Campaign, error) { return fullCampaign(), nil }
	store.CampaignsFunc = func(f schema.CampaignFilter) ([]schema.Campaign, string, error) {
		return []schema.Campaign{fullCampaign()}, f.After, nil
	}
	store.CampaignViewFunc = func(schema.CampaignID) (schema.CampaignView, error) {
		return schema.CampaignView{Campaign: fullCampaign(), Blocks: []schema.Finding{{Code: "X", Message: "m"}}, Counts: schema.CampaignCounts{
			Items: 1, States: []schema.StateCount{{State: "open", Count: 1}}, Answers: []schema.AnswerCount{{Answer: "keep", Count: 2}},
			Risks: []schema.RiskCount{{Risk: "low", Count: 3}}, Removals: []schema.RemovalCount{{State: "done", Count: 4}}, Returned: 5, Controls: 6,
		}}, nil
	}
	store.ExtendCampaignFunc = func(_ schema.CampaignID, e schema.Extend) (schema.Campaign, error) {
		return schema.Campaign{DueAt: e.To}, nil
	}
	store.CloseCampaignFunc = func(_ schema.CampaignID, early bool, reason string) (schema.Campaign, error) {
		require.True(t, early)
		return schema.Campaign{Why: reason}, nil
	}
	store.CancelCampaignFunc = func(_ schema.CampaignID, reason string) (schema.Campaign, error) {
		return schema.Campaign{Why: reason}, nil
	}
	view, err := c.Campaign(t.Context(), "c1")
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1"), view)
	list, _, err := c.Campaigns(t.Context(), "quarterly", "signed", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns"), listed("campaigns", list))
	_, err = c.NewCampaign(t.Context(), apiclient.NewCampaign{Review: "quarterly", Start: true})
	require.NoError(t, err)
	require.True(t, asked.Start)
	_, err = c.StartCampaign(t.Context(), "c1")
	require.NoError(t, err)
	due := at.Add(48 * time.Hour)
	moved, err := c.ExtendCampaign(t.Context(), "c1", due, "why")
	require.NoError(t, err)
	require.Equal(t, due, *moved.DueAt)
	for _, call := range []func() (apiclient.Campaign, error){
		func() (apiclient.Campaign, error) { return c.CloseCampaign(t.Context(), "c1", true, "why") },
		func() (apiclient.Campaign, error) { return c.CancelCampaign(t.Context(), "c1", "why") },
	} {
		got, err := call()
		require.NoError(t, err)
		require.Equal(t, "why", got.Why)
	}

	store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
		return []schema.Connection{{ID: "x1", Name: "box"}}, "", nil
	}
	store.RemovalsFunc = func(schema.CampaignID, schema.RemovalFilter) ([]schema.Removal, string, error) {
		return []schema.Removal{{
			ID: "m1", AccountID: "a1", Account: schema.Account{ConnectionID: "x1", ExternalID: "1", Login: "l"}, Items: []schema.CampaignItem{fullItem()}, State: schema.RemovalDone,
			Facts: &schema.Facts{Cause: "access_review", Steps: []schema.StepFact{{Kind: schema.StepSuspend}}}, Hash: "h", Bytes: 1, Findings: []schema.Finding{{Code: "X", Message: "m"}}, Why: "w", Way: "y",
			CaseID: "k", PlanState: schema.PlanDone, WaitsFor: "k2", ProvenAt: at, CheckedAt: at, WatchUntil: at, CreatedAt: at, UpdatedAt: at,
		}}, "", nil
	}
	store.ReturnsFunc = func(schema.CampaignID) ([]schema.Return, error) {
		return []schema.Return{{ItemID: "i1", Facts: fullItem().Facts, Cause: "directory", Detail: "d", SeenAt: at, FollowUp: "c2"}}, nil
	}
	removals, _, err := c.Removals(t.Context(), "c1", "done", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1/removals"), listed("removals", removals))
	returns, _, err := c.Returns(t.Context(), "c1", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1/returns"), listed("returns", returns))
}

func fullItem() schema.CampaignItem {
	return schema.CampaignItem{
		ID: "i1", CampaignID: "c1", Version: 2, State: schema.ItemDecided, Stage: 1, ReviewerID: "p2", Reviewer: "r", Position: 1, AssignedAt: at, EscalateAt: at,
		Answer: schema.AnswerKeep, Reason: "why", DecidedBy: "d", DecidedAt: at, Why: "w", Control: true, RemovalID: "m1", Removal: schema.RemovalDone, UpdatedAt: at,
		Facts: schema.ItemFacts{
			ItemRef: schema.ItemRef{AccountID: "a1", Kind: schema.ItemGroup, Ref: "g"}, ConnectionID: "x1", ExternalID: "1", Login: "l", HolderID: "p1", Employment: "e",
			AccountStatus: "active", AccountKind: "person", Role: "member", Access: "a", Group: "g", Provenance: "p", Target: "t", Grade: "never", Held: true,
		},
		Context: schema.ItemContext{
			Connection: "box", Name: "n", Holder: "h", HolderEmail: "he", Employment: "k", Department: "d", Manager: "m", Since: at, SinceSeen: true, GrantedBy: "g",
			LastActiveAt: at, LastEvent: "E", Source: "s", CoveredFrom: at, CoveredTo: at, ObservedAt: at, Bytes: 5, Peers: schema.Peers{People: 1, With: 2},
			Last:    &schema.LastDecision{CampaignID: "c0", Answer: "keep", Reason: "r", By: "b", At: at, Carried: 3},
			Changed: true, FreesSeat: true, SeatPerYear: &schema.Money{Minor: 100, Currency: "EUR"}, Everybody: true,
		},
		Recommendation: schema.Recommendation{Answer: "revoke", Reasons: []string{"U"}}, Risk: schema.Risk{Level: "high", Score: 9, Reasons: []string{"P"}},
	}
}

func TestItemsAndWordsAreReadWhole(t *testing.T) {
	t.Parallel()
	store := &webtest.Store{}
	c, get := served(t, store)
	var filter schema.CampaignItemFilter
	store.PersonRefFunc = func(string) (schema.PersonID, error) { return "p2", nil }
	store.CampaignItemFunc = func(schema.CampaignID, schema.ItemID, schema.Principal) (schema.CampaignItem, error) {
		return fullItem(), nil
	}
	store.CampaignItemsFunc = func(_ schema.CampaignID, f schema.CampaignItemFilter, _ schema.Principal) ([]schema.CampaignItem, string, error) {
		filter = f
		return []schema.CampaignItem{fullItem()}, "n", nil
	}
	store.ReviewQueueFunc = func(after string, _ int, _ schema.Principal) ([]schema.CampaignItem, string, error) {
		return []schema.CampaignItem{fullItem()}, after, nil
	}
	store.ItemDecisionsFunc = func(schema.CampaignID, schema.ItemID) ([]schema.CampaignDecision, error) {
		return []schema.CampaignDecision{{ID: "w", ItemID: "i1", Stage: 1, Version: 2, Answer: "keep", Reason: "r", Bulk: true, Principal: "p", TokenID: "t", ReviewerID: "p2", DecidedAt: at, Current: true}}, nil
	}
	one, err := c.CampaignItem(t.Context(), "c1", "i1")
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1/items/i1"), one)
	list, next, err := c.CampaignItems(t.Context(), "c1", apiclient.CampaignItemFilter{State: "open", Answer: "keep", Risk: "low", Kind: "role", Reviewer: "r@example.com"}, "c", 5)
	require.NoError(t, err)
	require.Equal(t, "n", next)
	require.Len(t, list, 1)
	require.Equal(t, schema.CampaignItemFilter{State: "open", Answer: "keep", Risk: "low", Kind: "role", Reviewer: "p2", After: "c", Limit: 5}, filter)
	mine, next, err := c.MyItems(t.Context(), "c", 5)
	require.NoError(t, err)
	require.Equal(t, "c", next)
	require.Nil(t, mine[0].Control)
	decisions, _, err := c.ItemDecisions(t.Context(), "c1", "i1", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1/items/i1/decisions"), listed("decisions", decisions))

	changed := []schema.Difference{{Fact: "role", Before: "member", Now: "admin"}}
	store.DecideItemsFunc = func(_ schema.CampaignID, words []schema.Decide, _ schema.Principal) ([]schema.Decided, error) {
		out := make([]schema.Decided, len(words))
		for i, w := range words {
			out[i] = schema.Decided{ItemID: w.ItemID, Code: "stale", Message: "other", Fix: "look", Changed: changed, Version: 3, State: schema.ItemOpen}
		}
		return out, nil
	}
	word := apiclient.ItemWord{Item: "0192f0c4-0000-7000-8000-000000000001", Version: 2, Answer: "keep"}
	many, err := c.DecideItems(t.Context(), "c1", []apiclient.ItemWord{word, word})
	require.NoError(t, err)
	require.Equal(t, 2, many.Refused)
	require.Equal(t, apiclient.Difference{Fact: "role", Before: "member", Now: "admin"}, many.Decisions[1].Changed[0])
	refused := store.DecideItemsFunc
	store.DecideItemsFunc = func(_ schema.CampaignID, words []schema.Decide, _ schema.Principal) ([]schema.Decided, error) {
		return []schema.Decided{{ItemID: words[0].ItemID, Duplicate: true, Overtaken: true, Answer: schema.AnswerRevoke, Message: "corrected", Fix: "say it anew"}}, nil
	}
	old, err := c.DecideItems(t.Context(), "c1", []apiclient.ItemWord{word})
	require.NoError(t, err)
	require.Equal(t, []any{0, 1, "duplicate", true, "revoke"}, []any{old.Taken, old.Overtaken, old.Decisions[0].Result, old.Decisions[0].Overtaken, old.Decisions[0].Answer})
	store.DecideItemsFunc = refused
	_, err = c.DecideItems(t.Context(), "c1", []apiclient.ItemWord{word})
	var e *apiclient.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "stale", e.Code)
	require.Equal(t, http.StatusConflict, e.Status)
	require.Equal(t, []apiclient.Difference{{Fact: "role", Before: "member", Now: "admin"}}, e.Changed)
	require.Equal(t, 3, e.Version)
	require.Equal(t, "open", e.State)
}

func TestReviewersAndAbsencesAreReadWhole(t *testing.T) {
	t.Parallel()
	store := &webtest.Store{}
	c, get := served(t, store)
	stats := schema.ReviewerStats{
		ReviewerID: "p2", Name: "n", Email: "e", Items: 1, Open: 2, Decided: 3, Kept: 4, Revoked: 5, Abstained: 6, Bulk: 7, Recommended: 8, Against: 9, SaidRevoke: 10,
		MedianMillis: 1500, ControlsKept: 11, Reminders: 12, RemindedAt: at, Alarms: []schema.ReviewerAlarm{schema.AlarmSpeed}, LookedBy: "l", LookedAt: at, LookReason: "r", LookedDecisions: 3,
	}
	away := schema.Absence{ID: "v1", PersonID: "p2", Person: "two@example.com", From: at, Until: at.Add(time.Hour), DelegateID: "p3", Delegate: "three@example.com", Reason: "r", CreatedBy: "b", CreatedAt: at, EndedAt: at}
	store.PersonRefFunc = func(ref string) (schema.PersonID, error) { return schema.PersonID("of " + ref), nil }
	store.ReviewerStatsFunc = func(schema.CampaignID) ([]schema.ReviewerStats, error) { return []schema.ReviewerStats{stats}, nil }
	store.RemindReviewersFunc = func(_ schema.CampaignID, reviewer string) (int, error) { return len(reviewer), nil }
	var given schema.Reassign
	store.ReassignFunc = func(_ schema.CampaignID, r schema.Reassign) (int, error) { given = r; return 2, nil }
	var look schema.SecondLook
	store.SecondLookFunc = func(_ schema.CampaignID, l schema.SecondLook) (schema.ReviewerStats, error) {
		look = l
		return stats, nil
	}
	list, _, err := c.CampaignReviewers(t.Context(), "c1", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/campaigns/c1/reviewers"), listed("reviewers", list))
	n, err := c.RemindReviewers(t.Context(), "c1", "1234")
	require.NoError(t, err)
	require.Equal(t, 4, n)
	n, err = c.ReassignItems(t.Context(), "c1", apiclient.Reassign{From: "p", To: "x@example.com", Reason: "why"})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, schema.Reassign{From: "of p", To: "x@example.com", Reason: "why"}, given)
	_, err = c.LookAtReviewer(t.Context(), "c1", "p2", true, "why")
	require.NoError(t, err)
	require.Equal(t, schema.SecondLook{Reviewer: "of p2", Redo: true, Reason: "why"}, look)

	store.AbsencesFunc = func(person, _ string, _ int) ([]schema.Absence, string, error) {
		return []schema.Absence{away}, "", nil
	}
	var set schema.NewAbsence
	store.SetAbsenceFunc = func(n schema.NewAbsence, _ schema.Principal) (schema.Absence, error) { set = n; return away, nil }
	store.EndAbsenceFunc = func(id string) (schema.Absence, error) { return schema.Absence{ID: id}, nil }
	absences, _, err := c.Absences(t.Context(), "p2", "", 5)
	require.NoError(t, err)
	sameJSON(t, get("/v1/absences"), listed("absences", absences))
	_, err = c.SetAbsence(t.Context(), apiclient.NewAbsence{Person: "a@example.com", From: "2026-12-01T00:00:00Z", Until: "2026-12-02T00:00:00Z", Delegate: "b@example.com", Reason: "why"})
	require.NoError(t, err)
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, schema.NewAbsence{Person: "a@example.com", From: from, Until: from.Add(24 * time.Hour), Delegate: "b@example.com", Reason: "why"}, set)
	ended, err := c.EndAbsence(t.Context(), "v1")
	require.NoError(t, err)
	require.Equal(t, "v1", ended.ID)
}
