package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sendoff/connectors"
)

// answer is a response that was read whole, or to its cap.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	tooLong bool
	cut     bool // the body broke off
}

func (a answer) accepted() bool { return a.status >= 200 && a.status < 300 }

// expiredToken tells whether the vendor says only that the token is no longer
// good: 401 without a body. A 401 that explains itself has another cause, which
// a fresh token does not mend.
func (a answer) expiredToken() bool {
	return a.status == http.StatusUnauthorized && !a.cut && len(bytes.TrimSpace(a.body)) == 0
}

// page tells whether the body is markup: a page for people, and no API's answer.
func (a answer) page() bool { return bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<")) }

// readAnswer reads the response to its cap, most bytes of an accepted one. A refusal's body that breaks off is
// kept as it is: the status was heard.
func readAnswer(resp *http.Response, most int64) (answer, error) {
	a := answer{status: resp.StatusCode, header: resp.Header}
	limit := most
	if !a.accepted() {
		limit = MaxErrorBytes
	}
	body, err := readPlain(resp, limit+1)
	if int64(len(body)) > limit {
		body, a.tooLong = body[:limit], true
	}
	// RFC 8259 section 8.1: a byte order mark may be ignored.
	a.body, a.cut = bytes.TrimPrefix(body, []byte("\ufeff")), err != nil
	if err != nil && a.accepted() {
		return a, err
	}
	return a, nil
}

// readPlain reads at most limit bytes of the body, also of one that a proxy
// compressed although nobody asked it to: net/http undoes only what it asked for.
func readPlain(resp *http.Response, limit int64) ([]byte, error) {
	if !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return io.ReadAll(io.LimitReader(resp.Body, limit))
	}
	plain, err := gzip.NewReader(resp.Body)
	if errors.Is(err, io.EOF) {
		return nil, nil // no body at all
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(plain, limit))
}

// refusal is the error an answer stands for, nil when it is accepted.
func (c *Client) refusal(req Request, a answer) error {
	retryAfter := parseRetryAfter(a.header.Get("Retry-After"), c.opts.Now())
	e := &connectors.Error{Op: req.Op, Status: a.status, RetryAfter: retryAfter, Sent: true}
	switch {
	case a.status == http.StatusAccepted && !req.isWrite() && a.header.Get("Retry-After") != "":
		e.Kind, e.Detail = connectors.Unavailable, "the vendor is not ready and asks to come back"
		return e
	case a.accepted():
		return nil
	case a.status < 400:
		e.Kind, e.Detail = connectors.Malformed, "the vendor redirected the call, which is not followed: check the base URL"
		e.Err = connectors.ErrNotTheAPI
		return e
	}
	e.Kind = kindOfStatus(a.status)
	if a.page() {
		e.Err = connectors.ErrNotTheAPI
	}
	if a.expiredToken() {
		e.Detail = "the vendor does not accept the access token"
	}
	c.opts.Explain(e, a.header, a.body)
	return e
}

// kindOfStatus sorts refusals (RFC 9110 section 15, RFC 6585 section 4).
func kindOfStatus(status int) connectors.Kind {
	switch status {
	case http.StatusUnauthorized:
		return connectors.Unauthorized
	case http.StatusForbidden:
		return connectors.Forbidden
	case http.StatusNotFound:
		return connectors.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return connectors.Conflict
	case http.StatusTooManyRequests:
		return connectors.RateLimited
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return connectors.Unavailable
	case http.StatusInsufficientStorage: // waiting makes no room
		return connectors.Invalid
	}
	if status >= 500 {
		return connectors.Unavailable
	}
	return connectors.Invalid
}

// maxRetryAfter bounds what a vendor may make us wait.
const maxRetryAfter = 24 * time.Hour

// parseRetryAfter reads seconds, also with a fraction as some vendors send
// them, or an HTTP date (RFC 9110 section 10.2.3); 0 when there is neither.
func parseRetryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	var d time.Duration
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if math.IsNaN(s) {
			return 0
		}
		d = time.Duration(min(max(s, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// networkError is the error for a call without a whole answer. It keeps only
// causes whose text is ours or the system's: net/http's own quote the URL and
// the vendor's bytes.
func networkError(op string, status int, sent bool, err error) error {
	e := &connectors.Error{Kind: connectors.Unavailable, Op: op, Status: status, Sent: sent}
	e.Detail, e.Err = cause(err)
	return e
}

func cause(err error) (detail string, kept error) {
	var dns *net.DNSError
	var errno syscall.Errno
	var netErr net.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was cancelled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return "no whole answer in time", context.DeadlineExceeded
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "no whole answer in time", os.ErrDeadlineExceeded
	case errors.As(err, &cert):
		return "the host's certificate is not trusted", nil
	case errors.As(err, &dns):
		return "the host name could not be resolved", nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the host refuses connections", syscall.ECONNREFUSED
	case errors.As(err, &errno):
		return "the connection failed", errno
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer broke off", io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer", io.EOF
	default:
		return "the connection failed", nil
	}
}
