package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// in is the stack for a subtest: several may share one, each with people of its
// own, where they do not change what holds for all.
func (s *stack) in(t *testing.T) *stack {
	t.Parallel()
	one := *s
	one.t = t
	return &one
}

// restrict adds a hold or a protection and returns its id.
func (s *stack) restrict(args ...string) string {
	s.t.Helper()
	return ask[apiclient.Restriction](s, cli.ExitDone, append(args, "--reason", "a matter of ours")...).ID
}

// legalHold puts somebody under a legal hold of the vendor's own, and returns
// what takes it away again.
func (s *stack) legalHold(p person) (release func()) {
	s.t.Helper()
	id, err := s.sim.Assign(boxsim.AssignmentSpec{Policy: s.sim.AddLegalHoldPolicy("Matter of " + p.login), Type: "user", ID: p.id})
	require.NoError(s.t, err)
	return func() { require.NoError(s.t, s.sim.Unassign(id)) }
}

// endWait ends the wait, or lets a dated case begin: now.
func (s *stack) endWait(id string) {
	s.t.Helper()
	s.must("cases", "move-date", id, "--to", soon(0), "--reason", "the time has come")
}

// parkedFor waits until a case is parked for a cause, and requires that the cause
// names a way out.
func (s *stack) parkedFor(id, cause string) apiclient.Case {
	s.t.Helper()
	c := s.awaitState(id, "parked")
	require.Equal(s.t, cause, c.Accounts[0].Cause, "%+v", c.Accounts[0].CauseDetail)
	require.NotEmpty(s.t, c.Accounts[0].CauseDetail.Fix)
	return c
}

func (s *stack) resume(id string, more ...string) {
	s.t.Helper()
	s.must(append([]string{"cases", "resume", id, "--reason", "looked at"}, more...)...)
}

// requireKept requires that an account is there and that nobody asked to delete it.
func (s *stack) requireKept(p person) {
	s.t.Helper()
	require.Empty(s.t, requests(s.sim, opDelete, p.id))
	require.False(s.t, account(s.t, s.sim, p.id).Deleted)
}

// Promise 6: holds win. Whatever forbids to touch an account, or to move its
// content, is found by pre-flight and, when it comes later, directly before the
// write that it forbids.
func TestPromiseHoldsWin(t *testing.T) {
	t.Parallel()
	s := start(t, settings{bare: true})
	second := hireAt(t, s.sim, boxsim.UserSpec{Name: "Se Cond", Role: "coadmin"})
	asSecond := s.vendor
	asSecond.AdminID = second.id
	s.connect("box", asSecond)
	boss := s.hire("Bo Ss")

	s.preflightRefuses(t)
	s.stopsMidRun(t, boss)
}

