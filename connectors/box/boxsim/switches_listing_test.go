package boxsim_test

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// crowd adds users to a company of the admin alone and returns everybody's id.
func (b *bench) crowd(count int) []string {
	b.t.Helper()
	ids := []string{b.id}
	for i := range count {
		ids = append(ids, b.user(fmt.Sprintf("User%02d", i)))
	}
	return ids
}

// refusedMarkers walks users by marker, begins anew whenever a marker is refused,
// and returns how often that was; it gives up after three.
func (b *bench) refusedMarkers(wait bool) int {
	b.t.Helper()
	marker := ""
	for refused := 0; refused < 3; {
		path := "/users?usemarker=true&limit=2&marker=" + marker
		read := func() answer {
			res, err := b.try(http.MethodGet, "/2.0"+path, nil)
			require.NoError(b.t, err)
			return res
		}
		res := read()
		if wait && marker != "" {
			b.eventually(func() bool { res = read(); return res.status != http.StatusOK })
		}
		if res.status == http.StatusBadRequest {
			require.Equal(b.t, "bad_request", res.body["code"])
			refused++
			marker = ""
			continue
		}
		if marker, _ = res.body["next_marker"].(string); marker == "" {
			return refused
		}
	}
	return 3
}

func listingChecks() map[string]func(*bench, string) {
	return map[string]func(*bench, string){
		"marker_pages": func(b *bench, v string) {
			b.crowd(8)
			require.Equal(b.t, map[string]int{"0": 0, "2": 3}[v], b.refusedMarkers(false))
		},
		"marker_life_s": func(b *bench, v string) {
			b.crowd(4)
			require.Equal(b.t, map[string]int{"0": 0, "0.03": 3}[v], b.refusedMarkers(v != "0"))
		},
		"marker_expiry": func(b *bench, v string) {
			b.set("marker_pages", "2")
			b.crowd(8)
			require.Equal(b.t, map[string]int{"always": 3, "once": 1}[v], b.refusedMarkers(false))
		},
		"shifting_pages": func(b *bench, v string) {
			ids := b.crowd(8)
			first := b.offsets("/users", 3)
			want := map[string][]string{
				"off": ids, "added": slices.Insert(slices.Clone(ids), 3, ids[2]), "removed": slices.Delete(slices.Clone(ids), 3, 4),
			}[v]
			require.Equal(b.t, want, pluck(first, "id"))
			require.Equal(b.t, ids, pluck(b.offsets("/users", 3), "id"), "the second reading is in peace")
		},
		"total_count": func(b *bench, v string) {
			b.crowd(9)
			require.EqualValues(b.t, map[string]int{"right": 10, "low": 5, "high": 260}[v], b.get("/users?limit=4")["total_count"])
			require.Len(b.t, entries(b.get("/users?limit=4&offset=8")), 2)
		},
		"short_pages": func(b *bench, v string) {
			ids := b.crowd(8)
			size := map[string]int{"false": 4, "true": 2}[v]
			for _, path := range []string{"/users?limit=4", "/users?limit=4&usemarker=true"} {
				page := b.get(path)
				require.Len(b.t, entries(page), size)
				require.EqualValues(b.t, 4, page["limit"])
			}
			require.Equal(b.t, ids, pluck(b.offsets("/users", 4), "id"))
			require.Equal(b.t, ids, pluck(b.markers("/users?limit=4&usemarker=true"), "id"))
		},
		"repeated_entries": func(b *bench, v string) {
			ids := b.crowd(8)
			seen := pluck(b.markers("/users?limit=4&usemarker=true"), "id")
			require.Equal(b.t, v == "true", len(seen) > len(ids))
			require.Equal(b.t, ids, slices.Compact(seen))
		},
		"deleted_creator": func(b *bench, v string) {
			ann := b.user("Ann")
			group, err := b.sim.AddGroup(boxsim.GroupSpec{Name: "Team", Members: []string{b.id}})
			require.NoError(b.t, err)
			_, err = b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: b.folder(b.id, "", "Plans"), Group: group, Role: "viewer", CreatedBy: ann})
			require.NoError(b.t, err)
			by := func() any { return entries(b.get("/groups/" + group + "/collaborations"))[0]["created_by"] }
			is := func(name, login string, active bool) obj {
				return obj{"type": "user", "id": ann, "name": name, "login": login, "is_active": active}
			}
			require.Equal(b.t, is("Ann", "ann@example.com", true), by())
			require.NoError(b.t, b.sim.RemoveUser(ann))
			require.Equal(b.t, map[string]any{"inactive": is("Ann", "ann@example.com", false), "nameless": is("", "", false), "null": nil}[v], by())
		},
	}
}
