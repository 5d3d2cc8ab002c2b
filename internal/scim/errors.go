package scim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"sendoff/schema"
)

// The scimTypes of errors (RFC 7644 section 3.12).
const (
	invalidFilter = "invalidFilter"
	tooMany       = "tooMany"
	uniqueness    = "uniqueness"
	mutability    = "mutability"
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	noTarget      = "noTarget"
	invalidValue  = "invalidValue"
)

// fault is an error that the client learns as it is.
type fault struct {
	status   int
	scimType string
	detail   string
}

// Error is the detail.
func (f *fault) Error() string { return f.detail }

// bad is a fault of the request. A detail never quotes what was sent.
func bad(scimType, detail string) error {
	return &fault{http.StatusBadRequest, scimType, detail}
}

// errorBody is the body of every error; its status is a string.
type errorBody struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

// faultOf turns any error into what the client learns. What is neither a fault nor
// a schema.Error is one of ours: the client learns that it happened.
func faultOf(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &fault{http.StatusServiceUnavailable, "", "the request took longer than the server allows: try again"}
	}
	var e *schema.Error
	if !errors.As(err, &e) {
		return &fault{http.StatusInternalServerError, "", "the server failed; nothing more is known to the caller"}
	}
	switch e.Code {
	case schema.CodeNotFound:
		return &fault{http.StatusNotFound, "", "there is no such resource"}
	case schema.CodeStale:
		return &fault{http.StatusPreconditionFailed, "", "the resource has another version: read it again"}
	case schema.CodeConflict:
		return &fault{http.StatusConflict, uniqueness, "another resource of this type has the name; names are unique without regard to case"}
	case schema.CodeInvalid:
		return &fault{http.StatusBadRequest, invalidValue, e.Message}
	case schema.CodeUnauthorized:
		return &fault{http.StatusUnauthorized, "", "the bearer token is missing, unknown, expired or revoked, or its source is not enabled"}
	case schema.CodeForbidden:
		return &fault{http.StatusForbidden, "", e.Message}
	case schema.CodeUnavailable:
		return &fault{http.StatusServiceUnavailable, "", "a part of the server is down: try again"}
	default:
		return &fault{http.StatusInternalServerError, "", "the server failed; nothing more is known to the caller"}
	}
}

// fail writes err. The log learns of what is a fault of ours.
func (s *server) fail(w http.ResponseWriter, err error) {
	f := faultOf(err)
	if f.status >= http.StatusInternalServerError {
		s.log.Error("scim request failed", zap.Int("status", f.status), zap.String("code", string(schema.CodeOf(err))))
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
	}
	write(w, f.status, errorBody{[]string{urnError}, strconv.Itoa(f.status), f.scimType, f.detail})
}

const mediaType = "application/scim+json"

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the caller may be gone
}
