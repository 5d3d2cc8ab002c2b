package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Policy is an inactivity policy as the server has it.
type Policy struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Version     int        `json:"version"`
	Hash        string     `json:"hash"`
	Set         string     `json:"set"`
	State       string     `json:"state"` // active or paused
	PauseReason string     `json:"pause_reason"`
	PausedBy    string     `json:"paused_by"`
	Acts        bool       `json:"acts"`    // whether its next run by schedule may act
	Stopped     bool       `json:"stopped"` // a run failed, and nobody resumed it
	Acted       int        `json:"acted"`
	Rule        PolicyRule `json:"rule"`
	UpdatedBy   string     `json:"updated_by"`
	UpdatedAt   time.Time  `json:"updated_at"`
	CreatedAt   time.Time  `json:"created_at"`
	Source      string     `json:"source,omitempty"`
}

// PolicyRule is what a policy's file says, with its defaults.
type PolicyRule struct {
	Title       string            `json:"title"`
	Owner       string            `json:"owner"`
	Mode        string            `json:"mode"`       // act or shadow
	ColdStart   string            `json:"cold_start"` // report or act
	Connections []string          `json:"connections"`
	Kinds       []string          `json:"kinds"`
	Statuses    []string          `json:"statuses"`
	Grades      []string          `json:"grades"`
	Match       string            `json:"match"`
	Threshold   PolicyThreshold   `json:"threshold"`
	Exclude     []PolicyExclusion `json:"exclude"`
	Ask         []PolicyAsk       `json:"ask"`
	Steps       []TemplateStep    `json:"steps"`
	Receivers   []string          `json:"receivers"`
	Budget      PolicyBudget      `json:"budget"`
	Approvals   int               `json:"approvals"`
	Schedule    PolicySchedule    `json:"schedule"`
	Freshness   PolicyFreshness   `json:"freshness"`
	Allow       PolicyAllowances  `json:"allow"`
}

// PolicyThreshold is how long an account must be silent.
type PolicyThreshold struct {
	Default string `json:"default"`
	Kinds   []struct {
		Kind string `json:"kind"`
		For  string `json:"for"`
	} `json:"kinds"`
	Roles []struct {
		Role string `json:"role"`
		For  string `json:"for"`
	} `json:"roles"`
}

// PolicyExclusion keeps accounts out of a policy.
type PolicyExclusion struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
	Login  string `json:"login,omitempty"`
	When   string `json:"when,omitempty"`
	Until  string `json:"until"`
	Live   bool   `json:"live"`
	Reason string `json:"reason"`
}

// PolicyAsk says who is asked about an account.
type PolicyAsk struct {
	Whom    string   `json:"whom"`
	To      []string `json:"to"`
	Channel string   `json:"channel"`
	Wait    string   `json:"wait"`
	Silence string   `json:"silence"`
	Text    string   `json:"text"`
}

// PolicyBudget is how much a policy may do; 0 = no limit, except of Privileged.
type PolicyBudget struct {
	PerRun     int   `json:"per_run,omitempty"`
	PerDay     int   `json:"per_day,omitempty"`
	Connection int   `json:"connection,omitempty"`
	Percent    int   `json:"percent,omitempty"`
	Bytes      int64 `json:"bytes,omitempty"`
	Privileged int   `json:"privileged"`
}

// PolicySchedule is when a policy's review runs begin.
type PolicySchedule struct {
	Every string `json:"every"`
	Times []struct {
		Hour     int      `json:"hour"`
		Minute   int      `json:"minute"`
		Weekdays []string `json:"weekdays"`
		Days     []int    `json:"days"`
		Months   []string `json:"months"`
	} `json:"times"`
	Zone     string `json:"zone"`
	Jitter   string `json:"jitter"`
	Blackout []struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Reason string `json:"reason"`
	} `json:"blackout"`
}

// PolicyFreshness is how old what a run judges by may be.
type PolicyFreshness struct {
	Sync     string `json:"sync"`
	Activity string `json:"activity"`
	Patience string `json:"patience"`
}

// PolicyAllowances are what a policy may do only because it says so.
type PolicyAllowances struct {
	DeleteWithoutTransfer bool `json:"delete_without_transfer,omitempty"`
	ZeroThreshold         bool `json:"zero_threshold,omitempty"`
	MostOfPopulation      bool `json:"most_of_population,omitempty"`
}

// PolicyFile is a file to apply.
type PolicyFile struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

