package secret_test

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/secret"
)

func newKeyring(t *testing.T) *secret.Keyring {
	t.Helper()
	k, err := secret.NewKeyring(secret.GenerateKey())
	require.NoError(t, err)
	return k
}

func TestSeal(t *testing.T) {
	t.Parallel()
	const url = "https://api.example.com"
	k := newKeyring(t)
	place := secret.RowAAD("connection", "7", "client_secret", url)
	sealed, err := k.Seal(secret.PurposeCredential, place, []byte("hunter2"))
	require.NoError(t, err)
	require.Len(t, sealed, len("hunter2")+secret.Overhead)
	require.NotContains(t, string(sealed), "hunter2")

	t.Run("opens where it belongs", func(t *testing.T) {
		t.Parallel()
		opened, err := k.Open(secret.PurposeCredential, place, sealed)
		require.NoError(t, err)
		require.Equal(t, "hunter2", string(opened))
	})
	for name, elsewhere := range map[string]secret.AAD{
		"another table":    secret.RowAAD("hr_source", "7", "client_secret", url),
		"another row":      secret.RowAAD("connection", "8", "client_secret", url),
		"another column":   secret.RowAAD("connection", "7", "webhook_key", url),
		"another URL":      secret.RowAAD("connection", "7", "client_secret", "https://evil.example.com"),
		"a further URL":    secret.RowAAD("connection", "7", "client_secret", url, url),
		"no URL":           secret.RowAAD("connection", "7", "client_secret"),
		"shifted borders":  secret.RowAAD("connection", "7client", "_secret", url),
		"nothing at all":   {},
		"not a row at all": secret.NewAAD("connection", "7", "client_secret", url),
	} {
		t.Run("does not open in "+name, func(t *testing.T) {
			t.Parallel()
			_, err := k.Open(secret.PurposeCredential, elsewhere, sealed)
			require.ErrorIs(t, err, secret.ErrAuthentication)
		})
	}
	t.Run("does not open for another purpose", func(t *testing.T) {
		t.Parallel()
		_, err := k.Open(secret.PurposePayload, place, sealed)
		require.ErrorIs(t, err, secret.ErrAuthentication)
	})
	t.Run("never looks the same twice", func(t *testing.T) {
		t.Parallel()
		again, err := k.Seal(secret.PurposeCredential, place, []byte("hunter2"))
		require.NoError(t, err)
		require.NotEqual(t, sealed, again)
	})
	t.Run("notices each flipped bit", func(t *testing.T) {
		t.Parallel()
		for i := range len(sealed) * 8 {
			altered := append([]byte(nil), sealed...)
			altered[i/8] ^= 1 << (i % 8)
			_, err := k.Open(secret.PurposeCredential, place, altered)
			require.Error(t, err, "bit %d", i)
		}
	})
	t.Run("notices each missing byte", func(t *testing.T) {
		t.Parallel()
		for n := range len(sealed) {
			_, err := k.Open(secret.PurposeCredential, place, sealed[:n])
			require.Error(t, err, "cut to %d bytes", n)
		}
	})
}

func TestKeyring(t *testing.T) {
	t.Parallel()
	oldKey, newKey := secret.GenerateKey(), secret.GenerateKey()
	before, err := secret.NewKeyring(oldKey)
	require.NoError(t, err)
	after, err := secret.NewKeyring(newKey, oldKey)
	require.NoError(t, err)
	place := secret.NewAAD("somewhere")

	t.Run("opens with older keys and seals with the current", func(t *testing.T) {
		t.Parallel()
		old, err := before.Seal(secret.PurposeCredential, place, []byte("kept"))
		require.NoError(t, err)
		opened, err := after.Open(secret.PurposeCredential, place, old)
		require.NoError(t, err)
		require.Equal(t, "kept", string(opened))

		fresh, err := after.Seal(secret.PurposeCredential, place, []byte("new"))
		require.NoError(t, err)
		id, err := secret.SealedWith(fresh)
		require.NoError(t, err)
		require.Equal(t, after.KeyID(), id)
		_, err = before.Open(secret.PurposeCredential, place, fresh)
		require.ErrorIs(t, err, secret.ErrUnknownKey)
		require.ErrorContains(t, err, id.String())
	})
	t.Run("refuses keys of another length and the same key twice", func(t *testing.T) {
		t.Parallel()
		_, err := secret.NewKeyring(oldKey[:31])
		require.ErrorContains(t, err, "31 bytes, want 32")
		_, err = secret.NewKeyring(oldKey, oldKey)
		require.ErrorContains(t, err, "given twice")
	})
	t.Run("prints no key", func(t *testing.T) {
		t.Parallel()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			require.Equal(t, "keyring "+after.KeyID().String(), fmt.Sprintf(verb, after))
		}
	})
}

