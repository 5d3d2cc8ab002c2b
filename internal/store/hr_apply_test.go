package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestALeaverByAFeed(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 1}}, h.applies())
	h.nobody("ada@example.com")
	h.drain()

	e := h.employs(employment("1", "ada@example.com", last(3)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 1, Leavers: 1}}, h.applies())
	l := h.who("ada@example.com")
	require.Equal(t, schema.LeaverPlanning, l.State)
	require.Equal(t, inDays(3), l.Moment.Date)
	require.Equal(t, []any{"payroll", "1", int64(1), h.src.Template, false}, []any{l.Source, l.ExternalID, l.Revision, l.Template, l.ByHand})
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
	rows := h.drain()
	require.Len(t, rows, 1)
	require.Equal(t, []any{schema.OutboxLeaver, l.ID}, []any{rows[0].Kind, rows[0].LeaverID})
	h.nobody("bob@example.com")

	e = h.employs(employment("1", "ada@example.com", last(3), "department=R&D"))
	h.applies()
	require.Equal(t, []string{"1 none"}, h.effects(e))
	require.Equal(t, l.Revision, h.who("ada@example.com").Revision)
	require.Empty(t, h.drain())
}

// TestWhatHRCorrectsIsAudited: a date is moved, set in the past, cleared, and set
// again, each with what was wanted before.
func TestWhatHRCorrectsIsAudited(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"))
	h.applies()
	var effects []string
	for _, more := range [][]string{{last(3)}, {last(9)}, {last(-2)}, {}, {last(5)}} {
		e := h.employs(employment("1", "ada@example.com", more...))
		h.applies()
		effects = append(effects, h.effects(e)...)
	}
	require.Equal(t, []string{"1 leaver", "1 moved", "1 moved", "1 withdrawn", "1 leaver"}, effects)
	require.Equal(t, []string{"heard", "moved", "moved", "withdrawn", "heard"}, h.leaverActions("ada@example.com"))
	l := h.who("ada@example.com")
	require.Equal(t, []any{schema.LeaverPlanning, int64(5)}, []any{l.State, l.Revision}, "it was being undone and is wanted again")

	var days []string
	for _, e := range h.auditOf("person/" + string(l.PersonID)) {
		days = append(days, e.Details["before_date"]+" "+e.Details["after_date"])
		require.Equal(t, "payroll", e.Details["source"])
		require.NotEmpty(t, e.Details["event"])
		require.Equal(t, "hr:payroll", e.Actor.Name)
		require.Equal(t, "Europe/Berlin", e.Details["after_zone"])
		require.NotEmpty(t, e.Details["after_due_at"])
	}
	d := func(n int) string { return inDays(n).String() }
	require.Equal(t, []string{" " + d(3), d(3) + " " + d(9), d(9) + " " + d(-2), d(-2) + " " + d(-2), d(-2) + " " + d(5)}, days)
}

func TestCorrectionsOfOneRoundAreOne(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	first := h.employs(employment("1", "ada@example.com", last(3)))
	h.employs(employment("1", "ada@example.com", last(4)))
	h.employs(employment("1", "ada@example.com", last(5)))
	h.employs(employment("2", "bob@example.com", last(3)))
	h.employs(employment("2", "bob@example.com"))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 6, Leavers: 1}}, h.applies())
	require.Equal(t, inDays(5), h.who("ada@example.com").Moment.Date)
	require.Equal(t, int64(1), h.who("ada@example.com").Revision)
	require.Equal(t, []string{"1 leaver"}, h.effects(first))
	require.Equal(t, []string{"heard"}, h.leaverActions("ada@example.com"))
	h.nobody("bob@example.com")
}

