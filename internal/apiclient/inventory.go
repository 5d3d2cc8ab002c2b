package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AccountRow is an account as lists show it.
type AccountRow struct {
	ID           string     `json:"id"` // ours
	Connection   string     `json:"connection"`
	AccountID    string     `json:"account_id"` // the vendor's
	Login        string     `json:"login"`
	Name         string     `json:"name"`
	Status       string     `json:"status"`
	VendorStatus string     `json:"vendor_status"`
	Kind         string     `json:"kind"`
	Role         string     `json:"role"`
	SpaceUsed    int64      `json:"space_used_bytes"`
	SpaceAmount  int64      `json:"space_amount_bytes"` // negative = unlimited
	CreatedAt    *time.Time `json:"created_at"`
	ObservedAt   time.Time  `json:"observed_at"`
	FirstSeenAt  time.Time  `json:"first_seen_at"`
	MissingSince *time.Time `json:"missing_since"`
	Person       string     `json:"person"`
	PersonID     string     `json:"person_id"`
	PersonBy     string     `json:"person_by"`
	LastActiveAt *time.Time `json:"last_active_at"`
	LastEvent    string     `json:"last_event"`
	LastSource   string     `json:"last_source"`
}

// AccountPage is a page of accounts.
type AccountPage struct {
	Accounts []AccountRow `json:"accounts"`
	Next     string       `json:"next"`
}

// AccountDetail is everything known of an account.
type AccountDetail struct {
	AccountRow
	Tracking       map[string]string `json:"tracking"`
	Issue          string            `json:"issue"`
	Threshold      string            `json:"threshold"`
	Grade          string            `json:"grade"`
	GradeSource    string            `json:"grade_source"`
	CoveredFrom    *time.Time        `json:"covered_from"`
	CoveredTo      *time.Time        `json:"covered_to"`
	Activity       []SourceActivity  `json:"activity"`
	Groups         int64             `json:"groups"`
	Collaborations string            `json:"collaborations"`
	Changes        []Change          `json:"changes"`
	Datasets       []Dataset         `json:"datasets"`
}

// SourceActivity is an account's use as one source knows it.
type SourceActivity struct {
	Source        string     `json:"source"`
	FirstActiveAt *time.Time `json:"first_active_at"`
	LastActiveAt  *time.Time `json:"last_active_at"`
	LastEvent     string     `json:"last_event"`
	CoveredFrom   *time.Time `json:"covered_from"`
	CoveredTo     *time.Time `json:"covered_to"`
}

// Dataset is how old what is known of a connection is.
type Dataset struct {
	Connection string     `json:"connection"`
	Dataset    string     `json:"dataset"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"`
	Detail     string     `json:"detail"`
	AsOf       *time.Time `json:"as_of"`
	Stale      bool       `json:"stale"`
	Rows       int64      `json:"rows"`
}

// Change is one thing that is other than it was.
type Change struct {
	ID         int64      `json:"id"`
	Connection string     `json:"connection"`
	Kind       string     `json:"kind"`
	AccountID  string     `json:"account_id"`
	Login      string     `json:"login"`
	GroupID    string     `json:"group_id"`
	GroupName  string     `json:"group_name"`
	ItemID     string     `json:"item_id"`
	Before     string     `json:"before"`
	After      string     `json:"after"`
	Since      *time.Time `json:"since"`
	SeenAt     time.Time  `json:"seen_at"`
	RunID      string     `json:"run_id"`
}

// VendorGroup is a group of accounts.
type VendorGroup struct {
	Connection  string     `json:"connection"`
	GroupID     string     `json:"group_id"`
	Name        string     `json:"name"`
	Members     int64      `json:"members"`
	Everybody   bool       `json:"everybody"`
	Provenance  string     `json:"provenance"`
	CreatedAt   *time.Time `json:"created_at"`
	FirstSeenAt time.Time  `json:"first_seen_at"`
}

// GroupPage is a page of groups.
type GroupPage struct {
	Groups []VendorGroup `json:"groups"`
	Next   string        `json:"next"`
}

// Membership is one account's membership of one group.
type Membership struct {
	MembershipID string          `json:"membership_id"`
	GroupID      string          `json:"group_id"`
	GroupName    string          `json:"group_name"`
	AccountID    string          `json:"account_id"`
	ID           string          `json:"id"`
	Login        string          `json:"login"`
	Status       string          `json:"status"`
	Kind         string          `json:"kind"`
	Role         string          `json:"role"`
	Permissions  map[string]bool `json:"permissions"`
	LastActiveAt *time.Time      `json:"last_active_at"`
	FirstSeenAt  time.Time       `json:"first_seen_at"`
}

// MemberPage is a page of a group's members.
type MemberPage struct {
	Group   VendorGroup  `json:"group"`
	Members []Membership `json:"members"`
	Next    string       `json:"next"`
}

// AccountGroupPage is a page of an account's groups.
type AccountGroupPage struct {
	Groups []Membership `json:"groups"`
	Next   string       `json:"next"`
}

// Accounts returns a page of accounts; filters are the query's parameters, of
// which status and kind may have several values.
func (c *Client) Accounts(ctx context.Context, filters url.Values, cursor string, limit int) (AccountPage, error) {
	return call[AccountPage](ctx, c, http.MethodGet, path("accounts")+pageOf(filters, cursor, limit), nil)
}

// Account returns everything known of the account that our id, CONNECTION/ID or
// its login names; threshold is how long silence has to be, "" = the default.
func (c *Client) Account(ctx context.Context, ref, threshold string) (AccountDetail, error) {
	q := url.Values{}
	if threshold != "" {
		q.Set("threshold", threshold)
	}
	return call[AccountDetail](ctx, c, http.MethodGet, path("accounts", ref)+"?"+q.Encode(), nil)
}

// AccountGroups returns a page of the groups of an account, by our id.
func (c *Client) AccountGroups(ctx context.Context, id, cursor string, limit int) (AccountGroupPage, error) {
	return call[AccountGroupPage](ctx, c, http.MethodGet, path("accounts", id, "groups")+pageOf(nil, cursor, limit), nil)
}

// Groups returns a page of groups: of one connection, or with "" of all.
func (c *Client) Groups(ctx context.Context, connection, name, cursor string, limit int) (GroupPage, error) {
	return call[GroupPage](ctx, c, http.MethodGet, path("groups")+pageOf(url.Values{"connection": {connection}, "name": {name}}, cursor, limit), nil)
}

// GroupMembers returns a page of a group's members.
func (c *Client) GroupMembers(ctx context.Context, connection, group, cursor string, limit int) (MemberPage, error) {
	return call[MemberPage](ctx, c, http.MethodGet, path("groups", connection, group, "members")+pageOf(nil, cursor, limit), nil)
}

// pageOf is the query for a page; filters without a value are left out, and so is a
// limit of 0.
func pageOf(filters url.Values, cursor string, limit int) string {
	q := url.Values{}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	for name, values := range filters {
		for _, v := range values {
			if v != "" {
				q.Add(name, v)
			}
		}
	}
	return "?" + q.Encode()
}
