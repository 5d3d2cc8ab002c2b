package web_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// probed is a result of the doctor.
func probed(name string, required bool, code schema.ProbeCode) schema.ProbeResult {
	r := schema.ProbeResult{
		Ability: schema.Ability{Name: name, Scope: "scope_of_" + name, Serves: "reports", Required: required, Datasets: []schema.Dataset{schema.DataGroups}},
		Code:    code, Message: "what became of " + name,
	}
	if code.Fault() {
		r.Fix, r.Detail = "mend "+name, "HTTP 403"
		r.Candidates = []schema.Candidate{{Cause: "one", Look: "here"}, {Cause: "two", Look: "there"}}
	}
	return r
}

// doctor makes the API's doctor say what is given.
func (b *bundle) doctor(health schema.Health, results ...schema.ProbeResult) {
	b.diagnose = func(schema.Connection, string) (schema.Diagnosis, error) {
		return schema.Diagnosis{
			At: now, Health: health, Results: results, Limits: []string{"a limit"},
			Identity: schema.DiagnosedIdentity{ExternalID: "1", Role: schema.RoleCoadmin, EnterpriseID: "900001", Service: true},
		}, nil
	}
}

// TestConnectNeedsWhatIsRequired: a connection that lacks something required is not
// stored, and each lack and possible cause is named; one that lacks what is
// optional is, with what was found.
func TestConnectNeedsWhatIsRequired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = notFound
	stored := 0
	b.store.CreateConnectionFunc = func(c schema.Connection, _ string) (schema.Connection, error) {
		stored++
		c.ID = "c1"
		return c, nil
	}
	var kept []schema.Diagnosis
	b.store.SaveDiagnosisFunc = func(d schema.Diagnosis) error { kept = append(kept, d); return nil }

	b.doctor(schema.HealthFailed, probed("list_accounts", true, schema.ProbeAccessRefused), probed("read_events", false, schema.ProbeScopeOptionalMissing), probed("list_groups", true, schema.ProbeScopeMissing))
	a := b.do("admin", "POST", "/v1/connections", goodConnection)
	require.Equal(t, 502, a.status, a.raw)
	require.Equal(t, "vendor_failed", a.json["code"])
	require.Equal(t, "what became of list_accounts", a.json["detail"])
	require.Equal(t, []string{
		"list_accounts:ACCESS_REFUSED", "list_accounts:possible_cause", "list_accounts:possible_cause",
		"list_groups:SCOPE_MISSING", "list_groups:possible_cause", "list_groups:possible_cause",
	}, a.problems())
	require.Zero(t, stored)
	require.Empty(t, kept)

	b.doctor(schema.HealthDegraded, probed("list_accounts", true, schema.ProbeOK), probed("read_events", false, schema.ProbeScopeOptionalMissing))
	a = b.do("admin", "POST", "/v1/connections", goodConnection)
	require.Equal(t, 201, a.status, a.raw)
	require.Equal(t, 1, stored)
	require.Equal(t, schema.ConnectionID("c1"), kept[0].ConnectionID)
	conn, _ := a.json["connection"].(map[string]any)
	require.Equal(t, "degraded", conn["state"])
	require.Equal(t, "SCOPE_OPTIONAL_MISSING", conn["code"])
	d, _ := a.json["diagnosis"].(map[string]any)
	require.Equal(t, true, d["usable"])
	results, _ := d["results"].([]any)
	require.Len(t, results, 2)
	events, _ := results[1].(map[string]any)
	require.Equal(t, "scope_of_read_events", events["scope"])
	require.Equal(t, "reports", events["serves"])
	require.Equal(t, []any{"groups"}, events["datasets"])
	require.Equal(t, "mend read_events", events["fix"])

	clock := probed("sign_in", true, schema.ProbeClockSkew)
	clock.Detail = "" // it works
	b.doctor(schema.HealthDegraded, clock)
	require.Equal(t, 201, b.do("admin", "POST", "/v1/connections", goodConnection).status)
}

// TestTestConnection: whatever is found is an answer, and kept; a connection that
// is disabled is asked nothing.
func TestTestConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := schema.Connection{ID: "c1", Name: "box", State: schema.ConnectionEnabled, Vendor: "box", EnterpriseID: "900001"}
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return conn, nil }
	var kept []schema.Diagnosis
	b.store.SaveDiagnosisFunc = func(d schema.Diagnosis) error { kept = append(kept, d); return nil }
	b.doctor(schema.HealthFailed, probed("identity", true, schema.ProbeIntegrationRemoved))
	a := b.do("admin", "POST", "/v1/connections/box/test", "")
	require.Equal(t, 200, a.status, a.raw)
	d, _ := a.json["diagnosis"].(map[string]any)
	require.Equal(t, "failed", d["health"])
	require.Equal(t, false, d["usable"])
	require.Equal(t, []any{"a limit"}, d["limits"])
	require.Len(t, kept, 1)

	conn.State = schema.ConnectionDisabled
	a = b.do("admin", "POST", "/v1/connections/box/test", "")
	require.Equal(t, 409, a.status, a.raw)
	require.Len(t, kept, 1)
}

