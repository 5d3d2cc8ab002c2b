package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/simkit"
	"sendoff/internal/notify"
	"sendoff/internal/notify/slacksim"
	"sendoff/schema"
)

const slackHook = "/services/T1/B1/hunter2"

// slack is a simulated Slack with one webhook, and a clock that tests move.
type slack struct {
	*slacksim.Sim
	url string

	mu  sync.Mutex
	now time.Time
}

func startSlack(t *testing.T) *slack {
	t.Helper()
	s := &slack{now: now}
	s.Sim = slacksim.New(slacksim.Config{Webhooks: []string{slackHook}, Now: s.clock})
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *slack) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *slack) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *slack) notifier(t *testing.T) *notify.Notifier {
	t.Helper()
	n, err := notify.New(notify.Config{Slack: map[string]notify.Slack{"it": {URL: s.url + slackHook}}, Timeout: 5 * time.Second, Now: s.clock})
	require.NoError(t, err)
	return n
}

func bySlack(key, message string) notify.Notice {
	return notify.Notice{Channel: schema.ChannelSlack, To: []string{"it"}, Key: key, Message: message}
}

func TestSlackShowsTheTextAndNothingElse(t *testing.T) {
	t.Parallel()
	s := startSlack(t)
	n := s.notifier(t)
	text := "Offboarding of <!channel> Ada \"L\" & <https://evil.example|Bob>\n\n`a` < b > c"
	require.NoError(t, n.Notify(t.Context(), bySlack("n1", text)))
	m := s.Messages()
	require.Len(t, m, 1)
	require.Equal(t, text, m[0].Shown)
	require.Empty(t, m[0].Mentions, "nobody is called by a name")
	require.NoError(t, n.Notify(t.Context(), bySlack("n1", text)), "what was accepted is not sent again")
	require.Len(t, s.Messages(), 1)
}

func TestSlackAnswers(t *testing.T) {
	t.Parallel()
	s := startSlack(t)
	for state, code := range map[slacksim.State]schema.Code{
		slacksim.ChannelArchived: schema.CodeRefused, slacksim.NoService: schema.CodeRefused, slacksim.ActionProhibited: schema.CodeRefused,
		slacksim.RollupError: schema.CodeUnavailable,
	} {
		s.Set(slackHook, state)
		err := s.notifier(t).Notify(t.Context(), bySlack("n1", "hello"))
		requireCode(t, code, err)
		require.ErrorContains(t, err, string(state))
		require.NotContains(t, err.Error(), "hunter2")
	}
	s.Set(slackHook, slacksim.Open)
	require.NoError(t, s.Fail(simkit.Fault{Op: "webhook.post", Attempt: 5, Action: simkit.ActionStatus, Status: 400}))
	requireCode(t, schema.CodeRefused, s.notifier(t).Notify(t.Context(), bySlack("n1", "hello")))
	for i, action := range []simkit.Action{simkit.ActionHTML, simkit.ActionDropBefore, simkit.ActionEmptyAfter} {
		require.NoError(t, s.Fail(simkit.Fault{Op: "webhook.post", Attempt: 6 + i, Action: action, Status: 200}))
		requireCode(t, schema.CodeUnavailable, s.notifier(t).Notify(t.Context(), bySlack("n1", "hello")))
	}
	other := bySlack("n1", "hello")
	other.To = []string{"hr"}
	requireCode(t, schema.CodeInvalid, s.notifier(t).Notify(t.Context(), other))
}

func TestSlackGetsThePauseItAsksFor(t *testing.T) {
	t.Parallel()
	s := startSlack(t)
	n := s.notifier(t)
	require.NoError(t, n.Notify(t.Context(), bySlack("n1", "1")))
	requireCode(t, schema.CodeUnavailable, n.Notify(t.Context(), bySlack("n2", "2")))
	before := len(s.Requests())
	requireCode(t, schema.CodeUnavailable, n.Notify(t.Context(), bySlack("n2", "2")))
	require.Len(t, s.Requests(), before, "nothing is sent within the pause")
	s.later(time.Second)
	require.NoError(t, n.Notify(t.Context(), bySlack("n2", "2")))
	require.Len(t, s.Messages(), 2)
}

func TestSlackIsNotFollowedElsewhere(t *testing.T) {
	t.Parallel()
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(srv.Close)
	n, err := notify.New(notify.Config{Slack: map[string]notify.Slack{"it": {URL: srv.URL + slackHook}}})
	require.NoError(t, err)
	requireCode(t, schema.CodeRefused, n.Notify(t.Context(), bySlack("n1", "hello")))
	require.Equal(t, 1, asked)

	srv.Close()
	err = n.Notify(context.WithoutCancel(t.Context()), bySlack("n2", "hello"))
	requireCode(t, schema.CodeUnavailable, err)
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "127.0.0.1")
}

func TestSlackWebhooksThatAreNotSafeAreRefused(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"plain http": "http://hooks.slack.com" + slackHook, "none": "", "no URL": "hunter2", "broken": "https://hunter2\x7f/"} {
		_, err := notify.New(notify.Config{Slack: map[string]notify.Slack{"it": {URL: url}}})
		requireCode(t, schema.CodeInvalid, err)
		require.NotContains(t, err.Error(), "hunter2", name)
	}
}
