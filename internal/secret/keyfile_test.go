package secret_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/secret"
)

func TestKeyFile(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, content string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	line := func() string { return base64.StdEncoding.EncodeToString(secret.GenerateKey()) + "\n" }

	t.Run("is made once, for its owner alone", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		first, err := secret.LoadOrCreateKeyring(path)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		second, err := secret.LoadOrCreateKeyring(path)
		require.NoError(t, err)
		require.Equal(t, first.KeyID(), second.KeyID())
	})
	t.Run("is the same for all who make it at once", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		ids := make([]secret.KeyID, 8)
		errs := make([]error, len(ids))
		var group sync.WaitGroup
		for i := range ids {
			group.Go(func() {
				k, err := secret.LoadOrCreateKeyring(filepath.Join(dir, "key"))
				if errs[i] = err; err == nil {
					ids[i] = k.KeyID()
				}
			})
		}
		group.Wait()
		for i := range ids {
			require.NoError(t, errs[i])
			require.Equal(t, ids[0], ids[i])
		}
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 1, "no drafts are left")
	})
	t.Run("holds the current key first, older ones after it", func(t *testing.T) {
		t.Parallel()
		current, older := line(), line()
		alone, err := secret.LoadKeyring(write(t, older, 0o600))
		require.NoError(t, err)
		sealed, err := alone.NewKeyCheck()
		require.NoError(t, err)
		both, err := secret.LoadKeyring(write(t, "# rotated\n"+current+"\n"+older, 0o600))
		require.NoError(t, err)
		require.NotEqual(t, alone.KeyID(), both.KeyID())
		require.NoError(t, both.VerifyKeyCheck(sealed))
	})
	t.Run("is refused when others could read it", func(t *testing.T) {
		t.Parallel()
		path := write(t, line(), 0o640)
		_, err := secret.LoadKeyring(path)
		require.ErrorContains(t, err, "chmod 600 "+path)
		_, err = secret.LoadOrCreateKeyring(path)
		require.ErrorContains(t, err, "0640")
	})
	t.Run("is refused with a damaged key, which is not quoted", func(t *testing.T) {
		t.Parallel()
		key := line()
		_, err := secret.LoadKeyring(write(t, "# two\n"+key[:40]+"\n", 0o600))
		require.ErrorContains(t, err, "line 2")
		require.NotContains(t, err.Error(), key[:20])
		_, err = secret.LoadKeyring(write(t, "# none\n", 0o600))
		require.ErrorContains(t, err, "no key")
	})
	t.Run("is not made by LoadKeyring", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		_, err := secret.LoadKeyring(path)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.NoFileExists(t, path)
	})
}
