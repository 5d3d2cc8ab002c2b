package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Moment is when a leaver's clock starts, and why then.
type Moment struct {
	Starts   string    `json:"starts"` // last_working_day, termination_date, garden_leave or at_once
	Date     string    `json:"date"`   // empty = at once
	At       string    `json:"at"`     // local time, HH:MM
	TimeZone string    `json:"time_zone"`
	ZoneFrom string    `json:"zone_from"` // person, site or company
	DueAt    time.Time `json:"due_at"`
}

// Leaver is what HR wants for a person who leaves.
type Leaver struct {
	ID         string     `json:"id"`
	PersonID   string     `json:"person_id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Source     string     `json:"source"`
	ExternalID string     `json:"external_id"`
	Moment     Moment     `json:"moment"`
	ForCause   bool       `json:"for_cause"`
	Reason     string     `json:"reason"`
	ByHand     bool       `json:"by_hand"`
	State      string     `json:"state"`
	End        string     `json:"end"`
	CaseID     string     `json:"case_id"`
	OwnCase    bool       `json:"own_case"`
	BatchID    string     `json:"batch_id"`
	Findings   []Finding  `json:"findings"`
	Lost       []string   `json:"lost"`
	Revision   int64      `json:"revision"`
	Template   string     `json:"template"`
	Receivers  []string   `json:"receivers"`
	Approvals  int        `json:"approvals"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	EndedAt    *time.Time `json:"ended_at"`
}

// CaseLeaver is what a case says of the leaver it works for.
type CaseLeaver struct {
	ID       string   `json:"id"`
	Source   string   `json:"source"`
	Moment   Moment   `json:"moment"`
	ForCause bool     `json:"for_cause"`
	State    string   `json:"state"`
	Lost     []string `json:"lost"`
}

// Leavers returns a page of leavers, newest first. Filters are source, state,
// email, open and batch.
func (c *Client) Leavers(ctx context.Context, filters url.Values, cursor string, limit int) ([]Leaver, string, error) {
	p, err := call[struct {
		Leavers []Leaver `json:"leavers"`
		Next    string   `json:"next"`
	}](ctx, c, http.MethodGet, path("hr", "leavers")+pageOf(filters, cursor, limit), nil)
	return p.Leavers, p.Next, err
}

// Leaver returns the leaver of an id or address.
func (c *Client) Leaver(ctx context.Context, ref string) (Leaver, error) {
	return call[Leaver](ctx, c, http.MethodGet, path("hr", "leavers", ref), nil)
}

// RetryLeaver lets a leaver be planned now.
func (c *Client) RetryLeaver(ctx context.Context, ref string) (Leaver, error) {
	return call[Leaver](ctx, c, http.MethodPost, path("hr", "leavers", ref, "retry"), nil)
}
