package app

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// alignSchedule brings the Temporal Schedule of a policy in line with it: none
// without times, a paused one while the policy is paused or a run of it has failed
// and nobody resumed it. flow is the workflow that
// reviews, with its arguments.
func (e *Engine) alignSchedule(ctx context.Context, c client.Client, p schema.Policy, flow any, args ...any) error {
	return e.align(ctx, c, p.Rule.Schedule, scheduleOf(p, e.cfg.TimeScale, flow, args...))
}

// align makes, changes or removes a Temporal Schedule.
func (e *Engine) align(ctx context.Context, c client.Client, rule schema.PolicySchedule, s temporalx.Schedule) error {
	if rule.Every <= 0 && len(rule.Times) == 0 {
		return temporalx.RemoveSchedule(ctx, c, s.ID)
	}
	opts, err := temporalx.ClientOptions(e.temporal)
	if err != nil {
		return err
	}
	return temporalx.EnsureSchedule(ctx, c, opts.DataConverter, s)
}

// scheduleOf is the Temporal Schedule of a policy with times. scale divides its
// interval and jitter; times of day stay. Intervals are counted from 1970 in UTC,
// so that a day's run is at midnight UTC whenever the policy was applied.
//
// Times of day are compared with the clock on the wall: where the clock goes
// forward over one, that day has no run; where it goes back over one, it has one or
// two, by the zone, of which the second is skipped while the first goes on.
//
// The days of blackouts are skipped, but jitter may carry a run into one: a review
// looks at the day itself.
func scheduleOf(p schema.Policy, scale int64, flow any, args ...any) temporalx.Schedule {
	return temporalx.Schedule{
		ID: workflows.PolicyScheduleID(p.ID), Spec: specOf(p.Rule.Schedule, scale), Paused: p.State == schema.PolicyPaused || p.Stopped,
		Note:     fmt.Sprintf("policy %s, version %d", p.ID, p.Version),
		Workflow: flow, Args: args, WorkflowID: workflows.ReviewsOf(p.ID), TaskQueue: workflows.QueueEngine,
	}
}

func specOf(rule schema.PolicySchedule, scale int64) client.ScheduleSpec {
	spec := client.ScheduleSpec{TimeZoneName: rule.Zone, Jitter: rule.Jitter / time.Duration(max(scale, 1))}
	if rule.Every > 0 {
		// Temporal counts intervals in whole seconds.
		every := max(rule.Every/time.Duration(max(scale, 1)), time.Second).Truncate(time.Second)
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: every}}
	}
	for _, t := range rule.Times {
		spec.Calendars = append(spec.Calendars, calendarOf(t))
	}
	for _, dark := range rule.Blackout {
		spec.Skip = append(spec.Skip, wholeDays(dark.From, dark.To)...)
	}
	return spec
}

func calendarOf(t schema.ScheduleTime) client.ScheduleCalendarSpec {
	return client.ScheduleCalendarSpec{
		Hour: []client.ScheduleRange{{Start: t.Hour}}, Minute: []client.ScheduleRange{{Start: t.Minute}},
		DayOfWeek: each(t.Weekdays), DayOfMonth: each(t.Days), Month: each(t.Months),
	}
}

// each is a range for each value; none means every one.
func each[T ~int](values []T) []client.ScheduleRange {
	var all []client.ScheduleRange
	for _, v := range values {
		all = append(all, client.ScheduleRange{Start: int(v)})
	}
	return all
}

// wholeDays covers each second of the days from first to last. What is left empty
// in a calendar to skip means midnight, not the whole day; and what it lists is
// combined freely, so that a span is cut into rest of the month, whole months and
// whole years: five pieces at most.
func wholeDays(first, last schema.Date) []client.ScheduleCalendarSpec {
	var all []client.ScheduleCalendarSpec
	end := last.In(time.UTC)
	for day := first.In(time.UTC); !day.After(end); {
		y, m, d := day.Date()
		piece, next := span(y, y, m, m, d, 31), time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
		after := end.AddDate(0, 0, 1) // the first day that is not covered
		switch {
		case m == time.January && d == 1 && after.Year() > y:
			piece, next = span(y, after.Year()-1, 1, 12, 1, 31), time.Date(after.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		case d == 1 && after.Year() > y:
			piece, next = span(y, y, m, 12, 1, 31), time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case d == 1 && after.Month() > m:
			piece, next = span(y, y, m, after.Month()-1, 1, 31), time.Date(y, after.Month(), 1, 0, 0, 0, 0, time.UTC)
		case after.Before(next):
			piece, next = span(y, y, m, m, d, end.Day()), after
		}
		all, day = append(all, piece), next
	}
	return all
}

// span is every second of a range of years, months and days.
func span(fromYear, toYear int, fromMonth, toMonth time.Month, fromDay, toDay int) client.ScheduleCalendarSpec {
	return client.ScheduleCalendarSpec{
		Year:       []client.ScheduleRange{{Start: fromYear, End: toYear}},
		Month:      []client.ScheduleRange{{Start: int(fromMonth), End: int(toMonth)}},
		DayOfMonth: []client.ScheduleRange{{Start: fromDay, End: toDay}},
		Hour:       []client.ScheduleRange{{Start: 0, End: 23}},
		Minute:     []client.ScheduleRange{{Start: 0, End: 59}},
		Second:     []client.ScheduleRange{{Start: 0, End: 59}},
	}
}
