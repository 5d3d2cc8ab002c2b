package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// token makes an API token and returns it.
func (s *stack) token(name, role string) string {
	s.t.Helper()
	return ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", name, "--role", role, "--expires", "1d").Token
}

// Promise 5: what was approved is what runs.
func TestPromiseWhatWasApprovedIsWhatRuns(t *testing.T) {
	t.Parallel()
	t.Run("another hash than the confirmed one starts nothing", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver := s.hire("Lea Ver")
		plan := ask[apiclient.Plan](s, cli.ExitDone, "offboard", leaver.login, "--grace", "0s", "--plan")
		require.Equal(t, 200, byHand(t, s.vendor, "PUT", "users/"+leaver.id, map[string]string{"role": "coadmin"}))
		before := len(writes(s.sim))

		r := s.run("offboard", leaver.login, "--grace", "0s", "--confirm", plan.Hash)

		require.Equal(t, cli.ExitHashDiffers, r.code, r.err)
		require.Len(t, writes(s.sim), before)
		require.Empty(t, s.cases())
		fresh := ask[apiclient.Plan](s, cli.ExitDone, "offboard", leaver.login, "--grace", "0s", "--plan")
		s.offboard(cli.ExitDone, leaver.login, "--grace", "0s", "--confirm", fresh.Hash)
	})
	t.Run("who asked may not approve", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver := s.hire("Lea Ver")
		other := s.token("second", "operator")
		c := s.begin(leaver.login, "--approvals", "1", "--grace", "0s")

		own := s.run("cases", "approve", c.CaseID, "--hash", c.Hash)
		require.Equal(t, cli.ExitUsage, own.code, own.err)
		require.Contains(t, own.err, "nobody approves their own request")
		require.Equal(t, "planned", s.show(c.CaseID).State)
		require.Empty(t, writes(s.sim))

		approved := s.runAs(other, "cases", "approve", c.CaseID, "--hash", c.Hash)
		require.Zero(t, approved.code, approved.err)
		s.awaitState(c.CaseID, "done")
		requireHarmless(t, s.sim)
	})
	for name, change := range map[string]map[string]string{
		"a changed login voids the approval": {"login": "married.name@example.com"},
		"a changed role voids the approval":  {"role": "coadmin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			leaver := s.hire("Lea Ver")
			other := s.token("second", "operator")
			c := s.begin(leaver.login, "--approvals", "1", "--grace", "0s", "--at", soon(4*time.Second))
			approved := s.runAs(other, "cases", "approve", c.CaseID, "--hash", c.Hash)
			require.Zero(t, approved.code, approved.err)
			require.Equal(t, 200, byHand(t, s.vendor, "PUT", "users/"+leaver.id, change))
			before := len(writes(s.sim))

			c = s.awaitState(c.CaseID, "parked")

			require.Equal(t, "FACTS_CHANGED", c.Accounts[0].Cause)
			require.Len(t, writes(s.sim), before)
			again := s.runAs(other, "cases", "approve", c.CaseID, "--hash", c.Hash)
			require.Zero(t, again.code, again.err)
			s.must("cases", "resume", c.CaseID, "--reason", "looked at")
			s.awaitState(c.CaseID, "done")
			require.Equal(t, "deleted", status(t, s.sim, leaver))
		})
	}
}

// soon is an instant from now, as --at takes it.
func soon(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

func (s *stack) cases() []apiclient.Case {
	s.t.Helper()
	return ask[apiclient.CasePage](s, cli.ExitDone, "cases", "list").Cases
}

// Promise 7: stop works. Whenever a case is cancelled before its delete, the
// account gets its status back, after the transfer has settled, and access to
// what was transferred.
func TestPromiseStopWorks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		mode  boxsim.Mode
		when  func(apiclient.Case) bool
		moved bool
	}{
		{"in the grace period", boxsim.ModeQuick, inStep("wait"), true},
		{"while the transfer call is open", boxsim.ModeSlow200, inTransfer("sent"), true},
		{"while the transfer settles", boxsim.ModeGateway504, inTransfer("settling"), true},
		{"while it is parked", boxsim.ModeRefused, func(c apiclient.Case) bool { return c.State == "parked" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{simScale: 120})
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			s.mode(leaver, c.mode)
			started := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "30d")
			s.await(started.CaseID, c.name, c.when)

			r := s.run("cases", "cancel", started.CaseID, "--reason", "stays after all")
			require.Zero(t, r.code, r.err)
			require.Contains(t, r.err, "not brought back")
			ended := s.awaitState(started.CaseID, "cancelled")

			require.Equal(t, "active", status(t, s.sim, leaver))
			if c.moved {
				folders := ended.Accounts[0].Transfer.FolderIDs
				require.Len(t, folders, 1)
				require.Equal(t, 200, byHandAs(t, s.vendor, leaver.id, "GET", "folders/"+folders[0], nil), "the leaver reaches the content again")
			}
			require.Zero(t, s.sim.Ledger().Totals.RunningJobs, "it waited for the transfer")
			require.Empty(t, requests(s.sim, opDelete, ""))
			owner := leaver
			if c.moved {
				owner = boss
			}
			require.Equal(t, map[string]int{owner.id: 6}, owned(s.sim, leaver))
			requireHarmless(t, s.sim)
		})
	}
	t.Run("who waits for the case is told", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver := s.hire("Lea Ver")
		waiting := make(chan ran, 1)
		go func() { waiting <- s.run("offboard", leaver.login, "--wait") }()
		var c apiclient.Case
		s.awaitOne(&c, inStep("wait"))
		s.must("cases", "cancel", c.CaseID, "--reason", "stays after all")
		require.Equal(t, cli.ExitCancelled, (<-waiting).code)
	})
}

func inTransfer(state string) func(apiclient.Case) bool {
	return func(c apiclient.Case) bool {
		return c.Accounts[0].Transfer != nil && c.Accounts[0].Transfer.State == state
	}
}

// awaitOne waits until there is one case and it is as told.
func (s *stack) awaitOne(c *apiclient.Case, as func(apiclient.Case) bool) {
	s.t.Helper()
	s.eventually(patience, "the case", func() bool {
		all := s.cases()
		if len(all) == 1 {
			*c = all[0]
		}
		return len(all) == 1 && as(all[0])
	})
}

// Promise 8: absence is not deletion. An account that somebody else deleted is
// gone, but not by us, and the case does not claim it.
func TestPromiseAbsenceIsNotDeletion(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "1h")
	s.await(c.CaseID, "grace", inStep("wait"))
	require.Equal(t, 204, byHand(t, s.vendor, "DELETE", "users/"+leaver.id, nil))

	c = s.awaitState(c.CaseID, "parked")

	require.Equal(t, "ACCOUNT_GONE", c.Accounts[0].Cause)
	require.Equal(t, "delete", c.Accounts[0].Step)
	require.Len(t, requests(s.sim, opDelete, leaver.id), 1, "the one by hand")
	requireHarmless(t, s.sim)
}
