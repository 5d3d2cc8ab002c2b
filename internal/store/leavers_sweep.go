package store

import (
	"context"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// maxSwept is how many leavers one sweep tells.
const maxSwept = 500

// SweepLeavers tells leavers to be looked at that wait without a working case and
// of whom nothing was heard for the time given, and returns how many. A workflow
// that somebody ended would else hear only HR's next word.
func (s *Store) SweepLeavers(ctx context.Context, idle time.Duration) (int, error) {
	n := 0
	err := s.inTx(ctx, "sweep leavers", func(ctx context.Context, t *tx) error {
		ids, err := scalars[schema.LeaverID](ctx, t, `update leaver l set swept_at = @now
			where id in (select id from leaver where state in ('held', 'planning', 'no_account', 'refused', 'withdrawn')
				and greatest(updated_at, swept_at) < @before order by id limit @limit for no key update skip locked) returning id`,
			args{"now": t.now, "before": t.now.Add(-idle), "limit": maxSwept})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxLeaver, LeaverID: id}); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	return n, err
}

// RetryLeaver tells a leaver to be looked at now, in place of at its time.
// CodeConflict for one that has ended. Audited.
func (s *Store) RetryLeaver(ctx context.Context, id schema.LeaverID, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	return s.inTx(ctx, "retry a leaver", func(ctx context.Context, t *tx) error {
		l, ok, err := maybe[struct {
			PersonID schema.PersonID
			State    schema.LeaverState
		}](ctx, t, `select person_id, state from leaver where id = @id`, args{"id": id})
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound("leaver", string(id))
		case l.State == schema.LeaverEnded:
			return conflict("the leaver has ended", "nothing is left to try")
		}
		t.record(audit.PersonStream(string(l.PersonID)), principal(by), "leaver.retried", audit.Subject{PersonID: string(l.PersonID)},
			map[string]string{"leaver": string(id), "state": string(l.State)})
		return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxLeaver, LeaverID: id})
	})
}
