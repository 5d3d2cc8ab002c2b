package workflows_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

const runID = schema.RunID("00000000-0000-7000-8000-00000000000a")

// surveyor stands for the activities of runs: it keeps what was called, in order.
type surveyor struct {
	mu       sync.Mutex
	calls    []string
	examined activities.Examined
	lost     *schema.RunCause // what the doctor finds when asked again
	fails    map[string]error
	ended    []activities.EndRunInput
	env      *testsuite.TestWorkflowEnvironment
}

func newSurveyor(t *testing.T) *surveyor {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	s := &surveyor{fails: map[string]error{}, env: patient(&suite)}
	s.env.SetTestTimeout(20 * time.Second)
	s.env.SetWorkflowRunTimeout(7 * 24 * time.Hour)
	workflows.Register(s.env)
	var v *activities.Inventory
	s.env.OnActivity(v.Examine, anything, anything).Return(func(context.Context, activities.RunInput) (activities.Examined, error) {
		found := s.examined
		if slices.Contains(s.calls, "Examine") {
			found.Cause = s.lost
		}
		return found, s.note("Examine")
	}).Maybe()
	s.env.OnActivity(v.Publish, anything, anything).Return(func(context.Context, activities.RunInput) (activities.PublishResult, error) {
		return activities.PublishResult{State: schema.RunDone}, s.note("Publish")
	}).Maybe()
	s.env.OnActivity(v.EndRun, anything, anything).Return(func(_ context.Context, in activities.EndRunInput) error {
		s.ended = append(s.ended, in)
		return s.note("EndRun")
	}).Maybe()
	for name, fn := range map[string]any{"SkipDataset": v.SkipDataset, "SkipActivity": v.SkipActivity} {
		s.env.OnActivity(fn, anything, anything).Return(func(_ context.Context, in activities.SkipInput) error {
			return s.note(name + " " + string(in.Dataset) + " " + in.Reason)
		}).Maybe()
	}
	for name, fn := range map[string]any{
		"ListAccounts": v.ListAccounts, "ListGroups": v.ListGroups, "ListMemberships": v.ListMemberships,
		"ListCollaborations": v.ListCollaborations, "CheckAbsences": v.CheckAbsences, "BeginFeed": v.BeginFeed,
		"ReadPast": v.ReadPast, "ReadLive": v.ReadLive, "TellOwner": v.TellOwner,
	} {
		s.env.OnActivity(fn, anything, anything).Return(func(context.Context, activities.RunInput) error { return s.note(name) }).Maybe()
	}
	return s
}

func (s *surveyor) note(call string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.calls, call) { // tries of one are one
		s.calls = append(s.calls, call)
	}
	return s.fails[call]
}

func (s *surveyor) carryOut(t *testing.T, workflow any) {
	t.Helper()
	s.env.ExecuteWorkflow(workflow, workflows.RunInput{RunID: runID})
	require.NoError(t, s.env.GetWorkflowError())
}

func TestSyncListsThenPublishes(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.carryOut(t, workflows.Sync)
	require.Equal(t, []string{
		"Examine", "ListAccounts", "ListGroups", "ListMemberships", "ListCollaborations", "CheckAbsences", "Publish", "TellOwner",
	}, s.calls)
	require.Empty(t, s.ended, "publishing ends the run itself")
}

func TestSyncGoesWithoutWhatCannotBeHad(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.examined.Without = map[schema.Dataset]string{
		schema.DataGroups: "SCOPE_OPTIONAL_MISSING", schema.DataMemberships: "SCOPE_OPTIONAL_MISSING", schema.DataCollaborations: "SCOPE_OPTIONAL_MISSING",
	}
	s.carryOut(t, workflows.Sync)
	require.Equal(t, []string{
		"Examine", "ListAccounts", "SkipDataset groups SCOPE_OPTIONAL_MISSING", "SkipDataset memberships SCOPE_OPTIONAL_MISSING",
		"SkipDataset group_collaborations SCOPE_OPTIONAL_MISSING", "CheckAbsences", "Publish", "TellOwner",
	}, s.calls)
}

