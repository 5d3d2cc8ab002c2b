package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// reportHead reads what every report begins with, and the bases of its grades.
func reportHead(ctx context.Context, q querier, connections []schema.ConnectionID, now time.Time) (schema.ReportHead, []gradeBasis, error) {
	head := schema.ReportHead{At: now}
	var err error
	if head.Datasets, err = freshness(ctx, q, connections, now); err != nil {
		return head, nil, err
	}
	rows, err := basesOf(ctx, q, connections)
	bases := make([]gradeBasis, len(rows))
	for i, r := range rows {
		bases[i] = r.gradeBasis
		head.Bases = append(head.Bases, schema.ConnectionBasis{
			ConnectionID: r.ConnectionID, Connection: r.Connection,
			GradeBasis: schema.GradeBasis{Source: r.Source, Covered: r.covered()},
		})
	}
	return head, bases, err
}

// gradeCount counts the accounts that are alike.
type gradeCount struct {
	ConnectionID schema.ConnectionID
	Status       schema.AccountStatus
	Kind         schema.AccountKind
	Grade        schema.Grade
	N            int64
}

// gradeCounts counts all accounts of the connections by status, kind and grade.
func gradeCounts(ctx context.Context, q querier, bases []gradeBasis, threshold time.Duration, now time.Time) ([]gradeCount, error) {
	grade, a := gradeSQL(bases, threshold, now)
	a["connections"] = connectionsOf(bases)
	return all[gradeCount](ctx, q, `select a.connection_id, a.status, a.kind, `+grade+` as grade, count(*) as n
		from account a where a.connection_id = any(@connections) group by 1, 2, 3, 4`, a)
}

func connectionsOf(bases []gradeBasis) []schema.ConnectionID {
	out := make([]schema.ConnectionID, len(bases))
	for i, b := range bases {
		out[i] = b.ConnectionID
	}
	return out
}

// reportTx runs fn over one state of the database, with the head of the report.
func (s *Store) reportTx(ctx context.Context, op string, connection schema.ConnectionID, now time.Time,
	fn func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error,
) error {
	return s.readTx(ctx, op, func(ctx context.Context, q querier) error {
		connections, err := chosenConnections(ctx, q, connection)
		if err != nil {
			return err
		}
		head, bases, err := reportHead(ctx, q, connections, now)
		if err != nil {
			return err
		}
		return fn(ctx, q, head, bases)
	})
}
