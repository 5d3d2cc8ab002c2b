package telemetry_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	require.NoError(t, err)
	return string(text)
}

// metricIn finds the names of our metrics in text, as they are exported.
var metricIn = regexp.MustCompile(`\bsendoff_[a-z_]+`)

// base is a metric's name without what a histogram's series add to it.
func base(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

// Every alarm rests on numbers that exist and has a section that says what to do.
func TestAlarmsAreKnown(t *testing.T) {
	t.Parallel()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Expr        string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/alerts.yml")), &file))
	page, exported := read(t, "docs/operations.md"), names(t)
	alarms := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			alarms++
			require.Contains(t, page, "\n### "+rule.Alert+"\n", "the alarm has no section")
			require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			require.Contains(t, []string{"info", "warning", "critical"}, rule.Labels["severity"], rule.Alert)
			for _, name := range metricIn.FindAllString(rule.Expr, -1) {
				require.Contains(t, exported, base(name), "%s rests on a number that nobody exports", rule.Alert)
			}
		}
	}
	require.GreaterOrEqual(t, alarms, 10)
	for _, section := range regexp.MustCompile(`(?m)^### (Sendoff\S+)$`).FindAllStringSubmatch(page, -1) {
		require.Contains(t, read(t, "deploy/alerts.yml"), "alert: "+section[1], "the section has no alarm")
	}
}

// docs/metrics.md lists each number of ours, and no others.
func TestMetricsPageIsComplete(t *testing.T) {
	t.Parallel()
	exported := names(t)
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(sendoff_[a-z_]+)` ").FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		listed = append(listed, row[1])
	}
	slices.Sort(listed)
	slices.Sort(exported)
	require.Equal(t, exported, listed)
}
