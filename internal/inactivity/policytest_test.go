package inactivity_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/match"
	"sendoff/schema"
)

const readyPolicies = "../../docs/policies"

// TestReadyPolicies: the policies of the documentation are clean, and their tests
// pass, each with an account that is taken and one that is not.
func TestReadyPolicies(t *testing.T) {
	t.Parallel()
	set, report := inactivity.ReadSet(readyPolicies)
	require.Empty(t, report.Errors)
	require.Empty(t, report.Warnings)
	require.Len(t, set.Policies, 5)
	rules := map[string]*inactivity.Rule{}
	for _, p := range set.Policies {
		require.Equal(t, p.Rule.Name+".yaml", filepath.Base(p.File))
		rules[p.Rule.Name] = compiled(t, p.Rule)
	}
	var tests []inactivity.PolicyTest
	for _, f := range set.Tests {
		list, report := inactivity.ParseTests(f.File, f.Source)
		require.NoError(t, report.Err())
		tests = append(tests, list...)
	}
	seen := map[string]map[bool]bool{}
	for i, r := range inactivity.RunTests(rules, tests) {
		require.True(t, r.OK, "%s: %s: want %s, got %s", r.Policy, r.Case, r.Want, r.Got)
		if seen[r.Policy] == nil {
			seen[r.Policy] = map[bool]bool{}
		}
		seen[r.Policy][tests[i].Want.Verdict == schema.ReasonMatched] = true
	}
	for name := range rules {
		require.Len(t, seen[name], 2, name)
	}
}

var pageFence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestPageShowsReadyPolicies: the section of the ready policies shows the files
// beside the page, all of them and nothing else.
func TestPageShowsReadyPolicies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/policies.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## Five ready policies\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var shown []string
	for _, m := range pageFence.FindAllStringSubmatch(section, -1) {
		shown = append(shown, m[1])
	}
	files, err := filepath.Glob(readyPolicies + "/*.yaml")
	require.NoError(t, err)
	var want []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.Contains(t, section, "policies/"+filepath.Base(f))
		if !strings.HasSuffix(f, "-test.yaml") {
			want = append(want, string(b))
		}
	}
	require.ElementsMatch(t, want, shown)
	for _, name := range match.Names() {
		require.Contains(t, string(page), "| `"+name.Name+"` |")
	}
	for _, reason := range schema.VerdictReasons() {
		require.Contains(t, string(page), "| `"+string(reason)+"` |")
	}
}

const testHead = `apiVersion: sendoff/v1
kind: InactivityPolicyTest
policy: dormant
now: 2026-06-01T12:00:00Z
cases:
`

func TestParseTests(t *testing.T) {
	t.Parallel()
	tests, report := inactivity.ParseTests("a.yaml", []byte(testHead+`
  - name: everything
    account:
      login: ada@example.com
      name: Ada
      connection: box
      external_id: "7"
      kind: external
      role: coadmin
      status: restricted
      vendor_status: cannot_delete_edit
      created_at: 2024-01-01T10:00:00+01:00
      space_used: 1000
      tracking: {cost centre: A12}
    activity: {last_active_at: 2026-03-01, last_event: LOGIN, covered_from: 2026-01-01, covered_to: "2026-06-01 09:00 UTC"}
    person: {email: ada@example.com, name: Ada, employment: contractor, status: active, department: Sales, site: HQ, manager: bob@example.com, hire_date: 2020-01-01, last_day: 2026-07-01}
    groups: [all, {id: "9", name: Board, role: admin}]
    kept_at: 2026-02-01
    expect: {verdict: excluded, reason: because, grade: inactive}
  - name: nothing
    expect: {verdict: matched}
`))
	require.NoError(t, report.Err())
	require.Empty(t, report.Warnings)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	all := tests[0].Subject
	require.True(t, all.Account.CreatedAt.Equal(time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)))
	all.Account.CreatedAt = time.Time{}
	require.True(t, all.Activity.Covered.To.Equal(time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)))
	all.Activity.Covered.To = time.Time{}
	require.Equal(t, schema.Subject{
		Account: schema.Account{
			Login: "ada@example.com", Name: "Ada", ExternalID: "7", Kind: schema.KindExternal, Role: schema.RoleCoadmin, Status: schema.AccountRestricted,
			VendorStatus: "cannot_delete_edit", SpaceUsed: 1000, Tracking: map[string]string{"cost centre": "A12"},
		},
		Connection: "box",
		Activity:   schema.Activity{Source: "test", LastActiveAt: day(2026, 3, 1), LastEvent: "LOGIN", Covered: schema.Interval{From: day(2026, 1, 1)}},
		Person: &schema.Holder{
			Email: "ada@example.com", Name: "Ada", Employment: schema.Contractor, Status: schema.StatusActive, Department: "Sales", Site: "HQ",
			Manager: "bob@example.com", HireDate: schema.Date{Year: 2020, Month: 1, Day: 1}, LastDay: schema.Date{Year: 2026, Month: 7, Day: 1},
		},
		Groups: []schema.HeldGroup{{Name: "all"}, {ID: "9", Name: "Board", Role: "admin"}},
		KeptAt: day(2026, 2, 1),
	}, all)
	require.Equal(t, inactivity.Expected{Verdict: schema.ReasonExcluded, Reason: "because", Grade: schema.GradeInactive}, tests[0].Want)

	bare := tests[1]
	require.Equal(t, "dormant", bare.Policy)
	require.Equal(t, "nothing", bare.Case)
	require.Equal(t, now, bare.Now)
	require.Equal(t, schema.KindPerson, bare.Subject.Account.Kind)
	require.Equal(t, now, bare.Subject.Activity.Covered.To)
	require.Nil(t, bare.Subject.Person)
}

