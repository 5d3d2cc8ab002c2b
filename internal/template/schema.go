package template

import (
	"bytes"
	_ "embed"
)

//go:embed template.schema.json
var jsonSchema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) of a template file, for
// editors. It knows the form of a file; the order of steps is Parse's alone.
func JSONSchema() []byte { return bytes.Clone(jsonSchema) }
