package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// heard is a Sunday morning in Berlin.
func heard() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }

func day(s string) schema.Date {
	d, err := schema.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

type change func(*schema.Employment)

func emp(source, id string, changes ...change) schema.Employment {
	e := schema.Employment{EmploymentKey: schema.EmploymentKey{Source: source, ExternalID: id}, Kind: schema.Employee}
	for _, c := range changes {
		c(&e)
	}
	return e
}

func hired(s string) change       { return func(e *schema.Employment) { e.HireDate = day(s) } }
func lastDay(s string) change     { return func(e *schema.Employment) { e.LastWorkingDay = day(s) } }
func terminated(s string) change  { return func(e *schema.Employment) { e.TerminatedOn = day(s) } }
func gardenLeave(s string) change { return func(e *schema.Employment) { e.GardenLeaveFrom = day(s) } }
func inZone(s string) change      { return func(e *schema.Employment) { e.TimeZone = s } }
func contractor(e *schema.Employment) {
	e.Kind = schema.Contractor
}
func forCause(e *schema.Employment) { e.ForCause = true }
func ended(e *schema.Employment)    { e.Status = schema.StatusEnded }
func active(e *schema.Employment)   { e.Status = schema.StatusActive }
func activeAgain(s string) change {
	return func(e *schema.Employment) { e.Status, e.ActiveAgain = schema.StatusActive, day(s) }
}
func onLeave(e *schema.Employment) { e.Status = schema.StatusOnLeave }
func absent(e *schema.Employment)  { e.AbsentSince = heard().Add(-time.Hour) }
func updated(s string) change {
	return func(e *schema.Employment) { e.UpdatedAt = day(s).In(time.UTC) }
}

func facts(list ...schema.Employment) schema.LeaverFacts {
	return schema.LeaverFacts{
		Employments: list, Rule: schema.DefaultMoment(), HeardAt: heard(),
		Zones: schema.Zones{Sites: map[string]string{"Tokyo": "Asia/Tokyo", "Nowhere": "Mars/Olympus"}, Company: "Europe/Berlin"},
	}
}

// verdict is what a case of the table expects: due "" = they stay.
type verdict struct {
	due         string // instant, or "at once"
	key         string // the external id that decides
	contradicts bool
}

type leaverCase struct {
	facts schema.LeaverFacts
	want  verdict
}

func judgeAll(t *testing.T, cases map[string]leaverCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := policy.JudgeLeaver(c.facts)
			require.NoError(t, err)
			have := verdict{key: got.Key.ExternalID, contradicts: got.Contradicts}
			if got.Leaves {
				have.due = got.Moment.DueAt.Format(time.RFC3339)
				if got.Moment.Starts == schema.StartsAtOnce {
					require.Equal(t, heard(), got.Moment.DueAt)
					require.True(t, got.Moment.Date.IsZero())
					have.due = "at once"
				}
			} else {
				require.Zero(t, got.Moment)
			}
			require.Equal(t, c.want, have, got.Why)
			if got.Leaves {
				require.NotEmpty(t, got.Why)
			}
		})
	}
}

