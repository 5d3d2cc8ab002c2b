package scim

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sendoff/schema"
)

// pushDown is what the store selects by of a filter; exact means that it is all
// that the filter says.
func (rt *resourceType) pushDown(where node) (q schema.SCIMQuery, exact bool) {
	if where == nil {
		return q, true
	}
	return q, rt.push(where, &q)
}

func (rt *resourceType) push(where node, q *schema.SCIMQuery) bool {
	switch n := where.(type) {
	case *bothNode:
		left := rt.push(n.left, q)
		return rt.push(n.right, q) && left
	case *compareNode:
		return rt.pushCompare(n, q)
	case *someNode:
		return rt.pushSome(n, q)
	}
	return false
}

// pushCompare takes over an equality with a text that is not empty: an empty one
// would select everything.
func (rt *resourceType) pushCompare(n *compareNode, q *schema.SCIMQuery) bool {
	value, ok := n.value.(string)
	if !ok || value == "" || n.op != filter.EQ || n.at.urn != "" {
		return false
	}
	whole := n.at.sub == "" || n.at.sub == "value"
	switch {
	case n.at.name == rt.nameAttr && n.at.sub == "":
		return put(&q.Name, value)
	case n.at.name == "externalId" && n.at.sub == "":
		return put(&q.ExternalID, value)
	case n.at.name == "id" && n.at.sub == "":
		return put(&q.ID, value)
	case n.at.name == "members" && rt.isGroup() && whole:
		return put(&q.Member, value)
	case n.at.name == "emails" && !rt.isGroup() && whole:
		put(&q.Email, strings.ToLower(value))
	}
	return false
}

// pushSome takes over emails[.. value eq ..] and members[value eq ..].
func (rt *resourceType) pushSome(n *someNode, q *schema.SCIMQuery) bool {
	if n.at.urn != "" {
		return false
	}
	only, isCompare := n.where.(*compareNode)
	switch {
	case n.at.name == "members" && rt.isGroup() && isCompare:
		value, ok := only.value.(string)
		return ok && value != "" && only.op == filter.EQ && only.at.name == "value" && only.at.sub == "" && put(&q.Member, value)
	case n.at.name == "emails" && !rt.isGroup():
		if value := equalled(n.where, "value"); value != "" {
			put(&q.Email, strings.ToLower(value))
		}
	}
	return false
}

// equalled is the text that a filter says a sub-attribute must equal.
func equalled(where node, name string) string {
	switch n := where.(type) {
	case *bothNode:
		if s := equalled(n.left, name); s != "" {
			return s
		}
		return equalled(n.right, name)
	case *compareNode:
		if s, ok := n.value.(string); ok && n.op == filter.EQ && n.at.name == name && n.at.sub == "" {
			return s
		}
	}
	return ""
}

// put sets what is not set to anything else.
func put(to *string, value string) bool {
	if *to != "" && *to != value {
		return false
	}
	*to = value
	return true
}

// mentions tells whether a filter looks at an attribute.
func mentions(where node, name string) bool {
	switch n := where.(type) {
	case *bothNode:
		return mentions(n.left, name) || mentions(n.right, name)
	case *eitherNode:
		return mentions(n.left, name) || mentions(n.right, name)
	case *notNode:
		return mentions(n.of, name)
	case *compareNode:
		return n.at.name == name
	case *someNode:
		return n.at.name == name
	}
	return false
}
