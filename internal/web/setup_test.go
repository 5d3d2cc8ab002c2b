package web_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type bundle struct {
	t       *testing.T
	store   *webtest.Store
	planner webtest.Planner
	// receivers checks the receivers of a set-receiver; nil = none is expected.
	receivers func(schema.CaseID, []string) (map[schema.PlanID]schema.Account, []schema.Finding, error)
	checker   webtest.Checker
	// diagnose is the doctor; nil = what the checker says.
	diagnose func(schema.Connection, string) (schema.Diagnosis, error)
	logs     *observer.ObservedLogs
	srv      *httptest.Server
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, store: &webtest.Store{Tokens: map[string]schema.Principal{
		"sendoff_admin":    {TokenID: "t1", Name: "root", Role: schema.RoleAdmin},
		"sendoff_operator": {TokenID: "t2", Name: "night-shift", Role: schema.RoleOperator},
		"sendoff_leaver":   {TokenID: "t5", Name: "ada", Role: schema.RoleOperator, Email: "ada@example.com"},
		"sendoff_reviewer": {TokenID: "t3", Name: "rev", Role: schema.RoleReviewer},
		"sendoff_boss":     {TokenID: "t6", Name: "boss", Role: schema.RoleReviewer, Email: "boss@example.com"},
		"sendoff_auditor":  {TokenID: "t4", Name: "aud", Role: schema.RoleAuditor},
	}}}
	b.planner = func([]schema.Request) ([]schema.Draft, error) { return nil, errors.New("planner not expected") }
	b.checker = func(schema.Connection, string) (web.ConnectionCheck, error) {
		return web.ConnectionCheck{}, errors.New("checker not expected")
	}
	core, logs := observer.New(zapcore.DebugLevel)
	b.logs = logs
	b.srv = httptest.NewServer(web.New(web.Config{
		Store: b.store, HR: b.store, Policies: b.store, Asks: b.store, Judge: b.store, AccessReviews: b.store, Campaigns: b.store,
		Version: "v-test", Log: zap.New(core), Now: func() time.Time { return now },
		Planner: webtest.Receivers{
			Planner: func(r []schema.Request) ([]schema.Draft, error) { return b.planner(r) },
			Check: func(id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
				return b.receivers(id, logins)
			},
		},
		Checker: webtest.Doctor{
			Checker: func(c schema.Connection, s string) (web.ConnectionCheck, error) { return b.checker(c, s) },
			DiagnoseFunc: func(c schema.Connection, s string) (schema.Diagnosis, error) {
				if b.diagnose != nil {
					return b.diagnose(c, s)
				}
				return b.checker.Diagnose(t.Context(), c, s)
			},
		},
	}))
	t.Cleanup(b.srv.Close)
	return b
}

type answer struct {
	status int
	header http.Header
	raw    string
	json   map[string]any
}

func (b *bundle) do(role, method, path, body string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.srv.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if role != "" {
		req.Header.Set("Authorization", "Bearer sendoff_"+role)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := b.srv.Client().Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.json) // not every answer is JSON
	return a
}

// problems returns where and code of each problem as "where:code".
func (a answer) problems() []string {
	var out []string
	list, _ := a.json["problems"].([]any)
	for _, p := range list {
		m, _ := p.(map[string]any)
		where, _ := m["where"].(string)
		code, _ := m["code"].(string)
		out = append(out, where+":"+code)
	}
	return out
}

// draftFor is a draft of one account, as the planner would make it.
func draftFor(r schema.Request, hash string) schema.Draft {
	leaver, _ := schema.FindTemplate("leaver")
	return schema.Draft{Request: r, Hash: hash, Accounts: []schema.DraftAccount{{
		Connection: schema.Connection{Name: "box-main", Vendor: "box"},
		Account:    schema.Account{ExternalID: "111", Login: r.Email, Role: schema.RoleMember, Status: schema.AccountActive},
		Receiver:   &schema.Account{ExternalID: "222", Login: "boss@example.com"},
		Steps:      leaver.Resolve(r.Grace), PlannedBytes: 5 << 20,
	}}}
}

// viewFor is that case some time later.
func viewFor(c schema.Case, state schema.PlanState) schema.CaseView {
	leaver, _ := schema.FindTemplate("leaver")
	steps := leaver.Resolve(c.Grace)
	steps[0].State, steps[0].StartedAt, steps[0].FinishedAt = schema.StepDone, now, now.Add(time.Second)
	steps[0].Proof = map[string]string{"stored": "yes"}
	return schema.CaseView{Case: c, State: state, Accounts: []schema.AccountView{{
		Plan:       schema.Plan{ID: "p1", CaseID: c.ID, State: state, Steps: steps, CurrentStep: 3},
		Account:    schema.Account{ExternalID: "111", Login: c.Email},
		Connection: "box-main",
		Transfer: &schema.Transfer{
			State: schema.TransferSettling, Attempts: 1, BytesBefore: 10 << 20, BytesLeft: 3 << 20,
			WitnessFound: 2, WitnessTotal: 5, FolderIDs: []schema.ExternalID{"900"},
		},
	}}}
}
