// Package telemetry measures and traces a process. Numbers are served in the form
// of Prometheus, spans go to an OTLP endpoint when one is configured. Neither names
// a person: labels and attributes are ids, operations, states and codes.
//
// Nothing here is global: whoever measures is given a meter or a tracer.
package telemetry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// scope names what is measured and traced here, as OpenTelemetry's
// instrumentation scope.
const scope = "sendoff"

// Config is what New needs.
type Config struct {
	Version string // of the program
	// Traces sends spans to the endpoint that the environment names
	// (OTEL_EXPORTER_OTLP_ENDPOINT and its kin,
	// https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
	Traces bool
	// Exporter replaces the endpoint, for tests; nil = none.
	Exporter sdktrace.SpanExporter
	Log      *zap.Logger
}

// Telemetry is what one process measures and traces with. Close it.
type Telemetry struct {
	log      *zap.Logger
	registry *prometheus.Registry
	meters   *sdkmetric.MeterProvider
	traces   *sdktrace.TracerProvider // nil = off
	ours     instruments
}

// New builds the providers. It connects to nobody: spans are sent from the
// background, and lost when nobody takes them.
func New(ctx context.Context, cfg Config) (*Telemetry, error) {
	t := &Telemetry{log: cfg.Log, registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	t.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(secondsView()))
	if t.ours, err = newInstruments(t.Meter()); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	t.ours.build.Record(ctx, 1, metric.WithAttributes(attribute.String("version", cfg.Version), attribute.String("go_version", runtime.Version())))
	if cfg.Traces || cfg.Exporter != nil {
		if t.traces, err = newTraces(ctx, cfg); err != nil {
			return nil, errors.Join(fmt.Errorf("traces: %w", err), t.meters.Shutdown(ctx))
		}
	}
	return t, nil
}

// secondsView gives histograms of durations bounds from 5 ms to 20 minutes: a
// look at the database is as much measured as a transfer call.
func secondsView() sdkmetric.View {
	return sdkmetric.NewView(
		sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
			Boundaries: []float64{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200},
		}},
	)
}

func newTraces(ctx context.Context, cfg Config) (*sdktrace.TracerProvider, error) {
	exporter := cfg.Exporter
	if exporter == nil {
		var err error
		if exporter, err = otlptracehttp.New(ctx); err != nil {
			return nil, err
		}
	}
	about, err := resource.New(
		ctx, resource.WithAttributes(
			attribute.String("service.name", "sendoff"), attribute.String("service.version", cfg.Version),
			attribute.String("service.instance.id", rand.Text()),
		),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
	)
	if err != nil {
		return nil, err
	}
	return sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(loggedExporter{SpanExporter: exporter, log: cfg.Log}), sdktrace.WithResource(about),
	), nil
}

// Tracing tells whether spans are sent anywhere.
func (t *Telemetry) Tracing() bool { return t.traces != nil }

// Tracer makes spans; they go nowhere when tracing is off.
func (t *Telemetry) Tracer() trace.Tracer {
	if t.traces == nil {
		return noop.NewTracerProvider().Tracer(scope)
	}
	return t.traces.Tracer(scope)
}

// Meter makes instruments that /metrics shows.
func (t *Telemetry) Meter() metric.Meter { return t.meters.Meter(scope) }

// Handler serves the metrics in Prometheus's text form.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Close sends the spans that are left, until ctx ends, and stops measuring.
func (t *Telemetry) Close(ctx context.Context) error {
	err := t.meters.Shutdown(ctx)
	if t.traces != nil {
		err = errors.Join(err, t.traces.Shutdown(ctx))
	}
	return err
}