func TestRunOverAFailedConnectionListsNothing(t *testing.T) {
	t.Parallel()
	for name, workflow := range map[string]any{"sync": workflows.Sync, "activity": workflows.CollectActivity, "probe": workflows.Probe} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSurveyor(t)
			s.examined.Cause = &schema.RunCause{Code: "TOKEN_REVOKED", Message: "the token was revoked", Fix: "consent again"}
			s.carryOut(t, workflow)
			require.Equal(t, []string{"Examine", "EndRun", "TellOwner"}, s.calls)
			require.Equal(t, schema.RunFailed, s.ended[0].State)
			require.Equal(t, "TOKEN_REVOKED", s.ended[0].Cause.Code)
		})
	}
}

func TestSyncThatCannotGoOnEndsFailedWithItsCause(t *testing.T) {
	t.Parallel()
	for kind, code := range map[string]string{
		activities.TypeForbidden: "ACCESS_REFUSED", activities.TypeMalformed: "ANSWER_MALFORMED", activities.TypeOf(schema.CodeVendor): schema.CauseListing,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSurveyor(t)
			s.fails["ListGroups"] = temporal.NewNonRetryableApplicationError("it cannot", kind, nil)
			s.carryOut(t, workflows.Sync)
			require.Equal(t, []string{"Examine", "ListAccounts", "ListGroups", "EndRun", "TellOwner"}, s.calls)
			require.Equal(t, schema.RunFailed, s.ended[0].State)
			require.Equal(t, code, s.ended[0].Cause.Code)
			require.NotEmpty(t, s.ended[0].Cause.Fix)
		})
	}
}

// A vendor that is down is waited for, but not for ever: the run ends and the
// next one begins by its schedule.
func TestSyncGivesUpOnAVendorThatStaysDown(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.fails["ListAccounts"] = temporal.NewApplicationError("box.list_users: unavailable", activities.TypeUnavailable)
	s.carryOut(t, workflows.Sync)
	require.Equal(t, []string{"Examine", "ListAccounts", "EndRun", "TellOwner"}, s.calls)
	require.Equal(t, "BASE_URL_UNREACHABLE", s.ended[0].Cause.Code)
}

func TestActivityIsReadFromThePastAndLive(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.carryOut(t, workflows.CollectActivity)
	require.Equal(t, []string{"Examine", "BeginFeed", "ReadPast", "ReadLive", "EndRun", "TellOwner"}, s.calls)
	require.Equal(t, schema.RunDone, s.ended[0].State)
}

func TestActivityThatMayNotBeReadIsNotCollected(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.examined.Without = map[schema.Dataset]string{schema.DataActivity: "PLAN_WITHOUT_EVENTS"}
	s.carryOut(t, workflows.CollectActivity)
	require.Equal(t, []string{"Examine", "SkipActivity activity PLAN_WITHOUT_EVENTS", "EndRun", "TellOwner"}, s.calls)
	require.Equal(t, schema.RunDone, s.ended[0].State)
}

func TestOwnerWhoCannotBeToldHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.fails["TellOwner"] = temporal.NewApplicationError("the mail server is down", activities.TypeOf(schema.CodeUnavailable))
	s.carryOut(t, workflows.Probe)
	require.Equal(t, []string{"Examine", "EndRun", "TellOwner"}, s.calls)
}

// What a refusal in mid-run means is for the doctor to say.
func TestRunThatIsRefusedAsksTheDoctor(t *testing.T) {
	t.Parallel()
	s := newSurveyor(t)
	s.fails["ListGroups"] = temporal.NewNonRetryableApplicationError("box.token: unauthorized", activities.TypeUnauthorized, nil)
	s.lost = &schema.RunCause{Code: "GRANT_LOST", Message: "the grant was lost", Fix: "consent again"}
	s.carryOut(t, workflows.Sync)
	require.Equal(t, "GRANT_LOST", s.ended[0].Cause.Code)
}
