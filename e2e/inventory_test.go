package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// write writes a file of the test's own and returns its path.
func (s *stack) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// synced syncs a connection and returns its accounts by login.
func (s *stack) synced(connection string) map[string]apiclient.AccountRow {
	s.t.Helper()
	s.must("sync", connection, "--wait")
	page := ask[apiclient.AccountPage](s, cli.ExitDone, "accounts", "list", "--connection", connection, "--limit", "500")
	found := map[string]apiclient.AccountRow{}
	for _, a := range page.Accounts {
		found[a.Login] = a
	}
	return found
}

// grade is what an account's use comes to.
func (s *stack) grade(login string) string {
	s.t.Helper()
	return ask[struct{ Account apiclient.AccountDetail }](s, cli.ExitDone, "accounts", "show", login).Account.Grade
}

// From the roster to the proof: who leaves is known by the roster, their manager
// receives, and what became of the account is known from our own journal.
func TestInventoryKnowsPeopleAndTheirAccounts(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss, other := s.hire("Lea Ver"), s.hire("Bo Ss"), s.hire("Ot Her")
	s.fill(leaver)
	require.Equal(t, "active", s.synced("box")[leaver.login].Status)
	s.must("people", "import", s.write("roster.csv", strings.Join([]string{
		"employee_id,work_email,first_name,last_name,manager_id,department",
		"1," + boss.login + ",Bo,Ss,,Sales",
		"2," + leaver.login + ",Lea,Ver,1,Sales",
	}, "\n")+"\n"), "--source", "roster")

	accounts := s.synced("box")
	require.Equal(t, leaver.login, accounts[leaver.login].Person)
	require.Equal(t, "email", accounts[leaver.login].PersonBy)
	require.Empty(t, accounts[other.login].Person, "nobody is guessed")

	s.offboard(cli.ExitDone, leaver.login, "--transfer-to", "manager", "--grace", "10m")
	s.requireGone(leaver, boss, 6)
	require.Equal(t, "deleted", s.synced("box")[leaver.login].Status, "our journal tells")
}

// Promise 4: unknown never triggers. Where events may not be read, or are not
// read up to now, nobody is called inactive.
func TestPromiseUnknownNeverTriggers(t *testing.T) {
	t.Parallel()
	s := start(t, settings{switches: boxsim.Switches{PlanWithoutEvents: true}})
	silent := hireAt(t, s.sim, boxsim.UserSpec{Name: "Si Lent", CreatedAt: time.Now().Add(-300 * 24 * time.Hour)})
	s.synced("box")
	require.Equal(t, "not_collected", s.grade(silent.login))
	r := s.must("report", "inactive")
	require.NotContains(t, r.out, silent.login)
	require.Contains(t, r.out, "not_collected")

	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{}))
	s.synced("box")
	require.Equal(t, "inactive", s.grade(silent.login))
	require.Contains(t, s.must("report", "inactive").out, silent.login)
}

// Promise 8 in listings: an account that a listing leaves out is missing, and
// deleted only when it is not found and the vendor's events, or our journal, say
// who deleted it. A listing that lost too many is not applied.
func TestPromiseAbsenceFromAListingIsNotDeletion(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	told, untold := s.hire("To Ld"), s.hire("Un Told")
	for _, name := range []string{"A One", "B Two", "C Three", "D Four", "E Five", "F Six"} {
		s.hire(name)
	}
	s.synced("box")
	require.Equal(t, 204, byHand(t, s.vendor, "DELETE", "users/"+told.id, nil))
	s.eventually(patience, "the vendor's event is known", func() bool { return s.synced("box")[told.login].Status == "deleted" })
	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{DeleteEventSource: "null"})) // an event that names nobody
	require.Equal(t, 204, byHand(t, s.vendor, "DELETE", "users/"+untold.id, nil))
	require.Equal(t, "missing", s.synced("box")[untold.login].Status)
	require.Equal(t, "missing", s.synced("box")[untold.login].Status)

	for _, p := range s.sim.People() {
		if strings.HasSuffix(p.Login, "@example.com") && p.Role == "user" {
			require.NoError(t, s.sim.RemoveUser(p.ID))
		}
	}
	r := s.run("sync", "box", "--only", "accounts", "--wait")
	require.Equal(t, cli.ExitParked, r.code, r.err)
	require.Contains(t, r.out, "quarantined")
	require.Equal(t, "active", s.listed("box")["a.one@example.com"].Status, "nothing was applied")
	require.Contains(t, s.must("alarms", "list").out, "SYNC_QUARANTINED")
}

