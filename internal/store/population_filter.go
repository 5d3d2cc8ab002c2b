package store

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// populationFilter is what a rule could take, as conditions on a row of account
// that is called a.
type populationFilter struct {
	q       schema.PopulationQuery
	basis   []schema.PopulationBasis
	grades  []schema.Grade // those that fit: silence that nobody knows of never does
	classes []thresholdClass
	grade   string // the expression for an account's grade
	args    args   // of the grade
	bounds  string
	bound   args // of the bounds
	people  bool // whether a bound asks for employments
}

// thresholdClass are the accounts that one threshold applies to.
type thresholdClass struct {
	threshold time.Duration
	condition string
}

func newPopulationFilter(q schema.PopulationQuery, basis []schema.PopulationBasis) (populationFilter, error) {
	f := populationFilter{q: q, basis: basis, args: args{}, bound: args{}}
	for _, g := range []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever} {
		if slices.Contains(q.Grades, g) {
			f.grades = append(f.grades, g)
		}
	}
	f.classes = thresholdClasses(q.Threshold, q.Kinds, f.args)
	f.grade = f.gradeExpression()
	return f, f.addBounds()
}

func (f populationFilter) gradeBases() []gradeBasis {
	out := make([]gradeBasis, len(f.basis))
	for i, b := range f.basis {
		out[i] = gradeBasis{b.ConnectionID, b.Covered.From, b.Covered.To}
	}
	return out
}

