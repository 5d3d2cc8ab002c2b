package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/temporalx"
	"sendoff/workflows"
)

// Weeks of watching a transfer cost a handful of history events: each look is a
// retry of one activity.
//
// Not parallel: the looks come as fast as the machine allows, and beside other
// tests they would take minutes.
func TestHistoryOfManyPolls(t *testing.T) {
	const polls, budget = 300, 100
	// A look every 30 ms at most; the day after which stillness parks is 1.4 s.
	s := start(t, settings{simScale: 10, engineScale: 60_000})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	folder := seeded(t)(s.sim.AddFolder(boxsim.ItemSpec{Owner: leaver.id, Name: "Many"}))
	for i := range 400 {
		seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Parent: folder, Name: fmt.Sprintf("%03d.txt", i), SizeBytes: 1 << 10}))
	}
	// Items move all the time: 400 of them in two minutes of ours.
	require.NoError(t, s.sim.SetTransferMode(leaver.id, boxsim.ModeDrop, 20*time.Minute))

	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	s.eventually(patience, "the call ends", func() bool {
		calls := requests(s.sim, opTransfer, leaver.id)
		return len(calls) == 1 && calls[0].Ended != ""
	})
	before := len(requests(s.sim, "users.get", leaver.id))
	s.eventually(2*patience, "300 looks at the source", func() bool {
		return len(requests(s.sim, "users.get", leaver.id))-before >= polls
	})
	require.Equal(t, "settling", s.show(c.CaseID).State)
	require.Equal(t, 1, s.sim.EndJobs(leaver.id, true))
	c = s.awaitState(c.CaseID, "done")

	for _, id := range []string{workflows.DeprovisionID(planID(c)), workflows.OffboardingID(caseID(c))} {
		events, err := temporalx.HistoryLength(t.Context(), s.client(), id)
		require.NoError(t, err)
		require.Positive(t, events)
		require.Less(t, events, int64(budget), id)
	}
	s.requireGone(leaver, boss, 401)
}
