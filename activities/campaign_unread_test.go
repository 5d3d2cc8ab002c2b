package activities_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/internal/store"
	"sendoff/schema"
)

// clears has revoked accounts emptied and deleted, so that plans read all there is.
func clears(r *schema.AccessReviewRule) {
	r.Effect.Account = []schema.StepFact{{Kind: schema.StepSuspend}, {Kind: schema.StepTransfer}, {Kind: schema.StepDelete}}
	r.Effect.Receivers = []string{heirLogin, secondLogin}
}

// revokes has that many more accounts of a connection, numbered from first, which are
// revoked and which its vendor knows.
func (k *taking) revokes(conn schema.ConnectionID, v *vendor, first, n int) {
	k.t.Helper()
	for i := range n {
		id := fmt.Sprint(first + i)
		v.add(schema.ExternalID(id), "user"+id+"@example.com", 0)
	}
	k.exec(`with a as (insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
			select gen_random_uuid(), $2, n::text, 'user' || n || '@example.com', '', 'member', 'active', 'active', 'person', '900', 0, -1, now()
			from generate_series($3::int, $3::int + $4::int - 1) as n returning *)
		insert into campaign_item (id, campaign_id, account_id, kind, ref, connection_id, login, facts, facts_hash, context, risk, score, applies, state, answer, updated_at)
		select gen_random_uuid(), $1, id, 'account', '', connection_id, login,
			jsonb_build_object('account_id', id, 'external_id', external_id, 'login', login, 'role', role, 'held', true, 'kind', 'account', 'ref', ''),
			'', '{}', 'low', 1, '{1}', 'decided', 'revoke', now() from a`, string(k.id), string(conn), first, n)
}

// told counts the removals by state and why.
func (k *taking) told() map[string]int {
	k.t.Helper()
	list, _, err := k.Removals(k.t.Context(), k.id, schema.RemovalFilter{Limit: 500})
	require.NoError(k.t, err)
	out := map[string]int{}
	for _, m := range list {
		why := string(m.State)
		if m.Why != "" {
			why += ": " + m.Why
		}
		out[why]++
	}
	return out
}

// TestARemovalWaitsForWhatCannotBeRead: one read that fails, when it is planned or when
// it would start, says nothing of the account.
func TestARemovalWaitsForWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op  string
		err error
		why string
	}{
		"the account":     {"read", failure(connectors.Unavailable), "it cannot be judged now: the vendor does not answer"},
		"as often":        {"read", failure(connectors.RateLimited), "it cannot be judged now: the vendor's rate limit is used up"},
		"the account now": {"read", failure(connectors.Forbidden), "it cannot be judged now: the vendor forbids it to read accounts"},
		"its holds":       {"holds", failure(connectors.Unavailable), "it cannot be judged now: the vendor does not answer"},
		// The second candidate could have the content, and the first one is meant.
		"its receiver": {"find", failure(connectors.Unavailable), "it cannot be judged now: the vendor does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			k := takes(b, clears)
			k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
			b.vendor.errs[c.op] = []error{c.err}
			k.pieces()
			require.Equal(t, map[string]int{"wanted: " + c.why: 1}, k.told())
			require.Equal(t, schema.CampaignClosed, k.state(), "it keeps nobody from signing")
			b.vendor.during[c.op] = nth(calls(c.op), func() { // of the draft that it would start by
				b.vendor.mu.Lock()
				defer b.vendor.mu.Unlock()
				b.vendor.errs[c.op] = []error{c.err}
			})
			k.watches()
			require.Equal(t, map[string]int{"ready: " + c.why: 1}, k.told())
			k.watches()
			require.Equal(t, map[string]int{"started": 1}, k.told())
			plans, err := b.CasePlans(t.Context(), k.in(schema.RemovalStarted)[0].CaseID)
			require.NoError(t, err)
			require.Equal(t, heir, plans[0].Facts.Receiver)
		})
	}
}

// calls is how many calls of an operation a draft of the leaver's plan has, and one.
func calls(op string) int {
	if op == "read" {
		return 3 // the account and its receiver
	}
	return 2
}

// nth does something when it is called for the n-th time.
func nth(n int, do func()) func() {
	return func() {
		if n--; n == 0 {
			do()
		}
	}
}

