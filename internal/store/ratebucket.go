package store

import (
	"context"
	"math"
	"time"

	"sendoff/schema"
)

// burst is how much of a minute's rate a bucket holds at most. With tokens that
// are good for another second (connectors/rate), it is what a minute may see above
// its rate: at 960 a minute, 992, below a vendor's limit of 1000.
const burst = time.Second

// Lease takes up to want tokens from the bucket of the acting user of a connection,
// or of a source of HR events whose API is asked,
// which fills at ratePerMinute and holds burst's worth, one at least. With none
// granted it says how long to wait before asking again. One statement by the
// database's clock, so that any number of workers share a vendor's limit.
//
// CodeClosed when the connection or source is not enabled: within two seconds of a disable no
// call leaves any process, those of work under way included.
func (s *Store) Lease(ctx context.Context, connection, user string, want int, ratePerMinute float64) (int, time.Duration, error) {
	if want < 1 || !(ratePerMinute > 0) || math.IsInf(ratePerMinute, 0) {
		return 0, 0, &schema.Error{Code: schema.CodeInternal, Message: "a lease asks for one token or more, at a rate above 0 per minute"}
	}
	perSecond := ratePerMinute / 60
	most := max(1, perSecond*burst.Seconds())
	row, enabled, err := maybe[struct {
		Granted int
		Tokens  float64
	}](ctx, s.pool, `insert into rate_bucket as b (connection_id, acting_user, tokens, granted, refilled_at)
		select id, @user, @most - least(@want, floor(@most)), least(@want, floor(@most)), now()
		from (select id from connection where id = @connection and state = 'enabled'
			union all select id from hr_source where id = @connection and state = 'enabled') as caller
		on conflict (connection_id, acting_user) do update set (tokens, granted, refilled_at) = (
			select have - least(@want, floor(have)), least(@want, floor(have)), greatest(b.refilled_at, now())
			from (select least(@most, b.tokens
				+ greatest(0, extract(epoch from now() - b.refilled_at)::float8) * @per_second) as have) as bucket)
		returning granted, tokens`,
		args{"connection": schema.ConnectionID(connection), "user": user, "want": float64(want), "most": most, "per_second": perSecond})
	if err != nil {
		return 0, 0, translate("lease rate tokens", err)
	}
	if !enabled {
		return 0, 0, &schema.Error{Code: schema.CodeClosed, Message: "connection or source " + connection + " is not enabled", Fix: "enable it"}
	}
	if row.Granted > 0 {
		return row.Granted, 0, nil
	}
	wait := time.Duration((1 - row.Tokens) / perSecond * float64(time.Second))
	return 0, max(wait, time.Millisecond), nil
}
