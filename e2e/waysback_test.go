package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// dying lets the next transfer of somebody end after two items. Nothing tells
// so: the vendor's answer is a 500.
func (s *stack) dying(p person) {
	s.t.Helper()
	require.NoError(s.t, s.sim.PlanTransfers(p.id, boxsim.TransferPlan{Mode: boxsim.ModeQuick, Dies: true, DiesAfterItems: 2}))
}

func (s *stack) report(id string) apiclient.Report {
	s.t.Helper()
	return ask[apiclient.Report](s, cli.ExitDone, "cases", "report", id)
}

// decided requires that a report names a decision with who took it and why.
func decided(t *testing.T, r apiclient.Report, kind, reason string) {
	t.Helper()
	require.True(t, slices.ContainsFunc(r.Decisions, func(d apiclient.Decision) bool {
		return d.Kind == kind && d.Reason == reason && d.Principal != "" && d.TokenID != "" && d.CreatedAt != ""
	}), "%s for %q in %+v", kind, reason, r.Decisions)
}

// unproven are the steps of which a report says that something is not proven.
func unproven(r apiclient.Report) (steps []string) {
	for _, u := range r.Unproven {
		steps = append(steps, u.Step)
	}
	return steps
}

// A transfer whose job died half way is found out by evidence, and an operator
// has every way on.
func TestWaysOnFromAStalledTransfer(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	t.Run("resume watches on, send-again sends once more", func(t *testing.T) {
		s := s.in(t)
		leaver, boss := s.hire("Again Sent"), s.hire("Again Boss")
		s.fill(leaver)
		s.dying(leaver)
		c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		again := []string{"cases", "resume", c.CaseID, "--send-again", "--reason", "support says it is dead"}
		early := s.run(append(again, "--yes")...)
		require.Equal(t, cli.ExitRefused, early.code, "%s%s", early.out, early.err)

		s.parkedFor(c.CaseID, "TRANSFER_STALLED")
		require.Len(t, requests(s.sim, opTransfer, leaver.id), 1)
		s.resume(c.CaseID)
		watched := s.run(append(again, "--yes")...)
		require.Equal(t, cli.ExitRefused, watched.code, "%s%s", watched.out, watched.err)
		s.parkedFor(c.CaseID, "TRANSFER_STALLED")
		require.Len(t, requests(s.sim, opTransfer, leaver.id), 1)

		unsure := s.run(again...)
		require.Equal(t, cli.ExitUsage, unsure.code)
		require.Contains(t, unsure.err, "second destination folder")
		require.Equal(t, "parked", s.show(c.CaseID).State)
		s.must(append(again, "--yes")...)
		c = s.awaitState(c.CaseID, "done")

		require.Equal(t, "proven", c.Accounts[0].Transfer.State)
		require.Equal(t, 2, c.Accounts[0].Transfer.Attempts)
		require.Len(t, c.Accounts[0].Transfer.FolderIDs, 2)
		require.Equal(t, 2, account(t, s.sim, leaver.id).TransferRequests)
		require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
		require.True(t, account(t, s.sim, leaver.id).Deleted)
		trail := s.trail(c.CaseID)
		require.Equal(t, 1, count(trail, "decision.send_again", ""))
		require.Equal(t, 1, count(trail, "decision.resume", ""))
		require.Equal(t, 2, count(trail, "transfer.sent", ""))
		require.Equal(t, 2, count(trail, "transfer.outcome", ""))
		decided(t, s.report(c.CaseID), "send_again", "support says it is dead")
	})
	t.Run("waiving the transfer gives it up, and the delete with it", func(t *testing.T) {
		s := s.in(t)
		leaver, boss := s.hire("Given Up"), s.hire("Given Boss")
		s.fill(leaver)
		s.dying(leaver)
		c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		s.parkedFor(c.CaseID, "TRANSFER_STALLED")
		before := owned(s.sim, leaver)

		waive := []string{"cases", "waive", c.CaseID, "--step", "transfer", "--reason", "moved by hand"}
		unsure := s.run(waive...)
		require.Equal(t, cli.ExitUsage, unsure.code)
		require.Contains(t, unsure.err, "waives the delete too")
		s.must(append(waive, "--yes")...)
		c = s.awaitState(c.CaseID, "done")

		require.Equal(t, "given_up", c.Accounts[0].Transfer.State)
		require.Equal(t, map[string]string{
			"snapshot": "done", "suspend": "done", "revoke_sessions": "done", "transfer": "waived", "wait": "done", "delete": "waived",
		}, stepStates(c))
		s.requireKept(leaver)
		require.Equal(t, "inactive", status(t, s.sim, leaver))
		require.Equal(t, before, owned(s.sim, leaver))
		require.Len(t, requests(s.sim, opTransfer, leaver.id), 1)

		r := s.report(c.CaseID)
		decided(t, r, "waive", "moved by hand")
		require.Contains(t, unproven(r), "transfer")
		require.Contains(t, unproven(r), "delete")
	})
	t.Run("a released lane lets the next leaver go", func(t *testing.T) {
		s := s.in(t)
		leaver, next, boss := s.hire("Lane Holder"), s.hire("Lane Waiter"), s.hire("Lane Boss")
		s.fill(leaver)
		s.fill(next)
		s.dying(leaver)
		c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s")
		s.await(c.CaseID, "it is sent", func(apiclient.Case) bool { return len(requests(s.sim, opTransfer, leaver.id)) == 1 })
		waits := s.begin(next.login, "--transfer-to", boss.login, "--grace", "0s")
		s.parkedFor(c.CaseID, "TRANSFER_STALLED")
		s.await(waits.CaseID, "it waits for the lane", inTransfer("waiting"))
		require.Empty(t, requests(s.sim, opTransfer, next.id))

		s.must("cases", "release-lane", c.CaseID, "--yes", "--reason", "support says it is dead")
		s.awaitState(waits.CaseID, "done")
		require.True(t, account(t, s.sim, next.id).Deleted)
		require.Equal(t, "parked", s.show(c.CaseID).State)

		s.must("cases", "resume", c.CaseID, "--send-again", "--yes", "--reason", "the lane is free again")
		s.awaitState(c.CaseID, "done")
		require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
		require.Equal(t, 2, account(t, s.sim, leaver.id).TransferRequests)
		require.Equal(t, 1, account(t, s.sim, boss.id).MaxConcurrentJobs)
	})
}

