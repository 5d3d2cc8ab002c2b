package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// TestListsAndReportsAgainstPostgres drives the commands through the API into a
// real database with a small company.
func TestListsAndReportsAgainstPostgres(t *testing.T) {
	t.Parallel()
	b, s, _ := setupStore(t)
	r := b.run("connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t",
		"--client-id", "sim", "--client-secret-file", b.file("secret", "s3cret"), "--enterprise-id", "900001")
	require.Equal(t, 0, r.code, r.errout)
	conn, err := s.ConnectionByName(t.Context(), "box-main")
	require.NoError(t, err)
	for i, login := range []string{"ann@example.com", "anna@example.com", "=cmd@example.com", "bot@example.com"} {
		kind, role := schema.KindPerson, schema.RoleMember
		if i == 3 {
			kind, role = schema.KindService, schema.RoleCoadmin
		}
		_, err := s.SaveAccount(t.Context(), schema.Account{
			ConnectionID: conn.ID, ExternalID: schema.ExternalID(fmt.Sprint(i)), Login: login, Name: "Name", Role: role, Status: schema.AccountActive,
			VendorStatus: "active", Kind: kind, EnterpriseID: "900001", SpaceUsed: 2048, SpaceAmount: -1, CreatedAt: now.AddDate(-1, 0, 0), ObservedAt: now,
		})
		require.NoError(t, err)
	}
	_, v := b.runJSON("accounts", "list", "--status", "active,suspended", "--kind", "person", "--login", "ANN", "--limit", "1")
	require.Len(t, v["accounts"], 1)
	require.NotEmpty(t, v["next"])
	r = b.run("accounts", "list", "--privileged")
	require.Regexp(t, `box-main/3\s+bot@example.com\s+active\s+service\s+coadmin\s+2.0 KiB\s+-\s+none seen`, r.out)
	require.Equal(t, cli.ExitUsage, b.run("accounts", "list", "--status", "dead").code)
	require.Equal(t, cli.ExitNotFound, b.run("accounts", "list", "--connection", "nowhere").code)

	r = b.run("accounts", "show", "box-main/0")
	require.Equal(t, 0, r.code, r.errout)
	for _, says := range []string{
		"ann@example.com", "unlimited", "not known (unmatched)", "grade           not_collected for 90d: no activity is collected",
		"collaborations  not collected: Box lists none per user", "GROUPS (0): none that the vendor lists", "NEVER_RUN",
	} {
		require.Contains(t, r.out, says)
	}
	_, v = b.runJSON("accounts", "show", "Ann@example.com", "--threshold", "30d")
	require.Equal(t, "30d", v["account"].(map[string]any)["threshold"])
	require.Equal(t, cli.ExitNotFound, b.run("accounts", "show", "ann").code)
	require.Equal(t, 0, b.run("groups", "list").code)
	require.Equal(t, cli.ExitUsage, b.run("groups", "members", "g1").code)
	require.Equal(t, cli.ExitNotFound, b.run("groups", "members", "box-main/g1").code)

	r = b.run("report", "licenses")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "not configured: box tells neither seats nor price; sendoff licenses set box-main")
	r = b.run("licenses", "set", "box-main", "--seats", "5", "--price", "15.00", "--currency", "EUR", "--per", "month", "--renews", "2027-01-31")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, cli.ExitUsage, b.run("licenses", "set", "box-main", "--seats", "5", "--price", "15.001", "--currency", "EUR", "--per", "month").code)
	require.Regexp(t, `box-main\s+5\s+15.00 EUR\s+month\s+2027-01-31\s+admin`, b.run("licenses", "list").out)
	r = b.run("report", "licenses")
	require.Contains(t, r.out, "bought       5 at 15.00 EUR per month: 75.00 EUR; renews on 2027-01-31")
	require.Contains(t, r.out, "in use       3 (60.0 %); free 2, over 0")
	require.Contains(t, r.out, "no seat      service 1, app 0, external 0")

	_, v = b.runJSON("report", "inactive")
	require.Empty(t, v["accounts"], "what is not collected is not inactive")
	require.InDelta(t, 3, v["counts"].(map[string]any)["not_collected"], 0)
	require.Contains(t, b.run("report", "inactive", "--grade", "not_collected").out, "ann@example.com")
	require.Contains(t, b.run("report", "usage").out, "Trend     not known")
	require.Contains(t, b.run("report", "orphans").out, "unmatched 3, ambiguous 0, contradiction 0")
	require.Equal(t, 0, b.run("report", "orphans", "--people").code)
	require.Contains(t, b.run("report", "changes", "--account", "ann@example.com").out, "CHANGES")

	file := filepath.Join(t.TempDir(), "orphans.csv")
	r = b.run("report", "orphans", "--csv", file)
	require.Equal(t, 0, r.code, r.errout)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "\r\nbox-main,2,'=cmd@example.com,")
	require.Contains(t, b.run("report", "inactive", "--csv", "-").out, "connection,account_id,login,")
	require.Equal(t, cli.ExitUsage, b.run("report", "inactive", "--threshold", "90", "--csv", file+".no").code)
	require.NoFileExists(t, file+".no")
	require.NoFileExists(t, file+".no.part")
}
