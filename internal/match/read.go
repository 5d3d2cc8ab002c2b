package match

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
)

const maxExpression = 4000 // characters

// Read reads an expression of a file and says where what is wrong with it. The
// program is nil for one with faults.
func Read(r *yamlfile.Reader, n *yaml.Node, path string) (string, *Program) {
	s, ok := r.Text(n, path)
	if !ok {
		return "", nil
	}
	s = strings.TrimRight(s, " \t\n")
	if utf8.RuneCountInString(s) > maxExpression {
		r.Fault(n, path, "too_long", "longer than "+strconv.Itoa(maxExpression)+" characters", "shorten it, or name the accounts by a group")
		return s, nil
	}
	program, faults := Compile(s)
	for _, f := range faults {
		r.Fault(r.Inside(n, f.Line, f.Column), path, "expression", f.Message, cmp.Or(f.Fix, "see the names and functions that a match can use in docs/policies.md"))
	}
	if len(faults) > 0 {
		return s, nil
	}
	return s, program
}
