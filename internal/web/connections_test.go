package web_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/schema"
)

const goodConnection = `{"name":"box-main","vendor":"box","base_url":"http://127.0.0.1:9/","token_url":"http://127.0.0.1:9/oauth2/token",
	"client_id":"sim","client_secret":"s3cret-canary","enterprise_id":"900001"}`

func notFound(string) (schema.Connection, error) {
	return schema.Connection{}, &schema.Error{Code: schema.CodeNotFound, Message: "no connection of that name"}
}

func TestConnectChecksTheVendorBeforeStoring(t *testing.T) {
	t.Parallel()
	good := web.ConnectionCheck{ActsAs: "1", Role: schema.RoleCoadmin, EnterpriseID: "900001", Service: true}
	for name, c := range map[string]struct {
		check  web.ConnectionCheck
		err    error
		status int
		code   string
		says   string
	}{
		"works":            {check: good, status: 201},
		"wrong secret":     {err: &schema.Error{Code: schema.CodeVendor, Message: "the vendor does not accept these credentials", Fix: "f"}, status: 502, code: "vendor_failed", says: "does not accept these credentials"},
		"dead base URL":    {err: &schema.Error{Code: schema.CodeUnavailable, Message: "the vendor does not answer", Fix: "f"}, status: 502, code: "vendor_failed", says: "does not answer"},
		"wrong enterprise": {check: web.ConnectionCheck{EnterpriseID: "42"}, status: 422, code: "refused", says: "belong to enterprise 42, not to 900001"},
		"a fault of ours":  {err: errors.New("s3cret-canary"), status: 500, code: "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			stored := false
			b.store.ConnectionByNameFunc = notFound
			b.store.CreateConnectionFunc = func(c schema.Connection, secret string) (schema.Connection, error) {
				stored = true
				require.Equal(t, "http://127.0.0.1:9", c.BaseURL)
				require.Equal(t, "s3cret-canary", secret)
				return c, nil
			}
			b.checker = func(_ schema.Connection, secret string) (web.ConnectionCheck, error) {
				require.Equal(t, "s3cret-canary", secret)
				return c.check, c.err
			}
			a := b.do("admin", "POST", "/v1/connections", goodConnection)
			require.Equal(t, c.status, a.status, a.raw)
			require.Equal(t, c.status == 201, stored)
			require.NotContains(t, a.raw, "s3cret-canary")
			if c.code != "" {
				require.Equal(t, c.code, a.json["code"])
				require.Contains(t, a.raw, c.says)
				require.NotEmpty(t, a.json["fix"])
			}
		})
	}
}

func TestConnectNamesEveryFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("admin", "POST", "/v1/connections", `{"name":"-","vendor":"nope","base_url":"http://box.example.com","token_url":"https://u:p@box.example.com/t","client_id":" ","client_secret":"","enterprise_id":""}`)
	require.Equal(t, []string{
		"name:name", "vendor:unknown_vendor", "base_url:url", "token_url:url", "client_secret:required", "client_id:required", "enterprise_id:required",
	}, a.problems())
	a = b.do("admin", "POST", "/v1/connections", strings.Replace(goodConnection, "http://127.0.0.1:9/\"", "https://api.box.com/2.0/\"", 1))
	require.Equal(t, []string{"base_url:url"}, a.problems())
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return schema.Connection{}, nil }
	require.Equal(t, "conflict", b.do("admin", "POST", "/v1/connections", goodConnection).json["code"])
}

func TestConnectionsChangeState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var got []string
	b.store.SetConnectionStateFunc = func(name string, to schema.ConnectionState, reason string) (schema.Connection, error) {
		got = append(got, name+" "+string(to)+" "+reason)
		return schema.Connection{Name: name, State: to}, nil
	}
	require.Equal(t, 200, b.do("admin", "POST", "/v1/connections/box/disable", `{"reason":"audit"}`).status)
	require.Equal(t, 200, b.do("admin", "POST", "/v1/connections/box/enable", `{}`).status)
	b.store.ConnectionByNameFunc = func(name string) (schema.Connection, error) {
		return schema.Connection{Name: name, State: schema.ConnectionEnabled}, nil
	}
	b.store.RemoveConnectionFunc = func(name, reason string, r schema.Revocation) (schema.Connection, error) {
		got = append(got, name+" removed "+reason+": "+r.Why)
		return schema.Connection{Name: name, State: schema.ConnectionRemoved}, nil
	}
	require.Equal(t, 200, b.do("admin", "DELETE", "/v1/connections/box?reason=moved", "").status)
	require.Equal(t, []string{
		"box disabled audit", "box enabled ", "box disabled its removal began", "box removed moved: the vendor has no way to revoke tokens",
	}, got)

	b.store.OpenPlansOnFunc = func(schema.ConnectionID) (int, error) { return 3, nil }
	a := b.do("admin", "DELETE", "/v1/connections/box", "")
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.raw, "3 plans are open")
	require.Len(t, got, 4, "nothing was touched")
}

