package inactivity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func fullRule(t *testing.T) schema.PolicyRule {
	t.Helper()
	rule, report := inactivity.Parse("test.yaml", []byte(policyDocuments(t, "valid")[0]), parsedAt)
	require.NoError(t, report.Err())
	rule.Steps = append(rule.Steps, schema.StepFact{Kind: schema.StepManual, WaitSeconds: 86400, StepParams: schema.StepParams{
		Until: "2026-12-31T17:00:00Z", Trash: schema.TrashKeep, Reactivate: true, Channel: schema.ChannelMail, To: []string{"it@example.com"},
		Message: "Gone", Title: "Look", Owner: "it",
	}})
	return rule
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before, after := fullRule(t), fullRule(t)
	require.Empty(t, inactivity.Diff(before, after))
	after.Title = ""
	after.Mode = schema.PolicyActs
	after.Match = "account.privileged"
	after.Threshold.Default = 36 * time.Hour
	after.Threshold.Roles = append(after.Threshold.Roles, schema.RoleThreshold{Role: schema.RoleOwner, For: time.Hour})
	after.Exclude = after.Exclude[:3]
	after.Steps[3].WaitSeconds = 60 * 86400
	after.Steps = after.Steps[:5]
	after.Budget = schema.Budget{PerRun: 10, PerDay: 20, Percent: 5, Bytes: 1 << 31, Privileged: 1}
	after.Schedule.Times = nil
	after.Schedule.Every = 24 * time.Hour
	after.Schedule.Blackout[1].To = schema.Date{Year: 2027, Month: 4, Day: 2}
	after.Allow = schema.Allowances{}
	require.Equal(t, []string{
		`title: "Dormant for 90 days" -> (none)`,
		`mode: shadow -> act`,
		`match.when: "account.kind == \"person\"\n  && !account.privileged" -> "account.privileged"`,
		`threshold.default: 90d -> 1d12h`,
		`threshold.roles.admin: (none) -> 1h`,
		`exclude[3]: {when: "account.login == \"x@example.com\"", until: 2027-03-31, reason: "Agreed"} -> (none)`,
		`steps[3]: wait: {for: 30d} -> wait: {for: 60d}`,
		`steps[5]: manual: {due: 1d, until: 2026-12-31T17:00:00Z, trash: keep, inactive_source: reactivate, channel: mail, to: ["it@example.com"], ` +
			`message: "Gone", title: "Look", owner: "it"} -> (none)`,
		`budget.connection: 30 -> (none)`,
		`budget.bytes: 500GB -> 2GiB`,
		`schedule.every: (none) -> 1d`,
		`schedule.times[0]: {at: "06:00", weekdays: [mon, tue], months: [1, 7]} -> (none)`,
		`schedule.times[1]: {at: "18:30", days: [1, 15]} -> (none)`,
		`schedule.blackout[1]: {from: 2027-04-01, to: 2027-04-01, reason: "Cutover"} -> {from: 2027-04-01, to: 2027-04-02, reason: "Cutover"}`,
		`allow.most_of_population: true -> false`,
	}, inactivity.Diff(before, after))
}

// TestDiffSeesEveryMember: also one that the type gets later.
func TestDiffSeesEveryMember(t *testing.T) {
	t.Parallel()
	before, untouched := fullRule(t), fullRule(t)
	leaves := 0
	yamltest.ChangeEach(t, &before, nil, func(path string) {
		leaves++
		require.NotEmpty(t, inactivity.Diff(untouched, before), path)
	})
	require.Greater(t, leaves, 60)
}
