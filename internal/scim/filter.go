package scim

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	filter "github.com/scim2/filter-parser/v2"
)

// node is a filter that can be held against an object.
type node interface{ match(obj map[string]any) bool }

type (
	bothNode   struct{ left, right node }
	eitherNode struct{ left, right node }
	notNode    struct{ of node }
	// someNode matches when one value of an attribute does.
	someNode struct {
		at    target
		where node
	}
	// compareNode compares an attribute's values with one.
	compareNode struct {
		at    target
		op    filter.CompareOperator
		value any    // string, bool, json.Number or nil
		lower string // of a string, unless case counts
		when  time.Time
	}
)

// target is an attribute that a filter names; def and subDef are nil for one that
// we do not know.
type target struct {
	urn, name, sub string
	def, subDef    *attribute
}

// compiler turns the text of a filter into nodes.
type compiler struct {
	rt     *resourceType
	common []attribute
	// of is the attribute whose values are filtered; nil = resources are.
	of *attribute
	// inner is set between brackets, where names are those of sub-attributes.
	inner bool
	// words are the attributes that the parser's grammar lacks: those with brackets
	// and those of schemas. They stand in the text as placeholders.
	words []string
}

// placeholder begins a name that no attribute has.
const placeholder = "$w"

func badFilter(detail string) error { return bad(invalidFilter, detail) }

// compile reads a filter (RFC 7644 section 3.4.2.2).
func (rt *resourceType) compile(raw string, common []attribute) (node, error) {
	return (&compiler{rt: rt, common: common}).compile(raw)
}

// compileInner reads what stands between the brackets of a path.
func (rt *resourceType) compileInner(of *attribute, raw string) (node, error) {
	return (&compiler{rt: rt, of: of, inner: true}).compile(raw)
}

func (c *compiler) compile(raw string) (node, error) {
	if len(raw) > maxFilter {
		return nil, badFilter("the filter is longer than " + strconv.Itoa(maxFilter) + " bytes")
	}
	if !utf8.ValidString(raw) || strings.ContainsRune(raw, 0) {
		return nil, badFilter("the filter is not text")
	}
	plain, err := c.hide(strings.TrimSpace(raw))
	if err != nil {
		return nil, err
	}
	parsed, err := filter.ParseFilterNumber([]byte(plain))
	if err != nil {
		return nil, badFilter("the filter cannot be read: write attribute, operator and value, such as userName eq \"ada@example.com\"")
	}
	return c.node(parsed)
}

func (c *compiler) node(parsed filter.Expression) (node, error) {
	switch e := parsed.(type) {
	case *filter.LogicalExpression:
		left, err := c.node(e.Left)
		if err != nil {
			return nil, err
		}
		right, err := c.node(e.Right)
		if err != nil {
			return nil, err
		}
		if e.Operator == filter.AND {
			return &bothNode{left, right}, nil
		}
		return &eitherNode{left, right}, nil
	case *filter.NotExpression:
		of, err := c.node(e.Expression)
		if err != nil {
			return nil, err
		}
		return &notNode{of}, nil
	case *filter.AttributeExpression:
		return c.attribute(e)
	}
	return nil, badFilter("the filter cannot be read")
}

// attribute compiles one comparison, of a plain attribute or a hidden one.
func (c *compiler) attribute(e *filter.AttributeExpression) (node, error) {
	if e.AttributePath.URIPrefix != nil {
		return nil, badFilter("the filter cannot be read")
	}
	p := path{name: e.AttributePath.AttributeName, sub: e.AttributePath.SubAttributeName()}
	if n, hidden := strings.CutPrefix(p.name, placeholder); hidden {
		i, err := strconv.Atoi(n)
		if err != nil || i < 0 || i >= len(c.words) || p.sub != "" {
			return nil, badFilter("an attribute's name cannot be read")
		}
		var ok bool
		if p, ok = c.rt.parsePath(c.words[i]); !ok || p.name == "" || c.inner && (p.filter || p.urn != "") {
			return nil, badFilter("an attribute's name cannot be read")
		}
	}
	if !p.filter {
		return c.compare(c.target(p), e.Operator, e.CompareValue)
	}
	return c.some(p, e)
}

// some compiles name[where] and name[where].sub op value; Entra sends the latter,
// which RFC 7644's grammar lacks.
func (c *compiler) some(p path, e *filter.AttributeExpression) (node, error) {
	at := c.target(path{urn: p.urn, name: p.name})
	within := &compiler{rt: c.rt, of: at.def, inner: true}
	where, err := within.compile(p.where)
	if err != nil {
		return nil, err
	}
	if p.sub != "" {
		value, err := within.compare(within.target(path{name: p.sub}), e.Operator, e.CompareValue)
		if err != nil {
			return nil, err
		}
		where = &bothNode{where, value}
	}
	return &someNode{at, where}, nil
}

func (c *compiler) target(p path) target {
	t := target{urn: p.urn, name: p.name, sub: p.sub}
	if c.inner {
		t.def = c.of.sub(p.name)
	} else {
		t.def = c.rt.lookup(p.urn, p.name, c.common)
	}
	if t.def != nil {
		t.name = t.def.Name
	}
	if t.subDef = t.def.sub(p.sub); t.subDef != nil {
		t.sub = t.subDef.Name
	}
	return t
}

// compared is the attribute whose values are compared: of a complex one without a
// sub-attribute its value (RFC 7643 section 2.4).
func (t target) compared() *attribute {
	switch {
	case t.sub != "":
		return t.subDef
	case t.def != nil && t.def.Type == typeComplex:
		return t.def.sub("value")
	}
	return t.def
}

func (c *compiler) compare(at target, op filter.CompareOperator, value any) (node, error) {
	n := &compareNode{at: at, op: op, value: value}
	if op == filter.PR {
		return n, nil
	}
	if s, ok := value.(string); ok {
		if err := n.text(s); err != nil {
			return nil, err
		}
	}
	switch n.value.(type) {
	case bool, nil:
		if op != filter.EQ && op != filter.NE {
			return nil, badFilter("true, false and null are compared with eq and ne")
		}
	case json.Number:
		if op == filter.CO || op == filter.SW || op == filter.EW {
			return nil, badFilter("co, sw and ew compare texts")
		}
	}
	return n, nil
}

// text reads the text that is compared with, by the attribute's type.
func (n *compareNode) text(s string) error {
	def := n.at.compared()
	text, ok := unquote(s)
	if !ok {
		return badFilter("a text in the filter cannot be read")
	}
	if n.value = text; def != nil && def.Type == typeBoolean {
		if n.value, ok = truth(text); !ok {
			return badFilter(def.Name + " is true or false")
		}
	}
	if n.lower = text; def == nil || !def.CaseExact {
		n.lower = strings.ToLower(text)
	}
	if def != nil && def.Type == typeDateTime {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return badFilter(def.Name + " is compared with an instant such as 2026-11-30T18:00:00Z")
		}
		n.when = when
	}
	return nil
}

// unquote undoes the escapes of a JSON text without its quotes.
func unquote(s string) (string, bool) {
	if !strings.Contains(s, `\`) {
		return s, true
	}
	var out string
	err := json.Unmarshal([]byte(`"`+s+`"`), &out)
	return out, err == nil && !strings.ContainsRune(out, 0)
}

// truth reads true and false, also as the texts that Entra sends.
func truth(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}
