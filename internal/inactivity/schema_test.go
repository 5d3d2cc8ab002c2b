package inactivity_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/notices"
	"sendoff/internal/template"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func TestPolicySchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := yamltest.NewSchema(t, inactivity.JSONSchema())
	s.Agrees(t, true, policyDocuments(t, "valid"), parsePolicy)
	s.Agrees(t, false, policyDocuments(t, "invalid"), parsePolicy)
}

func TestSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	yamltest.NewSchema(t, inactivity.JSONSchema()).KnowsTheMembersOf(t, parsePolicy, map[string]string{
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
	})
}

// TestStepsAreThoseOfTemplates: also their descriptions, which are copied.
func TestStepsAreThoseOfTemplates(t *testing.T) {
	t.Parallel()
	yamltest.NewSchema(t, inactivity.JSONSchema()).HasDefinitionsOf(t, template.JSONSchema())
	type document struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	var ours, theirs document
	require.NoError(t, json.Unmarshal(inactivity.JSONSchema(), &ours))
	require.NoError(t, json.Unmarshal(template.JSONSchema(), &theirs))
	delete(ours.Properties["steps"], "description")
	delete(theirs.Properties["steps"], "description")
	require.Equal(t, theirs.Properties["steps"], ours.Properties["steps"])
}

func TestAskPlaceholdersAreThoseThatAreWritten(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, notices.Placeholders(schema.NoticeAsk), inactivity.AskPlaceholders())
}

func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	examples := yamltest.Examples(t, "../../docs/policies.md", "kind: "+inactivity.Kind+"\n")
	yamltest.NewSchema(t, inactivity.JSONSchema()).Agrees(t, true, examples, parsePolicy)
}

func TestPublishedPolicySchema(t *testing.T) {
	t.Parallel()
	yamltest.Published(t, "../../docs/schemas/inactivity-policy.schema.json", inactivity.JSONSchema())
}
