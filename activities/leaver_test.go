package activities_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// hr is a source of HR events, and what it makes of leavers.
type hr struct {
	*bundle
	source  schema.Source
	leavers *activities.Leavers
	told    int
}

// heard makes a source whose cases have the template, and that tells of the leaver
// and the heir.
func heard(t *testing.T, template string) *hr {
	t.Helper()
	h := &hr{bundle: setup(t)}
	var err error
	h.source, err = h.CreateSource(t.Context(), schema.Source{
		Name: "feed", Kind: schema.SourceStandardWebhooks, State: schema.ConnectionEnabled, TimeZone: "UTC", Template: template,
		Receivers: []string{heirLogin}, Limit: schema.DefaultStartLimit(),
	}, schema.SourceSecrets{Current: "whsec_c2VuZG9mZi10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcyE="}, h.admin)
	require.NoError(t, err)
	h.leavers = activities.NewLeavers(activities.LeaversConfig{Store: h.Store, Planner: h.planner(), Now: h.now})
	h.tell(func(*schema.Employment) {})
	return h
}

// tell says facts of the leaver's employment and applies them.
func (h *hr) tell(facts func(*schema.Employment)) {
	h.t.Helper()
	e := schema.Employment{EmploymentKey: schema.EmploymentKey{ExternalID: "7"}, Kind: schema.Employee, Email: leaverLogin, Status: schema.StatusActive}
	facts(&e)
	h.told++
	body := []byte("event " + strconv.Itoa(h.told))
	sum := sha256.Sum256(body)
	_, err := h.AcceptEvent(h.t.Context(), schema.HREvent{
		SourceID: h.source.ID, EventID: strconv.Itoa(h.told), Via: schema.ViaWebhook, Body: body, BodyHash: hex.EncodeToString(sum[:]), State: schema.EventPending,
		Change: schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
			Mode: schema.RosterChanges, Employments: []schema.Employment{e},
			Fields: []string{"kind", "email", "status", "last_working_day", "terminated_on", "for_cause"},
		}},
	})
	require.NoError(h.t, err)
	_, _, err = h.ApplyEvents(h.t.Context(), policy.JudgeLeaver)
	require.NoError(h.t, err)
}

// leaves says that the last working day is so many days from now.
func (h *hr) leaves(days int) {
	h.t.Helper()
	h.tell(func(e *schema.Employment) { e.LastWorkingDay = h.day(days) })
}

func (h *hr) day(days int) schema.Date { return schema.DateOf(h.now().UTC().AddDate(0, 0, days)) }

// leaver is the newest of the person.
func (h *hr) leaver() schema.Leaver {
	h.t.Helper()
	l, err := h.FindLeaver(h.t.Context(), leaverLogin)
	require.NoError(h.t, err)
	return l
}

// settle settles the leaver until nothing is left but to wait.
func (h *hr) settle() (schema.Leaver, activities.LeaverResult) {
	h.t.Helper()
	for range 10 {
		r, err := h.leavers.SettleLeaver(h.t.Context(), activities.LeaverInput{LeaverID: h.leaver().ID})
		require.NoError(h.t, err)
		if r.Wait != time.Second {
			return h.leaver(), r
		}
	}
	require.Fail(h.t, "the leaver does not settle")
	return schema.Leaver{}, activities.LeaverResult{}
}

func (h *hr) caseOf(id schema.CaseID) schema.Case {
	h.t.Helper()
	c, err := h.Case(h.t.Context(), id)
	require.NoError(h.t, err)
	return c
}

func (h *hr) planOf(id schema.CaseID) schema.Plan {
	h.t.Helper()
	plans, err := h.CasePlans(h.t.Context(), id)
	require.NoError(h.t, err)
	require.Len(h.t, plans, 1)
	return plans[0]
}

// closeCancelled ends a cancelled case as its workflows do.
func (h *hr) closeCancelled(id schema.CaseID) {
	h.t.Helper()
	p := h.planOf(id)
	require.Equal(h.t, schema.PlanCancelling, p.State)
	if p.PriorStatus != "" {
		require.NoError(h.t, h.acts.RestoreStatus(h.t.Context(), activities.UndoInput{PlanID: p.ID}))
	}
	require.NoError(h.t, h.EndPlan(h.t.Context(), p.ID, schema.PlanCancelled))
	require.NoError(h.t, h.CloseCase(h.t.Context(), id))
}

