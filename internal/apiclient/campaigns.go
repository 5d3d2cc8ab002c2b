package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Campaign is one run of an access review.
type Campaign struct {
	ID          string          `json:"id"`
	Review      string          `json:"review"` // name
	ReviewID    string          `json:"review_id"`
	Version     int             `json:"version"` // of the access review
	Title       string          `json:"title"`
	Owner       string          `json:"owner"`   // address of who signs
	Trigger     string          `json:"trigger"` // schedule, person, mover, privileged_role or returned
	ScheduledAt *time.Time      `json:"scheduled_at"`
	RequestedBy string          `json:"requested_by"`
	Accounts    []string        `json:"accounts"`
	Persons     []string        `json:"persons"`
	Follows     string          `json:"follows"`
	State       string          `json:"state"` // draft, gathering, listing, assigning, open, closing, removing, held, closed, signed or ended
	End         string          `json:"end"`   // empty = it has not ended
	Why         string          `json:"why"`
	Basis       []CampaignBasis `json:"basis"`
	Warnings    []Finding       `json:"warnings"`
	SnapshotAt  *time.Time      `json:"snapshot_at"`
	OpenedAt    *time.Time      `json:"opened_at"`
	DueAt       *time.Time      `json:"due_at"`
	ClosedAt    *time.Time      `json:"closed_at"`
	Overruns    []Overrun       `json:"overruns"`
	BatchID     string          `json:"batch_id"`
	SignedAt    *time.Time      `json:"signed_at"`
	SignedBy    string          `json:"signed_by"`
	SignReason  string          `json:"sign_reason"`
	Evidence    string          `json:"evidence"` // hex SHA-256 of the signed evidence
	CreatedAt   time.Time       `json:"created_at"`
	EndedAt     *time.Time      `json:"ended_at"`
}

// CampaignBasis is what the snapshot of a connection is of.
type CampaignBasis struct {
	Connection  string     `json:"connection"`
	CoveredFrom *time.Time `json:"covered_from"` // nil = its activity is not collected
	CoveredTo   *time.Time `json:"covered_to"`
	SyncedAt    *time.Time `json:"synced_at"`
	GroupsAsOf  *time.Time `json:"groups_as_of"` // nil = groups are not all known
	Unread      bool       `json:"unread"`
	Why         string     `json:"why"`
}

// CampaignView is a campaign with its counts and what stands against its sign-off.
type CampaignView struct {
	Campaign
	Counts CampaignCounts `json:"counts"`
	Blocks []Finding      `json:"blocks"` // empty = it may be signed
}

// CampaignCounts sum a campaign's items.
type CampaignCounts struct {
	Items   int64        `json:"items"`
	States  []StateCount `json:"states"`
	Answers []struct {
		Answer string `json:"answer"`
		Count  int64  `json:"count"`
	} `json:"answers"`
	Risks []struct {
		Risk  string `json:"risk"`
		Count int64  `json:"count"`
	} `json:"risks"`
	Removals []StateCount `json:"removals"`
	Returned int64        `json:"returned"`
	Controls *int64       `json:"controls"` // nil = they are not shown, as to reviewers
}

// NewCampaign asks for a campaign; accounts and persons narrow it.
type NewCampaign struct {
	Review   string   `json:"review"`          // name or id
	Start    bool     `json:"start,omitempty"` // at once; else it stays a draft
	Accounts []string `json:"accounts,omitempty"`
	Persons  []string `json:"persons,omitempty"`
}

// NewCampaign makes a campaign.
func (c *Client) NewCampaign(ctx context.Context, n NewCampaign) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns"), n)
}

// Campaigns returns a page of campaigns, newest first; review and state "" select all.
func (c *Client) Campaigns(ctx context.Context, review, state, cursor string, limit int) ([]Campaign, string, error) {
	p, err := call[struct {
		Campaigns []Campaign `json:"campaigns"`
		Next      string     `json:"next"`
	}](ctx, c, http.MethodGet, path("campaigns")+pageOf(url.Values{"review": {review}, "state": {state}}, cursor, limit), nil)
	return p.Campaigns, p.Next, err
}

