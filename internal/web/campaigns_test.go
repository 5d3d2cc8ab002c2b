package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func heldCampaign() schema.Campaign {
	return schema.Campaign{
		ID: "c1", ReviewID: "d1", Review: "quarterly", Version: 3, Title: "Every quarter", Owner: "boss@example.com", Trigger: schema.CampaignByPerson, ScheduledAt: now,
		RequestedBy: "root", Accounts: []schema.AccountID{"a1"}, State: schema.CampaignHeld,
		Basis: []schema.PopulationBasis{
			{Connection: "box-main", Covered: schema.Interval{From: now.Add(-time.Hour), To: now}, SyncedAt: now, GroupsAsOf: now},
			{Connection: "box-two", Unread: true, Why: "SCOPE_MISSING"},
		},
		Warnings:   []schema.Finding{{Code: schema.CampaignStaleFacts, Warning: true, Message: "old", Fix: "sync"}},
		SnapshotAt: now, OpenedAt: now, DueAt: now.Add(24 * time.Hour), ClosedAt: now.Add(25 * time.Hour), BatchID: "b1", CreatedAt: now,
		Overruns:   []schema.Overrun{{Limit: schema.LimitConnection, Subject: "c1", Used: 4, Wanted: 28, Allowed: 25}},
		WorkflowID: "campaign/c1",
	}
}

const heldCampaignJSON = `{"id":"c1","review":"quarterly","review_id":"d1","version":3,"title":"Every quarter","owner":"boss@example.com","trigger":"person",
	"scheduled_at":"2026-11-21T12:00:00Z","requested_by":"root","accounts":["a1"],"persons":[],"follows":"","state":"held","end":"","why":"",
	"basis":[{"connection":"box-main","covered_from":"2026-11-21T11:00:00Z","covered_to":"2026-11-21T12:00:00Z","synced_at":"2026-11-21T12:00:00Z",
		"groups_as_of":"2026-11-21T12:00:00Z","unread":false,"why":""},
		{"connection":"box-two","covered_from":null,"covered_to":null,"synced_at":null,"groups_as_of":null,"unread":true,"why":"SCOPE_MISSING"}],
	"warnings":[{"code":"STALE_FACTS","warning":true,"message":"old","fix":"sync"}],
	"snapshot_at":"2026-11-21T12:00:00Z","opened_at":"2026-11-21T12:00:00Z","due_at":"2026-11-22T12:00:00Z","closed_at":"2026-11-22T13:00:00Z",
	"overruns":[{"limit":"connection","connection":"box-main","used":4,"wanted":28,"allowed":25}],"batch_id":"b1",
	"signed_at":null,"signed_by":"","sign_reason":"","evidence":"","created_at":"2026-11-21T12:00:00Z","ended_at":null}`

