package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestJudgedAccountsAreKeptOnce(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	r.in(schema.ReviewJudging)
	matched, kept, excluded := judgedOf(r.account("1"), schema.ReasonMatched), judgedOf(r.account("2"), schema.ReasonKept), judgedOf(r.account("3"), schema.ReasonExcluded)
	excluded.Verdict.Exclusion = 1
	never := judgedOf(r.account("4"), schema.ReasonMatched)
	never.LastActiveAt, never.Privileged = time.Time{}, true
	list := []schema.Judged{matched, kept, excluded, never}
	require.NoError(t, r.AddJudged(t.Context(), r.run, nil))
	require.NoError(t, r.AddJudged(t.Context(), r.run, list))
	before := r.policyActions()
	require.NoError(t, r.AddJudged(t.Context(), r.run, list))
	require.Equal(t, before, r.policyActions(), "a repeat changes nothing")
	other := []schema.Judged{judgedOf(r.account("3"), schema.ReasonMatched), judgedOf(r.account("1"), schema.ReasonExcluded)}
	require.NoError(t, r.AddJudged(t.Context(), r.run, other))
	require.Equal(t, before, r.policyActions(), "nor does one that judges otherwise")

	items, err := r.Items(t.Context(), r.run, schema.ItemMatched, 10)
	require.NoError(t, err)
	require.Len(t, items, 2)
	got := items[0]
	require.Equal(t, schema.ReviewItem{
		ReviewID: r.run, AccountID: matched.AccountID, ConnectionID: r.conn.ID, ExternalID: "1", Login: matched.Login, State: schema.ItemMatched,
		Grade: schema.GradeInactive, Threshold: 90 * 24 * time.Hour, LastActiveAt: matched.LastActiveAt, Bytes: 1000,
		Findings: []schema.Finding{}, Drift: []schema.Difference{}, UpdatedAt: got.UpdatedAt,
	}, got)
	require.True(t, items[1].LastActiveAt.IsZero())
	require.True(t, items[1].Privileged)

	verdicts, next, err := r.Verdicts(t.Context(), r.run, schema.ReasonExcluded, false, "", 10)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Equal(t, []schema.VerdictRow{{
		AccountID: excluded.AccountID, Connection: "box", ExternalID: "3", Login: excluded.Login, Reason: schema.ReasonExcluded, Exclusion: 1,
	}}, verdicts)

	r.in(schema.ReviewPlanning)
	requireCode(t, schema.CodeStale, r.AddJudged(t.Context(), r.run, list))
	requireCode(t, schema.CodeNotFound, r.AddJudged(t.Context(), schema.ReviewID(newUUID()), list))
}

func TestItemsAndVerdictsArePaged(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	r.in(schema.ReviewJudging)
	r.exec(`insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
		select gen_random_uuid(), $1, 'x' || n, 'x' || n, '', 'member', 'active', '', 'person', '900', 0, -1, now() from generate_series(1, 1200) as n`, string(r.conn.ID))
	rows, err := r.sql().Query(t.Context(), `select id::text, external_id from account`)
	require.NoError(t, err)
	var list []schema.Judged
	for rows.Next() {
		var id, external string
		require.NoError(t, rows.Scan(&id, &external))
		list = append(list, judgedOf(schema.Account{ID: schema.AccountID(id), ConnectionID: r.conn.ID, ExternalID: schema.ExternalID(external)}, schema.ReasonMatched))
	}
	require.NoError(t, r.AddJudged(t.Context(), r.run, list))
	r.exec(`update review_item set before = 'grade' where external_id in ('x1', 'x2')`)

	seen, after := map[schema.AccountID]bool{}, ""
	for pages := 0; ; pages++ {
		page, next, err := r.ReviewItems(t.Context(), r.run, schema.ItemFilter{State: schema.ItemMatched, After: after, Limit: 500})
		require.NoError(t, err)
		for _, i := range page {
			require.False(t, seen[i.AccountID])
			seen[i.AccountID] = true
		}
		if after = next; next == "" {
			require.Equal(t, 2, pages)
			break
		}
	}
	require.Len(t, seen, 1200)
	one, next, err := r.Verdicts(t.Context(), r.run, "", true, "", 1)
	require.NoError(t, err)
	two, last, err := r.Verdicts(t.Context(), r.run, "", true, next, 1)
	require.NoError(t, err)
	require.Empty(t, last)
	require.Equal(t, []schema.VerdictReason{"grade", "grade"}, []schema.VerdictReason{one[0].Before, two[0].Before})
	require.NotEqual(t, one[0].AccountID, two[0].AccountID)

	none, _, err := r.ReviewItems(t.Context(), r.run, schema.ItemFilter{State: schema.ItemReady, Limit: 1})
	require.NoError(t, err)
	require.Empty(t, none)
	_, _, err = r.ReviewItems(t.Context(), r.run, schema.ItemFilter{})
	requireCode(t, schema.CodeInvalid, err)
	_, _, err = r.Verdicts(t.Context(), r.run, "", false, "?", 1)
	requireCode(t, schema.CodeInvalid, err)
}

