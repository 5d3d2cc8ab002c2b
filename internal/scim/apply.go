package scim

import (
	"slices"

	filter "github.com/scim2/filter-parser/v2"
)

// maxWork bounds how many values the operations of one PATCH may look at.
const maxWork = 20_000_000

// patcher applies operations to a resource's tree. Whoever calls it throws the
// tree away on an error: all operations are applied, or none.
type patcher struct {
	rt     *resourceType
	common []attribute
	doc    map[string]any
	budget int
}

// key applies what one key of an object says.
func (p *patcher) key(op, key string, value any) error {
	ops, err := p.rt.one(op, key, value, true)
	if err != nil {
		return err
	}
	for _, o := range ops {
		if err := p.apply(o); err != nil {
			return err
		}
	}
	return nil
}

func (p *patcher) spend(n int) error {
	if p.budget -= n; p.budget < 0 {
		return bad(tooMany, "the operations look at too many values: send fewer at once")
	}
	return nil
}

// apply applies one operation.
func (p *patcher) apply(o operation) error {
	if o.at.name == "" {
		if key, ok := keyOf(p.doc, o.at.urn); ok {
			delete(p.doc, key)
		}
		return nil
	}
	if key, ok := keyOf(p.doc, o.at.urn+":"+o.at.name); ok && o.op == "remove" {
		delete(p.doc, key) // an extension of somebody else's
		return nil
	}
	s := p.spot(o)
	if err := s.allowed(); err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	s.leave()
	return nil
}

// spot is the place in the tree that an operation is about.
type spot struct {
	*patcher
	operation
	obj    map[string]any // that holds the attribute
	extKey string         // where obj hangs in the tree; empty = obj is the tree
	key    string
	def    *attribute
	subDef *attribute
	sub    string
}

func (p *patcher) spot(o operation) *spot {
	s := &spot{patcher: p, operation: o, obj: p.doc, key: o.at.name, sub: o.at.sub}
	if o.at.urn != "" {
		s.extKey = o.at.urn
		if def := p.rt.in(o.at.urn); def != nil {
			s.extKey = def.ID
		}
		if key, ok := keyOf(p.doc, s.extKey); ok {
			s.extKey = key
		}
		obj, ok := p.doc[s.extKey].(map[string]any)
		if !ok {
			obj = map[string]any{}
		}
		s.obj = obj
	}
	if s.def = p.rt.lookup(o.at.urn, o.at.name, p.common); s.def != nil {
		s.key = s.def.Name
	} else if key, ok := keyOf(s.obj, s.key); ok {
		s.key = key
	}
	if s.subDef = s.def.sub(s.sub); s.subDef != nil {
		s.sub = s.subDef.Name
	}
	return s
}

// allowed refuses what may not be written.
func (s *spot) allowed() error {
	switch {
	case s.def != nil && s.def.Mutability == readOnly || s.subDef != nil && s.subDef.Mutability == readOnly:
		return bad(mutability, "the attribute is read-only")
	case s.op == "remove" && s.sub == "" && s.where == nil && s.def != nil && (s.def.Required || s.def.Name == "active"):
		return bad(mutability, s.def.Name+" cannot be removed, only changed")
	case s.def != nil && s.sub != "" && s.def.Type != typeComplex:
		return bad(invalidPath, s.def.Name+" has no sub-attributes")
	case s.where != nil && s.def != nil && !s.def.MultiValued:
		return bad(invalidPath, s.def.Name+" is not multi-valued")
	}
	return nil
}

// leave hangs the changed object into the tree, or takes it out when it is empty.
func (s *spot) leave() {
	switch {
	case s.extKey == "":
	case len(s.obj) == 0:
		delete(s.doc, s.extKey)
	default:
		s.doc[s.extKey] = s.obj
	}
}

func (s *spot) run() error {
	list, isList := s.obj[s.key].([]any)
	multi := isList || s.where != nil || s.def != nil && s.def.MultiValued
	if err := s.spend(1 + len(list)); err != nil {
		return err
	}
	switch {
	case s.op == "add" && s.value == nil:
		return nil
	case s.op == "remove" || s.value == nil:
		return s.remove(list, multi)
	}
	before := primary(list)
	var err error
	switch {
	case multi && (s.where != nil || s.sub != ""):
		err = s.putInto(list)
	case s.sub != "":
		err = s.putSub()
	case multi && s.op == "add":
		err = s.append(list)
	default:
		return s.set()
	}
	if err != nil {
		return err
	}
	s.onePrimary(before)
	return nil
}

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