// TestConnectionsShowHowTheyFare: each state that a connection may be in, as lists
// and programs see it.
func TestConnectionsShowHowTheyFare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		state  schema.ConnectionState
		health schema.Health
		want   string
	}{
		{schema.ConnectionEnabled, "", "pending"},
		{schema.ConnectionEnabled, schema.HealthPending, "pending"},
		{schema.ConnectionEnabled, schema.HealthActive, "active"},
		{schema.ConnectionEnabled, schema.HealthDegraded, "degraded"},
		{schema.ConnectionEnabled, schema.HealthFailed, "failed"},
		{schema.ConnectionDisabled, schema.HealthActive, "disabled"},
	} {
		conn := schema.Connection{ID: "c1", Name: "box", State: c.state, Health: c.health, HealthCode: schema.ProbeOK, HealthAt: now}
		b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return conn, nil }
		b.store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
			return []schema.Connection{conn}, "", nil
		}
		b.store.HealthSinceFunc = func() (map[schema.ConnectionID]time.Time, error) {
			return map[schema.ConnectionID]time.Time{"c1": now.Add(-time.Hour)}, nil
		}
		shown := b.do("auditor", "GET", "/v1/connections/box", "").json
		require.Equal(t, c.want, shown["state"])
		require.Equal(t, "2026-11-21T11:00:00Z", shown["since"])
		require.Equal(t, "2026-11-21T12:00:00Z", shown["checked_at"])
		list, _ := b.do("auditor", "GET", "/v1/connections", "").json["connections"].([]any)
		first, _ := list[0].(map[string]any)
		require.Equal(t, shown, first)
	}
}

func TestAlarmsOwnersAndSchedules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListAlarmsFunc = func(ended bool, after string, limit int) ([]schema.AlarmView, string, error) {
		require.True(t, ended)
		require.Equal(t, "x", after)
		require.Equal(t, 7, limit)
		return []schema.AlarmView{{Alarm: schema.Alarm{ID: "a1", Code: "ACTIVITY_HOLE", Message: "m", Fix: "f", RaisedAt: now, CampaignID: "c1"}, Connection: "box", Source: "hris", Policy: "dormant", AccessReview: "quarter"}}, "more", nil
	}
	a := b.do("auditor", "GET", "/v1/alarms?ended=true&cursor=x&limit=7", "")
	require.Equal(t, 200, a.status, a.raw)
	require.JSONEq(t, `{"alarms":[{"id":"a1","connection":"box","source":"hris","policy":"dormant","access_review":"quarter","campaign_id":"c1","code":"ACTIVITY_HOLE","message":"m","fix":"f",
		"raised_at":"2026-11-21T12:00:00Z","told_at":null,"cleared_at":null}],"next":"more"}`, a.raw)

	var owners []string
	b.store.SetConnectionOwnerFunc = func(name, owner string) (schema.Connection, error) {
		owners = append(owners, name+" "+owner)
		return schema.Connection{Name: name, Owner: owner}, nil
	}
	require.Equal(t, []string{"owner:email_syntax"}, b.do("admin", "PUT", "/v1/connections/box/owner", `{"owner":"nobody at all"}`).problems())
	require.Equal(t, "ops@example.com", b.do("admin", "PUT", "/v1/connections/box/owner", `{"owner":"ops@example.com"}`).json["owner"])
	require.Equal(t, 200, b.do("admin", "PUT", "/v1/connections/box/owner", `{"owner":""}`).status)
	require.Equal(t, []string{"box ops@example.com", "box "}, owners)

	have := schema.DefaultSchedule()
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return schema.Connection{ID: "c1", Name: "box"}, nil }
	b.store.ScheduleFunc = func(schema.ConnectionID) (schema.Schedule, error) { return have, nil }
	b.store.SetScheduleFunc = func(_ string, s schema.Schedule) (schema.Schedule, error) { have = s; return s, nil }
	require.Equal(t, []string{"sync:duration", "backfill:duration"}, b.do("admin", "PUT", "/v1/connections/box/schedule", `{"sync":"often","backfill":"-1d"}`).problems())
	a = b.do("admin", "PUT", "/v1/connections/box/schedule", `{"sync":"0","probe":"5m"}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, schema.Schedule{Sync: 0, Activity: 15 * time.Minute, Probe: 5 * time.Minute, Backfill: 183 * 24 * time.Hour}, have, "what is left out stays")
	require.Equal(t, "5m", b.do("auditor", "GET", "/v1/connections/box/schedule", "").json["probe"])
}

func TestAbilitiesAreListedBeforeThereIsAConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("auditor", "GET", "/v1/vendors/box/abilities?read_only=true", "")
	require.Equal(t, 200, a.status, a.raw)
	list, _ := a.json["abilities"].([]any)
	require.Len(t, list, 2)
	require.Equal(t, 422, b.do("auditor", "GET", "/v1/vendors/fox/abilities", "").status)
}

var _ web.ConnectionChecker = webtest.Doctor{}
