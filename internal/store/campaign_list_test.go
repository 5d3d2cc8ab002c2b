package store_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// inventory is three people of one department, one of them with everything.
func (c *campaigns) inventory() (who []schema.PersonID, accounts []schema.Account) {
	c.t.Helper()
	for n := range 3 {
		p := c.person("p"+strconv.Itoa(n)+"@example.com", "sales")
		who, accounts = append(who, p), append(accounts, c.held(strconv.Itoa(n), p))
	}
	conn := string(c.conn.ID)
	c.exec(`update account set role = 'coadmin', created_at = '2020-01-02' where id = $1`, string(accounts[0].ID))
	c.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at) values ($1, 'g', 'Team', false, 'okta', now())`, conn)
	c.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
		select $1, 'g', n::text, 'm' || n, 'admin', '2021-01-02' from generate_series(0, 1) n`, conn)
	c.exec(`insert into group_collaboration (connection_id, group_id, external_id, item_type, item_id, item_name, role, status, expires_at, first_seen_at) values
		($1, 'g', 'c1', 'folder', '7', 'Plans', 'editor', 'accepted', null, '2022-01-02'), ($1, 'g', 'c2', 'folder', '8', 'Old', 'editor', 'accepted', '2023-01-01', now()),
		($1, 'g', 'c3', 'folder', '9', 'Asked', 'editor', 'pending', null, now()), ($1, 'g', 'c4', 'folder', '10', 'Later', 'viewer', 'accepted', '2099-01-01', now())`, conn)
	c.exec(`update group_collaboration set granted_by = 'ann@example.com', granted_by_name = 'Ann' where external_id = 'c1'`)
	c.exec(`update group_collaboration set granted_by_name = 'Bob' where external_id = 'c4'`)
	c.exec(`insert into license (connection_id, seats, price_minor, currency, period, updated_by, updated_at) values ($1, 10, 1500, 'EUR', 'month', 'admin', now())`, conn)
	return who, accounts
}

func byRef(list []schema.Holding) map[schema.ItemRef]schema.Holding {
	out := map[schema.ItemRef]schema.Holding{}
	for _, h := range list {
		out[h.Facts.ItemRef] = h
	}
	return out
}

func TestASnapshotSaysWhatIsHeld(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	who, accounts := c.inventory()
	gone := c.account("gone")
	c.exec(`update account set status = 'missing' where id = $1`, string(gone.ID))
	d := c.has(looksAt("a"))
	run := c.begins(d)
	list := c.lists(run, c.query(d))
	held := byRef(list)
	require.Len(t, held, len(list))
	require.Len(t, list, 3+1+2+4, "accounts, the role, memberships, what is reached now")

	first := accounts[0].ID
	account := held[schema.ItemRef{AccountID: first, Kind: schema.ItemAccount}]
	require.Equal(t, schema.ItemFacts{
		ItemRef: schema.ItemRef{AccountID: first, Kind: schema.ItemAccount}, ConnectionID: c.conn.ID, ExternalID: "0", Login: "user0@example.com",
		HolderID: who[0], AccountStatus: schema.AccountActive, AccountKind: schema.KindPerson, Role: schema.RoleCoadmin, Grade: schema.GradeNotCollected, Held: true,
	}, account.Facts)
	require.Equal(t, []any{"box", "P0", "p0@example.com", "sales", time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC), false, schema.Peers{People: 2, With: 2}, true, true, int64(1000)},
		[]any{
			account.Context.Connection, account.Context.Holder, account.Context.HolderEmail, account.Context.Department, account.Context.Since,
			account.Context.SinceSeen, account.Context.Peers, account.Context.Changed, account.Context.FreesSeat, account.Context.Bytes,
		})
	require.Equal(t, &schema.Money{Minor: 18000, Currency: "EUR"}, account.Context.SeatPerYear)

	role := held[schema.ItemRef{AccountID: first, Kind: schema.ItemRole}]
	require.Equal(t, []any{"coadmin", schema.Peers{People: 2}, true, false}, []any{role.Facts.Access, role.Context.Peers, role.Context.SinceSeen, role.Context.FreesSeat})
	group := held[schema.ItemRef{AccountID: first, Kind: schema.ItemGroup, Ref: "g"}]
	require.Equal(t, []any{"admin", "Team", "okta", schema.ExternalID("g"), false, schema.Peers{People: 2, With: 1}, true},
		[]any{group.Facts.Access, group.Facts.Group, group.Facts.Provenance, group.GroupExternalID, group.Everybody, group.Context.Peers, group.Context.SinceSeen})
	for ref, by := range map[string]string{"g/c1": "ann@example.com", "g/c4": "Bob"} {
		require.Equal(t, by, held[schema.ItemRef{AccountID: first, Kind: schema.ItemCollaboration, Ref: ref}].Context.GrantedBy)
	}
	require.Equal(t, []string{"", "", ""}, []string{account.Context.GrantedBy, role.Context.GrantedBy, group.Context.GrantedBy}, "no listing tells")
	reach := held[schema.ItemRef{AccountID: first, Kind: schema.ItemCollaboration, Ref: "g/c1"}]
	require.Equal(t, []any{"editor", "Plans", "Team", time.Date(2022, 1, 2, 0, 0, 0, 0, time.UTC), schema.Peers{People: 2, With: 1}},
		[]any{reach.Facts.Access, reach.Facts.Target, reach.Facts.Group, reach.Context.Since, reach.Context.Peers})

	got := c.campaign(run.ID)
	require.Equal(t, []any{schema.CampaignAssigning, false, "box"}, []any{got.State, got.SnapshotAt.IsZero(), got.Basis[0].Connection})
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUnassigned: 10}, c.itemStates(run.ID))
	require.NoError(t, c.ListHoldings(t.Context(), run.ID, c.query(d), func([]schema.Holding) ([]schema.NewItem, error) { return nil, errors.New("a repeat lists nothing") }))
}

