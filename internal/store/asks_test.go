package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func (r *reviewed) noticeOf(a schema.AskRow) schema.QueuedNotice {
	r.t.Helper()
	list, _, err := r.ListNotices(r.t.Context(), schema.NoticeFilter{Limit: 100})
	require.NoError(r.t, err)
	for _, n := range list {
		if n.AskID == a.ID {
			return n
		}
	}
	require.Fail(r.t, "the question has no notice")
	return schema.QueuedNotice{}
}

func (r *reviewed) kept(account schema.AccountID) int {
	return r.count(`select count(*) from account_kept where account_id = $1 and policy_id = $2`, string(account), string(r.policy))
}

func TestAskingQueuesANoticeForEach(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, _, list := r.asked("1")
	require.NoError(t, r.AskAbout(ctx, r.run, account, asks("other@example.com"), time.Now()))
	got, err := r.AnswersOf(ctx, r.run, account)
	require.NoError(t, err)
	require.Len(t, got, 2, "a repeat asks nobody again")
	want := list[0]
	want.ReviewID, want.AccountID, want.State, want.CreatedAt = r.run, account, schema.AskPending, got[0].CreatedAt
	require.Equal(t, want, got[0])
	next, err := r.NextAnswer(ctx, r.run)
	require.NoError(t, err)
	require.Equal(t, list[0].ExpiresAt, next)

	n := r.noticeOf(list[1])
	require.Equal(t, []any{schema.NoticeAsk, schema.AudienceAsked, schema.ChannelMail, []string{"boss@example.com"}, r.policy, r.run, 0},
		[]any{n.Event, n.Audience, n.Channel, n.To, n.PolicyID, n.ReviewID, n.Version})
	queued := 0
	for _, row := range r.drain() {
		if row.Kind == schema.OutboxNotice {
			queued++
		}
	}
	require.Equal(t, 2, queued)
	require.NotContains(t, fmt.Sprint(r.auditOf(audit.PolicyStream(string(r.policy)))), "@example.com", "no address in the log")

	nobody, _ := r.planned("2")
	require.NoError(t, r.AskAbout(ctx, r.run, nobody, nil, time.Now()))
	require.NoError(t, r.AskAbout(ctx, r.run, nobody, nil, time.Now()))
	require.Equal(t, []any{schema.ItemReady, time.Time{}}, []any{r.item(nobody).State, r.item(nobody).AskUntil})
	requireCode(t, schema.CodeStale, r.AskAbout(ctx, r.run, nobody, asks("x@example.com"), time.Now()))
	bad, _ := r.planned("3")
	requireCode(t, schema.CodeInternal, r.AskAbout(ctx, r.run, bad, []schema.AskRow{{ID: "x"}}, time.Now()))
	r.in(schema.ReviewApproving)
	requireCode(t, schema.CodeStale, r.AskAbout(ctx, r.run, bad, nil, time.Now()))
}

func TestWhatAQuestionTells(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, _, list := r.asked("1")
	f, err := r.NoticeFacts(ctx, r.noticeOf(list[0]).ID)
	require.NoError(t, err)
	require.Equal(t, schema.NoticeFacts{
		To: []string{"holder@example.com"}, Event: schema.NoticeAsk, TimeZone: "Europe/Berlin",
		Ask: &schema.NoticeAskFacts{
			ID: list[0].ID, TokenHash: list[0].TokenHash, Text: "own\n{{link}}", Policy: "Dormant for 90 days", Owner: "owner@example.com", Connection: "box",
			Login: "user1@example.com", LastActiveAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Steps: unusedRule().Steps,
			Until: list[0].ExpiresAt, Silence: schema.SilenceProceeds,
		},
	}, f)
	f, err = r.NoticeFacts(ctx, r.noticeOf(list[1]).ID)
	require.NoError(t, err)
	require.Equal(t, []any{"", schema.SilenceNothing}, []any{f.Ask.Text, f.Ask.Silence})

	require.NoError(t, r.SettleItem(ctx, r.run, account, schema.ItemSilent, "", nil))
	f, err = r.NoticeFacts(ctx, r.noticeOf(list[0]).ID)
	require.NoError(t, err)
	require.True(t, f.Ask.Over)
	require.Empty(t, f.To, "who need not answer is not asked")
}

