package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// dormant is a policy as the server has it.
func dormant() schema.Policy {
	return schema.Policy{
		ID: "p1", Name: "dormant", Version: 3, Hash: "ab", Source: "kind: InactivityPolicy\n", Set: "main", State: schema.PolicyActive, UpdatedBy: "root", UpdatedAt: now,
		Rule: schema.PolicyRule{
			Name: "dormant", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdReports, Connections: []string{"box-main"},
			Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive}, Grades: []schema.Grade{schema.GradeInactive},
			Match: "account.role == \"member\"", Threshold: schema.Threshold{Default: 90 * 24 * time.Hour},
			Exclude: []schema.Exclusion{{Group: "Interns", Reason: "seasonal", Until: schema.Date{Year: 2026, Month: 1, Day: 1}}},
			Ask:     []schema.Ask{{Whom: schema.AskManager, Channel: schema.ChannelMail, Wait: 7 * 24 * time.Hour, Silence: schema.SilenceNothing}},
			Steps:   []schema.StepFact{{Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: 30 * 86400}, {Kind: schema.StepDelete}},
			Budget:  schema.Budget{PerRun: 25, Percent: 2}, Approvals: 1,
			Schedule: schema.PolicySchedule{Times: []schema.ScheduleTime{{Hour: 6, Weekdays: []time.Weekday{time.Monday}}}, Zone: "Europe/Berlin"},
			Allow:    schema.Allowances{DeleteWithoutTransfer: true},
		},
	}
}

func knowing(b *bundle) {
	b.store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
		return []schema.Connection{{ID: "c1", Name: "box-main"}}, "", nil
	}
	b.store.AccountDetailFunc = func(string, time.Duration) (schema.AccountDetail, error) {
		return schema.AccountDetail{AccountRow: schema.AccountRow{Account: schema.Account{ID: "a1"}}}, nil
	}
	b.store.PolicyFunc = func(ref string) (schema.Policy, error) {
		if ref != "dormant" {
			return schema.Policy{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no policy of that name"}
		}
		return dormant(), nil
	}
}

func TestPolicyListShowAndHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.PoliciesFunc = func(f schema.PolicyFilter) ([]schema.Policy, string, error) {
		require.Equal(t, schema.PolicyFilter{State: schema.PolicyActive, Set: "main", Limit: 1}, f)
		return []schema.Policy{dormant()}, "more", nil
	}
	r := b.run("policy", "list", "--state", "active", "--set", "main", "--limit", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `dormant +3 +active +reports \(first run\) +box-main +90d +suspend > wait 30d > delete +06:00 Monday Europe/Berlin +main +it@example.com`, r.out)
	require.Contains(t, r.errout, "There are more")

	r = b.run("policy", "show", "dormant")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	for _, text := range []string{
		`match        account.role == "member"`, "without 0  group Interns (over since 2026-01-01): seasonal", "asks         manager by mail, waits 7d; silence means: nothing",
		"those after it act without another word",
		"budget       25 per run, 2 % of the population, 0 privileged in a run", "allows       to delete without a transfer", "in the set main",
	} {
		require.Contains(t, r.out, text)
	}
	require.Equal(t, "kind: InactivityPolicy\n", b.run("policy", "show", "dormant", "--source").out)
	require.Equal(t, cli.ExitNotFound, b.run("policy", "show", "nothing").code)

	b.store.PolicyHistoryFunc = func(string, string, int) ([]schema.Policy, string, error) { return []schema.Policy{dormant()}, "", nil }
	r = b.run("policy", "history", "dormant")
	require.Contains(t, r.out, "version 3  2026-11-21 12:00:00 UTC by root, in the set main  ab")
}

func TestPolicyPauseResumeAndExplain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.SetPolicyStateFunc = func(ref string, state schema.PolicyState, reason string) (schema.Policy, error) {
		require.Equal(t, "holidays", reason)
		p := dormant()
		p.State = state
		return p, nil
	}
	require.Contains(t, b.run("policy", "pause", "dormant", "--reason", "holidays").out, "Paused policy dormant")
	require.Contains(t, b.run("policy", "resume", "dormant", "--reason", "holidays").out, "makes runs again: 06:00 Monday Europe/Berlin")
	require.Equal(t, cli.ExitUsage, b.run("policy", "pause", "dormant").code, "a reason is needed")

	b.store.ExplainFunc = func(p schema.Policy, account schema.AccountID) (schema.Explanation, error) {
		require.Equal(t, schema.AccountID("a1"), account)
		return schema.Explanation{
			Policy: p.Name, Version: 3, AccountID: account, Connection: "box-main", Login: "ada@example.com", At: now,
			Verdict:  schema.Verdict{Reason: schema.ReasonExcluded, Grade: schema.GradeInactive, Threshold: 90 * 24 * time.Hour},
			Facts:    []schema.ExplainedFact{{Name: "account.role", Value: "member"}},
			Parts:    []schema.ExplainedPart{{Expression: "account.role == \"member\"", Result: "true"}},
			Excluded: "seasonal", Recorded: &schema.Verdict{Reason: schema.ReasonMatched, Exclusion: -1},
		}, nil
	}
	r := b.run("policy", "explain", "dormant", "ada@example.com")
	require.Contains(t, r.out, "Policy dormant version 3 leaves ada@example.com of box-main: excluded (inactive for 90d).\nIt is excluded: seasonal\n")
	require.Contains(t, r.out, "said: matched.")
	require.Regexp(t, `true +account\.role == "member"`, r.out)
	_, v := b.runJSON("policy", "explain", "dormant", "ada@example.com")
	require.InDelta(t, 0, v["verdict"].(map[string]any)["exclusion"], 0)
	require.Nil(t, v["recorded"].(map[string]any)["exclusion"])
}

