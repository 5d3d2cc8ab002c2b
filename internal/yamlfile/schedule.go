package yamlfile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	maxTimes    = 20
	maxBlackout = 50
	maxJitter   = 12 * time.Hour
)

func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// scheduleReader reads when reviews begin.
type scheduleReader struct {
	*Reader
	now time.Time
}

// Schedule reads the member schedule: when reviews begin, which is never by
// themselves where it says nothing. Now tells which of its days have passed.
func (r *Reader) Schedule(n *yaml.Node, now time.Time) schema.PolicySchedule {
	if n == nil {
		return schema.PolicySchedule{}
	}
	return scheduleReader{r, now}.schedule(n)
}

func (r scheduleReader) schedule(n *yaml.Node) schema.PolicySchedule {
	var s schema.PolicySchedule
	m := r.Some(n, "schedule", "every", "at", "weekdays", "days", "months", "times", "zone", "jitter", "blackout")
	r.onlyOneOf(n, m)
	if v := m["every"]; v != nil {
		s.Every = r.every(v)
	}
	switch at := m["at"]; {
	case at != nil:
		s.Times = append(s.Times, r.scheduleTime(n, m, "schedule"))
	case m["times"] != nil:
		for i, v := range r.Items(m["times"], "schedule.times", maxTimes) {
			path := Index("schedule.times", i)
			if own := r.Mapping(v, path, "at", "weekdays", "days", "months"); own != nil {
				s.Times = append(s.Times, r.scheduleTime(v, own, path))
			}
		}
	}
	r.zone(&s, m)
	if v := m["jitter"]; v != nil {
		r.jitter(&s, v, m)
	}
	if v := m["blackout"]; v != nil {
		s.Blackout = r.blackouts(v)
	}
	return s
}

// onlyOneOf refuses two ways of saying when, and days without a time.
func (r scheduleReader) onlyOneOf(n *yaml.Node, m map[string]*yaml.Node) {
	said := ""
	for _, member := range []string{"every", "at", "times"} {
		switch {
		case m[member] == nil:
		case said == "":
			said = member
		default:
			r.Fault(m[member], Under("schedule", member), "exclusive", said+" says already when", "keep one of every, at and times")
		}
	}
	if m["at"] != nil {
		return
	}
	for _, member := range []string{"weekdays", "days", "months"} {
		if m[member] != nil {
			r.Fault(m[member], Under("schedule", member), "time_missing", "days without a time of day", `write for example at: "06:00"; in a list of times, beside each one's at`)
		}
	}
}

func (r scheduleReader) every(n *yaml.Node) time.Duration {
	d, ok := r.Duration(n, "schedule.every")
	if ok && d < time.Hour {
		r.Fault(n, "schedule.every", "too_short", "a review more often than once an hour: syncs could not keep up", "write 1h or more, such as 24h")
	}
	return d
}

func (r scheduleReader) scheduleTime(n *yaml.Node, m map[string]*yaml.Node, path string) schema.ScheduleTime {
	var t schema.ScheduleTime
	if v := r.Need(n, m, path, "at", `write a time of day, such as "06:00"`); v != nil {
		at, _ := r.TimeOfDay(v, Under(path, "at"))
		t.Hour, t.Minute = at.Hour, at.Minute
	}
	if v := m["weekdays"]; v != nil {
		named := r.Distinct(v, Under(path, "weekdays"), 7, func(n *yaml.Node, at string) (string, bool) {
			day := r.Choice(n, at, weekdays()...)
			return day, day != ""
		})
		for i, day := range weekdays() {
			if slices.Contains(named, day) {
				t.Weekdays = append(t.Weekdays, time.Weekday(i))
			}
		}
	}
	t.Days = r.numbers(m["days"], Under(path, "days"), 31)
	for _, month := range r.numbers(m["months"], Under(path, "months"), 12) {
		t.Months = append(t.Months, time.Month(month))
	}
	if len(t.Days) > 0 && len(t.Months) > 0 && t.Days[0] > longestOf(t.Months) {
		r.Fault(m["days"], Under(path, "days"), "impossible", "none of these months has such a day: no review would ever begin", "choose other days or months")
	}
	return t
}

