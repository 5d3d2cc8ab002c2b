package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/store"
	"sendoff/schema"
)

var (
	_ activities.RunStore  = (*store.Store)(nil)
	_ activities.SyncStore = (*store.Store)(nil)
)

// vendor is what a vendor would list.
type vendor struct {
	accounts []schema.Account
	groups   []schema.Group
	members  map[schema.ExternalID][]schema.GroupMember
	reach    map[schema.ExternalID][]schema.GroupCollaboration
	refused  map[schema.ExternalID]bool // groups whose members it does not list
	without  map[schema.Dataset]string
}

func listedAccount(id string) schema.Account {
	return schema.Account{
		ExternalID: schema.ExternalID(id), Login: "user" + id + "@example.com", Name: "User " + id, Role: schema.RoleMember,
		Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: "900", SpaceUsed: 1000, SpaceAmount: -1,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Tracking: map[string]string{"cost": "7"},
	}
}

// population are accounts 1 to n.
func population(n int) []schema.Account {
	list := make([]schema.Account, n)
	for i := range list {
		list[i] = listedAccount(fmt.Sprint(i + 1))
	}
	return list
}

// begun starts a sync and begins it.
func (b *bundle) begun() schema.Run {
	b.t.Helper()
	run, err := b.StartRun(b.t.Context(), b.conn.Name, schema.RunSync, schema.TriggerPerson, b.admin)
	require.NoError(b.t, err)
	run, _, err = b.BeginRun(b.t.Context(), run.ID)
	require.NoError(b.t, err)
	return run
}

func (b *bundle) progress(id schema.RunID, d schema.Dataset) schema.DatasetProgress {
	b.t.Helper()
	p, err := b.Progress(b.t.Context(), id, d)
	require.NoError(b.t, err)
	return p
}

// stage stages all that the vendor lists, each data set as one page.
func (b *bundle) stage(id schema.RunID, v vendor) {
	b.t.Helper()
	ctx := b.t.Context()
	v.accounts = slices.Clone(v.accounts) // listed now, unless the test says when
	for i := range v.accounts {
		if v.accounts[i].ObservedAt.IsZero() {
			v.accounts[i].ObservedAt = time.Now()
		}
	}
	for _, d := range schema.SyncDatasets() {
		if reason, missing := v.without[d]; missing {
			require.NoError(b.t, b.FinishDataset(ctx, id, d, schema.DatasetNotCollected, reason))
			continue
		}
		switch d {
		case schema.DataAccounts:
			_, err := b.StageAccounts(ctx, id, b.progress(id, d), v.accounts, "")
			require.NoError(b.t, err)
		case schema.DataGroups:
			_, err := b.StageGroups(ctx, id, b.progress(id, d), v.groups, "")
			require.NoError(b.t, err)
		default:
			b.stageGroups(id, d, v)
		}
		require.NoError(b.t, b.FinishDataset(ctx, id, d, schema.DatasetCollected, ""))
	}
}

func (b *bundle) stageGroups(id schema.RunID, d schema.Dataset, v vendor) {
	b.t.Helper()
	ctx := b.t.Context()
	todo, err := b.UnlistedGroups(ctx, id, d, "", 1000)
	require.NoError(b.t, err)
	for _, g := range todo {
		switch {
		case d == schema.DataCollaborations:
			err = b.StageCollaborations(ctx, id, g, v.reach[g.GroupID], "")
		case v.refused[g.GroupID]:
			err = b.EndGroup(ctx, id, d, g.GroupID, false)
		default:
			err = b.StageMembers(ctx, id, g, v.members[g.GroupID], "")
		}
		require.NoError(b.t, err)
	}
}

// sync runs a whole sync of what the vendor lists.
func (b *bundle) sync(v vendor) schema.Run {
	b.t.Helper()
	run := b.begun()
	b.stage(run.ID, v)
	run, err := b.PublishSync(b.t.Context(), run.ID)
	require.NoError(b.t, err)
	return run
}

// known reads an account by the vendor's id.
func (b *bundle) known(id string) schema.Account {
	b.t.Helper()
	var ours schema.AccountID
	require.NoError(b.t, b.sql().QueryRow(b.t.Context(), `select id::text from account where connection_id = $1::text::uuid and external_id = $2`, string(b.conn.ID), id).Scan(&ours))
	a, err := b.Account(b.t.Context(), ours)
	require.NoError(b.t, err)
	return a
}

