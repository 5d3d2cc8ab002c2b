package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"sendoff/connectors"
	"sendoff/schema"
)

// accepted is the outcome of a request that the vendor accepted.
const accepted = "accepted"

// Observer measures and traces requests to vendors.
func (t *Telemetry) Observer() connectors.Observer {
	return observer{ours: t.ours, tracer: t.Tracer()}
}

type observer struct {
	ours   instruments
	tracer trace.Tracer
}

// BeginCall implements connectors.Observer.
func (o observer) BeginCall(ctx context.Context, c connectors.ObservedCall) (context.Context, func(connectors.ObservedEnd)) {
	began := time.Now()
	where := []attribute.KeyValue{attribute.String("connection", string(c.Connection)), attribute.String("op", c.Op)}
	ctx, span := o.tracer.Start(ctx, c.Op, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(append(where, attribute.String("http.request.method", c.Method))...))
	return ctx, func(end connectors.ObservedEnd) {
		outcome := string(end.Kind)
		if outcome == "" {
			outcome = accepted
		}
		span.SetAttributes(attribute.String("outcome", outcome), attribute.Int("http.response.status_code", end.Status))
		if end.RequestID != "" {
			span.SetAttributes(attribute.String("vendor.request_id", end.RequestID))
		}
		if end.Kind != "" {
			span.SetStatus(codes.Error, outcome)
		}
		span.End()
		// A call that was cancelled is measured all the same.
		ctx := context.WithoutCancel(ctx)
		o.ours.vendorTime.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(where...))
		o.ours.vendorCalls.Add(ctx, 1, metric.WithAttributes(append(where[:2:2], attribute.String("outcome", outcome))...))
	}
}

// Limiter measures how long calls wait for their rate.
func (t *Telemetry) Limiter(next connectors.Limiter) connectors.Limiter {
	return limiter{next: next, wait: t.ours.rateWait}
}

type limiter struct {
	next connectors.Limiter
	wait metric.Float64Histogram
}

// Wait implements connectors.Limiter. The acting user is a person's id at the
// vendor and stays out of the labels.
func (l limiter) Wait(ctx context.Context, connection schema.ConnectionID, actingUser schema.ExternalID, p connectors.Priority) error {
	began := time.Now()
	err := l.next.Wait(ctx, connection, actingUser, p)
	l.wait.Record(context.WithoutCancel(ctx), time.Since(began).Seconds(), metric.WithAttributes(attribute.String("connection", string(connection))))
	return err
}
