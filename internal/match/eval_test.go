package match_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/match"
	"sendoff/schema"
)

// compiled is a program of an expression without fault.
func compiled(t require.TestingT, expression string) *match.Program {
	p, faults := match.Compile(expression)
	require.Empty(t, faults, expression)
	return p
}

func TestEval(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		usual: true,
		`account.login == "ann@example.com" && account.name == "Ann" && account.external_id == "1001" && account.connection == "box"`: true,
		`account.role == "member" && !account.privileged && account.vendor_status == "active"`:                                        true,
		`account.seat && licence.seat`:                                                                true,
		`account.created_known && account.age == days(400)`:                                           true,
		`account.created_at == now - days(400)`:                                                       true,
		`account.space_used > 5 * 1024`:                                                               false,
		`account.tracking.cost_centre == "77"`:                                                        true,
		`account.tracking["cost_centre"] == "77"`:                                                     true,
		`"cost_centre" in account.tracking`:                                                           true,
		`has(account.tracking.region)`:                                                                false,
		`activity.grade == "inactive" && activity.used`:                                               true,
		`activity.last_active_at < now - days(99)`:                                                    true,
		`activity.silent_for == days(100)`:                                                            true,
		`activity.last_event == "LOGIN" && activity.source.contains("box")`:                           true,
		`person.known && person.employment == "contractor" && person.status == "active"`:              true,
		`person.department == "Sales" && person.site == "Oslo" && person.manager == "bo@example.com"`: true,
		`person.hire_date == timestamp("2025-02-01T00:00:00Z")`:                                       true,
		`person.has_last_day && person.days_past_last_day == 30`:                                      true,
		`person.last_day + days(30) <= now`:                                                           true,
		`"All" in entitlements.groups && "g1" in entitlements.group_ids`:                              true,
		`entitlements.groups.exists(g, g.startsWith("Fi"))`:                                           false,
		`entitlements.group_count == size(entitlements.groups)`:                                       true,
		`now.getFullYear() == 2026 && now.getHours() == 12`:                                           true,
		`account.privileged ? false : account.seat`:                                                   true,
	} {
		ok, err := compiled(t, expression).Eval(subject(), schema.GradeInactive, now)
		require.NoError(t, err, expression)
		require.Equal(t, want, ok, expression)
	}
}

// TestWhatIsNotKnownHasNoValue reads every name of an account of which nothing is
// known: none may come to a value that a comparison or its opposite could take.
func TestWhatIsNotKnownHasNoValue(t *testing.T) {
	t.Parallel()
	always := []string{ // known of any account
		"account.privileged", "account.seat", "account.created_known", "account.space_used", "account.tracking", "activity.used",
		"person.known", "person.has_last_day", "entitlements.groups", "entitlements.group_ids", "entitlements.group_count", "licence.seat", "now",
	}
	for _, n := range match.Names() {
		p := compiled(t, n.Name+" == "+n.Name)
		ok, err := p.Eval(subject(), schema.GradeInactive, now)
		require.NoError(t, err, n.Name)
		require.True(t, ok, n.Name)

		known := n.Name == "now"
		if !known {
			known, err = compiled(t, "has("+n.Name+")").Eval(stranger(), "", now)
			require.NoError(t, err, n.Name)
		}
		_, err = p.Eval(stranger(), "", now)
		if known {
			require.Contains(t, always, n.Name)
			require.NoError(t, err, n.Name)
			continue
		}
		require.NotContains(t, always, n.Name)
		var missing *match.NotKnown
		require.ErrorAs(t, err, &missing, n.Name)
		require.Equal(t, n.Name, missing.Name)
		_, err = compiled(t, "!("+n.Name+" == "+n.Name+")").Eval(stranger(), "", now)
		require.ErrorAs(t, err, &missing, n.Name)
	}
}

func TestSilenceIsOnlyWhatIsProven(t *testing.T) {
	t.Parallel()
	silent := func(change func(*schema.Subject), grade schema.Grade, d string) (bool, error) {
		s := subject()
		change(s)
		return compiled(t, "activity.silent_for == "+d).Eval(s, grade, now)
	}
	for _, c := range []struct {
		change func(*schema.Subject)
		d      string
	}{
		{func(*schema.Subject) {}, "days(100)"},
		{func(s *schema.Subject) { s.Activity.LastActiveAt = time.Time{} }, "days(300)"},                   // as far as the record goes
		{func(s *schema.Subject) { s.Activity.LastActiveAt = now.Add(-350 * day) }, "days(300)"},           // before the hole
		{func(s *schema.Subject) { s.Account.CreatedAt = now.Add(-10 * day) }, "days(10)"},                 // nobody could
		{func(s *schema.Subject) { s.Activity.Covered.To = now.Add(-2 * time.Hour) }, "duration('2398h')"}, // the last read
		{func(s *schema.Subject) { s.Activity.Covered.To = now.Add(time.Hour) }, "days(100)"},
		{func(s *schema.Subject) { s.Activity.LastActiveAt = now.Add(time.Hour) }, "days(0)"},
	} {
		ok, err := silent(c.change, schema.GradeInactive, c.d)
		require.NoError(t, err)
		require.True(t, ok, c.d)
	}
	for _, grade := range []schema.Grade{schema.GradeUnknown, schema.GradeNotCollected} {
		_, err := silent(func(*schema.Subject) {}, grade, "days(100)")
		require.EqualError(t, err, "activity.silent_for is not known")
	}
	_, err := silent(func(s *schema.Subject) { s.Activity.Covered = schema.Interval{} }, schema.GradeInactive, "days(100)")
	require.EqualError(t, err, "activity.silent_for is not known")
}

