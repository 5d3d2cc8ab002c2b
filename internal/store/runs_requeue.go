package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// RequeueRuns writes the outbox row anew of each open run that nobody was told of
// for a while, and returns how many. A workflow that runs is not disturbed by it;
// one that was lost with its server is started anew and goes on where the run is.
func (s *Store) RequeueRuns(ctx context.Context, idle time.Duration) (int, error) {
	n := 0
	err := s.inTx(ctx, "look after runs", func(ctx context.Context, t *tx) error {
		n = 0
		lost, err := all[struct {
			ID   schema.RunID
			Kind schema.RunKind
		}](ctx, t, `select id, kind from run r where state in ('queued', 'running') and created_at < now() - @idle::interval and not exists (
				select 1 from outbox o where o.run_id = r.id and (o.dispatched_at is null or o.dispatched_at > now() - @idle::interval))
			order by created_at limit 100 for update skip locked`, args{"idle": idle})
		if err != nil {
			return err
		}
		for _, r := range lost {
			if err := t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxStartRun, RunID: r.ID, RunKind: r.Kind}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
