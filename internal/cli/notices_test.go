package cli_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

const noticesFile = "apiVersion: sendoff/v1\nkind: Notices\nroutes:\n  - {audience: it, events: [parked, done], channel: slack, to: [it]}\n" +
	"texts:\n  parked: \"{{person}}: {{cause}}\"\n"

func TestNoticesLintAndPreviewNeedNoServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.srv.Close()
	good := b.file("good.yaml", noticesFile)
	r := b.run("notices", "lint", good)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, good+": the rules are usable; routes: 1, texts: 1\n", r.out)
	bad := b.file("bad.yaml", "apiVersion: sendoff/v1\nkind: Notices\nroutes: []\ntexts: {done: \"{{who}}\"}\n")
	r = b.run("notices", "lint", bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.out, bad+" line 4, column 15 (texts.done): error: the placeholder \"{{who}}\" is unknown\n    fix: use one of: {{person}}, ")
	require.Contains(t, r.out, bad+" line 3, column 9 (routes): warning: nobody is told of anything")
	r, v := b.runJSON("notices", "lint", bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Equal(t, false, v["ok"])
	require.Equal(t, cli.ExitUsage, b.run("notices", "lint", "/nowhere").code)

	r = b.run("notices", "preview", "parked", good)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, "Ada Lovelace: RECEIVER_MISSING: nobody who could receive the content is valid now (step transfer)\n", r.out)
	require.Equal(t, "Told: it by slack.\n", r.errout)
	r, v = b.runJSON("notices", "preview", "planned", good)
	require.Equal(t, cli.ExitDone, r.code)
	require.Equal(t, true, v["builtin"])
	require.Contains(t, v["text"], "Offboarding of Ada Lovelace is planned\n")
	r = b.run("notices", "preview", "born", good)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "use one of: planned, starting")
	require.Equal(t, cli.ExitUsage, b.run("notices", "preview", "done", bad).code)

	published, err := os.ReadFile("../../docs/schemas/notices.schema.json")
	require.NoError(t, err)
	require.Equal(t, string(published), b.run("notices", "schema").out)
}

func TestNoticesApplyShowsTheDifferenceAndAsks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored := schema.NoticeRules{Version: 4, Source: "# old\n" + noticesFile}
	b.store.NoticeRulesFunc = func() (schema.NoticeRules, error) { return stored, nil }
	applies := 0
	b.store.ApplyNoticeRulesFunc = func(r schema.NoticeRules) (schema.NoticeRules, error) {
		applies++
		require.Equal(t, 4, r.Version)
		require.Equal(t, noticesFile, r.Source)
		r.Version = 5
		return r, nil
	}
	file := b.file("n.yaml", noticesFile)
	r := b.run("notices", "apply", file, "--plan")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, file+": the rules, version 4, become version 5\n  - # old\n", r.out)
	require.Equal(t, cli.ExitUsage, b.run("notices", "apply", file).code, "no answer is no")
	r, _ = b.runJSON("notices", "apply", file)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Zero(t, applies)
	b.stdin = "y\n"
	r = b.run("notices", "apply", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Stored the rules as version 5.")
	_, v := b.runJSON("notices", "apply", file, "--yes")
	require.Equal(t, true, v["applied"])
	require.Equal(t, 2, applies)
	stored.Source = noticesFile
	require.Equal(t, file+": the rules stay at version 4\n", b.run("notices", "apply", file).out)
	require.Equal(t, 2, applies, "nothing to store")
	require.Equal(t, noticesFile, b.run("notices", "rules").out)
	require.Contains(t, b.run("notices", "preview", "parked").out, "Ada Lovelace: RECEIVER_MISSING")

	r = b.run("notices", "apply", b.file("bad.yaml", "kind: Notices\n"), "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "(routes): the member is missing")
}

func TestNoticesWithoutRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Contains(t, b.run("notices", "rules").errout, "No rules were applied: nobody is told.")
	r := b.run("notices", "preview", "done")
	require.Contains(t, r.out, "Offboarding of Ada Lovelace is done")
	require.Equal(t, "No route tells of done.\n", r.errout)
}

func TestNoticesListAndRetry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.FindCaseFunc = func(string) (schema.Case, error) { return schema.Case{ID: "c1"}, nil }
	failed := schema.QueuedNotice{
		ID: "n1", Event: "parked", Audience: "manager", Channel: "mail", CaseID: "c1", Cause: &schema.Cause{Code: "UNAUTHORIZED"}, State: "failed",
		Attempts: 3, LastError: "NO_RECIPIENT: nobody", CreatedAt: now,
	}
	b.store.ListNoticesFunc = func(f schema.NoticeFilter) ([]schema.QueuedNotice, string, error) {
		require.Equal(t, schema.NoticeFilter{State: "failed", CaseID: "c1", Limit: 1}, f)
		return []schema.QueuedNotice{failed}, "more", nil
	}
	r := b.run("notices", "list", "--state", "failed", "--case", "ada@example.com", "--limit", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "parked (UNAUTHORIZED)")
	require.Contains(t, r.out, "the manager")
	require.Contains(t, r.out, "case c1")
	require.Contains(t, r.errout, "There are more")
	require.Equal(t, cli.ExitUsage, b.run("notices", "list", "--state", "lost").code)

	b.store.RetryNoticeFunc = func(id schema.NoticeID) (schema.QueuedNotice, error) {
		require.Equal(t, schema.NoticeID("n1"), id)
		return failed, nil
	}
	require.Contains(t, b.run("notices", "retry", "n1").out, "Notice n1 is queued again.")
}

func TestSimSlackRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, cli.ExitUsage, b.run("sim", "slack", "--addr", "0.0.0.0:0").code, "loopback alone")
}
