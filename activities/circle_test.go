package activities_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

// A read of events that fails is said, since what is known grows old; the next
// one that is done ends it.
func TestFailedReadOfEventsRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 2})
	open := func() (codes []string) {
		alarms, err := s.UntoldAlarms(t.Context(), s.box.ID)
		require.NoError(t, err)
		for _, a := range alarms {
			codes = append(codes, a.Code)
		}
		return codes
	}
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	run := s.begin(schema.RunActivity)
	require.Nil(t, s.examine(run.ID).Cause)
	_, err := env.ExecuteActivity(s.inventory.EndRun, activities.EndRunInput{
		RunID: run.ID, State: schema.RunFailed, Cause: &schema.RunCause{Code: "ANSWER_MALFORMED", Message: "it is none", Fix: "look"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{schema.AlarmActivityFailing}, open())
	s.read()
	require.Empty(t, open())
}

// What the doctor found is one fault, whatever runs it stops: one mail.
func TestFaultThatStopsRunsIsToldOnce(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 2})
	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{AppState: "disabled"}))
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(s.inventory)
	for _, kind := range []schema.RunKind{schema.RunSync, schema.RunActivity} {
		run := s.begin(kind)
		cause := s.examine(run.ID).Cause
		require.NotNil(t, cause)
		_, err := env.ExecuteActivity(s.inventory.EndRun, activities.EndRunInput{RunID: run.ID, State: schema.RunFailed, Cause: cause})
		require.NoError(t, err)
		s.must(s.inventory.TellOwner, run.ID)
	}
	require.Len(t, s.told.notices, 1)
}

// roundabout is a vendor whose pages lead from one to the other and back.
type roundabout struct {
	connectors.Connector
	connectors.ActivityFeed
	connectors.InventoryLister
}

func turn(at string) string {
	if at == "6" {
		return "5"
	}
	return "6"
}

func (roundabout) LiveEvents(_ context.Context, at string) (connectors.EventPage, error) {
	return connectors.EventPage{Next: turn(at)}, nil
}

func (roundabout) ListAccounts(_ context.Context, at string) (connectors.Page[schema.Account], error) {
	return connectors.Page[schema.Account]{Next: turn(at)}, nil
}

// Pages that lead in a circle are not read round and round until the run's time
// is over.
func TestPagesInACircle(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 2})
	s.read()
	c := s.vendors[s.box.ID]
	s.vendors[s.box.ID] = roundabout{c, c.(connectors.ActivityFeed), c.(connectors.InventoryLister)}
	run := s.begin(schema.RunActivity)
	require.ErrorContains(t, s.try(s.inventory.ReadLive, run.ID), "circle")
	run = s.begin(schema.RunSync)
	require.Nil(t, s.examine(run.ID).Cause)
	require.ErrorContains(t, s.try(s.inventory.ListAccounts, run.ID), "circle")
}
