package schema_test

import (
	_ "embed"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of Go's release, where the machine has none

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// zoneList names every zone in the database of Go 1.26 (IANA, public domain).
//
//go:embed testdata/zones.txt
var zoneList string

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err, name)
	return loc
}

// TestDateAt: what the clocks show once, twice and never.
func TestDateAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ zone, day, at, want string }{
		"plain":                      {"Europe/Berlin", "2026-11-30", "18:00", "2026-11-30T18:00:00+01:00"},
		"quarter hours":              {"Asia/Kathmandu", "2026-11-30", "18:00", "2026-11-30T18:00:00+05:45"},
		"quarter hours with summer":  {"Pacific/Chatham", "2026-12-31", "18:00", "2026-12-31T18:00:00+13:45"},
		"gap, its first minute":      {"Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T03:00:00+02:00"},
		"gap, its last minute":       {"Europe/Berlin", "2026-03-29", "02:59", "2026-03-29T03:00:00+02:00"},
		"gap, the minute after":      {"Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T03:00:00+02:00"},
		"gap, the minute before":     {"Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T01:59:00+01:00"},
		"overlap, its first minute":  {"Europe/Berlin", "2026-10-25", "02:00", "2026-10-25T02:00:00+01:00"},
		"overlap, its last minute":   {"Europe/Berlin", "2026-10-25", "02:59", "2026-10-25T02:59:00+01:00"},
		"overlap, the minute before": {"Europe/Berlin", "2026-10-25", "01:59", "2026-10-25T01:59:00+02:00"},
		"overlap, the minute after":  {"Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T03:00:00+01:00"},
		"gap at midnight":            {"Africa/Cairo", "2026-04-24", "00:30", "2026-04-24T01:00:00+03:00"},
		"overlap before midnight":    {"Africa/Cairo", "2026-10-29", "23:30", "2026-10-29T23:30:00+02:00"},
		"half an hour forward":       {"Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-04T02:30:00+11:00"},
		"half an hour back":          {"Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-05T01:45:00+10:30"},
		"two hours forward":          {"Antarctica/Troll", "2026-03-29", "02:30", "2026-03-29T03:00:00+02:00"},
		"two hours back":             {"Antarctica/Troll", "2026-10-25", "01:30", "2026-10-25T01:30:00+00:00"},
		"Ramadan begins":             {"Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15T02:30:00+00:00"},
		"Ramadan ends":               {"Africa/Casablanca", "2026-03-22", "02:30", "2026-03-22T03:00:00+01:00"},
		"Samoa left a day out":       {"Pacific/Apia", "2011-12-30", "18:00", "2011-12-31T00:00:00+14:00"},
		"from its first minute":      {"Pacific/Apia", "2011-12-30", "00:00", "2011-12-31T00:00:00+14:00"},
		"to its last":                {"Pacific/Apia", "2011-12-30", "23:59", "2011-12-31T00:00:00+14:00"},
		"and the day before it":      {"Pacific/Apia", "2011-12-29", "23:59", "2011-12-29T23:59:00-10:00"},
		"Kwajalein left a day out":   {"Pacific/Kwajalein", "1993-08-21", "18:00", "1993-08-22T00:00:00+12:00"},
		"seconds in the offset":      {"Africa/Monrovia", "1971-06-01", "18:00", "1971-06-01T18:44:30Z"},
		"a gap of odd seconds":       {"Africa/Monrovia", "1972-01-07", "00:30", "1972-01-07T00:44:30Z"},
		"local mean time":            {"Europe/Dublin", "1900-06-01", "18:00", "1900-06-01T18:25:21Z"},
		"local mean time ends":       {"America/New_York", "1883-11-18", "12:02", "1883-11-18T17:02:00Z"},
		"far ahead, gap":             {"America/New_York", "2100-03-14", "02:30", "2100-03-14T03:00:00-04:00"},
		"far ahead, overlap":         {"America/New_York", "2100-11-07", "01:30", "2100-11-07T01:30:00-05:00"},
		"no summer time any more":    {"America/Sao_Paulo", "2026-10-18", "00:30", "2026-10-18T00:30:00-03:00"},
		"summer time from midnight":  {"America/Sao_Paulo", "2017-10-15", "00:30", "2017-10-15T01:00:00-02:00"},
		"the last minute of a year":  {"Pacific/Kiritimati", "2026-12-31", "23:59", "2026-12-31T23:59:00+14:00"},
		"the end of the earth":       {"Etc/GMT+12", "2026-12-31", "00:00", "2026-12-31T00:00:00-12:00"},
		"less than none in winter":   {"Europe/Dublin", "2026-10-25", "01:30", "2026-10-25T01:30:00+00:00"},
		"a leap day":                 {"Europe/London", "2028-02-29", "18:00", "2028-02-29T18:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			day, err := schema.ParseDate(c.day)
			require.NoError(t, err)
			at, err := schema.ParseLocalTime(c.at)
			require.NoError(t, err)
			want, err := time.Parse(time.RFC3339, c.want)
			require.NoError(t, err)
			got := day.At(at, zone(t, c.zone))
			require.Equal(t, want.UTC().Format(time.RFC3339Nano), got.UTC().Format(time.RFC3339Nano))
			require.Equal(t, c.zone, got.Location().String())
		})
	}
	require.Equal(t, "2026-11-30T18:00:00Z", schema.Date{Year: 2026, Month: 11, Day: 30}.At(schema.DefaultLocalTime(), nil).Format(time.RFC3339))
}

