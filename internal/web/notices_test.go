package web_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

const rulesFile = "apiVersion: sendoff/v1\nkind: Notices\nroutes:\n  - {audience: it, events: [parked], channel: slack, to: [it]}\n"

func TestApplyNoticeRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := schema.NoticeRules{}
	b.store.NoticeRulesFunc = func() (schema.NoticeRules, error) { return now, nil }
	apply := func(more string) answer {
		return b.do("admin", "PUT", "/v1/notices/rules", `{"file":"n.yaml","source":`+quote(t, rulesFile)+more+`}`)
	}
	a := apply(`,"dry_run":true`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.JSONEq(t, `{"applied":false,"change":"created","from_version":0,"version":1,"previous":"","warnings":[]}`, without(t, a, "$schema"))
	now = schema.NoticeRules{Version: 3, Source: "old"}
	require.JSONEq(t, `{"applied":false,"change":"changed","from_version":3,"version":4,"previous":"old","warnings":[]}`, without(t, apply(`,"dry_run":true`), "$schema"))

	var got schema.NoticeRules
	b.store.ApplyNoticeRulesFunc = func(r schema.NoticeRules) (schema.NoticeRules, error) {
		got = r
		r.Version = 4
		return r, nil
	}
	a = apply("")
	require.Equal(t, true, a.json["applied"], a.raw)
	require.Equal(t, schema.NoticeRules{
		Version: 3, Source: rulesFile,
		Routes: []schema.NoticeRoute{{Audience: "it", Events: []schema.NoticeEvent{"parked"}, Channel: "slack", To: []string{"it"}}},
	}, got)
	apply(`,"from_version":2`)
	require.Equal(t, 2, got.Version, "the store compares with what was looked at")

	a = b.do("admin", "PUT", "/v1/notices/rules", `{"file":"n.yaml","source":"kind: Notices\nroutes: [{}]\ntexts: {planned: \"{{who}}\"}\n"}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, a.raw)
	require.ElementsMatch(t, []string{
		"n.yaml line 1, column 1 (apiVersion):required", "n.yaml line 2, column 10 (routes[0].audience):required", "n.yaml line 2, column 10 (routes[0].channel):required",
		"n.yaml line 2, column 10 (routes[0].events):required", "n.yaml line 2, column 10 (routes[0].to):required", "n.yaml line 3, column 18 (texts.planned):placeholder",
	}, a.problems())
}

func TestShowNoticeRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("admin", "GET", "/v1/notices/rules", "")
	require.JSONEq(t, `{"version":0,"routes":[],"texts":{},"source":"","updated_by":"","updated_at":null}`, without(t, a, "$schema"))
	b.store.NoticeRulesVersionFunc = func(version int) (schema.NoticeRules, error) {
		return schema.NoticeRules{
			Version: version, Source: "text", UpdatedBy: "root", UpdatedAt: now, Texts: map[schema.NoticeEvent]string{"done": "x"},
			Routes: []schema.NoticeRoute{{Audience: "manager", Events: []schema.NoticeEvent{"done"}, Channel: "mail"}},
		}, nil
	}
	a = b.do("admin", "GET", "/v1/notices/rules?version=2", "")
	require.JSONEq(t, `{"version":2,"routes":[{"audience":"manager","events":["done"],"channel":"mail","to":[]}],"texts":{"done":"x"},"source":"text",
		"updated_by":"root","updated_at":"2026-11-21T12:00:00Z"}`, without(t, a, "$schema"))
}

func TestListAndRetryNotices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.FindCaseFunc = func(ref string) (schema.Case, error) { return schema.Case{ID: schema.CaseID("case-of-" + ref)}, nil }
	failed := schema.QueuedNotice{
		ID: "n1", Event: "parked", Audience: "it", Channel: "slack", To: []string{"it"}, CaseID: "c1", PlanID: "p1", Cause: &schema.Cause{Code: "UNAUTHORIZED", Message: "canary"},
		Version: 2, State: "failed", Attempts: 3, LastError: "Slack answered 410", TextHash: "ab", CreatedAt: now,
	}
	b.store.ListNoticesFunc = func(f schema.NoticeFilter) ([]schema.QueuedNotice, string, error) {
		require.Equal(t, schema.NoticeFilter{State: "failed", CaseID: "case-of-0197c0de", After: "x", Limit: 7}, f)
		return []schema.QueuedNotice{failed}, "next", nil
	}
	a := b.do("auditor", "GET", "/v1/notices?state=failed&case=0197c0de&cursor=x&limit=7", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "next", a.json["next"])
	require.JSONEq(t, `[{"id":"n1","event":"parked","audience":"it","channel":"slack","to":["it"],"case_id":"c1","plan_id":"p1","leaver_id":"","batch_id":"","source_id":"",
		"cause":"UNAUTHORIZED","rules":2,"state":"failed","attempts":3,"last_error":"Slack answered 410","text_sha256":"ab","created_at":"`+now.Format(time.RFC3339)+`","delivered_at":null}]`,
		field(t, a, "notices"))
	require.NotContains(t, a.raw, "canary")
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/notices?state=lost", "").status)

	b.store.RetryNoticeFunc = func(id schema.NoticeID) (schema.QueuedNotice, error) {
		require.Equal(t, schema.NoticeID("n1"), id)
		again := failed
		again.State = "pending"
		return again, nil
	}
	a = b.do("operator", "POST", "/v1/notices/n1/retry", "")
	require.Equal(t, "pending", a.json["state"], a.raw)
}

// without is the answer's body as JSON but for one member.
func without(t *testing.T, a answer, name string) string {
	t.Helper()
	m := maps.Clone(a.json)
	delete(m, name)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}
