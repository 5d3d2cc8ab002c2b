package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
	"sendoff/schema"
)

func kinds(runs []schema.Run) []schema.RunKind {
	list := []schema.RunKind{}
	for _, r := range runs {
		list = append(list, r.Kind)
	}
	slices.Sort(list)
	return list
}

func (b *bundle) due() []schema.Run {
	b.t.Helper()
	runs, err := b.StartDueRuns(b.t.Context(), 100)
	require.NoError(b.t, err)
	return runs
}

// endAll ends every open run, as long ago as age.
func (b *bundle) endAll(state schema.RunState, age time.Duration) {
	b.t.Helper()
	b.exec(`update run set state = $1, started_at = now() - $2::interval, created_at = now() - $2::interval, ended_at = now() - $2::interval
		where state in ('queued', 'running')`, string(state), age)
}

func TestARunIsOneAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	run, err := b.StartRun(ctx, b.conn.Name, schema.RunSync, schema.TriggerPerson, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.RunQueued, run.State)
	require.Len(t, run.Datasets, 4)
	rows := b.drain()
	require.Len(t, rows, 1)
	require.Equal(t, schema.OutboxStartRun, rows[0].Kind)
	require.Equal(t, run.ID, rows[0].RunID)
	require.Equal(t, schema.RunSync, rows[0].RunKind)

	_, err = b.StartRun(ctx, string(b.conn.ID), schema.RunSync, schema.TriggerPerson, b.admin)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, string(run.ID))
	_, err = b.StartRun(ctx, b.conn.Name, schema.RunProbe, schema.TriggerPerson, b.admin)
	require.NoError(t, err, "of another kind")
	_, err = b.StartRun(ctx, "none", schema.RunSync, schema.TriggerPerson, b.admin)
	requireCode(t, schema.CodeNotFound, err)

	begun, conn, err := b.BeginRun(ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, schema.RunRunning, begun.State)
	require.Equal(t, b.conn.ID, conn.ID)
	again, _, err := b.BeginRun(ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, begun, again)
	got, err := b.Run(ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, begun, got)

	cause := &schema.RunCause{Code: "ACCESS_REFUSED", Message: "the vendor refuses it", Fix: "look"}
	require.NoError(t, b.EndRun(ctx, run.ID, schema.RunFailed, cause))
	require.NoError(t, b.EndRun(ctx, run.ID, schema.RunFailed, cause), "repeating it is no change")
	requireCode(t, schema.CodeStopped, b.EndRun(ctx, run.ID, schema.RunDone, nil))
	_, _, err = b.BeginRun(ctx, run.ID)
	requireCode(t, schema.CodeStopped, err)
	_, err = b.StageAccounts(ctx, run.ID, begun.Datasets[0], population(1), "")
	requireCode(t, schema.CodeStopped, err)
	got, err = b.Run(ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, cause, got.Cause)
	require.Equal(t, 1, b.audited("run.failed"))
}

func TestADisabledConnectionHasNoRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	run, err := b.StartRun(ctx, b.conn.Name, schema.RunSync, schema.TriggerPerson, b.admin)
	require.NoError(t, err)
	_, err = b.SetConnectionState(ctx, b.conn.Name, schema.ConnectionDisabled, "test", b.admin)
	require.NoError(t, err)
	_, _, err = b.BeginRun(ctx, run.ID)
	requireCode(t, schema.CodeClosed, err)
	_, err = b.StartRun(ctx, b.conn.Name, schema.RunProbe, schema.TriggerPerson, b.admin)
	requireCode(t, schema.CodeClosed, err)
	require.Empty(t, b.due())
}

func TestRunsAreDueByTheirSchedule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := []schema.RunKind{schema.RunActivity, schema.RunProbe, schema.RunSync}
	require.Equal(t, all, kinds(b.due()), "nothing ran yet")
	require.Empty(t, b.due(), "all are open")
	b.endAll(schema.RunDone, 14*time.Minute)
	require.Empty(t, b.due())
	b.moveRuns(16 * time.Minute)
	require.Equal(t, []schema.RunKind{schema.RunActivity, schema.RunProbe}, kinds(b.due()))
	b.endAll(schema.RunDone, 0)
	b.moveRuns(100 * 24 * time.Hour)
	require.Equal(t, all, kinds(b.due()), "however late, one of each: nothing is caught up")
	b.endAll(schema.RunDone, 0)
	require.Empty(t, b.due())

	s, err := b.SetSchedule(t.Context(), b.conn.Name, schema.Schedule{Activity: time.Hour, Probe: 2 * time.Hour, Backfill: 24 * time.Hour}, b.admin)
	require.NoError(t, err)
	got, err := b.Schedule(t.Context(), b.conn.ID)
	require.NoError(t, err)
	require.Equal(t, s, got)
	b.moveRuns(90 * time.Minute)
	require.Equal(t, []schema.RunKind{schema.RunActivity}, kinds(b.due()))
	b.endAll(schema.RunDone, 0)
	b.moveRuns(100 * 24 * time.Hour)
	require.Equal(t, []schema.RunKind{schema.RunActivity, schema.RunProbe}, kinds(b.due()), "0 is never")
	require.Equal(t, 1, b.audited("connection.schedule_set"))
	_, err = b.SetSchedule(t.Context(), b.conn.Name, schema.Schedule{Sync: -time.Second, Activity: time.Millisecond, Backfill: 10000 * time.Hour}, b.admin)
	requireCode(t, schema.CodeInvalid, err)
	require.ErrorContains(t, err, "probe: ")
}

