package box

import (
	"crypto/rand"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sendoff/schema"
)

const (
	// audience is whom each assertion is for, wherever the token host is
	// (https://developer.box.com/guides/authentication/jwt/without-sdk/).
	audience = "https://api.box.com/oauth2/token"
	// assertionLife is how long an assertion is good for: Box allows 60 s.
	assertionLife = 45 * time.Second
)

// signer signs the assertions of one application for one subject.
type signer struct {
	key     appKey
	subType string // enterprise or user
	sub     string
}

// newSigner makes a signer for the user, or for the enterprise without one.
func newSigner(key appKey, asUser schema.ExternalID) signer {
	if asUser != "" {
		return signer{key: key, subType: "user", sub: string(asUser)}
	}
	return signer{key: key, subType: "enterprise", sub: string(key.EnterpriseID)}
}

// sign makes an assertion that was never sent before: Box takes each jti once.
func (s signer) sign(at time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": string(s.key.AppSettings.ClientID), "sub": s.sub, "box_sub_type": s.subType, "aud": audience,
		"jti": rand.Text() + rand.Text(), "iat": at.Unix(), "exp": at.Add(assertionLife).Unix(),
	})
	t.Header["kid"] = string(s.key.AppSettings.AppAuth.PublicKeyID)
	return t.SignedString(s.key.key)
}
