package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

func TestConnectTellsWhichFlagsDoNotGoTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := b.file("secret", "s3cret\n")
	whole := []string{"--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/token", "--client-secret-file", secret}
	for says, args := range map[string][]string{
		"--renew is of a consent": append([]string{"--renew", "box"}, whole...),
		"--base-url":              {"--name", "box", "--browser", "--client-id", "c", "--client-secret-file", secret},
		"--client-id is missing":  append([]string{"--name", "box", "--browser"}, whole...),
		"--config-file and --as":  append([]string{"--name", "box", "--browser", "--client-id", "c", "--as", "7"}, whole...),
		"--client-id or":          append([]string{"--name", "box"}, whole...),
		"missing flags":           append([]string{"--browser"}, whole...),
	} {
		r := b.run(append([]string{"connect", "box"}, args...)...)
		require.Equal(t, cli.ExitUsage, r.code, says)
		require.Contains(t, r.errout, says)
		require.Contains(t, r.errout, "fix: ")
	}
}

func TestConnectionsRemoveTellsWhatBecameOfTheTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(name string) (schema.Connection, error) {
		return schema.Connection{Name: name, State: schema.ConnectionDisabled}, nil
	}
	b.store.RemoveConnectionFunc = func(name, reason string, r schema.Revocation) (schema.Connection, error) {
		require.Equal(t, "gone", reason)
		return schema.Connection{Name: name, State: schema.ConnectionRemoved}, nil
	}
	r := b.run("connections", "remove", "box-main", "--reason", "gone", "--unrevoked")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Removed connection box-main.")
	require.Regexp(t, `tokens revoked\s+no\nproven\s+no\nnote\s+the vendor has no way to revoke tokens`, r.out)
	_, v := b.runJSON("connections", "remove", "box-main", "--reason", "gone")
	require.Equal(t, false, v["revocation"].(map[string]any)["revoked"])
}
