package schema

import (
	"fmt"
	"strings"
	"unicode"
)

// Visible is text that others wrote as it may be shown to whoever decides by it. What
// moves the cursor of a terminal, or turns the order of letters around
// (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing), is told by its
// number, such as [U+202E]: whoever chose a name does not choose what stands beside
// it. Lines and tabs stay.
func Visible(text string) string { return visible(text, "\n\t") }

// VisibleLine is Visible for a line, which a name does not end either.
func VisibleLine(text string) string { return visible(text, "") }

func visible(text, but string) string {
	hidden := func(r rune) bool { return hides(r) && !strings.ContainsRune(but, r) }
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hides tells whether a character acts instead of being seen: controls, the
// separators of lines and paragraphs, and the embeddings, overrides and isolates of
// the order of letters.
func hides(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}
