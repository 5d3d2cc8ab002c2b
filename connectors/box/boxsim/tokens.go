package boxsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sendoff/connectors/simkit"
)

// How long Box's tokens live where the configuration does not say else.
const (
	codeLife    = 30 * time.Second
	refreshLife = 60 * 24 * time.Hour
)

type token struct {
	user    string
	app     *application
	scopes  scopeSet
	expires time.Time
	pair    int // shared with the refresh token that came along; 0 without one
}

// grantToken is an authorization code or a refresh token: good for one use by
// one client.
type grantToken struct {
	user     string
	app      *application
	scopes   scopeSet
	redirect string
	expires  time.Time
	pair     int
}

// oauthState is what the token endpoint remembers. Sim.mu guards it.
type oauthState struct {
	apps    map[string]*application
	codes   map[string]*grantToken
	refresh map[string]*grantToken
	keys    map[string]appKey
	jtis    map[string]bool
	pairs   int
}

func newOAuthState() oauthState {
	return oauthState{
		apps: builtInApps(), codes: map[string]*grantToken{}, refresh: map[string]*grantToken{}, keys: map[string]appKey{}, jtis: map[string]bool{},
	}
}

// secret makes the value of a token or code; one seed makes one sequence.
func (s *Sim) secret(userID string) string {
	s.issued++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s", s.cfg.Seed, s.issued, userID))
	return hex.EncodeToString(sum[:16])
}

// issue makes an access token of a user for an application.
func (s *Sim) issue(userID string, app *application, scopes scopeSet, pair int, now time.Time) map[string]any {
	value := s.secret(userID)
	s.tokens[value] = &token{user: userID, app: app, scopes: scopes, expires: now.Add(s.cfg.TokenLife), pair: pair}
	return map[string]any{
		"access_token": value, "expires_in": int(s.cfg.TokenLife.Seconds()), "token_type": "bearer", "restricted_to": []any{},
	}
}

// issuePair makes an access token and the refresh token for the next one.
// Both have the scopes of the consent they go back to.
func (s *Sim) issuePair(userID string, app *application, scopes scopeSet, now time.Time) map[string]any {
	s.oauth.pairs++
	body := s.issue(userID, app, scopes, s.oauth.pairs, now)
	value := s.secret(userID)
	s.oauth.refresh[value] = &grantToken{user: userID, app: app, scopes: scopes, expires: now.Add(s.cfg.RefreshLife), pair: s.oauth.pairs}
	body["refresh_token"] = value
	return body
}

// dropTokens ends all tokens of a user.
func (s *Sim) dropTokens(userID string) {
	for value, t := range s.tokens {
		if t.user == userID {
			delete(s.tokens, value)
		}
	}
	for value, g := range s.oauth.refresh {
		if g.user == userID {
			delete(s.oauth.refresh, value)
		}
	}
}

// expire ends the access token that a call came with.
func (s *Sim) expire(c *simkit.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, bearer(c.Request))
}

// revoke ends a token; either of a pair takes the other along.
func (s *Sim) revoke(value string) {
	pair := 0
	if t := s.tokens[value]; t != nil {
		pair = t.pair
	}
	if g := s.oauth.refresh[value]; g != nil {
		pair = g.pair
	}
	delete(s.tokens, value)
	delete(s.oauth.refresh, value)
	for other, t := range s.tokens {
		if pair != 0 && t.pair == pair {
			delete(s.tokens, other)
		}
	}
	for other, g := range s.oauth.refresh {
		if pair != 0 && g.pair == pair {
			delete(s.oauth.refresh, other)
		}
	}
}

// CodeSpec is a consent of a user: what Box hands to an app once somebody
// signed in. Client defaults to the main one.
type CodeSpec struct {
	User        string `json:"user"`
	Client      string `json:"client"`
	RedirectURI string `json:"redirect_uri"`
	// Scope narrows what the app may do, separated by spaces; empty is all.
	Scope string `json:"scope"`
}

// AddCode lets a user consent and returns the authorization code.
func (s *Sim) AddCode(spec CodeSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Client == "" {
		spec.Client = MainClientID
	}
	u := s.w.user(spec.User)
	app := s.oauth.apps[spec.Client]
	if u == nil || !u.active() || app == nil {
		return "", fmt.Errorf("box simulator: a code needs an active user and a client that is registered, such as %s", MainClientID)
	}
	ask := consent{app: app, scopes: app.granted}
	if !ask.narrow(spec.Scope) {
		return "", fmt.Errorf("box simulator: the client does not have these scopes: use some of %v", app.granted.names())
	}
	return s.newCode(u, app, spec.RedirectURI, ask.scopes), nil
}

// newCode makes an authorization code, which is bound to the redirect URI that
// the request named (RFC 6749 section 4.1.3).
func (s *Sim) newCode(u *user, app *application, redirect string, scopes scopeSet) string {
	value := s.secret(u.id)
	s.oauth.codes[value] = &grantToken{
		user: u.id, app: app, scopes: scopes, redirect: redirect, expires: s.clock.Now().Add(s.cfg.CodeLife),
	}
	return value
}

func (s *Sim) controlCode(spec CodeSpec) (any, error) {
	code, err := s.AddCode(spec)
	return map[string]string{"code": code}, err
}
