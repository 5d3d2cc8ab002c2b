package httpx

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// CallTimeout bounds one call unless its Request says otherwise.
	CallTimeout = 60 * time.Second
	// MaxBodyBytes caps the body of an accepted answer.
	MaxBodyBytes = 4 << 20
	// MaxErrorBytes caps what is read of a refusal's body.
	MaxErrorBytes = 64 << 10
)

// TokenSource hands out bearer tokens.
type TokenSource interface {
	// Token returns a token that is good for some minutes yet.
	Token(ctx context.Context) (string, error)
	// Drop forgets the token, if it is still the current one, so that the next
	// Token fetches anew.
	Drop(token string)
}

// Options are the parts of a Client. All but Scheme, ReadOnly, TokenUser, RootCAs,
// Observer and Explain are needed; a ReadOnly client needs no Guard.
type Options struct {
	BaseURL    string // the API's root; https unless the host is loopback
	Connection schema.ConnectionID
	ReadOnly   bool              // refuse all but GET (promise 11)
	TokenUser  schema.ExternalID // whose rate each call uses; empty = the application's own account
	Tokens     TokenSource
	// Scheme is how a token is shown (RFC 9110 section 11.4); empty = Bearer. One of
	// another scheme is a key that nobody renews: it is sent once.
	Scheme   string
	Limiter  connectors.Limiter
	Guard    connectors.Guard
	Now      func() time.Time
	RootCAs  *x509.CertPool      // nil = the system's
	Observer connectors.Observer // nil = nobody measures
	// Explain adds to an error what the vendor's own envelope says: Code,
	// RequestID, Detail, or another Kind. It must copy no free text.
	Explain func(e *connectors.Error, header http.Header, body []byte)
}

// Client calls one vendor for one connection. Use it from several goroutines.
type Client struct {
	opts Options
	base *url.URL
	http *http.Client
	skew atomic.Int64 // nanoseconds that the vendor's clock is ahead of ours
}

// New returns a client, or an error that names what is wrong with the base URL.
func New(opts Options) (*Client, error) {
	base, err := ParseURL(opts.BaseURL)
	if err != nil {
		return nil, err
	}
	if opts.Explain == nil {
		opts.Explain = func(*connectors.Error, http.Header, []byte) {}
	}
	return &Client{opts: opts, base: base, http: newHTTPClient(opts.RootCAs)}, nil
}

// ClockSkew is how far the vendor's clock is ahead of ours by the Date of its last
// answer (RFC 9110 section 6.6.1), to the second; 0 when no answer had one.
func (c *Client) ClockSkew() time.Duration { return time.Duration(c.skew.Load()) }

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one call. Path is absolute and escaped, without a query.
type Request struct {
	Op     string // in our words, e.g. "box.read_user"
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   any // sent as JSON; nil = none
	// ActsAs is the user the call impersonates; its rate is debited too.
	ActsAs schema.ExternalID
	// Idempotent marks a POST that may be repeated with a fresh token.
	Idempotent bool
	Timeout    time.Duration // 0 = CallTimeout
	MaxBytes   int64         // of an accepted answer's body; 0 = MaxBodyBytes
}

func (r Request) isWrite() bool { return r.Method != http.MethodGet }

// repeatable tells whether the request may be sent again with a fresh token
// (RFC 9110 section 9.2.2: PUT and DELETE are idempotent).
func (r Request) repeatable() bool {
	switch r.Method {
	case http.MethodGet, http.MethodPut, http.MethodDelete:
		return true
	default:
		return r.Idempotent
	}
}

// Do makes the call and decodes the answer into out; a nil out ignores the
// body. It returns a *connectors.Error for whatever fails.
func (c *Client) Do(ctx context.Context, req Request, out any) error {
	body, err := c.check(req)
	if err != nil {
		return err
	}
	ans, token, err := c.send(ctx, req, body)
	if err != nil {
		return err
	}
	if ans.expiredToken() && c.opts.Scheme == "" {
		c.opts.Tokens.Drop(token)
		if req.repeatable() {
			if ans, token, err = c.send(ctx, req, body); err != nil {
				return err
			}
			if ans.expiredToken() {
				c.opts.Tokens.Drop(token)
			}
		}
	}
	return c.decode(req, ans, out)
}

