package inactivity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"sendoff/internal/inactivity"
	"sendoff/internal/notices"
	"sendoff/internal/template"
	"sendoff/schema"
)

const publishedPolicySchema = "../../docs/schemas/inactivity-policy.schema.json"

func compiledPolicySchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(inactivity.JSONSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("urn:sendoff:schema:v1:inactivity-policy", doc))
	s, err := c.Compile("urn:sendoff:schema:v1:inactivity-policy")
	require.NoError(t, err)
	return s
}

// policyAsJSON is a document as an editor hands it to a JSON Schema: a day or an
// instant without quotes is a text.
func policyAsJSON(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return policyAsJSON(t, n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = policyAsJSON(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, policyAsJSON(t, c))
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

func judgePolicy(t *testing.T, s *jsonschema.Schema, source string) error {
	t.Helper()
	var n yaml.Node
	require.NoError(t, yaml.Load([]byte(source), &n))
	return s.Validate(policyAsJSON(t, &n))
}

func TestPolicySchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := compiledPolicySchema(t)
	for file, accepted := range map[string]bool{"valid": true, "invalid": false} {
		for i, doc := range policyDocuments(t, file) {
			_, report := inactivity.Parse("test.yaml", []byte(doc), parsedAt)
			require.Equal(t, accepted, report.Err() == nil, doc)
			err := judgePolicy(t, s, doc)
			require.Equal(t, accepted, err == nil, "%s %d: %v\n%s", file, i+1, err, doc)
		}
	}
}

// policyParts are files with one unknown member, by where the schema describes the
// map that it stands in.
func policyParts() map[string]string {
	return map[string]string{
		"/properties":                                               "zzz: 1",
		"/properties/match/properties":                              "match: {zzz: 1}",
		"/properties/threshold/oneOf/1/properties":                  "threshold: {zzz: 1}",
		"/properties/threshold/oneOf/1/properties/kinds/properties": "threshold: {kinds: {zzz: 1}}",
		"/properties/threshold/oneOf/1/properties/roles/properties": "threshold: {roles: {zzz: 1}}",
		"/properties/exclude/items/properties":                      "exclude: [{zzz: 1}]",
		"/properties/ask/items/properties":                          "ask: [{zzz: 1}]",
		"/properties/budget/properties":                             "budget: {zzz: 1}",
		"/properties/schedule/properties":                           "schedule: {zzz: 1}",
		"/properties/schedule/properties/times/items/properties":    "schedule: {times: [{zzz: 1}]}",
		"/properties/schedule/properties/blackout/items/properties": "schedule: {blackout: [{zzz: 1}]}",
		"/properties/freshness/properties":                          "freshness: {zzz: 1}",
		"/properties/allow/properties":                              "allow: {zzz: 1}",
	}
}

// TestSchemaAndParserKnowTheSameMembers: the parser says which there are when it
// meets an unknown one.
func TestSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	var doc any
	require.NoError(t, json.Unmarshal(inactivity.JSONSchema(), &doc))
	described := map[string][]string{}
	membersOfSchema(doc.(map[string]any)["properties"], "/properties", described)
	described["/properties"] = slices.Sorted(keysOf(doc.(map[string]any)["properties"]))
	known := map[string][]string{}
	for where, source := range policyParts() {
		_, report := inactivity.Parse("test.yaml", []byte(source), parsedAt)
		for _, p := range report.Errors {
			if strings.Contains(p.Message, `"zzz"`) {
				known[where] = strings.Split(strings.TrimPrefix(p.Fix, "use one of: "), ", ")
				slices.Sort(known[where])
			}
		}
	}
	delete(described, "/properties/steps")
	require.Equal(t, described, known)
}

// keysOf yields the keys of a decoded object.
func keysOf(of any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range of.(map[string]any) {
			if !yield(key) {
				return
			}
		}
	}
}

// membersOfSchema gathers the members of every map that the schema describes.
// Conditions (if, then, else, not) describe none.
func membersOfSchema(node any, path string, into map[string][]string) {
	switch n := node.(type) {
	case map[string]any:
		for key, child := range n {
			at := path + "/" + key
			switch key {
			case "if", "then", "else", "not", "allOf":
				continue
			case "properties":
				if _, isMember := child.(map[string]any)["type"].(string); !isMember {
					into[at] = slices.Sorted(keysOf(child))
				}
			}
			membersOfSchema(child, at, into)
		}
	case []any:
		for i, child := range n {
			membersOfSchema(child, fmt.Sprintf("%s/%d", path, i), into)
		}
	}
}

// TestStepsAreThoseOfTemplates: also their descriptions, which are copied.
func TestStepsAreThoseOfTemplates(t *testing.T) {
	t.Parallel()
	type document struct {
		Properties map[string]map[string]any `json:"properties"`
		Defs       map[string]any            `json:"$defs"`
	}
	var ours, theirs document
	require.NoError(t, json.Unmarshal(inactivity.JSONSchema(), &ours))
	require.NoError(t, json.Unmarshal(template.JSONSchema(), &theirs))
	for name, def := range theirs.Defs {
		require.Equal(t, def, ours.Defs[name], name)
	}
	delete(ours.Properties["steps"], "description")
	delete(theirs.Properties["steps"], "description")
	require.Equal(t, theirs.Properties["steps"], ours.Properties["steps"])
}

func TestAskPlaceholdersAreThoseThatAreWritten(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, notices.Placeholders(schema.NoticeAsk), inactivity.AskPlaceholders())
}

var policyFence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/policies.md")
	require.NoError(t, err)
	s, examples := compiledPolicySchema(t), 0
	for i, m := range policyFence.FindAllSubmatch(page, -1) {
		source := string(m[1])
		if !strings.Contains(source, "kind: "+inactivity.Kind+"\n") {
			continue
		}
		examples++
		_, report := inactivity.Parse(fmt.Sprintf("example %d", i+1), m[1], parsedAt)
		require.NoError(t, report.Err())
		require.NoError(t, judgePolicy(t, s, source))
	}
	require.Positive(t, examples)
}

// TestPublishedPolicySchema: with UPDATE=1 the published copy is written anew.
func TestPublishedPolicySchema(t *testing.T) {
	t.Parallel()
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(publishedPolicySchema, inactivity.JSONSchema(), 0o644))
	}
	b, err := os.ReadFile(publishedPolicySchema)
	require.NoError(t, err)
	require.Equal(t, string(inactivity.JSONSchema()), string(b), "run: UPDATE=1 go test ./internal/inactivity -run TestPublishedPolicySchema")
}
