package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// NewConsent begins a sign-in in the browser.
type NewConsent struct {
	Name         string   `json:"name"`
	Renew        bool     `json:"renew,omitempty"` // of the connection of that name; what it is configured with is kept
	Vendor       string   `json:"vendor,omitempty"`
	BaseURL      string   `json:"base_url,omitempty"`
	TokenURL     string   `json:"token_url,omitempty"`
	AuthorizeURL string   `json:"authorize_url"`
	ClientID     string   `json:"client_id,omitempty"`
	ClientSecret string   `json:"client_secret"`
	EnterpriseID string   `json:"enterprise_id,omitempty"`
	RedirectURL  string   `json:"redirect_url,omitempty"` // on loopback; empty = the server's own
	Owner        string   `json:"owner,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`
	ReadOnly     bool     `json:"read_only,omitempty"`
}

// Consent is a sign-in that has begun. The authorize URL holds its state, which is
// a secret until it ends.
type Consent struct {
	AuthorizeURL string    `json:"authorize_url"`
	RedirectURL  string    `json:"redirect_url"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// Removed is a connection that is gone, with what became of its tokens.
type Removed struct {
	Connection Connection `json:"connection"`
	Revocation Revocation `json:"revocation"`
}

// Revocation tells whether the vendor took a connection's tokens back, and whether
// a call that failed has shown it.
type Revocation struct {
	Revoked bool   `json:"revoked"`
	Proven  bool   `json:"proven"`
	Why     string `json:"why"`
}

// BeginConsent begins a sign-in.
func (c *Client) BeginConsent(ctx context.Context, n NewConsent) (Consent, error) {
	return call[Consent](ctx, c, http.MethodPost, path("consents"), n)
}

// FinishConsent ends a sign-in with what the vendor sent to the loopback redirect:
// a code, or an error.
func (c *Client) FinishConsent(ctx context.Context, state, code, failure string) (Checked, error) {
	return call[Checked](ctx, c, http.MethodPost, path("consents", "finish"), map[string]string{"state": state, "code": code, "error": failure})
}

// RemoveConnection revokes a connection's tokens and forgets it. With unrevoked it
// is forgotten also when they cannot be revoked.
func (c *Client) RemoveConnection(ctx context.Context, name, reason string, unrevoked bool) (Removed, error) {
	q := url.Values{"reason": {reason}}
	if unrevoked {
		q.Set("unrevoked", "true")
	}
	return call[Removed](ctx, c, http.MethodDelete, path("connections", name)+"?"+q.Encode(), nil)
}
