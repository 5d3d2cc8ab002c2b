package e2e_test

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"sendoff/connectors/simkit"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/workflows"
)

// spans is an OTLP/HTTP collector that keeps what it is sent.
type spans struct {
	mu  sync.Mutex
	got map[string]*tracepb.Span // by span id
	raw strings.Builder
}

func collect(t *testing.T) (*spans, string) {
	t.Helper()
	c := &spans{got: map[string]*tracepb.Span{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, r := range sent.GetResourceSpans() {
			for _, s := range r.GetScopeSpans() {
				for _, span := range s.GetSpans() {
					c.got[hex.EncodeToString(span.GetSpanId())] = span
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return c, server.URL
}

// chain names a span and all above it, as far as they arrived; nil without one.
func (c *spans) chain(name string) (names []string, first *tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.got {
		if s.GetName() == name {
			first = s
		}
	}
	for s := first; s != nil; s = c.got[hex.EncodeToString(s.GetParentSpanId())] {
		names = append(names, s.GetName())
	}
	return names, first
}

func (c *spans) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.ToLower(c.raw.String())
}

// One trace leads from the request that opened a case to the vendor call that
// suspends the account. Spans and numbers name nobody, and histories written with
// the tracing replay without it.
func TestTraceFromRequestToVendorCall(t *testing.T) {
	t.Parallel()
	traced, endpoint := collect(t)
	s := startServer(t, settings{simScale: fast, engineScale: fast, env: []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_BSP_SCHEDULE_DELAY=200",
	}})
	working := s.spawn("worker")
	leaver := s.hire("Zanzibarella Quuxington")
	require.NoError(t, s.sim.AddFaults(simkit.Fault{Op: "users.terminate_sessions", Attempt: 1, Action: simkit.ActionStatus, Status: http.StatusServiceUnavailable}))
	c := s.begin(leaver.login, "--template", "suspend")
	s.awaitState(c.CaseID, "done")

	want := []string{
		"box.set_status", "RunActivity:Suspend", "StartActivity:Suspend", "RunWorkflow:Deprovision", "StartChildWorkflow:Deprovision",
		"RunWorkflow:Offboarding", "StartWorkflow:Offboarding", "dispatch start_case", "POST /v1/cases",
	}
	localtest.Wait(t, patience, "the whole trace arrives", func() bool {
		names, _ := traced.chain("box.set_status")
		return len(names) == len(want)
	})
	names, call := traced.chain("box.set_status")
	require.Equal(t, want, names)
	about := map[string]string{}
	for _, a := range call.GetAttributes() {
		about[a.GetKey()] = a.GetValue().GetStringValue()
	}
	require.Equal(t, "accepted", about["outcome"])
	require.NotEmpty(t, about["vendor.request_id"])
	require.ElementsMatch(t, []string{
		"connection", "op", "http.request.method", "outcome", "http.response.status_code", "vendor.request_id",
	}, keys(about), "neither URL nor header")

	line := working.logLine("vendor call failed")
	require.Equal(t, c.CaseID, line["case_id"])
	require.Equal(t, c.Accounts[0].PlanID, line["plan_id"])
	require.Equal(t, "revoke_sessions", line["step"])
	require.EqualValues(t, 1, line["attempt"])
	require.Equal(t, hex.EncodeToString(call.GetTraceId()), line["trace_id"])
	request := s.server.logLine("POST /v1/cases")
	require.Equal(t, hex.EncodeToString(call.GetTraceId()), request["trace_id"])
	for _, field := range []string{"request_id", "route", "status", "took", "token_id"} {
		require.NotEmpty(t, request[field], field)
	}

	s.replayUntraced(workflows.OffboardingID(caseID(c)))
	s.replayUntraced(workflows.DeprovisionID(planID(c)))

	told := map[string]string{"spans": traced.text()}
	for who, address := range map[string]string{"worker": working.pages(), "server": s.server.pages()} {
		status, text := page(t, address, "/metrics")
		require.Equal(t, http.StatusOK, status)
		told[who] = strings.ToLower(text)
	}
	for where, text := range told {
		for _, canary := range s.canaries() {
			require.NotContains(t, text, canary, "in %s", where)
		}
	}
	require.Regexp(t, `sendoff_vendor_calls_total\{connection="[0-9a-f-]{36}",op="box.set_status",outcome="accepted"\} 1`, told["worker"])
	require.Contains(t, told["worker"], `sendoff_activities_total{activity="suspend",outcome="done"}`)
	require.Contains(t, told["worker"], "temporal_activity_execution_latency_seconds_count")
	require.Contains(t, told["server"], `sendoff_http_requests_total{route="post /v1/cases",status="2`)
	require.Contains(t, told["server"], `sendoff_connections{state="enabled"} 1`)
	require.Contains(t, told["server"], "sendoff_gauges_up 1")
}

// logLine is the first line of a process's log that holds the text.
func (p *process) logLine(text string) map[string]any {
	p.t.Helper()
	for line := range strings.Lines(p.output()) {
		if strings.Contains(line, text) {
			var fields map[string]any
			require.NoError(p.t, json.Unmarshal([]byte(line), &fields), line)
			return fields
		}
	}
	require.Fail(p.t, "no line of the log holds "+text)
	return nil
}

// replayUntraced replays a history with the product's codec and no interceptor.
func (s *stack) replayUntraced(id string) {
	s.t.Helper()
	client := s.client()
	require.NoError(s.t, client.GetWorkflow(s.t.Context(), id, "").Get(s.t.Context(), nil))
	history := &historypb.History{}
	events := client.GetWorkflowHistory(s.t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(s.t, err)
		history.Events = append(history.Events, event)
	}
	require.Contains(s.t, history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetHeader().GetFields(), "_tracer-data")
	payloads, failures := secret.Converters(s.keyring(), s.namespace)
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: payloads, FailureConverter: failures})
	require.NoError(s.t, err)
	replayer.RegisterWorkflow(workflows.Offboarding)
	replayer.RegisterWorkflow(workflows.Deprovision)
	require.NoError(s.t, replayer.ReplayWorkflowHistory(nil, history))
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
