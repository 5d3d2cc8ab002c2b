package inactivity_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

const day = 24 * time.Hour

// spanFrom is where the histories of the oracle begin: a Sunday.
var spanFrom = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)

const spanDays = 60

func drawInstant(t *rapid.T, label string) time.Time {
	return spanFrom.Add(time.Duration(rapid.IntRange(-30*24, (spanDays+5)*24).Draw(t, label)) * time.Hour)
}

func drawDate(t *rapid.T, label string) schema.Date {
	return schema.DateOf(spanFrom.AddDate(0, 0, rapid.IntRange(-3, spanDays+3).Draw(t, label)))
}

func drawSchedule(t *rapid.T) schema.PolicySchedule {
	s := rapid.SampledFrom([]schema.PolicySchedule{
		{},
		{Every: 6 * time.Hour},
		{Every: 36 * time.Hour, Zone: "America/New_York"},
		{Every: 7 * day},
		{Zone: "Asia/Tokyo", Times: []schema.ScheduleTime{{Hour: 3, Minute: 30, Weekdays: []time.Weekday{time.Monday, time.Thursday}}}},
		{Zone: "Europe/Berlin", Times: []schema.ScheduleTime{{Hour: 0, Days: []int{1, 15}}, {Hour: 23, Months: []time.Month{time.March}}}},
	}).Draw(t, "schedule")
	if rapid.Bool().Draw(t, "dark") {
		from := drawDate(t, "dark from")
		s.Blackout = []schema.Blackout{{From: from, To: schema.DateOf(from.In(time.UTC).AddDate(0, 0, 9))}}
	}
	return s
}

func drawReplayed(t *rapid.T) schema.PolicyRule {
	rule := schema.PolicyRule{
		Name: "replayed", Connections: []string{"box"}, Kinds: []schema.AccountKind{schema.KindPerson},
		Statuses: rapid.SampledFrom([][]schema.AccountStatus{
			{schema.AccountActive, schema.AccountSuspended}, {schema.AccountActive}, {schema.AccountSuspended},
		}).Draw(t, "statuses"),
		Grades: rapid.SampledFrom([][]schema.Grade{
			{schema.GradeInactive, schema.GradeNever},
			{schema.GradeInactive},
			{schema.GradeNever},
			{schema.GradeActive, schema.GradeInactive, schema.GradeNever},
			{schema.GradeActive},
		}).Draw(t, "grades"),
		Threshold: schema.Threshold{Default: time.Duration(rapid.IntRange(0, 20*24).Draw(t, "threshold")) * time.Hour},
		Schedule:  drawSchedule(t),
		Match: rapid.SampledFrom([]string{
			"", "account.created_known && account.age > days(12)", "activity.used", "person.days_past_last_day > 3", "person.employment == 'contractor'",
			"account.status == 'suspended'", "activity.silent_for >= days(9)", "now.getDayOfWeek() == 1", "account.space_used > 10", "person.name == 'nobody'",
		}).Draw(t, "match"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "exclusions") {
		e := rapid.SampledFrom([]schema.Exclusion{
			{Login: "a*"}, {Group: "G"}, {When: "activity.silent_for < days(11)"}, {When: "account.status == 'active'"}, {Login: "z*"},
		}).Draw(t, "exclusion")
		if rapid.Bool().Draw(t, "ends") {
			e.Until = drawDate(t, "until")
		}
		e.Reason = "because"
		rule.Exclude = append(rule.Exclude, e)
	}
	return rule
}

func drawUsed(t *rapid.T) *schema.UsedAccount {
	a := &schema.UsedAccount{Subject: schema.Subject{
		Account: schema.Account{
			ID: "1", ConnectionID: "c", Login: "ada", Kind: schema.KindPerson, Role: schema.RoleMember, Status: schema.AccountActive,
			SpaceUsed: int64(rapid.IntRange(0, 20).Draw(t, "space")),
		},
		Connection: "box",
		Groups:     rapid.SampledFrom([][]schema.HeldGroup{nil, {{ID: "7", Name: "g"}}}).Draw(t, "groups"),
	}}
	if rapid.Bool().Draw(t, "created is known") {
		a.Account.CreatedAt = drawInstant(t, "created")
	}
	if rapid.Bool().Draw(t, "person") {
		a.Person = &schema.Holder{Employment: rapid.SampledFrom([]schema.EmploymentKind{"", schema.Contractor}).Draw(t, "employment")}
		if rapid.Bool().Draw(t, "leaves") {
			a.Person.LastDay = drawDate(t, "last day")
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "kept") == 0 {
		a.KeptAt = drawInstant(t, "kept at")
	}
	if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
		a.GoneAt = drawInstant(t, "gone at")
	}
	if rapid.Bool().Draw(t, "before") {
		a.Before = schema.DateOf(spanFrom.AddDate(0, 0, -rapid.IntRange(1, 30).Draw(t, "days before")))
	}
	days := rapid.SliceOfNDistinct(rapid.IntRange(0, spanDays), 0, 5, rapid.ID).Draw(t, "days")
	slices.Sort(days)
	for _, d := range days {
		a.Days = append(a.Days, schema.DateOf(spanFrom.AddDate(0, 0, d)))
	}
	drawMoves(t, a)
	return a
}

func drawMoves(t *rapid.T, a *schema.UsedAccount) {
	for range rapid.IntRange(0, 2).Draw(t, "moves") {
		a.Changes = append(a.Changes, schema.StatusMove{At: drawInstant(t, "moved")})
	}
	slices.SortFunc(a.Changes, func(a, b schema.StatusMove) int { return a.At.Compare(b.At) })
	was := schema.AccountActive
	for i := range a.Changes {
		now := schema.AccountSuspended
		if was == now {
			now = schema.AccountActive
		}
		a.Changes[i].Before, a.Changes[i].After, a.Account.Status = was, now, now
		was = now
	}
}

func drawCovered(t *rapid.T) []schema.Interval {
	var covered []schema.Interval
	for range rapid.IntRange(0, 3).Draw(t, "spans") {
		from := drawInstant(t, "covered from")
		covered = schema.JoinInterval(covered, schema.Interval{From: from, To: from.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(t, "length")) * time.Hour)})
	}
	return covered
}

