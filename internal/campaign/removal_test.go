package campaign_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

func item(k schema.ItemKind, ref string, a schema.ItemAnswer, change ...func(*schema.CampaignItem)) schema.CampaignItem {
	i := schema.CampaignItem{State: schema.ItemDecided, Answer: a, Facts: schema.ItemFacts{
		ItemRef: schema.ItemRef{AccountID: "a1", Kind: k, Ref: ref}, Role: schema.RoleMember, AccountStatus: schema.AccountActive, Held: true,
	}}
	if group, collaboration, ok := strings.Cut(ref, "/"); ref != "" {
		i.Facts.Group = "Group " + group
		if ok {
			i.Facts.Target = "Folder " + collaboration
		}
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func fed(i *schema.CampaignItem)   { i.Facts.Provenance = "Okta" }
func all(i *schema.CampaignItem)   { i.Context.Everybody = true }
func owner(i *schema.CampaignItem) { i.Facts.Role = schema.RoleOwner }

func outOf(ids ...schema.ExternalID) schema.StepFact {
	return schema.StepFact{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: ids}}
}

func effect() schema.EffectRule {
	return schema.EffectRule{Role: schema.RoleMember, Account: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	const (
		keep, revoke = schema.AnswerKeep, schema.AnswerRevoke
		account      = schema.ItemAccount
		role         = schema.ItemRole
		group        = schema.ItemGroup
		collab       = schema.ItemCollaboration
	)
	member := schema.StepFact{Kind: schema.StepSetRole, StepParams: schema.StepParams{Role: schema.RoleMember}}
	type items = []schema.CampaignItem
	type steps = []schema.StepFact
	for name, test := range map[string]struct {
		items items
		want  steps
		way   string
	}{
		"one that has no removal yet is planned with this": {
			items: items{item(group, "g1", revoke), item(collab, "g1/c1", revoke, func(i *schema.CampaignItem) { i.Removal = "" })}, want: steps{outOf("g1")},
		},
		"nothing revoked": {items: items{item(group, "g1", keep), item(role, "", "")}},
		"the account and what it holds": {
			items: items{item(account, "", revoke), item(role, "", revoke), item(group, "g1", revoke), item(group, "g2", keep), item(group, "g3", revoke, fed)},
			want:  steps{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}, outOf("g1"), member},
			way:   `take the person out of the group "Group g3" in the directory that feeds it: Okta`,
		},
		"the account alone": {items: items{item(account, "", revoke), item(group, "g1", keep)}, want: effect().Account},
		"groups and the role": {
			items: items{item(account, "", keep), item(group, "g2", revoke), item(group, "g1", revoke), item(role, "", revoke), item(group, "g3", keep)},
			want:  steps{outOf("g1", "g2"), member},
		},
		"what a group reaches": {items: items{item(collab, "g1/c1", revoke), item(collab, "g1/c2", revoke)}, want: steps{outOf("g1")}},
		"a group and what it reaches": {
			items: items{item(group, "g1", revoke), item(collab, "g1/c1", revoke)}, want: steps{outOf("g1")},
		},
		"a kept membership": {
			items: items{item(group, "g1", keep), item(collab, "g1/c1", revoke)},
			way:   `remove the collaboration on "Folder c1" from the group "Group g1", or revoke its membership: other access by the group was not revoked`,
		},
		"an undecided neighbour in the group": {
			items: items{item(collab, "g1/c2", ""), item(collab, "g1/c1", revoke)},
			way:   `remove the collaboration on "Folder c1" from the group "Group g1", or revoke its membership: other access by the group was not revoked`,
		},
		"kept access by a revoked group": {
			items: items{item(group, "g1", revoke), item(collab, "g1/c1", keep)},
			way:   `something reached through the group "Group g1" was not revoked: share that with the person otherwise, then take them out of the group`,
		},
		"what is gone hinders nothing": {
			items: items{item(group, "g1", revoke), item(collab, "g1/c1", keep, func(i *schema.CampaignItem) { i.State = schema.ItemGone })}, want: steps{outOf("g1")},
		},
		"a directory feeds the group": {
			items: items{item(group, "g1", revoke, fed), item(group, "g2", revoke)}, want: steps{outOf("g2")},
			way: `take the person out of the group "Group g1" in the directory that feeds it: Okta`,
		},
		"everybody is in the group": {
			items: items{item(collab, "g1/c2", revoke, all), item(collab, "g1/c1", revoke, all)},
			way:   `remove the collaborations on "Folder c1", "Folder c2" from the group "Group g1", which everybody is in, or revoke the account`,
		},
		"the group of everybody itself": {
			items: items{item(group, "g1", revoke, all)},
			way:   `remove from the group "Group g1", which everybody is in, what it reaches, or revoke the account: nobody leaves that group alone`,
		},
		"the vendor's owner": {
			items: items{item(role, "", revoke, owner), item(group, "g1", revoke, owner)}, want: steps{outOf("g1")},
			way: "make another account the vendor's primary administrator: the vendor takes the role from this one by that alone",
		},
		"the owner's account": {
			items: items{item(account, "", revoke, owner)},
			way:   "make another account the vendor's primary administrator, then revoke this account again: no vendor lets that one go",
		},
		"a control item": {items: items{item(account, "", revoke, func(i *schema.CampaignItem) { i.Control = true })}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, way := campaign.Steps(effect(), schema.Removal{Items: test.items})
			require.Equal(t, test.want, got)
			require.Equal(t, test.way, way)
		})
	}
}

