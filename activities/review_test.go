package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/schema"
)

// run begins a review run of the policy as it is now.
func (d *dormancy) run() schema.Review {
	d.t.Helper()
	r, err := d.BeginReview(d.t.Context(), d.policy.ID, d.now(), "review/test/"+d.now().String())
	require.NoError(d.t, err)
	return r
}

// piece runs one activity of a review run.
func (d *dormancy) piece(fn any, id schema.ReviewID) activities.Piece {
	d.t.Helper()
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(d.reviews)
	value, err := env.ExecuteActivity(fn, activities.ReviewInput{ReviewID: id})
	require.NoError(d.t, err)
	var p activities.Piece
	if value.HasValue() {
		require.NoError(d.t, value.Get(&p))
	}
	return p
}

func (d *dormancy) at(id schema.ReviewID) schema.Review {
	d.t.Helper()
	r, err := d.Review(d.t.Context(), id)
	require.NoError(d.t, err)
	return r
}

// listed makes data sets whole as of an instant.
func (d *dormancy) listed(at time.Time, sets ...schema.Dataset) {
	for _, set := range sets {
		d.exec(`insert into dataset (connection_id, dataset, state, reason, detail, as_of, rows) values ($1, $2, 'collected', '', '', $3, 3)
			on conflict (connection_id, dataset) do update set as_of = excluded.as_of`, d.conn.ID, set, at)
	}
}

// What is too old is asked for, and waited for; after the policy's patience the run
// ends and says what was missing.
func TestReviewGathersFreshFacts(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	d.apply(schema.Exclusion{Group: "Executives", Reason: "they are asked in person"})
	r := d.run()
	d.listed(d.now(), schema.DataAccounts)
	p := d.piece(d.reviews.GatherFacts, r.ID)
	require.False(t, p.More, "the groups are not known")
	require.Positive(t, p.Wait)
	d.listed(d.now(), schema.DataGroups, schema.DataMemberships)
	require.True(t, d.piece(d.reviews.GatherFacts, r.ID).More)
	require.Equal(t, schema.ReviewJudging, d.at(r.ID).State)
	require.NoError(t, d.EndReview(t.Context(), r.ID, schema.ReviewCancelled, "seen"))

	d.later(30 * time.Hour) // the listing and the feed are of yesterday by now
	r = d.run()
	d.exec(`update review set created_at = $1 where id = $2`, d.now(), r.ID) // by the engine's clock
	require.False(t, d.piece(d.reviews.GatherFacts, r.ID).More)
	queued, _, err := d.ListRuns(t.Context(), schema.RunFilter{Limit: 10})
	require.NoError(t, err)
	kinds := map[schema.RunKind]bool{}
	for _, q := range queued {
		kinds[q.Kind] = true
	}
	require.True(t, kinds[schema.RunSync] && kinds[schema.RunActivity], "both are asked for")
	d.later(25 * time.Hour)
	d.piece(d.reviews.GatherFacts, r.ID)
	ended := d.at(r.ID)
	require.Equal(t, schema.ReviewStale, ended.End)
	require.Contains(t, ended.Why, "not listed within")
	require.Contains(t, ended.Why, "activity")
}

// What was covered before the right to read events was taken away proves nothing
// any more.
func TestReviewWithoutTheRightToReadEvents(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	d.exec(`update dataset set state = 'not_collected', reason = 'PLAN_WITHOUT_EVENTS' where dataset = 'activity'`)
	d.listed(d.now(), schema.DataAccounts)
	r := d.run()
	require.False(t, d.piece(d.reviews.GatherFacts, r.ID).More)
	d.later(25 * time.Hour)
	d.listed(d.now(), schema.DataAccounts)
	d.piece(d.reviews.GatherFacts, r.ID)
	ended := d.at(r.ID)
	require.Equal(t, schema.ReviewStale, ended.End)
	require.Contains(t, ended.Why, "PLAN_WITHOUT_EVENTS")
}

// A rule that takes most of the population is refused, unless it says that it may.
func TestReviewOfMostOfThePopulationEnds(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	d.exec(`update account set last_active_at = $1, created_at = $2 where id <> $3`, d.now().Add(-200*day), d.now().Add(-300*day), d.account.ID)
	d.rule.Allow.MostOfPopulation = false
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	d.piece(d.reviews.JudgeAccounts, r.ID)
	ended := d.at(r.ID)
	require.Equal(t, schema.ReviewTooMany, ended.End)
	require.Contains(t, ended.Why, "most_of_population")
}

// Within a blackout nothing begins, and what waits to be started waits on.
func TestReviewKeepsBlackouts(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	today := schema.DateOf(d.now().UTC())
	d.rule.Schedule.Blackout = []schema.Blackout{{From: today, To: today, Reason: "freeze"}}
	d.apply()
	r := d.run()
	d.piece(d.reviews.GatherFacts, r.ID)
	require.Equal(t, schema.ReviewDark, d.at(r.ID).End)
}

// Whom the policy asks is not known: nothing is done, and the item says so.
func TestNobodyToAskIsNoSilence(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	d.decide(d.plan, schema.Decision{Kind: schema.DecideCancel}, d.admin)
	d.rule.Ask = []schema.Ask{{Whom: schema.AskManager, Channel: schema.ChannelMail, Wait: day, Silence: schema.SilenceProceeds}}
	d.apply()
	d.exec(`update plan set state = 'cancelled' where id = $1`, d.plan)
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems, d.reviews.ActOnItems} {
		d.piece(fn, r.ID)
	}
	refused, err := d.Items(t.Context(), r.ID, schema.ItemRefused, 10)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Contains(t, refused[0].Why, "nobody could be asked")
	require.Equal(t, schema.ReviewDone, d.at(r.ID).End)
}

// What is approved and confirmed waits while its connection is disabled.
func TestReviewWaitsForADisabledConnection(t *testing.T) {
	t.Parallel()
	d := found(setup(t))
	d.decide(d.plan, schema.Decision{Kind: schema.DecideCancel}, d.admin)
	d.exec(`update plan set state = 'cancelled' where id = $1`, d.plan)
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	_, err := d.SetConnectionState(t.Context(), "fake", schema.ConnectionDisabled, "maintenance", d.admin)
	require.NoError(t, err)
	require.Positive(t, d.piece(d.reviews.ActOnItems, r.ID).Wait)
	require.Equal(t, schema.ReviewActing, d.at(r.ID).State)
	_, err = d.SetConnectionState(t.Context(), "fake", schema.ConnectionEnabled, "done", d.admin)
	require.NoError(t, err)
	d.piece(d.reviews.ActOnItems, r.ID)
	started, err := d.Items(t.Context(), r.ID, schema.ItemStarted, 10)
	require.NoError(t, err)
	require.Len(t, started, 1)
}

// A connection that is disabled while its accounts are planned ends the run, which
// says so and what to do.
func TestReviewWhoseConnectionIsDisabledWhilePlanning(t *testing.T) {
	t.Parallel()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	d.piece(d.reviews.JudgeAccounts, r.ID)
	_, err := d.SetConnectionState(t.Context(), "fake", schema.ConnectionDisabled, "maintenance", d.admin)
	require.NoError(t, err)
	d.piece(d.reviews.PlanItems, r.ID)
	ended := d.at(r.ID)
	require.Equal(t, schema.ReviewStale, ended.End)
	require.Contains(t, ended.Why, "CONNECTION_DISABLED: connection fake is disabled")
	require.Contains(t, ended.Why, "sendoff connections enable fake")
}
