package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// HREvent is what a source told.
type HREvent struct {
	ID         string         `json:"id"`
	Seq        int64          `json:"seq"`
	Source     string         `json:"source"`
	EventID    string         `json:"event_id"`
	GroupID    string         `json:"group_id"`
	Via        string         `json:"via"`
	State      string         `json:"state"` // pending, applied or refused
	Tells      HRChange       `json:"tells"`
	BodyHash   string         `json:"body_hash"`
	Problems   []Problem      `json:"problems"`
	Outcome    []EventOutcome `json:"outcome"`
	ReceivedAt time.Time      `json:"received_at"`
	AppliedAt  *time.Time     `json:"applied_at"`
	BodySize   int            `json:"body_size,omitempty"`
	Body       []byte         `json:"body,omitempty"` // as it came, when it was asked for
}

// HRChange is what an event tells.
type HRChange struct {
	Kind        string  `json:"kind"`
	Mode        string  `json:"mode"`
	Employments int     `json:"employments"`
	Hand        *ByHand `json:"hand"`
}

// ByHand is what somebody said of a person.
type ByHand struct {
	Email          string `json:"email"`
	LastWorkingDay string `json:"last_working_day"`
	TerminatedOn   string `json:"termination_date"`
	TimeZone       string `json:"time_zone"`
	ForCause       bool   `json:"for_cause"`
	Reason         string `json:"reason"`
	Principal      string `json:"principal"`
}

// EventOutcome is what applying an event did about one person.
type EventOutcome struct {
	ExternalID string `json:"external_id"`
	PersonID   string `json:"person_id"`
	LeaverID   string `json:"leaver_id"`
	Effect     string `json:"effect"`
	Detail     string `json:"detail"`
}

// AcceptedEvent is an event at the door; a Duplicate came before.
type AcceptedEvent struct {
	Event     HREvent `json:"event"`
	Duplicate bool    `json:"duplicate"`
}

// HRImport is a file of a source.
type HRImport struct {
	Source string `json:"source"`
	Mode   string `json:"mode"` // whole or changes
	CSV    string `json:"csv"`
	DryRun bool   `json:"dry_run,omitempty"`
	Again  bool   `json:"again,omitempty"`
}

// HRImported is what became of a file.
type HRImported struct {
	Event          *HREvent      `json:"event"` // nil = a dry run
	Duplicate      bool          `json:"duplicate"`
	IgnoredColumns []string      `json:"ignored_columns"`
	DryRun         *RosterResult `json:"dry_run"`
}

// HRLeave says by hand that a person leaves.
type HRLeave struct {
	Email          string `json:"email"`
	LastWorkingDay string `json:"last_working_day,omitempty"`
	TerminatedOn   string `json:"termination_date,omitempty"`
	TimeZone       string `json:"time_zone,omitempty"`
	ForCause       bool   `json:"for_cause,omitempty"`
	Reason         string `json:"reason"`
}

// HREvents returns a page of events, newest first; empty filters select all.
func (c *Client) HREvents(ctx context.Context, source, state, cursor string, limit int) ([]HREvent, string, error) {
	p, err := call[struct {
		Events []HREvent `json:"events"`
		Next   string    `json:"next"`
	}](ctx, c, http.MethodGet, path("hr", "events")+pageOf(url.Values{"source": {source}, "state": {state}}, cursor, limit), nil)
	return p.Events, p.Next, err
}

// HREvent returns an event; raw also its body as it came.
func (c *Client) HREvent(ctx context.Context, id string, raw bool) (HREvent, error) {
	at := path("hr", "events", id)
	if raw {
		at += "?raw=true"
	}
	return call[HREvent](ctx, c, http.MethodGet, at, nil)
}

// ImportHR hands in a file of a source.
func (c *Client) ImportHR(ctx context.Context, i HRImport) (HRImported, error) {
	return call[HRImported](ctx, c, http.MethodPost, path("hr", "imports"), i)
}

// Leave says that a person leaves.
func (c *Client) Leave(ctx context.Context, l HRLeave) (AcceptedEvent, error) {
	return call[AcceptedEvent](ctx, c, http.MethodPost, path("hr", "leave"), l)
}

// Return says that a person does not leave, or is back.
func (c *Client) Return(ctx context.Context, email, reason string) (AcceptedEvent, error) {
	return call[AcceptedEvent](ctx, c, http.MethodPost, path("hr", "return"), map[string]string{"email": email, "reason": reason})
}
