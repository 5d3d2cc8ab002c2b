package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// Weigher says what the facts of a holding speak for, and how risky it is. The store
// knows no rules: it asks whenever facts of an item have become others.
type Weigher func(*schema.Holding) (schema.Recommendation, schema.Risk)

// newFacts are facts of an item that are other than those of its version, with what
// follows from them.
type newFacts struct {
	item           liveItem
	facts          schema.ItemFacts
	context        schema.ItemContext
	recommendation schema.Recommendation
	risk           schema.Risk
}

// weighedRow is what an item was weighed by, beside what is known now. Only what can
// be looked up for one account is: peers are counted when a campaign is listed.
type weighedRow struct {
	Facts                               schema.ItemFacts // as they were
	ID                                  schema.ItemID
	Context                             schema.ItemContext
	Recommendation                      schema.Recommendation
	Risk                                schema.Risk
	Name, LastEvent, Holder, Email      string
	Source                              schema.ActivitySource
	LastActiveAt, CreatedAt, ObservedAt time.Time
	Bytes                               int64
	Employment                          schema.EmploymentKind
	Department, Manager                 string
	PriceMinor                          int64
	Currency                            string
	Period                              schema.Period
}

// weighedSQL reads of a holder what subjectFrom reads.
const weighedSQL = `select i.id, i.facts, i.context, jsonb_build_object('answer', i.recommended, 'reasons', i.recommended_for) as recommendation,
		jsonb_build_object('level', i.risk, 'score', i.score, 'reasons', i.risk_for) as risk,
		a.name, a.last_event, coalesce(p.name, '') as holder, coalesce(p.email, '') as email, a.last_source as source, a.last_active_at, a.created_at,
		a.observed_at, a.space_used as bytes, ` + holderEmployment + ` as employment, coalesce(e.department, p.department, '') as department,
		coalesce(m.email, '') as manager, coalesce(l.price_minor, 0) as price_minor, coalesce(l.currency, '') as currency, coalesce(l.period, '') as period
	from campaign_item i join account a on a.id = i.account_id
	left join person p on p.id = a.person_id
	left join lateral (select e.source, e.kind, e.department, e.manager_id from employment e where e.person_id = a.person_id order by ` + presentFirst + ` limit 1) e on true
	left join person m on m.id = case when e.source is null then p.manager_id else e.manager_id end
	left join license l on l.connection_id = a.connection_id
	where i.id = any(@items)`

// weighAnew finds out what follows from new facts of items. Which candidates of a
// chain apply stays as it was when the campaign was listed: by their conditions the
// item has come to whom it is with.
func (t *tx) weighAnew(ctx context.Context, list []newFacts) error {
	if len(list) == 0 {
		return nil
	}
	place, ids := make(map[schema.ItemID]*newFacts, len(list)), make([]schema.ItemID, len(list))
	for n := range list {
		place[list[n].item.ID], ids[n] = &list[n], list[n].item.ID
	}
	rows, err := all[weighedRow](ctx, t, weighedSQL, args{"items": ids, "today": schema.DateOf(t.now.UTC())})
	for _, r := range rows {
		n := place[r.ID]
		n.context, n.recommendation, n.risk = r.contextOf(n.item, n.facts), r.Recommendation, r.Risk
		if t.weigh == nil {
			continue
		}
		h := schema.Holding{Facts: n.facts, Context: n.context, Everybody: n.context.Everybody}
		h.Subject.Account.CreatedAt = r.CreatedAt
		n.recommendation, n.risk = t.weigh(&h)
	}
	return err
}

// contextOf is the context beside new facts. What is not known of another holder,
// department or role speaks for nothing: whose access is usual there was not counted.
func (r weighedRow) contextOf(i liveItem, f schema.ItemFacts) schema.ItemContext {
	c := r.Context
	if f.HolderID != r.Facts.HolderID || r.Department != c.Department || f.Kind == schema.ItemRole && f.Role != r.Facts.Role {
		c.Peers = schema.Peers{}
	}
	c.Name, c.Holder, c.HolderEmail, c.Employment, c.Department, c.Manager = r.Name, r.Holder, r.Email, r.Employment, r.Department, r.Manager
	c.LastActiveAt, c.LastEvent, c.Source, c.CoveredFrom, c.CoveredTo = r.LastActiveAt.UTC(), r.LastEvent, r.Source, i.CoveredFrom.UTC(), i.CoveredTo.UTC()
	c.ObservedAt, c.Bytes = r.ObservedAt.UTC(), r.Bytes
	c.FreesSeat, c.SeatPerYear = f.Kind == schema.ItemAccount && schema.HoldsSeat(f.AccountKind, f.AccountStatus), nil
	if c.FreesSeat && r.Currency != "" {
		price := schema.Money{Minor: r.PriceMinor, Currency: r.Currency}
		if r.Period == schema.PerMonth {
			price = price.Times(12)
		}
		c.SeatPerYear = &price
	}
	c.Changed = c.Last == nil || c.Last.FactsHash != f.Hash()
	return c
}
