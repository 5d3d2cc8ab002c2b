package app

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"sendoff/internal/config"
	"sendoff/internal/local/localtest"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// timesOf applies a schedule to a real server and asks it for its times, in the
// schedule's own zone.
func timesOf(t *testing.T, d *dispatcher, e *Engine, rule schema.PolicySchedule, from, to string) []string {
	t.Helper()
	p := schema.Policy{ID: schema.PolicyID(localtest.Name("policy")), Version: 1, State: schema.PolicyPaused, Rule: schema.PolicyRule{Schedule: rule}}
	require.NoError(t, e.alignSchedule(t.Context(), d.temporal, p, "Review", p.ID))
	t.Cleanup(func() {
		p.Rule.Schedule = schema.PolicySchedule{}
		require.NoError(t, e.alignSchedule(context.WithoutCancel(t.Context()), d.temporal, p, "Review", p.ID))
	})
	zone, err := time.LoadLocation(rule.Zone)
	require.NoError(t, err)
	instant := func(day string) *timestamppb.Timestamp {
		at, err := time.ParseInLocation(time.DateOnly, day, zone)
		require.NoError(t, err)
		return timestamppb.New(at.Add(-time.Second)) // the server lists what comes after
	}
	got, err := d.temporal.WorkflowService().ListScheduleMatchingTimes(t.Context(), &workflowservice.ListScheduleMatchingTimesRequest{
		Namespace: localtest.SharedNamespace, ScheduleId: workflows.PolicyScheduleID(p.ID), StartTime: instant(from), EndTime: instant(to),
	})
	require.NoError(t, err)
	times := []string{}
	for _, at := range got.GetStartTime() {
		times = append(times, at.AsTime().In(zone).Format("2006-01-02 15:04:05 MST"))
	}
	return times
}

func newSchedules(t *testing.T, scale int64) (*dispatcher, *Engine) {
	t.Helper()
	d, o := dialTests(t)
	return d, &Engine{cfg: config.Config{TimeScale: scale}, temporal: o}
}

// TestPolicyTimes: the server's own reading of what policies say.
func TestPolicyTimes(t *testing.T) {
	t.Parallel()
	d, e := newSchedules(t, 1)
	at := func(hour, minute int, days ...int) schema.ScheduleTime {
		return schema.ScheduleTime{Hour: hour, Minute: minute, Days: days}
	}
	day := func(y int, m time.Month, d int) schema.Date { return schema.Date{Year: y, Month: m, Day: d} }
	for name, test := range map[string]struct {
		rule     schema.PolicySchedule
		from, to string
		want     []string
	}{
		"a day that is short of 02:30 has no run": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{at(2, 30)}, Zone: "Europe/Berlin", Blackout: []schema.Blackout{
				{From: day(2027, 3, 30), To: day(2027, 10, 29)},
			}},
			"2027-03-27", "2027-11-02",
			[]string{
				"2027-03-27 02:30:00 CET", "2027-03-29 02:30:00 CEST", "2027-10-30 02:30:00 CEST",
				"2027-10-31 02:30:00 CET", "2027-11-01 02:30:00 CET",
			},
		},
		"a day that has 01:30 twice may have two runs": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{at(1, 30)}, Zone: "America/New_York"},
			"2027-11-06", "2027-11-09",
			[]string{"2027-11-06 01:30:00 EDT", "2027-11-07 01:30:00 EDT", "2027-11-07 01:30:00 EST", "2027-11-08 01:30:00 EST"},
		},
		"blackout over new year, its days in the zone": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{at(0, 0), at(23, 59)}, Zone: "America/New_York", Blackout: []schema.Blackout{
				{From: day(2026, 12, 23), To: day(2027, 1, 5)},
			}},
			"2026-12-22", "2027-01-07",
			[]string{"2026-12-22 00:00:00 EST", "2026-12-22 23:59:00 EST", "2027-01-06 00:00:00 EST", "2027-01-06 23:59:00 EST"},
		},
		"the 31st, in months that have one": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{at(4, 0, 31)}, Zone: "UTC"},
			"2027-01-01", "2027-08-30",
			[]string{"2027-01-31 04:00:00 UTC", "2027-03-31 04:00:00 UTC", "2027-05-31 04:00:00 UTC", "2027-07-31 04:00:00 UTC"},
		},
		"the leap day": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 4, Days: []int{29}, Months: []time.Month{time.February}}}, Zone: "Asia/Tokyo"},
			"2027-01-01", "2033-01-01",
			[]string{"2028-02-29 04:00:00 JST", "2032-02-29 04:00:00 JST"},
		},
		"first Mondays, by weekday and day at once": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 9, Weekdays: []time.Weekday{time.Monday}, Days: []int{1, 2, 3, 4, 5, 6, 7}}}, Zone: "UTC"},
			"2027-01-01", "2027-03-31",
			[]string{"2027-01-04 09:00:00 UTC", "2027-02-01 09:00:00 UTC", "2027-03-01 09:00:00 UTC"},
		},
		"Sundays": {
			schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 9, Weekdays: []time.Weekday{time.Sunday}}}, Zone: "UTC"},
			"2027-01-01", "2027-01-12",
			[]string{"2027-01-03 09:00:00 UTC", "2027-01-10 09:00:00 UTC"},
		},
		"an interval, with a blackout in a zone": {
			schema.PolicySchedule{Every: 8 * time.Hour, Zone: "Asia/Tokyo", Blackout: []schema.Blackout{{From: day(2027, 2, 28), To: day(2027, 3, 1)}}},
			"2027-02-27", "2027-03-03",
			[]string{
				"2027-02-27 01:00:00 JST", "2027-02-27 09:00:00 JST", "2027-02-27 17:00:00 JST",
				"2027-03-02 01:00:00 JST", "2027-03-02 09:00:00 JST", "2027-03-02 17:00:00 JST",
			},
		},
	} {
		require.Equal(t, test.want, timesOf(t, d, e, test.rule, test.from, test.to), name)
	}
}