// TestARefusalThatIsCertainIsOne: no read could change it.
func TestARefusalThatIsCertainIsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.me = connectors.Identity{ExternalID: "1", Role: schema.RoleMember, EnterpriseID: "900"}
	k := takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	b.vendor.errs["read"] = []error{failure(connectors.Forbidden)}
	k.pieces()
	require.Equal(t, map[string]int{"refused: pre-flight refuses it": 1}, k.told())
}

// TestAnAccountThatTheVendorDoesNotKnow: who deleted it is told by a sync.
func TestAnAccountThatTheVendorDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	k := takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	b.vendor.remove(leaver)
	k.pieces()
	require.Equal(t, map[string]int{"wanted: the vendor knows no such account: a sync tells what became of it": 1}, k.told())
	now, err := b.Account(t.Context(), k.account.ID)
	require.NoError(t, err)
	require.Equal(t, k.account.ObservedAt.UnixMicro(), now.ObservedAt.UnixMicro(), "nobody saw it")
	b.exec(`update account set status = 'deleted' where id = $1`, string(k.account.ID))
	k.watches()
	require.Equal(t, map[string]int{"done: the account was deleted: the vendor says so": 1}, k.told())
}

// TestARemovalDoesNotWaitForWhatLasts: whoever signs learns that it needs a person.
func TestARemovalDoesNotWaitForWhatLasts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	k := takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	forbids := func() { b.vendor.errs["read"] = slices.Repeat([]error{failure(connectors.Forbidden)}, 10) }
	forbids()
	b.later(25 * time.Hour)
	k.pieces()
	require.Equal(t, map[string]int{"wanted: it cannot be judged now: the vendor forbids it to read accounts": 1}, k.told(), "once may be a mistake")
	k.watches()
	require.Equal(t, map[string]int{
		"refused: it cannot be judged: the vendor forbids it to read accounts; mend the rights of the connection, or take the access away by hand": 1,
	}, k.told())

	b = setup(t)
	k = takes(b)
	k.has(schema.AnswerRevoke, schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	b.vendor.remove(leaver)
	k.pieces()
	k.watches()
	require.Len(t, k.in(schema.RemovalWanted), 1)
	b.later(25 * time.Hour)
	k.watches()
	require.Equal(t, map[string]int{"refused: the vendor knows no such account: a sync tells what became of it": 1}, k.told())
	b.exec(`update account set status = 'deleted' where id = $1`, string(k.account.ID))
	k.watches()
	require.Equal(t, map[string]int{"done: the account was deleted: the vendor says so": 1}, k.told())
}

// TestAConnectionThatHangsIsAskedOnce: however many removals wait for it, and the others
// go on.
func TestAConnectionThatHangsIsAskedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	k := takes(b)
	other := newVendor()
	conn := b.connect("other", other)
	k.revokes(b.conn.ID, b.vendor, 1000, 40)
	k.revokes(conn.ID, other, 2000, 40)
	b.vendor.during["check"] = func() { b.later(time.Minute) }
	for range 10 {
		b.vendor.errs["check"] = append(b.vendor.errs["check"], failure(connectors.Unavailable))
	}
	require.True(t, does[activities.Piece](k, k.campaigns.RemoveAccess, activities.CampaignInput{CampaignID: k.id}).More)
	require.Equal(t, map[string]int{"wanted: its connection does not answer": 40, "planned": 40}, k.told())
	require.Equal(t, 1, b.vendor.count("check"))
	k.pieces()
	require.Equal(t, map[string]int{"wanted: its connection does not answer": 40, "started": 40}, k.told())
	require.Equal(t, schema.CampaignRemoving, k.state(), "what was started is at work")
	require.LessOrEqual(t, b.vendor.count("check"), 4, "once in each pass")
	delete(b.vendor.during, "check")
	b.vendor.errs["check"] = nil
	k.pieces()
	require.Equal(t, map[string]int{"started": 80}, k.told())
}

// hanging is a vendor whose reads of some accounts hang until they time out.
type hanging struct {
	*vendor
	b    *bundle
	hang []schema.ExternalID // all, when it is empty
	read int
}

