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
		Facts: h.Facts, Context: h.Context, Applies: review.Applies(h, now),
	}
	item.Recommendation, item.Risk = Weigh(h)
	item.Context.Everybody = h.Everybody
	item.Carried = Carries(review.Rule().Decisions, h, item.Risk)
	return item, true
}

// Weigh says what the facts of a holding speak for, and how risky it is: when it is
// listed, and whenever its facts have become others. Of the account it goes by the
// day it was made, else by facts and context alone.
func Weigh(h *schema.Holding) (schema.Recommendation, schema.Risk) {
	return Recommend(h), Risk(h)
}