// simulation runs a rule day by day.
type simulation struct {
	rule    schema.PolicyRule
	judge   *inactivity.Rule
	covered []schema.Interval
	account *schema.UsedAccount
}

// runs tells whether a review begins on a day, looking at each half hour of it.
func (s simulation) runs(begin time.Time) bool {
	zone, _ := time.LoadLocation(s.rule.Schedule.Zone)
	for at := begin; at.Before(begin.Add(day)); at = at.Add(30 * time.Minute) {
		local := at.In(zone)
		if s.rule.Schedule.Every == 0 && len(s.rule.Schedule.Times) == 0 {
			local = at
		}
		if _, dark := s.rule.Schedule.DarkOn(schema.DateOf(local)); !dark && s.begins(at, local) {
			return true
		}
	}
	return false
}

func (s simulation) begins(at, local time.Time) bool {
	switch {
	case s.rule.Schedule.Every > 0:
		return at.Unix()%int64(s.rule.Schedule.Every/time.Second) == 0
	case len(s.rule.Schedule.Times) == 0:
		return true
	}
	return slices.ContainsFunc(s.rule.Schedule.Times, func(t schema.ScheduleTime) bool {
		return local.Hour() == t.Hour && local.Minute() == t.Minute && (t.Weekdays == nil || slices.Contains(t.Weekdays, local.Weekday())) &&
			(t.Days == nil || slices.Contains(t.Days, local.Day())) && (t.Months == nil || slices.Contains(t.Months, local.Month()))
	})
}

// used is the last day of use before a day, and the first on it or after it.
func (s simulation) used(begin time.Time) (last, next schema.Date) {
	last = s.account.Before
	for _, d := range s.account.Days {
		if d.In(time.UTC).Before(begin) {
			last = d
		} else if next.IsZero() {
			next = d
		}
	}
	return last, next
}

