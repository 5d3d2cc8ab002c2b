package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// withRun serves a sync that is running when it is first looked at and ends as
// given.
func (b *bundle) withRun(end schema.RunState, cause *schema.RunCause) {
	began := now.Add(-2 * time.Minute)
	run := schema.Run{
		ID: "r1", ConnectionID: "c1", Kind: schema.RunSync, State: schema.RunRunning, Trigger: schema.TriggerPerson, RequestedBy: "root", CreatedAt: began, StartedAt: began,
		Datasets: []schema.DatasetProgress{{Dataset: schema.DataAccounts, State: schema.DatasetCollecting, Generation: 1, Pages: 3, Rows: 2400, UpdatedAt: now}},
	}
	b.store.ConnectionFunc = func(id schema.ConnectionID) (schema.Connection, error) {
		return schema.Connection{ID: id, Name: "box-main"}, nil
	}
	looked := 0
	b.store.RunFunc = func(schema.RunID) (schema.Run, error) {
		r := run
		if looked++; looked > 1 {
			r.State, r.EndedAt, r.Cause = end, now, cause
			r.Datasets = []schema.DatasetProgress{{Dataset: schema.DataAccounts, State: schema.DatasetCollected, Generation: 1, Pages: 5, Rows: 4100, UpdatedAt: now}}
		}
		return r, nil
	}
}

func TestARunThatIsWaitedForTellsHowItEnded(t *testing.T) {
	t.Parallel()
	for end, want := range map[schema.RunState]int{
		schema.RunDone: cli.ExitDone, schema.RunQuarantined: cli.ExitParked, schema.RunFailed: cli.ExitParked, schema.RunDiscarded: cli.ExitCancelled,
	} {
		t.Run(string(end), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			var cause *schema.RunCause
			if want == cli.ExitParked {
				cause = &schema.RunCause{Code: schema.CauseShrunk, Message: "half of them are not there", Fix: "look at the vendor"}
			}
			b.withRun(end, cause)
			r := b.run("runs", "show", "r1", "--wait")
			require.Equal(t, want, r.code, r.errout)
			require.Contains(t, r.errout, "accounts 2400 so far, 20/s", "progress with counts and rate")
			require.Contains(t, r.out, "sync of box-main: "+string(end))
			if cause != nil {
				require.Contains(t, r.out, "SHRUNK: half of them are not there")
				require.Contains(t, r.out, "fix: look at the vendor")
			}
		})
	}
}

func TestRunsAreListedAndReleased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withRun(schema.RunDone, nil)
	b.store.ListRunsFunc = func(f schema.RunFilter) ([]schema.Run, string, error) {
		require.Equal(t, schema.RunQuarantined, f.State)
		r, err := b.store.RunFunc("r1")
		return []schema.Run{r}, "", err
	}
	r := b.run("runs", "list", "--state", "quarantined")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "box-main")
	b.store.ReleaseRunFunc = func(id schema.RunID, reason string) (schema.Run, error) {
		require.Equal(t, "they left", reason)
		return b.store.RunFunc(id)
	}
	r = b.run("runs", "release", "r1", "--reason", "they left", "-o", "json")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, `"state": "done"`)
	require.Equal(t, cli.ExitUsage, b.run("runs", "discard", "r1").code, "a reason is needed")
}
