package e2e_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// Promise 1: never force. A delete that the vendor refuses is tried a few times
// and then left to an operator; what the account still owns stays alive.
func TestPromiseNeverForce(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "1d")
	s.await(c.CaseID, "grace", inStep("wait"))
	// No reading shows an empty file in an account; the vendor's refusal does.
	seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Owner: leaver.id, Name: "late.txt"}))

	c = s.awaitState(c.CaseID, "parked")

	require.Equal(t, "CONTENT_REMAINS", c.Accounts[0].Cause)
	deletes := requests(s.sim, opDelete, leaver.id)
	require.Len(t, deletes, 6)
	for _, r := range deletes {
		require.Equal(t, 400, r.Status)
		require.NotContains(t, r.Query, "force")
	}
	require.Equal(t, map[string]int{boss.id: 6, leaver.id: 1}, owned(s.sim, leaver))
	requireHarmless(t, s.sim)
}

// Promise 2: a transfer is sent once. Only an answer that says that nothing was
// started lets it be sent again; anything else is left to evidence.
func TestPromiseTransferSentOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault simkit.Fault
		sent  int // requests in all
		state string
	}{
		{"answer lost", simkit.Fault{Action: simkit.ActionDropAfter}, 1, "done"},
		{"answer cut off", simkit.Fault{Action: simkit.ActionTruncate}, 1, "done"},
		{"500 though it was taken", simkit.Fault{Action: simkit.ActionStatusAfter, Status: 500}, 1, "done"},
		{"request lost", simkit.Fault{Action: simkit.ActionDropBefore}, 1, "parked"},
		{"200 though nothing began", simkit.Fault{Action: simkit.ActionStatus, Status: 200, Body: json.RawMessage(`{}`)}, 1, "parked"},
		{"429", simkit.Fault{Action: simkit.ActionStatus, Status: 429, Headers: map[string]string{"Retry-After": "1"}}, 2, "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{engineScale: stalling})
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			c.fault.Op, c.fault.Attempt = opTransfer, 1
			require.NoError(t, s.sim.AddFaults(c.fault))

			exit := map[string]int{"done": cli.ExitDone, "parked": cli.ExitParked}[c.state]
			got := s.offboard(exit, leaver.login, "--transfer-to", boss.login, "--grace", "0s")

			require.Equal(t, c.state, got.State)
			require.Equal(t, c.sent, got.Accounts[0].Transfer.Attempts)
			require.Len(t, requests(s.sim, opTransfer, leaver.id), c.sent)
			if c.state == "parked" {
				require.Equal(t, "TRANSFER_STALLED", got.Accounts[0].Cause)
				require.Equal(t, map[string]int{leaver.id: 6}, owned(s.sim, leaver))
			} else {
				require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
			}
			requireHarmless(t, s.sim)
		})
	}
}

// Promise 3: done means the vendor says so.
func TestPromiseDoneMeansTheVendorSaysSo(t *testing.T) {
	t.Parallel()
	t.Run("a suspend that was accepted and not done is sent again", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{engineScale: 20}) // 45 s for the read-back, also on a busy machine
		leaver := s.hire("Lea Ver")
		require.NoError(t, s.sim.AddFaults(simkit.Fault{
			Op: opUpdate, Attempt: 1, Action: simkit.ActionStatus, Status: 200,
			Body: json.RawMessage(`{"type":"user","id":"` + leaver.id + `","status":"inactive"}`),
		}))
		s.offboard(cli.ExitDone, leaver.login, "--template", "suspend")
		require.Equal(t, "inactive", status(t, s.sim, leaver))
		require.Len(t, requests(s.sim, opUpdate, leaver.id), 2)
	})
	t.Run("a suspend that never shows parks", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver := s.hire("Lea Ver")
		require.NoError(t, s.sim.AddFaults(simkit.Fault{
			Op: opUpdate, Action: simkit.ActionStatus, Status: 200,
			Body: json.RawMessage(`{"type":"user","id":"` + leaver.id + `","status":"inactive"}`),
		}))
		c := s.offboard(cli.ExitParked, leaver.login, "--template", "suspend")
		require.Equal(t, "NOT_CONFIRMED", c.Accounts[0].Cause)
	})
	t.Run("a delete that was accepted and not done parks", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver := s.hire("Lea Ver")
		require.NoError(t, s.sim.AddFaults(simkit.Fault{Op: opDelete, Action: simkit.ActionStatus, Status: 200, Body: json.RawMessage(`{}`)}))
		c := s.offboard(cli.ExitParked, leaver.login, "--grace", "0s")
		require.Equal(t, "NOT_CONFIRMED", c.Accounts[0].Cause)
		require.Equal(t, "inactive", status(t, s.sim, leaver))
	})
	t.Run("a transfer is proven only when the space reads zero", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{switches: boxsim.Switches{SpaceLagSeconds: 3000}}) // 5 s
		leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
		s.fill(leaver)
		s.offboard(cli.ExitDone, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		sent, deleted := requests(s.sim, opTransfer, leaver.id)[0], requests(s.sim, opDelete, leaver.id)[0]
		require.GreaterOrEqual(t, deleted.Time.Sub(sent.Time), 5*time.Second)
		s.requireGone(leaver, boss, 6)
	})
}

// inStep tells whether the first account of a case is at a step.
func inStep(kind string) func(apiclient.Case) bool {
	return func(c apiclient.Case) bool { return c.Accounts[0].Step == kind }
}
