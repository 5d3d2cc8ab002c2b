package boxsim

import (
	"net/http"
)

const helpURL = "http://developers.box.com/docs/#errors"

// apiError is Box's error envelope, in the order of the wire.
type apiError struct {
	Type        string       `json:"type"`
	Status      int          `json:"status"`
	Code        string       `json:"code"`
	ContextInfo *contextInfo `json:"context_info,omitempty"`
	HelpURL     string       `json:"help_url"`
	Message     string       `json:"message"`
	RequestID   string       `json:"request_id"`

	authenticate string // the WWW-Authenticate header
	empty        bool   // no body at all
	retryAfter   int    // seconds, for the Retry-After header
}

type contextInfo struct {
	Errors    []paramError `json:"errors,omitempty"`
	Conflicts []any        `json:"conflicts,omitempty"`
}

type paramError struct {
	Reason  string `json:"reason"`
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
}

func fail(status int, code, message string) *apiError {
	return &apiError{Type: "error", Status: status, Code: code, HelpURL: helpURL, Message: message}
}

// notFound names the parameter with Box's internal prefix of the item's type.
func notFound(name, value string) *apiError {
	e := fail(http.StatusNotFound, "not_found", "Not Found")
	e.ContextInfo = &contextInfo{Errors: []paramError{{
		Reason: "invalid_parameter", Name: name,
		Message: "Invalid value '" + value + "'. '" + name + "' with value '" + value + "' not found",
	}}}
	return e
}

func itemNotFound(typ itemType, id string) *apiError {
	prefix := map[itemType]string{typeFile: "f_", typeFolder: "d_", typeWebLink: "w_"}[typ]
	return notFound("item", prefix+id)
}

func badRequest(name, message string) *apiError {
	e := fail(http.StatusBadRequest, "bad_request", "Bad Request")
	e.ContextInfo = &contextInfo{Errors: []paramError{{Reason: "invalid_parameter", Name: name, Message: message}}}
	return e
}

func denied() *apiError {
	return fail(http.StatusForbidden, "access_denied_insufficient_permissions", "Access denied - insufficient permission")
}

func insufficientScope() *apiError {
	e := fail(http.StatusForbidden, "insufficient_scope", "The request requires higher privileges than provided by the access token.")
	e.authenticate = `Bearer realm="Service", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token."`
	return e
}

// invalidToken is the answer to an expired, revoked or made-up token: 401 with
// an empty body, which is how clients tell it from every other 401.
func invalidToken() *apiError {
	return &apiError{
		Status: http.StatusUnauthorized, empty: true,
		authenticate: `Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."`,
	}
}

// deactivated is the answer to whoever acts as a deactivated account. It has a
// body, unlike the answer to an expired token.
func (s *Sim) deactivated() *apiError {
	e := fail(http.StatusUnauthorized, "unauthorized", "Unauthorized - User has been deactivated")
	if s.switches.DeactivatedAnswer == "403" {
		return fail(http.StatusForbidden, "forbidden", e.Message)
	}
	e.authenticate = `Bearer realm="Service"`
	return e
}

// appDisabled is the answer to tokens of an app that the enterprise disabled.
func appDisabled() *apiError {
	e := fail(http.StatusUnauthorized, "unauthorized", "Unauthorized - Cannot authorize with this service")
	e.authenticate = `Bearer realm="Service"`
	return e
}

// refusal is an error whose status a switch chose.
func refusal(status int, message string) *apiError {
	code, _ := plainCode(status)
	return fail(status, code, message)
}

func unavailable() *apiError {
	return fail(http.StatusServiceUnavailable, "unavailable", "Unavailable")
}

func blocked() *apiError {
	return fail(http.StatusConflict, "operation_blocked_temporary", "The operation is blocked by another ongoing operation")
}

func nameInUse(conflict any) *apiError {
	e := fail(http.StatusConflict, "item_name_in_use", "Item with the same name already exists")
	e.ContextInfo = &contextInfo{Conflicts: []any{conflict}}
	return e
}

// plainCode is the code and message Box serves with a bare status, used for
// injected faults without a body of their own.
func plainCode(status int) (code, message string) {
	switch status {
	case http.StatusUnauthorized:
		return "unauthorized", "Unauthorized"
	case http.StatusForbidden:
		return "forbidden", "Forbidden"
	case http.StatusNotFound:
		return "not_found", "Not Found"
	case http.StatusConflict:
		return "operation_blocked_temporary", "The operation is blocked by another ongoing operation"
	case http.StatusTooManyRequests:
		return "rate_limit_exceeded", "Request rate limit exceeded, please try again later"
	case http.StatusInternalServerError:
		return "internal_server_error", "Internal Server Error"
	case http.StatusBadGateway:
		return "bad_gateway", "Bad Gateway"
	case http.StatusServiceUnavailable:
		return "unavailable", "Unavailable"
	}
	return "bad_request", http.StatusText(status)
}
