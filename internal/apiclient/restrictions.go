package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Restriction is a hold or a protection.
type Restriction struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"`
	Subject    string     `json:"subject"`
	Connection string     `json:"connection"`
	AccountID  string     `json:"account_id"`
	Person     string     `json:"person"`
	Pattern    string     `json:"pattern"`
	Matter     string     `json:"matter"`
	Reason     string     `json:"reason"`
	Live       bool       `json:"live"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	EndedBy    string     `json:"ended_by"`
	EndedAt    *time.Time `json:"ended_at"`
	EndReason  string     `json:"end_reason"`
}

// NewRestriction asks for a hold or a protection on one account (by id or login),
// one person, or the logins that a pattern matches.
type NewRestriction struct {
	Connection string `json:"connection,omitempty"`
	AccountID  string `json:"account_id,omitempty"`
	Login      string `json:"login,omitempty"`
	Person     string `json:"person,omitempty"`
	Pattern    string `json:"pattern,omitempty"`
	Reason     string `json:"reason"`
	Matter     string `json:"matter,omitempty"`
	Expires    string `json:"expires,omitempty"` // a duration or an instant
}

// The lists of restrictions.
const (
	Holds       = "holds"
	Protections = "protections"
)

// AddRestriction puts a restriction into the list Holds or Protections.
func (c *Client) AddRestriction(ctx context.Context, list string, n NewRestriction) (Restriction, error) {
	return call[Restriction](ctx, c, http.MethodPost, path(list), n)
}

// EndRestriction ends one of the list.
func (c *Client) EndRestriction(ctx context.Context, list, id, reason string) (Restriction, error) {
	return call[Restriction](ctx, c, http.MethodPost, path(list, id, "end"), map[string]string{"reason": reason})
}

// Restrictions returns the whole list, with all also what has ended.
func (c *Client) Restrictions(ctx context.Context, list string, all bool) ([]Restriction, error) {
	return everyPage(func(cursor string) ([]Restriction, string, error) {
		query := pageQuery(cursor)
		if all {
			query += "&" + url.Values{"all": {"true"}}.Encode()
		}
		p, err := call[struct {
			Holds       []Restriction `json:"holds"`
			Protections []Restriction `json:"protections"`
			Next        string        `json:"next"`
		}](ctx, c, http.MethodGet, path(list)+query, nil)
		return append(p.Holds, p.Protections...), p.Next, err
	})
}

// Declaration is an admin's word that a connection's vendor has no legal holds.
type Declaration struct {
	Connection  string     `json:"connection"`
	Live        bool       `json:"live"`
	Reason      string     `json:"reason"`
	DeclaredBy  string     `json:"declared_by"`
	DeclaredAt  time.Time  `json:"declared_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	WithdrawnAt *time.Time `json:"withdrawn_at"`
}

// Declare declares that the connection's vendor has no legal holds, or withdraws
// that; expires is a duration or an instant, and not used to withdraw.
func (c *Client) Declare(ctx context.Context, name string, none bool, reason, expires string) (Declaration, error) {
	return call[Declaration](ctx, c, http.MethodPost, path("connections", name, "declaration"), map[string]any{
		"no_legal_holds": none, "reason": reason, "expires": expires,
	})
}

// Declarations returns the last declaration of each connection that has one.
func (c *Client) Declarations(ctx context.Context) ([]Declaration, error) {
	p, err := call[struct {
		Declarations []Declaration `json:"declarations"`
	}](ctx, c, http.MethodGet, path("declarations"), nil)
	return p.Declarations, err
}

// Connection returns the connection of that name.
func (c *Client) Connection(ctx context.Context, name string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodGet, path("connections", name), nil)
}
