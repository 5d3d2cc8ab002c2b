package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// small looks for small campaigns.
func (c *campaigns) small(d schema.AccessReview) int {
	c.t.Helper()
	n, err := c.BeginSmall(c.t.Context(), d.ID)
	require.NoError(c.t, err)
	return n
}

func TestWhoMovesIsLookedAt(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	who, accounts := c.inventory()
	without, boss := c.person("without@example.com", "sales"), c.person("boss@example.com", "it")
	c.exec(`update person set department = 'before' where id = $1`, string(who[2]))
	d := c.has(looksAt("a", begunBy(schema.CampaignMover, schema.CampaignPrivileged)))
	require.Zero(t, c.small(d), "what was before is not looked at")

	moves := func(p schema.PersonID, department string) {
		c.exec(`update person set department = $2 where id = $1`, string(p), department)
	}
	moves(who[0], "it")
	c.exec(`update person set manager_id = $2 where id = $1`, string(who[0]), string(boss))
	moves(who[0], "law")
	moves(without, "law") // holds nothing
	moves(who[1], "law")
	moves(who[1], "sales") // and back
	c.exec(`update account set role = 'member' where id = $1`, string(accounts[0].ID))
	save := func(role schema.AccountRole) {
		a := accounts[1]
		a.Role, a.ObservedAt = role, time.Now()
		_, err := c.SaveAccount(ctx, a)
		require.NoError(t, err)
	}
	save(schema.RoleCoadmin)
	c.dispatched()
	require.Equal(t, 2, c.small(d))
	require.Zero(t, c.small(d), "each change is looked at once")
	list, _, err := c.Campaigns(ctx, schema.CampaignFilter{Review: "a", Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, []any{schema.CampaignPrivileged, []schema.AccountID{accounts[1].ID}, []schema.PersonID{}, schema.CampaignGathering},
		[]any{list[0].Trigger, list[0].Accounts, list[0].Persons, list[0].State})
	require.Equal(t, []any{schema.CampaignMover, []schema.PersonID{who[0]}}, []any{list[1].Trigger, list[1].Persons})
	require.Len(t, c.dispatched(), 2, "each is started")

	moves(who[0], "sales")
	require.Zero(t, c.small(d), "one about them is open")
	require.NoError(t, c.EndCampaign(ctx, list[1].ID, schema.CampaignStale, ""))
	moves(who[0], "it")
	require.Equal(t, 1, c.small(d))

	_, err = c.SetAccessReviewState(ctx, "a", schema.PolicyPaused, "wait", c.admin)
	require.NoError(t, err)
	moves(who[2], "it")
	require.Zero(t, c.small(d))
	_, err = c.SetAccessReviewState(ctx, "a", schema.PolicyActive, "go on", c.admin)
	require.NoError(t, err)
	require.Zero(t, c.small(d), "what happened while it was paused is not looked at")
}

// A change may get a lower id than another and commit later.
func TestAChangeThatCommitsLateIsNotLost(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	who, _ := c.inventory()
	d := c.has(looksAt("a", begunBy(schema.CampaignMover)))
	late, err := c.sql().BeginTx(t.Context(), pgx.TxOptions{})
	require.NoError(t, err)
	_, err = late.Exec(t.Context(), `update person set department = 'it' where id = $1`, string(who[0]))
	require.NoError(t, err)
	c.exec(`update person set department = 'it' where id = $1`, string(who[1]))
	require.Zero(t, c.small(d), "who still writes is waited for, by the next look at the latest")
	require.NoError(t, late.Commit(t.Context()))
	require.Equal(t, 2, c.small(d))
}
