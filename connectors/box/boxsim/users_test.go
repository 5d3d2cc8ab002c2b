package boxsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func TestUserFieldsFollowTheSplit(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	id := b.user("Ann")

	standard := b.get("/users/" + id)
	require.Contains(t, standard, "login")
	require.Contains(t, standard, "space_used")
	require.NotContains(t, standard, "role", "role is a full field")
	require.Equal(t, obj{"type": "user", "id": id, "role": "user"}, b.get("/users/"+id+"?fields=role,no_such_field"))
	require.Equal(t, boxsim.EnterpriseID, b.get("/users/me?fields=enterprise")["enterprise"].(obj)["id"])
}

func TestFilterTermIsAPrefixOfNameOrLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1, Users: 20})

	found := pluck(entries(b.get("/users?filter_term="+url.QueryEscape("ROBIN.prefix@example.com"))), "login")
	require.Equal(t, []string{"robin.prefix@example.com", "robin.prefix@example.com.au"}, found)
	require.Len(t, entries(b.get("/users?filter_term="+url.QueryEscape("Robin Pre"))), 2)
	require.Empty(t, entries(b.get("/users?filter_term=obin")))
}

func TestExternalUsersShowForTheirWholeLoginAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	_, err := b.sim.AddUser(boxsim.UserSpec{Name: "Guest", Login: "guest@example.org", External: true})
	require.NoError(t, err)

	require.Empty(t, entries(b.get("/users?filter_term=guest")))
	require.Len(t, entries(b.get("/users?filter_term=guest@example.org")), 1)
	require.Empty(t, entries(b.get("/users?filter_term=guest@example.org&user_type=managed")))
}

func TestUsersPageByOffsetAndByMarker(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1, Users: 25})

	all := pluck(entries(b.get("/users")), "id")
	require.Len(t, all, 25, "the service account is not listed")
	page := b.get("/users?limit=10&offset=20")
	require.Len(t, entries(page), 5)
	require.EqualValues(t, 25, page["total_count"])
	require.EqualValues(t, 1000, b.get("/users?limit=5000")["limit"], "the limit is capped and echoed")

	var byMarker []string
	for marker := ""; ; {
		page := b.get("/users?usemarker=true&limit=7&marker=" + marker)
		require.NotContains(t, page, "total_count")
		byMarker = append(byMarker, pluck(entries(page), "id")...)
		if marker, _ = page["next_marker"].(string); marker == "" {
			break
		}
	}
	require.ElementsMatch(t, all, byMarker)

	b.do(http.StatusBadRequest, http.MethodGet, "/users?offset=10000", nil)
	b.do(http.StatusBadRequest, http.MethodGet, "/users?limit=many", nil)
	b.do(http.StatusBadRequest, http.MethodGet, "/users?usemarker=true&marker=wrong", nil)
}

func TestCreateUserRefusesATakenLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	b.user("Ann")

	id := b.do(http.StatusCreated, http.MethodPost, "/users", obj{"name": "Bob", "login": "bob@example.com"}).body["id"].(string)
	require.Equal(t, "active", b.get("/users/" + id)["status"])
	taken := b.do(http.StatusConflict, http.MethodPost, "/users", obj{"name": "Ann", "login": "ANN@example.com"})
	require.Equal(t, "user_login_already_used", taken.body["code"])
	b.do(http.StatusBadRequest, http.MethodPost, "/users", obj{"name": "Eve", "login": "eve@example.com", "role": "admin"})
	b.do(http.StatusForbidden, http.MethodPut, "/users/"+id, obj{"enterprise": nil})
}

