package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func TestAccessReviewsAreApplied(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	applied := c.applies("s", looksAt("a"), looksAt("b"))
	require.Equal(t, []any{schema.PolicyAdded, 1, "s", "author"}, []any{applied[0].Change, applied[0].Review.Version, applied[0].Review.Set, applied[0].Review.UpdatedBy})
	require.Len(t, c.dispatched(), 2)

	changed := looksAt("a", func(r *schema.AccessReviewRule) { r.Title = "Other" })
	dry := reviewFiles("s", changed)
	dry.DryRun = true
	out, err := c.ApplyAccessReviews(ctx, dry, c.author)
	require.NoError(t, err)
	require.Equal(t, []any{schema.PolicyChanged, "Title of a", schema.PolicyWithdrawn, "b"}, []any{out[0].Change, out[0].Before.Title, out[1].Change, out[1].Name})
	require.Empty(t, c.dispatched(), "a dry run changes nothing")

	applied = c.applies("s", changed)
	require.Equal(t, []any{2, schema.PolicyWithdrawn}, []any{applied[0].Review.Version, applied[1].Change})
	b, err := c.AccessReview(ctx, "b")
	require.NoError(t, err)
	require.Equal(t, schema.PolicyPaused, b.State)
	require.Equal(t, schema.PolicyUnchanged, c.applies("s", changed)[0].Change)
	require.Equal(t, schema.PolicyRestored, c.applies("s", changed, looksAt("b"))[1].Change)

	history, next, err := c.AccessReviewHistory(ctx, "a", "", 1)
	require.NoError(t, err)
	require.Equal(t, []any{2, "2"}, []any{history[0].Version, next})
	history, next, err = c.AccessReviewHistory(ctx, "a", next, 1)
	require.NoError(t, err)
	require.Equal(t, []any{1, ""}, []any{history[0].Version, next})
	list, next, err := c.AccessReviews(ctx, schema.AccessReviewFilter{Set: "s", Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []any{"a", "a"}, []any{list[0].Name, next})
	first, err := c.AccessReviewAt(ctx, list[0].ID, 1)
	require.NoError(t, err)
	require.Equal(t, looksAt("a"), first.Rule)
	require.NotContains(t, fmt.Sprint(c.auditOf(audit.PolicyStream(string(first.ID)))), "secret text")
}

func TestWhatCannotBeAppliedChangesNothing(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	c.applies("s", looksAt("a"))
	c.dispatched()
	files := reviewFiles("other", looksAt("a"), looksAt("new"), looksAt("lost", func(r *schema.AccessReviewRule) { r.Scope.Connections = []string{"none"} }))
	_, err := c.ApplyAccessReviews(ctx, files, c.author)
	requireCode(t, schema.CodeInvalid, err)
	require.Len(t, problemsOf(t, err), 2, "all problems at once")
	_, err = c.AccessReview(ctx, "new")
	requireCode(t, schema.CodeNotFound, err)
	var none *schema.Error
	require.ErrorAs(t, err, &none)
	require.Equal(t, "sendoff review definitions shows all access reviews", none.Fix)
	_, err = c.ApplyAccessReviews(ctx, reviewFiles("", looksAt("x"), looksAt("x"), looksAt("")), c.author)
	require.Len(t, problemsOf(t, err), 2)

	seen := reviewFiles("s", looksAt("a", func(r *schema.AccessReviewRule) { r.Title = "Mine" }))
	seen.Seen = []schema.SeenVersion{{Name: "a", Version: 1}}
	_, err = c.ApplyAccessReviews(ctx, seen, c.author)
	require.NoError(t, err)
	_, err = c.ApplyAccessReviews(ctx, seen, c.author)
	requireCode(t, schema.CodeStale, err)
	require.Len(t, c.dispatched(), 1)
}

func TestAnAccessReviewIsPaused(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	d := c.has(looksAt("a"))
	c.dispatched()
	_, err := c.SetAccessReviewState(ctx, "a", schema.PolicyPaused, " ", c.admin)
	requireCode(t, schema.CodeInvalid, err)
	paused, err := c.SetAccessReviewState(ctx, "a", schema.PolicyPaused, "wait", c.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.PolicyPaused, "wait", "admin"}, []any{paused.State, paused.PauseReason, paused.PausedBy})
	_, err = c.SetAccessReviewState(ctx, "a", schema.PolicyPaused, "again", c.admin)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, schema.PolicyPaused, c.has(looksAt("a", func(r *schema.AccessReviewRule) { r.Title = "x" })).State, "a file does not resume it")
	d, err = c.SetAccessReviewState(ctx, string(d.ID), schema.PolicyActive, "go on", c.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.PolicyActive, ""}, []any{d.State, d.PauseReason})
	require.Len(t, c.dispatched(), 3)
	var actions []string
	for _, e := range c.auditOf(audit.PolicyStream(string(d.ID))) {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"access_review.applied", "access_review.paused", "access_review.applied", "access_review.resumed"}, actions)
}
