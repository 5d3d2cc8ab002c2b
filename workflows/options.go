package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

func retry(first, longest time.Duration) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: first, BackoffCoefficient: 2, MaximumInterval: longest}
}

// database is for activities that only read or move state in Postgres.
func database() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueEngine, StartToCloseTimeout: 30 * time.Second, ScheduleToCloseTimeout: 30 * 24 * time.Hour,
		RetryPolicy: retry(time.Second, time.Minute),
	}
}

// alive is how long a worker may be silent before another takes its activity.
// Activities heartbeat every 10 s (activities/heartbeat.go).
const alive = time.Minute

// vendor is for activities that call a vendor a few times.
func vendor() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueEngine, StartToCloseTimeout: 5 * time.Minute, ScheduleToCloseTimeout: 24 * time.Hour, HeartbeatTimeout: alive,
		RetryPolicy: retry(2*time.Second, 10*time.Minute),
	}
}

// shut is for what shuts an account: it goes before everything else.
func shut() workflow.ActivityOptions {
	o := vendor()
	o.TaskQueue = QueueSuspend
	return o
}

// snapshot is for the snapshot, which may list much and stands before the suspend.
func snapshot() workflow.ActivityOptions {
	o := shut()
	o.StartToCloseTimeout = 30 * time.Minute
	return o
}

// closing is for suspending an account again that is active for a call: after an
// hour of failures somebody has to know.
func closing() workflow.ActivityOptions {
	o := vendor()
	o.ScheduleToCloseTimeout = time.Hour
	o.RetryPolicy = retry(2*time.Second, time.Minute)
	return o
}

// ahead is for reading much that nothing waits for.
func ahead() workflow.ActivityOptions {
	o := vendor()
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 2*time.Hour, 12*time.Hour
	return o
}

// send is for the one call that must not be repeated: one attempt, watched by
// heartbeats, longer than the call's own deadline of 15 minutes.
func send() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueTransfer, StartToCloseTimeout: 25 * time.Minute, ScheduleToCloseTimeout: 24 * time.Hour,
		HeartbeatTimeout: alive, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	}
}

// settle is for looking at evidence again and again: each look is a retry of
// one activity, so that weeks of looks cost a handful of history events.
func settle() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueEngine, StartToCloseTimeout: 30 * time.Minute, ScheduleToCloseTimeout: 90 * 24 * time.Hour,
		HeartbeatTimeout: alive, RetryPolicy: retry(2*time.Second, 10*time.Minute),
	}
}

// delivery is for notices: a server that is down for a weekend still gets them.
func delivery() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueEngine, StartToCloseTimeout: 5 * time.Minute, ScheduleToCloseTimeout: 48 * time.Hour,
		RetryPolicy: retry(5*time.Second, 30*time.Minute),
	}
}

// poll is for reading a source's API, which may be a whole company.
func poll() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: QueueInventory, StartToCloseTimeout: 2 * time.Hour, ScheduleToCloseTimeout: 6 * time.Hour, HeartbeatTimeout: alive,
		RetryPolicy: retry(5*time.Second, 10*time.Minute),
	}
}

// judging is for judging a whole population from the database.
func judging() workflow.ActivityOptions {
	o := database()
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout, o.HeartbeatTimeout = time.Hour, 24*time.Hour, alive
	return o
}
