package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
	"sendoff/schema"
)

// shadows makes a rule one that never acts.
func shadows(r *schema.PolicyRule) { r.Mode = schema.PolicyShadow }

// coldStarts lets the first run of a rule only report.
func coldStarts(r *schema.PolicyRule) { r.ColdStart = schema.ColdReports }

// needs sets how many approvals the runs of a rule need.
func needs(n int) func(*schema.PolicyRule) {
	return func(r *schema.PolicyRule) { r.Approvals = n }
}

func TestAReviewBeginsOnce(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.has(suspends("dormant", needs(2)))
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	r, err := p.BeginReview(ctx, policy.ID, at, "flow")
	require.NoError(t, err)
	require.Equal(t, []any{policy.ID, "dormant", 1, at, schema.TriggerSchedule, schema.ReviewActs, schema.ReviewGathering, 2, "flow"},
		[]any{r.PolicyID, r.Policy, r.Version, r.ScheduledAt, r.Trigger, r.Mode, r.State, r.Approvals, r.WorkflowID})
	require.Equal(t, r, p.run(r.ID))
	again, err := p.BeginReview(ctx, policy.ID, at, "flow")
	require.NoError(t, err)
	require.Equal(t, r, again)

	_, err = p.BeginReview(ctx, policy.ID, at.Add(time.Hour), "other")
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, string(r.ID))
	_, err = p.BeginReview(ctx, schema.PolicyID(r.ID), at, "none")
	requireCode(t, schema.CodeNotFound, err)

	p.has(suspends("dormant"))
	_, err = p.SetPolicyState(ctx, "dormant", schema.PolicyPaused, "wait", p.admin)
	require.NoError(t, err)
	again, err = p.BeginReview(ctx, policy.ID, at, "flow")
	require.NoError(t, err, "one that has begun goes on")
	require.Equal(t, 1, again.Version, "by the version it began with")
	require.NoError(t, p.EndReview(ctx, r.ID, schema.ReviewStale, "too old"))
	_, err = p.BeginReview(ctx, policy.ID, at.Add(time.Hour), "other")
	requireCode(t, schema.CodeClosed, err)
	flow, ended, err := p.ReviewFlow(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, []any{"flow", true}, []any{flow, ended})
	_, _, err = p.ReviewFlow(ctx, schema.ReviewID(policy.ID))
	requireCode(t, schema.CodeNotFound, err)
}

func TestAReviewIsAskedFor(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.has(suspends("dormant"))
	p.outbox()
	r, err := p.RequestReview(ctx, "dormant", schema.ReviewActs, p.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.ReviewActs, schema.TriggerPerson, "admin", p.admin.TokenID, schema.ReviewGathering},
		[]any{r.Mode, r.Trigger, r.RequestedBy, r.RequestedID, r.State})
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	flow, ended, err := p.ReviewFlow(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, []any{"review/" + string(policy.ID) + "/" + string(r.ID), false}, []any{flow, ended})

	_, err = p.RequestReview(ctx, "dormant", schema.ReviewReports, p.admin)
	requireCode(t, schema.CodeConflict, err)
	require.ErrorContains(t, err, string(r.ID))
	_, err = p.RequestReview(ctx, "dormant", schema.ReviewShadows, p.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = p.RequestReview(ctx, "none", schema.ReviewActs, p.admin)
	requireCode(t, schema.CodeNotFound, err)

	require.NoError(t, p.EndReview(ctx, r.ID, schema.ReviewDone, ""))
	_, err = p.SetPolicyState(ctx, "dormant", schema.PolicyPaused, "wait", p.admin)
	require.NoError(t, err)
	_, err = p.RequestReview(ctx, "dormant", schema.ReviewActs, p.admin)
	requireCode(t, schema.CodeClosed, err)
	r, err = p.RequestReview(ctx, "dormant", schema.ReviewReports, p.admin)
	require.NoError(t, err, "a report does nothing")
	require.Equal(t, schema.ReviewReports, r.Mode)
	require.Equal(t, schema.ReviewReported, p.judges(r).End)

	p.has(suspends("cold", coldStarts))
	r, err = p.RequestReview(ctx, "cold", schema.ReviewActs, p.admin)
	require.NoError(t, err)
	require.Equal(t, schema.ReviewColdStarts, r.Mode, "asking for it is no way around the cold start")
}

