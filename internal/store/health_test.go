package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// visit is what the doctor found, minutes after noon.
func (b *bundle) visit(minute int, health schema.Health, results ...schema.ProbeResult) schema.Diagnosis {
	return schema.Diagnosis{
		ConnectionID: b.conn.ID, At: time.Date(2026, 11, 22, 12, minute, 0, 0, time.UTC), Health: health,
		Identity: schema.DiagnosedIdentity{ExternalID: "1", Role: schema.RoleCoadmin, EnterpriseID: "900", Service: true},
		Results:  results, Limits: []string{"a limit"},
	}
}

func found(code schema.ProbeCode, ability string, required bool) schema.ProbeResult {
	return schema.ProbeResult{
		Ability: schema.Ability{Name: ability, Required: required, Serves: "syncs"}, Code: code, Message: "what is wrong", Fix: "what to do",
		Candidates: []schema.Candidate{{Cause: "c", Look: "l"}},
	}
}

// openAlarms are the codes of open alarms, newest first.
func (b *bundle) openAlarms() []string {
	list, _, err := b.ListAlarms(b.t.Context(), false, "", 100)
	require.NoError(b.t, err)
	codes := []string{}
	for _, a := range list {
		codes = append(codes, a.Code)
	}
	return codes
}

// healthRecords are the audit records of the connection's health.
func (b *bundle) healthRecords() []string {
	rows, err := b.sql().Query(b.t.Context(), `select body from audit_record where stream = 'connection/' || $1 order by seq`, string(b.conn.ID))
	require.NoError(b.t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var body []byte
		require.NoError(b.t, rows.Scan(&body))
		var e struct {
			Action  string            `json:"action"`
			Details map[string]string `json:"details"`
		}
		require.NoError(b.t, json.Unmarshal(body, &e))
		if e.Action == "connection.health" {
			out = append(out, e.Details["from"]+">"+e.Details["to"]+" "+e.Details["code"])
		}
	}
	require.NoError(b.t, rows.Err())
	return out
}

// TestHealth follows a connection through what a doctor may find: the health moves
// and is audited when it changes, and the version, which open connectors go by,
// never does.
func TestHealth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	save := func(d schema.Diagnosis) { t.Helper(); require.NoError(t, b.SaveDiagnosis(ctx, d)) }
	_, err := b.Diagnosis(ctx, b.conn.ID)
	requireCode(t, schema.CodeNotFound, err)
	require.Equal(t, "pending", b.conn.Shown())

	well := b.visit(0, schema.HealthActive, found(schema.ProbeOK, "sign_in", true))
	save(well)
	got, err := b.Diagnosis(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, schema.StoredDiagnosis{Diagnosis: well, Since: well.At}, got)

	broken := b.visit(15, schema.HealthFailed, found(schema.ProbeScopeOptionalMissing, "read_events", false), found(schema.ProbeScopeMissing, "list_accounts", true))
	save(broken)
	again := b.visit(30, schema.HealthFailed, broken.Results...)
	save(again)
	save(b.visit(20, schema.HealthActive, well.Results...)) // an older visit that ended later
	conn, err := b.Connection(ctx, b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, schema.HealthFailed, conn.Health)
	require.Equal(t, schema.ProbeScopeMissing, conn.HealthCode, "what is required comes first")
	require.Equal(t, again.At, conn.HealthAt)
	require.Equal(t, b.conn.Version, conn.Version)
	require.Equal(t, "failed", conn.Shown())
	since, err := b.HealthSince(ctx)
	require.NoError(t, err)
	require.Equal(t, map[schema.ConnectionID]time.Time{b.conn.ID: broken.At}, since, "the later visit found the same")
	require.Equal(t, []string{"pending>active OK", "active>failed SCOPE_MISSING"}, b.healthRecords())

	require.Error(t, b.SaveDiagnosis(ctx, schema.Diagnosis{ConnectionID: "0197c0de-0000-7000-8000-000000000001", Health: schema.HealthActive}))
	_, err = b.SetConnectionState(ctx, "box", schema.ConnectionRemoved, "", b.admin)
	require.NoError(t, err)
	save(b.visit(45, schema.HealthActive, well.Results...))
	require.Len(t, b.healthRecords(), 2, "a visit that ended after the removal changes nothing")
	require.Empty(t, b.openAlarms(), "nobody has to act for it any more")
}