func TestOnlyDeliveredQuestionsCountAsAsked(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, _, list := r.asked("1")
	first, second := r.noticeOf(list[0]), r.noticeOf(list[1])
	require.NoError(t, r.RecordNotice(ctx, first.ID, schema.NoticeOutcome{State: schema.NoticePending, Error: "busy"}))
	require.Equal(t, "pending pending", r.askStates(account))
	require.NoError(t, r.RecordNotice(ctx, first.ID, schema.NoticeOutcome{State: schema.NoticeDelivered, TextHash: "t"}))
	require.NoError(t, r.RecordNotice(ctx, second.ID, schema.NoticeOutcome{State: schema.NoticeFailed, Error: "gone"}))
	require.Equal(t, "delivered failed", r.askStates(account))
	_, err := r.RetryNotice(ctx, second.ID, r.admin)
	require.NoError(t, err)
	require.NoError(t, r.RecordNotice(ctx, second.ID, schema.NoticeOutcome{State: schema.NoticeDelivered}))
	require.Equal(t, "delivered failed", r.askStates(account), "its time began before")
	require.True(t, strings.HasSuffix(r.policyActions(), " notice.delivered notice.failed notice.retried notice.delivered"), r.policyActions())
	require.NoError(t, r.answer(list[1], schema.AnswerNotNeeded, ""), "it may have come nevertheless")
	require.NoError(t, r.answer(list[0], schema.AnswerNotNeeded, ""))
	require.Equal(t, schema.ItemReady, r.item(account).State)
}

// A question that comes late leaves as much time to answer as one that comes at once.
func TestSilenceCountsFromTheDelivery(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, _ := r.planned("1")
	list := asks("holder@example.com", "boss@example.com")
	list[0].Wait, list[1].Wait = 3*time.Hour, time.Hour
	due := time.Now().Add(time.Minute) // the mail server was away until now
	require.NoError(t, r.AskAbout(ctx, r.run, account, list, due))
	facts, err := r.NoticeFacts(ctx, r.noticeOf(list[0]).ID)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(3*time.Hour), facts.Ask.Until, time.Minute, "what the mail says")
	require.NoError(t, r.RecordNotice(ctx, r.noticeOf(list[1]).ID, schema.NoticeOutcome{State: schema.NoticeDelivered, Linked: true}))
	require.WithinDuration(t, time.Now().Add(time.Hour), r.item(account).AskUntil, time.Minute)
	require.NoError(t, r.RecordNotice(ctx, r.noticeOf(list[0]).ID, schema.NoticeOutcome{State: schema.NoticeDelivered}))
	require.WithinDuration(t, time.Now().Add(3*time.Hour), r.item(account).AskUntil, time.Minute)
	next, err := r.NextAnswer(ctx, r.run)
	require.NoError(t, err)
	require.WithinDuration(t, r.item(account).AskUntil, next, time.Second)
	rows, err := r.AnswersOf(ctx, r.run, account)
	require.NoError(t, err)
	require.Equal(t, []any{false, true, time.Hour}, []any{rows[0].Linked, rows[1].Linked, rows[1].Wait})
	require.WithinDuration(t, time.Now(), rows[0].DeliveredAt, time.Minute)
}