// judged judges the account on a day; whole = as if there were no holes.
func (s simulation) judged(begin time.Time, whole bool) schema.Verdict {
	subject := s.account.Subject
	if begin.Before(subject.Account.CreatedAt) || (!s.account.GoneAt.IsZero() && !begin.Before(s.account.GoneAt)) {
		return schema.Verdict{}
	}
	if last, _ := s.used(begin); !last.IsZero() {
		subject.Activity.LastActiveAt = last.In(time.UTC).Add(day - 1)
	}
	for i, c := range s.covered {
		switch {
		case c.From.After(begin):
		case whole && i == 0:
			subject.Activity.Covered = schema.Interval{From: c.From, To: begin}
		case !whole:
			subject.Activity.Covered = schema.Interval{From: c.From, To: begin}
			if c.To.Before(begin) {
				subject.Activity.Covered.To = c.To
			}
		}
	}
	for i := len(s.account.Changes) - 1; i >= 0; i-- {
		if move := s.account.Changes[i]; move.At.After(begin) {
			subject.Account.Status = move.Before
		}
	}
	if subject.KeptAt.After(begin) {
		subject.KeptAt = time.Time{}
	}
	return s.judge.Judge(&subject, begin)
}

func (s simulation) run(from, to time.Time) inactivity.Replayed {
	var out inactivity.Replayed
	hit, missed := map[schema.Date]bool{}, map[schema.Date]bool{}
	for begin := from; !begin.After(to); begin = begin.Add(day) {
		if !s.runs(begin) {
			continue
		}
		last, next := s.used(begin)
		silence := last
		if slices.Contains(s.rule.Grades, schema.GradeActive) {
			silence = schema.Date{}
		}
		switch {
		case hit[silence]:
		case s.judged(begin, false).Matched():
			hit[silence] = true
			out.Hits = append(out.Hits, schema.ReplayHit{
				AccountID: "1", Connection: "box", Login: "ada", HitOn: schema.DateOf(begin), LastUsedOn: last, ReturnedOn: next,
			})
		case s.judged(begin, true).Matched():
			missed[silence] = true
		}
	}
	for silence := range missed {
		if !hit[silence] {
			out.Unproven++
		}
	}
	return out
}

// TestReplayIsAsDayByDay: the replay, which looks at silences, comes to what a
// simulation comes to that judges each account on each day.
func TestReplayIsAsDayByDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := simulation{rule: drawReplayed(t), covered: drawCovered(t), account: drawUsed(t)}
		var err error
		s.judge, err = inactivity.Compile(s.rule)
		require.NoError(t, err)
		from, to := spanFrom, spanFrom.AddDate(0, 0, spanDays)
		replayer := s.judge.Replayer(inactivity.ReplayInput{
			From: from.Add(-time.Duration(rapid.IntRange(0, 23).Draw(t, "early")) * time.Hour), To: to.Add(5 * time.Hour),
			Connections: []inactivity.ReplayConnection{{ID: "c", Name: "box", Covered: s.covered}},
		})
		got := replayer.Account(s.account)
		for i := range got.Hits {
			require.GreaterOrEqual(t, got.Hits[i].SilentForDay, 0)
			got.Hits[i].SilentForDay = 0
		}
		require.Equal(t, s.run(from, to), got)
	})
}

