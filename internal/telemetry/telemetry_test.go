package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/connectors"
	"sendoff/internal/telemetry"
	"sendoff/schema"
)

const connection = schema.ConnectionID("0197c0de-0000-7000-8000-000000000000")

func start(t *testing.T, exporter sdktrace.SpanExporter) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Version: "v-test", Log: zap.NewNop(), Exporter: exporter})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tel.Close(context.Background()) }) // some tests close it themselves
	return tel
}

func scrape(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, rec.Code)
	text, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	return string(text)
}

// use makes one of everything that is measured.
func use(t *testing.T, tel *telemetry.Telemetry) {
	t.Helper()
	ctx, end := tel.BeginRequest(httptest.NewRequest(http.MethodGet, "/v1/cases/ada.canary@example.com?email=ada.canary", http.NoBody))
	call, done := tel.Observer().BeginCall(ctx, connectors.ObservedCall{Connection: connection, Op: "box.read_user", Method: http.MethodGet})
	require.NoError(t, call.Err())
	done(connectors.ObservedEnd{Kind: connectors.RateLimited, Status: http.StatusTooManyRequests, RequestID: "r1"})
	require.NoError(t, tel.Limiter(passing{}).Wait(ctx, connection, "ada.canary", connectors.PrioritySync))
	end("GET /v1/cases/{ref}", http.StatusOK)
	tel.CountHREvent(schema.SourceBambooHR, schema.ViaWebhook, "accepted")
}

type passing struct{}

func (passing) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

func some() telemetry.Gauges {
	return telemetry.Gauges{
		PlansByState: map[string]int64{"parked": 2}, ParkedByCause: map[string]int64{"TRANSFER_REFUSED": 2},
		TransfersByState: map[string]int64{"settling": 1}, OldestUnsettled: time.Hour, OutboxDepth: 3, OutboxFailing: 1,
		OutboxOldest: 90 * time.Second, AuditUnsealed: 7, AuditLag: 2 * time.Second,
		ConnectionsByState: map[string]int64{"enabled": 1}, AlarmsByCode: map[string]int64{"ACTIVITY_HOLE": 1},
		OldestDataset: map[string]float64{"accounts": 90}, Paused: true,
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	tel := start(t, nil)
	broken := false
	require.NoError(t, tel.WatchGauges(func(context.Context) (telemetry.Gauges, error) {
		if broken {
			return telemetry.Gauges{}, errors.New("the database is gone")
		}
		return some(), nil
	}))
	use(t, tel)
	text := scrape(t, tel)
	for _, line := range []string{
		`sendoff_build_info\{go_version="go[^"]+",version="v-test"\} 1`,
		`sendoff_vendor_calls_total\{connection="0197c0de-0000-7000-8000-000000000000",op="box.read_user",outcome="rate_limited"\} 1`,
		`sendoff_vendor_call_duration_seconds_count\{connection="0197c0de-0000-7000-8000-000000000000",op="box.read_user"\} 1`,
		`sendoff_rate_wait_seconds_bucket\{connection="0197c0de-0000-7000-8000-000000000000",le="0.005"\} 1`,
		`sendoff_http_requests_total\{route="GET /v1/cases/\{ref\}",status="200"\} 1`,
		`sendoff_hr_events_total\{kind="bamboohr",result="accepted",via="webhook"\} 1`,
		`sendoff_plans\{state="parked"\} 2`, `sendoff_plans\{state="running"\} 0`, `sendoff_parked_plans\{cause="TRANSFER_REFUSED"\} 2`,
		`sendoff_oldest_unsettled_transfer_seconds 3600`, `sendoff_outbox_rows 3`, `sendoff_outbox_failing_rows 1`, `sendoff_outbox_oldest_row_seconds 90`,
		`sendoff_audit_unsealed_records 7`, `sendoff_audit_seal_lag_seconds 2`, `sendoff_connections\{state="enabled"\} 1`, `sendoff_engine_paused 1`,
		`sendoff_alarms\{code="ACTIVITY_HOLE"\} 1`, `sendoff_dataset_age_seconds\{dataset="accounts"\} 90`,
		`sendoff_gauges_up 1`,
	} {
		require.Regexp(t, `(?m)^`+line+`$`, text)
	}
	require.NotContains(t, text, "canary")
	require.NotContains(t, text, "otel_scope")

	broken = true
	text = scrape(t, tel)
	require.Contains(t, text, "sendoff_gauges_up 0")
	require.NotContains(t, text, "sendoff_plans{", "old numbers would look like new ones")
	require.Contains(t, text, "sendoff_vendor_calls_total", "the rest is shown all the same")
}

// kept keeps what is exported, also after the end.
type kept struct {
	mu    sync.Mutex
	spans tracetest.SpanStubs
}

func (k *kept) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, tracetest.SpanStubsFromReadOnlySpans(spans)...)
	return nil
}

func (k *kept) Shutdown(context.Context) error { return nil }

