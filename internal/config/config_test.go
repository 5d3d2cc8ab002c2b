package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/config"
	"sendoff/schema"
)

func env(pairs map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := pairs[k]; return v, ok }
}

func TestLoad(t *testing.T) {
	t.Parallel()
	file := func(t *testing.T, text string) string {
		path := filepath.Join(t.TempDir(), "sendoff.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}

	t.Run("flags win over environment, environment over file, file over defaults", func(t *testing.T) {
		t.Parallel()
		cfg, err := config.Load(config.Sources{
			File:  file(t, "listen: 127.0.0.1:1\ntime_scale: 2\nlog_level: warn\n"),
			Env:   env(map[string]string{"SENDOFF_LISTEN": "127.0.0.1:2", "SENDOFF_TIME_SCALE": "3"}),
			Flags: map[string]string{config.Listen: "127.0.0.1:3"},
		})
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:3", cfg.Listen)
		require.EqualValues(t, 3, cfg.TimeScale)
		require.Equal(t, "warn", cfg.LogLevel)
		require.Equal(t, 960, cfg.RatePerMinute)
	})

	t.Run("every fault is told at once, with its place", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load(config.Sources{
			File: file(t, "lissten: x\nlisten: nowhere\n"),
			Env:  env(map[string]string{"SENDOFF_TIME_SCALE": "fast", "SENDOFF_LOG_LEVEL": "loud"}),
		})
		var e *schema.Error
		require.ErrorAs(t, err, &e)
		require.Len(t, e.Problems, 4)
		require.Contains(t, e.Problems[0].Where, "line 1 (lissten)")
	})

	t.Run("a public URL is https, or loopback", func(t *testing.T) {
		t.Parallel()
		load := func(url string) (config.Config, error) {
			return config.Load(config.Sources{Env: env(map[string]string{"SENDOFF_PUBLIC_URL": url})})
		}
		for _, good := range []string{"https://sendoff.example.com", "http://127.0.0.1:8080/"} {
			cfg, err := load(good)
			require.NoError(t, err)
			require.Equal(t, strings.TrimRight(good, "/"), cfg.PublicURL)
		}
		for _, bad := range []string{"http://sendoff.example.com", "sendoff.example.com", "https://u:p@sendoff.example.com", "https://sendoff.example.com?x=1"} {
			_, err := load(bad)
			require.Error(t, err, bad)
			require.NotContains(t, err.Error(), "u:p")
		}
	})

	t.Run("a database on another host needs TLS, and its password is not repeated", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load(config.Sources{Env: env(map[string]string{"SENDOFF_DATABASE_URL": "postgres://u:hunter2@db.example.com/x"})})
		require.ErrorContains(t, err, "without TLS")
		require.NotContains(t, err.Error(), "hunter2")
	})

	t.Run("loopback and declared private networks need none", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{"postgres://u:p@127.0.0.1:5432/x", "postgres://u:p@postgres/x?sslmode=disable&private=1"} {
			cfg, err := config.Load(config.Sources{Env: env(map[string]string{"SENDOFF_DATABASE_URL": url})})
			require.NoError(t, err)
			require.NotContains(t, cfg.DatabaseURL, "private")
		}
	})
}
