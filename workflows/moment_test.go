package workflows_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// momentZones are zones whose clocks change in 2027 or shortly after, of every
// kind: at midnight and at night, by an hour, by half of one and by two, in both
// halves of the earth, for Ramadan; and some whose clocks never change.
const momentZones = `
Europe/Berlin Europe/London Europe/Dublin Europe/Lisbon Europe/Athens Europe/Helsinki Europe/Bucharest Europe/Chisinau Europe/Kyiv Europe/Madrid
Atlantic/Azores Atlantic/Canary Atlantic/Faroe Atlantic/Bermuda Atlantic/Madeira
America/New_York America/Chicago America/Denver America/Los_Angeles America/Anchorage America/Adak America/Halifax America/St_Johns America/Havana
America/Port-au-Prince America/Nuuk America/Scoresbysund America/Miquelon America/Thule America/Santiago America/Tijuana America/Ciudad_Juarez
Pacific/Easter Pacific/Auckland Pacific/Chatham Pacific/Norfolk Australia/Sydney Australia/Adelaide Australia/Lord_Howe Antarctica/Troll
Antarctica/Macquarie Asia/Jerusalem Asia/Beirut Asia/Nicosia Africa/Cairo Africa/Casablanca Africa/El_Aaiun
Asia/Kathmandu Asia/Kolkata Asia/Tokyo Pacific/Kiritimati Etc/GMT+12 UTC`

// lastDay is a day with a time in a zone on which somebody leaves.
type lastDay struct {
	zone *time.Location
	day  schema.Date
	at   schema.LocalTime
}

func (l lastDay) String() string { return l.zone.String() + " " + l.day.String() + " " + l.at.String() }

func (l lastDay) plus(days int) lastDay {
	l.day = schema.DateOf(l.day.In(time.UTC).AddDate(0, 0, days))
	return l
}

// due is what the product makes of it, and what a case's row holds.
func (l lastDay) due() time.Time { return l.day.At(l.at, l.zone) }

// watched is when somebody who looks at the zone's clock every minute sees the
// time for the last time, or a later one because it never comes.
func (l lastDay) watched() time.Time {
	asked := time.Date(l.day.Year, l.day.Month, l.day.Day, l.at.Hour, l.at.Minute, 0, 0, time.UTC)
	noon := time.Date(l.day.Year, l.day.Month, l.day.Day, 12, 0, 0, 0, time.UTC)
	var seen, passed time.Time
	for u := noon.Add(-40 * time.Hour); u.Before(noon.Add(64 * time.Hour)); u = u.Add(time.Minute) {
		year, month, day := u.In(l.zone).Date()
		hour, minute, _ := u.In(l.zone).Clock()
		switch shown := time.Date(year, month, day, hour, minute, 0, 0, time.UTC); {
		case shown.Equal(asked):
			seen = u
		case shown.After(asked) && passed.IsZero():
			passed = u
		}
	}
	if seen.IsZero() {
		return passed
	}
	return seen
}

// edges are a zone's next change forward and next change back from the end of
// 2026, each as a time in the middle of what is skipped or shown twice. A zone
// without has an ordinary day.
func edges(t *testing.T, name string) map[string]lastDay {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	out := map[string]lastDay{}
	u := time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC).In(loc)
	for len(out) < 2 {
		_, change := u.ZoneBounds()
		if change.IsZero() || change.Year() > 2030 {
			break
		}
		_, before := change.Add(-time.Second).Zone()
		_, after := change.Zone()
		kind := "forward"
		if after < before {
			kind = "back"
		}
		middle := change.UTC().Add(time.Duration(before+after) * time.Second / 2)
		if _, known := out[kind]; !known && after != before {
			out[kind] = lastDay{loc, schema.DateOf(middle), schema.LocalTime{Hour: middle.Hour(), Minute: middle.Minute()}}
		}
		u = change.In(loc)
	}
	if len(out) == 0 {
		out["plain"] = lastDay{loc, schema.Date{Year: 2027, Month: 3, Day: 31}, schema.DefaultLocalTime()}
	}
	return out
}

// told is one change of a case's date while it waits; a zero day clears it.
type told struct {
	at  time.Time
	day lastDay
}

// change is what HR says of a last day: first one, then others.
type change struct {
	name  string
	first lastDay
	then  []told
	want  time.Time // zero = nobody leaves
}

// changes are the ways in which HR comes to a last day, or takes it back.
func changes(l lastDay) []change {
	at := l.watched()
	days := func(n int) time.Time { return at.Add(time.Duration(n) * 24 * time.Hour) }
	early, late := l.plus(-5), l.plus(5)
	return []change{
		{name: "as said", first: l, want: at},
		{name: "moved later", first: early, then: []told{{days(-8), l}}, want: at},
		{name: "moved later at the last hour", first: early, then: []told{{early.due().Add(-30 * time.Second), l}}, want: at},
		{name: "moved earlier", first: late, then: []told{{days(-3), l}}, want: at},
		{name: "moved earlier at the last hour", first: l.plus(1), then: []told{{at.Add(-30 * time.Second), l}}, want: at},
		{name: "moved into the past", first: late, then: []told{{at.Add(time.Hour), l}}, want: at.Add(time.Hour)},
		{name: "moved twice", first: early, then: []told{{days(-8), late}, {days(-1), l}}, want: at},
		{name: "said again", first: l, then: []told{{days(-9), l}, {days(-1), l}}, want: at},
		{name: "taken back", first: l, then: []told{{days(-2), lastDay{}}}},
		{name: "taken back at the last hour", first: early, then: []told{{days(-8), l}, {at.Add(-30 * time.Second), lastDay{}}}},
	}
}