// longestOf is how many days the longest of some months has in the longest year.
func longestOf(months []time.Month) int {
	longest := 0
	for _, m := range months {
		const leapYear = 2028
		longest = max(longest, time.Date(leapYear, m+1, 0, 0, 0, 0, 0, time.UTC).Day())
	}
	return longest
}

// numbers reads a list of different numbers from 1, and sorts it.
func (r scheduleReader) numbers(list *yaml.Node, path string, most int) []int {
	if list == nil {
		return nil
	}
	var out []int
	for i, n := range r.Items(list, path, most) {
		at := Index(path, i)
		number, ok := r.Integer(n, at, 1, most)
		switch {
		case !ok:
		case slices.Contains(out, number):
			r.Fault(n, at, "duplicate", "it is named twice", "name it once")
		default:
			out = append(out, number)
		}
	}
	slices.Sort(out)
	return out
}

// zone reads the zone of times and blackouts: UTC where none is said.
func (r scheduleReader) zone(s *schema.PolicySchedule, m map[string]*yaml.Node) {
	n := m["zone"]
	used := m["at"] != nil || m["times"] != nil || m["blackout"] != nil
	if n == nil {
		if used {
			s.Zone = time.UTC.String()
		}
		return
	}
	name, ok := r.Text(n, "schedule.zone")
	if !ok {
		return
	}
	if _, err := intake.ParseZone(name); err != nil {
		r.Fault(n, "schedule.zone", "zone", "the time zone is unknown", "use an IANA name such as Europe/Berlin, America/New_York or UTC")
		return
	}
	s.Zone = name
	if !used {
		r.Warn(n, "schedule.zone", "no_effect", "there is no time of day and no blackout that it says something of", "remove the member")
	}
}

func (r scheduleReader) jitter(s *schema.PolicySchedule, n *yaml.Node, m map[string]*yaml.Node) {
	d, ok := r.Duration(n, "schedule.jitter")
	switch s.Jitter = d; {
	case !ok:
	case d > maxJitter || (s.Every > 0 && d >= s.Every):
		r.Fault(n, "schedule.jitter", "too_long", "the jitter is longer than 12h, or than the time between two reviews", "write for example 10m")
	case m["every"] == nil && m["at"] == nil && m["times"] == nil:
		r.Warn(n, "schedule.jitter", "no_effect", "no review begins by itself", "remove the member, or say when reviews begin")
	}
}

func (r scheduleReader) blackouts(list *yaml.Node) []schema.Blackout {
	var out []schema.Blackout
	for i, n := range r.Items(list, "schedule.blackout", maxBlackout) {
		path := Index("schedule.blackout", i)
		m := r.Mapping(n, path, "from", "to", "reason")
		if m == nil {
			continue
		}
		var b schema.Blackout
		if v := r.Need(n, m, path, "from", "write the first day, such as 2026-12-20"); v != nil {
			b.From, _ = r.Day(v, Under(path, "from"))
		}
		if v := r.Need(n, m, path, "to", "write the last day, such as 2027-01-06"); v != nil {
			b.To, _ = r.Day(v, Under(path, "to"))
		}
		if v := r.Need(n, m, path, "reason", "say why, for whoever wonders why no review ran"); v != nil {
			b.Reason = r.Line(v, Under(path, "reason"))
		}
		r.span(b, m["to"], path)
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b schema.Blackout) int {
		return cmp.Or(strings.Compare(a.From.String(), b.From.String()), strings.Compare(a.To.String(), b.To.String()))
	})
	return out
}

func (r scheduleReader) span(b schema.Blackout, to *yaml.Node, path string) {
	at := Under(path, "to")
	switch {
	case b.From.IsZero() || b.To.IsZero():
	case b.To.Before(b.From):
		r.Fault(to, at, "backwards", "the last day is before the first", "exchange them")
	case b.To.Before(schema.DateOf(r.now)):
		r.Warn(to, at, "past", "the blackout is over", "remove it, or choose later days")
	}
}
