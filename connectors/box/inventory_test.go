package box_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const (
	listUsers     = "GET /2.0/users?" + userQuery + "&limit=1000"
	byMarker      = "&usemarker=true&user_type=managed"
	listGroups    = "GET /2.0/groups?fields=id%2Cname%2Cgroup_type%2Cprovenance%2Ccreated_at&limit=1000&offset="
	listMembers   = "GET /2.0/groups/8/memberships?limit=1000&offset="
	listAccess    = "GET /2.0/groups/8/collaborations?limit=1000&offset="
	readMember    = "GET /2.0/group_memberships/m2?fields=id%2Crole%2Cgroup%2Cconfigurable_permissions"
	emptyByOffset = `{"total_count":0,"limit":1000,"offset":0,"entries":[]}`
)

// entriesOf makes n entries, each by its number.
func entriesOf(n int, entry func(int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = entry(i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

func TestListAccountsGoesOnFromTheMarkerAlone(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: listUsers + byMarker, answer: `{"limit":1000,"next_marker":"a b","entries":[` +
			wireUser(`"1"`, leaver, `"created_at":"2012-12-12T10:53:43-08:00","tracking_codes":[{"type":"tracking_code","name":"cost centre","value":"4711"}]`) + `]}`},
		exchange{want: listUsers + "&marker=a+b" + byMarker, answer: `{"limit":1000,"next_marker":7,"entries":[` + wireUser(`2`, "bob@example.com", `"status":"inactive"`) + `]}`},
		exchange{want: listUsers + "&marker=7" + byMarker, answer: `{"limit":1000,"next_marker":null,"entries":[` + wireUser(`3`, "app@example.com", `"is_platform_access_only":true`) + `]}`},
	)
	var got []schema.Account
	marker := ""
	for range 3 {
		p, err := open(t, s.url).ListAccounts(t.Context(), marker) // another process each time
		require.NoError(t, err)
		got, marker = append(got, p.Entries...), p.Next
	}
	require.Empty(t, marker)
	require.Len(t, got, 3)
	require.Equal(t, map[string]string{"cost centre": "4711"}, got[0].Tracking)
	require.Equal(t, time.Date(2012, 12, 12, 18, 53, 43, 0, time.UTC), got[0].CreatedAt)
	require.Equal(t, schema.AccountSuspended, got[1].Status)
	require.Equal(t, schema.KindApp, got[2].Kind)
}

func TestTrackingCodesOfOddShapes(t *testing.T) {
	t.Parallel()
	for codes, want := range map[string]map[string]string{
		`null`: nil, `[]`: nil, `{}`: nil, `"x"`: nil, `7`: nil, `[null,5,[]]`: nil, `[{"name":"","value":"x"}]`: nil,
		`[{"name":"a","value":null},{"name":"b","value":"two"}]`:   {"b": "two"},
		`[{"name":"a","value":12},{"name":"b","value":{"c":"d"}}]`: {"a": "12"},
		`[{"name":"a","value":"first"},{"name":"a","value":"é"}]`:  {"a": "é"},
	} {
		s := newScript(t, exchange{want: "GET /2.0/users/5?" + userQuery, answer: wireUser(`"5"`, leaver, `"created_at":null,"tracking_codes":`+codes)})
		a, err := open(t, s.url).ReadAccount(t.Context(), "5")
		require.NoError(t, err, codes)
		require.Equal(t, want, a.Tracking, codes)
	}
}

func TestExpiredMarker(t *testing.T) {
	t.Parallel()
	list := func(marker string, x ...exchange) (*box.Connector, error) {
		c := open(t, newScript(t, x...).url)
		_, err := c.ListAccounts(t.Context(), marker)
		return c, err
	}
	bad := refusal("400", "bad_request", "The marker is not valid")
	_, err := list("m:gone", exchange{want: listUsers + "&marker=gone" + byMarker, status: 400, answer: bad})
	require.ErrorIs(t, err, connectors.ErrMarkerExpired)
	e := errorOf(t, err)
	require.Equal(t, []any{connectors.Invalid, 400, "bad_request", true}, []any{e.Kind, e.Status, e.Code, e.Sent})

	_, err = list("", exchange{want: listUsers + byMarker, status: 400, answer: bad})
	require.NotErrorIs(t, err, connectors.ErrMarkerExpired, "the first page carries no marker that could be at fault")
	_, err = list("m:gone", exchange{want: listUsers + "&marker=gone" + byMarker, status: 503, answer: bad})
	require.NotErrorIs(t, err, connectors.ErrMarkerExpired)
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)

	for _, foreign := range []string{"gone", "m:", "o:", "o:-1", "o:x", "o:1e3"} {
		_, err = list(foreign)
		require.ErrorIs(t, err, connectors.ErrMarkerExpired, "a marker of no page of ours: the listing begins anew")
		require.False(t, errorOf(t, err).Sent, foreign)
	}
}

