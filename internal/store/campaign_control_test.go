package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// weighsAll makes an item of every holding, as the rules weigh it.
func weighsAll(list []schema.Holding) ([]schema.NewItem, error) {
	items := make([]schema.NewItem, len(list))
	for n, h := range list {
		items[n] = schema.NewItem{Facts: h.Facts, Context: h.Context, Applies: []string{"1"}}
		items[n].Recommendation, items[n].Risk = campaign.Weigh(&h)
	}
	return items, nil
}

// withControls is an open campaign with control items among accounts that are held, left
// behind, nobody's and an administrator's, of two reviewers.
func withControls(t *testing.T) (*campaigns, schema.CampaignID, []schema.PersonID) {
	t.Helper()
	c := campaignSetup(t)
	bosses := []schema.PersonID{c.person("one@example.com", "it"), c.person("two@example.com", "it")}
	for n := range 12 {
		p := c.person(fmt.Sprintf("p%02d@example.com", n), "it")
		c.exec(`update person set manager_id = $2 where id = $1`, string(p), string(bosses[n%2]))
		c.held(strconv.Itoa(10+n), p)
	}
	c.exec(`insert into employment (person_id, source, external_id, kind, name, email, status, department, manager_id, updated_at)
		select p.id, 'roster', p.email, 'employee', p.name, p.email, case when p.email < 'p04' then 'ended' else 'active' end, 'it', p.manager_id, now()
		from person p where p.manager_id is not null`)
	c.exec(`update account set person_id = null where external_id in ('14', '15')`)
	c.exec(`update account set role = 'coadmin' where external_id in ('16', '17')`)
	c.exec(`update account set space_used = 101::bigint << 30`) // many bytes, of which control items have fewer
	d := c.has(looksAt("a", func(r *schema.AccessReviewRule) {
		r.Quality.Controls = schema.ControlRule{Each: 3, Decoys: []schema.Decoy{
			{Login: "a.first@example.com", Name: "D One", Note: "left in 2019"}, {Login: "User15.x@example.com"}, {Login: "z.last@example.com", Name: "Z"}, {Login: "m@example.com"},
		}}
	}))
	run := c.begins(d)
	require.NoError(t, c.BeginListing(t.Context(), run.ID, nil))
	require.NoError(t, c.ListHoldings(t.Context(), run.ID, c.query(d), weighsAll))
	requireCode(t, schema.CodeStale, c.OpenCampaign(t.Context(), run.ID, time.Now().Add(time.Hour)))
	c.exec(`update campaign_item set state = 'open', assigned_at = now(), updated_at = now(), place = 1, escalate_at = now() + interval '1 hour',
		context = context || '{"granted_by": "ann@example.com"}', reviewer_id = case when (facts->>'external_id')::int % 2 = 0 then $2::uuid else $3::uuid end
		where campaign_id = $1`, string(run.ID), string(bosses[0]), string(bosses[1]))
	c.exec(`insert into campaign_assignment (campaign_id, item_id, stage, reviewer_id, at) select campaign_id, id, 0, reviewer_id, now() from campaign_item`)
	require.NoError(t, c.OpenCampaign(t.Context(), run.ID, time.Now().Add(time.Hour)))
	return c, run.ID, bosses
}

func TestControlItems(t *testing.T) {
	t.Parallel()
	c, id, bosses := withControls(t)
	for n, email := range []string{"one@example.com", "two@example.com"} {
		by := c.reviewer(email)
		listed, _, err := c.CampaignItems(t.Context(), id, schema.CampaignItemFilter{Limit: 100}, by)
		require.NoError(t, err)
		queued, _, err := c.ReviewQueue(t.Context(), "", 100, by)
		require.NoError(t, err)
		by.Role = schema.RoleAdmin
		owned, _, err := c.CampaignItems(t.Context(), id, schema.CampaignItemFilter{Limit: 100, Reviewer: bosses[n]}, by)
		require.NoError(t, err)
		require.Equal(t, listed, queued)
		require.Equal(t, listed, owned, "nor is an administrator told of their own")
		requireAlike(t, c, listed)
	}
	require.Equal(t, 6, c.count(`select count(*) from campaign_assignment where campaign_id = $1
		and item_id in (select id from campaign_item where control <> '')`, string(id)))
	v, err := c.CampaignView(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, int64(6), v.Counts.Controls)
	e, err := c.Evidence(t.Context(), id)
	require.NoError(t, err)
	for _, i := range e.Items {
		require.Equal(t, i.Control, i.Context.Decoy != "", "an auditor reads what it should be seen through by")
		if i.Facts.Login == "a.first@example.com" {
			require.Equal(t, "left in 2019", i.Context.Decoy)
		}
	}
	requireRefreshed(t, c, id, bosses)
}

