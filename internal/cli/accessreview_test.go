package cli_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/accessreview"
	"sendoff/internal/cli"
	"sendoff/schema"
)

const quarterlyFile = `apiVersion: sendoff/v1
kind: AccessReview
name: quarterly
owner: it@example.com
scope: {connections: [box-main]}
`

// quarterly is an access review as the server has it.
func quarterly(t *testing.T) schema.AccessReview {
	t.Helper()
	source := quarterlyFile + "events: [mover]\nreviewers: [manager, {named: [sec@example.com], when: account.privileged}]\ntime: {due: 21d}\n"
	rule, report := accessreview.Parse("quarterly.yaml", []byte(source), now)
	require.NoError(t, report.Err())
	return schema.AccessReview{
		ID: "r1", Name: "quarterly", Version: 3, Hash: rule.Hash(), Rule: rule, Source: source, Set: "main", State: schema.PolicyActive, UpdatedBy: "root", UpdatedAt: now,
	}
}

func TestReviewLintAndSchema(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.env = nil
	good, bad := b.file("good.yaml", quarterlyFile), b.file("bad.yaml", quarterlyFile+"stray: 1\nload_cap: 0\n")
	r := b.run("review", "lint", good)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "usable: quarterly")
	r = b.run("review", "lint", good, bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.out, "bad.yaml line 6, column 1")
	require.Contains(t, r.out, "bad.yaml line 7")
	_, v := b.runJSON("review", "lint", good, b.file("again.yaml", quarterlyFile))
	require.Equal(t, "duplicate", v["paths"].([]any)[1].(map[string]any)["errors"].([]any)[0].(map[string]any)["code"])
	require.Equal(t, cli.ExitUsage, b.run("review", "lint", "/nowhere.yaml").code)
	require.Equal(t, cli.ExitUsage, b.run("review", "lint", t.TempDir()).code, "a directory without one")
	require.Equal(t, cli.ExitDone, b.run("review", "lint", "../../docs/reviews").code)
	require.Equal(t, string(accessreview.JSONSchema()), b.run("review", "schema").out)
}

// applies makes the store apply reviews, and keeps what it was asked.
func (b *bundle) applies(version int) *[]schema.ApplyAccessReviews {
	asked := &[]schema.ApplyAccessReviews{}
	b.store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
		return []schema.Connection{{ID: "c1", Name: "box-main"}}, "", nil
	}
	b.store.ApplyAccessReviewsFunc = func(a schema.ApplyAccessReviews) ([]schema.AppliedAccessReview, error) {
		*asked = append(*asked, a)
		var out []schema.AppliedAccessReview
		for _, f := range a.Rules {
			before := f.Rule
			before.Owner = "old@example.com"
			d := schema.AppliedAccessReview{
				Name: f.Rule.Name, Change: schema.PolicyChanged, Before: &before,
				Review: schema.AccessReview{Name: f.Rule.Name, Version: version, State: schema.PolicyActive, Rule: f.Rule},
			}
			if version == 1 {
				d.Change, d.Before = schema.PolicyAdded, nil
			}
			out = append(out, d)
		}
		return out, nil
	}
	return asked
}

func TestReviewCreateAppliesWhatWasShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asked := b.applies(4)
	file := b.file("quarterly.yaml", quarterlyFile)
	r := b.run("review", "create", file, "--dry-run")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "access review quarterly changes, as version 4\n  owner: \"old@example.com\" -> \"it@example.com\"")
	require.Len(t, *asked, 1)
	require.True(t, (*asked)[0].DryRun)

	r = b.run("review", "create", file)
	require.Equal(t, cli.ExitUsage, r.code, "no answer is no")
	require.Len(t, *asked, 2)
	b.stdin = "y\n"
	r = b.run("review", "create", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Access review quarterly is active, version 4.")
	require.Equal(t, []schema.SeenVersion{{Name: "quarterly", Version: 3}}, (*asked)[3].Seen, "the version that the difference is from")
	require.False(t, (*asked)[3].DryRun)
	require.Equal(t, cli.ExitUsage, b.run("review", "create", file, "--output", "json").code)

	apply := b.store.ApplyAccessReviewsFunc
	b.store.ApplyAccessReviewsFunc = func(a schema.ApplyAccessReviews) ([]schema.AppliedAccessReview, error) {
		if !a.DryRun {
			return nil, &schema.Error{Code: schema.CodeStale, Message: "another version is applied by now", Fix: "look again"}
		}
		return apply(a)
	}
	require.Equal(t, cli.ExitHashDiffers, b.run("review", "create", file, "--yes").code)
	r, v := b.runJSON("review", "create", file, "--yes")
	require.Equal(t, cli.ExitHashDiffers, r.code)
	require.InDelta(t, cli.ExitHashDiffers, v["error"].(map[string]any)["exit_code"], 0)
}

