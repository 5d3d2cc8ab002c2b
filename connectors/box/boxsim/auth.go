package boxsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sendoff/connectors/simkit"
)

// rateWindow is the window of the rate limit, in wall time.
const rateWindow = time.Minute

// scope is what a route asks of a token.
type scope int

const (
	scopeNone       scope = iota
	scopeContent          // root_readonly, root_readwrite for writes
	scopeUsers            // manage_managed_users, and an administrator
	scopeGroups           // manage_groups, and an administrator
	scopeEnterprise       // manage_enterprise_properties, and an administrator
	scopeGovernance       // manage_data_retention and manage_legal_hold
)

type token struct {
	user     string
	readOnly bool
	expires  time.Time
}

// nameCaller fills in who calls, for the log; it refuses nothing.
func (s *Sim) nameCaller(c *simkit.Call) {
	t := s.tokens[bearer(c.Request)]
	if t == nil || !s.clock.Now().Before(t.expires) {
		return
	}
	c.TokenUser, c.ActingUser = t.user, t.user
	if as := c.Request.Header.Get("As-User"); as != "" {
		c.ActingUser = as
	}
}

func bearer(r *http.Request) string {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(value)
}

// authorize checks, in Box's order, the token, the impersonation, the rate and
// the scope.
func (s *Sim) authorize(q *request, rt route) *apiError {
	q.token = s.tokens[bearer(q.call.Request)]
	if q.token == nil || !q.now.Before(q.token.expires) {
		return invalidToken()
	}
	q.owner = s.w.user(q.token.user)
	if q.owner == nil {
		return invalidToken()
	}
	switch {
	case s.switches.AppState == "disabled":
		return appDisabled()
	case !q.owner.active():
		return s.deactivated()
	}
	q.actor = q.owner
	if as := q.call.Request.Header.Get("As-User"); as != "" {
		if err := s.impersonate(q, as); err != nil {
			return err
		}
	}
	if err := s.debit(q); err != nil {
		return err
	}
	return s.checkScope(q, rt)
}

// impersonate applies the As-User header: admins act as anybody but service
// accounts, coadmins and service accounts as plain users alone.
func (s *Sim) impersonate(q *request, id string) *apiError {
	target := s.w.user(id)
	if target == nil || target.external || s.switches.NoAsUser {
		return denied()
	}
	if target != q.owner {
		switch {
		case !q.owner.privileged(), target.service:
			return denied()
		case q.owner.role != roleAdmin && target.role != roleUser:
			return denied()
		}
	}
	if !target.active() {
		return s.deactivated()
	}
	q.actor = target
	return nil
}

// debit counts the call against the acting user and the token's user.
func (s *Sim) debit(q *request) *apiError {
	if s.cfg.Rate <= 0 {
		return nil
	}
	payers := []string{q.actor.id, q.owner.id}
	switch {
	case s.switches.AsUserDebits == "caller":
		payers = payers[1:]
	case s.switches.AsUserDebits == "acting", q.owner == q.actor:
		payers = payers[:1]
	}
	for _, id := range payers {
		calls := s.calls[id]
		for len(calls) > 0 && q.now.Sub(calls[0]) >= rateWindow {
			calls = calls[1:]
		}
		s.calls[id] = calls
		if len(calls) >= s.cfg.Rate {
			e := fail(http.StatusTooManyRequests, "rate_limit_exceeded", "Request rate limit exceeded, please try again later")
			wait := rateWindow - q.now.Sub(calls[0])
			e.retryAfter = max(1, int(math.Ceil(wait.Seconds())))
			return e
		}
	}
	for _, id := range payers {
		s.calls[id] = append(s.calls[id], q.now)
	}
	return nil
}

func (s *Sim) checkScope(q *request, rt route) *apiError {
	read := q.call.Request.Method == http.MethodGet
	switch {
	case q.token.readOnly && !read:
		return insufficientScope()
	case rt.scope == scopeGovernance && s.switches.NoGovernanceScope:
		return insufficientScope()
	case rt.scope > scopeContent && !q.actor.privileged():
		return denied()
	case rt.scope > scopeContent && q.actor.role == roleCoadmin && s.switches.CoadminsRestricted:
		return denied()
	}
	return nil
}

// issue makes an access token of a user for one of the two clients.
func (s *Sim) issue(userID string, readOnly bool, now time.Time) string {
	s.issued++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s", s.cfg.Seed, s.issued, userID))
	value := hex.EncodeToString(sum[:16])
	s.tokens[value] = &token{user: userID, readOnly: readOnly, expires: now.Add(s.cfg.TokenLife)}
	return value
}

// oauthError is the error of the token endpoint (RFC 6749 section 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (s *Sim) postToken(w http.ResponseWriter, r *http.Request) {
	call, form := s.oauthCall(w, r, "token")
	if call == nil {
		return
	}
	call.Subject = form.Get("box_subject_type") + ":" + form.Get("box_subject_id")
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, failure := s.grant(form)
		if failure != nil {
			c.JSON(http.StatusBadRequest, failure)
			return
		}
		c.JSON(http.StatusOK, body)
	})
}

func (s *Sim) oauthCall(w http.ResponseWriter, r *http.Request, op string) (*simkit.Call, url.Values) {
	call, err := simkit.NewCall(r, op, "")
	if err != nil {
		http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
		return nil, nil
	}
	form, err := url.ParseQuery(string(call.Body))
	if err != nil {
		form = url.Values{}
	}
	s.mu.Lock()
	call.Header().Set("box-request-id", s.nextRequestID())
	s.mu.Unlock()
	return call, form
}

// grant answers a token request. Client credentials are the one grant known.
func (s *Sim) grant(form url.Values) (map[string]any, *oauthError) {
	if form.Get("grant_type") != "client_credentials" {
		return nil, &oauthError{"invalid_request", "The grant type is unauthorized for this client_id"}
	}
	client := form.Get("client_id")
	known := client == MainClientID || client == ReadOnlyClientID
	userID := s.subject(form.Get("box_subject_type"), form.Get("box_subject_id"))
	if !known || form.Get("client_secret") != ClientSecret || userID == "" {
		return nil, &oauthError{"invalid_grant", "Grant credentials are invalid"}
	}
	return map[string]any{
		"access_token":  s.issue(userID, client == ReadOnlyClientID, s.clock.Now()),
		"expires_in":    int(s.cfg.TokenLife.Seconds()),
		"token_type":    "bearer",
		"restricted_to": []any{},
	}, nil
}

func (s *Sim) subject(kind, id string) string {
	switch {
	case kind == "enterprise" && id == EnterpriseID:
		return s.service
	case kind == "user":
		if u := s.w.user(id); u != nil && u.active() && !u.external && !u.service {
			return id
		}
	}
	return ""
}

// postRevoke ends a token; Box answers 200 without a body.
func (s *Sim) postRevoke(w http.ResponseWriter, r *http.Request) {
	call, form := s.oauthCall(w, r, "revoke")
	if call == nil {
		return
	}
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		client := form.Get("client_id")
		if client != MainClientID && client != ReadOnlyClientID || form.Get("client_secret") != ClientSecret {
			c.JSON(http.StatusBadRequest, &oauthError{"invalid_client", "The client credentials are invalid"})
			return
		}
		delete(s.tokens, form.Get("token"))
		c.JSON(http.StatusOK, nil)
	})
}
