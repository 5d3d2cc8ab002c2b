package hooks_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/hooks"
	"sendoff/schema"
)

// TestExamplesOfThePage: what docs/webhooks.md shows is what is accepted.
func TestExamplesOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	sources, bodies := 0, 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(page, -1) {
		var shown struct {
			Kind      schema.SourceKind
			Type      string
			Signature *schema.Signature
			Mapping   *schema.Mapping
		}
		require.NoError(t, json.Unmarshal(block[1], &shown), "%s", block[1])
		if shown.Type != "" {
			change := read(t, own(), string(block[1]))
			require.Empty(t, change.Roster.Ignored)
			bodies++
			continue
		}
		require.Empty(t, hooks.CheckSource(schema.Source{Kind: shown.Kind, Signature: shown.Signature, Mapping: shown.Mapping}), "%s", block[1])
		sources++
	}
	require.Equal(t, 1, bodies)
	require.Equal(t, 6, sources)
}
