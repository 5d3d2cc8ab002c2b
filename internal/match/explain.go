package match

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"sendoff/schema"
)

// Parts says what each of the conditions came to that are joined by && at the
// top: "true", "false", or why it could not be told.
func (p *Program) Parts(s *schema.Subject, grade schema.Grade, now time.Time) []schema.ExplainedPart {
	if p.checked == nil {
		return nil
	}
	var list []schema.ExplainedPart
	v := &view{subject: s, grade: grade, now: now}
	for _, part := range conjuncts(p.checked.Expr()) {
		program, err := p.language.plan(p.checked, part, func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) { return i, nil })
		if err != nil {
			list = append(list, schema.ExplainedPart{Expression: p.text(part), Result: "cannot be planned alone"})
			continue
		}
		out, _, err := program.Eval(v)
		list = append(list, schema.ExplainedPart{Expression: p.text(part), Result: outcome(p.result(out, err))})
	}
	return list
}

func outcome(answer bool, err error) string {
	var missing *NotKnown
	switch {
	case errors.As(err, &missing):
		return "not known: " + missing.Name
	case err != nil:
		return err.Error()
	}
	return strconv.FormatBool(answer)
}

// Facts are all that a match can ask for, as CEL writes it; "not known" where it
// is not. Those of the person and the groups are as the subject has them: read
// both before, whatever the match needs.
func Facts(s *schema.Subject, grade schema.Grade, now time.Time) []schema.ExplainedFact {
	v := &view{subject: s, grade: grade, now: now}
	var list []schema.ExplainedFact
	for _, f := range fields() {
		fact := schema.ExplainedFact{Name: f.name, Value: "not known"}
		if value := f.get(v); value != nil {
			fact.Value = written(value)
		}
		list = append(list, fact)
	}
	return list
}

// written is a value as CEL writes it.
func written(value ref.Val) string {
	switch v := value.Value().(type) {
	case string:
		return strconv.Quote(v)
	case time.Time:
		return `timestamp("` + v.UTC().Format(time.RFC3339Nano) + `")`
	case time.Duration:
		if v%day == 0 {
			return "days(" + strconv.FormatInt(int64(v/day), 10) + ")"
		}
		return `duration("` + v.String() + `")`
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case map[string]string:
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, strconv.Quote(k)+": "+strconv.Quote(v[k]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return types.Format(value)
}