func TestSuspendedUserIsShutOut(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann, bob := b.user("Ann"), b.user("Bob")
	file := b.file(ann, "", "a.docx", 10)
	_, err := b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: file, User: bob, Role: "editor"})
	require.NoError(t, err)
	token := b.token(boxsim.MainClientID, "user", ann)
	b.get("/files/"+file, asUser(bob))

	b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"status": "inactive"})

	for _, opt := range []option{withToken(token), asUser(ann)} {
		refused := b.do(http.StatusUnauthorized, http.MethodGet, "/folders/0/items", nil, opt)
		require.Equal(t, "Unauthorized - User has been deactivated", refused.body["message"])
	}
	b.do(http.StatusForbidden, http.MethodGet, "/files/"+file, nil, asUser(bob))
	require.Contains(t, pluck(entries(b.get("/users")), "id"), ann, "inactive users are listed")
	b.do(http.StatusForbidden, http.MethodPut, "/users/"+b.id, obj{"status": "inactive"})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{TokenLife: 300 * time.Millisecond})
	ann := b.user("Ann")

	wrong := b.form("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {boxsim.MainClientID}, "client_secret": {"wrong"},
		"box_subject_type": {"enterprise"}, "box_subject_id": {boxsim.EnterpriseID},
	})
	require.Equal(t, http.StatusBadRequest, wrong.status)
	require.Equal(t, obj{"error": "invalid_grant", "error_description": "Grant credentials are invalid"}, wrong.body)

	gone := func(token string) {
		res := b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil, withToken(token))
		require.Empty(t, res.raw, "an invalid token gets an empty body")
		require.Contains(t, res.header.Get("WWW-Authenticate"), `error="invalid_token"`)
		require.NotEmpty(t, res.header.Get("box-request-id"))
	}
	gone("made-up")

	token := b.token(boxsim.MainClientID, "user", ann)
	revoked := b.form("/oauth2/revoke", url.Values{
		"client_id": {boxsim.MainClientID}, "client_secret": {boxsim.ClientSecret}, "token": {token},
	})
	require.Equal(t, http.StatusOK, revoked.status)
	gone(token)

	token = b.token(boxsim.MainClientID, "user", ann)
	b.eventually(func() bool {
		res, err := b.try(http.MethodGet, "/2.0/users/me", nil, withToken(token))
		return err == nil && res.status == http.StatusUnauthorized
	})
	gone(token)
}

func TestScopesAndRanks(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1, Users: 20})
	ann := b.leaver("Ann")
	var coadmin, other string
	for _, p := range b.sim.People() {
		if p.Role == "coadmin" {
			coadmin, other = p.ID, coadmin
		}
	}
	require.NotEmpty(t, other)

	readOnly := withToken(b.token(boxsim.ReadOnlyClientID, "user", b.id))
	b.get("/users/"+ann, readOnly)
	b.get("/folders/0/items", readOnly, asUser(ann))
	for _, call := range []struct{ method, path string }{
		{http.MethodPut, "/users/" + ann},
		{http.MethodDelete, "/users/" + ann},
		{http.MethodPut, transferPath(ann)},
		{http.MethodPost, "/folders"},
		{http.MethodPost, "/users/terminate_sessions"},
	} {
		res := b.do(http.StatusForbidden, call.method, call.path, obj{}, readOnly)
		require.Equal(t, "insufficient_scope", res.body["code"])
	}

	plain := withToken(b.token(boxsim.MainClientID, "user", ann))
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, plain)
	require.Equal(t, ann, b.get("/users/me", plain)["id"])

	service := withToken(b.token(boxsim.MainClientID, "enterprise", boxsim.EnterpriseID))
	b.get("/folders/0/items", service, asUser(ann))
	b.do(http.StatusForbidden, http.MethodGet, "/folders/0/items", nil, service, asUser(coadmin))
	b.do(http.StatusForbidden, http.MethodPut, "/users/"+coadmin, obj{"status": "inactive"}, service)
	b.do(http.StatusForbidden, http.MethodDelete, "/users/"+b.id, nil, withToken(b.token(boxsim.MainClientID, "user", coadmin)))
	high := b.do(http.StatusForbidden, http.MethodPut, transferPath(other), transferTo(ann), service)
	require.Equal(t, "Cannot transfer files from/to higher privilaged accounts", high.body["message"])
	b.do(http.StatusForbidden, http.MethodGet, "/folders/0/items", nil, asUser("1"))
}