// TestReplaySilence: a silence is told once, with its days and the return.
func TestReplaySilence(t *testing.T) {
	t.Parallel()
	r := compiled(t, dormant())
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	covered := schema.Interval{From: from.AddDate(-1, 0, 0), To: to}
	used := func(days ...string) *schema.UsedAccount {
		a := &schema.UsedAccount{Subject: subject()}
		a.Account.CreatedAt = from.AddDate(-3, 0, 0)
		a.Before = schema.DateOf(from.AddDate(0, 0, -1))
		for _, d := range days {
			date, err := schema.ParseDate(d)
			require.NoError(t, err)
			a.Days = append(a.Days, date)
		}
		return a
	}
	replay := func(a *schema.UsedAccount, spans ...schema.Interval) (schema.Replay, []string) {
		p := r.Replayer(inactivity.ReplayInput{From: from, To: to, Connections: []inactivity.ReplayConnection{{ID: "c", Name: "box", Covered: spans}}})
		sum := p.Begin()
		var told []string
		for _, h := range p.Add(&sum, a) {
			told = append(told, fmt.Sprintf("%s after %d days since %s, back %s", h.HitOn, h.SilentForDay, h.LastUsedOn, h.ReturnedOn))
		}
		return sum, told
	}

	sum, told := replay(used("2026-01-10", "2026-05-20", "2026-06-01"), covered)
	require.Equal(t, []string{
		"2026-04-11 after 90 days since 2026-01-10, back 2026-05-20", "2026-08-31 after 90 days since 2026-06-01, back ",
	}, told)
	require.EqualValues(t, 1, sum.Returned)
	require.EqualValues(t, 1, sum.Accounts)
	require.Zero(t, sum.Unproven)

	_, told = replay(used("2026-01-10", "2026-04-11"), schema.Interval{From: covered.From, To: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
	require.Equal(t, []string{"2026-04-11 after 90 days since 2026-01-10, back 2026-04-11"}, told, "a use on the day of the run is not known to it")

	sum, told = replay(used("2026-01-10", "2026-05-20", "2026-10-15"),
		schema.Interval{From: covered.From, To: from.AddDate(0, 1, 0)}, schema.Interval{From: from.AddDate(0, 1, 3), To: to})
	require.Equal(t, []string{"2026-05-05 after 114 days since 2026-01-10, back 2026-05-20", "2026-08-19 after 90 days since 2026-05-20, back 2026-10-15"}, told,
		"the silence is proven when a whole threshold lies after the hole")
	require.Zero(t, sum.Unproven)

	sum, told = replay(used("2026-01-10", "2026-05-01"),
		schema.Interval{From: covered.From, To: from.AddDate(0, 1, 0)}, schema.Interval{From: from.AddDate(0, 1, 3), To: from.AddDate(0, 5, 0)})
	require.Empty(t, told)
	require.EqualValues(t, 2, sum.Unproven, "one silence over the hole, one after the end of the coverage")
	require.Contains(t, fmt.Sprint(sum.Limits), "nothing is known from 2026-02-01 to 2026-02-04")

	_, told = replay(used())
	require.Empty(t, told, "nothing is collected")
}

// BenchmarkReplay: a year of an account, of which a tenth have long silences.
func BenchmarkReplay(b *testing.B) {
	for name, rule := range map[string]schema.PolicyRule{"dormant": dormant(), "in use, by date": {
		Name: "contractors", Connections: []string{"box"}, Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive},
		Grades: []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever}, Threshold: schema.Threshold{Default: 90 * day},
		Match: "person.employment == 'contractor' && person.has_last_day && person.days_past_last_day > 0",
	}} {
		b.Run(name, func(b *testing.B) {
			r, err := inactivity.Compile(rule)
			require.NoError(b, err)
			to := spanFrom.AddDate(1, 0, 0)
			p := r.Replayer(inactivity.ReplayInput{From: spanFrom, To: to, Connections: []inactivity.ReplayConnection{{
				ID: "c", Name: "box", Covered: []schema.Interval{{From: spanFrom.AddDate(0, -6, 0), To: spanFrom.AddDate(0, 5, 0)}, {From: spanFrom.AddDate(0, 5, 1), To: to}},
			}}})
			accounts := make([]*schema.UsedAccount, 100)
			for i := range accounts {
				a := &schema.UsedAccount{Subject: subject()}
				a.Account.CreatedAt = spanFrom.AddDate(-1, 0, 0)
				a.Person = &schema.Holder{Employment: schema.Employee, LastDay: schema.DateOf(spanFrom.AddDate(2, 0, 0))}
				if i%20 == 0 {
					a.Person.Employment = schema.Contractor
				}
				for d := range 365 {
					if at := spanFrom.AddDate(0, 0, d); d%7 < 5 && (i%10 != 0 || d < 100 || d > 250) {
						a.Days = append(a.Days, schema.DateOf(at))
					}
				}
				accounts[i] = a
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.Account(accounts[i%len(accounts)])
			}
		})
	}
}
