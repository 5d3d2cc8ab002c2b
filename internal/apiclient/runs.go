package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Run is one pass over a connection: a sync, a read of its events, a probe.
type Run struct {
	RunID       string       `json:"run_id"`
	Connection  string       `json:"connection"`
	Kind        string       `json:"kind"`
	State       string       `json:"state"`
	Trigger     string       `json:"trigger"`
	RequestedBy string       `json:"requested_by"`
	Baseline    bool         `json:"baseline"`
	Cause       *RunCause    `json:"cause"`
	CreatedAt   time.Time    `json:"created_at"`
	StartedAt   *time.Time   `json:"started_at"`
	EndedAt     *time.Time   `json:"ended_at"`
	Elapsed     float64      `json:"elapsed_seconds"`
	Datasets    []RunDataset `json:"datasets"`
}

// RunCause is why a run failed or is quarantined.
type RunCause struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// RunDataset is how far a run is with a data set.
type RunDataset struct {
	Dataset       string    `json:"dataset"`
	State         string    `json:"state"`
	Reason        string    `json:"reason"`
	Generation    int       `json:"generation"`
	Pages         int       `json:"pages"`
	Rows          int64     `json:"rows"`
	Elapsed       float64   `json:"elapsed_seconds"`
	RowsPerSecond float64   `json:"rows_per_second"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// RunPage is a page of runs.
type RunPage struct {
	Runs []Run  `json:"runs"`
	Next string `json:"next"`
}

// StartRuns starts runs of a connection, by kind (none = a sync and a read of
// events); of every enabled one for "", where runs that were open already are
// returned too.
func (c *Client) StartRuns(ctx context.Context, connection string, kinds ...string) ([]Run, error) {
	p, err := call[struct {
		Runs []Run `json:"runs"`
	}](ctx, c, http.MethodPost, path("syncs"), map[string]any{"connection": connection, "kinds": kinds})
	return p.Runs, err
}

// Runs returns a page of runs, newest first; an empty connection, kind or state
// selects all.
func (c *Client) Runs(ctx context.Context, connection, kind, state, cursor string, limit int) (RunPage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"connection": connection, "kind": kind, "state": state, "cursor": cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return call[RunPage](ctx, c, http.MethodGet, path("runs")+"?"+q.Encode(), nil)
}

// Run returns a run.
func (c *Client) Run(ctx context.Context, id string) (Run, error) {
	return call[Run](ctx, c, http.MethodGet, path("runs", id), nil)
}

// ReleaseRun applies a quarantined sync after all.
func (c *Client) ReleaseRun(ctx context.Context, id, reason string) (Run, error) {
	return call[Run](ctx, c, http.MethodPost, path("runs", id, "release"), map[string]string{"reason": reason})
}

// DiscardRun gives a quarantined sync up.
func (c *Client) DiscardRun(ctx context.Context, id, reason string) (Run, error) {
	return call[Run](ctx, c, http.MethodPost, path("runs", id, "discard"), map[string]string{"reason": reason})
}
