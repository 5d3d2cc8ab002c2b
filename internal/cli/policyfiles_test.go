package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

const dormantFile = "apiVersion: sendoff/v1\nkind: InactivityPolicy\nname: dormant\nowner: it@example.com\nconnections: [box-main]\nthreshold: 90d\nsteps: [snapshot, suspend]\n"

// directory holds the files, given as name, text, name, text.
func directory(t *testing.T, name string, files ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Mkdir(dir, 0o700))
	for i := 0; i < len(files); i += 2 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600))
	}
	return dir
}

func TestPolicyLintNeedsNoServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.srv.Close()
	good := b.file("good.yaml", dormantFile)
	r := b.run("policy", "lint", good)
	require.Equal(t, cli.ExitDone, r.code, r.out)
	require.Equal(t, good+": usable: dormant\n", r.out)
	bad := directory(t, "main", "a.yaml", dormantFile, "b.yaml", dormantFile, "c.yaml", "kind: InactivityPolicy\nstray: 1\n")
	r = b.run("policy", "lint", bad, good)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.out, filepath.Join(bad, "b.yaml")+": error: the policy dormant is also in "+filepath.Join(bad, "a.yaml")+"\n    fix: keep one of them\n")
	require.Contains(t, r.out, filepath.Join(bad, "c.yaml")+" line 2, column 1: error: ")
	require.Contains(t, r.out, good+": error: the policy dormant is also in "+bad)
	r, v := b.runJSON("policy", "lint", bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Equal(t, false, v["paths"].([]any)[0].(map[string]any)["ok"])
	require.Equal(t, cli.ExitUsage, b.run("policy", "lint", "/nowhere").code)
	published, err := os.ReadFile("../../docs/schemas/inactivity-policy.schema.json")
	require.NoError(t, err)
	require.Equal(t, string(published), b.run("policy", "schema").out)
	published, err = os.ReadFile("../../docs/schemas/inactivity-policy-test.schema.json")
	require.NoError(t, err)
	require.Equal(t, string(published), b.run("policy", "schema", "--kind", "InactivityPolicyTest").out)
}

func TestPolicyApplyShowsTheDifferenceAndAsks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var applied []schema.ApplyPolicies
	b.store.ApplyPoliciesFunc = func(a schema.ApplyPolicies) ([]schema.AppliedPolicy, error) {
		if !a.DryRun {
			applied = append(applied, a)
		}
		before := a.Files[0].Rule
		before.Approvals = 2
		out := []schema.AppliedPolicy{{Name: "dormant", Change: schema.PolicyChanged, Before: &before, Policy: schema.Policy{Version: 4, State: schema.PolicyActive, Rule: a.Files[0].Rule}}}
		if a.Set != "" {
			out = append(out, schema.AppliedPolicy{Name: "gone", Change: schema.PolicyWithdrawn, Policy: schema.Policy{Version: 1, State: schema.PolicyPaused}})
		}
		return out, nil
	}
	dir := directory(t, "main", "a.yaml", dormantFile)
	r := b.run("policy", "apply", dir, "--plan")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, filepath.Join(dir, "a.yaml")+": policy dormant changes, as version 4\n  approvals: 2 -> 1\n"+
		"policy gone is not in the set main any more: it is paused, and what it started goes on\n", r.out)
	r = b.run("policy", "apply", dir)
	require.Equal(t, cli.ExitUsage, r.code, "no answer is no")
	require.Contains(t, r.errout, "give --yes")
	require.Empty(t, applied)
	b.stdin = "y\n"
	r = b.run("policy", "apply", dir)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Policy dormant is active, version 4.\nPolicy gone is paused, version 1.\n")
	require.Equal(t, "main", applied[0].Set, "a directory's own name")
	file := b.file("a.yaml", dormantFile)
	r, v := b.runJSON("policy", "apply", file, "--yes")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, true, v["applied"])
	require.Empty(t, applied[1].Set, "a file stands alone")
	require.Equal(t, dormantFile, applied[1].Files[0].Source)
	r, _ = b.runJSON("policy", "apply", file)
	require.Equal(t, cli.ExitUsage, r.code, "JSON cannot ask")
	require.Len(t, applied, 2)

	b.store.ApplyPoliciesFunc = func(a schema.ApplyPolicies) ([]schema.AppliedPolicy, error) {
		return []schema.AppliedPolicy{{Name: "dormant", Change: schema.PolicyUnchanged}}, nil
	}
	r = b.run("policy", "apply", file)
	require.Equal(t, file+": policy dormant stays as it is\n", r.out)
	r = b.run("policy", "apply", directory(t, "bad", "b.yaml", "kind: x\n", "c.yaml", "kind: y\n"), "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "b.yaml")
	require.Contains(t, r.errout, "c.yaml")
}

func TestPolicyTestsNeedNoServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.srv.Close()
	const head = "apiVersion: sendoff/v1\nkind: InactivityPolicyTest\npolicy: dormant\nnow: 2026-11-21T00:00:00Z\ncases:\n"
	const taken = "  - {name: taken, account: {created_at: 2020-01-01}, activity: {last_active_at: 2026-01-01}, expect: {verdict: matched}}\n"
	other := strings.Replace(dormantFile, "name: dormant", "name: other", 1)
	dir := directory(t, "main", "a.yaml", dormantFile, "a-test.yaml", head+taken, "b.yaml", other)
	r := b.run("policy", "test", dir)
	require.Equal(t, cli.ExitDone, r.code, r.out+r.errout)
	require.Regexp(t, `ok +dormant +taken +matched +matched, grade inactive +`+regexp.QuoteMeta(filepath.Join(dir, "a-test.yaml"))+` line 6`, r.out)
	require.Contains(t, r.out, "1 cases, 0 failed.")
	require.Equal(t, "warning: no test is of the policy other\n", r.errout)
	require.Equal(t, cli.ExitInternal, b.run("policy", "test", dir, "--require-tests").code)

	dir = directory(t, "failing", "a.yaml", dormantFile, "a-test.yaml", head+taken+"  - {name: silent, activity: {collected: false}, expect: {verdict: matched}}\n")
	r, v := b.runJSON("policy", "test", dir)
	require.Equal(t, cli.ExitInternal, r.code)
	require.Equal(t, false, v["ok"])
	require.InDelta(t, 1, v["failed"], 0)
	require.Equal(t, "not_collected, grade not_collected", v["results"].([]any)[1].(map[string]any)["got"])

	r = b.run("policy", "test", directory(t, "faulty", "a.yaml", dormantFile+"stray: 1\n", "a-test.yaml", "kind: InactivityPolicyTest\nstray: 1\n"))
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "a.yaml line 8, column 1")
	require.Contains(t, r.errout, "a-test.yaml line 2, column 1")
	require.Equal(t, cli.ExitUsage, b.run("policy", "test", "/nowhere").code)
}
