package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

type licenseRow struct {
	ConnectionID schema.ConnectionID
	Connection   string
	Seats        int64
	PriceMinor   int64
	Currency     string
	Period       schema.Period
	RenewsOn     string
	UpdatedBy    string
	UpdatedAt    time.Time
}

func (r licenseRow) license() (schema.License, error) {
	renews, err := schema.ParseDate(r.RenewsOn)
	return schema.License{
		ConnectionID: r.ConnectionID, Connection: r.Connection, Seats: r.Seats,
		Price: schema.Money{Minor: r.PriceMinor, Currency: r.Currency}, Period: r.Period, RenewsOn: renews,
		UpdatedBy: r.UpdatedBy, UpdatedAt: r.UpdatedAt,
	}, err
}

// SetLicense keeps what the contract says of a connection's seats, in the place of
// what was kept before.
func (s *Store) SetLicense(ctx context.Context, l schema.License, by schema.Principal) (schema.License, error) {
	if err := checkPrincipal(by); err != nil {
		return l, err
	}
	if err := checkLicense(l); err != nil {
		return l, err
	}
	err := s.inTx(ctx, "set license", func(ctx context.Context, t *tx) error {
		l.UpdatedBy, l.UpdatedAt = by.Name, t.now
		err := t.run(ctx, `insert into license (connection_id, seats, price_minor, currency, period, renews_on, updated_by, updated_at)
			values (@connection, @seats, @price, @currency, @period, nullif(@renews, '')::date, @by, @now)
			on conflict (connection_id) do update set (seats, price_minor, currency, period, renews_on, updated_by, updated_at)
			= (excluded.seats, excluded.price_minor, excluded.currency, excluded.period, excluded.renews_on, excluded.updated_by, excluded.updated_at)`,
			args{
				"connection": l.ConnectionID, "seats": l.Seats, "price": l.Price.Minor, "currency": l.Price.Currency,
				"period": l.Period, "renews": l.RenewsOn.String(), "by": l.UpdatedBy, "now": l.UpdatedAt,
			})
		if err != nil {
			return err
		}
		t.record(audit.ConnectionStream(string(l.ConnectionID)), principal(by), "license.set", audit.Subject{ConnectionID: string(l.ConnectionID)},
			map[string]string{
				"seats": strconv.FormatInt(l.Seats, 10), "price": l.Price.String(), "period": string(l.Period), "renews_on": l.RenewsOn.String(),
			})
		return nil
	})
	return l, err
}

func checkLicense(l schema.License) error {
	invalid := func(message, fix string) error {
		return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: fix}
	}
	_, known := schema.MinorDigits(l.Price.Currency)
	switch {
	case l.Seats < 0 || l.Seats > schema.MaxSeats:
		return invalid(fmt.Sprintf("%d seats cannot be kept", l.Seats), fmt.Sprintf("give 0 to %d", schema.MaxSeats))
	case !known:
		return invalid("the currency is none of ISO 4217", "give a code such as EUR")
	case l.Price.Minor < 0 || l.Price.Minor > schema.MaxPriceMinor:
		return invalid("the price of a seat cannot be kept", "give 0 to "+schema.Money{Minor: schema.MaxPriceMinor, Currency: l.Price.Currency}.String())
	case l.Period != schema.PerMonth && l.Period != schema.PerYear:
		return invalid("the period is neither month nor year", "give one of these")
	}
	return nil
}

// Licenses returns what was kept of each connection that is not removed, by name.
func (s *Store) Licenses(ctx context.Context) ([]schema.License, error) {
	list, err := licenses(ctx, s.pool)
	return list, translate("list licenses", err)
}

// licenses reads a row for each connection at most.
func licenses(ctx context.Context, q querier) ([]schema.License, error) {
	rows, err := all[licenseRow](ctx, q, `select l.connection_id, c.name as connection, l.seats, l.price_minor, l.currency, l.period,
			coalesce(to_char(l.renews_on, 'YYYY-MM-DD'), '') as renews_on, l.updated_by, l.updated_at
		from license l join connection c on c.id = l.connection_id where c.state <> 'removed' order by c.name`, nil)
	out := make([]schema.License, len(rows))
	for i, r := range rows {
		if out[i], err = r.license(); err != nil {
			return nil, err
		}
	}
	return out, err
}
