package notify_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"sendoff/internal/notify"
	"sendoff/schema"
)

// receiver is a program that takes webhooks.
type receiver struct {
	*httptest.Server
	secret string

	mu     sync.Mutex
	status int
	posts  []post
}

type post struct {
	header http.Header
	body   []byte
}

func receive(t *testing.T) *receiver {
	t.Helper()
	random := make([]byte, 32)
	_, err := rand.Read(random)
	require.NoError(t, err)
	r := &receiver{secret: "whsec_" + base64.StdEncoding.EncodeToString(random), status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.posts = append(r.posts, post{req.Header.Clone(), body})
		if r.status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) notifier(t *testing.T) *notify.Notifier {
	t.Helper()
	n, err := notify.New(notify.Config{Webhooks: map[string]notify.Webhook{"tickets": {URL: r.URL, Secret: r.secret}}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	return n
}

func byWebhook() notify.Notice {
	return notify.Notice{
		Channel: schema.ChannelWebhook, To: []string{"tickets"}, Key: "plan-1/5", CaseID: "case-1", PlanID: "plan-1", Step: 5, Message: "Content of account <111> has moved",
	}
}

func TestWebhooksAreSigned(t *testing.T) {
	t.Parallel()
	r := receive(t)
	require.NoError(t, r.notifier(t).Notify(t.Context(), byWebhook()))
	require.NoError(t, r.notifier(t).Notify(t.Context(), byWebhook()))
	require.Len(t, r.posts, 2)
	got := r.posts[0]
	verifier, err := standardwebhooks.NewWebhook(r.secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(got.body, got.header))

	var said map[string]any
	require.NoError(t, json.Unmarshal(got.body, &said))
	require.Equal(t, got.header.Get("webhook-id"), said["id"])
	require.Equal(t, "sendoff.notice", said["type"])
	require.Equal(t, map[string]any{"case_id": "case-1", "plan_id": "plan-1", "step": 5.0, "message": "Content of account <111> has moved"}, said["data"])
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, got.header.Get("webhook-id"), r.posts[1].header.Get("webhook-id"), "a repeat can be told")

	t.Run("what was changed on the way is refused", func(t *testing.T) {
		require.Error(t, verifier.Verify([]byte(strings.Replace(string(got.body), "case-1", "case-2", 1)), got.header))
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			h := got.header.Clone()
			h.Set(name, "1"+h.Get(name))
			require.Error(t, verifier.Verify(got.body, h), name)
		}
		other, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)))
		require.NoError(t, err)
		require.Error(t, other.Verify(got.body, got.header))
	})
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]schema.Code{
		200: "", 202: "", 204: "",
		400: schema.CodeRefused, 401: schema.CodeRefused, 404: schema.CodeRefused, 410: schema.CodeRefused,
		302: schema.CodeRefused, 307: schema.CodeRefused,
		408: schema.CodeUnavailable, 429: schema.CodeUnavailable, 500: schema.CodeUnavailable, 503: schema.CodeUnavailable,
	} {
		r := receive(t)
		r.status = status
		err := r.notifier(t).Notify(t.Context(), byWebhook())
		require.Len(t, r.posts, 1, "%d: nothing is followed or repeated here", status)
		if code == "" {
			require.NoError(t, err)
			continue
		}
		requireCode(t, code, err)
		require.NotContains(t, err.Error(), r.URL)
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		r := receive(t)
		n := r.notifier(t)
		r.Close()
		err := n.Notify(t.Context(), byWebhook())
		requireCode(t, schema.CodeUnavailable, err)
		require.NotContains(t, err.Error(), "127.0.0.1")
	})
	t.Run("who has it does not get it again", func(t *testing.T) {
		t.Parallel()
		r := receive(t)
		n := r.notifier(t)
		require.NoError(t, n.Notify(t.Context(), byWebhook()))
		require.NoError(t, n.Notify(t.Context(), byWebhook()))
		require.Len(t, r.posts, 1)
	})
}

func TestWebhooksThatAreNotSafeAreRefused(t *testing.T) {
	t.Parallel()
	secret := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, w := range map[string]notify.Webhook{
		"plain http": {URL: "http://hooks.example.com/", Secret: secret},
		"no URL":     {Secret: secret},
		"no secret":  {URL: "https://hooks.example.com/"},
		"no base64":  {URL: "https://hooks.example.com/", Secret: "hunter2!"},
	} {
		_, err := notify.New(notify.Config{Webhooks: map[string]notify.Webhook{"tickets": w}})
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), name)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