func TestAPlanIsKeptOnce(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, d := r.planned("1")
	facts := d.Accounts[0].Facts
	i := r.item(account)
	require.Equal(t, []any{schema.ItemPlanned, facts.Hash(), int64(1000), &facts}, []any{i.State, i.Hash, i.Bytes, i.Facts})

	other := facts
	other.Login = "other@example.com"
	requireCode(t, schema.CodeStale, r.PlanItem(t.Context(), r.run, schema.PlannedItem{AccountID: account, Facts: other}))
	r.in(schema.ReviewPlanning)
	require.NoError(t, r.PlanItem(t.Context(), r.run, schema.PlannedItem{AccountID: account, Facts: other}))
	require.Equal(t, facts.Hash(), r.item(account).Hash, "a repeat changes nothing")

	refused := r.unused("2")
	r.in(schema.ReviewJudging)
	require.NoError(t, r.AddJudged(t.Context(), r.run, []schema.Judged{judgedOf(refused.Accounts[0].Account, schema.ReasonMatched)}))
	r.in(schema.ReviewPlanning)
	id := refused.Accounts[0].Account.ID
	require.NoError(t, r.PlanItem(t.Context(), r.run, schema.PlannedItem{
		AccountID: id, Facts: refused.Accounts[0].Facts, Findings: []schema.Finding{{Code: schema.ServiceAccount, Message: "m"}},
	}))
	i = r.item(id)
	require.Equal(t, schema.ItemRefused, i.State)
	require.Contains(t, i.Why, "SERVICE_ACCOUNT")
	requireCode(t, schema.CodeNotFound, r.PlanItem(t.Context(), r.run, schema.PlannedItem{AccountID: schema.AccountID(newUUID())}))
	require.Equal(t, "review.judged review.item_planned review.judged review.item_refused", r.policyActions())
}

func TestSettling(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, _, _ := r.asked("1")
	ctx := t.Context()
	for _, to := range []schema.ItemState{schema.ItemStarted, schema.ItemAsking, schema.ItemMatched} {
		requireCode(t, schema.CodeInternal, r.SettleItem(ctx, r.run, account, to, "", nil))
	}
	require.NoError(t, r.SettleItem(ctx, r.run, account, schema.ItemReady, "silence", nil))
	require.Equal(t, "pending pending", r.askStates(account), "somebody may still say that it is needed")
	require.NoError(t, r.SettleItem(ctx, r.run, account, schema.ItemReady, "silence", nil))
	drift := []schema.Difference{{Fact: "login", Before: "a@example.com", Now: "b@example.com"}}
	require.NoError(t, r.SettleItem(ctx, r.run, account, schema.ItemDrifted, "not as approved", drift))
	require.Equal(t, []any{schema.ItemDrifted, "not as approved", drift}, []any{r.item(account).State, r.item(account).Why, r.item(account).Drift})
	require.Equal(t, "ended ended", r.askStates(account))
	require.NotContains(t, fmt.Sprint(r.auditOf("policy/"+string(r.policy))), "b@example.com", "the log is for ever")
	requireCode(t, schema.CodeStale, r.SettleItem(ctx, r.run, account, schema.ItemSilent, "", nil))

	planned, _ := r.planned("2")
	requireCode(t, schema.CodeStale, r.SettleItem(ctx, r.run, planned, schema.ItemReady, "", nil))
	r.in(schema.ReviewEnded)
	requireCode(t, schema.CodeStale, r.SettleItem(ctx, r.run, planned, schema.ItemSilent, "", nil))
}
