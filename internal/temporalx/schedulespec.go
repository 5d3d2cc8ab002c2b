package temporalx

import (
	"reflect"

	"go.temporal.io/sdk/client"
)

// sameSpec tells whether two specs are of the same times. The server hands out
// what the SDK sent with the defaults filled in.
func sameSpec(told, got client.ScheduleSpec) bool {
	return reflect.DeepEqual(filled(told), filled(got))
}

// filled is a spec with the SDK's defaults.
func filled(s client.ScheduleSpec) client.ScheduleSpec {
	s.Calendars, s.Skip = filledCalendars(s.Calendars), filledCalendars(s.Skip)
	s.Intervals = append([]client.ScheduleIntervalSpec{}, s.Intervals...)
	s.CronExpressions = append([]string{}, s.CronExpressions...)
	s.StartAt, s.EndAt = s.StartAt.UTC().Round(0), s.EndAt.UTC().Round(0)
	return s
}

func filledCalendars(calendars []client.ScheduleCalendarSpec) []client.ScheduleCalendarSpec {
	all := []client.ScheduleCalendarSpec{}
	for _, c := range calendars {
		c.Second, c.Minute, c.Hour = filledRanges(c.Second, 0, 0), filledRanges(c.Minute, 0, 0), filledRanges(c.Hour, 0, 0)
		c.DayOfMonth, c.Month = filledRanges(c.DayOfMonth, 1, 31), filledRanges(c.Month, 1, 12)
		c.DayOfWeek, c.Year = filledRanges(c.DayOfWeek, 0, 6), filledRanges(c.Year)
		all = append(all, c)
	}
	return all
}

// filledRanges fills in ends and steps, and the range from and to where there is
// none; without from and to it stays none.
func filledRanges(ranges []client.ScheduleRange, fromTo ...int) []client.ScheduleRange {
	all := []client.ScheduleRange{}
	if len(ranges) == 0 && len(fromTo) == 2 {
		return append(all, client.ScheduleRange{Start: fromTo[0], End: fromTo[1], Step: 1})
	}
	for _, r := range ranges {
		all = append(all, client.ScheduleRange{Start: r.Start, End: max(r.Start, r.End), Step: max(r.Step, 1)})
	}
	return all
}