func TestASnapshotIsNarrow(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	who, accounts := c.inventory()
	c.account("nobody")
	d := c.has(looksAt("a"))
	for name, q := range map[string]struct {
		edit func(*schema.HoldingQuery)
		want int
	}{
		"accounts":   {func(q *schema.HoldingQuery) { q.Accounts = []schema.AccountID{accounts[1].ID} }, 4},
		"persons":    {func(q *schema.HoldingQuery) { q.Persons = who[2:] }, 1},
		"either":     {func(q *schema.HoldingQuery) { q.Persons, q.Accounts = who[2:], []schema.AccountID{accounts[1].ID} }, 5},
		"unmatched":  {func(q *schema.HoldingQuery) { q.Holders = schema.HoldersUnmatched }, 1},
		"matched":    {func(q *schema.HoldingQuery) { q.Holders = schema.HoldersMatched }, 10},
		"privileged": {func(q *schema.HoldingQuery) { q.Privileged = true }, 5},
		"kinds":      {func(q *schema.HoldingQuery) { q.Kinds = []schema.AccountKind{schema.KindService} }, 0},
		"items":      {func(q *schema.HoldingQuery) { q.Items = []schema.ItemKind{schema.ItemGroup} }, 2},
	} {
		run := c.begins(d)
		query := c.query(d)
		q.edit(&query)
		list := c.lists(run, query)
		require.Len(t, list, q.want, name)
		for _, h := range list {
			if len(query.Persons)+len(query.Accounts) > 0 && h.Facts.Kind == schema.ItemAccount {
				require.Equal(t, schema.Peers{People: 2, With: 2}, h.Context.Peers, name)
			}
		}
		got := c.campaign(run.ID)
		if q.want == 0 {
			require.Equal(t, []any{schema.CampaignEnded, schema.CampaignEmpty}, []any{got.State, got.End}, name)
			continue
		}
		require.NoError(t, c.EndCampaign(t.Context(), run.ID, schema.CampaignStale, ""))
	}
}

