package app

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"sendoff/internal/telemetry"
	"sendoff/schema"
)

// flushFor bounds the sending of the last spans.
const flushFor = 5 * time.Second

// openTelemetry builds what the engine is measured and traced with, and has
// Temporal's client use it.
func (e *Engine) openTelemetry(ctx context.Context) (err error) {
	e.telemetry, err = telemetry.New(ctx, telemetry.Config{
		Version: e.cfg.Version, Traces: e.cfg.Traces, Log: e.log.Named("telemetry"),
	})
	if err != nil {
		return err
	}
	e.temporal.Metrics = e.telemetry.TemporalMetrics()
	e.temporal.Interceptors, err = e.telemetry.TemporalInterceptors()
	return err
}

func (e *Engine) closeTelemetry() {
	if e.telemetry == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushFor)
	defer cancel()
	if err := e.telemetry.Close(ctx); err != nil {
		e.log.Warn("the last spans could not be sent", zap.Error(err))
	}
}

// gauges reads the engine's state for a scrape.
func (e *Engine) gauges(ctx context.Context) (telemetry.Gauges, error) {
	g, err := e.store.Gauges(ctx)
	return telemetry.Gauges(g), err
}

// tracedOutbox gives each row's dispatch a span in the trace the row was written in.
type tracedOutbox struct {
	Outbox
	tracer trace.Tracer
}

// ClaimOutbox implements Outbox.
func (o tracedOutbox) ClaimOutbox(ctx context.Context, limit int, fn func(context.Context, schema.OutboxRow) error) (int, error) {
	return o.Outbox.ClaimOutbox(ctx, limit, func(ctx context.Context, row schema.OutboxRow) error {
		ctx, span := o.tracer.Start(ctx, "dispatch "+string(row.Kind), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("case_id", string(row.CaseID)), attribute.String("plan_id", string(row.PlanID)), attribute.Int("tries", row.Tries),
		))
		defer span.End()
		err := fn(ctx, row)
		if err != nil {
			span.SetStatus(codes.Error, "") // the row keeps the error's class
		}
		return err
	})
}
