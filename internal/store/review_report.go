package store

import (
	"context"
	"slices"
	"strings"

	"sendoff/schema"
)

// ReviewReport sums a run for people, as of one instant.
func (s *Store) ReviewReport(ctx context.Context, id schema.ReviewID) (schema.ReviewReport, error) {
	r := schema.ReviewReport{Items: []schema.ItemCount{}, Plans: []schema.PlanCount{}, AtRenewal: []schema.Money{}, Excluded: []schema.ExcludedCount{}}
	err := s.readTx(ctx, "report a review", func(ctx context.Context, q querier) (err error) {
		if r.Review, err = loadReview(ctx, q, id); err != nil {
			return err
		}
		for _, add := range []func(context.Context, querier, *schema.ReviewReport) error{addItemCounts, addAskCounts, addSeats, addExcluded} {
			if err := add(ctx, q, &r); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

func addItemCounts(ctx context.Context, q querier, r *schema.ReviewReport) error {
	items, err := all[schema.ItemCount](ctx, q, `select state, count(*) as count from review_item where review_id = @id group by state order by state`,
		args{"id": r.Review.ID})
	if err != nil {
		return err
	}
	plans, err := all[schema.PlanCount](ctx, q, `select p.state, count(*) as count from review_item i join plan p on p.case_id = i.case_id
		where i.review_id = @id and i.state = 'started' group by p.state order by p.state`, args{"id": r.Review.ID})
	r.Items, r.Plans = append(r.Items, items...), append(r.Plans, plans...)
	return err
}

func addAskCounts(ctx context.Context, q querier, r *schema.ReviewReport) error {
	n, err := one[struct{ Asked, Answered, Needed, NotNeeded, Undeliverable int }](ctx, q, `select count(*)::int as asked,
			count(*) filter (where state = 'answered')::int as answered, count(*) filter (where answer = 'needed')::int as needed,
			count(*) filter (where answer = 'not_needed')::int as not_needed, count(*) filter (where state = 'failed')::int as undeliverable
		from review_ask where review_id = @id`, args{"id": r.Review.ID})
	r.Asked, r.Answered, r.Needed, r.NotNeeded, r.Undeliverable = n.Asked, n.Answered, n.Needed, n.NotNeeded, n.Undeliverable
	return err
}

// seatsOf is what a run does to a connection's seats. Only accounts of persons hold
// one (schema.HoldsSeat); a delete that is done was proven by a read.
type seatsOf struct {
	ConnectionID schema.ConnectionID
	Freed, Ahead int64
	Held         int64 // now
}

func addSeats(ctx context.Context, q querier, r *schema.ReviewReport) error {
	seats, err := all[seatsOf](ctx, q, `select n.connection_id, n.freed, n.ahead, (select count(*) from account a
				where a.connection_id = n.connection_id and a.kind = 'person' and a.status in ('active', 'suspended', 'restricted')) as held
		from (select i.connection_id, count(*) filter (where x.state = 'done') as freed,
				count(*) filter (where x.state in ('pending', 'running') and p.state not in ('done', 'cancelled', 'superseded', 'cancelling') and not p.stopping) as ahead
			from review_item i join plan p on p.case_id = i.case_id join plan_step x on x.plan_id = p.id and x.kind = 'delete'
			where i.review_id = @id and i.state = 'started' and p.facts->>'kind' = 'person' group by i.connection_id) as n`, args{"id": r.Review.ID})
	if err != nil {
		return err
	}
	known, err := licenses(ctx, q)
	if err != nil {
		return err
	}
	for _, n := range seats {
		r.SeatsFreed, r.SeatsAhead = r.SeatsFreed+n.Freed, r.SeatsAhead+n.Ahead
		for _, l := range known {
			if l.ConnectionID == n.ConnectionID {
				r.AtRenewal = addMoney(r.AtRenewal, n.saved(l))
			}
		}
	}
	return nil
}

// saved is what fewer seats cost less in a year, from the renewal on. As for
// schema.LicenseRow, seats in use beyond those bought are no money to be had back:
// of the seats that were freed, those count that are free now.
func (n seatsOf) saved(l schema.License) schema.Money {
	m := l.Price.Times(max(min(n.Freed, l.Seats-n.Held), 0))
	if l.Period == schema.PerMonth {
		m = m.Times(12)
	}
	return m
}

// addMoney adds an amount to that of its currency. Nothing is no amount.
func addMoney(list []schema.Money, m schema.Money) []schema.Money {
	if m.Minor == 0 {
		return list
	}
	at, found := slices.BinarySearchFunc(list, m, func(a, b schema.Money) int { return strings.Compare(a.Currency, b.Currency) })
	if !found {
		return slices.Insert(list, at, m)
	}
	list[at].Minor += m.Minor
	return list
}

func addExcluded(ctx context.Context, q querier, r *schema.ReviewReport) error {
	list, err := all[struct {
		Exclusion int
		Count     int64
	}](ctx, q, `select exclusion, count(*) as count from review_verdict where review_id = @id and reason = 'excluded'
		group by exclusion order by exclusion`, args{"id": r.Review.ID})
	if err != nil || len(list) == 0 {
		return err
	}
	rule, err := scalar[schema.PolicyRule](ctx, q, `select rule from policy_version where policy_id = @policy and version = @version`,
		args{"policy": r.Review.PolicyID, "version": r.Review.Version})
	for _, n := range list {
		row := schema.ExcludedCount{Exclusion: n.Exclusion, Count: n.Count}
		if n.Exclusion >= 0 && n.Exclusion < len(rule.Exclude) {
			row.Reason = rule.Exclude[n.Exclusion].Reason
		}
		r.Excluded = append(r.Excluded, row)
	}
	return err
}
