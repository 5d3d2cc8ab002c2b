package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// PolicyStore keeps policies, their review runs and budgets.
type PolicyStore interface {
	// ApplyPolicies makes what the files say so, all or nothing, and says for each
	// policy what changed. CodeInvalid for a connection that does not exist.
	ApplyPolicies(ctx context.Context, a schema.ApplyPolicies, by schema.Principal) ([]schema.AppliedPolicy, error)
	Policies(ctx context.Context, f schema.PolicyFilter) ([]schema.Policy, string, error)
	// Policy finds by name or id; CodeNotFound.
	Policy(ctx context.Context, ref string) (schema.Policy, error)
	// PolicyHistory lists the versions of a policy, newest first.
	PolicyHistory(ctx context.Context, ref, after string, limit int) ([]schema.Policy, string, error)
	SetPolicyState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.Policy, error)

	// RequestReview makes a run of now, in the mode act or report. CodeConflict names
	// the run that is open; CodeClosed for a paused policy that would act.
	RequestReview(ctx context.Context, ref string, mode schema.ReviewMode, by schema.Principal) (schema.Review, error)
	Reviews(ctx context.Context, f schema.ReviewFilter) ([]schema.Review, string, error)
	Review(ctx context.Context, id schema.ReviewID) (schema.Review, error)
	ReviewItems(ctx context.Context, id schema.ReviewID, f schema.ItemFilter) ([]schema.ReviewItem, string, error)
	// Verdicts lists what a run keeps: of a reason, or of all; changed alone or not.
	Verdicts(ctx context.Context, id schema.ReviewID, reason schema.VerdictReason, changed bool, after string, limit int) ([]schema.VerdictRow, string, error)
	// ApproveReview approves a run's plans. CodeHashDiffers for another hash, CodeForbidden
	// for whoever asked for the run or wrote the policy's version, CodeConflict when the
	// run waits for no approval or has this principal's.
	ApproveReview(ctx context.Context, id schema.ReviewID, hash, reason string, by schema.Principal) (schema.Review, error)
	// CancelReview ends a run: what it started goes on.
	CancelReview(ctx context.Context, id schema.ReviewID, reason string, by schema.Principal) (schema.Review, error)
	ReviewReport(ctx context.Context, id schema.ReviewID) (schema.ReviewReport, error)
	// AnswerItem answers for the account of a run, by a principal.
	AnswerItem(ctx context.Context, id schema.ReviewID, account schema.AccountID, answer schema.Answer, reason string, by schema.Principal) (schema.ReviewItem, error)

	EngineBudget(ctx context.Context) (schema.EngineBudget, error)
	SetEngineBudget(ctx context.Context, b schema.EngineBudget, by schema.Principal) (schema.EngineBudget, error)
	// BudgetUsed sums what all doors used since the instant.
	BudgetUsed(ctx context.Context, since time.Time) (schema.Spending, error)
}

// AskStore answers questions by their links. A token is known by its hash alone.
type AskStore interface {
	// AskPage returns what the page shows; CodeNotFound for a token that is none.
	AskPage(ctx context.Context, tokenHash string) (schema.AskPage, error)
	// AnswerAsk takes the one answer of a question; CodeClosed when it is answered,
	// over, or past its time.
	AnswerAsk(ctx context.Context, tokenHash string, answer schema.Answer, reason string) (schema.AskPage, error)
}

// PolicyJudge says what rules come to, now and in the past.
type PolicyJudge interface {
	// Preview judges everything by a rule, and plans the first accounts that match.
	Preview(ctx context.Context, rule schema.PolicyRule, rows int) (schema.Preview, error)
	Explain(ctx context.Context, p schema.Policy, account schema.AccountID) (schema.Explanation, error)
	Replay(ctx context.Context, rule schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error)
}
