package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

func TestReviewRemindsAndReassigns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := string(campaign1)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) { return schema.PersonID("of " + ref), nil }
	b.store.RemindReviewersFunc = func(_ schema.CampaignID, reviewer string) (int, error) {
		require.Equal(t, "rev@example.com", reviewer)
		return 1, nil
	}
	require.Contains(t, b.run("review", "remind", id, "--reviewer", "rev@example.com").out, "Reminded 1 reviewers.")
	var asked schema.Reassign
	b.store.ReassignFunc = func(_ schema.CampaignID, r schema.Reassign) (int, error) {
		asked = r
		return 2, nil
	}
	r := b.run("review", "reassign", id, "--to", "sec@example.com", "--item", string(item1), "--item", string(item2), "--reason", "knows it")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, schema.Reassign{Items: []schema.ItemID{item1, item2}, To: "sec@example.com", Reason: "knows it"}, asked)
	_, v := b.runJSON("review", "reassign", id, "--to", "sec@example.com", "--from", "rev@example.com", "--reason", "ill")
	require.InDelta(t, 2, v["items"], 0)
	require.Equal(t, schema.PersonID("of rev@example.com"), asked.From)
	for _, args := range [][]string{{"--to", "x@example.com", "--reason", "r"}, {"--item", string(item1), "--reason", "r"}, {"--to", "x@example.com", "--item", "x", "--from", "y", "--reason", "r"}} {
		require.Equal(t, cli.ExitUsage, b.run(append([]string{"review", "reassign", id}, args...)...).code)
	}
}

func TestReviewExtendClosesAndCancels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := string(campaign1)
	b.store.CampaignViewFunc = func(schema.CampaignID) (schema.CampaignView, error) { return campaignView(schema.CampaignOpen), nil }
	var asked schema.Extend
	b.store.ExtendCampaignFunc = func(_ schema.CampaignID, e schema.Extend) (schema.Campaign, error) {
		asked = e
		c := openCampaign()
		c.DueAt = e.To
		return c, nil
	}
	r := b.run("review", "extend", id, "--by", "3d", "--reason", "holidays")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, schema.Extend{To: now.Add(17 * 24 * time.Hour), Reason: "holidays"}, asked, "later than the present deadline, not than now")
	require.Contains(t, r.out, "is due 2026-12-08 12:00:00 UTC")
	require.Equal(t, cli.ExitDone, b.run("review", "extend", id, "--to", "2026-12-24 18:00 Europe/Berlin", "--reason", "holidays").code)
	require.Equal(t, time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC), asked.To)
	for _, args := range [][]string{{}, {"--by", "3"}, {"--by", "0s"}, {"--to", "tomorrow"}, {"--by", "3d", "--to", "2026-12-24T18:00:00Z"}} {
		require.Equal(t, cli.ExitUsage, b.run(append([]string{"review", "extend", id, "--reason", "r"}, args...)...).code, args)
	}
	b.store.CampaignViewFunc = func(schema.CampaignID) (schema.CampaignView, error) { return schema.CampaignView{}, nil }
	require.Equal(t, cli.ExitUsage, b.run("review", "extend", id, "--by", "3d", "--reason", "r").code, "it has no deadline")

	b.store.CloseCampaignFunc = func(_ schema.CampaignID, early bool, _ string) (schema.Campaign, error) {
		if !early {
			return schema.Campaign{}, &schema.Error{Code: schema.CodeConflict, Message: "2 items are open", Fix: "close it early if that is meant"}
		}
		c := openCampaign()
		c.State = schema.CampaignClosing
		return c, nil
	}
	require.Equal(t, cli.ExitRefused, b.run("review", "close", id, "--reason", "done").code)
	require.Contains(t, b.run("review", "close", id, "--early", "--reason", "done").out, "takes no more answers: it is closing")
	b.store.CancelCampaignFunc = func(schema.CampaignID, string) (schema.Campaign, error) { return openCampaign(), nil }
	require.Contains(t, b.run("review", "cancel", id, "--reason", "wrong scope").out, "Removals that have started go on")
	require.Equal(t, cli.ExitUsage, b.run("review", "cancel", id).code)
}

func TestReviewersAndSecondLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := string(campaign1)
	stats := schema.ReviewerStats{
		ReviewerID: "p9", Email: "rev@example.com", Items: 40, Decided: 30, Kept: 30, Recommended: 12, Against: 9, MedianMillis: 1500,
		Alarms: []schema.ReviewerAlarm{schema.AlarmSpeed, schema.AlarmApproveAll},
	}
	b.store.ReviewerStatsFunc = func(schema.CampaignID) ([]schema.ReviewerStats, error) { return []schema.ReviewerStats{stats}, nil }
	require.Regexp(t, `rev@example.com +40 +0 +30 +0 +0 +0 +9 of 12 +1\.5 +0 +TOO_FAST APPROVES_ALL +needed`, b.run("review", "reviewers", id).out)
	b.store.PersonRefFunc = func(string) (schema.PersonID, error) { return "p9", nil }
	b.store.SecondLookFunc = func(_ schema.CampaignID, l schema.SecondLook) (schema.ReviewerStats, error) {
		require.Equal(t, schema.PersonID("p9"), l.Reviewer)
		s := stats
		s.LookedBy, s.LookedAt, s.LookedDecisions = "root", now, 30
		if l.Redo {
			s.Decided = 2
		}
		return s, nil
	}
	require.Contains(t, b.run("review", "look", id, "--reviewer", "rev@example.com", "--reason", "looked at all").out, "30 decisions of rev@example.com: they stand")
	require.Contains(t, b.run("review", "look", id, "--reviewer", "rev@example.com", "--redo", "--reason", "robot").out, "are given to others. 2 stand")
	stats.LookedBy, stats.LookedAt, stats.LookedDecisions = "root", now, 29
	require.Contains(t, b.run("review", "reviewers", id).out, "needed again: decided more since")
	stats.LookedDecisions = 30
	require.Contains(t, b.run("review", "reviewers", id).out, "by root 2026-11-21")
	require.NotContains(t, b.run("review", "reviewers", id).out, "Second looks")
	stats.Looks = []schema.TakenLook{{By: "ann", At: now, Reason: "a robot", Decisions: 2, Redo: true, Redone: 28}, {By: "root", At: now, Reason: "fine", Decisions: 30, Current: true}}
	out := b.run("review", "reviewers", id).out
	require.Regexp(t, `rev@example.com +2026-11-21 \S+ UTC +ann +2 +28 +no +a robot`, out)
	require.Regexp(t, `rev@example.com +2026-11-21 \S+ UTC +root +30 +0 +yes +fine`, out)
}

