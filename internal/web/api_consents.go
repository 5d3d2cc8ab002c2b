package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	callbackPath = "/oauth/callback"
	stateBytes   = 32
	// RFC 6749 leaves the lengths open; these are far above what is sent.
	maxState = 128
	maxCode  = 2048
)

type consentInput struct {
	Body struct {
		Name         string   `json:"name"`
		Renew        bool     `json:"renew,omitempty" doc:"Consent anew to the connection of that name; what it is configured with is kept"`
		Vendor       string   `json:"vendor,omitempty"`
		BaseURL      string   `json:"base_url,omitempty"`
		TokenURL     string   `json:"token_url,omitempty"`
		AuthorizeURL string   `json:"authorize_url" doc:"Where people sign in, such as https://account.box.com/api/oauth2/authorize"`
		ClientID     string   `json:"client_id,omitempty"`
		ClientSecret string   `json:"client_secret,omitempty" writeOnly:"true"`
		EnterpriseID string   `json:"enterprise_id,omitempty" doc:"Left out, the vendor's answer is taken"`
		RedirectURL  string   `json:"redirect_url,omitempty" doc:"On loopback; left out, this server's own callback"`
		Owner        string   `json:"owner,omitempty" doc:"E-mail address of who looks after the connection"`
		Scopes       []string `json:"scopes,omitempty" nullable:"false" doc:"Narrows what is asked for"`
		ReadOnly     bool     `json:"read_only,omitempty"`
	}
}

type consentOutput struct {
	Body struct {
		AuthorizeURL string    `json:"authorize_url" doc:"Where a person consents; it holds the state, which is a secret"`
		RedirectURL  string    `json:"redirect_url" doc:"What the vendor's application must allow"`
		ExpiresAt    time.Time `json:"expires_at"`
	}
}

type finishConsentInput struct {
	Body finishBody
}

type finishBody struct {
	State string `json:"state" maxLength:"128"`
	Code  string `json:"code,omitempty" maxLength:"2048" writeOnly:"true"`
	Error string `json:"error,omitempty" maxLength:"128" doc:"What the vendor sent instead of a code"`
}

func (s *server) registerConsents() {
	handle(s, route{
		id: "begin-consent", method: http.MethodPost, path: "/v1/consents", roles: adminsOnly(), status: http.StatusCreated,
		summary: "Begin a sign-in in the browser, which makes a connection or renews its grant",
	}, s.beginConsent)
	handle(s, route{
		id: "finish-consent", method: http.MethodPost, path: "/v1/consents/finish", roles: adminsOnly(), status: http.StatusCreated,
		summary: "End a sign-in with what the vendor sent to the loopback redirect",
	}, func(ctx context.Context, by schema.Principal, in *finishConsentInput) (*connectOutput, error) {
		return s.finishConsent(ctx, in.Body, func(p schema.PendingConsent) (schema.Principal, bool) {
			return by, p.RedirectURL != s.callbackURL()
		})
	})
}

// callbackURL is this server's own redirect URL, "" without a public URL.
func (s *server) callbackURL() string {
	if s.publicURL == "" {
		return ""
	}
	return strings.TrimRight(s.publicURL, "/") + callbackPath
}

func (s *server) beginConsent(ctx context.Context, by schema.Principal, in *consentInput) (*consentOutput, error) {
	b := in.Body
	c, err := s.consentedConnection(ctx, in)
	if err != nil {
		return nil, err
	}
	var f faults
	redirect := s.redirectURL(&f, b.RedirectURL)
	base := checkURL(&f, "authorize_url", b.AuthorizeURL)
	checkText(&f, "client_secret", b.ClientSecret, maxField)
	f.required("client_secret", b.ClientSecret, "give the client secret of the vendor's application")
	for _, scope := range b.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			f.add("scopes", "syntax", "holds what no scope has (RFC 6749 section 3.3)", "name scopes such as manage_managed_users")
			break
		}
	}
	if err := f.err("the sign-in is not valid; nothing was begun"); err != nil {
		return nil, err
	}
	random := make([]byte, stateBytes)
	_, _ = rand.Read(random) // never fails, crypto/rand ends the program instead
	state := base64.RawURLEncoding.EncodeToString(random)
	out := &consentOutput{}
	out.Body.RedirectURL = redirect
	if out.Body.AuthorizeURL, err = s.checker.AuthorizeURL(c.Vendor, base, c.ClientID, redirect, state, b.Scopes); err != nil {
		return nil, err
	}
	out.Body.ExpiresAt, err = s.store.BeginConsent(ctx, HashToken(state), schema.PendingConsent{
		Connection: c, ClientSecret: b.ClientSecret, RedirectURL: redirect, By: by,
	})
	out.Body.ExpiresAt = out.Body.ExpiresAt.UTC()
	return out, err
}

