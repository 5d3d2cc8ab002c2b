package boxsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// A job that dies leaves the rest where it was; a further request moves it into
// a second folder.
func TestJobsDieAndNeverGoOn(t *testing.T) {
	t.Parallel()
	for name, death := range map[string]obj{
		"after items":  {"dies_after_items": 2},
		"after share":  {"dies_after_share": 0.5},
		"at the start": {"dies_after_items": 0},
	} {
		for _, mode := range []boxsim.Mode{boxsim.ModeQuick, boxsim.ModeGateway504, boxsim.ModeDrop, boxsim.ModeApplied503} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				b := setup(t, boxsim.Config{Scale: veryFast})
				ann, bob := b.leaver("Ann"), b.user("Bob")
				plan := obj{"user": ann, "mode": mode}
				for k, v := range death {
					plan[k] = v
				}
				b.control(http.StatusOK, http.MethodPost, "/mode", plan)
				_, _ = b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
				b.eventually(func() bool { return b.sim.Ledger().Totals.RunningJobs == 0 })
				job := b.sim.Ledger().Jobs[0]
				require.Equal(t, "died", job.State)
				require.Equal(t, map[string]int{"after items": 2, "after share": 2, "at the start": 0}[name], job.Moved)
				require.Equal(t, 5-job.Moved, b.account(ann).Items)
				require.Empty(t, b.sim.Mails(), "nobody is told that it is complete")
				b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, nil)

				b.mode(ann, boxsim.ModeQuick)
				second := b.transfer(http.StatusOK, ann, bob).body
				require.NotEqual(t, job.Folder, second["id"])
				require.Zero(t, b.account(ann).Items)
				require.Len(t, b.sim.Mails(), 1)
			})
		}
	}
}

func TestRequestsThatAreRefusedYetApplied(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.mode(ann, boxsim.ModeApplied503)
	b.transfer(http.StatusServiceUnavailable, ann, bob)
	require.Equal(t, map[string]int{"applied503": 1}, b.account(ann).Transfers)
	b.eventually(func() bool { return b.account(ann).Items == 0 })

	eve := b.leaver("Eve")
	b.mode(eve, boxsim.ModeFull)
	require.Equal(t, "storage_limit_exceeded", b.transfer(http.StatusForbidden, eve, bob).body["code"])
	require.Len(t, b.sim.Ledger().Jobs, 1)
}

func TestNamedItemsAreLeftBehind(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann, bob := b.user("Ann"), b.user("Bob")
	work := b.folder(ann, "", "Work")
	inside := b.file(ann, work, "a.docx", 1)
	moves := b.file(ann, "", "b.docx", 1)
	require.NoError(t, b.sim.PlanTransfers(ann, boxsim.TransferPlan{Mode: boxsim.ModeQuick, LeavesBehind: []string{work}}))
	b.transfer(http.StatusOK, ann, bob)
	require.Equal(t, []string{ann, ann, bob}, []string{b.item(work).Owner, b.item(inside).Owner, b.item(moves).Owner})
	require.ErrorContains(t, b.sim.PlanTransfers(ann, boxsim.TransferPlan{Mode: boxsim.ModeQuick, LeavesBehind: []string{"1"}}), "does not exist")
	require.ErrorContains(t, b.sim.PlanTransfers(ann, boxsim.TransferPlan{Mode: boxsim.ModeQuick, DiesAfterShare: 2}), "0 to 1")
}

// Whatever destroys content is in the books: what, how much, and whether a legal
// hold was on it.
func TestLedgerKnowsWhatADeleteDestroyed(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann, bob := b.leaver("Ann"), b.leaver("Bob")
	held := b.folder(ann, "", "Zoning") // by its name among the last to move
	b.file(ann, held, "evidence.docx", 500)
	b.set("delete_ignores_running_job", "true")
	b.start(ann, b.user("Eve"))
	policy := b.sim.AddLegalHoldPolicy("Litigation")
	assignment, err := b.sim.Assign(boxsim.AssignmentSpec{Policy: policy, Type: "folder", ID: held})
	require.NoError(t, err)
	require.Error(t, b.sim.Unassign("1"))

	b.eventually(func() bool { return b.account(ann).Items == 4 })
	before := b.account(ann)
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann, nil)
	ledger := b.sim.Ledger()
	require.Len(t, ledger.Deletes, 1)
	first := ledger.Deletes[0]
	require.Equal(t, before.Items, first.ItemsDestroyed)
	require.Equal(t, before.Bytes, first.BytesDestroyed)
	require.True(t, first.UnderLegalHold)
	require.True(t, first.JobRunning)
	require.Equal(t, ledger.Totals.DestroyedHeld, first.HeldItemsDestroyed)
	require.Positive(t, first.HeldItemsDestroyed)
	require.Equal(t, first.BytesDestroyed, ledger.Totals.BytesDestroyed)

	require.NoError(t, b.sim.Unassign(assignment))
	b.do(http.StatusForbidden, http.MethodDelete, "/users/"+bob+"?force=true", nil)
	last := b.sim.Ledger().Deletes[1]
	require.Equal(t, []any{http.StatusForbidden, true, false, 0}, []any{last.Status, last.Forced, last.UnderLegalHold, last.ItemsDestroyed})
	require.Len(t, b.sim.Ledger().Forced, 1)
}

