package yamlfile

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Mapping returns the members of a mapping, nil when n is something else. Each
// key must be one of those allowed and stand once.
func (r *Reader) Mapping(n *yaml.Node, path string, allowed ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.Fault(n, path, "type", "this is not a map of members", "write one or more of: "+strings.Join(allowed, ", "))
		return nil
	}
	members := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		_, twice := members[key.Value]
		switch {
		case !IsText(key) || !slices.Contains(allowed, key.Value):
			r.Fault(key, path, "unknown_member", "the member "+Quoted(key.Value)+" is unknown"+nearest(key.Value, allowed), "use one of: "+strings.Join(allowed, ", "))
		case twice:
			r.Fault(key, Under(path, key.Value), "duplicate", "the member stands twice", "keep one of them")
		default:
			members[key.Value] = value
		}
	}
	return members
}

// Some is Mapping for one that must not be empty.
func (r *Reader) Some(n *yaml.Node, path string, allowed ...string) map[string]*yaml.Node {
	m := r.Mapping(n, path, allowed...)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.Fault(n, path, "empty", "there are no parameters", "leave it out, or give: "+strings.Join(allowed, ", "))
	}
	return m
}

// Need returns a member that must be there.
func (r *Reader) Need(n *yaml.Node, m map[string]*yaml.Node, path, member, fix string) *yaml.Node {
	if m[member] == nil {
		r.Fault(n, Under(path, member), "required", "the member is missing", fix)
	}
	return m[member]
}

// Items returns what a list of 1 to most entries holds.
func (r *Reader) Items(n *yaml.Node, path string, most int) []*yaml.Node {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.Fault(n, path, "empty", "the list is empty", "add an entry, or leave the member out if it may be")
	}
	return r.UpTo(n, path, most)
}

// UpTo returns what a list of at most so many entries holds; it may be empty.
func (r *Reader) UpTo(n *yaml.Node, path string, most int) []*yaml.Node {
	switch {
	case n.Kind != yaml.SequenceNode:
		r.Fault(n, path, "type", "this is not a list", "write each entry on a line that begins with a dash")
	case len(n.Content) > most:
		r.Fault(n, path, "too_many", fmt.Sprintf("the list has %d entries", len(n.Content)), fmt.Sprintf("keep at most %d", most))
	default:
		return n.Content
	}
	return nil
}
