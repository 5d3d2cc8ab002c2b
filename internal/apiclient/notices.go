package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// NoticeRules say who is told of what.
type NoticeRules struct {
	Version   int               `json:"version"` // 0 = none were applied
	Routes    []NoticeRoute     `json:"routes"`
	Texts     map[string]string `json:"texts"`
	Source    string            `json:"source"`
	UpdatedBy string            `json:"updated_by"`
	UpdatedAt *time.Time        `json:"updated_at"` // nil = none were applied
}

// NoticeRoute is one of them.
type NoticeRoute struct {
	Audience string   `json:"audience"`
	Events   []string `json:"events"`
	Channel  string   `json:"channel"`
	To       []string `json:"to"`
}

// NoticeFile is a file of rules to apply. FromVersion is the version that was
// looked at, 0 = there was none; nil = whatever there is.
type NoticeFile struct {
	File        string `json:"file"`
	Source      string `json:"source"`
	FromVersion *int   `json:"from_version,omitempty"`
	DryRun      bool   `json:"dry_run,omitempty"`
}

// AppliedNoticeRules say what applying a file changes, or changed.
type AppliedNoticeRules struct {
	Applied     bool      `json:"applied"`
	Change      string    `json:"change"` // created, changed or unchanged
	FromVersion int       `json:"from_version"`
	Version     int       `json:"version"`
	Previous    string    `json:"previous"`
	Warnings    []Problem `json:"warnings"`
}

// Notice is one notice to one recipient.
type Notice struct {
	ID          string     `json:"id"`
	Event       string     `json:"event"`
	Audience    string     `json:"audience"`
	Channel     string     `json:"channel"`
	To          []string   `json:"to"` // empty = the manager
	CaseID      string     `json:"case_id"`
	PlanID      string     `json:"plan_id"`
	LeaverID    string     `json:"leaver_id"`
	BatchID     string     `json:"batch_id"`
	SourceID    string     `json:"source_id"`
	Cause       string     `json:"cause"`
	Rules       int        `json:"rules"`
	State       string     `json:"state"`
	Attempts    int        `json:"attempts"`
	LastError   string     `json:"last_error"`
	TextHash    string     `json:"text_sha256"`
	CreatedAt   time.Time  `json:"created_at"`
	DeliveredAt *time.Time `json:"delivered_at"` // nil = not delivered
}

// NoticeRules returns the rules of a version, 0 = as they are now.
func (c *Client) NoticeRules(ctx context.Context, version int) (NoticeRules, error) {
	p := path("notices", "rules")
	if version != 0 {
		p += "?version=" + strconv.Itoa(version)
	}
	return call[NoticeRules](ctx, c, http.MethodGet, p, nil)
}

// ApplyNoticeRules stores a file of rules; a dry run says what would change.
func (c *Client) ApplyNoticeRules(ctx context.Context, f NoticeFile) (AppliedNoticeRules, error) {
	return call[AppliedNoticeRules](ctx, c, http.MethodPut, path("notices", "rules"), f)
}

// Notices returns a page of notices; empty state and case select all.
func (c *Client) Notices(ctx context.Context, state, ofCase, cursor string, limit int) ([]Notice, string, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"state": state, "case": ofCase, "cursor": cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	p, err := call[struct {
		Notices []Notice `json:"notices"`
		Next    string   `json:"next"`
	}](ctx, c, http.MethodGet, path("notices")+"?"+q.Encode(), nil)
	return p.Notices, p.Next, err
}

// RetryNotice queues a notice that failed again.
func (c *Client) RetryNotice(ctx context.Context, id string) (Notice, error) {
	return call[Notice](ctx, c, http.MethodPost, path("notices", id, "retry"), nil)
}
