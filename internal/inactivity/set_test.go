package inactivity_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/inactivity"
	"sendoff/internal/yamlfile/yamltest"
)

func policyNamed(name string) string {
	return "apiVersion: sendoff/v1\nkind: InactivityPolicy\nname: " + name + "\nowner: it@example.com\nconnections: [box]\nthreshold: 90d\nsteps: [snapshot, suspend]\n"
}

const aPolicyTest = "apiVersion: sendoff/v1\nkind: InactivityPolicyTest\npolicy: a\n"

func TestReadSet(t *testing.T) {
	t.Parallel()
	dir := yamltest.Directory(t, map[string]string{
		"b.yaml": policyNamed("b"), "a.yml": policyNamed("a"), "c.yaml": policyNamed("c"), "a.test.yaml": aPolicyTest,
		"README.md": "# Policies", "notes.yaml.bak": "x: [",
	})
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o700))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "more"), 0o700))
	set, report := inactivity.ReadSet(dir)
	require.NoError(t, report.Err())
	require.Equal(t, []string{"more: not_read"}, yamltest.FoundIn(dir, report.Warnings))
	var names, files []string
	for _, p := range set.Policies {
		names, files = append(names, p.Rule.Name), append(files, filepath.Base(p.File))
		require.Equal(t, policyNamed(p.Rule.Name), p.Source)
	}
	require.Equal(t, []string{"a", "b", "c"}, names)
	require.Equal(t, []string{"a.yml", "b.yaml", "c.yaml"}, files)
	require.Equal(t, []inactivity.SetTest{{File: filepath.Join(dir, "a.test.yaml"), Source: []byte(aPolicyTest)}}, set.Tests)
	require.Len(t, set.Files(), 3)
	require.Equal(t, "b", set.Files()[1].Rule.Name)
}

func TestReadSetTellsEveryFault(t *testing.T) {
	t.Parallel()
	dir := yamltest.Directory(t, map[string]string{
		"a.yaml": policyNamed("a"), "b.yaml": policyNamed("a"), "c.yaml": policyNamed("C"), "d.yaml": "kind: Template\n", "e.yaml": "", "f.yaml": "- a\n",
		"g.yaml": strings.Repeat("# x\n", inactivity.MaxTestBytes/4+1), "h.yaml": policyNamed("h") + strings.Repeat("# x\n", inactivity.MaxBytes/4),
	})
	require.NoError(t, os.Symlink(filepath.Join(dir, "a.yaml"), filepath.Join(dir, "i.yaml")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "j.yaml"), 0o700))
	set, report := inactivity.ReadSet(dir)
	require.ErrorContains(t, report.Err(), "the policies are not usable")
	require.Equal(t, []string{
		"b.yaml: duplicate", "c.yaml line 3, column 7 (name): name", "d.yaml line 1, column 1 (kind): unknown_version", "e.yaml: empty",
		"f.yaml line 1, column 1 (kind): unknown_version", "g.yaml: too_large", "h.yaml: too_large", "i.yaml: not_a_file", "j.yaml: not_a_file",
	}, yamltest.FoundIn(dir, report.Errors))
	require.Len(t, set.Policies, 1)
}

// TestASetWithoutAPolicyIsAFault: applied, it would pause everything.
func TestASetWithoutAPolicyIsAFault(t *testing.T) {
	t.Parallel()
	dir := yamltest.Directory(t, map[string]string{"a.test.yaml": aPolicyTest, "README.md": "x"})
	_, report := inactivity.ReadSet(dir)
	require.Equal(t, []string{".: empty"}, yamltest.FoundIn(dir, report.Errors))
	_, report = inactivity.ReadSet(filepath.Join(dir, "none"))
	require.Len(t, report.Errors, 1)
	require.Equal(t, "unreadable", report.Errors[0].Code)
	require.NotContains(t, fmt.Sprint(report.Errors), "no such file")
}
