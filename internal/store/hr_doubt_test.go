package store_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// TestWhoIsActiveAgainInOneRoundStays: what comes together is judged as what comes
// one by one.
func TestWhoIsActiveAgainInOneRoundStays(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{false, true} {
		h := hrSetup(t)
		tell := func(more ...string) {
			h.employs(employment("1", "ada@example.com", more...))
			if !together {
				h.appliesBy(policy.JudgeLeaver)
			}
		}
		tell("status=active")
		tell(last(-1), "status=ended")
		tell(last(-1), "status=active")
		h.appliesBy(policy.JudgeLeaver)
		l, err := h.FindLeaver(t.Context(), "ada@example.com")
		if err == nil {
			require.Contains(t, []schema.LeaverState{schema.LeaverWithdrawn, schema.LeaverEnded}, l.State, "together %v", together)
		}
	}
}

func (h *hr) appliesBy(judge schema.LeaverJudge) {
	h.t.Helper()
	for {
		_, took, err := h.ApplyEvents(h.t.Context(), judge)
		require.NoError(h.t, err)
		if !took {
			return
		}
	}
}

// TestASourceMadeAnewTakesBackWhatItsNameTold: employments go by the source's name,
// so does what is told of them.
func TestASourceMadeAnewTakesBackWhatItsNameTold(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.applies()
	_, err := h.SetSourceState(t.Context(), h.src.Name, schema.ConnectionRemoved, "another kind", h.admin)
	require.NoError(t, err)
	anew := h.source("payroll", schema.SourceCSV)
	e := h.tells(anew, changes(employment("1", "ada@example.com")))
	h.applies()
	require.Equal(t, []string{"1 withdrawn"}, h.effects(e))
	require.Equal(t, schema.LeaverWithdrawn, h.who("ada@example.com").State)
}

// TestAFailingDatabaseRefusesNoEvent: that a statement was cancelled or waited too
// long says nothing about what is told.
func TestAFailingDatabaseRefusesNoEvent(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.exec(`do $$ begin execute format('alter database %I set lock_timeout = ''200ms''', current_database()); end $$`)
	impatient := h.open()
	e := h.employs(employment("1", "ada@example.com", last(9)))
	busy := h.sql()
	_, err := busy.Exec(t.Context(), `begin`)
	require.NoError(t, err)
	_, err = busy.Exec(t.Context(), `lock table person_email in access exclusive mode`)
	require.NoError(t, err)
	_, _, err = impatient.ApplyEvents(t.Context(), judge)
	require.Error(t, err)
	_, err = busy.Exec(t.Context(), `rollback`)
	require.NoError(t, err)
	require.Equal(t, schema.EventPending, h.event(e).State)
	h.applies()
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
}

// TestNobodyApprovesWhatTheySaidByHand: nor what they imported.
func TestNobodyApprovesWhatTheySaidByHand(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "user1@example.com", LastWorkingDay: inDays(2)})
	h.applies()
	l := h.who("user1@example.com")
	d := h.draft("1", "", "suspend")
	d.Request.Approvals, d.Request.PersonID = 1, l.PersonID
	c, err := h.OpenLeaverCase(t.Context(), l.ID, l.Revision, d)
	require.NoError(t, err)
	_, err = h.Decide(t.Context(), schema.Decision{CaseID: c.ID, Kind: schema.DecideApprove, Hash: c.Hash}, h.admin)
	requireCode(t, schema.CodeForbidden, err)
	_, err = h.Decide(t.Context(), schema.Decision{CaseID: c.ID, Kind: schema.DecideApprove, Hash: c.Hash}, h.principal("other"))
	require.NoError(t, err)
}

func TestNobodyApprovesWhatTheyImported(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	file := changes(employment("1", "user1@example.com", last(2)))
	file.Asked = &schema.Asked{Principal: h.admin.Name, TokenID: h.admin.TokenID}
	h.tells(h.src, file)
	h.applies()
	_, err := h.RejudgeLeavers(t.Context(), judge, 10)
	require.NoError(t, err)
	l := h.who("user1@example.com")
	d := h.draft("1", "", "suspend")
	d.Request.Approvals, d.Request.PersonID = 1, l.PersonID
	c, err := h.OpenLeaverCase(t.Context(), l.ID, l.Revision, d)
	require.NoError(t, err)
	approve := schema.Decision{CaseID: c.ID, Kind: schema.DecideApprove, Hash: c.Hash}
	_, err = h.Decide(t.Context(), approve, h.admin)
	requireCode(t, schema.CodeForbidden, err)

	h.employs(employment("1", "user1@example.com", last(3)))
	h.applies()
	l = h.who("user1@example.com")
	require.NoError(t, h.MoveLeaverCase(t.Context(), l.ID, l.Revision))
	view, err := h.CaseView(t.Context(), c.ID)
	require.NoError(t, err)
	approve.Hash = view.Case.Hash
	_, err = h.Decide(t.Context(), approve, h.admin)
	require.NoError(t, err, "it is what the feed tells by now")
}

