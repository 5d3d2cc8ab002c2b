package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// ReportLicenses counts the seats of a connection, or with "" of all that are not
// removed. Accounts proven silent for the threshold, or never used, are dormant.
func (s *Store) ReportLicenses(ctx context.Context, connection schema.ConnectionID, threshold time.Duration, now time.Time) (schema.LicenseReport, error) {
	r := schema.LicenseReport{Threshold: threshold}
	err := s.reportTx(ctx, "report licenses", connection, now, func(ctx context.Context, q querier, head schema.ReportHead, bases []gradeBasis) error {
		r.ReportHead = head
		counts, err := gradeCounts(ctx, q, bases, threshold, now)
		if err != nil {
			return err
		}
		known, err := licenses(ctx, q)
		if err != nil {
			return err
		}
		vendors, err := vendorsOf(ctx, q, connectionsOf(bases))
		if err != nil {
			return err
		}
		for _, b := range head.Bases {
			row := schema.LicenseRow{ConnectionID: b.ConnectionID, Connection: b.Connection, Vendor: vendors[b.ConnectionID]}
			for i := range known {
				if known[i].ConnectionID == b.ConnectionID {
					row.License = &known[i]
				}
			}
			row.Use = seatUse(counts, b.ConnectionID)
			r.Rows = append(r.Rows, row)
		}
		return nil
	})
	return r, err
}

func vendorsOf(ctx context.Context, q querier, connections []schema.ConnectionID) (map[schema.ConnectionID]string, error) {
	rows, err := all[struct {
		ID     schema.ConnectionID
		Vendor string
	}](ctx, q, `select id, vendor from connection where id = any(@connections)`, args{"connections": connections})
	out := make(map[schema.ConnectionID]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Vendor
	}
	return out, err
}

// seatUse adds up what a connection's accounts mean for its seats.
func seatUse(counts []gradeCount, c schema.ConnectionID) schema.SeatUse {
	var u schema.SeatUse
	for _, n := range counts {
		if n.ConnectionID != c || n.Status == schema.AccountDeleted {
			continue
		}
		switch {
		case n.Status == schema.AccountMissing:
			u.Missing += n.N
		case n.Kind == schema.KindService:
			u.Service += n.N
		case n.Kind == schema.KindApp:
			u.App += n.N
		case n.Kind == schema.KindExternal:
			u.External += n.N
		case n.Status == schema.AccountActive:
			u.Active += n.N
		case n.Status == schema.AccountRestricted:
			u.Restricted += n.N
		case n.Status == schema.AccountSuspended:
			u.Suspended += n.N
		}
		if schema.MaySignIn(n.Kind, n.Status) {
			switch n.Grade {
			case schema.GradeInactive, schema.GradeNever:
				u.Dormant += n.N
			case schema.GradeUnknown, schema.GradeNotCollected:
				u.Ungraded += n.N
			}
		}
	}
	return u
}
