package evidence_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

// instantOf is a time of the made up campaign.
func instantOf(day, hour int) time.Time { return time.Date(2026, 10, day, hour, 30, 0, 0, time.UTC) }

func uuid(kind, n int) string { return fmt.Sprintf("0197c0de-%04x-7000-8000-%012x", kind, n) }

func person(n int) schema.PersonID { return schema.PersonID(uuid(1, n)) }

// rich is evidence with one of everything: kept, revoked and removed, corrected,
// carried, undecided, control items, an alarm with its second look, a return.
func rich() schema.CampaignEvidence {
	id := schema.CampaignID(uuid(2, 1))
	return schema.CampaignEvidence{
		Format: schema.EvidenceFormat, ExportedAt: time.Date(2026, 11, 2, 9, 0, 0, 123456000, time.UTC), Signed: true,
		Campaign: richCampaign(id), Review: richReview(),
		Counts: schema.CampaignCounts{
			Items: 5, Returned: 1, Controls: 1,
			States:  []schema.StateCount{{State: schema.ItemCarried, Count: 1}, {State: schema.ItemDecided, Count: 3}, {State: schema.ItemUndecided, Count: 1}},
			Answers: []schema.AnswerCount{{Answer: "", Count: 1}, {Answer: schema.AnswerKeep, Count: 2}, {Answer: schema.AnswerRevoke, Count: 2}},
			Risks:   []schema.RiskCount{{Risk: schema.RiskHigh, Count: 2}, {Risk: schema.RiskLow, Count: 3}}, Removals: []schema.RemovalCount{{State: schema.RemovalDone, Count: 1}},
		},
		Exceptions: []schema.Finding{{Code: schema.CampaignUndecided, Message: "1 items are not decided", Fix: "have them decided, or accept that with the signature"}},
		Batches:    richBatches(), Events: richEvents(),
		Reviewers: []schema.ReviewerStats{
			{
				ReviewerID: person(2), Name: "Boss", Email: "boss@example.com", Items: 4, Decided: 3, Kept: 2, Revoked: 1, Bulk: 1, Recommended: 2, Against: 1, SaidRevoke: 2,
				MedianMillis: 1500, ControlsKept: 1, Reminders: 1, RemindedAt: instantOf(9, 9), Alarms: []schema.ReviewerAlarm{schema.AlarmSpeed, schema.AlarmControl},
				LookedBy: "Auditor", LookedAt: instantOf(20, 9), LookReason: "went through all of them again", LookedDecisions: 3,
				Looks: []schema.TakenLook{
					{By: "Owner", TokenID: schema.TokenID(uuid(6, 5)), At: instantOf(18, 9), Reason: "too fast", Redo: true, Redone: 2, Decisions: 1},
					{By: "Auditor", TokenID: schema.TokenID(uuid(6, 6)), At: instantOf(20, 9), Reason: "went through all of them again", Decisions: 3, Current: true},
				},
			},
			{ReviewerID: person(3), Email: "second@example.com", Items: 1, Decided: 1, Revoked: 1, MedianMillis: 64000},
		},
		Items: richItems(id), Removals: richRemovals(id),
		Returns: []schema.Return{{
			CampaignID: id, ItemID: schema.ItemID(uuid(3, 1)), Facts: groupFacts(1), Cause: "directory", Detail: "the group is fed by a directory",
			SeenAt: instantOf(28, 3), FollowUp: schema.CampaignID(uuid(2, 9)),
		}},
	}
}

