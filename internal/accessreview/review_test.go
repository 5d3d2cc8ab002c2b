package accessreview_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/accessreview"
	"sendoff/schema"
)

func ago(days float64) time.Time { return parsedAt.Add(-time.Duration(days * float64(day))) }

// holding is a membership of a group that a scope of groups takes.
func holding() schema.Holding {
	return schema.Holding{
		Subject: schema.Subject{
			Account: schema.Account{
				ID: "1", Login: "ada@example.com", Kind: schema.KindPerson, Role: schema.RoleMember, Status: schema.AccountActive, CreatedAt: ago(1000),
			},
			Connection: "box",
			Activity:   schema.Activity{LastActiveAt: ago(100), Covered: schema.Interval{From: ago(200), To: parsedAt}},
		},
		Facts: schema.ItemFacts{ItemRef: schema.ItemRef{AccountID: "1", Kind: schema.ItemGroup, Ref: "7"}, HolderID: "p", Group: "Finance EU"},
	}
}

func compiled(t require.TestingT, rule schema.AccessReviewRule) *accessreview.Review {
	r, err := accessreview.Compile(rule)
	require.NoError(t, err)
	return r
}

func ofGroups() schema.AccessReviewRule {
	return schema.AccessReviewRule{
		Scope:  schema.CampaignScope{Connections: []string{"box"}, Items: []schema.ItemKind{schema.ItemGroup}, Holders: schema.HoldersAll},
		Stages: []schema.ReviewStage{{Name: "review", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}}}},
	}
}

func TestTakes(t *testing.T) {
	t.Parallel()
	type change func(s *schema.CampaignScope, h *schema.Holding)
	unused := func(s *schema.CampaignScope) { s.UnusedFor = 90 * day }
	for name, c := range map[string]struct {
		change change
		taken  bool
	}{
		"as it is":       {func(*schema.CampaignScope, *schema.Holding) {}, true},
		"another item":   {func(_ *schema.CampaignScope, h *schema.Holding) { h.Facts.Kind = schema.ItemAccount }, false},
		"another kind":   {func(s *schema.CampaignScope, _ *schema.Holding) { s.Kinds = []schema.AccountKind{schema.KindApp} }, false},
		"of the kinds":   {func(s *schema.CampaignScope, _ *schema.Holding) { s.Kinds = []schema.AccountKind{schema.KindPerson} }, true},
		"not privileged": {func(s *schema.CampaignScope, _ *schema.Holding) { s.Privileged = true }, false},
		"privileged": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Privileged, h.Subject.Account.Role = true, schema.RoleCoadmin
		}, true},
		"held by somebody": {func(s *schema.CampaignScope, _ *schema.Holding) { s.Holders = schema.HoldersUnmatched }, false},
		"held by nobody": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Holders, h.Facts.HolderID = schema.HoldersUnmatched, ""
		}, true},
		"matched": {func(s *schema.CampaignScope, _ *schema.Holding) { s.Holders = schema.HoldersMatched }, true},
		"not matched": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Holders, h.Facts.HolderID = schema.HoldersMatched, ""
		}, false},
		"unchanged":     {func(s *schema.CampaignScope, _ *schema.Holding) { s.Changed = true }, false},
		"changed":       {func(s *schema.CampaignScope, h *schema.Holding) { s.Changed, h.Context.Changed = true, true }, true},
		"group":         {func(s *schema.CampaignScope, _ *schema.Holding) { s.Groups = []string{"Board", "FIN* e?"} }, true},
		"another group": {func(s *schema.CampaignScope, _ *schema.Holding) { s.Groups = []string{"Finance"} }, false},
		"group of an access": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Items, s.Groups, h.Facts.Kind = schema.ItemKinds(), []string{"Finance"}, schema.ItemCollaboration
		}, false},
		"groups are of groups": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Items, s.Groups, h.Facts.Kind = schema.ItemKinds(), []string{"Board"}, schema.ItemAccount
		}, true},
		"a member's role": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Items, h.Facts.Kind = schema.ItemKinds(), schema.ItemRole
		}, false},
		"a privileged role": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Items, h.Facts.Kind, h.Subject.Account.Role = schema.ItemKinds(), schema.ItemRole, schema.RoleOwner
		}, true},
		"not of the roles": {func(s *schema.CampaignScope, h *schema.Holding) {
			s.Items, h.Facts.Kind, h.Subject.Account.Role = schema.ItemKinds(), schema.ItemRole, schema.RoleOwner
			s.Roles = []schema.AccountRole{schema.RoleCoadmin}
		}, false},
		"matches":            {func(s *schema.CampaignScope, _ *schema.Holding) { s.Match = "activity.grade == 'inactive'" }, true},
		"does not match":     {func(s *schema.CampaignScope, _ *schema.Holding) { s.Match = "account.privileged" }, false},
		"cannot be computed": {func(s *schema.CampaignScope, _ *schema.Holding) { s.Match = "person.department != 'Sales'" }, false},
		"unused":             {func(s *schema.CampaignScope, _ *schema.Holding) { unused(s) }, true},
		"used":               {func(s *schema.CampaignScope, h *schema.Holding) { unused(s); h.Subject.Activity.LastActiveAt = ago(80) }, false},
		"never used": {func(s *schema.CampaignScope, h *schema.Holding) {
			unused(s)
			h.Subject.Activity.LastActiveAt, h.Subject.Account.CreatedAt = time.Time{}, ago(95)
		}, true},
		"made a moment ago": {func(s *schema.CampaignScope, h *schema.Holding) {
			unused(s)
			h.Subject.Activity.LastActiveAt, h.Subject.Account.CreatedAt = time.Time{}, ago(5)
		}, false},
		"use is unknown": {func(s *schema.CampaignScope, h *schema.Holding) { unused(s); h.Subject.Activity.Covered.From = ago(50) }, false},
		"use is not collected": {func(s *schema.CampaignScope, h *schema.Holding) {
			unused(s)
			h.Subject.Activity.Covered = schema.Interval{}
		}, false},
		"unknown use is taken": {func(s *schema.CampaignScope, h *schema.Holding) {
			unused(s)
			s.UnknownUse, h.Subject.Activity.Covered.From = true, ago(50)
		}, true},
		"not knowing when it was made": {func(s *schema.CampaignScope, h *schema.Holding) {
			unused(s)
			h.Subject.Activity.LastActiveAt, h.Subject.Account.CreatedAt = time.Time{}, time.Time{}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule, h := ofGroups(), holding()
			c.change(&rule.Scope, &h)
			require.Equal(t, c.taken, compiled(t, rule).Takes(&h, parsedAt))
		})
	}
}

