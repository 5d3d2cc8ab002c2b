package yamltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// Schema is a JSON Schema of files of one kind.
type Schema struct {
	source   []byte
	compiled *jsonschema.Schema
}

// NewSchema compiles a JSON Schema.
func NewSchema(t *testing.T, source []byte) Schema {
	t.Helper()
	const id = "urn:sendoff:schema:v1:test"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return Schema{source, s}
}

// Judge says what an editor would of a file.
func (s Schema) Judge(t *testing.T, source string) error {
	t.Helper()
	var n yaml.Node
	require.NoError(t, yaml.Load([]byte(source), &n))
	return s.compiled.Validate(asJSON(t, &n))
}

// asJSON is a document as an editor hands it to a JSON Schema: a day or an instant
// without quotes is a text.
func asJSON(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return asJSON(t, n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = asJSON(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, asJSON(t, c))
		}
		return out
	}
	if n.ShortTag() == "!!timestamp" {
		return n.Value
	}
	var v any
	require.NoError(t, n.Decode(&v))
	return v
}

// Agrees checks that schema and reader take the documents, or that both refuse each.
func (s Schema) Agrees(t *testing.T, take bool, docs []string, parse Parse) {
	t.Helper()
	for i, doc := range docs {
		report := parse("test.yaml", []byte(doc))
		require.Equal(t, take, report.Err() == nil, "%d: %v\n%s", i+1, report.Err(), doc)
		err := s.Judge(t, doc)
		require.Equal(t, take, err == nil, "%d: %v\n%s", i+1, err, doc)
	}
}

// KnowsTheMembersOf checks that schema and reader know the same members of every map.
// Parts are files with one unknown member, zzz, by where the schema describes the map
// that it stands in: the reader says which there are when it meets one. Definitions
// are those of the schema whose maps are looked at too.
func (s Schema) KnowsTheMembersOf(t *testing.T, parse Parse, parts map[string]string, definitions ...string) {
	t.Helper()
	var doc struct {
		Properties map[string]any `json:"properties"`
		Defs       map[string]any `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(s.source, &doc))
	described := map[string][]string{"/properties": keysOf(doc.Properties)}
	membersOf(doc.Properties, "/properties", described)
	for _, name := range definitions {
		membersOf(doc.Defs[name], "/$defs/"+name, described)
	}
	known := map[string][]string{}
	for where, source := range parts {
		for _, p := range parse("test.yaml", []byte(source)).Errors {
			if strings.Contains(p.Message, `"zzz"`) {
				known[where] = strings.Split(strings.TrimPrefix(p.Fix, "use one of: "), ", ")
				slices.Sort(known[where])
			}
		}
	}
	require.Equal(t, described, known)
}

func keysOf(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

// membersOf gathers the members of every map that the schema describes. Conditions
// (if, then, else, not) describe none.
func membersOf(node any, path string, into map[string][]string) {
	switch n := node.(type) {
	case map[string]any:
		for key, child := range n {
			at := path + "/" + key
			switch key {
			case "if", "then", "else", "not", "allOf":
				continue
			case "properties":
				into[at] = keysOf(child.(map[string]any))
			}
			membersOf(child, at, into)
		}
	case []any:
		for i, child := range n {
			membersOf(child, fmt.Sprintf("%s/%d", path, i), into)
		}
	}
}

// HasDefinitionsOf checks that what one schema defines another has as a copy, also
// its descriptions.
func (s Schema) HasDefinitionsOf(t *testing.T, other []byte) {
	t.Helper()
	type document struct {
		Defs map[string]any `json:"$defs"`
	}
	var ours, theirs document
	require.NoError(t, json.Unmarshal(s.source, &ours))
	require.NoError(t, json.Unmarshal(other, &theirs))
	for name, def := range theirs.Defs {
		require.Equal(t, def, ours.Defs[name], name)
	}
}

// Published checks that the published copy is the schema. With UPDATE=1 it is
// written anew.
func Published(t *testing.T, file string, source []byte) {
	t.Helper()
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(file, source, 0o644))
	}
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(source), string(b), "run again with UPDATE=1 and -run "+t.Name())
}