// richBatches are one that two released, after a release that came too early, and one
// that fitted by itself.
func richBatches() []schema.EvidenceBatch {
	word := func(who string, n, day, size int, counts bool) schema.EvidenceRelease {
		return schema.EvidenceRelease{BatchDecision: schema.BatchDecision{
			Kind: schema.BatchReleased, Reason: "checked by " + who, Principal: who, TokenID: schema.TokenID(uuid(6, n)), CreatedAt: instantOf(day, 6), Size: size,
		}, Counts: counts}
	}
	return []schema.EvidenceBatch{{
		ID: schema.BatchID(uuid(11, 1)), State: schema.BatchReleased, Size: 12, HeldAt: instantOf(15, 5), EndedAt: instantOf(16, 6),
		Overruns: []schema.Overrun{
			{Limit: schema.LimitPerRun, Used: 0, Wanted: 12, Allowed: 10}, {Limit: schema.LimitConnection, Subject: schema.ConnectionID(uuid(5, 1)), Used: 3, Wanted: 12, Allowed: 14},
		},
		Decisions: []schema.EvidenceRelease{word("Eve", 7, 15, 11, false), word("Ann", 8, 16, 12, true), word("Eve", 7, 16, 12, true)},
	}, {ID: schema.BatchID(uuid(11, 2)), State: schema.BatchDiscarded, Size: 1, HeldAt: instantOf(18, 5), EndedAt: instantOf(19, 5), Decisions: []schema.EvidenceRelease{}}}
}

func richEvents() []schema.EvidenceEvent {
	event := func(seq int64, day int, action, by string, details ...schema.EvidenceDetail) schema.EvidenceEvent {
		e := schema.EvidenceEvent{Seq: seq, At: instantOf(day, 5), Action: action, By: by, Hash: strings.Repeat(fmt.Sprintf("%02x", seq), 32), Details: details}
		if by != "" {
			e.TokenID = schema.TokenID(uuid(6, 5))
		}
		return e
	}
	return []schema.EvidenceEvent{
		event(1, 1, "campaign.begun", "", schema.EvidenceDetail{Name: "review", Value: "quarterly-box"}, schema.EvidenceDetail{Name: "trigger", Value: "schedule"}),
		event(14, 9, "campaign.items_reassigned", "Owner", schema.EvidenceDetail{Name: "item_ids", Value: uuid(3, 1)}, schema.EvidenceDetail{Name: "items", Value: "1"},
			schema.EvidenceDetail{Name: "reason", Value: "she knows it"}, schema.EvidenceDetail{Name: "to", Value: string(person(3))}),
		event(15, 10, "campaign.extended", "Owner", schema.EvidenceDetail{Name: "from", Value: "2026-10-10T04:30:00Z"}, schema.EvidenceDetail{Name: "reason", Value: "holidays"},
			schema.EvidenceDetail{Name: "to", Value: "2026-10-15T04:30:00Z"}),
		event(40, 19, "batch.discarded", "", schema.EvidenceDetail{Name: "batch", Value: uuid(11, 2)}, schema.EvidenceDetail{Name: "reason", Value: "what it held fits the budget by now"}),
	}
}

func richCampaign(id schema.CampaignID) schema.Campaign {
	return schema.Campaign{
		ID: id, ReviewID: schema.AccessReviewID(uuid(4, 1)), Review: "quarterly-box", Version: 3, Title: "Box, every quarter", Owner: "owner@example.com",
		Trigger: schema.CampaignScheduled, ScheduledAt: instantOf(1, 3), State: schema.CampaignSigned,
		Basis: []schema.PopulationBasis{{
			ConnectionID: schema.ConnectionID(uuid(5, 1)), Connection: "box", Covered: schema.Interval{From: instantOf(1, 0).AddDate(-1, 0, 0), To: instantOf(1, 2)},
			SyncedAt: instantOf(1, 2), GroupsAsOf: instantOf(1, 2),
		}, {ConnectionID: schema.ConnectionID(uuid(5, 2)), Connection: "box-lab", SyncedAt: instantOf(1, 1), Unread: true, Why: "SCOPE_MISSING"}},
		Warnings:   []schema.Finding{{Code: schema.CampaignNotCollected, Warning: true, Connection: "box-lab", Message: "its events are not read", Fix: "grant the right"}},
		SnapshotAt: instantOf(1, 3), OpenedAt: instantOf(1, 4), DueAt: instantOf(15, 4), ClosedAt: instantOf(15, 5), SignedAt: instantOf(21, 9),
		SignedBy: "Owner", SignReason: "one is looked at by hand", CreatedAt: instantOf(1, 3), WorkflowID: "campaign/" + uuid(4, 1) + "/2026-10-01",
	}
}

