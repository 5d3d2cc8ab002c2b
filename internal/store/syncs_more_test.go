package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func aGroup(id string) schema.Group {
	return schema.Group{ExternalID: schema.ExternalID(id), Name: "Group " + id}
}

func memberOf(group string, accounts ...string) []schema.GroupMember {
	var list []schema.GroupMember
	for _, a := range accounts {
		list = append(list, schema.GroupMember{
			ExternalID: schema.ExternalID(group + "-" + a), GroupID: schema.ExternalID(group), AccountID: schema.ExternalID(a), Role: "member",
			Permissions: map[string]bool{"can_run_reports": true},
		})
	}
	return list
}

func reachOf(group string, items ...string) []schema.GroupCollaboration {
	var list []schema.GroupCollaboration
	for _, i := range items {
		list = append(list, schema.GroupCollaboration{
			ExternalID: schema.ExternalID(group + "-" + i), GroupID: schema.ExternalID(group), ItemType: "folder", ItemID: schema.ExternalID(i), ItemName: i, Role: "viewer", Status: "accepted",
		})
	}
	return list
}

func company() vendor {
	return vendor{
		accounts: population(10), groups: []schema.Group{aGroup("g1"), aGroup("g2")},
		members: map[schema.ExternalID][]schema.GroupMember{"g1": memberOf("g1", "1", "2"), "g2": memberOf("g2", "3")},
		reach:   map[schema.ExternalID][]schema.GroupCollaboration{"g1": reachOf("g1", "f1"), "g2": reachOf("g2", "f2")},
	}
}

// An unchanged sync leaves every row as it is: none has a new version.
func TestAnUnchangedSyncWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sync(company())
	const rows = `select string_agg(v, ',' order by v) from (
		select 'a' || ctid || xmin as v from account union all select 'g' || ctid || xmin from vendor_group
		union all select 'm' || ctid || xmin from group_membership union all select 'c' || ctid || xmin from group_collaboration) as v`
	before := b.text(rows)
	run := b.sync(company())
	require.Equal(t, before, b.text(rows))
	require.Empty(t, b.changes(run.ID))
	require.Equal(t, 4, b.count(`select count(*) from dataset where as_of = $1 and state = 'collected'`, run.StartedAt))
	b.sync(vendor{accounts: population(9), groups: company().groups, members: company().members, reach: company().reach})
	require.NotEqual(t, before, b.text(rows), "what differs is written")
}

func TestWhatIsNotCollectedStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.sync(company())
	v := company()
	v.without = map[schema.Dataset]string{schema.DataGroups: "SCOPE_OPTIONAL_MISSING"}
	v.groups = nil
	run := b.sync(v)
	require.Empty(t, b.changes(run.ID))
	require.Equal(t, 3, b.count(`select count(*) from group_membership`))
	require.Equal(t, 2, b.count(`select count(*) from vendor_group`))
	// Members cannot be collected without groups, whoever says so.
	require.Equal(t, 3, b.count(`select count(*) from dataset where state = 'not_collected' and reason = 'SCOPE_OPTIONAL_MISSING' and as_of = $1 and rows > 0`, first.StartedAt))

	v = company()
	v.without = map[schema.Dataset]string{schema.DataAccounts: "SCOPE_MISSING"}
	v.members["g1"] = memberOf("g1", "1")
	run = b.sync(v)
	require.Equal(t, []string{"membership_lost 2 g1 member ->"}, b.changes(run.ID))
	require.Zero(t, b.count(`select count(*) from account where status <> 'active'`))
	require.Equal(t, 1, b.count(`select count(*) from inventory_change where since = $1 and seen_at >= $2 and login = 'user2@example.com' and group_name = 'Group g1'`, first.StartedAt, run.StartedAt))
}

// A data set first had in a later sync is all new to us and none of it to them.
func TestWhatIsCollectedLaterIsNoChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := company()
	v.without = map[schema.Dataset]string{schema.DataGroups: "X", schema.DataMemberships: "X", schema.DataCollaborations: "X"}
	require.True(t, b.sync(v).Baseline)
	run := b.sync(company())
	require.False(t, run.Baseline)
	require.Empty(t, b.changes(run.ID))
	require.Equal(t, 3, b.count(`select count(*) from group_membership where permissions = '{"can_run_reports": true}'`))
}

