package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// record is the body of an audit record, as far as a report reads it.
func record(second int, action string, step schema.StepKind, details map[string]string) []byte {
	body, _ := json.Marshal(map[string]any{
		"at": now.Add(time.Duration(second) * time.Second), "action": action, "details": details,
		"actor": map[string]string{"kind": "engine"}, "subject": map[string]string{"plan_id": "p1", "step": string(step)},
	})
	return body
}

// reported sets up a case whose trail and plan tell of everything that can be in
// doubt.
func reported(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	view := viewFor(schema.Case{ID: "c1", Email: "ada@example.com", CreatedAt: now}, schema.PlanRunning)
	a := &view.Accounts[0]
	a.Transfer.State, a.Transfer.WitnessFound = schema.TransferGivenUp, 2
	a.Plan.Facts.Holds, a.Plan.Facts.Restrictions = schema.HoldsDeclared, []string{"hold:h1", "legal_hold:77"}
	a.Plan.Snapshot = &schema.Snapshot{WitnessesOK: true, DeepDone: 3, DeepTotal: 9}
	done := func(kind schema.StepKind, proof map[string]string) schema.Step {
		return schema.Step{Kind: kind, State: schema.StepDone, Proof: proof}
	}
	a.Plan.Steps = []schema.Step{
		done(schema.StepSnapshot, nil), done(schema.StepRevokeSessions, nil),
		{Kind: schema.StepTransfer, State: schema.StepWaived, Proof: map[string]string{"waived_by": "root", "decision": "d1"}},
		done(schema.StepNotify, map[string]string{"recipients": "2"}), done(schema.StepManual, map[string]string{"completed_by": "root"}),
	}
	b.store.FindCaseFunc = func(string) (schema.Case, error) { return view.Case, nil }
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) { return view, nil }
	b.store.DecisionsFunc = func(schema.CaseID) ([]schema.Decision, error) {
		return []schema.Decision{
			{ID: "d1", Kind: schema.DecideWaive, Step: schema.StepTransfer, Principal: "root", TokenID: "t1", Reason: "worthless", CreatedAt: now},
			{ID: "d2", Kind: schema.DecideMoveDate, To: now.Add(time.Hour), Principal: "root", Reason: "later", CreatedAt: now},
		}, nil
	}
	b.store.RestrictionsDuringFunc = func(id schema.ExternalID) ([]schema.Restriction, error) {
		require.Equal(t, schema.ExternalID("111"), id)
		return []schema.Restriction{{ID: "h1", Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "ada@example.com", Reason: "counsel", CreatedBy: "root", CreatedAt: now, EndedAt: now}}, nil
	}
	b.store.CaseAuditFunc = func(_ schema.CaseID, after int64, _ int) ([][]byte, error) {
		return [][]byte{
			record(1, "write.intended", schema.StepSuspend, map[string]string{"op": "suspend", "n": "1", "to": "inactive"}),
			record(2, "write.outcome", schema.StepSuspend, map[string]string{"op": "suspend", "outcome": "unknown"}),
			record(3, "write.intended", schema.StepSuspend, map[string]string{"op": "suspend", "n": "2", "to": "inactive"}),
			record(4, "write.outcome", schema.StepSuspend, map[string]string{"op": "suspend", "outcome": "accepted"}),
			record(5, "window.opened", schema.StepTransfer, nil),
			record(6, "transfer.sent", schema.StepTransfer, map[string]string{"attempt": "1", "receiver": "222"}),
			record(7, "transfer.outcome", schema.StepTransfer, map[string]string{"attempt": "1", "class": "refused", "http_status": "403"}),
			record(8, "window.closed", schema.StepTransfer, nil),
			record(9, "undo.intended", "", map[string]string{"op": "restore_status", "n": "1"}),
			record(10, "evidence.read", "", map[string]string{"evidence": "folder_gone", "id": "900"}),
			record(11, "evidence.read", schema.StepDelete, map[string]string{"evidence": "trash_discarded", "missing": "5,6"}),
			[]byte(`"no event of ours"`),
		}, nil
	}
	return b
}

func TestReportPairsEachWriteWithItsOutcome(t *testing.T) {
	t.Parallel()
	b := reported(t)
	a := b.do("auditor", "GET", "/v1/cases/c1/report", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	type write struct {
		Op, Outcome string
		N           int
		Undo        bool
		Details     map[string]string
	}
	var got struct {
		Writes    []write
		Windows   []map[string]any
		Accounts  []map[string]any
		Decisions []map[string]any
		Events    []any
	}
	require.NoError(t, json.Unmarshal([]byte(a.raw), &got))
	require.Equal(t, []write{
		{Op: "suspend", N: 1, Outcome: "unknown", Details: map[string]string{"to": "inactive"}},
		{Op: "suspend", N: 2, Outcome: "accepted", Details: map[string]string{"to": "inactive"}},
		{Op: "transfer", N: 1, Outcome: "refused", Details: map[string]string{"receiver": "222", "http_status": "403"}},
		{Op: "restore_status", N: 1, Undo: true, Details: map[string]string{}},
	}, got.Writes)
	require.Equal(t, "2026-11-21T12:00:05Z", got.Windows[0]["opened_at"])
	require.Equal(t, "2026-11-21T12:00:08Z", got.Windows[0]["closed_at"])
	require.Equal(t, "declared", got.Accounts[0]["holds"])
	require.Equal(t, []any{"77"}, got.Accounts[0]["vendor_holds"])
	require.Equal(t, "h1", got.Accounts[0]["restrictions"].([]any)[0].(map[string]any)["id"])
	require.Equal(t, "t1", got.Decisions[0]["token_id"])
	require.Equal(t, "2026-11-21T13:00:00Z", got.Decisions[1]["to"])
	require.Len(t, got.Events, 12)
	require.Equal(t, a.raw, b.do("auditor", "GET", "/v1/cases/c1/report", "").raw, "the same each time")
}

func TestReportSaysEveryDoubt(t *testing.T) {
	t.Parallel()
	a := reported(t).do("auditor", "GET", "/v1/cases/c1/report", "")
	var said []string
	for _, u := range a.json["unproven"].([]any) {
		said = append(said, u.(map[string]any)["message"].(string))
	}
	require.Equal(t, []string{
		"collaborations were read for 3 of 9 items",
		"the vendor accepted the end of all sessions; it offers no way to read them back",
		"the step was waived by root, so it was not done: worthless",
		"the transfer was given up with 3 of 5 items not found at the receiver",
		"the notice was accepted for 2 recipients; whether anybody read it is not known",
		"the task was done by hand: its proof is the word of root",
		"the vendor's legal holds were not read: an admin declared that there are none",
		"the account was active for the call: its holder could sign in from 2026-11-21T12:00:05Z until 2026-11-21T12:00:08Z",
		"the answer to suspend, sent 2026-11-21T12:00:01Z, is not known: what it did is known from the reads after it alone",
		"the answer to restore_status, sent 2026-11-21T12:00:09Z, is not known: what it did is known from the reads after it alone",
		"cancel could not give everything back: a destination folder is gone (900)",
		"2 trashed items did not arrive at the receiver and went with the account, as its plan says",
	}, said)
}
