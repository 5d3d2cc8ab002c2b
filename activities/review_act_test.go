package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// asked has the holder and the manager asked for three days, as far as they are known.
func asked(t *testing.T, manager schema.Silence) (*dormancy, schema.ReviewID) {
	t.Helper()
	d := dormant(setup(t))
	d.rule.Ask = []schema.Ask{
		{Whom: schema.AskHolder, Channel: schema.ChannelMail, Wait: 3 * day, Silence: schema.SilenceProceeds},
		{Whom: schema.AskManager, Channel: schema.ChannelMail, Wait: 3 * day, Silence: manager},
	}
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	return d, r.ID
}

// Nobody knows the account's manager, who would have had a say.
func TestSilenceOfSomebodyWhoWasNotAskedMeansNothing(t *testing.T) {
	t.Parallel()
	for _, manager := range []schema.Silence{schema.SilenceNothing, schema.SilenceProceeds} {
		d, run := asked(t, manager)
		d.exec(`update review_ask set state = 'delivered' where review_id = $1`, run)
		d.later(4 * day)
		d.piece(d.reviews.ActOnItems, run)
		items, err := d.Items(t.Context(), run, schema.ItemSilent, 10)
		require.NoError(t, err)
		require.Len(t, items, 1, "only the holder was asked")
		require.Contains(t, items[0].Why, "not asked")
	}
}

// A question without a link cannot be answered: silence to it is none.
func TestSilenceToAQuestionWithoutALinkMeansNothing(t *testing.T) {
	t.Parallel()
	for _, linked := range []bool{false, true} {
		d := dormant(setup(t))
		d.rule.Ask = []schema.Ask{{Whom: schema.AskHolder, Channel: schema.ChannelMail, Wait: 3 * day, Silence: schema.SilenceProceeds}}
		d.apply()
		r := d.run()
		require.NoError(t, d.BeginJudging(t.Context(), r.ID))
		for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
			d.piece(fn, r.ID)
		}
		d.exec(`update review_ask set state = 'delivered', linked = $2 where review_id = $1`, r.ID, linked)
		d.later(4 * day)
		d.piece(d.reviews.ActOnItems, r.ID)
		silent, err := d.Items(t.Context(), r.ID, schema.ItemSilent, 10)
		require.NoError(t, err)
		if linked {
			require.Empty(t, silent)
			continue
		}
		require.Len(t, silent, 1)
		require.Contains(t, silent[0].Why, "no link to answer by")
	}
}

// Whoever is due is settled, however many stand before it who are not.
func TestDueItemsAreSettledBehindOthers(t *testing.T) {
	t.Parallel()
	d, run := asked(t, schema.SilenceNothing)
	d.exec(`with a as (insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
			select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $2, 'n' || n, 'n' || n || '@example.com', '', 'member', 'active', 'active', 'person', '900', 0, -1, now()
			from generate_series(1, 200) as n returning *)
		insert into review_item (review_id, account_id, connection_id, external_id, login, privileged, state, grade, threshold_seconds, ask_until, updated_at)
		select $1, id, connection_id, external_id, login, false, 'asking', 'inactive', 1, now() + interval '14 days', now() from a`, run, d.conn.ID)
	d.later(4 * day)
	piece := d.piece(d.reviews.ActOnItems, run)
	silent, err := d.Items(t.Context(), run, schema.ItemSilent, 10)
	require.NoError(t, err)
	require.Len(t, silent, 1)
	require.Equal(t, d.account.ID, silent[0].AccountID)
	require.False(t, piece.More)
	require.Greater(t, piece.Wait, 9*day, "there is nothing to do before")
}

