package scim

import (
	"encoding/json"
	"strings"

	"sendoff/schema"
)

// canonical reads a resource as a client sends it: names as the schemas write
// them, values of the schemas' types, without what we make ourselves and without
// what is no value. Attributes that we do not know are kept. Everything in it is a
// copy.
func (rt *resourceType) canonical(in map[string]any, common []attribute) (map[string]any, error) {
	out := map[string]any{}
	p := &patcher{rt: rt, common: common, doc: out, budget: maxWork}
	for _, key := range sorted(in) {
		v := in[key]
		if rt.ignored(key) || v == nil {
			continue
		}
		if isURN(key) || strings.ContainsAny(key, ".[") && rt.knows(key, common) {
			// URN of a schema, or a path as Entra writes keys.
			if err := p.key("add", key, v); err != nil {
				return nil, err
			}
			continue
		}
		def := rt.lookup("", key, common)
		if def != nil {
			key = def.Name
		}
		if _, twice := keyOf(out, key); twice {
			return nil, bad(invalidSyntax, "an attribute stands there twice")
		}
		value, err := canonicalValue(def, v)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[key] = value
		}
	}
	return out, nil
}

// ignored tells the keys of a resource that mean nothing to us.
func (rt *resourceType) ignored(key string) bool {
	if strings.HasPrefix(strings.ToLower(key), prefixADSCIM) {
		return true
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(key, rt.core.ID+":"), ".")
	return isPassword(key) || rt.isOurs(name)
}

// knows tells whether a key with dots is a path below an attribute that we know.
func (rt *resourceType) knows(key string, common []attribute) bool {
	p, ok := rt.parsePath(key)
	return ok && p.urn == "" && rt.lookup("", p.name, common) != nil
}

// canonicalValue reads a value of an attribute; nil means that it is none.
func canonicalValue(def *attribute, v any) (any, error) {
	if def == nil || !def.MultiValued {
		return canonicalOne(def, v)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]any, 0, len(list))
	for _, x := range list {
		one, err := canonicalOne(def, x)
		if err != nil {
			return nil, err
		}
		if one != nil {
			out = append(out, one)
		}
	}
	if len(out) == 0 {
		return nil, nil //nolint:nilnil // no value is what an empty list is (RFC 7643 section 2.5)
	}
	return out, nil
}

func canonicalOne(def *attribute, v any) (any, error) {
	if def == nil {
		return plain(v), nil
	}
	if v == nil {
		return nil, nil //nolint:nilnil // as above
	}
	switch def.Type {
	case typeComplex:
		return canonicalComplex(def, v)
	case typeBoolean:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		if s, ok := v.(string); ok {
			if b, ok := truth(s); ok {
				return b, nil
			}
		}
		return nil, bad(invalidValue, def.Name+" is true or false")
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return string(v), nil
	case bool:
		if v {
			return "true", nil
		}
		return "false", nil
	}
	return nil, bad(invalidValue, def.Name+" is a text")
}

// canonicalComplex reads an object. A bare text stands for one with that value:
// Entra sends a manager so.
func canonicalComplex(def *attribute, v any) (any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		if _, isText := v.(string); !isText || def.sub("value") == nil {
			return nil, bad(invalidValue, def.Name+" is an object")
		}
		in = map[string]any{"value": v}
	}
	out := map[string]any{}
	for _, key := range sorted(in) {
		sub := def.sub(key)
		if sub == nil {
			if x := plain(in[key]); x != nil {
				out[key] = x
			}
			continue
		}
		x, err := canonicalValue(sub, in[key])
		if err != nil {
			return nil, bad(invalidValue, def.Name+"."+err.Error())
		}
		if x == nil || sub.Mutability == readOnly || sub.Name == "value" && x == "" {
			continue
		}
		if _, twice := out[sub.Name]; twice {
			return nil, bad(invalidSyntax, "an attribute stands there twice")
		}
		out[sub.Name] = x
	}
	if len(out) == 0 {
		return nil, nil //nolint:nilnil // an object without values is none
	}
	return out, nil
}

// plain copies a value of an attribute that we do not know, without nulls.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			if x = plain(x); x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if x = plain(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return v
}

// isGroup tells whether the type is that of groups.
func (rt *resourceType) isGroup() bool { return rt.kind == schema.SCIMGroup }
