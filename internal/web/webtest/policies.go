package webtest

import (
	"context"
	"time"

	"sendoff/internal/web"
	"sendoff/schema"
)

// PolicyFuncs is a web.PolicyStore, a web.AskStore and a web.PolicyJudge of
// functions.
type PolicyFuncs struct {
	ApplyPoliciesFunc   func(schema.ApplyPolicies) ([]schema.AppliedPolicy, error)
	PoliciesFunc        func(schema.PolicyFilter) ([]schema.Policy, string, error)
	PolicyFunc          func(ref string) (schema.Policy, error)
	PolicyHistoryFunc   func(ref, after string, limit int) ([]schema.Policy, string, error)
	SetPolicyStateFunc  func(ref string, state schema.PolicyState, reason string) (schema.Policy, error)
	RequestReviewFunc   func(ref string, mode schema.ReviewMode) (schema.Review, error)
	ReviewsFunc         func(schema.ReviewFilter) ([]schema.Review, string, error)
	ReviewFunc          func(schema.ReviewID) (schema.Review, error)
	ReviewItemsFunc     func(schema.ReviewID, schema.ItemFilter) ([]schema.ReviewItem, string, error)
	VerdictsFunc        func(id schema.ReviewID, reason schema.VerdictReason, changed bool, after string, limit int) ([]schema.VerdictRow, string, error)
	ApproveReviewFunc   func(id schema.ReviewID, hash, reason string, by schema.Principal) (schema.Review, error)
	CancelReviewFunc    func(id schema.ReviewID, reason string) (schema.Review, error)
	ReviewReportFunc    func(schema.ReviewID) (schema.ReviewReport, error)
	AnswerItemFunc      func(id schema.ReviewID, account schema.AccountID, answer schema.Answer, reason string) (schema.ReviewItem, error)
	EngineBudgetFunc    func() (schema.EngineBudget, error)
	SetEngineBudgetFunc func(schema.EngineBudget) (schema.EngineBudget, error)
	BudgetUsedFunc      func(since time.Time) (schema.Spending, error)

	AskPageFunc   func(tokenHash string) (schema.AskPage, error)
	AnswerAskFunc func(tokenHash string, answer schema.Answer, reason string) (schema.AskPage, error)

	PreviewFunc func(schema.PolicyRule, int) (schema.Preview, error)
	ExplainFunc func(schema.Policy, schema.AccountID) (schema.Explanation, error)
	ReplayFunc  func(rule schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error)
}

var (
	_ web.PolicyStore = (*PolicyFuncs)(nil)
	_ web.AskStore    = (*PolicyFuncs)(nil)
	_ web.PolicyJudge = (*PolicyFuncs)(nil)
)

// ApplyPolicies calls its function, as does each method below.
func (f *PolicyFuncs) ApplyPolicies(_ context.Context, a schema.ApplyPolicies, _ schema.Principal) ([]schema.AppliedPolicy, error) {
	return f.ApplyPoliciesFunc(a)
}

// Policies calls its function.
func (f *PolicyFuncs) Policies(_ context.Context, filter schema.PolicyFilter) ([]schema.Policy, string, error) {
	return f.PoliciesFunc(filter)
}

// Policy calls its function.
func (f *PolicyFuncs) Policy(_ context.Context, ref string) (schema.Policy, error) {
	return f.PolicyFunc(ref)
}

// PolicyHistory calls its function.
func (f *PolicyFuncs) PolicyHistory(_ context.Context, ref, after string, limit int) ([]schema.Policy, string, error) {
	return f.PolicyHistoryFunc(ref, after, limit)
}

// SetPolicyState calls its function.
func (f *PolicyFuncs) SetPolicyState(_ context.Context, ref string, state schema.PolicyState, reason string, _ schema.Principal) (schema.Policy, error) {
	return f.SetPolicyStateFunc(ref, state, reason)
}

