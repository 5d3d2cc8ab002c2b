package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/config"
)

func TestTracesFollowOpenTelemetrysVariables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"none":                    {nil, false},
		"an endpoint":             {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, true},
		"an endpoint for traces":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true},
		"the SDK is switched off": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, false},
		"traces are switched off": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Load(config.Sources{Env: func(key string) (string, bool) { v, ok := c.env[key]; return v, ok }})
			require.NoError(t, err)
			require.Equal(t, c.want, cfg.Traces)
		})
	}
}

func TestHealthListen(t *testing.T) {
	t.Parallel()
	load := func(value string) (string, error) {
		cfg, err := config.Load(config.Sources{
			Env:   func(string) (string, bool) { return "", false },
			Flags: map[string]string{config.HealthListen: value, config.LogFormat: "console"},
		})
		return cfg.HealthListen, err
	}
	for _, good := range []string{"", "off", "127.0.0.1:0"} {
		got, err := load(good)
		require.NoError(t, err, good)
		require.Equal(t, good, got)
	}
	_, err := load("8081")
	require.Error(t, err)
}
