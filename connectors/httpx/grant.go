package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"sendoff/connectors"
)

// grantJWT is the grant of RFC 7523 section 2.1.
const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// fetch gets a token. Credentials that are refused may have been rotated while
// this process held the old ones: newer ones are looked for before it gives up.
func (s *CredentialSource) fetch(ctx context.Context) (*oauth2.Token, error) {
	tok, err := s.ask(ctx)
	if s.renew == nil || connectors.KindOf(err) != connectors.Unauthorized {
		return tok, err
	}
	fresh, found, renewErr := s.renew(ctx)
	if renewErr != nil {
		return nil, &connectors.Error{
			Kind: connectors.Unavailable, Op: s.op, Sent: true, Err: renewErr,
			Detail: "the token host refuses the credentials, and whether newer ones are stored could not be read",
		}
	}
	if !found {
		return nil, err
	}
	s.with, s.skew = fresh, 0
	return s.ask(ctx)
}

// ask makes one token request, and a second one when the host finds fault with
// the time or the id of an assertion: with a new assertion, dated by the host's
// own clock. The old one must not be sent again.
func (s *CredentialSource) ask(ctx context.Context) (*oauth2.Token, error) {
	tok, err := s.request(ctx)
	if err == nil {
		return tok, nil
	}
	var refused *oauth2.RetrieveError
	if s.with.Assert == nil || !errors.As(err, &refused) || !blamesTiming(refused) {
		return nil, s.explain(err)
	}
	before := s.skew
	if t, ok := hostTime(refused); ok {
		s.skew = t.Sub(s.now())
	}
	tok, err = s.request(ctx)
	if err == nil {
		return tok, nil
	}
	s.skew = before
	e := s.explain(err)
	var failed *connectors.Error
	if errors.As(err, &refused) && blamesTiming(refused) && errors.As(e, &failed) {
		failed.Detail = "the signed assertion's time or id was refused twice: check this machine's clock"
		failed.Err = connectors.ErrAssertionTime
	}
	return nil, e
}

// request makes one token request.
func (s *CredentialSource) request(ctx context.Context) (*oauth2.Token, error) {
	params := url.Values{}
	for name, values := range s.with.Params {
		params[name] = values
	}
	if s.with.Assert != nil {
		assertion, err := s.with.Assert(s.now().Add(s.skew))
		if err != nil {
			return nil, &connectors.Error{Kind: connectors.Invalid, Op: s.op, Detail: "the assertion cannot be signed with this key; nothing was sent"}
		}
		params.Set("grant_type", grantJWT)
		params.Set("assertion", assertion)
	}
	grant := clientcredentials.Config{
		ClientID: s.with.ClientID, ClientSecret: s.with.ClientSecret, TokenURL: s.url,
		EndpointParams: params, AuthStyle: oauth2.AuthStyleInParams,
	}
	return grant.Token(ctx)
}

// blamesTiming tells whether a refusal is about the times or the id of an
// assertion. There is no code for that; Box writes "Please check the 'jti'
// claim" and "Current date/time MUST be before the expiration date/time listed in
// the 'exp' claim" (https://support.box.com/hc/en-us/articles/360043691734).
func blamesTiming(r *oauth2.RetrieveError) bool {
	words := strings.FieldsFunc(strings.ToLower(tokenRefusal(r).Description), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, w := range words {
		switch w {
		case "exp", "iat", "nbf", "jti":
			return true
		}
	}
	return false
}

// hostTime is the token host's clock, to the second.
func hostTime(r *oauth2.RetrieveError) (time.Time, bool) {
	if r.Response == nil {
		return time.Time{}, false
	}
	t, err := http.ParseTime(r.Response.Header.Get("Date"))
	return t, err == nil
}

// refusalBody is the error of RFC 6749 section 5.2.
type refusalBody struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func tokenRefusal(r *oauth2.RetrieveError) refusalBody {
	var b refusalBody
	if json.Unmarshal(r.Body, &b) != nil {
		return refusalBody{Code: r.ErrorCode, Description: r.ErrorDescription}
	}
	return b
}

// explain sorts oauth2's errors. Their texts quote the token host's answer, so
// nothing of them is kept but codes that RFC 6749 section 5.2 defines.
func (s *CredentialSource) explain(err error) error {
	var refused *oauth2.RetrieveError
	var network *url.Error
	var ours *connectors.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &refused):
		return s.refused(refused)
	case errors.As(err, &network):
		return networkError(s.op, 0, true, err)
	default:
		if detail, kept := cause(err); kept != nil {
			return &connectors.Error{Kind: connectors.Unavailable, Op: s.op, Sent: true, Detail: detail, Err: kept}
		}
		return &connectors.Error{Kind: connectors.Malformed, Op: s.op, Sent: true, Detail: "the token host's answer holds no token: check the token URL"}
	}
}

func (s *CredentialSource) refused(r *oauth2.RetrieveError) error {
	e := &connectors.Error{Op: s.op, Sent: true}
	if r.Response != nil {
		e.Status = r.Response.StatusCode
		e.RetryAfter = parseRetryAfter(r.Response.Header.Get("Retry-After"), s.now())
	}
	code := tokenRefusal(r).Code
	switch code {
	case "invalid_client":
		e.Detail = "the client id or the client secret is wrong"
	case "invalid_grant":
		if s.with.Assert != nil {
			e.Detail = "the signed assertion was refused: check that the public key belongs to the application, the enterprise id or user, and that an admin authorized the application"
			break
		}
		e.Detail = "the grant was refused: check the client secret, the enterprise id or user, and that an admin authorized the application with the access level and settings it needs"
	case "unauthorized_client":
		e.Detail = "the application is not authorized in the enterprise: an admin must authorize it"
	case "invalid_request", "unsupported_grant_type", "invalid_scope":
		e.Detail = "the application's configuration does not allow this grant"
	}
	switch {
	case e.Detail != "" && e.Status < 500:
		e.Kind, e.Code = connectors.Unauthorized, code
	case e.Status < 300:
		e.Kind, e.Detail = connectors.Malformed, "the token host's answer holds no token: check the token URL"
	case e.Status < 400:
		e.Kind, e.Detail = connectors.Malformed, "the token host redirected the request, which is not followed: check the token URL"
	default:
		e.Kind = kindOfStatus(e.Status)
		e.Detail = "the token host refused the request"
	}
	return e
}
