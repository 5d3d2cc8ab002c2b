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
	user     string
	readOnly bool
	expires  time.Time
	pair     int // shared with the refresh token that came along; 0 without one
}

// grantToken is an authorization code or a refresh token: good for one use by
// one client.
type grantToken struct {
	user, client string
	redirect     string
	expires      time.Time
	pair         int
}

// oauthState is what the token endpoint remembers. Sim.mu guards it.
type oauthState struct {
	codes   map[string]*grantToken
	refresh map[string]*grantToken
	keys    map[string]appKey
	jtis    map[string]bool
	pairs   int
}

func newOAuthState() oauthState {
	return oauthState{
		codes: map[string]*grantToken{}, refresh: map[string]*grantToken{}, keys: map[string]appKey{}, jtis: map[string]bool{},
	}
}

// secret makes the value of a token or code; one seed makes one sequence.
func (s *Sim) secret(userID string) string {
	s.issued++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s", s.cfg.Seed, s.issued, userID))
	return hex.EncodeToString(sum[:16])
}

// issue makes an access token of a user for one of the two clients.
func (s *Sim) issue(userID, client string, pair int, now time.Time) map[string]any {
	value := s.secret(userID)
	s.tokens[value] = &token{user: userID, readOnly: client == ReadOnlyClientID, expires: now.Add(s.cfg.TokenLife), pair: pair}
	return map[string]any{
		"access_token": value, "expires_in": int(s.cfg.TokenLife.Seconds()), "token_type": "bearer", "restricted_to": []any{},
	}
}

// issuePair makes an access token and the refresh token for the next one.
func (s *Sim) issuePair(userID, client string, now time.Time) map[string]any {
	s.oauth.pairs++
	body := s.issue(userID, client, s.oauth.pairs, now)
	value := s.secret(userID)
	s.oauth.refresh[value] = &grantToken{user: userID, client: client, expires: now.Add(s.cfg.RefreshLife), pair: s.oauth.pairs}
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
}

// AddCode lets a user consent and returns the authorization code.
func (s *Sim) AddCode(spec CodeSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Client == "" {
		spec.Client = MainClientID
	}
	u := s.w.user(spec.User)
	if u == nil || !u.active() || !knownClient(spec.Client) {
		return "", fmt.Errorf("box simulator: a code needs an active user and the client %s or %s", MainClientID, ReadOnlyClientID)
	}
	value := s.secret(u.id)
	s.oauth.codes[value] = &grantToken{
		user: u.id, client: spec.Client, redirect: spec.RedirectURI, expires: s.clock.Now().Add(s.cfg.CodeLife),
	}
	return value, nil
}

func (s *Sim) controlCode(spec CodeSpec) (any, error) {
	code, err := s.AddCode(spec)
	return map[string]string{"code": code}, err
}
