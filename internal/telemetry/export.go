package telemetry

import (
	"context"
	"errors"
	"net/url"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
)

// loggedExporter logs in our log that spans could not be sent; left to itself the
// SDK would tell its global error handler.
type loggedExporter struct {
	sdktrace.SpanExporter
	log *zap.Logger
}

// ExportSpans implements sdktrace.SpanExporter.
func (e loggedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	why := "the endpoint does not take them"
	var network *url.Error
	if errors.As(err, &network) { // without the URL, which may hold a key
		why = network.Err.Error()
	}
	e.log.Warn("spans are lost", zap.Int("spans", len(spans)), zap.String("error", why))
	return nil
}