// TestAlarmsAreToldOnce: an alarm is open until its cause is over, and the same
// fault raises no second one meanwhile.
func TestAlarmsAreToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	save := func(d schema.Diagnosis) { t.Helper(); require.NoError(t, b.SaveDiagnosis(ctx, d)) }
	untold := func() []schema.Alarm {
		list, err := b.UntoldAlarms(ctx, b.conn.ID)
		require.NoError(t, err)
		return list
	}
	removed := found(schema.ProbeIntegrationRemoved, "identity", true)

	save(b.visit(0, schema.HealthFailed, removed))
	told := untold()
	require.Len(t, told, 1)
	require.Equal(t, "connection box, identity: what is wrong", told[0].Message)
	require.NoError(t, b.AlarmTold(ctx, told[0].ID))
	require.Empty(t, untold())

	for minute := 1; minute < 4; minute++ {
		save(b.visit(minute, schema.HealthFailed, removed, removed))
	}
	require.Empty(t, untold(), "the same fault while its alarm is open is no news")

	cut := b.visit(5, schema.HealthDegraded, found(schema.ProbeBaseURLUnreachable, "sign_in", true))
	cut.Partial = true
	save(cut)
	require.Equal(t, []string{"INTEGRATION_REMOVED"}, b.openAlarms(), "one visit without an answer is no alarm, and ends none")
	cut.At = cut.At.Add(time.Minute)
	save(cut)
	require.Equal(t, []string{"BASE_URL_UNREACHABLE", "INTEGRATION_REMOVED"}, b.openAlarms())

	stopped := b.visit(8, schema.HealthFailed, removed)
	stopped.Partial = true
	save(stopped)
	require.Equal(t, []string{"INTEGRATION_REMOVED"}, b.openAlarms(), "there was an answer")
	save(b.visit(9, schema.HealthActive, found(schema.ProbeOK, "identity", true)))
	require.Empty(t, b.openAlarms())
	save(b.visit(10, schema.HealthFailed, removed))
	require.Len(t, untold(), 1, "a new case of the same fault")

	raise := func() {
		require.NoError(t, b.RaiseAlarm(ctx, schema.Alarm{ConnectionID: b.conn.ID, Code: schema.AlarmActivityHole, Message: "m", Fix: "f"}))
	}
	raise()
	raise()
	require.NoError(t, b.RaiseAlarm(ctx, schema.Alarm{Code: "X", Message: "about no connection", Fix: "f"}))
	require.NoError(t, b.RaiseAlarm(ctx, schema.Alarm{Code: "X", Message: "about no connection", Fix: "f"}))
	require.Equal(t, []string{"X", "ACTIVITY_HOLE", "INTEGRATION_REMOVED"}, b.openAlarms())
	require.NoError(t, b.ClearAlarm(ctx, "", "X"))
	require.NoError(t, b.ClearAlarm(ctx, "", "X"))
	save(b.visit(11, schema.HealthActive, found(schema.ProbeOK, "identity", true)))
	require.Equal(t, []string{"ACTIVITY_HOLE"}, b.openAlarms(), "the doctor clears what the doctor raised")

	page, next, err := b.ListAlarms(ctx, true, "", 3)
	require.NoError(t, err)
	require.Len(t, page, 3)
	rest, end, err := b.ListAlarms(ctx, true, next, 3)
	require.NoError(t, err)
	require.Len(t, rest, 2)
	require.Empty(t, end)
	require.Equal(t, "box", rest[1].Connection)
	require.False(t, rest[1].ClearedAt.IsZero())
	requireCode(t, schema.CodeInvalid, b.RaiseAlarm(ctx, schema.Alarm{Code: "X"}))
}

func TestConnectionOwner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, err := b.SetConnectionOwner(t.Context(), "box", "ops@example.com", b.admin)
	require.NoError(t, err)
	require.Equal(t, "ops@example.com", c.Owner)
	require.Equal(t, b.conn.Version, c.Version, "an owner changes nothing of how it is opened")
	c, err = b.SetConnectionOwner(t.Context(), "box", "", b.admin)
	require.NoError(t, err)
	require.Empty(t, c.Owner)
	_, err = b.SetConnectionOwner(t.Context(), "none", "ops@example.com", b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.SetConnectionOwner(t.Context(), "box", "ops@example.com", schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
}
