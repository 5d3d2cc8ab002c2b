package app

import (
	"context"
	"errors"

	"go.temporal.io/sdk/client"

	"sendoff/activities"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

func (e *Engine) reviewsConfig() activities.ReviewsConfig {
	return activities.ReviewsConfig{
		Store: e.store, History: e.store, Planner: e.planner, Clocks: schema.DefaultClocks().Scaled(e.cfg.TimeScale),
		AskToken: e.askToken, AskTokenHash: secret.AskTokenHash,
	}
}

// policyFlows is the part of the store that knows what Temporal is to be told of
// policies and their reviews.
type policyFlows interface {
	// Policy finds by name or id.
	Policy(ctx context.Context, ref string) (schema.Policy, error)
	// ReviewFlow is the workflow of a review run, and whether the run has ended.
	ReviewFlow(ctx context.Context, id schema.ReviewID) (workflowID string, ended bool, err error)
}

// policyTeller carries to Temporal what was decided about policies and reviews.
type policyTeller struct {
	rows     policyFlows
	temporal client.Client
	align    func(ctx context.Context, p schema.Policy) error
}

func (e *Engine) policyTeller(temporal client.Client) policyTeller {
	return policyTeller{rows: e.store, temporal: temporal, align: func(ctx context.Context, p schema.Policy) error {
		return e.alignSchedule(ctx, temporal, p, workflows.Review, workflows.ReviewInput{PolicyID: p.ID})
	}}
}

func (t policyTeller) tell(ctx context.Context, row schema.OutboxRow) error {
	if row.Kind == schema.OutboxPolicy {
		p, err := t.rows.Policy(ctx, string(row.PolicyID))
		if err != nil {
			return err
		}
		return t.align(ctx, p)
	}
	id, ended, err := t.rows.ReviewFlow(ctx, row.ReviewID)
	if err != nil {
		return err
	}
	if ended { // its workflow ends when it looks; there is none to start
		err := temporalx.Signal(ctx, t.temporal, id, workflows.SignalLook, nil)
		if errors.Is(err, temporalx.ErrClosed) || errors.Is(err, temporalx.ErrNotFound) {
			return nil
		}
		return err
	}
	return temporalx.Tell(ctx, t.temporal, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.QueueEngine}, workflows.SignalLook,
		workflows.Review, workflows.ReviewInput{ReviewID: row.ReviewID})
}
