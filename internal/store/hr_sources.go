package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const sourceColumns = `id, name, kind, state, time_zone, template, receivers, approvals, owner, rhythm_seconds, limit_number, limit_percent,
	limit_window_seconds, mapping, signature, base_url, poll_seconds, version, last_heard_at, last_event_at, next_poll_at, poll_marker, poll_error,
	created_at, updated_at`

// sourceRow is a source of HR events as it is stored.
type sourceRow struct {
	ID                                   schema.SourceID
	Name                                 string
	Kind                                 schema.SourceKind
	State                                schema.ConnectionState
	TimeZone, Template                   string
	Receivers                            []string
	Approvals                            int
	Owner                                string
	RhythmSeconds                        int64
	LimitNumber, LimitPercent            int
	LimitWindowSeconds                   int64
	Mapping                              *schema.Mapping
	Signature                            *schema.Signature
	BaseURL                              string
	PollSeconds, Version                 int64
	LastHeardAt, LastEventAt, NextPollAt time.Time
	PollMarker, PollError                string
	CreatedAt, UpdatedAt                 time.Time
}

func (r sourceRow) source() schema.Source {
	return schema.Source{
		ID: r.ID, Name: r.Name, Kind: r.Kind, State: r.State, TimeZone: r.TimeZone, Template: r.Template, Receivers: r.Receivers,
		Approvals: r.Approvals, Owner: r.Owner, Rhythm: time.Duration(r.RhythmSeconds) * time.Second,
		Limit: schema.StartLimit{
			Number: r.LimitNumber, Percent: r.LimitPercent, Window: time.Duration(r.LimitWindowSeconds) * time.Second,
		},
		Mapping: r.Mapping, Signature: r.Signature, BaseURL: r.BaseURL, PollEvery: time.Duration(r.PollSeconds) * time.Second,
		Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, LastHeardAt: r.LastHeardAt, LastEventAt: r.LastEventAt,
		NextPollAt: r.NextPollAt, PollMarker: r.PollMarker, PollError: r.PollError,
	}
}

// settings are what people may set of a source, as arguments.
func settings(s schema.Source) args {
	return args{
		"time_zone": s.TimeZone, "template": s.Template, "receivers": append([]string{}, s.Receivers...), "approvals": s.Approvals,
		"owner": s.Owner, "rhythm": int64(s.Rhythm / time.Second), "limit_number": s.Limit.Number, "limit_percent": s.Limit.Percent,
		"limit_window": int64(s.Limit.Window / time.Second), "mapping": s.Mapping, "signature": s.Signature, "base_url": s.BaseURL,
		"poll": int64(s.PollEvery / time.Second),
	}
}

// CreateSource seals the secrets and stores the source, enabled. One that is
// polled is due at once. CodeConflict when the name is taken.
func (s *Store) CreateSource(ctx context.Context, src schema.Source, secrets schema.SourceSecrets, by schema.Principal) (schema.Source, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Source{}, err
	}
	if err := s.requireSealer(); err != nil {
		return schema.Source{}, err
	}
	if err := checkSource(src); err != nil {
		return schema.Source{}, err
	}
	if err := checkSecrets(src, secrets); err != nil {
		return schema.Source{}, err
	}
	var err error
	if src.ID, err = newID[schema.SourceID](); err != nil {
		return schema.Source{}, err
	}
	sealed, err := s.sealSecrets(src, secrets)
	if err != nil {
		return schema.Source{}, err
	}
	var created schema.Source
	err = s.inTx(ctx, "create source", func(ctx context.Context, t *tx) (err error) {
		created, err = t.insertSource(ctx, src, sealed, by)
		return err
	})
	return created, err
}

