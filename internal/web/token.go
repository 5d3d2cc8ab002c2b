package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// tokenPrefix lets people and secret scanners recognise a token.
const tokenPrefix = "sendoff_"

// NewToken makes an API token of 256 random bits and the hash that is kept of
// it. The token is shown once and stored nowhere.
func NewToken() (token string, hash [32]byte) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; it stops the program instead
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return token, HashToken(token)
}

// HashToken is the hash under which a token is kept: a plain SHA-256, because a
// token has 256 random bits and nothing to guess.
func HashToken(token string) [32]byte { return sha256.Sum256([]byte(token)) }
