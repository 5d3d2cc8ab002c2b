package slacksim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notify/slacksim"
)

const hook = "/services/T1/B1/secret"

// answer is what a post got.
type answer struct {
	status int
	said   string
	header http.Header
}

func post(t *testing.T, url, contentType, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, string(said), res.Header}
}

func serve(t *testing.T, cfg slacksim.Config) (sim *slacksim.Sim, url string) {
	t.Helper()
	sim = slacksim.New(cfg)
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	return sim, srv.URL
}

func TestAnswersAreThoseOfSlacksDocuments(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, slacksim.Config{Webhooks: []string{hook}, Unlimited: true})
	a := post(t, url+hook, "application/json", `{"text":"hello"}`)
	require.Equal(t, 200, a.status)
	require.Equal(t, "ok", a.said)
	for body, word := range map[string]string{`{"text":`: "invalid_payload", `{}`: "no_text", `{"text":" "}`: "no_text"} {
		a := post(t, url+hook, "application/json", body)
		require.Equal(t, []any{400, word}, []any{a.status, a.said}, body)
	}
	require.Equal(t, "invalid_payload", post(t, url+hook, "text/plain", `{"text":"hello"}`).said)
	a = post(t, url+"/services/T1/B1/other", "application/json", `{"text":"hello"}`)
	require.Equal(t, []any{404, "no_service"}, []any{a.status, a.said})
	for state, status := range map[slacksim.State]int{
		slacksim.ChannelArchived: 410, slacksim.ChannelNotFound: 404, slacksim.NoTeam: 404, slacksim.ActionProhibited: 403,
		slacksim.InvalidToken: 403, slacksim.RollupError: 500,
	} {
		sim.Set(hook, state)
		a := post(t, url+hook, "application/json", `{"text":"hello"}`)
		require.Equal(t, []any{status, string(state)}, []any{a.status, a.said})
	}
	require.Len(t, sim.Messages(), 1)
}

func TestOneMessageASecond(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	sim, url := serve(t, slacksim.Config{Webhooks: []string{hook}, Now: func() time.Time { return now }})
	require.Equal(t, 200, post(t, url+hook, "application/json", `{"text":"1"}`).status)
	a := post(t, url+hook, "application/json", `{"text":"2"}`)
	require.Equal(t, 429, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	now = now.Add(time.Second)
	require.Equal(t, 200, post(t, url+hook, "application/json", `{"text":"3"}`).status)
	require.Len(t, sim.Messages(), 2)
}

func TestMentionsReachPeopleUnlessTheyAreEscaped(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, slacksim.Config{Webhooks: []string{hook}, Unlimited: true})
	post(t, url+hook, "application/json", `{"text":"<!channel> look at <https://evil.example|our page> <@U1>"}`)
	post(t, url+hook, "application/json", `{"text":"&lt;!channel&gt; R&amp;D a < b"}`)
	m := sim.Messages()
	require.Equal(t, []string{"!channel", "@U1"}, m[0].Mentions)
	require.Equal(t, "!channel look at our page @U1", m[0].Shown)
	require.Empty(t, m[1].Mentions)
	require.Equal(t, "<!channel> R&D a < b", m[1].Shown)
}
