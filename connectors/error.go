package connectors

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind sorts the failures of vendor calls; activities/classify.go turns it into
// a Temporal error.
type Kind string

// The kinds of Error.
const (
	RateLimited  Kind = "rate_limited" // 429
	Unavailable  Kind = "unavailable"  // 5xx, timeout, reset, no route
	Conflict     Kind = "conflict"     // 409, 412
	Unauthorized Kind = "unauthorized" // 401, invalid_grant
	Forbidden    Kind = "forbidden"    // 403
	Invalid      Kind = "invalid"      // 400, 422: the vendor refuses the request
	Malformed    Kind = "malformed"    // an answer that breaks the vendor's contract
	NotFound     Kind = "not_found"    // 404
	Unsupported  Kind = "unsupported"  // the connector lacks the capability
	Blocked      Kind = "blocked"      // refused by us: read-only connection, force, engine paused
)

// Permanent tells whether trying again without a change cannot help.
func (k Kind) Permanent() bool {
	switch k {
	case RateLimited, Unavailable, Conflict:
		return false
	default:
		return true
	}
}

// Error is a failed vendor call. It never holds a secret, a login, a name or
// any other text of the vendor's answer but its code and the id of the request.
type Error struct {
	Kind       Kind
	Op         string // the operation in our words, e.g. "box.delete_user"
	Status     int    // HTTP status; 0 = no answer
	Code       string // the vendor's own error code, if it is a plain word
	RequestID  string // the vendor's id of the request, for its support
	RetryAfter time.Duration
	Detail     string // a fixed text of ours that says more
	Sent       bool   // whether a byte of the request may have left us
	Err        error  // underlying network error, if its text is free of data
}

// Error says what was tried and how it failed.
func (e *Error) Error() string {
	parts := []string{e.Op + ": " + string(e.Kind)}
	if e.Status != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", e.Status))
	}
	if e.Code != "" {
		parts = append(parts, "code "+e.Code)
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if e.RequestID != "" {
		parts = append(parts, "vendor request "+e.RequestID)
	}
	return strings.Join(parts, ", ")
}

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain, or "".
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
