package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"sendoff/schema"
)

// BeginRequest measures and traces a request to the API. end is called once, with
// the route's pattern and the status.
//
// otelhttp would record path, query, peer and user agent: a path may hold an
// address, so only what cannot name anybody is recorded.
func (t *Telemetry) BeginRequest(r *http.Request) (_ context.Context, end func(route string, status int)) {
	began := time.Now()
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.Tracer().Start(ctx, method(r.Method), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method(r.Method))))
	return ctx, func(route string, status int) {
		if route == "" {
			route = "none" // refused before it was routed
		}
		if status == 0 {
			status = http.StatusOK // net/http's own, for a handler that writes nothing
		}
		span.SetName(route)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
		where := attribute.String("route", route)
		ctx := context.WithoutCancel(ctx)
		t.ours.httpTime.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(where))
		t.ours.httpRequests.Add(ctx, 1, metric.WithAttributes(where, attribute.String("status", strconv.Itoa(status))))
	}
}

// CountHREvent counts what a source of HR events told, by what became of it at the
// door. Sources are told apart by kind alone: their names are people's choice.
func (t *Telemetry) CountHREvent(kind schema.SourceKind, via schema.EventVia, result string) {
	t.ours.hrEvents.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String("kind", string(kind)), attribute.String("via", string(via)), attribute.String("result", result),
	))
}

// method keeps words that callers make up out of attributes.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "_OTHER" // OpenTelemetry's semantic conventions for HTTP
}
