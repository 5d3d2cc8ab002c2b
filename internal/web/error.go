package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sendoff/schema"
)

const problemType = "application/problem+json"

// errorBody is the body of every error (RFC 9457) with our own members: the code,
// the way out, and each thing that is wrong.
type errorBody struct {
	Title    string           `json:"title" doc:"The HTTP status in words"`
	Status   int              `json:"status" doc:"The HTTP status"`
	Detail   string           `json:"detail" doc:"What is wrong"`
	Code     schema.Code      `json:"code" doc:"The kind of error, for programs"`
	Fix      string           `json:"fix,omitempty" doc:"What to do about it"`
	Problems []schema.Problem `json:"problems,omitempty" doc:"Each thing that is wrong, all at once"`
}

// Error, GetStatus and ContentType make errorBody an error that huma writes as it is.
func (p *errorBody) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *errorBody) GetStatus() int { return p.Status }

// ContentType is that of problem documents.
func (p *errorBody) ContentType(string) string { return problemType }

// statusOf is the one table from codes to HTTP statuses.
func statusOf(code schema.Code) int {
	switch code {
	case schema.CodeInvalid, schema.CodeRefused:
		return http.StatusUnprocessableEntity
	case schema.CodeUnauthorized:
		return http.StatusUnauthorized
	case schema.CodeForbidden:
		return http.StatusForbidden
	case schema.CodeNotFound:
		return http.StatusNotFound
	case schema.CodeAmbiguous, schema.CodeConflict, schema.CodeHashDiffers, schema.CodePaused,
		schema.CodeStateBehind, schema.CodeStale, schema.CodeNotApproved, schema.CodeSuperseded,
		schema.CodeStopped, schema.CodeReadOnly, schema.CodeClosed,
		schema.CodeWaived, schema.CodeHeld, schema.CodeProtected:
		return http.StatusConflict
	case schema.CodeVendor:
		return http.StatusBadGateway
	case schema.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// problemOf turns any error into a problem. What is not a schema.Error is a
// fault of ours: callers learn that it happened, the log learns what.
func problemOf(err error) *errorBody {
	var p *errorBody
	if errors.As(err, &p) {
		return p
	}
	var e *schema.Error
	if errors.As(err, &e) && e.Code != schema.CodeInternal {
		status := statusOf(e.Code)
		return &errorBody{
			Title: http.StatusText(status), Status: status,
			Detail: e.Message, Code: e.Code, Fix: e.Fix, Problems: e.Problems,
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return problemOf(&schema.Error{
			Code: schema.CodeUnavailable, Message: "the request took longer than the server allows",
			Fix: "try again; if it was for many leavers, send fewer at once",
		})
	}
	return &errorBody{
		Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Detail: "the server failed; nothing more is known to the caller", Code: schema.CodeInternal,
		Fix: "look in the server's log for the id in the X-Request-Id header of this answer",
	}
}

// fromHuma turns the framework's own refusals (syntax, types, sizes) into ours.
// Its details echo the rejected values and, for a stray member, the whole body;
// only the place and the rule are kept.
func fromHuma(m *huma.ErrorModel) *errorBody {
	p := &errorBody{
		Title: http.StatusText(m.Status), Status: m.Status, Code: schema.CodeInvalid,
		Detail: "the request does not have the form this operation expects",
		Fix:    "compare it with /openapi.json",
	}
	if m.Status >= http.StatusInternalServerError {
		return problemOf(errors.New(m.Detail))
	}
	if m.Status == http.StatusRequestEntityTooLarge {
		p.Detail, p.Fix = "the request is larger than this operation takes", "send fewer at once: leavers or policy files in parts, a roster in parts as changes"
	}
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		where, message := strings.TrimPrefix(d.Location, "body."), d.Message
		if d.Location == "body" && m.Status == http.StatusBadRequest {
			message = "not valid JSON" // the decoder's own text quotes the input
		}
		p.Problems = append(p.Problems, schema.Problem{Where: where, Code: "form", Message: message})
	}
	return p
}

// stripEcho is the transformer that applies fromHuma to every response.
func stripEcho(_ huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		return fromHuma(m), nil
	}
	return v, nil
}

// writeProblem writes err outside of the framework.
func writeProblem(w http.ResponseWriter, err error) {
	p := problemOf(err)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may be gone
}

// faults collects everything wrong with a request.
type faults struct{ list []schema.Problem }

func (f *faults) add(where, code, message, fix string) {
	f.list = append(f.list, schema.Problem{Where: where, Code: code, Message: message, Fix: fix})
}

func (f *faults) err(message string) error {
	if len(f.list) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: message, Problems: f.list}
}
