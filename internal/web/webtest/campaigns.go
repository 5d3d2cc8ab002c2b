package webtest

import (
	"context"

	"sendoff/internal/web"
	"sendoff/schema"
)

// AccessReviewFuncs is a web.AccessReviewStore of functions.
type AccessReviewFuncs struct {
	ApplyAccessReviewsFunc   func(schema.ApplyAccessReviews) ([]schema.AppliedAccessReview, error)
	AccessReviewsFunc        func(schema.AccessReviewFilter) ([]schema.AccessReview, string, error)
	AccessReviewFunc         func(ref string) (schema.AccessReview, error)
	AccessReviewHistoryFunc  func(ref, after string, limit int) ([]schema.AccessReview, string, error)
	SetAccessReviewStateFunc func(ref string, state schema.PolicyState, reason string) (schema.AccessReview, error)
}

// CampaignFuncs is a web.CampaignStore of functions.
type CampaignFuncs struct {
	NewCampaignFunc     func(schema.NewCampaign) (schema.Campaign, error)
	StartCampaignFunc   func(schema.CampaignID) (schema.Campaign, error)
	CampaignsFunc       func(schema.CampaignFilter) ([]schema.Campaign, string, error)
	CampaignViewFunc    func(schema.CampaignID) (schema.CampaignView, error)
	CampaignItemsFunc   func(schema.CampaignID, schema.CampaignItemFilter, schema.Principal) ([]schema.CampaignItem, string, error)
	CampaignItemFunc    func(schema.CampaignID, schema.ItemID, schema.Principal) (schema.CampaignItem, error)
	ItemDecisionsFunc   func(schema.CampaignID, schema.ItemID) ([]schema.CampaignDecision, error)
	ReviewQueueFunc     func(after string, limit int, by schema.Principal) ([]schema.CampaignItem, string, error)
	DecideItemsFunc     func(schema.CampaignID, []schema.Decide, schema.Principal) ([]schema.Decided, error)
	ReassignFunc        func(schema.CampaignID, schema.Reassign) (int, error)
	RemindReviewersFunc func(id schema.CampaignID, reviewer string) (int, error)
	ExtendCampaignFunc  func(schema.CampaignID, schema.Extend) (schema.Campaign, error)
	CloseCampaignFunc   func(id schema.CampaignID, early bool, reason string) (schema.Campaign, error)
	CancelCampaignFunc  func(id schema.CampaignID, reason string) (schema.Campaign, error)
	ReviewerStatsFunc   func(schema.CampaignID) ([]schema.ReviewerStats, error)
	SecondLookFunc      func(schema.CampaignID, schema.SecondLook) (schema.ReviewerStats, error)
	RemovalsFunc        func(schema.CampaignID, schema.RemovalFilter) ([]schema.Removal, string, error)
	ReturnsFunc         func(schema.CampaignID) ([]schema.Return, error)
	SignCampaignFunc    func(schema.CampaignID, schema.SignOff, func(schema.CampaignEvidence) ([]byte, error), schema.Principal) (schema.Campaign, error)
	SignedEvidenceFunc  func(schema.CampaignID) ([]byte, error)
	EvidenceFunc        func(schema.CampaignID) (schema.CampaignEvidence, error)
	AbsencesFunc        func(person, after string, limit int) ([]schema.Absence, string, error)
	SetAbsenceFunc      func(schema.NewAbsence, schema.Principal) (schema.Absence, error)
	EndAbsenceFunc      func(id string) (schema.Absence, error)
}

var (
	_ web.AccessReviewStore = (*AccessReviewFuncs)(nil)
	_ web.CampaignStore     = (*CampaignFuncs)(nil)
)

// ApplyAccessReviews calls its function, as does each method below.
func (f *AccessReviewFuncs) ApplyAccessReviews(_ context.Context, a schema.ApplyAccessReviews, _ schema.Principal) ([]schema.AppliedAccessReview, error) {
	return f.ApplyAccessReviewsFunc(a)
}

// AccessReviews calls its function.
func (f *AccessReviewFuncs) AccessReviews(_ context.Context, filter schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
	return f.AccessReviewsFunc(filter)
}

// AccessReview calls its function.
func (f *AccessReviewFuncs) AccessReview(_ context.Context, ref string) (schema.AccessReview, error) {
	return f.AccessReviewFunc(ref)
}

// AccessReviewHistory calls its function.
func (f *AccessReviewFuncs) AccessReviewHistory(_ context.Context, ref, after string, limit int) ([]schema.AccessReview, string, error) {
	return f.AccessReviewHistoryFunc(ref, after, limit)
}

// SetAccessReviewState calls its function.
func (f *AccessReviewFuncs) SetAccessReviewState(_ context.Context, ref string, state schema.PolicyState, reason string, _ schema.Principal) (schema.AccessReview, error) {
	return f.SetAccessReviewStateFunc(ref, state, reason)
}

// NewCampaign calls its function.
func (f *CampaignFuncs) NewCampaign(_ context.Context, n schema.NewCampaign, _ schema.Principal) (schema.Campaign, error) {
	return f.NewCampaignFunc(n)
}

// StartCampaign calls its function.
func (f *CampaignFuncs) StartCampaign(_ context.Context, id schema.CampaignID, _ schema.Principal) (schema.Campaign, error) {
	return f.StartCampaignFunc(id)
}

