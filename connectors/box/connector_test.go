package box_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const mePath = "GET /2.0/users/me?fields=id%2Crole%2Clogin%2Cstatus%2Centerprise"

func TestCheck(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: mePath, answer: `{"id":"7","role":"coadmin","login":"AutomationUser_1@boxdevedition.com","status":"active","enterprise":{"id":"11"}}`},
		exchange{want: mePath, answer: `{"id":"8","role":"admin","login":"root@example.com","status":"active","enterprise":{"id":"12"}}`},
		exchange{want: mePath, answer: `{"id":"8","role":"admin","login":"root@example.com","status":"inactive","enterprise":{"id":"12"}}`},
		exchange{want: mePath, status: 403, answer: refusal("403", "insufficient_scope", "The request requires")},
	)
	c := open(t, s.url)
	id, err := c.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, connectors.Identity{ExternalID: "7", Role: schema.RoleCoadmin, EnterpriseID: "11", Service: true}, id)
	id, err = c.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, connectors.Identity{ExternalID: "8", Role: schema.RoleOwner, EnterpriseID: "12"}, id)
	_, err = c.Check(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	_, err = c.Check(t.Context())
	require.Equal(t, connectors.Forbidden, errorOf(t, err).Kind)
	require.Contains(t, err.Error(), "lacks a scope")
}

func TestUnauthorizedWithAndWithoutReason(t *testing.T) {
	t.Parallel()
	ok := `{"id":"7","role":"user","enterprise":{"id":"11"}}`
	s := newScript(t,
		exchange{want: mePath, status: 401},
		exchange{want: mePath, answer: ok},
		exchange{want: mePath, status: 401, answer: refusal("401", "unauthorized", "Unauthorized - User has been deactivated")},
		exchange{want: mePath, status: 401, answer: refusal("401", "unauthorized", "Unauthorized - Cannot authorize with this service")},
		exchange{want: mePath, status: 401},
		exchange{want: mePath, status: 401},
	)
	c := open(t, s.url)
	_, err := c.Check(t.Context())
	require.NoError(t, err, "an expired token is renewed once")
	_, tokens := s.count()
	require.Equal(t, 2, tokens)
	_, err = c.Check(t.Context())
	require.Contains(t, errorOf(t, err).Error(), "inactive")
	_, err = c.Check(t.Context())
	require.Contains(t, errorOf(t, err).Error(), "must authorize")
	_, tokens = s.count()
	require.Equal(t, 2, tokens, "a 401 that explains itself does not cost a token")
	_, err = c.Check(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
}

func TestTokenSubject(t *testing.T) {
	t.Parallel()
	for user, want := range map[schema.ExternalID][2]string{"": {"enterprise", "11"}, "99": {"user", "99"}} {
		got := make(chan [2]string, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			got <- [2]string{r.PostForm.Get("box_subject_type"), r.PostForm.Get("box_subject_id")}
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": clientSecret})
		}))
		t.Cleanup(srv.Close)
		c := open(t, srv.URL, func(cfg *connectors.Config) { cfg.Connection.AsUser = user })
		_, err := c.Check(t.Context())
		require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
		require.Equal(t, want, <-got)
	}
}

func TestContentAsTheOwner(t *testing.T) {
	t.Parallel()
	root := "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by&limit=1000"
	trash := "GET /2.0/folders/trash/items?fields=id%2Ctype%2Csize%2Cowned_by&limit=1000&usemarker=true"
	s := newScript(t,
		exchange{want: root + "&usemarker=true", asUser: "5", answer: `{"limit":1000,"next_marker":"x","entries":[
			{"type":"folder","id":"1","owned_by":{"id":"5"}},{"type":"folder","id":"2","owned_by":{"id":"6"}},{"type":"file","id":"8","owned_by":null}]}`},
		exchange{want: "GET /2.0/files/8?fields=id%2Cowned_by", asUser: "5", answer: `{"id":"8","owned_by":{"id":"7"}}`},
		exchange{want: root + "&marker=x&usemarker=true", asUser: "5", answer: `{"limit":1000,"entries":[
			{"type":"web_link","id":3,"owned_by":{"id":5}},{"type":"file","id":"4","owned_by":{"id":"5"}}]}`},
		exchange{want: trash, asUser: "5", answer: `{"limit":1000,"entries":[
			{"type":"file","id":"9","size":10,"owned_by":{"id":"5"}},{"type":"file","id":"10","size":7,"owned_by":{"id":"6"}},
			{"type":"web_link","id":"11"},{"type":"folder","id":"12","size":5,"owned_by":{"id":"5"}}]}`},
		exchange{want: "GET /2.0/folders/1/collaborations?fields=id%2Caccessible_by%2Crole&limit=1000", asUser: "5", answer: `{"limit":1000,"entries":[
			{"id":"c1","role":"editor","accessible_by":{"type":"user","id":"6"}},{"id":"c2","role":"viewer","accessible_by":null}]}`},
		exchange{
			want: "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by&limit=1000&usemarker=true", asUser: "6", status: 401,
			answer: refusal("401", "unauthorized", "Unauthorized - User has been deactivated"),
		},
		exchange{want: root + "&usemarker=true", asUser: "5", answer: `{"limit":1000,"entries":[{"type":"hub","id":"1","owned_by":{"id":"5"}}]}`},
	)
	g := &gatekeeper{}
	c := open(t, s.url, func(cfg *connectors.Config) { cfg.Limiter = g })
	owned, foreign, err := c.RootItems(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, []schema.Witness{{ID: "1", Type: "folder"}, {ID: "3", Type: "web_link"}, {ID: "4", Type: "file"}}, owned)
	require.Equal(t, 2, foreign)
	require.Equal(t, []schema.ExternalID{"", "5", "", "5", "", "5"}, g.waits, "each call debits the token's user and the one acted as")

	items, bytes, err := c.TrashItems(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, []schema.Witness{{ID: "9", Type: "file"}, {ID: "11", Type: "web_link"}, {ID: "12", Type: "folder"}}, items)
	require.EqualValues(t, 15, bytes)

	shared, err := c.ItemCollaborations(t.Context(), "5", schema.Witness{ID: "1", Type: "folder"})
	require.NoError(t, err)
	require.Equal(t, []schema.SharedBy{{ItemID: "1", Type: "folder", With: "6", Role: "editor"}}, shared)
	shared, err = c.ItemCollaborations(t.Context(), "5", schema.Witness{ID: "3", Type: "web_link"})
	require.NoError(t, err)
	require.Empty(t, shared)

	_, _, err = c.RootItems(t.Context(), "6")
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	_, _, err = c.RootItems(t.Context(), "5")
	require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
}