func TestTokensAreShownOnceAndExpire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var got schema.Token
	b.store.CreateTokenFunc = func(tok schema.Token) (schema.Token, error) { got = tok; return tok, nil }
	a := b.do("admin", "POST", "/v1/tokens", `{"name":"ci","role":"operator","expires":"90d"}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	token, _ := a.json["token"].(string)
	require.Regexp(t, `^sendoff_[A-Za-z0-9_-]{43}$`, token)
	require.Equal(t, schema.Token{Name: "ci", Role: schema.RoleOperator, CreatedAt: now, CreatedBy: "root", ExpiresAt: now.Add(90 * 24 * time.Hour)}, got)
	require.Equal(t, 201, b.do("admin", "POST", "/v1/tokens", `{"name":"ci","role":"operator","expires":"never"}`).status)
	require.True(t, got.ExpiresAt.IsZero())
	a = b.do("admin", "POST", "/v1/tokens", `{"name":"a b","role":"king","expires":"2020-01-01T00:00:00Z"}`)
	require.Equal(t, []string{"name:name", "role:unknown_role", "expires:past"}, a.problems())
	for _, bad := range []string{"", "soon", "0s", "2026-12-01T18:00:00"} {
		require.Len(t, b.do("admin", "POST", "/v1/tokens", `{"name":"ci","role":"admin","expires":"`+bad+`"}`).problems(), 1, bad)
	}
}

func TestPauseNeedsAReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.SetSwitchFunc = func(sw schema.Switch) (schema.Switch, error) { return sw, nil }
	require.Equal(t, []string{"reason:required"}, b.do("operator", "PUT", "/v1/engine", `{"paused":true}`).problems())
	a := b.do("operator", "PUT", "/v1/engine", `{"paused":true,"reason":"vendor outage"}`)
	require.JSONEq(t, `{"paused":true,"reason":"vendor outage","changed_by":"night-shift","changed_at":"2026-11-21T12:00:00Z"}`, a.raw)
	require.Equal(t, 200, b.do("operator", "PUT", "/v1/engine", `{"paused":false}`).status)
}

func TestAuditExportStreamsOrFailsWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ExportAuditFunc = func(w io.Writer) error { _, err := io.WriteString(w, "{}\n{}\n"); return err }
	a := b.do("auditor", "GET", "/v1/audit/export", "")
	require.Equal(t, "{}\n{}\n", a.raw)
	require.Equal(t, "application/x-ndjson", a.header.Get("Content-Type"))

	b.store.ExportAuditFunc = func(io.Writer) error { return errors.New("no database") }
	a = b.do("auditor", "GET", "/v1/audit/export", "")
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Equal(t, "internal", a.json["code"])

	b.store.ExportAuditFunc = func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("{}\n", 4096))
		return errors.New("lost the database")
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", b.srv.URL+"/v1/audit/export", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer sendoff_auditor")
	res, err := b.srv.Client().Do(req)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
	}
	require.Error(t, err, "a cut export must not look whole")
}

func TestReportSaysWhatCouldNotBeProven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := schema.Case{ID: "c1", Email: "ada@example.com", Source: "cli", Receivers: []string{"boss@example.com"}}
	view := viewFor(c, schema.PlanDone)
	acc := &view.Accounts[0]
	acc.Transfer.State = schema.TransferPresumed
	acc.Plan.Steps[2].State = schema.StepDone
	acc.Plan.Snapshot = &schema.Snapshot{TakenAt: now, WitnessNote: "may not act as the account", DeepDone: 1, DeepTotal: 4, Collabs: make([]schema.SharedBy, 3)}
	b.store.FindCaseFunc = func(string) (schema.Case, error) { return c, nil }
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) { return view, nil }
	b.store.DecisionsFunc = func(schema.CaseID) ([]schema.Decision, error) {
		return []schema.Decision{{ID: "d1", Kind: schema.DecideResume, Reason: "r", Principal: "root", CreatedAt: now}}, nil
	}
	total := 501
	b.store.CaseAuditFunc = func(_ schema.CaseID, after int64, limit int) ([][]byte, error) {
		n := min(limit, total-int(after))
		out := make([][]byte, n)
		for i := range out {
			out[i] = []byte(`{"action":"case.created"}`)
		}
		return out, nil
	}
	a := b.do("auditor", "GET", "/v1/cases/c1/report", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Len(t, a.json["events"], 501)
	require.Len(t, a.json["unproven"], 4)
	require.Contains(t, a.raw, "collaborations were read for 1 of 4 items")
	require.Contains(t, a.raw, "may not act as the account")
	require.Contains(t, a.raw, "presumed")
	require.Contains(t, a.raw, `"collaborations":3`)

	a = b.do("auditor", "GET", "/v1/cases/c1/events?limit=500", "")
	require.Equal(t, "500", a.json["next"])
	a = b.do("auditor", "GET", "/v1/cases/c1/events?cursor=500", "")
	require.Len(t, a.json["events"], 1)
	require.Empty(t, a.json["next"])
	require.Equal(t, []string{"cursor:cursor"}, b.do("auditor", "GET", "/v1/cases/c1/events?cursor=x", "").problems())
}
