package intake

import (
	"errors"
	"net/mail"
	"strings"
)

// maxAddress is the longest address that can be used (RFC 5321 section 4.5.3.1.3).
const maxAddress = 254

// ParseAddress reads a bare e-mail address and returns it in lower case: logins
// are compared without regard to case. A display name, a comment or a list is
// refused.
func ParseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := errors.New("this is not an e-mail address: write it bare, such as ada@example.com")
	if s == "" || len(s) > maxAddress {
		return "", bad
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s {
		return "", bad
	}
	if _, domain, _ := strings.Cut(a.Address, "@"); strings.HasPrefix(domain, "[") {
		return "", bad
	}
	return strings.ToLower(a.Address), nil
}
