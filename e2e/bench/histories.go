package main

import (
	"context"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"sendoff/schema"
)

type (
	caseID = schema.CaseID
	planID = schema.PlanID
)

// idOf names the kind of an id that came as text.
func idOf[T ~string](id string) T { return T(id) }

func history(ctx context.Context, c client.Client, id string) ([]*historypb.HistoryEvent, error) {
	var events []*historypb.HistoryEvent
	all := c.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		e, err := all.Next()
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// activitiesBefore counts the activities scheduled before an event.
func activitiesBefore(events []*historypb.HistoryEvent, stop func(*historypb.HistoryEvent) bool) (n int) {
	for _, e := range events {
		if stop(e) {
			return n
		}
		if e.GetEventType() == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED {
			n++
		}
	}
	return n
}

func childStarted(e *historypb.HistoryEvent) bool {
	return e.GetEventType() == enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
}

func scheduled(activity string) func(*historypb.HistoryEvent) bool {
	return func(e *historypb.HistoryEvent) bool {
		return e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == activity
	}
}

// tally counts what Temporal's prices call actions, as far as histories show them
// (https://docs.temporal.io/cloud/actions): heartbeats they do not.
type tally struct {
	Events     int
	Starts     int // of workflows, children included
	Children   int // started by a workflow
	Activities int // tries, the first of each and those after it
	Timers     int
	Signals    int
	Updates    int
	tries      map[string]int // by activity
}

func (t *tally) actions() int {
	return t.Starts + t.Children + t.Activities + t.Timers + t.Signals + t.Updates
}

func (t *tally) add(events []*historypb.HistoryEvent) {
	if t.tries == nil {
		t.tries = map[string]int{}
	}
	names := map[int64]string{}
	for _, e := range events {
		t.Events++
		switch e.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			t.Starts++
		case enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			t.Children++
		case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			names[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			// Written once the activity ends, with the number of its last try.
			a := e.GetActivityTaskStartedEventAttributes()
			t.Activities += int(a.GetAttempt())
			t.tries[names[a.GetScheduledEventId()]] += int(a.GetAttempt())
		case enums.EVENT_TYPE_TIMER_STARTED:
			t.Timers++
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			t.Signals++
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			t.Updates++
		}
	}
}
