package temporalx_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// scheduled is a client, its converter, and a schedule that comes due in years.
type scheduled struct {
	bundle

	sealed converter.DataConverter
	told   temporalx.Schedule
}

func setupSchedule(t *testing.T, old ...[]byte) scheduled {
	t.Helper()
	keys, err := secret.NewKeyring(secret.GenerateKey(), old...)
	require.NoError(t, err)
	return scheduleWith(t, keys)
}

func scheduleWith(t *testing.T, keys *secret.Keyring) scheduled {
	t.Helper()
	o := options(t)
	o.Converters = func(namespace string) (converter.DataConverter, converter.FailureConverter) {
		return secret.Converters(keys, namespace)
	}
	c, err := temporalx.Dial(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	s := scheduled{bundle: bundle{client: c, queue: localtest.Name("queue")}}
	s.sealed, _ = secret.Converters(keys, localtest.SharedNamespace)
	s.told = temporalx.Schedule{
		ID: localtest.Name("schedule"), Note: "policy", Workflow: sleeper, Args: []any{canary}, WorkflowID: localtest.Name("run"), TaskQueue: s.queue,
		Spec: client.ScheduleSpec{
			Calendars:    []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: 4}}, DayOfMonth: []client.ScheduleRange{{Start: 1, End: 7}}}},
			Skip:         []client.ScheduleCalendarSpec{{Year: []client.ScheduleRange{{Start: 2001}}, Month: []client.ScheduleRange{{Start: 12}}}},
			Jitter:       time.Minute,
			TimeZoneName: "Europe/Berlin",
		},
	}
	t.Cleanup(func() {
		require.NoError(t, temporalx.RemoveSchedule(context.WithoutCancel(t.Context()), c, s.told.ID))
	})
	return s
}

// sleeper is a workflow that ends when told how.
func sleeper(ctx workflow.Context, _ string) error {
	var failure string
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, &failure)
	if failure != "" {
		return temporal.NewApplicationError(failure, "Failed")
	}
	return nil
}

func (s scheduled) ensure(t *testing.T, told temporalx.Schedule) *client.ScheduleDescription {
	t.Helper()
	require.NoError(t, temporalx.EnsureSchedule(t.Context(), s.client, s.sealed, told))
	return s.describe(t)
}

func (s scheduled) describe(t *testing.T) *client.ScheduleDescription {
	t.Helper()
	got, err := s.client.ScheduleClient().GetHandle(t.Context(), s.told.ID).Describe(t.Context())
	require.NoError(t, err)
	return got
}

func TestEnsureSchedule(t *testing.T) {
	t.Parallel()
	s := setupSchedule(t)
	made := s.ensure(t, s.told)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, made.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, made.Schedule.Policy.CatchupWindow)
	require.True(t, made.Schedule.Policy.PauseOnFailure)
	action, ok := made.Schedule.Action.(*client.ScheduleWorkflowAction)
	require.True(t, ok)
	require.Equal(t, "sleeper", action.Workflow)
	require.Equal(t, s.queue, action.TaskQueue)
	payload, ok := action.Args[0].(*commonpb.Payload)
	require.True(t, ok)
	raw, err := proto.Marshal(payload)
	require.NoError(t, err)
	require.NotContains(t, string(raw), canary, "arguments lie on the server sealed")
	require.True(t, s.ensure(t, s.told).Info.LastUpdateAt.Equal(made.Info.LastUpdateAt), "what is as told is left alone")

	last := made.Info.LastUpdateAt
	for name, change := range map[string]func(*temporalx.Schedule){
		"note":  func(c *temporalx.Schedule) { c.Note = "policy, version 2" },
		"pause": func(c *temporalx.Schedule) { c.Paused = true },
		"times": func(c *temporalx.Schedule) { c.Spec.Calendars[0].Hour[0].Start = 5 },
		"skips": func(c *temporalx.Schedule) { c.Spec.Skip = nil },
		"zone":  func(c *temporalx.Schedule) { c.Spec.TimeZoneName = "Asia/Tokyo" },
		"interval": func(c *temporalx.Schedule) {
			c.Spec = client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: 1000 * time.Hour}}}
		},
		"argument": func(c *temporalx.Schedule) { c.Args = []any{"another"} },
		"workflow": func(c *temporalx.Schedule) { c.Workflow = "Counter" },
		"ids":      func(c *temporalx.Schedule) { c.WorkflowID += "/x" },
		"queue":    func(c *temporalx.Schedule) { c.TaskQueue += "-x" },
	} {
		changed := s.told
		changed.Spec.Calendars = []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: 4}}, DayOfMonth: []client.ScheduleRange{{Start: 1, End: 7}}}}
		change(&changed)
		got := s.ensure(t, changed)
		require.Greater(t, got.Info.LastUpdateAt, last, name)
		require.Equal(t, changed.Note, got.Schedule.State.Note, name)
		require.Equal(t, changed.Paused, got.Schedule.State.Paused, name)
		require.True(t, s.ensure(t, changed).Info.LastUpdateAt.Equal(got.Info.LastUpdateAt), name)
		last = got.Info.LastUpdateAt
	}

	for range 2 {
		require.NoError(t, temporalx.RemoveSchedule(t.Context(), s.client, s.told.ID), "also when it is gone")
	}
	_, err = temporalx.DescribeSchedule(t.Context(), s.client, s.told.ID)
	require.ErrorIs(t, err, temporalx.ErrNotFound)
	s.ensure(t, s.told)
	require.ErrorContains(t, temporalx.EnsureSchedule(t.Context(), s.client, s.sealed, temporalx.Schedule{}), "required")
}

