package scim

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

// patched is a tree with all operations applied, in the form that a PUT of it
// would have.
func (rt *resourceType) patched(tree map[string]any, ops []operation, common []attribute) (map[string]any, error) {
	p := &patcher{rt: rt, common: common, doc: tree, budget: maxWork}
	for _, o := range ops {
		if err := p.apply(o); err != nil {
			return nil, err
		}
	}
	members := tree["members"]
	if rt.isGroup() {
		delete(tree, "members") // settled by their ids alone, and there may be many
	}
	out, err := rt.canonical(tree, common)
	if err == nil && rt.isGroup() && members != nil {
		out["members"] = members
	}
	return out, err
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
		p.extension(o)
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

// extension removes an extension, or merges one that we do not know as it is.
func (p *patcher) extension(o operation) {
	key, has := keyOf(p.doc, o.at.urn)
	if o.op == "remove" {
		if has {
			delete(p.doc, key)
		}
		return
	}
	if !has {
		key = o.at.urn
	}
	obj, ok := p.doc[key].(map[string]any)
	if !ok {
		obj = map[string]any{}
	}
	in, _ := o.value.(map[string]any)
	for k, v := range in {
		if v = plain(v); v != nil {
			obj[k] = v
		} else if o.op == "replace" {
			delete(obj, k)
		}
	}
	if p.doc[key] = obj; len(obj) == 0 {
		delete(p.doc, key)
	}
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
