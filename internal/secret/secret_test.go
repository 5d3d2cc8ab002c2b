package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v4"

	"sendoff/internal/secret"
)

// holder keeps a secret the two ways a program does.
type holder struct {
	Public  secret.Secret
	private secret.Secret
}

func TestSecret(t *testing.T) {
	t.Parallel()
	s := secret.New(canary)
	h := holder{Public: s, private: s}
	require.Equal(t, canary, h.private.Reveal())

	t.Run("is hidden from every verb of fmt", func(t *testing.T) {
		t.Parallel()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			if verb != "%p" { // shows the address of the value, by design of fmt
				require.Equal(t, secret.Redacted, fmt.Sprintf(verb, s), verb)
			}
			for _, value := range []any{s, h, &h, []secret.Secret{s}, map[string]secret.Secret{"k": s}} {
				require.NotContains(t, fmt.Sprintf(verb, value), canary, verb)
				require.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", canary), verb)
			}
		}
	})
	t.Run("is hidden from encoders", func(t *testing.T) {
		t.Parallel()
		raw, err := json.Marshal(h)
		require.NoError(t, err)
		require.JSONEq(t, `{"Public":"[secret]"}`, string(raw))
		raw, err = yaml.Marshal(h)
		require.NoError(t, err)
		require.Contains(t, string(raw), secret.Redacted)
		require.NotContains(t, string(raw), canary)
	})
	t.Run("is hidden from loggers", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("slog", "secret", s, "holder", h)
		core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.InfoLevel)
		logger := zap.New(core)
		logger.Info("zap", zap.Any("secret", s), zap.Stringer("stringer", s), zap.Reflect("holder", h))
		logger.Sugar().Infow("sugar", "secret", s, "holder", h)
		require.Contains(t, out.String(), secret.Redacted)
		require.NotContains(t, out.String(), canary)
	})
	t.Run("is no SQL argument", func(t *testing.T) {
		t.Parallel()
		_, err := s.Value()
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
	})
	t.Run("is read from text, but not from its own printed form", func(t *testing.T) {
		t.Parallel()
		var read struct{ Public secret.Secret }
		require.NoError(t, json.Unmarshal([]byte(`{"Public":"`+canary+`"}`), &read))
		require.Equal(t, canary, read.Public.Reveal())
		require.Error(t, json.Unmarshal([]byte(`{"Public":"[secret]"}`), &read))
		require.Equal(t, canary, read.Public.Reveal())
	})
	t.Run("zero value", func(t *testing.T) {
		t.Parallel()
		require.True(t, secret.Secret{}.IsZero())
		require.Empty(t, secret.Secret{}.Reveal())
		require.False(t, s.IsZero())
	})
}

func TestToken(t *testing.T) {
	t.Parallel()
	token, hash := secret.NewToken()
	require.Regexp(t, `^sendoff_[A-Za-z0-9_-]{43}$`, token.Reveal())
	got, err := secret.HashToken(token.Reveal())
	require.NoError(t, err)
	require.Equal(t, hash, got)
	require.NotContains(t, hash.String(), token.Reveal())

	other, otherHash := secret.NewToken()
	require.NotEqual(t, token.Reveal(), other.Reveal())
	require.NotEqual(t, hash, otherHash)

	text := token.Reveal()
	for name, bad := range map[string]string{
		"empty":        "",
		"no prefix":    text[len(secret.TokenPrefix):],
		"cut":          text[:len(text)-1],
		"longer":       text + "A",
		"not base64":   text[:len(text)-1] + "!",
		"other prefix": "Sendoff_" + text[len(secret.TokenPrefix):],
		"newline":      text + "\n",
	} {
		_, err := secret.HashToken(bad)
		require.ErrorIs(t, err, secret.ErrBadToken, name)
	}
}
