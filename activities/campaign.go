package activities

import (
	"context"
	"time"

	"sendoff/internal/accessreview"
	"sendoff/schema"
)

// Sizes of the pieces that a campaign is carried out in.
const (
	assignPiece  = 2000
	refreshPiece = 1000
	silencePiece = 1000
	removePiece  = 25
)

// BeginCampaignInput names a review and the time that its schedule meant; or, for a
// campaign that somebody asked for, the campaign.
type BeginCampaignInput struct {
	ReviewID    schema.AccessReviewID `json:"review_id"`
	CampaignID  schema.CampaignID     `json:"campaign_id,omitempty"`
	ScheduledAt time.Time             `json:"scheduled_at"`
	WorkflowID  string                `json:"workflow_id"`
}

// CampaignInput names a campaign.
type CampaignInput struct {
	CampaignID schema.CampaignID `json:"campaign_id"`
}

// TendInput names a campaign and says when its items were last compared with the
// inventory.
type TendInput struct {
	CampaignID  schema.CampaignID `json:"campaign_id"`
	RefreshedAt time.Time         `json:"refreshed_at"`
}

// Tended is how tending goes on.
type Tended struct {
	Piece
	RefreshedAt time.Time `json:"refreshed_at"`
}

// EndCampaignInput ends a campaign.
type EndCampaignInput struct {
	CampaignID schema.CampaignID  `json:"campaign_id"`
	End        schema.CampaignEnd `json:"end"`
	Why        string             `json:"why"`
}

// CampaignOutline is what a workflow needs to know of a campaign.
type CampaignOutline struct {
	CampaignID schema.CampaignID    `json:"campaign_id"`
	State      schema.CampaignState `json:"state"`
}

// CampaignsConfig is what Campaigns is built from.
type CampaignsConfig struct {
	Store   CampaignStore
	Planner *Planner
	Clocks  schema.Clocks
	Now     func() time.Time // nil = the clock
}

// Campaigns carries out the campaigns of access reviews.
type Campaigns struct {
	store   CampaignStore
	planner *Planner
	clocks  schema.Clocks
	now     func() time.Time
}

// NewCampaigns returns the activities of campaigns.
func NewCampaigns(cfg CampaignsConfig) *Campaigns {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Campaigns{store: cfg.Store, planner: cfg.Planner, clocks: cfg.Clocks, now: cfg.Now}
}

// BeginCampaign makes the campaign's row, or finds it. A review that was paused, or
// that has another whole campaign open, has none: then the outline is that of an
// ended one.
func (c *Campaigns) BeginCampaign(ctx context.Context, in BeginCampaignInput) (CampaignOutline, error) {
	if in.CampaignID != "" {
		return c.LoadCampaign(ctx, CampaignInput{CampaignID: in.CampaignID})
	}
	row, err := c.store.BeginCampaign(ctx, in.ReviewID, in.ScheduledAt, in.WorkflowID)
	switch schema.CodeOf(err) {
	case schema.CodeConflict:
		return CampaignOutline{State: schema.CampaignEnded}, c.store.RaiseAlarm(ctx, schema.NotBegunAlarm(in.ReviewID, in.ScheduledAt))
	case schema.CodeClosed:
		return CampaignOutline{State: schema.CampaignEnded}, nil
	}
	return CampaignOutline{CampaignID: row.ID, State: row.State}, err
}

// LoadCampaign reads where a campaign stands.
func (c *Campaigns) LoadCampaign(ctx context.Context, in CampaignInput) (CampaignOutline, error) {
	row, err := c.store.Campaign(ctx, in.CampaignID)
	return CampaignOutline{CampaignID: row.ID, State: row.State}, err
}

// EndCampaign ends a campaign.
func (c *Campaigns) EndCampaign(ctx context.Context, in EndCampaignInput) error {
	return c.store.EndCampaign(ctx, in.CampaignID, in.End, in.Why)
}

// StumbleInput says what a campaign failed with.
type StumbleInput struct {
	CampaignID schema.CampaignID `json:"campaign_id"`
	Why        string            `json:"why"`
}

// StumbleCampaign raises the alarm of a campaign that cannot go on, until it does. One
// that nobody was asked in yet ends as failed, which has an alarm of its own.
func (c *Campaigns) StumbleCampaign(ctx context.Context, in StumbleInput) (CampaignOutline, error) {
	row, err := c.store.Campaign(ctx, in.CampaignID)
	if err != nil {
		return CampaignOutline{}, err
	}
	switch row.State {
	case schema.CampaignDraft, schema.CampaignGathering, schema.CampaignListing, schema.CampaignAssigning:
		err = c.store.EndCampaign(ctx, row.ID, schema.CampaignFailed, in.Why)
	case schema.CampaignEnded:
	default:
		err = c.store.CampaignStumbled(ctx, row.ID, in.Why)
	}
	if err != nil {
		return CampaignOutline{}, err
	}
	return c.LoadCampaign(ctx, CampaignInput{CampaignID: in.CampaignID})
}

// running is a campaign with everything its work needs.
type running struct {
	campaign schema.Campaign
	review   schema.AccessReview
	compiled *accessreview.Review
	conns    []schema.Connection
	missing  []string            // names of connections that are not there (any more)
	times    schema.CampaignTime // by the engine's clocks
	drafting *Drafting           // of this pass over its removals
}

func (r running) ids() []schema.ConnectionID {
	ids := make([]schema.ConnectionID, len(r.conns))
	for i, c := range r.conns {
		ids[i] = c.ID
	}
	return ids
}

// open reads a campaign. A connection of its scope that was removed stands in
// nobody's way: what was listed of it is gone (RefreshItems).
func (c *Campaigns) open(ctx context.Context, id schema.CampaignID) (running, error) {
	var r running
	var err error
	if r.campaign, err = c.store.Campaign(ctx, id); err != nil {
		return r, err
	}
	if r.review, err = c.store.AccessReviewAt(ctx, r.campaign.ReviewID, r.campaign.Version); err != nil {
		return r, err
	}
	if r.compiled, err = accessreview.Compile(r.review.Rule); err != nil {
		return r, err
	}
	for _, name := range r.review.Rule.Scope.Connections {
		conn, err := c.store.ConnectionNamed(ctx, name)
		if schema.CodeOf(err) == schema.CodeNotFound {
			r.missing = append(r.missing, name)
			continue
		}
		if err != nil {
			return r, err
		}
		r.conns = append(r.conns, conn)
	}
	r.times = c.scaled(r.review.Rule.Time)
	return r, nil
}

// scaled is when what happens by the engine's clocks. Where these run faster there
// are no working days.
func (c *Campaigns) scaled(t schema.CampaignTime) schema.CampaignTime {
	t.Due, t.EscalateAfter, t.EscalateFor = c.clocks.PlanWait(t.Due), c.clocks.PlanWait(t.EscalateAfter), c.clocks.PlanWait(t.EscalateFor)
	remind := make([]time.Duration, len(t.Remind))
	for i, d := range t.Remind {
		remind[i] = c.clocks.PlanWait(d)
	}
	t.Remind = remind
	t.WorkingDays = t.WorkingDays && c.clocks.Scale < 2
	return t
}

// leastPoll bounds how often a campaign looks, where clocks run faster.
const leastPoll = 200 * time.Millisecond

func (c *Campaigns) poll() time.Duration { return max(c.clocks.PollFirst, leastPoll) }
