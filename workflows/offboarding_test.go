package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// TestOffboardingReadsAhead: a dated case is read ahead once, within the day
// before, and begins on time though the reading takes longer.
func TestOffboardingReadsAhead(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	env := patient(&suite)
	env.SetWorkflowRunTimeout(365 * 24 * time.Hour)
	workflows.Register(env)
	due := env.Now().Add(72 * time.Hour)
	var a *activities.Activities
	env.OnActivity(a.LoadCase, anything, anything).Return(func(context.Context, activities.CaseInput) (activities.CaseOutline, error) {
		return activities.CaseOutline{Approved: true, Left: max(0, due.Sub(env.Now())), Open: []schema.PlanID{planID}}, nil
	})
	var read []time.Duration // before the date
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "ReadAhead" {
			read = append(read, due.Sub(env.Now()))
		}
	})
	env.OnActivity(a.ReadAhead, anything, anything).Return(nil).After(48 * time.Hour)
	env.OnWorkflow(workflows.Deprovision, anything, anything).Return(nil)
	var closed time.Time
	env.OnActivity(a.CloseCase, anything, anything).Return(func(context.Context, activities.CaseInput) error {
		closed = env.Now()
		return nil
	})
	env.ExecuteWorkflow(workflows.Offboarding, workflows.OffboardingInput{CaseID: "c"})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.WithinDuration(t, due, closed, time.Minute)
	require.Len(t, read, 1)
	require.InDelta(t, 24*time.Hour, read[0], float64(time.Minute))
}
