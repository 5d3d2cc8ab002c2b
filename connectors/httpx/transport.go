package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 10 * time.Second
	keepAlive        = 15 * time.Second
)

// newHTTPClient returns a client that does not follow redirects: a redirected
// call would carry the token to a host nobody configured. It has no timeout;
// each call brings its own.
func newHTTPClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext,
			ForceAttemptHTTP2:     true,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:   handshakeTimeout,
			MaxIdleConnsPerHost:   16,
			IdleConnTimeout:       60 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// cappedTransport ends bodies with an error once they pass limit bytes, for
// libraries that read them on their own.
type cappedTransport struct {
	next  http.RoundTripper
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (t cappedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, t.limit)
	return resp, nil
}

// CloseIdleConnections ends those of the transport below, which http.Client finds
// by this method alone.
func (t cappedTransport) CloseIdleConnections() { closeIdle(t.next) }

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// jsonTransport calls every answer JSON, which is what RFC 6749 section 5 asks
// of a token host: a library that goes by the content type would read the JSON of
// one that forgets it as a form.
type jsonTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t jsonTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		resp.Header.Set("Content-Type", "application/json")
	}
	return resp, err
}

// CloseIdleConnections ends those of the transport below.
func (t jsonTransport) CloseIdleConnections() { closeIdle(t.next) }
