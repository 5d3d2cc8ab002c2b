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
		AskToken: e.askToken, AskTokenHash: secret.AskTokenHash, Now: e.ports.Now,
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
	return tellRun(ctx, t.temporal, id, ended, workflows.Review, workflows.ReviewInput{ReviewID: row.ReviewID})
}

// tellRun lets the workflow of a row look at it again, and starts it unless the row
// has ended: then its workflow ends when it looks, and there is none to start.
func tellRun(ctx context.Context, temporal client.Client, id string, ended bool, flow, input any) error {
	if !ended {
		return temporalx.Tell(ctx, temporal, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.QueueEngine}, workflows.SignalLook, flow, input)
	}
	err := temporalx.Signal(ctx, temporal, id, workflows.SignalLook, nil)
	if errors.Is(err, temporalx.ErrClosed) || errors.Is(err, temporalx.ErrNotFound) {
		return nil
	}
	return err
}
