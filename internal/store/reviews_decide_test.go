package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestARunIsApprovedByOthers(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	p.has(suspends("dormant", needs(2)))
	asker := p.holder("asker", "")
	r, err := p.RequestReview(ctx, "dormant", schema.ReviewActs, asker)
	require.NoError(t, err)
	eve, joe := p.holder("eve", "user9@example.com"), p.holder("joe", "")
	approve := func(hash string, by schema.Principal) (schema.Review, error) {
		return p.ApproveReview(ctx, r.ID, hash, "looked", by)
	}
	_, err = approve("", eve)
	requireCode(t, schema.CodeConflict, err)
	list := p.matched("1", "2")
	policy, err := p.Policy(ctx, "dormant")
	require.NoError(t, err)
	r = p.judges(r, list...)
	_, err = p.EndPlanning(ctx, r.ID)
	requireCode(t, schema.CodeConflict, err)
	var hashes []string
	for _, j := range list {
		require.NoError(t, p.PlanItem(ctx, r.ID, schema.PlannedItem{AccountID: j.AccountID, Facts: p.facts(policy, j)}))
		hashes = append(hashes, p.facts(policy, j).Hash())
	}
	r = p.ends(r)
	require.Equal(t, []any{schema.ReviewApproving, schema.CaseHash(hashes), 2, 2}, []any{r.State, r.Hash, r.Wanted.Accounts, r.Wanted.Connection[p.conn.ID]})
	require.Equal(t, r, p.ends(r), "a repeat takes nothing")
	require.Equal(t, 2, p.used())
	p.outbox()

	_, err = approve("other", eve)
	requireCode(t, schema.CodeHashDiffers, err)
	_, err = p.ApproveReview(ctx, r.ID, r.Hash, "", eve)
	requireCode(t, schema.CodeInvalid, err)
	in := joe
	in.Email = "USER2@example.com"
	asAsker := schema.Principal{Name: "somebody", TokenID: asker.TokenID}
	for _, by := range []schema.Principal{asker, asAsker, p.author, in} {
		_, err = approve(r.Hash, by)
		requireCode(t, schema.CodeForbidden, err)
	}
	once, err := approve(r.Hash, eve)
	require.NoError(t, err)
	require.Equal(t, []any{schema.ReviewApproving, 1, "eve", "user9@example.com", "looked"},
		[]any{once.State, len(once.Approved), once.Approved[0].Principal, once.Approved[0].Email, once.Approved[0].Reason})
	_, err = approve(r.Hash, eve)
	requireCode(t, schema.CodeConflict, err)
	_, err = approve(r.Hash, schema.Principal{Name: "eve", TokenID: joe.TokenID})
	requireCode(t, schema.CodeConflict, err)
	require.Empty(t, p.outbox())
	twice, err := approve(r.Hash, joe)
	require.NoError(t, err)
	require.Equal(t, schema.ReviewActing, twice.State)
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	_, err = approve(r.Hash, p.admin)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, []string{"policy.applied", "review.begun", "review.judging", "review.counted", "review.planned", "review.approved", "review.approved"}, p.actionsOf(policy.ID))
}

// The same person's other token is that person's, too.
func TestAPersonApprovesOnce(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy := p.has(suspends("dormant", needs(2)))
	r := p.ends(p.plans(policy, p.matched("1")...))
	first, second := p.holder("first", ""), p.holder("second", "")
	p.exec(`update api_token set email = 'both@example.com' where name in ('first', 'second')`)
	_, err := p.ApproveReview(t.Context(), r.ID, r.Hash, "looked", first)
	require.NoError(t, err)
	_, err = p.ApproveReview(t.Context(), r.ID, r.Hash, "looked", second)
	requireCode(t, schema.CodeConflict, err)
	p.exec(`update api_token set email = 'author@example.com' where name in ('author', 'second')`)
	_, err = p.ApproveReview(t.Context(), r.ID, r.Hash, "looked", second)
	requireCode(t, schema.CodeForbidden, err)
}
