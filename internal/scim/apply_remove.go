package scim

import (
	"slices"
)

// remove takes away the attribute, values of it, or their sub-attributes. What is
// not there is gone already.
func (s *spot) remove(list []any, multi bool) error {
	named := s.op == "remove" && s.where == nil && s.sub == "" && s.value != nil
	switch {
	case multi && named:
		return s.removeValues(list)
	case multi && (s.where != nil || s.sub != ""):
		return s.removeWhere(list)
	case s.sub != "":
		obj, _ := s.obj[s.key].(map[string]any)
		if key, ok := keyOf(obj, s.sub); ok {
			delete(obj, key)
		}
		if obj != nil && len(obj) == 0 {
			delete(s.obj, s.key)
		}
		return nil
	}
	if s.def != nil && (s.def.Required || s.def.Name == "active") {
		return bad(invalidValue, s.def.Name+" cannot be null")
	}
	delete(s.obj, s.key)
	return nil
}

// removeValues removes the values that are listed and no other: Entra's way to
// take members out of a group, which the RFC reads as emptying it.
func (s *spot) removeValues(list []any) error {
	v, err := canonicalValue(s.def, s.value)
	if err != nil || v == nil {
		return err
	}
	gone, ok := v.([]any)
	if !ok {
		gone = []any{v}
	}
	if err := s.spend(len(list) + len(gone)); err != nil {
		return err
	}
	values, wholes := map[string]bool{}, map[string]bool{}
	for _, x := range gone {
		if id, ok := subValue(x, "value").(string); ok {
			values[id] = true
			continue
		}
		wholes[string(encode(x))] = true
	}
	s.keep(slices.DeleteFunc(list, func(x any) bool {
		id, _ := subValue(x, "value").(string)
		return values[id] || len(wholes) > 0 && wholes[string(encode(x))]
	}))
	return nil
}

func (s *spot) removeWhere(list []any) error {
	if s.subDef != nil && s.subDef.Mutability == immutable {
		return bad(mutability, s.def.Name+"."+s.sub+" cannot be changed: remove the value")
	}
	s.keep(slices.DeleteFunc(list, func(x any) bool {
		obj, ok := x.(map[string]any)
		if !ok || s.where != nil && !s.where.match(obj) {
			return false
		}
		if s.sub == "" {
			return true
		}
		if key, ok := keyOf(obj, s.sub); ok {
			delete(obj, key)
		}
		return len(obj) == 0
	}))
	return nil
}
