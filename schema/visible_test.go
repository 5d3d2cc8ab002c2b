package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestVisibleTellsWhatActsInsteadOfBeingSeen(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Finance":                          "Finance",
		"":                                 "",
		"\u202egnp.exe\u202c":              "[U+202E]gnp.exe[U+202C]",
		"a\u2066b\u2069":                   "a[U+2066]b[U+2069]",
		"\x1b[2Jgone\x07":                  "[U+001B][2Jgone[U+0007]",
		"\u009b2J":                         "[U+009B]2J",
		"a\rb\x7f":                         "a[U+000D]b[U+007F]",
		"one\u2028two":                     "one[U+2028]two",
		"קבוצה \U0001F469\u200d\U0001F4BB": "קבוצה \U0001F469\u200d\U0001F4BB",
	} {
		require.Equal(t, want, schema.Visible(text), "%q", text)
		require.Equal(t, want, schema.VisibleLine(text), "%q", text)
	}
	require.Equal(t, "a\n\tb", schema.Visible("a\n\tb"))
	require.Equal(t, "a[U+000A][U+0009]b", schema.VisibleLine("a\n\tb"))
}