func TestMakeAndListCampaigns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		if ref != "ada@example.com" {
			return "", &schema.Error{Code: schema.CodeNotFound, Message: "there is no such person"}
		}
		return "p1", nil
	}
	var got schema.NewCampaign
	b.store.NewCampaignFunc = func(n schema.NewCampaign) (schema.Campaign, error) {
		if n.Review == "busy" {
			return schema.Campaign{}, &schema.Error{Code: schema.CodeConflict, Message: "campaign c0 is open"}
		}
		got = n
		return schema.Campaign{ID: "c1", Review: n.Review, State: schema.CampaignDraft}, nil
	}
	a := b.do("operator", "POST", "/v1/campaigns", `{"review":"quarterly","start":true,"accounts":["box-main/111"],"persons":["ada@example.com"]}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.Equal(t, "draft", a.json["state"])
	require.Equal(t, schema.NewCampaign{
		Review: "quarterly", Start: true, Accounts: []schema.AccountID{"a1"}, Persons: []schema.PersonID{"p1"}, Trigger: schema.CampaignByPerson,
	}, got)
	a = b.do("operator", "POST", "/v1/campaigns", `{"review":" ","accounts":["box-main/111","nobody"],"persons":["x@example.com"]}`)
	require.Equal(t, []string{"review:required", "accounts[1]:not_found", "persons[0]:not_found"}, a.problems(), a.raw)
	require.NotContains(t, a.raw, "x@example.com")
	require.Equal(t, http.StatusConflict, b.do("operator", "POST", "/v1/campaigns", `{"review":"busy"}`).status)
	require.Equal(t, []string{"persons:too_many"}, b.do("operator", "POST", "/v1/campaigns", `{"review":"q","persons":["`+strings.Repeat(`ada@example.com","`, 100)+`x"]}`).problems())
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/campaigns", `{"review":"q","stray":1}`).status)

	b.store.CampaignsFunc = func(f schema.CampaignFilter) ([]schema.Campaign, string, error) {
		require.Equal(t, schema.CampaignFilter{Review: "quarterly", State: schema.CampaignHeld, After: "c", Limit: 2}, f)
		return []schema.Campaign{heldCampaign()}, "more", nil
	}
	a = b.do("reviewer", "GET", "/v1/campaigns?review=quarterly&state=held&cursor=c&limit=2", "")
	require.JSONEq(t, `[`+heldCampaignJSON+`]`, field(t, a, "campaigns"))
	require.Equal(t, "more", a.json["next"])
	require.Equal(t, http.StatusUnprocessableEntity, b.do("reviewer", "GET", "/v1/campaigns?limit=501", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("reviewer", "GET", "/v1/campaigns?state=lost", "").status)
}

func TestShowCampaign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	var view schema.CampaignView
	b.store.CampaignViewFunc = func(id schema.CampaignID) (schema.CampaignView, error) {
		if id != "c1" {
			return schema.CampaignView{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is none"}
		}
		return view, nil
	}
	view = schema.CampaignView{
		Campaign: heldCampaign(), Blocks: []schema.Finding{{Code: schema.CampaignUndecided, Message: "3 items are not decided", Fix: "have them decided"}},
		Counts: schema.CampaignCounts{
			Items: 9, States: []schema.StateCount{{State: schema.ItemDecided, Count: 6}}, Answers: []schema.AnswerCount{{Answer: schema.AnswerKeep, Count: 5}},
			Risks: []schema.RiskCount{{Risk: schema.RiskHigh, Count: 1}}, Removals: []schema.RemovalCount{{State: schema.RemovalDone, Count: 1}}, Returned: 1, Controls: 2,
		},
	}
	a := b.do("auditor", "GET", "/v1/campaigns/c1", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.JSONEq(t, `{"items":9,"states":[{"state":"decided","count":6}],"answers":[{"answer":"keep","count":5}],"risks":[{"risk":"high","count":1}],
		"removals":[{"state":"done","count":1}],"returned":1,"controls":2}`, field(t, a, "counts"))
	require.JSONEq(t, `[{"code":"ITEMS_UNDECIDED","message":"3 items are not decided","fix":"have them decided"}]`, field(t, a, "blocks"))
	require.Equal(t, "held", a.json["state"])
	require.NotContains(t, a.raw, "campaign/c1", "the workflow is nobody's business")
	view.Counts.States = append(view.Counts.States, schema.StateCount{State: schema.ItemUndecided, Count: 1}, schema.StateCount{State: schema.ItemOpen, Count: 4})
	view.Blocks = append(view.Blocks, schema.Finding{Code: schema.CampaignHasAlarms}, schema.Finding{Code: schema.CampaignOpenRemovals}, schema.Finding{Code: schema.CampaignNotClosed, Message: "it is held"})
	a = b.do("reviewer", "GET", "/v1/campaigns/c1", "")
	require.Contains(t, a.raw, `"controls":null`)
	require.JSONEq(t, `[{"code":"CAMPAIGN_NOT_CLOSED","message":"it is held"},
		{"code":"ITEMS_UNDECIDED","message":"5 items are not decided","fix":"have them decided, or accept that with the signature"}]`, field(t, a, "blocks"),
		"5 that are not decided, 3 of which are real, would tell how many are made up")
	a = b.do("boss", "GET", "/v1/campaigns/c1", "")
	require.Contains(t, a.raw, `"controls":2`, "the owner made them up, and reads all")
	require.Contains(t, a.raw, "3 items are not decided")
	require.Equal(t, http.StatusNotFound, b.do("reviewer", "GET", "/v1/campaigns/c2", "").status)
}

func TestMoveCampaigns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.StartCampaignFunc = func(id schema.CampaignID) (schema.Campaign, error) {
		return schema.Campaign{}, &schema.Error{Code: schema.CodeStale, Message: "the campaign is open by now"}
	}
	require.Equal(t, http.StatusConflict, b.do("operator", "POST", "/v1/campaigns/c1/start", "").status)
	b.store.ExtendCampaignFunc = func(_ schema.CampaignID, e schema.Extend) (schema.Campaign, error) {
		require.Equal(t, "sick", e.Reason)
		return schema.Campaign{DueAt: e.To}, nil
	}
	a := b.do("operator", "POST", "/v1/campaigns/c1/extend", `{"to":"2026-12-01T18:00:00+01:00","reason":" sick "}`)
	require.Equal(t, "2026-12-01T17:00:00Z", a.json["due_at"], a.raw)
	require.Equal(t, []string{"to:time_without_zone", "reason:required"}, b.do("operator", "POST", "/v1/campaigns/c1/extend", `{"to":"2026-12-01","reason":""}`).problems())
	require.Equal(t, []string{"to:past"}, b.do("operator", "POST", "/v1/campaigns/c1/extend", `{"to":"2026-11-21T12:00:00Z","reason":"x"}`).problems())

	b.store.CloseCampaignFunc = func(_ schema.CampaignID, early bool, reason string) (schema.Campaign, error) {
		if !early {
			return schema.Campaign{}, &schema.Error{Code: schema.CodeConflict, Message: "3 items are open"}
		}
		return schema.Campaign{State: schema.CampaignClosing, Why: reason}, nil
	}
	require.Equal(t, http.StatusConflict, b.do("operator", "POST", "/v1/campaigns/c1/close", `{"reason":"done"}`).status)
	require.Equal(t, "closing", b.do("operator", "POST", "/v1/campaigns/c1/close", `{"early":true,"reason":"done"}`).json["state"])
	require.Equal(t, []string{"reason:required"}, b.do("operator", "POST", "/v1/campaigns/c1/close", `{"reason":""}`).problems())
	b.store.CancelCampaignFunc = func(_ schema.CampaignID, reason string) (schema.Campaign, error) {
		return schema.Campaign{State: schema.CampaignEnded, End: schema.CampaignCancelled, Why: reason}, nil
	}
	require.Equal(t, []string{"reason:required"}, b.do("operator", "POST", "/v1/campaigns/c1/cancel", `{"reason":""}`).problems())
	require.Equal(t, "cancelled", b.do("operator", "POST", "/v1/campaigns/c1/cancel", `{"reason":"wrong scope"}`).json["end"])
}

func TestRemovalsAndReturns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.RemovalsFunc = func(id schema.CampaignID, f schema.RemovalFilter) ([]schema.Removal, string, error) {
		require.Equal(t, schema.RemovalFilter{State: schema.RemovalStarted, After: "c", Limit: 3}, f)
		return []schema.Removal{{
			ID: "m1", CampaignID: id, AccountID: "a1", Account: schema.Account{ConnectionID: "c1", ExternalID: "111", Login: "ada@example.com"}, State: schema.RemovalStarted,
			Items: []schema.CampaignItem{{ID: "i1", Facts: schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemGroup, Ref: "g1"}, Group: "Finance"}}},
			Hash:  "ab", Bytes: 7, CaseID: "k1", PlanState: schema.PlanRunning, CreatedAt: now, UpdatedAt: now,
		}}, "n", nil
	}
	a := b.do("auditor", "GET", "/v1/campaigns/c1/removals?state=started&cursor=c&limit=3", "")
	require.Equal(t, "n", a.json["next"], a.raw)
	require.JSONEq(t, `[{"id":"m1","account":"a1","connection":"box-main","account_id":"111","login":"ada@example.com",
		"items":[{"id":"i1","kind":"group","ref":"g1","access":"","group":"Finance","target":""}],"state":"started","facts":null,"hash":"ab","bytes":7,"findings":[],"why":"",
		"way":"","case_id":"k1","plan_state":"running","waits_for":"","proven_at":null,"checked_at":null,"watch_until":null,
		"created_at":"2026-11-21T12:00:00Z","updated_at":"2026-11-21T12:00:00Z"}]`, field(t, a, "removals"))
	back := func(item schema.ItemID, at time.Time) schema.Return {
		return schema.Return{
			ItemID: item, Facts: schema.ItemFacts{ItemRef: schema.ItemRef{AccountID: "a1", Kind: schema.ItemGroup, Ref: "g1"}, ExternalID: "111", Held: true},
			Cause: "directory", Detail: "fed by okta", SeenAt: at,
		}
	}
	b.store.ReturnsFunc = func(schema.CampaignID) ([]schema.Return, error) {
		return []schema.Return{back("i1", now), back("i1", now.Add(time.Hour)), back("i2", now)}, nil
	}
	var seen []any
	cursor := ""
	for {
		a = b.do("auditor", "GET", "/v1/campaigns/c1/returns?limit=2&cursor="+cursor, "")
		require.Equal(t, http.StatusOK, a.status, a.raw)
		list, _ := a.json["returns"].([]any)
		require.LessOrEqual(t, len(list), 2)
		seen = append(seen, list...)
		if cursor, _ = a.json["next"].(string); cursor == "" {
			break
		}
	}
	require.Len(t, seen, 3)
	first, _ := seen[0].(map[string]any)
	require.Equal(t, "directory", first["cause"])
	require.Equal(t, "a1", first["account"])
	require.Equal(t, []string{"cursor:cursor"}, b.do("auditor", "GET", "/v1/campaigns/c1/returns?cursor=x", "").problems())
}
