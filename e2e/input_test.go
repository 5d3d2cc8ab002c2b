package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/app"
	"sendoff/internal/cli"
)

// Whatever is asked for wrongly gets one clear message with a fix and the right
// exit code, and nothing is started.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss, busy := s.hire("Lea Ver"), s.hire("Bo Ss"), s.hire("Bu Sy")
	s.fill(leaver)
	hireAt(t, s.sim, boxsim.UserSpec{Name: "Aw Ay", Status: "inactive"})
	hireAt(t, s.sim, boxsim.UserSpec{Name: "Fu Ll", SpaceAmountBytes: 1 << 20})
	open := s.begin(busy.login, "--at", "2035-01-01T00:00:00Z")
	s.eventually(patience, "the open case runs", func() bool { return s.workflows() == 1 })

	secret, wrong := s.file("secret", s.vendor.ClientSecret), s.file("wrong", "not the secret")
	connect := func(base, token, secret, enterprise string) []string {
		return []string{
			"connect", "box", "--name", "second", "--base-url", base, "--token-url", token, "--client-id", s.vendor.ClientID,
			"--client-secret-file", secret, "--enterprise-id", enterprise, "--as", s.vendor.AdminID,
		}
	}
	csv := func(rows ...string) []string {
		return []string{"offboard", "--from", s.file("leavers.csv", "email,last_day,time_zone,receivers\n"+strings.Join(rows, "\n")+"\n")}
	}
	to := func(receivers ...string) []string {
		args := []string{"offboard", leaver.login}
		for _, r := range receivers {
			args = append(args, "--transfer-to", r)
		}
		return args
	}
	dead := "http://127.0.0.1:1"
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"unknown flag", []string{"offboard", leaver.login, "--transfer", boss.login}, cli.ExitUsage, []string{"--transfer", "offboard --help"}},
		{"nobody", []string{"offboard"}, cli.ExitUsage, []string{"nobody is named"}},
		{"plan and wait", []string{"offboard", leaver.login, "--plan", "--wait"}, cli.ExitUsage, []string{"--plan", "--wait"}},
		{"no address", []string{"offboard", "lea.ver"}, cli.ExitUsage, []string{"EMAIL"}},
		{"time without zone", []string{"offboard", leaver.login, "--at", "2035-01-01T18:00:00"}, cli.ExitUsage, []string{"--at", "zone"}},
		{"bare number as grace", []string{"offboard", leaver.login, "--grace", "30"}, cli.ExitUsage, []string{"--grace", "30d"}},
		{"unknown template", append(to(boss.login), "--template", "nope"), cli.ExitUsage, []string{"--template", "sendoff templates list"}},
		{"too many approvals", append(to(boss.login), "--approvals", "9"), cli.ExitUsage, []string{"--approvals"}},
		{"unknown address", []string{"offboard", "nobody@example.com"}, cli.ExitNotFound, []string{"nobody@example.com"}},
		{"no such file", []string{"offboard", "--from", filepath.Join(t.TempDir(), "none.csv")}, cli.ExitUsage, []string{"none.csv"}},
		{"date without zone in a row", csv(leaver.login + ",2035-01-01,," + boss.login), cli.ExitUsage, []string{"line 2, column 2 (last_day)"}},
		{"unknown zone in a row", csv(leaver.login + ",2035-01-01,Mars/Olympus," + boss.login), cli.ExitUsage, []string{"line 2, column 3 (time_zone)"}},
		{"leaver twice", csv(leaver.login+",,,"+boss.login, leaver.login+",,,"+boss.login), cli.ExitUsage, []string{"line 3, column 1 (email)", "line 2"}},
		{"one unknown among rows", csv(leaver.login+",,,"+boss.login, "nobody@example.com,,,"), cli.ExitNotFound, []string{"line 3", "nobody@example.com"}},
		{"receiver leaves too", csv(leaver.login+",,,"+boss.login, boss.login+",,,"), cli.ExitRefused, []string{"RECEIVER_LEAVING", "line 2"}},
		{"receiver leaves in another case", to(busy.login), cli.ExitRefused, []string{"RECEIVER_LEAVING"}},
		{"no receiver", to(), cli.ExitRefused, []string{"RECEIVER_MISSING", "--transfer-to"}},
		{"receiver unknown", to("nobody@example.com"), cli.ExitRefused, []string{"RECEIVER_MISSING"}},
		{"receiver inactive", to("aw.ay@example.com"), cli.ExitRefused, []string{"RECEIVER_INACTIVE"}},
		{"receiver full", to("fu.ll@example.com"), cli.ExitRefused, []string{"RECEIVER_FULL"}},
		{"receiver is the leaver", to(leaver.login), cli.ExitRefused, []string{"RECEIVER_IS_SOURCE"}},
		{"account is busy", []string{"offboard", busy.login}, cli.ExitRefused, []string{"BUSY", open.CaseID}},
		{"content and no transfer", []string{"offboard", leaver.login, "--template", "delete"}, cli.ExitRefused, []string{"CONTENT_REMAINS"}},
		{"unknown case", []string{"cases", "show", "00000000"}, cli.ExitNotFound, nil},
		{"approval without need", []string{"cases", "approve", open.CaseID, "--hash", open.Hash}, cli.ExitRefused, []string{"needs no approval"}},
		{"resume of what runs", []string{"cases", "resume", open.CaseID, "--reason", "why"}, cli.ExitRefused, nil},
		{"dead base URL", connect(dead, dead+"/oauth2/token", secret, s.vendor.EnterpriseID), cli.ExitRefused, []string{"--base-url"}},
		{"wrong secret", connect(s.vendor.BaseURL, s.vendor.TokenURL, wrong, s.vendor.EnterpriseID), cli.ExitRefused, []string{"client id and secret"}},
		{"wrong enterprise", connect(s.vendor.BaseURL, s.vendor.TokenURL, secret, "1"), cli.ExitRefused, nil},
		{"base URL of something else", connect(s.vendor.BaseURL+"/nothing", s.vendor.TokenURL, secret, s.vendor.EnterpriseID), cli.ExitRefused, []string{"--base-url"}},
		{"plain http to another host", connect("http://box.example.com", s.vendor.TokenURL, secret, s.vendor.EnterpriseID), cli.ExitUsage, []string{"https"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.run(c.args...)
			requireOneMessage(t, r, c.code, c.says...)
			require.NotContains(t, r.err, s.vendor.ClientSecret)
			require.Empty(t, r.out, "results alone go to stdout")
			require.Empty(t, writes(s.sim))
			require.Len(t, s.cases(), 1)
			require.Len(t, ask[struct{ Connections []any }](s, cli.ExitDone, "connections", "list").Connections, 1)
		})
	}
	require.Equal(t, 1, s.workflows())
}

