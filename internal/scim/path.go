package scim

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"
)

// path is an attribute's path (RFC 7644 section 3.10), or that of a PATCH
// operation (section 3.5.2): urn:name[where].sub.
type path struct {
	urn    string // empty = the core schema
	name   string // empty = all of a schema
	where  string // the filter between the brackets
	filter bool   // whether there are brackets
	sub    string
}

// parsePath reads a path. The URN of a schema may hold what attributes may not,
// so it is cut off by hand: by one of the type's own, else at the last colon
// before a bracket.
func (rt *resourceType) parsePath(raw string) (path, bool) {
	var p path
	raw = strings.TrimSpace(raw)
	if len(raw) > maxFilter {
		return p, false
	}
	rest, whole := rt.cutURN(raw, &p)
	if whole {
		return p, true
	}
	head, tail, has := strings.Cut(rest, "[")
	if p.filter = has; has {
		end := closing(tail)
		if end < 0 {
			return p, false
		}
		p.where = strings.TrimSpace(tail[:end])
		after := tail[end+1:]
		if after != "" {
			if p.sub, has = strings.CutPrefix(after, "."); !has || !isName(p.sub) {
				return p, false
			}
		}
	}
	at, err := filter.ParseAttrPath([]byte(head))
	if err != nil || at.URIPrefix != nil || p.filter && at.SubAttribute != nil {
		return p, false
	}
	if p.name = at.AttributeName; at.SubAttribute != nil {
		p.sub = *at.SubAttribute
	}
	return p, true
}

// cutURN fills p.urn and returns what follows; whole means that nothing does.
func (rt *resourceType) cutURN(raw string, p *path) (rest string, whole bool) {
	for _, def := range []*schemaDef{&rt.core, rt.extension} {
		if def == nil || len(raw) < len(def.ID) || !strings.EqualFold(raw[:len(def.ID)], def.ID) {
			continue
		}
		after := raw[len(def.ID):]
		if after != "" && after[0] != ':' {
			continue
		}
		if def != &rt.core {
			p.urn = def.ID
		}
		return strings.TrimPrefix(after, ":"), after == ""
	}
	head, _, _ := strings.Cut(raw, "[")
	if colon := strings.LastIndexByte(head, ':'); colon >= 0 && isURN(head[:colon]) {
		p.urn = raw[:colon]
		return raw[colon+1:], false
	}
	return raw, false
}

func isURN(s string) bool {
	return len(s) > len("urn:") && strings.EqualFold(s[:len("urn:")], "urn:")
}

// closing is the index of the bracket that closes; texts in quotes do not count.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case b == '[' && !quoted:
			return -1
		case b == ']' && !quoted:
			return i
		}
	}
	return -1
}

// isName tells whether s can be an attribute's name.
func isName(s string) bool {
	at, err := filter.ParseAttrPath([]byte(s))
	return err == nil && at.URIPrefix == nil && at.SubAttribute == nil
}
