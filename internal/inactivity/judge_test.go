package inactivity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

var judgedAt = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func ago(days float64) time.Time { return judgedAt.Add(-time.Duration(days * float64(day))) }

// dormant takes what was not used for 90 days.
func dormant() schema.PolicyRule {
	return schema.PolicyRule{
		Name: "dormant", Connections: []string{"box"}, Kinds: []schema.AccountKind{schema.KindPerson},
		Statuses: []schema.AccountStatus{schema.AccountActive}, Grades: []schema.Grade{schema.GradeInactive, schema.GradeNever},
		Threshold: schema.Threshold{Default: 90 * day},
	}
}

// subject is an account that dormant takes.
func subject() schema.Subject {
	return schema.Subject{
		Account: schema.Account{
			ID: "1", ConnectionID: "c", Login: "Ada@example.com", Kind: schema.KindPerson, Role: schema.RoleMember, Status: schema.AccountActive,
			CreatedAt: ago(1000),
		},
		Connection: "box",
		Activity:   schema.Activity{LastActiveAt: ago(100), Covered: schema.Interval{From: ago(200), To: judgedAt}},
	}
}

func compiled(t require.TestingT, rule schema.PolicyRule) *inactivity.Rule {
	r, err := inactivity.Compile(rule)
	require.NoError(t, err)
	return r
}

func TestJudge(t *testing.T) {
	t.Parallel()
	type change func(*schema.PolicyRule, *schema.Subject)
	match := func(expression string) change {
		return func(r *schema.PolicyRule, _ *schema.Subject) { r.Match = expression }
	}
	// Each case goes on from the one before it: what stands first decides.
	steps := []struct {
		want   schema.VerdictReason
		change change
	}{
		{schema.ReasonMatched, func(*schema.PolicyRule, *schema.Subject) {}},
		{schema.ReasonMatched, match("account.created_at < now")},
		{schema.ReasonMatchFailed, match("account.tracking['cost_centre'] == 'A'")},
		{schema.ReasonNoMatch, match("account.space_used > 5")},
		{schema.ReasonExcluded, func(r *schema.PolicyRule, _ *schema.Subject) {
			r.Exclude = []schema.Exclusion{{Login: "b*", Reason: "others"}, {Login: "ada@*", Reason: "hers"}}
		}},
		{schema.ReasonKept, func(_ *schema.PolicyRule, s *schema.Subject) { s.KeptAt = ago(89) }},
		{schema.ReasonYoung, func(_ *schema.PolicyRule, s *schema.Subject) {
			s.Activity.LastActiveAt, s.Account.CreatedAt = time.Time{}, ago(89)
		}},
		{schema.ReasonGrade, func(_ *schema.PolicyRule, s *schema.Subject) { s.Activity.LastActiveAt = ago(5) }},
		{schema.ReasonUnknown, func(_ *schema.PolicyRule, s *schema.Subject) {
			s.Activity.LastActiveAt, s.Activity.Covered.From = ago(100), ago(80)
		}},
		{schema.ReasonUnknown, func(_ *schema.PolicyRule, s *schema.Subject) {
			s.Activity.LastActiveAt, s.Account.CreatedAt, s.Activity.Covered.From = time.Time{}, time.Time{}, ago(200)
		}},
		{schema.ReasonNotCollected, func(_ *schema.PolicyRule, s *schema.Subject) { s.Activity.Covered = schema.Interval{} }},
		{schema.ReasonStatus, func(_ *schema.PolicyRule, s *schema.Subject) { s.Account.Status = schema.AccountSuspended }},
		{schema.ReasonKind, func(_ *schema.PolicyRule, s *schema.Subject) { s.Account.Kind = schema.KindApp }},
		{schema.ReasonElsewhere, func(_ *schema.PolicyRule, s *schema.Subject) { s.Connection = "zoom" }},
	}
	rule, s := dormant(), subject()
	for _, step := range steps {
		step.change(&rule, &s)
		v := compiled(t, rule).Judge(&s, judgedAt)
		require.Equal(t, step.want, v.Reason)
		require.Equal(t, step.want == schema.ReasonMatched, v.Matched())
		require.Equal(t, step.want == schema.ReasonExcluded, v.Exclusion == 1)
		require.Equal(t, step.want == schema.ReasonMatchFailed, v.Detail != "")
		require.Equal(t, 90*day, v.Threshold)
	}
}

