package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
)

// A dated case does nothing before its time, and is done after it.
func TestDatedCaseBeginsAtItsTime(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	at := time.Now().Add(3 * time.Second).UTC().Truncate(time.Second)

	c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s", "--at", at.Format(time.RFC3339))
	require.Equal(t, "planned", c.State)
	require.Equal(t, at, *c.EffectiveAt)
	s.awaitState(c.CaseID, "done")

	first := writes(s.sim)[0]
	require.False(t, first.Time.Before(at), "the first write, at %s, is not before %s", first.Time, at)
	s.requireGone(leaver, boss, 6)
}

func TestDatedCaseCancelledBeforeItsTimeWritesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver := s.hire("Lea Ver")
	waiting := make(chan ran, 1)
	c := s.begin(leaver.login, "--at", soon(time.Hour))
	s.must("cases", "cancel", c.CaseID, "--reason", "stays after all")
	go func() { waiting <- s.run("cases", "watch", c.CaseID) }()

	s.awaitState(c.CaseID, "cancelled")

	require.Zero(t, (<-waiting).code, "a watch ends with its case")
	require.Empty(t, writes(s.sim))
	require.Equal(t, "active", status(t, s.sim, leaver))
	s.offboard(cli.ExitDone, leaver.login, "--grace", "0s") // the account is free again
}

// A case as JSON has the members that docs/cli.md shows, and no others: programs
// read them.
func TestCaseAsJSON(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.offboard(cli.ExitDone, leaver.login, "--transfer-to", boss.login, "--grace", "0s")

	c := ask[map[string]json.RawMessage](s, cli.ExitDone, "cases", "show", leaver.login)
	require.ElementsMatch(t, []string{
		"case_id", "state", "accounts",
		"email", "template", "effective_at", "grace", "hash", "requested_by", "created_at",
	}, members(c))
	var accounts []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(c["accounts"], &accounts))
	require.Len(t, accounts, 1)
	require.ElementsMatch(t, []string{
		"connection", "account_id", "state", "step", "cause", "transfer",
		"plan_id", "cause_detail", "wait_until", "steps",
	}, members(accounts[0]))
	var transfer map[string]any
	require.NoError(t, json.Unmarshal(accounts[0]["transfer"], &transfer))
	folders := transfer["folder_ids"].([]any)
	require.Len(t, folders, 1)
	require.IsType(t, "", folders[0], "ids are strings")
	require.Equal(t, map[string]any{
		"state": "proven", "attempts": 1.0, "bytes_before": float64(9 << 20), "bytes_left": 0.0, "folder_ids": folders,
		"witnesses_found": 3.0, "witnesses_total": 3.0, "position": 0.0,
	}, transfer)
}

func members[V any](object map[string]V) []string { return slices.Collect(maps.Keys(object)) }
