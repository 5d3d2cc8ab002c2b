package store

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// registerTypes makes NULL and Go's zero value the same for instants and ids,
// in both directions, and every instant UTC: that is how schema speaks.
func registerTypes(m *pgtype.Map) {
	m.RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: instantCodec{&pgtype.TimestamptzCodec{ScanLocation: time.UTC}},
	})
	m.RegisterType(&pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: idCodec{}})
	registerDates(m)
}

// instantCodec reads NULL as the zero time and writes the zero time as NULL.
type instantCodec struct{ *pgtype.TimestamptzCodec }

func (c instantCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*time.Time); ok {
		return scanInstant{c.TimestamptzCodec.PlanScan(m, oid, format, &pgtype.Timestamptz{})}
	}
	return c.TimestamptzCodec.PlanScan(m, oid, format, target)
}

func (c instantCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(time.Time); ok {
		return encodeInstant{c.TimestamptzCodec.PlanEncode(m, oid, format, pgtype.Timestamptz{})}
	}
	return c.TimestamptzCodec.PlanEncode(m, oid, format, value)
}

type scanInstant struct{ next pgtype.ScanPlan }

func (p scanInstant) Scan(src []byte, target any) error {
	var v pgtype.Timestamptz
	if err := p.next.Scan(src, &v); err != nil {
		return err
	}
	*target.(*time.Time) = v.Time
	return nil
}

type encodeInstant struct{ next pgtype.EncodePlan }

func (p encodeInstant) Encode(value any, buf []byte) ([]byte, error) {
	t := value.(time.Time)
	return p.next.Encode(pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}, buf)
}

// idCodec reads NULL as "" and writes "" as NULL, for the id types of schema.
type idCodec struct{ pgtype.UUIDCodec }

func (c idCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*string); ok {
		return scanID{c.UUIDCodec.PlanScan(m, oid, format, &pgtype.UUID{})}
	}
	return c.UUIDCodec.PlanScan(m, oid, format, target)
}

func (c idCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(string); ok {
		return encodeID{c.UUIDCodec.PlanEncode(m, oid, format, pgtype.UUID{})}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

type scanID struct{ next pgtype.ScanPlan }

func (p scanID) Scan(src []byte, target any) error {
	var v pgtype.UUID
	if err := p.next.Scan(src, &v); err != nil {
		return err
	}
	*target.(*string) = v.String()
	return nil
}

type encodeID struct{ next pgtype.EncodePlan }

func (p encodeID) Encode(value any, buf []byte) ([]byte, error) {
	var v pgtype.UUID
	if s := value.(string); s != "" {
		if err := v.Scan(s); err != nil {
			return nil, errNotAnID
		}
	}
	return p.next.Encode(v, buf)
}
