package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// ResumedSince tells whether an operator resumed the plan, in whatever form, since
// the instant.
func (s *Store) ResumedSince(ctx context.Context, id schema.PlanID, since time.Time) (bool, error) {
	resumed, err := scalar[bool](ctx, s.pool, `select exists (select 1 from decision d join plan p on p.case_id = d.case_id
		where p.id = @id and (d.plan_id is null or d.plan_id = p.id) and d.created_at >= @since
		and d.kind in ('resume', 'send_again', 'reactivate', 'set_receiver'))`, args{"id": id, "since": since})
	return resumed, translate("read decisions", err)
}

// HoldsDeclaredAt returns when the live declaration that the connection's vendor
// has no legal holds was made; zero = there is none.
func (s *Store) HoldsDeclaredAt(ctx context.Context, c schema.ConnectionID) (time.Time, error) {
	at, err := scalar[time.Time](ctx, s.pool, `select max(declared_at) from no_holds_declaration
		where connection_id = @connection and withdrawn_at is null and expires_at > now()`, args{"connection": c})
	return at, translate("read the declaration", err)
}