// drawWall draws a zone and a day, half of the days beside a change of its clocks.
func drawWall(t *rapid.T) (*time.Location, schema.Date) {
	names := strings.Fields(zoneList)
	loc := zone(t, rapid.SampledFrom(names).Draw(t, "zone"))
	day := time.Date(1970, 1, 1+rapid.IntRange(0, 68*365).Draw(t, "day"), 12, 0, 0, 0, loc)
	if rapid.Bool().Draw(t, "beside a change") {
		if _, end := day.ZoneBounds(); !end.IsZero() && end.Year() <= 2037 {
			day = end.In(loc).AddDate(0, 0, rapid.IntRange(-1, 1).Draw(t, "days off"))
		}
	}
	return loc, schema.DateOf(day)
}

func drawTime(t *rapid.T, label string) schema.LocalTime {
	if rapid.Bool().Draw(t, label+" at night") {
		return schema.LocalTime{Hour: rapid.IntRange(0, 4).Draw(t, label), Minute: rapid.IntRange(0, 59).Draw(t, label)}
	}
	return schema.LocalTime{Hour: rapid.IntRange(0, 23).Draw(t, label), Minute: rapid.IntRange(0, 59).Draw(t, label)}
}

// TestDateAtShowsTheTime: for every zone and day the result shows the time that
// was asked for and no later instant does, or no instant does and the clocks went
// over it right there. Instants are looked through minute by minute.
func TestDateAtShowsTheTime(t *testing.T) {
	t.Parallel()
	const minute = "2006-01-02 15:04"
	rapid.Check(t, func(t *rapid.T) {
		loc, day := drawWall(t)
		at := drawTime(t, "time")
		asked := day.String() + " " + at.String()
		got := day.At(at, loc)
		shows := got.Format(minute+":05.000") == asked+":00.000"
		if !shows {
			require.Less(t, got.Add(-time.Second).Format(minute), asked)
			require.Greater(t, got.Format(minute), asked)
		}
		for u := got.Add(-36 * time.Hour); u.Before(got.Add(36 * time.Hour)); u = u.Add(time.Minute) {
			if u.Format(minute) == asked {
				require.True(t, shows, "%s is shown at %s, not at %s", asked, u, got)
				require.False(t, u.After(got), "%s is shown again at %s, after %s", asked, u, got)
			}
		}
	})
}

// TestDateAtGoesForward: a later time or day is never an earlier instant.
func TestDateAtGoesForward(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc, day := drawWall(t)
		first, then := drawTime(t, "first"), drawTime(t, "then")
		other := schema.DateOf(day.In(time.UTC).AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "days on")))
		if other == day && then.String() < first.String() {
			first, then = then, first
		}
		require.False(t, other.At(then, loc).Before(day.At(first, loc)))
	})
}

func TestZoneListIsWhole(t *testing.T) {
	t.Parallel()
	names := strings.Fields(zoneList)
	require.Greater(t, len(names), 500)
	for _, name := range names {
		zone(t, name)
	}
}
