package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// holdingSource turns accounts into what they hold. What an item is about later,
// selectLiveItems reads: the two must say the same of the same state.
type holdingSource struct {
	needs     schema.Needs
	threshold time.Duration
	now       time.Time
	reader    *subjectReader
	licenses  map[schema.ConnectionID]schema.Money // of a seat for a year
	kinds     []schema.ItemKind
	// review is whose campaigns have decided before; empty = none has.
	review schema.AccessReviewID
}

// newHoldingSource reads what holdings on the connections are judged by.
func newHoldingSource(ctx context.Context, q querier, basis []schema.PopulationBasis, needs schema.Needs, threshold time.Duration, now time.Time) (holdingSource, error) {
	h := holdingSource{needs: needs, threshold: threshold, now: now.Truncate(time.Microsecond), kinds: schema.ItemKinds(), licenses: map[schema.ConnectionID]schema.Money{}}
	h.needs.Person = true // facts name the holder
	connections := make([]schema.ConnectionID, len(basis))
	for i, b := range basis {
		connections[i] = b.ConnectionID
	}
	everybody, err := everybodyGroups(ctx, q, connections, h.needs)
	if err != nil {
		return h, err
	}
	h.reader = newSubjectReader(basis, everybody, h.needs)
	rows, err := all[struct {
		ConnectionID schema.ConnectionID
		PriceMinor   int64
		Currency     string
		Period       schema.Period
	}](ctx, q, `select connection_id, price_minor, currency, period from license where connection_id = any(@connections)`, args{"connections": connections})
	for _, r := range rows {
		price := schema.Money{Minor: r.PriceMinor, Currency: r.Currency}
		if r.Period == schema.PerMonth {
			price = price.Times(12)
		}
		h.licenses[r.ConnectionID] = price
	}
	return h, err
}

// subjects reads accounts, a, with their holders.
func (h holdingSource) subjects(ctx context.Context, q querier, where string, a args) ([]schema.Subject, error) {
	var list []schema.Subject
	from := subjectFrom(h.needs, true, false, a, h.now)
	err := readSubjects(ctx, q, `select `+subjectColumns(h.needs)+from+where, a, h.reader, func(v *schema.Subject) error {
		list = append(list, *v)
		return nil
	})
	return list, err
}

// accessRow is one thing that the account at a place (from 1) of a list holds.
type accessRow struct {
	Place      int
	Kind       schema.ItemKind
	Ref        string
	Access     string
	GroupID    schema.ExternalID
	GroupName  string
	Provenance string
	Everybody  bool
	Target     string
	Since      time.Time
	SinceSeen  bool
	GrantedBy  string
	People     int64
	Same       int64
	Last       *schema.LastDecision
}

// The kinds of access of accounts u, with their memberships w. What a vendor tells of a date is its own; else
// it is when a sync first saw it. An invitation that was not accepted, or has
// expired, reaches nothing. Listings tell who gave a group access to a thing, and
// not who put an account into the group.
const (
	accessOfAccounts = `select u.place, 'account' as kind, '' as ref, '' as access, '' as group_id, '' as group_name, '' as provenance, false as everybody,
			'' as target, coalesce(a.created_at, a.first_seen_at) as since, a.created_at is null as since_seen, '' as granted_by, '' as peer_key
		from u join account a on a.id = u.id`
	accessByRoles = `select u.place, 'role', '', a.role, '', '', '', false, '', coalesce((select h.seen_at from inventory_change h
				where h.account_id = a.id and h.kind = 'role' order by h.seen_at desc, h.id desc limit 1), a.first_seen_at), true, '', a.role
		from u join account a on a.id = u.id where a.privileged`
	accessByGroups      = `select w.place, 'group', w.group_id, w.role, w.group_id, w.name, w.provenance, w.everybody, '', w.first_seen_at, true, '', w.group_id from w`
	accessThroughGroups = `select w.place, 'collaboration', w.group_id || '/' || r.external_id, r.role, w.group_id, w.name, w.provenance, w.everybody, r.item_name,
			greatest(w.first_seen_at, r.first_seen_at), true, coalesce(nullif(r.granted_by, ''), r.granted_by_name), w.group_id
		from w join group_collaboration r on r.connection_id = w.connection_id and r.group_id = w.group_id
		where lower(r.status) not in ('pending', 'rejected') and (r.expires_at > @now) is not false`
	// Apart, because Postgres would join accounts with all that their connection's
	// groups reach before it looks who is in which.
	membershipsOfAccounts = `select u.place, m.connection_id, m.group_id, m.role, m.first_seen_at, g.name, g.provenance, g.everybody
		from u join group_membership m on m.connection_id = u.connection_id and m.account_id = u.external_id
		join vendor_group g on g.connection_id = m.connection_id and g.external_id = m.group_id`
)

