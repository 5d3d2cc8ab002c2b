package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// subjectsAtOnce is how many accounts are handed out together.
const subjectsAtOnce = 1000

// freshPlans makes Postgres plan for the values given: what a policy takes may be
// one account or all of them. Compiling costs more than it saves.
const freshPlans = `select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)`

// Population counts the accounts of the connections, and hands out, in no order,
// those whose kind, status and grade fit and that meet all bounds. Everything is of
// one state of the database. Instants are whole microseconds, as the database keeps
// them. The slice is used again; what a callback does is outside the transaction.
func (s *Store) Population(ctx context.Context, q schema.PopulationQuery, each func([]schema.Subject) error) (schema.Population, error) {
	var out schema.Population
	q.Now, q.Connections = q.Now.Truncate(time.Microsecond), orAll(q.Connections, nil)
	err := s.readTx(ctx, "read the population", func(ctx context.Context, tx querier) error {
		var err error
		if out.Basis, err = populationBasis(ctx, tx, q.Connections, q.Now); err != nil {
			return err
		}
		f, err := newPopulationFilter(q, out.Basis)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, freshPlans); err != nil {
			return err
		}
		counts, fit, err := f.count(ctx, tx)
		if err != nil {
			return err
		}
		handed, err := f.handOut(ctx, tx, fit, each)
		if err != nil {
			return err
		}
		// Both are of one snapshot, so what fits and is not handed out is what a bound
		// leaves out.
		counts[schema.ReasonNoMatch] = fit - handed
		out.Total = handed
		for _, r := range schema.VerdictReasons() {
			if counts[r] > 0 {
				out.Reasons = append(out.Reasons, schema.ReasonCount{Reason: r, Count: counts[r]})
			}
			out.Total += counts[r]
		}
		return nil
	})
	if err != nil {
		return schema.Population{}, err
	}
	return out, nil
}

// count counts by reason what does not fit, and how many accounts do.
func (f populationFilter) count(ctx context.Context, q querier) (map[schema.VerdictReason]int64, int64, error) {
	counts, fit := map[schema.VerdictReason]int64{}, int64(0)
	sql, a := f.countSQL()
	rows, err := all[struct {
		Reason string
		N      int64
	}](ctx, q, sql, a)
	for _, r := range rows {
		switch {
		case r.Reason == string(schema.ReasonKind), r.Reason == string(schema.ReasonStatus),
			r.Reason == string(schema.ReasonNotCollected), r.Reason == string(schema.ReasonUnknown):
			counts[schema.VerdictReason(r.Reason)] += r.N
		case slices.Contains(f.grades, schema.Grade(r.Reason)):
			fit += r.N
		default:
			counts[schema.ReasonGrade] += r.N
		}
	}
	return counts, fit, err
}

// manySubjects is from how many accounts on people are joined as whole tables.
const manySubjects = 500_000

// wholeTables keeps joins of whole tables from being planned for few rows: nobody
// can estimate how many accounts have a grade.
const wholeTables = `select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`

// handOut hands out what meets the bounds too, of so many that fit.
func (f populationFilter) handOut(ctx context.Context, q querier, fit int64, each func([]schema.Subject) error) (int64, error) {
	if len(f.grades) == 0 {
		return 0, nil
	}
	everybody, err := everybodyGroups(ctx, q, f.q.Connections, f.q.Needs)
	if err != nil {
		return 0, err
	}
	many := fit >= manySubjects
	if many && (f.q.Needs.Person || f.people) {
		if _, err := q.Exec(ctx, wholeTables); err != nil {
			return 0, err
		}
	}
	sql, a := f.subjectsSQL(many)
	var handed int64
	batch := make([]schema.Subject, 0, subjectsAtOnce)
	flush := func() error {
		handed += int64(len(batch))
		defer func() { clear(batch); batch = batch[:0] }()
		return each(batch)
	}
	err = readSubjects(ctx, q, sql, a, newSubjectReader(f.basis, everybody, f.q.Needs), func(v *schema.Subject) error {
		if batch = append(batch, *v); len(batch) < subjectsAtOnce {
			return nil
		}
		return flush()
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	return handed, err
}

// Subject returns an account, in whatever state it is, as Population would hand it
// out; CodeNotFound.
func (s *Store) Subject(ctx context.Context, id schema.AccountID, needs schema.Needs) (schema.Subject, error) {
	var out schema.Subject
	err := s.readTx(ctx, "read the account", func(ctx context.Context, q querier) error {
		now := time.Now().UTC()
		c, known, err := schema.ConnectionID(""), false, error(nil)
		if uuid.Validate(string(id)) == nil {
			c, known, err = maybeScalar[schema.ConnectionID](ctx, q, `select connection_id from account where id = @id`, args{"id": id})
		}
		if err == nil && !known {
			err = notFound("account", string(id))
		}
		if err != nil {
			return err
		}
		connections := []schema.ConnectionID{c}
		basis, err := populationBasis(ctx, q, connections, now)
		if err != nil {
			return err
		}
		everybody, err := everybodyGroups(ctx, q, connections, needs)
		if err != nil {
			return err
		}
		a := args{"id": id}
		sql := `select ` + subjectColumns(needs) + subjectFrom(needs, needs.Person, false, a, now) + ` where a.id = @id`
		return readSubjects(ctx, q, sql, a, newSubjectReader(basis, everybody, needs), func(v *schema.Subject) error {
			out = *v
			return nil
		})
	})
	return out, err
}

// PopulationBasis returns what is known of the connections, in their order;
// CodeNotFound when one of them does not exist.
func (s *Store) PopulationBasis(ctx context.Context, connections []schema.ConnectionID) ([]schema.PopulationBasis, error) {
	var out []schema.PopulationBasis
	err := s.readTx(ctx, "read what grades are proven by", func(ctx context.Context, q querier) (err error) {
		out, err = populationBasis(ctx, q, connections, time.Now().UTC())
		return err
	})
	return out, err
}

// ConnectionNamed is ConnectionByName, by the name that reviews know it by.
func (s *Store) ConnectionNamed(ctx context.Context, name string) (schema.Connection, error) {
	return s.ConnectionByName(ctx, name)
}

// AskRun makes sure that a run of the kind goes on or is queued for the connection.
// CodeClosed when nothing can be read over it, or when a sync waits for an admin:
// another one would overtake it.
func (s *Store) AskRun(ctx context.Context, connection schema.ConnectionID, kind schema.RunKind) error {
	return s.inTx(ctx, "ask for a run", func(ctx context.Context, t *tx) error {
		c, err := t.findConnection(ctx, string(connection))
		if err != nil {
			return err
		}
		if err := requireEnabled(c); err != nil {
			return err
		}
		if kind == schema.RunSync {
			waiting, found, err := maybeScalar[schema.RunID](ctx, t, `select id from run where connection_id = @c and state = 'quarantined'`, args{"c": c.ID})
			if err != nil {
				return err
			}
			if found {
				return &schema.Error{
					Code: schema.CodeClosed, Message: "a sync of connection " + c.Name + " waits for an admin: it listed far fewer accounts than before",
					Fix: "sendoff runs show " + string(waiting) + ", then release or discard it",
				}
			}
		}
		_, _, err = t.insertRun(ctx, c.ID, kind, schema.TriggerSchedule, "")
		return err
	})
}

// maybeScalar is scalar for a row that need not exist.
func maybeScalar[T any](ctx context.Context, q querier, sql string, a args) (T, bool, error) {
	var none T
	list, err := scalars[T](ctx, q, sql, a)
	if err != nil || len(list) == 0 {
		return none, false, err
	}
	return list[0], true, nil
}
