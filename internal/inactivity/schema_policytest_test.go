package inactivity_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/yamlfile"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func parseTests(file string, source []byte) yamlfile.Report {
	_, report := inactivity.ParseTests(file, source)
	return report
}

const oneCase = "apiVersion: sendoff/v1\nkind: InactivityPolicyTest\npolicy: dormant\nnow: 2026-06-01T06:00:00Z\ncases:\n  - name: a\n    expect: {verdict: matched}\n"

// TestTestsSchemaAgreesWithTheParser: on the tests that come with the documentation,
// and on what each refuses.
func TestTestsSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := yamltest.NewSchema(t, inactivity.TestsJSONSchema())
	files, err := filepath.Glob("../../docs/policies/*-test.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	good := []string{oneCase}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		good = append(good, string(b))
	}
	s.Agrees(t, true, good, parseTests)
	s.Agrees(t, false, []string{
		strings.Replace(oneCase, "policy: dormant\n", "", 1),
		strings.Replace(oneCase, "matched", "taken", 1),
		oneCase + "    stray: 1\n",
		oneCase + "    account: {kind: robot}\n",
		oneCase + "    person: {employment: intern}\n",
		oneCase + "    activity: {collected: perhaps}\n",
	}, parseTests)
}

func TestTestsSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	item := "/properties/cases/items/properties"
	yamltest.NewSchema(t, inactivity.TestsJSONSchema()).KnowsTheMembersOf(t, parseTests, map[string]string{
		"/properties":                 "zzz: 1",
		item:                          "cases: [{zzz: 1}]",
		item + "/account/properties":  "cases: [{account: {zzz: 1}}]",
		item + "/activity/properties": "cases: [{activity: {zzz: 1}}]",
		item + "/person/properties":   "cases: [{person: {zzz: 1}}]",
		item + "/groups/items/oneOf/1/properties": "cases: [{groups: [{zzz: 1}]}]",
		item + "/expect/properties":               "cases: [{expect: {zzz: 1}}]",
	})
	var doc struct {
		Properties struct {
			Cases struct {
				Items struct {
					Properties struct {
						Expect struct {
							Properties struct {
								Verdict struct {
									Enum []schema.VerdictReason `json:"enum"`
								} `json:"verdict"`
							} `json:"properties"`
						} `json:"expect"`
					} `json:"properties"`
				} `json:"items"`
			} `json:"cases"`
		} `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(inactivity.TestsJSONSchema(), &doc))
	require.ElementsMatch(t, schema.VerdictReasons(), doc.Properties.Cases.Items.Properties.Expect.Properties.Verdict.Enum)
}

func TestPublishedTestsSchema(t *testing.T) {
	t.Parallel()
	yamltest.Published(t, "../../docs/schemas/inactivity-policy-test.schema.json", inactivity.TestsJSONSchema())
}
