package e2e_test

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/cli"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
)

// installation is a stack whose server and worker are processes that come and go.
type installation struct {
	*stack
	server, worker *process
}

func newInstallation(t *testing.T, set settings) *installation {
	t.Helper()
	set.logLevel = "info"
	s := &stack{t: t, set: set, dir: t.TempDir()}
	s.sim, s.vendor = startSim(t, boxsim.Config{Seed: 1, Scale: set.simScale})
	s.database, s.namespace = newDatabase(t), newNamespace(t)
	_, err := secret.LoadOrCreateKeyring(filepath.Join(s.dir, app.KeyFileName))
	require.NoError(t, err)
	migrate := s.spawn("migrate", "--admin-token-file", filepath.Join(s.dir, app.TokenFileName))
	require.NoError(t, migrate.Wait(), "%s", migrate.output())
	in := &installation{stack: s}
	in.up()
	s.connect("box", s.vendor)
	return in
}

func (in *installation) up() {
	in.t.Helper()
	in.server = in.spawn("server", "--listen", "127.0.0.1:0")
	in.address("http://" + in.server.awaitText(`"server is up".*"listen":"([^"]+)"`))
	in.worker = in.spawn("worker")
}

func (in *installation) kill() {
	in.worker.Kill()
	in.server.Kill()
}

// database names and servers of the backup.
func (in *installation) databaseName() string {
	in.t.Helper()
	u, err := url.Parse(in.database)
	require.NoError(in.t, err)
	return strings.TrimPrefix(u.Path, "/")
}

// copyDatabase makes a database out of another, once the sessions of killed
// processes have ended.
func (in *installation) copyDatabase(from, to string) {
	in.t.Helper()
	p, err := shared.postgres()
	require.NoError(in.t, err)
	localtest.Wait(in.t, patience, "nobody uses the database", func() bool {
		_, err = p.CloneDatabase(in.t.Context(), to, from)
		return err == nil
	})
}

// backup keeps the database as it is, with server and worker killed meanwhile,
// and returns what brings it back.
func (in *installation) backup() (restore func()) {
	in.t.Helper()
	p, err := shared.postgres()
	require.NoError(in.t, err)
	kept := localtest.Name("backup")
	in.kill()
	in.copyDatabase(in.databaseName(), kept)
	in.t.Cleanup(func() { require.NoError(in.t, p.DropDatabase(context.Background(), kept)) })
	in.up()
	return func() {
		in.t.Helper()
		require.NoError(in.t, p.DropDatabase(in.t.Context(), in.databaseName()))
		in.copyDatabase(kept, in.databaseName())
	}
}

// recover runs sendoff recover and returns what it said, once the sessions of
// killed processes have ended.
func (in *installation) recover(args ...string) string {
	in.t.Helper()
	var p *process
	localtest.Wait(in.t, patience, "recovered", func() bool {
		p = in.spawn(append([]string{"recover", "--reason", "the disk died"}, args...)...)
		return p.Wait() == nil || !strings.Contains(p.output(), "other sessions use the database")
	})
	require.NoError(in.t, p.Wait(), p.output())
	return p.output()
}

// requireRefused requires that neither server nor worker starts on the database.
func (in *installation) requireRefused() {
	in.t.Helper()
	for _, command := range []string{"server", "worker"} {
		p := in.spawn(command)
		require.Error(in.t, p.Wait())
		require.Contains(in.t, p.output(), "sendoff recover --after-restore")
	}
}

// leaveAndBackUp begins a leaver, backs up before the suspend and lets it go on.
func (in *installation) leaveAndBackUp(mode boxsim.Mode, grace string) (c apiclient.Case, leaver, boss person, restore func()) {
	in.t.Helper()
	leaver, boss = in.hire("Lea Ver"), in.hire("Bo Ss")
	in.fill(leaver)
	in.mode(leaver, mode)
	in.must("pause", "--reason", "backup window")
	c = in.begin(leaver.login, "--transfer-to", boss.login, "--grace", grace)
	in.await(c.CaseID, "the snapshot was taken", func(c apiclient.Case) bool { return c.Accounts[0].Step == "suspend" })
	restore = in.backup()
	in.must("unpause")
	return c, leaver, boss, restore
}

// goOn starts server and worker after a recovery and lets the engine write.
func (in *installation) goOn() {
	in.t.Helper()
	in.up()
	in.must("connections", "allow-writes", "box", "--reason", "compared with the vendor")
	in.must("unpause")
}

