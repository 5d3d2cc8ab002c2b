package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

func (e *Engine) campaignsConfig() activities.CampaignsConfig {
	return activities.CampaignsConfig{Store: e.store, Planner: e.planner, Clocks: schema.DefaultClocks().Scaled(e.cfg.TimeScale), Now: e.ports.Now}
}

// campaignFlows is the part of the store that knows what Temporal is to be told of
// access reviews and their campaigns.
type campaignFlows interface {
	// AccessReview finds by name or id.
	AccessReview(ctx context.Context, ref string) (schema.AccessReview, error)
	// CampaignFlow is the workflow of a campaign, and whether the campaign has ended.
	CampaignFlow(ctx context.Context, id schema.CampaignID) (workflowID string, ended bool, err error)
}

// campaignTeller carries to Temporal what was decided about access reviews and
// campaigns.
type campaignTeller struct {
	rows     campaignFlows
	temporal client.Client
	align    func(ctx context.Context, r schema.AccessReview) error
}

func (e *Engine) campaignTeller(temporal client.Client) campaignTeller {
	return campaignTeller{rows: e.store, temporal: temporal, align: func(ctx context.Context, r schema.AccessReview) error {
		return e.align(ctx, temporal, r.Rule.Schedule, reviewSchedule(r, e.cfg.TimeScale))
	}}
}

// reviewSchedule is the Temporal Schedule of an access review.
func reviewSchedule(r schema.AccessReview, scale int64) temporalx.Schedule {
	return temporalx.Schedule{
		ID: workflows.AccessReviewScheduleID(r.ID), Spec: specOf(r.Rule.Schedule, scale), Paused: r.State == schema.PolicyPaused,
		Note:     fmt.Sprintf("access review %s, version %d", r.ID, r.Version),
		Workflow: workflows.Campaign, Args: []any{workflows.CampaignFlowInput{ReviewID: r.ID}},
		WorkflowID: workflows.CampaignsOf(r.ID), TaskQueue: workflows.QueueEngine,
		Beside: true, // a signed campaign is watched long after the next one began; the database has one open at a time
	}
}

func (t campaignTeller) tell(ctx context.Context, row schema.OutboxRow) error {
	if row.Kind == schema.OutboxAccessReview {
		r, err := t.rows.AccessReview(ctx, string(row.AccessReviewID))
		if err != nil {
			return err
		}
		return t.align(ctx, r)
	}
	id, ended, err := t.rows.CampaignFlow(ctx, row.CampaignID)
	if err != nil {
		return err
	}
	return tellRun(ctx, t.temporal, id, ended, workflows.Campaign, workflows.CampaignFlowInput{CampaignID: row.CampaignID})
}

// changesEvery is how often changes are looked through for what begins small
// campaigns.
const changesEvery = time.Minute

// smallCampaigns is the part of the store that begins campaigns about one person or
// account.
type smallCampaigns interface {
	AccessReviews(ctx context.Context, f schema.AccessReviewFilter) ([]schema.AccessReview, string, error)
	BeginSmall(ctx context.Context, id schema.AccessReviewID) (int, error)
}

// keepReviews begins small campaigns for people who moved and accounts that were
// given a privileged role, until ctx ends.
func keepReviews(ctx context.Context, s smallCampaigns, every time.Duration, log *zap.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := beginSmall(ctx, s); err != nil && ctx.Err() == nil {
			log.Warn("changes could not be looked through for access reviews, trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func beginSmall(ctx context.Context, s smallCampaigns) error {
	var errs []error
	for after := ""; ; {
		list, next, err := s.AccessReviews(ctx, schema.AccessReviewFilter{After: after, Limit: 100})
		if err != nil {
			return err
		}
		for _, r := range list {
			if len(r.Rule.Events) > 0 {
				_, err := s.BeginSmall(ctx, r.ID)
				errs = append(errs, err)
			}
		}
		if after = next; next == "" {
			return errors.Join(errs...)
		}
	}
}
