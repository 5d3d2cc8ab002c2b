package boxsim

import (
	"net/http"
	"net/url"
	"time"

	"sendoff/connectors/simkit"
)

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// oauthError is the error of the token endpoint (RFC 6749 section 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func invalidGrant(description string) *oauthError { return &oauthError{"invalid_grant", description} }

func invalidRequest(description string) *oauthError {
	return &oauthError{"invalid_request", description}
}

func invalidClient() *oauthError {
	return &oauthError{"invalid_client", "The client credentials are invalid"}
}

func (s *Sim) postToken(w http.ResponseWriter, r *http.Request) {
	call, form := s.oauthCall(w, r, opToken)
	if call == nil {
		return
	}
	call.Subject = form.Get("box_subject_type") + ":" + form.Get("box_subject_id")
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, failure := s.grant(form, s.clock.Now())
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
	s.head(call)
	s.mu.Unlock()
	return call, form
}

// client is the application that a request proves to be, or nil.
func (s *Sim) client(form url.Values) *application {
	if app := s.oauth.apps[form.Get("client_id")]; app != nil && form.Get("client_secret") == app.secret {
		return app
	}
	return nil
}

// grant answers a token request.
func (s *Sim) grant(form url.Values, now time.Time) (map[string]any, *oauthError) {
	grants := map[string]func(url.Values, time.Time) (map[string]any, *oauthError){
		"client_credentials": s.grantClient, jwtGrant: s.grantJWT,
		"authorization_code": s.grantCode, "refresh_token": s.grantRefresh,
	}
	do := grants[form.Get("grant_type")]
	if do == nil {
		return nil, invalidRequest("The grant type is unauthorized for this client_id")
	}
	if app := s.client(form); app != nil {
		if failure := s.refusedGrant(app); failure != nil {
			return nil, failure
		}
	}
	return do(form, now)
}

// grantClient answers client credentials. Box has one message for everything
// that can be wrong with them.
func (s *Sim) grantClient(form url.Values, now time.Time) (map[string]any, *oauthError) {
	kind := form.Get("box_subject_type")
	userID := s.subject(kind, form.Get("box_subject_id"))
	unauthorized := s.switches.AppState == "unauthorized" || kind == "user" && s.switches.NoUserTokens
	app := s.client(form)
	if app == nil || userID == "" || unauthorized {
		return nil, invalidGrant("Grant credentials are invalid")
	}
	return s.issue(userID, app, app.granted, 0, now), nil
}

// subject resolves whom a token is asked for: the enterprise's service account
// or an active managed user.
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

func (s *Sim) grantCode(form url.Values, now time.Time) (map[string]any, *oauthError) {
	app := s.client(form)
	if app == nil {
		return nil, invalidClient()
	}
	code := s.oauth.codes[form.Get("code")]
	if code == nil || code.app != app || !s.mayHoldTokens(code.user) {
		return nil, invalidGrant("Auth code doesn't exist or is invalid for the client")
	}
	delete(s.oauth.codes, form.Get("code"))
	if !now.Before(code.expires) {
		return nil, invalidGrant("The authorization code has expired")
	}
	if uri := form.Get("redirect_uri"); code.redirect != "" && uri != code.redirect {
		return nil, &oauthError{"redirect_uri_mismatch", "The redirect_uri differs from the one of the authorization"}
	}
	return s.issuePair(code.user, app, code.scopes, now), nil
}

// grantRefresh trades a refresh token, once, for a new pair.
func (s *Sim) grantRefresh(form url.Values, now time.Time) (map[string]any, *oauthError) {
	app := s.client(form)
	if app == nil {
		return nil, invalidClient()
	}
	value := form.Get("refresh_token")
	if value == "" {
		return nil, invalidRequest(`No "refresh_token" parameter found`)
	}
	g := s.oauth.refresh[value]
	if g == nil || g.app != app || !s.mayHoldTokens(g.user) {
		return nil, invalidGrant("Invalid refresh token")
	}
	delete(s.oauth.refresh, value)
	if !now.Before(g.expires) {
		return nil, invalidGrant("Refresh token has expired")
	}
	return s.issuePair(g.user, app, g.scopes, now), nil
}

func (s *Sim) mayHoldTokens(userID string) bool {
	u := s.w.user(userID)
	return u != nil && u.active()
}

// postRevoke ends a token; Box answers 200 without a body.
func (s *Sim) postRevoke(w http.ResponseWriter, r *http.Request) {
	call, form := s.oauthCall(w, r, opRevoke)
	if call == nil {
		return
	}
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.client(form) == nil {
			c.JSON(http.StatusBadRequest, invalidClient())
			return
		}
		s.revoke(form.Get("token"))
		c.JSON(http.StatusOK, nil)
	})
}
