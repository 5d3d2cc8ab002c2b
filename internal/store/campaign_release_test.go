package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// mails gives a token's row the address that its principal carries.
func (r *reviewing) mails(p schema.Principal) schema.Principal {
	r.t.Helper()
	r.exec(`update api_token set email = $2 where id = $1`, string(p.TokenID), p.Email)
	return p
}

// TestWhoRevokesAgainHasNotReleased: a release counts when the batch starts only if
// nothing of the batch is its principal's own word by then, by whatever token.
func TestWhoRevokesAgainHasNotReleased(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
	eve := r.mails(r.holder("eve", "eve@example.com"))
	r.revokes(10, shutsOff, "2", "3", "4")
	r.removing()
	require.Equal(t, schema.CampaignHeld, r.budgets().State)
	b, again := r.batch(), r.mails(r.holder("another token of the boss", "boss@example.com"))
	for _, e := range []string{"2", "3", "4"} {
		r.answers(e, schema.AnswerKeep, schema.ItemAccount)
	}
	_, err := r.decidesOn(b, schema.BatchReleased, again)
	require.NoError(t, err, "they revoked nothing now")
	r.answers("2", schema.AnswerRevoke, schema.ItemAccount)
	r.answers("3", schema.AnswerRevoke, schema.ItemAccount)
	_, err = r.decidesOn(b, schema.BatchReleased, eve)
	require.NoError(t, err)
	require.Equal(t, []any{schema.BatchHeld, schema.CampaignHeld}, []any{r.batch().State, r.campaign(r.id).State}, "that is the first")
	_, err = r.decidesOn(b, schema.BatchReleased, again)
	requireCode(t, schema.CodeForbidden, err)
	_, err = r.decidesOn(b, schema.BatchReleased, r.admin)
	require.NoError(t, err)
	require.Equal(t, []any{2, 1}, []any{r.in(schema.RemovalReady), r.in(schema.RemovalWithdrawn)}, "what is kept is not in it")
	var counts []string
	for _, d := range r.evidence().Batches[0].Decisions {
		if d.Counts {
			counts = append(counts, d.Principal)
		}
	}
	require.Equal(t, []string{"eve", "admin"}, counts, "the evidence tells by whose words it ended")
}

// TestOnePersonReleasesOnce: also one who was two records.
func TestOnePersonReleasesOnce(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
	r.revokes(10, shutsOff, "2", "3")
	r.removing()
	r.budgets()
	one, two := r.mails(r.holder("one", "one@example.com")), r.mails(r.holder("two", "two@example.com"))
	kept := r.person("one@example.com", "it")
	r.exec(`update person set merged_into = $2 where id = $1`, string(r.person("two@example.com", "it")), string(kept))
	_, err := r.decidesOn(r.batch(), schema.BatchReleased, one)
	require.NoError(t, err)
	_, err = r.decidesOn(r.batch(), schema.BatchReleased, two)
	requireCode(t, schema.CodeConflict, err)
}

// TestABatchEndsWhenWhatItHoldsStarts: also while something else has to wait.
func TestABatchEndsWhenWhatItHoldsStarts(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerDay: 1}))
	r.revokes(10, shutsOff, "2", "3")
	require.NotEmpty(t, limitsOf(r.budgets()))
	first := r.batch()
	r.answers("4", schema.AnswerRevoke, schema.ItemAccount)
	r.gathers()
	require.NoError(t, r.SettleRemoval(t.Context(), r.last("4").ID, schema.RemovalWanted, "HR has it", "", ""))
	r.exec(`update access_review_version set rule = jsonb_set(rule, '{effect,budget,per_day}', '2')`)
	require.Empty(t, limitsOf(r.budgets()))
	require.Equal(t, []any{2, 1, schema.BatchDiscarded}, []any{r.in(schema.RemovalReady), r.in(schema.RemovalWanted), r.batch().State})
	require.Empty(t, r.alarms())
	r.plans(10, shutsOff, "4")
	require.NotEmpty(t, limitsOf(r.budgets()))
	require.NotEqual(t, first.ID, r.batch().ID, "another batch holds that")
	require.Equal(t, 1, r.batch().Size)
}

// TestWhatWasPlannedWhileABatchWasCountedIsNotInIt: a plan that waited for the count is
// newer than that, whenever it began.
func TestWhatWasPlannedWhileABatchWasCountedIsNotInIt(t *testing.T) {
	t.Parallel()
	r := removals(t, 5, allows(schema.Budget{PerRun: 1}))
	r.revokes(10, shutsOff, "2", "3")
	r.answers("4", schema.AnswerRevoke, schema.ItemAccount)
	r.gathers()
	p := schema.PlannedRemoval{ID: r.last("4").ID, Facts: r.drafts("4", shutsOff).Accounts[0].Facts, Bytes: 10}
	count, err := r.sql().Begin(t.Context())
	require.NoError(t, err)
	_, err = count.Exec(t.Context(), `select 1 from campaign where id = $1 for update`, string(r.id))
	require.NoError(t, err)
	planned := make(chan error, 1)
	go func() { planned <- r.PlanRemoval(t.Context(), p) }()
	r.awaitWaiting()
	var counted time.Time
	require.NoError(t, count.QueryRow(t.Context(), `select clock_timestamp()`).Scan(&counted))
	require.NoError(t, count.Commit(t.Context()))
	require.NoError(t, <-planned)
	require.True(t, r.last("4").UpdatedAt.After(counted))
}

// TestARemovalStartsAfterItsAccountIsLocked: the engine's budget is locked after the
// account, as by HR, so that neither waits for the other.
func TestARemovalStartsAfterItsAccountIsLocked(t *testing.T) {
	t.Parallel()
	r := removals(t, 5)
	r.revokes(10, shutsOff, "2")
	r.budgets()
	r.exec(`update budget_use set used_at = used_at - interval '2 days'`)
	id, d := r.last("2").ID, r.drafts("2", shutsOff)
	budget, err := r.sql().Begin(t.Context())
	require.NoError(t, err)
	_, err = budget.Exec(t.Context(), `select 1 from engine_budget for update`)
	require.NoError(t, err)
	started := make(chan error, 1)
	go func() {
		_, err := r.StartRemoval(t.Context(), id, d)
		started <- err
	}()
	r.awaitWaiting()
	_, err = r.sql().Exec(t.Context(), `select 1 from account where external_id = '2' for update nowait`)
	require.ErrorContains(t, err, "could not obtain lock")
	require.NoError(t, budget.Commit(t.Context()))
	require.NoError(t, <-started)
}

// awaitWaiting waits until a statement waits for a lock of another's.
func (r *reviewing) awaitWaiting() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		return r.count(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) > 0
	}, time.Minute, 5*time.Millisecond)
}
