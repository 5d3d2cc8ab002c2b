package workflows_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const (
	policyID = schema.PolicyID("00000000-0000-7000-8000-0000000000aa")
	reviewID = schema.ReviewID("00000000-0000-7000-8000-0000000000bb")
)

// reviewer stands for the activities of review runs: a script says in which state
// the run is after each of them.
type reviewer struct {
	mu     sync.Mutex
	env    *testsuite.TestWorkflowEnvironment
	state  schema.ReviewState
	calls  []string
	began  activities.BeginReviewInput
	ended  activities.EndReviewInput
	pieces map[string][]activities.Piece
	moves  map[string]schema.ReviewState // by activity, once its pieces are done
	fail   map[string]error
	read   func() // after a run was read, before its workflow knows
}

func newReviewer(t *testing.T) *reviewer {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	r := &reviewer{
		env: patient(&suite), state: schema.ReviewGathering, pieces: map[string][]activities.Piece{}, fail: map[string]error{},
		moves: map[string]schema.ReviewState{
			"GatherFacts": schema.ReviewJudging, "JudgeAccounts": schema.ReviewPlanning, "EndPlanning": schema.ReviewActing, "ActOnItems": schema.ReviewEnded,
		},
	}
	r.env.SetTestTimeout(20 * time.Second)
	r.env.SetWorkflowRunTimeout(365 * 24 * time.Hour)
	workflows.Register(r.env)
	var v *activities.Reviews
	r.env.OnActivity(v.BeginReview, anything, anything).Return(func(_ context.Context, in activities.BeginReviewInput) (activities.ReviewOutline, error) {
		r.began = in
		return activities.ReviewOutline{ReviewID: reviewID, State: r.state}, nil
	})
	r.env.OnActivity(v.LoadReview, anything, anything).Return(func(context.Context, activities.ReviewInput) (activities.ReviewOutline, error) {
		r.mu.Lock()
		out := activities.ReviewOutline{ReviewID: reviewID, State: r.state}
		r.mu.Unlock()
		if r.read != nil {
			r.read()
		}
		return out, nil
	}).Maybe()
	for name, fn := range map[string]any{"GatherFacts": v.GatherFacts, "PlanItems": v.PlanItems, "AskItems": v.AskItems, "ActOnItems": v.ActOnItems} {
		r.env.OnActivity(fn, anything, anything).Return(func(context.Context, activities.ReviewInput) (activities.Piece, error) { return r.take(name) }).Maybe()
	}
	for name, fn := range map[string]any{"JudgeAccounts": v.JudgeAccounts, "EndPlanning": v.EndPlanning} {
		r.env.OnActivity(fn, anything, anything).Return(func(context.Context, activities.ReviewInput) error {
			_, err := r.take(name)
			return err
		}).Maybe()
	}
	r.env.OnActivity(v.EndReview, anything, anything).Return(func(_ context.Context, in activities.EndReviewInput) error {
		r.ended, r.state = in, schema.ReviewEnded
		return nil
	}).Maybe()
	return r
}

// take returns an activity's next scripted piece, and moves the run with its last.
func (r *reviewer) take(name string) (activities.Piece, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, name)
	if err := r.fail[name]; err != nil {
		return activities.Piece{}, err
	}
	if left := r.pieces[name]; len(left) > 0 {
		r.pieces[name] = left[1:]
		return left[0], nil
	}
	if to, ok := r.moves[name]; ok {
		r.state = to
		return activities.Piece{More: true}, nil
	}
	return activities.Piece{}, nil
}

func (r *reviewer) set(to schema.ReviewState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = to
}

func (r *reviewer) count(name string) int {
	n := 0
	for _, c := range r.calls {
		if c == name {
			n++
		}
	}
	return n
}

func TestReviewGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.pieces["GatherFacts"] = []activities.Piece{{Wait: time.Hour}}
	r.pieces["PlanItems"] = []activities.Piece{{More: true}, {More: true}}
	r.pieces["ActOnItems"] = []activities.Piece{{Wait: 14 * 24 * time.Hour}, {More: true}}
	at := r.env.Now()
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})

	require.NoError(t, r.env.GetWorkflowError())
	require.GreaterOrEqual(t, r.env.Now().Sub(at), 14*24*time.Hour)
	require.Equal(t, []string{
		"GatherFacts", "GatherFacts", "JudgeAccounts", "PlanItems", "PlanItems", "PlanItems", "EndPlanning",
		"AskItems", "ActOnItems", "AskItems", "ActOnItems", "AskItems", "ActOnItems",
	}, r.calls)
	require.Equal(t, policyID, r.began.PolicyID)
	require.Empty(t, r.ended.End, "it ended by itself")
}

