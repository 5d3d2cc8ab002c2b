package boxsim

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"sendoff/connectors/simkit"
)

// consentPage is what a person sees of an authorization: whom to sign in as, and
// what the application asks for. The same fields sent by POST are the consent.
const consentPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Grant access (simulated Box)</title></head>
<body><main>
{{if .Error}}<h1>Error: {{.Error}}</h1><p>{{.Description}}</p>
{{else}}<h1>{{.App}} asks for access to Box</h1>
<form method="post">
<p><label>Sign in as <select name="user">{{range .People}}<option value="{{.ID}}">{{.Name}} ({{.Role}}), {{.Login}}</option>{{end}}</select></label></p>
<p>It will be able to use:</p><ul>{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}<button name="decision" value="grant">Grant access to Box</button>
<button name="decision" value="deny">Deny</button>
</form>{{end}}
</main></body></html>
`

// consent is an authorization request (RFC 6749 section 4.1.1).
type consent struct {
	app      *application
	redirect string
	state    string
	scopes   scopeSet
}

// back is the URI that a consent ends at.
func (c consent) back(result url.Values) string {
	u, err := url.Parse(c.redirect)
	if err != nil {
		return c.redirect
	}
	query := u.Query()
	for name, values := range result {
		query[name] = values
	}
	if c.state != "" {
		query.Set("state", c.state)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// readConsent checks an authorization request. Faults of the client or of the
// redirect URI are shown to the person, never sent to that URI.
func (s *Sim) readConsent(form url.Values) (c consent, fault *oauthError) {
	app := s.oauth.apps[form.Get("client_id")]
	switch {
	case app == nil:
		return c, &oauthError{"invalid_client", "No application has that client_id"}
	case form.Get("response_type") != "code":
		return c, &oauthError{"unsupported_response_type", "The response_type must be code"}
	}
	redirect, code := app.redirect(form.Get("redirect_uri"))
	if code != "" {
		return c, &oauthError{code, "The redirect_uri must be one that is registered for the application"}
	}
	if app.state != appAuthorized || s.switches.AppState != "" && s.switches.AppState != string(appAuthorized) {
		return c, appUnauthorized()
	}
	c = consent{app: app, redirect: redirect, state: form.Get("state"), scopes: app.granted}
	return c, nil
}

// narrow applies the scopes that the request names, which must be among those
// of the application.
func (c *consent) narrow(names string) bool {
	if strings.TrimSpace(names) == "" {
		return true
	}
	asked, err := parseScopes(strings.Fields(names))
	if err != nil || !c.scopes.all(asked) {
		return false
	}
	c.scopes = asked
	return true
}

func (s *Sim) getAuthorize(w http.ResponseWriter, r *http.Request) {
	s.authorizePage(w, r, func(c *simkit.Call, ask consent) { s.showConsent(c, ask, r.URL.Query()) })
}

// postAuthorize is the form of the page, and the test's way past it: fields may
// stand in the query or in the body.
func (s *Sim) postAuthorize(w http.ResponseWriter, r *http.Request) {
	s.authorizePage(w, r, s.decideConsent)
}

func (s *Sim) authorizePage(w http.ResponseWriter, r *http.Request, then func(*simkit.Call, consent)) {
	call, body := s.oauthCall(w, r, opAuthorize)
	if call == nil {
		return
	}
	form := r.URL.Query()
	for name, values := range body {
		form[name] = values
	}
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.Request.Form = form
		ask, fault := s.readConsent(form)
		switch {
		case fault != nil:
			showPage(c, http.StatusBadRequest, map[string]any{"Error": fault.Error, "Description": fault.Description})
		case !ask.narrow(form.Get("scope")):
			sendBack(c, ask.back(url.Values{"error": {"invalid_scope"}, "error_description": {"The application does not have these scopes"}}))
		default:
			then(c, ask)
		}
	})
}

func (s *Sim) showConsent(c *simkit.Call, ask consent, query url.Values) {
	const most = 50
	people := []Person{}
	for _, u := range s.w.roll {
		if s.mayConsent(u) && len(people) < most {
			people = append(people, Person{ID: u.id, Name: u.name, Role: u.role, Login: u.login})
		}
	}
	hidden := map[string]string{}
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "state", "scope"} {
		hidden[name] = query.Get(name)
	}
	showPage(c, http.StatusOK, map[string]any{"App": ask.app.name, "People": people, "Scopes": ask.scopes.names(), "Hidden": hidden})
}

func (s *Sim) mayConsent(u *user) bool {
	return !u.deleted && u.active() && !u.external && !u.service && !u.app
}

// decideConsent answers the form. Whoever signs in does so in the events too.
func (s *Sim) decideConsent(c *simkit.Call, ask consent) {
	form, now := c.Request.Form, s.clock.Now()
	who := s.w.user(form.Get("user"))
	switch {
	case form.Get("decision") == "deny":
		sendBack(c, ask.back(url.Values{"error": {"access_denied"}, "error_description": {"The user denied access to your application"}}))
	case form.Get("decision") != "grant" || who == nil || !s.mayConsent(who):
		showPage(c, http.StatusBadRequest, map[string]any{"Error": "invalid_request", "Description": "Send the id of an active user, and the decision grant or deny"})
	default:
		s.emit(now, "LOGIN", who.id, userSource(who.id))
		who.lastLogin = now
		sendBack(c, ask.back(url.Values{"code": {s.newCode(who, ask.app, form.Get("redirect_uri"), ask.scopes)}}))
	}
}

func showPage(c *simkit.Call, status int, data any) {
	var out bytes.Buffer
	t := template.Must(template.New("consent").Parse(consentPage))
	if err := t.Execute(&out, data); err != nil {
		c.Raw(http.StatusInternalServerError, "text/plain", []byte(err.Error()))
		return
	}
	c.Raw(status, "text/html; charset=utf-8", out.Bytes())
}

func sendBack(c *simkit.Call, to string) {
	c.Header().Set("Location", to)
	c.Header().Set("Cache-Control", "no-store")
	c.JSON(http.StatusFound, nil)
}
