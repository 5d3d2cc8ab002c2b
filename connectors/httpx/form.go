package httpx

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// tokenHost sends the forms of RFC 6749 and RFC 7009, each once: net/http repeats
// no POST of which a byte was written.
type tokenHost struct {
	op   string
	http *http.Client
	now  func() time.Time
}

func newTokenHost(op string, now func() time.Time) tokenHost {
	return tokenHost{op: op, http: newHTTPClient(nil), now: now}
}

// post sends a form. Its error is for a request without a whole answer; Sent
// tells whether the host may have heard it.
func (h tokenHost) post(ctx context.Context, target string, form url.Values) (answer, *connectors.Error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	failed := func(status int, err error) *connectors.Error {
		e := &connectors.Error{Kind: connectors.Unavailable, Op: h.op, Status: status, Sent: sent.Load()}
		e.Detail, e.Err = cause(err)
		return e
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, &connectors.Error{Kind: connectors.Invalid, Op: h.op, Detail: "the token host's URL is not valid; nothing was sent"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sendoff")
	resp, err := h.http.Do(req)
	if err != nil {
		return answer{}, failed(0, err)
	}
	defer func() { _ = resp.Body.Close() }()
	ans, err := readAnswer(resp, MaxBodyBytes)
	if err != nil {
		return answer{}, failed(resp.StatusCode, err)
	}
	return ans, nil
}

// refusal is the error a token host's answer stands for, nil when it is accepted.
// Of the host's words only the codes of RFC 6749 section 5.2 are kept.
func (h tokenHost) refusal(a answer) *connectors.Error {
	if a.accepted() {
		return nil
	}
	e := &connectors.Error{Op: h.op, Status: a.status, Sent: true, RetryAfter: parseRetryAfter(a.header.Get("Retry-After"), h.now())}
	if a.status < 400 {
		e.Kind, e.Detail = connectors.Malformed, "the token host redirected the request, which is not followed: check the token URL"
		return e
	}
	e.Kind, e.Detail = kindOfStatus(a.status), "the token host refused the request"
	var body refusalBody
	if a.status >= 500 || json.Unmarshal(a.body, &body) != nil {
		return e
	}
	switch body.Code {
	case "invalid_client":
		e.Detail = "the client id or the client secret is wrong"
	case "invalid_grant":
		e.Detail = "the grant was refused: it is expired, used or revoked, or of another application or redirect URL"
		// There is no code of its own for that; Box writes "Refresh token has expired".
		if strings.Contains(strings.ToLower(body.Description), "expired") {
			e.Err = connectors.ErrTokenExpired
		}
	case "unauthorized_client":
		e.Detail = "the application is not authorized in the enterprise: an admin must authorize it"
	case "invalid_request", "unsupported_grant_type", "invalid_scope", "redirect_uri_mismatch":
		e.Detail = "the application's configuration does not allow this grant"
	default:
		return e
	}
	e.Kind, e.Code = connectors.Unauthorized, body.Code
	return e
}

// grant reads the pair of an accepted answer.
func (h tokenHost) grant(a answer) (schema.Grant, *connectors.Error) {
	var body struct {
		AccessToken  string      `json:"access_token"`
		RefreshToken string      `json:"refresh_token"`
		ExpiresIn    json.Number `json:"expires_in"`
	}
	if a.tooLong || json.Unmarshal(a.body, &body) != nil || body.AccessToken == "" {
		return schema.Grant{}, &connectors.Error{
			Kind: connectors.Malformed, Op: h.op, Status: a.status, Sent: true,
			Detail: "the token host's answer holds no token: check the token URL",
		}
	}
	span := time.Hour // RFC 6749 section 5.1: the host should name it; Box's is an hour
	if s, err := body.ExpiresIn.Float64(); err == nil && s > 0 && s < float64(maxTokenSpan/time.Second) {
		span = time.Duration(s * float64(time.Second))
	}
	now := h.now()
	return schema.Grant{
		AccessToken: body.AccessToken, RefreshToken: body.RefreshToken,
		ExpiresAt: now.Add(span), RenewAt: renewalAt(now, span),
	}, nil
}

// maxTokenSpan is the longest life of an access token that is believed.
const maxTokenSpan = 366 * 24 * time.Hour

// ExchangeCode trades an authorization code for a grant of generation 1 (RFC 6749
// section 4.1.3). A code is good once: the request is never repeated. Its error is
// a *connectors.Error.
func ExchangeCode(ctx context.Context, op string, x connectors.CodeExchange, now func() time.Time) (schema.Grant, error) {
	if _, err := ParseURL(x.TokenURL); err != nil {
		return schema.Grant{}, &connectors.Error{Kind: connectors.Invalid, Op: op, Detail: "the token URL is not valid; nothing was sent"}
	}
	h := newTokenHost(op, now)
	defer h.http.CloseIdleConnections()
	ans, failed := h.post(ctx, x.TokenURL, url.Values{
		"grant_type": {"authorization_code"}, "code": {x.Code}, "redirect_uri": {x.RedirectURL},
		"client_id": {x.ClientID}, "client_secret": {x.ClientSecret},
	})
	if failed == nil {
		failed = h.refusal(ans)
	}
	if failed != nil {
		return schema.Grant{}, failed
	}
	g, failed := h.grant(ans)
	if failed != nil {
		return schema.Grant{}, failed
	}
	g.Generation = 1
	return g, nil
}

// RevokeToken ends a token, and a refresh token's pair, at the token host (RFC
// 7009). The host answers 200 also for a token that it does not know: a caller
// proves the end by a call that fails. Its error is a *connectors.Error.
func RevokeToken(ctx context.Context, op, revokeURL string, client Credentials, token string, now func() time.Time) error {
	h := newTokenHost(op, now)
	defer h.http.CloseIdleConnections()
	ans, failed := h.post(ctx, revokeURL, url.Values{
		"client_id": {client.ClientID}, "client_secret": {client.ClientSecret}, "token": {token},
	})
	if failed == nil {
		failed = h.refusal(ans)
	}
	if failed != nil {
		return failed
	}
	return nil
}

// FixedToken is a TokenSource of one token that nobody renews.
type FixedToken string

// Token implements TokenSource.
func (t FixedToken) Token(context.Context) (string, error) { return string(t), nil }

// Drop implements TokenSource.
func (FixedToken) Drop(string) {}
