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