func TestPolicyPlanSaysWhatWouldStopARun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	p := schema.Preview{
		Policy: "dormant", At: now, Looked: 100, Matched: 30, Reasons: []schema.ReasonCount{{Reason: schema.ReasonNotCollected, Count: 70}, {Reason: schema.ReasonMatched, Count: 30}},
		Basis: []schema.PopulationBasis{{Connection: "box-main", Why: "SCOPE_MISSING"}},
		Rows: []schema.PreviewRow{{
			Judged:     schema.Judged{AccountID: "a1", ExternalID: "111", Login: "ada@example.com", Bytes: 1 << 20, Verdict: schema.Verdict{Grade: schema.GradeInactive, Threshold: 90 * 24 * time.Hour}},
			Connection: "box-main", Facts: &schema.Facts{ReceiverLogin: "boss@example.com"}, Findings: []schema.Finding{{Code: schema.OpenLinks, Warning: true}},
		}},
		Wanted: schema.Spending{Accounts: 30, Bytes: 5 << 20},
	}
	b.store.PreviewFunc = func(rule schema.PolicyRule, rows int) (schema.Preview, error) {
		require.Equal(t, "dormant", rule.Name)
		return p, nil
	}
	r := b.run("policy", "plan", "dormant", "--rows", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "would take 30 of 100 accounts now. Nothing was started.")
	require.Contains(t, r.out, "activity is not collected (SCOPE_MISSING); accounts listed never")
	require.Regexp(t, `box-main/111 +ada@example.com +inactive 90d +none seen +1.0 MiB +boss@example.com +OPEN_LINKS \(warning\)`, r.out)
	require.Contains(t, r.errout, "29 more match")
	p.Overruns = []schema.Overrun{{Limit: schema.LimitConnection, Subject: "c1", Used: 3, Wanted: 30, Allowed: 25}}
	r, v := b.runJSON("policy", "plan", "dormant")
	require.Equal(t, cli.ExitParked, r.code)
	require.Len(t, v["overruns"], 1)
	p.TooMany = true
	r = b.run("policy", "plan", "dormant")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.out, "OVER BUDGET: connection of box-main: 3 used before, 30 more wanted, 25 allowed")
	require.Contains(t, r.out, "TOO MANY")
	require.Equal(t, cli.ExitUsage, b.run("policy", "plan", "./nothing.yaml").code, "a path is a file")
}

func TestPolicyReplayPagesThrough(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.ReplayFunc = func(_ schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error) {
		require.Equal(t, 365*24*time.Hour, since)
		page := schema.Replay{Policy: "dormant", From: now.Add(-since), To: now, Accounts: 100, Returned: 1, Unproven: 4, Limits: []string{"groups are those of today"}}
		if after == "" {
			page.Hits, page.Next = []schema.ReplayHit{{Login: "ada@example.com", Connection: "box-main", HitOn: schema.Date{Year: 2026, Month: 3, Day: 1}, SilentForDay: 90}}, "2"
		} else {
			require.Equal(t, "2", after)
			page.Hits = []schema.ReplayHit{{Login: "bob@example.com", HitOn: schema.Date{Year: 2026, Month: 4, Day: 1}, ReturnedOn: schema.Date{Year: 2026, Month: 5, Day: 2}}}
		}
		return page, nil
	}
	r := b.run("policy", "replay", "dormant")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `2026-03-01 +box-main +ada@example.com +- +90 +-`, r.out)
	require.Contains(t, r.out, "CAME BACK 2026-05-02")
	require.Contains(t, r.out, "100 accounts looked at, 2 hits, 1 of them came back to life (false positives).")
	require.Contains(t, r.out, "4 silences were as long")
	require.Contains(t, r.out, "Limit: groups are those of today")
	_, v := b.runJSON("policy", "replay", "dormant", "--limit", "1")
	require.Len(t, v["hits"], 1)
	require.Equal(t, "2", v["next"])
}
