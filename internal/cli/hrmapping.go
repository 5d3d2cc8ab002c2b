package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"sendoff/internal/apiclient"
)

const (
	maxMappingBytes = 64 << 10
	maxMappingDepth = 8 // a mapping needs five levels
)

// mappingFile is a file that says how a source's webhooks are read and signed. It
// knows where its parts stand, so that the server's faults can be shown there.
type mappingFile struct {
	name      string
	lines     map[string]int
	problems  []apiclient.Problem
	Kind      string               `json:"kind"` // that the file is for; empty = it does not say
	Mapping   *apiclient.Mapping   `json:"mapping"`
	Signature *apiclient.Signature `json:"signature"`
}

// shape is what a part of the file must be: text, a list of a shape, a map from
// any name to a shape, or a map of certain members.
type shape struct {
	list, each *shape
	members    map[string]shape
}

func mappingShape() shape {
	text := shape{}
	texts := func(names ...string) map[string]shape {
		m := map[string]shape{}
		for _, n := range names {
			m[n] = text
		}
		return m
	}
	mapping := texts("list", "event_id")
	mapping["fields"] = shape{each: &text}
	mapping["words"] = shape{each: &shape{each: &text}}
	mapping["date_layouts"] = shape{list: &text}
	mapping["when"] = shape{each: &shape{list: &text}}
	return shape{members: map[string]shape{
		"kind": text, "mapping": {members: mapping}, "signature": {members: texts("header", "prefix", "hash", "encoding", "content", "timestamp", "event_id")},
	}}
}

// readMapping reads a file of YAML, of which JSON is a part. Every fault of its
// form is reported at once; what its values mean is the server's to check.
func (in *invocation) readMapping(file string) (mappingFile, error) {
	m := mappingFile{name: file, lines: map[string]int{}}
	text, err := in.readText(file, maxMappingBytes)
	if err != nil || strings.TrimSpace(text) == "" {
		return m, secretFault("the mapping's file", err, "name a file of YAML or JSON with the members mapping and signature")
	}
	value := m.load([]byte(text))
	if len(m.problems) == 0 {
		raw, err := json.Marshal(value) // texts, lists and maps of them
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			m.fault(0, "", "the file cannot be read", "see docs/webhooks.md")
		}
	}
	if len(m.problems) > 0 {
		return m, usage("the mapping's file cannot be used; nothing was changed", "", m.problems...)
	}
	return m, nil
}

func (m *mappingFile) fault(line int, path, message, fix string) {
	m.problems = append(m.problems, apiclient.Problem{Where: m.place(line, path), Message: message, Fix: fix})
}

func (m *mappingFile) place(line int, path string) string {
	where := m.name
	if line > 0 {
		where += fmt.Sprintf(" line %d", line)
	}
	if path != "" {
		where += " (" + path + ")"
	}
	return where
}

func (m *mappingFile) load(text []byte) any {
	l, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxMappingDepth))))
	var root, more yaml.Node
	if err == nil {
		err = l.Load(&root)
	}
	if err != nil {
		line := 0
		var e *yaml.LoadError
		if errors.As(err, &e) {
			line = e.Mark.Line
		}
		m.fault(line, "", "this is neither YAML nor JSON, or nests too deep", "check indentation, quotes and colons")
		return nil
	}
	if err := l.Load(&more); !errors.Is(err, io.EOF) {
		m.fault(more.Line, "", "the file has more than one document", "write one")
		return nil
	}
	top := &root
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		top = root.Content[0]
	}
	return m.fit(top, mappingShape(), "")
}

// fit reads a node of a shape. Scalars are the text that stands there: no or 007
// mean what is written.
func (m *mappingFile) fit(n *yaml.Node, s shape, path string) any {
	m.lines[path] = n.Line
	switch {
	case s.list != nil:
		if n.Kind != yaml.SequenceNode {
			m.fault(n.Line, path, "this is not a list", "write it as [one, another]")
			return nil
		}
		out := []any{}
		for i, c := range n.Content {
			out = append(out, m.fit(c, *s.list, fmt.Sprintf("%s[%d]", path, i)))
		}
		return out
	case s.each != nil || s.members != nil:
		return m.fitMap(n, s, path)
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		m.fault(n.Line, path, "this is not a text", "write one, in quotes where it may be read as something else")
	}
	return n.Value
}

func (m *mappingFile) fitMap(n *yaml.Node, s shape, path string) any {
	if n.Kind != yaml.MappingNode {
		m.fault(n.Line, path, "this is not a map of names to values", "write it as name: value, one below the other")
		return nil
	}
	out := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		inner, known := s.members[key.Value]
		if s.each != nil {
			inner, known = *s.each, true
		}
		_, twice := out[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			m.fault(key.Line, path, "a name is not a text", "write names as plain text")
		case !known:
			m.fault(key.Line, at, "there is no such member", "use one of: "+strings.Join(namesOf(s.members), ", "))
		case twice:
			m.fault(key.Line, at, "the name stands here twice", "keep one")
		default:
			out[key.Value] = m.fit(value, inner, at)
		}
	}
	return out
}

func namesOf(members map[string]shape) []string {
	names := make([]string, 0, len(members))
	for n := range members {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// placed says where in the file a part that the server faults stands; parts of
// what is missing stand where it should be.
func (m *mappingFile) placed(where string) (string, bool) {
	for path := where; path != ""; {
		if line, ok := m.lines[path]; ok {
			return m.place(line, where), true
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return where, false
}
