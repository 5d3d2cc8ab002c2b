package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// storedDiagnosis is a diagnosis as it is kept.
type storedDiagnosis struct {
	Identity schema.DiagnosedIdentity
	Results  []schema.ProbeResult
	Partial  bool
	Limits   []string
}

type diagnosisRow struct {
	At, Since time.Time
	Body      storedDiagnosis
}

// SaveDiagnosis stores what the doctor found, unless a later visit is stored. It
// moves the connection's health, which changes nothing of how it is opened: its
// version stays. Each fault that is new raises an alarm; one that may pass by
// itself only once two visits saw it. Faults that are over clear theirs: of a
// visit that stopped early nothing is known but whether the vendor answers.
func (s *Store) SaveDiagnosis(ctx context.Context, d schema.Diagnosis) error {
	return s.inTx(ctx, "save diagnosis", func(ctx context.Context, t *tx) error {
		conn, ok, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection where id = @id for no key update`, args{"id": d.ConnectionID})
		if err == nil && !ok {
			err = notFound("connection", string(d.ConnectionID))
		}
		if err != nil || conn.State == schema.ConnectionRemoved {
			return err
		}
		before, seen, err := maybe[diagnosisRow](ctx, t, `select at, since, body from diagnosis where connection_id = @id`, args{"id": d.ConnectionID})
		if err != nil || seen && before.At.After(d.At) {
			return err
		}
		since := d.At
		if seen && conn.Health == d.Health {
			since = before.Since
		}
		if err := t.putDiagnosis(ctx, d, since); err != nil {
			return err
		}
		if err := t.moveHealth(ctx, conn, d); err != nil {
			return err
		}
		return t.alarmFaults(ctx, conn, d, before.Body)
	})
}

func (t *tx) putDiagnosis(ctx context.Context, d schema.Diagnosis, since time.Time) error {
	body, err := json.Marshal(storedDiagnosis{Identity: d.Identity, Results: d.Results, Partial: d.Partial, Limits: d.Limits})
	if err != nil {
		return err
	}
	return t.run(ctx, `insert into diagnosis (connection_id, at, since, body) values (@id, @at, @since, @body)
		on conflict (connection_id) do update set at = excluded.at, since = excluded.since, body = excluded.body`,
		args{"id": d.ConnectionID, "at": d.At, "since": since, "body": body})
}

func (t *tx) moveHealth(ctx context.Context, c schema.Connection, d schema.Diagnosis) error {
	code := d.Code()
	if c.Health != d.Health || c.HealthCode != code {
		t.record(audit.ConnectionStream(string(c.ID)), engine(), "connection.health", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"from": string(c.Health), "to": string(d.Health), "code": string(code)})
	}
	return t.changeOne(ctx, `update connection set health = @health, health_code = @code, health_at = @at where id = @id`,
		args{"id": c.ID, "health": d.Health, "code": code, "at": d.At})
}

// alarmFaults raises and clears what the visit calls for.
func (t *tx) alarmFaults(ctx context.Context, c schema.Connection, d schema.Diagnosis, before storedDiagnosis) error {
	present := []string{}
	for _, f := range d.Faults() {
		if slices.Contains(present, string(f.Code)) {
			continue
		}
		present = append(present, string(f.Code))
		if f.Code.Passing() && !slices.ContainsFunc(before.Results, func(r schema.ProbeResult) bool { return r.Code == f.Code }) {
			continue
		}
		err := t.raiseAlarm(ctx, schema.Alarm{
			ConnectionID: c.ID, Code: string(f.Code), Message: "connection " + c.Name + ", " + f.Ability.Name + ": " + f.Message, Fix: f.Fix,
		})
		if err != nil {
			return err
		}
	}
	var over []string
	for _, code := range schema.ProbeCodes() {
		if !slices.Contains(present, string(code)) && (!d.Partial || code.Passing()) {
			over = append(over, string(code))
		}
	}
	return t.run(ctx, `update alarm set cleared_at = @now where connection_id = @id and code = any(@over) and cleared_at is null`,
		args{"now": t.now, "id": c.ID, "over": over})
}

// Diagnosis returns the last diagnosis of a connection; CodeNotFound before the
// first.
func (s *Store) Diagnosis(ctx context.Context, id schema.ConnectionID) (schema.StoredDiagnosis, error) {
	const op = "read diagnosis"
	row, ok, err := maybe[struct {
		diagnosisRow
		Health schema.Health
	}](ctx, s.pool, `select d.at, d.since, d.body, c.health from diagnosis d join connection c on c.id = d.connection_id where c.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "the doctor has not looked at this connection yet", Fix: "sendoff connections test"}
	}
	if err != nil {
		return schema.StoredDiagnosis{}, translate(op, err)
	}
	return schema.StoredDiagnosis{Since: row.Since, Diagnosis: schema.Diagnosis{
		ConnectionID: id, At: row.At, Health: row.Health, Identity: row.Body.Identity, Results: row.Body.Results, Partial: row.Body.Partial, Limits: row.Body.Limits,
	}}, nil
}

// HealthSince returns when the health of each connection that was looked at became
// what it is.
func (s *Store) HealthSince(ctx context.Context) (map[schema.ConnectionID]time.Time, error) {
	rows, err := all[struct {
		ConnectionID schema.ConnectionID
		Since        time.Time
	}](ctx, s.pool, `select connection_id, since from diagnosis`, nil)
	since := make(map[schema.ConnectionID]time.Time, len(rows))
	for _, r := range rows {
		since[r.ConnectionID] = r.Since
	}
	return since, translate("read health", err)
}

// SetConnectionOwner names who looks after a connection; an empty address names
// nobody. The version stays: it is opened as before.
func (s *Store) SetConnectionOwner(ctx context.Context, name, owner string, by schema.Principal) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	var c schema.Connection
	err := s.inTx(ctx, "name the owner", func(ctx context.Context, t *tx) error {
		var ok bool
		var err error
		c, ok, err = maybe[schema.Connection](ctx, t, `update connection set owner = @owner, updated_at = @now
			where name = @name and state <> 'removed' returning `+connectionColumns, args{"name": name, "owner": owner, "now": t.now})
		if err == nil && !ok {
			err = notFound("connection", name)
		}
		if err != nil {
			return err
		}
		named := "nobody"
		if owner != "" {
			named = "somebody" // an address is not kept for ever
		}
		t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection.owner", audit.Subject{ConnectionID: string(c.ID)},
			map[string]string{"named": named})
		return nil
	})
	return c, err
}