// ApplyPolicies is what is applied at once.
type ApplyPolicies struct {
	Set     string       `json:"set,omitempty"`
	Files   []PolicyFile `json:"files"`
	DryRun  bool         `json:"dry_run,omitempty"`
	Confirm string       `json:"confirm,omitempty"` // of the dry run that was looked at
}

// AppliedPolicies say what applying files changes, or changed.
type AppliedPolicies struct {
	Applied  bool            `json:"applied"`
	Confirm  string          `json:"confirm"`
	Policies []AppliedPolicy `json:"policies"`
}

// AppliedPolicy is what became of one policy.
type AppliedPolicy struct {
	File     string    `json:"file"`
	Name     string    `json:"name"`
	Change   string    `json:"change"` // added, changed, unchanged, paused or resumed
	Version  int       `json:"version"`
	State    string    `json:"state"`
	Diff     []string  `json:"diff"`
	Warnings []Problem `json:"warnings"`
}

// PolicyVersion is one version of a policy.
type PolicyVersion struct {
	Version   int       `json:"version"`
	Hash      string    `json:"hash"`
	Set       string    `json:"set"`
	Source    string    `json:"source"`
	Diff      []string  `json:"diff"`
	UpdatedBy string    `json:"updated_by"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ApplyPolicies makes what files say so, all of them or none.
func (c *Client) ApplyPolicies(ctx context.Context, a ApplyPolicies) (AppliedPolicies, error) {
	return call[AppliedPolicies](ctx, c, http.MethodPost, path("policies", "apply"), a)
}

// Policies returns a page of policies; state and set "" select all.
func (c *Client) Policies(ctx context.Context, state, set, cursor string, limit int) ([]Policy, string, error) {
	p, err := call[struct {
		Policies []Policy `json:"policies"`
		Next     string   `json:"next"`
	}](ctx, c, http.MethodGet, path("policies")+pageOf(url.Values{"state": {state}, "set": {set}}, cursor, limit), nil)
	return p.Policies, p.Next, err
}

// Policy returns a policy by name or id, with its file's text.
func (c *Client) Policy(ctx context.Context, ref string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodGet, path("policies", ref), nil)
}

// PolicyHistory returns a page of a policy's versions, newest first.
func (c *Client) PolicyHistory(ctx context.Context, ref, cursor string, limit int) ([]PolicyVersion, string, error) {
	return c.versions(ctx, "policies", ref, cursor, limit)
}

func (c *Client) versions(ctx context.Context, of, ref, cursor string, limit int) ([]PolicyVersion, string, error) {
	p, err := call[struct {
		Versions []PolicyVersion `json:"versions"`
		Next     string          `json:"next"`
	}](ctx, c, http.MethodGet, path(of, ref, "history")+pageOf(nil, cursor, limit), nil)
	return p.Versions, p.Next, err
}

// PausePolicy lets a policy make no more runs.
func (c *Client) PausePolicy(ctx context.Context, ref, reason string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPost, path("policies", ref, "pause"), map[string]string{"reason": reason})
}

// ResumePolicy lets a paused policy make runs again.
func (c *Client) ResumePolicy(ctx context.Context, ref, reason string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPost, path("policies", ref, "resume"), map[string]string{"reason": reason})
}

// Budget is how much all doors together may do in 24 hours, and did.
type Budget struct {
	PerDay     int        `json:"per_day"`        // 0 = no limit
	Connection int        `json:"per_connection"` // 0 = no limit
	Used       Spending   `json:"used"`
	UpdatedBy  string     `json:"updated_by"`
	UpdatedAt  *time.Time `json:"updated_at"`
}

// Spending is what is used, or would be.
type Spending struct {
	Accounts    int   `json:"accounts"`
	Privileged  int   `json:"privileged"`
	Bytes       int64 `json:"bytes"`
	Connections []struct {
		Connection string `json:"connection"`
		Accounts   int    `json:"accounts"`
	} `json:"connections"`
}

// Overrun is a limit that does not hold.
type Overrun struct {
	Limit      string `json:"limit"`
	Connection string `json:"connection"`
	Used       int64  `json:"used"`
	Wanted     int64  `json:"wanted"`
	Allowed    int64  `json:"allowed"`
}

// Budget returns the budget of all doors.
func (c *Client) Budget(ctx context.Context) (Budget, error) {
	return call[Budget](ctx, c, http.MethodGet, path("budget"), nil)
}

// SetBudget changes the budget of all doors.
func (c *Client) SetBudget(ctx context.Context, perDay, perConnection int) (Budget, error) {
	return call[Budget](ctx, c, http.MethodPut, path("budget"), map[string]int{"per_day": perDay, "per_connection": perConnection})
}
