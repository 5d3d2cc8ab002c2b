package temporalx_test

import (
	"context"
	"maps"
	"os"
	"os/user"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// environment is a process environment for one test.
type environment map[string]string

func (e environment) LookupEnv(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) Environ() []string {
	names := slices.Sorted(maps.Keys(e))
	for i, name := range names {
		names[i] = name + "=" + e[name]
	}
	return names
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	keyring, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	// resolve keeps the machine's own configuration file out.
	resolve := func(t *testing.T, o temporalx.Options, set environment) (client.Options, error) {
		t.Helper()
		env := environment{"TEMPORAL_CONFIG_FILE": t.TempDir() + "/none.toml"}
		maps.Copy(env, set)
		o.Environment, o.Logger = env, zap.NewNop()
		o.Converters = func(namespace string) (converter.DataConverter, converter.FailureConverter) {
			return secret.Converters(keyring, namespace)
		}
		return temporalx.ClientOptions(o)
	}

	cloud := environment{
		"TEMPORAL_ADDRESS": "acme.tmprl.example.com:7233", "TEMPORAL_NAMESPACE": "acme", "TEMPORAL_API_KEY": "key",
	}
	t.Run("defaults to this machine and our namespace", func(t *testing.T) {
		t.Parallel()
		got, err := resolve(t, temporalx.Options{}, nil)
		require.NoError(t, err)
		require.Equal(t, "localhost:7233", got.HostPort)
		require.Equal(t, temporalx.DefaultNamespace, got.Namespace)
	})
	t.Run("takes Temporal's variables", func(t *testing.T) {
		t.Parallel()
		got, err := resolve(t, temporalx.Options{}, cloud)
		require.NoError(t, err)
		require.Equal(t, "acme.tmprl.example.com:7233", got.HostPort)
		require.Equal(t, "acme", got.Namespace)
		require.NotNil(t, got.ConnectionOptions.TLS, "an API key never goes in plain")
	})
	t.Run("keeps them away from a server of our own", func(t *testing.T) {
		t.Parallel()
		got, err := resolve(t, temporalx.Options{LocalAddress: "127.0.0.1:7000"}, cloud)
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:7000", got.HostPort)
		require.Equal(t, temporalx.DefaultNamespace, got.Namespace)
		require.Nil(t, got.Credentials)
	})
	for _, address := range []string{"temporal:7233", "10.0.0.1:7233", "localhost.example.com:7233", "dns:///localhost:7233", "127.0.0.1"} {
		t.Run("refuses plaintext to "+address, func(t *testing.T) {
			t.Parallel()
			env := environment{"TEMPORAL_ADDRESS": address}
			_, err := resolve(t, temporalx.Options{}, env)
			require.ErrorIs(t, err, temporalx.ErrPlaintext)
			_, err = resolve(t, temporalx.Options{LocalAddress: address}, nil)
			require.ErrorIs(t, err, temporalx.ErrPlaintext)
			got, err := resolve(t, temporalx.Options{AllowPlaintext: true}, env)
			require.NoError(t, err)
			require.Equal(t, address, got.HostPort)
			env["TEMPORAL_TLS"] = "true"
			got, err = resolve(t, temporalx.Options{}, env)
			require.NoError(t, err)
			require.NotNil(t, got.ConnectionOptions.TLS)
		})
	}
	t.Run("identifies the process, not its host or user", func(t *testing.T) {
		t.Parallel()
		got, err := resolve(t, temporalx.Options{Identity: "worker"}, nil)
		require.NoError(t, err)
		require.Regexp(t, `^sendoff-worker-[a-z2-7]{8}$`, got.Identity)
		host, err := os.Hostname()
		require.NoError(t, err)
		require.NotContains(t, got.Identity, host)
		me, err := user.Current()
		require.NoError(t, err)
		require.NotContains(t, got.Identity, me.Username)
		again, err := resolve(t, temporalx.Options{Identity: "worker"}, nil)
		require.NoError(t, err)
		require.NotEqual(t, got.Identity, again.Identity)
	})
	t.Run("needs converters", func(t *testing.T) {
		t.Parallel()
		_, err := temporalx.ClientOptions(temporalx.Options{Logger: zap.NewNop()})
		require.ErrorContains(t, err, "Converters")
	})
}

func TestDialUnreachable(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.LocalAddress = "127.0.0.1:1" // tcpmux, privileged and unused
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := temporalx.Dial(ctx, o)
	require.ErrorIs(t, err, temporalx.ErrUnavailable)
	require.ErrorContains(t, err, "127.0.0.1:1")
}

func TestLogger(t *testing.T) {
	t.Parallel()
	core, lines := observer.New(zapcore.DebugLevel)
	logger := temporalx.NewLogger(zap.New(core, zap.AddCaller()))

	logger.Info("started", "WorkflowID", "w1", "Attempt", 2)
	log.With(logger, "Queue", "q1").Warn("slow", 7, "seven", "alone")
	skipping(log.Skip(logger, 1))
	logger.Debug("debug")
	logger.Error("error")

	got := lines.All()
	require.Len(t, got, 5)
	require.Equal(t, map[string]any{"WorkflowID": "w1", "Attempt": int64(2)}, got[0].ContextMap())
	require.Equal(t, map[string]any{"Queue": "q1", "7": "seven", "unpaired2": "alone"}, got[1].ContextMap())
	require.Equal(t, zapcore.WarnLevel, got[1].Level)
	require.Equal(t, zapcore.DebugLevel, got[3].Level)
	require.Equal(t, zapcore.ErrorLevel, got[4].Level)
	for _, line := range got {
		require.Contains(t, line.Caller.Function, "TestLogger", line.Message)
	}
}

// skipping logs on behalf of its caller.
func skipping(logger log.Logger) { logger.Info("from the caller") }
