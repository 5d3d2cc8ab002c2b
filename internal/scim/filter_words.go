package scim

import (
	"strconv"
	"strings"
)

// hide puts placeholders in the place of attributes with brackets or a schema, and
// refuses what nests too deep for a parser that recurses.
func (c *compiler) hide(raw string) (string, error) {
	var out strings.Builder
	depth := 0
	for i := 0; i < len(raw); {
		switch b := raw[i]; b {
		case '"':
			end := endOfText(raw, i)
			out.WriteString(raw[i:end])
			i = end
		case ' ', '(', ')':
			if b == '(' {
				depth++
			}
			if depth > maxDepth {
				return "", badFilter("the filter has too many parentheses")
			}
			out.WriteByte(b)
			i++
		default:
			end := endOfWord(raw, i)
			if end < 0 {
				return "", badFilter("a bracket is not closed")
			}
			out.WriteString(c.word(raw[i:end]))
			i = end
		}
	}
	return out.String(), nil
}

// word hides one word if it must be.
func (c *compiler) word(w string) string {
	if !strings.ContainsAny(w, ":[") && !strings.HasPrefix(w, placeholder) {
		return w
	}
	c.words = append(c.words, w)
	name := placeholder + strconv.Itoa(len(c.words)-1)
	if strings.HasSuffix(w, "]") {
		return name + " pr"
	}
	return name
}

func endOfText(s string, from int) int {
	for i := from + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// endOfWord is where an attribute ends, brackets and all; -1 if they do not close.
func endOfWord(s string, from int) int {
	for i := from; i < len(s); i++ {
		switch s[i] {
		case ' ', '(', ')', '"':
			return i
		case '[':
			end := closing(s[i+1:])
			if end < 0 {
				return -1
			}
			i += end + 1
		}
	}
	return len(s)
}
