package match

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"sendoff/schema"
)

// Fault is something wrong with an expression. Line and Column count from 1, in
// characters of the expression.
type Fault struct {
	Line, Column int
	Message, Fix string
}

// Program is a compiled expression. Many may use it at once.
type Program struct {
	language *language
	checked  *ast.AST    // nil: the empty expression, which is always true
	program  cel.Program // of the whole
	views    sync.Pool   // of *view
	failures sync.Map    // of int64 to error: what could not be computed, by node
}

// Compile reads an expression. It returns all that is wrong with it at once, in
// the order of the text; the empty expression is always true.
func Compile(expression string) (*Program, []Fault) {
	if strings.TrimSpace(expression) == "" {
		return &Program{}, nil
	}
	if fault, bad := outOfBounds(expression); bad {
		return nil, []Fault{fault}
	}
	l, err := newLanguage()
	if err != nil {
		return nil, []Fault{{Line: 1, Column: 1, Message: "the language could not be built: " + err.Error()}}
	}
	parsed, issues := l.env.Parse(expression)
	if issues.Err() != nil {
		return nil, syntaxFaults(issues)
	}
	found := &faults{language: l, tree: parsed.NativeRep()}
	found.walk()
	checked, issues := l.env.Check(parsed)
	if issues.Err() != nil {
		found.checked(issues)
		return nil, found.sorted()
	}
	if kind := checked.OutputType(); !kind.IsExactType(cel.BoolType) && len(found.list) == 0 {
		found.add(checked.NativeRep().Expr().ID(), fmt.Sprintf("the expression is of type %s, not a condition", cel.FormatCELType(kind)),
			"compare it with something, such as activity.silent_for > days(90)")
	}
	found.costs(checked)
	return l.program(checked.NativeRep(), found)
}

// outOfBounds refuses what is not even parsed.
func outOfBounds(expression string) (Fault, bool) {
	switch {
	case len(expression) > maxBytes:
		return Fault{
			Line: 1, Column: 1, Message: fmt.Sprintf("the expression has %d bytes; %d is the limit", len(expression), maxBytes),
			Fix: "split the policy, or name the accounts by a group",
		}, true
	case !utf8.ValidString(expression):
		return Fault{Line: 1, Column: 1, Message: "the expression is not UTF-8", Fix: "save the file as UTF-8"}, true
	}
	return Fault{}, false
}

// program plans the evaluation.
func (l *language) program(tree *ast.AST, found *faults) (*Program, []Fault) {
	if len(found.list) > 0 {
		return nil, found.sorted()
	}
	fold := &folding{}
	p := &Program{language: l, checked: tree}
	p.views.New = func() any { return new(view) }
	var err error
	if p.program, err = l.plan(tree, tree.Expr(), fold.decorate); err != nil && len(fold.failed) == 0 {
		found.add(tree.Expr().ID(), "the expression cannot be planned: "+err.Error(), "")
	}
	for _, id := range fold.failed {
		found.add(id, "this can never be computed", "numbers end at 9223372036854775807, days at 106751")
	}
	if len(found.list) > 0 {
		return nil, found.sorted()
	}
	return p, nil
}

// plan plans a part of a checked expression. A loop is counted while it runs:
// how long its lists are is the vendor's doing. All else costs at most what was
// estimated, which counting would only slow down.
func (l *language) plan(tree *ast.AST, part ast.Expr, decorate decorator) (cel.Program, error) {
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(decorate)}
	if loops(part) {
		options = append(options, cel.CostLimit(maxCost))
	}
	whole := ast.NewCheckedAST(ast.NewAST(part, tree.SourceInfo()), tree.TypeMap(), tree.ReferenceMap())
	return l.env.PlanProgram(whole, options...)
}

// loops tells whether an expression holds a loop.
func loops(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) { found = found || e.Kind() == ast.ComprehensionKind }))
	return found
}

// Needs are the parts of a subject that the expression reads and that cost
// something to have.
func (p *Program) Needs() schema.Needs {
	var needs schema.Needs
	if p.checked == nil {
		return needs
	}
	ast.PostOrderVisit(p.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		switch bare(e.AsIdent()) {
		case "person":
			needs.Person = true
		case "entitlements":
			needs.Groups = true
		}
	}))
	return needs
}

// Constant tells whether the expression reads nothing of the account or of the
// time: it comes to the same for every one.
func (p *Program) Constant() bool {
	constant := true
	if p.checked != nil {
		ast.PostOrderVisit(p.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
			if e.Kind() == ast.IdentKind && len(p.language.under[bare(e.AsIdent())]) > 0 {
				constant = false
			}
		}))
	}
	return constant
}

// conjuncts are the conditions that are joined by "and" at the top.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{e}
	}
	var list []ast.Expr
	for _, arg := range e.AsCall().Args() {
		list = append(list, conjuncts(arg)...)
	}
	return list
}
