package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func policyText(name, threshold string) string {
	return "apiVersion: sendoff/v1\nkind: InactivityPolicy\nname: " + name + "\nowner: it@example.com\nconnections: [box-main]\nthreshold: " + threshold +
		"\nsteps: [snapshot, suspend]\n"
}

// policies is the body that applies files, given as name, text, name, text.
func policies(t *testing.T, with map[string]any, files ...string) string {
	t.Helper()
	list := []map[string]any{}
	for i := 0; i < len(files); i += 2 {
		list = append(list, map[string]any{"name": files[i], "source": files[i+1]})
	}
	body := map[string]any{"files": list}
	for k, v := range with {
		body[k] = v
	}
	b, err := json.Marshal(body)
	require.NoError(t, err)
	return string(b)
}

// storing applies as a store does that has version 1 of each policy, with a
// threshold of 90 days, and in its set one policy more.
func storing(b *bundle) (writes *int) {
	writes = new(int)
	b.store.ApplyPoliciesFunc = func(a schema.ApplyPolicies) ([]schema.AppliedPolicy, error) {
		var out []schema.AppliedPolicy
		for _, f := range a.Files {
			one := schema.AppliedPolicy{
				Name: f.Rule.Name, Change: schema.PolicyUnchanged, Policy: schema.Policy{Name: f.Rule.Name, Version: 1, Rule: f.Rule, State: schema.PolicyActive},
			}
			if f.Rule.Threshold.Default != 90*24*time.Hour {
				before := f.Rule
				before.Threshold.Default = 90 * 24 * time.Hour
				one.Change, one.Before, one.Policy.Version = schema.PolicyChanged, &before, 2
			}
			out = append(out, one)
		}
		if a.Set != "" {
			out = append(out, schema.AppliedPolicy{Name: "gone", Change: schema.PolicyWithdrawn, Policy: schema.Policy{Name: "gone", Version: 7, State: schema.PolicyPaused}})
		}
		if a.Confirm != "" && a.Confirm != schema.ConfirmOf(a.Set, out) { // as the store does
			return nil, &schema.Error{Code: schema.CodeHashDiffers, Message: "something else would change"}
		}
		if !a.DryRun {
			*writes++
		}
		return out, nil
	}
	return writes
}

func TestApplyPoliciesTellsEveryFaultOfEveryFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writes := storing(b)
	a := b.do("admin", "POST", "/v1/policies/apply", policies(t, nil,
		"a.yaml", policyText("dormant", "90d"), "b.yaml", "kind: InactivityPolicy\nstray: 1\n", "c.yaml", policyText("dormant", "60d"), "d.yaml", policyText("other", "often")))
	require.Equal(t, http.StatusUnprocessableEntity, a.status, a.raw)
	where := strings.Join(a.problems(), "\n")
	require.Contains(t, where, "c.yaml:duplicate")
	require.Contains(t, where, "b.yaml line 2, column 1:unknown_member")
	require.Contains(t, where, "b.yaml line 1, column 1 (name):required")
	require.Contains(t, where, "d.yaml line 6, column 12 (threshold)")
	require.Equal(t, []string{"files:count"}, b.do("admin", "POST", "/v1/policies/apply", `{"files":[]}`).problems())
	require.Equal(t, []string{"set:name"}, b.do("admin", "POST", "/v1/policies/apply", policies(t, map[string]any{"set": "a b"}, "a.yaml", policyText("dormant", "90d"))).problems())
	require.Zero(t, *writes)
}

func TestApplyPoliciesIsWhatWasConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writes := storing(b)
	files := []string{"a.yaml", policyText("dormant", "60d")}
	dry := b.do("admin", "POST", "/v1/policies/apply", policies(t, map[string]any{"dry_run": true, "set": "main"}, files...))
	require.Equal(t, http.StatusOK, dry.status, dry.raw)
	require.Equal(t, false, dry.json["applied"])
	require.JSONEq(t, `[{"file":"a.yaml","name":"dormant","change":"changed","version":2,"state":"active","diff":["threshold.default: 90d -> 60d"],"warnings":[]},
		{"file":"","name":"gone","change":"paused","version":7,"state":"paused","diff":[],"warnings":[]}]`, field(t, dry, "policies"))
	require.Zero(t, *writes)
	confirm := dry.json["confirm"]
	require.NotEmpty(t, confirm)
	for _, other := range []string{
		policies(t, map[string]any{"confirm": confirm}, files...),
		policies(t, map[string]any{"confirm": confirm, "set": "main"}, "a.yaml", policyText("dormant", "61d")),
		policies(t, map[string]any{"confirm": confirm, "set": "other"}, files...),
	} {
		a := b.do("admin", "POST", "/v1/policies/apply", other)
		require.Equal(t, http.StatusConflict, a.status, a.raw)
		require.Equal(t, "hash_differs", a.json["code"])
	}
	require.Zero(t, *writes)
	a := b.do("admin", "POST", "/v1/policies/apply", policies(t, map[string]any{"confirm": confirm, "set": "main"}, files...))
	require.Equal(t, true, a.json["applied"], a.raw)
	require.Equal(t, 1, *writes)
	require.Equal(t, http.StatusOK, b.do("admin", "POST", "/v1/policies/apply", policies(t, nil, files...)).status, "a program need not confirm")
}