// tokenOf is a principal with a token of somebody's.
func (b *bundle) tokenOf(name, email string) schema.Principal {
	b.t.Helper()
	hash := sha256.Sum256([]byte(name))
	_, err := b.CreateToken(b.t.Context(), schema.Token{Name: name, Role: schema.RoleOperator, Email: email}, hash, b.admin)
	require.NoError(b.t, err)
	p, err := b.Authenticate(b.t.Context(), hash)
	require.NoError(b.t, err)
	return p
}

// TestTwoTokensOfOneAreNotTwo releases a batch with both tokens of one person.
func TestTwoTokensOfOneAreNotTwo(t *testing.T) {
	t.Parallel()
	h, b := heldOf(t)
	_, err := h.decides(b, schema.BatchReleased, h.tokenOf("laptop", "op@example.com"))
	require.NoError(t, err)
	_, err = h.decides(b, schema.BatchReleased, h.tokenOf("phone", "OP@example.com"))
	requireCode(t, schema.CodeConflict, err)
	_, err = h.decides(b, schema.BatchReleased, h.tokenOf("third", "other@example.com"))
	require.NoError(t, err)
}

// TestALateAnswerLeavesARunningCaseAlone: an activity that was given up may still
// write what it found.
func TestALateAnswerLeavesARunningCaseAlone(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.leave(1)
	l := h.who(address(1))
	_, err := h.OpenLeaverCase(t.Context(), l.ID, l.Revision, h.draft("1", "", "suspend"))
	require.NoError(t, err)
	requireCode(t, schema.CodeStale, h.RefuseLeaver(t.Context(), l.ID, l.Revision, nil))
	requireCode(t, schema.CodeStale, h.MissLeaver(t.Context(), l.ID, l.Revision))
	requireCode(t, schema.CodeStale, h.LeaveCase(t.Context(), l.ID, l.Revision))
	requireCode(t, schema.CodeStale, h.EndLeaver(t.Context(), l.ID, l.Revision, schema.EndNoAccount))
	after := h.who(address(1))
	require.Equal(t, []any{schema.LeaverOpen, true}, []any{after.State, after.OwnCase})
}

// TestRecoverLooksAtLeaversAgain: what was to be told of them is overtaken, and
// their workflows may know of other cases.
func TestRecoverLooksAtLeaversAgain(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.leave(1, 2)
	h.recover()
	require.Equal(t, 2, h.toldLeavers())
}

// TestWhoIsFoundToBeAnotherLeavesTheBatch: a batch of whom nobody is left awaits
// nothing.
func TestWhoIsFoundToBeAnotherLeavesTheBatch(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.exec(`update hr_source set limit_number = 0, limit_percent = 0 where name = 'manual'`)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.applies()
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "lovelace@example.com", LastWorkingDay: inDays(2)})
	h.applies()
	require.Equal(t, 1, h.heldBatch().Size)
	h.employs(employment("1", "lovelace@example.com", last(9)))
	h.applies()
	list, _, err := h.ListBatches(t.Context(), schema.BatchFilter{State: schema.BatchHeld, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list)
	l := h.who("ada@example.com")
	require.Equal(t, []any{schema.LeaverPlanning, true, inDays(2)}, []any{l.State, l.ByHand, l.Moment.Date})
}

// TestAWordOutlivesAWithdrawalThatItIsMergedInto: somebody said that they leave.
func TestAWordOutlivesAWithdrawalThatItIsMergedInto(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.applies()
	l := h.who("ada@example.com")
	_, err := h.OpenLeaverCase(t.Context(), l.ID, l.Revision, h.draft("1", "", "suspend"))
	require.NoError(t, err)
	h.employs(employment("1", "ada@example.com"))
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "lovelace@example.com", LastWorkingDay: inDays(2)})
	h.applies()
	require.Equal(t, schema.LeaverWithdrawn, h.who("ada@example.com").State)
	h.employs(employment("1", "lovelace@example.com"))
	h.applies()
	l = h.who("ada@example.com")
	require.Equal(t, []any{schema.LeaverPlanning, true, inDays(2)}, []any{l.State, l.ByHand, l.Moment.Date})
}

// TestWhatARemovedSourceToldBeforeIsApplied: it was answered.
func TestWhatARemovedSourceToldBeforeIsApplied(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	e := h.employs(employment("1", "ada@example.com", last(9)))
	_, err := h.SetSourceState(t.Context(), h.src.Name, schema.ConnectionRemoved, "gone", h.admin)
	require.NoError(t, err)
	h.applies()
	require.Equal(t, schema.EventApplied, h.event(e).State)
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
}