// preflightRefuses: what is known before the first write starts nothing.
func (s *stack) preflightRefuses(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		name, code string
		who        boxsim.UserSpec
		make       func(s *stack, p person)
	}{
		{"hold on the account", "SOURCE_ON_HOLD", boxsim.UserSpec{Name: "Held Account"}, func(s *stack, p person) {
			s.restrict("hold", "add", "--account", "box/"+p.id, "--matter", "7-2026")
		}},
		{"hold on the person", "SOURCE_ON_HOLD", boxsim.UserSpec{Name: "Held Person"}, func(s *stack, p person) {
			s.restrict("hold", "add", "--person", p.login)
		}},
		{"hold on a pattern", "SOURCE_ON_HOLD", boxsim.UserSpec{Name: "Pattern Held"}, func(s *stack, _ person) {
			s.restrict("hold", "add", "--pattern", "pattern.*@example.com")
		}},
		{"protection", "SOURCE_PROTECTED", boxsim.UserSpec{Name: "Pro Tected"}, func(s *stack, p person) {
			s.restrict("protect", "add", "--account", "box/"+p.login)
		}},
		{"legal hold at the vendor", "SOURCE_ON_HOLD", boxsim.UserSpec{Name: "Le Gal"}, func(s *stack, p person) { s.legalHold(p) }},
		{"app user", "SERVICE_ACCOUNT", boxsim.UserSpec{Name: "Ap Puser", App: true}, nil},
		{"co-admin", "PRIVILEGE_TOO_LOW", boxsim.UserSpec{Name: "Co Admin", Role: "coadmin"}, nil},
	} {
		t.Run("pre-flight: "+c.name, func(t *testing.T) {
			s := s.in(t)
			leaver := hireAt(t, s.sim, c.who)
			if c.make != nil {
				c.make(s, leaver)
			}
			r := s.run("offboard", leaver.login)
			require.Equal(t, cli.ExitRefused, r.code, r.err)
			require.Contains(t, r.err, c.code)
			require.Equal(t, cli.ExitRefused, s.run("offboard", leaver.login, "--plan").code)

			suspend := s.run("offboard", leaver.login, "--template", "suspend", "--wait")
			if c.code != "SOURCE_ON_HOLD" {
				require.Equal(t, cli.ExitRefused, suspend.code, suspend.err)
				require.Equal(t, "active", status(t, s.sim, leaver))
				return
			}
			require.Zero(t, suspend.code, suspend.err)
			if c.name != "legal hold at the vendor" { // one who moves nothing does not ask the vendor
				require.Contains(t, suspend.err, "SOURCE_ON_HOLD")
			}
			require.Equal(t, "inactive", status(t, s.sim, leaver))
			s.requireKept(leaver)
		})
	}
	t.Run("pre-flight: the primary admin", func(t *testing.T) {
		s := s.in(t)
		for _, p := range s.sim.People() {
			if p.ID == s.vendor.AdminID {
				r := s.run("offboard", p.Login, "--template", "suspend")
				require.Equal(t, cli.ExitRefused, r.code, r.err)
				require.Contains(t, r.err, "SOURCE_IS_ADMIN")
			}
		}
	})
}

// stopsMidRun: what comes after the first write stops the next one it forbids,
// and once it is gone the plan goes on.
func (s *stack) stopsMidRun(t *testing.T, boss person) {
	t.Helper()
	for _, c := range []struct {
		name, cause string
		who         string
		make        func(s *stack, p person) (end func())
	}{
		{"a hold", "SOURCE_ON_HOLD", "Late Hold", func(s *stack, p person) func() {
			id := s.restrict("hold", "add", "--person", p.login)
			return func() { s.must("hold", "release", id, "--reason", "settled") }
		}},
		{"a legal hold at the vendor", "SOURCE_ON_HOLD", "Late Legal", func(s *stack, p person) func() { return s.legalHold(p) }},
		{"a protection", "SOURCE_PROTECTED", "Late Protection", func(s *stack, p person) func() {
			id := s.restrict("protect", "add", "--pattern", "late.prot*")
			return func() { s.must("protect", "remove", id, "--reason", "a mistake") }
		}},
		{"a role", "SOURCE_PROTECTED", "Late Admin", func(s *stack, p person) func() {
			require.Equal(s.t, 200, byHand(s.t, s.vendor, "PUT", "users/"+p.id, map[string]string{"role": "coadmin"}))
			return func() {
				require.Equal(s.t, 200, byHand(s.t, s.vendor, "PUT", "users/"+p.id, map[string]string{"role": "user"}))
			}
		}},
	} {
		t.Run(c.name+" in the grace period stops the delete", func(t *testing.T) {
			s := s.in(t)
			leaver := s.hire(c.who)
			s.fill(leaver)
			started := s.begin(leaver.login, "--transfer-to", boss.login)
			s.await(started.CaseID, "grace", inStep("wait"))
			end := c.make(s, leaver)
			s.endWait(started.CaseID)

			s.parkedFor(started.CaseID, c.cause)
			s.resume(started.CaseID)
			s.parkedFor(started.CaseID, c.cause)
			s.requireKept(leaver)

			end()
			s.resume(started.CaseID)
			s.awaitState(started.CaseID, "done")
			s.requireGone(leaver, boss, 6)
		})
	}
	t.Run("a hold before the transfer stops it", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Dated Hold")
		s.fill(leaver)
		c := s.begin(leaver.login, "--transfer-to", boss.login, "--at", soon(time.Hour), "--grace", "0s")
		hold := s.restrict("hold", "add", "--account", "box/"+leaver.id)
		s.endWait(c.CaseID)

		c = s.parkedFor(c.CaseID, "SOURCE_ON_HOLD")
		require.Equal(t, "transfer", c.Accounts[0].Step)
		require.Equal(t, "inactive", status(t, s.sim, leaver), "a hold lets it be suspended")
		require.Empty(t, requests(s.sim, opTransfer, leaver.id))

		s.must("hold", "release", hold, "--reason", "settled")
		s.resume(c.CaseID)
		s.awaitState(c.CaseID, "done")
		s.requireGone(leaver, boss, 6)
	})
	t.Run("a protection before the suspend stops it", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Dated Protection")
		c := s.begin(leaver.login, "--at", soon(time.Hour))
		s.restrict("protect", "add", "--person", leaver.login)
		s.endWait(c.CaseID)

		c = s.parkedFor(c.CaseID, "SOURCE_PROTECTED")
		require.Equal(t, "suspend", c.Accounts[0].Step)
		require.Empty(t, requests(s.sim, opUpdate, leaver.id))
		require.Equal(t, "active", status(t, s.sim, leaver))
	})
}

