package template_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"sendoff/internal/template"
)

const published = "../../docs/schemas/template.schema.json"

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(template.JSONSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("urn:sendoff:schema:v1:template", doc))
	s, err := c.Compile("urn:sendoff:schema:v1:template")
	require.NoError(t, err)
	return s
}

// asJSON is a document as an editor hands it to a JSON Schema: an instant without
// quotes is a text.
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

func judge(t *testing.T, s *jsonschema.Schema, source string) error {
	t.Helper()
	var n yaml.Node
	require.NoError(t, yaml.Load([]byte(source), &n))
	return s.Validate(asJSON(t, &n))
}

func TestSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for file, accepted := range map[string]bool{"valid": true, "invalid": false} {
		for i, doc := range documents(t, "testdata/"+file+".yaml") {
			_, report := template.Parse("test.yaml", []byte(doc), now)
			require.Equal(t, accepted, report.Err() == nil, doc)
			err := judge(t, s, doc)
			require.Equal(t, accepted, err == nil, "%s %d: %v\n%s", file, i+1, err, doc)
		}
	}
}

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/templates.md")
	require.NoError(t, err)
	s, examples := compiled(t), 0
	for i, m := range fence.FindAllSubmatch(page, -1) {
		source := string(m[1])
		if !strings.HasPrefix(source, "apiVersion: "+template.APIVersion) {
			continue
		}
		examples++
		_, report := template.Parse(fmt.Sprintf("example %d", i+1), m[1], now)
		require.NoError(t, report.Err())
		require.Empty(t, report.Warnings)
		require.NoError(t, judge(t, s, source))
	}
	require.GreaterOrEqual(t, examples, 2)
}

// TestPublishedSchema: with UPDATE=1 the published copy is written anew.
func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(published, template.JSONSchema(), 0o644))
	}
	b, err := os.ReadFile(published)
	require.NoError(t, err)
	require.Equal(t, string(template.JSONSchema()), string(b), "run: UPDATE=1 go test ./internal/template -run TestPublishedSchema")
}
