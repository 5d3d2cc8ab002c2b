package campaign_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/accessreview"
	"sendoff/internal/campaign"
	"sendoff/schema"
)

var now = time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// usual is an account as most are: used, held by somebody employed, as everybody's.
func usual(change ...func(*schema.Holding)) *schema.Holding {
	h := &schema.Holding{}
	h.Facts = schema.ItemFacts{
		ItemRef: schema.ItemRef{AccountID: "a1", Kind: schema.ItemAccount}, HolderID: "p1", Employment: schema.StatusActive,
		AccountStatus: schema.AccountActive, AccountKind: schema.KindPerson, Role: schema.RoleMember, Grade: schema.GradeActive, Held: true,
	}
	h.Subject.Account.Kind, h.Subject.Account.CreatedAt = schema.KindPerson, now.Add(-400*day)
	h.Context.LastActiveAt, h.Context.CoveredTo, h.Context.Peers = now.Add(-day), now, schema.Peers{People: 10, With: 9}
	for _, c := range change {
		c(h)
	}
	return h
}

func kind(k schema.ItemKind, access string) func(*schema.Holding) {
	return func(h *schema.Holding) { h.Facts.Kind, h.Facts.Access = k, access }
}

func grade(g schema.Grade) func(*schema.Holding) {
	return func(h *schema.Holding) { h.Facts.Grade = g }
}

func rare(h *schema.Holding)      { h.Context.Peers.With = 0 }
func ended(h *schema.Holding)     { h.Facts.Employment = schema.StatusEnded }
func onLeave(h *schema.Holding)   { h.Facts.Employment = schema.StatusOnLeave }
func unheld(h *schema.Holding)    { h.Facts.HolderID, h.Facts.Employment = "", "" }
func suspended(h *schema.Holding) { h.Facts.AccountStatus = schema.AccountSuspended }
func service(h *schema.Holding)   { unheld(h); h.Facts.AccountKind = schema.KindService }
func coadmin(h *schema.Holding)   { h.Facts.Role = schema.RoleCoadmin }
func heavy(h *schema.Holding)     { h.Context.Bytes = 200 << 30 }
func revokedOnce(h *schema.Holding) {
	h.Context.Last = &schema.LastDecision{Answer: schema.AnswerRevoke}
}

func undated(h *schema.Holding) {
	h.Subject.Account.CreatedAt, h.Context.LastActiveAt = time.Time{}, time.Time{}
}