func TestReviewRemovalsAndReturns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := string(campaign1)
	b.store.ListConnectionsFunc = func(string, int) ([]schema.Connection, string, error) {
		return []schema.Connection{{ID: "c1", Name: "box-main"}}, "", nil
	}
	b.store.RemovalsFunc = func(_ schema.CampaignID, f schema.RemovalFilter) ([]schema.Removal, string, error) {
		require.Equal(t, schema.RemovalImpossible, f.State)
		return []schema.Removal{{
			ID: "m1", Account: schema.Account{ConnectionID: "c1", ExternalID: "111", Login: "ada@example.com"}, Items: []schema.CampaignItem{membership(item1)},
			State: schema.RemovalImpossible, Why: "it cannot be removed from here", Way: "take the person out in okta",
		}}, "", nil
	}
	r := b.run("review", "removals", id, "--state", "impossible")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `box-main/111 +ada@example.com +=Finance +impossible .*it cannot be removed from here; the way: take the person out in okta`, r.out)
	b.store.ReturnsFunc = func(schema.CampaignID) ([]schema.Return, error) {
		return []schema.Return{{CampaignID: campaign1, ItemID: item1, Facts: membership(item1).Facts, Cause: "directory", Detail: "okta feeds it", SeenAt: now}}, nil
	}
	require.Regexp(t, `group +ada@example.com +=Finance +directory +okta feeds it +the item was opened again`, b.run("review", "returns", id).out)
}

func TestReviewAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var asked schema.NewAbsence
	b.store.SetAbsenceFunc = func(a schema.NewAbsence, _ schema.Principal) (schema.Absence, error) {
		asked = a
		return schema.Absence{ID: "a1", PersonID: "p9", From: now, Until: a.Until, Reason: a.Reason, CreatedAt: now}, nil
	}
	for _, words := range [][]string{{"review", "away"}, {"review", "away", "set"}} {
		r := b.run(append(words, "--person", "rev@example.com", "--from", "2026-12-01T00:00:00+01:00", "--until", "2026-12-14 00:00 Europe/Berlin",
			"--delegate", "sec@example.com", "--reason", "holidays")...)
		require.Equal(t, cli.ExitDone, r.code, r.errout)
		require.Equal(t, schema.NewAbsence{
			Person: "rev@example.com", From: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), Until: time.Date(2026, 12, 13, 23, 0, 0, 0, time.UTC),
			Delegate: "sec@example.com", Reason: "holidays",
		}, asked)
		require.Contains(t, r.out, "sendoff review away end a1")
	}
	require.Equal(t, cli.ExitDone, b.run("review", "away", "--from", "now", "--reason", "ill").code)
	require.Equal(t, schema.NewAbsence{Reason: "ill"}, asked)
	require.Equal(t, cli.ExitUsage, b.run("review", "away", "--from", "tomorrow", "--reason", "ill").code)
	both := b.run("review", "away", "--from", "tomorrow", "--until", "then", "--reason", "ill").errout
	require.Contains(t, both, "--from:")
	require.Contains(t, both, "--until:")
	require.Equal(t, cli.ExitUsage, b.run("review", "away", "--reason", "ill").code)
	b.store.AbsencesFunc = func(person, _ string, _ int) ([]schema.Absence, string, error) {
		require.Equal(t, "rev@example.com", person)
		return []schema.Absence{
			{ID: "a1", PersonID: "p9", Person: "rev@example.com", DelegateID: "p8", Delegate: "sec@example.com", From: now.Add(-time.Hour), Reason: "holidays", CreatedAt: now},
			{ID: "a2", PersonID: "p7", From: now.Add(-time.Hour), Reason: "ill", CreatedAt: now},
		}, "", nil
	}
	require.Regexp(t, `p7 +2026-11-21 11:00:00 UTC +open +- +yes +- +ill +a2`, b.run("review", "away", "list", "--person", "rev@example.com").out, "no address is known")
	require.Regexp(t, `rev@example.com +2026-11-21 11:00:00 UTC +open +sec@example.com +yes +- +holidays +a1`, b.run("review", "away", "list", "--person", "rev@example.com").out)
	b.store.EndAbsenceFunc = func(id string) (schema.Absence, error) { return schema.Absence{ID: id, From: now, EndedAt: now}, nil }
	require.Contains(t, b.run("review", "away", "end", "a1").out, "The absence a1 has ended.")
}
