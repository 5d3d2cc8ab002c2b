package activities

import (
	"context"
	"encoding/json"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// removalPlan is removals with the same steps.
type removalPlan struct {
	steps []schema.StepFact
	of    []schema.Removal
	ways  map[schema.RemovalID]string
}

// stepsOf says what removes each, those with the same steps together, in the order
// of the first of each.
func (c *Campaigns) stepsOf(r running, list []schema.Removal) []removalPlan {
	var plans []removalPlan
	at := map[string]int{}
	for _, removal := range list {
		steps, way := campaign.Steps(r.review.Rule.Effect, removal)
		key, _ := json.Marshal(steps) // strings and integers alone: Marshal cannot fail
		i, ok := at[string(key)]
		if !ok {
			i = len(plans)
			at[string(key)] = i
			plans = append(plans, removalPlan{steps: steps, ways: map[schema.RemovalID]string{}})
		}
		plans[i].of = append(plans[i].of, removal)
		plans[i].ways[removal.ID] = way
	}
	return plans
}

// draft plans removals with the same steps, in their order.
func (c *Campaigns) draft(ctx context.Context, r running, plan removalPlan, again bool) ([]AccountDraft, error) {
	rule := r.review.Rule
	t := schema.Template{
		Name: schema.AccessReviewTemplatePrefix + rule.Name, Version: r.review.Version, Title: rule.Title, Steps: plan.steps,
		Approvals: rule.Effect.Approvals, Receivers: rule.Effect.Receivers, UpdatedBy: r.review.UpdatedBy, UpdatedAt: r.review.UpdatedAt,
	}
	requests := make([]schema.Request, len(plan.of))
	for i, removal := range plan.of {
		requests[i] = schema.Request{
			Door: schema.DoorAccessReview, AccountID: removal.AccountID, Email: emailOf(removal), PersonID: removal.Account.PersonID,
			Receivers: []string{}, Grace: schema.DefaultGrace, Template: t.Name, Approvals: rule.Effect.Approvals, Source: "review",
		}
	}
	return r.drafting.DraftAccounts(ctx, requests, t, again)
}

// emailOf is the holder's address, or the login of an account that nobody is known
// to hold.
func emailOf(r schema.Removal) string {
	for _, i := range r.Items {
		if i.Context.HolderEmail != "" {
			return i.Context.HolderEmail
		}
	}
	return r.Account.Login
}