// TestMarkersAnsweredByOffsets: who asks for markers and is answered by offsets
// has read the first page alone.
func TestMarkersAnsweredByOffsets(t *testing.T) {
	t.Parallel()
	const offset = "&offset=2&user_type=managed"
	user := func(n int) string { return wireUser(fmt.Sprint(n+1), fmt.Sprintf("p%d@example.com", n)) }
	for name, first := range map[string]string{
		"more by the total":       `{"total_count":3,"limit":2,"offset":0,"entries":` + entriesOf(1, user) + `}`,
		"a total that is too low": `{"total_count":1,"limit":2,"offset":0,"entries":` + entriesOf(2, user) + `}`,
	} {
		s := newScript(t,
			exchange{want: listUsers + byMarker, answer: first},
			exchange{want: listUsers + offset, answer: `{"total_count":3,"limit":2,"offset":2,"entries":[` + user(9) + `]}`},
		)
		p, err := open(t, s.url).ListAccounts(t.Context(), "")
		require.NoError(t, err)
		require.NotEmpty(t, p.Next, name)
		p, err = open(t, s.url).ListAccounts(t.Context(), p.Next)
		require.NoError(t, err)
		require.Empty(t, p.Next)
		require.Len(t, p.Entries, 1)
	}
	s := newScript(t, exchange{want: listUsers + byMarker, answer: `{"total_count":1,"limit":2,"offset":0,"entries":[` + user(1) + `]}`})
	p, err := open(t, s.url).ListAccounts(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, p.Next)
}

func TestListGroups(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: listGroups + "0", answer: `{"total_count":3,"limit":2,"offset":0,"entries":[
			{"type":"group","id":1,"name":"All","group_type":"all_users_group","provenance":null,"created_at":null}]}`},
		exchange{want: listGroups + "2", answer: `{"total_count":3,"limit":2,"offset":2,"entries":[
			{"type":"group","id":"3","name":"Demo","group_type":"managed_group","provenance":"Okta","created_at":"2020-01-02T03:04:05-08:00"}]}`},
	)
	c := open(t, s.url)
	first, err := c.ListGroups(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []schema.Group{{ConnectionID: "conn", ExternalID: "1", Name: "All", Everybody: true}}, first.Entries)
	last, err := c.ListGroups(t.Context(), first.Next)
	require.NoError(t, err)
	require.Equal(t, connectors.Page[schema.Group]{Entries: []schema.Group{{
		ConnectionID: "conn", ExternalID: "3", Name: "Demo", Provenance: "Okta", CreatedAt: time.Date(2020, 1, 2, 11, 4, 5, 0, time.UTC),
	}}}, last)
}

func TestTheReachOfOffsets(t *testing.T) {
	t.Parallel()
	full := `{"total_count":11000,"limit":1000,"offset":10000,"entries":` +
		entriesOf(1000, func(n int) string { return fmt.Sprintf(`{"id":"%d","name":"g"}`, n) }) + `}`
	s := newScript(t,
		exchange{want: listGroups + "10000", answer: full},
		exchange{want: listGroups + "10000", status: 400, answer: refusal("400", "invalid_offset", "too far")},
	)
	c := open(t, s.url)
	p, err := c.ListGroups(t.Context(), "o:10000")
	require.NoError(t, err)
	for _, marker := range []string{p.Next, "o:10000"} {
		_, err = c.ListGroups(t.Context(), marker)
		require.ErrorContains(t, err, "10,000")
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
		require.NotErrorIs(t, err, connectors.ErrMarkerExpired, "listing anew would not help")
	}
}