// TestScheduleNewKey: arguments that an older key sealed are sealed anew, before it
// is thrown away.
func TestScheduleNewKey(t *testing.T) {
	t.Parallel()
	older := secret.GenerateKey()
	before, err := secret.NewKeyring(older)
	require.NoError(t, err)
	s := scheduleWith(t, before)
	keyOf := func(d *client.ScheduleDescription) string {
		action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
		require.True(t, ok)
		payload, ok := action.Args[0].(*commonpb.Payload)
		require.True(t, ok)
		return string(payload.GetMetadata()["encryption-key-id"])
	}
	first := keyOf(s.ensure(t, s.told))
	after := setupSchedule(t, older)
	after.told.ID = s.told.ID
	second := keyOf(after.ensure(t, s.told))
	require.NotEmpty(t, first)
	require.NotEqual(t, first, second)
}

// TestScheduleRuns: no two runs at once, and none after one that failed, until the
// schedule is ensured again. What it remembers outlives changes.
func TestScheduleRuns(t *testing.T) {
	t.Parallel()
	s := setupSchedule(t)
	w := worker.New(s.client, s.queue, worker.Options{})
	w.RegisterWorkflow(sleeper)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	s.ensure(t, s.told)
	trigger := func() {
		require.NoError(t, s.client.ScheduleClient().GetHandle(t.Context(), s.told.ID).Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	}
	until := func(what string, is func(temporalx.ScheduleInfo) bool) {
		require.Eventually(t, func() bool {
			got, err := temporalx.DescribeSchedule(t.Context(), s.client, s.told.ID)
			return err == nil && is(got)
		}, 30*time.Second, 20*time.Millisecond, what)
	}
	trigger()
	until("started", func(i temporalx.ScheduleInfo) bool { return i.Started == 1 })
	run := s.describe(t).Info.RecentActions[0].StartWorkflowResult.WorkflowID
	require.Contains(t, run, s.told.WorkflowID)
	trigger()
	until("skipped", func(i temporalx.ScheduleInfo) bool { return i.Skipped == 1 && i.Started == 1 })

	s.told.Note = "changed"
	require.Equal(t, 1, s.ensure(t, s.told).Info.NumActions)
	require.NoError(t, temporalx.Signal(t.Context(), s.client, run, "end", canary))
	until("paused", func(i temporalx.ScheduleInfo) bool { return i.Paused })
	got, err := temporalx.DescribeSchedule(t.Context(), s.client, s.told.ID)
	require.NoError(t, err)
	require.NotContains(t, got.Note, canary, "the note quotes the failure, whose words are sealed")
	require.Contains(t, got.Note, "failure")

	again := s.ensure(t, s.told)
	require.False(t, again.Schedule.State.Paused)
	require.Equal(t, "changed", again.Schedule.State.Note)
	require.Equal(t, 1, again.Info.NumActions)
}
