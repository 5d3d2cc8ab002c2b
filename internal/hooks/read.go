package hooks

import (
	"slices"
	"strings"

	"sendoff/internal/roster"
	"sendoff/schema"
)

const (
	// EmploymentChanged is the type of our own shape, which a source of Standard
	// Webhooks without a mapping sends:
	//
	//	{"type":"employment.changed","timestamp":"...","data":{"external_id":"5",...}}
	//
	// data is an employment or a list of them, by the columns of a roster.
	EmploymentChanged = "employment.changed"

	ownList = "data"
	ownType = "type"
	// maxIgnored bounds how many members that mean nothing to us are named.
	maxIgnored = 100
)

// Read reads what a webhook tells, or all that is wrong with it. Members that
// nothing asks for do not count: the event keeps the body as it came.
func Read(source schema.Source, body []byte) (schema.HRChange, []schema.Problem) {
	if source.Kind == schema.SourceBambooHR {
		return readBamboo(body)
	}
	document, problems := decode(body)
	if len(problems) > 0 {
		return schema.HRChange{}, problems
	}
	r := reader{source: source.Name}
	if source.Mapping == nil {
		r.mapping, r.own = ownMapping(), true
		if kind, _ := memberOf(document, ownType).(string); kind != EmploymentChanged {
			return schema.HRChange{}, oneProblem(ownType, "unknown_type", "the type is not "+EmploymentChanged, "send "+EmploymentChanged+", or give the source a mapping of its own shape")
		}
	} else {
		r.mapping = *source.Mapping
	}
	return r.read(document)
}

// ownMapping is that of our own shape.
func ownMapping() schema.Mapping {
	m := schema.Mapping{List: ownList, Fields: map[string]string{}}
	for _, h := range roster.Headings() {
		m.Fields[string(h.Column)] = string(h.Column)
	}
	return m
}

func memberOf(v any, name string) any {
	object, _ := v.(map[string]any)
	return object[name]
}

// reader applies a mapping to a document.
type reader struct {
	source   string
	mapping  schema.Mapping
	own      bool // the mapping is that of our own shape
	problems []schema.Problem
}

func (r *reader) problem(where, code, message, fix string) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, schema.Problem{Where: placeOf(where), Code: code, Message: message, Fix: fix})
	}
}

func (r *reader) read(document any) (schema.HRChange, []schema.Problem) {
	roll := &schema.Roster{Source: r.source, Mode: schema.RosterChanges, Fields: []string{}}
	change := schema.HRChange{Kind: schema.ChangeEmployments, Roster: roll}
	if about := r.about(document); len(r.problems) > 0 {
		return schema.HRChange{}, r.problems
	} else if !about {
		return change, nil
	}
	items, places := r.items(document)
	rows := make([]map[roster.Column]string, 0, len(items))
	for i, item := range items {
		rows = append(rows, r.row(item, places[i]))
	}
	r.checkEven(rows, places)
	if len(r.problems) > 0 {
		return schema.HRChange{}, r.problems
	}
	result := roster.ReadRows(rows)
	if len(result.Problems) > 0 {
		return schema.HRChange{}, r.inBody(result.Problems, places)
	}
	roll.Employments, roll.Fields, roll.Ignored = result.Employments, result.Fields, r.ignored(items)
	return change, nil
}

// about tells whether the body is one that the mapping keeps to.
func (r *reader) about(document any) bool {
	about := true
	for text, values := range r.mapping.When {
		p, err := parsePath(text)
		if err != nil {
			r.badPath(text)
			continue
		}
		found, _, fault := p.find(document)
		got, ok := scalar(found)
		about = about && fault == "" && ok && slices.Contains(values, got)
	}
	return about
}

// badPath is for a mapping that was kept although its path is none.
func (r *reader) badPath(text string) {
	r.problem(text, "path", "the mapping's path cannot be read", "mend the source's mapping")
}

// items are the employments of the body and where they stand.
func (r *reader) items(document any) (items []any, places []string) {
	list := document
	if r.mapping.List != "" {
		p, err := parsePath(r.mapping.List)
		if err != nil {
			r.badPath(r.mapping.List)
			return nil, nil
		}
		found, ok, fault := p.find(document)
		if fault != "" || !ok || found == nil {
			r.problem(r.mapping.List, "required", "there are no employments", "send them there, or correct the source's mapping")
			return nil, nil
		}
		list = found
	}
	all, several := list.([]any)
	if !several {
		return []any{list}, []string{r.mapping.List}
	}
	for i := range all {
		places = append(places, element(r.mapping.List, i))
	}
	if len(all) == 0 {
		r.problem(r.mapping.List, "empty", "the list of employments is empty", "name one employment at least")
	}
	return all, places
}

// row reads one employment. A member that is not there is not told; null tells
// that there is none.
func (r *reader) row(item any, at string) map[roster.Column]string {
	if _, ok := item.(map[string]any); !ok {
		r.problem(at, "form", "the employment is not an object", "send an object with the facts of the employment")
		return nil
	}
	row := map[roster.Column]string{}
	for _, column := range sortedKeys(r.mapping.Fields) {
		text := r.mapping.Fields[column]
		p, err := parsePath(text)
		if err != nil {
			r.badPath(text)
			continue
		}
		found, ok, fault := p.find(item)
		if fault != "" {
			r.problem(below(at, text), "form", fault, "correct the source's mapping")
			continue
		}
		if !ok {
			continue
		}
		value, ok := scalar(found)
		if !ok {
			r.problem(below(at, text), "form", "it is an object or a list", "let the source's mapping lead to a text within it")
			continue
		}
		row[roster.Column(column)] = r.ours(column, strings.TrimSpace(value))
	}
	return row
}

// ours is a source's word or date as we write it; others stay as they are, and are
// judged as every roster's.
func (r *reader) ours(column, value string) string {
	for word, our := range r.mapping.Words[column] {
		if strings.EqualFold(strings.TrimSpace(word), value) {
			return our
		}
	}
	if isDate(column) {
		return readDate(value, r.mapping.DateLayouts)
	}
	return value
}

// checkEven refuses employments of which some tell what others do not: a roster
// tells the same of all, so what one leaves out would be cleared.
func (r *reader) checkEven(rows []map[roster.Column]string, places []string) {
	told := map[roster.Column]bool{}
	for _, row := range rows {
		for column := range row {
			told[column] = true
		}
	}
	for i, row := range rows {
		for _, column := range sortedKeys(told) {
			if _, ok := row[column]; !ok && row != nil && column != roster.ExternalID {
				r.problem(below(places[i], r.mapping.Fields[string(column)]), "uneven", "other employments of the body have it, this one does not", "send the same members for each, null where there is none")
			}
		}
	}
}

// ignored are the members of our own shape that mean nothing to us.
func (r *reader) ignored(items []any) []string {
	if !r.own {
		return nil
	}
	names := map[string]bool{}
	for _, item := range items {
		object, _ := item.(map[string]any)
		for name := range object {
			if _, known := r.mapping.Fields[name]; !known && len(names) < maxIgnored && len(name) <= maxShown && usableID(name) {
				names[name] = true
			}
		}
	}
	return sortedKeys(names)
}
