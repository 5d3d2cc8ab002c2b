package store

import (
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// liveItem is an item beside what the inventory says now of what it is about.
type liveItem struct {
	ID         schema.ItemID
	AccountID  schema.AccountID // empty = a control item
	Kind       schema.ItemKind
	Ref        string
	Version    int
	Facts      schema.ItemFacts // of that version
	State      schema.CampaignItemState
	Stage      int
	Place      int
	ReviewerID schema.PersonID // as they are known by now
	Risk       schema.RiskLevel
	Answer     schema.ItemAnswer
	RemovalID  schema.RemovalID
	Removal    schema.RemovalState // empty = none
	CaseID     schema.CaseID       // of the removal
	Why        string
	// Holds: one of the persons asked for holds the account.
	Holds bool
	// What is so now, and what it is graded by.
	Login         string
	HolderID      schema.PersonID
	Employment    schema.EmploymentStatus
	AccountStatus schema.AccountStatus
	AccountKind   schema.AccountKind
	Role          schema.AccountRole
	Access        string
	GroupName     string
	Provenance    string
	Target        string
	Held          bool
	Removed       bool // its connection is
	LastActiveAt  time.Time
	CreatedAt     time.Time
	CoveredFrom   time.Time
	CoveredTo     time.Time
}

// holdersOf are the persons, as they are known by now, who count as holders of the
// account, a, that an item, i, is about: whoever holds it, whoever it was ever known
// to be of, also when that was unlinked, the holder in any version of the item, and
// whoever has as an address its login, now or in any version. The tables do not keep
// when an account ceased to be somebody's, so nobody gets to decide about one by
// giving it up first.
const holdersOf = `select coalesce(kp.merged_into, kp.id) as id from (
		select a.person_id as id union all select i.holder_id
		union all select pa.person_id from person_account pa where pa.account_id = a.id
		union all select pe.person_id from person_email pe where pe.email in (a.login_key, lower(i.login))
		union all select x.id from campaign_item_version v cross join lateral (
			select nullif(v.facts->>'holder_id', '')::uuid as id
			union all select pe.person_id from person_email pe where pe.email = lower(v.facts->>'login')) x where v.item_id = i.id
	) known join person kp on kp.id = known.id`

// holdsAccount is a condition: one of the persons counts as a holder. They are ids
// that people are known by now.
const (
	holdsOneOf   = `exists (` + holdersOf + ` where coalesce(kp.merged_into, kp.id) = any(`
	holdsAccount = holdsOneOf + `@persons))`
)

// selectLiveItems compares items, i, with the inventory in one statement: facts as
// holdingSource reads them for the accounts of a snapshot.
const selectLiveItems = `select i.id, i.account_id, i.kind, i.ref, i.version, i.facts, i.state, i.stage, i.place, coalesce(w.merged_into, w.id) as reviewer_id,
		i.risk, i.answer, i.why, i.removal_id, coalesce(m.state, '') as removal, m.case_id, ` + holdsAccount + ` as holds,
		coalesce(a.login, '') as login, a.person_id as holder_id, coalesce(e.status, '') as employment, coalesce(a.status, '') as account_status,
		coalesce(a.kind, '') as account_kind, coalesce(a.role, '') as role,
		case i.kind when 'role' then coalesce(a.role, '') when 'group' then coalesce(b.role, '') when 'collaboration' then coalesce(r.role, '') else '' end as access,
		coalesce(g.name, '') as group_name, coalesce(g.provenance, '') as provenance, coalesce(r.item_name, '') as target,
		coalesce(k.state = 'removed', false) as removed,
		coalesce(a.status not in ('missing', 'deleted') and k.state <> 'removed' and case i.kind when 'role' then a.privileged when 'group' then g.external_id is not null
			when 'collaboration' then r.external_id is not null else true end, false) as held,
		a.last_active_at, a.created_at, basis.from_at as covered_from, basis.to_at as covered_to
	from campaign_item i
	left join person w on w.id = i.reviewer_id
	left join campaign_removal m on m.id = i.removal_id
	left join account a on a.id = i.account_id
	left join connection k on k.id = a.connection_id
	left join lateral (select e.status from employment e where e.person_id = a.person_id order by ` + presentFirst + ` limit 1) e on true
	left join group_membership b on i.kind in ('group', 'collaboration') and b.connection_id = a.connection_id and b.account_id = a.external_id
		and (i.kind = 'group' and b.group_id = i.ref or i.kind = 'collaboration' and starts_with(i.ref, b.group_id || '/'))
	left join vendor_group g on g.connection_id = b.connection_id and g.external_id = b.group_id
	left join group_collaboration r on i.kind = 'collaboration' and r.connection_id = g.connection_id and r.group_id = g.external_id
		and i.ref = r.group_id || '/' || r.external_id and lower(r.status) not in ('pending', 'rejected') and (r.expires_at > @now) is not false
	left join lateral (
		select v.from_at, v.to_at from (select a.connection_id as id) c cross join lateral ` + declaredSources + ` as s
		join activity_interval v on v.connection_id = c.id and v.source = s.source
		order by s.rank, v.from_at desc limit 1) as basis on true `

// liveArgs are the arguments of selectLiveItems: persons are those whose holding is
// asked for.
func liveArgs(persons []schema.PersonID, now time.Time, more args) args {
	a := args{"persons": persons, "now": now.UTC(), "today": schema.DateOf(now.UTC())}
	for name, value := range more {
		a[name] = value
	}
	return a
}

// now is what the item would be about at an instant. Of access that has ended the
// last words are kept, so that what is said of it is that it ended.
func (i liveItem) now(threshold time.Duration, at time.Time) schema.ItemFacts {
	if i.AccountID == "" {
		return i.Facts
	}
	activity := schema.Activity{LastActiveAt: i.LastActiveAt, Covered: schema.Interval{From: i.CoveredFrom, To: i.CoveredTo}}
	f := i.Facts
	f.Login, f.HolderID, f.Employment, f.AccountStatus, f.AccountKind, f.Role = i.Login, i.HolderID, i.Employment, i.AccountStatus, i.AccountKind, i.Role
	f.Grade, f.Held = activity.Grade(threshold, i.CreatedAt, at.Truncate(time.Microsecond)), i.Held
	if i.Held {
		f.Access, f.Group, f.Provenance, f.Target = i.Access, i.GroupName, i.Provenance, i.Target
	}
	return f
}

// queueAll adds a query to a batch whose rows are read into a list.
func queueAll[T any](b *pgx.Batch, into *[]T, sql string, a args) {
	b.Queue(sql, a).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
		return err
	})
}

