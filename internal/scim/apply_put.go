package scim

import (
	"slices"

	filter "github.com/scim2/filter-parser/v2"
)

// set gives the attribute a value; of a complex one, the sub-attributes that the
// value names (RFC 7644 section 3.5.2.3).
func (s *spot) set() error {
	v, err := canonicalValue(s.def, s.value)
	if err != nil {
		return err
	}
	old, isObj := s.obj[s.key].(map[string]any)
	fresh, ok := v.(map[string]any)
	if raw, rawObj := s.value.(map[string]any); isObj && rawObj && (ok || v == nil) {
		for k, x := range raw {
			if key, has := keyOf(old, k); has && x == nil {
				delete(old, key)
			}
		}
		for k, x := range fresh {
			old[k] = x
		}
		if len(old) == 0 {
			delete(s.obj, s.key)
		}
		return nil
	}
	if v == nil {
		if s.op == "replace" {
			delete(s.obj, s.key)
		}
		return nil
	}
	s.obj[s.key] = v
	return nil
}

// putSub sets a sub-attribute of a complex attribute.
func (s *spot) putSub() error {
	obj, ok := s.obj[s.key].(map[string]any)
	if !ok {
		if s.obj[s.key] != nil {
			return bad(invalidPath, "the attribute has no sub-attributes")
		}
		obj = map[string]any{}
	}
	if err := s.setIn(obj); err != nil {
		return err
	}
	if len(obj) > 0 {
		s.obj[s.key] = obj
	}
	return nil
}

// setIn sets the sub-attribute in one object.
func (s *spot) setIn(obj map[string]any) error {
	v, err := canonicalValue(s.subDef, s.value)
	if err != nil {
		return err
	}
	key := s.sub
	if s.subDef == nil {
		if known, ok := keyOf(obj, key); ok {
			key = known
		}
	}
	if s.subDef != nil && s.subDef.Mutability == immutable && obj[key] != nil && obj[key] != v {
		return bad(mutability, s.def.Name+"."+s.sub+" cannot be changed: remove the value and add another")
	}
	if v == nil {
		delete(obj, key)
		return nil
	}
	obj[key] = v
	return nil
}

// append adds values that are not there yet.
func (s *spot) append(list []any) error {
	v, err := canonicalValue(s.def, s.value)
	if err != nil || v == nil {
		return err
	}
	more, ok := v.([]any)
	if !ok {
		more = []any{v}
	}
	if err := s.spend(len(more) + len(list)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(list))
	for _, x := range list {
		seen[s.identity(x)] = true
	}
	for _, x := range more {
		if id := s.identity(x); !seen[id] {
			seen[id] = true
			list = append(list, x)
		}
	}
	s.obj[s.key] = list
	return nil
}

// identity is what makes two values one: of members the user.
func (s *spot) identity(x any) string {
	if s.rt.isGroup() && s.key == "members" {
		if id, ok := subValue(x, "value").(string); ok {
			return id
		}
	}
	return string(encode(x))
}

// putInto sets values or their sub-attributes in a list. Where none matches, one
// is made of what the filter says: Entra replaces addresses that are not there.
func (s *spot) putInto(list []any) error {
	if err := s.spend(len(list)); err != nil {
		return err
	}
	found := false
	for i, x := range list {
		obj, ok := x.(map[string]any)
		if !ok || s.where != nil && !s.where.match(obj) {
			continue
		}
		found = true
		fresh, err := s.changed(obj)
		if err != nil {
			return err
		}
		list[i] = fresh
	}
	if found {
		s.keep(list)
		return nil
	}
	made := map[string]any{}
	if s.where != nil && !said(s.where, made) {
		return bad(noTarget, "no value matches the filter, and it does not say how to make one")
	}
	fresh, err := s.changed(made)
	if err != nil {
		return err
	}
	s.keep(append(list, fresh))
	return nil
}

// changed is an object with the sub-attribute set, or all of it: what the filter
// says stays unless the value says else.
func (s *spot) changed(obj map[string]any) (map[string]any, error) {
	if s.sub != "" {
		return obj, s.setIn(obj)
	}
	v, err := canonicalOne(s.def, s.value)
	if err != nil {
		return nil, err
	}
	fresh, ok := v.(map[string]any)
	if !ok {
		return nil, bad(invalidValue, "the value that a filter finds is an object")
	}
	if s.def.sub("value") != nil && s.def.sub("value").Mutability == immutable && obj["value"] != nil &&
		fresh["value"] != nil && fresh["value"] != obj["value"] {
		return nil, bad(mutability, s.def.Name+".value cannot be changed: remove the value and add another")
	}
	keep := obj
	if s.op == "replace" {
		keep = map[string]any{}
		said(s.where, keep)
	}
	for k, x := range keep {
		if _, has := fresh[k]; !has {
			fresh[k] = x
		}
	}
	return fresh, nil
}

// keep puts a list back without what has become empty.
func (s *spot) keep(list []any) {
	list = slices.DeleteFunc(list, func(x any) bool { m, ok := x.(map[string]any); return ok && len(m) == 0 })
	if len(list) == 0 {
		delete(s.obj, s.key)
		return
	}
	s.obj[s.key] = list
}

// said fills an object with what a filter says it must equal, and tells whether
// that is all it says.
func said(where node, into map[string]any) bool {
	switch n := where.(type) {
	case *bothNode:
		left := said(n.left, into)
		return said(n.right, into) && left
	case *compareNode:
		if n.op != filter.EQ || n.value == nil || n.at.sub != "" || n.at.urn != "" {
			return false
		}
		into[n.at.name] = n.value
		return true
	}
	return false
}

// primary is the index of the primary value; -1 = none is.
func primary(list []any) int {
	return slices.IndexFunc(list, func(x any) bool { return subValue(x, "primary") == true })
}

// onePrimary takes primary from the value that had it when another has been made
// so (RFC 7644 section 3.5.2).
func (s *spot) onePrimary(before int) {
	list, _ := s.obj[s.key].([]any)
	if before < 0 || before >= len(list) {
		return
	}
	for i, x := range list {
		if i != before && subValue(x, "primary") == true {
			if obj, ok := list[before].(map[string]any); ok && obj["primary"] == true {
				obj["primary"] = false
			}
			return
		}
	}
}
