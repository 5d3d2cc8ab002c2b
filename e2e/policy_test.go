package e2e_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
	"sendoff/schema"
)

// dormantPolicy is a policy about dormant accounts, with more or other members.
func dormantPolicy(boss person, more ...string) string {
	members := map[string]string{
		"threshold": "90d", "approvals": "0", "budget": "{per_run: 25, percent: 50}", "receivers": "[" + boss.login + "]",
		"steps": "[snapshot, suspend, revoke_sessions, {wait: {for: 1h}}, transfer, delete]",
	}
	for _, m := range more {
		key, value, _ := strings.Cut(m, ": ")
		members[key] = value
	}
	if !strings.Contains(members["steps"], "transfer") {
		delete(members, "receivers")
	}
	text := "apiVersion: sendoff/v1\nkind: InactivityPolicy\nname: dormant\nowner: it@example.com\nconnections: [box]\ncold_start: act\n"
	for _, key := range slices.Sorted(maps.Keys(members)) {
		text += key + ": " + members[key] + "\n"
	}
	return text
}

// policy applies a policy file.
func (s *stack) policy(text string) {
	s.t.Helper()
	s.must("policy", "apply", s.write("dormant.yaml", text), "--yes")
}

// dormant adds somebody who was not seen for most of a year.
func (s *stack) dormant(name string) person {
	s.t.Helper()
	return hireAt(s.t, s.sim, boxsim.UserSpec{Name: name, CreatedAt: time.Now().Add(-300 * 24 * time.Hour)})
}

// login lets somebody be seen in use.
func (s *stack) login(p person) {
	s.t.Helper()
	seeded(s.t)(s.sim.Emit(boxsim.EventSpec{Type: "LOGIN", CreatedBy: p.id}))
}

// staff hires people who are active, so that a few dormant ones are not most of
// the company.
func (s *stack) staff(n int) {
	s.t.Helper()
	for i := range n {
		s.login(s.hire(fmt.Sprintf("Staff %02d", i)))
	}
}

// reviewed starts a review of the policy and waits until it ends or waits for
// somebody.
func (s *stack) reviewed(more ...string) apiclient.Review {
	s.t.Helper()
	r := ask[apiclient.Review](s, cli.ExitDone, append([]string{"policy", "run", "dormant"}, more...)...)
	return s.reviewIn(r.ID, "ended", "held", "approving")
}

// reviewIn waits until a review is in one of the states.
func (s *stack) reviewIn(id string, states ...string) (r apiclient.Review) {
	s.t.Helper()
	s.eventually(patience, "the review is "+strings.Join(states, " or "), func() bool {
		api, err := s.asAdmin()
		if err == nil {
			r, err = api.Review(s.t.Context(), id)
		}
		for _, state := range states {
			if err == nil && r.State == state {
				return true
			}
		}
		return false
	})
	return r
}

// item is what became of somebody's account in a review.
func (s *stack) item(review string, p person) apiclient.ReviewItem {
	s.t.Helper()
	api, err := s.asAdmin()
	require.NoError(s.t, err)
	items, _, err := api.ReviewItems(s.t.Context(), review, "", "", 500)
	require.NoError(s.t, err)
	for _, i := range items {
		if i.Login == p.login {
			return i
		}
	}
	s.t.Fatalf("the review has no item of %s: %v", p.login, items)
	return apiclient.ReviewItem{}
}

// A dormant account is found, suspended, its content transferred, and the account
// deleted; those who are active, and those nobody knows anything of, are left
// alone. What ran is what was planned, byte for byte.
func TestDormantAccountToProof(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	boss := s.hire("Bo Ss")
	s.staff(3)
	silent := s.dormant("Si Lent")
	s.fill(silent)
	s.synced("box")
	s.policy(dormantPolicy(boss))

	r := s.reviewed()
	require.Equal(t, "done", r.End, r.Why)
	item := s.item(r.ID, silent)
	require.Equal(t, "started", item.State)
	c := s.awaitState(item.CaseID, "done")
	s.requireGone(silent, boss, 6)
	require.Len(t, requests(s.sim, opDelete, ""), 1, "nobody else")

	// The canonical form, computed anew from what the API shows of the plan.
	canonical, err := json.Marshal(item.Facts)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256(canonical)), item.Hash)
	require.Equal(t, schema.CaseHash([]string{item.Hash}), c.Hash)
	report := ask[apiclient.ReviewReport](s, cli.ExitDone, "policy", "reviews", "report", r.ID)
	require.EqualValues(t, 1, report.Seats.Freed)
	s.must("audit", "verify")
}

