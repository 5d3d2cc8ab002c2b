package activities_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/schema"
)

// opens opens the campaign with one item that needs a reviewer, whose owner may be.
func (k *taking) opens(due time.Duration) {
	k.t.Helper()
	owner := uuid.NewString()
	k.exec(`insert into person (id, email, name, kind, created_at) values ($1, 'owner@example.com', 'Owner', 'employee', now())`, owner)
	k.exec(`insert into person_email (email, person_id, verified, since) values ('owner@example.com', $1, true, now())`, owner)
	k.has("", schema.ItemFacts{ItemRef: schema.ItemRef{Kind: schema.ItemAccount}})
	k.exec(`update campaign_item set state = 'unassigned'`)
	k.moves(schema.CampaignOpen)
	k.exec(`update campaign set opened_at = $1, due_at = $2`, time.Now().Add(-time.Hour), time.Now().Add(due))
}

func (k *taking) moves(s schema.CampaignState) {
	k.t.Helper()
	k.exec(`update campaign set state = $2 where id = $1`, string(k.id), string(s))
}

func (k *taking) campaign() schema.Campaign {
	k.t.Helper()
	c, err := k.Campaign(k.t.Context(), k.id)
	require.NoError(k.t, err)
	return c
}

func (k *taking) item() schema.CampaignItem {
	k.t.Helper()
	list, _, err := k.CampaignItems(k.t.Context(), k.id, schema.CampaignItemFilter{Limit: 10}, k.admin)
	require.NoError(k.t, err)
	require.Len(k.t, list, 1)
	return list[0]
}

// does runs an activity of campaigns.
func does[T any](k *taking, fn, in any) T {
	k.t.Helper()
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(k.campaigns)
	value, err := env.ExecuteActivity(fn, in)
	require.NoError(k.t, err)
	var out T
	if value.HasValue() {
		require.NoError(k.t, value.Get(&out))
	}
	return out
}

func (k *taking) tends() activities.Tended {
	k.t.Helper()
	return does[activities.Tended](k, k.campaigns.TendCampaign, activities.TendInput{CampaignID: k.id})
}

// failing are the messages of the open alarms about campaigns that failed or did not
// begin, newest first.
func (k *taking) failing() []string {
	k.t.Helper()
	list, _, err := k.ListAlarms(k.t.Context(), false, "", 10)
	require.NoError(k.t, err)
	out := []string{}
	for _, a := range list {
		if a.Code == schema.AlarmCampaignFailed || a.Code == schema.AlarmCampaignNotBegun {
			out = append(out, a.Message)
		}
	}
	return out
}

// TestAConnectionThatIsRemovedInMidCampaign: what was listed of it is gone, and the
// campaign goes on to its close. One that has not listed anything ends.
func TestAConnectionThatIsRemovedInMidCampaign(t *testing.T) {
	t.Parallel()
	k := takes(setup(t))
	k.opens(time.Hour)
	ctx := t.Context()
	_, err := k.SetConnectionState(ctx, k.conn.Name, schema.ConnectionRemoved, "sold", k.admin)
	require.NoError(t, err)
	k.tends()
	require.Equal(t, []any{schema.ItemGone, "its connection was removed", false}, []any{k.item().State, k.item().Why, k.item().Facts.Held})
	k.later(2 * time.Hour)
	in := activities.CampaignInput{CampaignID: k.id}
	k.tends()
	require.Equal(t, schema.CampaignClosing, k.campaign().State)
	does[activities.Piece](k, k.campaigns.CloseItems, in)
	does[activities.Piece](k, k.campaigns.RemoveAccess, in)
	require.Equal(t, schema.CampaignClosed, k.campaign().State)
	does[activities.Piece](k, k.campaigns.WatchCampaign, in)
	require.Equal(t, schema.CampaignClosed, k.campaign().State)
	require.Empty(t, k.failing())

	require.NoError(t, k.EndCampaign(ctx, k.id, schema.CampaignCancelled, "enough"))
	for _, state := range []schema.CampaignState{schema.CampaignGathering, schema.CampaignListing} {
		c, err := k.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Start: true}, k.admin)
		require.NoError(t, err)
		k.id, in.CampaignID = c.ID, c.ID
		k.moves(state)
		if state == schema.CampaignListing {
			does[struct{}](k, k.campaigns.ListCampaign, in)
		} else {
			does[activities.Piece](k, k.campaigns.GatherCampaign, in)
		}
		c = k.campaign()
		require.Equal(t, []any{schema.CampaignEnded, schema.CampaignFailed}, []any{c.State, c.End}, state)
		require.Contains(t, c.Why, "connections that are not there: "+k.conn.Name)
	}
}

