package secret

import (
	"errors"
	"fmt"
)

// ErrWrongKey is returned when a database was set up with another key.
var ErrWrongKey = errors.New("wrong key")

const keyCheckText = "sendoff"

// NewKeyCheck returns a value to store in a new database. It lets later starts
// find out whether they hold the key that sealed the database's contents.
func (k *Keyring) NewKeyCheck() ([]byte, error) {
	return k.Seal(PurposeKeyCheck, NewAAD("key check"), []byte(keyCheckText))
}

// VerifyKeyCheck returns ErrWrongKey unless one of the keys made the stored
// value. The program must not go on then: it could open nothing, and what it
// sealed the right key could not open.
func (k *Keyring) VerifyKeyCheck(stored []byte) error {
	text, err := k.Open(PurposeKeyCheck, NewAAD("key check"), stored)
	if err == nil && string(text) == keyCheckText {
		return nil
	}
	var unknown *UnknownKeyError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w: this database was set up with key %s, but the key file holds %s; point SENDOFF_KEY_FILE at the right file, or add that key to it as a further line",
			ErrWrongKey, unknown.Want, k.current)
	}
	return fmt.Errorf("%w: the database's key check does not open with key %s, the stored value is damaged: %w", ErrWrongKey, k.current, err)
}