// TestItemsWithoutAnOwner: a listing that leaves owners out, and repeats entries
// while it changes, must not make content invisible.
func TestItemsWithoutAnOwner(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by&limit=1000&usemarker=true", asUser: "5", answer: `{"limit":4,"next_marker":"x","entries":[
			{"type":"folder","id":"1"},{"type":"file","id":"2"},{"type":"web_link","id":"3"},{"type":"file","id":"4"}]}`},
		exchange{want: "GET /2.0/folders/1?fields=id%2Cowned_by", asUser: "5", answer: `{"id":"1","owned_by":{"id":"5"}}`},
		exchange{want: "GET /2.0/files/2?fields=id%2Cowned_by", asUser: "5", answer: `{"id":"2","owned_by":{"id":"6"}}`},
		exchange{want: "GET /2.0/web_links/3", asUser: "5", answer: `{"id":"3","owned_by":null}`},
		exchange{want: "GET /2.0/files/4?fields=id%2Cowned_by", asUser: "5", status: 404, answer: refusal("404", "not_found", "x")},
		exchange{want: "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by&limit=1000&marker=x&usemarker=true", asUser: "5", answer: `{"limit":4,"entries":[{"type":"file","id":"4"}]}`},
	)
	owned, foreign, err := open(t, s.url).RootItems(t.Context(), "5")
	require.NoError(t, err)
	require.Equal(t, []schema.Witness{{ID: "1", Type: "folder"}, {ID: "3", Type: "web_link"}, {ID: "4", Type: "file"}}, owned)
	require.Equal(t, 1, foreign)
}

// TestListingByOffsetsThoughMarkersWereAsked: the rest must not be lost.
func TestListingByOffsetsThoughMarkersWereAsked(t *testing.T) {
	t.Parallel()
	const list = "GET /2.0/folders/trash/items?fields=id%2Ctype%2Csize%2Cowned_by&limit=1000"
	s := newScript(t,
		exchange{want: list + "&usemarker=true", asUser: "5", answer: `{"total_count":3,"limit":2,"offset":0,"entries":[{"type":"file","id":"1","size":1},{"type":"file","id":"2","size":2}]}`},
		exchange{want: list + "&offset=2&usemarker=true", asUser: "5", answer: `{"total_count":3,"limit":2,"offset":2,"entries":[{"type":"file","id":"2","size":2},{"type":"file","id":"3","size":4}]}`},
		exchange{want: list + "&offset=4&usemarker=true", asUser: "5", answer: `{"total_count":3,"limit":2,"offset":4,"entries":[]}`},
	)
	items, bytes, err := open(t, s.url).TrashItems(t.Context(), "5")
	require.NoError(t, err)
	require.Len(t, items, 3)
	require.EqualValues(t, 7, bytes)
}

func TestLocate(t *testing.T) {
	t.Parallel()
	const q = "?fields=id%2Ctype%2Cowned_by%2Cpath_collection%2Citem_status"
	missing := refusal("404", "not_found", "Not Found")
	s := newScript(t,
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", answer: `{"id":"4","owned_by":{"id":"6"},"item_status":"active","path_collection":{"entries":[{"id":"0"},{"id":"77"},{"id":"78"}]}}`},
		exchange{want: "GET /2.0/folders/1" + q, asUser: "6", answer: `{"id":"1","owned_by":{"id":"5"},"path_collection":{"entries":[{"id":"0"}]}}`},
		exchange{want: "GET /2.0/web_links/3", asUser: "6", answer: `{"id":"3","owned_by":{"id":"6"},"path_collection":{"entries":[{"id":0},{"id":77}]}}`},
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", status: 404, answer: missing},
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", answer: `{"id":"4","owned_by":{"id":"6"},"item_status":"trashed","path_collection":{"entries":[]}}`},
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", status: 403, answer: refusal("403", "access_denied_insufficient_permissions", "x")},
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", answer: `{"id":"4","path_collection":{"entries":[]}}`},
		exchange{want: "GET /2.0/files/4" + q, asUser: "6", status: 403, answer: refusal("403", "insufficient_scope", "x")},
		exchange{want: "GET /2.0/files/9/trash?fields=id%2Ctype%2Cowned_by", asUser: "6", answer: `{"id":"9","owned_by":{"id":"6"}}`},
		exchange{want: "GET /2.0/folders/12/trash?fields=id%2Ctype%2Cowned_by", asUser: "6", answer: `{"id":"12","owned_by":{"id":"5"}}`},
		exchange{want: "GET /2.0/files/9/trash?fields=id%2Ctype%2Cowned_by", asUser: "6", status: 404, answer: refusal("404", "not_trashed", "Item is not trashed")},
		exchange{want: "GET /2.0/files/9/trash?fields=id%2Ctype%2Cowned_by", asUser: "6", status: 503},
	)
	c := open(t, s.url)
	for _, tc := range []struct {
		w    schema.Witness
		want schema.WitnessPlace
	}{
		{schema.Witness{ID: "4", Type: "file"}, schema.WitnessPlace{Found: true, Owner: "6", FolderID: "78"}},
		{schema.Witness{ID: "1", Type: "folder"}, schema.WitnessPlace{Found: true, Owner: "5"}},
		{schema.Witness{ID: "3", Type: "web_link"}, schema.WitnessPlace{Found: true, Owner: "6", FolderID: "77"}},
		{schema.Witness{ID: "4", Type: "file"}, schema.WitnessPlace{}},
		{schema.Witness{ID: "4", Type: "file"}, schema.WitnessPlace{}},
		{schema.Witness{ID: "4", Type: "file"}, schema.WitnessPlace{}},
	} {
		got, err := c.LocateWitness(t.Context(), "6", tc.w)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	_, err := c.LocateWitness(t.Context(), "6", schema.Witness{ID: "4", Type: "file"})
	require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, "an owner that is not told is not an arrival")
	_, err = c.LocateWitness(t.Context(), "6", schema.Witness{ID: "4", Type: "file"})
	require.Equal(t, connectors.Forbidden, errorOf(t, err).Kind, "a missing scope must be told")
	for _, tc := range []struct {
		w    schema.Witness
		want bool
	}{{schema.Witness{ID: "9", Type: "file"}, true}, {schema.Witness{ID: "12", Type: "folder"}, false}, {schema.Witness{ID: "9", Type: "file"}, false}} {
		got, err := c.LocateTrashed(t.Context(), "6", tc.w)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	_, err = c.LocateTrashed(t.Context(), "6", schema.Witness{ID: "9", Type: "file"})
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)
	_, err = c.LocateWitness(t.Context(), "6", schema.Witness{ID: "9", Type: "hub"})
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
}

func TestReadOnlyConnection(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: mePath, answer: `{"id":"7","role":"user","enterprise":{"id":"11"}}`})
	c := open(t, s.url, func(cfg *connectors.Config) { cfg.Connection.ReadOnly = true })
	_, err := c.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, connectors.Blocked, errorOf(t, c.DeleteAccount(t.Context(), "5")).Kind)
	require.Equal(t, connectors.Blocked, errorOf(t, c.SetStatus(t.Context(), "5", "inactive")).Kind)
	require.Equal(t, connectors.Blocked, errorOf(t, c.RevokeSessions(t.Context(), "5")).Kind)
	_, err = c.PrepareTransfer(t.Context(), "5", "6")
	require.Equal(t, connectors.Blocked, errorOf(t, err).Kind)
}

func TestOpenNamesEveryFault(t *testing.T) {
	t.Parallel()
	_, err := box.Factory{}.Open(connectors.Config{
		Connection: schema.Connection{BaseURL: "https://api.box.com/2.0/", TokenURL: "http://api.box.com/oauth2/token", AsUser: "a b"},
		Now:        time.Now,
	})
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, schema.CodeInvalid, e.Code)
	var where []string
	for _, p := range e.Problems {
		require.NotEmpty(t, p.Fix)
		where = append(where, p.Where)
	}
	require.Equal(t, []string{"base-url", "token-url", "client-id", "client-secret-file", "enterprise-id", "as", ""}, where)
}