// Held and waiting for approvals, a run does nothing, for however long, until it
// is told; told for nothing, it looks and waits on.
func TestReviewWaitsToBeTold(t *testing.T) {
	t.Parallel()
	for _, state := range []schema.ReviewState{schema.ReviewHeld, schema.ReviewApproving} {
		r := newReviewer(t)
		r.moves["EndPlanning"] = state
		r.env.RegisterDelayedCallback(func() { r.env.SignalWorkflow(workflows.SignalLook, nil) }, 24*time.Hour)
		r.env.RegisterDelayedCallback(func() {
			require.NotContains(t, r.calls, "AskItems")
			r.set(schema.ReviewActing)
			r.env.SignalWorkflow(workflows.SignalLook, nil)
		}, 90*24*time.Hour)
		r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
		require.NoError(t, r.env.GetWorkflowError())
		require.Equal(t, 1, r.count("ActOnItems"))
	}
}

// What a run is told while it is read counts: what was read may be older.
func TestReviewIsToldWhileItIsRead(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.moves["EndPlanning"] = schema.ReviewApproving
	r.read = func() {
		if r.count("EndPlanning") == 1 && r.count("AskItems") == 0 {
			r.set(schema.ReviewActing)
			r.env.SignalWorkflow(workflows.SignalLook, nil)
		}
	}
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	require.NoError(t, r.env.GetWorkflowError())
	require.Equal(t, 1, r.count("ActOnItems"))
}

// An answer ends the wait for answers early.
func TestReviewIsToldOfAnswers(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.pieces["ActOnItems"] = []activities.Piece{{Wait: 14 * 24 * time.Hour}}
	at := r.env.Now()
	r.env.RegisterDelayedCallback(func() { r.env.SignalWorkflow(workflows.SignalLook, nil) }, time.Hour)
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	require.NoError(t, r.env.GetWorkflowError())
	require.Less(t, r.env.Now().Sub(at), 2*time.Hour)
}

// Where nobody tells when to go on, a run looks less and less often, up to the longest
// wait; told something, it begins anew.
func TestReviewLooksLessAndLessOften(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	idle := activities.Piece{Wait: 16 * time.Second, Longest: 40 * time.Second}
	r.pieces["ActOnItems"] = slices.Repeat([]activities.Piece{idle}, 6)
	var looks []int // seconds since the look before
	at, acted := r.env.Now(), 0
	r.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name != "ActOnItems" {
			return
		}
		looks, at = append(looks, int(r.env.Now().Sub(at).Round(time.Second)/time.Second)), r.env.Now()
		if acted++; acted == 5 {
			r.env.RegisterDelayedCallback(func() { r.env.SignalWorkflow(workflows.SignalLook, nil) }, 10*time.Second)
		}
	})
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	require.NoError(t, r.env.GetWorkflowError())
	require.Equal(t, []int{16, 24, 36, 40, 10, 16}, looks[1:])
}

// A run that cannot go on ends, with a reason free of data, and fails its
// workflow, by which its schedule pauses.
func TestReviewThatFailsEndsItsRun(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.fail["JudgeAccounts"] = temporal.NewNonRetryableApplicationError("the policy is not usable", activities.TypeOf(schema.CodeInvalid), nil)
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	require.Error(t, r.env.GetWorkflowError())
	require.Equal(t, schema.ReviewFailed, r.ended.End)
	require.NotEmpty(t, r.ended.Why)
}

// A run of ten thousand accounts does not outgrow its history: it continues as new
// and names itself.
func TestReviewContinuesAsNew(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.pieces["PlanItems"] = slices.Repeat([]activities.Piece{{More: true}}, 200)
	r.env.SetContinueAsNewSuggested(true)
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, r.env.GetWorkflowError(), &next)
	require.Empty(t, r.ended.End)
}

// A policy that is paused, or has another run open, has no run.
func TestReviewThatMustNotBegin(t *testing.T) {
	t.Parallel()
	r := newReviewer(t)
	r.state = schema.ReviewEnded
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{PolicyID: policyID})
	require.NoError(t, r.env.GetWorkflowError())
	require.Empty(t, r.calls)
}
