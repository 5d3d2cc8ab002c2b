package apiclient

import (
	"context"
	"net/http"
	"strings"
)

// Decision is what a principal decided.
type Decision struct {
	DecisionID string   `json:"decision_id"`
	CaseID     string   `json:"case_id"`
	PlanID     string   `json:"plan_id,omitempty"`
	Kind       string   `json:"kind"`
	Hash       string   `json:"hash,omitempty"`
	Step       string   `json:"step,omitempty"`
	To         string   `json:"to,omitempty"`
	Receivers  []string `json:"receivers,omitempty"`
	Reason     string   `json:"reason"`
	Principal  string   `json:"principal"`
	TokenID    string   `json:"token_id"`
	CreatedAt  string   `json:"created_at"`
}

// Decided is a decision with the case it left.
type Decided struct {
	Decision        Decision  `json:"decision"`
	Case            Case      `json:"case"`
	HashBefore      string    `json:"hash_before"`
	ApprovalsNeeded int       `json:"approvals_needed"`
	Warnings        []Finding `json:"warnings"`
}

// Decide is what is decided: each kind uses the members it needs.
type Decide struct {
	PlanID    string   `json:"plan_id,omitempty"` // one plan of the case
	Account   string   `json:"account,omitempty"` // the same, by its account
	Step      string   `json:"step,omitempty"`
	To        string   `json:"to,omitempty"` // RFC 3339 with zone
	Receivers []string `json:"receivers,omitempty"`
	Evidence  string   `json:"evidence,omitempty"`
	Reason    string   `json:"reason,omitempty"`
}

// Decide decides about a case; kind is a schema.DecisionKind but approve.
func (c *Client) Decide(ctx context.Context, ref, kind string, d Decide) (Decided, error) {
	return call[Decided](ctx, c, http.MethodPost, path("cases", ref, strings.ReplaceAll(kind, "_", "-")), d)
}

// Resume lets the parked accounts of a case run again.
func (c *Client) Resume(ctx context.Context, ref, reason string) (Decided, error) {
	return c.Decide(ctx, ref, "resume", Decide{Reason: reason})
}

// Cancel cancels what is open of a case.
func (c *Client) Cancel(ctx context.Context, ref, reason string) (Decided, error) {
	return c.Decide(ctx, ref, "cancel", Decide{Reason: reason})
}

// Undo is what cancelling a case now would do.
type Undo struct {
	CaseID   string        `json:"case_id"`
	State    string        `json:"state"`
	Accounts []UndoAccount `json:"accounts"`
}

// UndoAccount is what a cancel now would do for one account.
type UndoAccount struct {
	PlanID         string   `json:"plan_id"`
	Connection     string   `json:"connection"`
	AccountID      string   `json:"account_id"`
	State          string   `json:"state"`
	BroughtBack    []string `json:"brought_back"`
	NotBroughtBack []string `json:"not_brought_back"`
}

// Undo tells what cancelling the case now would do; nothing is cancelled.
func (c *Client) Undo(ctx context.Context, ref string) (Undo, error) {
	return call[Undo](ctx, c, http.MethodGet, path("cases", ref, "undo"), nil)
}
