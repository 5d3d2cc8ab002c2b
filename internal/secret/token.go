package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// TokenPrefix begins every API token, so that scanners find one where it does
// not belong.
const TokenPrefix = "sendoff_"

const tokenBytes = 32

// ErrBadToken means that a text does not have the form of an API token.
var ErrBadToken = errors.New("not a sendoff API token")

// TokenHash is what is stored of a token: its SHA-256. A token has 256 random
// bits, so neither salt nor slowness would make guessing harder.
type TokenHash [sha256.Size]byte

// String returns the hash in hexadecimal.
func (h TokenHash) String() string { return hex.EncodeToString(h[:]) }

// NewToken makes an API token. It is shown once; the hash is stored.
func NewToken() (Secret, TokenHash) {
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw) // never fails, crypto/rand ends the program instead
	token := TokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
	return New(token), sha256.Sum256([]byte(token))
}

// HashToken returns the hash to look a presented token up by, or ErrBadToken.
func HashToken(token string) (TokenHash, error) {
	encoded, ok := strings.CutPrefix(token, TokenPrefix)
	// The length is checked as well because the decoder skips line breaks.
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return TokenHash{}, ErrBadToken
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(encoded); err != nil {
		return TokenHash{}, ErrBadToken
	}
	return sha256.Sum256([]byte(token)), nil
}
