package store

import (
	"context"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// removalColumns are a removal m with its account and the plan of its case.
const removalColumns = `m.id, m.campaign_id, m.account_id, '{}'::jsonb as account, '[]'::jsonb as items, m.state, m.facts, m.hash, m.bytes, m.findings,
	m.why, m.way, m.case_id, coalesce((select p.state from plan p where p.case_id = m.case_id limit 1), '') as plan_state, m.waits_for,
	m.proven_at, m.checked_at, m.watch_until, m.created_at, m.updated_at`

const selectRemovals = `select ` + removalColumns + ` from campaign_removal m `

// RemovalsIn returns up to limit removals in a state, with their accounts and all
// items of these: what is kept of an account says how the rest can be removed. It
// leaves out those that were seen and those that wait for a case whose plan still
// works on their account. Each that was looked at goes to the end.
func (s *Store) RemovalsIn(ctx context.Context, id schema.CampaignID, state schema.RemovalState, seen []schema.RemovalID, limit int) ([]schema.Removal, error) {
	list, err := all[schema.Removal](ctx, s.pool, selectRemovals+`where m.campaign_id = @id and m.state = @state and m.id <> all(@seen::uuid[])
			and not exists (select 1 from plan p where p.case_id = m.waits_for and p.account_id = m.account_id and p.state not in ('done', 'cancelled', 'superseded'))
		order by m.updated_at, m.id limit @limit`,
		args{"id": id, "state": state, "seen": some(seen), "limit": limit})
	if err == nil {
		err = addRemovalParts(ctx, s.pool, list, true)
	}
	return list, translate("read removals", err)
}

// addRemovalParts adds accounts to removals of one campaign, and the items that they
// remove, or all of their accounts.
func addRemovalParts(ctx context.Context, q querier, list []schema.Removal, whole bool) error {
	if len(list) == 0 {
		return nil
	}
	ids, accounts := make([]schema.RemovalID, len(list)), make([]schema.AccountID, len(list))
	at := make(map[schema.RemovalID]int, len(list))
	open := make(map[schema.AccountID]int, len(list))
	for i, m := range list {
		ids[i], accounts[i], at[m.ID], open[m.AccountID] = m.ID, m.AccountID, i, i
		list[i].Items = []schema.CampaignItem{}
	}
	known, err := all[schema.Account](ctx, q, `select `+accountColumns+` from account where id = any(@ids)`, args{"ids": accounts})
	if err != nil {
		return err
	}
	by := make(map[schema.AccountID]schema.Account, len(known))
	for _, a := range known {
		by[a.ID] = a
	}
	for i := range list {
		list[i].Account = by[list[i].AccountID]
	}
	items, err := all[schema.CampaignItem](ctx, q, selectCampaignItems+`where i.campaign_id = @id and i.account_id = any(@accounts)
		and (@whole or i.removal_id = any(@ids)) order by i.id`, args{"id": list[0].CampaignID, "ids": ids, "accounts": accounts, "whole": whole})
	for _, i := range items {
		place, ok := at[i.RemovalID]
		if !ok {
			place = open[i.Facts.AccountID]
		}
		list[place].Items = append(list[place].Items, i)
	}
	return err
}

// PlanRemoval stores the plan of a wanted removal: planned, or refused.
func (s *Store) PlanRemoval(ctx context.Context, p schema.PlannedRemoval) error {
	return s.withRemoval(ctx, "plan a removal", p.ID, func(ctx context.Context, t *tx, c schema.Campaign, m schema.Removal) error {
		if m.State != schema.RemovalWanted {
			return staleRemoval(m)
		}
		if err := t.readClock(ctx); err != nil { // a batch that was counted while this waited does not hold it
			return err
		}
		to, why, hash := schema.RemovalPlanned, "", p.Facts.Hash()
		if p.Refused() {
			to, why = schema.RemovalRefused, "pre-flight refuses it"
		}
		if p.Facts.AccountID == "" {
			hash = ""
		}
		return t.moveRemoval(ctx, c, &m, to, `, facts = @facts, hash = @hash, bytes = @bytes, findings = @findings, why = @why, waits_for = null,
				released = released and facts->'steps' = @facts::jsonb->'steps' and facts->>'role' = @facts::jsonb->>'role' and @bytes <= bytes`, args{
			"facts": p.Facts, "hash": hash, "bytes": p.Bytes, "findings": append([]schema.Finding{}, p.Findings...), "why": why,
		})
	})
}

// SettleRemoval ends a removal that has not started, or lets it wait. None becomes
// planned or ready by that: whoever put it back meanwhile gave up its plan, and what it
// took of budgets.
func (s *Store) SettleRemoval(ctx context.Context, id schema.RemovalID, to schema.RemovalState, why, way string, waitsFor schema.CaseID) error {
	return s.withRemoval(ctx, "settle a removal", id, func(ctx context.Context, t *tx, c schema.Campaign, m schema.Removal) error {
		switch m.State {
		case schema.RemovalWanted, schema.RemovalPlanned, schema.RemovalReady:
		default:
			return staleRemoval(m)
		}
		if to != m.State && (to == schema.RemovalPlanned || to == schema.RemovalReady) {
			return staleRemoval(m)
		}
		if to == m.State && why == m.Why && waitsFor == m.WaitsFor {
			return t.changeOne(ctx, `update campaign_removal set updated_at = @now where id = @id`, args{"id": id, "now": t.now}) // it was looked at
		}
		return t.moveRemoval(ctx, c, &m, to, `, why = @why, way = @way, waits_for = @waits`, args{"why": why, "way": way, "waits": waitsFor})
	})
}

// withRemoval locks a removal with its campaign kept in its state.
func (s *Store) withRemoval(ctx context.Context, what string, id schema.RemovalID, do func(context.Context, *tx, schema.Campaign, schema.Removal) error) error {
	return s.inTx(ctx, what, func(ctx context.Context, t *tx) error {
		of, err := scalars[schema.CampaignID](ctx, t, `select campaign_id from campaign_removal where id = @id`, args{"id": id})
		if err != nil {
			return err
		}
		if len(of) == 0 {
			return notFound("removal", string(id))
		}
		c, err := t.shareCampaign(ctx, of[0])
		if err != nil {
			return err
		}
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return err
		}
		return do(ctx, t, c, m)
	})
}

