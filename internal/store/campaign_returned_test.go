package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestWhatCameBackAndNobodyLooksAtIsTold: a campaign about it whose snapshot does not
// have it leaves nothing that would.
func TestWhatCameBackAndNobodyLooksAtIsTold(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	_, err := r.SignCampaign(t.Context(), r.id, schema.SignOff{AcceptOpen: true, Reason: "the rest is known"}, render, r.signer)
	require.NoError(t, err)
	r.joins()
	r.exec(`delete from group_membership where account_id <> '2'`)
	r.exec(`update account set status = 'active' where external_id = '3'`)
	r.synced(at.Add(time.Minute), "collected")
	_, n := r.watches()
	require.Equal(t, 2, n)
	list, err := r.Returns(t.Context(), r.id)
	require.NoError(t, err)
	next := r.campaign(list[0].FollowUp)
	q := r.query(r.review)
	q.Accounts = next.Accounts
	alarms := func() []schema.AlarmView {
		list, _, err := r.ListAlarms(t.Context(), false, "", 10)
		require.NoError(t, err)
		return list
	}
	again := func() {
		r.exec(`delete from campaign_item where campaign_id = $1`, string(next.ID))
		r.exec(`update campaign set state = 'gathering', snapshot_at = null where id = $1`, string(next.ID))
	}
	r.lists(next, q)
	require.Empty(t, alarms())
	again()
	q.Items = []schema.ItemKind{schema.ItemAccount}
	r.lists(next, q)
	require.Len(t, alarms(), 1, "a membership that came back is not looked at with its account")
	require.Contains(t, alarms()[0].Message, "1 of what came back after campaign "+string(r.id))
	require.NoError(t, r.EndAlarm(t.Context(), alarms()[0].ID, "taken out by hand", r.admin))
	again()
	q.Kinds = []schema.AccountKind{schema.KindService}
	r.lists(next, q)
	require.Equal(t, schema.CampaignEmpty, r.campaign(next.ID).End)
	require.Len(t, alarms(), 1)
	require.Equal(t, []any{r.review.ID, schema.AlarmReturnUnseen}, []any{alarms()[0].AccessReviewID, alarms()[0].Code})
	require.Contains(t, alarms()[0].Message, "2 of what came back")
}