func TestTraces(t *testing.T) {
	t.Parallel()
	exporter := &kept{}
	tel := start(t, exporter)
	require.True(t, tel.Tracing())
	caller := httptest.NewRequest(http.MethodGet, "/v1/cases/ada.canary@example.com", http.NoBody)
	caller.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	caller.Header.Set("User-Agent", "canary")
	ctx, end := tel.BeginRequest(caller)
	_, done := tel.Observer().BeginCall(ctx, connectors.ObservedCall{Connection: connection, Op: "box.read_user", Method: http.MethodGet})
	done(connectors.ObservedEnd{Kind: connectors.Forbidden, Status: http.StatusForbidden, RequestID: "r1"})
	end("GET /v1/cases/{ref}", http.StatusOK)
	require.NoError(t, tel.Close(t.Context()))

	require.Len(t, exporter.spans, 2)
	call, request := exporter.spans[0], exporter.spans[1] // in the order they ended
	require.Equal(t, "GET /v1/cases/{ref}", request.Name)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", request.SpanContext.TraceID().String(), "it goes on in the caller's trace")
	require.Equal(t, "b7ad6b7169203331", request.Parent.SpanID().String())
	require.Equal(t, "box.read_user", call.Name)
	require.Equal(t, request.SpanContext.SpanID(), call.Parent.SpanID())
	require.Equal(t, codes.Error, call.Status.Code)
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("connection", string(connection)), attribute.String("op", "box.read_user"), attribute.String("http.request.method", "GET"),
		attribute.String("outcome", "forbidden"), attribute.Int("http.response.status_code", 403), attribute.String("vendor.request_id", "r1"),
	}, call.Attributes)
	require.NotContains(t, fmt.Sprint(exporter.spans), "canary")
}

// A collector that is gone costs its spans and a line of the log, nothing else.
func TestSpansThatCannotBeSent(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	tel, err := telemetry.New(t.Context(), telemetry.Config{Exporter: refusing{}, Log: zap.New(core)})
	require.NoError(t, err)
	_, span := tel.Tracer().Start(t.Context(), "x")
	span.End()
	require.NoError(t, tel.Close(t.Context()))
	require.Equal(t, 1, logs.FilterMessage("spans are lost").Len())
	require.NotContains(t, fmt.Sprint(logs.All()), "hunter2")
}

type refusing struct{}

func (refusing) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	return fmt.Errorf("export: %w", &url.Error{Op: "Post", URL: "https://key:hunter2@example.com", Err: errors.New("connection refused")})
}

func (refusing) Shutdown(context.Context) error { return nil }

// Attempts are counted by outcome; a wait is no retry.
func TestActivities(t *testing.T) {
	t.Parallel()
	tel := start(t, nil)
	count(t, tel)
	text := scrape(t, tel)
	for _, line := range []string{
		`sendoff_activities_total{activity="Look",outcome="done"} 1`, `sendoff_activities_total{activity="Look",outcome="not_yet"} 1`,
		`sendoff_activities_total{activity="Look",outcome="unavailable"} 1`, `sendoff_activities_total{activity="Look",outcome="refusal"} 1`,
		`sendoff_activity_retries_total{activity="Look",cause="unavailable"} 1`,
	} {
		require.Contains(t, text, line)
	}
	require.Equal(t, 1, strings.Count(text, "sendoff_activity_retries_total{"))
}

// count runs an activity with each sort of outcome.
func count(t *testing.T, tel *telemetry.Telemetry) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{tel.ActivityInterceptor()}})
	var next error
	env.RegisterActivityWithOptions(func(context.Context) error { return next }, activity.RegisterOptions{Name: "Look"})
	for _, next = range []error{
		nil,
		temporal.NewApplicationErrorWithOptions("not yet", "not_yet", temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign}),
		temporal.NewApplicationErrorWithOptions("down", "unavailable", temporal.ApplicationErrorOptions{}),
		temporal.NewApplicationErrorWithOptions("no", "refusal", temporal.ApplicationErrorOptions{NonRetryable: true}),
	} {
		_, err := env.ExecuteActivity("Look")
		require.Equal(t, next == nil, err == nil)
	}
}

// Nothing is traced, and no workflow's header written, without an endpoint.
func TestTracesAreOff(t *testing.T) {
	t.Parallel()
	tel := start(t, nil)
	require.False(t, tel.Tracing())
	interceptors, err := tel.TemporalInterceptors()
	require.NoError(t, err)
	require.Empty(t, interceptors)
	ctx, span := tel.Tracer().Start(t.Context(), "x")
	require.False(t, span.SpanContext().IsValid())
	require.NoError(t, ctx.Err())
}

// names are the metrics that everything in this package and Temporal's SDK
// together show; used by the tests of the pages that speak of them.
func names(t *testing.T) []string {
	t.Helper()
	tel := start(t, nil)
	require.NoError(t, tel.WatchGauges(func(context.Context) (telemetry.Gauges, error) { return some(), nil }))
	use(t, tel)
	count(t, tel)
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (sendoff_\S+) (\S+)$`).FindAllStringSubmatch(scrape(t, tel), -1) {
		out = append(out, m[1])
	}
	return out
}