func TestJudgeThresholds(t *testing.T) {
	t.Parallel()
	rule, s := dormant(), subject()
	rule.Threshold.Kinds = []schema.KindThreshold{{Kind: schema.KindPerson, For: 30 * day}}
	rule.Threshold.Roles = []schema.RoleThreshold{{Role: schema.RoleCoadmin, For: 180 * day}}
	r := compiled(t, rule)
	v := r.Judge(&s, judgedAt)
	require.Equal(t, schema.ReasonMatched, v.Reason)
	require.Equal(t, 30*day, v.Threshold)
	s.Account.Role = schema.RoleCoadmin
	v = r.Judge(&s, judgedAt)
	require.Equal(t, schema.ReasonGrade, v.Reason)
	require.Equal(t, schema.GradeActive, v.Grade)
	require.Equal(t, 180*day, v.Threshold)
}

func TestJudgeKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		threshold time.Duration
		kept      time.Time
		want      schema.VerdictReason
	}{
		{90 * day, ago(90), schema.ReasonKept},
		{90 * day, ago(90.01), schema.ReasonMatched},
		{90 * day, judgedAt.Add(time.Hour), schema.ReasonKept},
		{90 * day, time.Time{}, schema.ReasonMatched},
		{0, ago(30), schema.ReasonKept},
		{0, ago(30.01), schema.ReasonMatched},
	} {
		rule, s := dormant(), subject()
		rule.Threshold.Default, s.KeptAt = c.threshold, c.kept
		require.Equal(t, c.want, compiled(t, rule).Judge(&s, judgedAt).Reason, "%+v", c)
	}
}

func TestExclusions(t *testing.T) {
	t.Parallel()
	today := schema.DateOf(judgedAt)
	yesterday := schema.DateOf(judgedAt.AddDate(0, 0, -1))
	for name, c := range map[string]struct {
		exclusion schema.Exclusion
		excluded  bool
	}{
		"group by name":            {schema.Exclusion{Group: "BOARD"}, true},
		"group by id":              {schema.Exclusion{Group: "g7"}, true},
		"ids have case":            {schema.Exclusion{Group: "G7"}, false},
		"another group":            {schema.Exclusion{Group: "boar"}, false},
		"person":                   {schema.Exclusion{Person: "ADA.L@example.com"}, true},
		"person by login":          {schema.Exclusion{Person: "ada@example.com"}, true},
		"another person":           {schema.Exclusion{Person: "ada.l@example.org"}, false},
		"login":                    {schema.Exclusion{Login: "ADA@example.com"}, true},
		"login, any":               {schema.Exclusion{Login: "*@Example.com"}, true},
		"login, one":               {schema.Exclusion{Login: "a?a@*"}, true},
		"login is whole":           {schema.Exclusion{Login: "ada"}, false},
		"login, nothing is a *":    {schema.Exclusion{Login: "ada@example.com*"}, true},
		"login, ? is something":    {schema.Exclusion{Login: "ada@example.com?"}, false},
		"login, stars":             {schema.Exclusion{Login: "*a*@*e*.c?m"}, true},
		"login, . is one":          {schema.Exclusion{Login: "ada@example?com"}, true},
		"condition":                {schema.Exclusion{When: "'Board' in entitlements.groups"}, true},
		"condition is false":       {schema.Exclusion{When: "account.privileged"}, false},
		"condition fails":          {schema.Exclusion{When: "person.department == 'Sales'"}, true},
		"until today":              {schema.Exclusion{Login: "ada*", Until: today}, true},
		"until yesterday":          {schema.Exclusion{Login: "ada*", Until: yesterday}, false},
		"fails, but until then":    {schema.Exclusion{When: "person.department == 'Sales'", Until: yesterday}, false},
		"group, but until then":    {schema.Exclusion{Group: "board", Until: yesterday}, false},
		"a condition of the grade": {schema.Exclusion{When: "activity.grade == 'inactive'"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule, s := dormant(), subject()
			c.exclusion.Reason = "because"
			rule.Exclude = []schema.Exclusion{c.exclusion}
			s.Groups = []schema.HeldGroup{{ID: "g1", Name: "all"}, {ID: "g7", Name: "Board"}}
			s.Person = &schema.Holder{Email: "ada.l@example.com"}
			v := compiled(t, rule).Judge(&s, judgedAt)
			require.Equal(t, c.excluded, v.Reason == schema.ReasonExcluded, v.Reason)
			require.Equal(t, !c.excluded, v.Matched())
		})
	}
}

