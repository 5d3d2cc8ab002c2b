package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Batch is what would have started more than its limit allows.
type Batch struct {
	ID        string          `json:"id"`
	Scope     string          `json:"scope"` // hr_source or policy
	Of        string          `json:"of"`
	State     string          `json:"state"` // held, released or discarded
	Size      int             `json:"size"`
	Started   int             `json:"started"`
	Allowed   int             `json:"allowed"`
	Limit     StartLimit      `json:"limit"`
	Needed    int             `json:"releases_needed"`
	Decisions []BatchDecision `json:"decisions"`
	CreatedAt time.Time       `json:"created_at"`
	EndedAt   *time.Time      `json:"ended_at"`
}

// BatchDecision is a principal's word on a batch.
type BatchDecision struct {
	Kind      string    `json:"kind"`
	Reason    string    `json:"reason"`
	Principal string    `json:"principal"`
	Size      int       `json:"size"`
	At        time.Time `json:"at"`
}

// Batches returns a page of batches, newest first; state "" selects all.
func (c *Client) Batches(ctx context.Context, state, cursor string, limit int) ([]Batch, string, error) {
	p, err := call[struct {
		Batches []Batch `json:"batches"`
		Next    string  `json:"next"`
	}](ctx, c, http.MethodGet, path("batches")+pageOf(url.Values{"state": {state}}, cursor, limit), nil)
	return p.Batches, p.Next, err
}

// Batch returns the batch of an id or of the beginning of one.
func (c *Client) Batch(ctx context.Context, ref string) (Batch, error) {
	return call[Batch](ctx, c, http.MethodGet, path("batches", ref), nil)
}

// ReleaseBatch releases a batch of the size that was looked at.
func (c *Client) ReleaseBatch(ctx context.Context, ref, reason string, size int) (Batch, error) {
	return call[Batch](ctx, c, http.MethodPost, path("batches", ref, "release"), map[string]any{"reason": reason, "size": size})
}

// DiscardBatch gives a batch up.
func (c *Client) DiscardBatch(ctx context.Context, ref, reason string, size int) (Batch, error) {
	return call[Batch](ctx, c, http.MethodPost, path("batches", ref, "discard"), map[string]any{"reason": reason, "size": size})
}