func (t *tx) lockRemoval(ctx context.Context, id schema.RemovalID) (schema.Removal, error) {
	if err := t.run(ctx, `select 1 from campaign_removal where id = @id for no key update`, args{"id": id}); err != nil {
		return schema.Removal{}, err
	}
	return one[schema.Removal](ctx, t, selectRemovals+`where m.id = @id`, args{"id": id})
}

func staleRemoval(m schema.Removal) error {
	return &schema.Error{Code: schema.CodeStale, Message: "the removal is " + string(m.State) + " by now", Fix: "read it again"}
}

// moveRemoval moves a locked removal by compare-and-set, with more that is set. One
// that leaves ready without starting gives back what it took of budgets.
func (t *tx) moveRemoval(ctx context.Context, c schema.Campaign, m *schema.Removal, to schema.RemovalState, set string, a args) error {
	if m.State == schema.RemovalReady && to != schema.RemovalReady && to != schema.RemovalStarted {
		if err := t.giveBack(ctx, *m); err != nil {
			return err
		}
	}
	from := m.State
	a["id"], a["from"], a["to"], a["now"] = m.ID, from, to, t.now
	m.State = to
	details := map[string]string{"from": string(from)}
	for _, name := range []string{"why", "hash"} {
		if text, ok := a[name].(string); ok && text != "" {
			details[name] = text
		}
	}
	t.recordRemoval(c, *m, engine(), "removal."+string(to), details)
	return t.changeOne(ctx, `update campaign_removal set state = @to, updated_at = @now`+set+` where id = @id and state = @from`, a)
}

// recordRemoval appends an event about a removal to its campaign's stream.
func (t *tx) recordRemoval(c schema.Campaign, m schema.Removal, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.CampaignStream(string(c.ID)), actor, action,
		audit.Subject{PolicyID: string(c.ReviewID), CampaignID: string(c.ID), AccountID: string(m.AccountID), CaseID: string(m.CaseID)},
		with(details, "removal", string(m.ID), "version", strconv.Itoa(c.Version)))
}
