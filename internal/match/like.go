package match

import (
	"strings"
	"unicode/utf8"
)

// Like tells whether a text fits a pattern, in which * is any text and ? any one
// character. It takes time of at most the product of both lengths.
func Like(text, pattern string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, mark = j, i
			j++
		case j < len(pattern) && pattern[j] == '?':
			_, size := utf8.DecodeRuneInString(text[i:])
			i, j = i+size, j+1
		case j < len(pattern) && pattern[j] == text[i]:
			i, j = i+1, j+1
		case star >= 0:
			_, size := utf8.DecodeRuneInString(text[mark:])
			mark += size
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}