// Promise 4 in reviews: without the vendor's events there are no candidates, and
// the review says why.
func TestReviewWithoutEventsFindsNobody(t *testing.T) {
	t.Parallel()
	s := start(t, settings{switches: boxsim.Switches{PlanWithoutEvents: true}})
	boss := s.hire("Bo Ss")
	s.dormant("Si Lent")
	s.synced("box")
	s.policy(dormantPolicy(boss, "threshold: 1d"))

	r := s.reviewed()
	require.Equal(t, "ended", r.State)
	require.NotZero(t, r.Looked)
	for _, n := range r.Reasons {
		require.NotEqual(t, "matched", n.Reason)
	}
	require.Contains(t, s.must("policy", "reviews", "show", r.ID).out, "PLAN_WITHOUT_EVENTS")
	require.Empty(t, writes(s.sim))
}

// Somebody who uses the account during the wait keeps it: the case is cancelled
// before the next step, and what was taken is given back.
func TestLoginDuringTheWaitCancels(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	boss := s.hire("Bo Ss")
	s.staff(3)
	silent := s.dormant("Si Lent")
	s.fill(silent)
	s.synced("box")
	s.policy(dormantPolicy(boss, "steps: [snapshot, suspend, {wait: {for: 6h}}, transfer, delete]"))
	item := s.item(s.reviewed().ID, silent)
	s.await(item.CaseID, "the wait", inStep("wait"))
	require.Equal(t, "inactive", status(t, s.sim, silent))

	s.login(silent)

	s.awaitState(item.CaseID, "cancelled")
	require.Equal(t, "active", status(t, s.sim, silent))
	require.Equal(t, map[string]int{silent.id: 6}, owned(s.sim, silent))
	require.Empty(t, requests(s.sim, opTransfer, ""))
	require.Contains(t, s.must("cases", "report", item.CaseID).out, "it was used")
}

// Promise 5 in reviews: what was approved is what runs. A fact that changed since
// refuses its account with the difference; the others go on.
func TestApprovedReviewRefusesDrift(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	boss := s.hire("Bo Ss")
	s.staff(8)
	held, used, promoted, left := s.dormant("He Ld"), s.dormant("Us Ed"), s.dormant("Pro Moted"), s.dormant("Le Ft")
	s.synced("box")
	s.policy(dormantPolicy(boss, "approvals: 1", "steps: [snapshot, suspend]"))
	r := s.reviewed()
	require.Equal(t, "approving", r.State)
	require.Empty(t, writes(s.sim))

	s.restrict("hold", "add", "--person", held.login, "--matter", "7-2026")
	s.login(used)
	coadmin := "coadmin"
	require.NoError(t, s.sim.ChangeUser(boxsim.UserChange{ID: promoted.id, Role: &coadmin}))
	s.must("sync", "box", "--wait")
	other := s.token("approver", "operator")
	require.Equal(t, cli.ExitHashDiffers, s.runAs(other, "policy", "reviews", "approve", r.ID, "--hash", strings.Repeat("0", 64), "--reason", "looks right").code)
	got := s.runAs(other, "policy", "reviews", "approve", r.ID, "--hash", r.Hash, "--reason", "looks right")
	require.Zero(t, got.code, got.err)
	s.reviewIn(r.ID, "ended")

	for p, fact := range map[person]string{used: "last_active_at", promoted: "role"} {
		item := s.item(r.ID, p)
		require.Equal(t, "drifted", item.State, item.Why)
		require.Equal(t, fact, item.Drift[0].Fact)
		require.NotEqual(t, item.Drift[0].Before, item.Drift[0].Now)
		require.Equal(t, "active", status(t, s.sim, p))
	}
	require.Equal(t, "drifted", s.item(r.ID, held).State)
	require.Equal(t, "restrictions", s.item(r.ID, held).Drift[0].Fact)
	s.awaitState(s.item(r.ID, left).CaseID, "done")
	require.Equal(t, "inactive", status(t, s.sim, left))
	require.Len(t, requests(s.sim, opUpdate, ""), 1)
}

