package cli_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestEveryCodeIsDocumented looks up each park code, finding and decision that
// the source declares in docs/cases.md: a cause that nobody can look up is a dead
// end.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/cases.md")
	require.NoError(t, err)
	reviews, err := os.ReadFile("../../docs/reviews.md") // what a campaign finds is told there
	require.NoError(t, err)
	parts := strings.Split(string(page), "\n## ")
	section := func(title string) string {
		for _, p := range parts {
			if strings.HasPrefix(p, title+"\n") {
				return p
			}
		}
		require.Fail(t, "docs/cases.md has no section "+title)
		return ""
	}
	for kind, title := range map[string]string{"ParkCode": "Causes", "FindingCode": "Pre-flight", "DecisionKind": "Decisions"} {
		values := constantsOf(t, kind, "../../schema", "../web")
		require.GreaterOrEqual(t, len(values), 10, kind)
		rows := section(title)
		if kind == "FindingCode" {
			rows += string(reviews)
		}
		for _, value := range values {
			require.Contains(t, rows, "\n| `"+value+"`", "%s is not in a table of the section %s", value, title)
		}
	}
	for _, value := range constantsOf(t, "ParkCode", "../../schema") {
		owner := strings.Replace(string(schema.ParkCode(value).Owner()), "vendor", "vendor's", 1)
		require.Regexp(t, "\n\\| `"+value+"` \\|[^|]*\\| "+owner+" \\|", section("Causes"), "the owner that the program names")
	}
}

// constantsOf returns the string constants that the directories' sources declare
// with the type.
func constantsOf(t *testing.T, kind string, dirs ...string) []string {
	t.Helper()
	var values []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+e.Name(), nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok || !isType(spec.Type, kind) {
					return true
				}
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok {
						text, err := strconv.Unquote(lit.Value)
						require.NoError(t, err)
						values = append(values, text)
					}
				}
				return true
			})
		}
	}
	return values
}

// isType tells whether an expression names the type, in its package or another.
func isType(e ast.Expr, name string) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == name
	case *ast.SelectorExpr:
		return x.Sel.Name == name
	}
	return false
}
