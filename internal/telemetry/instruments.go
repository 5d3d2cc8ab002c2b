package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are the process's own; docs/metrics.md lists them.
type instruments struct {
	build        metric.Int64Gauge
	vendorCalls  metric.Int64Counter
	vendorTime   metric.Float64Histogram
	rateWait     metric.Float64Histogram
	activities   metric.Int64Counter
	retries      metric.Int64Counter
	httpRequests metric.Int64Counter
	httpTime     metric.Float64Histogram
	hrEvents     metric.Int64Counter
}

func newInstruments(m metric.Meter) (i instruments, err error) {
	var errs []error
	counter := func(name, unit, about string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
		errs = append(errs, err)
		return c
	}
	seconds := func(name, about string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about))
		errs = append(errs, err)
		return h
	}
	i.build, err = m.Int64Gauge("sendoff_build_info", metric.WithDescription("1, labelled with the program's version."))
	errs = append(errs, err)
	i.vendorCalls = counter("sendoff_vendor_calls", "", "Requests to vendors by what became of them: accepted, or the kind of the failure.")
	i.vendorTime = seconds("sendoff_vendor_call_duration", "How long requests to vendors took.")
	i.rateWait = seconds("sendoff_rate_wait", "How long calls waited for the shared call rate.")
	i.activities = counter("sendoff_activities", "", "Attempts of activities by outcome: done, or the type of the error.")
	i.retries = counter("sendoff_activity_retries", "", "Attempts of activities that failed and will be made again, by cause.")
	i.httpRequests = counter("sendoff_http_requests", "", "Requests to the API by route and status.")
	i.httpTime = seconds("sendoff_http_request_duration", "How long requests to the API took.")
	i.hrEvents = counter("sendoff_hr_events", "", "What sources of HR events told, by kind of source, door and what became of it there.")
	return i, errors.Join(errs...)
}