func richReview() schema.AccessReview {
	day := 24 * time.Hour
	rule := schema.AccessReviewRule{
		Name: "quarterly-box", Title: "Box, every quarter", Owner: "owner@example.com",
		Scope: schema.CampaignScope{
			Connections: []string{"box", "box-lab"}, Items: schema.ItemKinds(), Groups: []string{"eng-*"}, Match: `account.role != "admin"`,
			UnusedFor: 90 * day, UnknownUse: true, Holders: schema.HoldersAll,
		},
		Freshness: schema.CampaignFreshness{Sync: day, Activity: 2 * day, Doctor: true, Patience: time.Hour, Stale: schema.StaleWarns},
		Schedule: schema.PolicySchedule{
			Zone: "Europe/Berlin", Jitter: time.Minute, Times: []schema.ScheduleTime{{Hour: 4, Days: []int{1}, Months: []time.Month{1, 4, 7, 10}}},
			Blackout: []schema.Blackout{{From: schema.Date{Year: 2026, Month: 12, Day: 20}, To: schema.Date{Year: 2027, Month: 1, Day: 3}, Reason: "holidays"}},
		},
		Events: []schema.CampaignTrigger{schema.CampaignMover},
		Stages: []schema.ReviewStage{
			{Name: "manager", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}, {Whom: schema.ReviewerNamed, To: []string{"second@example.com"}}}},
			{Name: "owner", Of: schema.StageHigh, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerAppOwner}}},
		},
		Owners:    []schema.EntitlementOwner{{Connection: "box", Group: "eng-all", To: []string{"lead@example.com"}}},
		Decisions: schema.DecisionRule{ReasonFor: []schema.ItemAnswer{schema.AnswerRevoke}, HighRiskReason: true, BulkBelow: schema.RiskHigh, Carry: schema.RiskMedium, CarryTimes: 2},
		Time:      schema.CampaignTime{Due: 14 * day, Remind: []time.Duration{3 * day, day}, EscalateFor: 2 * day, Silence: schema.SilenceEscalates, WorkingDays: true},
		Quality: schema.QualityRule{MinItems: 3, MinSeconds: 2, ApproveAll: 95, Against: 80, Controls: schema.ControlRule{
			Each: 1, Decoys: []schema.Decoy{{Login: "ghost@example.com", Name: "Ghost", Note: "nobody of this name ever worked here"}},
		}},
		Effect: schema.EffectRule{
			When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: 86400}, {Kind: schema.StepDelete}},
			Role: schema.RoleMember, Receivers: []string{"archive@example.com"}, Approvals: 1, Budget: schema.Budget{PerRun: 10, Percent: 5},
		},
		Watch: 30 * day,
	}
	return schema.AccessReview{
		ID: schema.AccessReviewID(uuid(4, 1)), Name: rule.Name, Version: 3, Rule: rule, Hash: rule.Hash(), Source: "kind: AccessReview\nname: quarterly-box\n", Set: "reviews",
		State: schema.PolicyActive, UpdatedBy: "Author", UpdatedID: schema.TokenID(uuid(6, 1)), UpdatedAt: instantOf(1, 1), CreatedAt: instantOf(1, 1).AddDate(-1, 0, 0),
	}
}

func accountFacts(n int) schema.ItemFacts {
	return schema.ItemFacts{
		ItemRef:      schema.ItemRef{AccountID: schema.AccountID(uuid(7, n)), Kind: schema.ItemAccount},
		ConnectionID: schema.ConnectionID(uuid(5, 1)), ExternalID: schema.ExternalID(fmt.Sprint(1000 + n)), Login: fmt.Sprintf("user%d@example.com", n),
		HolderID: person(10 + n), Employment: schema.StatusActive, AccountStatus: schema.AccountActive, AccountKind: schema.KindPerson, Role: schema.RoleMember,
		Grade: schema.GradeInactive, Held: true,
	}
}

func groupFacts(n int) schema.ItemFacts {
	f := accountFacts(n)
	f.Kind, f.Ref, f.Access, f.Group, f.Provenance = schema.ItemGroup, "g1", "member", "eng-all", "Okta"
	return f
}