// Campaign returns a campaign.
func (c *Client) Campaign(ctx context.Context, id string) (CampaignView, error) {
	return call[CampaignView](ctx, c, http.MethodGet, path("campaigns", id), nil)
}

// StartCampaign starts a draft.
func (c *Client) StartCampaign(ctx context.Context, id string) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns", id, "start"), nil)
}

// ExtendCampaign moves a campaign's deadline.
func (c *Client) ExtendCampaign(ctx context.Context, id string, to time.Time, reason string) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns", id, "extend"), map[string]string{"to": to.Format(time.RFC3339), "reason": reason})
}

// CloseCampaign takes no more answers; with open items it needs early.
func (c *Client) CloseCampaign(ctx context.Context, id string, early bool, reason string) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns", id, "close"), map[string]any{"early": early, "reason": reason})
}

// CancelCampaign ends a campaign without a sign-off.
func (c *Client) CancelCampaign(ctx context.Context, id, reason string) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns", id, "cancel"), map[string]string{"reason": reason})
}

// Removal is what a campaign takes away from one account.
type Removal struct {
	ID         string        `json:"id"`
	Account    string        `json:"account"` // our id
	Connection string        `json:"connection"`
	AccountID  string        `json:"account_id"` // the vendor's
	Login      string        `json:"login"`
	Items      []RemovedItem `json:"items"`
	State      string        `json:"state"` // wanted, planned, ready, started, done, refused, impossible, withdrawn or undone
	Facts      *PlanFacts    `json:"facts"` // nil = not planned
	Hash       string        `json:"hash"`
	Bytes      int64         `json:"bytes"`
	Findings   []Finding     `json:"findings"`
	Why        string        `json:"why"`
	Way        string        `json:"way"` // how a person can do what is impossible here
	CaseID     string        `json:"case_id"`
	PlanState  string        `json:"plan_state"`
	WaitsFor   string        `json:"waits_for"`
	ProvenAt   *time.Time    `json:"proven_at"`
	CheckedAt  *time.Time    `json:"checked_at"`
	WatchUntil *time.Time    `json:"watch_until"`
	CreatedAt  time.Time     `json:"created_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
}

// RemovedItem is an item that a removal removes.
type RemovedItem struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Ref    string `json:"ref"`
	Access string `json:"access"`
	Group  string `json:"group"`
	Target string `json:"target"`
}

// Removals returns a page of what a campaign takes away; state "" selects all.
func (c *Client) Removals(ctx context.Context, id, state, cursor string, limit int) ([]Removal, string, error) {
	p, err := call[struct {
		Removals []Removal `json:"removals"`
		Next     string    `json:"next"`
	}](ctx, c, http.MethodGet, path("campaigns", id, "removals")+pageOf(url.Values{"state": {state}}, cursor, limit), nil)
	return p.Removals, p.Next, err
}

// Return is access that came back after its removal.
type Return struct {
	Item     string    `json:"item"`
	Account  string    `json:"account"` // our id
	Kind     string    `json:"kind"`
	Ref      string    `json:"ref"`
	Facts    ItemFacts `json:"facts"`
	Cause    string    `json:"cause"`
	Detail   string    `json:"detail"`
	SeenAt   time.Time `json:"seen_at"`
	FollowUp string    `json:"follow_up"` // the campaign that was made for it; empty = the item was opened again
}

// Returns returns a page of the access that came back.
func (c *Client) Returns(ctx context.Context, id, cursor string, limit int) ([]Return, string, error) {
	p, err := call[struct {
		Returns []Return `json:"returns"`
		Next    string   `json:"next"`
	}](ctx, c, http.MethodGet, path("campaigns", id, "returns")+pageOf(nil, cursor, limit), nil)
	return p.Returns, p.Next, err
}