func storedPolicy(version int, threshold time.Duration) schema.Policy {
	return schema.Policy{
		ID: "p1", Name: "dormant", Version: version, Hash: "ab", Source: "text", State: schema.PolicyPaused, PauseReason: "holidays", PausedBy: "root", UpdatedBy: "root", UpdatedAt: now,
		Rule: schema.PolicyRule{
			Name: "dormant", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdActs, Connections: []string{"box-main"},
			Threshold: schema.Threshold{Default: threshold, Roles: []schema.RoleThreshold{{Role: "admin", For: 2 * threshold}}},
			Exclude:   []schema.Exclusion{{Group: "Interns", Reason: "seasonal", Until: schema.Date{Year: 2026, Month: 11, Day: 20}}},
			Ask:       []schema.Ask{{Whom: schema.AskHolder, Channel: schema.ChannelMail, Wait: 7 * 24 * time.Hour, Silence: schema.SilenceNothing}},
			Steps:     []schema.StepFact{{Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: 86400}},
			Schedule:  schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 6, Weekdays: []time.Weekday{time.Monday}, Months: []time.Month{time.May}}}, Zone: "UTC"},
		},
	}
}

func TestShowPolicies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.PolicyFunc = func(ref string) (schema.Policy, error) {
		if ref != "dormant" {
			return schema.Policy{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is none"}
		}
		return storedPolicy(3, 90*24*time.Hour), nil
	}
	a := b.do("auditor", "GET", "/v1/policies/dormant", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "text", a.json["source"])
	require.Equal(t, false, a.json["acts"], "a paused one does not")
	for _, part := range []string{
		`"threshold":{"default":"90d","kinds":[],"roles":[{"role":"admin","for":"180d"}]}`, `"until":"2026-11-20","live":false`, `"weekdays":["Monday"]`, `"months":["May"]`,
		`"steps":[{"kind":"suspend"},{"kind":"wait","wait":"1d"}]`, `"wait":"7d","silence":"nothing"`, `"every":"0s"`, `"pause_reason":"holidays"`,
	} {
		require.Contains(t, a.raw, part)
	}
	require.Equal(t, http.StatusNotFound, b.do("auditor", "GET", "/v1/policies/other", "").status)
	b.store.PoliciesFunc = func(f schema.PolicyFilter) ([]schema.Policy, string, error) {
		require.Equal(t, schema.PolicyFilter{State: schema.PolicyPaused, Set: "main", After: "c", Limit: 1}, f)
		return []schema.Policy{storedPolicy(3, time.Hour)}, "n", nil
	}
	a = b.do("auditor", "GET", "/v1/policies?state=paused&set=main&cursor=c&limit=1", "")
	require.Equal(t, "n", a.json["next"], a.raw)
	require.NotContains(t, a.raw, `"source"`)

	b.store.SetPolicyStateFunc = func(ref string, state schema.PolicyState, reason string) (schema.Policy, error) {
		require.Equal(t, "why not", reason)
		p := storedPolicy(3, time.Hour)
		p.State = state
		return p, nil
	}
	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/policies/dormant/pause", `{"reason":" "}`).problems())
	require.Equal(t, "paused", b.do("admin", "POST", "/v1/policies/dormant/pause", `{"reason":"why not"}`).json["state"])
	a = b.do("admin", "POST", "/v1/policies/dormant/resume", `{"reason":"why not"}`)
	require.Equal(t, "active", a.json["state"])
	require.Equal(t, true, a.json["acts"])
}

func TestPolicyHistorySaysWhatEachVersionChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	versions := []schema.Policy{storedPolicy(3, 30*24*time.Hour), storedPolicy(2, 60*24*time.Hour), storedPolicy(1, 90*24*time.Hour)}
	b.store.PolicyHistoryFunc = func(_, after string, limit int) ([]schema.Policy, string, error) {
		if after == "2" {
			return versions[2:], "", nil
		}
		return versions[:2], "2", nil
	}
	a := b.do("auditor", "GET", "/v1/policies/dormant/history?limit=2", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Contains(t, a.raw, "threshold.default: 60d -> 30d")
	require.Contains(t, a.raw, "threshold.default: 90d -> 60d", "also of the last one of the page")
	a = b.do("auditor", "GET", "/v1/policies/dormant/history?cursor=2", "")
	require.Contains(t, a.raw, `"diff":[]`, "nothing is before the first")
}

