package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// AccessReview is the definition of an access review as the server has it.
type AccessReview struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Version     int              `json:"version"`
	Hash        string           `json:"hash"`
	Set         string           `json:"set"`
	State       string           `json:"state"` // active or paused
	PauseReason string           `json:"pause_reason"`
	PausedBy    string           `json:"paused_by"`
	Rule        AccessReviewRule `json:"rule"`
	UpdatedBy   string           `json:"updated_by"`
	UpdatedAt   time.Time        `json:"updated_at"`
	CreatedAt   time.Time        `json:"created_at"`
	Source      *string          `json:"source,omitempty"` // nil = it is not shown, as to reviewers
}

// AccessReviewRule is what a definition's file says, with its defaults.
type AccessReviewRule struct {
	Title     string            `json:"title"`
	Owner     string            `json:"owner"`
	Scope     CampaignScope     `json:"scope"`
	Freshness CampaignFreshness `json:"freshness"`
	Schedule  PolicySchedule    `json:"schedule"`
	Events    []string          `json:"events"` // mover, privileged_role
	Stages    []ReviewStage     `json:"stages"`
	Owners    []struct {
		Connection string   `json:"connection"`
		Group      string   `json:"group"`
		To         []string `json:"to"`
	} `json:"owners"`
	LoadCap   int            `json:"load_cap"` // 0 = no cap
	Decisions DecisionRule   `json:"decisions"`
	Time      CampaignTime   `json:"time"`
	Quality   QualityRule    `json:"quality"`
	Effect    CampaignEffect `json:"effect"`
	Watch     string         `json:"watch"`
}

// CampaignScope says what a campaign looks at.
type CampaignScope struct {
	Connections []string `json:"connections"`
	Items       []string `json:"items"`
	Kinds       []string `json:"kinds"`
	Roles       []string `json:"roles"`
	Groups      []string `json:"groups"`
	Match       string   `json:"match"`
	UnusedFor   string   `json:"unused_for"` // 0s = used or not
	UnknownUse  bool     `json:"unknown_use"`
	Changed     bool     `json:"changed"`
	Privileged  bool     `json:"privileged"`
	Holders     string   `json:"holders"` // all, matched or unmatched
}

// CampaignFreshness is how old what a campaign shows may be.
type CampaignFreshness struct {
	Sync     string `json:"sync"`
	Activity string `json:"activity"`
	Doctor   bool   `json:"doctor"`
	Patience string `json:"patience"`
	Stale    string `json:"stale"` // block or warn
}

// ReviewStage is one round of decisions.
type ReviewStage struct {
	Name string `json:"name"`
	Of   string `json:"of"` // all, kept, revoked or high
	Who  []struct {
		Whom       string   `json:"whom"`
		To         []string `json:"to"`
		Connection string   `json:"connection"`
		Group      string   `json:"group"`
		When       string   `json:"when"`
	} `json:"who"`
}

// DecisionRule says how decisions are taken.
type DecisionRule struct {
	ReasonFor      []string `json:"reason_for"`
	HighRiskReason bool     `json:"high_risk_reason"`
	BulkBelow      string   `json:"bulk_below"` // empty = never
	Abstain        bool     `json:"abstain"`
	Carry          string   `json:"carry"` // empty = never
	CarryTimes     int      `json:"carry_times"`
}

// CampaignTime says when what happens.
type CampaignTime struct {
	Due           string   `json:"due"`
	Remind        []string `json:"remind"`
	EscalateAfter string   `json:"escalate_after"` // 0s = at the deadline alone
	EscalateFor   string   `json:"escalate_for"`
	Silence       string   `json:"silence"` // escalate, keep or revoke
	WorkingDays   bool     `json:"working_days"`
}

// QualityRule says when decisions are doubted.
type QualityRule struct {
	MinItems   int `json:"min_items"`
	MinSeconds int `json:"min_seconds"`
	ApproveAll int `json:"approve_all"` // percent
	Against    int `json:"against"`     // percent
	Controls   *struct {
		Each   int `json:"each"`
		Decoys []struct {
			Login string `json:"login"`
			Name  string `json:"name"`
			Note  string `json:"note"`
		} `json:"decoys"`
	} `json:"controls"` // nil = they are not shown, as to reviewers
}