func (s *stack) listed(connection string) map[string]apiclient.AccountRow {
	s.t.Helper()
	found := map[string]apiclient.AccountRow{}
	for _, a := range ask[apiclient.AccountPage](s, cli.ExitDone, "accounts", "list", "--connection", connection, "--limit", "500").Accounts {
		found[a.Login] = a
	}
	return found
}

// Promise 11 for all that reads: over a read-only connection syncs, the doctor
// and every report send nothing but GET and the token request.
func TestPromiseReadOnlyReadsOnly(t *testing.T) {
	t.Parallel()
	s := start(t, settings{bare: true})
	who := s.hire("Re Ader")
	s.group(boxsim.GroupSpec{Name: "Team", Members: []string{who.id}})
	s.connect("box", s.vendor, "--read-only")
	s.synced("box")
	s.must("connections", "test", "box")
	for _, report := range []string{"licenses", "inactive", "orphans", "changes"} {
		s.must("report", report)
	}
	s.must("report", "usage", "--connection", "box")
	require.NotEmpty(t, requests(s.sim, "events.list", ""))
	for _, r := range s.sim.Requests() {
		require.True(t, r.Method == http.MethodGet || r.Op == opToken, "%s %s", r.Method, r.Path)
	}
}

// A worker killed in the middle of a listing leaves it at its page: the same rows
// come out, and none is listed twice.
func TestWorkerKilledInsideASync(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	s.hire("Some Body")
	s.hire("Any Body")
	require.NoError(t, s.sim.AddFaults(simkit.Fault{Op: "groups.list", Attempt: 3, Action: simkit.ActionHang}))
	s.group(boxsim.GroupSpec{Name: "Team"})
	worker := s.spawn("worker")
	started := ask[struct{ Runs []apiclient.Run }](s, cli.ExitDone, "sync", "box", "--only", "accounts")
	s.eventually(patience, "the listing of groups hangs", func() bool { return len(requests(s.sim, "groups.list", "")) == 3 })
	worker.Kill()
	s.spawn("worker")
	s.eventually(afterKill, "the sync ends", func() bool {
		return ask[apiclient.Run](s, cli.ExitDone, "runs", "show", started.Runs[0].RunID).State == "done"
	})
	run := ask[apiclient.Run](s, cli.ExitDone, "runs", "show", started.Runs[0].RunID)
	require.Equal(t, 1, run.Datasets[0].Pages)
	require.EqualValues(t, len(s.listed("box")), run.Datasets[0].Rows)
}

// An application that is removed at the vendor is noticed by the next probe, its
// connection fails, and nothing but ever rarer probes calls any more.
func TestRemovedApplicationIsNoticed(t *testing.T) {
	t.Parallel()
	s := start(t, settings{schedules: true})
	s.must("connections", "schedule", "box", "--probe", "1s", "--activity", "1s", "--sync", "1s")
	s.eventually(patience, "runs begin by themselves", func() bool { return strings.Count(s.must("runs", "list").out, "activity") > 1 })
	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{AppState: "disabled"}))
	s.eventually(patience, "the connection fails", func() bool { return strings.Contains(s.must("connections", "list").out, "failed") })
	require.Contains(t, s.must("alarms", "list").out, "INTEGRATION_REMOVED")
	require.Equal(t, 1, strings.Count(s.must("alarms", "list").out, "INTEGRATION_REMOVED"))
	last := s.lastRun("activity")
	s.eventually(patience, "another probe", func() bool { return s.lastRun("probe") != last })
	require.Equal(t, last, s.lastRun("activity"), "nothing else is tried")
}

func (s *stack) lastRun(kind string) string {
	s.t.Helper()
	return ask[apiclient.RunPage](s, cli.ExitDone, "runs", "list", "--kind", kind, "--limit", "1").Runs[0].RunID
}
