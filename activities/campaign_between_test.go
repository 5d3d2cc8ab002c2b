package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// between is the store, with what happens right before some of its calls.
type between struct {
	activities.CampaignStore
	before map[string]func()
}

func (b *between) happens(call string) {
	if f := b.before[call]; f != nil {
		delete(b.before, call)
		f()
	}
}

func (b *between) Assign(ctx context.Context, id schema.CampaignID, list []schema.Assignment, escalate func(schema.PersonID, time.Time) time.Time) error {
	b.happens("assign")
	return b.CampaignStore.Assign(ctx, id, list, escalate)
}

func (b *between) SilenceDue(ctx context.Context, id schema.CampaignID, s schema.CampaignSilence, now time.Time, limit int) (int, error) {
	b.happens("due")
	return b.CampaignStore.SilenceDue(ctx, id, s, now, limit)
}

func (b *between) ApplySilence(ctx context.Context, id schema.CampaignID, s schema.CampaignSilence, limit int) (int, error) {
	b.happens("silence")
	return b.CampaignStore.ApplySilence(ctx, id, s, limit)
}

func (b *between) CloseDue(ctx context.Context, id schema.CampaignID, now time.Time) error {
	b.happens("close")
	return b.CampaignStore.CloseDue(ctx, id, now)
}

func (b *between) UnseatReviewers(ctx context.Context, id schema.CampaignID, now time.Time) (int, error) {
	b.happens("unseat")
	return b.CampaignStore.UnseatReviewers(ctx, id, now)
}

// interrupted is a campaign whose work is interrupted once before a call.
func (k *taking) interrupted(call string, by func()) {
	k.campaigns = activities.NewCampaigns(activities.CampaignsConfig{
		Store: &between{CampaignStore: k.Store, before: map[string]func(){call: by}}, Planner: k.planner(), Clocks: schema.DefaultClocks(), Now: k.now,
	})
}

// extends moves the deadline that far after now.
func (k *taking) extends(by time.Duration) {
	k.t.Helper()
	_, err := k.ExtendCampaign(k.t.Context(), k.id, schema.Extend{To: time.Now().Add(by), Reason: "holidays"}, k.admin)
	require.NoError(k.t, err)
}

func (k *taking) closesEarly() {
	k.t.Helper()
	_, err := k.CloseCampaign(k.t.Context(), k.id, true, "enough", k.admin)
	require.NoError(k.t, err)
}

// reassigns gives the item to the owner.
func (k *taking) reassigns() {
	k.t.Helper()
	_, err := k.Reassign(k.t.Context(), k.id, schema.Reassign{Items: []schema.ItemID{k.item().ID}, To: "owner@example.com", Reason: "knows it"}, k.admin)
	require.NoError(k.t, err)
}

// TestWhatPeopleDoMeanwhileIsNoFailure: a campaign whose state or deadline changes while
// its workflow is at work looks again.
func TestWhatPeopleDoMeanwhileIsNoFailure(t *testing.T) {
	t.Parallel()
	k := takes(setup(t), func(r *schema.AccessReviewRule) { r.Time.Silence, r.Time.EscalateFor = schema.SilenceKeeps, day })
	k.opens(time.Hour)
	k.interrupted("assign", k.closesEarly)
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.CampaignClosing, schema.ItemUnassigned}, []any{k.campaign().State, k.item().State})

	reopens := func() { k.moves(schema.CampaignOpen) } // as a second look does
	k.interrupted("silence", reopens)
	require.True(t, does[activities.Piece](k, k.campaigns.CloseItems, activities.CampaignInput{CampaignID: k.id}).More)
	require.Equal(t, []any{schema.CampaignOpen, schema.ItemUnassigned}, []any{k.campaign().State, k.item().State})

	// How long somebody has it goes by the deadline as it is by then.
	k.later(30 * time.Minute)
	k.interrupted("assign", func() { k.extends(3 * day) })
	require.True(t, k.tends().More)
	require.Equal(t, schema.ItemOpen, k.item().State)
	at, err := k.NextDue(t.Context(), k.id)
	require.NoError(t, err)
	require.Zero(t, at, "it has been there since long before the new deadline")

	k.exec(`update campaign set due_at = now()`)
	k.interrupted("due", func() { k.extends(3 * day) })
	require.True(t, k.tends().More)
	require.Equal(t, schema.ItemOpen, k.item().State)
	k.exec(`update campaign set due_at = now()`)
	k.interrupted("due", k.closesEarly)
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.CampaignClosing, schema.ItemOpen}, []any{k.campaign().State, k.item().State})
	require.Empty(t, k.failing())
}

// TestTheDeadlineIsNotTakenAtItsWord: what was accepted before a campaign closes by
// itself counts.
func TestTheDeadlineIsNotTakenAtItsWord(t *testing.T) {
	t.Parallel()
	k := takes(setup(t), func(r *schema.AccessReviewRule) { r.Time.Silence, r.Time.EscalateFor = schema.SilenceKeeps, day })
	k.opens(-time.Minute)
	k.exec(`update campaign_item set state = 'undecided'`)
	k.interrupted("close", func() { k.extends(3 * day) })
	require.True(t, k.tends().More)
	require.Equal(t, schema.CampaignOpen, k.campaign().State)
	k.exec(`update campaign set due_at = now()`)
	k.interrupted("close", k.reassigns)
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.CampaignOpen, schema.ItemUnassigned}, []any{k.campaign().State, k.item().State})
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.ItemOpen, "Owner"}, []any{k.item().State, k.item().Reviewer})

	// Nor is what comes after the look for items without a reviewer.
	k.later(2 * day)
	k.interrupted("due", k.reassignsBack)
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.CampaignOpen, schema.ItemUnassigned}, []any{k.campaign().State, k.item().State})

	// What nobody can have does not keep it open.
	k.exec(`update account set person_id = (select id from person where email = 'owner@example.com')`)
	k.exec(`update campaign_item set assign_to = null`)
	require.True(t, k.tends().More)
	require.Equal(t, schema.ItemUndecided, k.item().State)
	require.True(t, k.tends().More)
	require.Equal(t, schema.CampaignClosing, k.campaign().State)
}

// reassignsBack gives the item to somebody else.
func (k *taking) reassignsBack() {
	k.t.Helper()
	k.exec(`with p as (insert into person (id, email, name, kind, created_at) values (gen_random_uuid(), 'next@example.com', 'Next', 'employee', now()) returning id)
		insert into person_email (email, person_id, verified, since) select 'next@example.com', id, true, now() from p`)
	_, err := k.Reassign(k.t.Context(), k.id, schema.Reassign{Items: []schema.ItemID{k.item().ID}, To: "next@example.com", Reason: "knows it"}, k.admin)
	require.NoError(k.t, err)
}
