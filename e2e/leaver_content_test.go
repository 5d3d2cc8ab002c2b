package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// Two leavers for one receiver queue for it: never two jobs touch an account,
// and who waits is told the position.
func TestLeaversOfOneReceiverQueue(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	first, second, boss := s.hire("First Leaver"), s.hire("Second Leaver"), s.hire("Bo Ss")
	for _, p := range []person{first, second} {
		s.fill(p)
		s.mode(p, boxsim.ModeSlow200)
	}
	csv := s.file("leavers.csv", "email,receivers\n"+first.login+","+boss.login+"\n"+second.login+","+boss.login+"\n")
	made := ask[struct{ Cases []apiclient.Case }](s, cli.ExitDone, "offboard", "--from", csv, "--grace", "0s").Cases
	require.Len(t, made, 2)

	waiting := func(c apiclient.Case) bool { return c.Accounts[0].Position == 1 && c.State == "waiting" }
	queued := false
	done := func(c apiclient.Case) bool { queued = queued || waiting(c); return c.State == "done" }
	s.await(made[0].CaseID, "the first is done", func(c apiclient.Case) bool {
		queued = queued || waiting(s.show(made[1].CaseID))
		return done(c)
	})
	s.await(made[1].CaseID, "the second is done", done)

	require.True(t, queued, "one of them was shown waiting at position 1")
	s.requireGone(first, boss, 6)
	s.requireGone(second, boss, 6)
	require.Equal(t, 2, s.sim.Ledger().Totals.DestinationFolders)
}

func TestLeaverWhoOwnsNothingNeedsNoReceiver(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver := s.hire("Lea Ver")

	c := s.offboard(cli.ExitDone, leaver.login, "--grace", "0s")

	require.Equal(t, "skipped", c.Accounts[0].Transfer.State)
	require.Empty(t, requests(s.sim, opTransfer, ""))
	require.True(t, account(t, s.sim, leaver.id).Deleted)
	requireHarmless(t, s.sim)
}

// Empty files and links weigh nothing; they are content all the same.
func TestLeaverWithWeightlessContent(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	folder := seeded(t)(s.sim.AddFolder(boxsim.ItemSpec{Owner: leaver.id, Name: "Empty"}))
	seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Parent: folder, Name: "nested.txt"}))
	seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Owner: leaver.id, Name: "empty.txt"}))
	seeded(t)(s.sim.AddWebLink(boxsim.ItemSpec{Owner: leaver.id, Name: "wiki"}))

	refused := s.run("offboard", leaver.login)
	require.Equal(t, cli.ExitRefused, refused.code)
	require.Contains(t, refused.err, "RECEIVER_MISSING")

	c := s.offboard(cli.ExitDone, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	require.Equal(t, "proven", c.Accounts[0].Transfer.State)
	require.Equal(t, 3, c.Accounts[0].Transfer.WitnessesFound)
	s.requireGone(leaver, boss, 4)
}

// Trash goes to the receiver's trash. Where the vendor leaves it behind, the
// delete would destroy it, so the plan parks instead.
func TestLeaverWithTrash(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T, switches boxsim.Switches) (s *stack, leaver, boss person) {
		t.Helper()
		s = start(t, settings{switches: switches})
		leaver, boss = s.hire("Lea Ver"), s.hire("Bo Ss")
		s.fill(leaver)
		seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Owner: leaver.id, Name: "old.txt", SizeBytes: 1 << 20, Trashed: true}))
		return s, leaver, boss
	}
	t.Run("moves", func(t *testing.T) {
		t.Parallel()
		s, leaver, boss := setup(t, boxsim.Switches{})
		s.offboard(cli.ExitDone, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		s.requireGone(leaver, boss, 6)
		require.Equal(t, map[string]int{boss.id: 1}, holders(s.sim, leaver, "trashed"))
	})
	t.Run("stays", func(t *testing.T) {
		t.Parallel()
		s, leaver, boss := setup(t, boxsim.Switches{TrashStays: true, DeleteIgnoresTrash: true})
		c := s.offboard(cli.ExitParked, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		require.Equal(t, "TRASH_REMAINS", c.Accounts[0].Cause)
		require.Empty(t, requests(s.sim, opDelete, ""), "the vendor would have let it pass")
		requireHarmless(t, s.sim)
	})
}

func TestLeaverTakesTheFirstValidReceiver(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	away := hireAt(t, s.sim, boxsim.UserSpec{Name: "Aw Ay", Status: "inactive"})
	s.fill(leaver)

	r := s.run("offboard", leaver.login, "--transfer-to", away.login, "--transfer-to", boss.login, "--grace", "0s", "--wait")

	require.Equal(t, cli.ExitDone, r.code, r.err)
	require.Contains(t, r.err, "warning: RECEIVER_INACTIVE")
	s.requireGone(leaver, boss, 6)
}

// Content that appears after the transfer keeps the account from being deleted,
// whether we see it first or the vendor refuses. The transfer is not sent a
// second time: that is the operator's to decide.
func TestLeaverWithLateContent(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "1d")
	s.await(c.CaseID, "grace", func(c apiclient.Case) bool { return c.Accounts[0].Step == "wait" })
	seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Owner: leaver.id, Name: "late.txt", SizeBytes: 1 << 20}))

	c = s.awaitState(c.CaseID, "parked")
	require.Contains(t, []string{"CONTENT_REMAINS", "TRANSFER_STALLED"}, c.Accounts[0].Cause)
	require.Len(t, requests(s.sim, opTransfer, leaver.id), 1)
	require.LessOrEqual(t, len(requests(s.sim, opDelete, leaver.id)), 1, "the delete is no way to poll")

	require.Equal(t, 200, byHand(t, s.vendor, "PUT", "users/"+leaver.id+"/folders/0", ownedBy(boss)))
	s.must("cases", "resume", c.CaseID, "--reason", "moved the rest by hand")
	s.awaitState(c.CaseID, "done")
	require.Equal(t, map[string]int{boss.id: 7}, owned(s.sim, leaver))
	require.Len(t, requests(s.sim, opTransfer, leaver.id), 2, "ours and the one by hand")
	require.Zero(t, s.sim.Ledger().Totals.DestroyedByRequests())
}
