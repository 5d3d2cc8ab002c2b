package webtest

import (
	"context"
	"time"

	"sendoff/schema"
)

// HealthFuncs are the functions of web.HealthStore. Without a function,
// SaveDiagnosis keeps nothing and HealthSince knows nothing.
type HealthFuncs struct {
	SaveDiagnosisFunc      func(schema.Diagnosis) error
	DiagnosisFunc          func(schema.ConnectionID) (schema.StoredDiagnosis, error)
	HealthSinceFunc        func() (map[schema.ConnectionID]time.Time, error)
	ListAlarmsFunc         func(ended bool, after string, limit int) ([]schema.AlarmView, string, error)
	EndAlarmFunc           func(id schema.AlarmID, reason string, by schema.Principal) error
	SetConnectionOwnerFunc func(name, owner string) (schema.Connection, error)
	ScheduleFunc           func(schema.ConnectionID) (schema.Schedule, error)
	SetScheduleFunc        func(name string, s schema.Schedule) (schema.Schedule, error)
}

// SaveDiagnosis calls its function, as does each method below.
func (f *HealthFuncs) SaveDiagnosis(_ context.Context, d schema.Diagnosis) error {
	if f.SaveDiagnosisFunc == nil {
		return nil
	}
	return f.SaveDiagnosisFunc(d)
}

// Diagnosis calls its function.
func (f *HealthFuncs) Diagnosis(_ context.Context, id schema.ConnectionID) (schema.StoredDiagnosis, error) {
	return f.DiagnosisFunc(id)
}

// HealthSince calls its function.
func (f *HealthFuncs) HealthSince(context.Context) (map[schema.ConnectionID]time.Time, error) {
	if f.HealthSinceFunc == nil {
		return nil, nil
	}
	return f.HealthSinceFunc()
}

// EndAlarm calls its function.
func (f *HealthFuncs) EndAlarm(_ context.Context, id schema.AlarmID, reason string, by schema.Principal) error {
	return f.EndAlarmFunc(id, reason, by)
}

// ListAlarms calls its function.
func (f *HealthFuncs) ListAlarms(_ context.Context, ended bool, after string, limit int) ([]schema.AlarmView, string, error) {
	return f.ListAlarmsFunc(ended, after, limit)
}

// SetConnectionOwner calls its function.
func (f *HealthFuncs) SetConnectionOwner(_ context.Context, name, owner string, _ schema.Principal) (schema.Connection, error) {
	return f.SetConnectionOwnerFunc(name, owner)
}

// Schedule calls its function.
func (f *HealthFuncs) Schedule(_ context.Context, id schema.ConnectionID) (schema.Schedule, error) {
	return f.ScheduleFunc(id)
}

// SetSchedule calls its function.
func (f *HealthFuncs) SetSchedule(_ context.Context, name string, s schema.Schedule, _ schema.Principal) (schema.Schedule, error) {
	return f.SetScheduleFunc(name, s)
}

// Diagnose says what the function says of identity and credentials: works is
// active.
func (c Checker) Diagnose(_ context.Context, conn schema.Connection, secret string) (schema.Diagnosis, error) {
	got, err := c(conn, secret)
	if err != nil {
		return schema.Diagnosis{}, err
	}
	r := schema.ProbeResult{Ability: schema.Ability{Name: "identity", Serves: "everything", Required: true}, Code: schema.ProbeOK, Message: "works"}
	health := schema.HealthActive
	if got.EnterpriseID != conn.EnterpriseID {
		health, r.Code = schema.HealthFailed, schema.ProbeEnterpriseMismatch
		r.Message, r.Fix = "the credentials belong to enterprise "+got.EnterpriseID+", not to "+conn.EnterpriseID, "give the right one"
	}
	return schema.Diagnosis{
		ConnectionID: conn.ID, Health: health, Results: []schema.ProbeResult{r},
		Identity: schema.DiagnosedIdentity{ExternalID: got.ActsAs, Role: got.Role, EnterpriseID: got.EnterpriseID, Service: got.Service},
	}, nil
}

// Abilities knows one of box.
func (Checker) Abilities(vendor string, readOnly bool) ([]schema.Ability, error) {
	if vendor != "box" {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "there is no connector of that type", Fix: "use box"}
	}
	return []schema.Ability{{Name: "identity", Serves: "everything", Required: true}, {Name: "suspend", Scope: "users", Serves: "suspends", Required: !readOnly, Writes: true}}, nil
}

// Doctor is a Checker whose diagnoses are a function's.
type Doctor struct {
	Checker
	DiagnoseFunc func(c schema.Connection, secret string) (schema.Diagnosis, error)
}

// Diagnose calls the function.
func (d Doctor) Diagnose(_ context.Context, c schema.Connection, secret string) (schema.Diagnosis, error) {
	return d.DiagnoseFunc(c, secret)
}