// TestALeaverIsNotMissedForAnAddress: a known employment whose new address is
// another's ends all the same.
func TestALeaverIsNotMissedForAnAddress(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", "department=R&D"), employment("2", "bob@example.com"))
	e := h.employs(employment("1", "bob@example.com", last(3), "department=Sales"))
	h.applies()
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
	require.Equal(t, "email_taken", h.event(e).Outcome[0].Detail)
	known := h.person("ada@example.com").Employments[0]
	require.Equal(t, []any{"ada@example.com", "R&D", inDays(3)}, []any{known.Email, known.Department, known.LastWorkingDay})
	require.Equal(t, inDays(3), h.who("ada@example.com").Moment.Date)
	h.nobody("bob@example.com")
	issues, _, err := h.PersonIssues(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Equal(t, []string{"email_taken 1"}, issueKinds(issues))
}

// TestTheJudgeSeesTheWholePerson: both employments of a contractor who becomes an
// employee, of two sources, and nothing of a roster that is no source.
func TestTheJudgeSeesTheWholePerson(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	agency := sourceOf("agency", schema.SourceHMAC)
	agency.TimeZone = "America/New_York"
	second, err := h.CreateSource(t.Context(), agency, schema.SourceSecrets{Current: "s3cret-one"}, h.admin)
	require.NoError(t, err)
	h.roster(schema.RosterChanges, employment("9", "ada@example.com"))
	h.tells(second, changes(employment("7", "ada@example.com", "kind=contractor")))
	h.applies()
	h.employs(employment("1", "ada@example.com", "number=5"))
	h.tells(second, changes(employment("7", "ada@example.com", "kind=contractor", last(2))))
	var seen []schema.LeaverFacts
	for range 2 {
		_, took, err := h.ApplyEvents(t.Context(), func(f schema.LeaverFacts) (schema.Leaving, error) {
			seen = append(seen, f)
			return judge(f)
		})
		require.NoError(t, err)
		require.True(t, took)
	}
	all := seen[len(seen)-1]
	var keys []string
	for _, e := range all.Employments {
		keys = append(keys, e.Source+" "+e.ExternalID)
	}
	require.Equal(t, []string{"agency 7", "payroll 1"}, keys)
	require.False(t, all.New[schema.EmploymentKey{Source: "agency", ExternalID: "7"}], "its end is news")
	require.True(t, seen[0].New[schema.EmploymentKey{Source: "payroll", ExternalID: "1"}])
	require.False(t, all.HeardAt.IsZero())
	h.nobody("ada@example.com")

	h.employs(employment("1", "ada@example.com", "number=5", last(4)))
	h.applies()
	require.Equal(t, []string{"payroll", "Europe/Berlin"}, []string{h.who("ada@example.com").Source, h.who("ada@example.com").Moment.TimeZone})
	h.tells(second, changes(employment("7", "ada@example.com", "kind=contractor", last(2), "department=X")))
	h.applies()
	require.Equal(t, int64(1), h.who("ada@example.com").Revision, "the verdict does not hang on who told last")
}

// TestHistoryMakesNoLeavers: not when it is first told, nor when it is told again.
func TestHistoryMakesNoLeavers(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	for _, more := range []string{"department=A", "department=A", "department=B"} {
		h.employs(employment("1", "ada@example.com", last(-400), more))
		h.applies()
	}
	h.nobody("ada@example.com")
	h.employs(employment("1", "ada@example.com", last(-399)))
	h.applies()
	require.Equal(t, schema.LeaverPlanning, h.who("ada@example.com").State, "its end is news")
}

// TestTheSameEndIsOnce: what ended is not begun again by the same moment, but by
// another, and by the same after the feed said that they stay.
func TestTheSameEndIsOnce(t *testing.T) {
	t.Parallel()
	for _, end := range []schema.LeaverEnd{schema.EndCancelled, schema.EndDone, schema.EndNoAccount} {
		h := hrSetup(t)
		h.employs(employment("1", "ada@example.com", "status=ended"))
		h.applies()
		l := h.who("ada@example.com")
		require.Equal(t, schema.StartsAtOnce, l.Moment.Starts)
		require.NoError(t, h.EndLeaver(t.Context(), l.ID, l.Revision, end))
		for _, more := range []string{"department=A", "department=B"} {
			e := h.employs(employment("1", "ada@example.com", "status=ended", more))
			h.applies()
			require.Equal(t, []string{"1 none"}, h.effects(e))
		}
		h.employs(employment("1", "ada@example.com", "status=active"))
		h.applies()
		e := h.employs(employment("1", "ada@example.com", "status=ended"))
		h.applies()
		require.Equal(t, []string{"1 leaver"}, h.effects(e), "after a rehire it is news")
		require.NotEqual(t, l.ID, h.who("ada@example.com").ID)
	}
}

// TestEventsOfOtherFieldsAreApart: what an event does not tell stays, whatever
// comes beside it.
func TestEventsOfOtherFieldsAreApart(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", "department=R&D"))
	e := employment("1", "")
	e.LastWorkingDay = inDays(3)
	h.tells(h.src, schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
		Mode: schema.RosterChanges, Fields: []string{"last_working_day"}, Employments: []schema.Employment{e},
	}})
	require.Len(t, h.applies(), 1)
	ada := h.person("ada@example.com").Employments[0]
	require.Equal(t, []any{"R&D", inDays(3)}, []any{ada.Department, ada.LastWorkingDay})
}