func TestStillNeeded(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, _, list := r.asked("1")
	for _, reason := range []string{"", " \n", strings.Repeat("é", 1001)} {
		requireCode(t, schema.CodeInvalid, r.answer(list[0], schema.AnswerNeeded, reason))
	}
	requireCode(t, schema.CodeInvalid, r.answer(list[0], "perhaps", "x"))
	_ = r.toldReview()
	page, err := r.AnswerAsk(t.Context(), list[0].TokenHash, schema.AnswerNeeded, "audit season")
	require.NoError(t, err)
	require.Equal(t, []any{schema.AskAnswered, schema.AnswerNeeded, "audit season"}, []any{page.State, page.Answer, page.Reason})
	i := r.item(account)
	require.Equal(t, schema.ItemKept, i.State)
	require.Equal(t, "still needed, says holder: audit season", i.Why)
	require.Equal(t, "answered ended", r.askStates(account))
	require.Equal(t, 1, r.kept(account))
	require.Equal(t, 1, r.toldReview(), "the run hears of it")

	for _, a := range list {
		requireCode(t, schema.CodeClosed, r.answer(a, schema.AnswerNotNeeded, ""))
	}
	require.Equal(t, 1, r.kept(account))
	require.True(t, strings.HasSuffix(r.policyActions(), " review.answered review.item_kept"), r.policyActions())
}

func TestNotNeededByAllMakesItReadyAtOnce(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, _, list := r.asked("1")
	_ = r.toldReview()
	require.NoError(t, r.answer(list[0], schema.AnswerNotNeeded, ""))
	require.Equal(t, []any{schema.ItemAsking, 0}, []any{r.item(account).State, r.toldReview()}, "the other may still need it")
	require.NoError(t, r.answer(list[1], schema.AnswerNotNeeded, "gone"))
	require.Equal(t, []any{schema.ItemReady, 1, 0}, []any{r.item(account).State, r.toldReview(), r.kept(account)})
}

func TestThePageOfAQuestion(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	_, err := r.AskPage(ctx, "no such")
	requireCode(t, schema.CodeNotFound, err)
	_, err = r.AnswerAsk(ctx, "no such", schema.AnswerNotNeeded, "")
	requireCode(t, schema.CodeNotFound, err)
	account, _, list := r.asked("1")
	page := func() schema.AskPage {
		p, err := r.AskPage(ctx, list[0].TokenHash)
		require.NoError(t, err)
		return p
	}
	p := page()
	require.Equal(t, []any{"Dormant for 90 days", "box", "user1@example.com", list[0].ExpiresAt, "", 2},
		[]any{p.Policy, p.Connection, p.Login, p.Until, p.Closed, len(p.Steps)})

	closed := func(says string) {
		t.Helper()
		p := page()
		require.Contains(t, p.Closed, says)
		require.Zero(t, p.Until)
		got, err := r.AnswerAsk(ctx, list[0].TokenHash, schema.AnswerNeeded, "late")
		requireCode(t, schema.CodeClosed, err)
		require.Equal(t, p.Closed, got.Closed)
		require.Zero(t, r.kept(account))
	}
	r.exec(`update review_ask set expires_at = now() where id = $1`, string(list[0].ID))
	closed("the time to answer is over; if the account is still needed, tell owner@example.com")
	r.exec(`update review_ask set expires_at = now() + interval '1 hour' where id = $1`, string(list[0].ID))
	r.in(schema.ReviewEnded)
	closed("the review of the account has ended")
	r.in(schema.ReviewActing)
	require.NoError(t, r.SettleItem(ctx, r.run, account, schema.ItemSilent, "", nil))
	closed("no answer is needed any more")
}

