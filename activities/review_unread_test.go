package activities_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// dull is a vendor that never tells of one account, and says so at once.
type dull struct {
	*vendor
}

func (v dull) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	if id == leaver {
		return schema.Account{}, failure(connectors.Malformed)
	}
	return v.vendor.ReadAccount(ctx, id)
}

// company is a run with that many more accounts, which are all confirmed.
func company(t *testing.T, more int) (*dormancy, schema.ReviewID) {
	t.Helper()
	d := dormant(setup(t))
	d.rule.Budget.PerRun = 100
	for i := range more {
		id := schema.ExternalID(fmt.Sprint(1000 + i))
		d.vendor.add(id, "user"+string(id)+"@example.com", 0)
		d.vendor.change(id, func(a *schema.Account) {
			a.CreatedAt, a.ConnectionID, a.ObservedAt = d.now().Add(-400*day), d.conn.ID, d.now()
		})
		saved, err := d.SaveAccount(t.Context(), d.vendor.accounts[id])
		require.NoError(t, err)
		d.exec(`update account set last_active_at = $2 where id = $1`, string(saved.ID), d.used)
	}
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	require.Equal(t, map[schema.ItemState]int{schema.ItemReady: more + 1}, d.states(r.ID))
	return d, r.ID
}

// states counts a run's items.
func (d *dormancy) states(run schema.ReviewID) map[schema.ItemState]int {
	d.t.Helper()
	out := map[schema.ItemState]int{}
	for _, s := range []schema.ItemState{schema.ItemMatched, schema.ItemPlanned, schema.ItemReady, schema.ItemStarted, schema.ItemRefused, schema.ItemDrifted} {
		items, err := d.Items(d.t.Context(), run, s, 100)
		require.NoError(d.t, err)
		if len(items) > 0 {
			out[s] = len(items)
		}
	}
	return out
}

// One account of which its connection never tells keeps no other from starting, and its
// run from ending for a day.
func TestAConfirmedAccountThatIsNeverRead(t *testing.T) {
	t.Parallel()
	d, run := company(t, 30)
	d.vendors[d.conn.ID] = dull{d.vendor}
	p := d.piece(d.reviews.ActOnItems, run)
	require.Positive(t, p.Wait)
	require.Equal(t, map[schema.ItemState]int{schema.ItemReady: 1, schema.ItemStarted: 30}, d.states(run))
	list, err := d.Items(t.Context(), run, schema.ItemReady, 1)
	require.NoError(t, err)
	require.Contains(t, list[0].Why, schema.Unread)
	d.later(23 * time.Hour)
	d.readFeed()
	require.Positive(t, d.piece(d.reviews.ActOnItems, run).Wait)
	require.Equal(t, 1, d.ready(run))
	d.later(2 * time.Hour)
	d.readFeed()
	require.True(t, d.piece(d.reviews.ActOnItems, run).More)
	refused, err := d.Items(t.Context(), run, schema.ItemRefused, 10)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Contains(t, refused[0].Why, "CONNECTION_DEGRADED")
	require.Equal(t, schema.ReviewEnded, d.at(run).State)
}

// What hangs is tried after what was not tried yet.
func TestConfirmedAccountsThatHangLetOthersGoFirst(t *testing.T) {
	t.Parallel()
	d, run := company(t, 4)
	h := &hanging{vendor: d.vendor, b: d.bundle, hang: []schema.ExternalID{leaver, "1000"}}
	d.vendors[d.conn.ID] = h
	require.Positive(t, d.piece(d.reviews.ActOnItems, run).Wait)
	require.Equal(t, map[schema.ItemState]int{schema.ItemReady: 5}, d.states(run))
	require.Equal(t, 2, h.read, "the connection is left out then")
	d.piece(d.reviews.ActOnItems, run)
	require.Equal(t, map[schema.ItemState]int{schema.ItemReady: 2, schema.ItemStarted: 3}, d.states(run))

	// One that was read meanwhile waits anew from the next time that it cannot be.
	h.hang = h.hang[:1]
	d.piece(d.reviews.ActOnItems, run)
	require.Equal(t, map[schema.ItemState]int{schema.ItemReady: 1, schema.ItemStarted: 4}, d.states(run))
	started, err := d.Items(t.Context(), run, schema.ItemStarted, 10)
	require.NoError(t, err)
	for _, i := range started {
		require.Empty(t, i.Why)
	}
}

// An account is given up when it could not be read for a while itself, whatever else its
// piece waited for.
func TestAnAccountIsPlannedAsLongAsItMayBeRead(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	d.piece(d.reviews.JudgeAccounts, r.ID)
	d.vendors[d.conn.ID] = dull{d.vendor}
	d.later(time.Hour) // for another connection, say
	plans := func() error {
		env := newEnv(worker.Options{}, zap.NewNop())
		env.RegisterActivity(d.reviews)
		_, err := env.ExecuteActivity(d.reviews.PlanItems, activities.ReviewInput{ReviewID: r.ID})
		return err
	}
	d.exec(`update review_item set updated_at = now() - interval '1 day'`)
	requireType(t, plans(), activities.TypeNotYet, true)
	require.Equal(t, map[schema.ItemState]int{schema.ItemMatched: 1}, d.states(r.ID))
	d.exec(`update review_item set updated_at = updated_at + interval '1 hour'`) // it was marked by the clock of now
	requireType(t, plans(), activities.TypeNotYet, true)
	d.later(13 * time.Minute)
	require.NoError(t, plans())
	require.Equal(t, map[schema.ItemState]int{schema.ItemRefused: 1}, d.states(r.ID))
}
