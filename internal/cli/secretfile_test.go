package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/internal/web"
	"sendoff/schema"
)

func TestConnectByConfigFileAndRotate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := b.file("box_config.json", `{"AuthKind":"jwt","ClientID":"sim","EnterpriseID":"900001","Key":"k3y-canary"}`)
	b.checker = func(_ schema.Connection, secret string) (web.ConnectionCheck, error) {
		require.Contains(t, secret, "k3y-canary")
		return web.ConnectionCheck{ActsAs: "7", Role: schema.RoleCoadmin, EnterpriseID: "900001", Service: true}, nil
	}
	made := schema.Connection{}
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) {
		if made.Name == "" {
			return made, &schema.Error{Code: schema.CodeNotFound, Message: "no such connection"}
		}
		return made, nil
	}
	b.store.CreateConnectionFunc = func(c schema.Connection, _ string) (schema.Connection, error) { made = c; return c, nil }
	rotated := ""
	b.store.RotateConnectionFunc = func(c schema.Connection, secret string) (schema.Connection, error) { rotated = secret; return c, nil }
	connect := func(more ...string) []string {
		return append([]string{"connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t"}, more...)
	}

	r := b.run(connect("--config-file", file)...)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, schema.AuthJWT, made.AuthKind)
	require.Equal(t, "sim", made.ClientID)
	r = b.run("connections", "rotate", "box-main", "--config-file", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Rotated the credentials of box-main")
	require.Contains(t, rotated, "k3y-canary")
	require.NotContains(t, r.out+r.errout, "canary")

	for name, args := range map[string][]string{
		"no secret":        connect("--client-id", "sim", "--enterprise-id", "900001"),
		"two secrets":      connect("--config-file", file, "--client-secret-file", file),
		"no client id":     connect("--client-secret-file", file, "--enterprise-id", "900001"),
		"no enterprise":    connect("--client-secret-file", file, "--client-id", "sim"),
		"no file":          connect("--config-file", "/nowhere/box.json"),
		"an empty file":    connect("--config-file", b.file("empty", " \n")),
		"a long file":      connect("--config-file", b.file("long", strings.Repeat("x", 70<<10))),
		"rotate without":   {"connections", "rotate", "box-main"},
		"rotate with both": {"connections", "rotate", "box-main", "--config-file", file, "--client-secret-file", file},
	} {
		r := b.run(args...)
		require.Equal(t, cli.ExitUsage, r.code, name)
		require.NotEmpty(t, r.errout, name)
		require.NotContains(t, r.out+r.errout, "canary", name)
	}
}