// TestAFailedCampaignsAlarmEndsWithItsCause: when the campaign goes on, ends, or
// another one has begun.
func TestAFailedCampaignsAlarmEndsWithItsCause(t *testing.T) {
	t.Parallel()
	k := takes(setup(t))
	k.opens(time.Hour)
	ctx := t.Context()
	stumbles := func() {
		t.Helper()
		does[activities.CampaignOutline](k, k.campaigns.StumbleCampaign, activities.StumbleInput{CampaignID: k.id, Why: "the disk is full"})
	}
	stumbles()
	require.Equal(t, []string{"campaign " + string(k.id) + " cannot go on: the disk is full"}, k.failing())
	require.True(t, k.tends().More, "it finds a reviewer first")
	require.Positive(t, k.tends().Wait)
	require.Empty(t, k.failing(), "it goes on")
	stumbles()
	_, err := k.CloseCampaign(ctx, k.id, true, "enough", k.admin)
	require.NoError(t, err)
	require.Empty(t, k.failing(), "it moved on")

	// A campaign beside it does not speak for it.
	stumbles()
	beside, err := k.NewCampaign(ctx, schema.NewCampaign{Review: "quarter", Accounts: []schema.AccountID{k.account.ID}, Start: true}, k.admin)
	require.NoError(t, err)
	require.NoError(t, k.CampaignWentOn(ctx, beside.ID))
	require.NoError(t, k.CampaignStumbled(ctx, beside.ID, "so is the other's"))
	require.Len(t, k.failing(), 2)
	require.NoError(t, k.EndCampaign(ctx, beside.ID, schema.CampaignCancelled, ""))
	require.Len(t, k.failing(), 1)
	require.NoError(t, k.RaiseAlarm(ctx, schema.NotBegunAlarm(k.campaign().ReviewID, k.campaign().CreatedAt)))
	require.Len(t, k.failing(), 2)
	require.NoError(t, k.EndCampaign(ctx, k.id, schema.CampaignCancelled, ""))
	require.Len(t, k.failing(), 1, "it ended")
	require.NoError(t, k.CampaignStumbled(ctx, k.id, "its failure was told after its end"))
	require.Contains(t, k.failing()[0], " did not begin")

	begin := func(at time.Time) schema.CampaignState {
		t.Helper()
		in := activities.BeginCampaignInput{ReviewID: k.campaign().ReviewID, ScheduledAt: at, WorkflowID: "campaign/" + at.Format(time.RFC3339)}
		out := does[activities.CampaignOutline](k, k.campaigns.BeginCampaign, in)
		if out.CampaignID != "" {
			k.id = out.CampaignID
		}
		return out.State
	}
	at := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	require.Equal(t, schema.CampaignGathering, begin(at))
	require.Equal(t, schema.CampaignEnded, begin(at.AddDate(0, 3, 0)))
	require.Equal(t, []string{"the campaign of 2026-04-01T08:00:00Z did not begin: the one before is not signed yet"}, k.failing())
	stumbles()
	require.Equal(t, schema.CampaignFailed, k.campaign().End, "nobody was asked yet")
	require.Len(t, k.failing(), 1, "that has an alarm of its own")
	require.Equal(t, schema.CampaignGathering, begin(at.AddDate(0, 6, 0)))
	require.Empty(t, k.failing(), "one begins again")
}

// TestWhoGetsAnItemAfterTheDeadlineIsAsked: silence means nothing before they had
// their time, and the campaign waits for them without looking again and again.
func TestWhoGetsAnItemAfterTheDeadlineIsAsked(t *testing.T) {
	t.Parallel()
	k := takes(setup(t), func(r *schema.AccessReviewRule) { r.Time.Silence, r.Time.EscalateFor = schema.SilenceKeeps, day })
	k.opens(-time.Minute)
	require.True(t, k.tends().More)
	require.Equal(t, []any{schema.ItemOpen, "Owner"}, []any{k.item().State, k.item().Reviewer})
	next := k.tends()
	require.False(t, next.More, "there is nothing to do but wait")
	require.Positive(t, next.Wait)
	require.Equal(t, schema.ItemOpen, k.item().State)
	require.Equal(t, schema.CampaignOpen, k.campaign().State)
	k.later(2 * day)
	k.tends()
	require.Equal(t, []any{schema.ItemDecided, schema.AnswerKeep, ""}, []any{k.item().State, k.item().Answer, k.item().DecidedBy})
	k.tends()
	require.Equal(t, schema.CampaignClosing, k.campaign().State)

	// What needs a reviewer after the close opens the campaign again, also when the
	// worker died that had found it out.
	k.exec(`update campaign_item set state = 'unassigned', answer = '', decided_at = null`)
	k.moves(schema.CampaignClosed)
	require.True(t, does[activities.Piece](k, k.campaigns.WatchCampaign, activities.CampaignInput{CampaignID: k.id}).More)
	require.Equal(t, schema.CampaignOpen, k.campaign().State)
}
