package boxsim

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// application is a client that is known to Box. The enterprise's authorization
// is a snapshot: scopes that are chosen later count from the next one on.
type application struct {
	id, secret, name string
	redirects        []string // empty is any on loopback
	readOnly         bool     // has all scopes and may use GET alone
	chosen, granted  scopeSet
	state            appState
}

// appState is how an enterprise treats an application.
type appState string

const (
	appAuthorized appState = "authorized"
	appBlocked    appState = "disabled"
	appRemoved    appState = "removed"
)

func builtInApps() map[string]*application {
	return map[string]*application{
		MainClientID:     {id: MainClientID, secret: ClientSecret, name: "Simulated app", chosen: allScopes, granted: allScopes, state: appAuthorized},
		ReadOnlyClientID: {id: ReadOnlyClientID, secret: ClientSecret, name: "Simulated read-only app", readOnly: true, chosen: allScopes, granted: allScopes, state: appAuthorized},
	}
}

// AppSpec describes an application that the enterprise authorized. Its secret is
// ClientSecret unless it says else.
type AppSpec struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Name         string `json:"name"`
	// Scopes by Box's names.
	Scopes []string `json:"scopes"`
	// RedirectURIs are where a consent may lead; without any, every URI on
	// loopback. One on loopback fits with any port (RFC 8252 section 7.3).
	RedirectURIs []string `json:"redirect_uris"`
}

// AddApp registers an application and returns its client id.
func (s *Sim) AddApp(spec AppSpec) (string, error) {
	scopes, err := parseScopes(spec.Scopes)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.ClientID == "" || s.oauth.apps[spec.ClientID] != nil {
		return "", fmt.Errorf("box simulator: an application needs a client id that no other has")
	}
	s.oauth.apps[spec.ClientID] = &application{
		id: spec.ClientID, secret: cmp.Or(spec.ClientSecret, ClientSecret), name: cmp.Or(spec.Name, spec.ClientID),
		redirects: slices.Clone(spec.RedirectURIs), chosen: scopes, granted: scopes, state: appAuthorized,
	}
	return spec.ClientID, nil
}

// Actions on an application.
const (
	// AppAuthorize makes the chosen scopes count for new tokens.
	AppAuthorize = "authorize"
	// AppRevoke ends all tokens and refresh tokens of the application.
	AppRevoke = "revoke"
	// AppRemove takes the application out of the enterprise, AppDisable blocks
	// it there, and AppRestore undoes both. Tokens outlive a block alone.
	AppRemove  = "remove"
	AppDisable = "disable"
	AppRestore = "restore"
)

// AppChange changes an application. Scopes, if not nil, are chosen first.
type AppChange struct {
	ClientID string   `json:"client_id"`
	Scopes   []string `json:"scopes"`
	Action   string   `json:"action"` // empty, or one of those above
}

// ChangeApp changes an application.
func (s *Sim) ChangeApp(change AppChange) error {
	scopes, err := parseScopes(change.Scopes)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.oauth.apps[change.ClientID]
	if app == nil {
		return fmt.Errorf("box simulator: no application has that client id")
	}
	do, known := map[string]func(){
		"": func() {}, AppAuthorize: func() { app.granted = app.chosen }, AppRevoke: func() { s.dropAppTokens(app) },
		AppRemove: func() { app.state = appRemoved }, AppDisable: func() { app.state = appBlocked }, AppRestore: func() { s.restoreApp(app) },
	}[change.Action]
	if !known {
		return fmt.Errorf("box simulator: action %q is unknown: use authorize, revoke, remove, disable or restore", change.Action)
	}
	if change.Scopes != nil {
		app.chosen = scopes
	}
	do()
	return nil
}

// restoreApp authorizes the application anew. What was removed comes back
// without its tokens.
func (s *Sim) restoreApp(app *application) {
	if app.state == appRemoved {
		s.dropAppTokens(app)
		app.granted = app.chosen
	}
	app.state = appAuthorized
}

// dropAppTokens ends everything that was issued to an application.
func (s *Sim) dropAppTokens(app *application) {
	for value, t := range s.tokens {
		if t.app == app {
			delete(s.tokens, value)
		}
	}
	for _, grants := range []map[string]*grantToken{s.oauth.refresh, s.oauth.codes} {
		for value, g := range grants {
			if g.app == app {
				delete(grants, value)
			}
		}
	}
}

// App is an application as GET /_sim/apps shows it.
type App struct {
	ClientID     string   `json:"client_id"`
	Name         string   `json:"name"`
	State        string   `json:"state"`
	Scopes       []string `json:"scopes"`
	Authorized   []string `json:"authorized_scopes"`
	RedirectURIs []string `json:"redirect_uris"`
	ReadOnly     bool     `json:"read_only"`
	Tokens       int      `json:"tokens"` // access tokens that have not been ended
}

// Apps lists the applications.
func (s *Sim) Apps() []App {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens := map[*application]int{}
	for _, t := range s.tokens {
		tokens[t.app]++
	}
	out := []App{}
	for _, app := range s.oauth.apps {
		out = append(out, App{
			ClientID: app.id, Name: app.name, State: string(app.state), Scopes: app.chosen.names(), Authorized: app.granted.names(),
			RedirectURIs: append([]string{}, app.redirects...), ReadOnly: app.readOnly, Tokens: tokens[app],
		})
	}
	slices.SortFunc(out, func(a, b App) int { return strings.Compare(a.ClientID, b.ClientID) })
	return out
}

// redirect resolves where a consent leads: a URI that is registered, or the only
// one where none is named. The second result is Box's error.
func (app *application) redirect(uri string) (string, string) {
	switch {
	case uri == "" && len(app.redirects) == 1:
		return app.redirects[0], ""
	case uri == "":
		return "", "redirect_uri_missing"
	case len(app.redirects) == 0 && loopback(uri) != "":
		return uri, ""
	}
	for _, known := range app.redirects {
		if uri == known || loopback(known) != "" && loopback(uri) == loopback(known) {
			return uri, ""
		}
	}
	return "", "redirect_uri_mismatch"
}

// loopback is a loopback URI without its port; empty for any other.
func loopback(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || !slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, u.Hostname()) {
		return ""
	}
	u.Host = u.Hostname()
	return u.String()
}

// refused is the answer to a call with a token of an application that the
// enterprise does not let in; nil if it does.
func (s *Sim) refused(app *application) *apiError {
	switch {
	case app.state == appRemoved && s.switches.RemovedAppCall == "empty":
		return invalidToken()
	case app.state != appAuthorized, s.switches.AppState == "disabled":
		return appDisabled()
	}
	return nil
}

// refusedGrant is the same for token requests.
func (s *Sim) refusedGrant(app *application) *oauthError {
	switch {
	case app.state != appRemoved:
		return nil
	case s.switches.RemovedAppGrant == "invalid_grant":
		return invalidGrant("Grant credentials are invalid")
	}
	return appUnauthorized()
}

func appUnauthorized() *oauthError {
	return &oauthError{"unauthorized_client", "This app is not authorized by the enterprise admin"}
}
