package boxsim_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestTheRootShowsSharedItemsToo(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann, bob := b.user("Ann"), b.user("Bob")
	shared := b.folder(ann, "", "Shared")
	sub := b.folder(ann, shared, "Sub")
	b.file(ann, sub, "deep.docx", 5)
	private := b.folder(ann, "", "Private")
	_, err := b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: shared, User: bob, Role: "viewer"})
	require.NoError(t, err)

	root := entries(b.get("/folders/0/items?fields=owned_by,name", asUser(bob)))
	require.Equal(t, []string{"Shared"}, pluck(root, "name"))
	require.Equal(t, ann, root[0]["owned_by"].(obj)["id"])
	seen := b.get("/folders/"+sub, asUser(bob))
	require.Equal(t, shared, seen["parent"].(obj)["id"])
	require.EqualValues(t, 5, seen["size"])
	require.Equal(t, []string{"0", shared}, pluck(entries(seen["path_collection"].(obj)), "id"))
	require.Len(t, entries(seen["item_collection"].(obj)), 1)
	b.do(http.StatusNotFound, http.MethodGet, "/folders/"+private, nil, asUser(bob))
	b.do(http.StatusForbidden, http.MethodPost, "/folders", obj{"name": "New", "parent": obj{"id": shared}}, asUser(bob))
	b.do(http.StatusForbidden, http.MethodDelete, "/folders/"+shared+"?recursive=true", nil, asUser(bob))
	b.get("/folders/0", asUser(bob))
	minimal := b.get("/folders/"+shared+"?fields=name", asUser(ann))
	require.Equal(t, obj{"type": "folder", "id": shared, "etag": "0", "name": "Shared"}, minimal)
}

func TestItemsPageBothWays(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	for _, name := range []string{"c", "a", "b"} {
		b.file(ann, "", name, 1)
	}
	b.folder(ann, "", "z")
	require.Equal(t, []string{"z", "a"}, pluck(entries(b.get("/folders/0/items?limit=2", asUser(ann))), "name"))
	first := b.get("/folders/0/items?usemarker=true&limit=3", asUser(ann))
	rest := b.get("/folders/0/items?usemarker=true&limit=3&marker="+first["next_marker"].(string), asUser(ann))
	require.Len(t, entries(first), 3)
	require.Len(t, entries(rest), 1)
	require.Empty(t, rest["next_marker"])
}

func TestFoldersAreMadeMovedAndTrashed(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	as := asUser(ann)
	home := b.do(http.StatusCreated, http.MethodPost, "/folders", obj{"name": "Home", "parent": obj{"id": "0"}}, as).body["id"].(string)
	taken := b.do(http.StatusConflict, http.MethodPost, "/folders", obj{"name": "HOME", "parent": obj{"id": "0"}}, as)
	require.Equal(t, "item_name_in_use", taken.body["code"])
	away := b.folder(ann, "", "Away")
	b.file(ann, away, "a.docx", 3)

	b.do(http.StatusPreconditionFailed, http.MethodPut, "/folders/"+away, obj{"name": "Far"}, as,
		func(r *http.Request) { r.Header.Set("If-Match", "7") })
	moved := b.do(http.StatusOK, http.MethodPut, "/folders/"+away, obj{"name": "Far", "parent": obj{"id": home}, "shared_link": obj{}}, as).body
	require.Equal(t, home, moved["parent"].(obj)["id"])
	require.Equal(t, "open", moved["shared_link"].(obj)["access"])
	b.do(http.StatusBadRequest, http.MethodPut, "/folders/"+home, obj{"parent": obj{"id": away}}, as)

	b.do(http.StatusBadRequest, http.MethodDelete, "/folders/"+home, nil, as)
	b.do(http.StatusNoContent, http.MethodDelete, "/folders/"+home+"?recursive=true", nil, as)
	require.Equal(t, "trashed", b.do(http.StatusNotFound, http.MethodGet, "/folders/"+away, nil, as).body["code"])
	require.Equal(t, []string{home}, pluck(entries(b.get("/folders/trash/items", as)), "id"))
	b.get("/folders/"+home+"/trash", as)
	require.EqualValues(t, 3, b.get("/users/" + ann)["space_used"], "trash counts")
	b.do(http.StatusCreated, http.MethodPost, "/folders/"+home, obj{}, as)
	require.Equal(t, "not_trashed", b.do(http.StatusNotFound, http.MethodPost, "/folders/"+home, obj{}, as).body["code"])
	b.get("/folders/"+away, as)

	b.do(http.StatusNoContent, http.MethodDelete, "/folders/"+home+"?recursive=true", nil, as)
	b.do(http.StatusNoContent, http.MethodDelete, "/folders/"+home+"/trash", nil, as)
	require.Equal(t, map[string]int{"purge": 3}, b.sim.Ledger().Totals.DestroyedBy)
}