// accessSQL is what the accounts hold, in their order.
func (h holdingSource) accessSQL(list []schema.Subject) (string, args) {
	ids, connections, externals, persons, departments := make([]schema.AccountID, len(list)), make([]schema.ConnectionID, len(list)),
		make([]schema.ExternalID, len(list)), make([]schema.PersonID, len(list)), make([]string, len(list))
	for i, v := range list {
		ids[i], connections[i], externals[i], persons[i] = v.Account.ID, v.Account.ConnectionID, v.Account.ExternalID, v.Account.PersonID
		if v.Person != nil {
			departments[i] = v.Person.Department
		}
	}
	a := args{"ids": ids, "connections": connections, "externals": externals, "persons": persons, "departments": departments}
	last, joins := `null::jsonb as last`, joinedPeers
	if h.review != "" {
		last, joins = lastDecision, joins+joinedLast
		a["review"] = h.review
	}
	var parts []string
	for _, kind := range schema.ItemKinds() {
		if !hasKind(h.kinds, kind) {
			continue
		}
		parts = append(parts, map[schema.ItemKind]string{
			schema.ItemAccount: accessOfAccounts, schema.ItemRole: accessByRoles, schema.ItemGroup: accessByGroups, schema.ItemCollaboration: accessThroughGroups,
		}[kind])
		if kind == schema.ItemCollaboration {
			a["now"] = h.now
		}
	}
	// The first part names the columns, so one without rows stands there.
	return `with u as materialized (select place::int as place, id, connection_id, external_id, person_id, department
			from unnest(@ids::uuid[], @connections::uuid[], @externals::text[], @persons::uuid[], @departments::text[])
				with ordinality as u(id, connection_id, external_id, person_id, department, place)),
		w as materialized (` + membershipsOfAccounts + `),
		x as (` + strings.Join(append([]string{accessOfAccounts + ` where false`}, parts...), "\n\t\tunion all ") + `)
		select x.place, x.kind, x.ref, x.access, x.group_id, x.group_name, x.provenance, x.everybody, x.target, x.since, x.since_seen, x.granted_by,
			` + countedPeers + `, ` + last + `
		from x join u on u.place = x.place` + joins + `
		order by x.place, array_position(array['account', 'role', 'group', 'collaboration'], x.kind), x.ref`, a
}

func hasKind(list []schema.ItemKind, kind schema.ItemKind) bool {
	for _, k := range list {
		if k == kind {
			return true
		}
	}
	return false
}

// Peers are everybody else in the holder's department. A holder who left is none of
// them.
const (
	countedPeers = `greatest(coalesce(d.people, 0) - (me.person_id is not null)::int, 0) as people,
			greatest(coalesce(s.people, 0) - (me.person_id is not null)::int, 0) as same`
	joinedPeers = `
		left join peer me on me.person_id = u.person_id
		left join peer_department d on d.department = u.department and u.department <> ''
		left join peer_access s on s.connection_id = u.connection_id and s.department = u.department
			and s.kind = case x.kind when 'collaboration' then 'group' else x.kind end and s.key = x.peer_key`
)

