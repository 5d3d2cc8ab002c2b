package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

const (
	fixSyntax  = `join conditions with && and ||, negate with !, compare with ==, and put texts into quotes: account.status == "active"`
	fixPattern = "see https://github.com/google/re2/wiki/Syntax; what it repeats is limited"
	fixTimes   = `durations are days(90) or duration("2160h"), instants timestamp("2026-01-31T00:00:00Z"), and now - an instant is a duration`
)

// faults gathers what is wrong with one expression.
type faults struct {
	language *language
	tree     *ast.AST // as it was parsed
	list     []Fault
}

// add notes a fault at a node.
func (f *faults) add(id int64, message, fix string) {
	f.list = append(f.list, placed(f.tree.SourceInfo().GetStartLocation(id), message, fix))
}

func placed(at common.Location, message, fix string) Fault {
	return Fault{Line: max(at.Line(), 1), Column: max(at.Column()+1, 1), Message: message, Fix: fix}
}

// sorted is what was found in the order of the text, nothing twice: a macro is
// several nodes of one text.
func (f *faults) sorted() []Fault {
	slices.SortStableFunc(f.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(f.list)
}

// syntaxFaults are those of an expression that is no CEL.
func syntaxFaults(issues *cel.Issues) []Fault {
	f := &faults{}
	for _, e := range issues.Errors() {
		message, _, _ := strings.Cut(e.Message, " expecting {")
		message = strings.TrimPrefix(message, "Syntax error: ")
		fix := fixSyntax
		if strings.Contains(message, "recursion") || strings.Contains(message, "nest") {
			message, fix = fmt.Sprintf("nested deeper than %d", maxParseDepth), "leave out parentheses, or use `in [...]` for many ||"
		}
		f.list = append(f.list, placed(e.Location, message, fix))
	}
	return f.sorted()
}

// checked notes what the checker of types found, in words that help.
func (f *faults) checked(issues *cel.Issues) {
	nodes := map[int64]ast.Expr{}
	ast.PostOrderVisit(f.tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) { nodes[e.ID()] = e }))
	for _, e := range issues.Errors() {
		message, fix := f.explained(e, nodes[e.ExprID])
		f.list = append(f.list, placed(e.Location, message, fix))
	}
}

func (f *faults) explained(e *cel.Error, at ast.Expr) (message, fix string) {
	switch {
	case strings.HasPrefix(e.Message, "undefined field") && at != nil && at.Kind() == ast.SelectKind:
		return f.noField(at.AsSelect())
	case strings.HasPrefix(e.Message, "undeclared reference") && at != nil:
		return f.noName(e.Message, at)
	case strings.HasPrefix(e.Message, "found no matching overload"):
		return overload(e.Message)
	case strings.HasPrefix(e.Message, "invalid duration"):
		return "this is no duration", fixTimes
	case strings.HasPrefix(e.Message, "invalid timestamp"):
		return "this is no instant", fixTimes
	case strings.HasPrefix(e.Message, "comprehension exceeds"):
		return fmt.Sprintf("loops nested deeper than %d", maxLoopDepth), "a loop such as exists may stand inside one other"
	case strings.HasPrefix(e.Message, "invalid matches"):
		return "this is no pattern of RE2", fixPattern
	}
	return e.Message, ""
}

// noField explains a name that a root does not have.
func (f *faults) noField(s ast.SelectExpr) (message, fix string) {
	if s.Operand().Kind() != ast.IdentKind {
		return fmt.Sprintf("there is no %s here", s.FieldName()), ""
	}
	root := bare(s.Operand().AsIdent())
	return fmt.Sprintf("%s has no %s", root, s.FieldName()), proposal(root+"."+s.FieldName(), f.language.under[root])
}

// noName explains a name or function that there is not.
func (f *faults) noName(message string, at ast.Expr) (string, string) {
	if at.Kind() == ast.CallKind {
		return fmt.Sprintf("there is no function %s", at.AsCall().FunctionName()),
			proposal(at.AsCall().FunctionName(), f.language.functions())
	}
	parts := chain(at)
	if len(parts) == 0 {
		return message, ""
	}
	name := strings.Join(parts, ".")
	for full := range f.language.fields {
		if strings.HasSuffix(full, "."+parts[0]) {
			return fmt.Sprintf("there is no %s", name), "did you mean " + f.homes(parts[0]) + "?"
		}
	}
	roots := f.language.roots()
	if root, near := nearest(parts[0], roots); near && len(parts) > 1 && f.language.types[root] != nil {
		full := root + "." + parts[1]
		return fmt.Sprintf("there is no %s", name), proposal(full, f.language.under[root])
	}
	return fmt.Sprintf("there is no %s", name), proposal(parts[0], roots)
}

// homes are the names that end in a leaf, sorted.
func (f *faults) homes(leaf string) string {
	var list []string
	for full := range f.language.fields {
		if strings.HasSuffix(full, "."+leaf) {
			list = append(list, full)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " or ")
}

// chain are the names that are joined by dots, if nothing else is.
func chain(e ast.Expr) []string {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{bare(e.AsIdent())}
	case ast.SelectKind:
		if head := chain(e.AsSelect().Operand()); head != nil {
			return append(head, e.AsSelect().FieldName())
		}
	}
	return nil
}

// functions are the names that can be called.
func (l *language) functions() []string {
	var list []string
	for name := range l.env.Functions() {
		if strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' }) < 0 && name[0] != '_' {
			list = append(list, name)
		}
	}
	for _, m := range l.env.Macros() {
		list = append(list, m.Function())
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(name string) bool { return refused(name) != "" })
}

// overload says in CEL's signs what cannot be applied to what.
func overload(message string) (said, fix string) {
	rest, _ := strings.CutPrefix(message, "found no matching overload for '")
	name, to, ok := strings.Cut(rest, "' applied to ")
	if !ok {
		return message, ""
	}
	if sign, found := operators.FindReverse(name); found && sign != "" {
		name = sign
	}
	fix = "compare values of the same type"
	if strings.Contains(to, "duration") || strings.Contains(to, "timestamp") {
		fix = fixTimes
	}
	return fmt.Sprintf("%s cannot be applied to %s", name, strings.Trim(to, "'")), fix
}

// proposal lists what there is and names the nearest.
func proposal(name string, there []string) string {
	list := "there are " + strings.Join(there, ", ")
	if near, ok := nearest(name, there); ok {
		return "did you mean " + near + "? " + list
	}
	return list
}

// nearest is the candidate that the fewest edits lead to, if they are few.
func nearest(name string, candidates []string) (string, bool) {
	best, distance := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if d := edits(name, c); d < distance {
			best, distance = c, d
		}
	}
	return best, best != ""
}

// edits is Levenshtein's distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
