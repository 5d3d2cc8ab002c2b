package activities

import (
	"context"
	"errors"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// Inventory carries what the activities of runs need: syncs, reads of events and
// the doctor's visits. They run on a queue of their own, so that no listing stands
// in the way of a leaver.
type Inventory struct {
	store      InventoryStore
	connectors Connectors
	doctor     Diagnoser
	correlator Correlator
	notifier   Notifier
	clocks     schema.Clocks
	now        func() time.Time
}

// InventoryConfig is what NewInventory needs.
type InventoryConfig struct {
	Store      InventoryStore
	Connectors Connectors
	Doctor     Diagnoser
	Correlator Correlator // nil = accounts are matched to nobody
	Notifier   Notifier   // nil = owners are not told
	Clocks     schema.Clocks
	Now        func() time.Time // nil = time.Now
}

// Diagnoser finds out what a connection can do. Only what keeps it from finding
// out is an error.
type Diagnoser interface {
	Diagnose(ctx context.Context, c schema.Connection) (schema.Diagnosis, error)
}

// Correlator matches accounts of a connection to persons.
type Correlator interface {
	Correlate(ctx context.Context, c schema.ConnectionID) (schema.CorrelationResult, error)
}

// NewInventory returns the activities over the ports given.
func NewInventory(cfg InventoryConfig) *Inventory {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Inventory{
		store: cfg.Store, connectors: cfg.Connectors, doctor: cfg.Doctor, correlator: cfg.Correlator,
		notifier: cfg.Notifier, clocks: cfg.Clocks, now: cfg.Now,
	}
}

// RunInput names a run.
type RunInput struct {
	RunID schema.RunID `json:"run_id"`
}

// Examined is what the doctor's visit means for the run that follows.
type Examined struct {
	// Cause is why nothing can be collected; nil = go on.
	Cause *schema.RunCause `json:"cause,omitempty"`
	// Without are the data sets that cannot be had, with the code that says why.
	Without map[schema.Dataset]string `json:"without,omitempty"`
}

// Examine begins a run with the doctor's visit, whose findings it keeps.
func (v *Inventory) Examine(ctx context.Context, in RunInput) (Examined, error) {
	_, conn, err := v.store.BeginRun(ctx, in.RunID)
	if err != nil {
		return Examined{}, err
	}
	d, err := v.doctor.Diagnose(connectors.WithPriority(ctx, connectors.PriorityPreflight), conn)
	if err != nil {
		return Examined{}, err
	}
	if err := v.store.SaveDiagnosis(ctx, d); err != nil {
		return Examined{}, err
	}
	return examined(d), nil
}

func examined(d schema.Diagnosis) Examined {
	out := Examined{Without: map[schema.Dataset]string{}}
	for _, r := range d.Results {
		if passing(r.Code) {
			continue
		}
		if out.Cause == nil && r.Ability.Required && d.Health == schema.HealthFailed {
			out.Cause = &schema.RunCause{Code: string(r.Code), Message: r.Message, Fix: r.Fix}
		}
		for _, lost := range r.Ability.Datasets {
			out.Without[lost] = string(r.Code)
		}
	}
	if d.Health != schema.HealthFailed {
		out.Cause = nil
	} else if out.Cause == nil {
		out.Cause = &schema.RunCause{Code: string(schema.ProbeAccessRefused), Message: "the connection cannot be used", Fix: "sendoff connections test"}
	}
	return out
}

// passing tells whether a finding may be over by itself, or is none: what it is
// about is tried all the same.
func passing(c schema.ProbeCode) bool {
	switch c {
	case schema.ProbeOK, schema.ProbeNotProbed, schema.ProbeRateExhausted, schema.ProbeBaseURLUnreachable, schema.ProbeClockSkew:
		return true
	}
	return false
}

// EndRunInput is how a run ends that did not come to its own end.
type EndRunInput struct {
	RunID schema.RunID     `json:"run_id"`
	State schema.RunState  `json:"state"`
	Cause *schema.RunCause `json:"cause,omitempty"`
}

// EndRun ends a run. A sync or a read of events that failed raises an alarm, for
// what is known grows old; one that is done clears it. What the doctor found has
// its alarm already: one fault is told once.
func (v *Inventory) EndRun(ctx context.Context, in EndRunInput) error {
	run, conn, err := v.store.RunOf(ctx, in.RunID)
	if err != nil || !run.State.Open() {
		return err
	}
	code, what := alarmOf(run.Kind)
	switch {
	case in.Cause != nil && conn.Health == schema.HealthFailed && string(conn.HealthCode) == in.Cause.Code:
	case code != "" && in.Cause != nil:
		err = v.store.RaiseAlarm(ctx, schema.Alarm{
			ConnectionID: conn.ID, Code: code, Message: "the " + what + " of connection " + conn.Name + " failed: " + in.Cause.Message, Fix: in.Cause.Fix,
		})
	case run.Kind == schema.RunActivity:
		err = v.store.ClearAlarm(ctx, conn.ID, code)
	}
	if err != nil {
		return err
	}
	return v.store.EndRun(ctx, in.RunID, in.State, in.Cause)
}

// alarmOf is the alarm of runs that fail, and what they do; "" for a probe, whose
// findings have alarms of their own.
func alarmOf(k schema.RunKind) (code, what string) {
	switch k {
	case schema.RunSync:
		return schema.AlarmSyncFailing, "sync"
	case schema.RunActivity:
		return schema.AlarmActivityFailing, "read of events"
	}
	return "", ""
}

// source is a run's connection, opened for reading at the lowest priority.
type source struct {
	run  schema.Run
	conn schema.Connection
	c    connectors.Connector
}

func (v *Inventory) open(ctx context.Context, id schema.RunID) (context.Context, source, error) {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySync)
	run, conn, err := v.store.BeginRun(ctx, id)
	if err != nil {
		return ctx, source{}, err
	}
	c, err := v.connectors.Open(ctx, conn)
	return ctx, source{run, conn, c}, err
}

// TellOwner tells a connection's owner of alarms they have not been told of, each
// once. Without an owner, or a mail server, they stay untold and are listed.
func (v *Inventory) TellOwner(ctx context.Context, in RunInput) error {
	_, conn, err := v.store.RunOf(ctx, in.RunID)
	if err != nil || v.notifier == nil || conn.Owner == "" {
		return err
	}
	alarms, err := v.store.UntoldAlarms(ctx, conn.ID)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		err := v.notifier.Notify(ctx, Notice{
			Channel: schema.ChannelMail, To: []string{conn.Owner}, Key: "alarm/" + string(a.ID),
			Message: "sendoff: " + a.Code + " on connection " + conn.Name + "\n\n" + a.Message + "\n\nWhat to do: " + a.Fix + "\n\nYou are told once. See: sendoff alarms list\n",
		})
		var refused *schema.Error
		if errors.As(err, &refused) && refused.Code == schema.CodeInvalid {
			return nil // no mail is configured: the list has to do
		}
		if err != nil {
			return err
		}
		if err := v.store.AlarmTold(ctx, a.ID); err != nil {
			return err
		}
	}
	return nil
}
