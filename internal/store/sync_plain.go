package store

import (
	"context"

	"sendoff/schema"
)

// plainAtOnce bounds the accounts whose rows one transaction of applyPlain locks: a
// leaver's case waits for no more than that.
const plainAtOnce = 5000

// plainDiffers is that an account a differs from a staged one s, observed later, in
// nothing but what says how it is described and how much it holds.
const plainDiffers = `a.observed_at <= s.observed_at
	and (a.name, a.space_used, a.space_amount, a.tracking) is distinct from (s.name, s.space_used, s.space_amount, s.tracking)
	and (a.login, a.role, a.status, a.vendor_status, a.kind, a.enterprise_id)
		is not distinct from (s.login, s.role, s.status, s.vendor_status, s.kind, s.enterprise_id)`

// applyPlain takes over, in small transactions before a sync is published, what
// changes of nearly every account from day to day and decides nothing: names, space
// and tracking. Published with the rest, it would lock every account for seconds.
// It is true whatever becomes of the sync: these accounts were listed.
func (s *Store) applyPlain(ctx context.Context, id schema.RunID) error {
	const op = "take over names and space"
	var differing []schema.AccountID
	err := s.inTx(ctx, op, func(ctx context.Context, t *tx) (err error) {
		if err := t.joinByHash(ctx); err != nil {
			return err
		}
		differing, err = scalars[schema.AccountID](ctx, t, `select a.id from run r
			join staged_account s on s.run_id = r.id join account a on a.connection_id = r.connection_id and a.external_id = s.external_id
			where r.id = @run and r.state in ('queued', 'running') and `+plainDiffers+` order by a.id`, args{"run": id})
		return err
	})
	for err == nil && len(differing) > 0 {
		part := differing[:min(plainAtOnce, len(differing))]
		differing = differing[len(part):]
		err = s.inTx(ctx, op, func(ctx context.Context, t *tx) error {
			if err := t.joinByHash(ctx); err != nil {
				return err
			}
			return t.run(ctx, `with differs as materialized (
					select a.id, s.name, s.space_used, s.space_amount, s.tracking, s.observed_at
					from account a join run r on r.connection_id = a.connection_id and r.id = @run
					join staged_account s on s.run_id = r.id and s.external_id = a.external_id
					where a.id = any(@ids::uuid[]) and `+plainDiffers+` order by a.id for no key update of a)
				update account a set name = d.name, space_used = d.space_used, space_amount = d.space_amount, tracking = d.tracking, observed_at = d.observed_at
				from differs d where a.id = d.id`, args{"run": id, "ids": part})
		})
	}
	return err
}
