package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Diagnosis is what the doctor found about a connection.
type Diagnosis struct {
	At      time.Time  `json:"at"`
	Health  string     `json:"health"` // active, degraded or failed
	Since   *time.Time `json:"since"`
	Code    string     `json:"code"`   // the first fault; OK = none
	Usable  bool       `json:"usable"` // everything works that is required
	Partial bool       `json:"partial"`
	Results []Result   `json:"results"`
	Limits  []string   `json:"limits"`
}

// Result is what became of one ability.
type Result struct {
	Ability
	Code       string      `json:"code"`
	Message    string      `json:"message"`
	Fix        string      `json:"fix"`
	Candidates []Candidate `json:"candidates"`
	Detail     string      `json:"detail"`
}

// Candidate is one possible cause, and what to look at.
type Candidate struct {
	Cause string `json:"cause"`
	Look  string `json:"look"`
}

// Ability is one thing a connection wants to be able to do.
type Ability struct {
	Name     string   `json:"ability"`
	Scope    string   `json:"scope"`
	Serves   string   `json:"serves"`
	Datasets []string `json:"datasets"`
	Required bool     `json:"required"`
	Writes   bool     `json:"writes"`
}

// Schedule is how often a connection's runs begin by themselves, as durations
// such as 24h. Empty fields are left as they are.
type Schedule struct {
	Sync     string `json:"sync,omitempty"`
	Activity string `json:"activity,omitempty"`
	Probe    string `json:"probe,omitempty"`
	Backfill string `json:"backfill,omitempty"`
}

// Alarm is something somebody has to know of.
type Alarm struct {
	ID           string     `json:"id"`
	Connection   string     `json:"connection"`
	Source       string     `json:"source"` // of HR events
	Policy       string     `json:"policy"`
	AccessReview string     `json:"access_review"`
	CampaignID   string     `json:"campaign_id"`
	Code         string     `json:"code"`
	Message      string     `json:"message"`
	Fix          string     `json:"fix"`
	RaisedAt     time.Time  `json:"raised_at"`
	ToldAt       *time.Time `json:"told_at"`
	ClearedAt    *time.Time `json:"cleared_at"`
}

// Diagnosis returns what the doctor last found.
func (c *Client) Diagnosis(ctx context.Context, name string) (Diagnosis, error) {
	return call[Diagnosis](ctx, c, http.MethodGet, path("connections", name, "diagnosis"), nil)
}

// Abilities lists what connections of a vendor want.
func (c *Client) Abilities(ctx context.Context, vendor string, readOnly bool) ([]Ability, error) {
	got, err := call[struct {
		Abilities []Ability `json:"abilities"`
	}](ctx, c, http.MethodGet, path("vendors", vendor, "abilities")+"?read_only="+strconv.FormatBool(readOnly), nil)
	return got.Abilities, err
}

// SetOwner names who looks after a connection; "" names nobody.
func (c *Client) SetOwner(ctx context.Context, name, owner string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodPut, path("connections", name, "owner"), map[string]string{"owner": owner})
}

// Schedule returns how often a connection's runs begin.
func (c *Client) Schedule(ctx context.Context, name string) (Schedule, error) {
	return call[Schedule](ctx, c, http.MethodGet, path("connections", name, "schedule"), nil)
}

// SetSchedule changes how often a connection's runs begin.
func (c *Client) SetSchedule(ctx context.Context, name string, s Schedule) (Schedule, error) {
	return call[Schedule](ctx, c, http.MethodPut, path("connections", name, "schedule"), s)
}

// EndAlarm ends an alarm that nothing else ends.
func (c *Client) EndAlarm(ctx context.Context, id, reason string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, path("alarms", id, "end"), map[string]string{"reason": reason})
	return err
}

// Alarms returns every alarm that is open, or with ended all.
func (c *Client) Alarms(ctx context.Context, ended bool) ([]Alarm, error) {
	return everyPage(func(cursor string) ([]Alarm, string, error) {
		q := url.Values{"limit": {strconv.Itoa(maxPage)}, "ended": {strconv.FormatBool(ended)}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		p, err := call[struct {
			Alarms []Alarm `json:"alarms"`
			Next   string  `json:"next"`
		}](ctx, c, http.MethodGet, path("alarms")+"?"+q.Encode(), nil)
		return p.Alarms, p.Next, err
	})
}
