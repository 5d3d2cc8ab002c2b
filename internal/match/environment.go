package match

import (
	"maps"
	"math"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The bounds of an expression.
const (
	maxBytes        = 4096
	maxParseDepth   = 60   // parentheses, lists and calls inside one another
	maxLoopDepth    = 2    // exists inside exists
	maxPatternSize  = 1000 // instructions of a compiled pattern; ".*" repeated 50 times has 150
	maxErrorRecover = 10   // syntax errors after which a parser guesses
)

// NotKnown is the error of an expression that needs a value that is not known of
// the account.
type NotKnown struct{ Name string }

// Error names what is not known: nothing of the account stands in it.
func (e *NotKnown) Error() string { return e.Name + " is not known" }

// language is CEL with the names of an account.
type language struct {
	env    *cel.Env
	fields map[string]field           // by name
	under  map[string][]string        // roots with what stands below them, sorted
	types  map[string]map[string]read // by root and leaf
}

type read struct {
	field field
	as    *types.FieldType
}

// newLanguage builds the environment. It cannot fail but by a mistake of ours,
// which the first test of any expression shows.
func newLanguage() (*language, error) {
	l := &language{fields: map[string]field{}, under: map[string][]string{}, types: map[string]map[string]read{}}
	options := []cel.EnvOption{
		cel.EnableMacroCallTracking(), cel.CrossTypeNumericComparisons(false), cel.ExtendedValidations(),
		cel.ASTValidators(cel.ValidateComprehensionNestingLimit(maxLoopDepth)), cel.RegexProgramSizeLimit(maxPatternSize),
		cel.ParserRecursionLimit(maxParseDepth), cel.ParserErrorRecoveryLimit(maxErrorRecover), days(),
	}
	for _, f := range fields() {
		l.add(f)
	}
	base, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	options = append([]cel.EnvOption{cel.CustomTypeAdapter(base), cel.CustomTypeProvider(provider{base, l.types})}, options...)
	for _, root := range l.roots() {
		kind := l.fields[root].kind
		if kind == nil {
			kind = cel.ObjectType(root)
		}
		options = append(options, cel.Variable(root, kind))
	}
	l.env, err = cel.NewEnv(options...)
	return l, err
}

func (l *language) add(f field) {
	l.fields[f.name] = f
	l.under[f.root()] = append(l.under[f.root()], f.name)
	if f.leaf() == "" {
		return
	}
	if l.types[f.root()] == nil {
		l.types[f.root()] = map[string]read{}
	}
	missing := &NotKnown{f.name}
	l.types[f.root()][f.leaf()] = read{field: f, as: &types.FieldType{
		Type:  f.kind,
		IsSet: func(target any) bool { v, ok := target.(*view); return ok && f.get(v) != nil },
		GetFrom: func(target any) (any, error) {
			if v, ok := target.(*view); ok {
				if value := f.get(v); value != nil {
					return value, nil
				}
			}
			return nil, missing
		},
	}}
}

// roots are the first parts of all names, sorted.
func (l *language) roots() []string { return slices.Sorted(maps.Keys(l.under)) }

// fieldOf is the field that an expression reads; has(...) does not read it.
func (l *language) fieldOf(e ast.Expr) (field, bool) {
	if e.Kind() == ast.IdentKind {
		f, ok := l.fields[bare(e.AsIdent())]
		return f, ok
	}
	if e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly() || e.AsSelect().Operand().Kind() != ast.IdentKind {
		return field{}, false
	}
	r, ok := l.types[bare(e.AsSelect().Operand().AsIdent())][e.AsSelect().FieldName()]
	return r.field, ok
}

// bare is a name without the dot that CEL lets stand before it.
func bare(name string) string {
	if len(name) > 0 && name[0] == '.' {
		return name[1:]
	}
	return name
}

// provider adds the types of the roots to those of CEL.
type provider struct {
	types.Provider
	roots map[string]map[string]read
}

// FindStructType implements types.Provider.
func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.roots[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if of, ok := p.roots[name]; ok {
		return slices.Sorted(maps.Keys(of)), true
	}
	return p.Provider.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (p provider) FindStructFieldType(name, leaf string) (*types.FieldType, bool) {
	if of, ok := p.roots[name]; ok {
		r, ok := of[leaf]
		return r.as, ok
	}
	return p.Provider.FindStructFieldType(name, leaf)
}

// NewValue implements types.Provider: nobody makes accounts.
func (p provider) NewValue(name string, of map[string]ref.Val) ref.Val {
	if _, ok := p.roots[name]; ok {
		return types.NewErr("%s cannot be made", name)
	}
	return p.Provider.NewValue(name, of)
}

// days is a duration of so many days. CEL's durations end at hours.
func days() cel.EnvOption {
	const most = int64(math.MaxInt64 / day)
	return cel.Function("days", cel.Overload("days_int", []*cel.Type{cel.IntType}, cel.DurationType, cel.UnaryBinding(func(v ref.Val) ref.Val {
		n, ok := v.(types.Int)
		if !ok || int64(n) > most || int64(n) < -most {
			return types.NewErrFromString("days out of range")
		}
		return types.Duration{Duration: time.Duration(n) * day}
	})))
}
