package web

import (
	"context"

	"sendoff/schema"
)

// AccessReviewStore keeps access reviews, the definitions of campaigns.
type AccessReviewStore interface {
	// ApplyAccessReviews makes what the files say so, all or nothing, and says for each
	// what changed. CodeInvalid for a connection that does not exist, CodeStale when
	// what was seen (Seen: versions by name) is not what is applied now.
	ApplyAccessReviews(ctx context.Context, a schema.ApplyAccessReviews, by schema.Principal) ([]schema.AppliedAccessReview, error)
	AccessReviews(ctx context.Context, f schema.AccessReviewFilter) ([]schema.AccessReview, string, error)
	// AccessReview finds by name or id; CodeNotFound.
	AccessReview(ctx context.Context, ref string) (schema.AccessReview, error)
	AccessReviewHistory(ctx context.Context, ref, after string, limit int) ([]schema.AccessReview, string, error)
	SetAccessReviewState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.AccessReview, error)
}

// CampaignStore keeps campaigns, items and decisions.
type CampaignStore interface {
	// NewCampaign makes a campaign: a draft, or started. CodeConflict names a whole
	// campaign that is open.
	NewCampaign(ctx context.Context, n schema.NewCampaign, by schema.Principal) (schema.Campaign, error)
	// StartCampaign starts a draft.
	StartCampaign(ctx context.Context, id schema.CampaignID, by schema.Principal) (schema.Campaign, error)
	Campaigns(ctx context.Context, f schema.CampaignFilter) ([]schema.Campaign, string, error)
	// CampaignView is a campaign with its counts and what stands against a sign-off.
	CampaignView(ctx context.Context, id schema.CampaignID) (schema.CampaignView, error)
	// CampaignItems lists items; for a reviewer their own alone, and without saying
	// which are control items.
	CampaignItems(ctx context.Context, id schema.CampaignID, f schema.CampaignItemFilter, by schema.Principal) ([]schema.CampaignItem, string, error)
	CampaignItem(ctx context.Context, id schema.CampaignID, item schema.ItemID, by schema.Principal) (schema.CampaignItem, error)
	ItemDecisions(ctx context.Context, id schema.CampaignID, item schema.ItemID, by schema.Principal) ([]schema.CampaignDecision, error)
	// ReviewQueue lists the open items of whoever asks, of all campaigns, those with the
	// highest risk first.
	ReviewQueue(ctx context.Context, after string, limit int, by schema.Principal) ([]schema.CampaignItem, string, error)
	// DecideItems takes words on items, each on its own: what is refused says why and
	// changes nothing. CodeForbidden for whoever is no reviewer of the campaign,
	// CodeClosed once no more answers are taken.
	DecideItems(ctx context.Context, id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error)
	Reassign(ctx context.Context, id schema.CampaignID, r schema.Reassign, by schema.Principal) (int, error)
	// RemindReviewers queues reminders for all with open items, or one; it returns how many.
	RemindReviewers(ctx context.Context, id schema.CampaignID, reviewer string, by schema.Principal) (int, error)
	ExtendCampaign(ctx context.Context, id schema.CampaignID, e schema.Extend, by schema.Principal) (schema.Campaign, error)
	// CloseCampaign takes no more answers. With open items it needs early = true.
	CloseCampaign(ctx context.Context, id schema.CampaignID, early bool, reason string, by schema.Principal) (schema.Campaign, error)
	CancelCampaign(ctx context.Context, id schema.CampaignID, reason string, by schema.Principal) (schema.Campaign, error)
	ReviewerStats(ctx context.Context, id schema.CampaignID) ([]schema.ReviewerStats, error)
	SecondLook(ctx context.Context, id schema.CampaignID, l schema.SecondLook, by schema.Principal) (schema.ReviewerStats, error)
	Removals(ctx context.Context, id schema.CampaignID, f schema.RemovalFilter) ([]schema.Removal, string, error)
	Returns(ctx context.Context, id schema.CampaignID) ([]schema.Return, error)
	// SignCampaign signs a closed campaign: CodeForbidden for whoever is not its owner,
	// CodeConflict with what stands against it. In the same transaction it keeps what
	// render makes of the evidence, and its hash.
	SignCampaign(ctx context.Context, id schema.CampaignID, s schema.SignOff, render func(schema.CampaignEvidence) ([]byte, error),
		by schema.Principal) (schema.Campaign, error)
	// SignedEvidence returns what was rendered when the campaign was signed; CodeNotFound
	// for one that is not. Evidence is what there is now.
	SignedEvidence(ctx context.Context, id schema.CampaignID) ([]byte, error)
	Evidence(ctx context.Context, id schema.CampaignID) (schema.CampaignEvidence, error)

	Absences(ctx context.Context, person, after string, limit int) ([]schema.Absence, string, error)
	// SetAbsence makes an absence of whoever asks, or by an admin or operator of anybody.
	SetAbsence(ctx context.Context, a schema.NewAbsence, by schema.Principal) (schema.Absence, error)
	EndAbsence(ctx context.Context, id string, by schema.Principal) (schema.Absence, error)
}
