package scim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// operation is one operation of a PATCH after the normaliser.
type operation struct {
	op    string // add, replace or remove
	at    path
	where node // compiled at.where
	value any
	given bool // whether there is a value
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// operations reads a PATCH (RFC 7644 section 3.5.2) in the dialects that are
// really sent: operations in capitals, objects without a path, keys that are
// paths.
func (rt *resourceType) operations(in map[string]any) ([]operation, error) {
	if !hasSchema(in, urnPatchOp) {
		return nil, bad(invalidSyntax, "schemas must be "+urnPatchOp)
	}
	all, _ := member(in, "Operations")
	list, ok := all.([]any)
	if !ok || len(list) == 0 {
		return nil, bad(invalidSyntax, "Operations is a list of at least one operation")
	}
	var out []operation
	for _, x := range list {
		one, ok := x.(map[string]any)
		if !ok {
			return nil, bad(invalidSyntax, "an operation is an object")
		}
		ops, err := rt.normalise(one)
		if err != nil {
			return nil, err
		}
		if out = append(out, ops...); len(out) > maxOps {
			return nil, bad(tooMany, "a PATCH has at most "+strconv.Itoa(maxOps)+" operations")
		}
	}
	return out, nil
}

// hasSchema tells whether a message says that it is of a schema; one that says
// nothing is believed.
func hasSchema(in map[string]any, urn string) bool {
	said, _ := member(in, "schemas")
	list, ok := said.([]any)
	if !ok || len(list) == 0 {
		return said == nil || ok
	}
	return slices.ContainsFunc(list, func(x any) bool {
		s, _ := x.(string)
		return strings.EqualFold(s, urn)
	})
}

// normalise reads one operation, which may be several.
func (rt *resourceType) normalise(in map[string]any) ([]operation, error) {
	said, _ := member(in, "op")
	op, _ := said.(string)
	if op = strings.ToLower(op); op != "add" && op != "replace" && op != "remove" {
		return nil, bad(invalidSyntax, "op is add, replace or remove")
	}
	value, given := member(in, "value")
	if at, _ := member(in, "path"); at != nil {
		raw, ok := at.(string)
		if !ok {
			return nil, bad(invalidPath, "path is a text")
		}
		if strings.TrimSpace(raw) != "" {
			return rt.one(op, raw, value, given)
		}
	}
	if op == "remove" {
		return nil, bad(noTarget, "remove needs a path")
	}
	obj, ok := value.(map[string]any)
	if !ok {
		return nil, bad(invalidValue, "without a path, value is an object of attributes")
	}
	return rt.many(op, obj)
}

// many makes an operation of each key.
func (rt *resourceType) many(op string, obj map[string]any) ([]operation, error) {
	var out []operation
	for _, key := range sorted(obj) {
		if rt.ignored(key) {
			continue
		}
		ops, err := rt.one(op, key, obj[key], true)
		if err != nil {
			return nil, err
		}
		out = append(out, ops...)
	}
	return out, nil
}

// one reads an operation with a path.
func (rt *resourceType) one(op, raw string, value any, given bool) ([]operation, error) {
	if isPassword(raw) || strings.HasPrefix(strings.ToLower(raw), prefixADSCIM) || strings.EqualFold(raw, "schemas") {
		return nil, nil // accepted, and nothing is kept of it
	}
	if obj, isObj := value.(map[string]any); isObj && op != "remove" && rt.foreign(raw) {
		return []operation{{op: op, at: path{urn: raw}, value: obj, given: given}}, nil
	}
	p, ok := rt.parsePath(raw)
	if !ok {
		return nil, bad(invalidPath, "a path cannot be read: write attribute, attribute.sub, or attribute[filter].sub")
	}
	if op != "remove" && !given {
		return nil, bad(invalidValue, op+" needs a value")
	}
	if p.name == "" {
		return rt.wholeSchema(op, p, value)
	}
	if p.urn == "" && rt.isOurs(p.name) {
		return nil, bad(mutability, "the server alone writes id, meta, schemas and a user's groups")
	}
	o := operation{op: op, at: p, value: value, given: given}
	if p.filter {
		where, err := rt.compileInner(rt.lookup(p.urn, p.name, nil), p.where)
		if err != nil {
			return nil, bad(invalidPath, "the filter of a path cannot be read")
		}
		o.where = where
	}
	return []operation{o}, nil
}

// foreign tells whether a path is in a schema that we do not know. With an object
// as value it is an extension: its keys are not read as paths.
func (rt *resourceType) foreign(raw string) bool {
	var p path
	rt.cutURN(raw, &p)
	return isURN(raw) && rt.in(p.urn) == nil && !strings.Contains(raw, "[")
}

// wholeSchema reads a path that is a schema: all of the core, or an extension.
func (rt *resourceType) wholeSchema(op string, p path, value any) ([]operation, error) {
	if op == "remove" {
		if p.urn == "" {
			return nil, bad(mutability, "the core schema of a resource cannot be removed")
		}
		return []operation{{op: op, at: p}}, nil
	}
	if value == nil {
		return nil, nil
	}
	obj, ok := value.(map[string]any)
	if !ok {
		return nil, bad(invalidValue, "the value of a schema is an object of attributes")
	}
	if p.urn == "" {
		return rt.many(op, obj)
	}
	var out []operation
	for _, key := range sorted(obj) {
		if isPassword(key) {
			continue
		}
		ops, err := rt.one(op, p.urn+":"+key, obj[key], true)
		if err != nil {
			return nil, err
		}
		out = append(out, ops...)
	}
	return out, nil
}
