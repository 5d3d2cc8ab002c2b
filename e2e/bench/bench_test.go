package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Everything is measured once, with few leavers and a higher limit. The figures of
// a loaded machine judge nothing: what counts is that all of them come about, each
// with its command, and that those with a baseline have one.
func TestFigures(t *testing.T) {
	t.Parallel()
	var out, errout bytes.Buffer
	code := run(t.Context(), []string{
		"--leavers", "12", "--receivers", "6", "--limit", "6000", "--scale", "600", "--looks-scale", "600",
		"--cases", "3", "--plans", "20", "--clients", "4", "--idle", "1s", "--patience", "5m",
		"--accounts", "2000", "--groups", "10", "--memberships", "100", "--events", "2000", "--hr-events", "400", "--answer", "1ms", "--output", "json",
	}, &out, &errout)
	require.Zero(t, code, errout.String())

	var got struct{ Figures []figure }
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	var table bytes.Buffer
	require.NoError(t, show(&table, "text", got.Figures))
	t.Log("\n" + table.String())
	var names []string
	for _, f := range got.Figures {
		names = append(names, f.Name)
		require.Positive(t, f.Ours.Number, f.Name)
		require.NotNil(t, f.Ratio, f.Name)
		require.True(t, strings.HasPrefix(f.Command, "go run ./e2e/bench --only "), f.Command)
		require.Equal(t, f.Aim != nil, f.Met != nil, f.Name)
	}
	require.Equal(t, []string{
		"12 leavers, 6 receivers", "peak memory, server", "peak memory, worker", "idle memory, both",
		"accepted to suspended p50", "accepted to suspended p95", "accepted to proven p50", "accepted to proven p95",
		"actions, quick", "history events, quick", "actions, gateway504", "history events, gateway504", "state changes with audit",
		"first sync", "second sync, unchanged", "a year of events", "peak memory, worker that syncs",
		"webhook to suspended p50", "webhook to suspended p95", "events taken", "events applied",
	}, names)
	ours := got.Figures[slices.Index(names, "12 leavers, 6 receivers")]
	require.Greater(t, *ours.Ratio, 1.0, "nothing is faster than its floor")
}

func TestWhatDoesNotCompleteIsAnError(t *testing.T) {
	t.Parallel()
	fails, err := exec.LookPath("false")
	require.NoError(t, err)
	var out, errout bytes.Buffer
	require.Equal(t, 1, run(t.Context(), []string{"--only", "leavers", "--program", fails}, &out, &errout))
	require.Contains(t, errout.String(), "leavers: sendoff migrate: exit status 1")
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`no group "speed"`:      {"--only", "speed"},
		`output is "xml"`:       {"--output", "xml"},
		"counts are 1 or more":  {"--leavers", "0"},
		`"500" is no flag`:      {"500"},
		"flag provided but not": {"--fast"},
	} {
		var out, errout bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &out, &errout))
		require.Contains(t, errout.String(), want)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	figures := []figure{
		figure{Name: "a", Ours: value{Number: 3, Unit: "s", What: "ours"}, Command: "c"}.against(value{Number: 2, Unit: "s", What: "theirs"}).ratioAim(1.15),
		figure{Name: "b", Ours: value{Number: 90.25, Unit: "MiB"}, Command: "c"}.oursAim(100).note("why"),
	}
	var out bytes.Buffer
	require.NoError(t, show(&out, "text", figures))
	require.Equal(t, `figure  ours      baseline  ratio  aim            met
a       3 s       2 s       1.50   ratio <= 1.15  no
b       90.2 MiB  -         -      <= 100 MiB     yes

$ c
  a: ours; baseline: theirs
  b: 
    why
`, out.String())
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var list []time.Duration
	require.Zero(t, percentile(list, 50))
	for i := range 100 {
		list = append(list, time.Duration(i+1))
	}
	require.Equal(t, time.Duration(50), percentile(list, 50))
	require.Equal(t, time.Duration(95), percentile(list, 95))
	require.Equal(t, time.Duration(1), percentile(list[:1], 95))
}
