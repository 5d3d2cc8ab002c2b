package store

import (
	"cmp"
	"context"
	"time"

	"sendoff/schema"
)

// campaignFacts reads what a notice of a campaign tells. A reviewer is told how much
// waits for them now, the owner what they are needed for; neither of whom.
func campaignFacts(ctx context.Context, q querier, n schema.QueuedNotice, f *schema.NoticeFacts) error {
	c, err := loadCampaign(ctx, q, n.CampaignID)
	if err != nil {
		return err
	}
	f.Campaign = &schema.NoticeCampaignFacts{ID: c.ID, Title: cmp.Or(c.Title, c.Review), Owner: c.Owner, DueAt: c.DueAt}
	f.TimeZone, err = scalar[string](ctx, q, `select `+reviewerZone+` from person p join person w on w.id = coalesce(p.merged_into, p.id) `+presentEmployment+`
		where p.id = @id`, args{"id": n.PersonID, "today": schema.DateOf(time.Now().UTC())})
	if err != nil {
		return err
	}
	if n.Event == schema.NoticeReviewOwner {
		return ownerNeeds(ctx, q, c, f.Campaign)
	}
	// Items of somebody who was merged stay with the id they were given to.
	waiting, err := one[struct{ Open, High int }](ctx, q, `select count(*)::int as open, (count(*) filter (where risk = 'high'))::int as high from campaign_item
		where campaign_id = @campaign and state = 'open' and reviewer_id in (select p.id from person p join person w on w.id = @person
			where p.id = w.id or p.id = w.merged_into or p.merged_into = coalesce(w.merged_into, w.id))`,
		args{"campaign": c.ID, "person": n.PersonID})
	f.Campaign.Open, f.Campaign.High = waiting.Open, waiting.High
	f.Campaign.Over = c.State != schema.CampaignOpen || waiting.Open == 0
	return err
}

// ownerNeeds says what a campaign needs its owner for: what stands against the
// signature, and of one that is held its removals.
func ownerNeeds(ctx context.Context, q querier, c schema.Campaign, f *schema.NoticeCampaignFacts) error {
	if !c.SignedAt.IsZero() || c.State == schema.CampaignEnded {
		f.Over = true
		return nil
	}
	if c.State == schema.CampaignHeld {
		f.Needs = append(f.Needs, schema.NoticeNeed{
			Code: schema.OverBudget, What: "what was revoked is more than the budgets let be removed at once", Fix: "have two people release its batch (sendoff batches list)",
		})
	}
	rule, err := campaignRule(ctx, q, c)
	if err != nil {
		return err
	}
	blocks, err := signBlocks(ctx, q, c, rule)
	for _, b := range blocks {
		f.Needs = append(f.Needs, schema.NoticeNeed{Code: b.Code, What: b.Message, Fix: b.Fix})
	}
	return err
}
