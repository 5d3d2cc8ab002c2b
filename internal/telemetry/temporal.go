package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"
)

// TemporalMetrics takes the metrics of Temporal's SDK
// (https://docs.temporal.io/references/sdk-metrics).
func (t *Telemetry) TemporalMetrics() client.MetricsHandler {
	return opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter: t.meters.Meter("temporal"), UseMonotonicCounters: true,
		OnError: func(err error) { t.log.Warn("a metric of Temporal's SDK is not kept", zap.Error(err)) },
	})
}

// TemporalInterceptors carry traces from client to workflow to activity, in
// headers alone: a history replays with and without them. There are none when
// tracing is off.
func (t *Telemetry) TemporalInterceptors() ([]interceptor.ClientInterceptor, error) {
	if t.traces == nil {
		return nil, nil
	}
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer: t.traces.Tracer("temporal"), TextMapPropagator: propagation.TraceContext{}, DisableBaggage: true,
		AllowInvalidParentSpans: true, // a header that cannot be read is no reason to fail a workflow
	})
	return []interceptor.ClientInterceptor{tracing}, err
}

// ActivityInterceptor counts attempts of activities by outcome. It must stand
// outside what makes Temporal's errors.
func (t *Telemetry) ActivityInterceptor() interceptor.WorkerInterceptor {
	return &countingWorker{ours: t.ours}
}

type countingWorker struct {
	interceptor.WorkerInterceptorBase
	ours instruments
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (w *countingWorker) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &countingActivity{ours: w.ours}
	in.Next = next
	return in
}

type countingActivity struct {
	interceptor.ActivityInboundInterceptorBase
	ours instruments
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *countingActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	name := attribute.String("activity", activity.GetInfo(ctx).ActivityType.Name)
	ctx = context.WithoutCancel(ctx)
	cause, again := outcomeOf(err)
	a.ours.activities.Add(ctx, 1, metric.WithAttributes(name, attribute.String("outcome", cause)))
	if again {
		a.ours.retries.Add(ctx, 1, metric.WithAttributes(name, attribute.String("cause", cause)))
	}
	return out, err
}

// outcomeOf names what an attempt came to, and whether it failed and will be made
// again. A benign error is a wait, not a failure.
func outcomeOf(err error) (outcome string, again bool) {
	var e *temporal.ApplicationError
	switch {
	case err == nil:
		return "done", false
	case errors.As(err, &e):
		return e.Type(), !e.NonRetryable() && e.Category() != temporal.ApplicationErrorCategoryBenign
	case temporal.IsCanceledError(err), errors.Is(err, context.Canceled):
		return "cancelled", false
	default:
		return "internal", true
	}
}
