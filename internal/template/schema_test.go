package template_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/template"
	"sendoff/internal/yamlfile/yamltest"
)

func TestSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := yamltest.NewSchema(t, template.JSONSchema())
	s.Agrees(t, true, yamltest.Documents(t, "testdata/valid.yaml"), parse)
	s.Agrees(t, false, yamltest.Documents(t, "testdata/invalid.yaml"), parse)
}

func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	examples := yamltest.Examples(t, "../../docs/templates.md", "kind: Template\n")
	require.GreaterOrEqual(t, len(examples), 2)
	yamltest.NewSchema(t, template.JSONSchema()).Agrees(t, true, examples, parse)
	for _, source := range examples {
		require.Empty(t, parse("example", []byte(source)).Warnings)
	}
}

func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	yamltest.Published(t, "../../docs/schemas/template.schema.json", template.JSONSchema())
}