// TestNeededAfterTheStartUndoesIt: the answer and the cancel are one.
func TestNeededAfterTheStartUndoesIt(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, p, list := r.started("1")
	r.approvedBegin(p)
	_ = r.drain()
	require.NoError(t, r.answer(list[1], schema.AnswerNeeded, "back from leave"))
	require.Equal(t, schema.PlanCancelling, r.plan(p.ID).State)
	require.Equal(t, []any{schema.ItemStarted, 1, "ended answered"}, []any{r.item(account).State, r.kept(account), r.askStates(account)})
	kinds := map[schema.OutboxKind]int{}
	for _, row := range r.drain() {
		kinds[row.Kind]++
	}
	require.Equal(t, map[schema.OutboxKind]int{schema.OutboxDecision: 1, schema.OutboxReview: 1}, kinds)
	list2, err := r.Decisions(t.Context(), p.CaseID)
	require.NoError(t, err)
	last := list2[len(list2)-1]
	require.Equal(t, []any{schema.DecideCancel, "policy:dormant", schema.TokenID(r.policy), "still needed, says manager: back from leave"},
		[]any{last.Kind, last.Principal, last.TokenID, last.Reason})

	require.NoError(t, r.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
	requireCode(t, schema.CodeClosed, r.answer(list[0], schema.AnswerNeeded, "x"))
}

// approvedBegin lets the plan of a started item begin.
func (r *reviewed) approvedBegin(p schema.Plan) {
	r.t.Helper()
	d := schema.Decision{CaseID: p.CaseID, Kind: schema.DecideApprove, Hash: r.hashOfCase(p.CaseID), Reason: "ok"}
	_, err := r.Decide(r.t.Context(), d, r.admin)
	require.NoError(r.t, err)
	r.begin(p.ID, 0)
}

func (r *reviewed) hashOfCase(id schema.CaseID) string {
	r.t.Helper()
	c, err := r.Case(r.t.Context(), id)
	require.NoError(r.t, err)
	return c.Hash
}

// TestOfTwoAnswersAtOnceOneWins: of one link, and of two that contradict.
func TestOfTwoAnswersAtOnceOneWins(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	for round := range 5 {
		account, _, list := r.asked(fmt.Sprint(round))
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for n := range errs {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, errs[n] = r.AnswerAsk(t.Context(), list[n%2].TokenHash, []schema.Answer{schema.AnswerNeeded, schema.AnswerNotNeeded}[n%2], "because")
			}()
		}
		wg.Wait()
		wins := 0
		for _, err := range errs {
			if err == nil {
				wins++
				continue
			}
			requireCode(t, schema.CodeClosed, err)
		}
		require.Contains(t, []int{1, 2}, wins)
		require.Equal(t, []any{schema.ItemKept, 1}, []any{r.item(account).State, r.kept(account)}, "needed wins whatever came first")
	}
}

func TestAPrincipalAnswers(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, _, _ := r.asked("1")
	_, err := r.AnswerItem(ctx, r.run, account, schema.AnswerNeeded, "", r.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = r.AnswerItem(ctx, r.run, account, schema.AnswerNeeded, "x", schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
	i, err := r.AnswerItem(ctx, r.run, account, schema.AnswerNotNeeded, "", r.admin)
	require.NoError(t, err)
	require.Equal(t, schema.ItemReady, i.State)
	_, err = r.AnswerItem(ctx, r.run, account, schema.AnswerNotNeeded, "", r.admin)
	requireCode(t, schema.CodeClosed, err)
	i, err = r.AnswerItem(ctx, r.run, account, schema.AnswerNeeded, "on leave", r.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.ItemKept, "still needed, says admin: on leave", 1}, []any{i.State, i.Why, r.kept(account)})
	_, err = r.AnswerItem(ctx, r.run, account, schema.AnswerNeeded, "again", r.admin)
	requireCode(t, schema.CodeClosed, err)
	events := r.auditOf(audit.PolicyStream(string(r.policy)))
	require.Equal(t, r.admin.Name, events[len(events)-1].Actor.Name)

	begun, p, _ := r.started("2")
	r.in(schema.ReviewEnded)
	_ = r.toldReview()
	i, err = r.AnswerItem(ctx, r.run, begun, schema.AnswerNeeded, "late", r.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.ItemStarted, schema.PlanCancelling, 1, 0}, []any{i.State, r.plan(p.ID).State, r.kept(begun), r.toldReview()},
		"also after the run, which is not told")
}
