package httpx

import (
	"context"
	"net/http"
	"net/url"
	"sync"
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
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), oauth2.HTTPClient, hc))
	return &CredentialSource{
		op: opts.Op, url: opts.TokenURL, now: opts.Now, renew: opts.Renew, life: ctx, end: cancel, http: hc, with: opts.Credentials,
	}, nil
}

// CredentialSource is a TokenSource over the grants of Credentials.
type CredentialSource struct {
	op, url string
	now     func() time.Time
	renew   func(ctx context.Context) (Credentials, bool, error)
	http    *http.Client
	life    context.Context // ends with Close; a fetch serves several callers, so it is none of theirs
	end     context.CancelFunc

	// Used by the one fetch under way alone.
	with Credentials
	skew time.Duration // how far the host's clock is ahead of ours

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
	tok, err := s.obtain(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	defer close(f.done)
	if err != nil {
		f.err = err
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
