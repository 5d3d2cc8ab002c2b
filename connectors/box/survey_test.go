package box_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

const (
	surveyRoot  = "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by%2Cshared_link%2Chas_collaborations&limit=1000"
	surveyTrash = "GET /2.0/folders/trash/items?fields=id%2Ctype%2Csize%2Cowned_by%2Ctrashed_at&limit=1000&usemarker=true"
)

func TestSurvey(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	shares := func(typ, id string) string {
		return "GET /2.0/" + typ + "/" + id + "/collaborations?fields=id%2Caccessible_by%2Crole&limit=1000"
	}
	s := newScript(t,
		exchange{want: surveyRoot + "&usemarker=true", asUser: "5", answer: `{"limit":1000,"next_marker":"x","entries":[
			{"type":"folder","id":"1","owned_by":{"id":"5"},"has_collaborations":true,"shared_link":{"access":"open","effective_access":"company"}},
			{"type":"file","id":"2","owned_by":{"id":"5"},"has_collaborations":true,"shared_link":{"access":"open","effective_access":"open"}},
			{"type":"file","id":"3","owned_by":{"id":"6"},"has_collaborations":true,"shared_link":{"access":"open"}}]}`},
		exchange{want: surveyRoot + "&marker=x&usemarker=true", asUser: "5", answer: `{"limit":1000,"entries":[
			{"type":"web_link","id":"4","owned_by":{"id":"5"},"shared_link":{"access":"open"}},
			{"type":"file","id":"5","owned_by":{"id":"5"},"has_collaborations":false,"shared_link":null},
			{"type":"file","id":"6","owned_by":{"id":"5"}},
			{"type":"folder","id":"7","owned_by":{"id":"5"}},
			{"type":"folder","id":"8","owned_by":{"id":"5"},"has_collaborations":false}]}`},
		exchange{want: surveyTrash, asUser: "5", answer: `{"limit":1000,"entries":[
			{"type":"file","id":"20","size":10,"owned_by":{"id":"5"},"trashed_at":"2026-03-07T12:00:00Z"},
			{"type":"file","id":"21","size":7,"owned_by":{"id":"6"},"trashed_at":"2026-03-07T12:00:00Z"},
			{"type":"file","id":"22","size":5,"trashed_at":"2026-03-01T04:00:00-08:00"},
			{"type":"folder","id":"23","owned_by":{"id":"5"},"trashed_at":"2026-02-01T12:00:00Z"}]}`},
		exchange{want: shares("files", "6"), asUser: "5", answer: `{"entries":[{"id":"c","role":"viewer","accessible_by":{"id":"9"}}]}`},
		exchange{want: shares("folders", "7"), asUser: "5", answer: `{"entries":[{"id":"c","role":"owner","accessible_by":{"id":"5"}}]}`},
		exchange{want: "GET /2.0/folder_locks?folder_id=1", asUser: "5", answer: `{"limit":1000,"next_marker":null,"entries":[{"id":"l1"}]}`},
		exchange{want: "GET /2.0/folder_locks?folder_id=7", asUser: "5", answer: `{"limit":"1000","entries":[]}`},
		exchange{want: "GET /2.0/folder_locks?folder_id=8", asUser: "5", status: 403, answer: refusal("403", "forbidden", "x")},
	)
	got, err := open(t, s.url).SurveyContent(t.Context(), "5", now)
	require.NoError(t, err)
	require.Equal(t, schema.ContentSurvey{
		Items: 7, SharedItems: 3, FileShares: 2, OpenLinks: 2, LockedFolders: 1, LocksRead: 2, LocksTotal: 3,
		Trash: 3, TrashBytes: 15, TrashedLately: 2,
	}, got)
}

