package accessreview_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"sendoff/internal/accessreview"
	"sendoff/internal/template"
)

const published = "../../docs/schemas/access-review.schema.json"

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(accessreview.JSONSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("urn:sendoff:schema:v1:access-review", doc))
	s, err := c.Compile("urn:sendoff:schema:v1:access-review")
	require.NoError(t, err)
	return s
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

func judge(t *testing.T, s *jsonschema.Schema, source string) error {
	t.Helper()
	var n yaml.Node
	require.NoError(t, yaml.Load([]byte(source), &n))
	return s.Validate(asJSON(t, &n))
}

func TestSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := compiledSchema(t)
	for file, accepted := range map[string]bool{"valid": true, "invalid": false} {
		for i, doc := range documents(t, file) {
			_, report := accessreview.Parse("test.yaml", []byte(doc), parsedAt)
			require.Equal(t, accepted, report.Err() == nil, doc)
			err := judge(t, s, doc)
			require.Equal(t, accepted, err == nil, "%s %d: %v\n%s", file, i+1, err, doc)
		}
	}
}

// parts are files with one unknown member, by where the schema describes the map
// that it stands in.
func parts() map[string]string {
	return map[string]string{
		"/properties":                                                                "zzz: 1",
		"/properties/scope/properties":                                               "scope: {zzz: 1}",
		"/properties/freshness/properties":                                           "freshness: {zzz: 1}",
		"/properties/schedule/properties":                                            "schedule: {zzz: 1}",
		"/properties/schedule/properties/times/items/properties":                     "schedule: {times: [{zzz: 1}]}",
		"/properties/schedule/properties/blackout/items/properties":                  "schedule: {blackout: [{zzz: 1}]}",
		"/properties/owners/items/properties":                                        "owners: [{zzz: 1}]",
		"/properties/decisions/properties":                                           "decisions: {zzz: 1}",
		"/properties/decisions/properties/carry/properties":                          "decisions: {carry: {zzz: 1}}",
		"/properties/time/properties":                                                "time: {zzz: 1}",
		"/properties/quality/properties":                                             "quality: {zzz: 1}",
		"/properties/quality/properties/controls/properties":                         "quality: {controls: {zzz: 1}}",
		"/properties/quality/properties/controls/properties/decoys/items/properties": "quality: {controls: {decoys: [{zzz: 1}]}}",
		"/properties/effect/properties":                                              "effect: {zzz: 1}",
		"/properties/effect/properties/budget/properties":                            "effect: {budget: {zzz: 1}}",
		"/$defs/stage/properties":                                                    "reviewers: [{name: a, zzz: 1}]",
		"/$defs/candidate/oneOf/1/properties":                                        "reviewers: [{zzz: 1}]",
		"/$defs/candidate/oneOf/1/properties/group/properties":                       "reviewers: [{group: {zzz: 1}}]",
	}
}

// TestSchemaAndParserKnowTheSameMembers: the parser says which there are when it
// meets an unknown one.
func TestSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(accessreview.JSONSchema(), &doc))
	described := map[string][]string{"/properties": keysOf(doc["properties"])}
	membersOf(doc["properties"], "/properties", described)
	for _, name := range []string{"stage", "candidate"} {
		membersOf(doc["$defs"].(map[string]any)[name], "/$defs/"+name, described)
	}
	known := map[string][]string{}
	for where, source := range parts() {
		_, report := accessreview.Parse("test.yaml", []byte(source), parsedAt)
		for _, p := range report.Errors {
			if strings.Contains(p.Message, `"zzz"`) {
				known[where] = strings.Split(strings.TrimPrefix(p.Fix, "use one of: "), ", ")
				slices.Sort(known[where])
			}
		}
	}
	require.Equal(t, described, known)
}

func keysOf(of any) []string { return slices.Sorted(maps.Keys(of.(map[string]any))) }

// membersOf gathers the members of every map that the schema describes. Conditions
// describe none.
func membersOf(node any, path string, into map[string][]string) {
	switch n := node.(type) {
	case map[string]any:
		for key, child := range n {
			at := path + "/" + key
			switch key {
			case "if", "then", "else", "not", "allOf":
				continue
			case "properties":
				into[at] = keysOf(child)
			}
			membersOf(child, at, into)
		}
	case []any:
		for i, child := range n {
			membersOf(child, fmt.Sprintf("%s/%d", path, i), into)
		}
	}
}

// TestStepsAreThoseOfTemplates: also their descriptions, which are copied.
func TestStepsAreThoseOfTemplates(t *testing.T) {
	t.Parallel()
	type document struct {
		Defs map[string]any `json:"$defs"`
	}
	var ours, theirs document
	require.NoError(t, json.Unmarshal(accessreview.JSONSchema(), &ours))
	require.NoError(t, json.Unmarshal(template.JSONSchema(), &theirs))
	for name, def := range theirs.Defs {
		require.Equal(t, def, ours.Defs[name], name)
	}
}

// TestReadyReviews: the ready files are right and say nothing that is warned of.
func TestReadyReviews(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/reviews/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	s := compiledSchema(t)
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		rule, report := accessreview.Parse(name, source, parsedAt)
		require.NoError(t, report.Err(), name)
		require.Empty(t, report.Warnings, name)
		require.Equal(t, strings.TrimSuffix(filepath.Base(name), ".yaml"), rule.Name)
		require.NoError(t, judge(t, s, string(source)), name)
		_, err = accessreview.Compile(rule)
		require.NoError(t, err, name)
	}
}

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestDocumentedReviews(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reviews.md")
	require.NoError(t, err)
	s := compiledSchema(t)
	for i, m := range fence.FindAllSubmatch(page, -1) {
		if !bytes.Contains(m[1], []byte("kind: "+accessreview.Kind+"\n")) {
			continue
		}
		_, report := accessreview.Parse(fmt.Sprintf("example %d", i+1), m[1], parsedAt)
		require.NoError(t, report.Err())
		require.NoError(t, judge(t, s, string(m[1])))
	}
}

// TestPublishedSchema: with UPDATE=1 the published copy is written anew.
func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(published, accessreview.JSONSchema(), 0o644))
	}
	b, err := os.ReadFile(published)
	require.NoError(t, err)
	require.Equal(t, string(accessreview.JSONSchema()), string(b), "run: UPDATE=1 go test ./internal/accessreview -run TestPublishedSchema")
}
