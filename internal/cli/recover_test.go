package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// What recover does to a database is tested in e2e, with one that keeps what it
// commits: recover refuses any other.
func TestRecoverRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	empty := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"neither":     {[]string{"recover", "--reason", "r"}, "--after-restore"},
		"both":        {[]string{"recover", "--after-restore", "--nothing-lost", "--reason", "r"}, "can't be used together"},
		"no reason":   {[]string{"recover", "--after-restore"}, "--reason"},
		"no database": {[]string{"recover", "--after-restore", "--reason", "r", "--yes", "--data", empty}, "holds no local stack"},
		"no answer":   {[]string{"recover", "--after-restore", "--reason", "r", "--output", "json"}, "repeat with --yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := b.run(c.args...)
			require.Equal(t, cli.ExitUsage, r.code, r.errout)
			require.Contains(t, r.errout, c.says)
		})
	}
}

func TestAllowWrites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.AllowConnectionWritesFunc = func(name, reason string) (schema.Connection, error) {
		require.Equal(t, "looked at the vendor", reason)
		return schema.Connection{Name: name, State: schema.ConnectionEnabled}, nil
	}
	require.Equal(t, cli.ExitUsage, b.run("connections", "allow-writes", "box-main").code, "without a reason")
	r := b.run("connections", "allow-writes", "box-main", "--reason", "looked at the vendor")
	require.Zero(t, r.code, r.errout)
	require.Contains(t, r.out, "Allowed writes of connection box-main.")
}
