package temporalx

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// maxIDBytes is the longest workflow id that Temporal's Postgres stores hold.
const maxIDBytes = 255

// DefaultWait bounds an update whose request names no time.
const DefaultWait = 10 * time.Second

// Start starts a workflow that has never been started under its id. Otherwise
// it returns an AlreadyStartedError, also if the earlier run has ended: the
// SDK's default is to start anew then, or to hand back the old run as if it had
// just been started. The options need ID and TaskQueue.
func Start(ctx context.Context, c client.Client, opts client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	opts.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	return start(ctx, c, opts, workflow, args...)
}

// Restart starts a workflow anew whose run has ended, or that was lost with its
// server. It returns an AlreadyStartedError when a run is going on. It is for
// workflows that find out where they stand by themselves.
func Restart(ctx context.Context, c client.Client, opts client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	opts.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return start(ctx, c, opts, workflow, args...)
}

func start(ctx context.Context, c client.Client, opts client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if opts.ID == "" || opts.TaskQueue == "" {
		return nil, errors.New("start workflow: id and task queue are required")
	}
	if len(opts.ID) > maxIDBytes {
		return nil, fmt.Errorf("start workflow: id has %d bytes, at most %d fit", len(opts.ID), maxIDBytes)
	}
	opts.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	opts.WorkflowExecutionErrorWhenAlreadyStarted = true
	run, err := c.ExecuteWorkflow(ctx, opts, workflow, args...)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &already):
		return nil, &AlreadyStartedError{WorkflowID: opts.ID, RunID: already.RunId}
	case err != nil:
		return nil, fmt.Errorf("start: %w", classify(ctx, ctx, c, opts.ID, err))
	}
	return run, nil
}

// Signal tells a running workflow something. Errors: ErrNotFound, ErrClosed,
// ErrUnavailable.
func Signal(ctx context.Context, c client.Client, workflowID, name string, arg any) error {
	if err := c.SignalWorkflow(ctx, workflowID, "", name, arg); err != nil {
		return fmt.Errorf("signal %s: %w", name, classify(ctx, ctx, c, workflowID, err))
	}
	return nil
}

// Stage is how far Update waits.
type Stage int

const (
	// UntilCompleted waits for the handler's result.
	UntilCompleted Stage = iota
	// UntilAccepted waits until the validator has passed the update and it is
	// recorded; the handler goes on by itself.
	UntilAccepted
)

// UpdateRequest is one update of one workflow.
type UpdateRequest struct {
	WorkflowID string
	Name       string
	// UpdateID makes a repeat harmless: the workflow's run answers the same id
	// with its first result. Required; a decision's id serves.
	UpdateID string
	Arg      any
	// Wait is how long at most; 0 means DefaultWait.
	Wait  time.Duration
	Until Stage
	// Result, if set, receives the handler's result; a pointer. Not with
	// UntilAccepted.
	Result any
}

// Update sends an update and waits as told, never longer than the request's
// Wait. Errors: ErrNotFound, ErrClosed, ErrRefused (the workflow's own error is
// in the chain), ErrUnavailable, ErrPending.
func Update(ctx context.Context, c client.Client, req UpdateRequest) error {
	if req.WorkflowID == "" || req.Name == "" || req.UpdateID == "" {
		return errors.New("update workflow: workflow id, name and update id are required")
	}
	if req.Wait <= 0 {
		req.Wait = DefaultWait
	}
	limited, cancel := context.WithTimeout(ctx, req.Wait)
	defer cancel()
	// The SDK is asked for acceptance even if the result is wanted: so an
	// update that nobody took is told from one that takes long.
	handle, err := c.UpdateWorkflow(limited, client.UpdateWorkflowOptions{
		WorkflowID:   req.WorkflowID,
		UpdateID:     req.UpdateID,
		UpdateName:   req.Name,
		Args:         []any{req.Arg},
		WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		return req.fail(classify(ctx, limited, c, req.WorkflowID, err))
	}
	return req.outcome(ctx, limited, c, handle)
}

// outcome turns the answer to an update that was taken into ours. A refusal is
// known at once; a result may take until the limited context ends.
func (req UpdateRequest) outcome(ctx, limited context.Context, c client.Client, handle client.WorkflowUpdateHandle) error {
	if req.Until == UntilAccepted {
		// With an ended context Get returns what is known and waits for nothing.
		ended, cancel := context.WithCancel(limited)
		cancel()
		limited = ended
	}
	err := handle.Get(limited, req.Result)
	var refusal *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) || temporal.IsCanceledError(err):
		return req.fail(fmt.Errorf("%w: %s: %w", ErrRefused, req.WorkflowID, err))
	case unanswered(limited, err) && req.Until == UntilAccepted:
		return nil
	case unanswered(limited, err):
		return req.fail(fmt.Errorf("%w: %s: %w", ErrPending, req.WorkflowID, err))
	}
	return req.fail(classify(ctx, limited, c, req.WorkflowID, err))
}

func (req UpdateRequest) fail(err error) error { return fmt.Errorf("update %s: %w", req.Name, err) }

// HistoryLength returns how many events the history of a workflow's latest run
// has. Errors: ErrNotFound, ErrUnavailable.
func HistoryLength(ctx context.Context, c client.Client, workflowID string) (int64, error) {
	got, err := c.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return 0, fmt.Errorf("describe: %w", classify(ctx, ctx, c, workflowID, err))
	}
	return got.GetWorkflowExecutionInfo().GetHistoryLength(), nil
}
