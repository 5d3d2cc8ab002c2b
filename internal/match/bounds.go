package match

import (
	"slices"
	"strconv"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sendoff/schema"
)

// Bounds are conditions that every account meets for which Eval can be true: all
// of the form field, operator, constants, from the conditions that are joined by
// && at the top. What is not understood bounds nothing.
func (p *Program) Bounds() []schema.Bound {
	if p.checked == nil {
		return nil
	}
	var list []schema.Bound
	for _, part := range conjuncts(p.checked.Expr()) {
		if b, ok := p.bound(part, false); ok {
			list = append(list, b)
		}
	}
	return list
}

// bound understands one condition, or its opposite.
func (p *Program) bound(e ast.Expr, negated bool) (schema.Bound, bool) {
	if f, ok := p.boundField(e); ok {
		return among(f, []string{strconv.FormatBool(!negated)}, false), isTruth(f)
	}
	if e.Kind() != ast.CallKind {
		return schema.Bound{}, false
	}
	args := e.AsCall().Args()
	switch op := e.AsCall().FunctionName(); op {
	case operators.LogicalNot:
		return p.bound(args[0], !negated)
	case operators.Equals:
		return p.equal(args[0], args[1], negated)
	case operators.NotEquals:
		return p.equal(args[0], args[1], !negated)
	case operators.In:
		return p.member(args[0], args[1], negated)
	default:
		return p.ordered(op, args, negated)
	}
}

func (p *Program) equal(a, b ast.Expr, not bool) (schema.Bound, bool) {
	f, ok := p.boundField(a)
	if !ok {
		f, ok = p.boundField(b)
		b = a
	}
	if !ok {
		return schema.Bound{}, false
	}
	value, ok := p.constant(b)
	return among(f, []string{value}, not), ok
}

func (p *Program) member(of, in ast.Expr, not bool) (schema.Bound, bool) {
	f, ok := p.boundField(of)
	if !ok || in.Kind() != ast.ListKind {
		return schema.Bound{}, false
	}
	values := []string{}
	for _, e := range in.AsList().Elements() {
		value, ok := p.constant(e)
		if !ok {
			return schema.Bound{}, false
		}
		values = append(values, value)
	}
	return among(f, values, not), true
}

// among is membership. Of truths, "not" is turned into the other truth.
func among(f schema.BoundField, values []string, not bool) schema.Bound {
	if !not {
		return schema.Bound{Field: f, Op: schema.BoundIn, Values: values}
	}
	if !isTruth(f) {
		return schema.Bound{Field: f, Op: schema.BoundNotIn, Values: values}
	}
	left := slices.DeleteFunc([]string{"true", "false"}, func(v string) bool { return slices.Contains(values, v) })
	return schema.Bound{Field: f, Op: schema.BoundIn, Values: left}
}

// ordered is a comparison of a number, which may stand on either side.
func (p *Program) ordered(op string, args []ast.Expr, negated bool) (schema.Bound, bool) {
	sign, ok := map[string]schema.BoundOp{
		operators.Less: schema.BoundLess, operators.LessEquals: schema.BoundAtMost,
		operators.Greater: schema.BoundMore, operators.GreaterEquals: schema.BoundAtLeast,
	}[op]
	if !ok || len(args) != 2 {
		return schema.Bound{}, false
	}
	f, ok := p.boundField(args[0])
	value := args[1]
	if !ok {
		f, ok = p.boundField(args[1])
		value, sign = args[0], mirrored(sign)
	}
	if !ok || f != schema.BoundSpaceUsed {
		return schema.Bound{}, false
	}
	if negated {
		sign = opposite(sign)
	}
	limit, ok := p.constant(value)
	return schema.Bound{Field: f, Op: sign, Values: []string{limit}}, ok
}

// mirrored is the operator with its sides exchanged.
func mirrored(op schema.BoundOp) schema.BoundOp {
	return map[schema.BoundOp]schema.BoundOp{
		schema.BoundLess: schema.BoundMore, schema.BoundMore: schema.BoundLess,
		schema.BoundAtMost: schema.BoundAtLeast, schema.BoundAtLeast: schema.BoundAtMost,
	}[op]
}