// TestExclusionDay: the day an exclusion ends on is one of UTC, wherever the
// instant was written down.
func TestExclusionDay(t *testing.T) {
	t.Parallel()
	rule, s := dormant(), subject()
	rule.Exclude = []schema.Exclusion{{Login: "*", Until: schema.Date{Year: 2026, Month: 5, Day: 31}, Reason: "because"}}
	at := time.Date(2026, 6, 1, 5, 0, 0, 0, time.FixedZone("east", 9*3600)) // 20:00 on May 31 in UTC
	s.Activity.Covered.To = at
	require.Equal(t, schema.ReasonExcluded, compiled(t, rule).Judge(&s, at).Reason)
}

func TestQuery(t *testing.T) {
	t.Parallel()
	rule := dormant()
	rule.Grades = []schema.Grade{schema.GradeUnknown, schema.GradeInactive, schema.GradeNotCollected}
	rule.Match = "account.space_used > 5 && person.employment == 'contractor'"
	q := compiled(t, rule).Query([]schema.ConnectionID{"c"}, judgedAt)
	require.Equal(t, []schema.Grade{schema.GradeInactive}, q.Grades)
	require.Equal(t, schema.Needs{Person: true}, q.Needs)
	require.NotEmpty(t, q.Bounds)
	require.Equal(t, rule.Threshold, q.Threshold)
	require.Equal(t, judgedAt, q.Now)

	rule.Match, rule.Exclude = "", []schema.Exclusion{{Group: "board"}}
	require.Equal(t, schema.Needs{Groups: true}, compiled(t, rule).Query(nil, judgedAt).Needs)
	rule.Exclude = []schema.Exclusion{{Person: "ada@example.com"}}
	require.Equal(t, schema.Needs{Person: true}, compiled(t, rule).Query(nil, judgedAt).Needs)
	rule.Exclude = []schema.Exclusion{{When: "'board' in entitlements.groups && person.known"}}
	require.Equal(t, schema.Needs{Groups: true, Person: true}, compiled(t, rule).Query(nil, judgedAt).Needs)
}

func TestCompileTellsAll(t *testing.T) {
	t.Parallel()
	rule := dormant()
	rule.Threshold.Roles = []schema.RoleThreshold{{Role: schema.RoleOwner, For: -day}}
	rule.Match = "account.logn == 'x'"
	rule.Exclude = []schema.Exclusion{{}, {Login: "a", Group: "b"}, {When: "now"}}
	_, err := inactivity.Compile(rule)
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, schema.CodeInvalid, e.Code)
	var where []string
	for _, p := range e.Problems {
		where = append(where, p.Where)
		require.NotEmpty(t, p.Message)
		require.NotEmpty(t, p.Fix)
	}
	require.Equal(t, []string{"threshold", "match", "exclude[0]", "exclude[1]", "exclude[2].when"}, where)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	rule, s := dormant(), subject()
	rule.Match = "account.space_used > 5 && account.role == 'member'"
	e := compiled(t, rule).Explain(&s, judgedAt)
	require.Equal(t, schema.ReasonNoMatch, e.Verdict.Reason)
	require.Len(t, e.Parts, 2)
	require.NotEmpty(t, e.Facts)
	require.Equal(t, s.Account.ID, e.AccountID)
	require.Empty(t, e.Excluded)

	rule.Exclude = []schema.Exclusion{{Login: "ada*", Reason: "she asked for it"}}
	require.Equal(t, "she asked for it", compiled(t, rule).Explain(&s, judgedAt).Excluded)
}