// consentedConnection is the connection to make, or the stored one to renew.
func (s *server) consentedConnection(ctx context.Context, in *consentInput) (schema.Connection, error) {
	b := in.Body
	have, err := s.store.ConnectionByName(ctx, b.Name)
	if b.Renew {
		if err != nil {
			return schema.Connection{}, err
		}
		if have.AuthKind != schema.AuthCode {
			return schema.Connection{}, &schema.Error{
				Code: schema.CodeRefused, Message: "connection " + have.Name + " does not sign in by a consent", Fix: "sendoff connections rotate " + have.Name,
			}
		}
		have.ClientID = cmp.Or(strings.TrimSpace(b.ClientID), have.ClientID)
		return have, refuseDisabled(have)
	}
	if err == nil {
		return schema.Connection{}, nameTaken()
	}
	if schema.CodeOf(err) != schema.CodeNotFound {
		return schema.Connection{}, err
	}
	return s.readConsented(in)
}

// readConsented checks what a new connection is configured with.
func (s *server) readConsented(in *consentInput) (schema.Connection, error) {
	b := in.Body
	var f faults
	checkName(&f, b.Name)
	c := schema.Connection{
		Name: b.Name, Vendor: b.Vendor, State: schema.ConnectionEnabled, ReadOnly: b.ReadOnly, AuthKind: schema.AuthCode,
		BaseURL: checkAPIRoot(&f, b.BaseURL), TokenURL: checkURL(&f, "token_url", b.TokenURL),
		ClientID: strings.TrimSpace(b.ClientID), EnterpriseID: strings.TrimSpace(b.EnterpriseID), Owner: checkOwner(&f, b.Owner),
	}
	s.knowsVendor(&f, b.Vendor)
	f.required("client_id", c.ClientID, "give the client id of the vendor's application")
	checkText(&f, "client_id", b.ClientID, maxField)
	checkText(&f, "enterprise_id", b.EnterpriseID, maxField)
	return c, f.err("the connection is not valid; nothing was begun")
}

// redirectURL accepts loopback, where only this machine's user listens, and this
// server's own callback (RFC 8252 section 7.3).
func (s *server) redirectURL(f *faults, raw string) string {
	own := s.callbackURL()
	if raw == "" && own == "" {
		f.add("redirect_url", "required", "this server has no public URL to be sent back to", "set SENDOFF_PUBLIC_URL, or give a redirect URL on loopback")
	}
	if raw == "" || raw == own {
		return own
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		f.add("redirect_url", "not_loopback", "codes are sent to loopback or to this server alone", "give one such as http://127.0.0.1:7521/callback, or leave it out")
	}
	return raw
}

// finishConsent ends a sign-in. Whose says who is recorded, and whether the
// sign-in was to end this way. A grant that does not become a connection is
// revoked.
func (s *server) finishConsent(ctx context.Context, b finishBody, whose func(schema.PendingConsent) (schema.Principal, bool)) (*connectOutput, error) {
	p, err := s.store.TakeConsent(ctx, HashToken(b.State))
	if err != nil {
		return nil, err
	}
	by, fits := whose(p)
	switch {
	case !fits:
		return nil, &schema.Error{Code: schema.CodeRefused, Message: "the sign-in was to end elsewhere; nothing was stored", Fix: "begin the sign-in again"}
	case b.Error != "":
		return nil, consentRefused(b.Error)
	case b.Code == "":
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the vendor sent no code; nothing was stored", Fix: "begin the sign-in again"}
	}
	// The grant must not be left half done because somebody closed a page.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishPatience)
	defer cancel()
	g, err := s.checker.ExchangeCode(ctx, p.Connection, p.ClientSecret, p.RedirectURL, b.Code)
	if err != nil {
		return nil, checkFailed(err)
	}
	out, err := s.keepGrant(ctx, p, g, by)
	if err != nil {
		return nil, s.undone(ctx, p, g, err)
	}
	return out, nil
}

