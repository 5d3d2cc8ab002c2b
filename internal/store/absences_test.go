package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// operator is a principal whose token carries an address.
func (c *campaigns) operator(email string) schema.Principal {
	p := c.holder("operator "+email, email)
	c.exec(`update api_token set email = $2 where id = $1`, string(p.TokenID), email)
	p.Role = schema.RoleOperator
	return p
}

// An operator who holds an account does not choose by an absence who decides about
// it: neither of who decides now, nor of anybody who comes to decide later. For that
// account it is as if there were no such absence.
func TestNobodysAbsenceCountsAboutTheirOwnAccount(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	ctx, op := t.Context(), r.operator("user1@example.com")
	friend, ceo := r.person("friend@example.com", ""), r.person("ceo@example.com", "")
	r.exec(`update person set manager_id = $2 where id = $1`, string(r.boss), string(ceo))
	away := func(person string, by schema.Principal) (schema.Absence, error) {
		return r.SetAbsence(ctx, schema.NewAbsence{Person: person, Delegate: "friend@example.com", Reason: "sun"}, by)
	}
	for _, person := range []string{"boss@example.com", "ceo@example.com"} {
		_, err := away(person, op)
		requireCode(t, schema.CodeForbidden, err)
		require.ErrorContains(t, err, "their own account")
	}
	set, err := away("ceo@example.com", r.admin)
	require.NoError(t, err)
	_, err = r.EndAbsence(ctx, set.ID, op)
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.EndAbsence(ctx, set.ID, r.operator("friend@example.com"))
	requireCode(t, schema.CodeForbidden, err)
	require.ErrorContains(t, err, "by whoever set it", "who is back is somebody to decide, too")
	_, err = r.EndAbsence(ctx, set.ID, r.reviewer("ceo@example.com"))
	require.NoError(t, err)
	_, err = r.SetAbsence(ctx, schema.NewAbsence{Delegate: "friend@example.com", Reason: "my own"}, op)
	require.NoError(t, err)

	// Who has nothing of theirs yet: the delegate gets what others hold.
	owners, err := away("owner@example.com", op)
	require.NoError(t, err)
	_, err = r.EscalateDue(ctx, r.id, time.Now().Add(2*time.Hour), 10)
	require.NoError(t, err)
	r.assign()
	require.Equal(t, friend, r.of("2").ReviewerID)
	require.Equal(t, r.owner, r.of("1").ReviewerID, "who is there for it")
	n, err := r.UnseatReviewers(ctx, r.id, time.Now())
	require.NoError(t, err)
	require.Zero(t, n, "and stays so")
	give := func(external string) error {
		_, err := r.Reassign(ctx, r.id, schema.Reassign{Items: []schema.ItemID{r.of(external).ID}, To: "owner@example.com", Reason: "why not"}, r.admin)
		return err
	}
	requireCode(t, schema.CodeConflict, give("2"))
	r.holds(r.of("1"), "ceo@example.com")
	require.NoError(t, give("1"))
	r.assign()
	require.Equal(t, r.owner, r.of("1").ReviewerID)
	_, err = r.EndAbsence(ctx, owners.ID, r.signer)
	require.NoError(t, err)
	_, err = away("owner@example.com", r.admin)
	require.NoError(t, err)
	n, err = r.UnseatReviewers(ctx, r.id, time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, n, "whom others say to be absent is")
	r.assign()

	// Who has an open item about an account of theirs, and is nobody's manager.
	r.holds(r.of("1"), "user3@example.com")
	_, err = away("user3@example.com", op)
	requireCode(t, schema.CodeForbidden, err)
	_, err = away("user3@example.com", r.operator("user2@example.com"))
	require.NoError(t, err)
}