func TestWhatARunIsAllowedToDo(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	shadow := p.has(suspends("shadow", shadows, coldStarts))
	for range 2 {
		r := p.judges(p.begins(shadow), p.matched("1")...)
		require.Equal(t, []any{schema.ReviewShadows, schema.ReviewEnded, schema.ReviewReported}, []any{r.Mode, r.State, r.End})
		require.Equal(t, map[schema.ItemState]int{schema.ItemCancelled: 1}, p.items(r.ID))
	}
	cold := p.has(suspends("cold", coldStarts))
	first := p.begins(cold)
	require.NoError(t, p.EndReview(t.Context(), first.ID, schema.ReviewStale, "too old"))
	second := p.begins(cold)
	require.Equal(t, schema.ReviewColdStarts, second.Mode, "one that judged nothing was no cold start")
	second = p.judges(second, p.matched("1")...)
	require.Equal(t, []any{schema.ReviewReported, int64(100), "WHOLE"}, []any{second.End, second.Looked, second.Basis[0].Why})
	require.EqualValues(t, 1, schema.CountOf(second.Reasons, schema.ReasonMatched))
	third := p.judges(p.begins(cold))
	require.Equal(t, []any{schema.ReviewActs, schema.ReviewDone}, []any{third.Mode, third.End}, "nothing matched")
	acted, err := p.Policy(t.Context(), "cold")
	require.NoError(t, err)
	require.Equal(t, 2, acted.Acted)
	fourth := p.judges(p.begins(cold), p.matched("1")...)
	require.Equal(t, schema.ReviewPlanning, fourth.State)
	again, err := p.BeginPlanning(t.Context(), fourth.ID, schema.Judgement{At: time.Now(), Looked: 7})
	require.NoError(t, err)
	require.Equal(t, fourth, again, "it is judged once")
	require.NoError(t, p.EndReview(t.Context(), fourth.ID, schema.ReviewFailed, "fault"))
	require.Equal(t, []string{schema.AlarmReviewFailed}, p.openAlarms())
	p.judges(p.begins(cold))
	require.Equal(t, []string{schema.AlarmReviewFailed}, p.openAlarms(), "its schedule is stopped, whatever one run came to")
	_, err = p.SetPolicyState(t.Context(), "cold", schema.PolicyActive, "looked at it", p.author)
	require.NoError(t, err)
	require.Empty(t, p.openAlarms())
	requireCode(t, schema.CodeStale, p.BeginJudging(t.Context(), fourth.ID))
	requireCode(t, schema.CodeInternal, p.EndReview(t.Context(), fourth.ID, "somehow", ""))
}

func TestChangedVerdictsAreMarked(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy := p.has(suspends("dormant", shadows))
	excluded := func(e string) schema.Judged { return p.judged(e, schema.ReasonExcluded) }
	first := p.judges(p.begins(policy), append(p.matched("same", "kept", "gone"), excluded("out"))...)
	require.Zero(t, first.Changed, "there was no run before")
	unjudged := p.begins(policy)
	require.NoError(t, p.EndReview(t.Context(), unjudged.ID, schema.ReviewStale, "too old"))

	second := p.judges(p.begins(policy), append(p.matched("same", "new", "out"), excluded("kept"))...)
	marks := func(id schema.ReviewID) map[schema.ExternalID][2]schema.VerdictReason {
		list, _, err := p.Verdicts(t.Context(), id, "", true, "", 100)
		require.NoError(t, err)
		out := map[schema.ExternalID][2]schema.VerdictReason{}
		for _, v := range list {
			out[v.ExternalID] = [2]schema.VerdictReason{v.Before, v.Reason}
		}
		return out
	}
	require.Equal(t, map[schema.ExternalID][2]schema.VerdictReason{
		"new": {schema.ReasonOther, schema.ReasonMatched}, "out": {schema.ReasonExcluded, schema.ReasonMatched},
		"kept": {schema.ReasonMatched, schema.ReasonExcluded}, "gone": {schema.ReasonMatched, schema.ReasonOther},
	}, marks(second.ID))
	require.EqualValues(t, 4, second.Changed)

	third := p.judges(p.begins(policy), append(p.matched("same", "new", "out", "gone"), excluded("kept"))...)
	require.Equal(t, map[schema.ExternalID][2]schema.VerdictReason{"gone": {schema.ReasonOther, schema.ReasonMatched}}, marks(third.ID))
	fourth := p.judges(p.begins(policy))
	require.EqualValues(t, 5, fourth.Changed)
	require.Zero(t, p.judges(p.begins(policy)).Changed, "who left before does not leave again")
}

