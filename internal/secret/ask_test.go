package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/secret"
)

func TestAskToken(t *testing.T) {
	t.Parallel()
	root := []byte(strings.Repeat("k", secret.RootKeyBytes))
	k, err := secret.NewKeyring(root)
	require.NoError(t, err)
	const id = "0197c0de-0000-7000-8000-000000000001"
	token := k.AskToken(id)
	// HMAC-SHA256 of the id under HKDF-SHA256(root, info "sendoff ask link v1"), by
	// Python's hmac module: links that were sent keep their meaning.
	require.Equal(t, "3I6TT0vY0YR4Zx0WH00I_BUJwjwZBaYEy91UzcLc9-g", token)
	require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, token)
	require.Equal(t, "30b09287601ace663a8ba68b7f26df57b0245338d4a4426519a100fada5ac616", secret.AskTokenHash(token))
	require.NotEqual(t, token, k.AskToken(id[:35]+"2"))

	newer, err := secret.NewKeyring([]byte(strings.Repeat("n", secret.RootKeyBytes)), root)
	require.NoError(t, err)
	require.NotEqual(t, token, newer.AskToken(id), "the current key counts")
	require.NotContains(t, k.String()+k.GoString(), token)
}