// gradeExpression is gradeSQL with the threshold of each account's class.
func (f populationFilter) gradeExpression() string {
	parts := make([]string, len(f.classes))
	for i, c := range f.classes {
		grade, a := gradeSQL(f.gradeBases(), c.threshold, f.q.Now)
		prefix := fmt.Sprintf("class_%d_", i)
		for name, value := range a {
			f.args[prefix+name] = value
		}
		parts[i] = strings.ReplaceAll(grade, "@grade_", "@"+prefix+"grade_")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	var b strings.Builder
	b.WriteString(`case`)
	for i, part := range parts {
		fmt.Fprintf(&b, " when %s then (%s)", f.classes[i].condition, part)
	}
	b.WriteString(` end`)
	return b.String()
}

// thresholdClasses puts together what schema.Threshold.Of gives one threshold to,
// of the kinds given.
func thresholdClasses(t schema.Threshold, kinds []schema.AccountKind, a args) []thresholdClass {
	var roles []schema.AccountRole
	for _, r := range t.Roles {
		if !slices.Contains(roles, r.Role) {
			roles = append(roles, r.Role)
		}
	}
	const other = schema.AccountRole("\x00") // no vendor's
	members := map[time.Duration][]string{}
	for i, k := range orAll(kinds, accountKinds()) {
		kind := fmt.Sprintf("class_kind_%d", i)
		of := map[time.Duration][]schema.AccountRole{}
		for _, r := range append(slices.Clone(roles), other) {
			d := t.Of(k, r).Truncate(time.Microsecond)
			of[d] = append(of[d], r)
		}
		for d, list := range of {
			condition := `a.kind = @` + kind
			a[kind] = k
			if len(of) > 1 {
				name := fmt.Sprintf("class_roles_%d_%d", i, d)
				if slices.Contains(list, other) {
					condition += ` and a.role <> all(@` + name + `)`
					list = slices.DeleteFunc(slices.Clone(roles), func(r schema.AccountRole) bool { return slices.Contains(list, r) })
				} else {
					condition += ` and a.role = any(@` + name + `)`
				}
				a[name] = list
			}
			members[d] = append(members[d], `(`+condition+`)`)
		}
	}
	if len(members) == 1 {
		clear(a)
	}
	var out []thresholdClass
	for _, d := range slices.Sorted(maps.Keys(members)) {
		slices.Sort(members[d]) // one text for one rule
		out = append(out, thresholdClass{d, `(` + strings.Join(members[d], ` or `) + `)`})
	}
	if len(out) == 1 {
		out[0].condition = `true`
	}
	return out
}

// countSQL counts all accounts that are there by what does not fit, in the order of
// schema.VerdictReasons, and else by grade.
func (f populationFilter) countSQL() (string, args) {
	a := maps.Clone(f.args)
	a["connections"], a["kinds"], a["statuses"], a["there"] = f.q.Connections, f.q.Kinds, f.q.Statuses, thereStatuses()
	return `select g.reason, count(*) as n from (
			select case when a.kind <> all(@kinds) then '` + string(schema.ReasonKind) + `'
				when a.status <> all(@statuses) then '` + string(schema.ReasonStatus) + `' else ` + f.grade + ` end as reason
			from account a where a.connection_id = any(@connections) and a.status = any(@there)) g group by 1`, a
}

// thereStatuses are those of accounts that a population is of.
func thereStatuses() []schema.AccountStatus {
	return []schema.AccountStatus{schema.AccountActive, schema.AccountSuspended, schema.AccountRestricted}
}

// subjectsSQL reads what is handed out, many accounts or few. Ranges of silence come first, for an index
// and for the planner's estimate; the grade has the last word.
func (f populationFilter) subjectsSQL(many bool) (string, args) {
	a := maps.Clone(f.args)
	maps.Copy(a, f.bound)
	statuses := slices.DeleteFunc(thereStatuses(), func(s schema.AccountStatus) bool { return !slices.Contains(f.q.Statuses, s) })
	a["kinds"], a["statuses"], a["grades"] = f.q.Kinds, statuses, f.grades
	from := subjectFrom(f.q.Needs, f.q.Needs.Person || f.people, many, a, f.q.Now)
	return `select ` + subjectColumns(f.q.Needs) + from + `
		where a.kind = any(@kinds) and a.status = any(@statuses) and (` + f.ranges(a) + `) and ` + f.grade + ` = any(@grades)` + f.bounds, a
}

// ranges are gradeRanges of the grades that fit, for each connection and class.
func (f populationFilter) ranges(a args) string {
	var parts []string
	instant := func(at time.Time) string {
		name := fmt.Sprintf("range_%d", len(a))
		a[name] = at
		return `@` + name
	}
	for i, b := range f.gradeBases() {
		for _, c := range f.classes {
			var list []useRange
			for _, g := range f.grades {
				list = append(list, gradeRanges(g, b, c.threshold, f.q.Now)...)
			}
			for _, r := range disjoint(list) {
				part := fmt.Sprintf(`a.connection_id = @range_of_%d and a.use_class = '%s'`, i, r.class)
				a[fmt.Sprintf("range_of_%d", i)] = b.ConnectionID
				if !r.from.IsZero() {
					part += ` and a.silent_since >= ` + instant(r.from)
				}
				if !r.to.IsZero() {
					part += ` and a.silent_since < ` + instant(r.to)
				}
				parts = append(parts, part)
			}
		}
	}
	if len(parts) == 0 {
		return `false`
	}
	return strings.Join(parts, ` or `)
}

// addBounds turns the query's bounds into conditions.
func (f *populationFilter) addBounds() error {
	for i, b := range f.q.Bounds {
		condition, value, err := boundSQL(b, fmt.Sprintf("bound_%d", i))
		if err != nil {
			return err
		}
		f.bounds += ` and ` + condition
		f.bound[fmt.Sprintf("bound_%d", i)] = value
		f.people = f.people || b.Field == schema.BoundEmployment
	}
	return nil
}

// boundSQL is the condition of a bound, with the value of its argument.
func boundSQL(b schema.Bound, name string) (string, any, error) {
	var field string
	switch b.Field {
	case schema.BoundStatus:
		field = `a.status`
	case schema.BoundKind:
		field = `a.kind`
	case schema.BoundRole:
		field = `a.role`
	case schema.BoundEmployment: // of nobody it is empty
		field = holderEmployment
	case schema.BoundPrivileged:
		return listBound(b, `(a.role in ('`+string(schema.RoleCoadmin)+`', '`+string(schema.RoleOwner)+`'))`, name, strconv.ParseBool)
	case schema.BoundKnown:
		return listBound(b, `(a.person_id is not null)`, name, strconv.ParseBool)
	case schema.BoundSpaceUsed:
		return listBound(b, `a.space_used`, name, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	default:
		return "", nil, errBound(b)
	}
	return listBound(b, field, name, func(s string) (string, error) { return s, nil })
}

func listBound[T any](b schema.Bound, field, name string, parse func(string) (T, error)) (string, any, error) {
	values := make([]T, len(b.Values))
	for i, text := range b.Values {
		var err error
		if values[i], err = parse(text); err != nil {
			return "", nil, errBound(b)
		}
	}
	switch b.Op {
	case schema.BoundIn:
		return field + ` = any(@` + name + `)`, values, nil
	case schema.BoundNotIn:
		return field + ` <> all(@` + name + `)`, values, nil
	case schema.BoundLess, schema.BoundAtMost, schema.BoundMore, schema.BoundAtLeast:
		if b.Field == schema.BoundSpaceUsed && len(values) == 1 {
			return field + ` ` + string(b.Op) + ` @` + name, values[0], nil
		}
	}
	return "", nil, errBound(b)
}

func errBound(b schema.Bound) error {
	return &schema.Error{Code: schema.CodeInternal, Message: "the database cannot filter by " + string(b.Field) + " " + string(b.Op)}
}
