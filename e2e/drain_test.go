package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/local/localtest"
)

// page asks one of a process's own pages; 0 = nobody answers.
func page(t *testing.T, address, path string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

// pages is where a process serves its own pages.
func (p *process) pages() string { return p.awaitText(`"health_listen":"([^"]+)"`) }

func awaitReady(t *testing.T, address string) {
	t.Helper()
	localtest.Wait(t, patience, "the process is ready", func() bool {
		status, _ := page(t, address, "/readyz")
		return status == http.StatusOK
	})
}

// A worker that is asked to stop while a transfer call is open takes no new work,
// hears the answer out and ends; the next worker goes on where it was, without
// the minute that Temporal takes to miss a worker that died.
func TestWorkerDrainsATransferCall(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: 60, engineScale: fast}) // the call is open for 10 s
	worker := s.spawn("worker")
	pages := worker.pages()
	awaitReady(t, pages)
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeSlow200)
	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
	s.awaitTransferCall(leaver, simkit.EndedOpen)

	worker.Terminate()
	localtest.Wait(t, patience, "readiness goes", func() bool {
		status, text := page(t, pages, "/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(text, "is stopping")
	})
	status, _ := page(t, pages, "/healthz")
	require.Equal(t, http.StatusOK, status, "it lives while it drains")
	require.Equal(t, simkit.EndedOpen, requests(s.sim, opTransfer, leaver.id)[0].Ended, "the call is still open")
	require.NoError(t, worker.Wait(), "%s", worker.output())
	require.Contains(t, worker.output(), "worker has stopped")
	calls := requests(s.sim, opTransfer, leaver.id)
	require.Len(t, calls, 1)
	require.Equal(t, simkit.EndedAnswered, calls[0].Ended, "it heard the answer out")
	drained := time.Now()

	s.spawn("worker")
	c = s.awaitState(c.CaseID, "done")
	require.Less(t, time.Since(drained), 45*time.Second, "no heartbeat had to be missed")
	require.Equal(t, 1, c.Accounts[0].Transfer.Attempts)
	requireHarmless(t, s.sim)
	s.must("audit", "verify")
}

// A server that is asked to stop ends the requests it has, and what they wrote
// is carried to Temporal; it takes no others.
func TestServerDrainsRequests(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	leaver := s.hire("Lea Ver")
	require.NoError(t, s.sim.AddFaults(simkit.Fault{Op: "users.list", Action: simkit.ActionDelay, DelayMS: 3000}))
	awaitReady(t, s.server.pages())

	answered := make(chan ran, 1)
	go func() { answered <- s.run("offboard", leaver.login, "--template", "suspend", "--output", "json") }()
	localtest.Wait(t, patience, "the request looks the account up", func() bool {
		calls := requests(s.sim, "users.list", "")
		return len(calls) > 0 && calls[len(calls)-1].Ended == simkit.EndedOpen
	})
	s.server.Terminate()
	localtest.Wait(t, patience, "the port is closed", func() bool { status, _ := page(t, s.api, "/healthz"); return status == 0 })
	got := <-answered
	require.Zero(t, got.code, "the request that was under way succeeds: %s%s", got.out, got.err)
	require.NoError(t, s.server.Wait(), "%s", s.server.output())
	require.Contains(t, s.server.output(), "server has stopped")

	require.Contains(t, got.out, "case_id")
	s.spawn("worker")
	localtest.Wait(t, patience, "the case runs, for it was dispatched before the server ended", func() bool {
		return status(t, s.sim, leaver) == "inactive"
	})
}