// TestWhatCameBackIsTaken: what was revoked is looked at again however it is used by
// now, by whomever, and whatever else narrows the scope.
func TestWhatCameBackIsTaken(t *testing.T) {
	t.Parallel()
	rule, h := ofGroups(), holding()
	rule.Scope.Kinds, rule.Scope.Holders, rule.Scope.Privileged, rule.Scope.Changed = []schema.AccountKind{schema.KindApp}, schema.HoldersUnmatched, true, true
	rule.Scope.UnusedFor, rule.Scope.Match, rule.Scope.Groups = 120*day, "account.privileged", []string{"Finance*"}
	review, back := compiled(t, rule), schema.Campaign{Trigger: schema.CampaignReturned, ReviewID: "r", Accounts: []schema.AccountID{"1"}}
	require.False(t, review.Takes(&h, parsedAt))
	require.True(t, review.For(back).Takes(&h, parsedAt))
	require.False(t, review.For(schema.Campaign{Trigger: schema.CampaignMover}).Takes(&h, parsedAt))
	q := review.For(back).Query(back, []schema.ConnectionID{"c"}, parsedAt)
	require.Equal(t, schema.HoldingQuery{
		Review: "r", Connections: []schema.ConnectionID{"c"}, Items: []schema.ItemKind{schema.ItemGroup}, Accounts: back.Accounts, Holders: schema.HoldersAll,
		Threshold: 120 * day, Now: parsedAt, Needs: q.Needs,
	}, q)
	h.Facts.Group = "Board"
	require.False(t, review.For(back).Takes(&h, parsedAt), "its groups are those of the scope")
	h.Facts.Kind, h.Subject.Account.Role = schema.ItemRole, schema.RoleCoadmin
	require.False(t, review.For(back).Takes(&h, parsedAt), "and its items")
	rule.Scope.Items, rule.Scope.Roles = schema.ItemKinds(), []schema.AccountRole{schema.RoleOwner}
	require.True(t, compiled(t, rule).For(back).Takes(&h, parsedAt), "another role that administers is none the less")
}