func TestRateLimitCountsTheActingUserAndTheTokensUser(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Rate: 3})
	ann := b.user("Ann")
	plain := withToken(b.token(boxsim.MainClientID, "user", ann))

	for range 3 {
		b.get("/folders/0/items", asUser(ann))
	}
	for _, opts := range [][]option{nil, {plain}} {
		res := b.do(http.StatusTooManyRequests, http.MethodGet, "/users/me", nil, opts...)
		require.Equal(t, "rate_limit_exceeded", res.body["code"])
		require.NotEmpty(t, res.header.Get("Retry-After"))
	}
}

func TestTerminateSessionsIsAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")

	b.do(http.StatusAccepted, http.MethodPost, "/users/terminate_sessions", obj{"user_ids": []string{ann}, "user_logins": []string{}})
	require.Equal(t, 1, b.account(ann).SessionsTerminated)
	empty := b.do(http.StatusBadRequest, http.MethodPost, "/users/terminate_sessions", obj{})
	require.Equal(t, "Users can not be NULL or EMPTY", empty.body["message"])
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})

	require.Equal(t, "not_found", b.do(http.StatusNotFound, http.MethodGet, "/no/such/thing", nil).body["code"])
	require.Equal(t, "method_not_allowed", b.do(http.StatusMethodNotAllowed, http.MethodPatch, "/users/1", nil).body["code"])
	b.do(http.StatusMethodNotAllowed, http.MethodGet, "/folders/abc", nil)
	b.do(http.StatusNotFound, http.MethodGet, "/users/1", nil)
}

func TestGroupsAndMemberships(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")

	group := b.do(http.StatusCreated, http.MethodPost, "/groups", obj{"name": "Writers"}).body["id"].(string)
	b.do(http.StatusConflict, http.MethodPost, "/groups", obj{"name": "writers"})
	join := obj{"user": obj{"id": ann}, "group": obj{"id": group}}
	m := b.do(http.StatusCreated, http.MethodPost, "/group_memberships", join).body["id"].(string)
	b.do(http.StatusConflict, http.MethodPost, "/group_memberships", join)
	require.Equal(t, []string{m}, pluck(entries(b.get("/users/"+ann+"/memberships")), "id"))
	require.Equal(t, []string{m}, pluck(entries(b.get("/groups/"+group+"/memberships")), "id"))
	b.do(http.StatusOK, http.MethodPut, "/group_memberships/"+m, obj{"role": "admin"})
	require.Equal(t, "admin", b.get("/group_memberships/" + m)["role"])
	b.do(http.StatusNoContent, http.MethodDelete, "/group_memberships/"+m, nil)
	b.do(http.StatusNotFound, http.MethodGet, "/group_memberships/"+m, nil)
	b.do(http.StatusOK, http.MethodPut, "/groups/"+group, obj{"description": "They write"})
	b.do(http.StatusNoContent, http.MethodDelete, "/groups/"+group, nil)
	b.do(http.StatusNotFound, http.MethodGet, "/groups/"+group, nil)
}

func TestAdminLogsAreLateAndNumberedBeyondFloats(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: 60})
	ann := b.user("Ann")
	b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"status": "inactive"})

	const path = "/events?stream_type=admin_logs&event_type=EDIT_USER"
	require.Empty(t, entries(b.get(path)))
	b.eventually(func() bool { return len(entries(b.get(path))) == 1 })
	res := b.do(http.StatusOK, http.MethodGet, path, nil)
	var position int64
	_, err := fmt.Sscan(between(res.raw, `"next_stream_position":`, "}"), &position)
	require.NoError(t, err)
	require.Greater(t, position, int64(1)<<53)
	empty := b.get(fmt.Sprintf("%s&stream_position=%d", path, position))
	require.Empty(t, entries(empty))
	require.EqualValues(t, 0, empty["next_stream_position"])
}
