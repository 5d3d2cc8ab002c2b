package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// AskToken is the token of the link by which the question of an id is answered: a
// code that only a holder of the current root key can compute. It is made when it
// is sent and stored nowhere; AskTokenHash of it is what is stored.
func (k *Keyring) AskToken(id string) string {
	mac := hmac.New(sha256.New, k.ask)
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// AskTokenHash is what a question is found by: the SHA-256 of its token's text, in
// hexadecimal.
func AskTokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
