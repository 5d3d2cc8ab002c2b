package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/config"
	"sendoff/schema"
)

// TestNotifierOfTheSettings: from the file that an operator writes to a signed
// request at the receiver.
func TestNotifierOfTheSettings(t *testing.T) {
	t.Parallel()
	secret := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	verdicts := make(chan error, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdicts <- verifier.Verify(body, r.Header)
	}))
	t.Cleanup(receiver.Close)
	file := filepath.Join(t.TempDir(), "sendoff.yaml")
	require.NoError(t, os.WriteFile(file, []byte("notify:\n  webhooks:\n    tickets: {url: \""+receiver.URL+"\"}\n"), 0o600))
	cfg, err := config.Load(config.Sources{File: file, Env: func(name string) (string, bool) {
		return secret, name == "SENDOFF_WEBHOOK_SECRET_TICKETS"
	}})
	require.NoError(t, err)

	n, err := newNotifier(cfg.Notify)
	require.NoError(t, err)
	notice := activities.Notice{Channel: schema.ChannelWebhook, To: []string{"tickets"}, Message: "m", CaseID: "c", PlanID: "p", Key: "p/1"}
	require.NoError(t, n.Notify(t.Context(), notice))
	require.NoError(t, <-verdicts)
	notice.Channel, notice.To = schema.ChannelMail, []string{"it@example.com"}
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(n.Notify(t.Context(), notice)), "no mail server is configured")

	none, err := newNotifier(config.Notify{})
	require.NoError(t, err)
	require.Nil(t, none)
}
