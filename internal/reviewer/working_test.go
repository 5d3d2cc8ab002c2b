package reviewer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/reviewer"
	"sendoff/schema"

	_ "time/tzdata" // the zones of Go's release, where the machine has none
)

const day = 24 * time.Hour

func at(t testing.TB, instant string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, instant)
	require.NoError(t, err)
	return got
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, from, to string }{
		{"within the day", "Europe/Berlin", "2026-06-03T12:00:00+02:00", "2026-06-03T12:00:00+02:00"},
		{"at nine", "Europe/Berlin", "2026-06-03T09:00:00+02:00", "2026-06-03T09:00:00+02:00"},
		{"before nine", "Europe/Berlin", "2026-06-03T08:59:59+02:00", "2026-06-03T09:00:00+02:00"},
		{"at five work is over", "Europe/Berlin", "2026-06-03T17:00:00+02:00", "2026-06-04T09:00:00+02:00"},
		{"Friday evening, over the clocks' change", "Europe/Berlin", "2026-03-27T18:00:00+01:00", "2026-03-30T09:00:00+02:00"},
		{"Saturday, over the change back", "America/New_York", "2026-10-31T12:00:00-04:00", "2026-11-02T09:00:00-05:00"},
		{"month's end", "Asia/Tokyo", "2026-07-31T20:00:00+09:00", "2026-08-03T09:00:00+09:00"},
		{"year's end", "", "2026-12-31T23:59:59Z", "2027-01-01T09:00:00Z"},
		{"February's end", "America/Los_Angeles", "2028-02-29T17:30:00-08:00", "2028-03-01T09:00:00-08:00"},
		{"another day there", "Pacific/Auckland", "2026-06-05T10:00:00Z", "2026-06-08T09:00:00+12:00"},
		{"a zone without its Friday", "Pacific/Apia", "2011-12-29T18:00:00-10:00", "2012-01-02T09:00:00+14:00"},
		{"half hours", "Asia/Kolkata", "2026-06-03T03:29:00Z", "2026-06-03T03:30:00Z"},
		{"an unknown zone is UTC", "Mars/Olympus", "2026-06-03T07:00:00Z", "2026-06-03T09:00:00Z"},
		{"no machine's own zone", "Local", "2026-06-03T07:00:00Z", "2026-06-03T09:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, at(t, test.to).UTC(), reviewer.Moment(at(t, test.from), test.zone, true))
			require.Equal(t, at(t, test.from).UTC(), reviewer.Moment(at(t, test.from), test.zone, false))
		})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	opened := at(t, "2026-06-03T20:00:00Z") // a Wednesday
	require.Equal(t, at(t, "2026-06-13T20:00:00Z"), reviewer.Due(schema.CampaignTime{Due: 10 * day}, opened))
	require.Equal(t, at(t, "2026-06-15T09:00:00Z"), reviewer.Due(schema.CampaignTime{Due: 10 * day, WorkingDays: true}, opened))
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	due := at(t, "2026-06-17T09:00:00Z")
	rule := schema.CampaignTime{EscalateAfter: 5 * day, EscalateFor: 2 * day, Silence: schema.SilenceEscalates, WorkingDays: true}
	with := func(change func(*schema.CampaignTime)) schema.CampaignTime {
		r := rule
		change(&r)
		return r
	}
	for _, test := range []struct {
		name           string
		rule           schema.CampaignTime
		assigned, want string
	}{
		{"after so long", rule, "2026-06-03T10:00:00Z", "2026-06-08T10:00:00Z"},
		{"on a working morning", rule, "2026-06-01T10:00:00+02:00", "2026-06-08T09:00:00+02:00"},
		{"the deadline comes first", rule, "2026-06-12T10:00:00Z", ""},
		{"at the deadline alone", with(func(r *schema.CampaignTime) { r.EscalateAfter = 0 }), "2026-06-03T10:00:00Z", ""},
		{"silence keeps, and escalates before", with(func(r *schema.CampaignTime) { r.Silence = schema.SilenceKeeps }), "2026-06-03T10:00:00Z", "2026-06-08T10:00:00Z"},
		{"at the deadline each has so long", rule, "2026-06-17T09:00:00Z", "2026-06-19T09:00:00Z"},
		{"and later, over a weekend", rule, "2026-06-18T09:00:00Z", "2026-06-22T09:00:00+02:00"},
		{"silence revokes: nobody else is asked", with(func(r *schema.CampaignTime) { r.Silence = schema.SilenceRevokes }), "2026-06-18T09:00:00Z", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := reviewer.Escalation(test.rule, at(t, test.assigned), due, "Europe/Berlin")
			if test.want == "" {
				require.Zero(t, got)
				return
			}
			require.Equal(t, at(t, test.want).UTC(), got)
		})
	}
}