func TestReviewCreateOfADirectoryIsASet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asked := b.applies(1)
	dir := directory(t, "reviews", "a.yaml", quarterlyFile)
	r := b.run("review", "create", dir, "--yes")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, "reviews", (*asked)[1].Set)
	require.Contains(t, r.out, "a.yaml: access review quarterly is new\n  + apiVersion: sendoff/v1")
	require.Equal(t, cli.ExitUsage, b.run("review", "create", dir, b.file("x.yaml", quarterlyFile)).code)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.yaml"), []byte(quarterlyFile+"stray: 1\n"), 0o600))
	r = b.run("review", "create", dir, "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "b.yaml line 6")
	require.Len(t, *asked, 2, "nothing was sent")
}

func TestReviewCreateByHand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asked := b.applies(1)
	r := b.run("review", "create", "--name", "admins", "--owner", "it@example.com", "--connection", "box-main", "--items", "role,account", "--kinds", "person",
		"--match", `account.login != "a: 'b'"`, "--unused-for", "90d", "--privileged", "--changed", "--holders", "matched",
		"--reviewer", "manager", "--reviewer", "sec@example.com", "--due", "7d", "--yes")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "+ kind: AccessReview")
	rule := (*asked)[1].Rules[0].Rule
	require.Equal(t, schema.CampaignScope{
		Connections: []string{"box-main"}, Items: []schema.ItemKind{schema.ItemAccount, schema.ItemRole}, Kinds: []schema.AccountKind{schema.KindPerson},
		Match: `account.login != "a: 'b'"`, UnusedFor: 90 * 24 * time.Hour, Changed: true, Privileged: true, Holders: schema.HoldersMatched,
	}, rule.Scope)
	require.Equal(t, []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}, {Whom: schema.ReviewerNamed, To: []string{"sec@example.com"}}}, rule.Stages[0].Who)
	require.Equal(t, 7*24*time.Hour, rule.Time.Due)

	r = b.run("review", "create", "--name", "Admins", "--connection", "box-main", "--reviewer", "boss", "--due", "14", "--items", "seat", "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, flag := range []string{"--name: ", "--owner: ", "--reviewer: ", "--due: ", "--items: "} {
		require.Contains(t, r.errout, flag, "every fault at once, of its flag")
	}
	require.Equal(t, cli.ExitUsage, b.run("review", "create", "--yes").code)
	require.Equal(t, cli.ExitUsage, b.run("review", "create", b.file("a.yaml", quarterlyFile), "--name", "x").code)
	require.Len(t, *asked, 2)
}

func TestReviewDefinitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.AccessReviewsFunc = func(f schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
		require.Equal(t, schema.AccessReviewFilter{State: schema.PolicyActive, Set: "main", Limit: 1}, f)
		return []schema.AccessReview{quarterly(t)}, "more", nil
	}
	b.store.AccessReviewFunc = func(ref string) (schema.AccessReview, error) {
		if ref != "quarterly" {
			return schema.AccessReview{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no access review of that name"}
		}
		return quarterly(t), nil
	}
	for _, words := range [][]string{{"review", "definitions"}, {"review", "definitions", "list"}} {
		r := b.run(append(words, "--state", "active", "--set", "main", "--limit", "1")...)
		require.Equal(t, cli.ExitDone, r.code, r.errout)
		require.Regexp(t, `quarterly +3 +active +box-main +account +on mover +21d +main +it@example.com`, r.out)
		require.Contains(t, r.errout, "There are more")
	}
	r := b.run("review", "definitions", "show", "quarterly")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	for _, text := range []string{
		"owner        it@example.com signs", "in the set main", "stage        review, of all: manager, sec@example.com (when account.privileged), the owner",
		"time         due after 21d; silence: escalate", "effect       at close: snapshot > suspend",
	} {
		require.Contains(t, r.out, text)
	}
	require.Equal(t, quarterly(t).Source, b.run("review", "definitions", "show", "quarterly", "--source").out)
	require.Equal(t, cli.ExitNotFound, b.run("review", "definitions", "show", "nothing").code)
	admin := b.env[1]
	b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer"
	require.Equal(t, cli.ExitUsage, b.run("review", "definitions", "show", "quarterly", "--source").code, "it would tell the control items")
	b.env[1] = admin

	b.store.AccessReviewHistoryFunc = func(string, string, int) ([]schema.AccessReview, string, error) {
		return []schema.AccessReview{quarterly(t)}, "", nil
	}
	require.Contains(t, b.run("review", "history", "quarterly").out, "version 3  2026-11-21 12:00:00 UTC by root, in the set main")
	b.store.SetAccessReviewStateFunc = func(_ string, state schema.PolicyState, reason string) (schema.AccessReview, error) {
		require.Equal(t, "holidays", reason)
		d := quarterly(t)
		d.State = state
		return d, nil
	}
	require.Contains(t, b.run("review", "pause", "quarterly", "--reason", "holidays").out, "Paused access review quarterly")
	require.Contains(t, b.run("review", "resume", "quarterly", "--reason", "holidays").out, "makes campaigns again: on mover")
	require.Equal(t, cli.ExitUsage, b.run("review", "pause", "quarterly").code)
}
