package e2e_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/local/localtest"
)

// afterKill bounds the wait for a case whose worker was killed: Temporal learns
// of it by the heartbeat that stays away for 60 s, which no scale shortens.
const afterKill = 3 * time.Minute

// afterUpKill bounds the wait for a case whose stack was killed: a look at the
// evidence that was under way then is given up after five minutes.
const afterUpKill = 7 * time.Minute

// ending is what a kill must not change.
type ending struct {
	state, transfer, status string
	attempts, folders       int
	transfers, deletes      int // requests
	owners                  map[string]int
}

// A worker killed inside the transfer call leaves everything to evidence: the
// case ends as it would have, and the request is not sent a second time.
func TestWorkerKilledInsideTheTransferCall(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(map[bool]string{false: "not killed", true: "killed"}[killed], func(t *testing.T) {
			t.Parallel()
			s := startServer(t, settings{simScale: 60, engineScale: fast}) // the call is open for 10 s
			worker := s.spawn("worker")
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			s.mode(leaver, boxsim.ModeSlow200)

			c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
			s.awaitTransferCall(leaver, simkit.EndedOpen)
			if killed {
				worker.Kill()
				s.awaitTransferCall(leaver, simkit.EndedClientLeft)
				s.spawn("worker")
			}
			s.eventually(afterKill, "the case ends", func() bool {
				c = s.show(c.CaseID)
				return c.State == "done" || c.State == "parked"
			})

			require.Equal(t, ending{
				state: "done", transfer: "proven", status: "deleted", attempts: 1, folders: 1, transfers: 1, deletes: 1,
				owners: map[string]int{boss.id: 6},
			}, s.ending(c, leaver))
			requireHarmless(t, s.sim)
			s.must("audit", "verify")
		})
	}
}

// awaitTransferCall waits until the vendor's log shows one transfer call of
// somebody, and how it ended.
func (s *stack) awaitTransferCall(p person, ended string) {
	s.t.Helper()
	localtest.Wait(s.t, patience, "transfer call "+ended, func() bool {
		calls := requests(s.sim, opTransfer, p.id)
		return len(calls) == 1 && calls[0].Ended == ended
	})
}

func (s *stack) ending(c apiclient.Case, leaver person) ending {
	s.t.Helper()
	t := c.Accounts[0].Transfer
	return ending{
		state: c.State, transfer: t.State, status: status(s.t, s.sim, leaver), attempts: t.Attempts, folders: len(t.FolderIDs),
		transfers: len(requests(s.sim, opTransfer, leaver.id)), deletes: len(requests(s.sim, opDelete, leaver.id)),
		owners: owned(s.sim, leaver),
	}
}

// sendoff up, killed while a transfer settles and started again on the same data
// directory, goes on: database, Temporal, server and worker all come back.
func TestUpKilledWhileATransferSettles(t *testing.T) {
	t.Parallel()
	s := &stack{t: t, set: settings{engineScale: fast}, dir: passableDir(t)}
	s.sim, s.vendor = startSim(t, boxsim.Config{Seed: 1, Scale: 60})
	up := func() *process {
		p := s.spawn("up", "--data", s.dir, "--listen", "127.0.0.1:0")
		p.awaitText(`API +(http://\S+)`) // server.json names it from here on
		return p
	}
	first := up()
	s.connect("box", s.vendor)
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	require.NoError(t, s.sim.SetTransferMode(leaver.id, boxsim.ModeGateway504, 10*time.Minute)) // 1 s, then 9 s more

	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "10m")
	s.await(c.CaseID, "the transfer settles", func(c apiclient.Case) bool {
		return c.Accounts[0].Transfer != nil && c.Accounts[0].Transfer.State == "settling"
	})
	require.Equal(t, 1, s.sim.Ledger().Totals.RunningJobs)
	first.Kill()
	up()

	s.eventually(afterUpKill, "the case is done", func() bool { return s.show(c.CaseID).State == "done" })
	s.requireGone(leaver, boss, 6)
	s.must("audit", "verify")
}

// passableDir is a directory that Postgres as its own user can reach.
func passableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(shared.dir, "up-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711)) //nolint:gosec // files in it are 0600
	return dir
}