// TestMomentOfEveryZone: whatever the zone and the day, and however often HR
// moves it, a case begins its plans once, within a minute of what a clock on the
// wall there shows, and never when the day was taken back.
func TestMomentOfEveryZone(t *testing.T) {
	t.Parallel()
	changing := 0
	for _, name := range strings.Fields(momentZones) {
		found := edges(t, name)
		if len(found) == 2 {
			changing++
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, edge := range found {
				beginsOnce(t, edge, changes(edge))
				for i, l := range []lastDay{edge.plus(-1), edge.plus(1), {edge.zone, edge.day, schema.DefaultLocalTime()}} {
					beginsOnce(t, l, every(3, i, changes(l)))
				}
			}
		})
	}
	require.GreaterOrEqual(t, changing, 40)
}

// TestMomentOfSkippedDays: days that a zone left out when it changed sides of the
// date line.
func TestMomentOfSkippedDays(t *testing.T) {
	t.Parallel()
	for zone, skipped := range map[string]schema.Date{
		"Pacific/Apia":       {Year: 2011, Month: 12, Day: 30},
		"Pacific/Fakaofo":    {Year: 2011, Month: 12, Day: 30},
		"Pacific/Kwajalein":  {Year: 1993, Month: 8, Day: 21},
		"Pacific/Kiritimati": {Year: 1994, Month: 12, Day: 31},
	} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			loc, err := time.LoadLocation(zone)
			require.NoError(t, err)
			for _, at := range []schema.LocalTime{{}, {Hour: 18}, {Hour: 23, Minute: 59}} {
				for days := -1; days <= 1; days++ {
					l := lastDay{loc, skipped, at}.plus(days)
					beginsOnce(t, l, changes(l))
				}
			}
		})
	}
}

// every keeps one of n changes, each i another.
func every(n, i int, list []change) []change {
	var out []change
	for ; i < len(list); i += n {
		out = append(out, list[i])
	}
	return out
}

// beginsOnce carries out a case for each change.
func beginsOnce(t *testing.T, l lastDay, list []change) {
	t.Helper()
	start := l.due().Add(-12 * 24 * time.Hour)
	for _, c := range list {
		begun := carryOut(t, c, start)
		if c.want.IsZero() {
			require.Empty(t, begun, "%s, %s", l, c.name)
			continue
		}
		require.Len(t, begun, 1, "%s, %s", l, c.name)
		require.WithinDuration(t, c.want, begun[0], time.Minute, "%s, %s", l, c.name)
	}
}

// carryOut runs a case whose row is changed as told, and returns when its plan's
// workflow was started.
func carryOut(t *testing.T, c change, start time.Time) []time.Time {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	env := patient(&suite)
	env.SetStartTime(start)
	env.SetWorkflowRunTimeout(365 * 24 * time.Hour)
	workflows.Register(env)
	row := c.first
	var a *activities.Activities
	env.OnActivity(a.LoadCase, anything, anything).Return(func(context.Context, activities.CaseInput) (activities.CaseOutline, error) {
		out := activities.CaseOutline{Approved: true, Open: []schema.PlanID{planID}, Stopped: row.zone == nil}
		if !out.Stopped {
			out.Left = max(0, row.due().Sub(env.Now()))
		}
		return out, nil
	})
	env.OnActivity(a.ReadAhead, anything, anything).Return(nil).Maybe()
	env.OnActivity(a.EndCancelled, anything, anything).Return(nil).Maybe()
	env.OnActivity(a.CloseCase, anything, anything).Return(nil).Once()
	var begun []time.Time
	env.OnWorkflow(workflows.Deprovision, anything, anything).Return(func(ctx workflow.Context, _ workflows.DeprovisionInput) error {
		begun = append(begun, workflow.Now(ctx))
		return nil
	}).Maybe()
	for i, next := range c.then {
		env.RegisterDelayedCallback(func() {
			row = next.day
			id := fmt.Sprintf("d%d", i)
			env.UpdateWorkflow(workflows.UpdateDecide, id, &testsuite.TestUpdateCallback{
				OnAccept: func() {}, OnReject: func(err error) { t.Error("the change is refused", err) }, OnComplete: func(any, error) {},
			}, workflows.DecideInput{DecisionID: schema.DecisionID(id)})
		}, next.at.Sub(start))
	}
	env.ExecuteWorkflow(workflows.Offboarding, workflows.OffboardingInput{CaseID: "c"})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	return begun
}
