package campaign

import (
	"time"

	"sendoff/internal/accessreview"
	"sendoff/schema"
)

// Judge makes the item of a holding; false when the review does not take it.
func Judge(review *accessreview.Review, h *schema.Holding, now time.Time) (schema.NewItem, bool) {
	if !h.Facts.Held || !review.Takes(h, now) {
		return schema.NewItem{}, false
	}
	item := schema.NewItem{
		Facts: h.Facts, Context: h.Context, Recommendation: Recommend(h), Risk: Risk(h), Applies: review.Applies(h, now),
	}
	item.Context.Everybody = h.Everybody
	item.Carried = Carries(review.Rule().Decisions, h, item.Risk)
	return item, true
}
