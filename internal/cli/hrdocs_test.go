package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestWordsOfHRAreDocumented looks up each outcome, state, end and alarm of HR in
// docs/hr.md: what nobody can look up is a dead end.
func TestWordsOfHRAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/hr.md")
	require.NoError(t, err)
	for kind, least := range map[string]int{"EventEffect": 9, "LeaverState": 7, "LeaverEnd": 5} {
		values := constantsOf(t, kind, "../../schema")
		require.GreaterOrEqual(t, len(values), least, kind)
		for _, value := range values {
			require.Contains(t, string(page), "\n| `"+value+"` |", "%s %s", kind, value)
		}
	}
	for _, code := range []string{
		schema.AlarmFeedSilent, schema.AlarmPollFailed, schema.AlarmEventReused, schema.AlarmEventRefused, schema.AlarmBatchHeld, schema.AlarmForCause,
	} {
		require.Contains(t, string(page), "\n| `"+code+"` |")
	}
	for _, kind := range schema.SourceKinds() {
		require.Contains(t, string(page), "`"+string(kind)+"`")
	}
}

// TestCommandsOfHRAreDocumented looks up each command that the program has in
// docs/cli.md, and each command that docs/hr.md names in the program.
func TestCommandsOfHRAreDocumented(t *testing.T) {
	t.Parallel()
	b := setup(t)
	has := map[string]bool{}
	for _, group := range []string{"hr", "batches"} {
		r := b.run(group, "--help")
		require.Equal(t, 0, r.code)
		for _, m := range regexp.MustCompile(`(?m)^  (`+group+` [a-z -]*[a-z])`).FindAllStringSubmatch(r.out, -1) {
			has[m[1]] = true
		}
	}
	require.GreaterOrEqual(t, len(has), 23)
	list, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	for command := range has {
		words := strings.Fields(command)
		group, verb := strings.Join(words[:len(words)-1], " "), words[len(words)-1]
		if group == "hr" {
			group = command
		}
		row := regexp.MustCompile("(?m)^\\| `"+regexp.QuoteMeta(group)+"\\b.*$").FindAllString(string(list), -1)
		require.NotEmpty(t, row, command)
		require.Regexp(t, "[` |]"+verb+"\\b", strings.Join(row, "\n"), command)
	}
	page, err := os.ReadFile("../../docs/hr.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?:sendoff |`)((?:hr|batches) [a-z]+(?: [a-z]+)?)").FindAllStringSubmatch(string(page), -1) {
		words := strings.Fields(m[1])
		require.True(t, has[m[1]] || has[strings.Join(words[:2], " ")], "docs/hr.md names %q", m[1])
	}
}