// TestAWholeRosterEndsNobodyByWhatItLeavesOut: nor do two whole rosters become one.
func TestAWholeRosterEndsNobodyByWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	whole := func(rows ...schema.Employment) {
		c := changes(rows...)
		c.Roster.Mode = schema.RosterWhole
		h.tells(h.src, c)
	}
	whole(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	whole(employment("1", "ada@example.com", last(3)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 2, Leavers: 1}}, h.applies())
	require.Equal(t, inDays(3), h.who("ada@example.com").Moment.Date)
	require.False(t, h.person("bob@example.com").Employments[0].AbsentSince.IsZero())
	h.nobody("bob@example.com")
}

func TestOrderAndGroups(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	const group = 30
	for i := range 490 {
		h.employs(employment(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i)))
	}
	for i := range group {
		h.accepts(h.src, "g", changes(employment("1", "p1@example.com", last(1+i))))
	}
	h.employs(employment("2", "p2@example.com", last(1)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 490 + group, Leavers: 1}, {Source: "payroll", Events: 1, Leavers: 1}}, h.applies())
	require.Equal(t, inDays(group), h.who("p1@example.com").Moment.Date)
}

func TestAPoisonousEventStopsNoOther(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"))
	bad := h.employs(employment("2", "bob@example.com", "name=a\x00b"))
	empty := h.tells(h.src, schema.HRChange{Kind: schema.ChangeEmployments})
	good := h.employs(employment("1", "ada@example.com", last(3)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 4, Leavers: 1}}, h.applies())
	for _, e := range []schema.HREvent{bad, empty} {
		got := h.event(e)
		require.Equal(t, schema.EventRefused, got.State)
		require.NotEmpty(t, got.Problems)
		require.True(t, got.AppliedAt.IsZero())
	}
	require.Equal(t, schema.EventApplied, h.event(good).State)
	require.Equal(t, inDays(3), h.who("ada@example.com").Moment.Date)
	require.Len(t, h.alarms(), 1)
	require.Equal(t, schema.AlarmEventRefused, h.alarms()[0].Code)
}

// TestWhatNobodyCanJudgeIsRefused: the fault of one person's facts is that of the
// event which told them.
func TestWhatNobodyCanJudgeIsRefused(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(3)))
	bad := h.employs(employment("2", "bob@example.com", "department=cursed"))
	cursed := func(f schema.LeaverFacts) (schema.Leaving, error) {
		if slices.ContainsFunc(f.Employments, func(e schema.Employment) bool { return e.Department == "cursed" }) {
			return schema.Leaving{}, &schema.Error{Code: schema.CodeInvalid, Message: "no zone"}
		}
		return judge(f)
	}
	_, took, err := h.ApplyEvents(t.Context(), cursed)
	require.NoError(t, err)
	require.True(t, took)
	require.Equal(t, "no zone", h.event(bad).Problems[0].Message)
	require.Equal(t, schema.LeaverPlanning, h.who("ada@example.com").State)
	_, err = h.PersonRef(t.Context(), "bob@example.com")
	requireCode(t, schema.CodeNotFound, err)
}

