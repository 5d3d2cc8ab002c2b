package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Review is a review run of a policy.
type Review struct {
	ID          string           `json:"id"`
	Policy      string           `json:"policy"`
	PolicyID    string           `json:"policy_id"`
	Version     int              `json:"version"`
	Mode        string           `json:"mode"`  // act, shadow, cold_start or report
	State       string           `json:"state"` // gathering, judging, planning, held, approving, acting or ended
	End         string           `json:"end"`   // empty = it is open
	Why         string           `json:"why"`
	Trigger     string           `json:"trigger"`
	RequestedBy string           `json:"requested_by"`
	ScheduledAt *time.Time       `json:"scheduled_at"`
	Looked      int64            `json:"looked"`
	Matched     int64            `json:"matched"`
	Reasons     []ReasonCount    `json:"reasons"`
	Changed     int64            `json:"changed"`
	Basis       []PolicyBasis    `json:"basis"`
	Hash        string           `json:"hash"`
	Wanted      Spending         `json:"wanted"`
	Overruns    []Overrun        `json:"overruns"`
	BudgetWait  *BudgetWait      `json:"budget_wait"` // nil = nothing waits for a budget
	BatchID     string           `json:"batch_id"`
	Approvals   int              `json:"approvals"`
	Approved    []ReviewApproval `json:"approved"`
	CreatedAt   time.Time        `json:"created_at"`
	JudgedAt    *time.Time       `json:"judged_at"`
	EndedAt     *time.Time       `json:"ended_at"`
}

// BudgetWait tells of confirmed accounts that wait for room in a budget of 24 hours.
type BudgetWait struct {
	Accounts int       `json:"accounts"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Overruns []Overrun `json:"overruns"`
}

// ReviewApproval is a principal's approval of a run's plans.
type ReviewApproval struct {
	Principal string    `json:"principal"`
	Reason    string    `json:"reason"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
}

// ReviewItem is one account that a review run matched.
type ReviewItem struct {
	Account      string       `json:"account"` // our id
	Connection   string       `json:"connection"`
	AccountID    string       `json:"account_id"` // the vendor's
	Login        string       `json:"login"`
	Privileged   bool         `json:"privileged"`
	State        string       `json:"state"`
	Grade        string       `json:"grade"`
	Threshold    string       `json:"threshold"`
	LastActiveAt *time.Time   `json:"last_active_at"`
	Facts        *PlanFacts   `json:"facts"`
	Hash         string       `json:"hash"`
	Bytes        int64        `json:"bytes"`
	Findings     []Finding    `json:"findings"`
	Drift        []Difference `json:"drift"`
	Why          string       `json:"why"`
	CaseID       string       `json:"case_id"`
	AskUntil     *time.Time   `json:"ask_until"`
	UpdatedAt    time.Time    `json:"updated_at"`
}

// Difference is one fact that is not as it was approved.
type Difference struct {
	Fact   string `json:"fact"`
	Before string `json:"before"`
	Now    string `json:"now"`
}

// VerdictRow is a verdict that a review run keeps.
type VerdictRow struct {
	Account    string `json:"account"`
	Connection string `json:"connection"`
	AccountID  string `json:"account_id"`
	Login      string `json:"login"`
	Reason     string `json:"reason"`
	Before     string `json:"before"`
	Exclusion  *int   `json:"exclusion"`
}

// ReviewReport sums a review run.
type ReviewReport struct {
	Review Review       `json:"review"`
	Items  []StateCount `json:"items"`
	Plans  []StateCount `json:"plans"`
	Asks   struct {
		Asked         int `json:"asked"`
		Answered      int `json:"answered"`
		Needed        int `json:"needed"`
		NotNeeded     int `json:"not_needed"`
		Undeliverable int `json:"undeliverable"`
	} `json:"asks"`
	Seats struct {
		Freed int64 `json:"freed"`
		Ahead int64 `json:"ahead"`
	} `json:"seats"`
	AtRenewal []struct {
		Amount   string `json:"amount"`
		Minor    int64  `json:"amount_minor"`
		Currency string `json:"currency"`
	} `json:"at_renewal"`
	Excluded []struct {
		Exclusion int    `json:"exclusion"`
		Reason    string `json:"reason"`
		Count     int64  `json:"count"`
	} `json:"excluded"`
}

// StateCount counts what is in a state.
type StateCount struct {
	State string `json:"state"`
	Count int64  `json:"count"`
}

// RequestReview asks for a review run of now; mode is act or report.
func (c *Client) RequestReview(ctx context.Context, policy, mode string) (Review, error) {
	return call[Review](ctx, c, http.MethodPost, path("policies", policy, "reviews"), map[string]string{"mode": mode})
}

// Reviews returns a page of review runs, newest first; policy and state "" select all.
func (c *Client) Reviews(ctx context.Context, policy, state, cursor string, limit int) ([]Review, string, error) {
	p, err := call[struct {
		Reviews []Review `json:"reviews"`
		Next    string   `json:"next"`
	}](ctx, c, http.MethodGet, path("reviews")+pageOf(url.Values{"policy": {policy}, "state": {state}}, cursor, limit), nil)
	return p.Reviews, p.Next, err
}

// Review returns a review run.
func (c *Client) Review(ctx context.Context, id string) (Review, error) {
	return call[Review](ctx, c, http.MethodGet, path("reviews", id), nil)
}

// ReviewItems returns a page of what a review run matched; state "" selects all.
func (c *Client) ReviewItems(ctx context.Context, id, state, cursor string, limit int) ([]ReviewItem, string, error) {
	p, err := call[struct {
		Items []ReviewItem `json:"items"`
		Next  string       `json:"next"`
	}](ctx, c, http.MethodGet, path("reviews", id, "items")+pageOf(url.Values{"state": {state}}, cursor, limit), nil)
	return p.Items, p.Next, err
}

// ReviewVerdicts returns a page of the verdicts that a review run keeps.
func (c *Client) ReviewVerdicts(ctx context.Context, id, reason string, changed bool, cursor string, limit int) ([]VerdictRow, string, error) {
	filters := url.Values{"reason": {reason}}
	if changed {
		filters.Set("changed", "true")
	}
	p, err := call[struct {
		Verdicts []VerdictRow `json:"verdicts"`
		Next     string       `json:"next"`
	}](ctx, c, http.MethodGet, path("reviews", id, "verdicts")+pageOf(filters, cursor, limit), nil)
	return p.Verdicts, p.Next, err
}

// ReviewReport sums a review run.
func (c *Client) ReviewReport(ctx context.Context, id string) (ReviewReport, error) {
	return call[ReviewReport](ctx, c, http.MethodGet, path("reviews", id, "report"), nil)
}

// ApproveReview approves the plans of a run that the hash covers.
func (c *Client) ApproveReview(ctx context.Context, id, hash, reason string) (Review, error) {
	return call[Review](ctx, c, http.MethodPost, path("reviews", id, "approve"), map[string]string{"hash": hash, "reason": reason})
}

// CancelReview ends a run; what it started goes on.
func (c *Client) CancelReview(ctx context.Context, id, reason string) (Review, error) {
	return call[Review](ctx, c, http.MethodPost, path("reviews", id, "cancel"), map[string]string{"reason": reason})
}

// AnswerReviewItem answers for an account; answer is needed or not_needed.
func (c *Client) AnswerReviewItem(ctx context.Context, id, account, answer, reason string) (ReviewItem, error) {
	return call[ReviewItem](ctx, c, http.MethodPost, path("reviews", id, "items", account, "answer"), map[string]string{"answer": answer, "reason": reason})
}
