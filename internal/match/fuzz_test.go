package match_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/match"
	"sendoff/schema"
)

// FuzzCompile: no text crashes or hangs, faults stand somewhere, and what
// compiles is computed quickly, of everything and of nothing known.
func FuzzCompile(f *testing.F) {
	for _, n := range match.Names() {
		f.Add("has(" + n.Name + ") && " + n.Name + " == " + n.Name)
	}
	for _, e := range []string{
		usual, "", "((((", `account.tracking.all(k, account.tracking[k].matches("^a*$"))`, `entitlements.groups.map(g, g + g).exists(g, size(g) > 3)`,
		`[1, 2].exists_one(x, x > days(1).getHours())`, `{"a": 1}["a"] == 1 ? true : 1 / 0 > 2`, `"x" + string(account.space_used) in ["x5000"]`,
		`person.last_day.getDayOfWeek() == 0 && duration("1h") < now - account.created_at`, "account.statuz == b'\\xff'", "true // x\n&& false",
		`entitlements.groups.filter(g, g in entitlements.group_ids) == []`, `-account.space_used % 7 == 9223372036854775807`, `r"\d" == '''a''' || .now == now`,
	} {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		begin := time.Now()
		p, faults := match.Compile(expression)
		if p == nil {
			require.NotEmpty(t, faults)
			for _, fault := range faults {
				require.Positive(t, fault.Line)
				require.Positive(t, fault.Column)
				require.NotEmpty(t, fault.Message)
			}
			return
		}
		require.Empty(t, faults)
		for _, s := range []*schema.Subject{subject(), stranger()} {
			ok, err := p.Eval(s, schema.GradeInactive, now)
			require.False(t, ok && err != nil)
			for _, b := range p.Bounds() {
				require.False(t, ok && !match.Holds(b, s))
			}
			for _, part := range p.Parts(s, schema.GradeInactive, now) {
				require.False(t, ok && part.Result != "true", part)
			}
		}
		require.Less(t, time.Since(begin), 5*time.Second)
	})
}
