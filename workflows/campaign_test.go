package workflows_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const campaignID = schema.CampaignID("00000000-0000-7000-8000-0000000000cc")

// campaigner stands for the activities of campaigns: each piece says when to look
// again and in which state the campaign is then.
type campaigner struct {
	mu    sync.Mutex
	env   *testsuite.TestWorkflowEnvironment
	state schema.CampaignState
	calls []string
	tends []activities.TendInput
	ended activities.EndCampaignInput
	// next is what a piece comes to: nil = it moves on as moves says.
	next  func(name string) (activities.Piece, error)
	moves map[string]schema.CampaignState
}

func newCampaigner(t *testing.T) *campaigner {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	c := &campaigner{env: patient(&suite), state: schema.CampaignGathering, moves: map[string]schema.CampaignState{
		"gather": schema.CampaignListing, "list": schema.CampaignAssigning, "assign": schema.CampaignOpen, "tend": schema.CampaignClosing,
		"close": schema.CampaignRemoving, "remove": schema.CampaignClosed, "watch": schema.CampaignEnded,
	}}
	c.env.SetTestTimeout(20 * time.Second)
	c.env.SetWorkflowRunTimeout(2 * 365 * 24 * time.Hour)
	workflows.Register(c.env)
	var v *activities.Campaigns
	outline := func() (activities.CampaignOutline, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return activities.CampaignOutline{CampaignID: campaignID, State: c.state}, nil
	}
	c.env.OnActivity(v.BeginCampaign, anything, anything).Return(func(context.Context, activities.BeginCampaignInput) (activities.CampaignOutline, error) {
		return outline()
	})
	c.env.OnActivity(v.LoadCampaign, anything, anything).Return(func(context.Context, activities.CampaignInput) (activities.CampaignOutline, error) { return outline() }).Maybe()
	for name, fn := range map[string]any{"gather": v.GatherCampaign, "assign": v.AssignCampaign, "close": v.CloseItems, "remove": v.RemoveAccess, "watch": v.WatchCampaign} {
		c.env.OnActivity(fn, anything, anything).Return(func(context.Context, activities.CampaignInput) (activities.Piece, error) { return c.take(name) }).Maybe()
	}
	c.env.OnActivity(v.ListCampaign, anything, anything).Return(func(context.Context, activities.CampaignInput) error {
		_, err := c.take("list")
		return err
	}).Maybe()
	c.env.OnActivity(v.TendCampaign, anything, anything).Return(func(_ context.Context, in activities.TendInput) (activities.Tended, error) {
		c.tends = append(c.tends, in)
		p, err := c.take("tend")
		return activities.Tended{Piece: p, RefreshedAt: c.env.Now()}, err
	}).Maybe()
	c.env.OnActivity(v.StumbleCampaign, anything, anything).Return(func(context.Context, activities.StumbleInput) (activities.CampaignOutline, error) {
		c.calls = append(c.calls, "stumble")
		if c.state == schema.CampaignListing {
			c.state = schema.CampaignEnded
		}
		return outline()
	}).Maybe()
	c.env.OnActivity(v.EndCampaign, anything, anything).Return(func(_ context.Context, in activities.EndCampaignInput) error {
		c.ended = in
		return nil
	}).Maybe()
	return c
}

// take does a piece.
func (c *campaigner) take(name string) (activities.Piece, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, name)
	if c.next != nil {
		if p, err := c.next(name); err != nil || p.Wait > 0 {
			return p, err
		}
	}
	c.state = c.moves[name]
	return activities.Piece{More: true}, nil
}

func (c *campaigner) run() error {
	c.env.ExecuteWorkflow(workflows.Campaign, workflows.CampaignFlowInput{CampaignID: campaignID})
	return c.env.GetWorkflowError()
}