func TestReminders(t *testing.T) {
	t.Parallel()
	opened, due := at(t, "2026-06-03T10:00:00Z"), at(t, "2026-06-15T09:00:00Z") // Wednesday, and a Monday
	rule := schema.CampaignTime{Remind: []time.Duration{day, 30 * day, 5 * day, 2 * day, 12 * day}}
	instants := func(list ...string) (out []time.Time) {
		for _, s := range list {
			out = append(out, at(t, s))
		}
		return out
	}
	require.Equal(t, instants("2026-06-10T09:00:00Z", "2026-06-13T09:00:00Z", "2026-06-14T09:00:00Z"), reviewer.Reminders(rule, opened, due, ""))
	rule.WorkingDays = true
	// West of the deadline the weekend's reminders would come after it, and come on the
	// Friday; east of it they are one, on the Monday.
	require.Equal(t, instants("2026-06-10T13:00:00Z", "2026-06-12T13:00:00Z"), reviewer.Reminders(rule, opened, due, "America/New_York"))
	rule.Remind = []time.Duration{day, 5*day + 12*time.Hour, 2 * day}
	require.Equal(t, instants("2026-06-10T00:00:00Z", "2026-06-15T00:00:00Z"), reviewer.Reminders(rule, opened, due, "Asia/Tokyo"))
	require.Empty(t, reviewer.Reminders(schema.CampaignTime{}, opened, due, ""))
}

// TestWorkingMomentsOnly: whatever falls due, nothing happens before it, nor when
// people do not work; and no working morning is skipped.
func TestWorkingMomentsOnly(t *testing.T) {
	t.Parallel()
	zones := []string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Casablanca"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		works := func(at time.Time) bool {
			l := at.In(zone)
			return !slices.Contains([]time.Weekday{time.Saturday, time.Sunday}, l.Weekday()) && l.Hour() >= 9 && l.Hour() < 17
		}
		// From 2010 to 2037.
		draw := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(1262304000, 2145916800).Draw(t, label), 0).UTC()
		}
		opened := draw("opened")
		rule := schema.CampaignTime{
			Due: time.Duration(rapid.IntRange(1, 900).Draw(t, "due")) * time.Hour, EscalateAfter: time.Duration(rapid.IntRange(0, 300).Draw(t, "after")) * time.Hour,
			EscalateFor: time.Duration(rapid.IntRange(1, 90).Draw(t, "for")) * time.Hour, Silence: schema.SilenceEscalates, WorkingDays: true,
			Remind: []time.Duration{day, time.Duration(rapid.IntRange(1, 900).Draw(t, "remind")) * time.Hour},
		}
		moved := reviewer.Moment(opened, name, true)
		require.False(t, moved.Before(opened))
		require.True(t, works(moved))
		for between := opened; between.Before(moved); between = between.Add(15 * time.Minute) {
			require.False(t, works(between), "worked at %s", between)
		}
		due := reviewer.Due(rule, opened)
		require.False(t, due.Before(opened.Add(rule.Due)))
		assigned := opened.Add(time.Duration(rapid.IntRange(0, 1200).Draw(t, "assigned")) * time.Hour)
		if e := reviewer.Escalation(rule, assigned, due, name); !e.IsZero() {
			require.False(t, e.Before(assigned))
			require.True(t, works(e))
			require.Equal(t, assigned.Before(due), e.Before(due))
		}
		reminders := reviewer.Reminders(rule, opened, due, name)
		require.True(t, slices.IsSortedFunc(reminders, time.Time.Compare))
		for _, r := range reminders {
			require.True(t, works(r))
			require.False(t, r.Before(opened))
			require.True(t, r.Before(due))
		}
	})
}