func TestManagersThatLeadNowhere(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", "manager=2"))
	h.employs(employment("2", "bob@example.com", "manager=3"))
	e := h.employs(employment("3", "eve@example.com", "manager=1"), employment("4", "mia@example.com", "manager=4"), employment("5", "tim@example.com", "manager=99"))
	h.applies()
	require.Equal(t, schema.EventApplied, h.event(e).State)
	kinds := func() []string {
		issues, _, err := h.PersonIssues(t.Context(), "", "", 10)
		require.NoError(t, err)
		return issueKinds(issues)
	}
	require.Equal(t, []string{"manager_cycle 1", "manager_cycle 2", "manager_cycle 3", "manager_unknown 5", "self_manager 4"}, kinds())

	h.employs(employment("99", "zoe@example.com"))
	h.applies()
	require.Equal(t, "zoe@example.com", h.person("tim@example.com").Manager, "who is known only now")
	h.employs(employment("2", "bob@example.com"))
	h.employs(employment("4", "mia@example.com", "manager=1", last(3)))
	h.applies()
	require.Empty(t, kinds())
	require.Equal(t, schema.LeaverPlanning, h.who("mia@example.com").State)
}

// TestAccountsFollowWhatIsToldOfPersons: without a look at all the others.
func TestAccountsFollowWhatIsToldOfPersons(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	a := h.account("1")
	h.employs(employment("1", a.Login))
	h.applies()
	require.Len(t, h.person(a.Login).Accounts, 1)
	h.employs(employment("1", "ada@example.com"))
	h.applies()
	require.Len(t, h.person("ada@example.com").Accounts, 1)
}

func TestASourceThatWasDisabled(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	h.applies()
	h.employs(employment("1", "ada@example.com", last(3)))
	_, err := h.SetSourceState(t.Context(), "payroll", schema.ConnectionDisabled, "test", h.admin)
	require.NoError(t, err)
	h.applies()
	l := h.who("ada@example.com")
	require.Equal(t, schema.LeaverPlanning, l.State, "what was accepted is applied")

	_, err = h.RejudgeLeavers(t.Context(), judge, 10)
	require.NoError(t, err)
	other := h.source("other", schema.SourceHMAC)
	h.tells(other, changes(employment("8", "ada@example.com", "kind=contractor")))
	h.applies()
	require.Equal(t, l.Revision, h.who("ada@example.com").Revision, "its silence is no word that they stay")
}

func TestLeaversAreJudgedAgain(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	for i := range 5 {
		h.employs(employment(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i), last(3)))
	}
	h.applies()
	done, err := h.RejudgeLeavers(t.Context(), judge, 2)
	require.NoError(t, err)
	require.Zero(t, done.Leavers)
	begun := func(f schema.LeaverFacts) (schema.Leaving, error) {
		require.WithinDuration(t, time.Now(), f.HeardAt, time.Minute)
		if f.Employments[0].ExternalID == "4" {
			return schema.Leaving{Key: f.Employments[0].EmploymentKey, Why: "the next began"}, nil
		}
		return judge(f)
	}
	done, err = h.RejudgeLeavers(t.Context(), begun, 2)
	require.NoError(t, err)
	require.Equal(t, 1, done.Leavers)
	require.Equal(t, schema.LeaverWithdrawn, h.who("p4@example.com").State)
}

func TestAHintLetsTheSourceBeAsked(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	bamboo := h.source("bamboo", schema.SourceBambooHR)
	h.drain()
	e := h.tells(bamboo, schema.HRChange{Kind: schema.ChangeHint})
	h.tells(bamboo, schema.HRChange{Kind: schema.ChangeHint})
	h.applies()
	require.Equal(t, []string{" poll"}, h.effects(e))
	rows := h.drain()
	require.Len(t, rows, 1)
	require.Equal(t, []any{schema.OutboxPoll, bamboo.ID}, []any{rows[0].Kind, rows[0].SourceID})
}
