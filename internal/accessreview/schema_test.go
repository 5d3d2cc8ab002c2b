package accessreview_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/accessreview"
	"sendoff/internal/template"
	"sendoff/internal/yamlfile/yamltest"
)

func TestSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := yamltest.NewSchema(t, accessreview.JSONSchema())
	s.Agrees(t, true, documents(t, "valid"), parse)
	s.Agrees(t, false, documents(t, "invalid"), parse)
}

func TestSchemaAndParserKnowTheSameMembers(t *testing.T) {
	t.Parallel()
	yamltest.NewSchema(t, accessreview.JSONSchema()).KnowsTheMembersOf(t, parse, map[string]string{
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
	}, "stage", "candidate")
}

// TestStepsAreThoseOfTemplates: also their descriptions, which are copied.
func TestStepsAreThoseOfTemplates(t *testing.T) {
	t.Parallel()
	yamltest.NewSchema(t, accessreview.JSONSchema()).HasDefinitionsOf(t, template.JSONSchema())
}

// TestReadyReviews: the ready files are right and say nothing that is warned of.
func TestReadyReviews(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/reviews/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	s := yamltest.NewSchema(t, accessreview.JSONSchema())
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		rule, report := accessreview.Parse(name, source, parsedAt)
		require.NoError(t, report.Err(), name)
		require.Empty(t, report.Warnings, name)
		require.Equal(t, strings.TrimSuffix(filepath.Base(name), ".yaml"), rule.Name)
		require.NoError(t, s.Judge(t, string(source)), name)
		_, err = accessreview.Compile(rule)
		require.NoError(t, err, name)
	}
}

func TestDocumentedReviews(t *testing.T) {
	t.Parallel()
	examples := yamltest.Examples(t, "../../docs/reviews.md", "kind: "+accessreview.Kind+"\n")
	yamltest.NewSchema(t, accessreview.JSONSchema()).Agrees(t, true, examples, parse)
}

func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	yamltest.Published(t, "../../docs/schemas/access-review.schema.json", accessreview.JSONSchema())
}