// TestSettleLeaverFollowsHR: the case is opened once for the moment, moved with it,
// cancelled when it is taken back, and opened again when HR says so again.
func TestSettleLeaverFollowsHR(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(30)
	l, r := h.settle()
	require.Zero(t, r)
	require.Equal(t, schema.LeaverOpen, l.State)
	require.True(t, l.OwnCase)
	c := h.caseOf(l.CaseID)
	require.Equal(t, "hr", c.Source)
	require.Equal(t, "hr:feed", c.RequestedBy)
	require.True(t, c.EffectiveAt.Equal(h.day(30).At(schema.DefaultLocalTime(), time.UTC)), "%s", c.EffectiveAt)
	again, _ := h.settle()
	require.Equal(t, l.CaseID, again.CaseID)

	h.leaves(60)
	moved, _ := h.settle()
	require.Equal(t, l.CaseID, moved.CaseID)
	require.True(t, h.caseOf(l.CaseID).EffectiveAt.Equal(moved.Moment.DueAt))
	require.True(t, moved.Moment.DueAt.Equal(h.day(60).At(schema.DefaultLocalTime(), time.UTC)))

	h.tell(func(*schema.Employment) {})
	gone, r := h.settle()
	require.Equal(t, schema.LeaverWithdrawn, gone.State)
	require.Zero(t, r)
	h.closeCancelled(l.CaseID)
	gone, r = h.settle()
	require.True(t, r.Ended)
	require.Equal(t, schema.EndWithdrawn, gone.End)

	h.leaves(10)
	anew, _ := h.settle()
	require.NotEqual(t, l.CaseID, anew.CaseID)
	require.Equal(t, schema.LeaverOpen, anew.State)
	require.Empty(t, h.vendor.writes())
}

// TestSettleLeaverUndoesWhatBegan: a last day that moves into the future after the
// case has begun undoes it and opens it anew for its time; one that moves within
// the past changes nothing.
func TestSettleLeaverUndoesWhatBegan(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(-1)
	l, _ := h.settle()
	first := l.CaseID
	h.carry(h.planOf(first).ID, schema.StepRevokeSessions)
	h.leaves(-2)
	_, r := h.settle()
	require.Zero(t, r)
	require.False(t, h.planOf(first).Stopping, "it runs already, as it should")

	h.leaves(20)
	l, _ = h.settle()
	require.Equal(t, schema.LeaverPlanning, l.State)
	require.Equal(t, first, l.CaseID, "until it has ended")
	h.closeCancelled(first)
	l, _ = h.settle()
	require.Equal(t, schema.LeaverOpen, l.State)
	require.NotEqual(t, first, l.CaseID)
	require.True(t, h.caseOf(l.CaseID).EffectiveAt.Equal(h.day(20).At(schema.DefaultLocalTime(), time.UTC)))
	account, err := h.vendor.ReadAccount(t.Context(), leaver)
	require.NoError(t, err)
	require.Equal(t, schema.AccountActive, account.Status)
}

// TestSettleLeaverSaysWhatDoesNotComeBack: a rehire after the transfer keeps what
// is lost, with the leaver.
func TestSettleLeaverSaysWhatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(-1)
	l, _ := h.settle()
	h.carry(h.planOf(l.CaseID).ID, schema.StepTransfer)
	h.tell(func(*schema.Employment) {})
	l, _ = h.settle()
	require.Equal(t, schema.LeaverWithdrawn, l.State)
	require.Contains(t, l.Lost, "fake: sessions ended: the person signs in again")
}

// TestSettleLeaverJoinsAnothersCase: what an operator opened is neither doubled, nor
// moved, nor cancelled by HR.
func TestSettleLeaverJoinsAnothersCase(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	plan := h.open(schema.Request{Email: leaverLogin, Receivers: []string{heirLogin}, Template: "leaver", Source: "api", EffectiveAt: h.now().Add(time.Hour)})
	before := h.caseOf(plan.CaseID).EffectiveAt
	h.leaves(30)
	l, _ := h.settle()
	require.Equal(t, plan.CaseID, l.CaseID)
	require.False(t, l.OwnCase)
	h.leaves(60)
	h.settle()
	require.True(t, before.Equal(h.caseOf(plan.CaseID).EffectiveAt))
	h.tell(func(*schema.Employment) {})
	l, r := h.settle()
	require.True(t, r.Ended)
	require.Equal(t, schema.PlanPlanned, h.planOf(plan.CaseID).State)
	require.Len(t, l.Lost, 1, "it says that the case goes on")
}

// TestSettleLeaverLeavesAnOperatorsDate: a date that an operator moved stays until HR
// says something new.
func TestSettleLeaverLeavesAnOperatorsDate(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(30)
	l, _ := h.settle()
	moved := h.now().Add(100 * time.Hour).UTC().Truncate(time.Second)
	_, err := h.Decide(t.Context(), schema.Decision{CaseID: l.CaseID, Kind: schema.DecideMoveDate, Reason: "agreed", To: moved}, h.admin)
	require.NoError(t, err)
	h.settle()
	require.True(t, moved.Equal(h.caseOf(l.CaseID).EffectiveAt))
	h.leaves(31)
	l, _ = h.settle()
	require.True(t, l.Moment.DueAt.Equal(h.caseOf(l.CaseID).EffectiveAt))
}

