package intake

import (
	"errors"
	"strings"

	"sendoff/schema"
)

// ParseReceiver reads who may receive content: a bare e-mail address, returned in
// lower case, or the name of a rule (schema.ReceiverRules).
func ParseReceiver(s string) (string, error) {
	s = strings.TrimSpace(s)
	if schema.IsReceiverRule(s) {
		return s, nil
	}
	address, err := ParseAddress(s)
	if err != nil {
		return "", errors.New("this is neither an e-mail address nor one of the rules " + strings.Join(schema.ReceiverRules(), ", "))
	}
	return address, nil
}
