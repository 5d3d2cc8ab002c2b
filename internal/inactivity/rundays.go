package inactivity

import (
	"slices"
	"time"

	"sendoff/schema"
)

const (
	wholeDay = 24 * time.Hour
	// shortestStep bounds how often a schedule is stepped through: more than one run
	// of a day is one to a replay.
	shortestStep = time.Hour
)

// dayOf numbers the day of an instant in UTC, from 1970-01-01.
func dayOf(at time.Time) int {
	seconds := at.Unix()
	day := seconds / 86400
	if seconds < 0 && seconds%86400 != 0 {
		day--
	}
	return int(day)
}

// dayFrom is the first day that begins at an instant or after it.
func dayFrom(at time.Time) int { return dayOf(at.Add(wholeDay - 1)) }

// dayOfDate numbers a day of the calendar
// (https://howardhinnant.github.io/date_algorithms.html#days_from_civil): a replay
// asks it of each day of use, for which time.Date takes long.
func dayOfDate(d schema.Date) int {
	year, month := d.Year, int(d.Month)
	if month <= 2 {
		year, month = year-1, month+12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	inEra := year - era*400
	return era*146097 + inEra*365 + inEra/4 - inEra/100 + (153*(month-3)+2)/5 + d.Day - 1 - 719468
}

// begin is a day's first instant.
func begin(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

func dateOfDay(day int) schema.Date { return schema.DateOf(begin(day)) }

// runDays are the days in UTC, from first to last, on which a schedule begins
// reviews: every one where it says none, and none of a blackout.
func runDays(s schema.PolicySchedule, first, last int) []int {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC // no such rule is applied
	}
	var days []int
	add := func(day int, local schema.Date) {
		if _, dark := s.DarkOn(local); !dark && day >= first && day <= last {
			days = append(days, day)
		}
	}
	switch {
	case len(s.Times) > 0:
		for day := first - 2; day <= last+2; day++ {
			local := dateOfDay(day)
			for _, t := range s.Times {
				if onDay(t, local) {
					add(dayOf(time.Date(local.Year, local.Month, local.Day, t.Hour, t.Minute, 0, 0, zone)), local)
				}
			}
		}
	case s.Every > 0:
		// Intervals are counted from 1970, as Temporal does.
		step := max(s.Every, shortestStep)
		for at := time.Unix(0, 0).Add(begin(first).Sub(time.Unix(0, 0)) / step * step); dayOf(at) <= last; at = at.Add(step) {
			add(dayOf(at), schema.DateOf(at.In(zone)))
		}
	default:
		for day := first; day <= last; day++ {
			add(day, dateOfDay(day))
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

func onDay(t schema.ScheduleTime, d schema.Date) bool {
	return (len(t.Weekdays) == 0 || slices.Contains(t.Weekdays, d.In(time.UTC).Weekday())) &&
		(len(t.Days) == 0 || slices.Contains(t.Days, d.Day)) &&
		(len(t.Months) == 0 || slices.Contains(t.Months, d.Month))
}
