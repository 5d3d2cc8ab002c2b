package activities_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// fail runs an activity that returns the error, with the worker's interceptor,
// and returns what was logged and what Temporal gets of it.
func fail(t *testing.T, cause error) ([]observer.LoggedEntry, error) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	env := newEnv(worker.Options{}, zap.New(core))
	env.RegisterActivityWithOptions(func(context.Context) error { return cause }, activity.RegisterOptions{Name: "Fail"})
	_, err := env.ExecuteActivity("Fail")
	return logs.All(), err
}

func TestClassifyVendor(t *testing.T) {
	t.Parallel()
	for kind, retryable := range map[connectors.Kind]bool{
		connectors.RateLimited: true, connectors.Unavailable: true, connectors.Conflict: true,
		connectors.Unauthorized: false, connectors.Forbidden: false, connectors.Invalid: false, connectors.Malformed: true, // for some minutes
		connectors.NotFound: false, connectors.Unsupported: false, connectors.Blocked: false,
		"a kind yet to come": false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			vendor := &connectors.Error{Kind: kind, Op: "vendor.call", Code: "a_code", RetryAfter: 7 * time.Second}
			logs, err := fail(t, fmt.Errorf("ann@example.com: %w", vendor))
			app := requireType(t, err, string(kind), retryable)
			require.Equal(t, 7*time.Second, app.NextRetryDelay())
			require.Equal(t, "vendor.call: "+string(kind)+", code a_code", app.Message(), "and nothing of what wraps it")
			require.Len(t, logs, 1)
			require.Equal(t, "Fail", logs[0].ContextMap()["activity"])
		})
	}
}

func TestClassifyOurs(t *testing.T) {
	t.Parallel()
	for code, retryable := range map[schema.Code]bool{
		schema.CodePaused: true, schema.CodeUnavailable: true, schema.CodeInternal: true,
		schema.CodeInvalid: false, schema.CodeNotFound: false, schema.CodeAmbiguous: false, schema.CodeConflict: false,
		schema.CodeForbidden: false, schema.CodeUnauthorized: false, schema.CodeRefused: false, schema.CodeHashDiffers: false,
		schema.CodeStateBehind: false, schema.CodeStale: false, schema.CodeNotApproved: false, schema.CodeSuperseded: false,
		schema.CodeStopped: false, schema.CodeReadOnly: false, schema.CodeClosed: false, schema.CodeVendor: false,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			ours := &schema.Error{Code: code, Message: "the rule"}
			for name, cause := range map[string]error{
				"alone": ours,
				// A connector's guard refuses so: the reason counts, not the vendor's kind.
				"wrapped by a connector": &connectors.Error{Kind: connectors.Blocked, Op: "vendor.call", Err: ours},
			} {
				logs, err := fail(t, cause)
				app := requireType(t, err, activities.TypeOf(code), retryable)
				require.Equal(t, "the rule", app.Message(), name)
				var delay time.Duration
				if code == schema.CodePaused {
					delay = 10 * time.Second
				}
				require.Equal(t, delay, app.NextRetryDelay(), name)
				require.Len(t, logs, 1)
			}
		})
	}
}

func TestClassifyRefusal(t *testing.T) {
	t.Parallel()
	logs, err := fail(t, fmt.Errorf("ann@example.com: %w", &activities.Refusal{Code: schema.ParkTrashRemains, Message: "what", Fix: "the way out"}))
	require.Equal(t, schema.Cause{Code: schema.ParkTrashRemains, Message: "what", Fix: "the way out"}, requireParks(t, err, schema.ParkTrashRemains))
	require.NotContains(t, err.Error(), "ann@example.com")
	require.Equal(t, "TRASH_REMAINS", logs[0].ContextMap()["code"])
}

// TestClassifyUnknown: an error that nobody sorted is tried again, and its text
// stays out of the history and of the log.
func TestClassifyUnknown(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"plain":    errors.New("ann@example.com: hunter2"),
		"wrapped":  fmt.Errorf("ann@example.com: %w", errors.New("hunter2")),
		"joined":   errors.Join(errors.New("ann@example.com"), errors.New("hunter2")),
		"deadline": fmt.Errorf("ann@example.com: hunter2: %w", context.DeadlineExceeded),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs, err := fail(t, cause)
			app := requireType(t, err, activities.TypeOf(schema.CodeInternal), true)
			require.Zero(t, app.NextRetryDelay())
			require.Nil(t, errors.Unwrap(app))
			require.Len(t, logs, 1)
			require.Equal(t, zapcore.ErrorLevel, logs[0].Level)
			for _, text := range []string{err.Error(), logs[0].Message, fmt.Sprint(logs[0].ContextMap())} {
				require.NotContains(t, text, "example.com")
				require.NotContains(t, text, "hunter2")
			}
		})
	}

	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		_, err := fail(t, fmt.Errorf("ann@example.com: hunter2: %w", context.Canceled))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "example.com")
	})

	t.Run("success passes through", func(t *testing.T) {
		t.Parallel()
		logs, err := fail(t, nil)
		require.NoError(t, err)
		require.Empty(t, logs)
	})
}