func TestKeyCheck(t *testing.T) {
	t.Parallel()
	key := secret.GenerateKey()
	right, err := secret.NewKeyring(key)
	require.NoError(t, err)
	stored, err := right.NewKeyCheck()
	require.NoError(t, err)

	t.Run("accepts the key and a rotated keyring", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, right.VerifyKeyCheck(stored))
		rotated, err := secret.NewKeyring(secret.GenerateKey(), key)
		require.NoError(t, err)
		require.NoError(t, rotated.VerifyKeyCheck(stored))
	})
	t.Run("names both keys when it is the wrong one", func(t *testing.T) {
		t.Parallel()
		wrong := newKeyring(t)
		err := wrong.VerifyKeyCheck(stored)
		require.ErrorIs(t, err, secret.ErrWrongKey)
		require.ErrorContains(t, err, right.KeyID().String())
		require.ErrorContains(t, err, wrong.KeyID().String())
		require.ErrorContains(t, err, "SENDOFF_KEY_FILE")
	})
	t.Run("refuses a damaged value", func(t *testing.T) {
		t.Parallel()
		damaged := append([]byte(nil), stored...)
		damaged[len(damaged)-1] ^= 1
		require.ErrorIs(t, right.VerifyKeyCheck(damaged), secret.ErrWrongKey)
		require.ErrorIs(t, right.VerifyKeyCheck(nil), secret.ErrWrongKey)
	})
}

// golden returns a message sealed by the first release, with the key of all
// zeros: what is stored must open for ever, and its format is fixed by this.
func golden(t testing.TB) (k *secret.Keyring, place secret.AAD, sealed []byte) {
	t.Helper()
	sealed, err := hex.DecodeString("011591883cb813dcc37d2c56e5a2099eb6d96a6080f2884b17dbb36e832a8329" +
		"63f98e2f1a1253dde6aa6fce1be004b474c80fd70d6fac7a328e0cac")
	require.NoError(t, err)
	k, err = secret.NewKeyring(make([]byte, secret.RootKeyBytes))
	require.NoError(t, err)
	return k, secret.NewAAD("fuzz"), sealed
}

func TestGolden(t *testing.T) {
	t.Parallel()
	k, place, sealed := golden(t)
	opened, err := k.Open(secret.PurposeCredential, place, sealed)
	require.NoError(t, err)
	require.Equal(t, "content", string(opened))
}

// FuzzOpen feeds the parser of sealed messages. Nothing but Seal makes what
// opens, whatever the bytes, and no bytes make it panic.
func FuzzOpen(f *testing.F) {
	k, place, sealed := golden(f)
	f.Add(sealed)
	f.Add(sealed[:secret.Overhead])
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if string(raw) == string(sealed) {
			return
		}
		_, err := k.Open(secret.PurposeCredential, place, raw)
		require.Error(t, err)
		id, err := secret.SealedWith(raw)
		if len(raw) >= secret.Overhead && raw[0] == 1 {
			require.NoError(t, err)
			require.Equal(t, raw[1:9], id[:])
		} else {
			require.ErrorIs(t, err, secret.ErrMalformed)
		}
	})
}
