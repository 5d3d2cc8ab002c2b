package box_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	holdPolicies = "GET /2.0/legal_hold_policies?fields=id%2Cstatus&limit=1000"
	retention    = "GET /2.0/retention_policies?fields=id&limit=1000"
	nothing      = `{"limit":1000,"next_marker":null,"entries":[]}`
)

// assignments is the request for what a policy holds of account 5.
func assignments(policy, as string) string {
	return "GET /2.0/legal_hold_policy_assignments?assign_to_id=5&assign_to_type=" + as + "&fields=id%2Cassigned_to&limit=1000&policy_id=" + policy
}

func TestHolds(t *testing.T) {
	t.Parallel()
	entries := func(list string) string { return `{"limit":1000,"entries":[` + list + `]}` }
	s := newScript(t,
		exchange{want: holdPolicies, answer: `{"limit":1000,"next_marker":"m","entries":[
			{"id":"1","status":"active"},{"id":"2","status":"released"},{"id":3,"status":"releasing"}]}`},
		exchange{want: holdPolicies + "&marker=m", answer: `{"limit":1000,"next_marker":"","entries":[{"id":"4","status":"a_new_word"},{"id":"5","status":"applying"}]}`},
		exchange{want: assignments("1", "user"), answer: nothing},
		exchange{want: assignments("1", "ownership"), answer: nothing},
		exchange{want: assignments("1", "interactions"), answer: nothing},
		exchange{want: assignments("3", "user"), answer: nothing},
		exchange{want: assignments("3", "ownership"), answer: entries(`{"id":"a","assigned_to":{"type":"ownership","id":5},"deleted_at":"2026-01-01T00:00:00Z"}`)},
		exchange{want: assignments("4", "user"), answer: entries(`{"id":"b"}`)},
		exchange{want: assignments("5", "user"), answer: entries(`{"id":"c","assigned_to":{"type":"user","id":"6"}}`)},
		exchange{want: assignments("5", "ownership"), answer: nothing},
		exchange{want: assignments("5", "interactions"), answer: nothing},
		exchange{want: retention, answer: entries(`{"id":"9","status":"retired"}`)},
	)
	got, err := open(t, s.url).Holds(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, schema.VendorHolds{Legal: []schema.ExternalID{"3", "4"}, Retention: true}, got,
		"what is being released holds, and so does what is not understood; another's assignment does not")
}

func TestNoHolds(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: holdPolicies, answer: nothing}, exchange{want: retention, answer: nothing})
	got, err := open(t, s.url).Holds(t.Context(), "5")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestHoldsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	held := exchange{want: holdPolicies, answer: `{"limit":1000,"entries":[{"id":"1","status":"active"}]}`}
	for name, tc := range map[string]struct {
		script []exchange
		kind   connectors.Kind
	}{
		"no scope": {[]exchange{{want: holdPolicies, status: 403, answer: refusal("403", "insufficient_scope", "x")}}, connectors.Forbidden},
		"no scope for assignments": {[]exchange{
			held,
			{want: assignments("1", "user"), status: 403, answer: refusal("403", "access_denied_insufficient_permissions", "x")},
		}, connectors.Forbidden},
		"not there":            {[]exchange{{want: holdPolicies, status: 404, answer: refusal("404", "not_found", "x")}}, connectors.NotFound},
		"no entries":           {[]exchange{{want: holdPolicies, answer: `{"limit":1000}`}}, connectors.Malformed},
		"policy without an id": {[]exchange{{want: holdPolicies, answer: `{"limit":1000,"entries":[{"status":"active"}]}`}}, connectors.Malformed},
		"endless":              {[]exchange{{want: holdPolicies, answer: `{"next_marker":"a","entries":[]}`}, {want: holdPolicies + "&marker=a", answer: `{"next_marker":"a","entries":[]}`}}, connectors.Malformed},
		"down":                 {[]exchange{held, {want: assignments("1", "user"), status: 502}}, connectors.Unavailable},
		"retention down":       {[]exchange{{want: holdPolicies, answer: nothing}, {want: retention, status: 503}}, connectors.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, newScript(t, tc.script...).url).Holds(t.Context(), "5")
			require.Equal(t, tc.kind, errorOf(t, err).Kind)
		})
	}
	_, err := open(t, newScript(t).url).Holds(t.Context(), "")
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
}

// TestHoldsOutweighRetention: that retention may not be read, for whatever reason,
// must not hide a legal hold that was.
func TestHoldsOutweighRetention(t *testing.T) {
	t.Parallel()
	for name, unread := range map[string]exchange{
		"no scope":       {status: 403, answer: refusal("403", "insufficient_scope", "x")},
		"not there":      {status: 404, answer: refusal("404", "not_found", "x")},
		"no such method": {status: 405},
		"gone":           {status: 410},
		"down":           {status: 503},
		"no listing":     {answer: "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unread.want = retention
			s := newScript(t,
				exchange{want: holdPolicies, answer: `{"limit":1000,"entries":[{"id":"1","status":"active"}]}`},
				exchange{want: assignments("1", "user"), answer: `{"limit":1000,"entries":[{"id":"a","assigned_to":{"id":"5"}}]}`},
				unread,
			)
			got, err := open(t, s.url).Holds(t.Context(), "5")
			require.NoError(t, err)
			require.Equal(t, schema.VendorHolds{Legal: []schema.ExternalID{"1"}, Retention: true}, got)
		})
	}
}

// TestHoldsWithoutRetentionPolicies: a Box that does not have the listing of
// retention policies still says that nothing is held.
func TestHoldsWithoutRetentionPolicies(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: holdPolicies, answer: nothing}, exchange{want: retention, status: 405})
	got, err := open(t, s.url).Holds(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, schema.VendorHolds{Retention: true}, got)
}