// opposite is the operator that holds exactly when this one does not.
func opposite(op schema.BoundOp) schema.BoundOp {
	return map[schema.BoundOp]schema.BoundOp{
		schema.BoundLess: schema.BoundAtLeast, schema.BoundAtLeast: schema.BoundLess,
		schema.BoundAtMost: schema.BoundMore, schema.BoundMore: schema.BoundAtMost,
	}[op]
}

func isTruth(f schema.BoundField) bool { return f == schema.BoundPrivileged || f == schema.BoundKnown }

// boundField is the field that an expression reads, if the database knows it.
func (p *Program) boundField(e ast.Expr) (schema.BoundField, bool) {
	f, ok := p.language.fieldOf(e)
	if !ok {
		return "", false
	}
	name := schema.BoundField(f.name)
	return name, slices.Contains([]schema.BoundField{
		schema.BoundStatus, schema.BoundKind, schema.BoundRole, schema.BoundPrivileged, schema.BoundSpaceUsed, schema.BoundKnown,
		schema.BoundEmployment,
	}, name)
}

// constant is the value of an expression that asks nothing of the account.
func (p *Program) constant(e ast.Expr) (string, bool) {
	if e.Kind() == ast.LiteralKind {
		return plain(e.AsLiteral())
	}
	asks := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		asks = asks || e.Kind() == ast.IdentKind || e.Kind() == ast.ComprehensionKind
	}))
	if asks {
		return "", false
	}
	program, err := p.language.plan(p.checked, e, (&folding{}).decorate)
	if err != nil {
		return "", false
	}
	value, _, err := program.Eval(&view{})
	if err != nil {
		return "", false
	}
	return plain(value)
}

// plain is a text, a truth or a number as bounds write it.
func plain(value ref.Val) (string, bool) {
	switch v := value.(type) {
	case types.String:
		return string(v), true
	case types.Bool:
		return strconv.FormatBool(bool(v)), true
	case types.Int:
		return strconv.FormatInt(int64(v), 10), true
	}
	return "", false
}

// Holds tells whether an account meets a bound. One whose holder is not known
// has no employment, not even the empty one, and meets no bound on it.
func Holds(b schema.Bound, s *schema.Subject) bool {
	value, known := boundValue(b.Field, s)
	switch b.Op {
	case schema.BoundIn:
		return known && slices.Contains(b.Values, value)
	case schema.BoundNotIn:
		return known && !slices.Contains(b.Values, value)
	}
	if !known || b.Field != schema.BoundSpaceUsed || len(b.Values) != 1 {
		return false
	}
	limit, err := strconv.ParseInt(b.Values[0], 10, 64)
	if err != nil {
		return false
	}
	switch b.Op {
	case schema.BoundLess:
		return s.Account.SpaceUsed < limit
	case schema.BoundAtMost:
		return s.Account.SpaceUsed <= limit
	case schema.BoundMore:
		return s.Account.SpaceUsed > limit
	case schema.BoundAtLeast:
		return s.Account.SpaceUsed >= limit
	}
	return false
}

func boundValue(f schema.BoundField, s *schema.Subject) (string, bool) {
	switch f {
	case schema.BoundStatus:
		return string(s.Account.Status), true
	case schema.BoundKind:
		return string(s.Account.Kind), true
	case schema.BoundRole:
		return string(s.Account.Role), true
	case schema.BoundPrivileged:
		return strconv.FormatBool(s.Account.Role.Privileged()), true
	case schema.BoundSpaceUsed:
		return strconv.FormatInt(s.Account.SpaceUsed, 10), true
	case schema.BoundKnown:
		return strconv.FormatBool(s.Person != nil), true
	case schema.BoundEmployment:
		if s.Person != nil {
			return string(s.Person.Employment), true
		}
	}
	return "", false
}
