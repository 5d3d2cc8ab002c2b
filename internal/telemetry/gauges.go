package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"sendoff/schema"
)

// Gauges is the state of the engine in numbers, as the store reads it.
type Gauges struct {
	PlansByState       map[string]int64
	ParkedByCause      map[string]int64
	TransfersByState   map[string]int64
	OldestUnsettled    time.Duration
	OutboxDepth        int64
	OutboxFailing      int64
	OutboxOldest       time.Duration
	AuditUnsealed      int64
	AuditLag           time.Duration
	ConnectionsByState map[string]int64
	AlarmsByCode       map[string]int64
	OldestDataset      map[string]float64 // seconds
	Paused             bool
}

// scrapePatience bounds the reading of the gauges: Prometheus gives up after 10 s.
const scrapePatience = 5 * time.Second

// WatchGauges reads the gauges at each scrape. When they cannot be read they are
// absent and sendoff_gauges_up is 0.
func (t *Telemetry) WatchGauges(read func(context.Context) (Gauges, error)) error {
	g, err := newGauges(t.Meter())
	if err != nil {
		return err
	}
	_, err = t.Meter().RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, scrapePatience)
		defer cancel()
		state, err := read(ctx)
		if err != nil {
			t.log.Warn("the gauges could not be read", zap.Error(err))
			o.ObserveInt64(g.up, 0)
			return nil
		}
		o.ObserveInt64(g.up, 1)
		g.observe(o, state)
		return nil
	}, g.all()...)
	return err
}

type gauges struct {
	up, plans, parked, transfers, outbox, failing, unsealed, connections, alarms, paused metric.Int64ObservableGauge
	unsettledAge, outboxAge, auditLag, datasetAge                                        metric.Float64ObservableGauge
}

func newGauges(m metric.Meter) (gauges, error) {
	var errs []error
	number := func(name, about string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge(name, metric.WithDescription(about))
		errs = append(errs, err)
		return g
	}
	seconds := func(name, about string) metric.Float64ObservableGauge {
		g, err := m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(about))
		errs = append(errs, err)
		return g
	}
	g := gauges{
		up:           number("sendoff_gauges_up", "1 if the state below could be read from Postgres."),
		plans:        number("sendoff_plans", "Open plans by state."),
		parked:       number("sendoff_parked_plans", "Parked plans by cause."),
		transfers:    number("sendoff_transfers", "Transfers of open plans by state."),
		unsettledAge: seconds("sendoff_oldest_unsettled_transfer", "Since the oldest open transfer without a verdict was sent; 0 = none."),
		outbox:       number("sendoff_outbox_rows", "Outbox rows that were not dispatched."),
		failing:      number("sendoff_outbox_failing_rows", "Of these, rows that were tried in vain."),
		outboxAge:    seconds("sendoff_outbox_oldest_row", "Age of the oldest row that was not dispatched; 0 = none."),
		unsealed:     number("sendoff_audit_unsealed_records", "Audit records that no checkpoint covers yet."),
		auditLag:     seconds("sendoff_audit_seal_lag", "Age of the oldest of these; 0 = none."),
		connections:  number("sendoff_connections", "Connections by state."),
		alarms:       number("sendoff_alarms", "Open alarms by code."),
		datasetAge:   seconds("sendoff_dataset_age", "Age of what is known, by data set: the oldest of all enabled connections."),
		paused:       number("sendoff_engine_paused", "1 while sendoff pause stops all writes."),
	}
	return g, errors.Join(errs...)
}

func (g gauges) all() []metric.Observable {
	return []metric.Observable{
		g.up, g.plans, g.parked, g.transfers, g.outbox, g.failing, g.unsealed, g.connections, g.alarms, g.paused,
		g.unsettledAge, g.outboxAge, g.auditLag, g.datasetAge,
	}
}

func (g gauges) observe(o metric.Observer, s Gauges) {
	byLabel(o, g.plans, "state", s.PlansByState, openPlanStates()...)
	byLabel(o, g.parked, "cause", s.ParkedByCause)
	byLabel(o, g.transfers, "state", s.TransfersByState)
	byLabel(o, g.connections, "state", s.ConnectionsByState)
	byLabel(o, g.alarms, "code", s.AlarmsByCode)
	for name, age := range s.OldestDataset {
		o.ObserveFloat64(g.datasetAge, age, metric.WithAttributes(attribute.String("dataset", name)))
	}
	o.ObserveFloat64(g.unsettledAge, s.OldestUnsettled.Seconds())
	o.ObserveInt64(g.outbox, s.OutboxDepth)
	o.ObserveInt64(g.failing, s.OutboxFailing)
	o.ObserveFloat64(g.outboxAge, s.OutboxOldest.Seconds())
	o.ObserveInt64(g.unsealed, s.AuditUnsealed)
	o.ObserveFloat64(g.auditLag, s.AuditLag.Seconds())
	paused := int64(0)
	if s.Paused {
		paused = 1
	}
	o.ObserveInt64(g.paused, paused)
}

// openPlanStates are shown also when no plan is in them, so that an alarm on them
// has something to compare.
func openPlanStates() []string {
	return []string{
		string(schema.PlanPlanned), string(schema.PlanWaiting), string(schema.PlanRunning), string(schema.PlanSettling),
		string(schema.PlanParked), string(schema.PlanCancelling),
	}
}

func byLabel(o metric.Observer, g metric.Int64ObservableGauge, label string, counts map[string]int64, always ...string) {
	for _, name := range always {
		if _, ok := counts[name]; !ok {
			o.ObserveInt64(g, 0, metric.WithAttributes(attribute.String(label, name)))
		}
	}
	for name, n := range counts {
		o.ObserveInt64(g, n, metric.WithAttributes(attribute.String(label, name)))
	}
}