// TestControlItemsAnswerLikeTheOthers: a word about what has changed is refused beside the
// others' words, and what becomes of a revoked item tells nobody which are real.
func TestControlItemsAnswerLikeTheOthers(t *testing.T) {
	t.Parallel()
	c, id, _ := withControls(t)
	r := &reviewing{campaigns: c, id: id, by: c.reviewer("one@example.com")}
	list := func(by schema.Principal) []schema.CampaignItem {
		t.Helper()
		items, _, err := c.CampaignItems(t.Context(), id, schema.CampaignItemFilter{Limit: 100}, by)
		require.NoError(t, err)
		return items
	}
	c.exec(`update employment set status = 'active'`) // of all models but nobody's, whichever were taken
	_, err := c.RefreshItems(t.Context(), id, "", 1000)
	require.NoError(t, err)
	c.exec(`update employment set status = 'on_leave'`)
	stale, controls := 0, 0
	for _, i := range list(r.by) {
		control := c.count(`select count(*) from campaign_item where id = $1 and control <> ''`, string(i.ID)) == 1
		said := r.says(word(i, schema.AnswerKeep), r.by)
		if i.Facts.Employment != schema.StatusActive {
			continue
		}
		require.Equal(t, []any{string(schema.CodeStale), "employment"}, []any{said.Code, said.Changed[0].Fact}, "control: %v", control)
		if stale++; control {
			controls++
		}
	}
	require.Positive(t, controls)
	require.Greater(t, stale, controls)

	for _, i := range list(r.by) {
		r.takes(i, schema.AnswerRevoke, r.by)
	}
	_, err = c.GatherRemovals(t.Context(), id)
	require.NoError(t, err)
	shown := func(by schema.Principal) (n int) {
		for _, i := range list(by) {
			if i.RemovalID != "" || i.Removal != "" {
				n++
			}
		}
		return n
	}
	require.Zero(t, shown(r.by))
	one, err := c.CampaignItem(t.Context(), id, list(r.by)[0].ID, r.by)
	require.NoError(t, err)
	require.Empty(t, one.RemovalID)
	require.Positive(t, shown(c.admin))
	c.exec(`update campaign set state = 'signed', signed_at = now() where id = $1`, string(id))
	require.Positive(t, shown(r.by), "nobody decides any more")
}

// requireRefreshed: what becomes another with a person becomes it of control items, too.
func requireRefreshed(t *testing.T, c *campaigns, id schema.CampaignID, bosses []schema.PersonID) {
	t.Helper()
	c.exec(`update employment set status = 'ended' where department = 'it'`)
	c.exec(`update person set name = 'Renamed' where manager_id is not null`)
	_, err := c.RefreshItems(t.Context(), id, "", 1000)
	require.NoError(t, err)
	for n, email := range []string{"one@example.com", "two@example.com"} {
		listed, _, err := c.CampaignItems(t.Context(), id, schema.CampaignItemFilter{Limit: 100, Reviewer: bosses[n]},
			schema.Principal{Email: email, Role: schema.RoleReviewer})
		require.NoError(t, err)
		requireAlike(t, c, listed)
		for _, i := range listed {
			require.Equal(t, i.Facts.HolderID != "", i.Facts.Employment == schema.StatusEnded, i.Facts.Login)
		}
	}
	c.exec(`update connection set state = 'removed'`)
	_, err = c.RefreshItems(t.Context(), id, "", 1000)
	require.NoError(t, err)
	require.Zero(t, c.count(`select count(*) from campaign_item where state <> 'gone'`))
}

// requireAlike looks for anything by which a reviewer could tell which of their items are
// control items.
func requireAlike(t *testing.T, c *campaigns, listed []schema.CampaignItem) {
	t.Helper()
	isControl := func(i schema.CampaignItem) bool {
		return c.count(`select count(*) from campaign_item where id = $1 and control <> ''`, string(i.ID)) == 1
	}
	slices.SortFunc(listed, func(a, b schema.CampaignItem) int { return strings.Compare(string(a.ID), string(b.ID)) })
	var real, made []schema.CampaignItem
	signatures := map[string]bool{}
	for _, i := range listed {
		if isControl(i) {
			made = append(made, i)
			continue
		}
		real = append(real, i)
		signatures[emptiness(t, i)] = true
	}
	require.Len(t, made, 3)
	require.True(t, slices.IsSortedFunc(listed, func(a, b schema.CampaignItem) int {
		return strings.Compare(strings.ToLower(a.Facts.Login), strings.ToLower(b.Facts.Login))
	}), "ids go by logins, as they are listed")
	for _, i := range made {
		require.Empty(t, i.Context.Decoy)
		require.Equal(t, []any{schema.ItemAccount, schema.RoleMember}, []any{i.Facts.Kind, i.Facts.Role}, "nobody has a role, and no account with it")
		require.Equal(t, real[0].ID[:13], i.ID[:13], "ids are of one instant")
		require.Contains(t, signatures, emptiness(t, i), i.Facts.Login)
		like := slices.ContainsFunc(real, func(r schema.CampaignItem) bool {
			return r.AssignedAt.Equal(i.AssignedAt) && r.UpdatedAt.Equal(i.UpdatedAt) && r.EscalateAt.Equal(i.EscalateAt) && r.Context.ObservedAt.Equal(i.Context.ObservedAt) &&
				r.Position == i.Position && r.Version == i.Version && len(r.Facts.ExternalID) == len(i.Facts.ExternalID)
		})
		require.True(t, like, "%+v", i)
		require.Zero(t, c.count(`select count(*) from account where external_id = $1`, string(i.Facts.ExternalID)))
	}
	for _, i := range listed {
		h := schema.Holding{Facts: i.Facts, Context: i.Context, Everybody: i.Context.Everybody}
		recommended, risk := campaign.Weigh(&h)
		require.Equal(t, []any{recommended, risk}, []any{i.Recommendation, i.Risk}, "%+v", i.Facts)
	}
}

// emptiness names the members of an item that are not empty, but for what follows from
// the others.
func emptiness(t *testing.T, i schema.CampaignItem) string {
	t.Helper()
	text, err := json.Marshal(i)
	require.NoError(t, err)
	var item map[string]any
	require.NoError(t, json.Unmarshal(text, &item))
	delete(item, "Risk")
	delete(item, "Recommendation")
	var names []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		members, ok := v.(map[string]any)
		for name, member := range members {
			walk(prefix+"."+name, member)
		}
		if list, isList := v.([]any); !ok && v != nil && v != "" && v != 0.0 && v != false && (!isList || len(list) > 0) {
			names = append(names, prefix)
		}
	}
	walk("", item)
	slices.Sort(names)
	return strings.Join(names, " ")
}