func contextOf(n int) schema.ItemContext {
	return schema.ItemContext{
		Connection: "box", Name: fmt.Sprintf("User %d", n), Holder: fmt.Sprintf("User %d", n), HolderEmail: fmt.Sprintf("user%d@example.com", n), Employment: schema.Employee,
		Department: "it", Manager: "boss@example.com", Since: instantOf(1, 0).AddDate(-2, 0, 0), GrantedBy: "admin@example.com",
		LastActiveAt: instantOf(1, 0).AddDate(0, -6, 0), LastEvent: "LOGIN", CoveredFrom: instantOf(1, 0).AddDate(-1, 0, 0), CoveredTo: instantOf(1, 2),
		ObservedAt: instantOf(1, 2), Bytes: 4096, Peers: schema.Peers{People: 12, With: 3}, Changed: true, FreesSeat: true, SeatPerYear: &schema.Money{Minor: 18000, Currency: "EUR"},
	}
}

func decision(n, stage, version int, answer schema.ItemAnswer, by schema.PersonID, current bool) schema.CampaignDecision {
	return schema.CampaignDecision{
		ID: schema.DecisionID(uuid(8, n)), CampaignID: schema.CampaignID(uuid(2, 1)), Stage: stage, Version: version, Answer: answer, Reason: "because " + fmt.Sprint(n),
		Principal: "token of boss", TokenID: schema.TokenID(uuid(6, 2)), ReviewerID: by, DecidedAt: instantOf(5+n, 10), Current: current,
	}
}

func assigned(stage int, to schema.PersonID, name string, ended string) schema.AssignmentRow {
	a := schema.AssignmentRow{Stage: stage, ReviewerID: to, Reviewer: name, At: instantOf(1+stage, 4), Via: []schema.Via{{To: to, Why: "manager"}}, Why: "first in the chain"}
	if ended != "" {
		a.EndedAt, a.EndWhy = instantOf(8, 4), ended
	}
	return a
}

func item(n int, facts schema.ItemFacts) schema.EvidenceItem {
	return schema.EvidenceItem{CampaignItem: schema.CampaignItem{
		ID: schema.ItemID(uuid(3, n)), CampaignID: schema.CampaignID(uuid(2, 1)), Version: 1, Facts: facts, Context: contextOf(n),
		Recommendation: schema.Recommendation{Answer: schema.AnswerRevoke, Reasons: []string{"UNUSED"}},
		Risk:           schema.Risk{Level: schema.RiskLow, Score: 10, Reasons: []string{"MEMBER"}},
		State:          schema.ItemDecided, ReviewerID: person(2), Reviewer: "Boss", AssignedAt: instantOf(1, 4), Answer: schema.AnswerKeep, Reason: "because 1",
		DecidedBy: "Boss", DecidedAt: instantOf(6, 10), UpdatedAt: instantOf(6, 10),
	}, Assignments: []schema.AssignmentRow{assigned(0, person(2), "Boss", "")}}
}