// A hold of each type is on the account it reaches and on no other.
func TestHoldsReachAccounts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"user", "ownership", "interactions", "folder", "file", "file_version"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := setup(t, boxsim.Config{Switches: boxsim.Switches{HeldDeleteAnswer: "403"}})
			ann, bob := b.user("Ann"), b.user("Bob")
			work := b.folder(ann, "", "Work")
			file := b.file(ann, work, "a.docx", 1)
			version := b.get("/files/"+file+"?fields=file_version", asUser(ann))["file_version"].(obj)["id"].(string)
			target := map[string]string{"folder": work, "file": file, "file_version": version}[kind]
			if target == "" {
				target = ann
			}
			policy := b.sim.AddLegalHoldPolicy("Litigation")
			_, err := b.sim.Assign(boxsim.AssignmentSpec{Policy: policy, Type: kind, ID: target})
			require.NoError(t, err)
			refused := b.do(http.StatusForbidden, http.MethodDelete, "/users/"+ann, nil)
			require.Equal(t, "User cannot be deleted due to a legal hold", refused.body["message"])
			b.do(http.StatusNoContent, http.MethodDelete, "/users/"+bob, nil)
		})
	}
}

// Rank decides who may be touched: only the admin touches the admin, coadmins
// and the service account, which counts as a coadmin.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	co := b.add(boxsim.UserSpec{Name: "Co", Login: "co@example.com", Role: "coadmin"})
	other := b.add(boxsim.UserSpec{Name: "Other", Login: "other@example.com", Role: "coadmin"})
	ann := b.leaver("Ann")
	service := b.get("/users/me", withToken(b.token(boxsim.MainClientID, "enterprise", boxsim.EnterpriseID)))["id"].(string)

	for name, caller := range map[string]option{
		"coadmin": withToken(b.token(boxsim.MainClientID, "user", co)),
		"service": withToken(b.token(boxsim.MainClientID, "enterprise", boxsim.EnterpriseID)),
	} {
		for _, high := range []string{b.id, other, service} {
			if name == "service" && high == service {
				continue
			}
			b.do(http.StatusForbidden, http.MethodPut, "/users/"+high, obj{"phone": "1"}, caller)
			b.do(http.StatusForbidden, http.MethodDelete, "/users/"+high, nil, caller)
			b.do(http.StatusForbidden, http.MethodGet, "/users/me", nil, caller, asUser(high))
			for _, pair := range [][2]string{{high, ann}, {ann, high}} {
				refused := b.do(http.StatusForbidden, http.MethodPut, transferPath(pair[0]), transferTo(pair[1]), caller)
				require.Equal(t, "Cannot transfer files from/to higher privilaged accounts", refused.body["message"])
			}
		}
		b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"phone": "1"}, caller)
		b.do(http.StatusForbidden, http.MethodPut, "/users/"+map[string]string{"coadmin": co, "service": service}[name], obj{"status": "inactive"}, caller)
	}
	self := withToken(b.token(boxsim.MainClientID, "enterprise", boxsim.EnterpriseID))
	b.do(http.StatusOK, http.MethodPut, "/users/"+service, obj{"space_amount": -1}, self)
	b.do(http.StatusForbidden, http.MethodDelete, "/users/"+service, nil)
	b.do(http.StatusOK, http.MethodPut, "/users/"+co, obj{"status": "inactive"})
	b.transfer(http.StatusOK, other, ann)
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+other, nil)
	guest := b.add(boxsim.UserSpec{Name: "Guest", Login: "guest@example.org", External: true})
	b.do(http.StatusForbidden, http.MethodPut, "/users/"+guest, obj{"status": "inactive"})
	b.do(http.StatusForbidden, http.MethodDelete, "/users/"+guest, nil)
}

func TestNobodyLeavesTheGroupOfAllUsers(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann, bob := b.user("Ann"), b.user("Bob")
	group, err := b.sim.AddGroup(boxsim.GroupSpec{Name: "All users", Members: []string{ann}, AllUsers: true})
	require.NoError(t, err)
	m := entries(b.get("/users/" + ann + "/memberships"))[0]
	require.Equal(t, "all_users_group", m["group"].(obj)["group_type"])
	id := m["id"].(string)
	b.do(http.StatusForbidden, http.MethodDelete, "/group_memberships/"+id, nil)
	b.do(http.StatusForbidden, http.MethodPut, "/group_memberships/"+id, obj{"role": "admin"})
	b.do(http.StatusForbidden, http.MethodPost, "/group_memberships", obj{"user": obj{"id": bob}, "group": obj{"id": group}})
	b.do(http.StatusForbidden, http.MethodDelete, "/groups/"+group, nil)
}

