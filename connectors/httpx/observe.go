package httpx

import (
	"context"
	"errors"
	"net/http"

	"sendoff/connectors"
)

// observe tells the observer of a request about to be sent. What it returns must
// be called with the answer, or with the error that came instead.
func (c *Client) observe(ctx context.Context, req Request) (context.Context, func(answer, error)) {
	if c.opts.Observer == nil {
		return ctx, func(answer, error) {}
	}
	call := connectors.ObservedCall{Connection: c.opts.Connection, Op: req.Op, Method: req.Method}
	ctx, end := c.opts.Observer.BeginCall(ctx, call)
	return ctx, func(ans answer, err error) {
		if err == nil {
			err = c.refusal(req, ans)
		}
		out := connectors.ObservedEnd{Kind: connectors.KindOf(err), Status: ans.status, RequestID: requestID(ans.header)}
		var e *connectors.Error
		if errors.As(err, &e) {
			out.Status = e.Status
			if e.RequestID != "" {
				out.RequestID = e.RequestID
			}
		}
		end(out)
	}
}

// maxRequestID bounds what a vendor may have us keep.
const maxRequestID = 128

// requestID finds the vendor's id of a request in the headers that vendors use
// for it; "" when there is none, or one that is not a plain word.
func requestID(h http.Header) string {
	for _, name := range []string{"Box-Request-Id", "X-Request-Id", "X-Okta-Request-Id", "Request-Id", "X-Zm-Trackingid"} {
		id := h.Get(name)
		if id == "" || len(id) > maxRequestID {
			continue
		}
		plain := true
		for _, r := range id {
			plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
		}
		if plain {
			return id
		}
	}
	return ""
}