// Somebody puts the account into a group that the policy leaves alone, after the
// last sync: its plan takes it out of none.
func TestGroupsAreThoseOfNow(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.rule.Steps = []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepRemoveFromGroups}}
	d.apply(schema.Exclusion{Group: "do not touch", Reason: "test"})
	d.review()
	d.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at) values ($1, 'g1', 'Do not touch', false, '', now())`, d.conn.ID)
	ref := d.carry(d.plan, schema.StepRemoveFromGroups)
	d.vendor.groups = []schema.Membership{{ID: "m1", GroupID: "g1", Role: "member"}}
	requireType(t, d.step(d.acts.RemoveFromGroups, ref), activities.TypeOf(schema.CodeStopped), false)
	require.Zero(t, d.vendor.count("remove_membership"))
	require.True(t, d.bundle.plan(d.plan).Stopping)
}

// The account of a review's plan is not made active for a call before somebody knows
// that it may be sent.
func TestNoWindowBeforeActivityIsLookedUp(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 1000 })
	d.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
	d.rule.Steps = []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}, {Kind: schema.StepTransfer}}
	d.rule.Receivers = []string{heirLogin}
	d.apply()
	d.review()
	ref := d.carry(d.plan, schema.StepTransfer)
	_, err := d.enter(ref)
	require.NoError(t, err)
	d.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRefused, Cause: schema.RefusedInactiveSource}
	_, err = d.send(ref)
	require.NoError(t, err)
	require.NoError(t, d.ParkPlan(t.Context(), d.plan, schema.Cause{Code: schema.ParkInactiveRefused}))
	d.decide(d.plan, schema.Decision{Kind: schema.DecideReactivate}, d.admin)
	_, err = call[activities.StepInput, activities.TransferStatus](d.bundle, d.acts.RearmTransfer, activities.StepInput{Ref: ref})
	require.NoError(t, err)
	_, err = d.enter(ref)
	require.NoError(t, err)
	d.later(2 * time.Hour)
	requireType(t, d.step(d.acts.OpenWindow, ref), activities.TypeNotYet, true)
	require.Equal(t, inactive, d.vendor.accounts[leaver].VendorStatus)
	d.readFeed()
	require.NoError(t, d.step(d.acts.OpenWindow, ref))
	require.Equal(t, active, d.vendor.accounts[leaver].VendorStatus)
	_, err = d.send(ref)
	require.NoError(t, err)
	require.Equal(t, 2, d.vendor.count("send"))
}

// On the day that a confirmed account would start, others have used the budget: it
// waits until there is room, and starts then by itself.
func TestAConfirmedAccountWaitsForABudget(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	d.exec(`update budget_use set used_at = used_at - interval '14 days'`)
	_, err := d.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: 1}, d.admin)
	require.NoError(t, err)
	d.exec(`insert into budget_use (id, used_at, door, connection_id, accounts) values (gen_random_uuid(), now() - interval '20 hours', 'offboarding', $1, 1)`, d.conn.ID)
	p := d.piece(d.reviews.ActOnItems, r.ID)
	require.False(t, p.More)
	require.InDelta(t, 4*time.Hour, p.Wait, float64(15*time.Minute))
	require.Equal(t, 1, d.at(r.ID).BudgetWait.Accounts)
	ready, err := d.Items(t.Context(), r.ID, schema.ItemReady, 10)
	require.NoError(t, err)
	require.Len(t, ready, 1)
	d.exec(`delete from budget_use where door = 'offboarding'`)
	d.piece(d.reviews.ActOnItems, r.ID)
	started, err := d.Items(t.Context(), r.ID, schema.ItemStarted, 10)
	require.NoError(t, err)
	require.Len(t, started, 1)
	require.Nil(t, d.at(r.ID).BudgetWait)
}

// confirmed is a run whose account is ready to be acted on.
func confirmed(t *testing.T) (*dormancy, schema.ReviewID) {
	t.Helper()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	require.Equal(t, 1, d.ready(r.ID))
	return d, r.ID
}

func (d *dormancy) started(run schema.ReviewID) int {
	d.t.Helper()
	items, err := d.Items(d.t.Context(), run, schema.ItemStarted, 10)
	require.NoError(d.t, err)
	return len(items)
}

// What cannot be read right now says nothing of an account that was approved: it waits.
// What the vendor refuses to tell of it ends that, so that the run comes to its end.
func TestAConfirmedAccountWaitsUntilItCanBeRead(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"read", "holds"} {
		d, run := confirmed(t)
		d.vendor.errs[op] = []error{failure(connectors.Unavailable)}
		require.Positive(t, d.piece(d.reviews.ActOnItems, run).Wait)
		require.Equal(t, 1, d.ready(run))
		d.piece(d.reviews.ActOnItems, run)
		require.Equal(t, 1, d.started(run))
	}
	d, run := confirmed(t)
	d.vendor.remove(leaver)
	d.piece(d.reviews.ActOnItems, run)
	refused, err := d.Items(t.Context(), run, schema.ItemRefused, 10)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Contains(t, refused[0].Why, "CONNECTION_DEGRADED")
}

// An admin disables the connection after the account was read for its case.
func TestAConfirmedAccountWhoseConnectionIsDisabledMeanwhile(t *testing.T) {
	t.Parallel()
	d, run := confirmed(t)
	d.vendor.during["read"] = nth(1, func() {
		_, err := d.SetConnectionState(t.Context(), "fake", schema.ConnectionDisabled, "maintenance", d.admin)
		require.NoError(t, err)
	})
	require.Positive(t, d.piece(d.reviews.ActOnItems, run).Wait)
	require.Equal(t, 1, d.ready(run))
	_, err := d.SetConnectionState(t.Context(), "fake", schema.ConnectionEnabled, "done", d.admin)
	require.NoError(t, err)
	d.piece(d.reviews.ActOnItems, run)
	require.Equal(t, 1, d.started(run))
}

// An account that cannot be read while the run is planned is tried again.
func TestAnAccountThatCannotBeReadIsPlannedAgain(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	d.piece(d.reviews.JudgeAccounts, r.ID)
	plans := func() error {
		env := newEnv(worker.Options{}, zap.NewNop())
		env.RegisterActivity(d.reviews)
		_, err := env.ExecuteActivity(d.reviews.PlanItems, activities.ReviewInput{ReviewID: r.ID})
		return err
	}
	d.vendor.errs["read"] = []error{failure(connectors.Unavailable)}
	requireType(t, plans(), activities.TypeNotYet, true)
	require.NoError(t, plans())
	planned, err := d.Items(t.Context(), r.ID, schema.ItemPlanned, 10)
	require.NoError(t, err)
	require.Len(t, planned, 1)
}
