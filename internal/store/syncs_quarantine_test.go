package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestQuarantineBeginsBeyondWhatMayBeLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after int
		want          schema.RunState
	}{
		{10, 5, schema.RunDone},        // 5 are always allowed
		{10, 4, schema.RunQuarantined}, // 6 are not
		{59, 54, schema.RunDone},       // a tenth of 59 is 5
		{60, 54, schema.RunDone},       // and of 60 it is 6
		{60, 53, schema.RunQuarantined},
		{100, 90, schema.RunDone},
		{100, 89, schema.RunQuarantined},
		{100, 0, schema.RunQuarantined},
		{3, 0, schema.RunDone},
	} {
		t.Run(fmt.Sprint(c.before, " to ", c.after), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.sync(vendor{accounts: population(c.before)})
			run := b.sync(vendor{accounts: population(c.after)})
			require.Equal(t, c.want, run.State)
			missing := b.count(`select count(*) from account where status = 'missing'`)
			if c.want == schema.RunDone {
				require.Equal(t, c.before-c.after, missing)
				return
			}
			require.Zero(t, missing, "nothing was applied")
			require.Equal(t, schema.CauseShrunk, run.Cause.Code)
			require.Equal(t, 1, b.count(`select count(*) from alarm where code = $1 and cleared_at is null`, schema.AlarmSyncQuarantined))
			require.Equal(t, 1, b.audited("sync.quarantined"))
			require.Equal(t, c.before, b.count(`select rows from dataset where dataset = 'accounts'`))
		})
	}
}

// What we deleted ourselves, and accounts that a read by id finds, are no loss.
func TestQuarantineCountsWhatIsExplained(t *testing.T) {
	t.Parallel()
	for listed, state := range map[int]schema.RunState{9: schema.RunDone, 8: schema.RunQuarantined} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ctx := t.Context()
			b.sync(vendor{accounts: population(20)})
			for _, a := range population(20)[14:] { // six are deleted, with the proof of their plans
				a.ConnectionID, a.Status, a.ObservedAt = b.conn.ID, schema.AccountDeleted, time.Now()
				_, err := b.SaveAccount(ctx, a)
				require.NoError(t, err)
			}
			run := b.begun()
			b.stage(run.ID, vendor{accounts: population(listed)}) // another five, or six, are left out
			a := listedAccount("10")
			a.ObservedAt = time.Now()
			require.NoError(t, b.StageRead(ctx, run.ID, a)) // one of them is found, and was not listed all the same
			run, err := b.PublishSync(ctx, run.ID)
			require.NoError(t, err)
			require.Equal(t, state, run.State)
			if state == schema.RunDone {
				require.Equal(t, 4, b.count(`select count(*) from account where status = 'missing'`))
				require.Equal(t, 9, b.count(`select rows from dataset where dataset = 'accounts'`))
			}
		})
	}
}

func TestReleaseAppliesAndDiscardDrops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.sync(vendor{accounts: population(20)})
	run := b.sync(vendor{accounts: population(10)})
	require.Equal(t, schema.RunQuarantined, run.State)
	same, err := b.PublishSync(ctx, run.ID)
	require.NoError(t, err, "repeating it returns the run as it ended")
	require.Equal(t, run, same)

	_, err = b.ReleaseRun(ctx, run.ID, " ", b.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = b.DiscardRun(ctx, run.ID, "a fault at the vendor", b.admin)
	require.NoError(t, err)
	require.Zero(t, b.count(`select count(*) from account where status = 'missing'`))
	require.Zero(t, b.count(`select count(*) from staged_account`))
	require.Zero(t, b.count(`select count(*) from alarm where cleared_at is null`))
	_, err = b.ReleaseRun(ctx, run.ID, "after all", b.admin)
	requireCode(t, schema.CodeConflict, err)

	run = b.sync(vendor{accounts: population(10)})
	require.Equal(t, schema.RunQuarantined, run.State)
	run, err = b.ReleaseRun(ctx, run.ID, "they left", b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.RunDone, run.State)
	require.Nil(t, run.Cause)
	require.Equal(t, 10, b.count(`select count(*) from account where status = 'missing'`))
	require.Zero(t, b.count(`select count(*) from alarm where cleared_at is null`))
	for _, action := range []string{"sync.discarded", "sync.applied", "sync.quarantined"} {
		require.NotZero(t, b.audited(action), action)
	}
}

func TestALaterSyncOvertakesAQuarantinedOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sync(vendor{accounts: population(20)})
	first := b.sync(vendor{accounts: population(10)})
	second := b.sync(vendor{accounts: population(9)})
	require.Equal(t, schema.RunQuarantined, second.State)
	require.Equal(t, 1, b.count(`select count(*) from run where state = 'quarantined'`), "the later one waits")
	b.sync(vendor{accounts: population(20)})
	for _, id := range []schema.RunID{first.ID, second.ID} {
		run, err := b.Run(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, schema.RunDiscarded, run.State)
		_, err = b.ReleaseRun(t.Context(), id, "they left", b.admin)
		requireCode(t, schema.CodeConflict, err)
		require.ErrorContains(t, err, "older than what is known")
	}
	require.Zero(t, b.count(`select count(*) from alarm where cleared_at is null`))
	require.NoError(t, b.PruneRuns(t.Context()))
	require.Zero(t, b.count(`select count(*) from staged_account`))
}

func TestAPartOfAListingIsNoMeasure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sync(vendor{accounts: population(100)})
	run := b.begun()
	b.stage(run.ID, vendor{accounts: population(20)})
	require.NoError(t, b.FinishDataset(t.Context(), run.ID, schema.DataAccounts, schema.DatasetPartial, schema.ReasonTooLong))
	run, err := b.PublishSync(t.Context(), run.ID)
	require.NoError(t, err)
	require.Equal(t, schema.RunDone, run.State)
	require.Equal(t, schema.RunQuarantined, b.sync(vendor{accounts: population(30)}).State)
}
