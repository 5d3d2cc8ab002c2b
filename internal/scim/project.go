package scim

import (
	"strings"
)

// projection is what of a resource a caller wants to see (RFC 7644 section 3.9).
type projection struct {
	rt      *resourceType
	only    []path // nil = everything
	without []path
}

// projection reads both parameters; with attributes the other does not count.
// What cannot be read as a path names nothing.
func (rt *resourceType) projection(attributes, excluded string) projection {
	p := projection{rt: rt, only: rt.paths(attributes)}
	if p.only == nil {
		p.without = rt.paths(excluded)
	}
	return p
}

func (rt *resourceType) paths(list string) []path {
	if len(list) > maxFilter {
		list = list[:maxFilter]
	}
	if strings.TrimSpace(list) == "" {
		return nil
	}
	out := []path{}
	for _, raw := range strings.Split(list, ",") {
		if p, ok := rt.parsePath(raw); ok && !p.filter {
			out = append(out, p)
		}
	}
	return out
}

// shows tells whether anything of a core attribute is seen.
func (p projection) shows(name string) bool {
	for _, x := range p.without {
		if x.urn == "" && x.sub == "" && (x.name == "" || strings.EqualFold(x.name, name)) {
			return false
		}
	}
	if p.only == nil {
		return true
	}
	for _, x := range p.only {
		if x.urn == "" && (x.name == "" || strings.EqualFold(x.name, name)) {
			return true
		}
	}
	return false
}

// of is what is seen of a resource: its schemas and id always.
func (p projection) of(view map[string]any) map[string]any {
	if p.only != nil {
		out := map[string]any{"schemas": view["schemas"], "id": view["id"]}
		for _, x := range p.only {
			p.pick(view, out, x)
		}
		return out
	}
	for _, x := range p.without {
		p.drop(view, x)
	}
	return view
}

// pick copies what a path names.
func (p projection) pick(from, to map[string]any, x path) {
	if x.name == "" && x.urn == "" {
		for k, v := range from {
			if !isURN(k) {
				to[k] = v
			}
		}
		return
	}
	if x.urn == "" {
		pickOne(from, to, x)
		return
	}
	key, ok := keyOf(from, x.urn)
	ext, isObj := from[key].(map[string]any)
	switch {
	case !ok || !isObj:
		// An extension of somebody else's is a path of an attribute to us.
		if key, ok := keyOf(from, x.urn+":"+x.name); ok {
			to[key] = from[key]
		}
	case x.name == "":
		to[key] = ext
	default:
		part, has := to[key].(map[string]any)
		if !has {
			part = map[string]any{}
		}
		pickOne(ext, part, x)
		if len(part) > 0 {
			to[key] = part
		}
	}
}

func pickOne(from, to map[string]any, x path) {
	key, ok := keyOf(from, x.name)
	if !ok {
		return
	}
	if x.sub == "" {
		to[key] = from[key]
		return
	}
	switch v := from[key].(type) {
	case map[string]any:
		part, has := to[key].(map[string]any)
		if !has {
			part = map[string]any{}
		}
		if sub, ok := keyOf(v, x.sub); ok {
			part[sub] = v[sub]
			to[key] = part
		}
	case []any:
		to[key] = pickEach(v, to[key], x.sub)
	}
}

// pickEach copies a sub-attribute of each value beside those copied before.
func pickEach(list []any, sofar any, name string) []any {
	out, ok := sofar.([]any)
	if !ok || len(out) != len(list) {
		out = make([]any, len(list))
		for i := range out {
			out[i] = map[string]any{}
		}
	}
	for i, x := range list {
		v, _ := x.(map[string]any)
		part, isObj := out[i].(map[string]any)
		if sub, ok := keyOf(v, name); ok && isObj {
			part[sub] = v[sub]
		}
	}
	return out
}

// drop takes out what a path names; id and schemas stay.
func (p projection) drop(view map[string]any, x path) {
	obj := view
	if x.urn != "" {
		key, ok := keyOf(view, x.urn)
		ext, isObj := view[key].(map[string]any)
		if !ok || !isObj {
			if key, ok := keyOf(view, x.urn+":"+x.name); ok {
				delete(view, key)
			}
			return
		}
		if x.name == "" {
			delete(view, key)
			return
		}
		obj = ext
	}
	key, ok := keyOf(obj, x.name)
	if !ok || x.urn == "" && (key == "id" || key == "schemas") {
		return
	}
	if x.sub == "" {
		delete(obj, key)
		return
	}
	list, isList := obj[key].([]any)
	if !isList {
		list = []any{obj[key]}
	}
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			if sub, ok := keyOf(m, x.sub); ok {
				delete(m, sub)
			}
		}
	}
}