func (in *installation) requireSentOnce(leaver, boss person) {
	in.t.Helper()
	a := account(in.t, in.sim, leaver.id)
	require.True(in.t, a.Deleted, "the account is gone")
	require.Equal(in.t, 1, a.TransferRequests)
	require.Equal(in.t, map[string]int{boss.id: 6}, owned(in.sim, leaver))
	requireHarmless(in.t, in.sim)
}

// A backup from before the transfer is restored while the vendor carries it out:
// nothing starts on it until sendoff recover was run, evidence then tells what
// became of the transfer, and it is not sent a second time.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, settings{simScale: 60, engineScale: fast}) // the call is open for 10 s
	c, leaver, boss, restore := in.leaveAndBackUp(boxsim.ModeSlow200, "0s")
	in.awaitTransferCall(leaver, simkit.EndedOpen)
	kept := filepath.Join(in.dir, "checkpoint")
	in.eventually(patience, "a checkpoint", func() bool { return in.run("audit", "checkpoint", "--to", kept).code == cli.ExitDone })
	in.kill()
	restore()

	in.requireRefused()
	asked := in.spawn("recover", "--after-restore", "--reason", "the disk died")
	require.Error(t, asked.Wait(), "nobody said yes")
	looked := in.recover("--after-restore", "--plan")
	require.Contains(t, looked, "case "+c.CaseID+": none -> settling, evidence decides")
	in.requireRefused()
	in.recover("--after-restore", "--yes")
	in.goOn()

	c = in.awaitState(c.CaseID, "done")
	require.Equal(t, "proven", c.Accounts[0].Transfer.State)
	in.requireSentOnce(leaver, boss)
	in.must("audit", "verify")
	forked := in.run("audit", "verify", "--since", kept)
	require.Equal(t, cli.ExitInternal, forked.code, "the log does not continue what was exported before")
	require.Contains(t, forked.out, "checkpoint you hold")
}

// A restored backup that is taken for a complete database parks what is behind
// and sends nothing; resuming does not help, recovering does.
func TestRestoredBackupTakenForComplete(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, settings{simScale: fast, engineScale: fast})
	c, leaver, boss, restore := in.leaveAndBackUp(boxsim.ModeQuick, "1h") // the grace lasts 6 s
	in.await(c.CaseID, "the grace period", func(c apiclient.Case) bool { return c.Accounts[0].Step == "wait" })
	in.kill()
	restore()

	in.recover("--nothing-lost", "--yes")
	in.up()
	in.must("unpause")
	require.Equal(t, "STATE_BEHIND", in.awaitState(c.CaseID, "parked").Accounts[0].Cause)
	in.must("cases", "resume", c.CaseID, "--reason", "in the hope of better")
	require.Equal(t, "STATE_BEHIND", in.awaitState(c.CaseID, "parked").Accounts[0].Cause)
	require.Len(t, requests(in.sim, opTransfer, leaver.id), 1)
	require.Empty(t, requests(in.sim, opDelete, leaver.id))
	in.kill()

	in.recover("--after-restore", "--yes")
	in.goOn()
	in.awaitState(c.CaseID, "done")
	in.requireSentOnce(leaver, boss)
	in.must("audit", "verify")
}

// A case that was opened after the backup is known to Temporal alone: its
// workflows find no row and end, and a new case may be opened.
func TestCaseThatTheBackupDoesNotKnow(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, settings{simScale: fast, engineScale: fast})
	leaver, boss := in.hire("Lea Ver"), in.hire("Bo Ss")
	in.fill(leaver)
	restore := in.backup()
	lost := in.begin(leaver.login, "--transfer-to", boss.login, "--grace", "1h")
	in.await(lost.CaseID, "the grace period", func(c apiclient.Case) bool { return c.Accounts[0].Step == "wait" })
	in.kill()
	restore()
	in.recover("--after-restore", "--yes")
	in.goOn()

	require.Equal(t, cli.ExitNotFound, in.run("cases", "show", lost.CaseID).code)
	in.eventually(patience, "its workflows have ended", func() bool {
		return in.running("offboarding/"+lost.CaseID) == 0 && in.running("deprovision/"+string(planID(lost))) == 0
	})
	require.Equal(t, "inactive", status(t, in.sim, leaver), "left as it was")
	require.Empty(t, requests(in.sim, opDelete, leaver.id))
	require.Equal(t, 1, account(t, in.sim, leaver.id).TransferRequests)
	requireHarmless(t, in.sim)
}

// running counts the runs of a workflow that go on.
func (in *installation) running(id string) int {
	in.t.Helper()
	got, err := in.client().DescribeWorkflowExecution(in.t.Context(), id, "")
	require.NoError(in.t, err)
	if got.GetWorkflowExecutionInfo().GetCloseTime() == nil {
		return 1
	}
	return 0
}