// TestSurveyIsBounded: an account with many items costs no more than a few calls.
func TestSurveyIsBounded(t *testing.T) {
	t.Parallel()
	var todo []exchange
	var entries []string
	for n := range 40 {
		entries = append(entries, fmt.Sprintf(`{"type":"folder","id":"%d","owned_by":{"id":"5"}}`, n+1))
	}
	page := func(want string, n int, list string) exchange {
		x := exchange{want: want, asUser: "5", answer: fmt.Sprintf(`{"next_marker":"m%d","entries":[%s]}`, n, list)}
		if n > 1 {
			x.want = strings.Replace(want, "&usemarker", fmt.Sprintf("&marker=m%d&usemarker", n-1), 1)
		}
		return x
	}
	todo = append(todo, page(surveyRoot+"&usemarker=true", 1, strings.Join(entries, ",")))
	for n := 2; n <= 5; n++ {
		todo = append(todo, page(surveyRoot+"&usemarker=true", n, ""))
	}
	for n := 1; n <= 5; n++ {
		todo = append(todo, page(surveyTrash, n, ""))
	}
	for n := range 10 {
		todo = append(todo, exchange{want: fmt.Sprintf("GET /2.0/folders/%d/collaborations?fields=id%%2Caccessible_by%%2Crole&limit=1000", n+1), asUser: "5", answer: `{"entries":[]}`})
	}
	for n := range 15 {
		todo = append(todo, exchange{want: fmt.Sprintf("GET /2.0/folder_locks?folder_id=%d", n+1), asUser: "5", answer: `{"entries":[]}`})
	}
	got, err := open(t, newScript(t, todo...).url).SurveyContent(t.Context(), "5", time.Now())
	require.NoError(t, err)
	require.Equal(t, schema.ContentSurvey{Items: 40, LocksRead: 15, LocksTotal: 40}, got)
}

func TestSurveyOfAnAccountThatMayNotBeActedAs(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: surveyRoot + "&usemarker=true", asUser: "5", status: 401, answer: refusal("401", "unauthorized", "Unauthorized - User has been deactivated")})
	_, err := open(t, s.url).SurveyContent(t.Context(), "5", time.Now())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	_, err = open(t, newScript(t).url).SurveyContent(t.Context(), "", time.Now())
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
}

func TestSimulatedSurveyAndGroups(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{})
	must, ctx := id(t), t.Context()
	ann := must(c.AddUser(boxsim.UserSpec{Name: "Ann", Login: leaver}))
	bob := must(c.AddUser(boxsim.UserSpec{Name: "Bob", Login: "bob@example.com"}))
	must(c.AddFolder(boxsim.ItemSpec{Owner: string(ann), Name: "Plans"}))
	file := must(c.AddFile(boxsim.ItemSpec{Owner: string(ann), Name: "a.txt", SizeBytes: 5}))
	must(c.AddFile(boxsim.ItemSpec{Owner: string(ann), Name: "old.txt", SizeBytes: 7, Trashed: true}))
	must(c.AddCollaboration(boxsim.CollaborationSpec{Item: string(file), User: string(bob), Role: "viewer"}))
	must(c.AddGroup(boxsim.GroupSpec{Name: "Demo group", Members: []string{string(bob), string(ann)}}))

	found, err := c.box.SurveyContent(ctx, ann, time.Now())
	require.NoError(t, err)
	require.Equal(t, 2, found.Items)
	require.Equal(t, 1, found.FileShares)
	require.Equal(t, []int{1, 1, 1}, []int{found.LocksRead, found.LocksTotal, found.Trash})

	before, err := c.box.Memberships(ctx, ann)
	require.NoError(t, err)
	require.Len(t, before, 1)
	require.NoError(t, c.box.RemoveMembership(ctx, before[0]))
	none, err := c.box.Memberships(ctx, ann)
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, c.box.AddMembership(ctx, ann, before[0]))
	require.Equal(t, connectors.Conflict, errorOf(t, c.box.AddMembership(ctx, ann, before[0])).Kind)
	after, err := c.box.Memberships(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, before[0].GroupID, after[0].GroupID)
	require.Equal(t, before[0].Role, after[0].Role)
	require.NotEqual(t, before[0].ID, after[0].ID)
}