// requireOneMessage requires a failure that is told once, with a fix.
func requireOneMessage(t *testing.T, r ran, code int, says ...string) {
	t.Helper()
	require.Equal(t, code, r.code, r.err)
	require.Equal(t, 1, strings.Count("\n"+r.err, "\nsendoff: "), r.err)
	require.Contains(t, r.err, "fix: ")
	for _, s := range says {
		require.Contains(t, r.err, s)
	}
}

// workflows counts what was ever started in the stack's namespace.
func (s *stack) workflows() int {
	s.t.Helper()
	got, err := s.client().CountWorkflow(s.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{})
	require.NoError(s.t, err)
	return int(got.GetCount())
}

func TestTwoMatchesForOneLogin(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver := s.hire("Lea Ver")
	match := func(id string) string {
		return fmt.Sprintf(`{"type":"user","id":%q,"name":"Lea Ver","login":%q,"role":"user","status":"active","space_used":0,"space_amount":1000,
			"enterprise":{"type":"enterprise","id":%q,"name":"Demo"}}`, id, leaver.login, s.vendor.EnterpriseID)
	}
	require.NoError(t, s.sim.AddFaults(simkit.Fault{
		Op: "users.list", Action: simkit.ActionStatus, Status: 200,
		Body: json.RawMessage(`{"total_count":2,"offset":0,"limit":100,"entries":[` + match(leaver.id) + `,` + match("99") + `]}`),
	}))
	requireOneMessage(t, s.run("offboard", leaver.login), cli.ExitNotFound, "AMBIGUOUS_LOGIN", "2 accounts", leaver.login)
	require.Empty(t, s.cases())
	require.Empty(t, writes(s.sim))
}

func TestServerUnreachable(t *testing.T) {
	t.Parallel()
	s := &stack{t: t, dir: t.TempDir()}
	requireOneMessage(t, s.run("cases", "list"), cli.ExitUnreachable, "sendoff up")

	s.address("http://127.0.0.1:1")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, app.TokenFileName), []byte("sendoff_x\n"), 0o600))
	requireOneMessage(t, s.run("offboard", "lea.ver@example.com"), cli.ExitUnreachable, "127.0.0.1:1")

	answer := ask[struct {
		Error struct {
			Message, Fix string
			Code         int `json:"exit_code"`
		} `json:"error"`
	}](s, cli.ExitUnreachable, "cases", "list").Error
	require.NotEmpty(t, answer.Message)
	require.NotEmpty(t, answer.Fix)
	require.Equal(t, cli.ExitUnreachable, answer.Code)
}
