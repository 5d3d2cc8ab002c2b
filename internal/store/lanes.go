package store

import (
	"context"
	"slices"

	"sendoff/schema"
)

// Lanes: an account takes part in at most one open transfer, in whatever role.
// The accounts of transfers that hold a lane are the rows of transfer_party. The
// others wait in the order of transfer.queued_seq, and nobody passes an earlier
// waiter with whom an account is shared. All changes of a connection's lanes
// happen under one lock, so each sees the queue as it is.

// waiter is a transfer in the queue.
type waiter struct {
	PlanID   schema.PlanID
	CaseID   schema.CaseID
	Source   schema.ExternalID
	Receiver schema.ExternalID
}

func (w waiter) parties() []schema.ExternalID { return []schema.ExternalID{w.Source, w.Receiver} }

func (t *tx) lockLanes(ctx context.Context, c schema.ConnectionID) error {
	return t.lockKey(ctx, "lanes/"+string(c))
}

// queue reads the waiters in their order and the accounts that hold a lane.
func (t *tx) queue(ctx context.Context, c schema.ConnectionID) ([]waiter, map[schema.ExternalID]bool, error) {
	waiters, err := all[waiter](ctx, t, `select w.plan_id, p.case_id, w.source, w.receiver
		from transfer w join plan p on p.id = w.plan_id
		where w.connection_id = @connection and w.queued_seq is not null order by w.queued_seq`, args{"connection": c})
	if err != nil {
		return nil, nil, err
	}
	held, err := scalars[schema.ExternalID](ctx, t, `select external_id from transfer_party where connection_id = @connection`,
		args{"connection": c})
	taken := make(map[schema.ExternalID]bool, len(held))
	for _, id := range held {
		taken[id] = true
	}
	return waiters, taken, err
}

// ready returns the waiters that may go now: none of their accounts holds a
// lane or belongs to somebody who waited longer.
func ready(waiters []waiter, taken map[schema.ExternalID]bool) []waiter {
	var out []waiter
	for _, w := range waiters {
		if !taken[w.Source] && !taken[w.Receiver] {
			out = append(out, w)
		}
		taken[w.Source], taken[w.Receiver] = true, true
	}
	return out
}

// enterLane takes both lanes of a waiting transfer if it is its turn. It tells
// whether it did.
func (t *tx) enterLane(ctx context.Context, tr schema.Transfer) (bool, error) {
	waiters, taken, err := t.queue(ctx, tr.ConnectionID)
	if err != nil {
		return false, err
	}
	mine := slices.ContainsFunc(ready(waiters, taken), func(w waiter) bool { return w.PlanID == tr.PlanID })
	if !mine {
		return false, nil
	}
	return true, t.run(ctx, `insert into transfer_party (connection_id, external_id, plan_id)
		select @connection, id, @plan from unnest(@accounts::text[]) as a(id) order by id`,
		args{"connection": tr.ConnectionID, "plan": tr.PlanID, "accounts": []schema.ExternalID{tr.Source, tr.Receiver}})
}

// freeLane gives up a transfer's lanes or its place in the queue, and tells the
// waiters that may go because of it. It does nothing for one that had neither.
func (t *tx) freeLane(ctx context.Context, tr schema.Transfer) error {
	if err := t.lockLanes(ctx, tr.ConnectionID); err != nil {
		return err
	}
	freed, err := scalars[schema.ExternalID](ctx, t, `with parties as (
			delete from transfer_party where plan_id = @plan returning external_id),
		place as (
			update transfer set queued_seq = null where plan_id = @plan and queued_seq is not null returning source, receiver)
		select external_id from parties
		union select source from place union select receiver from place`, args{"plan": tr.PlanID})
	if err != nil || len(freed) == 0 {
		return err
	}
	waiters, taken, err := t.queue(ctx, tr.ConnectionID)
	if err != nil {
		return err
	}
	for _, w := range ready(waiters, taken) {
		if !slices.ContainsFunc(w.parties(), func(id schema.ExternalID) bool { return slices.Contains(freed, id) }) {
			continue
		}
		if err := t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxLane, CaseID: w.CaseID, PlanID: w.PlanID}); err != nil {
			return err
		}
	}
	return nil
}

// retakeLane takes those of a transfer's lanes that nobody holds. A recovered
// transfer may not know its receiver.
func (t *tx) retakeLane(ctx context.Context, tr schema.Transfer) error {
	if err := t.lockLanes(ctx, tr.ConnectionID); err != nil {
		return err
	}
	return t.run(ctx, `insert into transfer_party (connection_id, external_id, plan_id)
		select @connection, id, @plan from unnest(@accounts::text[]) as a(id) where id <> '' order by id
		on conflict (connection_id, external_id) do nothing`,
		args{"connection": tr.ConnectionID, "plan": tr.PlanID, "accounts": []schema.ExternalID{tr.Source, tr.Receiver}})
}

// LaneHolder returns the case whose transfer is now open on the vendor's account,
// in whatever role, and whether there is one.
func (s *Store) LaneHolder(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.CaseID, bool, error) {
	found, err := scalars[schema.CaseID](ctx, s.pool, `select p.case_id from transfer_party y join plan p on p.id = y.plan_id
		where y.connection_id = @connection and y.external_id = @id`, args{"connection": c, "id": id})
	if err != nil || len(found) == 0 {
		return "", false, translate("read lane", err)
	}
	return found[0], true, nil
}

// UnsettledTransferOf returns the newest case that ended for the vendor's account
// while a request of its transfer had no verdict, and whether there is one: also
// when the plan would have sent another, and ended before it did. The account is
// the same over any connection to its enterprise, also one that was removed.
func (s *Store) UnsettledTransferOf(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.CaseID, bool, error) {
	found, err := scalars[schema.CaseID](ctx, s.pool, `select p.case_id from plan p join transfer t on t.plan_id = p.id
		join account a on a.id = p.account_id
		where a.external_id = @id and a.connection_id in `+enterpriseConnections+`
		and p.state in ('done', 'cancelled') and (t.state in ('sent', 'settling', 'stalled')
			or (t.state not in ('proven', 'presumed', 'skipped') and exists (`+attemptOpen+` and y.plan_id = p.id)))
		order by p.id desc limit 1`, args{"connection": c, "id": id})
	if err != nil || len(found) == 0 {
		return "", false, translate("read transfer", err)
	}
	return found[0], true, nil
}

// attemptOpen selects the attempts that the vendor may have taken.
const attemptOpen = `select 1 from transfer_attempt y where y.state in ('sent', 'settling')`
