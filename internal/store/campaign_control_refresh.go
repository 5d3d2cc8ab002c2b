package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// controlRow is a control item beside what is known now of whoever is shown to hold it,
// and of what it is shown to reach.
type controlRow struct {
	ID                     schema.ItemID
	Kind                   schema.ItemKind
	Version                int
	Facts                  schema.ItemFacts
	Context                schema.ItemContext
	Recommendation         schema.Recommendation
	Risk                   schema.Risk
	HolderID               schema.PersonID
	Holder, Email          string
	Status                 schema.EmploymentStatus
	Employment             schema.EmploymentKind
	Department, Manager    string
	Removed, Held          bool
	GroupName, Target      string
	Provenance             string
	CoveredFrom, CoveredTo time.Time
}

// otherControls are the control items among locked ones that became others as real ones
// do: with their holder, their group, their connection and the time that went by.
func (t *tx) otherControls(ctx context.Context, rule schema.AccessReviewRule, ids []schema.ItemID) ([]newFacts, error) {
	rows, err := all[controlRow](ctx, t, `select i.id, i.kind, i.version, i.facts, i.context,
			jsonb_build_object('answer', i.recommended, 'reasons', i.recommended_for) as recommendation,
			jsonb_build_object('level', i.risk, 'score', i.score, 'reasons', i.risk_for) as risk,
			p.id as holder_id, coalesce(p.name, '') as holder, coalesce(p.email, '') as email, coalesce(e.status, '') as status, `+holderEmployment+` as employment,
			coalesce(e.department, p.department, '') as department, coalesce(m.email, '') as manager, k.state = 'removed' as removed,
			k.state <> 'removed' and case i.kind when 'group' then g.external_id is not null when 'collaboration' then r.external_id is not null else true end as held,
			coalesce(g.name, '') as group_name, coalesce(r.item_name, '') as target, coalesce(g.provenance, '') as provenance,
			basis.from_at as covered_from, basis.to_at as covered_to
		from campaign_item i join connection k on k.id = i.connection_id
		left join person o on o.id = i.holder_id left join person p on p.id = coalesce(o.merged_into, o.id)
		left join lateral (select e.source, e.kind, e.status, e.department, e.manager_id from employment e where e.person_id = p.id order by `+presentFirst+` limit 1) e on true
		left join person m on m.id = case when e.source is null then p.manager_id else e.manager_id end
		left join vendor_group g on i.kind in ('group', 'collaboration') and g.connection_id = i.connection_id and g.external_id = split_part(i.ref, '/', 1)
		left join group_collaboration r on i.kind = 'collaboration' and r.connection_id = g.connection_id and r.group_id = g.external_id
			and i.ref = r.group_id || '/' || r.external_id and lower(r.status) not in ('pending', 'rejected') and (r.expires_at > @now) is not false
		left join lateral (select v.from_at, v.to_at from (select i.connection_id as id) c cross join lateral `+declaredSources+` as s
			join activity_interval v on v.connection_id = c.id and v.source = s.source order by s.rank, v.from_at desc limit 1) as basis on true
		where i.id = any(@items) and i.control <> '' order by i.id`,
		args{"items": ids, "now": t.now.UTC(), "today": schema.DateOf(t.now.UTC())})
	var other []newFacts
	for _, r := range rows {
		if now := r.now(rule.Threshold(), t.now); now != r.Facts {
			other = append(other, t.weighControl(r, now))
		}
	}
	return other, err
}

// now is what the item would be about if its account were there.
func (r controlRow) now(threshold time.Duration, at time.Time) schema.ItemFacts {
	f := r.Facts
	f.HolderID, f.Employment, f.Held = r.HolderID, r.Status, r.Held
	if !r.Context.LastActiveAt.IsZero() { // without, the grade went by the day its model was made
		used := schema.Activity{LastActiveAt: r.Context.LastActiveAt, Covered: schema.Interval{From: r.CoveredFrom, To: r.CoveredTo}}
		f.Grade = used.Grade(threshold, r.created(), at.Truncate(time.Microsecond))
	}
	if r.Held && r.Kind != schema.ItemAccount && r.Kind != schema.ItemRole {
		f.Group, f.Provenance, f.Target = r.GroupName, r.Provenance, r.Target
	}
	return f
}

// created is when the account would have been made, as far as the item tells it.
func (r controlRow) created() time.Time {
	if r.Context.SinceSeen {
		return time.Time{}
	}
	return r.Context.Since
}

func (t *tx) weighControl(r controlRow, now schema.ItemFacts) newFacts {
	c := r.Context
	if now.HolderID != r.Facts.HolderID || r.Department != c.Department {
		c.Peers = schema.Peers{}
	}
	c.Holder, c.HolderEmail, c.Employment, c.Department, c.Manager = r.Holder, r.Email, r.Employment, r.Department, r.Manager
	c.CoveredFrom, c.CoveredTo = r.CoveredFrom.UTC(), r.CoveredTo.UTC()
	n := newFacts{
		item:  liveItem{ID: r.ID, Kind: r.Kind, Version: r.Version, Facts: r.Facts, Removed: r.Removed},
		facts: now, context: c, recommendation: r.Recommendation, risk: r.Risk,
	}
	if t.weigh != nil {
		h := schema.Holding{Facts: now, Context: c, Everybody: c.Everybody}
		h.Subject.Account.CreatedAt = r.created()
		n.recommendation, n.risk = t.weigh(&h)
	}
	return n
}
