package box_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// wireUser is a managed user with one field changed: "name":value pairs that
// replace the defaults.
func wireUser(id, login string, change ...string) string {
	f := []string{
		`"login":"` + login + `"`, `"role":"user"`, `"status":"active"`, `"space_used":5`, `"space_amount":-1`,
		`"enterprise":{"type":"enterprise","id":"11"}`, `"is_platform_access_only":false`, `"created_at":"2012-12-12T10:53:43-08:00"`,
	}
	for _, c := range change {
		name, _, _ := strings.Cut(c, ":")
		for i := range f {
			if strings.HasPrefix(f[i], name+":") {
				f[i] = c
			}
		}
	}
	return `{"type":"user","id":` + id + `,"name":"A Name",` + strings.Join(f, ",") + `}`
}

func TestReadAccount(t *testing.T) {
	t.Parallel()
	const get = "GET /2.0/users/5?" + userQuery
	s := newScript(t,
		exchange{want: get, answer: wireUser(`"5"`, leaver)},
		exchange{want: get, answer: wireUser(`5`, leaver, `"role":"coadmin"`, `"status":"inactive"`)},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"role":"admin"`, `"status":"cannot_delete_edit_upload"`)},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"is_platform_access_only":true`, `"enterprise":null`)},
		exchange{want: get, answer: wireUser(`"5"`, "AutomationUser_1_x@boxdevedition.com")},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"enterprise":null`, `"role":null`, `"status":null`, `"space_used":null`, `"space_amount":null`)},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"enterprise":{"type":"enterprise","id":12}`)},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"status":"brand_new"`)},
		exchange{want: get, answer: wireUser(`"5"`, leaver, `"space_amount":18446744073709551615`, `"created_at":"2012-12-12T10:53:43-0800"`)},
	)
	c := open(t, s.url)
	read := func() schema.Account {
		t.Helper()
		a, err := c.ReadAccount(t.Context(), "5")
		require.NoError(t, err)
		require.Equal(t, schema.ExternalID("5"), a.ExternalID)
		return a
	}
	a := read()
	require.WithinDuration(t, time.Now(), a.ObservedAt, time.Minute)
	a.ObservedAt = time.Time{}
	require.Equal(t, schema.Account{
		ConnectionID: "conn", ExternalID: "5", Login: leaver, Name: "A Name", Role: schema.RoleMember, Status: schema.AccountActive,
		VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: "11", SpaceUsed: 5, SpaceAmount: -1,
		CreatedAt: time.Date(2012, 12, 12, 18, 53, 43, 0, time.UTC),
	}, a)
	a = read()
	require.Equal(t, []any{schema.RoleCoadmin, schema.AccountSuspended, "inactive"}, []any{a.Role, a.Status, a.VendorStatus})
	a = read()
	require.Equal(t, []any{schema.RoleOwner, schema.AccountRestricted, "cannot_delete_edit_upload"}, []any{a.Role, a.Status, a.VendorStatus})
	require.Equal(t, schema.KindApp, read().Kind)
	require.Equal(t, schema.KindService, read().Kind)
	require.Equal(t, schema.KindExternal, read().Kind)
	require.Equal(t, schema.KindExternal, read().Kind)
	require.Equal(t, schema.AccountRestricted, read().Status)
	a = read()
	require.EqualValues(t, math.MaxInt64, a.SpaceAmount, "no limit, whatever the number")
	require.Zero(t, a.CreatedAt, "a time that cannot be read is unknown")
}

func TestReadAccountThatBreaksTheContract(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"another user":  wireUser(`"6"`, leaver),
		"no status":     wireUser(`"5"`, leaver, `"status":null`),
		"no role":       wireUser(`"5"`, leaver, `"role":null`),
		"unknown role":  wireUser(`"5"`, leaver, `"role":"overlord"`),
		"no space":      wireUser(`"5"`, leaver, `"space_used":null`),
		"text as space": wireUser(`"5"`, leaver, `"space_used":"`+leaver+`"`),
		"float id":      wireUser(`5.5`, leaver),
		"text as room":  wireUser(`"5"`, leaver, `"space_amount":"`+leaver+`"`),
	} {
		s := newScript(t, exchange{want: "GET /2.0/users/5?" + userQuery, answer: answer})
		_, err := open(t, s.url).ReadAccount(t.Context(), "5")
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, name)
	}
}

func TestMissingAccount(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: "GET /2.0/users/5?" + userQuery, status: 404, answer: refusal("404", "not_found", "Not Found")})
	_, err := open(t, s.url).ReadAccount(t.Context(), "5")
	e := errorOf(t, err)
	require.Equal(t, connectors.NotFound, e.Kind)
	require.Equal(t, "not_found", e.Code)
	require.Equal(t, "req-1", e.RequestID)
}

// TestAGatewaysNotFoundIsNoAbsence: a read by id is what proves a delete, so that
// no 404 but Box's own may count.
func TestAGatewaysNotFoundIsNoAbsence(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a page": "<html>no route</html>", "nothing": "", "another's JSON": `{"message":"no Route matched with those values"}`,
		"half an answer": refusal("404", "not_found", "Not Found")[:30],
	} {
		s := newScript(t, exchange{want: "GET /2.0/users/5?" + userQuery, status: 404, answer: body})
		_, err := open(t, s.url).ReadAccount(t.Context(), "5")
		require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind, name)
	}
}

func TestIDsCannotChangeThePath(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	c := open(t, s.url)
	for _, id := range []schema.ExternalID{"", "5/folders/0", "..", "5?force=true", "me\r\n", "5 "} {
		_, err := c.ReadAccount(t.Context(), id)
		require.Equal(t, connectors.Invalid, errorOf(t, err).Kind, id)
		require.Equal(t, connectors.Invalid, errorOf(t, c.DeleteAccount(t.Context(), id)).Kind, id)
		require.Equal(t, connectors.Invalid, errorOf(t, c.SetStatus(t.Context(), id, "active")).Kind, id)
		require.Equal(t, connectors.Invalid, errorOf(t, c.RevokeSessions(t.Context(), id)).Kind, id)
		_, _, err = c.RootItems(t.Context(), id)
		require.Equal(t, connectors.Invalid, errorOf(t, err).Kind, id)
		_, err = c.PrepareTransfer(t.Context(), "5", id)
		require.Equal(t, connectors.Invalid, errorOf(t, err).Kind, id)
	}
}

func TestFindByLoginComparesEveryPrefixHit(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users?" + userQuery + "&filter_term=ann%40example.com&limit=1000"
	const tail = "&usemarker=true&user_type=all"
	s := newScript(t,
		exchange{want: list + tail, answer: `{"limit":2,"next_marker":"m1","entries":[` + wireUser(`"1"`, "ann@example.com.au") + `,` + wireUser(`"2"`, "Ann@Example.com") + `]}`},
		exchange{want: list + "&marker=m1" + tail, answer: `{"limit":2,"next_marker":77,"entries":[` + wireUser(`"2"`, "ann@example.com") + `]}`},
		exchange{want: list + "&marker=77" + tail, answer: `{"limit":2,"next_marker":"","entries":[` + wireUser(`"3"`, leaver, `"enterprise":null`, `"role":null`) + `]}`},
	)
	found, err := open(t, s.url).FindByLogin(t.Context(), leaver)
	require.NoError(t, err)
	require.Len(t, found, 2, "all exact matches once, no prefix hits")
	require.Equal(t, schema.ExternalID("2"), found[0].ExternalID)
	require.Equal(t, schema.KindExternal, found[1].Kind)

	_, err = open(t, s.url).FindByLogin(t.Context(), " ")
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind, "an empty term would list everybody")
}

func TestEachAccountWalksToTheEnd(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users?" + userQuery + "&limit=1000"
	const tail = "&usemarker=true&user_type=managed"
	s := newScript(t,
		exchange{want: list + tail, answer: `{"limit":1000,"next_marker":"a","entries":[` + wireUser(`"1"`, leaver) + `]}`},
		exchange{want: list + "&marker=a" + tail, answer: `{"limit":1000,"next_marker":null,"entries":[` + wireUser(`"2"`, "bob@example.com") + `]}`},
	)
	var ids []schema.ExternalID
	require.NoError(t, open(t, s.url).EachAccount(t.Context(), func(a schema.Account) error {
		ids = append(ids, a.ExternalID)
		return nil
	}))
	require.Equal(t, []schema.ExternalID{"1", "2"}, ids)
}

func TestListingsThatNeverEnd(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users?" + userQuery + "&limit=1000"
	const tail = "&usemarker=true&user_type=managed"
	page := `{"limit":1000,"next_marker":"a","entries":[]}`
	s := newScript(t, exchange{want: list + tail, answer: page}, exchange{want: list + "&marker=a" + tail, answer: page})
	err := open(t, s.url).EachAccount(t.Context(), func(schema.Account) error { return nil })
	require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)

	s = newScript(t, exchange{want: list + tail, answer: `{"limit":1000}`})
	err = open(t, s.url).EachAccount(t.Context(), func(schema.Account) error { return nil })
	require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, "no entries is not an empty listing")

	for _, answer := range []string{`{"total_count":5,"limit":0,"entries":[]}`, `{"limit":100,"entries":[]}`} {
		s = newScript(t, exchange{want: "GET /2.0/users/5/memberships?limit=1000&offset=0", answer: answer})
		_, err = open(t, s.url).Memberships(t.Context(), "5")
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
	}
}

func TestMembershipsAdvanceByTheReturnedLimit(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users/5/memberships?limit=1000&offset="
	s := newScript(t,
		exchange{want: list + "0", answer: `{"total_count":150,"limit":100,"offset":0,"entries":[{"id":"m1","role":"member","group":{"id":"g1"}}]}`},
		exchange{want: list + "100", answer: `{"total_count":150,"limit":100,"offset":100,"entries":[{"id":2,"role":"admin","group":{"id":3},"configurable_permissions":{}}]}`},
	)
	got, err := open(t, s.url).Memberships(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, []schema.Membership{{ID: "m1", GroupID: "g1", Role: "member"}, {ID: "2", GroupID: "3", Role: "admin", Permissions: map[string]bool{}}}, got)
}

func TestSetStatusAndSessions(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: "PUT /2.0/users/5?fields=id%2Cstatus", body: `{"status":"inactive"}`, answer: `{"id":"5"}`},
		exchange{want: "POST /2.0/users/terminate_sessions", body: `{"user_ids":["5"],"user_logins":[]}`, status: 202, answer: `{"message":"Request is successful"}`},
	)
	c := open(t, s.url)
	require.NoError(t, c.SetStatus(t.Context(), "5", c.SuspendedStatus()))
	require.NoError(t, c.RevokeSessions(t.Context(), "5"))
	require.Equal(t, connectors.Invalid, errorOf(t, c.SetStatus(t.Context(), "5", "")).Kind)
}

func TestDeleteIsNeverForced(t *testing.T) {
	t.Parallel()
	const del = "DELETE /2.0/users/5?notify=false"
	s := newScript(t,
		exchange{want: del, status: 204},
		exchange{want: del, status: 400, answer: refusal("400", "bad_request", "USER has managed Content")},
		exchange{want: del, status: 400, answer: refusal("400", "bad_request", "something else")},
		exchange{want: del, status: 403, answer: refusal("403", "forbidden", "User cannot be deleted due to retention policies. Please transfer user content first")},
		exchange{want: del, status: 404, answer: refusal("404", "not_found", "Not Found")},
		exchange{want: del, status: 503, answer: "User has managed content"},
	)
	c := open(t, s.url)
	require.NoError(t, c.DeleteAccount(t.Context(), "5"))

	err := c.DeleteAccount(t.Context(), "5")
	require.ErrorIs(t, err, connectors.ErrContentRemains)
	require.Equal(t, connectors.Conflict, errorOf(t, err).Kind)
	for _, kind := range []connectors.Kind{connectors.Invalid, connectors.Forbidden, connectors.NotFound, connectors.Unavailable} {
		err = c.DeleteAccount(t.Context(), "5")
		require.NotErrorIs(t, err, connectors.ErrContentRemains)
		require.Equal(t, kind, errorOf(t, err).Kind)
	}
}
