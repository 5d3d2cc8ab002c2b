package store

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"sendoff/schema"
)

// registerDates makes schema.Date a date of Postgres, the zero date NULL.
func registerDates(m *pgtype.Map) {
	m.RegisterType(&pgtype.Type{Name: "date", OID: pgtype.DateOID, Codec: dateCodec{}})
}

type dateCodec struct{ pgtype.DateCodec }

func (c dateCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*schema.Date); ok {
		return scanDate{c.DateCodec.PlanScan(m, oid, format, &pgtype.Date{})}
	}
	return c.DateCodec.PlanScan(m, oid, format, target)
}

func (c dateCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(schema.Date); ok {
		return encodeDate{c.DateCodec.PlanEncode(m, oid, format, pgtype.Date{})}
	}
	return c.DateCodec.PlanEncode(m, oid, format, value)
}

type scanDate struct{ next pgtype.ScanPlan }

func (p scanDate) Scan(src []byte, target any) error {
	var v pgtype.Date
	if err := p.next.Scan(src, &v); err != nil {
		return err
	}
	*target.(*schema.Date) = schema.Date{}
	if v.Valid {
		*target.(*schema.Date) = schema.DateOf(v.Time)
	}
	return nil
}

type encodeDate struct{ next pgtype.EncodePlan }

func (p encodeDate) Encode(value any, buf []byte) ([]byte, error) {
	d := value.(schema.Date)
	return p.next.Encode(pgtype.Date{Time: d.In(time.UTC), Valid: !d.IsZero()}, buf)
}
