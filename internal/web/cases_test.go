package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sendoff/schema"
)

func errFor(s string) error { return errors.New(s) }

func zapRoute(s string) zapcore.Field { return zap.String("route", s) }

func (b *bundle) planAll(hash string) *[]schema.Request {
	var seen []schema.Request
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		seen = r
		var out []schema.Draft
		for i, one := range r {
			h := hash
			if i > 0 {
				h = fmt.Sprintf("%s%d", hash, i)
			}
			out = append(out, draftFor(one, h))
		}
		return out, nil
	}
	return &seen
}

func TestPlanShowsTheWholeDraft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := b.planAll("abc")
	a := b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"Ada@Example.com","receivers":["Boss@example.com"],"effective_at":"2026-12-01T18:00:00+01:00","grace":"12h"}]}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, []schema.Request{{
		Door: schema.DoorOffboarding, Email: "ada@example.com", Receivers: []string{"boss@example.com"}, Template: "leaver", Source: "api",
		EffectiveAt: time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC), Grace: 12 * time.Hour,
	}}, *seen)
	require.JSONEq(t, `{"hash":"abc","refused":false,"drafts":[{
		"email":"ada@example.com","template":"leaver","receivers":["boss@example.com"],"effective_at":"2026-12-01T17:00:00Z",
		"grace":"12h","approvals":0,"hash":"abc","refused":false,"findings":[],"accounts":[{
			"connection":"box-main","vendor":"box","account_id":"111","login":"ada@example.com","role":"member","status":"active",
			"receiver":{"account_id":"222","login":"boss@example.com"},"planned_bytes":5242880,"findings":[],
			"steps":[{"kind":"snapshot"},{"kind":"suspend"},{"kind":"revoke_sessions"},{"kind":"transfer"},
				{"kind":"wait","wait_seconds":43200},{"kind":"delete","irreversible":true}]}]}]}`, a.raw)
}

func TestEveryFaultOfARequestIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("admin", "POST", "/v1/cases", `{"requests":[
		{"email":"ada","receivers":["x","ada@example.com"],"effective_at":"2026-12-01T18:00:00","grace":"30","template":"nope","approvals":3},
		{"email":"bob@example.com","grace":"9999d"},
		{"email":"Bob@example.com","template":"delete","grace":"1d","receivers":["z@example.com"]},
		{"email":"eve@example.com","grace":"-1d"},
		{"email":"kim@example.com","template":"suspend","send_again":true}]}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, "invalid", a.json["code"])
	require.Equal(t, []string{
		"requests[0].email:email_syntax", "requests[0].template:unknown_template", "requests[0].receivers[0]:email_syntax",
		"requests[0].effective_at:time_without_zone", "requests[0].grace:duration_syntax", "requests[0].approvals:out_of_range",
		"requests[1].grace:too_long",
		"requests[2].receivers:no_transfer", "requests[2].grace:no_wait", "requests[2].email:duplicate",
		"requests[3].grace:duration_syntax", "requests[4].send_again:no_transfer",
	}, a.problems())
	for _, p := range a.json["problems"].([]any) {
		require.NotEmpty(t, p.(map[string]any)["message"])
		require.NotEmpty(t, p.(map[string]any)["fix"])
	}
	many := `{"requests":[` + strings.TrimSuffix(strings.Repeat(`{"email":"a@example.com"},`, 1001), ",") + `]}`
	require.Equal(t, []string{"requests:too_many"}, b.do("admin", "POST", "/v1/plans", many).problems())
	require.Equal(t, []string{"requests:required"}, b.do("admin", "POST", "/v1/plans", `{"requests":[]}`).problems())
}

func TestGraceComesFromRequestOrTemplate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := b.planAll("abc")
	waits := map[string][]schema.StepFact{
		"open": {{Kind: schema.StepSuspend}, {Kind: schema.StepWait}},
		"own":  {{Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: 86400}},
		"none": {{Kind: schema.StepSuspend}},
	}
	b.store.TemplateFunc = func(name string) (schema.Template, error) {
		return schema.Template{Name: name, Steps: waits[name], Approvals: 1}, nil
	}
	for template, want := range map[string]time.Duration{"open": schema.DefaultGrace, "own": 24 * time.Hour, "none": 0} {
		a := b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"ada@example.com","template":"`+template+`","cause":"inactivity"}]}`)
		require.Equal(t, http.StatusOK, a.status, a.raw)
		require.Equal(t, want, (*seen)[0].Grace, template)
		require.Equal(t, 1, (*seen)[0].Approvals)
		require.Equal(t, schema.DoorInactivity, (*seen)[0].Door)
	}
	for template, code := range map[string]string{"own": "own_wait", "none": "no_wait"} {
		a := b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"ada@example.com","template":"`+template+`","grace":"3d"}]}`)
		require.Equal(t, []string{"requests[0].grace:" + code}, a.problems())
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/plans", `{"requests":[{"email":"ada@example.com","cause":"fun"}]}`).status)
}

func TestCreateCasesIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		one, two := draftFor(r[0], "h1"), draftFor(r[1], "h2")
		one.Findings = []schema.Finding{{Code: schema.TrashPresent, Warning: true, Message: "trash"}}
		two.Accounts[0].Findings = []schema.Finding{{Code: schema.ReceiverMissing, Connection: "box-main", Message: "no receiver", Fix: "name one"}}
		two.Findings = []schema.Finding{{Code: schema.Busy, Message: "case 0190 works on it", Fix: "wait"}}
		return []schema.Draft{one, two}, nil
	}
	a := b.do("operator", "POST", "/v1/cases", `{"requests":[{"email":"ada@example.com"},{"email":"bob@example.com"}]}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, "refused", a.json["code"])
	require.Equal(t, []string{"requests[1]:BUSY", "requests[1] (box-main):RECEIVER_MISSING"}, a.problems())
}

func TestNobodyOffboardsThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.planAll("aaaa")
	started := 0
	b.store.CreateCasesFunc = func([]schema.Draft, schema.Principal) ([]schema.Case, error) {
		started++
		return []schema.Case{{ID: "c1"}}, nil
	}
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) { return schema.CaseView{}, nil }
	own := `{"requests":[{"email":"bob@example.com"},{"email":"ADA@Example.com"}]}`
	a := b.do("leaver", "POST", "/v1/cases", own)
	require.Equal(t, http.StatusForbidden, a.status, a.raw)
	require.Equal(t, "forbidden", a.json["code"])
	require.Contains(t, a.json["detail"], "nobody offboards themselves")
	require.Equal(t, "let another operator do it", a.json["fix"])
	require.Zero(t, started)
	require.Equal(t, http.StatusOK, b.do("leaver", "POST", "/v1/plans", own).status, "looking is no offboarding")
	require.Equal(t, http.StatusCreated, b.do("operator", "POST", "/v1/cases", own).status)
	require.Equal(t, http.StatusCreated, b.do("leaver", "POST", "/v1/cases", `{"requests":[{"email":"bob@example.com"}]}`).status)

	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		d := draftFor(r[0], "h")
		d.Accounts[0].Account.Login = "Ada@example.com" // the address asked for is an alias
		return []schema.Draft{d}, nil
	}
	require.Equal(t, http.StatusForbidden, b.do("leaver", "POST", "/v1/cases", `{"requests":[{"email":"a.lovelace@example.com"}]}`).status)
	require.Equal(t, 2, started)
}

func TestTokensNameTheirHolder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made schema.Token
	b.store.CreateTokenFunc = func(tok schema.Token) (schema.Token, error) { made = tok; return tok, nil }
	b.store.ListTokensFunc = func(string, int) ([]schema.Token, string, error) { return []schema.Token{made}, "", nil }
	a := b.do("admin", "POST", "/v1/tokens", `{"name":"ada","role":"operator","email":"Ada@Example.com","expires":"90d"}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.Equal(t, "ada@example.com", made.Email)
	require.Contains(t, b.do("admin", "GET", "/v1/tokens", "").raw, `"email":"ada@example.com"`)
	require.Equal(t, "ada@example.com", b.do("leaver", "GET", "/v1/whoami", "").json["email"])
	a = b.do("admin", "POST", "/v1/tokens", `{"name":"ada","role":"operator","email":"ada","expires":"90d"}`)
	require.Equal(t, []string{"email:email_syntax"}, a.problems())
	require.Equal(t, http.StatusCreated, b.do("admin", "POST", "/v1/tokens", `{"name":"ci","role":"operator","expires":"90d"}`).status)
	require.Empty(t, made.Email)
}

func TestAmbiguousLoginHasACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		return []schema.Draft{{Request: r[0], Findings: []schema.Finding{{Code: schema.AmbiguousLogin, Connection: "box-main", Message: "two accounts", Fix: "merge them"}}}}, nil
	}
	a := b.do("operator", "POST", "/v1/cases", `{"requests":[{"email":"ada@example.com"}]}`)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "ambiguous", a.json["code"])
}

func TestConfirmedHashMustBeTheCurrentOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.planAll("aaaa")
	a := b.do("operator", "POST", "/v1/cases", `{"requests":[{"email":"ada@example.com"}],"confirm":"bbbb"}`)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "hash_differs", a.json["code"])
	require.Contains(t, a.raw, "confirmed bbbb")
	require.Contains(t, a.raw, "now aaaa")
}

func TestCreateCasesAnswersWithTheCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.planAll("aaaa")
	made := schema.Case{ID: "c1", Email: "ada@example.com", Template: "leaver", Grace: schema.DefaultGrace, Hash: "aaaa", RequestedBy: "night-shift", CreatedAt: now}
	b.store.CreateCasesFunc = func(d []schema.Draft, by schema.Principal) ([]schema.Case, error) {
		require.Equal(t, "cli", d[0].Request.Source)
		require.Equal(t, "night-shift", by.Name)
		return []schema.Case{made}, nil
	}
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) { return viewFor(made, schema.PlanSettling), nil }
	a := b.do("operator", "POST", "/v1/cases", `{"requests":[{"email":"ada@example.com","effective_at":"2020-01-01T00:00:00Z"}],"confirm":"AAAA","source":"cli"}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.JSONEq(t, `{"warnings":[{"code":"EFFECTIVE_AT_PAST","warning":true,"message":"the time asked for has passed: the case begins at once","fix":"check the date if that is not meant"}],
	"cases":[{"case_id":"c1","state":"settling","email":"ada@example.com","template":"leaver","effective_at":null,"grace":"30d",
	"hash":"aaaa","requested_by":"night-shift","created_at":"2026-11-21T12:00:00Z","accounts":[{"connection":"box-main","account_id":"111",
	"plan_id":"p1","state":"settling","step":"transfer","cause":"","cause_detail":null,"wait_until":null,"steps":[
	{"kind":"snapshot","state":"done","started_at":"2026-11-21T12:00:00Z","finished_at":"2026-11-21T12:00:01Z","proof":{"stored":"yes"}},
	{"kind":"suspend","state":"pending","started_at":null,"finished_at":null,"proof":{}},
	{"kind":"revoke_sessions","state":"pending","started_at":null,"finished_at":null,"proof":{}},
	{"kind":"transfer","state":"pending","started_at":null,"finished_at":null,"proof":{}},
	{"kind":"wait","state":"pending","started_at":null,"finished_at":null,"proof":{}},
	{"kind":"delete","state":"pending","started_at":null,"finished_at":null,"proof":{}}],
	"transfer":{"state":"settling","attempts":1,"bytes_before":10485760,"bytes_left":3145728,"witnesses_found":2,"witnesses_total":5,
	"folder_ids":["900"],"position":0}}]}]}`, a.raw)
}

func TestListCasesPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListCasesFunc = func(f schema.CaseFilter) ([]schema.CaseView, string, error) {
		require.Equal(t, schema.CaseFilter{State: "parked", Email: "ada@example.com", After: "c9", Limit: 2}, f)
		return []schema.CaseView{viewFor(schema.Case{ID: "c1"}, schema.PlanParked)}, "c1", nil
	}
	a := b.do("auditor", "GET", "/v1/cases?state=parked&email=Ada%40example.com&cursor=c9&limit=2", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "c1", a.json["next"])
	a = b.do("auditor", "GET", "/v1/cases?state=nope&email=x", "")
	require.Equal(t, []string{"state:unknown_state", "email:email_syntax"}, a.problems())
}

func TestErrorsOfTheStoreKeepTheirCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for code, status := range map[schema.Code]int{
		schema.CodeNotFound: 404, schema.CodeAmbiguous: 409, schema.CodeConflict: 409, schema.CodeUnavailable: 503,
		schema.CodeForbidden: 403, schema.CodePaused: 409, schema.CodeVendor: 502, schema.CodeInternal: 500,
	} {
		b.store.FindCaseFunc = func(string) (schema.Case, error) {
			return schema.Case{}, fmt.Errorf("wrapped: %w", &schema.Error{Code: code, Message: "m", Fix: "f"})
		}
		a := b.do("admin", "GET", "/v1/cases/12345678", "")
		require.Equal(t, status, a.status, code)
		require.Equal(t, string(code), a.json["code"])
	}
}

func TestDecisionsNameThePrincipalAndTheReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.FindCaseFunc = func(ref string) (schema.Case, error) { return schema.Case{ID: "c1"}, nil }
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) {
		return viewFor(schema.Case{ID: "c1"}, schema.PlanRunning), nil
	}
	var got schema.Decision
	b.store.DecideFunc = func(d schema.Decision, by schema.Principal) (schema.Decision, error) {
		got = d
		d.ID = "d1"
		return d, nil
	}
	require.Equal(t, []string{"reason:required"}, b.do("operator", "POST", "/v1/cases/c1/cancel", `{"reason":" "}`).problems())
	require.Equal(t, []string{"hash:required"}, b.do("operator", "POST", "/v1/cases/c1/approve", `{"hash":""}`).problems())
	a := b.do("operator", "POST", "/v1/cases/c1/resume", `{"reason":"receiver is back"}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, schema.Decision{CaseID: "c1", Kind: schema.DecideResume, Reason: "receiver is back", Principal: "night-shift", TokenID: "t2", CreatedAt: now}, got)
	a = b.do("admin", "POST", "/v1/cases/c1/approve", `{"hash":"ABC","reason":""}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "abc", got.Hash)
}
