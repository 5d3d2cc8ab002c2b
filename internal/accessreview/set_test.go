package accessreview_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/accessreview"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func named(name string) string { return strings.Replace(head, "name: a", "name: "+name, 1) }

func TestReadSet(t *testing.T) {
	t.Parallel()
	dir := yamltest.Directory(t, map[string]string{"b.yaml": named("b"), "a.yml": named("a"), "README.md": "# Reviews"})
	require.NoError(t, os.Mkdir(filepath.Join(dir, "more"), 0o700))
	set, report := accessreview.ReadSet(dir)
	require.NoError(t, report.Err())
	require.Equal(t, []string{"more: not_read"}, yamltest.FoundIn(dir, report.Warnings))
	require.Len(t, set.Files(), 2)
	require.Equal(t, "a", set.Files()[0].Rule.Name)
	require.Equal(t, named("b"), set.Files()[1].Source)
	require.Equal(t, filepath.Join(dir, "b.yaml"), set.Reviews[1].File)
}

func TestReadSetTellsEveryFault(t *testing.T) {
	t.Parallel()
	dir := yamltest.Directory(t, map[string]string{
		"a.yaml": named("a"), "b.yaml": named("a"), "c.yaml": named("C"), "d.yaml": "kind: InactivityPolicy\n", "e.yaml": "",
		"f.yaml": strings.Repeat("# x\n", accessreview.MaxBytes/4+1),
	})
	require.NoError(t, os.Symlink(filepath.Join(dir, "a.yaml"), filepath.Join(dir, "g.yaml")))
	set, report := accessreview.ReadSet(dir)
	require.ErrorContains(t, report.Err(), "the access reviews are not usable")
	require.Equal(t, []string{
		"b.yaml: duplicate", "c.yaml line 3, column 7 (name): name", "d.yaml line 1, column 1 (kind): unknown_version", "e.yaml: empty",
		"f.yaml: too_large", "g.yaml: not_a_file",
	}, yamltest.FoundIn(dir, report.Errors))
	require.Len(t, set.Reviews, 1)
	_, report = accessreview.ReadSet(t.TempDir())
	require.Equal(t, "empty", report.Errors[0].Code)
	_, report = accessreview.ReadSet(filepath.Join(dir, "none"))
	require.Equal(t, "unreadable", report.Errors[0].Code)
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before, after := parsed(t, documents(t, "valid")[0]), parsed(t, documents(t, "valid")[0])
	require.Empty(t, accessreview.Diff(before, after))
	after.Title = ""
	after.Scope.UnusedFor = 0
	after.Stages[0].Who[1].When = ""
	after.Stages[1].Who = after.Stages[1].Who[:1]
	after.Decisions.BulkBelow = ""
	after.Quality.ApproveAll = 0
	after.Effect.Account = after.Effect.Account[:2]
	after.Watch = 36 * time.Hour
	require.Equal(t, []string{
		`title: "Everything, every quarter" -> (none)`,
		`scope.unused_for: 90d -> (none)`,
		`reviewers[0].who[1]: {managers_manager: true, when: "account.privileged"} -> managers_manager`,
		`reviewers[1].who[1]: {group: {connection: "okta", group: "Auditors"}} -> (none)`,
		`decisions.bulk_below: high -> never`,
		`quality.approve_all: 95% -> never`,
		`effect.account[2]: transfer -> (none)`,
		`effect.account[3]: wait: {for: 30d} -> (none)`,
		`effect.account[4]: delete -> (none)`,
		`watch: 30d -> 1d12h`,
	}, accessreview.Diff(before, after))
}

// TestDiffSeesEveryMember: also one that the type gets later.
func TestDiffSeesEveryMember(t *testing.T) {
	t.Parallel()
	source := documents(t, "valid")[0]
	changed, untouched := parsed(t, source), parsed(t, source)
	leaves := 0
	// What a candidate of its kind does not have is left alone.
	except := func(of any, member string) bool {
		c, is := of.(schema.ReviewerCandidate)
		return is && c.Whom != schema.ReviewerGroup && (member == "Connection" || member == "Group")
	}
	yamltest.ChangeEach(t, &changed, except, func(path string) {
		leaves++
		require.NotEmpty(t, accessreview.Diff(untouched, changed), path)
	})
	require.Greater(t, leaves, 100)
}