func richItems(schema.CampaignID) []schema.EvidenceItem {
	revoked := item(1, groupFacts(1))
	revoked.Version, revoked.Stage, revoked.Answer, revoked.DecidedBy, revoked.Reason = 2, 1, schema.AnswerRevoke, "second@example.com", "because 3"
	revoked.Risk = schema.Risk{Level: schema.RiskHigh, Score: 90, Reasons: []string{"EXTERNAL", "UNUSED"}}
	revoked.RemovalID, revoked.Removal, revoked.DecidedAt = schema.RemovalID(uuid(9, 1)), schema.RemovalDone, instantOf(8, 10)
	before := revoked.Facts
	before.Grade = schema.GradeActive
	revoked.Shown = []schema.ShownFacts{{Version: 1, Facts: before, At: instantOf(6, 10)}, {Version: 2, Facts: revoked.Facts, At: instantOf(7, 10)}}
	revoked.Decisions = []schema.CampaignDecision{
		decision(1, 0, 1, schema.AnswerKeep, person(2), false), decision(2, 0, 2, schema.AnswerRevoke, person(2), true), decision(3, 1, 2, schema.AnswerRevoke, person(3), true),
	}
	for n := range revoked.Decisions {
		revoked.Decisions[n].Number = n + 1
	}
	handed := assigned(1, person(3), "second@example.com", "")
	handed.Via = append(handed.Via, schema.Via{From: person(2), To: person(3), Why: "escalation"})
	revoked.Assignments = []schema.AssignmentRow{assigned(0, person(2), "Boss", "decided"), handed}

	kept := item(2, accountFacts(2))
	kept.Shown, kept.Decisions = []schema.ShownFacts{{Version: 1, Facts: kept.Facts, At: instantOf(6, 10)}}, []schema.CampaignDecision{decision(4, 0, 1, schema.AnswerKeep, person(2), true)}
	kept.Decisions[0].Bulk = true
	// A correction was refused, because the account has become an administrator's.
	kept.Shown[0].Weighed = &schema.ShownWeighed{Context: kept.Context, Recommendation: kept.Recommendation, Risk: kept.Risk}
	kept.Version, kept.Facts.Role, kept.Context.Department = 2, schema.RoleCoadmin, "board"
	kept.Recommendation, kept.Risk = schema.Recommendation{}, schema.Risk{Level: schema.RiskHigh, Score: 80, Reasons: []string{"PRIVILEGED_ROLE"}}

	carried := item(3, accountFacts(3))
	carried.State, carried.ReviewerID, carried.Reviewer, carried.Assignments = schema.ItemCarried, "", "", nil
	carried.Context.Last = &schema.LastDecision{CampaignID: schema.CampaignID(uuid(2, 8)), Answer: schema.AnswerKeep, Reason: "in use", By: "Boss", At: instantOf(1, 0).AddDate(0, -3, 0), FactsHash: carried.Facts.Hash()}

	undecided := item(4, accountFacts(4))
	undecided.State, undecided.Answer, undecided.Reason, undecided.DecidedBy, undecided.DecidedAt = schema.ItemUndecided, "", "", "", time.Time{}
	undecided.Why = "nobody decided in time"

	control := item(5, accountFacts(5))
	control.Facts.Login, control.Facts.AccountID, control.Control, control.Context.Decoy = "ghost@example.com", "", true, "nobody of this name ever worked here"
	control.Decisions = []schema.CampaignDecision{decision(5, 0, 1, schema.AnswerKeep, person(2), true)}
	return []schema.EvidenceItem{revoked, kept, carried, undecided, control}
}

func richRemovals(id schema.CampaignID) []schema.Removal {
	facts := schema.Facts{
		Cause: "access_review", ConnectionID: schema.ConnectionID(uuid(5, 1)), EnterpriseID: "900", AccountID: "1001", Login: "user1@example.com", Role: schema.RoleMember,
		Kind: schema.KindPerson, Steps: []schema.StepFact{{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: []schema.ExternalID{"g1"}}}},
		Template: "review:quarterly-box", TemplateVersion: 3,
	}
	return []schema.Removal{{
		ID: schema.RemovalID(uuid(9, 1)), CampaignID: id, AccountID: schema.AccountID(uuid(7, 1)), State: schema.RemovalDone, Facts: &facts, Hash: facts.Hash(),
		Account:  schema.Account{ID: schema.AccountID(uuid(7, 1)), ExternalID: "1001", Login: "user1@example.com", Name: "User 1"},
		Findings: []schema.Finding{{Code: schema.OpenLinks, Warning: true, Message: "2 links are open", Fix: "look at them"}}, CaseID: schema.CaseID(uuid(10, 1)),
		PlanState: schema.PlanDone, ProvenAt: instantOf(16, 4), CheckedAt: instantOf(28, 3), WatchUntil: instantOf(16, 4).AddDate(0, 1, 0), CreatedAt: instantOf(15, 5), UpdatedAt: instantOf(28, 3),
	}}
}

type writer func(io.Writer, schema.CampaignEvidence) error

// tester is what tests, benchmarks and rapid's have in common.
type tester interface {
	require.TestingT
	Helper()
}

func written(t tester, write writer, e schema.CampaignEvidence) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, e))
	return b.String()
}

func reads(t tester, text string) schema.CampaignEvidence {
	t.Helper()
	e, err := evidence.Read(strings.NewReader(text))
	require.NoError(t, err)
	return e
}

func formats() map[string]writer {
	return map[string]writer{"evidence.json": evidence.JSON, "evidence.csv": evidence.CSV, "evidence.html": evidence.HTML}
}