// TestPolicySchedule: paused with its policy, removed with its times, and what the
// server is told of it.
func TestPolicySchedule(t *testing.T) {
	t.Parallel()
	d, e := newSchedules(t, 1000)
	p := schema.Policy{ID: schema.PolicyID(localtest.Name("policy")), Name: "dormant people", Version: 7, State: schema.PolicyActive}
	p.Rule.Schedule = schema.PolicySchedule{Every: 365 * 24 * time.Hour, Jitter: time.Hour}
	align := func() { require.NoError(t, e.alignSchedule(t.Context(), d.temporal, p, "Review", p.ID)) }
	for _, paused := range []bool{false, true, false} {
		p.State = schema.PolicyActive
		if paused {
			p.State = schema.PolicyPaused
		}
		align()
		got, err := temporalx.DescribeSchedule(t.Context(), d.temporal, workflows.PolicyScheduleID(p.ID))
		require.NoError(t, err)
		require.Equal(t, paused, got.Paused)
		require.Contains(t, got.Note, "version 7")
		require.NotContains(t, got.Note, p.Name, "names are not for Temporal")
	}
	p.Rule.Schedule = schema.PolicySchedule{}
	for range 2 {
		align()
		_, err := temporalx.DescribeSchedule(t.Context(), d.temporal, workflows.PolicyScheduleID(p.ID))
		require.ErrorIs(t, err, temporalx.ErrNotFound)
	}

	p.Rule.Schedule = schema.PolicySchedule{Every: time.Hour, Jitter: time.Minute}
	s := scheduleOf(p, 1000, workflows.Sync)
	require.Equal(t, 3*time.Second, s.Spec.Intervals[0].Every, "3.6 s: whole seconds are what the server knows")
	require.Equal(t, 60*time.Millisecond, s.Spec.Jitter)
	require.Equal(t, time.Second, scheduleOf(p, 1_000_000, workflows.Sync).Spec.Intervals[0].Every)
	require.Equal(t, "review/"+string(p.ID), s.WorkflowID)
	require.Equal(t, workflows.QueueEngine, s.TaskQueue)
}

// TestWholeDays: the pieces of a blackout cover its days, each once, and no other.
func TestWholeDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "first"))
		last := first.AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "days"))
		pieces := wholeDays(schema.DateOf(first), schema.DateOf(last))
		require.LessOrEqual(t, len(pieces), 5)
		for day := first.AddDate(0, 0, -400); day.Before(last.AddDate(0, 0, 400)); day = day.AddDate(0, 0, 1) {
			covered := 0
			for _, p := range pieces {
				if p.Year[0].Start <= day.Year() && day.Year() <= p.Year[0].End && p.Month[0].Start <= int(day.Month()) && int(day.Month()) <= p.Month[0].End &&
					p.DayOfMonth[0].Start <= day.Day() && day.Day() <= p.DayOfMonth[0].End {
					covered++
				}
			}
			want := 0
			if !day.Before(first) && !day.After(last) {
				want = 1
			}
			require.Equal(t, want, covered, day)
		}
	})
}