// lockItems locks items of a campaign in the order of their ids, as everybody does
// who locks several.
const lockItems = `select id from campaign_item where campaign_id = @campaign and id = any(@items) order by id for no key update`

// keepVersions keeps the present versions of items, with what they spoke for: a
// decision is judged by what was shown with the version that it names.
const keepVersions = `insert into campaign_item_version (item_id, version, facts, context, recommended, recommended_for, risk, score, risk_for, until)
	select id, version, facts, context, recommended, recommended_for, risk, score, risk_for, @now from campaign_item where id = any(@ids)`

// queueFacts keeps the facts of the items' versions and gives them the next ones,
// with what follows from them. Items whose access ended are gone, those whose access
// is back need a reviewer: nobody is asked about what is not there.
func queueFacts(b *pgx.Batch, list []newFacts, now time.Time) {
	if len(list) == 0 {
		return
	}
	var c factColumns
	for _, f := range list {
		c.add(f)
	}
	b.Queue(keepVersions, args{"ids": c.ids, "now": now})
	b.Queue(`update campaign_assignment s set ended_at = @now, end_why = 'gone' from unnest(@ids::uuid[], @facts::jsonb[]) as x(id, facts)
		where s.item_id = x.id and s.ended_at is null and not (x.facts->>'held')::boolean
			and exists (select 1 from campaign_item i where i.id = x.id and i.state in ('unassigned', 'open'))`, args{"ids": c.ids, "facts": c.facts, "now": now})
	b.Queue(`update campaign_item i set version = version + 1, facts = x.facts, facts_hash = x.hash, holder_id = x.holder, login = x.login, updated_at = @now,
			context = x.context, recommended = x.recommended, recommended_for = x.recommended_for, risk = x.risk, score = x.score, risk_for = x.risk_for,
			state = case when i.state in ('unassigned', 'open') and not (x.facts->>'held')::boolean then 'gone'
				when i.state = 'gone' and (x.facts->>'held')::boolean then 'unassigned' else i.state end,
			reviewer_id = case when i.state in ('unassigned', 'open', 'gone') and not (x.facts->>'held')::boolean then null else i.reviewer_id end,
			escalate_at = case when (x.facts->>'held')::boolean then i.escalate_at end,
			why = case when i.state in ('unassigned', 'open') and not (x.facts->>'held')::boolean then x.gone
				when i.state = 'gone' then '' else i.why end
		from unnest(@ids::uuid[], @facts::jsonb[], @hashes::text[], @holders::uuid[], @logins::text[], @gone::text[], @contexts::jsonb[],
			@recommended::text[], @for::jsonb[], @risks::text[], @scores::int[], @risks_for::jsonb[])
			as x(id, facts, hash, holder, login, gone, context, recommended, recommended_for, risk, score, risk_for)
		where i.id = x.id`, args{
		"ids": c.ids, "facts": c.facts, "hashes": c.hashes, "holders": c.holders, "logins": c.logins, "gone": c.gone, "contexts": c.contexts,
		"recommended": c.recommended, "for": c.recommendedFor, "risks": c.risks, "scores": c.scores, "risks_for": c.risksFor, "now": now,
	})
}

// factColumns are new facts as columns.
type factColumns struct {
	ids                      []schema.ItemID
	facts                    []schema.ItemFacts
	holders                  []schema.PersonID
	hashes, logins, gone     []string
	contexts                 []schema.ItemContext
	recommended, risks       []string
	recommendedFor, risksFor [][]string
	scores                   []int
}

func (c *factColumns) add(f newFacts) {
	c.ids, c.facts, c.hashes = append(c.ids, f.item.ID), append(c.facts, f.facts), append(c.hashes, f.facts.Hash())
	c.holders, c.logins, c.gone = append(c.holders, f.facts.HolderID), append(c.logins, f.facts.Login), append(c.gone, f.item.whyGone())
	c.contexts = append(c.contexts, f.context)
	c.recommended, c.recommendedFor = append(c.recommended, string(f.recommendation.Answer)), append(c.recommendedFor, some(f.recommendation.Reasons))
	c.risks, c.scores, c.risksFor = append(c.risks, string(f.risk.Level)), append(c.scores, f.risk.Score), append(c.risksFor, some(f.risk.Reasons))
}

// whyGone says why access that has ended is not to be decided about.
func (i liveItem) whyGone() string {
	if i.Removed {
		return "its connection was removed"
	}
	return "the access ended before anybody decided"
}
