package config_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/config"
	"sendoff/schema"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	secret := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("hunter2-", 4)))
	password, key := write("password", "hunter2\n"), write("key", "whsec_"+secret+"\n")

	t.Run("mail and webhooks, with secrets from files and the environment", func(t *testing.T) {
		t.Parallel()
		file := write("good.yaml", fmt.Sprintf(`listen: 127.0.0.1:1
notify:
  smtp: {host: smtp.example.com, from: sendoff@example.com, username: u, password_file: %s}
  webhooks:
    ticket-system: {url: "https://hooks.example.com/x", secret_file: %s}
    local: {url: "http://127.0.0.1:9/"}
`, password, key))
		cfg, err := config.Load(config.Sources{File: file, Env: env(map[string]string{"SENDOFF_WEBHOOK_SECRET_LOCAL": secret, "SENDOFF_WEBHOOK_SECRET_TICKET_SYSTEM": ""})})
		require.NoError(t, err)
		smtp := cfg.Notify.SMTP
		require.Equal(t, []any{"smtp.example.com", 587, "starttls", "u", "hunter2"}, []any{smtp.Host, smtp.Port, smtp.TLS, smtp.Username, smtp.Password.Reveal()})
		require.Equal(t, "whsec_"+secret, cfg.Notify.Webhooks["ticket-system"].Secret.Reveal())
		require.Equal(t, secret, cfg.Notify.Webhooks["local"].Secret.Reveal())
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			shown := fmt.Sprintf(format, *smtp) + fmt.Sprintf(format, cfg.Notify.Webhooks)
			require.NotContains(t, shown, "hunter2")
			require.NotContains(t, shown, secret)
		}
	})

	t.Run("Slack's webhooks, whose URLs are secrets", func(t *testing.T) {
		t.Parallel()
		secretURL := "https://hooks.slack.com/services/T1/B1/hunter2"
		file := write("slack.yaml", fmt.Sprintf("notify:\n  slack:\n    it: {url_file: %s}\n    hr-team: {}\n", write("slack-url", secretURL+"\n")))
		cfg, err := config.Load(config.Sources{File: file, Env: env(map[string]string{"SENDOFF_SLACK_URL_HR_TEAM": "http://127.0.0.1:9/services/x"})})
		require.NoError(t, err)
		require.Equal(t, secretURL, cfg.Notify.Slack["it"].URL.Reveal())
		require.Equal(t, "http://127.0.0.1:9/services/x", cfg.Notify.Slack["hr-team"].URL.Reveal())
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(format, cfg.Notify.Slack), "hunter2")
		}

		file = write("badslack.yaml", fmt.Sprintf("notify:\n  slack:\n    none: {}\n    plain: {url_file: %s}\n    odd: {url_file: %s, url: x}\n    IT: {}\n",
			write("plain-url", "http://hooks.slack.com/hunter2"), write("odd-url", "hunter2 :// \x7f")))
		_, err = config.Load(config.Sources{File: file, Env: env(nil)})
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		require.Len(t, e.Problems, 5)
		for _, at := range []string{"notify.slack.none.url_file", "notify.slack.plain.url_file", "notify.slack.odd.url)", "notify.slack.odd.url_file", "notify.slack.IT"} {
			require.ErrorContains(t, err, at)
		}
		require.NotContains(t, err.Error(), "hunter2")
	})

	t.Run("nothing is needed", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load(config.Sources{Env: env(nil)})
		require.NoError(t, err)
		require.Nil(t, cfg.Notify.SMTP)
		require.Empty(t, cfg.Notify.Webhooks)
	})

	t.Run("every fault is told at once, and no secret", func(t *testing.T) {
		t.Parallel()
		file := write("bad.yaml", fmt.Sprintf(`time_scale: fast
notify:
  smpt: {}
  smtp:
    host: smtp.example.com
    port: 99999
    tls: none
    from: sendoff
    username: u
    password: hunter2
  webhooks:
    Tickets: {url: "https://hooks.example.com/x", secret_file: %s}
    plain: {url: "http://hooks.example.com/x", secret_file: %s}
    short: {url: "https://hooks.example.com/x", secret_file: %s}
    gone: {url: "https://hooks.example.com/x", secret_file: /nowhere}
    text: https://hooks.example.com/x
`, key, key, password))
		_, err := config.Load(config.Sources{File: file, Env: env(nil)})
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		var told []string
		for _, p := range e.Problems {
			require.NotEmpty(t, p.Fix)
			at := p.Where[strings.Index(p.Where, "(")+1:]
			told = append(told, strings.TrimSuffix(at, ")"))
		}
		require.ElementsMatch(t, []string{
			"time_scale", "notify.smpt", "notify.smtp.port", "notify.smtp.tls", "notify.smtp.from", "notify.smtp.username", "notify.smtp.password",
			"notify.webhooks.Tickets", "notify.webhooks.plain.url", "notify.webhooks.short.secret_file",
			"notify.webhooks.gone.secret_file", "notify.webhooks.gone.secret_file", "notify.webhooks.text",
		}, told)
		require.NotContains(t, err.Error(), "hunter2")
	})
}