func TestFilesTrashRestoreAndRetention(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	as := asUser(ann)
	file := b.file(ann, "", "a.docx", 3)
	kept, err := b.sim.AddFile(boxsim.ItemSpec{Owner: ann, Name: "kept.docx", Trashed: true, Retained: true})
	require.NoError(t, err)

	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, as)
	require.Equal(t, "trashed", b.get("/files/"+file+"/trash", as)["item_status"])
	b.do(http.StatusCreated, http.MethodPost, "/files/"+file, obj{"name": "back.docx"}, as)
	require.Equal(t, "back.docx", b.get("/files/"+file, as)["name"])
	b.do(http.StatusForbidden, http.MethodDelete, "/files/"+kept+"/trash", nil, as)
	link, err := b.sim.AddWebLink(boxsim.ItemSpec{Owner: ann, Name: "Link"})
	require.NoError(t, err)
	require.Equal(t, "https://www.example.com/", b.get("/web_links/"+link, as)["url"])
}

func TestOldTrashGoesByTheScaledLife(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 10_000_000}) // 30 days in 0.26 s
	ann := b.user("Ann")
	file := b.file(ann, "", "a.docx", 3)
	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, asUser(ann))
	b.eventually(func() bool { return b.item(file).State == "destroyed" })
	require.Equal(t, "trash_life", b.item(file).DestroyedBy)
	require.Zero(t, b.sim.Ledger().Totals.DestroyedByRequests())
}

func TestWhatARequestDestroysIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	file := b.file(ann, "", "a.docx", 3)
	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, asUser(ann))
	require.Zero(t, b.sim.Ledger().Totals.DestroyedByRequests())
	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file+"/trash", nil, asUser(ann))
	require.Equal(t, 1, b.sim.Ledger().Totals.DestroyedByRequests())
}

func TestCollaborations(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann, bob, gone := b.user("Ann"), b.user("Bob"), b.user("Gone")
	b.do(http.StatusOK, http.MethodPut, "/users/"+gone, obj{"status": "inactive"})
	as := asUser(ann)
	work := b.folder(ann, "", "Work")
	invite := func(item, typ string, who obj) obj {
		return obj{"item": obj{"type": typ, "id": item}, "accessible_by": who, "role": "editor"}
	}
	c := b.do(http.StatusCreated, http.MethodPost, "/collaborations", invite(work, "folder", obj{"type": "user", "id": bob}), as).body["id"].(string)
	b.do(http.StatusBadRequest, http.MethodPost, "/collaborations", invite(work, "folder", obj{"type": "user", "id": bob}), as)
	b.do(http.StatusBadRequest, http.MethodPost, "/collaborations", invite(work, "folder", obj{"type": "user", "id": gone}), as)
	b.do(http.StatusBadRequest, http.MethodPost, "/collaborations", invite("0", "folder", obj{"type": "user", "id": bob}), as)
	pending := b.do(http.StatusCreated, http.MethodPost, "/collaborations", invite(work, "folder", obj{"type": "user", "login": "new@example.net"}), as)
	require.Equal(t, "pending", pending.body["status"])
	require.Len(t, entries(b.get("/folders/"+work+"/collaborations", as)), 2)
	require.Empty(t, entries(b.get("/collaborations?status=pending", as)))
	require.Equal(t, bob, b.get("/collaborations/"+c, as)["accessible_by"].(obj)["id"])

	b.do(http.StatusForbidden, http.MethodPut, "/collaborations/"+c, obj{"role": "owner"}, asUser(bob))
	b.do(http.StatusOK, http.MethodPut, "/collaborations/"+c, obj{"role": "co-owner"}, as)
	b.do(http.StatusNoContent, http.MethodPut, "/collaborations/"+c, obj{"role": "owner"}, as)
	require.Equal(t, bob, b.item(work).Owner)
	b.do(http.StatusNotFound, http.MethodGet, "/collaborations/"+c, nil, as)
	left := entries(b.get("/folders/"+work+"/collaborations", as))
	require.ElementsMatch(t, []string{"editor", "co-owner"}, pluck(left, "role"))
}

