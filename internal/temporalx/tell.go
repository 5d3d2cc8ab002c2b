package temporalx

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// Tell signals a workflow, and starts it first when no run is going on: in one
// request, so that a run that ends at this moment misses nothing. It is for
// workflows that find out where they stand by themselves. Errors: ErrUnavailable.
func Tell(ctx context.Context, c client.Client, opts client.StartWorkflowOptions, signal string, workflow any, args ...any) error {
	if opts.ID == "" || opts.TaskQueue == "" {
		return errors.New("tell workflow: id and task queue are required")
	}
	opts.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	_, err := c.SignalWithStartWorkflow(ctx, opts.ID, signal, nil, opts, workflow, args...)
	if err != nil {
		return fmt.Errorf("tell: %w", classify(ctx, ctx, c, opts.ID, err))
	}
	return nil
}
