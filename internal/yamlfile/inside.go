package yamlfile

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// Inside is the place of a character of a text, by its line and column there
// (both from 1, in characters). It is n itself where YAML's escapes hide it.
func (r *Reader) Inside(n *yaml.Node, line, column int) *yaml.Node {
	want := offset([]rune(n.Value), line, column)
	if n.Line < 1 || n.Line > len(r.source) || want < 0 {
		return n
	}
	c := cursor{lines: r.source, line: n.Line - 1, column: n.Column - 1}
	if !c.open(n.Style) {
		return n
	}
	for i, char := range []rune(n.Value) {
		if unicode.IsSpace(char) {
			continue // folding and indentation change white space alone
		}
		if !c.seek(char) {
			return n
		}
		if i >= want {
			return &yaml.Node{Line: c.line + 1, Column: c.column + 1}
		}
		c.column++
	}
	return &yaml.Node{Line: c.line + 1, Column: c.column + 1} // behind the last one
}

// offset counts the characters before a place of a text, -1 for none.
func offset(text []rune, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		for at < len(text) && text[at] != '\n' {
			at++
		}
		if at++; at > len(text) {
			return -1
		}
	}
	if column < 1 {
		return -1
	}
	return at + column - 1
}

// cursor walks the characters of a source.
type cursor struct {
	lines        []string
	line, column int // from 0
	quote        rune
}

func (c *cursor) runes() []rune { return []rune(c.lines[c.line]) }

// open goes behind what begins a scalar of a style.
func (c *cursor) open(style yaml.Style) bool {
	switch {
	case style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.line, c.column = c.line+1, 0
	case style&yaml.DoubleQuotedStyle != 0:
		c.quote, c.column = '"', c.column+1
	case style&yaml.SingleQuotedStyle != 0:
		c.quote, c.column = '\'', c.column+1
	}
	return c.line < len(c.lines)
}

// seek goes over white space and an escape's first half to a character, and tells
// whether it is the one that comes there.
func (c *cursor) seek(want rune) bool {
	for c.line < len(c.lines) {
		runes := c.runes()
		for c.column < len(runes) && unicode.IsSpace(runes[c.column]) {
			c.column++
		}
		if c.column >= len(runes) {
			c.line, c.column = c.line+1, 0
			continue
		}
		if c.escapes(runes, want) {
			c.column++
		}
		return runes[c.column] == want
	}
	return false
}

// escapes tells whether the character before the wanted one escapes it.
func (c *cursor) escapes(runes []rune, want rune) bool {
	if c.column+1 >= len(runes) || runes[c.column+1] != want {
		return false
	}
	switch c.quote {
	case '"':
		return runes[c.column] == '\\' && strings.ContainsRune(`"\/`, want)
	case '\'':
		return runes[c.column] == '\'' && want == '\''
	}
	return false
}
