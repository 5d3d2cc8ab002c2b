package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/cli"
)

// However the vendor answers the transfer, the leaver's content ends with the
// receiver, the account is gone, and the request was sent once.
func TestLeaver(t *testing.T) {
	t.Parallel()
	for _, mode := range []boxsim.Mode{boxsim.ModeQuick, boxsim.ModeSlow200, boxsim.ModeGateway504, boxsim.ModeDrop} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			s.mode(leaver, mode)

			c := s.offboard(cli.ExitDone, leaver.login, "--transfer-to", boss.login, "--grace", "10m")

			require.Equal(t, "done", c.State)
			require.Equal(t, "proven", c.Accounts[0].Transfer.State)
			require.Equal(t, 1, c.Accounts[0].Transfer.Attempts)
			require.EqualValues(t, 9<<20, c.Accounts[0].Transfer.BytesBefore)
			require.Zero(t, c.Accounts[0].Transfer.BytesLeft)
			require.Len(t, c.Accounts[0].Transfer.FolderIDs, 1)
			s.requireGone(leaver, boss, 6)
		})
	}
}

// requireGone requires that a leaver was sent off by one transfer to a receiver
// who now owns all items, and that nothing was harmed.
func (s *stack) requireGone(leaver, receiver person, items int) {
	s.t.Helper()
	a := account(s.t, s.sim, leaver.id)
	require.True(s.t, a.Deleted, "the account is gone")
	require.Equal(s.t, 1, a.TransferRequests)
	require.Equal(s.t, 1, a.SessionsTerminated)
	require.Equal(s.t, map[string]int{receiver.id: items}, owned(s.sim, leaver))
	requireHarmless(s.t, s.sim)
}

// A refused transfer parks with the vendor's reason; what was refused may be
// sent again once an operator resumes.
func TestLeaverRefusedThenResumed(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeRefused)

	c := s.offboard(cli.ExitParked, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	require.Equal(t, "parked", c.State)
	require.Equal(t, "TRANSFER_REFUSED", c.Accounts[0].Cause)
	require.NotEmpty(t, c.Accounts[0].CauseDetail.Fix)
	require.Equal(t, map[string]int{leaver.id: 6}, owned(s.sim, leaver))

	s.mode(leaver, boxsim.ModeQuick)
	s.must("cases", "resume", c.CaseID, "--reason", "rights were mended")
	s.awaitState(c.CaseID, "done")
	require.Equal(t, map[string]int{"refused": 1, "ok200": 1}, account(t, s.sim, leaver.id).Transfers)
	require.True(t, account(t, s.sim, leaver.id).Deleted)
	requireHarmless(t, s.sim)
}

// stalling makes the engine's clocks so fast that a day of stillness lasts four
// seconds.
const stalling = 20_000

// A transfer that never ends parks when nothing moves any more, and is never
// sent again; when it has ended after all, resuming finds the proof.
func TestLeaverNeverEnding(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeNever)

	c := s.offboard(cli.ExitParked, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	require.Equal(t, "TRANSFER_STALLED", c.Accounts[0].Cause)
	require.Equal(t, 1, account(t, s.sim, leaver.id).TransferRequests)
	require.Empty(t, requests(s.sim, opDelete, ""))

	require.Equal(t, 1, s.sim.EndJobs(leaver.id, true))
	s.must("cases", "resume", c.CaseID, "--reason", "the vendor's support ended it")
	s.awaitState(c.CaseID, "done")
	s.requireGone(leaver, boss, 6)
}

// A 503 may hide a transfer that was taken, so it is not sent again; cancelling
// gives the account its status back.
func TestLeaverUnavailableBeforeTheTransfer(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModePre503)

	c := s.offboard(cli.ExitParked, leaver.login, "--transfer-to", boss.login)
	require.Equal(t, "TRANSFER_STALLED", c.Accounts[0].Cause)
	require.Equal(t, map[string]int{"pre503": 1}, account(t, s.sim, leaver.id).Transfers)
	require.Equal(t, "inactive", status(t, s.sim, leaver))

	s.must("cases", "cancel", c.CaseID, "--reason", "the vendor is down")
	s.awaitState(c.CaseID, "cancelled")
	require.Equal(t, "active", status(t, s.sim, leaver))
	require.Equal(t, map[string]int{leaver.id: 6}, owned(s.sim, leaver))
	requireHarmless(t, s.sim)
}

// While somebody else's job holds one of the accounts the transfer waits, in
// each of the ways in which the vendor says so.
func TestLeaverWaitsForForeignJob(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{boxsim.Busy409, boxsim.BusyLocked403, boxsim.BusyLocked400} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{switches: boxsim.Switches{BusyAnswer: answer}})
			leaver, boss, other := s.hire("Lea Ver"), s.hire("Bo Ss"), s.hire("Ot Her")
			s.fill(leaver)
			s.fill(other)
			s.mode(other, boxsim.ModeNever)
			require.Equal(t, 504, byHand(t, s.vendor, "PUT", "users/"+other.id+"/folders/0", ownedBy(boss)))

			c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
			s.eventually(patience, "ours was turned away", func() bool { return len(requests(s.sim, opTransfer, leaver.id)) > 1 })
			require.Equal(t, 1, s.sim.EndJobs(other.id, true))
			s.awaitState(c.CaseID, "done")

			transfers := account(t, s.sim, leaver.id).Transfers
			require.Positive(t, transfers["busy409"])
			require.Equal(t, 1, transfers["ok200"])
			require.Len(t, transfers, 2)
			require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
			requireHarmless(t, s.sim)
		})
	}
}
