package httpx

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

const (
	// renewEarly is how long before its end a token is renewed, so that none
	// runs out under way (Box's SDKs use the same three minutes).
	renewEarly   = 3 * time.Minute
	tokenTimeout = 30 * time.Second
)

// Credentials are what an application proves itself with to a token host.
type Credentials struct {
	ClientID     string
	ClientSecret string
	Params       url.Values // further form fields
	// Assert signs a fresh assertion for a request made at an instant (RFC 7523
	// section 2.1); nil = the client credentials grant (RFC 6749 section 4.4).
	Assert func(at time.Time) (string, error)
}

// CredentialOptions are the parts of a CredentialSource.
type CredentialOptions struct {
	Op          string // for errors, e.g. "box.token"
	TokenURL    string
	Credentials Credentials
	// Renew looks for newer credentials once the host refuses the present ones;
	// false = there are none. It may be nil.
	Renew func(ctx context.Context) (Credentials, bool, error)
	Now   func() time.Time
}

// NewCredentialSource returns a source that fetches one token at a time for all
// callers and renews it three minutes before it ends. Close it.
func NewCredentialSource(opts CredentialOptions) (*CredentialSource, error) {
	if _, err := ParseURL(opts.TokenURL); err != nil {
		return nil, err
	}
	hc := newHTTPClient(nil)
	hc.Transport = jsonTransport{cappedTransport{next: hc.Transport, limit: MaxErrorBytes}}
	s := &CredentialSource{
		tokenCache: newTokenCache(opts.Op, tokenTimeout, opts.Now), url: opts.TokenURL, renew: opts.Renew, http: hc, with: opts.Credentials,
	}
	s.obtain = func(ctx context.Context, _ string) (heldToken, error) {
		tok, err := s.fetch(context.WithValue(ctx, oauth2.HTTPClient, hc))
		if err != nil {
			return heldToken{}, err
		}
		held := heldToken{value: tok.AccessToken}
		if !tok.Expiry.IsZero() {
			// oauth2 reckons with the system's clock; only the span is taken from it.
			held.renewAt = renewalAt(s.now(), time.Until(tok.Expiry))
		}
		return held, nil
	}
	return s, nil
}

// renewalAt is when a token that is good for a span from now on is renewed.
func renewalAt(now time.Time, span time.Duration) time.Time {
	return now.Add(span - min(renewEarly, span/2))
}

// CredentialSource is a TokenSource over the grants of Credentials.
type CredentialSource struct {
	*tokenCache
	url   string
	renew func(ctx context.Context) (Credentials, bool, error)
	http  *http.Client

	// Used by the one fetch under way alone.
	with Credentials
	skew time.Duration // how far the host's clock is ahead of ours
}

// Close ends a fetch under way and idle connections.
func (s *CredentialSource) Close() {
	s.end()
	s.http.CloseIdleConnections()
}
