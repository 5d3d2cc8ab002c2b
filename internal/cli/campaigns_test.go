package cli_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

const (
	campaign1 = schema.CampaignID("0f5c0000-0000-4000-8000-000000000001")
	item1     = schema.ItemID("a1b20000-0000-4000-8000-000000000001")
	item2     = schema.ItemID("a1b20000-0000-4000-8000-000000000002")
)

func openCampaign() schema.Campaign {
	return schema.Campaign{
		ID: campaign1, Review: "quarterly", Version: 3, Owner: "it@example.com", Trigger: schema.CampaignByPerson, RequestedBy: "root", State: schema.CampaignOpen,
		SnapshotAt: now, OpenedAt: now, DueAt: now.Add(14 * 24 * time.Hour), CreatedAt: now,
		Basis: []schema.PopulationBasis{{
			Connection: "box-main", SyncedAt: now, GroupsAsOf: now, Covered: schema.Interval{From: now.AddDate(-1, 0, 0), To: now},
		}},
		Warnings: []schema.Finding{{Code: schema.CampaignOverlaps, Message: "another campaign looks at the same"}},
	}
}

func campaignView(state schema.CampaignState) schema.CampaignView {
	c := openCampaign()
	c.State = state
	return schema.CampaignView{
		Campaign: c,
		Counts: schema.CampaignCounts{
			Items: 3, Controls: 1, States: []schema.StateCount{{State: schema.ItemOpen, Count: 2}}, Answers: []schema.AnswerCount{{Answer: schema.AnswerRevoke, Count: 1}},
			Risks: []schema.RiskCount{{Risk: schema.RiskHigh, Count: 3}}, Removals: []schema.RemovalCount{{State: schema.RemovalDone, Count: 1}},
		},
		Blocks: []schema.Finding{{Code: schema.CampaignUndecided, Message: "2 items are not decided", Fix: "have them decided"}},
	}
}

// membership is an item as the store has it.
func membership(id schema.ItemID) schema.CampaignItem {
	return schema.CampaignItem{
		ID: id, CampaignID: campaign1, Version: 2, State: schema.ItemOpen, Reviewer: "Rev", ReviewerID: "p9", AssignedAt: now, EscalateAt: now.Add(time.Hour),
		Facts: schema.ItemFacts{
			ItemRef: schema.ItemRef{AccountID: "acc1", Kind: schema.ItemGroup, Ref: "7"}, Login: "ada@example.com", HolderID: "p1", Employment: schema.StatusActive,
			AccountStatus: schema.AccountActive, AccountKind: schema.KindPerson, Role: schema.RoleMember, Access: "admin", Group: "=Finance", Provenance: "okta",
			Grade: schema.GradeInactive, Held: true,
		},
		Context: schema.ItemContext{
			Connection: "box-main", Name: "Ada", Holder: "Ada Lovelace", HolderEmail: "ada@example.com", Employment: schema.Employee, Department: "Sales",
			Manager: "boss@example.com", Since: now.AddDate(-2, 0, 0), SinceSeen: true, LastActiveAt: now.AddDate(0, -6, 0), LastEvent: "LOGIN", Source: "box.events",
			CoveredFrom: now.AddDate(-1, 0, 0), CoveredTo: now, ObservedAt: now, Peers: schema.Peers{People: 14, With: 2}, FreesSeat: true,
			Last: &schema.LastDecision{CampaignID: "c0", Answer: schema.AnswerKeep, Reason: "needed", By: "boss", At: now.AddDate(0, -3, 0), Carried: 2},
		},
		Recommendation: schema.Recommendation{Answer: schema.AnswerRevoke, Reasons: []string{"DORMANT"}},
		Risk:           schema.Risk{Level: schema.RiskHigh, Score: 45, Reasons: []string{"GROUP_ADMIN", "NEWER_THAN_US"}}, UpdatedAt: now,
	}
}

func TestReviewStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var asked schema.NewCampaign
	b.store.NewCampaignFunc = func(n schema.NewCampaign) (schema.Campaign, error) {
		asked = n
		c := openCampaign()
		c.State = schema.CampaignGathering
		return c, nil
	}
	r := b.run("review", "start", "quarterly")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, string(campaign1)+"\n", r.out, "the id alone, for scripts")
	require.Contains(t, r.errout, "warned: CAMPAIGNS_OVERLAP: another campaign looks at the same")
	require.Equal(t, schema.NewCampaign{Review: "quarterly", Start: true, Trigger: schema.CampaignByPerson}, asked)
	require.Equal(t, cli.ExitDone, b.run("review", "start", "quarterly", "--draft").code)
	require.False(t, asked.Start)
	b.store.StartCampaignFunc = func(id schema.CampaignID) (schema.Campaign, error) {
		require.Equal(t, campaign1, id)
		return openCampaign(), nil
	}
	require.Equal(t, string(campaign1)+"\n", b.run("review", "start", string(campaign1)).out)
	require.Equal(t, cli.ExitUsage, b.run("review", "start", string(campaign1), "--draft").code)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		switch ref {
		case "ada@example.com":
			return "p1", nil
		case "Ada":
			return "", &schema.Error{Code: schema.CodeAmbiguous, Message: "it fits several"}
		}
		return "", &schema.Error{Code: schema.CodeNotFound, Message: "there is no such person"}
	}
	r = b.run("review", "start", "quarterly", "--person", "ada@example.com", "--person", "adda@example.com", "--person", "Ada")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "--person adda@example.com: nothing is known by it")
	require.Contains(t, r.errout, "--person Ada: several are known by it")
	b.store.NewCampaignFunc = func(schema.NewCampaign) (schema.Campaign, error) {
		return schema.Campaign{}, &schema.Error{Code: schema.CodeConflict, Message: "the campaign " + string(campaign1) + " of the review is open"}
	}
	require.Equal(t, cli.ExitRefused, b.run("review", "start", "quarterly").code)
}

func TestReviewWaitsUntilSomebodyIsNeeded(t *testing.T) {
	t.Parallel()
	for end, code := range map[schema.CampaignEnd]int{
		"": cli.ExitDone, schema.CampaignStale: cli.ExitRefused, schema.CampaignDark: cli.ExitRefused, schema.CampaignFailed: cli.ExitParked,
		schema.CampaignCancelled: cli.ExitCancelled, schema.CampaignEmpty: cli.ExitDone, "held": cli.ExitParked,
	} {
		t.Run(string(end), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			looks := 0
			b.store.CampaignViewFunc = func(schema.CampaignID) (schema.CampaignView, error) {
				looks++
				if looks == 1 {
					return campaignView(schema.CampaignListing), nil
				}
				switch end {
				case "":
					return campaignView(schema.CampaignOpen), nil
				case "held":
					return campaignView(schema.CampaignHeld), nil
				}
				v := campaignView(schema.CampaignEnded)
				v.End = end
				return v, nil
			}
			r := b.run("review", "show", string(campaign1), "--wait")
			require.Equal(t, code, r.code, r.errout)
			require.Contains(t, r.errout, "quarterly listing, open 2")
			require.Equal(t, 2, looks)
		})
	}
}

func TestReviewListAndShow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.CampaignsFunc = func(f schema.CampaignFilter) ([]schema.Campaign, string, error) {
		require.Equal(t, schema.CampaignFilter{Review: "quarterly", State: schema.CampaignOpen, Limit: 1}, f)
		return []schema.Campaign{openCampaign()}, "more", nil
	}
	r := b.run("review", "list", "--review", "quarterly", "--state", "open", "--limit", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `quarterly +3 +open +person .*it@example.com +`+string(campaign1), r.out)
	require.Contains(t, r.errout, "There are more")

	b.store.CampaignViewFunc = func(schema.CampaignID) (schema.CampaignView, error) { return campaignView(schema.CampaignClosed), nil }
	r = b.run("review", "show", string(campaign1))
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	for _, text := range []string{
		"of quarterly version 3: closed", "snapshot     2026-11-21 12:00:00 UTC", "box-main: accounts listed 2026-11-21", "warned       CAMPAIGNS_OVERLAP",
		"items        3: 2 open", "answers      1 revoke", "risk         3 high", "removals     1 done; came back: 0", "1 of the items are made up",
		"Against a sign-off:\n  ITEMS_UNDECIDED: 2 items are not decided\n    fix: have them decided",
	} {
		require.Contains(t, r.out, text)
	}
	b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer"
	require.NotContains(t, b.run("review", "show", string(campaign1)).out, "made up")
}

func TestReviewItemsAndQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) { return schema.PersonID("of " + ref), nil }
	b.store.CampaignItemsFunc = func(_ schema.CampaignID, f schema.CampaignItemFilter, by schema.Principal) ([]schema.CampaignItem, string, error) {
		want := schema.CampaignItemFilter{State: schema.ItemOpen, Risk: schema.RiskHigh, Kind: schema.ItemGroup, Reviewer: "of boss@example.com", After: "there", Limit: 1}
		if by.Role == schema.RoleReviewer {
			want = schema.CampaignItemFilter{Limit: 100}
		}
		require.Equal(t, want, f)
		return []schema.CampaignItem{membership(item1)}, "more", nil
	}
	r := b.run("review", "items", string(campaign1), "--state", "open", "--risk", "high", "--kind", "group", "--reviewer", "boss@example.com", "--after", "there", "--limit", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Regexp(t, `high 45 +group +ada@example.com +=Finance +inactive +revoke +open +- +Rev +`+string(item1), r.out)
	require.Equal(t, cli.ExitUsage, b.run("review", "items", string(campaign1), "--mine").code, "the token is of no person")

	b.store.CampaignItemsFunc = func(_ schema.CampaignID, f schema.CampaignItemFilter, _ schema.Principal) ([]schema.CampaignItem, string, error) {
		require.Empty(t, f.Reviewer, "a reviewer sees their own alone")
		before := membership("d1b20000-0000-4000-8000-000000000009")
		return []schema.CampaignItem{membership(item1), before}, "", nil
	}
	queue := func(string, int, schema.Principal) ([]schema.CampaignItem, string, error) { return nil, "", nil }
	b.store.ReviewQueueFunc = queue
	require.Equal(t, cli.ExitUsage, b.run("review", "queue").code, "the token is of no person, so that nothing will ever be in it")
	b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer"
	require.Equal(t, cli.ExitDone, b.run("review", "queue").code)
	b.store.ReviewQueueFunc = func(string, int, schema.Principal) ([]schema.CampaignItem, string, error) {
		return []schema.CampaignItem{membership(item1)}, "", nil
	}
	require.Regexp(t, `revoke +2026-11-21 13:00:00 UTC +`+string(campaign1)+` +`+string(item1), b.run("review", "queue").out)
	r = b.run("review", "items", string(campaign1), "--mine")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, string(item1))
	require.NotContains(t, r.out, "d1b20000", "what they abstained from waits for somebody else")
	checkSheet(t, b)
}

// checkSheet: no answer is set in a sheet, and a spreadsheet runs nothing of it.
func checkSheet(t *testing.T, b *bundle) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sheet.csv")
	require.Equal(t, cli.ExitDone, b.run("review", "items", string(campaign1), "--csv", file).code)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{string(item1), "2", "", "", "high", "group", "ada@example.com", "Ada Lovelace", "'=Finance", "admin", "inactive", "revoke"}, rows[1])
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left there")
}

func TestReviewItemShowsAllThatIsKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.CampaignItemFunc = func(schema.CampaignID, schema.ItemID, schema.Principal) (schema.CampaignItem, error) {
		i := membership(item1)
		i.Control = true
		return i, nil
	}
	b.store.ItemDecisionsFunc = func(schema.CampaignID, schema.ItemID) ([]schema.CampaignDecision, error) {
		return []schema.CampaignDecision{{ID: "d1", ItemID: item1, Version: 1, Answer: schema.AnswerKeep, Principal: "boss", DecidedAt: now, Reason: "was needed"}}, nil
	}
	r := b.run("review", "item", string(campaign1), string(item1))
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	for _, text := range []string{
		"version 2: open", `holds        membership of the group "=Finance" as admin, which okta feeds`, "ada@example.com (Ada) of box-main; person, active, role member",
		"holder       Ada Lovelace <ada@example.com>, employee active, Sales; manager boss@example.com", "when it was first seen; granted by somebody who is not known",
		"use          inactive; last use 2026-05-21 12:00:00 UTC (LOGIN); box.events covers 2025-11-21 12:00:00 UTC to 2026-11-21 12:00:00 UTC",
		"peers        2 of 14 others", "last time    keep by boss 2026-08-21 12:00:00 UTC: needed (taken over 2 times since); unchanged since",
		"frees a seat; what that costs is not known", "speaks for   revoke\n  - The account was proven not to be used for the threshold. (DORMANT)",
		"risk         high (45)\n  - The account administers the group. (GROUP_ADMIN)", "(NEWER_THAN_US)", "it is made up", "Rev, stage 1, place 1 in the chain",
	} {
		require.Contains(t, r.out, text)
	}
	require.Regexp(t, `1 +1 +keep +boss +corrected since +was needed`, r.out)
	b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer"
	require.NotContains(t, b.run("review", "item", string(campaign1), string(item1)).out, "made up")
	_, v := b.runJSON("review", "item", string(campaign1), string(item1))
	require.Empty(t, v["item"].(map[string]any)["account"])
	require.Nil(t, v["item"].(map[string]any)["control"])
}
