package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// A sealed message is
//
//	version (1 byte) | key id (8) | salt (16) | nonce (12) | ciphertext | tag (16)
//
// encrypted by AES-256-GCM under a key of its own, see messageKey. Version and
// key id are authenticated together with the caller's associated data; the salt
// is by choosing the key.
const (
	sealVersion = 1
	headerBytes = 1 + len(KeyID{})
	saltBytes   = 16
	nonceBytes  = 12
	tagBytes    = 16

	// Overhead is how many bytes longer a sealed message is than its content.
	Overhead = headerBytes + saltBytes + nonceBytes + tagBytes
)

var (
	// ErrMalformed means that a ciphertext does not have the form above.
	ErrMalformed = errors.New("not a sealed message")
	// ErrAuthentication means that a ciphertext was altered, or belongs to
	// another purpose or another place than it was found in.
	ErrAuthentication = errors.New("sealed message is altered or out of place")
)

// AAD is associated data: it is not stored in the ciphertext, and the message
// opens only where the same is given again. Zero value: bound to nothing.
type AAD struct {
	encoded []byte
}

// NewAAD binds a message to fields, in order. Each is preceded by its length,
// so that no two lists of fields look alike.
func NewAAD(fields ...string) AAD {
	var b []byte
	for _, field := range fields {
		b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
		b = append(b, field...)
	}
	return AAD{encoded: b}
}

// RowAAD binds a message to one column of one row, and to the URLs its content
// is sent to: copied to another row, or left behind by a changed URL, it does
// not open.
func RowAAD(table, row, column string, urls ...string) AAD {
	return NewAAD(slices.Concat([]string{"row", table, row, column}, urls)...)
}

// Seal encrypts plaintext with the current key for a purpose and a place.
func (k *Keyring) Seal(purpose Purpose, aad AAD, plaintext []byte) ([]byte, error) {
	out := make([]byte, headerBytes+saltBytes+nonceBytes, Overhead+len(plaintext))
	out[0] = sealVersion
	copy(out[1:], k.current[:])
	_, _ = rand.Read(out[headerBytes:]) // never fails, crypto/rand ends the program instead
	m := message{header: out[:headerBytes], salt: out[headerBytes:][:saltBytes], nonce: out[headerBytes+saltBytes:]}
	aead, err := k.aead(purpose, m)
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, m.nonce, plaintext, m.authenticated(aad)), nil
}

// Open decrypts what Seal made, given the same purpose and associated data. It
// fails with ErrMalformed, ErrUnknownKey or ErrAuthentication.
func (k *Keyring) Open(purpose Purpose, aad AAD, sealed []byte) ([]byte, error) {
	m, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	aead, err := k.aead(purpose, m)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, m.nonce, m.body, m.authenticated(aad))
	if err != nil {
		return nil, fmt.Errorf("open a %s: %w", purpose, ErrAuthentication)
	}
	return plaintext, nil
}

// SealedWith returns the id of the key that a sealed message names.
func SealedWith(sealed []byte) (KeyID, error) {
	m, err := parse(sealed)
	if err != nil {
		return KeyID{}, err
	}
	return m.keyID(), nil
}

// message is a sealed message cut into its parts.
type message struct {
	header, salt, nonce, body []byte
}

func parse(sealed []byte) (message, error) {
	if len(sealed) < Overhead {
		return message{}, fmt.Errorf("%w: %d bytes, want at least %d", ErrMalformed, len(sealed), Overhead)
	}
	if sealed[0] != sealVersion {
		return message{}, fmt.Errorf("%w: version %d, want %d", ErrMalformed, sealed[0], sealVersion)
	}
	header, rest := sealed[:headerBytes], sealed[headerBytes:]
	salt, rest := rest[:saltBytes], rest[saltBytes:]
	return message{header: header, salt: salt, nonce: rest[:nonceBytes], body: rest[nonceBytes:]}, nil
}

func (m message) keyID() KeyID { return KeyID(m.header[1:]) }

func (m message) authenticated(aad AAD) []byte { return slices.Concat(m.header, aad.encoded) }

func (k *Keyring) aead(purpose Purpose, m message) (cipher.AEAD, error) {
	key, err := k.messageKey(m.keyID(), purpose, m.salt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