// CampaignEffect says what a revocation does.
type CampaignEffect struct {
	When      string         `json:"when"` // at_once or at_close
	Account   []TemplateStep `json:"account"`
	Role      string         `json:"role"`
	Receivers []string       `json:"receivers"`
	Approvals int            `json:"approvals"`
	Budget    PolicyBudget   `json:"budget"`
}

// ApplyAccessReviews is what is applied at once. Seen are the versions that somebody
// looked at: nil = nobody did, so that whatever is applied now is replaced.
type ApplyAccessReviews struct {
	Set    string        `json:"set,omitempty"`
	Files  []PolicyFile  `json:"files"`
	DryRun bool          `json:"dry_run,omitempty"`
	Seen   []SeenVersion `json:"seen"`
}

// SeenVersion is the version of a definition that somebody looked at, 0 of a new one.
type SeenVersion struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// AppliedAccessReviews say what applying files changes, or changed.
type AppliedAccessReviews struct {
	Applied bool                  `json:"applied"`
	Reviews []AppliedAccessReview `json:"reviews"`
}

// Seen are the versions that the difference was shown for.
func (a AppliedAccessReviews) Seen() []SeenVersion {
	seen := make([]SeenVersion, len(a.Reviews))
	for i, r := range a.Reviews {
		seen[i] = SeenVersion{r.Name, r.FromVersion}
	}
	return seen
}

// Changes are what became of each, without the version before.
func (a AppliedAccessReviews) Changes() []AppliedPolicy {
	changes := make([]AppliedPolicy, len(a.Reviews))
	for i, r := range a.Reviews {
		changes[i] = AppliedPolicy{r.File, r.Name, r.Change, r.Version, r.State, r.Diff, r.Warnings}
	}
	return changes
}

// AppliedAccessReview is what became of one definition.
type AppliedAccessReview struct {
	File        string    `json:"file"`
	Name        string    `json:"name"`
	Change      string    `json:"change"` // added, changed, unchanged, paused or resumed
	FromVersion int       `json:"from_version"`
	Version     int       `json:"version"`
	State       string    `json:"state"`
	Diff        []string  `json:"diff"`
	Warnings    []Problem `json:"warnings"`
}

// ApplyAccessReviews makes what files say so, all of them or none. An Error with the
// code stale says that something else is applied than was looked at.
func (c *Client) ApplyAccessReviews(ctx context.Context, a ApplyAccessReviews) (AppliedAccessReviews, error) {
	return call[AppliedAccessReviews](ctx, c, http.MethodPut, path("access-reviews"), a)
}

// AccessReviews returns a page of definitions; state and set "" select all.
func (c *Client) AccessReviews(ctx context.Context, state, set, cursor string, limit int) ([]AccessReview, string, error) {
	p, err := call[struct {
		Reviews []AccessReview `json:"reviews"`
		Next    string         `json:"next"`
	}](ctx, c, http.MethodGet, path("access-reviews")+pageOf(url.Values{"state": {state}, "set": {set}}, cursor, limit), nil)
	return p.Reviews, p.Next, err
}

// AccessReview returns a definition by name or id, with its file's text.
func (c *Client) AccessReview(ctx context.Context, ref string) (AccessReview, error) {
	return call[AccessReview](ctx, c, http.MethodGet, path("access-reviews", ref), nil)
}

// AccessReviewHistory returns a page of a definition's versions, newest first.
func (c *Client) AccessReviewHistory(ctx context.Context, ref, cursor string, limit int) ([]PolicyVersion, string, error) {
	return c.versions(ctx, "access-reviews", ref, cursor, limit)
}

// PauseAccessReview lets an access review make no more campaigns by itself.
func (c *Client) PauseAccessReview(ctx context.Context, ref, reason string) (AccessReview, error) {
	return call[AccessReview](ctx, c, http.MethodPost, path("access-reviews", ref, "pause"), map[string]string{"reason": reason})
}

// ResumeAccessReview lets a paused access review make campaigns again.
func (c *Client) ResumeAccessReview(ctx context.Context, ref, reason string) (AccessReview, error) {
	return call[AccessReview](ctx, c, http.MethodPost, path("access-reviews", ref, "resume"), map[string]string{"reason": reason})
}
