package accessreview_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/accessreview"
	"sendoff/internal/yamlfile"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

const day = 24 * time.Hour

var parsedAt = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func documents(t testing.TB, name string) []string {
	t.Helper()
	return yamltest.Documents(t, "testdata/review-"+name+".yaml")
}

func parse(file string, source []byte) yamlfile.Report {
	_, report := accessreview.Parse(file, source, parsedAt)
	return report
}

func TestReviewsAreJudgedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	yamltest.JudgedAsTheySay(t, "testdata/review-%s.yaml", []string{"valid", "invalid", "meaning"}, parse)
}

func parsed(t testing.TB, source string) schema.AccessReviewRule {
	t.Helper()
	rule, report := accessreview.Parse("test.yaml", []byte(source), parsedAt)
	require.NoError(t, report.Err())
	return rule
}

func TestEverythingAFileCanSayReachesTheRule(t *testing.T) {
	t.Parallel()
	require.Equal(t, schema.AccessReviewRule{
		Name: "quarterly", Title: "Everything, every quarter", Owner: "it@example.com",
		Scope: schema.CampaignScope{
			Connections: []string{"box", "zoom"}, Items: schema.ItemKinds(), Kinds: []schema.AccountKind{schema.KindPerson, schema.KindService},
			Roles: []schema.AccountRole{schema.RoleCoadmin, schema.RoleOwner}, Groups: []string{"Fin*", "Board ?"},
			Match: "account.kind == \"person\"\n  && !account.privileged", UnusedFor: 90 * day, UnknownUse: true, Changed: true, Privileged: true,
			Holders: schema.HoldersMatched,
		},
		Freshness: schema.CampaignFreshness{Sync: 12 * time.Hour, Activity: 36 * time.Hour, Stale: schema.StaleWarns},
		Schedule: schema.PolicySchedule{
			Times: []schema.ScheduleTime{
				{Hour: 6, Weekdays: []time.Weekday{time.Monday, time.Tuesday}, Months: []time.Month{time.January, time.July}},
				{Hour: 18, Minute: 30, Days: []int{1, 15}},
			},
			Zone: "Europe/Berlin", Jitter: 10 * time.Minute,
			Blackout: []schema.Blackout{{From: schema.Date{Year: 2026, Month: 12, Day: 20}, To: schema.Date{Year: 2027, Month: 1, Day: 6}, Reason: "Holidays"}},
		},
		Events: []schema.CampaignTrigger{schema.CampaignMover, schema.CampaignPrivileged},
		Stages: []schema.ReviewStage{
			{Name: "first", Of: schema.StageAll, Who: []schema.ReviewerCandidate{
				{Whom: schema.ReviewerManager},
				{Whom: schema.ReviewerManagersManager, When: "account.privileged"},
				{Whom: schema.ReviewerAppOwner},
				{Whom: schema.ReviewerEntitlementOwner},
			}},
			{Name: "second", Of: schema.StageKept, Who: []schema.ReviewerCandidate{
				{Whom: schema.ReviewerNamed, To: []string{"ada@example.com", "bob@example.com"}, When: `account.kind == "service"`},
				{Whom: schema.ReviewerGroup, Connection: "okta", Group: "Auditors"},
			}},
		},
		Owners: []schema.EntitlementOwner{
			{Connection: "box", Group: "Finance", To: []string{"dan@example.com", "erin@example.com"}},
			{Connection: "zoom", Group: "Webinars", To: []string{"carol@example.com"}},
		},
		LoadCap: 200,
		Decisions: schema.DecisionRule{
			ReasonFor: []schema.ItemAnswer{schema.AnswerKeep, schema.AnswerRevoke}, BulkBelow: schema.RiskHigh, Carry: schema.RiskHigh, CarryTimes: 3,
		},
		Time: schema.CampaignTime{
			Due: 21 * day, Remind: []time.Duration{7 * day, day}, EscalateAfter: 10 * day, EscalateFor: 2 * day, Silence: schema.SilenceKeeps,
		},
		Quality: schema.QualityRule{
			MinItems: 10, MinSeconds: 5, ApproveAll: 95, Against: 70, Controls: schema.ControlRule{Each: 1, Decoys: []schema.Decoy{
				{Login: "temp.admin@example.com", Name: "Temp Admin", Note: "nobody of that name"}, {Login: "other@example.com"},
			}},
		},
		Effect: schema.EffectRule{
			When: schema.EffectAtOnce, Role: schema.RoleMember, Approvals: 2, Receivers: []string{"manager", "lead@example.com", "archive@example.com"},
			Account: []schema.StepFact{
				{Kind: schema.StepSnapshot},
				{Kind: schema.StepSuspend},
				{Kind: schema.StepTransfer},
				{Kind: schema.StepWait, WaitSeconds: 30 * 86400},
				{Kind: schema.StepDelete},
			},
			Budget: schema.Budget{PerRun: 10, PerDay: 20, Connection: 30, Percent: 5, Bytes: 500e9, Privileged: 1},
		},
		Watch: 30 * day,
	}, parsed(t, documents(t, "valid")[0]))
}

