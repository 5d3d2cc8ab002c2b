package web

import (
	"time"

	"sendoff/internal/accessreview"
	"sendoff/schema"
)

// parseAccessReview reads the file of an access review.
func parseAccessReview(file, source string, now time.Time) (rule schema.AccessReviewRule, errs, warnings []schema.Problem) {
	rule, report := accessreview.Parse(file, []byte(source), now)
	return rule, report.Errors, report.Warnings
}

// diffAccessReviews says what differs between two rules.
func diffAccessReviews(before, after schema.AccessReviewRule) []string {
	return accessreview.Diff(before, after)
}
