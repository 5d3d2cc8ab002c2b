package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/reviewer"
	"sendoff/schema"
)

// These tests do what a campaign's workflow does, in two halves, with what people do in
// between.

// silent lets silence keep what nobody decided.
func silent(rule *schema.AccessReviewRule) {
	rule.Time.Silence, rule.Decisions.Abstain = schema.SilenceKeeps, true
}

// due gives what is overdue at an instant its meaning.
func (r *reviewing) due(at time.Time) (int, error) {
	return r.SilenceDue(r.t.Context(), r.id, schema.SilenceKeeps, at, 10)
}

// TestSilenceAsksThoseWhoAreNext: after the deadline, too, what somebody abstained from
// or gave to another is that one's to decide.
func TestSilenceAsksThoseWhoAreNext(t *testing.T) {
	t.Parallel()
	r := reviews(t, 4, silent)
	over := time.Now().Add(2 * time.Hour)
	r.takes(r.of("1"), schema.AnswerAbstain, r.by)
	_, err := r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{r.of("2").ID}, To: "owner@example.com", Reason: "knows it"}, r.admin)
	require.NoError(t, err)
	r.exec(`update campaign_item set escalate_at = now() + interval '3 hours' where login = 'user3@example.com'`)
	n, err := r.due(over)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for external, want := range map[string]schema.CampaignItemState{
		"1": schema.ItemUnassigned, "2": schema.ItemUnassigned, "3": schema.ItemOpen, "4": schema.ItemDecided,
	} {
		require.Equal(t, want, r.of(external).State, "item %s", external)
	}
	r.assign()
	require.Equal(t, []any{r.owner, r.owner}, []any{r.of("1").ReviewerID, r.of("2").ReviewerID})
	requireNotSilenced(t, r, r.of("1").ID, over)

	later := r.campaign(r.id).DueAt.Add(3 * time.Hour)
	_, err = r.ExtendCampaign(t.Context(), r.id, schema.Extend{To: later, Reason: "holidays"}, r.admin)
	require.NoError(t, err)
	_, err = r.due(over)
	requireCode(t, schema.CodeStale, err)
}

// requireNotSilenced has silence wait for the lock of an item that is given to others
// meanwhile.
func requireNotSilenced(t *testing.T, r *reviewing, item schema.ItemID, over time.Time) {
	t.Helper()
	ctx := t.Context()
	r.exec(`update campaign_item set escalate_at = case id when $1 then now() else now() + interval '3 hours' end where state = 'open'`, string(item))
	conn := r.sql()
	held, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = held.Exec(ctx, `update campaign_item set state = 'unassigned', reviewer_id = null where id = $1`, string(item))
	require.NoError(t, err)
	_, err = held.Exec(ctx, `update campaign_assignment set ended_at = now(), end_why = 'reassigned' where item_id = $1 and ended_at is null`, string(item))
	require.NoError(t, err)
	done := make(chan int, 1)
	go func() {
		n, _ := r.SilenceDue(context.WithoutCancel(ctx), r.id, schema.SilenceKeeps, over, 10)
		done <- n
	}()
	waiting := `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%campaign_item%'`
	require.Eventually(t, func() bool { return r.count(waiting) == 1 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, held.Commit(ctx))
	require.Zero(t, <-done)
	require.Equal(t, schema.ItemUnassigned, r.item(item).State)
	r.assign()
}

// TestACampaignThatIsOpenAgainIsNotSilenced: what a second look gave to others while the
// campaign was being closed is theirs, with all their time.
func TestACampaignThatIsOpenAgainIsNotSilenced(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, silent)
	ctx := t.Context()
	r.takes(r.of("1"), schema.AnswerKeep, r.by)
	_, err := r.CloseCampaign(ctx, r.id, true, "enough", r.admin)
	require.NoError(t, err)
	require.Equal(t, schema.CampaignClosing, r.campaign(r.id).State)
	_, err = r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: r.boss, Redo: true, Reason: "too fast"}, r.signer)
	require.NoError(t, err)
	_, err = r.ApplySilence(ctx, r.id, schema.SilenceKeeps, 10)
	requireCode(t, schema.CodeStale, err)
	_, err = r.due(time.Now())
	requireCode(t, schema.CodeStale, err)
	require.Equal(t, schema.CampaignOpen, r.campaign(r.id).State)
	require.Equal(t, []schema.CampaignItemState{schema.ItemUnassigned, schema.ItemOpen}, []schema.CampaignItemState{r.of("1").State, r.of("2").State})
}

