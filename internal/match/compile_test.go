package match_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/match"
	"sendoff/schema"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression   string
		line, column int
		message, fix string
	}{
		{`account.statuz == "active"`, 1, 8, "account has no statuz", "did you mean account.status? there are account.login, account.name"},
		{`has(account.statuz)`, 1, 4, "account has no statuz", "did you mean account.status?"},
		{"true &&\n  acount.status == \"active\"", 2, 3, "there is no acount", "did you mean account? there are account, activity, entitlements, licence, now, person"},
		{`license.seat`, 1, 1, "there is no license", "did you mean licence?"},
		{`status == "active"`, 1, 1, "there is no status", "did you mean account.status or person.status?"},
		{`account.login.startWith("x")`, 1, 24, "there is no function startWith", "did you mean startsWith?"},
		{`account.kind != "servce"`, 1, 17, `account.kind is never "servce"`, `did you mean "service"? there are "person", "service", "app", "external"`},
		{`"unkown" == activity.grade`, 1, 1, `activity.grade is never "unkown"`, `"unknown"`},
		{`account.role in ["member", "owner"]`, 1, 28, `account.role is never "owner"`, `"admin"`},
		{`account.login`, 1, 8, "the expression is of type string, not a condition", "compare it"},
		{`account == account`, 1, 1, "account is no value", "account.login"},
		{`[account].size() > 0`, 1, 2, "account is no value", ""},
		{`entitlements.groups.exists(account, account.login == "x")`, 1, 27, "account is a name already", "another"},
		{`activity.silent_for > 90`, 1, 21, "> cannot be applied to (duration, int)", "days(90)"},
		{`activity.silent_for > duration("90d")`, 1, 32, "this is no duration", "days(90)"},
		{`now > timestamp("2026")`, 1, 17, "this is no instant", "timestamp("},
		{`days(1000000) < activity.silent_for`, 1, 5, "this can never be computed", "106751"},
		{`1 / 0 == 1`, 1, 3, "this can never be computed", ""},
		{`account.login.matches("(")`, 1, 23, "this is no pattern of RE2", "re2"},
		{`matches(account.login, "(")`, 1, 24, "this is no pattern of RE2", "re2"},
		{`account.login.matches(account.name)`, 1, 22, "the pattern of matches must be written out", "startsWith"},
		{`now.getHours("Europe/Oslo") > 3`, 1, 14, "getHours takes no time zone here", "UTC"},
		{`dyn(account.login) == 5`, 1, 4, "dyn is not allowed", ""},
		{`type(1) == int`, 1, 5, "type is not allowed", ""},
		{`account{login: "x"}.login == "x"`, 1, 8, "values of account cannot be made", ""},
		{`account.status = "active"`, 1, 16, "token recognition error", "compare with =="},
		{`account.privileged and true`, 1, 20, "mismatched input 'and'", "&&"},
		{`(`, 1, 2, "mismatched input '<EOF>'", ""},
		{"account.login == \"\xff\"", 1, 1, "not UTF-8", ""},
	} {
		p, faults := match.Compile(c.expression)
		require.Nil(t, p, c.expression)
		require.NotEmpty(t, faults, c.expression)
		got := faults[0]
		require.Equal(t, []int{c.line, c.column}, []int{got.Line, got.Column}, c.expression)
		require.Contains(t, got.Message, c.message, c.expression)
		require.Contains(t, got.Fix, c.fix, c.expression)
	}
}

func TestCompileFindsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, faults := match.Compile("account.statuz == \"x\" &&\nactivity.grad == \"never\" && foo(1) ||\naccount.kind == \"persn\" && dyn(1) == 1")
	var got []string
	for _, f := range faults {
		got = append(got, f.Message)
	}
	require.Equal(t, []string{
		"account has no statuz", "activity has no grad", "there is no function foo", `account.kind is never "persn"`,
		"dyn is not allowed: types are known, and so are faults in them, before anything is judged",
	}, got)
}

