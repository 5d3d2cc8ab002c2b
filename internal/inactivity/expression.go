package inactivity

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/match"
	"sendoff/schema"
)

// expression reads a condition in CEL and checks it as a whole; of says whose.
func (r policyReader) expression(n *yaml.Node, path, of string) string {
	s, ok := r.Text(n, path)
	if !ok {
		return ""
	}
	s = strings.TrimRight(s, " \t\n")
	if utf8.RuneCountInString(s) > maxExpression {
		r.Fault(n, path, "too_long", "longer than "+strconv.Itoa(maxExpression)+" characters", "shorten it, or name the accounts by a group")
		return s
	}
	program, faults := match.Compile(s)
	for _, f := range faults {
		r.Fault(r.Inside(n, f.Line, f.Column), path, "expression", f.Message, cmp.Or(f.Fix, "see the names and functions that a match can use in docs/policies.md"))
	}
	if len(faults) > 0 || !program.Constant() {
		return s
	}
	value, err := program.Eval(&schema.Subject{}, schema.GradeUnknown, time.Time{})
	if err != nil { // a part of it can never be computed
		value = false
	}
	r.Warn(n, path, "constant", of+" is "+strconv.FormatBool(value)+" for every account", "ask something of the account, or remove the member")
	return s
}
