package apiclient

import (
	"context"
	"net/http"
	"time"
)

// Source is a source of HR events without its secrets.
type Source struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	State      string     `json:"state"`
	Door       string     `json:"door"` // where it sends to; empty = it sends nothing
	TimeZone   string     `json:"time_zone"`
	Template   string     `json:"template"`
	Receivers  []string   `json:"receivers"`
	Approvals  int        `json:"approvals"`
	Owner      string     `json:"owner"`
	Rhythm     string     `json:"rhythm"`
	Limit      StartLimit `json:"limit"`
	Mapping    *Mapping   `json:"mapping"`
	Signature  *Signature `json:"signature"`
	BaseURL    string     `json:"base_url"`
	PollEvery  string     `json:"poll_every"`
	Version    int64      `json:"version"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	HeardAt    *time.Time `json:"last_heard_at"`
	EventAt    *time.Time `json:"last_event_at"`
	NextPollAt *time.Time `json:"next_poll_at"`
	PollError  string     `json:"poll_error"`
}

// StartLimit is how many leavers a source may start within a window.
type StartLimit struct {
	Number  int    `json:"number"`
	Percent int    `json:"percent"`
	Window  string `json:"window"`
}

// Mapping says where a webhook's body holds the facts of employments.
type Mapping struct {
	List        string                       `json:"list,omitempty"`
	Fields      map[string]string            `json:"fields"`
	Words       map[string]map[string]string `json:"words,omitempty"`
	EventID     string                       `json:"event_id,omitempty"`
	DateLayouts []string                     `json:"date_layouts,omitempty"`
	When        map[string][]string          `json:"when,omitempty"`
}

// Signature says how a source signs its webhooks.
type Signature struct {
	Header   string `json:"header"`
	Prefix   string `json:"prefix,omitempty"`
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
	Content  string `json:"content"`
	Time     string `json:"timestamp,omitempty"`
	EventID  string `json:"event_id,omitempty"`
}

// SourceFields are what people set of a source; nil and empty fields are left as
// they are, or to the server's defaults.
type SourceFields struct {
	TimeZone  string           `json:"time_zone,omitempty"`
	Template  string           `json:"template,omitempty"`
	Receivers []string         `json:"receivers,omitzero"`
	Approvals *int             `json:"approvals,omitempty"`
	Owner     *string          `json:"owner,omitempty"`
	Rhythm    string           `json:"rhythm,omitempty"`
	Limit     *StartLimitInput `json:"limit,omitempty"`
	Mapping   *Mapping         `json:"mapping,omitempty"`
	Signature *Signature       `json:"signature,omitempty"`
	BaseURL   string           `json:"base_url,omitempty"`
	PollEvery string           `json:"poll_every,omitempty"`
}

// StartLimitInput changes a limit; what is nil or empty stays.
type StartLimitInput struct {
	Number  *int   `json:"number,omitempty"`
	Percent *int   `json:"percent,omitempty"`
	Window  string `json:"window,omitempty"`
}

// SourceSecrets are the secrets of a source.
type SourceSecrets struct {
	Secret string `json:"secret,omitempty"`
	APIKey string `json:"api_key,omitempty"`
}

// NewSource is a source to be added.
type NewSource struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	SourceFields
	SourceSecrets
}

// MadeSource is a source, and the secret that was made for it; "" = none was.
type MadeSource struct {
	Source Source `json:"source"`
	Secret string `json:"secret"`
}

// SourceToken is the record of a SCIM source's token.
type SourceToken struct {
	ID         string     `json:"id"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// MadeSourceToken is the only answer that holds a SCIM token itself.
type MadeSourceToken struct {
	Token  string      `json:"token"`
	Record SourceToken `json:"record"`
}

// Site is a place of work with its zone.
type Site struct {
	Name      string     `json:"name"`
	TimeZone  string     `json:"time_zone"`
	UpdatedBy string     `json:"updated_by"`
	UpdatedAt *time.Time `json:"updated_at"`
}

// Sources returns every source.
func (c *Client) Sources(ctx context.Context) ([]Source, error) {
	return everyPage(func(cursor string) ([]Source, string, error) {
		p, err := call[struct {
			Sources []Source `json:"sources"`
			Next    string   `json:"next"`
		}](ctx, c, http.MethodGet, path("hr", "sources")+pageQuery(cursor), nil)
		return p.Sources, p.Next, err
	})
}

// Source returns a source.
func (c *Client) Source(ctx context.Context, name string) (Source, error) {
	return call[Source](ctx, c, http.MethodGet, path("hr", "sources", name), nil)
}

// AddSource adds a source.
func (c *Client) AddSource(ctx context.Context, n NewSource) (MadeSource, error) {
	return call[MadeSource](ctx, c, http.MethodPost, path("hr", "sources"), n)
}

// SetSource changes a source.
func (c *Client) SetSource(ctx context.Context, name string, f SourceFields) (Source, error) {
	return call[Source](ctx, c, http.MethodPatch, path("hr", "sources", name), f)
}

// RotateSource replaces a source's secrets; overlap "" is the server's default.
func (c *Client) RotateSource(ctx context.Context, name string, s SourceSecrets, overlap string) (MadeSource, error) {
	return call[MadeSource](ctx, c, http.MethodPost, path("hr", "sources", name, "secret"), struct {
		SourceSecrets
		Overlap string `json:"overlap,omitempty"`
	}{s, overlap})
}

// SetSourceState makes a source enabled, disabled or removed.
func (c *Client) SetSourceState(ctx context.Context, name, state, reason string) (Source, error) {
	return call[Source](ctx, c, http.MethodPost, path("hr", "sources", name, "state"), map[string]string{"state": state, "reason": reason})
}

// PollSource lets a source's API be asked now.
func (c *Client) PollSource(ctx context.Context, name string) (Source, error) {
	return call[Source](ctx, c, http.MethodPost, path("hr", "sources", name, "poll"), nil)
}

// SourceTokens returns the tokens of a SCIM source.
func (c *Client) SourceTokens(ctx context.Context, source string) ([]SourceToken, error) {
	got, err := call[struct {
		Tokens []SourceToken `json:"tokens"`
	}](ctx, c, http.MethodGet, path("hr", "sources", source, "tokens"), nil)
	return got.Tokens, err
}

// CreateSourceToken makes a token of a SCIM source.
func (c *Client) CreateSourceToken(ctx context.Context, source, expires string) (MadeSourceToken, error) {
	return call[MadeSourceToken](ctx, c, http.MethodPost, path("hr", "sources", source, "tokens"), map[string]string{"expires": expires})
}

// RevokeSourceToken revokes a token of a SCIM source.
func (c *Client) RevokeSourceToken(ctx context.Context, source, id string) (SourceToken, error) {
	return call[SourceToken](ctx, c, http.MethodDelete, path("hr", "sources", source, "tokens", id), nil)
}

// Sites returns every site.
func (c *Client) Sites(ctx context.Context) ([]Site, error) {
	return everyPage(func(cursor string) ([]Site, string, error) {
		p, err := call[struct {
			Sites []Site `json:"sites"`
			Next  string `json:"next"`
		}](ctx, c, http.MethodGet, path("hr", "sites")+pageQuery(cursor), nil)
		return p.Sites, p.Next, err
	})
}

// SetSite names the zone of a site, "" removes the site.
func (c *Client) SetSite(ctx context.Context, name, zone string) (Site, error) {
	return call[Site](ctx, c, http.MethodPut, path("hr", "sites"), map[string]string{"name": name, "time_zone": zone})
}