func drawGrades(t *rapid.T) []schema.Grade {
	return rapid.SliceOf(rapid.SampledFrom([]schema.Grade{
		schema.GradeActive, schema.GradeInactive, schema.GradeNever, schema.GradeUnknown, schema.GradeNotCollected, "",
	})).Draw(t, "grades")
}

// TestPromiseUnknownIsNeverMatched is promise 4 of the design: whatever a rule
// says, it takes no account whose use is unknown or not collected.
func TestPromiseUnknownIsNeverMatched(t *testing.T) {
	t.Parallel()
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		duration := func(label string) time.Duration {
			return time.Duration(rapid.IntRange(0, 150).Draw(t, label)) * time.Hour
		}
		at := func(label string) time.Time {
			if rapid.Bool().Draw(t, label+" is known") {
				return judgedAt.Add(time.Duration(rapid.IntRange(-200, 5).Draw(t, label)) * time.Hour)
			}
			return time.Time{}
		}
		rule := dormant()
		rule.Grades = drawGrades(t)
		rule.Threshold = schema.Threshold{Default: duration("default")}
		if rapid.Bool().Draw(t, "role") {
			rule.Threshold.Roles = []schema.RoleThreshold{{Role: schema.RoleMember, For: duration("of members")}}
		}
		rule.Match = rapid.SampledFrom([]string{
			"", "true", "activity.grade == 'unknown'", "activity.grade != 'active'", "!activity.used || true", "account.age > days(0) || true",
			"activity.grade in ['unknown', 'not_collected', 'inactive']",
		}).Draw(t, "match")
		if rapid.Bool().Draw(t, "exclusion") {
			rule.Exclude = []schema.Exclusion{{When: "activity.grade == 'active'", Reason: "in use"}}
		}
		s := subject()
		s.Account.CreatedAt, s.KeptAt = at("created"), at("kept")
		s.Activity = schema.Activity{LastActiveAt: at("last"), Covered: schema.Interval{From: at("covered from"), To: at("covered to")}}

		v := compiled(t, rule).Judge(&s, judgedAt)
		if !v.Matched() {
			return
		}
		matched++
		grade := s.Activity.Grade(rule.Threshold.Of(s.Account.Kind, s.Account.Role), s.Account.CreatedAt, judgedAt)
		require.Contains(t, []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever}, grade)
		require.Contains(t, rule.Grades, grade)
		require.Equal(t, grade, v.Grade)
	})
	require.NotZero(t, matched, "nothing was ever taken: the test shows nothing")
}

func BenchmarkJudge(b *testing.B) {
	full := dormant()
	full.Match = "account.space_used < 1000 && person.known && person.employment != 'contractor' && account.age > days(30)"
	full.Exclude = []schema.Exclusion{{Group: "board"}, {Login: "svc-*"}, {Login: "*-bot@example.com"}, {Person: "grace@example.com"}, {When: "account.privileged"}}
	for name, rule := range map[string]schema.PolicyRule{"bare": dormant(), "match and exclusions": full} {
		b.Run(name, func(b *testing.B) {
			r, s := compiled(b, rule), subject()
			s.Person = &schema.Holder{Email: "ada@example.com", Employment: schema.Employee}
			s.Groups = []schema.HeldGroup{{ID: "1", Name: "all"}, {ID: "2", Name: "sales"}}
			require.Equal(b, schema.ReasonMatched, r.Judge(&s, judgedAt).Reason)
			b.ReportAllocs()
			for b.Loop() {
				r.Judge(&s, judgedAt)
			}
		})
	}
}
