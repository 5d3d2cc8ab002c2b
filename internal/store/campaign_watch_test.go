package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// synced says that a sync began at the instant and listed everything, or a part.
func (r *reviewing) synced(at time.Time, state string) {
	r.t.Helper()
	r.exec(`insert into dataset (connection_id, dataset, state, as_of) select id, d, $2, $1 from connection, unnest(array['accounts', 'memberships']) as d
		on conflict (connection_id, dataset) do update set state = excluded.state, as_of = excluded.as_of`, at, state)
}

func (r *reviewing) watches() (until time.Time, returned int) {
	r.t.Helper()
	return r.watchesBy(100)
}

// watchesBy looks at so many removals at a time.
func (r *reviewing) watchesBy(limit int) (until time.Time, returned int) {
	r.t.Helper()
	for {
		w, err := r.WatchRemovals(r.t.Context(), r.id, limit)
		require.NoError(r.t, err)
		if returned += w.Returned; w.Looked < limit {
			return w.Until, returned
		}
	}
}

func (r *reviewing) causes() []string {
	r.t.Helper()
	list, err := r.Returns(r.t.Context(), r.id)
	require.NoError(r.t, err)
	out := []string{}
	for _, x := range list {
		out = append(out, x.Cause)
	}
	return out
}

// gone is a closed campaign whose revoked items are proven to be gone at the
// instant: the role and the group of the first account, the group of the second, and
// the third account.
func gone(t *testing.T) (*reviewing, time.Time) {
	t.Helper()
	r := removals(t, 4)
	r.answers("1", schema.AnswerRevoke, schema.ItemRole, schema.ItemGroup)
	r.answers("2", schema.AnswerRevoke, schema.ItemGroup)
	r.answers("3", schema.AnswerRevoke, schema.ItemAccount)
	for e, step := range map[string]schema.StepFact{"1": leaves, "2": leaves, "3": shutsOff} {
		r.carriesOut(r.starts(e, step))
	}
	at := time.Now().Add(-time.Hour).Truncate(time.Microsecond)
	r.exec(`update plan_step set finished_at = $1`, at)
	r.removing()
	require.Zero(t, r.follows())
	require.Equal(t, 3, r.in(schema.RemovalDone))
	r.exec(`delete from group_membership`)
	r.exec(`update account set role = 'member' where external_id = '1'`)
	r.exec(`update account set status = 'suspended' where external_id = '3'`)
	require.NoError(t, r.MoveCampaign(t.Context(), r.id, schema.CampaignRemoving, schema.CampaignClosed))
	return r, at
}

func TestOnlyNewerListingsSayThatAccessIsBack(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	r.synced(at.Add(time.Minute), "collected")
	until, n := r.watches()
	require.Zero(t, n, "nothing is back")
	require.WithinDuration(t, at.Add(24*time.Hour), until, time.Minute)
	require.WithinDuration(t, at.Add(time.Minute), r.last("2").CheckedAt, 0)

	r.joins()
	_, n = r.watches()
	require.Zero(t, n, "that listing was looked at")
	r.exec(`update campaign_removal set checked_at = null`)
	r.synced(at.Add(-time.Minute), "collected")
	_, n = r.watches()
	require.Zero(t, n, "it began before the proof")
	r.synced(at.Add(time.Hour), "partial")
	_, n = r.watches()
	require.Zero(t, n, "a part of a listing proves nothing")
	r.exec(`update campaign_removal set watch_until = now()`)
	r.synced(at.Add(time.Hour), "collected")
	until, n = r.watches()
	require.Zero(t, n, "its time is over")
	require.True(t, until.IsZero())
}

// TestAccessThatIsBackBeforeTheSignature is decided anew, each item for itself.
func TestAccessThatIsBackBeforeTheSignature(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	before := r.kind("1", schema.ItemGroup)
	r.exec(`update vendor_group set provenance = 'okta'`)
	r.joins()
	r.exec(`delete from group_membership where account_id <> '1'`)
	require.NotEqual(t, schema.RiskHigh, r.kind("3", schema.ItemAccount).Risk.Level)
	r.exec(`update account set status = 'active', role = 'coadmin' where external_id = '3'`)
	r.synced(at.Add(time.Minute), "collected")
	_, n := r.watches()
	require.Equal(t, 2, n)
	require.Equal(t, schema.RiskHigh, r.kind("3", schema.ItemAccount).Risk.Level, "it is weighed by what it is now")
	require.ElementsMatch(t, []string{"directory", "reactivated"}, r.causes())
	require.Equal(t, schema.CampaignOpen, r.campaign(r.id).State, "nobody signs before it is looked at")
	closedAgain := func() { r.exec(`update campaign set state = 'closed' where id = $1`, string(r.id)) }
	closedAgain()
	i := r.kind("1", schema.ItemGroup)
	require.Equal(t, []any{schema.ItemUnassigned, before.Version + 1, schema.PersonID(""), schema.ItemAnswer(""), schema.RemovalID("")},
		[]any{i.State, i.Version, i.ReviewerID, i.Answer, i.RemovalID})
	require.Equal(t, []any{"okta", schema.RoleMember}, []any{i.Facts.Provenance, i.Facts.Role})
	require.Zero(t, r.count(`select count(*) from campaign_decision where item_id = $1 and current`, string(i.ID)))
	require.Equal(t, 1, r.count(`select count(*) from campaign_item_version where item_id = $1 and version = $2`, string(i.ID), before.Version))
	require.Equal(t, i.Facts.Hash(), r.text(`select facts_hash from campaign_item where id = $1`, string(i.ID)))
	require.True(t, r.last("3").WatchUntil.IsZero(), "nothing of it is left to watch")
	require.False(t, r.last("1").WatchUntil.IsZero(), "its role is still gone")
	_, n = r.watches()
	require.Zero(t, n, "once")

	r.exec(`update account set role = 'coadmin' where external_id = '1'`)
	r.synced(at.Add(2*time.Minute), "collected")
	_, n = r.watches()
	require.Equal(t, 1, n)
	require.Contains(t, r.causes(), "role")
	require.True(t, r.last("1").WatchUntil.IsZero())
	r.assign()
	_, err := r.RefreshItems(t.Context(), r.id, "", 100)
	require.NoError(t, err)
	require.Equal(t, r.boss, r.kind("1", schema.ItemGroup).ReviewerID)
	r.takes(r.kind("1", schema.ItemGroup), schema.AnswerRevoke, r.by)
	r.gathers()
	require.Equal(t, schema.RemovalWanted, r.last("1").State, "it is removed again")
}

