package apiclient

import (
	"context"
	"net/http"
)

// AllowConnectionWrites lets a read-only connection write.
func (c *Client) AllowConnectionWrites(ctx context.Context, name, reason string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodPost, path("connections", name, "allow-writes"), map[string]string{"reason": reason})
}