// A quarter's campaign in skipped time: it looks when it is told or when it is
// time, through weeks of answers, a month of removals and a quarter of watching.
func TestCampaignGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	c := newCampaigner(t)
	days := map[string]int{"tend": 21, "remove": 30, "watch": 90}
	c.next = func(name string) (activities.Piece, error) {
		if days[name] > 0 {
			days[name]--
			return activities.Piece{Wait: 24 * time.Hour}, nil
		}
		return activities.Piece{}, nil
	}
	began := c.env.Now()
	require.NoError(t, c.run())
	require.WithinDuration(t, began.AddDate(0, 0, 21+30+90), c.env.Now(), time.Hour)
	require.Len(t, c.calls, 7+21+30+90)
	for i, in := range c.tends[1:] {
		require.False(t, in.RefreshedAt.IsZero(), "look %d knows when items were compared last", i)
	}
}

func TestCampaignIsTold(t *testing.T) {
	t.Parallel()
	c := newCampaigner(t)
	told := false
	c.next = func(name string) (activities.Piece, error) {
		if name == "tend" && !told {
			return activities.Piece{Wait: 365 * 24 * time.Hour}, nil
		}
		return activities.Piece{}, nil
	}
	c.env.RegisterDelayedCallback(func() {
		c.mu.Lock()
		told = true
		c.mu.Unlock()
		c.env.SignalWorkflow(workflows.SignalLook, nil)
	}, time.Hour)
	began := c.env.Now()
	require.NoError(t, c.run())
	require.WithinDuration(t, began.Add(time.Hour), c.env.Now(), time.Minute)
}

// A held campaign looks whether what is left fits: as soon as it is held, for somebody
// may have spoken just then, when it is told, and now and then.
func TestCampaignIsHeld(t *testing.T) {
	t.Parallel()
	c := newCampaigner(t)
	c.moves["close"], c.moves["remove"] = schema.CampaignHeld, schema.CampaignClosed
	fits := false
	c.next = func(name string) (activities.Piece, error) {
		if name == "remove" && !fits {
			return activities.Piece{Wait: 7 * 24 * time.Hour}, nil
		}
		return activities.Piece{}, nil
	}
	tell := func(after time.Duration, last bool) {
		c.env.RegisterDelayedCallback(func() {
			c.mu.Lock()
			fits = last
			c.mu.Unlock()
			c.env.SignalWorkflow(workflows.SignalLook, nil)
		}, after)
	}
	tell(10*24*time.Hour, false)
	tell(12*24*time.Hour, true)
	began := c.env.Now()
	require.NoError(t, c.run())
	require.Equal(t, []string{"gather", "list", "assign", "tend", "close", "remove", "remove", "remove", "remove", "watch"}, c.calls)
	require.WithinDuration(t, began.AddDate(0, 0, 12), c.env.Now(), time.Hour)
}

// A campaign that people work on goes on when the cause of a failure is mended; one
// that has not begun ends by it.
func TestCampaignStumbles(t *testing.T) {
	t.Parallel()
	broken := func(at string, times int) func(string) (activities.Piece, error) {
		return func(name string) (activities.Piece, error) {
			if name == at && times > 0 {
				times--
				return activities.Piece{}, temporal.NewNonRetryableApplicationError("broken", "broken", errors.New("broken"))
			}
			return activities.Piece{}, nil
		}
	}
	c := newCampaigner(t)
	c.next = broken("tend", 3)
	began := c.env.Now()
	require.NoError(t, c.run())
	require.Equal(t, []string{"gather", "list", "assign", "tend", "stumble", "tend", "stumble", "tend", "stumble", "tend", "close", "remove", "watch"}, c.calls)
	require.WithinDuration(t, began.Add(3*time.Hour), c.env.Now(), time.Minute)
	require.Empty(t, c.ended.End, "nobody's word is thrown away")

	c = newCampaigner(t)
	c.next = broken("list", 1)
	require.NoError(t, c.run())
	require.Equal(t, []string{"gather", "list", "stumble"}, c.calls)
}

func TestCampaignCancelledInTemporal(t *testing.T) {
	t.Parallel()
	c := newCampaigner(t)
	c.next = func(name string) (activities.Piece, error) {
		if name == "tend" {
			return activities.Piece{Wait: time.Hour}, nil
		}
		return activities.Piece{}, nil
	}
	c.env.RegisterDelayedCallback(c.env.CancelWorkflow, 90*time.Minute)
	require.Error(t, c.run())
	require.Equal(t, schema.CampaignCancelled, c.ended.End)
}
