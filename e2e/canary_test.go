package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/cli"
)

// No name, address or secret of anybody leaves the database: not into logs at
// their wordiest, not into Temporal, also when the vendor quotes them at us and
// a case parks on it.
func TestCanary(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: fast, engineScale: fast, logLevel: "debug"})
	worker := s.spawn("worker")
	leaver := hireAt(t, s.sim, boxsim.UserSpec{Name: "Zanzibarella Quuxington", Login: "zq.canary@example.com"})
	boss := hireAt(t, s.sim, boxsim.UserSpec{Name: "Xylophonius Birdsong", Login: "xb.warbler@example.com"})
	quoted := hireAt(t, s.sim, boxsim.UserSpec{Name: "Quotilda Finchley", Login: "qf.finch@example.com"})
	for _, p := range []person{leaver, quoted} {
		folder := seeded(t)(s.sim.AddFolder(boxsim.ItemSpec{Owner: p.id, Name: "Ptarmigan plans"}))
		seeded(t)(s.sim.AddFile(boxsim.ItemSpec{Parent: folder, Name: "Salaries of goldcrests.xlsx", SizeBytes: 1 << 20}))
	}
	// In the form of Box's own errors, or it would not be read at all.
	rude := func(op, subject string, status int) simkit.Fault {
		return simkit.Fault{
			Op: op, Subject: subject, Attempt: 1, Action: simkit.ActionStatus, Status: status,
			Body: json.RawMessage(`{"type":"error","status":` + strconv.Itoa(status) + `,"code":"forbidden","message":"Quotilda Finchley <qf.finch@example.com> may not",
				"request_id":"r1","context_info":{"errors":[{"reason":"invalid_parameter","name":"qf.finch@example.com","message":"Quotilda Finchley"}]}}`),
		}
	}
	require.NoError(t, s.sim.AddFaults(
		rude(opTransfer, quoted.id, 403), rude(opUpdate, quoted.id, 400), rude("users.memberships", leaver.id, 503),
	))
	approver := s.token("second", "operator")

	parked := s.begin(quoted.login, "--transfer-to", boss.login, "--grace", "0s")
	require.Equal(t, "VENDOR_REFUSED", s.awaitState(parked.CaseID, "parked").Accounts[0].Cause)
	s.must("cases", "resume", parked.CaseID, "--reason", "for "+quoted.login)
	s.await(parked.CaseID, "the transfer is refused", func(c apiclient.Case) bool { return c.Accounts[0].Cause == "TRANSFER_REFUSED" })
	whole := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s", "--approvals", "1")
	approved := s.runAs(approver, "cases", "approve", whole.CaseID, "--hash", whole.Hash, "--reason", "Zanzibarella leaves")
	require.Zero(t, approved.code, approved.err)
	s.awaitState(whole.CaseID, "done")
	s.must("cases", "cancel", parked.CaseID, "--reason", "Quotilda stays")
	s.awaitState(parked.CaseID, "cancelled")
	require.Equal(t, cli.ExitNotFound, s.run("offboard", "zq.canary.nobody@example.com").code)

	third := hireAt(t, s.sim, boxsim.UserSpec{Name: "Zebulonia Marmoset", Login: "zm.marmoset@example.com"})
	s.feed("leaver", boss)
	facts := employed("7", third, "name", "Zebulonia Marmoset", "leave_reason", "marmoset matters")
	require.Equal(t, http.StatusAccepted, s.post("msg_1", facts))
	facts[statusField] = "ended"
	require.Equal(t, http.StatusAccepted, s.post("msg_2", facts))
	heard := s.leaverIn(third, "open")
	s.await(heard.CaseID, "the case waits for its grace", func(c apiclient.Case) bool { return c.Accounts[0].Step == "wait" })
	require.Equal(t, http.StatusUnprocessableEntity, s.post("msg_3", employed("7", third, statusField, "marmoset")))
	require.Equal(t, http.StatusConflict, s.post("msg_2", employed("7", third)))

	told := s.told(worker)
	for where, text := range told {
		for _, canary := range s.canaries(approver) {
			require.NotContains(t, string(bytes.ToLower(text)), canary, "in %s", where)
		}
	}
	// The nets hang where the birds would fly.
	require.Contains(t, string(told["worker's stderr"]), "deprovision/"+whole.Accounts[0].PlanID)
	require.Contains(t, string(told["histories"]), "SettleTransfer")
	require.Contains(t, string(told["histories"]), "binary/encrypted")
	require.Contains(t, string(told["workflows"]), "offboarding/"+whole.CaseID)
	require.Contains(t, string(told["workflows"]), "leaver/"+heard.ID)
}

// canaries are what must not be found, in lower case.
func (s *stack) canaries(tokens ...string) []string {
	s.t.Helper()
	admin, err := os.ReadFile(filepath.Join(s.dir, app.TokenFileName))
	require.NoError(s.t, err)
	key, err := os.ReadFile(filepath.Join(s.dir, app.KeyFileName))
	require.NoError(s.t, err)
	list := []string{
		"zanzibarella", "quuxington", "zq.canary", "xylophonius", "birdsong", "xb.warbler", "quotilda", "finchley", "qf.finch",
		"ptarmigan", "goldcrest", "zebulonia", "marmoset", "@example.com", boxsim.ClientSecret, strings.ToLower(feedSecret),
	}
	for _, secret := range append(tokens, string(admin), string(key)) {
		list = append(list, string(bytes.ToLower(bytes.TrimSpace([]byte(secret)))))
	}
	return list
}

// told is everything that the installation wrote outside its database.
func (s *stack) told(worker *process) map[string][]byte {
	s.t.Helper()
	out := map[string][]byte{"worker's stderr": []byte(worker.output())}
	logs, err := filepath.Glob(filepath.Join(s.dir, "*.stderr"))
	require.NoError(s.t, err)
	p, err := shared.postgres()
	require.NoError(s.t, err)
	for _, path := range append(logs, p.Log()) {
		text, err := os.ReadFile(path)
		require.NoError(s.t, err)
		out[filepath.Base(path)] = text
	}
	c := s.client()
	list, err := c.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	require.NoError(s.t, err)
	require.Len(s.t, list.GetExecutions(), 7, "three cases with a plan each, and a leaver")
	for _, execution := range list.GetExecutions() {
		// Ids, memos and search attributes, which no codec seals.
		text, err := protojson.Marshal(execution)
		require.NoError(s.t, err)
		out["workflows"] = append(out["workflows"], text...)
		events := c.GetWorkflowHistory(s.t.Context(), execution.GetExecution().GetWorkflowId(), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(s.t, err)
			// As protobuf, where bytes stand as they are; JSON would hide them in base64.
			text, err := proto.Marshal(event)
			require.NoError(s.t, err)
			out["histories"] = append(out["histories"], text...)
		}
	}
	return out
}
