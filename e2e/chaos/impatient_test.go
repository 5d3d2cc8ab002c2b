package chaos_test

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The times of Temporal that the product leaves alone when it scales its clocks,
// because they are about machines and not about vendors. Here they are short, so
// that a killed worker is missed after seconds.
const (
	missedAfter = 6 * time.Second
	beatEvery   = time.Second
	retryFirst  = 200 * time.Millisecond
	retryMost   = 2 * time.Second
)

// impatient shortens the options with which workflows execute activities, and
// heartbeats as often as that asks for. Options are no part of what a replay
// compares, and everything else about the product is as shipped.
type impatient struct {
	interceptor.WorkerInterceptorBase
}

func (*impatient) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &impatientInbound{}
	in.Next = next
	return in
}

type impatientInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *impatientInbound) Init(out interceptor.WorkflowOutboundInterceptor) error {
	o := &impatientOutbound{}
	o.Next = out
	return i.Next.Init(o)
}

type impatientOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *impatientOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	// Also where the product has none and relies on a short StartToCloseTimeout:
	// a leaver may be held at a point for longer than that.
	options.HeartbeatTimeout, options.StartToCloseTimeout = missedAfter, time.Hour
	if p := options.RetryPolicy; p != nil && p.MaximumAttempts != 1 {
		options.RetryPolicy = &temporal.RetryPolicy{
			InitialInterval: retryFirst, BackoffCoefficient: p.BackoffCoefficient, MaximumInterval: retryMost,
			MaximumAttempts: p.MaximumAttempts, NonRetryableErrorTypes: p.NonRetryableErrorTypes,
		}
	}
	return o.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, args...)
}

func (*impatient) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &beating{}
	in.Next = next
	return in
}

type beating struct {
	interceptor.ActivityInboundInterceptorBase
}

func (b *beating) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	done := make(chan struct{})
	defer close(done)
	go func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return b.Next.ExecuteActivity(ctx, in)
}