// Promise 6, where nobody can look: a connection that may not read the vendor's
// legal holds deletes nothing, unless an admin says for a time that there are none.
func TestPromiseUnreadableHoldsForbidDeletes(t *testing.T) {
	t.Parallel()
	s := start(t, settings{switches: boxsim.Switches{NoGovernanceScope: true}})
	declare := func(expires string) {
		s.must("connections", "declare", "box", "--no-legal-holds", "--reason", "counsel says so", "--expires", expires)
	}
	boss := s.hire("Bo Ss")
	waiting := map[string]person{"withdrawn": s.hire("With Drawn"), "expired": s.hire("Ex Pired")}

	r := s.run("offboard", waiting["expired"].login)
	require.Equal(t, cli.ExitRefused, r.code, r.err)
	require.Contains(t, r.err, "HOLDS_UNREADABLE")
	require.Contains(t, r.err, "connections declare")
	moved := s.hire("Mo Ved")
	s.fill(moved)
	r = s.run("offboard", moved.login, "--template", "transfer", "--transfer-to", boss.login, "--wait")
	require.Zero(t, r.code, "a transfer alone destroys nothing: %s", r.err)
	require.Contains(t, r.err, "HOLDS_UNREADABLE")
	require.Equal(t, cli.ExitUsage, s.run("connections", "declare", "box", "--no-legal-holds", "--reason", "for good").code)
	operator := s.runAs(s.token("second", "operator"), "connections", "declare", "box", "--no-legal-holds", "--reason", "r", "--expires", "1d")
	require.Equal(t, cli.ExitUsage, operator.code, "an admin's word")

	declare("30d")
	started := map[string]string{}
	for name, leaver := range waiting {
		s.fill(leaver)
		started[name] = s.begin(leaver.login, "--transfer-to", boss.login).CaseID
	}
	for _, id := range started {
		s.await(id, "grace", inStep("wait"))
	}

	s.must("connections", "declare", "box", "--withdraw", "--reason", "a matter came up")
	s.endWait(started["withdrawn"])
	s.parkedFor(started["withdrawn"], "HOLDS_UNREADABLE")
	s.requireKept(waiting["withdrawn"])

	declare("1s")
	s.eventually(patience, "the declaration expires", func() bool {
		return !ask[struct {
			Declaration apiclient.Declaration `json:"no_legal_holds"`
		}](s, cli.ExitDone, "connections", "show", "box").Declaration.Live
	})
	s.endWait(started["expired"])
	s.parkedFor(started["expired"], "HOLDS_UNREADABLE")
	s.requireKept(waiting["expired"])

	declare("30d")
	for name, id := range started {
		s.resume(id)
		s.awaitState(id, "done")
		s.requireGone(waiting[name], boss, 6)
	}
}