// TestNothingThatChangedIsClosedOver: the deadline closes a campaign when it is over in
// that moment, and nothing is to be decided.
func TestNothingThatChangedIsClosedOver(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, silent)
	ctx := t.Context()
	over := time.Now().Add(2 * time.Hour)
	stays := func(at time.Time, why string) {
		t.Helper()
		requireCode(t, schema.CodeStale, r.CloseDue(ctx, r.id, at))
		require.Equal(t, schema.CampaignOpen, r.campaign(r.id).State, why)
	}
	r.takes(r.of("1"), schema.AnswerKeep, r.by)
	stays(over, "an item is open")
	r.takes(r.of("2"), schema.AnswerAbstain, r.by)
	stays(over, "it needs a reviewer")
	r.assign()
	r.takes(r.of("2"), schema.AnswerAbstain, r.signer)
	r.assign()
	require.Equal(t, schema.ItemUndecided, r.of("2").State, "nobody else is in the chain")
	_, err := r.Reassign(ctx, r.id, schema.Reassign{Items: []schema.ItemID{r.of("2").ID}, To: "boss@example.com", Reason: "knows it"}, r.admin)
	require.NoError(t, err)
	stays(over, "somebody was named")
	r.assign()
	_, err = r.EscalateDue(ctx, r.id, over, 10)
	require.NoError(t, err)
	r.assign()
	require.Equal(t, schema.ItemUndecided, r.of("2").State)

	later := over.Add(time.Hour)
	_, err = r.ExtendCampaign(ctx, r.id, schema.Extend{To: later, Reason: "holidays"}, r.admin)
	require.NoError(t, err)
	stays(over, "it was extended")
	requireCode(t, schema.CodeInternal, r.MoveCampaign(ctx, r.id, schema.CampaignOpen, schema.CampaignClosing))
	require.NoError(t, r.CloseDue(ctx, r.id, later), "what nobody can have does not keep it open")
	require.NoError(t, r.CloseDue(ctx, r.id, later), "a repeat changes nothing")
	c := r.campaign(r.id)
	require.Equal(t, []any{schema.CampaignClosing, false}, []any{c.State, c.ClosedAt.IsZero()})
	require.NoError(t, r.MoveCampaign(ctx, r.id, schema.CampaignClosing, schema.CampaignRemoving))
	requireCode(t, schema.CodeStale, r.CloseDue(ctx, r.id, later))
}

// TestNobodyIsAskedAboutWhatIsGone: whoever decided before it was gone does not have the
// next stage asked about it.
func TestNobodyIsAskedAboutWhatIsGone(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("first", schema.StageAll, named("boss@example.com")), stage("second", schema.StageAll, named("a@example.com"))))
	r.person("a@example.com", "")
	first := r.of("1")
	r.takes(first, schema.AnswerKeep, r.by)
	r.assign()
	status := func(external, is string) {
		t.Helper()
		r.exec(`update account set status = $2 where external_id = $1`, external, is)
		_, err := r.RefreshItems(t.Context(), r.id, "", 10)
		require.NoError(t, err)
	}
	status("1", "deleted")
	for _, answer := range []schema.ItemAnswer{schema.AnswerKeep, schema.AnswerRevoke} {
		d := r.says(word(r.of("1"), answer), r.by)
		require.Equal(t, []any{"conflict", "the access has ended: there is nothing to decide"}, []any{d.Code, d.Message})
		require.Equal(t, []any{schema.ItemGone, schema.ItemGone, 1}, []any{d.State, r.of("1").State, r.of("1").Stage})
	}

	// A word finds out that it is back, and stands: the next stage is asked.
	r.exec(`update account set status = 'active'`)
	r.exec(`update campaign_item set place = 1 where id = $1`, string(first.ID))
	r.dispatched()
	d := r.says(word(first, schema.AnswerRevoke), r.by)
	require.Equal(t, []any{"", schema.ItemUnassigned}, []any{d.Code, d.State})
	require.Contains(t, r.dispatched(), "campaign "+string(r.id))
	require.Equal(t, []any{schema.ItemUnassigned, 1, 1, true}, []any{r.of("1").State, r.of("1").Stage, r.of("1").Position, r.of("1").Facts.Held})

	// Nor does a word find out that it is gone and stand all the same.
	shown := r.of("2")
	status("2", "deleted")
	gone := r.of("2")
	status("2", "active")
	r.assign()
	r.exec(`update account set status = 'deleted'`)
	require.Equal(t, []int{shown.Version + 1, shown.Version + 2}, []int{gone.Version, r.of("2").Version})
	d = r.says(word(gone, schema.AnswerKeep), r.by)
	require.Equal(t, []any{"conflict", schema.ItemGone, schema.ItemGone}, []any{d.Code, d.State, r.of("2").State})
}

