package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"sendoff/connectors"
)

const (
	// renewEarly is how long before its end a token is renewed, so that none
	// runs out under way (Box's SDKs use the same three minutes).
	renewEarly   = 3 * time.Minute
	tokenTimeout = 30 * time.Second
)

// ClientCredentials configures the grant of RFC 6749 section 4.4.
type ClientCredentials struct {
	Op           string // for errors, e.g. "box.token"
	TokenURL     string
	ClientID     string
	ClientSecret string
	Params       url.Values // further form fields
	Now          func() time.Time
}

// NewClientCredentials returns a source that fetches one token at a time for
// all callers and renews it three minutes before it ends. Close it.
func NewClientCredentials(cfg ClientCredentials) (*CredentialSource, error) {
	if _, err := ParseURL(cfg.TokenURL); err != nil {
		return nil, err
	}
	hc := newHTTPClient(nil)
	hc.Transport = cappedTransport{next: hc.Transport, limit: MaxErrorBytes}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), oauth2.HTTPClient, hc))
	return &CredentialSource{
		op: cfg.Op, now: cfg.Now, life: ctx, end: cancel, http: hc,
		grant: clientcredentials.Config{
			ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, TokenURL: cfg.TokenURL,
			EndpointParams: cfg.Params, AuthStyle: oauth2.AuthStyleInParams,
		},
	}, nil
}

// CredentialSource is a TokenSource over the client credentials grant.
type CredentialSource struct {
	op    string
	now   func() time.Time
	grant clientcredentials.Config
	http  *http.Client
	life  context.Context // ends with Close; a fetch serves several callers, so it is none of theirs
	end   context.CancelFunc

	mu      sync.Mutex
	token   string
	renewAt time.Time // zero = the vendor named no end
	flight  *tokenFlight
}

type tokenFlight struct {
	done  chan struct{}
	token string
	err   error
}

// Token implements TokenSource.
func (s *CredentialSource) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	if s.token != "" && (s.renewAt.IsZero() || s.now().Before(s.renewAt)) {
		defer s.mu.Unlock()
		return s.token, nil
	}
	f := s.flight
	if f == nil {
		f = &tokenFlight{done: make(chan struct{})}
		s.flight = f
		go s.fetch(f)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", networkError(s.op, 0, false, ctx.Err())
	}
}

// Drop implements TokenSource.
func (s *CredentialSource) Drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == token {
		s.token = ""
	}
}

// Close ends a fetch under way and idle connections.
func (s *CredentialSource) Close() {
	s.end()
	s.http.CloseIdleConnections()
}

func (s *CredentialSource) fetch(f *tokenFlight) {
	ctx, cancel := context.WithTimeout(s.life, tokenTimeout)
	defer cancel()
	tok, err := s.grant.Token(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	defer close(f.done)
	if err != nil {
		f.err = s.explain(err)
		return
	}
	f.token = tok.AccessToken
	s.token, s.renewAt = tok.AccessToken, time.Time{}
	if !tok.Expiry.IsZero() {
		// oauth2 reckons with the system's clock; only the span is taken from it.
		span := time.Until(tok.Expiry)
		s.renewAt = s.now().Add(span - min(renewEarly, span/2))
	}
}

// explain sorts oauth2's errors. Their texts quote the token host's answer, so
// nothing of them is kept but codes that RFC 6749 section 5.2 defines.
func (s *CredentialSource) explain(err error) error {
	var refused *oauth2.RetrieveError
	var network *url.Error
	switch {
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
	code := r.ErrorCode
	if code == "" { // oauth2 reads JSON only where the content type says so
		var body struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(r.Body, &body) == nil {
			code = body.Error
		}
	}
	switch code {
	case "invalid_client":
		e.Detail = "the client id or the client secret is wrong"
	case "invalid_grant":
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
