package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// RuleChoice names a rule: a stored policy by Ref, or a file's text.
type RuleChoice struct {
	Ref    string `json:"ref,omitempty"`
	File   string `json:"file,omitempty"`
	Source string `json:"source,omitempty"`
}

// ReasonCount is how many accounts a reason is given for.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// PolicyBasis is what a connection's grades are proven by.
type PolicyBasis struct {
	Connection  string     `json:"connection"`
	CoveredFrom *time.Time `json:"covered_from"` // nil = its activity is not collected
	CoveredTo   *time.Time `json:"covered_to"`
	SyncedAt    *time.Time `json:"synced_at"`
	Why         string     `json:"why"`
}

// Preview is what a rule would do now.
type Preview struct {
	Policy   string        `json:"policy"`
	At       time.Time     `json:"at"`
	Looked   int64         `json:"looked"`
	Matched  int64         `json:"matched"`
	Reasons  []ReasonCount `json:"reasons"`
	Basis    []PolicyBasis `json:"basis"`
	Rows     []PreviewRow  `json:"rows"`
	Wanted   Spending      `json:"wanted"`
	Overruns []Overrun     `json:"overruns"`
	TooMany  bool          `json:"too_many"`
	Warnings []Problem     `json:"warnings"`
}

// PreviewRow is one account that a rule would act on.
type PreviewRow struct {
	Account      string     `json:"account"` // our id
	Connection   string     `json:"connection"`
	AccountID    string     `json:"account_id"` // the vendor's
	Login        string     `json:"login"`
	Privileged   bool       `json:"privileged"`
	Bytes        int64      `json:"bytes"`
	Grade        string     `json:"grade"`
	Threshold    string     `json:"threshold"`
	LastActiveAt *time.Time `json:"last_active_at"`
	Facts        *PlanFacts `json:"facts"` // nil = not planned
	Hash         string     `json:"hash"`
	Findings     []Finding  `json:"findings"`
}

// PlanFacts are what a plan's hash is over.
type PlanFacts struct {
	Cause            string         `json:"cause"`
	ConnectionID     string         `json:"connection_id"`
	EnterpriseID     string         `json:"enterprise_id"`
	AccountID        string         `json:"account_id"`
	Login            string         `json:"login"`
	Role             string         `json:"role"`
	Kind             string         `json:"kind"`
	Receiver         string         `json:"receiver"`
	ReceiverLogin    string         `json:"receiver_login"`
	Steps            []PlanStepFact `json:"steps"`
	Template         string         `json:"template"`
	TemplateVersion  int            `json:"template_version"`
	EffectiveAt      string         `json:"effective_at"`
	SendAgain        bool           `json:"send_again,omitempty"`
	Restrictions     []string       `json:"restrictions,omitempty"`
	Holds            string         `json:"holds,omitempty"`
	LastActiveAt     string         `json:"last_active_at,omitempty"`
	ThresholdSeconds int64          `json:"threshold_seconds,omitempty"`
}

// PlanStepFact is one step as it is hashed.
type PlanStepFact struct {
	Kind        string   `json:"kind"`
	WaitSeconds int64    `json:"wait_seconds,omitempty"`
	Until       string   `json:"until,omitempty"`
	Trash       string   `json:"trash,omitempty"`
	Reactivate  bool     `json:"reactivate,omitempty"`
	Channel     string   `json:"channel,omitempty"`
	To          []string `json:"to,omitempty"`
	Message     string   `json:"message,omitempty"`
	Title       string   `json:"title,omitempty"`
	Owner       string   `json:"owner,omitempty"`
}

// Explanation says why a policy takes an account or leaves it.
type Explanation struct {
	Policy     string    `json:"policy"`
	Version    int       `json:"version"`
	Account    string    `json:"account"`
	Connection string    `json:"connection"`
	Login      string    `json:"login"`
	At         time.Time `json:"at"`
	Verdict    Verdict   `json:"verdict"`
	Facts      []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"facts"`
	Parts []struct {
		Expression string `json:"expression"`
		Result     string `json:"result"`
	} `json:"parts"`
	Excluded string   `json:"excluded"`
	Recorded *Verdict `json:"recorded"` // nil = no review keeps one
}

// Verdict is what a policy says of an account.
type Verdict struct {
	Matched   bool   `json:"matched"`
	Reason    string `json:"reason"`
	Grade     string `json:"grade"`
	Threshold string `json:"threshold"`
	Exclusion *int   `json:"exclusion"`
	Detail    string `json:"detail"`
}

// Replay is what a rule would have done in the past.
type Replay struct {
	Policy   string      `json:"policy"`
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	Accounts int64       `json:"accounts"`
	Hits     []ReplayHit `json:"hits"`
	Returned int64       `json:"returned"`
	Unproven int64       `json:"unproven"`
	Limits   []string    `json:"limits"`
	Warnings []Problem   `json:"warnings"`
	Next     string      `json:"next"`
}

// ReplayHit is an account that a rule would have taken. Dates are YYYY-MM-DD.
type ReplayHit struct {
	Account    string `json:"account"`
	Connection string `json:"connection"`
	Login      string `json:"login"`
	HitOn      string `json:"hit_on"`
	LastUsedOn string `json:"last_used_on"` // empty = no use was seen before
	ReturnedOn string `json:"returned_on"`  // empty = never
	SilentDays int    `json:"silent_days"`
}

// PreviewPolicy judges everything by a rule, and plans the first rows that match.
func (c *Client) PreviewPolicy(ctx context.Context, r RuleChoice, rows int) (Preview, error) {
	return call[Preview](ctx, c, http.MethodPost, path("policies", "preview"), struct {
		RuleChoice
		Rows int `json:"rows"`
	}{r, rows})
}

// ExplainPolicy says why a policy takes an account or leaves it.
func (c *Client) ExplainPolicy(ctx context.Context, ref, account string) (Explanation, error) {
	return call[Explanation](ctx, c, http.MethodGet, path("policies", ref, "explain")+"?"+url.Values{"account": {account}}.Encode(), nil)
}

// ReplayPolicy returns a page of what a rule would have done.
func (c *Client) ReplayPolicy(ctx context.Context, r RuleChoice, since, cursor string, limit int) (Replay, error) {
	return call[Replay](ctx, c, http.MethodPost, path("policies", "replay"), struct {
		RuleChoice
		Since  string `json:"since"`
		Cursor string `json:"cursor,omitempty"`
		Limit  int    `json:"limit"`
	}{r, since, cursor, limit})
}