// The last decision is that of the review's campaigns that came to their close.
const (
	lastDecision = `l.last`
	joinedLast   = `
		left join lateral (select jsonb_build_object('campaign_id', i.campaign_id, 'answer', i.answer, 'reason', i.reason, 'by', i.decided_by,
				'at', i.decided_at, 'carried', i.carried, 'facts_hash', i.facts_hash) as last
			from campaign_item i join campaign c on c.id = i.campaign_id
			where i.account_id = u.id and i.kind = x.kind and i.ref = x.ref and i.state in ('decided', 'carried') and i.answer in ('keep', 'revoke')
				and c.review_id = @review and (c.state in ('closed', 'signed') or c.end_kind = 'done')
			order by i.decided_at desc, i.id desc limit 1) as l on true`
)

// holding is one access of an account.
func (h holdingSource) holding(v schema.Subject, r accessRow) schema.Holding {
	a := v.Account
	out := schema.Holding{
		Subject: v, Everybody: r.Everybody, GroupExternalID: r.GroupID,
		Facts: schema.ItemFacts{
			ItemRef: schema.ItemRef{AccountID: a.ID, Kind: r.Kind, Ref: r.Ref}, ConnectionID: a.ConnectionID, ExternalID: a.ExternalID, Login: a.Login,
			HolderID: a.PersonID, AccountStatus: a.Status, AccountKind: a.Kind, Role: a.Role, Access: r.Access, Group: r.GroupName,
			Provenance: r.Provenance, Target: r.Target, Grade: v.Activity.Grade(h.threshold, a.CreatedAt, h.now), Held: true,
		},
		Context: schema.ItemContext{
			Connection: v.Connection, Name: a.Name, Since: r.Since, SinceSeen: r.SinceSeen, GrantedBy: r.GrantedBy,
			LastActiveAt: v.Activity.LastActiveAt, LastEvent: v.Activity.LastEvent, Source: v.Activity.Source,
			CoveredFrom: v.Activity.Covered.From, CoveredTo: v.Activity.Covered.To, ObservedAt: a.ObservedAt, Bytes: a.SpaceUsed,
			Peers: schema.Peers{People: r.People, With: r.Same}, Last: r.Last,
		},
	}
	if p := v.Person; p != nil {
		out.Facts.Employment = p.Status
		c := &out.Context
		c.Holder, c.HolderEmail, c.Employment, c.Department, c.Manager = p.Name, p.Email, p.Employment, p.Department, p.Manager
	}
	if r.Kind == schema.ItemAccount && schema.HoldsSeat(a.Kind, a.Status) {
		out.Context.FreesSeat = true
		if price, ok := h.licenses[a.ConnectionID]; ok {
			out.Context.SeatPerYear = &price
		}
	}
	if r.Last != nil {
		r.Last.At = r.Last.At.UTC()
	}
	out.Context.Changed = r.Last == nil || r.Last.FactsHash != out.Facts.Hash()
	return out
}

// holdingsAtOnce is how many holdings are handed out together.
const holdingsAtOnce = 2000

// each hands out what the accounts hold, in batches whose slice is used again. One
// account may reach very much, so it is fetched in pieces.
func (h holdingSource) each(ctx context.Context, t *tx, list []schema.Subject, hand func([]schema.Holding) error) error {
	sql, a := h.accessSQL(list)
	if err := t.run(ctx, `declare holdings no scroll cursor for `+sql, a); err != nil {
		return err
	}
	batch := make([]schema.Holding, 0, holdingsAtOnce)
	for {
		rows, err := t.Query(ctx, `fetch 2000 from holdings`, pgx.QueryExecModeExec)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[accessRow])
		if err != nil {
			return err
		}
		for _, r := range found {
			batch = append(batch, h.holding(list[r.Place-1], r))
		}
		if len(batch) > 0 {
			if err := hand(batch); err != nil {
				return err
			}
			clear(batch)
			batch = batch[:0]
		}
		if len(found) < holdingsAtOnce {
			return t.run(ctx, `close holdings`, nil)
		}
	}
}
