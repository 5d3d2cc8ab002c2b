package store

import (
	"context"

	"sendoff/schema"
)

// reviewOfItem reads a run.
func (s *Store) reviewOfItem(ctx context.Context, id schema.ReviewID) (schema.Review, error) {
	r, ok, err := maybe[schema.Review](ctx, s.pool, `select r.id, r.policy_id, p.name as policy, r.version, r.scheduled_at, r.trigger, r.requested_by, r.requested_id,
			r.mode, r.state, r.end_kind as "end", r.why, r.looked, r.reasons, r.basis, r.changed, r.hash, coalesce(r.wanted, '{}') as wanted, r.overruns,
			r.batch_id, r.approvals, '[]'::jsonb as approved, r.created_at, r.judged_at, r.ended_at, r.workflow_id
		from review r join policy p on p.id = r.policy_id where r.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("review", string(id))
	}
	return r, translate("read a review", err)
}
