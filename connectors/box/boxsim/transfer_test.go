package boxsim_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestQuickTransferMovesEverythingAndAnswers200(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.file(ann, "", "trashed.docx", 5)
	witnesses := pluck(entries(b.get("/folders/0/items", asUser(ann))), "id")

	b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, nil)
	folder := b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob)).body

	require.Equal(t, "ann@example.com - Ann's Files and Folders", folder["name"])
	require.Equal(t, bob, folder["owned_by"].(obj)["id"])
	arrived := entries(b.get("/folders/"+folder["id"].(string)+"/items?fields=owned_by", asUser(bob)))
	require.ElementsMatch(t, witnesses, pluck(arrived, "id"), "ids are kept and root items become direct children")
	require.Equal(t, bob, arrived[0]["owned_by"].(obj)["id"])
	require.EqualValues(t, 0, b.get("/users/" + ann + "?fields=space_used")["space_used"])
	require.EqualValues(t, 7005, b.get("/users/" + bob + "?fields=space_used")["space_used"])
	require.Equal(t, map[string]int{"ok200": 1}, b.account(ann).Transfers)
	require.Len(t, b.sim.Mails(), 1)

	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann, nil)
	b.do(http.StatusNotFound, http.MethodDelete, "/users/"+ann, nil)
	totals := b.sim.Ledger().Totals
	require.Equal(t, totals.OwnedBefore, totals.Alive)
	require.Zero(t, totals.Destroyed)
	require.Equal(t, 1, totals.DestinationFolders)
}

func TestSecondTransferMakesAnotherEmptyFolder(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	first := b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob)).body
	second := b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob)).body

	require.NotEqual(t, first["id"], second["id"])
	require.Equal(t, first["name"].(string)+" (1)", second["name"])
	require.Empty(t, entries(b.get("/folders/"+second["id"].(string)+"/items", asUser(bob))))
}

func TestAnswersThatComeBeforeTheJobIsDone(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode    boxsim.Mode
		status  int // 0: no answer
		outcome string
	}{
		{boxsim.ModeSlow200, http.StatusOK, "running200"},
		{boxsim.ModeGateway504, http.StatusGatewayTimeout, "gateway504"},
		{boxsim.ModeDrop, 0, "dropped"},
	}
	for _, c := range cases {
		t.Run(string(c.mode), func(t *testing.T) {
			t.Parallel()
			b := setup(t, boxsim.Config{Scale: fast})
			ann, bob := b.leaver("Ann"), b.user("Bob")
			require.NoError(t, b.sim.SetTransferMode(ann, c.mode, 30*time.Minute))

			res, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
			if c.status == 0 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, c.status, res.status, res.raw)
			}
			require.Equal(t, c.outcome == "gateway504", strings.HasPrefix(res.header.Get("Content-Type"), "text/html"))
			require.Equal(t, 1, b.sim.Ledger().Totals.RunningJobs, "the job goes on")
			require.Equal(t, map[string]int{c.outcome: 1}, b.account(ann).Transfers)

			busy := b.do(http.StatusConflict, http.MethodPut, transferPath(ann), transferTo(bob))
			require.Equal(t, "operation_blocked_temporary", busy.body["code"])
			refused := b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, nil)
			require.Equal(t, "User has managed content", refused.body["message"])
			require.Equal(t, 1, b.account(ann).DeletesWhileJobRan)

			b.eventually(func() bool { return b.sim.Ledger().Totals.RunningJobs == 0 })
			b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann, nil)
			totals := b.sim.Ledger().Totals
			require.Equal(t, totals.OwnedBefore, totals.Alive)
			require.Equal(t, 1, b.account(bob).MaxConcurrentJobs)
		})
	}
}

func TestItemsMoveOneByOneRootFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 100})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.mode(ann, boxsim.ModeNever) // moves half of five items

	res, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
	require.NoError(t, err)
	require.Equal(t, http.StatusGatewayTimeout, res.status)
	b.eventually(func() bool { return b.account(ann).Items == 3 })
	require.EqualValues(t, 6000, b.get("/users/" + ann + "?fields=space_used")["space_used"])
	b.do(http.StatusConflict, http.MethodPut, transferPath(ann), transferTo(bob))
	require.Equal(t, 1, b.sim.EndJobs(ann, true))
	require.Zero(t, b.account(ann).Items)
}

func TestTransfersThatStartNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	tiny, err := b.sim.AddUser(boxsim.UserSpec{Name: "Tiny", Login: "tiny@example.com", SpaceAmountBytes: 100})
	require.NoError(t, err)
	gone, err := b.sim.AddUser(boxsim.UserSpec{Name: "Gone", Login: "gone@example.com", Status: "inactive"})
	require.NoError(t, err)

	b.do(http.StatusNotFound, http.MethodPut, transferPath("1"), transferTo(bob))
	b.do(http.StatusNotFound, http.MethodPut, transferPath(ann), transferTo("1"))
	b.do(http.StatusBadRequest, http.MethodPut, transferPath(ann), transferTo(ann))
	b.do(http.StatusBadRequest, http.MethodPut, transferPath(ann), obj{})
	b.do(http.StatusForbidden, http.MethodPut, transferPath(ann), transferTo(gone))
	full := b.do(http.StatusForbidden, http.MethodPut, transferPath(ann), transferTo(tiny))
	require.Equal(t, "storage_limit_exceeded", full.body["code"])
	b.mode(ann, boxsim.ModeRefused)
	b.do(http.StatusForbidden, http.MethodPut, transferPath(ann), transferTo(bob))
	b.mode(ann, boxsim.ModePre503)
	b.do(http.StatusServiceUnavailable, http.MethodPut, transferPath(ann), transferTo(bob))

	require.Empty(t, b.sim.Ledger().Jobs)
	acc := b.account(ann)
	require.Equal(t, 7, acc.TransferRequests)
	require.Equal(t, map[string]int{"refused": 6, "pre503": 1}, acc.Transfers)
}

func TestBusyAnswersAreSwitchable(t *testing.T) {
	t.Parallel()
	for answer, status := range map[string]int{"409": 409, "locked403": 403, "locked400": 400} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			b := setup(t, boxsim.Config{Scale: 2000, Switches: boxsim.Switches{BusyAnswer: answer}})
			ann, bob, eve := b.leaver("Ann"), b.user("Bob"), b.leaver("Eve")
			b.mode(ann, boxsim.ModeNever)
			_, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
			require.NoError(t, err)
			b.do(status, http.MethodPut, transferPath(eve), transferTo(bob))
			b.do(status, http.MethodPut, transferPath(bob), transferTo(eve))
		})
	}
}

func TestInactiveSourceIsAcceptedUnlessSwitched(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"status": "inactive"})

	require.NoError(t, b.sim.SetSwitches(boxsim.Switches{RefuseInactiveSource: true}))
	b.do(http.StatusForbidden, http.MethodPut, transferPath(ann), transferTo(bob))
	require.NoError(t, b.sim.SetSwitches(boxsim.Switches{}))
	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))
}

func TestIDsAndPlacesAreSwitchable(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast, Switches: boxsim.Switches{ChangeIDs: true, RootItemsNested: true}})
	ann, bob := b.user("Ann"), b.user("Bob")
	work := b.folder(ann, "", "Work")
	file := b.file(ann, work, "a.docx", 10)
	_, err := b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: work, User: bob, Role: "viewer"})
	require.NoError(t, err)

	folder := b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob)).body
	b.do(http.StatusNotFound, http.MethodGet, "/files/"+file, nil, asUser(bob))
	inner := entries(b.get("/folders/"+folder["id"].(string)+"/items", asUser(bob)))
	require.Len(t, inner, 1)
	items := entries(b.get("/folders/"+inner[0]["id"].(string)+"/items", asUser(bob)))
	require.Equal(t, []string{"Work"}, pluck(items, "name"))
	newID := items[0]["id"].(string)
	require.NotEqual(t, work, newID)
	require.Equal(t, []string{work}, b.item(newID).FormerIDs)
	require.Len(t, entries(b.get("/folders/"+newID+"/items", asUser(bob))), 1)
	require.Len(t, entries(b.get("/folders/"+newID+"/collaborations", asUser(bob))), 1)
}

func TestSpaceLagsBehindByTheSwitch(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast, Switches: boxsim.Switches{SpaceLagSeconds: 900}})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))

	space := func() any { return b.get("/users/" + ann + "?fields=space_used")["space_used"] }
	require.EqualValues(t, 7000, space())
	b.eventually(func() bool { return space() == float64(0) })
}

func TestLockedFoldersAndRetainedTrashStay(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	pinned := b.folder(ann, "", "Pinned")
	inside := b.file(ann, pinned, "in.docx", 1)
	kept, err := b.sim.AddFile(boxsim.ItemSpec{Owner: ann, Name: "kept.docx", SizeBytes: 9, Trashed: true, Retained: true})
	require.NoError(t, err)
	lock := b.do(http.StatusOK, http.MethodPost, "/folder_locks", obj{
		"folder":            obj{"type": "folder", "id": pinned},
		"locked_operations": obj{"move": true, "delete": true},
	}, asUser(ann)).body["id"].(string)
	require.Len(t, entries(b.get("/folder_locks?folder_id="+pinned, asUser(ann))), 1)

	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))
	for _, id := range []string{pinned, inside, kept} {
		require.Equal(t, ann, b.item(id).Owner)
	}
	b.do(http.StatusNoContent, http.MethodDelete, "/folder_locks/"+lock, nil, asUser(ann))
	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))
	require.Equal(t, bob, b.item(inside).Owner)
	b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, nil)
	require.Equal(t, ann, b.item(kept).Owner)
}

