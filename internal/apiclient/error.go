package apiclient

import (
	"errors"
	"strings"
)

// The codes that this package gives itself; all others are the server's.
const (
	CodeUsage       = "usage"       // the client was set up wrongly
	CodeUnreachable = "unreachable" // no sendoff server answered
)

// Error is a problem document of the server (RFC 9457), or the reason why there
// is none.
type Error struct {
	Code     string    `json:"code"`
	Message  string    `json:"detail"`
	Fix      string    `json:"fix"`
	Problems []Problem `json:"problems"`
	// Changed, Version and State are of one word on an item that was refused: what is
	// other than what was shown, and what the item is now.
	Changed   []Difference `json:"changed"`
	Version   int          `json:"version"`
	State     string       `json:"state"`
	Status    int          `json:"-"` // HTTP status; 0 = no answer
	RequestID string       `json:"-"` // to find the request in the server's log
}

// Problem is one thing wrong with a request.
type Problem struct {
	Where   string `json:"where,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// Error joins message and problems in one line.
func (e *Error) Error() string {
	parts := []string{e.Message}
	for _, p := range e.Problems {
		text := p.Message
		if p.Where != "" {
			text = p.Where + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// CodeOf returns the code of the first Error in err's chain, or "".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