func TestWhatAFileLeavesOutHasItsDefault(t *testing.T) {
	t.Parallel()
	require.Equal(t, schema.AccessReviewRule{
		Name: "a", Owner: "it@example.com",
		Scope:     schema.CampaignScope{Connections: []string{"box"}, Items: []schema.ItemKind{schema.ItemAccount}, Holders: schema.HoldersAll},
		Freshness: schema.CampaignFreshness{Sync: day, Activity: 2 * day, Doctor: true, Patience: 12 * time.Hour, Stale: schema.StaleBlocks},
		Stages: []schema.ReviewStage{{Name: "review", Of: schema.StageAll, Who: []schema.ReviewerCandidate{
			{Whom: schema.ReviewerManager}, {Whom: schema.ReviewerAppOwner},
		}}},
		Decisions: schema.DecisionRule{HighRiskReason: true, BulkBelow: schema.RiskMedium, Abstain: true},
		Time: schema.CampaignTime{
			Due: 14 * day, Remind: []time.Duration{7 * day, 2 * day, day}, EscalateFor: 3 * day, Silence: schema.SilenceEscalates, WorkingDays: true,
		},
		Quality: schema.QualityRule{MinItems: 20, MinSeconds: 3, ApproveAll: 98, Against: 60},
		Effect: schema.EffectRule{
			When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}, Role: schema.RoleMember,
			Budget: schema.Budget{PerRun: schema.DefaultBudgetPerRun, PerDay: schema.DefaultBudgetPerDay, Percent: schema.DefaultBudgetPercent},
		},
		Watch: 90 * day,
	}, parsed(t, documents(t, "valid")[1]))
}

const head = "apiVersion: sendoff/v1\nkind: AccessReview\nname: a\nowner: it@example.com\nscope: {connections: [box]}\n"

func TestValuesThatHaveTwoForms(t *testing.T) {
	t.Parallel()
	require.Equal(t, []time.Duration{2 * day, day}, parsed(t, head+"time: {due: 3d}\n").Time.Remind)
	require.Empty(t, parsed(t, head+"time: {remind: []}\n").Time.Remind)
	q := parsed(t, head+"quality: {approve_all: never, against: 75%}\n").Quality
	require.Equal(t, []int{0, 75}, []int{q.ApproveAll, q.Against})
	require.Empty(t, parsed(t, head+"decisions: {bulk_below: never}\n").Decisions.BulkBelow)
	long := parsed(t, head+"reviewers: [{name: review, who: [{manager: true}, app_owner]}]\n")
	require.Equal(t, parsed(t, head+"reviewers: [manager, app_owner]\n").Hash(), long.Hash())
	require.Equal(t, parsed(t, head).Hash(), long.Hash())
}

func TestAMistypedMemberIsAskedFor(t *testing.T) {
	t.Parallel()
	_, report := accessreview.Parse("test.yaml", []byte(head+"reviwers: [manager]\n"), parsedAt)
	require.Len(t, report.Errors, 1)
	require.Equal(t, `the member "reviwers" is unknown; did you mean reviewers?`, report.Errors[0].Message)
}

func TestWhatIsNoReviewAtAll(t *testing.T) {
	t.Parallel()
	yamltest.RefusesWhatIsNone(t, parse)
}

// FuzzParseReview: whatever is read, there is an answer, and what is accepted is
// whole, can be used and is read again as the same.
func FuzzParseReview(f *testing.F) {
	for _, doc := range append(documents(f, "valid")[:8], documents(f, "meaning")...) {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		got, report := accessreview.Parse("fuzz.yaml", source, parsedAt)
		for _, p := range append(report.Errors, report.Warnings...) {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Code)
			require.NotEmpty(t, p.Fix)
		}
		if report.Err() != nil {
			return
		}
		require.NotEmpty(t, got.Name)
		require.NotEmpty(t, got.Owner)
		require.NotEmpty(t, got.Scope.Connections)
		require.NotEmpty(t, got.Scope.Items)
		require.NotEmpty(t, got.Scope.Holders)
		require.NotEmpty(t, got.Stages)
		for _, s := range got.Stages {
			require.NotEmpty(t, s.Who)
			require.NotEmpty(t, s.Name)
			require.NotEmpty(t, s.Of)
		}
		require.Positive(t, got.Time.Due)
		require.Positive(t, got.Time.EscalateFor)
		require.NotEmpty(t, got.Time.Silence)
		require.Equal(t, schema.StepSnapshot, got.Effect.Account[0].Kind)
		require.Equal(t, schema.RoleMember, got.Effect.Role)
		require.Positive(t, got.Effect.Budget.PerRun)
		_, err := accessreview.Compile(got)
		require.NoError(t, err)
		again, report := accessreview.Parse("fuzz.yaml", source, parsedAt)
		require.NoError(t, report.Err())
		require.Equal(t, got.Hash(), again.Hash())
		require.Empty(t, accessreview.Diff(got, again))
	})
}
