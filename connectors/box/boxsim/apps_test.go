package boxsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// app registers an application and gives a token of the admin for it.
func (b *bench) app(id string, scopes ...string) option {
	b.t.Helper()
	b.control(http.StatusOK, http.MethodPost, "/apps", obj{"client_id": id, "scopes": scopes})
	return withToken(b.token(id, "user", b.id))
}

func (b *bench) change(id, action string, scopes ...string) {
	b.t.Helper()
	body := obj{"client_id": id, "action": action}
	if scopes != nil {
		body["scopes"] = scopes
	}
	b.control(http.StatusOK, http.MethodPost, "/apps/change", body)
}

func TestEachScopeOpensItsRoutesAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.leaver("Ann")
	robot := b.add(boxsim.UserSpec{Name: "Robot", Login: "robot@example.com", App: true})
	group, err := b.sim.AddGroup(boxsim.GroupSpec{Name: "Writers", Members: []string{ann}})
	require.NoError(t, err)
	calls := map[string]struct {
		method, path string
		body         any
	}{
		"users":      {http.MethodGet, "/users", nil},
		"user":       {http.MethodPut, "/users/" + ann, obj{"phone": "1"}},
		"app user":   {http.MethodPut, "/users/" + robot, obj{"phone": "1"}},
		"groups":     {http.MethodGet, "/groups", nil},
		"members":    {http.MethodGet, "/groups/" + group + "/memberships", nil},
		"reach":      {http.MethodGet, "/groups/" + group + "/collaborations", nil},
		"events":     {http.MethodGet, "/events?stream_type=admin_logs", nil},
		"holds":      {http.MethodGet, "/legal_hold_policies", nil},
		"retention":  {http.MethodGet, "/retention_policies", nil},
		"content":    {http.MethodGet, "/folders/0/items", nil},
		"new folder": {http.MethodPost, "/folders", obj{"name": "New", "parent": obj{"id": "0"}}},
	}
	for _, c := range []struct {
		scopes string
		opens  string
	}{
		{"", ""},
		{"root_readonly", "content"},
		{"root_readwrite", "content,new folder"},
		{"manage_managed_users", "users,user,app user"},
		{"manage_app_users", "app user"},
		{"manage_groups", "groups,members,reach"},
		{"manage_enterprise_properties", "events"},
		{"manage_legal_hold", ""},
		{"manage_legal_holds enterprise_content", "holds,content"},
		{"manage_data_retention enterprise_content", "retention,content"},
	} {
		token := b.app("app "+c.scopes, strings.Fields(c.scopes)...)
		b.get("/users/me", token)
		for name, call := range calls {
			res, err := b.try(call.method, "/2.0"+call.path, call.body, token)
			require.NoError(t, err)
			open := strings.Contains(","+c.opens+",", ","+name+",")
			require.Equal(t, open, res.status < 300, "%s with %q: %s", name, c.scopes, res.raw)
			if !open {
				require.Equal(t, "access_denied_insufficient_permissions", res.body["code"])
			}
		}
	}
	transfer := b.app("mover", "manage_managed_users")
	b.do(http.StatusForbidden, http.MethodPut, transferPath(ann), transferTo(b.id), transfer)
	b.control(http.StatusBadRequest, http.MethodPost, "/apps", obj{"client_id": "odd", "scopes": []string{"manage_everything"}})
	b.control(http.StatusBadRequest, http.MethodPost, "/apps", obj{"client_id": boxsim.MainClientID})
}

// Scopes are a snapshot: they change with the next authorization, and for tokens
// that are issued after it.
func TestChangedScopesCountFromTheNextAuthorization(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	before := b.app("hr", "manage_groups")
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, before)
	b.change("hr", "", "manage_managed_users")
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, withToken(b.token("hr", "user", b.id)))
	b.change("hr", "authorize")
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, before)
	after := withToken(b.token("hr", "user", b.id))
	b.get("/users", after)
	b.do(http.StatusForbidden, http.MethodGet, "/groups", nil, after)
	for _, a := range b.sim.Apps() {
		if a.ClientID == "hr" {
			require.Equal(t, []string{"manage_managed_users"}, a.Authorized)
			require.Equal(t, 3, a.Tokens)
		}
	}
}