func TestARunEndsWithWhatItDidNotStart(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.has(suspends("dormant"))
	list := p.matched("1", "2", "3")
	r := p.ends(p.plans(policy, list...))
	require.Equal(t, schema.ReviewActing, r.State, "no approval is needed")
	require.Equal(t, 3, p.used())
	p.starts(policy, r, list[0])
	require.Equal(t, 3, p.used(), "what the run took is not counted again")
	ask := schema.AskRow{
		ID: schema.AskID(newUUID()), Whom: schema.AskHolder, Channel: schema.ChannelMail, Recipient: "a@example.com", TokenHash: "hash",
		ExpiresAt: time.Now().Add(time.Hour),
	}
	require.NoError(t, p.AskAbout(ctx, r.ID, list[1].AccountID, []schema.AskRow{ask}, ask.ExpiresAt))
	p.outbox()

	_, err := p.CancelReview(ctx, r.ID, " ", p.admin)
	requireCode(t, schema.CodeInvalid, err)
	r, err = p.CancelReview(ctx, r.ID, "not now", p.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.ReviewEnded, schema.ReviewCancelled, "not now"}, []any{r.State, r.End, r.Why})
	require.Equal(t, map[schema.ItemState]int{schema.ItemStarted: 1, schema.ItemCancelled: 2}, p.items(r.ID))
	require.Equal(t, 1, p.used())
	require.Equal(t, 1, p.count(`select count(*) from review_ask where state = 'ended'`))
	require.Equal(t, []string{"review " + string(r.ID)}, p.outbox())
	_, err = p.CancelReview(ctx, r.ID, "again", p.admin)
	requireCode(t, schema.CodeConflict, err)
	require.NoError(t, p.EndReview(ctx, r.ID, schema.ReviewDone, ""), "it stays as it is")
	require.Equal(t, r, p.run(r.ID))

	none := p.ends(p.plans(policy, p.matched("4")...))
	require.NoError(t, p.EndReview(ctx, none.ID, schema.ReviewFailed, ""))
	require.Equal(t, 1, p.count(`select count(*) from budget_use`), "of a run that started nothing, nothing is left")
}

func TestAPlanThatWritesNothingUsesNothing(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy := p.has(suspends("manual", needs(1), func(r *schema.PolicyRule) {
		r.Steps, r.Budget.PerRun = []schema.StepFact{{Kind: schema.StepManual}}, 1
	}))
	r := p.ends(p.plans(policy, p.matched("1", "2")...))
	require.Equal(t, []any{schema.ReviewActing, 0}, []any{r.State, r.Wanted.Accounts})
	require.Zero(t, p.used())
}

func TestReviewsAreListed(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	a, b := p.has(suspends("a", shadows)), p.has(suspends("b", shadows))
	one, two, three := p.judges(p.begins(a)), p.judges(p.begins(b)), p.begins(a)
	ids := func(f schema.ReviewFilter) (out []schema.ReviewID) {
		for {
			list, next, err := p.Reviews(t.Context(), f)
			require.NoError(t, err)
			require.LessOrEqual(t, len(list), f.Limit)
			for _, r := range list {
				out = append(out, r.ID)
			}
			if f.After = next; next == "" {
				return out
			}
		}
	}
	require.Equal(t, []schema.ReviewID{three.ID, two.ID, one.ID}, ids(schema.ReviewFilter{Limit: 1}))
	require.Equal(t, []schema.ReviewID{three.ID, one.ID}, ids(schema.ReviewFilter{Policy: "a", Limit: 1}))
	require.Equal(t, []schema.ReviewID{two.ID, one.ID}, ids(schema.ReviewFilter{State: schema.ReviewEnded, Limit: 2}))
	require.Equal(t, []schema.ReviewID{one.ID}, ids(schema.ReviewFilter{Policy: string(a.ID), State: schema.ReviewEnded, Limit: 2}))
	_, _, err := p.Reviews(t.Context(), schema.ReviewFilter{Policy: "none", Limit: 2})
	requireCode(t, schema.CodeNotFound, err)
	_, _, err = p.Reviews(t.Context(), schema.ReviewFilter{After: "x", Limit: 2})
	requireCode(t, schema.CodeInvalid, err)
}

// A run that is begun from two workers at the same moment is one run.
func TestAReviewIsBegunAtOnce(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	policy := p.has(suspends("dormant"))
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	ids := make(chan schema.ReviewID, 4)
	for _, s := range []*store.Store{p.Store, p.open(), p.Store, p.open()} {
		go func() {
			r, _ := s.BeginReview(t.Context(), policy.ID, at, "flow")
			ids <- r.ID
		}()
	}
	first := <-ids
	require.NotEmpty(t, first)
	for range 3 {
		require.Equal(t, first, <-ids)
	}
}

// An account may be confirmed after its run looked for the last time.
func TestARunIsNotDoneWhileAccountsAreToBeStarted(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, _, _ := r.asked("1")
	for _, state := range []schema.ItemState{schema.ItemAsking, schema.ItemReady} {
		if state == schema.ItemReady {
			require.NoError(t, r.SettleItem(t.Context(), r.run, account, state, "not needed", nil))
		}
		requireCode(t, schema.CodeStale, r.EndReview(t.Context(), r.run, schema.ReviewDone, ""))
		require.Equal(t, state, r.item(account).State)
	}
	require.NoError(t, r.SettleItem(t.Context(), r.run, account, schema.ItemSilent, "", nil))
	require.NoError(t, r.EndReview(t.Context(), r.run, schema.ReviewDone, ""))
}
