package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
)

// TestReviewsAgainstPostgres drives the commands through the API into a real
// database, as far as that goes without a worker.
func TestReviewsAgainstPostgres(t *testing.T) {
	t.Parallel()
	b, _, _ := setupStore(t)
	file := b.file("quarterly.yaml", quarterlyFile)
	require.Equal(t, cli.ExitUsage, b.run("review", "create", file, "--yes").code, "there is no such connection")
	r := b.run("connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t", "--client-id", "sim",
		"--client-secret-file", b.file("secret", "s3cret"), "--enterprise-id", "900001")
	require.Equal(t, 0, r.code, r.errout)
	r = b.run("review", "create", file, "--yes")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, b.run("review", "create", file, "--yes").out, "stays as it is")
	changed := b.file("quarterly.yaml", quarterlyFile+"time: {due: 7d}\n")
	require.Contains(t, b.run("review", "create", changed, "--dry-run").out, "time.due: 14d -> 7d")
	require.Contains(t, b.run("review", "create", changed, "--yes").out, "version 2")
	require.Contains(t, b.run("review", "history", "quarterly").out, "time.due: 14d -> 7d")

	r = b.run("review", "start", "quarterly", "--draft")
	require.Equal(t, 0, r.code, r.errout)
	id := strings.TrimSpace(r.out)
	require.Contains(t, b.run("review", "list", "--review", "quarterly", "--state", "draft").out, id)
	require.Equal(t, id+"\n", b.run("review", "start", id).out)
	require.Equal(t, cli.ExitRefused, b.run("review", "start", "quarterly").code, "one whole campaign at a time")
	require.Contains(t, b.run("review", "show", id).out, "CAMPAIGN_NOT_CLOSED")
	require.Equal(t, cli.ExitRefused, b.run("review", "close", id, "--reason", "too early").code)
	require.Equal(t, cli.ExitUsage, b.run("review", "sign", id, "--reason", "I am not the owner").code)
	draft := b.run("review", "export", id)
	require.Equal(t, 0, draft.code, draft.errout)
	r = b.run("review", "verify", b.file("draft.json", draft.out))
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "NOT signed")
	require.Equal(t, 0, b.run("review", "cancel", id, "--reason", "wrong scope").code)
	require.Contains(t, b.run("review", "list", "--state", "ended").out, "cancelled")
	require.Equal(t, cli.ExitNotFound, b.run("review", "show", string(campaign1)).code)
	require.Equal(t, 0, b.run("review", "pause", "quarterly", "--reason", "holidays").code)
	require.Equal(t, cli.ExitRefused, b.run("review", "start", "quarterly").code, "it is paused")
}