// stepStates are the states of the first account's steps by their kinds.
func stepStates(c apiclient.Case) map[string]string {
	states := map[string]string{}
	for _, step := range c.Accounts[0].Steps {
		states[step.Kind] = step.State
	}
	return states
}

// A vendor that transfers from active accounts alone gets its source active for
// the call and for nothing else.
func TestPromiseWindowIsOpenForTheCallAlone(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	s.apply("reactivating", "transfer: {inactive_source: reactivate}")
	whole := []string{"PUT", "terminate", "transfer", "PUT", "transfer", "PUT", "terminate"}
	for i, answer := range []string{"403", "400", "401"} {
		require.NoError(t, s.sim.SetSwitches(boxsim.Switches{RefuseInactiveSource: true, InactiveSourceAnswer: answer}))
		leaver, boss := s.hire("Refused "+answer), s.hire("Boss "+answer)
		s.fill(leaver)
		before := len(s.sim.Requests())
		args := []string{leaver.login, "--transfer-to", boss.login}
		var c apiclient.Case
		if i == 0 { // an operator allows it
			c = s.begin(args...)
			s.parkedFor(c.CaseID, "SOURCE_INACTIVE_REFUSED")
			require.Equal(t, "inactive", status(t, s.sim, leaver))
			reactivate := []string{"cases", "resume", c.CaseID, "--reactivate", "--reason", "the vendor wants it active"}
			require.Equal(t, cli.ExitUsage, s.run(reactivate...).code, "it asks first")
			s.must(append(reactivate, "--yes")...)
		} else { // the template does
			c = s.begin(append(args, "--template", "reactivating")...)
		}
		s.await(c.CaseID, "grace", inStep("wait"))

		require.Equal(t, "inactive", status(t, s.sim, leaver))
		require.Equal(t, whole, touches(s.sim, before, leaver))
		r := s.report(c.CaseID)
		require.Len(t, r.Windows, 1)
		require.NotNil(t, r.Windows[0].ClosedAt)
		require.Equal(t, 1, count(s.trail(c.CaseID), "window.opened", ""))
		require.Equal(t, 1, count(s.trail(c.CaseID), "window.closed", ""))
		s.endWait(c.CaseID)
		s.awaitState(c.CaseID, "done")
		require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
		require.Equal(t, map[string]int{"refused": 1, "ok200": 1}, account(t, s.sim, leaver.id).Transfers)
	}
	s.vendorKeepsSessions()
	requireHarmless(t, s.sim)
}

