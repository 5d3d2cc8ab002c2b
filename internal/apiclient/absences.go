package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Absence is a time in which a person decides nothing.
type Absence struct {
	ID         string     `json:"id"`
	PersonID   string     `json:"person_id"`
	Person     string     `json:"person"` // address; empty = none is known
	From       time.Time  `json:"from"`
	Until      *time.Time `json:"until"`       // nil = until it is ended
	DelegateID string     `json:"delegate_id"` // who decides meanwhile; empty = the next in each chain
	Delegate   string     `json:"delegate"`    // address
	Reason     string     `json:"reason"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Now        bool       `json:"now"` // whether it holds at this instant
}

// NewAbsence says that somebody is away. People are named by address, instants in
// RFC 3339 with zone.
type NewAbsence struct {
	Person   string `json:"person,omitempty"` // empty = whoever asks
	From     string `json:"from,omitempty"`   // empty = now
	Until    string `json:"until,omitempty"`  // empty = until it is ended
	Delegate string `json:"delegate,omitempty"`
	Reason   string `json:"reason"`
}

// Absences returns a page of absences, of a person or "" of all that one may see.
func (c *Client) Absences(ctx context.Context, person, cursor string, limit int) ([]Absence, string, error) {
	p, err := call[struct {
		Absences []Absence `json:"absences"`
		Next     string    `json:"next"`
	}](ctx, c, http.MethodGet, path("absences")+pageOf(url.Values{"person": {person}}, cursor, limit), nil)
	return p.Absences, p.Next, err
}

// SetAbsence says that somebody is away.
func (c *Client) SetAbsence(ctx context.Context, n NewAbsence) (Absence, error) {
	return call[Absence](ctx, c, http.MethodPost, path("absences"), n)
}

// EndAbsence ends an absence now.
func (c *Client) EndAbsence(ctx context.Context, id string) (Absence, error) {
	return call[Absence](ctx, c, http.MethodDelete, path("absences", id), nil)
}
