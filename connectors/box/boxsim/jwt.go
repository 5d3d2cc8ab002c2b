package boxsim

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
	key, err := jwt.ParseRSAPublicKeyFromPEM([]byte(publicKeyPEM))
	if err != nil || kid == "" {
		return fmt.Errorf("box simulator: app key %q: a key id and an RSA public key in PEM are needed: %w", kid, err)
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
	if !goodClient(form) {
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
		return nil, &oauthError{"unauthorized_client", "This app is not authorized by the enterprise admin"}
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
	return s.issue(userID, form.Get("client_id"), 0, now), nil
}

// verify checks algorithm, key and signature.
func (s *Sim) verify(assertion string) (jwt.MapClaims, *oauthError) {
	if assertion == "" {
		return nil, invalidRequest(`No "assertion" parameter found`)
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "RS384", "RS512"}), jwt.WithJSONNumber(), jwt.WithoutClaimsValidation())
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(assertion, claims, func(t *jwt.Token) (any, error) {
		kid, named := t.Header["kid"].(string)
		if !named {
			return s.anyKey(), nil
		}
		key, known := s.oauth.keys[kid]
		if !known {
			return nil, fmt.Errorf("the app has no key %q", kid)
		}
		return key.public, nil
	})
	if err != nil {
		return nil, invalidGrant("OAuth JWT signature verification failure. Please check the 'kid' and 'alg' headers and the key")
	}
	return claims, nil
}

// anyKey is every key of the app, for an assertion that names none: Box's own
// Node SDK sends no kid.
func (s *Sim) anyKey() jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, key := range s.oauth.keys {
		set.Keys = append(set.Keys, key.public)
	}
	return set
}

func (s *Sim) jwtSubject(claims jwt.MapClaims) (string, *oauthError) {
	sub, _ := claims["sub"].(string)
	kind, _ := claims["box_sub_type"].(string)
	if kind == "user" && s.switches.NoUserTokens {
		return "", invalidRequest("Cannot obtain user token based on the enterprise configuration for your app")
	}
	userID := s.subject(kind, sub)
	if userID == "" {
		return "", invalidGrant("Please check the 'sub' claim. The 'sub' specified is invalid.")
	}
	aud, err := claims.GetAudience()
	if err != nil || !slices.Contains(aud, jwtAudience) {
		return "", invalidGrant("Please check the 'aud' claim. The 'aud' must be " + jwtAudience)
	}
	return userID, nil
}

func (s *Sim) checkTimes(claims jwt.MapClaims) *oauthError {
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
func (s *Sim) burnJTI(claims jwt.MapClaims) *oauthError {
	jti, _ := claims["jti"].(string)
	if len(jti) < minJTI || len(jti) > maxJTI || s.oauth.jtis[jti] {
		return invalidGrant("Please check the 'jti' claim. A unique 'jti' value is required.")
	}
	s.oauth.jtis[jti] = true
	return nil
}