func TestAClientThatLeavesDoesNotStopTheJob(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 200})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	require.NoError(t, b.sim.SetTransferMode(ann, boxsim.ModeQuick, 9*time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob), func(r *http.Request) { *r = *r.WithContext(ctx) })
		left <- err
	}()
	b.eventually(func() bool { return b.sim.Ledger().Totals.RunningJobs == 1 })
	cancel()
	require.Error(t, <-left)

	b.eventually(func() bool { return b.account(ann).Items == 0 })
	b.eventually(func() bool { return b.account(ann).Transfers["client_left"] == 1 })
}

func TestConcurrentTransfersToOneReceiverStartOneJob(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 100})
	bob := b.user("Bob")
	done := make(chan int, 8)
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "G", "H"} {
		id := b.leaver("Leaver" + name)
		b.mode(id, boxsim.ModeGateway504)
		go func() {
			res, _ := b.try(http.MethodPut, "/2.0"+transferPath(id), transferTo(bob))
			done <- res.status
		}()
	}
	counts := map[int]int{}
	for range cap(done) {
		counts[<-done]++
	}
	require.Equal(t, map[int]int{http.StatusGatewayTimeout: 1, http.StatusConflict: 7}, counts)
	require.Equal(t, 1, b.account(bob).MaxConcurrentJobs)
}

func TestQuickJobsStayBelowTheGatewayLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob := b.user("Ann"), b.user("Bob")
	b.file(ann, "", "huge.bin", 1<<40)
	started := time.Now()
	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))
	require.GreaterOrEqual(t, time.Since(started), 45*time.Second/fast)
	require.Equal(t, map[string]int{"ok200": 1}, b.account(ann).Transfers)
}

func TestTwoJobsMayRunOnlyWhereSwitched(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 2000, Switches: boxsim.Switches{BusyAnswer: boxsim.BusyStart}})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	require.NoError(t, b.sim.SetTransferMode(ann, boxsim.ModeGateway504, 40*time.Minute))
	for range 2 {
		_, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
		require.NoError(t, err)
	}
	require.Equal(t, 2, b.account(ann).MaxConcurrentJobs)
	b.eventually(func() bool { return b.sim.Ledger().Totals.RunningJobs == 0 })
	require.Zero(t, b.account(ann).Items)
}

func TestTheTreeIsLockedWhileAJobRuns(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 1000})
	ann, bob := b.leaver("Ann"), b.user("Bob")
	b.mode(ann, boxsim.ModeNever)
	_, err := b.try(http.MethodPut, "/2.0"+transferPath(ann), transferTo(bob))
	require.NoError(t, err)
	folder := b.sim.Ledger().Jobs[0].Folder

	for _, call := range []struct {
		method string
		body   obj
	}{{http.MethodPut, obj{"name": "Other"}}, {http.MethodDelete, nil}} {
		busy := b.do(http.StatusConflict, call.method, "/folders/"+folder, call.body, asUser(bob))
		require.Equal(t, "operation_blocked_temporary", busy.body["code"])
	}
	b.sim.EndJobs(ann, false)
	b.do(http.StatusOK, http.MethodPut, "/folders/"+folder, obj{"name": "Other"}, asUser(bob))
}

func TestAnyLeaverOfTheCompanyCanBeSentOff(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 3, Users: 40, Scale: 5000})
	service := withToken(b.token(boxsim.MainClientID, "enterprise", boxsim.EnterpriseID))
	before := b.sim.Ledger().Totals
	archive := b.user("Archive")
	for _, p := range b.sim.People() {
		if p.Role != "user" || p.Service || p.ID == archive {
			continue
		}
		b.do(http.StatusOK, http.MethodPut, "/users/"+p.ID, obj{"status": "inactive"}, service)
		b.do(http.StatusOK, http.MethodPut, transferPath(p.ID), transferTo(archive), service)
		b.do(http.StatusNoContent, http.MethodDelete, "/users/"+p.ID, nil, service)
	}
	after := b.sim.Ledger().Totals
	require.Equal(t, before.Alive, after.Alive)
	require.Equal(t, before.Trashed, after.Trashed)
	require.Equal(t, before.BytesAlive, after.BytesAlive)
	require.Empty(t, after.DestroyedBy)
}
