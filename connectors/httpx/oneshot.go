package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sendoff/connectors"
)

// FreshFor is how long a prepared request may wait before it is sent.
const FreshFor = 30 * time.Second

// OneShot is a request that is written to the wire once at most, whatever
// happens: no retry of ours or of net/http's, no redirect, no connection that
// was used before, no HTTP/2 (whose transport repeats refused streams).
type OneShot struct {
	client   *Client
	req      Request
	body     []byte
	token    string
	prepared time.Time
	used     atomic.Bool
}

// Answer is what became of a OneShot.
type Answer struct {
	// Written is false only if no byte of the request has left and none will.
	Written bool
	Status  int // 0 = no answer was heard
	Header  http.Header
	Body    []byte
	Whole   bool  // whether Body is the whole body
	Err     error // *connectors.Error when there is no answer
	// RetryAfter is what the vendor asked to wait.
	RetryAfter time.Duration
	// ExpiredToken tells that the token was refused (401 without a body). It
	// has been dropped: the next Prepare fetches a fresh one.
	ExpiredToken bool
}

// Prepare obtains all that the request must wait for, so that Send waits for
// nothing.
func (c *Client) Prepare(ctx context.Context, req Request) (*OneShot, error) {
	body, err := c.check(req)
	if err != nil {
		return nil, err
	}
	token, err := c.ready(ctx, req)
	if err != nil {
		return nil, err
	}
	return &OneShot{client: c, req: req, body: body, token: token, prepared: c.opts.Now()}, nil
}

// Send writes the request, unless the guard refuses or FreshFor has passed, and
// waits for its answer until ctx or the request's Timeout ends. A second Send
// writes nothing and reports Written, since the first may have.
func (s *OneShot) Send(ctx context.Context) Answer {
	if s.used.Swap(true) {
		return Answer{Written: true, Err: s.blocked("the prepared request was already used")}
	}
	if s.client.opts.Now().Sub(s.prepared) > FreshFor {
		return Answer{Err: s.blocked("more than 30 s passed since the request was prepared; nothing was sent")}
	}
	if err := s.client.allow(ctx, s.req); err != nil {
		return Answer{Err: err}
	}
	timeout := s.req.Timeout
	if timeout <= 0 {
		timeout = CallTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, heard := s.client.observe(ctx, s.req)
	out := s.write(ctx)
	heard(answer{status: out.Status, header: out.Header, body: out.Body, cut: !out.Whole}, out.Err)
	return out
}

// Do is Send for a request whose accepted answer says nothing more: it returns
// what Client.Do would. A refused token has been dropped, and it is the caller who
// decides whether to prepare and send anew.
func (s *OneShot) Do(ctx context.Context) error {
	a := s.Send(ctx)
	if a.Err != nil {
		return a.Err
	}
	return s.client.refusal(s.req, answer{status: a.Status, header: a.Header, body: a.Body, cut: !a.Whole})
}

// write writes the request and waits for the answer until ctx ends.
func (s *OneShot) write(ctx context.Context) Answer {
	g := &gate{}
	tr := g.transport(s.client.opts.RootCAs)
	defer tr.CloseIdleConnections()
	hr, err := s.client.wire(ctx, s.req, s.body, s.token)
	if err != nil {
		return Answer{Err: err}
	}
	hr.GetBody = nil
	hr.Close = true
	resp, err := tr.RoundTrip(hr)
	if err != nil {
		written := g.seal()
		return Answer{Written: written, Err: networkError(s.req.Op, 0, written, err)}
	}
	defer func() { _ = resp.Body.Close() }()
	return s.heard(resp)
}

// heard reports the answer. That its body broke off is no error: the status
// says that the vendor had the request.
func (s *OneShot) heard(resp *http.Response) Answer {
	a, _ := readAnswer(resp, MaxBodyBytes)
	out := Answer{
		Written: true, Status: a.status, Header: a.header, Body: a.body, Whole: !a.cut && !a.tooLong,
		RetryAfter:   parseRetryAfter(a.header.Get("Retry-After"), s.client.opts.Now()),
		ExpiredToken: a.expiredToken(),
	}
	if out.ExpiredToken {
		s.client.opts.Tokens.Drop(s.token)
	}
	return out
}

func (s *OneShot) blocked(detail string) error {
	return &connectors.Error{Kind: connectors.Blocked, Op: s.req.Op, Detail: detail}
}

// errSealed is what a connection's writer gets after its gate was sealed.
var errSealed = errors.New("httpx: the request was given up before it was written")

// gate knows for certain whether a byte of a request was handed to the network.
// net/http's trace cannot tell: its write loop may still run when RoundTrip has
// returned. A sealed gate lets nothing through any more.
type gate struct {
	mu      sync.Mutex
	written bool
	sealed  bool
}

// pass admits one write, or refuses it for good.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sealed {
		return errSealed
	}
	g.written = true
	return nil
}

// seal stops all further writes and tells whether there was one.
func (g *gate) seal() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.written
}

// transport dials afresh for each request and speaks HTTP/1.1 alone. Through a
// proxy the gate counts the bytes to the proxy, which errs on the safe side.
func (g *gate) transport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		Protocols:           &http1,
		DisableKeepAlives:   true,
		DisableCompression:  true,
		TLSHandshakeTimeout: handshakeTimeout,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, // behind a proxy
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &gatedConn{Conn: conn, gate: g}, nil
		},
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout+handshakeTimeout)
			defer cancel()
			d := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{
				MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, RootCAs: roots,
			}}
			conn, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &gatedConn{Conn: conn, gate: g}, nil
		},
	}
}

// gatedConn asks its gate before each write. Embedding hides a possible
// ReadFrom, so every byte passes Write.
type gatedConn struct {
	net.Conn
	gate *gate
}

// Write implements net.Conn.
func (c *gatedConn) Write(p []byte) (int, error) {
	if err := c.gate.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
