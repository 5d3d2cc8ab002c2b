package inactivity_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/yamlfile"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

var parsedAt = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func policyDocuments(t testing.TB, name string) []string {
	t.Helper()
	return yamltest.Documents(t, "testdata/policy-"+name+".yaml")
}

func parsePolicy(file string, source []byte) yamlfile.Report {
	_, report := inactivity.Parse(file, source, parsedAt)
	return report
}

func TestPoliciesAreJudgedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	yamltest.JudgedAsTheySay(t, "testdata/policy-%s.yaml", []string{"valid", "invalid", "meaning"}, parsePolicy)
}

func TestEverythingAFileCanSayReachesTheRule(t *testing.T) {
	t.Parallel()
	got, report := inactivity.Parse("test.yaml", []byte(policyDocuments(t, "valid")[0]), parsedAt)
	require.NoError(t, report.Err())
	require.Equal(t, schema.PolicyRule{
		Name: "dormant-accounts", Title: "Dormant for 90 days", Owner: "it@example.com", Mode: schema.PolicyShadow, ColdStart: schema.ColdActs,
		Connections: []string{"box", "zoom"},
		Kinds:       []schema.AccountKind{schema.KindPerson, schema.KindService},
		Statuses:    []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted},
		Grades:      []schema.Grade{schema.GradeInactive, schema.GradeNever},
		Match:       "account.kind == \"person\"\n  && !account.privileged",
		Threshold: schema.Threshold{
			Default: 90 * 24 * time.Hour,
			Kinds:   []schema.KindThreshold{{Kind: schema.KindService, For: 180 * 24 * time.Hour}},
			Roles:   []schema.RoleThreshold{{Role: schema.RoleCoadmin, For: 30 * 24 * time.Hour}},
		},
		Exclude: []schema.Exclusion{
			{Group: "Archive", Reason: "Keeps what nobody reads"},
			{Person: "ada@example.com", Until: schema.Date{Year: 2027, Month: 1, Day: 31}, Reason: "On leave"},
			{Login: "svc-*@example.com", Reason: "Programs"},
			{When: `account.login == "x@example.com"`, Until: schema.Date{Year: 2027, Month: 3, Day: 31}, Reason: "Agreed"},
		},
		Ask: []schema.Ask{
			{
				Whom: schema.AskHolder, Channel: schema.ChannelMail, Wait: 14 * 24 * time.Hour, Silence: schema.SilenceProceeds,
				Text: "Do you still need {{login}}?\n\nNobody has used it since {{last_used}}. {{steps}} follow after {{until}}; no answer means: {{silence}}.\n" +
					"{{link}}\n{{owner}}, {{policy}}, {{connection}}",
			},
			{Whom: schema.AskNamed, To: []string{"lead@example.com", "office@example.com"}, Channel: schema.ChannelMail, Wait: 7 * 24 * time.Hour, Silence: schema.SilenceNothing},
			{Whom: schema.AskNamed, To: []string{"it-alerts"}, Channel: schema.ChannelSlack, Wait: 24 * time.Hour, Silence: schema.SilenceNothing},
		},
		Steps: []schema.StepFact{
			{Kind: schema.StepSnapshot},
			{Kind: schema.StepSuspend},
			{Kind: schema.StepTransfer},
			{Kind: schema.StepWait, WaitSeconds: 30 * 86400},
			{Kind: schema.StepDelete},
		},
		Receivers: []string{"manager", "lead@example.com", "archive@example.com"},
		Budget:    schema.Budget{PerRun: 10, PerDay: 20, Connection: 30, Percent: 5, Bytes: 500e9, Privileged: 1},
		Approvals: 2,
		Schedule: schema.PolicySchedule{
			Times: []schema.ScheduleTime{
				{Hour: 6, Weekdays: []time.Weekday{time.Monday, time.Tuesday}, Months: []time.Month{time.January, time.July}},
				{Hour: 18, Minute: 30, Days: []int{1, 15}},
			},
			Zone: "Europe/Berlin", Jitter: 10 * time.Minute,
			Blackout: []schema.Blackout{
				{From: schema.Date{Year: 2026, Month: 12, Day: 20}, To: schema.Date{Year: 2027, Month: 1, Day: 6}, Reason: "Holidays"},
				{From: schema.Date{Year: 2027, Month: 4, Day: 1}, To: schema.Date{Year: 2027, Month: 4, Day: 1}, Reason: "Cutover"},
			},
		},
		Freshness: schema.Freshness{Sync: 12 * time.Hour, Activity: 48 * time.Hour},
		Allow:     schema.Allowances{MostOfPopulation: true},
	}, got)
}

