package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// CampaignFlowInput names the access review whose campaign is due, or the campaign that
// somebody asked for or that is going on.
type CampaignFlowInput struct {
	ReviewID   schema.AccessReviewID `json:"review_id"`
	CampaignID schema.CampaignID     `json:"campaign_id,omitempty"`
	// RefreshedAt is when its items were last compared with the inventory, of a run
	// that goes on.
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`
}

// Campaign carries out one campaign of an access review: it gathers fresh facts,
// takes a snapshot, finds reviewers, reminds them and hands on what they leave,
// gives silence its meaning at the deadline, has what was revoked removed and
// proven, waits for the sign-off, and watches for access that comes back. The
// removals go on by themselves. Where it stands is in the database; a signal tells
// that it changed.
func Campaign(ctx workflow.Context, in CampaignFlowInput) error {
	c := &campaign{in: in, told: workflow.GetSignalChannel(ctx, SignalLook)}
	return c.run(ctx)
}

type campaign struct {
	in   CampaignFlowInput
	told workflow.ReceiveChannel
}

func (c *campaign) run(ctx workflow.Context) error {
	at, err := c.begin(ctx)
	for err == nil && at.State != schema.CampaignEnded {
		err = c.step(ctx, at.State)
		if err != nil {
			err = c.stumble(ctx, err)
		}
		if err == nil && workflow.GetInfo(ctx).GetContinueAsNewSuggested() && c.told.Len() == 0 {
			return workflow.NewContinueAsNewError(ctx, Campaign, c.in)
		}
		if err == nil {
			drain(c.told) // before it reads: what comes while it does is newer than what was read
			at, err = loadCampaign(ctx, c.in.CampaignID)
		}
	}
	if temporal.IsCanceledError(err) && c.in.CampaignID != "" {
		return c.cancelled(ctx, err)
	}
	return err
}

// step does a piece of what a campaign in a state needs.
func (c *campaign) step(ctx workflow.Context, state schema.CampaignState) error {
	switch state {
	case schema.CampaignGathering:
		return c.pause(ctx, gatherCampaign)
	case schema.CampaignListing:
		return listCampaign(ctx, c.in.CampaignID)
	case schema.CampaignAssigning:
		return c.pause(ctx, assignCampaign)
	case schema.CampaignOpen:
		return c.tend(ctx)
	case schema.CampaignClosing:
		return c.pause(ctx, closeItems)
	case schema.CampaignRemoving:
		return c.pause(ctx, removeAccess)
	case schema.CampaignClosed, schema.CampaignSigned:
		return c.pause(ctx, watchCampaign)
	case schema.CampaignHeld:
		return c.hold(ctx)
	default: // a draft
		return c.await(ctx)
	}
}

func (c *campaign) await(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return c.told.Len() > 0 })
}

// hold waits for people to release what is over budget, or to discard or keep it. It
// looks before it waits: what was said while the campaign came here counts, too, and
// what is left may fit.
func (c *campaign) hold(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, "held-counts-anew", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return c.await(ctx)
	}
	return c.pause(ctx, removeAccess)
}

// begin makes or finds the campaign's row.
func (c *campaign) begin(ctx workflow.Context) (activities.CampaignOutline, error) {
	info := workflow.GetInfo(ctx)
	scheduled, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledAt())
	if !ok {
		scheduled = info.WorkflowStartTime
	}
	at, err := beginCampaign(ctx, activities.BeginCampaignInput{
		ReviewID: c.in.ReviewID, CampaignID: c.in.CampaignID, ScheduledAt: scheduled, WorkflowID: info.WorkflowExecution.ID,
	})
	c.in.CampaignID = at.CampaignID
	return at, err
}

// pause does a piece of work and waits as that says, or shorter when told.
func (c *campaign) pause(ctx workflow.Context, piece func(workflow.Context, schema.CampaignID) (activities.Piece, error)) error {
	p, err := piece(ctx, c.in.CampaignID)
	if err != nil || p.More {
		return err
	}
	return c.sleep(ctx, p.Wait)
}

// tend does what an open campaign needs.
func (c *campaign) tend(ctx workflow.Context) error {
	t, err := tendCampaign(ctx, activities.TendInput{CampaignID: c.in.CampaignID, RefreshedAt: c.in.RefreshedAt})
	if err != nil {
		return err
	}
	c.in.RefreshedAt = t.RefreshedAt
	if t.More {
		return nil
	}
	return c.sleep(ctx, t.Wait)
}

func (c *campaign) sleep(ctx workflow.Context, d time.Duration) error {
	_, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return c.told.Len() > 0 })
	return err
}

// stumbled is how long a campaign waits after a failure, unless it is told.
const stumbled = time.Hour

// stumble has a failure told to people. A campaign that has not begun ends by it;
// one that people work on goes on when the cause is mended: it tries again each hour,
// and no word that was given is lost.
func (c *campaign) stumble(ctx workflow.Context, cause error) error {
	if temporal.IsCanceledError(cause) {
		return cause
	}
	at, err := stumbleCampaign(ctx, c.in.CampaignID, judge("", cause).cause.Message)
	if err != nil || at.State == schema.CampaignEnded {
		return err
	}
	return c.sleep(ctx, stumbled)
}

// cancelled ends a campaign whose workflow was cancelled in Temporal. What it started
// goes on.
func (c *campaign) cancelled(ctx workflow.Context, cause error) error {
	ctx, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	if err := endCampaign(ctx, c.in.CampaignID, schema.CampaignCancelled, "its workflow was cancelled in Temporal"); err != nil {
		return err
	}
	return cause
}
