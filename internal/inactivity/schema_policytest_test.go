package inactivity_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

func compiledTestsSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(inactivity.TestsJSONSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("urn:sendoff:schema:v1:inactivity-policy-test", doc))
	s, err := c.Compile("urn:sendoff:schema:v1:inactivity-policy-test")
	require.NoError(t, err)
	return s
}

const oneCase = "apiVersion: sendoff/v1\nkind: InactivityPolicyTest\npolicy: dormant\nnow: 2026-06-01T06:00:00Z\ncases:\n  - name: a\n    expect: {verdict: matched}\n"

// TestTestsSchemaAgreesWithTheParser: on the tests that come with the documentation,
// and on what each refuses.
func TestTestsSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := compiledTestsSchema(t)
	files, err := filepath.Glob("../../docs/policies/*-test.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	accepted := map[string]bool{oneCase: true}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		accepted[string(b)] = true
	}
	for _, bad := range []string{
		strings.Replace(oneCase, "policy: dormant\n", "", 1),
		strings.Replace(oneCase, "matched", "taken", 1),
		oneCase + "    stray: 1\n",
		oneCase + "    account: {kind: robot}\n",
		oneCase + "    person: {employment: intern}\n",
		oneCase + "    activity: {collected: perhaps}\n",
	} {
		accepted[bad] = false
	}
	for source, ok := range accepted {
		_, report := inactivity.ParseTests("t.yaml", []byte(source))
		require.Equal(t, ok, report.Err() == nil, "%s: %v", source, report.Err())
		err := judgePolicy(t, s, source)
		require.Equal(t, ok, err == nil, "%s: %v", source, err)
	}
}

// TestTestsSchemaAndParserKnowTheSameMembers: the parser names them when it meets
// another.
func TestTestsSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	var doc any
	require.NoError(t, json.Unmarshal(inactivity.TestsJSONSchema(), &doc))
	described := map[string][]string{}
	properties := doc.(map[string]any)["properties"]
	membersOfSchema(properties, "/properties", described)
	described["/properties"] = slices.Sorted(keysOf(properties))
	item := "/properties/cases/items/properties"
	for where, source := range map[string]string{
		"/properties":                 "zzz: 1",
		item:                          "cases: [{zzz: 1}]",
		item + "/account/properties":  "cases: [{account: {zzz: 1}}]",
		item + "/activity/properties": "cases: [{activity: {zzz: 1}}]",
		item + "/person/properties":   "cases: [{person: {zzz: 1}}]",
		item + "/groups/items/oneOf/1/properties": "cases: [{groups: [{zzz: 1}]}]",
		item + "/expect/properties":               "cases: [{expect: {zzz: 1}}]",
	} {
		_, report := inactivity.ParseTests("t.yaml", []byte(source))
		var known []string
		for _, p := range report.Errors {
			if strings.Contains(p.Message, `"zzz"`) {
				known = strings.Split(strings.TrimPrefix(p.Fix, "use one of: "), ", ")
			}
		}
		slices.Sort(known)
		require.Equal(t, described[where], known, where)
	}
	verdicts := properties.(map[string]any)["cases"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)["expect"].(map[string]any)["properties"].(map[string]any)["verdict"].(map[string]any)["enum"].([]any)
	require.Len(t, verdicts, len(schema.VerdictReasons()))
	for _, v := range schema.VerdictReasons() {
		require.Contains(t, verdicts, string(v))
	}
}

func TestPublishedTestsSchema(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/schemas/inactivity-policy-test.schema.json")
	require.NoError(t, err)
	require.Equal(t, string(inactivity.TestsJSONSchema()), string(b))
}