// Campaigns calls its function.
func (f *CampaignFuncs) Campaigns(_ context.Context, filter schema.CampaignFilter) ([]schema.Campaign, string, error) {
	return f.CampaignsFunc(filter)
}

// CampaignView calls its function.
func (f *CampaignFuncs) CampaignView(_ context.Context, id schema.CampaignID) (schema.CampaignView, error) {
	return f.CampaignViewFunc(id)
}

// CampaignItems calls its function.
func (f *CampaignFuncs) CampaignItems(_ context.Context, id schema.CampaignID, filter schema.CampaignItemFilter, by schema.Principal) ([]schema.CampaignItem, string, error) {
	return f.CampaignItemsFunc(id, filter, by)
}

// CampaignItem calls its function.
func (f *CampaignFuncs) CampaignItem(_ context.Context, id schema.CampaignID, item schema.ItemID, by schema.Principal) (schema.CampaignItem, error) {
	return f.CampaignItemFunc(id, item, by)
}

// ItemDecisions calls its function.
func (f *CampaignFuncs) ItemDecisions(_ context.Context, id schema.CampaignID, item schema.ItemID, _ schema.Principal) ([]schema.CampaignDecision, error) {
	return f.ItemDecisionsFunc(id, item)
}

// ReviewQueue calls its function.
func (f *CampaignFuncs) ReviewQueue(_ context.Context, after string, limit int, by schema.Principal) ([]schema.CampaignItem, string, error) {
	return f.ReviewQueueFunc(after, limit, by)
}

// DecideItems calls its function.
func (f *CampaignFuncs) DecideItems(_ context.Context, id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error) {
	return f.DecideItemsFunc(id, words, by)
}

// Reassign calls its function.
func (f *CampaignFuncs) Reassign(_ context.Context, id schema.CampaignID, r schema.Reassign, _ schema.Principal) (int, error) {
	return f.ReassignFunc(id, r)
}

// RemindReviewers calls its function.
func (f *CampaignFuncs) RemindReviewers(_ context.Context, id schema.CampaignID, reviewer string, _ schema.Principal) (int, error) {
	return f.RemindReviewersFunc(id, reviewer)
}

// ExtendCampaign calls its function.
func (f *CampaignFuncs) ExtendCampaign(_ context.Context, id schema.CampaignID, e schema.Extend, _ schema.Principal) (schema.Campaign, error) {
	return f.ExtendCampaignFunc(id, e)
}

// CloseCampaign calls its function.
func (f *CampaignFuncs) CloseCampaign(_ context.Context, id schema.CampaignID, early bool, reason string, _ schema.Principal) (schema.Campaign, error) {
	return f.CloseCampaignFunc(id, early, reason)
}

// CancelCampaign calls its function.
func (f *CampaignFuncs) CancelCampaign(_ context.Context, id schema.CampaignID, reason string, _ schema.Principal) (schema.Campaign, error) {
	return f.CancelCampaignFunc(id, reason)
}

// ReviewerStats calls its function.
func (f *CampaignFuncs) ReviewerStats(_ context.Context, id schema.CampaignID) ([]schema.ReviewerStats, error) {
	return f.ReviewerStatsFunc(id)
}

// SecondLook calls its function.
func (f *CampaignFuncs) SecondLook(_ context.Context, id schema.CampaignID, l schema.SecondLook, _ schema.Principal) (schema.ReviewerStats, error) {
	return f.SecondLookFunc(id, l)
}

// Removals calls its function.
func (f *CampaignFuncs) Removals(_ context.Context, id schema.CampaignID, filter schema.RemovalFilter) ([]schema.Removal, string, error) {
	return f.RemovalsFunc(id, filter)
}

// Returns calls its function.
func (f *CampaignFuncs) Returns(_ context.Context, id schema.CampaignID) ([]schema.Return, error) {
	return f.ReturnsFunc(id)
}

// SignCampaign calls its function.
func (f *CampaignFuncs) SignCampaign(
	_ context.Context, id schema.CampaignID, s schema.SignOff, render func(schema.CampaignEvidence) ([]byte, error), by schema.Principal,
) (schema.Campaign, error) {
	return f.SignCampaignFunc(id, s, render, by)
}

// SignedEvidence calls its function.
func (f *CampaignFuncs) SignedEvidence(_ context.Context, id schema.CampaignID) ([]byte, error) {
	return f.SignedEvidenceFunc(id)
}

// Evidence calls its function.
func (f *CampaignFuncs) Evidence(_ context.Context, id schema.CampaignID) (schema.CampaignEvidence, error) {
	return f.EvidenceFunc(id)
}

// Absences calls its function.
func (f *CampaignFuncs) Absences(_ context.Context, person, after string, limit int) ([]schema.Absence, string, error) {
	return f.AbsencesFunc(person, after, limit)
}

// SetAbsence calls its function.
func (f *CampaignFuncs) SetAbsence(_ context.Context, a schema.NewAbsence, by schema.Principal) (schema.Absence, error) {
	return f.SetAbsenceFunc(a, by)
}

// EndAbsence calls its function.
func (f *CampaignFuncs) EndAbsence(_ context.Context, id string, _ schema.Principal) (schema.Absence, error) {
	return f.EndAbsenceFunc(id)
}
