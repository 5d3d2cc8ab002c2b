package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
)

// person is somebody with an account in a simulated company.
type person struct{ id, login string }

// hire adds a managed user NAME@example.com.
func (s *stack) hire(name string) person { return hireAt(s.t, s.sim, boxsim.UserSpec{Name: name}) }

// hireAt adds an account; its login is made from its name.
func hireAt(t *testing.T, sim *boxsim.Sim, spec boxsim.UserSpec) person {
	t.Helper()
	if spec.Login == "" {
		spec.Login = strings.ToLower(strings.ReplaceAll(spec.Name, " ", ".")) + "@example.com"
	}
	id, err := sim.AddUser(spec)
	require.NoError(t, err)
	return person{id, spec.Login}
}

// fill gives somebody a folder with a folder with files in it, and a file and a
// link beside it.
func (s *stack) fill(p person) { fillAt(s.t, s.sim, p) }

func fillAt(t *testing.T, sim *boxsim.Sim, p person) {
	t.Helper()
	folder := seeded(t)(sim.AddFolder(boxsim.ItemSpec{Owner: p.id, Name: "Projects"}))
	inner := seeded(t)(sim.AddFolder(boxsim.ItemSpec{Parent: folder, Name: "Drafts"}))
	seeded(t)(sim.AddFile(boxsim.ItemSpec{Parent: inner, Name: "plan.txt", SizeBytes: 5 << 20}))
	seeded(t)(sim.AddFile(boxsim.ItemSpec{Parent: folder, Name: "budget.txt", SizeBytes: 3 << 20}))
	seeded(t)(sim.AddFile(boxsim.ItemSpec{Owner: p.id, Name: "notes.txt", SizeBytes: 1 << 20}))
	seeded(t)(sim.AddWebLink(boxsim.ItemSpec{Owner: p.id, Name: "wiki"}))
}

// seeded returns the id of what was seeded.
func seeded(t *testing.T) func(id string, err error) string {
	return func(id string, err error) string {
		t.Helper()
		require.NoError(t, err)
		return id
	}
}

// mode chooses how the vendor treats transfers of somebody.
func (s *stack) mode(p person, m boxsim.Mode) {
	s.t.Helper()
	require.NoError(s.t, s.sim.SetTransferMode(p.id, m, 0))
}

// Operations as the simulator's log names them.
const (
	opTransfer = "users.transfer"
	opDelete   = "users.delete"
	opUpdate   = "users.update"
	opToken    = "token"
)

// requests are the requests of one operation on one subject; "" is any.
func requests(sim *boxsim.Sim, op, subject string) []simkit.Record {
	var out []simkit.Record
	for _, r := range sim.Requests() {
		if r.Op == op && (subject == "" || r.Subject == subject) {
			out = append(out, r)
		}
	}
	return out
}

// writes are the requests that change something; asking for a token does not.
func writes(sim *boxsim.Sim) []simkit.Record {
	var out []simkit.Record
	for _, r := range sim.Requests() {
		if r.Method != http.MethodGet && r.Op != opToken {
			out = append(out, r)
		}
	}
	return out
}

// account is an account in the simulator's books.
func account(t *testing.T, sim *boxsim.Sim, id string) boxsim.LedgerAccount {
	t.Helper()
	for _, a := range sim.Ledger().Accounts {
		if a.ID == id {
			return a
		}
	}
	t.Fatalf("the books know no account %s", id)
	return boxsim.LedgerAccount{}
}

// status is an account's status at the vendor.
func status(t *testing.T, sim *boxsim.Sim, p person) string {
	t.Helper()
	for _, u := range sim.People() {
		if u.ID == p.id {
			return u.Status
		}
	}
	return "deleted"
}

// owned counts what somebody owned at first by who owns it now, trash aside.
func owned(sim *boxsim.Sim, first person) map[string]int { return holders(sim, first, "alive") }

// holders is owned for items in one state: alive, trashed or destroyed.
func holders(sim *boxsim.Sim, first person, state string) map[string]int {
	by := map[string]int{}
	for _, it := range sim.Ledger().Items {
		if it.OriginalOwner == first.id && it.State == state {
			by[it.Owner]++
		}
	}
	return by
}

// requireHarmless holds the simulator's log and books against the promises that
// no offboarding may break, however it went.
func requireHarmless(t *testing.T, sim *boxsim.Sim) {
	t.Helper()
	books := sim.Ledger()
	require.Empty(t, books.Forced, "forced requests")
	sent := map[string]int{}
	for _, r := range sim.Requests() {
		require.NotContains(t, r.Query, "force=true")
		if r.Op == opTransfer && !definiteRefusal(r) {
			sent[r.Subject]++
		}
	}
	for source, n := range sent {
		require.LessOrEqual(t, n, 1, "transfer requests of %s that were not refused", source)
	}
	for _, a := range books.Accounts {
		require.LessOrEqual(t, a.MaxConcurrentJobs, 1, "jobs at once touching %s", a.ID)
		require.Zero(t, a.DeletesWhileJobRan, "deletes of %s while a job ran", a.ID)
	}
	require.Zero(t, books.Totals.DestroyedByRequests(), "items destroyed")
	require.Equal(t, books.Totals.OwnedBefore, books.Totals.Alive, "items owned before and alive after")
}

// definiteRefusal tells whether the answer says that no job was started.
func definiteRefusal(r simkit.Record) bool {
	return r.Ended == simkit.EndedAnswered && r.Status >= 400 && r.Status < 500
}