func TestListGroupMembers(t *testing.T) {
	t.Parallel()
	page := `{"total_count":2,"limit":1000,"offset":0,"entries":[
		{"id":"m1","role":"member","user":{"type":"user","id":5},"group":{"id":"8"}},
		{"id":"m2","role":"admin","user":{"type":"user","id":"6"},"group":{"id":8}}]}`
	s := newScript(t,
		exchange{want: listMembers + "0", answer: page},
		exchange{want: readMember, answer: `{"id":"m2","role":"admin","configurable_permissions":{"can_run_reports":true,"can_edit_accounts":false}}`},
		exchange{want: listMembers + "0", answer: page},
		exchange{want: readMember, status: 404, answer: refusal("404", "not_found", "gone")},
		exchange{want: listMembers + "0", answer: page},
		exchange{want: readMember, status: 403, answer: refusal("403", "forbidden", "no")},
	)
	c := open(t, s.url)
	want := []schema.GroupMember{
		{ExternalID: "m1", GroupID: "8", AccountID: "5", Role: "member"},
		{ExternalID: "m2", GroupID: "8", AccountID: "6", Role: "admin", Permissions: map[string]bool{"can_run_reports": true, "can_edit_accounts": false}},
	}
	p, err := c.ListGroupMembers(t.Context(), "8", "")
	require.NoError(t, err)
	require.Equal(t, want, p.Entries)

	p, err = c.ListGroupMembers(t.Context(), "8", "")
	require.NoError(t, err, "that one membership ended is not that the group is gone")
	want[1].Permissions = nil
	require.Equal(t, want, p.Entries)

	_, err = c.ListGroupMembers(t.Context(), "8", "")
	require.Equal(t, connectors.Forbidden, errorOf(t, err).Kind)
}

func TestGroupThatIsGone(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: listMembers + "0", status: 404, answer: refusal("404", "not_found", "gone")},
		exchange{want: listAccess + "0", status: 404, answer: refusal("404", "not_found", "gone")},
	)
	c := open(t, s.url)
	_, err := c.ListGroupMembers(t.Context(), "8", "")
	require.Equal(t, connectors.NotFound, errorOf(t, err).Kind)
	_, err = c.ListGroupCollaborations(t.Context(), "8", "")
	require.Equal(t, connectors.NotFound, errorOf(t, err).Kind)
}

func TestListGroupCollaborations(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: listAccess + "0", answer: `{"total_count":3,"limit":1000,"offset":0,"entries":[
		{"id":1,"role":"editor","status":"accepted","expires_at":"2030-01-02T03:04:05+01:00","item":{"type":"folder","id":"9","name":"Plans"},"accessible_by":{"type":"group","id":"8"},
			"created_by":{"type":"user","id":"33224412","login":"dylan@example.com","name":"Dylan Smith","is_active":false},"created_at":"2012-12-12T10:53:43-08:00"},
		{"id":"2","role":"viewer","status":"pending","item":null,"app_item":null,"accessible_by":null,"expires_at":null,"created_by":null},
		{"id":"3","role":"viewer","status":"accepted","item":null,"app_item":{"type":"app_item","id":"77","application_type":"hubs"}}]}`})
	p, err := open(t, s.url).ListGroupCollaborations(t.Context(), "8", "")
	require.NoError(t, err)
	require.Equal(t, []schema.GroupCollaboration{
		{ExternalID: "1", GroupID: "8", ItemType: "folder", ItemID: "9", ItemName: "Plans", Role: "editor", Status: "accepted", ExpiresAt: time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC), GrantedBy: "dylan@example.com", GrantedByName: "Dylan Smith"},
		{ExternalID: "2", GroupID: "8", Role: "viewer", Status: "pending"},
		{ExternalID: "3", GroupID: "8", ItemType: "app_item", ItemID: "77", Role: "viewer", Status: "accepted"},
	}, p.Entries)
}

// TestWhoGaveAccessIsContext: whatever Box says of somebody who is gone, the access
// is listed.
func TestWhoGaveAccessIsContext(t *testing.T) {
	t.Parallel()
	for by, want := range map[string][2]string{
		`null`: {}, `{}`: {}, `[]`: {}, `"5"`: {}, `7`: {}, `{"id":null,"login":null,"name":null}`: {}, `{"id":"5","login":"","name":""}`: {},
		`{"id":"5","name":"Ann"}`: {"", "Ann"}, `{"id":"5","login":7,"name":"Ann"}`: {"", "Ann"}, `{"id":5,"login":"ann@example.com","name":{}}`: {"ann@example.com", ""},
	} {
		s := newScript(t, exchange{want: listAccess + "0", answer: `{"total_count":1,"limit":1000,"offset":0,"entries":[{"id":"3","role":"viewer","status":"accepted","created_by":` + by + `}]}`})
		p, err := open(t, s.url).ListGroupCollaborations(t.Context(), "8", "")
		require.NoError(t, err, by)
		require.Equal(t, []schema.GroupCollaboration{{ExternalID: "3", GroupID: "8", Role: "viewer", Status: "accepted", GrantedBy: want[0], GrantedByName: want[1]}}, p.Entries, by)
	}
}

