package inactivity

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/match"
	"sendoff/schema"
)

// expression reads a condition in CEL and checks it as a whole; of says whose.
func (r policyReader) expression(n *yaml.Node, path, of string) string {
	s, program := match.Read(r.Reader, n, path)
	if program == nil || !program.Constant() {
		return s
	}
	value, err := program.Eval(&schema.Subject{}, schema.GradeUnknown, time.Time{})
	if err != nil { // a part of it can never be computed
		value = false
	}
	r.Warn(n, path, "constant", of+" is "+strconv.FormatBool(value)+" for every account", "ask something of the account, or remove the member")
	return s
}
