package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// walk notes what CEL allows and we do not: what would leave the types, cost too
// much, or can only be a slip.
func (f *faults) walk() {
	root := ast.NavigateAST(f.tree)
	for _, e := range ast.MatchDescendants(root, ast.AllMatcher()) {
		switch e.Kind() {
		case ast.IdentKind:
			f.bareRoot(e)
		case ast.StructKind:
			f.add(e.ID(), "values of "+e.AsStruct().TypeName()+" cannot be made", fixTimes)
		case ast.ComprehensionKind:
			f.taken(e, e.AsComprehension().IterVar())
			f.taken(e, e.AsComprehension().IterVar2())
		case ast.CallKind:
			f.call(e)
		}
	}
}

// bareRoot refuses account alone: it is no value that could be compared or kept.
func (f *faults) bareRoot(e ast.NavigableExpr) {
	name := bare(e.AsIdent())
	if _, root := f.language.types[name]; !root {
		return
	}
	if parent, ok := e.Parent(); ok && parent.Kind() == ast.SelectKind {
		return
	}
	f.add(e.ID(), name+" is no value, only a part of names", "there are "+strings.Join(f.language.under[name], ", "))
}

// taken refuses a variable of a loop that hides a name.
func (f *faults) taken(e ast.Expr, variable string) {
	if _, there := f.language.under[variable]; there {
		f.add(e.ID(), variable+" is a name already", "give the variable of the loop another, such as g")
	}
}

func (f *faults) call(e ast.Expr) {
	call := e.AsCall()
	name := call.FunctionName()
	switch {
	case refused(name) != "":
		f.add(e.ID(), name+" is not allowed: "+refused(name), "compare values of the same type")
	case strings.HasPrefix(name, "get") && len(call.Args()) > 0:
		f.add(call.Args()[0].ID(), name+" takes no time zone here", "all is said in UTC; leave the zone out")
	case name == overloads.Matches && !literal(call.Args(), types.StringType):
		f.add(e.ID(), "the pattern of matches must be written out", "put it in quotes; for texts that are computed use ==, startsWith, endsWith or contains")
	case name == overloads.Matches && !call.IsMemberFunction():
		f.pattern(call.Args()[len(call.Args())-1])
	case name == operators.Equals || name == operators.NotEquals:
		f.compared(call.Args()[0], call.Args()[1])
		f.compared(call.Args()[1], call.Args()[0])
	case name == operators.In && call.Args()[1].Kind() == ast.ListKind:
		for _, of := range call.Args()[1].AsList().Elements() {
			f.compared(call.Args()[0], of)
		}
	}
}

// pattern reads the pattern of matches(text, pattern); CEL reads only that of
// text.matches(pattern) before an expression is planned.
func (f *faults) pattern(of ast.Expr) {
	text, _ := of.AsLiteral().Value().(string)
	if _, err := regexp.Compile(text); err != nil {
		f.add(of.ID(), "this is no pattern of RE2", fixPattern)
	}
}

// refused says why a function of CEL is not there.
func refused(name string) string {
	switch name {
	case "dyn", "type":
		return "types are known, and so are faults in them, before anything is judged"
	}
	return ""
}

// literal tells whether the last argument is written out.
func literal(args []ast.Expr, kind *types.Type) bool {
	if len(args) == 0 {
		return false
	}
	last := args[len(args)-1]
	return last.Kind() == ast.LiteralKind && last.AsLiteral().Type() == kind
}

// compared refuses a comparison that comes out the same for every account: a word
// that the field never is. `account.kind != "servce"` would take them all.
func (f *faults) compared(e, with ast.Expr) {
	field, ok := f.language.fieldOf(e)
	if !ok || len(field.values) == 0 || !literal([]ast.Expr{with}, types.StringType) {
		return
	}
	word, _ := with.AsLiteral().Value().(string)
	if slices.Contains(field.values, word) {
		return
	}
	quoted := make([]string, len(field.values))
	for i, v := range field.values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	f.add(with.ID(), fmt.Sprintf("%s is never %q", field.name, word), proposal(fmt.Sprintf("%q", word), quoted))
}
