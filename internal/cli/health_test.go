package cli_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/internal/web"
	"sendoff/schema"
)

// TestEveryProbeCodeIsDocumented: a code that nobody can look up is a dead end.
func TestEveryProbeCodeIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/doctor.md")
	require.NoError(t, err)
	_, codes, found := strings.Cut(string(page), "\n## Codes\n")
	require.True(t, found)
	values := constantsOf(t, "ProbeCode", "../../schema")
	require.GreaterOrEqual(t, len(values), 19)
	for _, value := range values {
		require.Regexp(t, "\n\\| `"+value+"` \\|[^|]+\\|[^|]+\\|[^|]+\\|\n", codes, value)
		code := schema.ProbeCode(value)
		require.Equal(t, code.Fault(), contains(schema.ProbeCodes(), code), "%s: the list of codes is that of the faults", value)
	}
	for _, state := range append(constantsOf(t, "Health", "../../schema"), string(schema.ConnectionDisabled)) {
		require.Contains(t, string(page), "\n| `"+state+"` |")
	}
}

func contains(list []schema.ProbeCode, code schema.ProbeCode) bool {
	for _, c := range list {
		if c == code {
			return true
		}
	}
	return false
}

func diagnosis(health schema.Health, code schema.ProbeCode, required bool) schema.Diagnosis {
	return schema.Diagnosis{
		At: now, Health: health, Limits: []string{"it cannot fly"},
		Identity: schema.DiagnosedIdentity{ExternalID: "7", Role: schema.RoleCoadmin, EnterpriseID: "900001", Service: true},
		Results: []schema.ProbeResult{
			{Ability: schema.Ability{Name: "sign_in", Serves: "everything", Required: true}, Code: schema.ProbeOK, Message: "works"},
			{
				Ability: schema.Ability{Name: "read_events", Scope: "manage_enterprise_properties", Serves: "activity", Required: required}, Code: code,
				Message: "the vendor refuses this", Fix: "go through the causes", Detail: "HTTP 403, vendor request r1",
				Candidates: []schema.Candidate{{Cause: "the scope is missing", Look: "the console"}},
			},
			{Ability: schema.Ability{Name: "delete", Scope: "manage_managed_users", Serves: "deletes", Required: true, Writes: true}, Code: schema.ProbeNotProbed, Message: "only a write could tell"},
		},
	}
}

// TestConnectionsTest prints a line for each ability, what may be behind a refusal
// and the limits of the role, and ends with 3 when something required fails.
func TestConnectionsTest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) {
		return schema.Connection{Name: "box", Vendor: "box", State: schema.ConnectionEnabled, EnterpriseID: "900001"}, nil
	}
	for name, c := range map[string]struct {
		found schema.Diagnosis
		code  int
	}{
		"all works":                 {diagnosis(schema.HealthActive, schema.ProbeOK, true), cli.ExitDone},
		"something optional":        {diagnosis(schema.HealthDegraded, schema.ProbeAccessRefused, false), cli.ExitDone},
		"something required":        {diagnosis(schema.HealthFailed, schema.ProbeAccessRefused, true), cli.ExitRefused},
		"something required, a now": {diagnosis(schema.HealthDegraded, schema.ProbeBaseURLUnreachable, true), cli.ExitRefused},
	} {
		b.diagnose = func(schema.Connection, string) (schema.Diagnosis, error) { return c.found, nil }
		r := b.run("connections", "test", "box")
		require.Equal(t, c.code, r.code, "%s: %s", name, r.errout)
		require.Contains(t, r.out, "Connection box is "+string(c.found.Health))
		require.Regexp(t, `read_events\s+(required|optional)\s+manage_enterprise_properties\s+`+string(c.found.Results[1].Code), r.out)
		require.Regexp(t, `delete\s+required, write\s+manage_managed_users\s+NOT_PROBED`, r.out)
		require.Contains(t, r.out, "it cannot fly")
		fault := c.found.Code() != schema.ProbeOK
		require.Equal(t, fault, strings.Contains(r.out, "1. the scope is missing\n     look at: the console"))
		require.Equal(t, fault, strings.Contains(r.out, "vendor request r1"))
		require.Equal(t, c.code == cli.ExitDone, strings.Contains(r.out, "Works: box"))
		j, v := b.runJSON("connections", "test", "box")
		require.Equal(t, c.code, j.code)
		d, _ := v["diagnosis"].(map[string]any)
		require.Equal(t, c.code == cli.ExitDone, d["usable"])
	}
	b.store.DiagnosisFunc = func(schema.ConnectionID) (schema.StoredDiagnosis, error) {
		return schema.StoredDiagnosis{Diagnosis: diagnosis(schema.HealthFailed, schema.ProbeAccessRefused, true), Since: now.Add(-time.Hour)}, nil
	}
	r := b.run("connections", "diagnosis", "box")
	require.Equal(t, cli.ExitDone, r.code)
	require.Contains(t, r.out, "failed since 2026-11-21 11:00:00 UTC, looked at 2026-11-21 12:00:00 UTC")
}