func TestALastDayIsADayOfUTC(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Time]string{
		time.Date(2026, 2, 28, 23, 59, 0, 0, time.UTC):                      "-1",
		time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC):                         "0",
		time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC):                       "0",
		time.Date(2026, 3, 1, 23, 0, 0, 0, time.FixedZone("west", -5*3600)): "1",
	} {
		ok, err := compiled(t, "person.days_past_last_day == "+want).Eval(subject(), schema.GradeInactive, at)
		require.NoError(t, err)
		require.True(t, ok, at)
	}
}

func TestErrorsTellNothingOfTheAccount(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Account.Login, s.Person = "secret@example.com", nil
	for expression, want := range map[string]string{
		`person.name == "x"`:                                      "person.name is not known",
		`account.tracking[account.login] == "x"`:                  "account.tracking[account.login] is not known",
		`account.tracking.region == "x"`:                          "account.tracking.region is not known",
		`entitlements.groups[account.space_used] == "x"`:          "entitlements.groups[account.space_used] is not known",
		`int(account.login) > 3`:                                  "int(account.login) cannot be computed for this account",
		`timestamp(account.login) > now`:                          "timestamp(account.login) cannot be computed for this account",
		`account.space_used / (account.space_used - 5000) > 1`:    "account.space_used / (account.space_used - 5000) cannot be computed for this account",
		`days(account.space_used * 100) > account.age`:            "days(account.space_used * 100) cannot be computed for this account",
		`entitlements.groups.all(g, account.tracking[g] == "x")`:  "account.tracking[g] is not known",
		`entitlements.groups.exists_one(g, int(account.login)>1)`: "int(account.login) cannot be computed for this account",
	} {
		p := compiled(t, expression)
		for range 2 {
			ok, err := p.Eval(s, schema.GradeInactive, now)
			require.False(t, ok, expression)
			require.EqualError(t, err, want, expression)
		}
	}
}

func TestManyMayUseAProgramAtOnce(t *testing.T) {
	t.Parallel()
	p := compiled(t, `person.site == "Oslo" && entitlements.groups.exists(g, g == "All") && int(account.name) > 1 || account.login == "b"`)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				s := subject()
				s.Account.Login = []string{"a", "b"}[i%2]
				ok, err := p.Eval(s, schema.GradeInactive, now)
				if ok != (i%2 == 1) || ok != (err == nil) {
					t.Error(ok, err)
				}
			}
		})
	}
	all.Wait()
}

func TestParts(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Person = nil
	p := compiled(t, "account.seat   && (account.privileged || person.site == 'Oslo') &&\n int(account.login) > 1 && entitlements.groups.exists(g, g == \"All\") && activity.grade == 'never'")
	require.Equal(t, []schema.ExplainedPart{
		{Expression: `account.seat`, Result: "true"},
		{Expression: `account.privileged || person.site == "Oslo"`, Result: "not known: person.site"},
		{Expression: `int(account.login) > 1`, Result: "int(account.login) cannot be computed for this account"},
		{Expression: `entitlements.groups.exists(g, g == "All")`, Result: "true"},
		{Expression: `activity.grade == "never"`, Result: "false"},
	}, p.Parts(s, schema.GradeInactive, now))
}

func TestFactsAreWhatCELReads(t *testing.T) {
	t.Parallel()
	for _, f := range match.Facts(subject(), schema.GradeInactive, now) {
		ok, err := compiled(t, f.Name+" == "+f.Value).Eval(subject(), schema.GradeInactive, now)
		require.NoError(t, err, f)
		require.True(t, ok, f)
	}
	facts := match.Facts(stranger(), schema.GradeNotCollected, now)
	require.Contains(t, facts, schema.ExplainedFact{Name: "account.created_at", Value: "not known"})
	require.Contains(t, facts, schema.ExplainedFact{Name: "activity.grade", Value: `"not_collected"`})
	require.Contains(t, facts, schema.ExplainedFact{Name: "person.known", Value: "false"})
	require.Contains(t, facts, schema.ExplainedFact{Name: "entitlements.groups", Value: "[]"})
	require.Contains(t, facts, schema.ExplainedFact{Name: "account.tracking", Value: "{}"})
	require.Len(t, facts, len(match.Names()))
}

func TestNamesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, n := range match.Names() {
		require.NotEmpty(t, n.Doc, n.Name)
		require.NotEmpty(t, n.Type, n.Name)
	}
	require.NotEmpty(t, match.Functions())
}