// TestWhatIsGoneComesToNoNextStage: what was decided, and has ended since, is corrected
// as far as nobody else would have to be asked.
func TestWhatIsGoneComesToNoNextStage(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1, stages(stage("first", schema.StageAll, named("boss@example.com")), stage("second", schema.StageKept, named("a@example.com"))))
	r.person("a@example.com", "")
	r.takes(r.of("1"), schema.AnswerRevoke, r.by)
	r.exec(`update account set status = 'deleted'`)
	require.Equal(t, "stale", r.says(word(r.of("1"), schema.AnswerKeep), r.by).Code)
	require.Equal(t, "conflict", r.says(word(r.of("1"), schema.AnswerKeep), r.by).Code)
	require.Equal(t, []any{schema.ItemDecided, schema.AnswerRevoke}, []any{r.of("1").State, r.of("1").Answer})
	r.takes(r.of("1"), schema.AnswerRevoke, r.by)
}

// TestOnlyAnOpenCampaignFollowsTheFacts: a comparison that is late changes nothing of
// what is closed or signed.
func TestOnlyAnOpenCampaignFollowsTheFacts(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2)
	r.exec(`update account set status = 'deleted' where external_id = '1'`)
	for _, state := range []schema.CampaignState{
		schema.CampaignClosing, schema.CampaignRemoving, schema.CampaignHeld, schema.CampaignClosed, schema.CampaignSigned,
	} {
		r.exec(`update campaign set state = $2 where id = $1`, string(r.id), string(state))
		next, err := r.RefreshItems(t.Context(), r.id, "", 1)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Equal(t, []any{schema.ItemOpen, 1}, []any{r.of("1").State, r.of("1").Version}, state)
	}
	for _, state := range []schema.CampaignState{schema.CampaignAssigning, schema.CampaignOpen} {
		r.exec(`update campaign set state = $2 where id = $1`, string(r.id), string(state))
		r.exec(`update account set status = case status when 'deleted' then 'active' else 'deleted' end where external_id = '2'`)
		version := r.of("2").Version
		_, err := r.RefreshItems(t.Context(), r.id, "", 10)
		require.NoError(t, err)
		require.Equal(t, version+1, r.of("2").Version, state)
	}
	require.Equal(t, schema.ItemGone, r.of("1").State)
}

// TestAssignmentsGoByWhatIsSoThen: reviewers that were found for another stage get
// nothing, and how long somebody has an item goes by the deadline of that moment.
func TestAssignmentsGoByWhatIsSoThen(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1, stages(stage("first", schema.StageAll, named("boss@example.com"), named("next@example.com")),
		stage("second", schema.StageAll, named("a@example.com"))))
	ctx := t.Context()
	a, next := r.person("a@example.com", ""), r.person("next@example.com", "")
	r.takes(r.of("1"), schema.AnswerKeep, r.by)
	find := func() []schema.Assignment {
		t.Helper()
		list, err := r.Unassigned(ctx, r.id, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		dir, err := r.Directory(ctx, r.id, r.review.Rule)
		require.NoError(t, err)
		return []schema.Assignment{reviewer.New(r.review.Rule, &dir, time.Now()).Choose(list[0])}
	}
	found := find()
	require.Equal(t, a, found[0].ReviewerID)
	_, err := r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: r.boss, Redo: true, Reason: "too fast"}, r.signer)
	require.NoError(t, err)
	require.NoError(t, r.Assign(ctx, r.id, found, nil))
	require.Equal(t, []any{schema.ItemUnassigned, 0, 1}, []any{r.of("1").State, r.of("1").Stage, r.of("1").Version})

	found = find()
	require.Equal(t, next, found[0].ReviewerID)
	old := found[0]
	old.From++
	require.NoError(t, r.Assign(ctx, r.id, []schema.Assignment{old}, nil))
	require.Equal(t, schema.ItemUnassigned, r.of("1").State, "it is at another place of the chain")
	later := r.campaign(r.id).DueAt.Add(time.Hour)
	_, err = r.ExtendCampaign(ctx, r.id, schema.Extend{To: later, Reason: "holidays"}, r.admin)
	require.NoError(t, err)
	require.NoError(t, r.Assign(ctx, r.id, found, func(to schema.PersonID, due time.Time) time.Time {
		require.Equal(t, next, to)
		require.WithinDuration(t, later, due, 0)
		return due.Add(time.Hour)
	}))
	require.Equal(t, next, r.of("1").ReviewerID)
	due, err := r.NextDue(ctx, r.id)
	require.NoError(t, err)
	require.WithinDuration(t, later.Add(time.Hour), due, 0)
}
