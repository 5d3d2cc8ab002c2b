package boxsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha256" // RS256
	_ "crypto/sha512" // RS384 and RS512
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rules of Box for assertions
// (https://developer.box.com/guides/authentication/jwt/without-sdk/).
const (
	jwtAudience   = "https://api.box.com/oauth2/token"
	jwtMaxSeconds = 60
	minJTI        = 16
	maxJTI        = 128
)

type appKey struct{ public *rsa.PublicKey }

// AppKeySpec is the public half of an app's key pair, in PEM.
type AppKeySpec struct {
	KeyID     string `json:"kid"`
	PublicKey string `json:"public_key"`
}

// AddAppKey makes a public RSA key known to the app, so that assertions signed
// with its private half are accepted.
func (s *Sim) AddAppKey(kid, publicKeyPEM string) error {
	block, _ := pem.Decode([]byte(publicKeyPEM))
	if block == nil || kid == "" {
		return fmt.Errorf("box simulator: app key %q: a key id and an RSA public key in PEM are needed", kid)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, isRSA := parsed.(*rsa.PublicKey)
	if err != nil || !isRSA {
		return fmt.Errorf("box simulator: app key %q: the PEM block %q holds no RSA public key: use one of BEGIN PUBLIC KEY", kid, block.Type)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.keys[kid] = appKey{key}
	return nil
}

func (s *Sim) controlAppKey(spec AppKeySpec) (any, error) {
	return map[string]string{"kid": spec.KeyID}, s.AddAppKey(spec.KeyID, spec.PublicKey)
}

// grantJWT answers an assertion (RFC 7523) by Box's rules, judging times by the
// simulator's clock.
func (s *Sim) grantJWT(form url.Values, now time.Time) (map[string]any, *oauthError) {
	app := s.client(form)
	if app == nil {
		return nil, invalidClient()
	}
	claims, failure := s.verify(form.Get("assertion"))
	if failure != nil {
		return nil, failure
	}
	if iss, _ := claims["iss"].(string); iss != form.Get("client_id") {
		return nil, invalidGrant("Please check the 'iss' claim. The 'iss' must be the client id")
	}
	if s.switches.AppState == "unauthorized" {
		return nil, appUnauthorized()
	}
	userID, failure := s.jwtSubject(claims)
	if failure == nil {
		failure = s.checkTimes(claims)
	}
	if failure == nil {
		failure = s.burnJTI(claims)
	}
	if failure != nil {
		return nil, failure
	}
	return s.issue(userID, app, app.granted, 0, now), nil
}

// verify checks algorithm, key and signature (RFC 7515) and returns the claims.
func (s *Sim) verify(assertion string) (map[string]any, *oauthError) {
	if assertion == "" {
		return nil, invalidRequest(`No "assertion" parameter found`)
	}
	bad := invalidGrant("OAuth JWT signature verification failure. Please check the 'kid' and 'alg' headers and the key")
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil, bad
	}
	var header struct {
		Algorithm string  `json:"alg"`
		KeyID     *string `json:"kid"`
	}
	var claims map[string]any
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodePart(parts[0], &header) != nil || decodePart(parts[1], &claims) != nil {
		return nil, bad
	}
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}[header.Algorithm]
	if hash == 0 {
		return nil, bad
	}
	sum := hash.New()
	sum.Write([]byte(parts[0] + "." + parts[1]))
	for _, key := range s.keysNamed(header.KeyID) {
		if rsa.VerifyPKCS1v15(key.public, hash, sum.Sum(nil), signature) == nil {
			return claims, nil
		}
	}
	return nil, bad
}

// decodePart reads the header or the claims, with numbers as they were written.
func decodePart(part string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return dec.Decode(v)
}

// keysNamed are the keys an assertion may be signed with: the one it names, or
// every key of the app where it names none, as Box's own Node SDK does.
func (s *Sim) keysNamed(kid *string) []appKey {
	if kid == nil {
		return slices.Collect(maps.Values(s.oauth.keys))
	}
	if key, known := s.oauth.keys[*kid]; known {
		return []appKey{key}
	}
	return nil
}

// audience reads a claim that is one text or a list of them.
func audience(v any) []any {
	if list, isList := v.([]any); isList {
		return list
	}
	return []any{v}
}

func (s *Sim) jwtSubject(claims map[string]any) (string, *oauthError) {
	sub, _ := claims["sub"].(string)
	kind, _ := claims["box_sub_type"].(string)
	if kind == "user" && s.switches.NoUserTokens {
		return "", invalidRequest("Cannot obtain user token based on the enterprise configuration for your app")
	}
	userID := s.subject(kind, sub)
	if userID == "" {
		return "", invalidGrant("Please check the 'sub' claim. The 'sub' specified is invalid.")
	}
	if !slices.Contains(audience(claims["aud"]), any(jwtAudience)) {
		return "", invalidGrant("Please check the 'aud' claim. The 'aud' must be " + jwtAudience)
	}
	return userID, nil
}

func (s *Sim) checkTimes(claims map[string]any) *oauthError {
	now := s.skewed().Unix()
	exp, present, whole := seconds64(claims["exp"])
	if !present || !whole {
		return invalidGrant("Please check the 'exp' claim, Should be an integer")
	}
	issued := now
	if iat, sent, valid := seconds64(claims["iat"]); sent && valid {
		issued = iat
	}
	nbf, sent, _ := seconds64(claims["nbf"])
	switch {
	case exp <= now:
		return invalidGrant("Current date/time MUST be before the expiration date/time listed in the 'exp' claim")
	case exp-issued > jwtMaxSeconds, exp-now > jwtMaxSeconds:
		return invalidGrant("Please check the 'exp' claim. The 'exp' value exceeds the maximum value of 60 seconds beyond the issue time.")
	case sent && nbf > now+jwtMaxSeconds:
		return invalidGrant("Please check the 'nbf' claim. Current date/time MUST be after the date/time listed in the 'nbf' claim")
	}
	return nil
}

// seconds64 reads a NumericDate of whole seconds.
func seconds64(v any) (n int64, present, whole bool) {
	if v == nil {
		return 0, false, false
	}
	num, isNumber := v.(json.Number)
	n, err := strconv.ParseInt(string(num), 10, 64)
	return n, true, isNumber && err == nil
}

// burnJTI lets each assertion in once.
func (s *Sim) burnJTI(claims map[string]any) *oauthError {
	jti, _ := claims["jti"].(string)
	if len(jti) < minJTI || len(jti) > maxJTI || s.oauth.jtis[jti] {
		return invalidGrant("Please check the 'jti' claim. A unique 'jti' value is required.")
	}
	s.oauth.jtis[jti] = true
	return nil
}
