package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// TestRuleUnmet: each gap of each rule has its own words, and a fix.
func TestRuleUnmet(t *testing.T) {
	t.Parallel()
	for _, rule := range schema.ReceiverRules() {
		require.True(t, schema.IsReceiverRule(rule))
		seen := map[string]bool{}
		for _, gap := range []schema.ReceiverGap{
			schema.GapNobody, schema.GapNoManager, schema.GapLoop, schema.GapNoDepartment, schema.GapNoOwner, schema.GapNoAccount, schema.GapTwoAccounts, schema.GapLeft,
		} {
			f := policy.RuleUnmet(schema.Connection{Name: "box-main"}, rule, gap)
			require.Equal(t, schema.ReceiverMissing, f.Code)
			require.Equal(t, "box-main", f.Connection)
			require.False(t, f.Warning)
			require.Contains(t, f.Message, "rule "+rule+" ")
			require.NotEmpty(t, f.Fix)
			require.False(t, seen[f.Message], f.Message)
			seen[f.Message] = true
		}
	}
	require.False(t, schema.IsReceiverRule("manager@example.com"))
}