// TestAccessThatIsBackAfterTheSignature: what was signed stays, and a campaign looks
// at just those accounts.
func TestAccessThatIsBackAfterTheSignature(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	_, err := r.SignCampaign(t.Context(), r.id, schema.SignOff{AcceptOpen: true, Reason: "the rest is known"}, render, r.signer)
	require.NoError(t, err)
	signed := func() string {
		return r.text(`select string_agg(i.id || i.state || i.answer || i.version || coalesce(i.removal_id::text, ''), ',' order by i.id) from campaign_item i where campaign_id = $1`, string(r.id)) +
			r.text(`select hash || encode(sha256(body), 'hex') from campaign_evidence where campaign_id = $1`, string(r.id))
	}
	before := signed()
	r.joins()
	r.exec(`update account set role = 'coadmin' where external_id = '1'`)
	r.exec(`update account set status = 'active' where external_id = '3'`)
	r.exec(`delete from group_membership where account_id <> '2'`)
	r.synced(at.Add(time.Minute), "collected")
	_, n := r.watchesBy(2)
	require.Equal(t, 3, n)
	require.ElementsMatch(t, []string{"invitation", "role", "reactivated"}, r.causes())
	require.Equal(t, before, signed())
	list, err := r.Returns(t.Context(), r.id)
	require.NoError(t, err)
	next := r.campaign(list[0].FollowUp)
	require.Equal(t, []any{schema.CampaignReturned, r.id, schema.CampaignGathering}, []any{next.Trigger, next.Follows, next.State})
	require.ElementsMatch(t, []schema.AccountID{r.last("1").AccountID, r.last("2").AccountID, r.last("3").AccountID}, next.Accounts)
	require.Equal(t, 1, r.count(`select count(*) from campaign where follows = $1`, string(r.id)), "one, in however many pieces it was looked")
	events := r.auditOf(audit.CampaignStream(string(next.ID)))
	require.Equal(t, "campaign.joined", events[len(events)-1].Action, "its scope grew")
	require.Equal(t, []string{"1", "3", string(r.id)}, []string{events[len(events)-1].Details["accounts"], events[len(events)-1].Details["in_scope"], events[len(events)-1].Details["campaign"]})
	require.Contains(t, r.dispatched(), "campaign "+string(next.ID))
	r.synced(at.Add(2*time.Minute), "collected")
	_, n = r.watches()
	require.Zero(t, n, "once")
}

// TestWhatASuspendedAccountHoldsIsNobodysAccess: its groups are still listed.
func TestWhatASuspendedAccountHoldsIsNobodysAccess(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	r.exec(`update account set status = 'suspended' where external_id = '2'`)
	r.joins()
	r.exec(`delete from group_membership where account_id <> '2'`)
	r.synced(at.Add(time.Minute), "collected")
	_, n := r.watches()
	require.Zero(t, n)
	r.exec(`update account set status = 'active' where external_id = '2'`)
	r.synced(at.Add(2*time.Minute), "collected")
	_, n = r.watches()
	require.Equal(t, 1, n)
}

// TestACollaborationReachedOtherwiseIsNoReturn: the access by this group is gone.
func TestACollaborationReachedOtherwiseIsNoReturn(t *testing.T) {
	t.Parallel()
	r, at := gone(t)
	r.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at) select id, 'h', 'Others', false, '', now() from connection`)
	r.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at) select id, 'h', '2', 'h2', 'member', now() from connection`)
	r.exec(`insert into group_collaboration (connection_id, group_id, external_id, item_type, item_id, item_name, role, status, first_seen_at)
		select id, g, 'c' || g, 'folder', '7', 'Plans', 'editor', 'accepted', now() from connection, unnest(array['g', 'h']) as g`)
	r.exec(`update campaign_item set kind = 'collaboration', ref = 'g/cg' where kind = 'group' and account_id = $1`, string(r.last("2").AccountID))
	r.synced(at.Add(time.Minute), "collected")
	_, n := r.watches()
	require.Zero(t, n)
	r.joins()
	r.exec(`delete from group_membership where group_id = 'g' and account_id <> '2'`)
	r.synced(at.Add(2*time.Minute), "collected")
	_, n = r.watches()
	require.Equal(t, 1, n)
}