func TestConnectShowsTheScopes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) {
		return schema.Connection{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
	}
	b.store.CreateConnectionFunc = func(c schema.Connection, _ string) (schema.Connection, error) { return c, nil }
	b.diagnose = func(schema.Connection, string) (schema.Diagnosis, error) {
		return diagnosis(schema.HealthDegraded, schema.ProbeScopeOptionalMissing, false), nil
	}
	connect := []string{"connect", "box", "--name", "box", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t", "--client-id", "c", "--enterprise-id", "900001", "--client-secret-file", b.file("secret", "s3cret\n")}
	r := b.run(connect...)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Connected box")
	require.Regexp(t, `read_events\s+optional\s+manage_enterprise_properties\s+SCOPE_OPTIONAL_MISSING`, r.out)

	b.diagnose = func(schema.Connection, string) (schema.Diagnosis, error) {
		return diagnosis(schema.HealthFailed, schema.ProbeAccessRefused, true), nil
	}
	r = b.run(connect...)
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "ACCESS_REFUSED")
	require.Contains(t, r.errout, "the scope is missing")
	require.Contains(t, r.errout, "look at: the console")

	r = b.run("connections", "scopes", "box", "--read-only")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `users\s+optional, write\s+suspend\s+suspends`, r.out)
}

func TestAlarmsOwnersAndSchedules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.checker = func(schema.Connection, string) (web.ConnectionCheck, error) { return web.ConnectionCheck{}, nil }
	b.store.ListAlarmsFunc = func(ended bool, _ string, _ int) ([]schema.AlarmView, string, error) {
		require.True(t, ended)
		return []schema.AlarmView{{Alarm: schema.Alarm{ID: "a", Code: "INTEGRATION_REMOVED", Message: "gone", Fix: "ask", RaisedAt: now, ToldAt: now}, Connection: "box"}}, "", nil
	}
	r := b.run("alarms", "list", "--ended")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `box\s+INTEGRATION_REMOVED\s+2026-11-21 12:00:00 UTC\s+open\s+gone\s+ask`, r.out)

	b.store.SetConnectionOwnerFunc = func(name, owner string) (schema.Connection, error) {
		return schema.Connection{Name: name, Owner: owner}, nil
	}
	require.Contains(t, b.run("connections", "owner", "box", "ops@example.com").out, "ops@example.com is told of alarms of box")
	require.Contains(t, b.run("connections", "owner", "box").out, "Nobody is told")

	have := schema.DefaultSchedule()
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return schema.Connection{ID: "c", Name: "box"}, nil }
	b.store.ScheduleFunc = func(schema.ConnectionID) (schema.Schedule, error) { return have, nil }
	b.store.SetScheduleFunc = func(_ string, s schema.Schedule) (schema.Schedule, error) { have = s; return s, nil }
	r = b.run("connections", "schedule", "box", "--sync", "0", "--backfill", "365d")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `sync\s+never by itself\nactivity\s+every 15m\nprobe\s+every 15m\nbackfill\s+365d back`, r.out)
	require.Equal(t, r.out, b.run("connections", "schedule", "box").out)
}