func TestRiskAndRecommendation(t *testing.T) {
	t.Parallel()
	external := func(h *schema.Holding) { h.Facts.AccountKind = schema.KindExternal }
	young := func(h *schema.Holding) { h.Subject.Account.CreatedAt = now.Add(-89 * day) }
	type list = []string
	for name, test := range map[string]struct {
		h      *schema.Holding
		level  schema.RiskLevel
		risks  list
		answer schema.ItemAnswer
		says   list
	}{
		"usual":                  {usual(), "low", list{}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"on leave, and used":     {usual(onLeave), "low", list{}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"left":                   {usual(ended), "high", list{"LEFT"}, "revoke", list{"LEFT"}},
		"left, suspended":        {usual(ended, suspended), "low", list{"SUSPENDED"}, "", list{}},
		"dormant":                {usual(grade("inactive")), "medium", list{"DORMANT"}, "revoke", list{"DORMANT"}},
		"dormant, on leave":      {usual(grade("inactive"), onLeave), "medium", list{"DORMANT"}, "", list{}},
		"of no known age":        {usual(grade("inactive"), undated), "low", list{}, "", list{}},
		"never used":             {usual(grade("never")), "medium", list{"NEVER_USED"}, "revoke", list{"NEVER_USED"}},
		"never used, and new":    {usual(grade("never"), young), "medium", list{"NEVER_USED"}, "", list{}},
		"unknown use":            {usual(grade("unknown")), "low", list{}, "", list{}},
		"use not collected":      {usual(grade("not_collected")), "low", list{}, "", list{}},
		"unmatched":              {usual(unheld), "medium", list{"UNMATCHED"}, "revoke", list{"UNMATCHED"}},
		"service":                {usual(service), "medium", list{"SERVICE_ACCOUNT"}, "", list{}},
		"external":               {usual(external), "low", list{"EXTERNAL"}, "", list{}},
		"unusual":                {usual(rare), "low", list{"UNUSUAL"}, "", list{}},
		"unusual and dormant":    {usual(rare, grade("inactive")), "medium", list{"DORMANT", "UNUSUAL"}, "revoke", list{"DORMANT", "UNUSUAL"}},
		"few peers say nothing":  {usual(func(h *schema.Holding) { h.Context.Peers = schema.Peers{People: 4} }), "low", list{}, "", list{}},
		"half way to usual":      {usual(func(h *schema.Holding) { h.Context.Peers.With = 4 }), "low", list{}, "", list{}},
		"privileged":             {usual(coadmin, kind("role", "")), "high", list{"PRIVILEGED_ROLE"}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"privileged, suspended":  {usual(coadmin, suspended), "medium", list{"PRIVILEGED_ROLE", "SUSPENDED"}, "", list{}},
		"a privileged's group":   {usual(coadmin, kind("group", "member")), "low", list{}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"administers a group":    {usual(kind("group", "admin")), "medium", list{"GROUP_ADMIN"}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"co-owner":               {usual(kind("collaboration", "co-owner")), "medium", list{"CO_OWNER"}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"editor":                 {usual(kind("collaboration", "editor")), "low", list{"EDITOR"}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"viewer":                 {usual(kind("collaboration", "viewer")), "low", list{}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"much content":           {usual(heavy), "low", list{"MANY_BYTES"}, "keep", list{"ACTIVE", "USUAL", "EMPLOYED"}},
		"came back":              {usual(revokedOnce), "medium", list{"CAME_BACK"}, "", list{}},
		"what is not held":       {usual(func(h *schema.Holding) { h.Facts.Held = false }), "low", list{}, "", list{}},
		"several reasons add up": {usual(kind("group", "admin"), grade("inactive")), "high", list{"GROUP_ADMIN", "DORMANT"}, "revoke", list{"DORMANT"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			risk := campaign.Risk(test.h)
			require.Equal(t, test.level, risk.Level)
			require.Equal(t, test.risks, risk.Reasons)
			require.Equal(t, schema.Recommendation{Answer: test.answer, Reasons: test.says}, campaign.Recommend(test.h))
		})
	}
}

func drawHolding(t *rapid.T) *schema.Holding {
	changes := []func(*schema.Holding){
		rare, ended, onLeave, unheld, suspended, service, coadmin, heavy, revokedOnce, undated, kind("role", ""), kind("group", "admin"),
		kind("group", "member"), kind("collaboration", "owner"), kind("collaboration", "editor"), grade("inactive"), grade("never"),
		grade("unknown"), grade("not_collected"),
	}
	h := usual()
	for _, c := range rapid.SliceOfN(rapid.SampledFrom(changes), 0, 6).Draw(t, "changes") {
		c(h)
	}
	return h
}

// TestMoreReasonsNeverLowerTheRisk compares holdings of which one has all reasons
// of the other.
func TestMoreReasonsNeverLowerTheRisk(t *testing.T) {
	t.Parallel()
	more := []func(*schema.Holding){rare, ended, coadmin, heavy, revokedOnce, unheld, service, grade("inactive"), grade("never"), kind("group", "admin")}
	rapid.Check(t, func(t *rapid.T) {
		h := drawHolding(t)
		before := campaign.Risk(h)
		rapid.SampledFrom(more).Draw(t, "more")(h)
		after := campaign.Risk(h)
		for _, code := range before.Reasons {
			if !slices.Contains(after.Reasons, code) {
				t.Skip("takes a reason away")
			}
		}
		require.False(t, after.Level.Below(before.Level), "%v %v", before, after)
		require.GreaterOrEqual(t, after.Score, before.Score)
	})
}

// TestUnknownUseSpeaksForNothing: whatever else is known, use that nobody knows is
// no reason (promise 4); and each reason has its sentence.
func TestUnknownUseSpeaksForNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHolding(t)
		risk, says := campaign.Risk(h), campaign.Recommend(h)
		all := slices.Concat(risk.Reasons, says.Reasons)
		for _, code := range all {
			require.Contains(t, campaign.Codes(), code)
		}
		require.Equal(t, says.Answer == "", len(says.Reasons) == 0)
		if h.Facts.Grade == schema.GradeUnknown || h.Facts.Grade == schema.GradeNotCollected {
			require.NotContains(t, all, campaign.Dormant)
			require.NotContains(t, all, campaign.NeverUsed)
			require.NotContains(t, all, campaign.Active)
		}
	})
}

func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, code := range campaign.Codes() {
		sentence := campaign.Explain(code)
		require.Regexp(t, `^[A-Z].+\.$`, sentence, code)
		require.False(t, seen[sentence], code)
		seen[sentence] = true
	}
	require.Empty(t, campaign.Explain("NO_SUCH_CODE"))
}

func carried(h *schema.Holding) *schema.LastDecision {
	return &schema.LastDecision{Answer: schema.AnswerKeep, By: "bob", At: now.Add(-90 * day), FactsHash: h.Facts.Hash()}
}

func TestCarries(t *testing.T) {
	t.Parallel()
	rule := schema.DecisionRule{Carry: schema.RiskMedium, CarryTimes: 2}
	for name, test := range map[string]struct {
		rule   schema.DecisionRule
		h      *schema.Holding
		change func(*schema.Holding)
		want   bool
	}{
		"kept and unchanged":    {rule: rule, h: usual(), want: true},
		"never by the rule":     {rule: schema.DecisionRule{CarryTimes: 2}, h: usual()},
		"the first campaign":    {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Last = nil }},
		"revoked":               {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Last.Answer = schema.AnswerRevoke }},
		"kept by silence":       {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Last.By = "" }},
		"other facts":           {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Facts.Login = "new@example.com" }},
		"said to be changed":    {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Changed = true }},
		"once more":             {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Last.Carried = 1 }, want: true},
		"too often":             {rule: rule, h: usual(), change: func(h *schema.Holding) { h.Context.Last.Carried = 2 }},
		"at the level":          {rule: rule, h: usual(kind("group", "admin"))},
		"high risk":             {rule: schema.DecisionRule{Carry: schema.RiskHigh, CarryTimes: 2}, h: usual(coadmin)},
		"below high":            {rule: schema.DecisionRule{Carry: schema.RiskHigh, CarryTimes: 2}, h: usual(kind("group", "admin")), want: true},
		"recommended to revoke": {rule: schema.DecisionRule{Carry: schema.RiskHigh, CarryTimes: 2}, h: usual(grade("inactive"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.h.Context.Last = carried(test.h)
			if test.change != nil {
				test.change(test.h)
			}
			require.Equal(t, test.want, campaign.Carries(test.rule, test.h, campaign.Risk(test.h)))
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	review, err := accessreview.Compile(schema.AccessReviewRule{
		Scope: schema.CampaignScope{Items: []schema.ItemKind{schema.ItemAccount, schema.ItemGroup}, Holders: schema.HoldersAll},
		Stages: []schema.ReviewStage{{Who: []schema.ReviewerCandidate{
			{Whom: schema.ReviewerManager}, {Whom: schema.ReviewerAppOwner, When: `account.kind == "service"`},
		}}},
		Decisions: schema.DecisionRule{Carry: schema.RiskMedium, CarryTimes: 1},
	})
	require.NoError(t, err)
	h := usual(kind(schema.ItemGroup, "member"))
	h.Everybody, h.Context.Last = true, carried(h)
	item, ok := campaign.Judge(review, h, now)
	require.True(t, ok)
	require.Equal(t, h.Facts, item.Facts)
	require.True(t, item.Context.Everybody)
	require.False(t, h.Context.Everybody) // the holding is the caller's
	require.True(t, item.Carried)
	require.Equal(t, []string{"10"}, item.Applies)
	require.Equal(t, campaign.Risk(h), item.Risk)
	require.Equal(t, campaign.Recommend(h), item.Recommendation)
	_, ok = campaign.Judge(review, usual(kind(schema.ItemRole, "")), now)
	require.False(t, ok, "not of the kinds")
	_, ok = campaign.Judge(review, usual(func(h *schema.Holding) { h.Facts.Held = false }), now)
	require.False(t, ok, "ended by then")
}
