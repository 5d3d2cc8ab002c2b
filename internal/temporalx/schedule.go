package temporalx

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// scheduleCatchup is how late a schedule may start what it missed. Temporal's own
// default is a year: after a restore it would start all of that year's runs.
const scheduleCatchup = time.Hour

// Schedule starts a workflow at times. Three things are the same for all of ours:
// while a run goes on, the next is skipped; what was missed for more than an hour
// is not made up for; and a run that fails pauses the schedule, with the server's
// words as its note, until EnsureSchedule says otherwise.
type Schedule struct {
	ID   string
	Spec client.ScheduleSpec
	// Paused schedules start nothing.
	Paused bool
	// Note is for people who look at Temporal. It is not encrypted.
	Note     string
	Workflow any // function or name
	Args     []any
	// WorkflowID begins the ids of the runs; the server appends the time.
	WorkflowID string
	TaskQueue  string
	// Beside lets a run begin while one before it goes on; else it is skipped.
	Beside bool
}

// EnsureSchedule makes or changes the schedule so that it is exactly as told. One
// that is as told already is left alone: with each change the server counts its
// times anew, by which a run that only its jitter still holds back is lost. What
// the schedule remembers of its runs stays. The converter is the client's own; it
// tells whether the arguments, which lie on the server sealed, are the same and
// sealed by the key of now. Errors: ErrUnavailable.
func EnsureSchedule(ctx context.Context, c client.Client, sealed converter.DataConverter, s Schedule) error {
	if s.ID == "" || s.WorkflowID == "" || s.TaskQueue == "" || s.Workflow == nil {
		return errors.New("ensure schedule: id, workflow, its id and task queue are required")
	}
	err := s.change(ctx, c, sealed)
	if errors.Is(err, ErrNotFound) {
		_, err = c.ScheduleClient().Create(ctx, s.options())
		if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return s.change(ctx, c, sealed)
		}
		err = scheduleError(ctx, s.ID, err)
	}
	return err
}

// RemoveSchedule removes a schedule; what it started goes on. One that is not
// there is no error. Errors: ErrUnavailable.
func RemoveSchedule(ctx context.Context, c client.Client, id string) error {
	err := scheduleError(ctx, id, c.ScheduleClient().GetHandle(ctx, id).Delete(ctx))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// ScheduleInfo is what the server says of a schedule.
type ScheduleInfo struct {
	Paused  bool
	Note    string
	Started int // runs, by its times or by hand
	Skipped int // because a run went on
	Missed  int // because the server was down for too long
	Next    []time.Time
}

// DescribeSchedule asks the server about a schedule. Errors: ErrNotFound,
// ErrUnavailable.
func DescribeSchedule(ctx context.Context, c client.Client, id string) (ScheduleInfo, error) {
	got, err := c.ScheduleClient().GetHandle(ctx, id).Describe(ctx)
	if err != nil {
		return ScheduleInfo{}, scheduleError(ctx, id, err)
	}
	return ScheduleInfo{
		Paused: got.Schedule.State.Paused, Note: got.Schedule.State.Note, Next: got.Info.NextActionTimes,
		Started: got.Info.NumActions, Skipped: got.Info.NumActionsSkippedOverlap, Missed: got.Info.NumActionsMissedCatchupWindow,
	}, nil
}

func (s Schedule) action() *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{ID: s.WorkflowID, Workflow: s.Workflow, Args: s.Args, TaskQueue: s.TaskQueue}
}

func (s Schedule) policies() *client.SchedulePolicies {
	overlap := enumspb.SCHEDULE_OVERLAP_POLICY_SKIP
	if s.Beside {
		overlap = enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
	}
	return &client.SchedulePolicies{
		Overlap: overlap, CatchupWindow: scheduleCatchup, PauseOnFailure: true,
	}
}

func (s Schedule) options() client.ScheduleOptions {
	p := s.policies()
	return client.ScheduleOptions{
		ID: s.ID, Spec: s.Spec, Action: s.action(), Note: s.Note, Paused: s.Paused,
		Overlap: p.Overlap, CatchupWindow: p.CatchupWindow, PauseOnFailure: p.PauseOnFailure,
	}
}

// change changes a schedule that is there.
func (s Schedule) change(ctx context.Context, c client.Client, sealed converter.DataConverter) error {
	want := &client.Schedule{
		Action: s.action(), Spec: &s.Spec, Policy: s.policies(), State: &client.ScheduleState{Note: s.Note, Paused: s.Paused},
	}
	err := c.ScheduleClient().GetHandle(ctx, s.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			if s.is(in.Description.Schedule, sealed) {
				return nil, temporal.ErrSkipScheduleUpdate
			}
			return &client.ScheduleUpdate{Schedule: want}, nil
		},
	})
	return scheduleError(ctx, s.ID, err)
}

// is tells whether a schedule is as told.
func (s Schedule) is(got client.Schedule, sealed converter.DataConverter) bool {
	action, ok := got.Action.(*client.ScheduleWorkflowAction)
	return ok && action.ID == s.WorkflowID && action.TaskQueue == s.TaskQueue && action.Workflow == workflowName(s.Workflow) &&
		sameArgs(sealed, s.Args, action.Args) && sameSpec(s.Spec, *got.Spec) && *got.Policy == *s.policies() &&
		*got.State == client.ScheduleState{Note: s.Note, Paused: s.Paused}
}

// workflowName is the name by which the SDK registers a workflow.
func workflowName(workflow any) string {
	if name, ok := workflow.(string); ok {
		return name
	}
	full := runtime.FuncForPC(reflect.ValueOf(workflow).Pointer()).Name()
	return strings.TrimSuffix(full[strings.LastIndex(full, ".")+1:], "-fm")
}

// sameArgs tells whether arguments on the server are those told, sealed as they
// would be now: ones that an older key sealed are to be replaced while it is there.
func sameArgs(sealed converter.DataConverter, told, got []any) bool {
	if len(told) != len(got) {
		return false
	}
	for i := range told {
		was, ok := got[i].(*commonpb.Payload)
		fresh, err := sealed.ToPayload(told[i])
		if !ok || err != nil || !reflect.DeepEqual(was.GetMetadata(), fresh.GetMetadata()) {
			return false
		}
		var before, now converter.RawValue
		if sealed.FromPayload(was, &before) != nil || sealed.FromPayload(fresh, &now) != nil || !proto.Equal(before.Payload(), now.Payload()) {
			return false
		}
	}
	return true
}

func scheduleError(ctx context.Context, id string, err error) error {
	var absent *serviceerror.NotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &absent):
		return fmt.Errorf("%w: schedule %s: %w", ErrNotFound, id, err)
	case unanswered(ctx, err):
		return fmt.Errorf("%w: schedule %s: %w", ErrUnavailable, id, err)
	}
	return fmt.Errorf("schedule %s: %w", id, err)
}
