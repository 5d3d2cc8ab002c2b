package boxsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

const userFields = "fields=name,login,role,status,space_used,space_amount,enterprise,is_platform_access_only,created_at,tracking_codes"

func TestABigCompanyIsListedWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 3, Users: 10, Volume: boxsim.Volume{Users: 2500, Groups: 40, Memberships: 5000, Events: 3000}})
	users := b.markers("/users?usemarker=true&limit=1000&" + userFields)
	require.Len(t, users, 2511-1, "ten of the company, without the service account, and the big company's")
	require.Len(t, unique(pluck(users, "id")), len(users))
	var codes, app, inactive int
	for _, u := range users {
		codes += len(u["tracking_codes"].([]any))
		if u["is_platform_access_only"].(bool) {
			app++
		}
		if u["status"] == "inactive" {
			inactive++
		}
	}
	require.Greater(t, codes, 1000)
	require.Greater(t, app, 5)
	require.Greater(t, inactive, 50)

	byOffset := b.offsets("/users?"+userFields, 700)
	require.Equal(t, users, byOffset, "both ways of paging show the same")

	groups, members, reach := b.offsets("/groups?fields=name,group_type", 25), 0, 0
	require.GreaterOrEqual(t, len(groups), 40)
	for _, g := range groups {
		list := b.offsets("/groups/"+g["id"].(string)+"/memberships", 1000)
		if g["name"].(string)[:4] == "Team" {
			require.Len(t, unique(pluck(users2(list), "id")), len(list), "nobody is twice in a group")
			members += len(list)
		}
		reach += len(entries(b.get("/groups/" + g["id"].(string) + "/collaborations")))
	}
	require.Equal(t, 5000, members)
	require.GreaterOrEqual(t, reach, 13)
}

func users2(memberships []obj) []obj {
	var out []obj
	for _, m := range memberships {
		out = append(out, m["user"].(obj))
	}
	return out
}

// markers and offsets read a listing to its end.
func (b *bench) markers(path string) []obj {
	b.t.Helper()
	var all []obj
	for next := ""; ; {
		page := b.get(path + "&marker=" + url.QueryEscape(next))
		all = append(all, entries(page)...)
		if next, _ = page["next_marker"].(string); next == "" {
			return all
		}
	}
}

func (b *bench) offsets(path string, limit int) []obj {
	b.t.Helper()
	var all []obj
	for offset := 0; ; offset += limit {
		page := b.get(fmt.Sprintf("%s%slimit=%d&offset=%d", path, map[bool]string{true: "&", false: "?"}[slices.Contains([]byte(path), '?')], limit, offset))
		all = append(all, entries(page)...)
		if offset+limit >= int(page["total_count"].(float64)) {
			return all
		}
	}
}

// events reads a stream to its end.
func (b *bench) events(query string) []obj {
	b.t.Helper()
	var all []obj
	position := "0"
	for {
		res := b.do(http.StatusOK, http.MethodGet, "/events?limit=500&"+query+"&stream_position="+position, nil)
		if len(entries(res.body)) == 0 {
			return all
		}
		all = append(all, entries(res.body)...)
		position = between(res.raw, `"next_stream_position":`, "}")
	}
}

func TestABigCompanysEventsAreInBothStreams(t *testing.T) {
	t.Parallel()
	epoch := time.Now().UTC().Truncate(time.Second)
	b := setup(t, boxsim.Config{Seed: 3, Users: 10, Epoch: epoch, Volume: boxsim.Volume{Users: 300, Events: 4000}})
	b.http = &http.Client{Transport: b.http.Transport.(*specChecker).next} // created_by may be null
	all := b.events("stream_type=admin_logs")
	ids := unique(pluck(all, "event_id"))
	require.Len(t, ids, len(all), "no repeats")
	require.Greater(t, len(all), 3900)
	times := pluck(all, "created_at")
	require.True(t, slices.IsSorted(times))
	require.Equal(t, all, b.events("stream_type=admin_logs"), "one seed, one past")
	truth := strings.Split(strings.TrimSpace(b.control(http.StatusOK, http.MethodGet, "/events", nil).raw), "\n")
	require.GreaterOrEqual(t, len(truth), 4000)
	var last obj
	require.NoError(t, json.Unmarshal([]byte(truth[len(truth)-1]), &last))
	require.Equal(t, all[len(all)-1], last)

	from, to := epoch.Add(-100*24*time.Hour), epoch.Add(-50*24*time.Hour)
	window := b.events("stream_type=admin_logs&event_type=LOGIN,ADMIN_LOGIN&created_after=" + from.Format(time.RFC3339) + "&created_before=" + to.Format(time.RFC3339))
	var want []obj
	for _, e := range all {
		at, err := time.Parse(time.RFC3339, e["created_at"].(string))
		require.NoError(t, err)
		if (e["event_type"] == "LOGIN" || e["event_type"] == "ADMIN_LOGIN") && !at.Before(from) && !at.After(to) {
			want = append(want, e)
		}
	}
	require.Equal(t, want, window)
	require.NotEmpty(t, window)

	late := unique(pluck(b.streamed(), "event_id"))
	fortnight := epoch.Add(-14*24*time.Hour + time.Hour)
	for _, e := range all {
		at, err := time.Parse(time.RFC3339, e["created_at"].(string))
		require.NoError(t, err)
		if at.After(fortnight) {
			require.True(t, late[e["event_id"].(string)], "streamed too")
		}
	}
	require.Greater(t, len(late), 100)
}

func (b *bench) streamed() []obj {
	b.t.Helper()
	var all []obj
	for position := "0"; ; {
		res := b.do(http.StatusOK, http.MethodGet, "/events?limit=500&stream_type=admin_logs_streaming&stream_position="+position, nil)
		if len(entries(res.body)) == 0 {
			return all
		}
		all = append(all, entries(res.body)...)
		position = between(res.raw, `"next_stream_position":`, "}")
	}
}

func TestVolumesThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, v := range []boxsim.Volume{{Users: -1}, {Users: 5, Memberships: 1}, {Users: 5, Groups: 2, Memberships: 11}, {Events: 1}} {
		_, err := boxsim.New(boxsim.Config{Volume: v})
		require.ErrorContains(t, err, "volume", strconv.Itoa(v.Users))
	}
}