// TestOneHoldIsEnough: a policy that cannot be asked must not hide another one
// that holds the account, for a declaration that there are none would cover both.
func TestOneHoldIsEnough(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: holdPolicies, answer: `{"limit":1000,"entries":[{"id":"1","status":"active"},{"id":"2","status":"active"}]}`},
		exchange{want: assignments("1", "user"), answer: nothing},
		exchange{want: assignments("1", "ownership"), status: 400, answer: refusal("400", "bad_request", "x")},
		exchange{want: assignments("2", "user"), answer: `{"limit":1000,"entries":[{"id":"a","assigned_to":{"id":"5"}}]}`},
		exchange{want: retention, answer: nothing},
	)
	got, err := open(t, s.url).Holds(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, schema.VendorHolds{Legal: []schema.ExternalID{"2"}}, got)
}

func TestMembershipsCanBeMadeAgain(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users/5/memberships?limit=1000&offset=0"
	one := func(id string) string {
		return "GET /2.0/group_memberships/" + id + "?fields=id%2Crole%2Cgroup%2Cconfigurable_permissions"
	}
	s := newScript(t,
		exchange{want: list, answer: `{"total_count":5,"limit":1000,"offset":0,"entries":[
			{"id":"m1","role":"member","group":{"id":"g1","group_type":"all_users_group"},"configurable_permissions":null},
			{"id":"m2","role":"admin","group":{"id":"g2","group_type":"managed_group"}},
			{"id":"m3","role":"admin","group":{"id":"g3"}},
			{"id":"m4","role":"admin","group":{"id":"g4"},"configurable_permissions":{"can_run_reports":true}},
			{"id":"m5","role":"admin","group":{"id":"g5"}}]}`},
		exchange{want: one("m2"), answer: `{"id":"m2","configurable_permissions":{"can_run_reports":false,"can_edit_accounts":true}}`},
		exchange{want: one("m3"), answer: `{"id":"m3","configurable_permissions":null}`},
		exchange{want: one("m5"), answer: `{"id":"m5"}`},
		exchange{want: "DELETE /2.0/group_memberships/m2", status: 204},
		exchange{want: "DELETE /2.0/group_memberships/m2", status: 404, answer: refusal("404", "not_found", "Not Found")},
		exchange{
			want: "POST /2.0/group_memberships?fields=id", status: 201, answer: `{"id":"m9"}`,
			body: `{"user":{"id":"5"},"group":{"id":"g2"},"role":"admin","configurable_permissions":{"can_edit_accounts":true,"can_run_reports":false}}`,
		},
		exchange{want: "POST /2.0/group_memberships?fields=id", status: 401, body: `{"user":{"id":"5"},"group":{"id":"g5"},"role":"admin"}`},
		exchange{
			want: "POST /2.0/group_memberships?fields=id", status: 409, body: `{"user":{"id":"5"},"group":{"id":"g5"},"role":"admin"}`,
			answer: refusal("409", "conflict", "A resource with this value already exists"),
		},
	)
	c := open(t, s.url)
	got, err := c.Memberships(t.Context(), "5")
	require.NoError(t, err)
	off := map[string]bool{"can_run_reports": false, "can_instant_login": false, "can_create_accounts": false, "can_edit_accounts": false}
	require.Equal(t, []schema.Membership{
		{ID: "m1", GroupID: "g1", Role: "member", Fixed: true},
		{ID: "m2", GroupID: "g2", Role: "admin", Permissions: map[string]bool{"can_run_reports": false, "can_edit_accounts": true}},
		{ID: "m3", GroupID: "g3", Role: "admin", Permissions: off},
		{ID: "m4", GroupID: "g4", Role: "admin", Permissions: map[string]bool{"can_run_reports": true}},
		{ID: "m5", GroupID: "g5", Role: "admin"},
	}, got)

	require.NoError(t, c.RemoveMembership(t.Context(), got[1]))
	require.Equal(t, connectors.NotFound, errorOf(t, c.RemoveMembership(t.Context(), got[1])).Kind)
	require.NoError(t, c.AddMembership(t.Context(), "5", got[1]))
	require.Equal(t, connectors.Conflict, errorOf(t, c.AddMembership(t.Context(), "5", got[4])).Kind)
}

func TestMembershipsThatBreakTheContract(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/users/5/memberships?limit=1000&offset=0"
	for name, entry := range map[string]string{
		"no group":          `{"id":"m","role":"member"}`,
		"no id":             `{"role":"member","group":{"id":"g"}}`,
		"odd permissions":   `{"id":"m","role":"admin","group":{"id":"g"},"configurable_permissions":{"can_run_reports":"` + leaver + `"}}`,
		"permissions, list": `{"id":"m","role":"admin","group":{"id":"g"},"configurable_permissions":[1]}`,
	} {
		s := newScript(t, exchange{want: list, answer: `{"total_count":1,"limit":1000,"entries":[` + entry + `]}`})
		_, err := open(t, s.url).Memberships(t.Context(), "5")
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, name)
	}
	c := open(t, newScript(t).url)
	require.Equal(t, connectors.Invalid, errorOf(t, c.RemoveMembership(t.Context(), schema.Membership{ID: "a/b"})).Kind)
	require.Equal(t, connectors.Invalid, errorOf(t, c.RemoveMembership(t.Context(), schema.Membership{})).Kind)
	require.Equal(t, connectors.Invalid, errorOf(t, c.AddMembership(t.Context(), "5", schema.Membership{})).Kind)
	require.Equal(t, connectors.Invalid, errorOf(t, c.AddMembership(t.Context(), "", schema.Membership{GroupID: "g"})).Kind)
}