// TestSettleLeaverTriesAgain: whom pre-flight refuses, or nobody knows, stays a
// leaver.
func TestSettleLeaverTriesAgain(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.vendor.remove(heir)
	h.leaves(10)
	l, r := h.settle()
	require.Equal(t, schema.LeaverRefused, l.State)
	require.NotEmpty(t, l.Findings)
	require.Equal(t, time.Hour, r.Wait)
	h.vendor.add(heir, heirLogin, 0)
	h.vendor.change(leaver, func(a *schema.Account) { a.Login = "other@example.com" })
	l, r = h.settle()
	require.Equal(t, schema.LeaverNoAccount, l.State)
	require.Equal(t, 24*time.Hour, r.Wait)
	h.vendor.change(leaver, func(a *schema.Account) { a.Login = leaverLogin })
	l, _ = h.settle()
	require.Equal(t, schema.LeaverOpen, l.State)

	h.vendor.change(leaver, func(a *schema.Account) { a.Login = "other@example.com" })
	h.tell(func(*schema.Employment) {})
	h.settle()
	h.closeCancelled(l.CaseID)
	h.settle()
	h.leaves(11)
	h.settle()
	h.later((11 + 31) * 24 * time.Hour)
	l, r = h.settle()
	require.True(t, r.Ended)
	require.Equal(t, schema.EndNoAccount, l.End)
}

// TestSettleLeaverFindsAccountsByTheInventory: an account whose login is no address
// of the person is sent off too when it is known to be theirs.
func TestSettleLeaverFindsAccountsByTheInventory(t *testing.T) {
	t.Parallel()
	h := heard(t, "suspend")
	h.vendor.add("40", "adm.leaver@example.com", 0)
	a, err := h.vendor.ReadAccount(t.Context(), "40")
	require.NoError(t, err)
	a.ConnectionID, a.ObservedAt = h.conn.ID, h.now()
	a, err = h.SaveAccount(t.Context(), a)
	require.NoError(t, err)
	person, err := h.PersonRef(t.Context(), leaverLogin)
	require.NoError(t, err)
	require.NoError(t, h.LinkAccount(t.Context(), a.ID, person, "theirs", h.admin))
	h.leaves(-1)
	l, _ := h.settle()
	plans, err := h.CasePlans(t.Context(), l.CaseID)
	require.NoError(t, err)
	require.Len(t, plans, 2)
}

// TestSettleLeaverBelievesOnlyANewWord: a source that goes on saying active after
// the last day brings nobody back; one that said ended and then active does.
func TestSettleLeaverBelievesOnlyANewWord(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(-3)
	l, _ := h.settle()
	require.Equal(t, schema.LeaverOpen, l.State)
	h.leaves(-3)
	l, _ = h.settle()
	require.Equal(t, schema.LeaverOpen, l.State, "active, as it always was")

	h.tell(func(e *schema.Employment) { e.LastWorkingDay, e.Status = h.day(-3), schema.StatusEnded })
	h.leaves(-3)
	l, _ = h.settle()
	require.Equal(t, schema.LeaverWithdrawn, l.State, "hired again in the same record")
}

// TestSettleLeaverSaysWhenItIsTooLate: who stays after their case is done is told
// what does not come back, and nothing is undone.
func TestSettleLeaverSaysWhenItIsTooLate(t *testing.T) {
	t.Parallel()
	h := heard(t, "leaver")
	h.leaves(-1)
	l, _ := h.settle()
	h.exec(`update plan_step set state = 'done' where plan_id = $1`, h.planOf(l.CaseID).ID)
	h.exec(`update plan set state = 'done' where case_id = $1`, l.CaseID)
	require.NoError(t, h.CloseCase(t.Context(), l.CaseID))
	l, r := h.settle()
	require.True(t, r.Ended)
	require.Empty(t, l.Lost)

	h.tell(func(*schema.Employment) {})
	l = h.leaver()
	require.Equal(t, schema.EndDone, l.End)
	require.Equal(t, []string{"fake: the account is deleted, it does not come back"}, l.Lost)
}

// TestSettleLeaverLeavesOthersAccountsAlone: an account with the leaver's login that
// somebody said is another person's is not sent off.
func TestSettleLeaverLeavesOthersAccountsAlone(t *testing.T) {
	t.Parallel()
	h := heard(t, "suspend")
	_, err := h.ImportRoster(t.Context(), schema.Roster{
		Source: "other", Mode: schema.RosterChanges, Fields: []string{"kind", "email"},
		Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: "1"}, Kind: schema.Employee, Email: "grace@example.com"}},
	}, false, h.admin)
	require.NoError(t, err)
	grace, err := h.PersonRef(t.Context(), "grace@example.com")
	require.NoError(t, err)
	a, err := h.vendor.ReadAccount(t.Context(), leaver)
	require.NoError(t, err)
	a.ConnectionID, a.ObservedAt = h.conn.ID, h.now()
	a, err = h.SaveAccount(t.Context(), a)
	require.NoError(t, err)
	require.NoError(t, h.LinkAccount(t.Context(), a.ID, grace, "the login went to her", h.admin))
	h.leaves(-1)
	l, _ := h.settle()
	require.Equal(t, schema.LeaverNoAccount, l.State)
	require.Empty(t, l.CaseID)
}
