package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/bamboohr/bamboosim"
	"sendoff/internal/apiclient"
)

// office is a company at BambooHR: the leaver has the id 5 and the manager 6.
type office struct {
	*bamboosim.Sim
	s *stack
}

// bamboo connects a company whose webhooks come to our door.
func (s *stack) bamboo(template string, leaver, manager person) office {
	s.t.Helper()
	sim, err := bamboosim.New(bamboosim.Config{
		Seed: 1, Scale: fast, WebhookURL: s.base() + "/hooks/bamboo",
		People: []bamboosim.Person{
			{ID: "6", Email: manager.login, First: "Bo", Last: "Ss"},
			{ID: "5", Email: leaver.login, First: "Lea", Last: "Ver", Manager: "6"},
		},
	})
	require.NoError(s.t, err)
	s.t.Cleanup(sim.Close)
	server, banner, err := sim.Start("127.0.0.1:0")
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, server.Close()) })
	s.must("hr", "sources", "add", "bamboo", "--kind", "bamboohr", "--time-zone", "America/Denver", "--template", template, "--transfer-to", "manager",
		"--base-url", banner.BaseURL, "--api-key-file", s.file("key", banner.APIKey), "--secret-file", s.file("private", banner.PrivateKey))
	s.must("hr", "sources", "poll", "bamboo")
	s.eventually(patience, "both employees are known", func() bool {
		return s.run("people", "show", leaver.login).code == 0 && s.run("people", "show", manager.login).code == 0 && s.applied()
	})
	return office{sim, s}
}

// A termination that BambooHR tells of ends in a deletion that is proven, with the
// content at the leaver's manager, whom BambooHR names.
func TestTerminationAtBambooHRToProof(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.must("sync", "box", "--wait")
	s.apply("gone", "transfer", "delete")
	o := s.bamboo("gone", leaver, boss)

	require.NoError(t, o.Terminate(bamboosim.Termination{ID: "5", Date: time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}))

	require.Equal(t, "done", s.leaver(leaver, "the leaver has ended", func(l apiclient.Leaver) bool { return l.State == "ended" }).End)
	s.requireGone(leaver, boss, 6)
	s.must("audit", "verify")
}

// A termination that is still to come is seen by the poll alone; cleared again, its
// case goes.
func TestAFutureTerminationIsPolled(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.must("sync", "box", "--wait")
	s.apply("gone", "transfer", "delete")
	o := s.bamboo("gone", leaver, boss)
	require.NoError(t, o.Terminate(bamboosim.Termination{ID: "5", Date: "2031-12-31"}))
	s.must("hr", "sources", "poll", "bamboo")

	l := s.leaverIn(leaver, "open")
	require.Equal(t, "2032-01-01T01:00:00Z", s.show(l.CaseID).EffectiveAt.UTC().Format(time.RFC3339), "18:00 in Denver")

	require.NoError(t, o.ClearTermination("5"))
	s.must("hr", "sources", "poll", "bamboo")
	s.awaitState(l.CaseID, "cancelled")
	require.Equal(t, "withdrawn", s.leaverIn(leaver, "ended").End)
	require.Empty(t, writes(s.sim))
}