// vendorKeepsSessions: a vendor that refuses for good to end sessions parks the
// step that is there for it, which may be waived; it keeps no window open.
func (s *stack) vendorKeepsSessions() {
	s.t.Helper()
	require.NoError(s.t, s.sim.AddFaults(simkit.Fault{Op: "users.terminate_sessions", Action: simkit.ActionStatus, Status: 403}))
	leaver, boss := s.hire("Signed In"), s.hire("Signed Boss")
	s.fill(leaver)
	c := s.begin(leaver.login, "--transfer-to", boss.login, "--template", "reactivating", "--grace", "0s")
	s.parkedFor(c.CaseID, "VENDOR_REFUSED")
	s.must("cases", "waive", c.CaseID, "--yes", "--reason", "the identity provider ends them")

	c = s.awaitState(c.CaseID, "done")
	require.Equal(s.t, "waived", stepStates(c)["revoke_sessions"])
	require.Equal(s.t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
	r := s.report(c.CaseID)
	decided(s.t, r, "waive", "the identity provider ends them")
	require.Contains(s.t, unproven(r), "revoke_sessions")
	require.NotNil(s.t, r.Windows[0].ClosedAt)
}

// touches are the writes to somebody since a request, in their order; sessions
// are ended by a call that names nobody in its path.
func touches(sim *boxsim.Sim, since int, p person) (list []string) {
	short := map[string]string{opUpdate: "PUT", "users.terminate_sessions": "terminate", opTransfer: "transfer", opDelete: "DELETE"}
	for _, r := range sim.Requests()[since:] {
		if name := short[r.Op]; name != "" && (r.Subject == p.id || name == "terminate") {
			list = append(list, name)
		}
	}
	return list
}

// A worker that is killed while the window is open leaves an account that can
// sign in: closing it is the first thing that is done afterwards.
func TestPromiseWindowIsClosedAfterAKill(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: 60, engineScale: fast}) // the call is open for 10 s
	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{RefuseInactiveSource: true}))
	worker := s.spawn("worker")
	s.apply("reactivating", "transfer: {inactive_source: reactivate}")
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.mode(leaver, boxsim.ModeSlow200)

	c := s.begin(leaver.login, "--template", "reactivating", "--transfer-to", boss.login)
	s.eventually(patience, "the window is open and the call made", func() bool {
		return len(requests(s.sim, opTransfer, leaver.id)) == 2 && status(t, s.sim, leaver) == "active"
	})
	worker.Kill()
	killed := len(s.sim.Requests())
	s.spawn("worker")
	s.eventually(afterKill, "it is suspended again", func() bool { return status(t, s.sim, leaver) == "inactive" })
	require.Equal(t, "PUT", touches(s.sim, killed, leaver)[0])
	s.await(c.CaseID, "grace", inStep("wait"))

	require.Equal(t, []string{"PUT", "terminate"}, touches(s.sim, killed, leaver))
	require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
	require.NotNil(t, s.report(c.CaseID).Windows[0].ClosedAt)
	requireHarmless(t, s.sim)
}