// RequestReview calls its function.
func (f *PolicyFuncs) RequestReview(_ context.Context, ref string, mode schema.ReviewMode, _ schema.Principal) (schema.Review, error) {
	return f.RequestReviewFunc(ref, mode)
}

// Reviews calls its function.
func (f *PolicyFuncs) Reviews(_ context.Context, filter schema.ReviewFilter) ([]schema.Review, string, error) {
	return f.ReviewsFunc(filter)
}

// Review calls its function.
func (f *PolicyFuncs) Review(_ context.Context, id schema.ReviewID) (schema.Review, error) {
	return f.ReviewFunc(id)
}

// ReviewItems calls its function.
func (f *PolicyFuncs) ReviewItems(_ context.Context, id schema.ReviewID, filter schema.ItemFilter) ([]schema.ReviewItem, string, error) {
	return f.ReviewItemsFunc(id, filter)
}

// Verdicts calls its function.
func (f *PolicyFuncs) Verdicts(_ context.Context, id schema.ReviewID, reason schema.VerdictReason, changed bool, after string, limit int) ([]schema.VerdictRow, string, error) {
	return f.VerdictsFunc(id, reason, changed, after, limit)
}

// ApproveReview calls its function.
func (f *PolicyFuncs) ApproveReview(_ context.Context, id schema.ReviewID, hash, reason string, by schema.Principal) (schema.Review, error) {
	return f.ApproveReviewFunc(id, hash, reason, by)
}

// CancelReview calls its function.
func (f *PolicyFuncs) CancelReview(_ context.Context, id schema.ReviewID, reason string, _ schema.Principal) (schema.Review, error) {
	return f.CancelReviewFunc(id, reason)
}

// ReviewReport calls its function.
func (f *PolicyFuncs) ReviewReport(_ context.Context, id schema.ReviewID) (schema.ReviewReport, error) {
	return f.ReviewReportFunc(id)
}

// AnswerItem calls its function.
func (f *PolicyFuncs) AnswerItem(_ context.Context, id schema.ReviewID, account schema.AccountID, answer schema.Answer, reason string, _ schema.Principal) (schema.ReviewItem, error) {
	return f.AnswerItemFunc(id, account, answer, reason)
}

// EngineBudget calls its function.
func (f *PolicyFuncs) EngineBudget(context.Context) (schema.EngineBudget, error) {
	return f.EngineBudgetFunc()
}

// SetEngineBudget calls its function.
func (f *PolicyFuncs) SetEngineBudget(_ context.Context, b schema.EngineBudget, _ schema.Principal) (schema.EngineBudget, error) {
	return f.SetEngineBudgetFunc(b)
}

// BudgetUsed calls its function.
func (f *PolicyFuncs) BudgetUsed(_ context.Context, since time.Time) (schema.Spending, error) {
	return f.BudgetUsedFunc(since)
}

// AskPage calls its function.
func (f *PolicyFuncs) AskPage(_ context.Context, tokenHash string) (schema.AskPage, error) {
	return f.AskPageFunc(tokenHash)
}

// AnswerAsk calls its function.
func (f *PolicyFuncs) AnswerAsk(_ context.Context, tokenHash string, answer schema.Answer, reason string) (schema.AskPage, error) {
	return f.AnswerAskFunc(tokenHash, answer, reason)
}

// Preview calls its function.
func (f *PolicyFuncs) Preview(_ context.Context, rule schema.PolicyRule, rows int) (schema.Preview, error) {
	return f.PreviewFunc(rule, rows)
}

// Explain calls its function.
func (f *PolicyFuncs) Explain(_ context.Context, p schema.Policy, account schema.AccountID) (schema.Explanation, error) {
	return f.ExplainFunc(p, account)
}

// Replay calls its function.
func (f *PolicyFuncs) Replay(_ context.Context, rule schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error) {
	return f.ReplayFunc(rule, since, after, limit)
}
