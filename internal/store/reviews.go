package store

import (
	"context"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const reviewColumns = `r.id, r.policy_id, p.name as policy, r.version, r.scheduled_at, r.trigger, r.requested_by, r.requested_id, r.mode, r.state,
	r.end_kind as "end", r.why, r.looked, r.reasons, r.basis, r.changed, r.hash, coalesce(r.wanted, '{}'::jsonb) as wanted, r.overruns, r.budget_wait, r.batch_id,
	r.approvals, null::jsonb as approved, r.created_at, r.judged_at, r.ended_at, r.workflow_id`

const selectReviews = `select ` + reviewColumns + ` from review r join policy p on p.id = r.policy_id `

// Review returns a run.
func (s *Store) Review(ctx context.Context, id schema.ReviewID) (schema.Review, error) {
	r, err := loadReview(ctx, s.pool, id)
	return r, translate("read review", err)
}

func loadReview(ctx context.Context, q querier, id schema.ReviewID) (schema.Review, error) {
	r, ok, err := maybe[schema.Review](ctx, q, selectReviews+`where r.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no review " + string(id), Fix: "sendoff policy reviews list shows all reviews"}
	}
	if err != nil {
		return r, err
	}
	list := []schema.Review{r}
	err = addReviewApprovals(ctx, q, list)
	return list[0], err
}

// addReviewApprovals adds the approvals of runs, oldest first.
func addReviewApprovals(ctx context.Context, q querier, list []schema.Review) error {
	ids, place := make([]schema.ReviewID, len(list)), make(map[schema.ReviewID]int, len(list))
	for i, r := range list {
		ids[i], place[r.ID], list[i].Approved = r.ID, i, []schema.ReviewApproval{}
	}
	rows, err := all[struct {
		schema.ReviewApproval
		ReviewID schema.ReviewID
	}](ctx, q, `select review_id, principal, token_id, email, reason, hash, created_at from review_approval
		where review_id = any(@ids) order by created_at, principal`, args{"ids": ids})
	for _, a := range rows {
		r := &list[place[a.ReviewID]]
		r.Approved = append(r.Approved, a.ReviewApproval)
	}
	return err
}

// lockReview locks a run, and the batch that holds it before: who decides about a
// batch locks it first.
func (t *tx) lockReview(ctx context.Context, id schema.ReviewID) (schema.Review, error) {
	for _, sql := range []string{
		`select 1 from batch where id = (select batch_id from review where id = @id) for no key update`,
		`select 1 from review where id = @id for no key update`,
	} {
		if err := t.run(ctx, sql, args{"id": id}); err != nil {
			return schema.Review{}, err
		}
	}
	return loadReview(ctx, t, id)
}

// moveReview moves a locked run by compare-and-set, with more that is set.
func (t *tx) moveReview(ctx context.Context, r *schema.Review, to schema.ReviewState, set string, a args) error {
	if !r.State.CanMove(to) {
		return &schema.Error{Code: schema.CodeStale, Message: "the review is " + string(r.State) + " by now", Fix: "read it again"}
	}
	a["id"], a["from"], a["to"] = r.ID, r.State, to
	r.State = to
	return t.changeOne(ctx, `update review set state = @to`+set+` where id = @id and state = @from`, a)
}

// recordReview appends an event about a run to its policy's stream.
func (t *tx) recordReview(r schema.Review, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.PolicyStream(string(r.PolicyID)), actor, action, audit.Subject{PolicyID: string(r.PolicyID)},
		with(details, "review", string(r.ID), "version", strconv.Itoa(r.Version), "mode", string(r.Mode)))
}

// tellRun lets the workflow of a run look at it again.
func (t *tx) tellRun(ctx context.Context, id schema.ReviewID) error {
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxReview, ReviewID: id})
}

// Reviews lists runs, newest first.
func (s *Store) Reviews(ctx context.Context, f schema.ReviewFilter) ([]schema.Review, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	var list []schema.Review
	var next string
	err = s.readTx(ctx, "list reviews", func(ctx context.Context, q querier) error {
		where, a := `where true`, args{"limit": f.Limit + 1}
		if f.Policy != "" {
			p, err := findPolicy(ctx, q, f.Policy)
			if err != nil {
				return err
			}
			where, a["policy"] = where+` and r.policy_id = @policy`, p.ID
		}
		if f.State != "" {
			where, a["state"] = where+` and r.state = @state`, f.State
		}
		if f.After != "" {
			where, a["at"], a["id"] = where+` and (r.created_at, r.id) < (@at, @id::uuid)`, from.At, schema.ReviewID(from.ID)
		}
		rows, err := all[schema.Review](ctx, q, selectReviews+where+` order by r.created_at desc, r.id desc limit @limit`, a)
		if err != nil {
			return err
		}
		list, next = page(rows, f.Limit, func(r schema.Review) cursor { return cursor{r.CreatedAt, string(r.ID)} })
		return addReviewApprovals(ctx, q, list)
	})
	return list, next, err
}

// ReviewFlow returns the workflow of a run, and whether the run has ended.
func (s *Store) ReviewFlow(ctx context.Context, id schema.ReviewID) (workflowID string, ended bool, err error) {
	r, err := loadReview(ctx, s.pool, id)
	return r.WorkflowID, r.State == schema.ReviewEnded, translate("find a review's workflow", err)
}
