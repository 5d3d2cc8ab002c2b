package inactivity

import (
	"bytes"
	_ "embed"
)

//go:embed inactivity-policy.schema.json
var jsonSchema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) of a policy file, for
// editors. It knows the form of a file; what a match asks and the order of steps
// are Parse's alone.
func JSONSchema() []byte { return bytes.Clone(jsonSchema) }

//go:embed inactivity-policy-test.schema.json
var testsJSONSchema []byte

// TestsJSONSchema returns the JSON Schema (draft 2020-12) of a file of policy tests,
// for editors.
func TestsJSONSchema() []byte { return bytes.Clone(testsJSONSchema) }
