package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
)

// connected is setupStore with the connection box-main in it.
func connected(t *testing.T) *bundle {
	t.Helper()
	b, _, _ := setupStore(t)
	r := b.run("connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t",
		"--client-id", "sim", "--client-secret-file", b.file("secret", "s3cret"), "--enterprise-id", "900001")
	require.Equal(t, 0, r.code, r.errout)
	return b
}

// as makes the commands that follow those of a new token.
func (b *bundle) as(name, role string, flags ...string) {
	b.t.Helper()
	r, made := b.runJSON(append([]string{"tokens", "create", "--name", name, "--role", role, "--expires", "1d"}, flags...)...)
	require.Equal(b.t, 0, r.code, r.errout)
	b.env = []string{b.env[0], "SENDOFF_TOKEN=" + made["token"].(string)}
}

func TestProtectAndHoldAgainstPostgres(t *testing.T) {
	t.Parallel()
	b := connected(t)
	admin := b.env
	b.as("night-shift", "operator")
	operator := b.env

	r, account := b.runJSON("protect", "add", "--account", "box-main/12345", "--reason", "runs the payroll", "--expires", "90d")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, "12345", account["account_id"])
	require.Equal(t, "box-main", account["connection"])
	require.NotNil(t, account["expires_at"])
	_, byLogin := b.runJSON("protect", "add", "--account", "box-main/Ada@example.com", "--reason", "the founder")
	require.Regexp(t, `^\d+$`, byLogin["account_id"], "the vendor's id, not the login")
	r = b.run("protect", "add", "--pattern", "svc-*@example.com", "--connection", "box-main", "--reason", "services")
	require.Contains(t, r.out, "on pattern svc-*@example.com in box-main, until it is ended")
	_, hold := b.runJSON("hold", "add", "--person", "Ada@Example.com", "--reason", "counsel asked", "--matter", "A v. B")
	require.Equal(t, "ada@example.com", hold["person"])
	require.Equal(t, "night-shift", hold["created_by"])

	_, listed := b.runJSON("protect", "list")
	require.Len(t, listed["protections"], 3)
	r = b.run("hold", "list")
	require.Regexp(t, `person ada@example.com\s+live\s+never\s+.*night-shift\s+A v. B\s+counsel asked`, r.out)

	r = b.run("hold", "release", hold["id"].(string), "--reason", "settled")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "use a token with the role admin")
	b.env = admin
	require.Equal(t, cli.ExitNotFound, b.run("protect", "remove", hold["id"].(string), "--reason", "that is a hold").code)
	r = b.run("hold", "release", hold["id"].(string), "--reason", "settled")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "Released hold")
	require.Equal(t, cli.ExitRefused, b.run("hold", "release", hold["id"].(string), "--reason", "again").code)
	b.as("ada", "admin", "--email", "ada@example.com")
	r = b.run("protect", "remove", byLogin["id"].(string), "--reason", "I may go")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "nobody ends a protection on themselves")
	b.env = admin
	require.Equal(t, 0, b.run("protect", "remove", byLogin["id"].(string), "--reason", "she left the board").code)

	b.env = operator
	_, listed = b.runJSON("hold", "list")
	require.Empty(t, listed["holds"])
	require.Contains(t, b.run("hold", "list", "--all").out, "by admin")
	_, listed = b.runJSON("protect", "list", "--all")
	require.Len(t, listed["protections"], 3)
}

func TestRestrictionsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	b := connected(t)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nobody named":      {[]string{"--reason", "x"}, cli.ExitUsage, "--account"},
		"two subjects":      {[]string{"--person", "a@example.com", "--pattern", "a*", "--reason", "x"}, cli.ExitUsage, "together"},
		"no reason":         {[]string{"--person", "a@example.com"}, cli.ExitUsage, "--reason"},
		"no connection":     {[]string{"--account", "12345", "--reason", "x"}, cli.ExitUsage, "CONNECTION/ID"},
		"unknown one":       {[]string{"--account", "nowhere/12345", "--reason", "x"}, cli.ExitNotFound, "nowhere"},
		"everybody":         {[]string{"--pattern", "*@*", "--reason", "x"}, cli.ExitUsage, "matches every login"},
		"no address":        {[]string{"--person", "ada", "--reason", "x"}, cli.ExitUsage, "--person"},
		"past":              {[]string{"--person", "a@example.com", "--expires", "2020-01-01T00:00:00Z", "--reason", "x"}, cli.ExitUsage, "--expires"},
		"misplaced":         {[]string{"--person", "a@example.com", "--connection", "box-main", "--reason", "x"}, cli.ExitUsage, "--pattern alone"},
		"expiry not needed": {[]string{"--person", "a@example.com", "--expires", "never", "--reason", "x"}, cli.ExitUsage, "leave it out"},
	} {
		for _, group := range []string{"protect", "hold"} {
			r := b.run(append([]string{group, "add"}, c.args...)...)
			require.Equal(t, c.code, r.code, "%s: %s", name, r.errout)
			require.Contains(t, r.errout, c.says, name)
		}
	}
	_, listed := b.runJSON("hold", "list", "--all")
	require.Empty(t, listed["holds"])
}

func TestDeclareNoLegalHolds(t *testing.T) {
	t.Parallel()
	b := connected(t)
	require.Equal(t, cli.ExitUsage, b.run("connections", "declare", "box-main", "--no-legal-holds", "--reason", "asked legal").code)
	require.Equal(t, cli.ExitUsage, b.run("connections", "declare", "box-main", "--no-legal-holds", "--reason", "asked legal", "--expires", "366d").code)
	require.Equal(t, cli.ExitNotFound, b.run("connections", "declare", "nowhere", "--no-legal-holds", "--reason", "asked legal", "--expires", "30d").code)
	require.Regexp(t, `box-main.*\sread\n`, b.run("connections", "list").out)

	r, d := b.runJSON("connections", "declare", "box-main", "--no-legal-holds", "--reason", "asked legal", "--expires", "30d")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, true, d["live"])
	require.Contains(t, b.run("connections", "show", "box-main").out, "legal holds none, declared by admin until")
	require.Regexp(t, `box-main.*declared none until`, b.run("connections", "list").out)
	_, shown := b.runJSON("connections", "show", "box-main")
	require.Equal(t, "asked legal", shown["no_legal_holds"].(map[string]any)["reason"])

	r = b.run("connections", "declare", "box-main", "--withdraw", "--reason", "there is one now")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, b.run("connections", "show", "box-main").out, "a declaration was withdrawn")
	require.Equal(t, cli.ExitRefused, b.run("connections", "declare", "box-main", "--withdraw", "--reason", "again").code)
	admin := b.env
	b.as("night-shift", "operator")
	require.Equal(t, cli.ExitUsage, b.run("connections", "declare", "box-main", "--no-legal-holds", "--reason", "I say so", "--expires", "30d").code)
	b.env = admin
}
