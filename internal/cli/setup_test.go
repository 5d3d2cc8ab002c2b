package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
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
	env      []string
	stdin    string
	srv      *httptest.Server
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, store: &webtest.Store{Tokens: map[string]schema.Principal{
		"sendoff_admin":    {TokenID: "t1", Name: "root", Role: schema.RoleAdmin},
		"sendoff_reviewer": {TokenID: "t3", Name: "rev", Role: schema.RoleReviewer, Email: "rev@example.com"},
	}}}
	b.planner = func([]schema.Request) ([]schema.Draft, error) { return nil, errors.New("planner not expected") }
	b.checker = func(schema.Connection, string) (web.ConnectionCheck, error) {
		return web.ConnectionCheck{}, errors.New("checker not expected")
	}
	b.store.CreateCasesFunc = func([]schema.Draft, schema.Principal) ([]schema.Case, error) {
		return nil, errors.New("creation not expected")
	}
	b.srv = httptest.NewServer(web.New(web.Config{
		Store: b.store, HR: b.store, Policies: b.store, Asks: b.store, Judge: b.store, AccessReviews: b.store, Campaigns: b.store, Now: func() time.Time { return now },
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
	b.env = []string{"SENDOFF_URL=" + b.srv.URL, "SENDOFF_TOKEN=sendoff_admin"}
	return b
}

type ran struct {
	code        int
	out, errout string
}

func (b *bundle) run(args ...string) ran {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	var out, errout bytes.Buffer
	code := cli.Run(ctx, args, strings.NewReader(b.stdin), &out, &errout, b.env)
	return ran{code, out.String(), errout.String()}
}

// runJSON also decodes what stands on stdout, which must be one JSON value.
func (b *bundle) runJSON(args ...string) (ran, map[string]any) {
	b.t.Helper()
	r := b.run(append(args, "--output", "json")...)
	var v map[string]any
	require.NoError(b.t, json.Unmarshal([]byte(r.out), &v), "stdout: %s\nstderr: %s", r.out, r.errout)
	return r, v
}

func (b *bundle) file(name, content string) string {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	require.NoError(b.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func draftFor(r schema.Request) schema.Draft {
	template, _ := schema.FindTemplate(r.Template)
	return schema.Draft{Request: r, Hash: "abc123", Accounts: []schema.DraftAccount{{
		Connection: schema.Connection{Name: "box-main", Vendor: "box"},
		Account:    schema.Account{ExternalID: "111", Login: r.Email, Role: schema.RoleMember, Status: schema.AccountActive},
		Receiver:   &schema.Account{ExternalID: "222", Login: "boss@example.com"},
		Steps:      template.Resolve(r.Grace), PlannedBytes: 5 << 20,
	}}}
}

// plans makes the planner answer every request, with the findings given.
func (b *bundle) plans(findings ...schema.Finding) *[]schema.Request {
	seen := &[]schema.Request{}
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		*seen = r
		var out []schema.Draft
		for _, one := range r {
			d := draftFor(one)
			d.Accounts[0].Findings = findings
			out = append(out, d)
		}
		return out, nil
	}
	return seen
}

func viewFor(id schema.CaseID, email string, state schema.PlanState) schema.CaseView {
	leaver, _ := schema.FindTemplate("leaver")
	plan := schema.Plan{ID: schema.PlanID("plan-" + id), CaseID: id, State: state, Steps: leaver.Resolve(schema.DefaultGrace), CurrentStep: 3}
	plan.Facts.ReceiverLogin = "boss@example.com"
	for i := range 3 {
		plan.Steps[i].State, plan.Steps[i].StartedAt, plan.Steps[i].FinishedAt = schema.StepDone, now, now
		plan.Steps[i].Proof = map[string]string{"status": "inactive"}
	}
	if state == schema.PlanParked {
		plan.Cause = &schema.Cause{Code: schema.ParkTransferRefused, Message: "Box refused the transfer", Fix: "check the receiver, then resume", At: now}
	}
	return schema.CaseView{
		Case:  schema.Case{ID: id, Email: email, Template: "leaver", Grace: schema.DefaultGrace, Hash: "abc123", RequestedBy: "root", CreatedAt: now, Source: "cli"},
		State: state,
		Accounts: []schema.AccountView{{
			Plan: plan, Account: schema.Account{ExternalID: "111", Login: email}, Connection: "box-main",
			Transfer: &schema.Transfer{State: schema.TransferSettling, Attempts: 1, BytesBefore: 10 << 20, BytesLeft: 3 << 20, WitnessFound: 2, WitnessTotal: 5, FolderIDs: []schema.ExternalID{"900"}},
		}},
	}
}
