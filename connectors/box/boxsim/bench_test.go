package boxsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// bigCompany starts a simulator of the size that the product is measured with.
func bigCompany(b *testing.B) (base, token string) {
	b.Helper()
	started := time.Now()
	sim, err := boxsim.New(boxsim.Config{Seed: 1, Users: 20, Volume: boxsim.Volume{Users: 100_000, Groups: 2_000, Memberships: 200_000, Events: 2_000_000}})
	require.NoError(b, err)
	took := time.Since(started)
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	srv := httptest.NewServer(sim.Handler())
	b.Cleanup(srv.Close)
	res, err := http.PostForm(srv.URL+"/oauth2/token", url.Values{ //nolint:noctx // a benchmark
		"grant_type": {"client_credentials"}, "client_id": {boxsim.MainClientID}, "client_secret": {boxsim.ClientSecret},
		"box_subject_type": {"enterprise"}, "box_subject_id": {boxsim.EnterpriseID},
	})
	require.NoError(b, err)
	defer res.Body.Close()
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(b, json.NewDecoder(res.Body).Decode(&grant))
	b.Cleanup(func() {
		b.ReportMetric(took.Seconds(), "start-s")
		b.ReportMetric(float64(mem.HeapAlloc)/(1<<20), "heap-MiB")
	})
	return srv.URL, grant.AccessToken
}

// download reads one page and counts its entries without decoding them.
func download(b *testing.B, address, token, mark string) (count int, raw string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	require.NoError(b, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, res.StatusCode, "%.300s", body)
	raw = string(body)
	return strings.Count(raw, mark), raw
}

func BenchmarkListUsers(b *testing.B) {
	base, token := bigCompany(b)
	users, marker := 0, ""
	for b.Loop() {
		n, raw := download(b, base+"/2.0/users?usemarker=true&limit=1000&"+userFields+"&marker="+marker, token, `{"type":"user"`)
		users += n
		marker = between(raw, `"next_marker":"`, `"`)
	}
	b.ReportMetric(float64(users)/b.Elapsed().Seconds(), "users/s")
}

func BenchmarkListMemberships(b *testing.B) {
	base, token := bigCompany(b)
	_, raw := download(b, base+"/2.0/groups?limit=1000", token, "")
	ids := strings.Split(raw, `"id":"`)[1:]
	members, i := 0, 0
	for b.Loop() {
		id, _, _ := strings.Cut(ids[i%len(ids)], `"`)
		n, _ := download(b, base+"/2.0/groups/"+id+"/memberships?limit=1000", token, `"group_membership"`)
		members += n
		i++
	}
	b.ReportMetric(float64(members)/b.Elapsed().Seconds(), "memberships/s")
}

func BenchmarkEvents(b *testing.B) {
	for _, stream := range []string{"admin_logs", "admin_logs_streaming"} {
		b.Run(stream, func(b *testing.B) {
			base, token := bigCompany(b)
			events, position := 0, "0"
			for b.Loop() {
				n, raw := download(b, base+"/2.0/events?limit=500&stream_type="+stream+"&stream_position="+position, token, `"type":"event"`)
				events += n
				if position = between(raw, `"next_stream_position":`, "}"); n == 0 {
					position = "0"
				}
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