// TestLeaverEnds: whether one employment makes a leaver, and when.
func TestLeaverEnds(t *testing.T) {
	t.Parallel()
	const evening = "2026-11-30T17:00:00Z"
	one := func(want verdict, changes ...change) leaverCase {
		return leaverCase{facts(emp("hr", "1", changes...)), want}
	}
	fresh := func(c leaverCase) leaverCase {
		c.facts.New = map[schema.EmploymentKey]bool{c.facts.Employments[0].EmploymentKey: true}
		return c
	}
	judgeAll(t, map[string]leaverCase{
		"nobody":                                 {facts(), verdict{}},
		"employed":                               one(verdict{key: "1"}, hired("2020-01-01"), active),
		"on leave":                               one(verdict{key: "1"}, onLeave),
		"left out of a roster":                   one(verdict{key: "1"}, absent),
		"last working day ahead":                 one(verdict{due: evening, key: "1"}, lastDay("2026-11-30")),
		"and left out of a roster":               one(verdict{due: evening, key: "1"}, lastDay("2026-11-30"), absent),
		"termination date alone":                 one(verdict{due: evening, key: "1"}, terminated("2026-11-30"), active),
		"last working day before termination":    one(verdict{due: evening, key: "1"}, lastDay("2026-11-30"), terminated("2026-12-31")),
		"last working day today":                 one(verdict{due: "2026-11-22T17:00:00Z", key: "1"}, lastDay("2026-11-22")),
		"last working day yesterday":             one(verdict{due: "2026-11-21T17:00:00Z", key: "1"}, lastDay("2026-11-21")),
		"active two days after":                  one(verdict{due: "2026-11-20T17:00:00Z", key: "1"}, lastDay("2026-11-20"), active),
		"active long after":                      one(verdict{due: "2026-10-19T16:00:00Z", key: "1"}, lastDay("2026-10-19"), active),
		"active again after":                     one(verdict{key: "1"}, lastDay("2026-11-19"), activeAgain("2026-11-20")),
		"active again on the day":                one(verdict{key: "1"}, lastDay("2026-11-19"), activeAgain("2026-11-19")),
		"active again, once for cause":           one(verdict{key: "1", contradicts: true}, forCause, activeAgain("2026-11-20")),
		"active again, and leaves anew":          one(verdict{due: "2026-11-21T17:00:00Z", key: "1"}, lastDay("2026-11-21"), activeAgain("2026-11-20")),
		"for ever":                               one(verdict{key: "1"}, terminated("9999-12-31"), active),
		"active, not terminated yet":             one(verdict{due: "2026-10-30T17:00:00Z", key: "1"}, lastDay("2026-10-30"), terminated("2026-12-31"), active),
		"on leave three days after":              one(verdict{due: "2026-11-19T17:00:00Z", key: "1"}, lastDay("2026-11-19"), onLeave),
		"nothing said three days after":          one(verdict{due: "2026-11-19T17:00:00Z", key: "1"}, lastDay("2026-11-19")),
		"ended, no day":                          one(verdict{due: "at once", key: "1"}, ended),
		"ended, the day is ahead":                one(verdict{due: evening, key: "1"}, ended, lastDay("2026-11-30")),
		"ended, the day is past":                 one(verdict{due: "2026-11-02T17:00:00Z", key: "1"}, ended, lastDay("2026-11-02")),
		"hired again in the same record":         one(verdict{key: "1"}, hired("2026-11-16"), lastDay("2026-03-31"), active),
		"and the status is not told":             one(verdict{key: "1"}, hired("2026-11-16"), lastDay("2026-03-31")),
		"and it has ended again":                 one(verdict{due: "at once", key: "1"}, hired("2026-11-16"), lastDay("2026-03-31"), ended),
		"garden leave without an end":            one(verdict{key: "1"}, gardenLeave("2026-11-23")),
		"for cause":                              one(verdict{due: "at once", key: "1"}, forCause),
		"for cause, active":                      one(verdict{due: "at once", key: "1"}, forCause, active),
		"for cause, with a day ahead":            one(verdict{due: "at once", key: "1"}, forCause, lastDay("2026-12-31")),
		"for cause, active long after the day":   one(verdict{due: "at once", key: "1"}, forCause, active, lastDay("2026-11-01")),
		"for cause, and hired again":             one(verdict{key: "1", contradicts: true}, forCause, active, hired("2026-11-16"), lastDay("2026-03-31")),
		"new, ended eight days ago":              fresh(one(verdict{}, ended, lastDay("2026-11-14"))),
		"new, ended seven days ago":              fresh(one(verdict{due: "2026-11-15T17:00:00Z", key: "1"}, ended, lastDay("2026-11-15"))),
		"new, not terminated yet":                fresh(one(verdict{due: "2026-11-01T17:00:00Z", key: "1"}, lastDay("2026-11-01"), terminated("2026-12-31"))),
		"new, ended, no day":                     fresh(one(verdict{due: "at once", key: "1"}, ended)),
		"new, for cause years ago":               fresh(one(verdict{}, forCause, ended, lastDay("2019-01-31"))),
		"new, active after a day years ago":      fresh(one(verdict{key: "1"}, active, lastDay("2019-01-31"))),
		"known, ended eight days ago":            one(verdict{due: "2026-11-14T17:00:00Z", key: "1"}, ended, lastDay("2026-11-14")),
		"the clocks skip the moment":             rule(one(verdict{due: "2027-03-28T01:00:00Z", key: "1"}, lastDay("2027-03-28")), schema.StartsLastWorkingDay, "02:30"),
		"the clocks show the moment twice":       rule(one(verdict{due: "2027-10-31T01:30:00Z", key: "1"}, lastDay("2027-10-31")), schema.StartsLastWorkingDay, "02:30"),
		"a rule that says nothing":               rule(one(verdict{due: evening, key: "1"}, lastDay("2026-11-30")), "", "00:00"),
		"today is yesterday there, still active": one(verdict{due: "2026-11-20T04:00:00Z", key: "1"}, lastDay("2026-11-19"), active, inZone("Pacific/Honolulu")),
	})
}

// rule sets the rule of a case.
func rule(c leaverCase, starts schema.Starts, at string) leaverCase {
	t, err := schema.ParseLocalTime(at)
	if err != nil {
		panic(err)
	}
	c.facts.Rule = schema.MomentRule{Starts: starts, At: t}
	return c
}