func TestASnapshotIsAllOrNothing(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	c.inventory()
	d := c.has(looksAt("a"))
	run := c.begins(d)
	requireCode(t, schema.CodeStale, c.ListHoldings(t.Context(), run.ID, c.query(d), takesAll(new([]schema.Holding))))
	require.NoError(t, c.BeginListing(t.Context(), run.ID, []schema.Finding{{Code: schema.CampaignNotCollected, Warning: true, Message: "m"}}))
	c.exec(`insert into connection select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'name', 'second', 'enterprise_id', '901'))).* from connection c`)
	second, err := c.ConnectionNamed(t.Context(), "second")
	require.NoError(t, err)
	c.exec(`insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
		select gen_random_uuid(), $1, '1', 'x', 'x', 'member', 'active', 'active', 'person', '1', 0, 0, now()`, string(second.ID))
	q := c.query(d)
	q.Connections = append(q.Connections, second.ID)
	calls, fault := 0, errors.New("fault")
	err = c.ListHoldings(t.Context(), run.ID, q, func(list []schema.Holding) ([]schema.NewItem, error) {
		if calls++; calls > 1 {
			return nil, fault
		}
		return takesAll(new([]schema.Holding))(list)
	})
	require.ErrorIs(t, err, fault)
	require.Equal(t, 2, calls)
	require.Zero(t, c.count(`select count(*) from campaign_item`))
	require.Equal(t, []any{schema.CampaignListing, 2}, []any{c.campaign(run.ID).State, len(c.campaign(run.ID).Warnings)}, "that of the owner stays")
}

func TestWhatWasDecidedBeforeIsShown(t *testing.T) {
	t.Parallel()
	c := campaignSetup(t)
	ctx := t.Context()
	_, accounts := c.inventory()
	boss := c.person("boss@example.com", "it")
	d := c.has(looksAt("a", func(r *schema.AccessReviewRule) { r.Scope.Items = []schema.ItemKind{schema.ItemAccount} }))
	first := c.opens(d, boss)
	c.exec(`update campaign_item set state = 'decided', answer = 'keep', reason = 'needed', decided_by = 'boss', decided_at = '2026-01-05' where campaign_id = $1`, string(first.ID))
	_, err := c.CloseCampaign(ctx, first.ID, false, "done", c.admin)
	require.NoError(t, err)
	for _, move := range [][2]schema.CampaignState{
		{schema.CampaignClosing, schema.CampaignRemoving}, {schema.CampaignRemoving, schema.CampaignClosed},
	} {
		require.NoError(t, c.MoveCampaign(ctx, first.ID, move[0], move[1]))
	}
	c.exec(`update campaign set state = 'signed' where id = $1`, string(first.ID))
	c.exec(`update account set login = 'renamed@example.com' where id = $1`, string(accounts[1].ID))

	second := c.begins(d)
	require.NoError(t, c.BeginListing(ctx, second.ID, nil))
	var held []schema.Holding
	require.NoError(t, c.ListHoldings(ctx, second.ID, c.query(d), func(list []schema.Holding) ([]schema.NewItem, error) {
		items, err := takesAll(&held)(list)
		for i := range items {
			items[i].Carried = !items[i].Context.Changed
		}
		return items, err
	}))
	byAccount := byRef(held)
	same, other := byAccount[schema.ItemRef{AccountID: accounts[0].ID, Kind: schema.ItemAccount}], byAccount[schema.ItemRef{AccountID: accounts[1].ID, Kind: schema.ItemAccount}]
	require.Equal(t, []bool{false, true}, []bool{same.Context.Changed, other.Context.Changed})
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	require.Equal(t, &schema.LastDecision{
		CampaignID: first.ID, Answer: schema.AnswerKeep, Reason: "needed", By: "boss", At: at, FactsHash: same.Facts.Hash(),
	}, same.Context.Last)
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemCarried: 2, schema.ItemUnassigned: 1}, c.itemStates(second.ID))
	require.Equal(t, 2, c.count(`select count(*) from campaign_item where campaign_id = $1 and state = 'carried' and answer = 'keep' and carried = 1 and decided_at = $2 and decided_by = 'boss'`,
		string(second.ID), at))

	// Another review has decided nothing yet.
	third := c.has(looksAt("b"))
	for _, h := range c.lists(c.begins(third), c.query(third)) {
		require.Nil(t, h.Context.Last)
	}
}