func TestAppsAreRevokedDisabledRemovedAndRestored(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	token := b.app("hr", "manage_managed_users")
	ask := func() answer {
		return b.form("/oauth2/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"hr"}, "client_secret": {boxsim.ClientSecret},
			"box_subject_type": {"user"}, "box_subject_id": {b.id},
		})
	}
	b.change("hr", "revoke")
	require.Empty(t, b.do(http.StatusUnauthorized, http.MethodGet, "/users", nil, token).raw)
	token = withToken(ask().body["access_token"].(string))

	b.change("hr", "disable")
	b.do(http.StatusUnauthorized, http.MethodGet, "/users", nil, token)
	b.change("hr", "restore")
	b.get("/users", token)

	b.change("hr", "remove")
	require.Equal(t, "Unauthorized - Cannot authorize with this service", b.do(http.StatusUnauthorized, http.MethodGet, "/users", nil, token).body["message"])
	require.Equal(t, obj{"error": "unauthorized_client", "error_description": "This app is not authorized by the enterprise admin"}, ask().body)
	b.change("hr", "restore")
	require.Empty(t, b.do(http.StatusUnauthorized, http.MethodGet, "/users", nil, token).raw, "what was removed comes back without its tokens")
	b.get("/users", withToken(ask().body["access_token"].(string)))
	b.get("/users")
	b.control(http.StatusBadRequest, http.MethodPost, "/apps/change", obj{"client_id": "hr", "action": "praise"})
	b.control(http.StatusBadRequest, http.MethodPost, "/apps/change", obj{"client_id": "nobody"})
}

// consent calls the authorization page without following where it leads.
func (b *bench) consent(method string, form url.Values) (answer, url.Values) {
	b.t.Helper()
	target, body := b.url+"/api/oauth2/authorize", ""
	if method == http.MethodGet {
		target += "?" + form.Encode()
	} else {
		body = form.Encode()
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	follow := b.http.CheckRedirect
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.http.CheckRedirect = follow }()
	res, err := b.send(req)
	require.NoError(b.t, err)
	to, err := url.Parse(res.header.Get("Location"))
	require.NoError(b.t, err)
	return res, to.Query()
}

const callback = "http://127.0.0.1:4711/callback?keep=1"

func consentForm(client string, more url.Values) url.Values {
	form := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "state": {"s t&ate"}}
	for name, values := range more {
		form[name] = values
	}
	return form
}

func TestConsentInTheBrowser(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	require.Equal(t, b.url+"/api/oauth2/authorize", b.sim.Banner(b.url).AuthorizeURL)
	b.app("hr", "manage_managed_users", "manage_groups")
	page, _ := b.consent(http.MethodGet, consentForm("hr", nil))
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	for _, want := range []string{`name="state" value="s t&amp;ate"`, `<option value="` + b.id + `">`, "<li>manage_groups</li>", `value="deny"`, `method="post"`} {
		require.Contains(t, page.raw, want)
	}

	res, back := b.consent(http.MethodPost, consentForm("hr", url.Values{"user": {b.id}, "decision": {"grant"}, "scope": {"manage_groups"}}))
	require.Equal(t, http.StatusFound, res.status, res.raw)
	require.True(t, strings.HasPrefix(res.header.Get("Location"), "http://127.0.0.1:4711/callback?"))
	require.Equal(t, []string{"s t&ate", "1"}, []string{back.Get("state"), back.Get("keep")})
	redeem := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"hr"}, "client_secret": {boxsim.ClientSecret},
		"code": {back.Get("code")}, "redirect_uri": {callback},
	}
	granted := b.form("/oauth2/token", redeem)
	require.Equal(t, http.StatusOK, granted.status, granted.raw)
	token := withToken(granted.body["access_token"].(string))
	require.Equal(t, b.id, b.get("/users/me", token)["id"])
	b.get("/groups", token)
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, token)
	require.Equal(t, "invalid_grant", b.form("/oauth2/token", redeem).body["error"], "a code is good once")

	refreshed := b.form("/oauth2/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"hr"}, "client_secret": {boxsim.ClientSecret},
		"refresh_token": {granted.body["refresh_token"].(string)},
	})
	b.do(http.StatusForbidden, http.MethodGet, "/users", nil, withToken(refreshed.body["access_token"].(string)))

	_, back = b.consent(http.MethodPost, consentForm("hr", url.Values{"user": {b.id}, "decision": {"deny"}}))
	require.Equal(t, []string{"access_denied", "s t&ate", ""}, []string{back.Get("error"), back.Get("state"), back.Get("code")})
	for _, scope := range []string{"root_readwrite", "made_up"} {
		_, back = b.consent(http.MethodGet, consentForm("hr", url.Values{"scope": {scope}}))
		require.Equal(t, "invalid_scope", back.Get("error"))
	}
}