// moveRuns makes all runs as old as age.
func (b *bundle) moveRuns(age time.Duration) {
	b.t.Helper()
	b.exec(`update run set created_at = now() - $1::interval`, age)
}

func TestAQuarantinedSyncHoldsTheNextBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sync(vendor{accounts: population(20)})
	require.Equal(t, schema.RunQuarantined, b.sync(vendor{}).State)
	b.moveRuns(48 * time.Hour)
	require.Equal(t, []schema.RunKind{schema.RunActivity, schema.RunProbe}, kinds(b.due()))
}

func TestAFailedConnectionIsProbedEverMoreSeldom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.due()
	b.endAll(schema.RunFailed, 0)
	b.exec(`update connection set health = 'failed'`)
	probes := func(age time.Duration) int {
		b.exec(`update run set created_at = now() - case when id = (select max(id::text)::uuid from run where kind = 'probe') then $1::interval else '100 days' end`, age)
		return len(b.due())
	}
	require.Zero(t, probes(29*time.Minute), "one failed: twice the interval")
	require.Equal(t, 1, probes(31*time.Minute), "and nothing but a probe")
	b.endAll(schema.RunFailed, time.Minute)
	require.Zero(t, probes(59*time.Minute))
	require.Equal(t, 1, probes(61*time.Minute))
	for range 12 {
		b.endAll(schema.RunFailed, time.Minute)
		require.Equal(t, 1, probes(24*time.Hour), "once a day at least")
	}
	b.endAll(schema.RunFailed, time.Minute)
	require.Zero(t, probes(23*time.Hour))
	b.exec(`update connection set health = 'active'`)
	require.Equal(t, 3, probes(16*time.Minute), "it works again")
}

func TestServersThatRaceStartEachRunOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	servers := []*store.Store{b.Store, b.open(), b.open()}
	for round := range 5 {
		var mu sync.Mutex
		var started []schema.Run
		var wg sync.WaitGroup
		for _, s := range servers {
			wg.Go(func() {
				for range 5 {
					runs, err := s.StartDueRuns(t.Context(), 2)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					started = append(started, runs...)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.Equal(t, []schema.RunKind{schema.RunActivity, schema.RunProbe, schema.RunSync}, kinds(started), "round %d", round)
		b.endAll(schema.RunDone, 48*time.Hour)
	}
	require.Equal(t, 15, b.count(`select count(*) from outbox where run_id is not null`))
}

func TestRunsAreListedAndForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for range 3 {
		b.due()
		b.endAll(schema.RunDone, 48*time.Hour)
	}
	var seen []schema.RunID
	for after := ""; ; {
		list, next, err := b.ListRuns(ctx, schema.RunFilter{ConnectionID: b.conn.ID, After: after, Limit: 2})
		require.NoError(t, err)
		for _, r := range list {
			seen = append(seen, r.ID)
			require.Len(t, r.Datasets, map[schema.RunKind]int{schema.RunSync: 4, schema.RunActivity: 1}[r.Kind])
		}
		if after = next; after == "" {
			break
		}
	}
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(seen))), 9)
	list, _, err := b.ListRuns(ctx, schema.RunFilter{Kind: schema.RunSync, State: schema.RunDone, Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 3)

	b.exec(`update run set ended_at = now() - interval '31 days' where id = any($1::text[]::uuid[])`, []string{string(seen[6]), string(seen[7]), string(seen[8])})
	require.NoError(t, b.PruneRuns(ctx))
	kept := b.count(`select count(*) from run`)
	require.Equal(t, 7, kept, "of three, the sync is kept")
}

// TestTheLastRunIsRemembered has a schedule that is longer than runs are kept.
func TestTheLastRunIsRemembered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.SetSchedule(t.Context(), b.conn.Name, schema.Schedule{Sync: 0, Activity: 60 * day, Probe: 60 * day, Backfill: 60 * day}, b.admin)
	require.NoError(t, err)
	require.Len(t, b.due(), 2)
	b.endAll(schema.RunDone, 40*day)
	require.Empty(t, b.due())
	require.NoError(t, b.PruneRuns(t.Context()))
	require.Empty(t, b.due())
}
