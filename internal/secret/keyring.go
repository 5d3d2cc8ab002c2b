package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// RootKeyBytes is the length of a root key.
const RootKeyBytes = 32

// KeyID names a root key without telling it. It is derived from the key, so a
// key can never go by another's name.
type KeyID [8]byte

// String returns the id in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Purpose separates uses of the root key: what is sealed for one cannot be
// opened for another.
type Purpose string

// The purposes. Their text goes into the key derivation and never changes.
const (
	PurposeCredential Purpose = "credential"
	PurposePayload    Purpose = "temporal payload"
	PurposeKeyCheck   Purpose = "key check"
)

// Keyring holds root keys. It is safe for concurrent use.
type Keyring struct {
	current KeyID
	roots   map[KeyID][]byte
	ask     []byte // subkey of the current one, for the links of questions
}

// NewKeyring returns a keyring that seals with current and opens what any of
// the keys has sealed. Keys have RootKeyBytes bytes.
func NewKeyring(current []byte, older ...[]byte) (*Keyring, error) {
	k := &Keyring{roots: make(map[KeyID][]byte, 1+len(older))}
	for i, root := range slices.Concat([][]byte{current}, older) {
		if len(root) != RootKeyBytes {
			return nil, fmt.Errorf("root key %d has %d bytes, want %d", i+1, len(root), RootKeyBytes)
		}
		id, err := keyID(root)
		if err != nil {
			return nil, err
		}
		if _, twice := k.roots[id]; twice {
			return nil, fmt.Errorf("root key %s is given twice", id)
		}
		if i == 0 {
			k.current = id
			if k.ask, err = derive(root, nil, "sendoff ask link v1", RootKeyBytes); err != nil {
				return nil, err
			}
		}
		k.roots[id] = slices.Clone(root)
	}
	return k, nil
}

// GenerateKey returns a new root key.
func GenerateKey() []byte {
	key := make([]byte, RootKeyBytes)
	_, _ = rand.Read(key) // never fails, crypto/rand ends the program instead
	return key
}

// KeyID returns the id of the key that seals.
func (k *Keyring) KeyID() KeyID { return k.current }

// String names the current key, so that printing a keyring tells no key.
func (k *Keyring) String() string { return "keyring " + k.current.String() }

// GoString is String, for %#v.
func (k *Keyring) GoString() string { return k.String() }

func keyID(root []byte) (id KeyID, err error) {
	raw, err := derive(root, nil, "sendoff key id v1", len(id))
	copy(id[:], raw)
	return id, err
}

// messageKey derives the key of one message from a root key, a purpose and the
// message's random salt. With a key of its own for each message, the limit of
// 2^32 messages per key with random nonces (NIST SP 800-38D, 8.3) is out of reach.
func (k *Keyring) messageKey(id KeyID, purpose Purpose, salt []byte) ([]byte, error) {
	root, ok := k.roots[id]
	if !ok {
		return nil, &UnknownKeyError{Want: id, Have: k.current}
	}
	return derive(root, salt, "sendoff seal v1 "+string(purpose), 32)
}

// derive is HKDF-SHA256 (RFC 5869).
func derive(root, salt []byte, info string, length int) ([]byte, error) {
	return hkdf.Key(sha256.New, root, salt, info, length)
}

// ErrUnknownKey is matched by UnknownKeyError.
var ErrUnknownKey = errors.New("sealed with a key this keyring does not hold")

// UnknownKeyError says that a ciphertext names a key we do not have.
type UnknownKeyError struct {
	Want, Have KeyID
}

// Error names both keys; ids tell nothing about the keys.
func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("%s: it wants key %s, the current one is %s; add the older key as a further line of the key file", ErrUnknownKey, e.Want, e.Have)
}

// Is makes errors.Is(err, ErrUnknownKey) true.
func (e *UnknownKeyError) Is(target error) bool { return target == ErrUnknownKey }