// TestUnknownUseIsNotUnused is promise 4 of the design: without unknown_use only
// proven silence takes an account that must be unused.
func TestUnknownUseIsNotUnused(t *testing.T) {
	t.Parallel()
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string) time.Time {
			if rapid.Bool().Draw(t, label+" is known") {
				return parsedAt.Add(time.Duration(rapid.IntRange(-200, 5).Draw(t, label)) * time.Hour)
			}
			return time.Time{}
		}
		rule, h := ofGroups(), holding()
		rule.Scope.UnusedFor = time.Duration(rapid.IntRange(1, 150).Draw(t, "unused for")) * time.Hour
		rule.Scope.Match = rapid.SampledFrom([]string{"", "activity.grade != 'active'", "activity.grade == 'unknown' || !activity.used"}).Draw(t, "match")
		h.Subject.Account.CreatedAt = at("created")
		hours := func(label string, from, to int) time.Time {
			return parsedAt.Add(-time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Hour)
		}
		h.Subject.Activity = schema.Activity{LastActiveAt: at("last"), Covered: schema.Interval{From: hours("covered from", 50, 300), To: hours("covered to", 0, 60)}}
		if !compiled(t, rule).Takes(&h, parsedAt) {
			return
		}
		taken++
		grade := h.Subject.Activity.Grade(rule.Scope.UnusedFor, h.Subject.Account.CreatedAt, parsedAt)
		require.Contains(t, []schema.Grade{schema.GradeInactive, schema.GradeNever}, grade)
	})
	require.NotZero(t, taken, "nothing was ever taken: the test shows nothing")
}

func TestApplies(t *testing.T) {
	t.Parallel()
	rule := ofGroups()
	rule.Stages = append(rule.Stages, schema.ReviewStage{Name: "second", Of: schema.StageKept, Who: []schema.ReviewerCandidate{
		{Whom: schema.ReviewerNamed, When: "account.privileged"},
		{Whom: schema.ReviewerAppOwner, When: "activity.grade == 'inactive'"},
		{Whom: schema.ReviewerGroup, When: "person.department == 'Sales'"}, // nobody said
		{Whom: schema.ReviewerManager},
	}})
	h := holding()
	require.Equal(t, []string{"1", "0101"}, compiled(t, rule).Applies(&h, parsedAt))
	h.Subject.Account.Role = schema.RoleOwner
	h.Subject.Activity.LastActiveAt = ago(5)
	h.Subject.Person = &schema.Holder{Department: "Sales"}
	require.Equal(t, []string{"1", "1011"}, compiled(t, rule).Applies(&h, parsedAt))
}

func TestQuery(t *testing.T) {
	t.Parallel()
	rule := ofGroups()
	rule.Scope.Kinds, rule.Scope.Privileged = []schema.AccountKind{schema.KindPerson}, true
	rule.Scope.Match = "'Board' in entitlements.groups"
	rule.Stages[0].Who[0].When = "person.known"
	c := schema.Campaign{ReviewID: "r", Accounts: []schema.AccountID{"1"}, Persons: []schema.PersonID{"p"}}
	want := schema.HoldingQuery{
		Review: "r", Connections: []schema.ConnectionID{"c"}, Items: rule.Scope.Items, Kinds: rule.Scope.Kinds, Accounts: c.Accounts, Persons: c.Persons,
		Holders: schema.HoldersAll, Privileged: true, Threshold: accessreview.DefaultThreshold, Now: parsedAt, Needs: schema.Needs{Person: true, Groups: true},
	}
	require.Equal(t, want, compiled(t, rule).Query(c, []schema.ConnectionID{"c"}, parsedAt))
	rule.Scope.UnusedFor, want.Threshold = 30*day, 30*day
	require.Equal(t, want, compiled(t, rule).Query(c, []schema.ConnectionID{"c"}, parsedAt))
}

func TestCompileTellsAll(t *testing.T) {
	t.Parallel()
	rule := ofGroups()
	rule.Scope.Match = "account.logn == 'x'"
	rule.Stages[0].Who[0].When = "now"
	_, err := accessreview.Compile(rule)
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, schema.CodeInvalid, e.Code)
	require.Len(t, e.Problems, 2)
	require.Equal(t, "scope.match", e.Problems[0].Where)
	require.Equal(t, "reviewers[0].who[0].when", e.Problems[1].Where)
	_, err = accessreview.Compile(schema.AccessReviewRule{})
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
}
