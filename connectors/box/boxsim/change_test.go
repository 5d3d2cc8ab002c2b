package boxsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestTheCompanyChangesByControl(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann := b.control(http.StatusOK, http.MethodPost, "/users", obj{
		"name": "Ann", "login": "ann@example.com", "tracking_codes": []obj{{"name": "employee_number", "value": "E1"}},
	}).body["id"].(string)
	read := func() obj { return b.get("/users/" + ann + "?fields=name,login,role,status,created_at,tracking_codes") }
	code := func(value string) []any {
		return []any{obj{"type": "tracking_code", "name": "employee_number", "value": value}}
	}
	require.Equal(t, code("E1"), read()["tracking_codes"])
	require.NotContains(t, b.get("/users/"+ann), "tracking_codes", "only who asks is told")

	b.control(http.StatusOK, http.MethodPost, "/users/change", obj{
		"id": ann, "name": "Ann Other", "login": "ann.other@example.com", "role": "coadmin", "status": "cannot_delete_edit",
		"created_at": time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC), "tracking_codes": []obj{{"name": "employee_number", "value": "E2"}}, "no_reports": true,
	})
	require.Equal(t, obj{
		"type": "user", "id": ann, "name": "Ann Other", "login": "ann.other@example.com", "role": "coadmin", "status": "cannot_delete_edit",
		"created_at": "2020-02-02T20:05:06-08:00", "tracking_codes": code("E2"),
	}, read())
	b.do(http.StatusForbidden, http.MethodGet, "/events?stream_type=admin_logs", nil, asUser(ann))
	b.get("/users", asUser(ann))
	for _, bad := range []obj{{"id": "1"}, {"id": ann, "role": "king"}, {"id": ann, "status": "asleep"}, {"id": ann, "login": "admin@example.com"}} {
		b.control(http.StatusBadRequest, http.MethodPost, "/users/change", bad)
	}

	group := b.control(http.StatusOK, http.MethodPost, "/groups", obj{"name": "Writers"}).body["id"].(string)
	m := b.control(http.StatusOK, http.MethodPost, "/memberships", obj{
		"user": ann, "group": group, "role": "admin", "configurable_permissions": obj{"can_run_reports": false},
	}).body["id"].(string)
	require.Equal(t, obj{"can_run_reports": false}, b.get("/group_memberships/" + m)["configurable_permissions"])
	b.control(http.StatusBadRequest, http.MethodPost, "/memberships", obj{"user": ann, "group": group})
	b.control(http.StatusOK, http.MethodPost, "/memberships/remove", obj{"id": m})
	require.Empty(t, entries(b.get("/users/"+ann+"/memberships")))
	b.control(http.StatusOK, http.MethodPost, "/groups/remove", obj{"id": group})
	b.do(http.StatusNotFound, http.MethodGet, "/groups/"+group, nil)
	b.file(ann, "", "a.docx", 1)
	b.control(http.StatusOK, http.MethodPost, "/users/remove", obj{"id": ann})
	b.do(http.StatusNotFound, http.MethodGet, "/users/"+ann, nil)
	for _, path := range []string{"/users/remove", "/groups/remove", "/memberships/remove"} {
		b.control(http.StatusBadRequest, http.MethodPost, path, obj{"id": "1"})
	}
	b.eventually(func() bool {
		return len(entries(b.get("/events?stream_type=admin_logs&event_type=GROUP_ADD_USER,GROUP_REMOVE_USER,GROUP_DELETION,DELETE_USER"))) == 4
	})
}

// Whoever becomes the admin is the only one.
func TestTheAdminCanBeReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	b.control(http.StatusOK, http.MethodPost, "/users/change", obj{"id": ann, "role": "admin"})
	require.Equal(t, ann, b.sim.Banner("").AdminID)
	require.Equal(t, "coadmin", b.get("/users/" + b.id + "?fields=role")["role"])
	b.control(http.StatusOK, http.MethodPost, "/users/change", obj{"id": b.id, "role": "user"})
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil)
}

func TestWhatPeopleDoIsInTheEvents(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	ann := b.leaver("Ann")
	b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"role": "coadmin"})
	alias := b.do(http.StatusCreated, http.MethodPost, "/users/"+ann+"/email_aliases", obj{"email": "nan@example.com"}).body["id"].(string)
	b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann+"/email_aliases/"+alias, nil)
	own := withToken(b.token(boxsim.MainClientID, "user", ann))
	file := b.file(ann, "", "mine.docx", 5)
	c := b.do(http.StatusCreated, http.MethodPost, "/collaborations", obj{"item": obj{"type": "file", "id": file}, "accessible_by": obj{"type": "user", "id": b.id}, "role": "viewer"}, own).body["id"].(string)
	b.do(http.StatusNoContent, http.MethodDelete, "/collaborations/"+c, nil, own)
	b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, own)
	b.do(http.StatusCreated, http.MethodPost, "/files/"+file, obj{}, own)
	want := []string{"EDIT_USER", "CHANGE_ADMIN_ROLE", "EMAIL_ALIAS_CONFIRM", "EMAIL_ALIAS_REMOVE", "COLLABORATION_INVITE", "COLLABORATION_REMOVE", "DELETE", "UNDELETE"}
	var seen []obj
	b.eventually(func() bool { seen = entries(b.get("/events?stream_type=admin_logs")); return len(seen) >= len(want)+1 })
	require.Equal(t, want, pluck(seen[len(seen)-len(want):], "event_type"))
	require.Equal(t, ann, seen[len(seen)-1]["created_by"].(obj)["id"])
}
