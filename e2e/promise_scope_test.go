package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/cli"
)

// Promise 9: a vendor's failure parks a step, not the case. The account at the
// other vendor goes on to its end.
func TestPromiseVendorFailureParksTheStepNotTheCase(t *testing.T) {
	t.Parallel()
	s := start(t, settings{}) // the vendor that fails is the first
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeRefused)
	other, banner := startSim(t, boxsim.Config{Seed: 2, Scale: fast})
	s.connect("other", asOtherEnterprise(t, banner, ""))
	there, bossThere := hireAt(t, other, boxsim.UserSpec{Name: "Lea Ver"}), hireAt(t, other, boxsim.UserSpec{Name: "Bo Ss"})
	fillAt(t, other, there)

	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "10m")
	require.Equal(t, "box", c.Accounts[0].Connection)
	c = s.await(c.CaseID, "one is parked and one done", func(c apiclient.Case) bool {
		return c.Accounts[0].State == "parked" && c.Accounts[1].State == "done"
	})
	require.Equal(t, "parked", c.State, "the least finished")
	require.Equal(t, "inactive", status(t, s.sim, leaver))
	require.Equal(t, map[string]int{bossThere.id: 6}, owned(other, there))
	require.True(t, account(t, other, there.id).Deleted)
	requireHarmless(t, other)

	s.mode(leaver, boxsim.ModeQuick)
	s.must("cases", "resume", c.CaseID, "--reason", "rights were mended")
	s.awaitState(c.CaseID, "done")
	require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
	requireHarmless(t, s.sim)
}

// event is one audit record of a case.
type event struct {
	Action string `json:"action"`
	Actor  struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"actor"`
	Details map[string]string `json:"details"`
}

// trail is the audit trail of a case.
func (s *stack) trail(id string) []event {
	s.t.Helper()
	report := ask[apiclient.Report](s, cli.ExitDone, "cases", "report", id)
	require.False(s.t, report.EventsTruncated)
	events := make([]event, len(report.Events))
	for i, raw := range report.Events {
		require.NoError(s.t, json.Unmarshal(raw, &events[i]))
	}
	return events
}

// count counts the events of an action; with op, only those about that write.
func count(trail []event, action, op string) (n int) {
	for _, e := range trail {
		if e.Action == action && (op == "" || e.Details["op"] == op) {
			n++
		}
	}
	return n
}

// Promise 10: nothing unsaid. Every decision, and for every write in the
// vendor's log its intent and its outcome, is in the audit trail; the trail can
// be verified without the server, and any changed byte is noticed.
func TestPromiseNothingUnsaid(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeRefused)
	c := s.offboard(cli.ExitParked, leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	s.mode(leaver, boxsim.ModeQuick)
	s.must("cases", "resume", c.CaseID, "--reason", "rights were mended")
	s.awaitState(c.CaseID, "done")

	trail := s.trail(c.CaseID)
	for op, vendorOp := range map[string]string{"suspend": opUpdate, "revoke_sessions": "users.terminate_sessions", "delete": opDelete} {
		sent := len(requests(s.sim, vendorOp, ""))
		require.Equal(t, 1, sent, op)
		require.Equal(t, sent, count(trail, "write.intended", op), "intents of %s", op)
		require.Equal(t, sent, count(trail, "write.outcome", op), "outcomes of %s", op)
	}
	require.Len(t, requests(s.sim, opTransfer, ""), 2)
	require.Equal(t, 2, count(trail, "transfer.sent", ""))
	require.Equal(t, 2, count(trail, "transfer.outcome", ""))
	require.Equal(t, 1, count(trail, "transfer.proven", ""))
	require.Equal(t, 1, count(trail, "plan.parked", ""))
	require.Positive(t, count(trail, "evidence.read", ""))
	require.Equal(t, 1, count(trail, "decision.resume", ""))
	for _, e := range trail {
		if e.Action == "decision.resume" {
			require.Equal(t, "principal", e.Actor.Kind)
			require.Equal(t, "rights were mended", e.Details["reason"])
		}
	}
	s.requireVerifiable()
}

// requireVerifiable exports the audit log and verifies the file with its key, as
// it is and with bytes changed.
func (s *stack) requireVerifiable() {
	s.t.Helper()
	type verified struct {
		OK       bool   `json:"ok"`
		Key      string `json:"key"`
		Unsealed int    `json:"unsealed"`
	}
	var online verified
	s.eventually(patience, "everything is sealed", func() bool {
		online = ask[verified](s, cli.ExitDone, "audit", "verify")
		return online.Unsealed == 0
	})
	file := filepath.Join(s.t.TempDir(), "audit.ndjson")
	s.must("audit", "export", "--to", file)
	require.True(s.t, ask[verified](s, cli.ExitDone, "audit", "verify", file, "--key", online.Key).OK)

	text, err := os.ReadFile(file)
	require.NoError(s.t, err)
	const places = 25
	for i := range places {
		forged := bytes.Clone(text)
		forged[len(forged)*i/places] ^= 1
		r := s.run("audit", "verify", s.file("forged.ndjson", string(forged)), "--key", online.Key)
		require.NotZero(s.t, r.code, "byte %d of %d was changed", len(forged)*i/places, len(forged))
	}
}

// Promise 11: read-only means read-only. Nothing but reads and token requests
// leaves over such a connection, whatever the vendor would allow.
func TestPromiseReadOnlyMeansReadOnly(t *testing.T) {
	t.Parallel()
	for _, client := range []string{boxsim.MainClientID, boxsim.ReadOnlyClientID} {
		t.Run("client "+client, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{bare: true})
			leaver := s.hire("Lea Ver")
			s.vendor.ClientID = client
			s.connect("box", s.vendor, "--read-only")
			s.must("connections", "test", "box")

			for _, template := range []string{"leaver", "suspend", "delete"} {
				r := s.run("offboard", leaver.login, "--template", template)
				require.Equal(t, cli.ExitRefused, r.code, r.err)
				require.Contains(t, r.err, "CONNECTION_READ_ONLY")
			}
			require.Equal(t, cli.ExitRefused, s.run("offboard", leaver.login, "--plan").code)

			require.NotEmpty(t, requests(s.sim, "users.get", leaver.id), "it was read")
			for _, r := range s.sim.Requests() {
				require.True(t, r.Method == http.MethodGet || r.Op == opToken, "%s %s", r.Method, r.Path)
			}
		})
	}
}

// Promise 12: one switch. While the engine is paused no write leaves, at
// whatever step; unpaused, it goes on by itself.
func TestPromiseOneSwitch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, grace string
		when        func(apiclient.Case) bool
	}{
		{"suspend", "0s", nil},
		{"delete", "50m", inStep("wait")}, // five seconds
	} {
		t.Run("before "+c.step, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			leaver := s.hire("Lea Ver")
			if c.when == nil {
				s.must("pause", "--reason", "an audit")
			}
			started := s.begin(leaver.login, "--grace", c.grace)
			if c.when != nil {
				s.await(started.CaseID, c.step, c.when)
				s.must("pause", "--reason", "an audit")
			}
			before := len(writes(s.sim))

			s.eventually(patience, "the engine tried and was held", func() bool {
				log, err := os.ReadFile(filepath.Join(s.dir, app.LogFileName))
				require.NoError(t, err)
				return strings.Contains(string(log), `"code":"paused"`)
			})
			require.Len(t, writes(s.sim), before)
			require.Equal(t, c.step, s.show(started.CaseID).Accounts[0].Step)

			s.must("unpause")
			s.awaitState(started.CaseID, "done")
			require.Equal(t, "deleted", status(t, s.sim, leaver))
		})
	}
}
