package schema

import (
	"errors"
	"strings"
)

// Code sorts the errors that reach people. internal/web maps it to an HTTP
// status and the CLI to an exit code.
type Code string

// The codes of Error.
const (
	CodeInvalid      Code = "invalid"       // the request is wrong; the fix says how
	CodeNotFound     Code = "not_found"     // the thing named does not exist
	CodeAmbiguous    Code = "ambiguous"     // the name fits several things
	CodeConflict     Code = "conflict"      // the state does not allow it now
	CodeForbidden    Code = "forbidden"     // the principal may not do it
	CodeUnauthorized Code = "unauthorized"  // no valid principal
	CodeRefused      Code = "refused"       // pre-flight refused
	CodeHashDiffers  Code = "hash_differs"  // what was confirmed is not what would run
	CodeUnavailable  Code = "unavailable"   // a part we need is down
	CodePaused       Code = "paused"        // the engine's switch is off
	CodeStateBehind  Code = "state_behind"  // the row is behind its workflow (restored backup)
	CodeStale        Code = "stale"         // the caller's fence was overtaken
	CodeNotApproved  Code = "not_approved"  // approvals are missing or void
	CodeSuperseded   Code = "superseded"    // another plan took over
	CodeStopped      Code = "stopped"       // the plan is being cancelled or has ended
	CodeInternal     Code = "internal"      // a fault of ours
	CodeReadOnly     Code = "read_only"     // the connection may not write
	CodeClosed       Code = "closed"        // the connection is disabled or removed
	CodeVendor       Code = "vendor_failed" // the vendor refused or failed
	CodeWaived       Code = "waived"        // an operator left the step out
	CodeHeld         Code = "held"          // a hold forbids it
	CodeProtected    Code = "protected"     // the account is protected
)

// Problem is one thing wrong with a request: where, what rule, and the fix.
type Problem struct {
	Where   string `json:"where,omitempty"` // flag, field, or "line 3, column 2 (last_day)"
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// Error is an error for people: it names the thing, the rule and the fix, and
// carries every problem at once.
type Error struct {
	Code     Code
	Message  string
	Fix      string
	Problems []Problem
}

// Error joins message, problems and fix in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, p := range e.Problems {
		b.WriteString("; ")
		if p.Where != "" {
			b.WriteString(p.Where + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.Fix != "" {
		b.WriteString(" (" + e.Fix + ")")
	}
	return b.String()
}

// Errorf-like constructors would hide the fix; build Error values instead.

// CodeOf returns the code of the first Error in err's chain, CodeInternal when
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
