package cli_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

const freezeFile = "apiVersion: sendoff/v1\nkind: Template\nname: freeze\nsteps:\n  - snapshot\n  - suspend\n"

func TestLintNeedsNoServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.srv.Close()
	good := b.file("good.yaml", freezeFile)
	warned := b.file("warned.yaml", "apiVersion: sendoff/v1\nkind: Template\nname: mover\nsteps: [snapshot, transfer]\n")
	bad := b.file("bad.yaml", "apiVersion: sendoff/v1\nkind: Template\nname: leaver\nsteps:\n  - purge\n")

	r := b.run("templates", "lint", good, warned)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, good+": template freeze is usable")
	require.Contains(t, r.out, warned+" line 4, column 19 (steps[1]): warning: the account is in use")

	r = b.run("templates", "lint", good, bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.out, good+": template freeze is usable")
	require.Contains(t, r.out, bad+" line 3, column 7 (name): error: the template leaver is built in")
	require.Contains(t, r.out, bad+" line 5, column 5 (steps[0]): error: there is no step \"purge\"\n    fix: use one of: snapshot, suspend")

	r, v := b.runJSON("templates", "lint", bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Len(t, v["files"].([]any)[0].(map[string]any)["errors"], 3)

	require.Equal(t, cli.ExitUsage, b.run("templates", "lint", good, b.file("again.yaml", freezeFile)).code)
	r = b.run("templates", "lint", "/nowhere/a.yaml", "/nowhere/b.yaml")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "/nowhere/b.yaml: cannot be read")

	published, err := os.ReadFile("../../docs/schemas/template.schema.json")
	require.NoError(t, err)
	require.Equal(t, string(published), b.run("templates", "schema").out)
}

func TestApplyShowsTheDifferenceAndAsks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored := schema.Template{Name: "freeze", Version: 4, Source: "# old\n" + freezeFile}
	b.store.TemplateFunc = func(string) (schema.Template, error) { return stored, nil }
	applies := 0
	b.store.ApplyTemplatesFunc = func(list []schema.Template) ([]schema.Template, error) {
		applies++
		require.Equal(t, 4, list[0].Version)
		require.Equal(t, freezeFile, list[0].Source)
		next := list[0]
		next.Version = 5
		return []schema.Template{next}, nil
	}
	file := b.file("freeze.yaml", freezeFile)

	r := b.run("templates", "apply", file, "--plan")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, file+": template freeze, version 4, becomes version 5\n  - # old\n", r.out)
	require.Equal(t, cli.ExitUsage, b.run("templates", "apply", file).code, "no answer is no")
	r, _ = b.runJSON("templates", "apply", file)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Zero(t, applies)

	b.stdin = "y\n"
	r = b.run("templates", "apply", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Stored template freeze as version 5.")
	_, v := b.runJSON("templates", "apply", file, "--yes")
	require.Equal(t, true, v["applied"])
	require.Equal(t, 2, applies)

	stored.Source = freezeFile
	r = b.run("templates", "apply", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, file+": template freeze stays at version 4\n", r.out)
	require.Equal(t, 2, applies, "nothing to store")

	r = b.run("templates", "apply", b.file("bad.yaml", "name: x\n"), "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "bad.yaml line 1, column 1 (steps): the template has no steps")
}

func TestDifferenceKeepsWhatIsCommon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored := schema.Template{Name: "freeze", Version: 1, Source: "apiVersion: sendoff/v1\nkind: Template\nname: freeze\ntitle: Old\nsteps:\n  - snapshot\n"}
	b.store.TemplateFunc = func(string) (schema.Template, error) { return stored, nil }
	r := b.run("templates", "apply", "--plan", b.file("f.yaml", freezeFile))
	require.Contains(t, r.out, "\n    name: freeze\n  - title: Old\n      - snapshot\n  +   - suspend\n")
}

func TestListShowAndRemoveTemplates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	leaver, _ := schema.FindTemplate("leaver")
	own := schema.Template{
		Name: "own", Version: 2, Approvals: 1, Source: freezeFile, UpdatedBy: "root", UpdatedAt: now, Title: "Ours",
		Moment: schema.MomentRule{Starts: schema.StartsTermination, At: schema.LocalTime{Hour: 9, Minute: 30}},
		Steps:  []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepWait, WaitSeconds: 30 * 86400}},
	}
	b.store.ListTemplatesFunc = func(string, int) ([]schema.Template, string, error) {
		return []schema.Template{leaver, own}, "", nil
	}
	b.store.TemplateVersionFunc = func(string, int) (schema.Template, error) { return own, nil }
	b.store.RemoveTemplateFunc = func(string, string) (schema.Template, error) { return own, nil }
	r := b.run("templates", "list")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `leaver\s+1\s+0\s+snapshot > suspend > revoke_sessions > transfer > wait > delete\s+last_working_day 18:00\s+built in`, r.out)
	require.Regexp(t, `own\s+2\s+1\s+snapshot > wait 30d\s+termination_date 09:30\s+root, 2026-11-21 12:00:00 UTC\s+Ours`, r.out)

	require.Equal(t, freezeFile, b.run("templates", "show", "own", "2").out)
	r = b.run("templates", "show", "leaver")
	require.Contains(t, r.out, "name: leaver\nmoment: {starts: last_working_day, at: \"18:00\"}\nsteps:\n  - snapshot\n  - suspend\n")
	require.Equal(t, cli.ExitNotFound, b.run("templates", "show", "nobody").code)
	require.Equal(t, cli.ExitUsage, b.run("templates", "remove", "own").code)
	require.Contains(t, b.run("templates", "remove", "own", "--reason", "unused").out, "Removed template own.")
}