// TestLeaverMoment: which day starts the clock, and what stands in for one that
// was not told.
func TestLeaverMoment(t *testing.T) {
	t.Parallel()
	of := func(starts schema.Starts, due string, changes ...change) leaverCase {
		return rule(leaverCase{facts(emp("hr", "1", changes...)), verdict{due: due, key: "1"}}, starts, "12:00")
	}
	all := []change{gardenLeave("2026-12-01"), lastDay("2026-12-10"), terminated("2026-12-31")}
	judgeAll(t, map[string]leaverCase{
		"last working day":                   of(schema.StartsLastWorkingDay, "2026-12-10T11:00:00Z", all...),
		"last working day, terminated":       of(schema.StartsLastWorkingDay, "2026-12-31T11:00:00Z", all[0], all[2]),
		"termination":                        of(schema.StartsTermination, "2026-12-31T11:00:00Z", all...),
		"termination, last working day":      of(schema.StartsTermination, "2026-12-10T11:00:00Z", all[0], all[1]),
		"garden leave":                       of(schema.StartsGardenLeave, "2026-12-01T11:00:00Z", all...),
		"garden leave, last working day":     of(schema.StartsGardenLeave, "2026-12-10T11:00:00Z", all[1:]...),
		"garden leave, terminated":           of(schema.StartsGardenLeave, "2026-12-31T11:00:00Z", all[2:]...),
		"garden leave begun, still active":   of(schema.StartsGardenLeave, "2026-10-01T10:00:00Z", gardenLeave("2026-10-01"), terminated("2026-12-31"), active),
		"at once":                            of(schema.StartsAtOnce, "at once", all...),
		"for cause before all":               of(schema.StartsTermination, "at once", append(all, forCause)...),
		"termination far, ended":             of(schema.StartsTermination, "2026-12-31T11:00:00Z", append(all, ended)...),
		"no day at all, ended":               of(schema.StartsGardenLeave, "at once", ended),
		"garden leave told, ended, no other": of(schema.StartsGardenLeave, "at once", ended, gardenLeave("2026-12-01")),
	})
	got, err := policy.JudgeLeaver(rule(leaverCase{facts: facts(emp("hr", "1", terminated("2026-12-31")))}, schema.StartsGardenLeave, "12:00").facts)
	require.NoError(t, err)
	require.Equal(t, schema.Moment{
		Starts: schema.StartsTermination, Date: day("2026-12-31"), At: schema.LocalTime{Hour: 12},
		TimeZone: "Europe/Berlin", ZoneFrom: schema.ZoneOfCompany, DueAt: time.Date(2026, 12, 31, 11, 0, 0, 0, time.UTC),
	}, got.Moment, "the moment names the day that was taken")
}

// TestLeaverZone: the person's zone, else the site's, else the company's.
func TestLeaverZone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		person, site string
		zone         string
		from         schema.ZoneFrom
		due          string
	}{
		"person":                      {"America/New_York", "Tokyo", "America/New_York", schema.ZoneOfPerson, "2026-11-30T23:00:00Z"},
		"site":                        {"", "Tokyo", "Asia/Tokyo", schema.ZoneOfSite, "2026-11-30T09:00:00Z"},
		"company":                     {"", "", "Europe/Berlin", schema.ZoneOfCompany, "2026-11-30T17:00:00Z"},
		"site unknown":                {"", "Lisbon", "Europe/Berlin", schema.ZoneOfCompany, "2026-11-30T17:00:00Z"},
		"person's is none":            {"New York", "Tokyo", "Asia/Tokyo", schema.ZoneOfSite, "2026-11-30T09:00:00Z"},
		"the machine's is none":       {"Local", "Tokyo", "Asia/Tokyo", schema.ZoneOfSite, "2026-11-30T09:00:00Z"},
		"person's and site's is none": {"../etc/passwd", "Nowhere", "Europe/Berlin", schema.ZoneOfCompany, "2026-11-30T17:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := emp("hr", "1", lastDay("2026-11-30"), inZone(c.person))
			e.Site = c.site
			got, err := policy.JudgeLeaver(facts(e))
			require.NoError(t, err)
			require.Equal(t, c.zone, got.Moment.TimeZone)
			require.Equal(t, c.from, got.Moment.ZoneFrom)
			require.Equal(t, c.due, got.Moment.DueAt.Format(time.RFC3339))
		})
	}
}

// TestLeaverRefusesToGuess: a moment that cannot be told is an error, not an hour
// of another zone.
func TestLeaverRefusesToGuess(t *testing.T) {
	t.Parallel()
	f := facts(emp("hr", "1", lastDay("2026-11-30")))
	f.Zones.Company = ""
	_, err := policy.JudgeLeaver(f)
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
	f = facts(emp("hr", "1", lastDay("2026-11-30")))
	f.Rule.Starts = "christmas"
	_, err = policy.JudgeLeaver(f)
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))

	f = facts(emp("hr", "1"), emp("hr", "2", lastDay("2026-11-30")))
	f.Zones.Company = ""
	got, err := policy.JudgeLeaver(f)
	require.NoError(t, err, "nobody leaves, so no zone is asked for")
	require.False(t, got.Leaves)
}
