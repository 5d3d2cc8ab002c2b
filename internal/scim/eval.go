package scim

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	filter "github.com/scim2/filter-parser/v2"
)

func (n *bothNode) match(obj map[string]any) bool { return n.left.match(obj) && n.right.match(obj) }

func (n *eitherNode) match(obj map[string]any) bool { return n.left.match(obj) || n.right.match(obj) }
func (n *notNode) match(obj map[string]any) bool    { return !n.of.match(obj) }

func (n *someNode) match(obj map[string]any) bool {
	for _, v := range n.at.values(obj) {
		if m, ok := v.(map[string]any); ok && n.where.match(m) {
			return true
		}
	}
	return false
}

// match is true when one of the values matches; an attribute without a value
// matches nothing but eq null.
func (n *compareNode) match(obj map[string]any) bool {
	values := n.at.values(obj)
	if n.op == filter.PR || n.value == nil {
		present := false
		for _, v := range values {
			if n.at.sub != "" {
				v = subValue(v, n.at.sub)
			}
			present = present || assigned(v)
		}
		return present == (n.op != filter.EQ)
	}
	sub := n.at.sub
	if sub == "" {
		sub = "value"
	}
	for _, v := range values {
		if m, ok := v.(map[string]any); ok {
			v = subValue(m, sub)
		} else if n.at.sub != "" {
			continue
		}
		if v != nil && n.holds(v) {
			return true
		}
	}
	return false
}

// values lists the values of the attribute in an object.
func (t target) values(obj map[string]any) []any {
	if t.urn != "" {
		ext, _ := member(obj, t.urn)
		obj, _ = ext.(map[string]any)
	}
	v, ok := obj[t.name]
	if !ok && t.def == nil {
		v, ok = member(obj, t.name)
	}
	if !ok {
		return nil
	}
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func subValue(v any, name string) any {
	m, _ := v.(map[string]any)
	out, _ := member(m, name)
	return out
}

// assigned tells whether a value is one: neither null nor empty, nor made of such
// (RFC 7644 table 3, pr).
func assigned(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		for _, x := range v {
			if assigned(x) {
				return true
			}
		}
		return false
	case map[string]any:
		for _, x := range v {
			if assigned(x) {
				return true
			}
		}
		return false
	}
	return true
}

// holds compares one value.
func (n *compareNode) holds(v any) bool {
	switch want := n.value.(type) {
	case bool:
		got, ok := v.(bool)
		return ok && (got == want) == (n.op == filter.EQ)
	case json.Number:
		got, ok := v.(json.Number)
		if !ok {
			return n.op == filter.NE
		}
		a, _ := got.Float64()
		b, _ := want.Float64()
		return ordered(n.op, cmp.Compare(a, b))
	case string:
		got, ok := v.(string)
		if !ok {
			return n.op == filter.NE
		}
		return n.holdsText(got)
	}
	return false
}

func (n *compareNode) holdsText(got string) bool {
	def := n.at.compared()
	if !n.when.IsZero() {
		if at, err := time.Parse(time.RFC3339Nano, got); err == nil {
			return ordered(n.op, at.Compare(n.when))
		}
	}
	if def == nil || !def.CaseExact {
		got = strings.ToLower(got)
	}
	switch n.op {
	case filter.CO:
		return strings.Contains(got, n.lower)
	case filter.SW:
		return strings.HasPrefix(got, n.lower)
	case filter.EW:
		return strings.HasSuffix(got, n.lower)
	}
	return ordered(n.op, strings.Compare(got, n.lower))
}

func ordered(op filter.CompareOperator, c int) bool {
	switch op {
	case filter.EQ:
		return c == 0
	case filter.NE:
		return c != 0
	case filter.GT:
		return c > 0
	case filter.GE:
		return c >= 0
	case filter.LT:
		return c < 0
	case filter.LE:
		return c <= 0
	}
	return false
}
