package secret

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Redacted stands wherever a Secret is printed.
const Redacted = "[secret]"

// Secret is a text that prints as Redacted, whatever prints it: fmt with any
// verb, encoding/json, slog, zap. Reveal is the one way to its value.
//
// The value lies behind a pointer because fmt ignores methods of unexported
// fields: printing a struct that holds a Secret then shows an address.
type Secret struct {
	value *string
}

var (
	_ fmt.Formatter  = Secret{}
	_ json.Marshaler = Secret{}
	_ slog.LogValuer = Secret{}
	_ driver.Valuer  = Secret{}
)

// New wraps a text.
func New(value string) Secret { return Secret{value: &value} }

// Reveal returns the text itself. Give it to the request that needs it, nowhere
// else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String returns Redacted.
func (s Secret) String() string { return Redacted }

// GoString returns Redacted.
func (s Secret) GoString() string { return Redacted }

// Format writes Redacted for every verb, also for those, such as %d, with which
// fmt would not ask String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// MarshalJSON returns Redacted.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(Redacted) }

// MarshalText returns Redacted.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns Redacted, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// UnmarshalText takes a secret from configuration or a request. It refuses
// Redacted: that is a secret read from our own output, and lost.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == Redacted {
		return fmt.Errorf("the value is %s, a placeholder from printed output; give the secret itself", Redacted)
	}
	*s = New(string(text))
	return nil
}

// Value keeps a Secret out of SQL arguments, where it would be stored in plain.
func (s Secret) Value() (driver.Value, error) {
	return nil, errors.New("a secret cannot be an SQL argument; seal it with a Keyring and store the sealed bytes")
}
