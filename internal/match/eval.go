package match

import (
	"errors"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"sendoff/schema"
)

// Eval tells whether the expression is true of an account. With an error it is
// not: *NotKnown says which name is not known of the account, any other error is
// a *schema.Error. Errors tell of the expression, never of the account.
func (p *Program) Eval(s *schema.Subject, grade schema.Grade, now time.Time) (bool, error) {
	if p.checked == nil {
		return true, nil
	}
	v := p.views.Get().(*view)
	v.subject, v.grade, v.now = s, grade, now
	out, _, err := p.program.Eval(v)
	v.subject = nil
	p.views.Put(v)
	return p.result(out, err)
}

func (p *Program) result(out ref.Val, err error) (bool, error) {
	if err != nil {
		return false, p.failure(err)
	}
	answer, ok := out.(types.Bool)
	if !ok {
		return false, &schema.Error{Code: schema.CodeInternal, Message: "a match came to something that is no condition"}
	}
	return bool(answer), nil
}

// failure turns an error of CEL, which may quote the account, into one of ours,
// which says what part of the expression could not be computed.
func (p *Program) failure(err error) error {
	var missing *NotKnown
	var at *types.Err
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &missing):
		return missing
	case errors.As(err, &cancelled):
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "the match costs too much for this account", Fix: "put no loop over groups inside another one",
		}
	case !errors.As(err, &at):
		return &schema.Error{Code: schema.CodeInternal, Message: "the match failed"}
	}
	if known, ok := p.failures.Load(at.NodeID()); ok {
		return known.(error)
	}
	made := p.failureAt(at.NodeID())
	p.failures.Store(at.NodeID(), made)
	return made
}

// failureAt says what a node of the expression could not be computed for. What a
// map or a list does not hold is not known.
func (p *Program) failureAt(id int64) error {
	var node ast.Expr
	ast.PostOrderVisit(p.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			node = e
		}
	}))
	if node == nil {
		return &schema.Error{Code: schema.CodeInvalid, Message: "the match cannot be computed for this account"}
	}
	if looksUp(node) {
		return &NotKnown{p.text(node)}
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: p.text(node) + " cannot be computed for this account"}
}

// looksUp tells whether a node takes something out of a map or a list.
func looksUp(e ast.Expr) bool {
	return e.Kind() == ast.SelectKind || e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "_[_]"
}

// text is a part of the expression, as it is written but for blanks.
func (p *Program) text(e ast.Expr) string {
	text, err := cel.ExprToString(e, p.checked.SourceInfo())
	if err != nil {
		return "a part of the match"
	}
	return text
}