func (h *hanging) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	h.read++
	if len(h.hang) == 0 || slices.Contains(h.hang, id) {
		h.b.later(time.Minute)
		return schema.Account{}, failure(connectors.Unavailable)
	}
	return h.vendor.ReadAccount(ctx, id)
}

// TestAccountsThatHangCostLittle: a connection that answers for itself and not for its
// accounts is left out too, and accounts of which alone it says nothing do not keep
// others from going on.
func TestAccountsThatHangCostLittle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := &hanging{vendor: b.vendor, b: b}
	b.vendors[b.conn.ID] = h
	k := takes(b)
	k.revokes(b.conn.ID, b.vendor, 1000, 40)
	k.pieces()
	require.Equal(t, map[string]int{"wanted: it cannot be judged now: the vendor does not answer": 2, "wanted: its connection does not answer": 38}, k.told())
	require.Equal(t, 2, h.read)

	// Those that were asked for are the last now. The next are the first of others.
	list, err := b.RemovalsIn(t.Context(), k.id, schema.RemovalWanted, nil, 40)
	require.NoError(t, err)
	for _, m := range list {
		if m.Why != "its connection does not answer" {
			h.hang = append(h.hang, m.Account.ExternalID)
		}
	}
	require.Len(t, h.hang, 2)
	for range 3 {
		k.watches()
	}
	require.Equal(t, map[string]int{"wanted: it cannot be judged now: the vendor does not answer": 2, "started": 38}, k.told())
}

// racing is a database in which an admin disables a connection right before a look at
// which are enabled.
type racing struct {
	*store.Store
	looks  int
	before func(look int)
}

func (r *racing) EnabledConnections(ctx context.Context) ([]schema.Connection, error) {
	r.looks++
	r.before(r.looks)
	return r.Store.EnabledConnections(ctx)
}

// TestAConnectionThatIsDisabledMeanwhile: at whatever instant, its removals wait.
func TestAConnectionThatIsDisabledMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	switched := func(s schema.ConnectionState) {
		_, err := b.SetConnectionState(t.Context(), "fake", s, "maintenance", b.admin)
		require.NoError(t, err)
	}
	k := takes(b)
	k.revokes(b.conn.ID, b.vendor, 1000, 40)
	r := &racing{Store: b.Store}
	k.campaigns = activities.NewCampaigns(activities.CampaignsConfig{
		Store: b.Store, Planner: activities.NewPlanner(r, b.vendors, b.now), Clocks: schema.DefaultClocks(), Now: b.now,
	})
	waits := func(state schema.RemovalState, look int) {
		r.looks, r.before = 0, func(n int) {
			if n == look {
				switched(schema.ConnectionDisabled)
			}
		}
		does[activities.Piece](k, k.campaigns.RemoveAccess, activities.CampaignInput{CampaignID: k.id})
		require.Positive(t, k.told()[string(state)+": its connection is disabled"], look)
		for why := range k.told() {
			require.Regexp(t, "^(wanted|planned|ready)", why, look)
		}
		switched(schema.ConnectionEnabled)
		k.moves(schema.CampaignRemoving)
	}
	for look := 1; look <= 3; look++ { // before each piece, and between that and its drafts
		waits(schema.RemovalWanted, look)
	}
	r.before = func(int) {}
	does[activities.Piece](k, k.campaigns.RemoveAccess, activities.CampaignInput{CampaignID: k.id})
	require.Equal(t, map[string]int{"planned": 40}, k.told())
	for look := 1; look <= 2; look++ {
		waits(schema.RemovalReady, look)
	}
	r.before = func(int) {}
	// A read that fails because it was disabled just now tells nothing either.
	b.vendor.during["read"] = nth(1, func() { switched(schema.ConnectionDisabled) })
	b.vendor.errs["read"] = []error{failure(connectors.Forbidden)}
	does[activities.Piece](k, k.campaigns.RemoveAccess, activities.CampaignInput{CampaignID: k.id})
	for why := range k.told() {
		require.NotContains(t, why, "refused")
	}
	delete(b.vendor.during, "read")
	switched(schema.ConnectionEnabled)
	k.moves(schema.CampaignRemoving)
	k.pieces()
	require.Equal(t, map[string]int{"started": 40}, k.told())
}