func TestConsentGoesNowhereElse(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	b.control(http.StatusOK, http.MethodPost, "/apps", obj{"client_id": "one", "redirect_uris": []string{"https://app.example.com/back"}})
	b.control(http.StatusOK, http.MethodPost, "/apps", obj{"client_id": "two", "redirect_uris": []string{"http://localhost:1/back", "https://app.example.com/back"}})
	for _, c := range []struct{ client, redirect, fault string }{
		{boxsim.MainClientID, "https://evil.example.com/", "redirect_uri_mismatch"},
		{boxsim.MainClientID, "", "redirect_uri_missing"},
		{"one", "", ""},
		{"one", "http://127.0.0.1:4711/callback", "redirect_uri_mismatch"},
		{"two", "http://localhost:4711/back", ""},
		{"two", "http://localhost:4711/elsewhere", "redirect_uri_mismatch"},
		{"nobody", callback, "invalid_client"},
	} {
		res, _ := b.consent(http.MethodPost, consentForm(c.client, url.Values{"redirect_uri": {c.redirect}, "user": {b.id}, "decision": {"grant"}}))
		if c.fault == "" {
			require.Equal(t, http.StatusFound, res.status, res.raw)
			continue
		}
		require.Equal(t, http.StatusBadRequest, res.status)
		require.Contains(t, res.raw, c.fault)
		require.Empty(t, res.header.Get("Location"))
	}
	gone := b.user("Gone")
	b.suspend(gone)
	for _, form := range []url.Values{{"user": {gone}, "decision": {"grant"}}, {"user": {b.id}}, {"user": {b.id}, "decision": {"grant"}, "response_type": {"token"}}} {
		res, _ := b.consent(http.MethodPost, consentForm(boxsim.MainClientID, form))
		require.Equal(t, http.StatusBadRequest, res.status, res.raw)
	}
	b.change(boxsim.MainClientID, "remove")
	res, _ := b.consent(http.MethodGet, consentForm(boxsim.MainClientID, nil))
	require.Contains(t, res.raw, "unauthorized_client")
}

func TestEventsOfAnyKindCanBeRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: veryFast})
	b.http = &http.Client{Transport: b.http.Transport.(*specChecker).next} // created_by may be null
	ann := b.user("Ann")
	at := time.Now().Add(-10 * 24 * time.Hour).UTC().Truncate(time.Second)
	for _, e := range []obj{
		{"type": "ADMIN_LOGIN", "created_by": b.id, "source_user": ann, "time": at},
		{"type": "DOWNLOAD", "created_by": "2", "time": at, "source": obj{"item_type": "file", "item_id": "5"}},
		{"type": "SHARE_EXPIRATION", "time": at.Add(time.Second), "action_by": b.id, "additional_details": obj{"service_name": "x"}},
	} {
		b.control(http.StatusOK, http.MethodPost, "/events", e)
	}
	b.control(http.StatusBadRequest, http.MethodPost, "/events", obj{"created_by": ann})
	b.control(http.StatusBadRequest, http.MethodPost, "/events", obj{"type": "LOGIN", "created_by": "77"})
	all := entries(b.get("/events?stream_type=admin_logs&event_type=ADMIN_LOGIN,DOWNLOAD,SHARE_EXPIRATION"))
	require.Equal(t, []string{"ADMIN_LOGIN", "DOWNLOAD", "SHARE_EXPIRATION"}, pluck(all, "event_type"))
	require.Equal(t, []any{b.id, ann}, []any{all[0]["created_by"].(obj)["id"], all[0]["source"].(obj)["id"]})
	require.Equal(t, obj{"type": "user", "id": "2", "name": "Unknown User", "login": ""}, all[1]["created_by"])
	require.Nil(t, all[2]["created_by"])
	require.Equal(t, b.id, all[2]["action_by"].(obj)["id"])
	only := entries(b.get("/events?stream_type=admin_logs&created_after=" + at.Add(time.Second).Format(time.RFC3339)))
	require.Equal(t, []string{"SHARE_EXPIRATION"}, pluck(only[:1], "event_type"))
}