func TestCompileBoundsWhatAnExpressionCosts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, message string }{
		{"account.login == '" + strings.Repeat("x", 4096) + "'", "4096 is the limit"},
		{strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000), "nested deeper"},
		{strings.Repeat("[", 4000), "nested deeper"},
		{strings.Repeat("-(", 1300) + "1" + strings.Repeat(")", 1300) + " == 1", "nested deeper"},
		{`"a"` + strings.Repeat("+account.name", 300) + ` == "x"`, "nested deeper"},
		{`entitlements.groups.exists(a, entitlements.groups.exists(b, a == b))`, "may cost more"},
		{`entitlements.groups.map(a, entitlements.groups.map(b, a + b)).size() > 0`, "may cost more"},
		{`[1].exists(a, [1].exists(b, [1].exists(c, a == b && b == c)))`, "loops nested deeper"},
		{`account.login.matches("(x{100}){100}")`, "no pattern"},
		{`account.login.matches("` + strings.Repeat("x{900}", 5) + `")`, "regex"},
	} {
		begin := time.Now()
		p, faults := match.Compile(c.expression)
		require.Less(t, time.Since(begin), 2*time.Second)
		require.Nil(t, p, c.expression)
		require.Contains(t, faults[0].Message, c.message, c.expression)
	}
}

func TestCompileTakesWhatIsLongButCheap(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		`account.login in ["` + strings.Repeat(`x", "`, 800) + `ann@example.com"]`,
		strings.Repeat(`account.login == "x" || `, 150) + "true",
		strings.Repeat("!", 2000) + "true",
		`entitlements.groups.exists(g, ["Al", "Be"].exists(p, g.startsWith(p)))`,
		`account.tracking.all(k, account.tracking[k] != "")`,
		`account.login.matches("^[a-z]+@example[.]com$")`,
	} {
		p, faults := match.Compile(expression)
		require.Empty(t, faults)
		ok, err := p.Eval(subject(), schema.GradeInactive, now)
		require.NoError(t, err)
		require.True(t, ok, expression)
	}
}

func TestALoopThatIsLongerThanExpectedIsStopped(t *testing.T) {
	t.Parallel()
	p, faults := match.Compile(`entitlements.groups.all(g, ["Al", "Be", "Ce"].exists(p, g.startsWith(p)))`)
	require.Empty(t, faults)
	s := subject()
	s.Groups = make([]schema.HeldGroup, 100_000)
	for i := range s.Groups {
		s.Groups[i].Name = "Ce"
	}
	ok, err := p.Eval(s, schema.GradeInactive, now)
	require.False(t, ok)
	require.ErrorContains(t, err, "costs too much")
}

func TestTheEmptyExpressionIsAlwaysTrue(t *testing.T) {
	t.Parallel()
	p, faults := match.Compile(" \n\t")
	require.Empty(t, faults)
	ok, err := p.Eval(stranger(), schema.GradeInactive, now)
	require.NoError(t, err)
	require.True(t, ok)
	require.Empty(t, p.Bounds())
	require.Empty(t, p.Parts(stranger(), schema.GradeInactive, now))
	require.Equal(t, schema.Needs{}, p.Needs())
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	for expression, needs := range map[string]schema.Needs{
		`account.privileged`:                                {},
		`has(person.site)`:                                  {Person: true},
		`account.seat || .person.known`:                     {Person: true},
		`"x" in entitlements.groups`:                        {Groups: true},
		`["x"].exists(n, n == person.name)`:                 {Person: true},
		`entitlements.group_count > 2 && person.site == ""`: {Person: true, Groups: true},
	} {
		p, faults := match.Compile(expression)
		require.Empty(t, faults, expression)
		require.Equal(t, needs, p.Needs(), expression)
	}
}

func TestConstant(t *testing.T) {
	t.Parallel()
	for expression, constant := range map[string]bool{
		"": true, "true": true, "days(3) > days(2) || false": true, `"account.login" == "now"`: true,
		"account.privileged": false, "days(1) > days(2) || now > now": false, "has(person.department)": false,
		`entitlements.groups.exists(g, g == "x")`: false,
	} {
		require.Equal(t, constant, compiled(t, expression).Constant(), expression)
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, pattern string
		fits          bool
	}{
		{"finance eu", "fin*", true},
		{"finance eu", "fin* e?", true},
		{"finance", "fin? ", false},
		{"größe", "gr??e", true},
		{"abcabc", "*abc", true},
		{"", "*", true},
		{"", "?", false},
		{"a", "", false},
	} {
		require.Equal(t, c.fits, match.Like(c.text, c.pattern), c)
	}
}