// TestStepsOfAnAccount: nothing of a deleted one is left; what is taken away of one that
// stays goes behind what shuts it.
func TestStepsOfAnAccount(t *testing.T) {
	t.Parallel()
	step := func(kinds ...schema.StepKind) (list []schema.StepFact) {
		for _, k := range kinds {
			list = append(list, schema.StepFact{Kind: k})
		}
		return list
	}
	revoked := []schema.CampaignItem{item(schema.ItemAccount, "", schema.AnswerRevoke), item(schema.ItemGroup, "g1", schema.AnswerRevoke), item(schema.ItemGroup, "g2", schema.AnswerRevoke, fed)}
	for name, test := range map[string]struct {
		rule, want []schema.StepFact
		removes    []bool // the account, the group, the group that is fed
	}{
		"deleted": {
			step(schema.StepSuspend, schema.StepTransfer, schema.StepDelete), step(schema.StepSuspend, schema.StepTransfer, schema.StepDelete), []bool{true, true, true},
		},
		"suspended": {
			step(schema.StepSuspend, schema.StepRevokeSessions, schema.StepTransfer),
			slices.Insert(step(schema.StepSuspend, schema.StepRevokeSessions, schema.StepTransfer), 2, outOf("g1")),
			[]bool{true, true, false},
		},
		"out of all groups": {
			step(schema.StepSuspend, schema.StepRemoveFromGroups), step(schema.StepSuspend, schema.StepRemoveFromGroups), []bool{true, true, false},
		},
		"neither": {step(schema.StepRevokeSessions), []schema.StepFact{outOf("g1")}, []bool{false, true, false}},
		"by hand": {step(schema.StepManual), append([]schema.StepFact{outOf("g1")}, step(schema.StepManual)...), []bool{true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, way := campaign.Steps(schema.EffectRule{Account: test.rule, Role: schema.RoleMember}, schema.Removal{Items: revoked})
			require.Equal(t, test.want, got)
			require.Equal(t, test.removes[2], way == "", "%s", way)
			for n, i := range revoked {
				require.Equal(t, test.removes[n], campaign.Removes(got, i), "%v", i.Facts.ItemRef)
				if !test.removes[0] {
					require.Contains(t, way, "effect.account of the review does neither")
				}
			}
		})
	}
}

// TestStepsTakeWhatWasRevokedAndNoMore looks at each item by itself: what is revoked
// ends by a step or is named in the way, what is not revoked stays.
func TestStepsTakeWhatWasRevokedAndNoMore(t *testing.T) {
	t.Parallel()
	answers := []schema.ItemAnswer{schema.AnswerKeep, schema.AnswerRevoke, schema.AnswerRevoke, ""}
	rapid.Check(t, func(t *rapid.T) {
		answer := func() schema.ItemAnswer { return rapid.SampledFrom(answers).Draw(t, "answer") }
		var list []schema.CampaignItem
		accountStays := rapid.SampledFrom([]schema.ItemAnswer{schema.AnswerKeep, ""}).Draw(t, "account")
		list = append(list, item(schema.ItemAccount, "", accountStays), item(schema.ItemRole, "", answer()))
		if rapid.Bool().Draw(t, "owner") {
			owner(&list[1])
		}
		for g := range rapid.IntRange(0, 3).Draw(t, "groups") {
			var like []func(*schema.CampaignItem)
			like = append(like, rapid.SampledFrom([]func(*schema.CampaignItem){func(*schema.CampaignItem) {}, fed, all}).Draw(t, "like"))
			id := "g" + strconv.Itoa(g)
			if rapid.Bool().Draw(t, "membership") {
				list = append(list, item(schema.ItemGroup, id, answer(), like...))
			}
			for c := range rapid.IntRange(0, 2).Draw(t, "reached") {
				list = append(list, item(schema.ItemCollaboration, id+"/c"+strconv.Itoa(c), answer(), like...))
			}
		}
		list = rapid.Permutation(list).Draw(t, "order")
		steps, way := campaign.Steps(effect(), schema.Removal{Items: list})
		var left []schema.ExternalID
		roleTaken := false
		for _, s := range steps {
			left = append(left, s.Groups...)
			roleTaken = roleTaken || s.Kind == schema.StepSetRole
			require.True(t, s.Kind == schema.StepSetRole || len(s.Groups) > 0, "no groups would be all groups")
		}
		require.True(t, slices.IsSorted(left))
		for _, i := range list {
			id, _, _ := strings.Cut(i.Facts.Ref, "/")
			ends := slices.Contains(left, schema.ExternalID(id))
			if i.Facts.Kind == schema.ItemRole {
				ends = roleTaken
			}
			switch {
			case i.Answer != schema.AnswerRevoke:
				require.False(t, ends, "%v would end", i.Facts.ItemRef)
			case !ends && i.Facts.Kind == schema.ItemRole:
				require.Contains(t, way, "primary administrator")
			case !ends:
				require.Contains(t, way, `"Group `+id+`"`)
			}
			if i.Facts.Provenance != "" || i.Context.Everybody {
				require.False(t, ends)
			}
		}
	})
}
