package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/match"
	"sendoff/schema"
)

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression string
		want       []schema.Bound
	}{
		{`account.status == "active"`, bounds("account.status in active")},
		{`"active" == account.status && !account.privileged`, bounds("account.status in active", "account.privileged in false")},
		{`account.kind in ["app", "service"]`, bounds("account.kind in app service")},
		{`!(account.kind in ["app", "service"])`, bounds("account.kind not_in app service")},
		{`!(account.kind != "app")`, bounds("account.kind in app")},
		{`account.role != "member" && person.known`, bounds("account.role not_in member", "person.known in true")},
		{`account.privileged != true && !(person.known == false)`, bounds("account.privileged in false", "person.known in true")},
		{`account.space_used > 10 * 1024`, bounds("account.space_used > 10240")},
		{`5 <= account.space_used && !(account.space_used >= 9)`, bounds("account.space_used >= 5", "account.space_used < 9")},
		{`account.space_used == -1`, bounds("account.space_used in -1")},
		{`person.employment in ["", "contractor"]`, []schema.Bound{{Field: schema.BoundEmployment, Op: schema.BoundIn, Values: []string{"", "contractor"}}}},
		{`account.status in []`, []schema.Bound{{Field: schema.BoundStatus, Op: schema.BoundIn, Values: []string{}}}},
		{`.account.status == "active"`, bounds("account.status in active")},
		{`(account.status == "active" && account.seat) && (account.kind == "app" && true)`, bounds("account.status in active", "account.kind in app")},
		// Nothing of these bounds anything.
		{`account.status == "active" || account.kind == "app"`, nil},
		{`!(account.status == "active" && account.kind == "app")`, nil},
		{`account.privileged ? account.status == "active" : true`, nil},
		{`account.status in [account.login]`, nil},
		{`account.status == account.vendor_status`, nil},
		{`account.status < "b"`, nil},
		{`has(account.status)`, nil},
		{`has(account.privileged)`, nil},
		{`account.space_used + 1 > 5`, nil},
		{`[1].exists(x, account.status == "active")`, nil},
	} {
		require.Equal(t, c.want, compiled(t, c.expression).Bounds(), c.expression)
	}
}

// bounds reads "field op value...".
func bounds(list ...string) []schema.Bound {
	var out []schema.Bound
	for _, s := range list {
		words := strings.Fields(s)
		out = append(out, schema.Bound{Field: schema.BoundField(words[0]), Op: schema.BoundOp(words[1]), Values: words[2:]})
	}
	return out
}

// TestBoundsLeaveNobodyOut: whatever an expression is, an account that it takes
// meets every bound of it; and what the parts came to explains the whole.
func TestBoundsLeaveNobodyOut(t *testing.T) {
	t.Parallel()
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		expression := condition(3).Draw(t, "expression")
		p, faults := match.Compile(expression)
		require.Empty(t, faults, expression)
		list := p.Bounds()
		for range 8 {
			s := anySubject(t)
			ok, err := p.Eval(s, schema.GradeInactive, now)
			if ok {
				require.NoError(t, err)
				taken++
			}
			for _, b := range list {
				require.False(t, ok && !match.Holds(b, s), "%s takes %+v, which does not meet %+v", expression, s.Account, b)
			}
			all := true
			for _, part := range p.Parts(s, schema.GradeInactive, now) {
				all = all && part.Result == "true"
			}
			require.Equal(t, all, ok, expression)
		}
	})
	require.Positive(t, taken)
}

func anySubject(t *rapid.T) *schema.Subject {
	pick := func(name string, list ...string) string { return rapid.SampledFrom(list).Draw(t, name) }
	s := &schema.Subject{Account: schema.Account{
		Login: pick("login", "a", "active", "b"), Status: schema.AccountStatus(pick("status", "active", "suspended", "")),
		Kind: schema.AccountKind(pick("kind", "person", "service", "app")), Role: schema.AccountRole(pick("role", "member", "coadmin", "admin")),
		SpaceUsed: rapid.Int64Range(-2, 12).Draw(t, "space"),
	}}
	if rapid.Bool().Draw(t, "held") {
		s.Person = &schema.Holder{Employment: schema.EmploymentKind(pick("employment", "", "employee", "contractor")), Site: pick("site", "", "a")}
	}
	return s
}

// condition generates conditions of at most so many joins.
func condition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
			return leaf(t)
		}
		sub := func(name string) string { return condition(depth-1).Draw(t, name) }
		switch rapid.IntRange(0, 8).Draw(t, "join") {
		case 0, 1, 2, 3:
			return fmt.Sprintf("(%s) && (%s)", sub("a"), sub("b"))
		case 4, 5:
			return fmt.Sprintf("(%s) || (%s)", sub("a"), sub("b"))
		case 6, 7:
			return fmt.Sprintf("!(%s)", sub("a"))
		}
		return fmt.Sprintf("((%s) ? (%s) : (%s))", sub("a"), sub("b"), sub("c"))
	})
}

func leaf(t *rapid.T) string {
	pick := func(name string, list ...string) string { return rapid.SampledFrom(list).Draw(t, name) }
	words := map[string][]string{
		"account.status": {`"active"`, `"suspended"`}, "account.kind": {`"person"`, `"service"`, `"app"`}, "account.role": {`"member"`, `"admin"`},
		"person.employment": {`""`, `"employee"`, `"contractor"`}, "account.login": {`"a"`, `"active"`}, "person.site": {`"a"`},
	}
	f := pick("field", "account.status", "account.kind", "account.role", "person.employment", "account.login", "person.site")
	value := func(name string) string { return pick(name, words[f]...) }
	truth := pick("truth", "account.privileged", "person.known", "has(person.site)", "true", "account.login == account.status")
	n := rapid.Int64Range(-2, 12).Draw(t, "n")
	op := pick("op", "<", "<=", ">", ">=", "==", "!=")
	switch rapid.IntRange(0, 7).Draw(t, "form") {
	case 0:
		return fmt.Sprintf("%s == %s", f, value("v"))
	case 1:
		return fmt.Sprintf("%s != %s", value("v"), f)
	case 2:
		return fmt.Sprintf("%s in [%s, %s]", f, value("v"), value("w"))
	case 3:
		return truth
	case 4:
		return fmt.Sprintf("%s %s %v", truth, pick("eq", "==", "!="), rapid.Bool().Draw(t, "b"))
	case 5:
		return fmt.Sprintf("account.space_used %s %d", op, n)
	case 6:
		return fmt.Sprintf("%d + 1 %s account.space_used", n, op)
	}
	return fmt.Sprintf("%s < %s", f, value("v"))
}

func TestABoundThatIsNotUnderstoodHoldsForNobody(t *testing.T) {
	t.Parallel()
	for _, b := range []schema.Bound{
		{Field: "account.login", Op: schema.BoundIn, Values: []string{""}},
		{Field: schema.BoundSpaceUsed, Op: schema.BoundLess, Values: []string{"x"}},
		{Field: schema.BoundStatus, Op: schema.BoundLess, Values: []string{"9"}},
		{Field: schema.BoundSpaceUsed, Op: "~", Values: []string{"9"}},
	} {
		require.False(t, match.Holds(b, subject()))
	}
}