func TestParseTestsTellsAllFaults(t *testing.T) {
	t.Parallel()
	_, report := inactivity.ParseTests("a.yaml", []byte(`apiVersion: sendoff/v2
kind: InactivityPolicyTest
polcy: dormant
now: today
cases:
  - name: one
    account: {kind: human, role: boss, space_used: -1, tracking: [], created_at: soon}
    activity: {covered_from: 2026-05-01, covered_to: 2026-04-01}
    person: {email: ada, last_day: never}
    groups: all
    expect: {verdict: matched, reason: because}
  - name: one
    activity: {collected: false, covered_to: 2026-04-01}
    expect: {verdict: yes, grade: old}
  - expected: {}
`))
	var told []string
	for _, p := range report.Errors {
		require.NotEmpty(t, p.Fix)
		told = append(told, strings.TrimPrefix(p.Where, "a.yaml ")+": "+p.Code)
	}
	require.Equal(t, []string{
		"line 1, column 1 (policy): required", "line 1, column 13 (apiVersion): unknown_version", "line 3, column 1: unknown_member",
		"line 4, column 6 (now): instant_syntax",
		"line 7, column 21 (cases[0].account.kind): unknown_value", "line 7, column 34 (cases[0].account.role): unknown_value",
		"line 7, column 52 (cases[0].account.space_used): out_of_range", "line 7, column 66 (cases[0].account.tracking): type",
		"line 7, column 82 (cases[0].account.created_at): instant_syntax", "line 8, column 15 (cases[0].activity): contradiction",
		"line 9, column 21 (cases[0].person.email): email_syntax", "line 9, column 36 (cases[0].person.last_day): date_syntax",
		"line 10, column 13 (cases[0].groups): type", "line 11, column 40 (cases[0].expect.reason): no_effect",
		"line 12, column 5 (cases[1].name): duplicate", "line 13, column 27 (cases[1].activity.collected): contradiction",
		"line 14, column 23 (cases[1].expect.verdict): unknown_value", "line 14, column 35 (cases[1].expect.grade): unknown_value",
		"line 15, column 5 (cases[2]): unknown_member", "line 15, column 5 (cases[2].name): required", "line 15, column 5 (cases[2].expect): required",
	}, told)
}

func TestRunTests(t *testing.T) {
	t.Parallel()
	rule := dormant()
	rule.Exclude = []schema.Exclusion{{Login: "svc-*", Reason: "machines stay"}}
	other := dormant()
	other.Name, other.Connections = "other", []string{"zoom"}
	tests, report := inactivity.ParseTests("a.yaml", []byte(testHead+`
  - {name: taken, activity: {last_active_at: 2026-01-01}, expect: {verdict: matched}}
  - {name: taken as what it is, activity: {last_active_at: 2026-01-01}, expect: {verdict: matched, grade: never}}
  - {name: kept out, account: {login: svc-1}, activity: {last_active_at: 2026-01-01}, expect: {verdict: excluded, reason: machines}}
  - {name: for another reason, account: {login: svc-1}, activity: {last_active_at: 2026-01-01}, expect: {verdict: excluded, reason: people}}
  - {name: elsewhere, account: {connection: zoom}, expect: {verdict: matched}}
`))
	require.NoError(t, report.Err())
	tests = append(tests, inactivity.PolicyTest{Policy: "missing", Case: "lost"})
	var told []string
	for _, r := range inactivity.RunTests(map[string]*inactivity.Rule{"dormant": compiled(t, rule), "other": compiled(t, other)}, tests) {
		state := map[bool]string{true: "ok", false: "failed"}[r.OK]
		if r.Untested {
			state = "untested"
		}
		told = append(told, strings.Join([]string{r.Policy, r.Case, state, r.Got}, " | "))
	}
	require.Equal(t, []string{
		"dormant | taken | ok | matched, grade inactive",
		"dormant | taken as what it is | failed | matched, grade inactive",
		"dormant | kept out | ok | excluded (machines stay), grade inactive",
		"dormant | for another reason | failed | excluded (machines stay), grade inactive",
		"dormant | elsewhere | failed | not_applicable, grade inactive",
		"missing | lost | failed | no policy of that name",
		"other |  | untested | none",
	}, told)
}

func FuzzParseTests(f *testing.F) {
	f.Add(testHead + "  - {name: a, expect: {verdict: matched}}\n")
	f.Add(testHead + "  - {name: a, account: {tracking: {a: b, a: c}}, groups: [{id: x}, 1], activity: {collected: no}, expect: {}}\n")
	f.Add("kind: [")
	f.Fuzz(func(t *testing.T, source string) {
		tests, report := inactivity.ParseTests("fuzz.yaml", []byte(source))
		if report.Err() != nil {
			return
		}
		require.NotEmpty(t, tests)
		r := compiled(t, dormant())
		for _, result := range inactivity.RunTests(map[string]*inactivity.Rule{"dormant": r}, tests) {
			require.NotEmpty(t, result.Got)
		}
	})
}