func TestARefusedGroupKeepsItsMembers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.sync(company())
	v := company()
	v.refused = map[schema.ExternalID]bool{"g1": true}
	v.groups = append(v.groups, aGroup("g3"), aGroup("g4"))
	v.members["g3"] = memberOf("g3", "5")
	v.refused["g4"] = true
	second := b.sync(v)
	require.ElementsMatch(t, []string{"group_appeared g3", "group_appeared g4", "membership_gained 5 g3 member"}, b.changes(second.ID))
	require.Equal(t, 2, b.count(`select count(*) from group_membership where group_id = 'g1'`))
	require.Equal(t, 1, b.count(`select count(*) from dataset where dataset = 'memberships' and state = 'partial' and reason = $1 and detail like '2 groups%' and as_of = $2`,
		schema.ReasonGroupsRefused, second.StartedAt))
	require.Equal(t, 1, b.count(`select count(*) from vendor_group where external_id = 'g1' and members_as_of = $1`, first.StartedAt))

	v.refused = nil
	v.members["g1"], v.members["g4"] = memberOf("g1", "1", "4"), memberOf("g4", "6")
	third := b.sync(v)
	require.ElementsMatch(t, []string{"membership_lost 2 g1 member ->", "membership_gained 4 g1 member"}, b.changes(third.ID),
		"the members of g4 were never seen before")
	require.Equal(t, 2, b.count(`select count(*) from inventory_change where run_id = $1::text::uuid and since = $2`, string(third.ID), first.StartedAt))
	require.Zero(t, b.count(`select count(*) from vendor_group where members_as_of is not null`))
	require.Equal(t, 2, b.count(`select members from vendor_group where external_id = 'g1'`))
}

// What the pages before a refusal showed counts, and what they did not show stays.
func TestAGroupListedInPartLosesNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	v := company()
	b.sync(v)
	run := b.begun()
	v.groups = append(v.groups, aGroup("g3"))
	_, err := b.StageAccounts(ctx, run.ID, b.progress(run.ID, schema.DataAccounts), atNow(v.accounts), "")
	require.NoError(t, err)
	_, err = b.StageGroups(ctx, run.ID, b.progress(run.ID, schema.DataGroups), v.groups, "")
	require.NoError(t, err)
	shown := memberOf("g1", "2", "5")
	shown[0].Role = "admin"
	for _, group := range []schema.ExternalID{"g1", "g3"} {
		require.NoError(t, b.StageMembers(ctx, run.ID, schema.GroupListing{GroupID: group, Generation: 1}, shown, "m1"))
		require.NoError(t, b.EndGroup(ctx, run.ID, schema.DataMemberships, group, false))
	}
	b.stageGroups(run.ID, schema.DataMemberships, v)
	b.stageGroups(run.ID, schema.DataCollaborations, v)
	require.NoError(t, b.FinishDataset(ctx, run.ID, schema.DataMemberships, schema.DatasetCollected, ""))
	require.NoError(t, b.FinishDataset(ctx, run.ID, schema.DataCollaborations, schema.DatasetCollected, ""))
	_, err = b.PublishSync(ctx, run.ID)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"group_appeared g3", "membership_role 2 g1 member -> admin", "membership_gained 5 g1 member"}, b.changes(run.ID),
		"g3 was never listed whole")
	require.Equal(t, 3, b.count(`select count(*) from group_membership where group_id = 'g1'`))
	require.Equal(t, 2, b.count(`select count(*) from group_membership where group_id = 'g3'`))
}

func TestAGroupThatIsGoneMidwayIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.sync(company())
	run := b.begun()
	v := company()
	_, err := b.StageAccounts(ctx, run.ID, b.progress(run.ID, schema.DataAccounts), atNow(v.accounts), "")
	require.NoError(t, err)
	_, err = b.StageGroups(ctx, run.ID, b.progress(run.ID, schema.DataGroups), v.groups, "")
	require.NoError(t, err)
	require.NoError(t, b.EndGroup(ctx, run.ID, schema.DataMemberships, "g2", true))
	require.NoError(t, b.EndGroup(ctx, run.ID, schema.DataMemberships, "g2", true), "repeating it is no change")
	requireCode(t, schema.CodeConflict, b.FinishDataset(ctx, run.ID, schema.DataMemberships, schema.DatasetCollected, ""))
	b.stageGroups(run.ID, schema.DataMemberships, v)
	require.NoError(t, b.FinishDataset(ctx, run.ID, schema.DataMemberships, schema.DatasetCollected, ""))
	_, err = b.PublishSync(ctx, run.ID)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, "not through")
	b.stageGroups(run.ID, schema.DataCollaborations, v)
	require.NoError(t, b.FinishDataset(ctx, run.ID, schema.DataCollaborations, schema.DatasetCollected, ""))
	_, err = b.PublishSync(ctx, run.ID)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"group_gone g2", "membership_lost 3 g2 member ->", "access_lost g2 f2 viewer ->"}, b.changes(run.ID))
}

