package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
)

// TestPeopleAgainstPostgres drives the people commands through the API into a
// real database.
func TestPeopleAgainstPostgres(t *testing.T) {
	t.Parallel()
	b := connected(t)
	admin := b.env
	b.as("hr-desk", "operator")
	roster := b.file("roster.csv", strings.Join([]string{
		"Employee ID,Work Email,Display Name,Department,Supervisor EId,Employee #,Shoe Size",
		"1,Ada@example.com,Ada Lovelace,R&D,2,A-1,38",
		"2,grace@example.com,Grace Hopper,R&D,,A-2,39",
		"3,loop@example.com,Lou Loop,Sales,3,A-3,40",
	}, "\n"))

	r, dry := b.runJSON("people", "import", roster, "--source", "hris", "--dry-run")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, true, dry["dry_run"])
	require.EqualValues(t, 3, dry["added"])
	_, listed := b.runJSON("people", "list")
	require.Empty(t, listed["people"])

	r = b.run("people", "import", roster, "--source", "hris")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "Imported 3 employments of hris: 3 added (3 new people), 0 changed, 0 unchanged, 0 refused.")
	require.Contains(t, r.out, "self_manager")
	require.Contains(t, r.errout, "Columns that were not read: Shoe Size")
	r, shown := b.runJSON("people", "show", "ADA@example.com")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, "Ada Lovelace", shown["name"])
	require.Equal(t, "grace@example.com", shown["managers"].([]any)[0].(map[string]any)["email"])
	require.Contains(t, b.run("people", "show", "grace@example.com").out, "manages ada@example.com")
	_, listed = b.runJSON("people", "list", "--without-manager", "--limit", "1")
	require.Len(t, listed["people"], 1)
	require.Empty(t, listed["next"], "of the three, one has a manager and one is their own")
	require.Contains(t, b.run("people", "issues").out, "the person is their own manager")
	require.Equal(t, cli.ExitNotFound, b.run("people", "show", "nobody@example.com").code)

	require.Equal(t, 0, b.run("people", "department-owner", "R&D", "grace@example.com").code)
	require.Contains(t, b.run("people", "departments").out, "grace@example.com")
	require.Equal(t, cli.ExitNotFound, b.run("people", "department-owner", "R & D", "grace@example.com").code)
	require.Equal(t, 0, b.run("people", "department-owner", "R&D", "--none").code)
	require.Equal(t, cli.ExitUsage, b.run("people", "department-owner", "R&D").code)

	checkLinks(t, b, admin)
	checkBadRosters(t, b)

	r = b.run("people", "import", b.file("less.csv", "id,department\n1,Sales\n"), "--source", "hris")
	require.Contains(t, r.out, "The roster leaves out 2 known employments; nothing ends by that.")
	require.Contains(t, r.out, "0 added (0 new people), 1 changed")
	_, listed = b.runJSON("people", "list", "--absent")
	require.Len(t, listed["people"], 2)
	b.env = admin
	b.as("reviewer", "reviewer")
	require.Equal(t, cli.ExitUsage, b.run("people", "import", roster, "--source", "hris").code, "a reviewer imports nothing")
}

func checkLinks(t *testing.T, b *bundle, admin []string) {
	t.Helper()
	require.Equal(t, 0, b.run("offboard", "svc.ada@example.com", "--plan").code, "so that the account is known")
	require.Equal(t, cli.ExitUsage, b.run("people", "link", "svc.ada@example.com", "ada@example.com", "--reason", "hers").code)
	r, linked := b.runJSON("people", "link", "box-main/SVC.ada@example.com", "ada@example.com", "--reason", "her second account")
	require.Equal(t, 0, r.code, r.errout)
	require.Regexp(t, `^\d+$`, linked["account_id"])
	require.Contains(t, b.run("people", "show", "ada@example.com").out, "link")
	require.Equal(t, 0, b.run("people", "unlink", "box-main/svc.ada@example.com", "--reason", "it was not").code)
	require.Equal(t, cli.ExitRefused, b.run("people", "unlink", "box-main/svc.ada@example.com", "--reason", "again").code)

	require.NotEqual(t, 0, b.run("people", "rule", "box-main", "--employee-number", "emp").code, "for admins alone")
	operator := b.env
	b.env = admin
	require.Equal(t, 0, b.run("people", "rule", "box-main", "--employee-number", "emp").code)
	require.Contains(t, b.run("people", "rule", "box-main").out, "by employee number in emp")
	require.Equal(t, 0, b.run("people", "rule", "box-main", "--none").code)
	b.env = operator
}

// checkBadRosters: every fault at once, with its place, and nothing half written.
func checkBadRosters(t *testing.T, b *bundle) {
	t.Helper()
	bad := b.file("bad.csv", "id,work_email,hire_date\n9,new@example.com,2026-01-01\n9,nonsense,01/02/2026\n")
	r := b.run("people", "import", bad, "--source", "hr is")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, want := range []string{"--source", "line 3, column 1 (id)", "line 3, column 2 (work_email)", "line 3, column 3 (hire_date)", "2026-11-30"} {
		require.Contains(t, r.errout, want)
	}
	require.Equal(t, cli.ExitNotFound, b.run("people", "show", "new@example.com").code)
	r = b.run("people", "import", b.file("latin.csv", "id,name\n1,Ren\xe9\n"), "--source", "hris")
	require.Contains(t, r.errout, "line 2, byte 6")
	big := b.file("big.csv", "id,photo\n1,"+strings.Repeat("x", 3<<20)+"\n")
	r = b.run("people", "import", big, "--source", "elsewhere", "--dry-run")
	require.Equal(t, 0, r.code, "a roster may be larger than other requests: %s", r.errout)
	require.Equal(t, cli.ExitUsage, b.run("people", "import", b.file("empty.csv", ""), "--source", "hris").code)
	require.Equal(t, cli.ExitUsage, b.run("people", "import", "no such file", "--source", "hris").code)
}
