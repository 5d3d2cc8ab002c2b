package accessreview

import (
	"bytes"
	_ "embed"
)

//go:embed access-review.schema.json
var jsonSchema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) of a file, for editors. It
// knows the form of a file; what conditions ask, the order of steps and what
// members mean together are Parse's alone.
func JSONSchema() []byte { return bytes.Clone(jsonSchema) }
