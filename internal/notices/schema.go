package notices

import (
	"bytes"
	_ "embed"
)

//go:embed notices.schema.json
var jsonSchema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) of a file of rules, for
// editors. It knows the form of a file; whether two routes tell the same is
// Parse's alone.
func JSONSchema() []byte { return bytes.Clone(jsonSchema) }
