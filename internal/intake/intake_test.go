package intake_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/intake"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "2w": 336 * time.Hour, "12h": 12 * time.Hour, "90m": 90 * time.Minute,
		"0s": 0, "1d12h": 36 * time.Hour, " 45s ": 45 * time.Second,
	} {
		got, err := intake.ParseDuration(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "30", "d", "-1d", "1.5h", "30 d", "12h1d", "1d1d", "1y", "P30D", "1h30", "99999999999999999999d", "300000000d"} {
		_, err := intake.ParseDuration(in)
		require.Error(t, err, in)
	}
}

func TestFormatDurationIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, 1<<33).Draw(t, "seconds")) * time.Second
		back, err := intake.ParseDuration(intake.FormatDuration(d))
		require.NoError(t, err)
		require.Equal(t, d, back)
	})
}

func TestParseInstant(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)
	for _, in := range []string{"2026-12-01T18:00:00+01:00", "2026-12-01T17:00:00Z", "2026-12-01 18:00 Europe/Berlin"} {
		got, err := intake.ParseInstant(in)
		require.NoError(t, err, in)
		require.True(t, got.Equal(want), "%s gave %s", in, got)
	}
	for in, says := range map[string]string{
		"2026-12-01T18:00:00":            "zone",
		"2026-12-01 18:00":               "zone",
		"2026-12-01":                     "zone",
		"tomorrow":                       "zone",
		"":                               "zone",
		"2026-12-01 18:00 Local":         "unknown",
		"2026-12-01 18:00 Atlantis/Main": "unknown",
		"2026-03-29 02:30 Europe/Berlin": "skip",
		"2026-10-25 02:30 Europe/Berlin": "twice",
		"2026-02-30 18:00 Europe/Berlin": "zone",
	} {
		_, err := intake.ParseInstant(in)
		require.ErrorContains(t, err, says, in)
	}
}

func TestParseLastDay(t *testing.T) {
	t.Parallel()
	berlin, err := intake.ParseZone("Europe/Berlin")
	require.NoError(t, err)
	got, err := intake.ParseLastDay("2026-11-30", berlin)
	require.NoError(t, err)
	require.Equal(t, "2026-11-30T18:00:00+01:00", got.Format(time.RFC3339))
	_, err = intake.ParseLastDay("2026-11-30", nil)
	require.ErrorContains(t, err, "time zone")
	_, err = intake.ParseLastDay("30.11.2026", berlin)
	require.ErrorContains(t, err, "date")
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	got, err := intake.ParseAddress(" Ada@Example.com ")
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", got)
	for _, in := range []string{"", "ada", "ada@", "@example.com", "Ada <ada@example.com>", "a@example.com, b@example.com", "ada@[127.0.0.1]", "a b@example.com"} {
		_, err := intake.ParseAddress(in)
		require.Error(t, err, in)
	}
}