// Over budget nothing starts, one alarm is raised, and two people release it.
func TestReviewOverBudgetIsHeld(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	boss := s.hire("Bo Ss")
	s.staff(5)
	first, second := s.dormant("Fi Rst"), s.dormant("Se Cond")
	s.synced("box")
	s.policy(dormantPolicy(boss, "budget: {per_run: 1, percent: 90}", "steps: [snapshot, suspend]"))
	r := s.reviewed()
	require.Equal(t, "held", r.State)
	require.Equal(t, "per_run", r.Overruns[0].Limit)
	require.Empty(t, writes(s.sim))
	require.Equal(t, 1, strings.Count(s.must("alarms", "list").out, "OVER_BUDGET"))

	for _, name := range []string{"one", "two"} {
		require.Equal(t, "active", status(t, s.sim, first))
		got := s.runAs(s.token(name, "admin"), "batches", "release", r.BatchID, "--reason", "meant so", "--size", "2")
		require.Zero(t, got.code, got.err)
	}
	s.reviewIn(r.ID, "ended")
	for _, p := range []person{first, second} {
		s.awaitState(s.item(r.ID, p).CaseID, "done")
		require.Equal(t, "inactive", status(t, s.sim, p))
	}
	require.NotContains(t, s.must("alarms", "list").out, "OVER_BUDGET")
}

// HR's word is above a review's: a leaver's case takes over a waiting plan.
func TestLeaverSupersedesReview(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling})
	boss := s.hire("Bo Ss")
	s.staff(3)
	silent := s.dormant("Si Lent")
	s.fill(silent)
	s.synced("box")
	s.policy(dormantPolicy(boss, "steps: [snapshot, suspend, revoke_sessions, {wait: {for: 30d}}, transfer, delete]"))
	waiting := s.item(s.reviewed().ID, silent).CaseID
	s.await(waiting, "the wait", inStep("wait"))

	c := s.offboard(cli.ExitDone, silent.login, "--transfer-to", boss.login, "--grace", "0s")
	require.Equal(t, "done", c.State)
	require.Equal(t, "superseded", s.show(waiting).State)
	require.True(t, account(t, s.sim, silent.id).Deleted)
	require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, silent))
}

// A policy whose file leaves its set is paused and not forgotten; a schedule
// begins reviews by itself; shadow reports and never acts.
func TestPolicySetsAndSchedules(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	boss := s.hire("Bo Ss")
	s.staff(3)
	s.dormant("Si Lent")
	s.synced("box")
	dir := filepath.Join(s.t.TempDir(), "policies")
	require.NoError(t, os.Mkdir(dir, 0o700))
	file := filepath.Join(dir, "dormant.yaml")
	require.NoError(t, os.WriteFile(file, []byte(dormantPolicy(boss, "mode: shadow", "schedule: {every: 1h}")), 0o600))
	s.must("policy", "apply", dir, "--set", "it", "--yes")

	var seen apiclient.Review
	s.eventually(patience, "a review begins by itself and ends", func() bool {
		api, err := s.asAdmin()
		require.NoError(t, err)
		list, _, err := api.Reviews(s.t.Context(), "dormant", "ended", "", 10)
		if err != nil || len(list) == 0 {
			return false
		}
		seen = list[len(list)-1]
		return true
	})
	require.Equal(t, "schedule", seen.Trigger)
	require.Equal(t, "reported", seen.End, seen.Why)
	require.Equal(t, "shadow", seen.Mode)
	require.Empty(t, writes(s.sim))

	other := strings.Replace(dormantPolicy(boss, "mode: shadow"), "name: dormant", "name: other", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other.yaml"), []byte(other), 0o600))
	require.NoError(t, os.Remove(file))
	s.must("policy", "apply", dir, "--set", "it", "--yes")
	require.Contains(t, s.must("policy", "list").out, "paused")
}
