package store

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// traceparentOf is the trace of ctx in the form of W3C Trace Context section
// 3.2; nil without one.
func traceparentOf(ctx context.Context) *string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if value, ok := carrier["traceparent"]; ok {
		return &value
	}
	return nil
}

// withTraceparent continues the trace that a row was written in.
func withTraceparent(ctx context.Context, value *string) context.Context {
	if value == nil {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": *value})
}