// finishPatience bounds the end of a sign-in: four calls of the vendor.
const finishPatience = 3 * time.Minute

// consentRefused tells plainly what the vendor sent instead of a code (RFC 6749
// section 4.1.2.1).
func consentRefused(code string) error {
	e := &schema.Error{Code: schema.CodeRefused, Message: "the vendor refused the sign-in; nothing was stored", Fix: "look at the application in the vendor's console, then begin the sign-in again"}
	switch code {
	case "access_denied":
		e.Message, e.Fix = "access was denied: whoever signed in did not consent; nothing was stored", "begin the sign-in again, as an administrator who agrees to it"
	case "invalid_scope":
		e.Message, e.Fix = "the application may not have the scopes asked for; nothing was stored", "leave --scope out, or give the application those scopes"
	case "redirect_uri_mismatch", "redirect_uri_missing":
		e.Message, e.Fix = "the application does not know the redirect URL; nothing was stored", "add the redirect URL to the application in the vendor's console"
	}
	return e
}

// keepGrant checks whom a grant is of, and stores it.
func (s *server) keepGrant(ctx context.Context, p schema.PendingConsent, g schema.Grant, by schema.Principal) (*connectOutput, error) {
	c := p.Connection
	got, err := s.checker.CheckGrant(ctx, c, p.ClientSecret, g)
	if err != nil {
		return nil, checkFailed(err)
	}
	c.EnterpriseID = cmp.Or(c.EnterpriseID, got.EnterpriseID)
	if got.EnterpriseID == "" || got.EnterpriseID != c.EnterpriseID {
		return nil, enterpriseMismatch(got.EnterpriseID, c.EnterpriseID)
	}
	renewed := c.ID != ""
	if renewed && got.ActsAs != c.AsUser {
		return nil, &schema.Error{
			Code: schema.CodeRefused, Message: "the consent is of user " + quoteID(string(got.ActsAs)) + ", the connection acts as " + quoteID(string(c.AsUser)),
			Fix: "sign in as that user, or remove the connection and connect again",
		}
	}
	c.AsUser = got.ActsAs
	if renewed {
		c, err = s.store.RenewConnectionGrant(ctx, c, p.ClientSecret, g, by)
	} else {
		c, err = s.store.CreateConnectionWithGrant(ctx, c, p.ClientSecret, g, by)
	}
	if err != nil {
		return nil, err
	}
	out := &connectOutput{}
	out.Body.Diagnosis = s.lookAgain(ctx, &c)
	out.Body.Connection, out.Body.Check = connectionOf(c), checkBody(got)
	return out, nil
}

// undone revokes a grant that was not kept, and says so.
func (s *server) undone(ctx context.Context, p schema.PendingConsent, g schema.Grant, failure error) error {
	said := "; the consent was revoked again"
	if err := s.checker.RevokeGrant(ctx, p.Connection, p.ClientSecret, g); err != nil {
		said = "; the consent could not be revoked: remove the application's access in the vendor's account settings"
	}
	e := &schema.Error{Code: schema.CodeUnavailable, Message: "the connection could not be stored", Fix: "begin the sign-in again"}
	var known *schema.Error
	if errors.As(failure, &known) && known.Code != schema.CodeInternal {
		copied := *known
		e = &copied
	} else {
		exchangeOf(ctx).err = failure
	}
	e.Message += said
	return e
}

func refuseDisabled(c schema.Connection) error {
	if c.State == schema.ConnectionEnabled {
		return nil
	}
	return &schema.Error{
		Code: schema.CodeClosed, Message: "connection " + c.Name + " is " + string(c.State) + ": nothing is asked of its vendor",
		Fix: "sendoff connections enable " + c.Name,
	}
}

func nameTaken() error {
	return &schema.Error{
		Code: schema.CodeConflict, Message: "there is a connection of that name",
		Fix: "choose another name, or remove that connection first",
	}
}

// checkOwner accepts an e-mail address, or none.
func checkOwner(f *faults, raw string) string {
	if strings.TrimSpace(raw) == "" {
		return ""
	}
	address, err := intake.ParseAddress(raw)
	if err != nil {
		f.add("owner", "email_syntax", err.Error(), "give the address of who looks after the connection")
	}
	return address
}
