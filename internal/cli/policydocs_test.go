package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandsOfPoliciesAreDocumented looks up each command of policies and budgets
// in docs/cli.md, and each command that docs/policies.md names in the program.
func TestCommandsOfPoliciesAreDocumented(t *testing.T) {
	t.Parallel()
	b := setup(t)
	has := map[string]bool{}
	for _, group := range []string{"policy", "budget"} {
		r := b.run(group, "--help")
		require.Equal(t, 0, r.code)
		for _, m := range regexp.MustCompile(`(?m)^  (`+group+` [a-z]+(?: [a-z]+)?)`).FindAllStringSubmatch(r.out, -1) {
			has[m[1]] = true
		}
	}
	require.GreaterOrEqual(t, len(has), 23)
	list, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	for command := range has {
		at := strings.LastIndex(command, " ")
		rows := regexp.MustCompile("(?m)^\\| `"+command[:at]+" .*$").FindAllString(string(list), -1)
		require.Regexp(t, "[` ]"+command[at+1:]+"\\b", strings.Join(rows, "\n"), command)
	}
	page, err := os.ReadFile("../../docs/policies.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?:sendoff |`)((?:policy|budget) [a-z]+(?: [a-z]+)?)").FindAllStringSubmatch(string(page), -1) {
		words := strings.Fields(m[1])
		require.True(t, has[m[1]] || has[strings.Join(words[:2], " ")], "docs/policies.md names %q", m[1])
	}
}