// send makes one request: rate, token, guard, wire.
func (c *Client) send(ctx context.Context, req Request, body []byte) (ans answer, token string, err error) {
	token, err = c.ready(ctx, req)
	if err != nil {
		return answer{}, "", err
	}
	if err := c.allow(ctx, req); err != nil {
		return answer{}, "", err
	}
	timeout := req.Timeout
	if timeout <= 0 {
		timeout = CallTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, heard := c.observe(ctx, req)
	defer func() { heard(ans, err) }()
	var sent atomic.Bool
	// Once a connection is handed over its write loop may run even if the call
	// is cancelled, so from here on a byte "may have left us".
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	hr, err := c.wire(traced, req, body, token)
	if err != nil {
		return answer{}, "", err
	}
	resp, err := c.http.Do(hr)
	if err != nil {
		return answer{}, "", networkError(req.Op, 0, sent.Load(), err)
	}
	defer func() { _ = resp.Body.Close() }()
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.skew.Store(int64(t.Sub(c.opts.Now()).Round(time.Second)))
	}
	ans, err = readAnswer(resp, cmp.Or(req.MaxBytes, MaxBodyBytes))
	if err != nil {
		return answer{}, "", networkError(req.Op, resp.StatusCode, true, err)
	}
	return ans, token, nil
}

// ready obtains what a request must wait for: the rate of the token's user and
// of the one it acts as, then a token, which so does not age in the queue.
func (c *Client) ready(ctx context.Context, req Request) (string, error) {
	users := []schema.ExternalID{c.opts.TokenUser}
	if req.ActsAs != "" && req.ActsAs != c.opts.TokenUser {
		users = append(users, req.ActsAs)
	}
	for _, u := range users {
		if err := c.opts.Limiter.Wait(ctx, c.opts.Connection, u, connectors.PriorityOf(ctx)); err != nil {
			return "", &connectors.Error{
				Kind: connectors.Unavailable, Op: req.Op, Err: err,
				Detail: "no call rate could be obtained; nothing was sent",
			}
		}
	}
	token, err := c.opts.Tokens.Token(ctx)
	var e *connectors.Error
	if errors.As(err, &e) {
		// Whatever became of the token request, this one has not left us.
		unsent := *e
		unsent.Sent = false
		return "", &unsent
	}
	return token, err
}

// allow asks the guard, last thing before a write.
func (c *Client) allow(ctx context.Context, req Request) error {
	if !req.isWrite() {
		return nil
	}
	err := c.opts.Guard.AllowWrite(ctx, c.opts.Connection)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return networkError(req.Op, 0, false, ctx.Err())
	}
	return &connectors.Error{
		Kind: connectors.Blocked, Op: req.Op, Err: err,
		Detail: "writes are not allowed now; nothing was sent",
	}
}

// wire builds the HTTP request. The path was checked, so that joining it to
// the base cannot climb.
func (c *Client) wire(ctx context.Context, req Request, body []byte, token string) (*http.Request, error) {
	target := strings.TrimRight(c.base.String(), "/") + req.Path
	if len(req.Query) > 0 {
		target += "?" + req.Query.Encode()
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	hr, err := http.NewRequestWithContext(ctx, req.Method, target, r)
	if err != nil {
		return nil, &connectors.Error{Kind: connectors.Invalid, Op: req.Op, Detail: "the request's path is not valid; nothing was sent"}
	}
	for name, values := range req.Header {
		hr.Header[http.CanonicalHeaderKey(name)] = values
	}
	hr.Header.Set("Accept", "application/json")
	hr.Header.Set("User-Agent", "sendoff")
	if body != nil {
		hr.Header.Set("Content-Type", "application/json")
	}
	hr.Header.Set("Authorization", cmp.Or(c.opts.Scheme, "Bearer")+" "+token)
	return hr, nil
}

// decode turns an answer into out or an error.
func (c *Client) decode(req Request, ans answer, out any) error {
	if e := c.refusal(req, ans); e != nil {
		return e
	}
	if out == nil {
		return nil
	}
	malformed := func(detail string) error {
		e := &connectors.Error{Kind: connectors.Malformed, Op: req.Op, Status: ans.status, Sent: true, Detail: detail}
		if ans.page() {
			e.Err = connectors.ErrNotTheAPI
		}
		return e
	}
	if ans.tooLong {
		return malformed("the answer is longer than the " + sizeOf(cmp.Or(req.MaxBytes, MaxBodyBytes)) + " that are read of it")
	}
	// The decoder's text quotes the vendor's answer: it is not kept.
	if err := json.Unmarshal(legible(ans.body), out); err != nil {
		return malformed("the answer is not the JSON that the vendor documents")
	}
	return nil
}

// sizeOf writes a limit in words.
func sizeOf(bytes int64) string {
	if bytes%(1<<20) == 0 {
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	}
	return strconv.FormatInt(bytes>>10, 10) + " KiB"
}