// Dates and receivers may be changed by those who may decide; what was approved
// is approved anew (promise 5).
func TestChangesOfARunningCase(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	other := s.token("second", "operator")
	approve := func(s *stack, c apiclient.Case) {
		s.t.Helper()
		r := s.runAs(other, "cases", "approve", c.CaseID, "--hash", c.Hash)
		require.Zero(s.t, r.code, r.err)
	}
	s.apply("two-waits", "wait: {for: 30d}", "transfer", "wait", "delete")

	t.Run("a dated case begins at its new date", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Mo Ved")
		c := s.begin(leaver.login, "--at", soon(time.Hour), "--grace", "0s")
		to := time.Now().Add(3 * time.Second).UTC().Truncate(time.Second)
		s.must("cases", "move-date", c.CaseID, "--to", to.Format(time.RFC3339), "--reason", "leaves earlier")
		require.Equal(t, to, *s.show(c.CaseID).EffectiveAt)
		s.awaitState(c.CaseID, "done")
		require.False(t, requests(s.sim, opUpdate, leaver.id)[0].Time.Before(to))
		decided(t, s.report(c.CaseID), "move_date", "leaves earlier")
	})
	t.Run("a moved wait is approved anew", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Mo Ved Wait")
		c := s.begin(leaver.login, "--approvals", "1")
		approve(s, c)
		c = s.await(c.CaseID, "grace", inStep("wait"))
		r := s.must("cases", "move-date", c.CaseID, "--to", soon(0), "--reason", "sooner")
		require.Contains(t, r.out, "It needs approval by 1 again")

		moved := s.parkedFor(c.CaseID, "FACTS_CHANGED")
		require.NotEqual(t, c.Hash, moved.Hash)
		s.requireKept(leaver)
		approve(s, moved)
		s.resume(c.CaseID)
		s.awaitState(c.CaseID, "done")
	})
	t.Run("another receiver is checked and approved anew", func(t *testing.T) {
		s := s.in(t)
		leaver, first, second := s.hire("Re Ceived"), s.hire("First Boss"), s.hire("Second Boss")
		asleep := hireAt(t, s.sim, boxsim.UserSpec{Name: "Asleep Boss", Status: "inactive"})
		s.fill(leaver)
		c := s.begin(leaver.login, "--template", "two-waits", "--transfer-to", first.login, "--approvals", "1")
		approve(s, c)
		s.await(c.CaseID, "the first wait", inStep("wait"))

		set := []string{"cases", "set-receiver", c.CaseID, "--reason", "moved teams", "--transfer-to"}
		refused := s.run(append(set, asleep.login)...)
		require.Equal(t, cli.ExitRefused, refused.code, refused.err)
		require.Contains(t, refused.err, "RECEIVER_INACTIVE")
		require.Equal(t, c.Hash, s.show(c.CaseID).Hash)
		s.must(append(set, second.login)...)
		s.endWait(c.CaseID)

		changed := s.parkedFor(c.CaseID, "FACTS_CHANGED")
		require.NotEqual(t, c.Hash, changed.Hash)
		require.Empty(t, requests(s.sim, opTransfer, leaver.id))
		approve(s, changed)
		s.resume(c.CaseID)
		s.await(c.CaseID, "the second wait", func(c apiclient.Case) bool { return c.Accounts[0].Steps[5].State == "running" })
		require.Equal(t, map[string]int{second.id: 6}, owned(s.sim, leaver))
		late := s.run(append(set, first.login)...)
		require.Equal(t, cli.ExitRefused, late.code, "the transfer is over")
	})
	t.Run("a higher cause takes over", func(t *testing.T) {
		s := s.in(t)
		leaver, boss := s.hire("Su Perseded"), s.hire("Super Boss")
		s.fill(leaver)
		lower := s.begin(leaver.login, "--cause", "inactivity", "--transfer-to", boss.login)
		s.await(lower.CaseID, "grace", inStep("wait"))
		equal := s.run("offboard", leaver.login, "--cause", "inactivity", "--transfer-to", boss.login)
		require.Equal(t, cli.ExitRefused, equal.code, equal.err)
		require.Contains(t, equal.err, lower.CaseID)
		require.Contains(t, equal.err, "BUSY")

		r := s.run("offboard", leaver.login, "--transfer-to", boss.login, "--grace", "0s", "--wait")
		require.Zero(t, r.code, r.err)
		require.Contains(t, r.err, "SUPERSEDES")

		require.Equal(t, "superseded", s.awaitState(lower.CaseID, "superseded").State)
		require.Equal(t, 1, count(s.trail(lower.CaseID), "plan.superseded", ""))
		require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
		require.True(t, account(t, s.sim, leaver.id).Deleted)
		require.Len(t, requests(s.sim, opTransfer, leaver.id), 1)
		require.Len(t, requests(s.sim, opUpdate, leaver.id), 1, "it was suspended already")
		require.Len(t, requests(s.sim, opDelete, leaver.id), 1)
	})
}