func TestFileCollaborationsDieWithTheFormerOwner(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	ann, bob, eve := b.user("Ann"), b.user("Bob"), b.user("Eve")
	work := b.folder(ann, "", "Work")
	file := b.file(ann, work, "a.docx", 1)
	for _, item := range []string{work, file} {
		_, err := b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: item, User: eve, Role: "viewer"})
		require.NoError(t, err)
	}
	b.do(http.StatusOK, http.MethodPut, transferPath(ann), transferTo(bob))
	require.Len(t, entries(b.get("/files/"+file+"/collaborations", asUser(bob))), 1)

	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann, nil)
	require.Empty(t, entries(b.get("/files/"+file+"/collaborations", asUser(bob))))
	require.Len(t, entries(b.get("/folders/"+work+"/collaborations", asUser(bob))), 1)
}

func TestForcedDeleteDestroysAndIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.leaver("Ann")
	b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, obj{"force": true})
	b.sim.AddRetentionPolicy("Seven years")
	held := b.do(http.StatusForbidden, http.MethodDelete, "/users/"+ann+"?force=true", nil)
	require.Contains(t, held.body["message"], "retention policies")

	free := setup(t, boxsim.Config{})
	eve := free.leaver("Eve")
	free.do(http.StatusNoContent, http.MethodDelete, "/users/"+eve+"?force=true", nil)
	ledger := free.sim.Ledger()
	require.Equal(t, map[string]int{"forced_delete": 5}, ledger.Totals.DestroyedBy)
	require.Len(t, ledger.Forced, 1)
	require.Len(t, b.sim.Ledger().Forced, 1)
}

func TestDeleteGuardsAreSwitchable(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 2000})
	trash, zero, moving, bob := b.user("Trash"), b.user("Zero"), b.leaver("Moving"), b.user("Bob")
	_, err := b.sim.AddFile(boxsim.ItemSpec{Owner: trash, Name: "t", SizeBytes: 3, Trashed: true})
	require.NoError(t, err)
	b.file(zero, b.folder(zero, "", "Empty"), "z", 0)
	b.mode(moving, boxsim.ModeNever)
	_, err = b.try(http.MethodPut, "/2.0"+transferPath(moving), transferTo(bob))
	require.NoError(t, err)
	b.eventually(func() bool { return b.account(moving).Items == 3 })

	for _, id := range []string{trash, zero, moving} {
		b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+id, nil)
	}
	require.NoError(t, b.sim.SetSwitches(boxsim.Switches{DeleteIgnoresTrash: true, DeleteIgnoresZeroByte: true}))
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+trash, nil)
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+zero, nil)
	b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+moving, nil)
	require.NoError(t, b.sim.SetSwitches(boxsim.Switches{DeleteIgnoresRunningJob: true}))
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+moving, nil)
	require.Equal(t, map[string]int{"delete": 6}, b.sim.Ledger().Totals.DestroyedBy, "3 unmoved, 1 in the trash, 2 empty")
	require.Zero(t, b.sim.Ledger().Totals.RunningJobs)
}

func TestOneSeedMakesOneCompany(t *testing.T) {
	t.Parallel()
	company := func(seed int64) string {
		sim, err := boxsim.New(boxsim.Config{Seed: seed, Users: 60})
		require.NoError(t, err)
		raw, err := json.Marshal([]any{sim.Ledger(), sim.People()})
		require.NoError(t, err)
		return string(raw)
	}
	require.Equal(t, company(7), company(7))
	require.NotEqual(t, company(7), company(8))
}

func TestTheCompanyHasWhatOffboardingMeets(t *testing.T) {
	t.Parallel()
	sim, err := boxsim.New(boxsim.Config{Seed: 1, Users: 200})
	require.NoError(t, err)
	roles, nothing, inactive := map[string]int{}, 0, 0
	for _, p := range sim.People() {
		if p.Service {
			continue
		}
		roles[p.Role]++
		if p.Items+p.Trashed == 0 {
			nothing++
		}
		if p.Status == "inactive" {
			inactive++
		}
	}
	require.Equal(t, map[string]int{"admin": 1, "coadmin": 2, "user": 197}, roles)
	require.Greater(t, nothing, 5)
	require.Greater(t, inactive, 2)
	types, empty := map[string]int{}, 0
	ledger := sim.Ledger()
	for _, it := range ledger.Items {
		types[it.Type]++
		if it.Type == "file" && it.SizeBytes == 0 {
			empty++
		}
	}
	require.Greater(t, types["web_link"], 10)
	require.Greater(t, ledger.Totals.Trashed, 10)
	require.Greater(t, empty, 10)
}