func atNow(list []schema.Account) []schema.Account {
	for i := range list {
		list[i].ObservedAt = time.Now()
	}
	return list
}

// Nobody's members are listed for a group of everybody, and nobody waits for them.
func TestTheMembersOfEverybodyAreNotListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.begun()
	everybody := aGroup("all")
	everybody.Everybody = true
	_, err := b.StageGroups(t.Context(), run.ID, b.progress(run.ID, schema.DataGroups), []schema.Group{everybody, aGroup("g1")}, "")
	require.NoError(t, err)
	todo, err := b.UnlistedGroups(t.Context(), run.ID, schema.DataMemberships, "", 10)
	require.NoError(t, err)
	require.Equal(t, []schema.GroupListing{{GroupID: "g1", Generation: 1}}, todo)
	todo, err = b.UnlistedGroups(t.Context(), run.ID, schema.DataCollaborations, "all", 10)
	require.NoError(t, err)
	require.Len(t, todo, 1)
}

// A new account brings the use that the feed saw before it was listed.
func TestANewAccountBringsItsUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`insert into account_activity (connection_id, external_id, source, first_active_at, last_active_at, last_event) values
		($1::text::uuid, '1', 'box.events', '2026-01-01Z', '2026-02-01Z', 'LOGIN'), ($1::text::uuid, '1', 'other', '2026-01-01Z', '2026-03-01Z', 'SEEN')`, string(b.conn.ID))
	b.sync(vendor{accounts: population(2)})
	require.Equal(t, 1, b.count(`select count(*) from account where external_id = '1' and last_active_at = '2026-03-01Z' and last_event = 'SEEN' and last_source = 'other'`))
	require.Equal(t, 1, b.count(`select count(*) from account where external_id = '2' and last_active_at is null and last_event = ''`))
	id := b.text(`select id::text from account where external_id = '1'`)
	require.Equal(t, byte('7'), id[14], "ids sort by the time they were made: %s", id)
}

// A try that was overtaken stores nothing, not even what nobody else stored.
func TestAnOvertakenTryStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	run := b.begun()
	accounts := b.progress(run.ID, schema.DataAccounts)
	_, err := b.StageAccounts(ctx, run.ID, accounts, atNow(population(3)[:1]), "m1")
	require.NoError(t, err)
	_, err = b.StageAccounts(ctx, run.ID, accounts, atNow(population(3)), "m1")
	requireCode(t, schema.CodeStale, err)
	_, err = b.RestartDataset(ctx, run.ID, accounts)
	requireCode(t, schema.CodeStale, err)
	require.Equal(t, 1, b.count(`select count(*) from staged_account`))

	_, err = b.StageGroups(ctx, run.ID, b.progress(run.ID, schema.DataGroups), []schema.Group{aGroup("g1")}, "")
	require.NoError(t, err)
	first := schema.GroupListing{GroupID: "g1", Generation: 1}
	require.NoError(t, b.StageMembers(ctx, run.ID, first, memberOf("g1", "1"), "m1"))
	requireCode(t, schema.CodeStale, b.StageMembers(ctx, run.ID, first, memberOf("g1", "2"), ""))
	require.NoError(t, b.StageCollaborations(ctx, run.ID, first, reachOf("g1", "f1"), ""))
	requireCode(t, schema.CodeStale, b.StageCollaborations(ctx, run.ID, first, reachOf("g1", "f2"), ""))
	requireCode(t, schema.CodeStale, b.EndGroup(ctx, run.ID, schema.DataCollaborations, "g1", true))
	require.Equal(t, 1, b.count(`select count(*) from staged_membership`))
	require.Equal(t, 1, b.count(`select count(*) from staged_collaboration`))
	p := b.progress(run.ID, schema.DataMemberships)
	require.Equal(t, 1, p.Pages)
	require.EqualValues(t, 1, p.Rows)

	require.NoError(t, b.EndRun(ctx, run.ID, schema.RunFailed, nil))
	requireCode(t, schema.CodeStopped, b.StageMembers(ctx, run.ID, schema.GroupListing{GroupID: "g1", Generation: 1, Marker: "m1"}, memberOf("g1", "3"), ""))
	requireCode(t, schema.CodeStopped, b.StageAbsence(ctx, run.ID, "9", time.Now()))
	require.Equal(t, 1, b.count(`select count(*) from staged_membership`))
}
