package temporalx

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

var (
	// ErrAlreadyStarted means that a workflow with the id has been started
	// before, and runs or has ended.
	ErrAlreadyStarted = errors.New("workflow was started before")
	// ErrNotFound means that no workflow has the id: never started, or past the
	// namespace's retention.
	ErrNotFound = errors.New("workflow not found")
	// ErrClosed means that the workflow has ended and takes no more messages.
	ErrClosed = errors.New("workflow has ended")
	// ErrUnavailable means that Temporal, or a worker behind it, did not answer
	// in time. Whether the request took effect is not known; it may be repeated
	// with the same workflow or update id.
	ErrUnavailable = errors.New("workflow engine not available")
	// ErrPending means that the workflow accepted an update and is still at it.
	// Repeating it with the same id waits on.
	ErrPending = errors.New("update accepted, not completed yet")
	// ErrRefused means that the workflow answered an update with an error: its
	// validator turned it down, or its handler failed.
	ErrRefused = errors.New("workflow refused the update")
)

// AlreadyStartedError names the run that has the id. It matches
// ErrAlreadyStarted.
type AlreadyStartedError struct {
	WorkflowID, RunID string
}

// Error names workflow and run.
func (e *AlreadyStartedError) Error() string {
	return fmt.Sprintf("%s: %s, run %s", ErrAlreadyStarted, e.WorkflowID, e.RunID)
}

// Is makes errors.Is(err, ErrAlreadyStarted) true.
func (e *AlreadyStartedError) Is(target error) bool { return target == ErrAlreadyStarted }

// classify adds to an error of a call about a workflow which of ours it is. The
// call was made with the context called; ctx is for asking further.
func classify(ctx, called context.Context, c client.Client, workflowID string, err error) error {
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return fmt.Errorf("%w: %s: %w", absence(ctx, c, workflowID), workflowID, err)
	}
	if unanswered(called, err) {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, workflowID, err)
	}
	return fmt.Errorf("workflow %s: %w", workflowID, err)
}

// absence tells a workflow that has ended from one that never was: the server
// answers a message to either with the same error, apart from its wording.
func absence(ctx context.Context, c client.Client, workflowID string) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultWait)
	defer cancel()
	got, err := c.DescribeWorkflowExecution(ctx, workflowID, "")
	if err == nil && got.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return ErrClosed
	}
	return ErrNotFound
}

// unanswered reports whether a call ended without an answer.
func unanswered(ctx context.Context, err error) bool {
	var (
		timeout     *client.WorkflowUpdateServiceTimeoutOrCanceledError
		deadline    *serviceerror.DeadlineExceeded
		unavailable *serviceerror.Unavailable
	)
	return ctx.Err() != nil || errors.As(err, &timeout) || errors.As(err, &deadline) || errors.As(err, &unavailable)
}