// The streaming stream repeats and shuffles; nothing is missing from it.
func TestStreamingEventsComeAtLeastOnceInNoOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast, Seed: 4})
	const count = 12
	for range count {
		b.do(http.StatusOK, http.MethodPut, "/users/"+b.id, obj{"phone": "1"})
	}
	const stream = "/events?stream_type=admin_logs_streaming&event_type=EDIT_USER"
	var ids []string
	b.eventually(func() bool {
		ids = pluck(entries(b.get(stream+"&created_after=2000-01-01T00:00:00Z")), "event_id")
		return len(unique(ids)) == count
	})
	require.Greater(t, len(ids), count, "some come twice")
	require.False(t, sorted(ids), "they come in no order")

	first := b.do(http.StatusOK, http.MethodGet, stream+"&limit=5", nil)
	require.Equal(t, ids[:5], pluck(entries(first.body), "event_id"), "what was delivered keeps its place")
	next := between(first.raw, `"next_stream_position":`, "}")
	require.Equal(t, ids[5:], pluck(entries(b.get(stream+"&stream_position="+next)), "event_id"))
	now := b.do(http.StatusOK, http.MethodGet, stream+"&stream_position=now", nil)
	require.Empty(t, entries(now.body))
	position := between(now.raw, `"next_stream_position":`, "}")
	require.Empty(t, entries(b.get(stream+"&stream_position="+position)))
	b.do(http.StatusBadRequest, http.MethodGet, stream+"&stream_position=here", nil)
}

func unique(ids []string) map[string]bool {
	out := map[string]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out
}

func sorted(ids []string) bool {
	for i := range len(ids) - 1 {
		if ids[i] > ids[i+1] {
			return false
		}
	}
	return true
}

// A 503 on a write does not say that nothing happened: any write can be applied
// and refused in one.
func TestWritesThatWereAppliedBehindA503(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	group, err := b.sim.AddGroup(boxsim.GroupSpec{Name: "Writers", Members: []string{ann}})
	require.NoError(t, err)
	m := pluck(entries(b.get("/users/"+ann+"/memberships")), "id")[0]
	for _, c := range []struct {
		op, method, path string
		body             any
		applied          func() bool
	}{
		{"users.update", http.MethodPut, "/users/" + ann, obj{"status": "inactive"}, func() bool { return b.get("/users/" + ann)["status"] == "inactive" }},
		{"users.terminate_sessions", http.MethodPost, "/users/terminate_sessions", obj{"user_ids": []string{ann}}, func() bool { return b.account(ann).SessionsTerminated == 1 }},
		{"group_memberships.delete", http.MethodDelete, "/group_memberships/" + m, nil, func() bool { return len(entries(b.get("/groups/"+group+"/memberships"))) == 0 }},
		{"group_memberships.create", http.MethodPost, "/group_memberships", obj{"user": obj{"id": ann}, "group": obj{"id": group}}, func() bool { return len(entries(b.get("/groups/"+group+"/memberships"))) == 1 }},
		{"users.transfer", http.MethodPut, transferPath(ann), transferTo(bob), func() bool { return b.account(ann).Items == 0 }},
		{"users.delete", http.MethodDelete, "/users/" + ann, nil, func() bool { return b.account(ann).Deleted }},
	} {
		b.control(http.StatusCreated, http.MethodPost, "/faults", obj{
			"op": c.op, "attempt": 1, "action": "status_after", "status": 503, "headers": obj{"Retry-After": "0.5"},
		})
		res := b.do(http.StatusServiceUnavailable, c.method, c.path, c.body)
		require.Equal(t, "0.5", res.header.Get("Retry-After"))
		require.True(t, c.applied(), c.op)
	}
}

func TestFaultsInBoxsClothes(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	refused := b.control(http.StatusBadRequest, http.MethodPost, "/faults", obj{"op": "users.explode", "action": "hang"})
	require.Contains(t, refused.body["error"], "users.terminate_sessions")
	b.control(http.StatusCreated, http.MethodPost, "/faults", []obj{
		{"op": "users.me", "attempt": 1, "action": "wrong_types"},
		{"op": "users.me", "attempt": 2, "action": "html", "status": 502},
		{"op": "users.me", "attempt": 3, "action": "empty_after"},
		{"op": "token", "attempt": 2, "action": "status", "status": 429, "headers": obj{"Retry-After": "1.5"}},
	})
	require.Contains(t, b.unchecked("/users/me").raw, `"login":17`)
	require.Contains(t, b.unchecked("/users/me").raw, "<h1>502 Bad Gateway</h1>")
	empty := b.unchecked("/users/me")
	require.Equal(t, []any{http.StatusOK, ""}, []any{empty.status, empty.raw})
	limited := b.credentials("enterprise", boxsim.EnterpriseID)
	require.Equal(t, http.StatusTooManyRequests, limited.status)
	require.Equal(t, "1.5", limited.header.Get("Retry-After"))
}

// unchecked reads a page whose answer may be against Box's document.
func (b *bench) unchecked(path string) answer {
	b.t.Helper()
	checked := b.http
	b.http = &http.Client{Transport: checked.Transport.(*specChecker).next}
	defer func() { b.http = checked }()
	res, err := b.try(http.MethodGet, "/2.0"+path, nil)
	require.NoError(b.t, err)
	return res
}
