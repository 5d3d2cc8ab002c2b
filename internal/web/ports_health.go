package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// HealthStore keeps what the doctor finds, alarms, owners and schedules.
type HealthStore interface {
	// SaveDiagnosis stores it, moves the connection's health, and raises and clears
	// alarms.
	SaveDiagnosis(ctx context.Context, d schema.Diagnosis) error
	// Diagnosis returns the last one; CodeNotFound before the first.
	Diagnosis(ctx context.Context, id schema.ConnectionID) (schema.StoredDiagnosis, error)
	// HealthSince returns when the health of each connection became what it is.
	HealthSince(ctx context.Context) (map[schema.ConnectionID]time.Time, error)
	// ListAlarms lists alarms, newest first: those that are open, or with ended all.
	ListAlarms(ctx context.Context, ended bool, after string, limit int) (list []schema.AlarmView, next string, err error)
	// EndAlarm ends an alarm by somebody's word. CodeConflict for one whose cause ends
	// it; audited.
	EndAlarm(ctx context.Context, id schema.AlarmID, reason string, by schema.Principal) error
	// SetConnectionOwner names who looks after a connection; "" names nobody.
	SetConnectionOwner(ctx context.Context, name, owner string, by schema.Principal) (schema.Connection, error)
	// Schedule is how often a connection's runs begin by themselves.
	Schedule(ctx context.Context, id schema.ConnectionID) (schema.Schedule, error)
	// SetSchedule changes that. CodeInvalid names each value out of its range.
	SetSchedule(ctx context.Context, name string, s schema.Schedule, by schema.Principal) (schema.Schedule, error)
}

// ConnectionDoctor finds out what connections can do. It only reads.
type ConnectionDoctor interface {
	// Diagnose asks the vendor with the secret given, or with the stored one when
	// it is empty. CodeClosed for a stored connection that is not enabled. What is
	// wrong at the vendor is a finding, not an error.
	Diagnose(ctx context.Context, c schema.Connection, secret string) (schema.Diagnosis, error)
	// Abilities lists what connections of a vendor want, required ones first.
	// CodeInvalid when there is no such vendor.
	Abilities(vendor string, readOnly bool) ([]schema.Ability, error)
}