// listings are the four listings at their first page, without their entries.
func listings() map[string]struct {
	want string
	list func(*testing.T, *box.Connector) error
} {
	type listing = struct {
		want string
		list func(*testing.T, *box.Connector) error
	}
	return map[string]listing{
		"accounts": {listUsers + byMarker, func(t *testing.T, c *box.Connector) error { _, err := c.ListAccounts(t.Context(), ""); return err }},
		"groups":   {listGroups + "0", func(t *testing.T, c *box.Connector) error { _, err := c.ListGroups(t.Context(), ""); return err }},
		"members": {listMembers + "0", func(t *testing.T, c *box.Connector) error {
			_, err := c.ListGroupMembers(t.Context(), "8", "")
			return err
		}},
		"access": {listAccess + "0", func(t *testing.T, c *box.Connector) error {
			_, err := c.ListGroupCollaborations(t.Context(), "8", "")
			return err
		}},
	}
}

// TestEntriesThatBreakTheContract: one that is left out would count as gone.
func TestEntriesThatBreakTheContract(t *testing.T) {
	t.Parallel()
	all := listings()
	for name, entries := range map[string][]string{
		"accounts": {`null`, `{}`, wireUser(`""`, leaver), wireUser(`"1"`, ""), wireUser(`"1"`, leaver, `"role":null`), wireUser(`[]`, leaver)},
		"groups":   {`null`, `{"name":"x"}`, `{"id":"1"}`, `{"id":1.5,"name":"x"}`, `{"id":{},"name":"x"}`},
		"members": {
			`null`, `{"role":"member","user":{"id":"1"}}`, `{"id":"1","role":"member","user":null}`, `{"id":"1","user":{"id":"1"}}`,
			`{"id":"1","role":"member","user":{"id":"1"},"group":{"id":"9"}}`, `{"id":"1","role":"admin","user":{"id":"1"},"configurable_permissions":"all"}`,
		},
		"access": {
			`null`, `{"role":"editor","status":"accepted"}`, `{"id":"1","status":"accepted"}`, `{"id":"1","role":"editor"}`,
			`{"id":"1","role":"editor","status":"accepted","item":{"name":"x"}}`, `{"id":"1","role":"editor","status":"accepted","item":[]}`,
		},
	} {
		for _, e := range entries {
			l := all[name]
			s := newScript(t, exchange{want: l.want, answer: `{"total_count":1,"limit":1000,"offset":0,"entries":[` + e + `]}`})
			require.Equal(t, connectors.Malformed, errorOf(t, l.list(t, open(t, s.url))).Kind, "%s: %s", name, e)
		}
	}
}

func TestPagesThatBreakTheContract(t *testing.T) {
	t.Parallel()
	for name, l := range listings() {
		answers := []string{`{}`, `[]`, `null`, `{"entries":null}`, `{"limit":1000}`}
		if name != "accounts" {
			answers = append(answers, `{"entries":[],"limit":1000}`, `{"entries":[],"total_count":1,"limit":0}`, `{"entries":[],"total_count":1,"limit":5,"offset":5}`,
				`{"entries":[],"total_count":9000000000000000000,"limit":9000000000000000000,"offset":0}`)
		}
		for _, answer := range answers {
			s := newScript(t, exchange{want: l.want, answer: answer})
			require.Equal(t, connectors.Malformed, errorOf(t, l.list(t, open(t, s.url))).Kind, "%s: %s", name, answer)
		}
	}
	s := newScript(t, exchange{want: listUsers + "&marker=a" + byMarker, answer: `{"next_marker":"a","entries":[]}`})
	_, err := open(t, s.url).ListAccounts(t.Context(), "m:a")
	require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, "a listing that goes on where it is never ends")
}

// TestPageCutInHalf: it is worth another try, whichever way it was cut.
func TestPageCutInHalf(t *testing.T) {
	t.Parallel()
	half := `{"limit":1000,"next_marker":"a","entries":[` + wireUser(`"1"`, leaver)
	for name, length := range map[string]string{"by its length": "4000", "by its chunks": ""} {
		s := newScript(t, exchange{want: listUsers + byMarker, do: func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = w.Write([]byte(half))
			require.NoError(t, http.NewResponseController(w).Flush())
			panic(http.ErrAbortHandler)
		}})
		_, err := open(t, s.url).ListAccounts(t.Context(), "")
		e := errorOf(t, err)
		require.Equal(t, connectors.Unavailable, e.Kind, name)
		require.False(t, e.Kind.Permanent(), name)
	}
}
