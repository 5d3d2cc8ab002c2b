// Package apiclient speaks to sendoff's HTTP API. It has JSON types of its own,
// so that a change of the server's shows as a failing test and not as agreement.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	requestTimeout = 21 * time.Minute // the server allows itself twenty
	maxAnswer      = 96 << 20         // bytes of one JSON answer; an event's body is up to 64 MiB, in base64
)

// Client calls one server with one token. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New returns a client for the server at base. Plain http is accepted on
// loopback alone: elsewhere it would show the token to the network.
func New(base, token string) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(base), "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, &Error{Code: CodeUsage, Message: "the server's URL is not an absolute URL", Fix: "set SENDOFF_URL such as https://sendoff.example.com"}
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, &Error{
			Code: CodeUsage, Message: "plain http to " + u.Host + " would show the token to the network",
			Fix: "use https, or an SSH tunnel to 127.0.0.1",
		}
	}
	if token == "" {
		return nil, &Error{Code: CodeUsage, Message: "there is no token for the server", Fix: "set SENDOFF_TOKEN; an admin makes one with: sendoff tokens create"}
	}
	return &Client{base: u, token: token, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
			ForceAttemptHTTP2:     true,
		},
		// A redirect could carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// URL is the server's.
func (c *Client) URL() string { return c.base.String() }

// path joins segments, each escaped: a case may be named by an address.
func path(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
	}
	return "/v1/" + strings.Join(escaped, "/")
}

// call sends body as JSON (nil = none) and decodes the answer into out.
func call[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var out T
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&out); err != nil {
		return out, c.notSendoff(res.StatusCode)
	}
	return out, nil
}

// send returns the response of a success; any other is an Error.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var payload io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, payload)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, c.refused(res)
}

// unreachable hides the library's text, which repeats the path.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	why := "does not answer"
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		why = "has no address: its name is unknown"
	case errors.As(err, &timeout) && timeout.Timeout():
		why = "did not answer in time"
	case strings.Contains(err.Error(), "connection refused"):
		why = "refuses connections: nothing listens there"
	case strings.Contains(err.Error(), "x509") || strings.Contains(err.Error(), "tls"):
		why = "cannot prove who it is (TLS)"
	}
	return &Error{
		Code: CodeUnreachable, Message: "the server at " + c.base.Host + " " + why,
		Fix: "start it (sendoff up, or sendoff server), or check SENDOFF_URL",
	}
}

func (c *Client) notSendoff(status int) error {
	return &Error{
		Code: CodeUnreachable, Status: status,
		Message: fmt.Sprintf("what answers at %s is not a sendoff server of this version (HTTP %d)", c.base.Host, status),
		Fix:     "check SENDOFF_URL",
	}
}

// refused decodes a problem document.
func (c *Client) refused(res *http.Response) error {
	var e Error
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || json.Unmarshal(body, &e) != nil || e.Code == "" {
		return c.notSendoff(res.StatusCode)
	}
	e.Status, e.RequestID = res.StatusCode, res.Header.Get("X-Request-Id")
	return &e
}