func TestPreviewExplainAndReplay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.PolicyFunc = func(string) (schema.Policy, error) { return storedPolicy(3, 90*24*time.Hour), nil }
	var rule schema.PolicyRule
	b.store.PreviewFunc = func(r schema.PolicyRule, rows int) (schema.Preview, error) {
		rule = r
		return schema.Preview{
			Policy: r.Name, At: now, Looked: 9, Matched: 6, TooMany: true, Wanted: schema.Spending{Accounts: 6},
			Overruns: []schema.Overrun{{Limit: schema.LimitEngineConn, Subject: "c1", Wanted: 6, Allowed: 5}},
			Rows: []schema.PreviewRow{{
				Judged:     schema.Judged{AccountID: "a1", ExternalID: "111", Login: "x", Verdict: schema.Verdict{Grade: schema.GradeNever, Threshold: time.Hour}},
				Connection: "box-main",
			}}[:min(rows, 1)],
		}, nil
	}
	for _, body := range []string{`{}`, `{"ref":"dormant","source":"x"}`} {
		require.Equal(t, []string{"source:one_of"}, b.do("operator", "POST", "/v1/policies/preview", body).problems(), body)
	}
	require.Contains(t, b.do("operator", "POST", "/v1/policies/preview", `{"source":"kind: x","file":"p.yaml"}`).raw, "p.yaml line 1")
	a := b.do("operator", "POST", "/v1/policies/preview", `{"ref":"dormant","rows":1}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, true, a.json["too_many"])
	require.JSONEq(t, `[{"limit":"engine_connection","connection":"box-main","used":0,"wanted":6,"allowed":5}]`, field(t, a, "overruns"))
	require.JSONEq(t, `[{"account":"a1","connection":"box-main","account_id":"111","login":"x","privileged":false,"bytes":0,"grade":"never","threshold":"1h",
		"last_active_at":null,"facts":null,"hash":"","findings":[]}]`, field(t, a, "rows"))
	a = b.do("operator", "POST", "/v1/policies/preview", `{"source":`+quote(t, policyText("fresh", "45d"))+`}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "fresh", rule.Name)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/policies/preview", `{"ref":"dormant","rows":201}`).status)

	b.store.ExplainFunc = func(p schema.Policy, account schema.AccountID) (schema.Explanation, error) {
		return schema.Explanation{
			Policy: p.Name, Version: p.Version, AccountID: account, At: now, Verdict: schema.Verdict{Reason: schema.ReasonMatched, Exclusion: -1},
			Parts: []schema.ExplainedPart{{Expression: "true", Result: "true"}},
		}, nil
	}
	a = b.do("auditor", "GET", "/v1/policies/dormant/explain?account=box-main%2F111", "")
	require.Equal(t, "a1", a.json["account"], a.raw)
	require.JSONEq(t, `{"matched":true,"reason":"matched","grade":"","threshold":"0s","exclusion":null,"detail":""}`, field(t, a, "verdict"))
	require.Equal(t, http.StatusNotFound, b.do("auditor", "GET", "/v1/policies/dormant/explain?account=nobody", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/policies/dormant/explain", "").status)

	b.store.ReplayFunc = func(_ schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error) {
		require.Equal(t, 365*24*time.Hour, since)
		require.Equal(t, "c", after)
		require.Equal(t, 7, limit)
		return schema.Replay{
			Policy: "dormant", From: now.Add(-since), To: now, Accounts: 5, Returned: 1, Next: "n",
			Hits: []schema.ReplayHit{{AccountID: "a1", Login: "x", HitOn: schema.Date{Year: 2026, Month: 3, Day: 1}, ReturnedOn: schema.Date{Year: 2026, Month: 4, Day: 1}, SilentForDay: 90}},
		}, nil
	}
	a = b.do("auditor", "POST", "/v1/policies/replay", `{"ref":"dormant","since":"365d","cursor":"c","limit":7}`)
	require.JSONEq(t, `[{"account":"a1","connection":"","login":"x","hit_on":"2026-03-01","last_used_on":"","returned_on":"2026-04-01","silent_days":90}]`, field(t, a, "hits"))
	require.Equal(t, "n", a.json["next"])
	for _, since := range []string{"", "365", "1h", "99999d"} {
		a = b.do("auditor", "POST", "/v1/policies/replay", `{"ref":"dormant","since":"`+since+`"}`)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, since)
		require.Contains(t, a.problems()[0], "since:", since)
	}
}
