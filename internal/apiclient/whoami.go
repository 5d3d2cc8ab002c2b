package apiclient

import (
	"context"
	"net/http"
)

// Whoami is whose token a client has.
type Whoami struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Email   string `json:"email"` // of the person who holds it; empty = not a person's
	TokenID string `json:"token_id"`
}

// Whoami asks whose token this is.
func (c *Client) Whoami(ctx context.Context) (Whoami, error) {
	return call[Whoami](ctx, c, http.MethodGet, path("whoami"), nil)
}