// changes are the changes seen by a run, in the order of their making, as text.
func (b *bundle) changes(run schema.RunID) []string {
	b.t.Helper()
	rows, err := b.sql().Query(b.t.Context(), `select concat_ws(' ', kind, nullif(external_id, ''), nullif(group_id, ''), nullif(item_id, ''), nullif(before, '') || ' ->', nullif(after, ''))
		from inventory_change where run_id = $1::text::uuid order by id`, string(run))
	require.NoError(b.t, err)
	defer rows.Close()
	list := []string{}
	for rows.Next() {
		var s string
		require.NoError(b.t, rows.Scan(&s))
		list = append(list, s)
	}
	require.NoError(b.t, rows.Err())
	return list
}

func TestSyncTellsWhatChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	group := func(id string) schema.Group {
		return schema.Group{ExternalID: schema.ExternalID(id), Name: "Group " + id}
	}
	member := func(g, a, role string) schema.GroupMember {
		return schema.GroupMember{ExternalID: schema.ExternalID(g + "-" + a), GroupID: schema.ExternalID(g), AccountID: schema.ExternalID(a), Role: role}
	}
	reach := func(g, id, item, role string) schema.GroupCollaboration {
		return schema.GroupCollaboration{ExternalID: schema.ExternalID(id), GroupID: schema.ExternalID(g), ItemType: "folder", ItemID: schema.ExternalID(item), ItemName: "Plans", Role: role, Status: "accepted"}
	}
	v := vendor{
		accounts: population(8), groups: []schema.Group{group("g1"), group("g2")},
		members: map[schema.ExternalID][]schema.GroupMember{"g1": {member("g1", "1", "member"), member("g1", "2", "member")}, "g2": {member("g2", "3", "admin")}},
		reach:   map[schema.ExternalID][]schema.GroupCollaboration{"g1": {reach("g1", "c1", "f1", "editor"), reach("g1", "c2", "f2", "viewer")}, "g2": {reach("g2", "c9", "f9", "viewer")}},
	}
	first := b.sync(v)
	require.Equal(t, schema.RunDone, first.State)
	require.True(t, first.Baseline)
	require.Empty(t, b.changes(first.ID), "what is first seen is no change")
	require.Equal(t, v.accounts[0].Tracking, b.known("1").Tracking)

	next := vendor{
		accounts: append(population(8)[:7], listedAccount("9")), groups: []schema.Group{group("g1"), group("g3")},
		members: map[schema.ExternalID][]schema.GroupMember{"g1": {member("g1", "1", "admin"), member("g1", "9", "member")}, "g3": {member("g3", "1", "member")}},
		reach:   map[schema.ExternalID][]schema.GroupCollaboration{"g1": {reach("g1", "c1", "f1", "viewer"), reach("g1", "c3", "f3", "viewer")}},
	}
	next.accounts[0].Status, next.accounts[0].VendorStatus = schema.AccountSuspended, "inactive"
	next.accounts[1].Role = schema.RoleCoadmin
	next.accounts[2].Login = "new@example.com"
	next.accounts[3].Kind = schema.KindApp
	next.accounts[4].Login = "USER5@example.com"
	second := b.sync(next)
	require.False(t, second.Baseline)
	require.ElementsMatch(t, []string{
		"status 1 active -> suspended", "role 2 member -> coadmin", "login 3 user3@example.com -> new@example.com", "kind 4 person -> app",
		"account_appeared 9 active", "account_missing 8 active -> missing",
		"group_appeared g3", "group_gone g2", "membership_lost 3 g2 admin ->", "access_lost g2 f9 viewer ->",
		"membership_role 1 g1 member -> admin", "membership_gained 9 g1 member", "membership_lost 2 g1 member ->", "membership_gained 1 g3 member",
		"access_role g1 f1 editor -> viewer", "access_gained g1 f3 viewer", "access_lost g1 f2 viewer ->",
	}, b.changes(second.ID))
	require.Equal(t, "USER5@example.com", b.known("5").Login, "a login is kept as it is written")

	third := b.sync(v)
	require.Contains(t, b.changes(third.ID), "account_returned 8 missing -> active")
	require.Contains(t, b.changes(third.ID), "account_missing 9 active -> missing")

	// Who gave access is taken over, and is no change of it.
	const givers = `select string_agg(external_id || ' ' || granted_by || ' ' || granted_by_name, ', ' order by external_id) from group_collaboration where group_id = 'g1'`
	require.Equal(t, "c1  , c2  ", b.text(givers))
	for i, step := range []struct{ login, name string }{{"ann@example.com", "Ann"}, {"ann@example.org", "Ann"}, {"ann@example.org", "Ann B"}, {"", ""}} {
		v.reach["g1"][0].GrantedBy, v.reach["g1"][0].GrantedByName = step.login, step.name
		run := b.sync(v)
		require.Equal(t, "c1 "+step.login+" "+step.name+", c2  ", b.text(givers), i)
		require.Empty(t, b.changes(run.ID))
	}
}