func (t *tx) insertSource(ctx context.Context, src schema.Source, sealed sealedSecrets, by schema.Principal) (schema.Source, error) {
	a := settings(src)
	a["id"], a["name"], a["kind"], a["now"] = src.ID, src.Name, src.Kind, t.now
	a["secret"], a["api_key"] = sealed.current, sealed.apiKey
	row, err := one[sourceRow](ctx, t, `insert into hr_source (id, name, kind, state, time_zone, template, receivers, approvals, owner,
			rhythm_seconds, limit_number, limit_percent, limit_window_seconds, mapping, signature, base_url, poll_seconds, next_poll_at,
			secret, api_key, version, created_at, updated_at)
		values (@id, @name, @kind, 'enabled', @time_zone, @template, @receivers, @approvals, @owner,
			@rhythm, @limit_number, @limit_percent, @limit_window, @mapping, @signature, @base_url, @poll::bigint,
			case when @poll::bigint > 0 then @now::timestamptz end, @secret, @api_key, 1, @now, @now)
		returning `+sourceColumns, a)
	if err != nil {
		return schema.Source{}, nameTaken(err, "hr_source_live_name", "a source of that name exists")
	}
	created := row.source()
	details := map[string]string{"name": src.Name, "kind": string(src.Kind)}
	for _, m := range sourceMembers(schema.Source{}, created) {
		details[m.name] = m.after
	}
	t.recordSource(created, by, "source.created", details)
	return created, nil
}

// recordSource appends an event about a source to its stream.
func (t *tx) recordSource(src schema.Source, by schema.Principal, action string, details map[string]string) {
	t.record(audit.SourceStream(string(src.ID)), principal(by), action, audit.Subject{}, with(details, "source", src.Name, "source_id", string(src.ID)))
}

// ListSources lists the sources that are not removed, by name. The cursor is the
// last name of the page before.
func (s *Store) ListSources(ctx context.Context, after string, limit int) ([]schema.Source, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false)
	if err != nil {
		return nil, "", err
	}
	rows, err := all[sourceRow](ctx, s.pool, `select `+sourceColumns+` from hr_source
		where state <> 'removed' and name > @after order by name limit @limit`, args{"after": from[0], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list sources", err)
	}
	rows, next := cut(rows, limit, func(r sourceRow) keyCursor { return keyCursor{r.Name} })
	list := make([]schema.Source, len(rows))
	for i, r := range rows {
		list[i] = r.source()
	}
	return list, next, nil
}

// SourceByName returns a source that is not removed; CodeNotFound.
func (s *Store) SourceByName(ctx context.Context, name string) (schema.Source, error) {
	src, err := sourceByName(ctx, s.pool, name, "")
	return src, translate("read source", err)
}

// Source returns a source by id, removed ones included; CodeNotFound.
func (s *Store) Source(ctx context.Context, id schema.SourceID) (schema.Source, error) {
	row, ok, err := maybe[sourceRow](ctx, s.pool, `select `+sourceColumns+` from hr_source where id = @id`, args{"id": id})
	if err == nil && !ok {
		err = noSource(string(id))
	}
	return row.source(), translate("read source", err)
}

// sourceByName reads a source that is not removed, with the lock given.
func sourceByName(ctx context.Context, q querier, name, lock string) (schema.Source, error) {
	if strings.ContainsRune(name, 0) {
		return schema.Source{}, noSource("of that name")
	}
	row, ok, err := maybe[sourceRow](ctx, q, `select `+sourceColumns+` from hr_source where name = @name and state <> 'removed' `+lock,
		args{"name": name})
	if err == nil && !ok {
		err = noSource(name)
	}
	return row.source(), err
}

// lockSource reads a source to change it.
func (t *tx) lockSource(ctx context.Context, name string) (schema.Source, error) {
	return sourceByName(ctx, t, name, `for no key update`)
}

func noSource(name string) error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no source " + name, Fix: "sendoff hr sources list shows all sources"}
}

func sourceClosed(name string, state schema.ConnectionState) error {
	return conflict("source "+name+" is "+string(state)+": nothing is taken from it", "sendoff hr sources enable "+name)
}

// violates tells whether an error is that constraint's.
func violates(err error, constraint string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.ConstraintName == constraint
}

// nameTaken is the conflict of a unique name, or err.
func nameTaken(err error, constraint, message string) error {
	if violates(err, constraint) {
		return conflict(message, "choose another name, or remove that one first")
	}
	return err
}