func TestWhatAFileLeavesOutHasItsDefault(t *testing.T) {
	t.Parallel()
	docs := policyDocuments(t, "valid")
	got, report := inactivity.Parse("test.yaml", []byte(docs[1]), parsedAt)
	require.NoError(t, report.Err())
	require.Equal(t, schema.PolicyRule{
		Name: "a", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdReports, Connections: []string{"box"},
		Kinds:     []schema.AccountKind{schema.KindPerson},
		Statuses:  []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted},
		Grades:    []schema.Grade{schema.GradeInactive, schema.GradeNever},
		Threshold: schema.Threshold{Default: 90 * 24 * time.Hour},
		Steps:     []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}},
		Budget:    schema.Budget{PerRun: schema.DefaultBudgetPerRun, PerDay: schema.DefaultBudgetPerDay, Percent: schema.DefaultBudgetPercent},
		Approvals: 1,
		Freshness: schema.Freshness{Sync: schema.DefaultSyncFreshness, Activity: schema.DefaultActivityFreshness, Patience: schema.DefaultPatience},
	}, got)
	at, report := inactivity.Parse("test.yaml", []byte(docs[4]), parsedAt)
	require.NoError(t, report.Err())
	require.Equal(t, "UTC", at.Schedule.Zone)
}

// TestFaultsOfAWholeFile: with UPDATE=1 the expected text is written anew.
func TestFaultsOfAWholeFile(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("testdata/faults.yaml")
	require.NoError(t, err)
	_, report := inactivity.Parse("faults.yaml", source, parsedAt)
	var b strings.Builder
	for _, p := range report.Errors {
		if p.Code == "expression" {
			p.Message, p.Fix = "in the words of the match", "its fix"
		}
		fmt.Fprintf(&b, "%s: %s: %s\n    %s\n", p.Where, p.Code, p.Message, p.Fix)
	}
	const golden = "testdata/faults.golden"
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
	require.GreaterOrEqual(t, len(report.Errors), 20)
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(report.Err()))
}

// TestFaultsOfExpressionsStandWhereTheyAre: also in texts of several lines.
func TestFaultsOfExpressionsStandWhereTheyAre(t *testing.T) {
	t.Parallel()
	head := "apiVersion: sendoff/v1\nkind: InactivityPolicy\nname: a\nowner: it@example.com\nconnections: [box]\nthreshold: 90d\nsteps: [snapshot]\nmatch:\n"
	for when, place := range map[string]string{
		"  when: acount.privileged\n":                                     "line 9, column 9",
		"  when: 'account.privileged && acount.privileged'\n":             "line 9, column 32",
		"  when: |\n    account.privileged &&\n      acount.privileged\n": "line 11, column 7",
		"  when: >-\n    account.privileged\n    && acount.privileged\n":  "line 11, column 8",
		"  when: account.privileged\n    && acount.privileged\n":          "line 10, column 8",
		"  when: \"account.login == \\\"a\\\" && acount.privileged\"\n":   "line 9, column 36",
		"  # a note\n  when: |- # why\n\n    acount.privileged == true\n": "line 12, column 5",
	} {
		_, report := inactivity.Parse("test.yaml", []byte(head+when), parsedAt)
		require.Len(t, report.Errors, 1, when)
		require.Equal(t, "test.yaml "+place+" (match.when)", report.Errors[0].Where, when)
	}
}

func TestWhatIsNoPolicyAtAll(t *testing.T) {
	t.Parallel()
	yamltest.RefusesWhatIsNone(t, parsePolicy)
}

// FuzzParsePolicy: whatever is read, there is an answer, and what is accepted is
// whole and read again as the same.
func FuzzParsePolicy(f *testing.F) {
	docs := policyDocuments(f, "valid")
	for _, doc := range append(docs[:5:5], policyDocuments(f, "meaning")...) {
		f.Add([]byte(doc))
	}
	f.Add([]byte("a: &a [*a, *a]\nb: *a"))
	f.Fuzz(func(t *testing.T, source []byte) {
		got, report := inactivity.Parse("fuzz.yaml", source, parsedAt)
		for _, p := range append(report.Errors, report.Warnings...) {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Code)
			require.NotEmpty(t, p.Fix)
		}
		if report.Err() != nil {
			return
		}
		require.NotEmpty(t, got.Name)
		require.NotEmpty(t, got.Owner)
		require.NotEmpty(t, got.Connections)
		require.NotEmpty(t, got.Grades)
		require.NotContains(t, got.Grades, schema.GradeUnknown)
		require.NotContains(t, got.Grades, schema.GradeNotCollected)
		require.Positive(t, got.Budget.PerRun)
		require.Positive(t, got.Budget.PerDay)
		require.Positive(t, got.Budget.Percent)
		require.Equal(t, schema.StepSnapshot, got.Steps[0].Kind)
		require.True(t, got.Threshold.Default > 0 || got.Allow.ZeroThreshold)
		again, report := inactivity.Parse("fuzz.yaml", source, parsedAt)
		require.NoError(t, report.Err())
		require.Equal(t, got.Hash(), again.Hash())
		require.Empty(t, inactivity.Diff(got, again))
	})
}
