package store

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// Unassigned returns up to limit items that need a reviewer, in the order of their
// ids, so that loads come out the same when it is done again.
func (s *Store) Unassigned(ctx context.Context, id schema.CampaignID, limit int) ([]schema.Unassigned, error) {
	rows, err := all[struct {
		schema.Unassigned
		GroupID schema.ExternalID
	}](ctx, s.pool, `select i.id as item_id, i.version, i.stage, i.connection_id, coalesce(hp.merged_into, hp.id) as holder_id, h.manager_id,
			array(select distinct x.id::text from (`+holdersOf+`) x order by 1) as holders, array_remove(array[a.login_key, lower(i.login)], null) as logins,
			'{}'::jsonb as "group", split_part(i.ref, '/', 1) as group_id,
			coalesce(i.applies[i.stage + 1], '') as applies, i.place as "from", i.assign_to as "to",
			array(select distinct coalesce(p.merged_into, p.id)::text from campaign_decision d join person p on p.id = d.reviewer_id
				where d.item_id = i.id and d.stage <> i.stage) as deciders,
			array(select coalesce(p.merged_into, p.id)::text from campaign_assignment s join person p on p.id = s.reviewer_id
				where s.item_id = i.id and s.stage = i.stage and s.end_why not in ('', 'gone', 'decided', 'corrected') order by s.id) as past
		from campaign_item i left join account a on a.id = i.account_id left join person hp on hp.id = case when i.account_id is null then i.holder_id else a.person_id end
		left join person h on h.id = coalesce(hp.merged_into, hp.id)
		where i.campaign_id = @id and i.state = 'unassigned' order by i.id limit @limit`, args{"id": id, "limit": limit})
	list := make([]schema.Unassigned, len(rows))
	for n, r := range rows {
		list[n] = r.Unassigned
		if r.GroupID != "" {
			list[n].Group = schema.GroupKey{ConnectionID: r.ConnectionID, GroupID: r.GroupID}
		}
	}
	return list, translate("list items without a reviewer", err)
}

// assigned are assignments as columns.
type assigned struct {
	items, to, reviewers, whys      []string
	versions, stages, froms, places []int
	via                             [][]schema.Via
	escalate                        []time.Time
}

func assignedOf(list []schema.Assignment) assigned {
	var a assigned
	for _, w := range list {
		a.items, a.versions, a.reviewers = append(a.items, string(w.ItemID)), append(a.versions, w.Version), append(a.reviewers, string(w.ReviewerID))
		a.to, a.stages, a.froms = append(a.to, string(w.To)), append(a.stages, w.Stage), append(a.froms, w.From)
		a.places, a.whys, a.via = append(a.places, w.Place), append(a.whys, w.Why), append(a.via, append([]schema.Via{}, w.Via...))
	}
	return a
}

// Assign gives items to their reviewers, with when each escalates (by reviewer and the
// deadline as it is then, zero before the opening), or leaves them undecided where
// nobody may decide. Of those that changed, were reassigned or came to another stage
// or place meanwhile nothing is changed. That nobody gets what they hold is looked at
// here once more.
func (s *Store) Assign(ctx context.Context, id schema.CampaignID, list []schema.Assignment, escalate func(to schema.PersonID, due time.Time) time.Time) error {
	if len(list) == 0 {
		return nil
	}
	a := assignedOf(list)
	return s.inTx(ctx, "assign a campaign's items", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil {
			return err
		}
		if c.State != schema.CampaignAssigning && c.State != schema.CampaignOpen {
			return staleCampaign(c)
		}
		a.escalate = make([]time.Time, len(list))
		for n, w := range list {
			if w.ReviewerID != "" && escalate != nil {
				a.escalate[n] = escalate(w.ReviewerID, c.DueAt)
			}
		}
		if err := t.run(ctx, lockItems, args{"campaign": id, "items": a.items}); err != nil {
			return err
		}
		return t.assign(ctx, c, a)
	})
}

// assignSQL moves items that are where they were when they were looked at: their
// version, stage and place in its chain, and whom a principal named. A correction or a
// second look takes an item to another stage. Who gets one may have been merged into
// somebody meanwhile.
const assignSQL = `with given as (
		select x.* from unnest(@items::uuid[], @versions::int[], @stages::int[], @froms::int[], @to::uuid[], @reviewers::uuid[], @places::int[], @whys::text[],
				@via::jsonb[], @escalate::timestamptz[])
			as x(id, version, stage, came_from, to_whom, reviewer, place, why, via, escalate)
		join campaign_item i on i.id = x.id and i.campaign_id = @campaign and i.state = 'unassigned' and i.version = x.version
			and i.stage = x.stage and i.place = x.came_from and i.assign_to is not distinct from x.to_whom
		left join account a on a.id = i.account_id left join person w on w.id = x.reviewer
		where x.reviewer is null or not ` + holdsOneOf + `array[w.id, w.merged_into]))
			and not ` + decidedElsewhere + `coalesce(w.merged_into, w.id))),
	noted as (
		insert into campaign_assignment (campaign_id, item_id, stage, reviewer_id, via, why, at)
		select @campaign, g.id, g.stage, g.reviewer, g.via, g.why, @now from given g where g.reviewer is not null order by g.id),
	moved as (
		update campaign_item i set state = case when g.reviewer is null then 'undecided' else 'open' end, reviewer_id = g.reviewer, place = g.place,
			assign_to = null, assigned_at = case when g.reviewer is not null then @now::timestamptz end, escalate_at = g.escalate,
			why = case when g.reviewer is null then g.why else '' end, updated_at = @now
		from given g where i.id = g.id returning i.state)
	select state, count(*)::int as count from moved group by state`

// decidedElsewhere is a condition on an item, i, that ends with the id of a person,
// as they are known by now: they decided about it in another stage.
const decidedElsewhere = `exists (select 1 from campaign_decision d join person dp on dp.id = d.reviewer_id
	where d.item_id = i.id and d.stage <> i.stage and coalesce(dp.merged_into, dp.id) = `

func (t *tx) assign(ctx context.Context, c schema.Campaign, a assigned) error {
	counts, err := all[struct {
		State string
		Count int
	}](ctx, t, assignSQL, args{
		"campaign": c.ID, "items": a.items, "versions": a.versions, "stages": a.stages, "froms": a.froms, "to": a.to, "reviewers": a.reviewers, "places": a.places, "whys": a.whys,
		"via": a.via, "escalate": a.escalate, "now": t.now,
	})
	if err != nil || len(counts) == 0 {
		return err
	}
	details := map[string]string{}
	for _, n := range counts {
		details[n.State] = strconv.Itoa(n.Count)
	}
	t.recordCampaign(c, engine(), "campaign.items_assigned", details)
	if c.State != schema.CampaignOpen {
		return nil // everybody is told at the opening
	}
	return t.tellAssigned(ctx, c, a)
}

// takeBack takes locked items back from their reviewers, for the next in the chain
// or, at the place they are at, for somebody else. It returns how many.
func (t *tx) takeBack(ctx context.Context, c schema.Campaign, items []schema.ItemID, next int, why string) error {
	if len(items) == 0 {
		return nil
	}
	a := args{"items": items, "now": t.now}
	b := &pgx.Batch{}
	b.Queue(`update campaign_assignment set ended_at = @now, end_why = @why where item_id = any(@items) and ended_at is null`, args{"items": items, "now": t.now, "why": why})
	b.Queue(`update campaign_item set state = 'unassigned', reviewer_id = null, escalate_at = null, place = place + `+strconv.Itoa(next)+`, updated_at = @now
		where id = any(@items) and state = 'open'`, a)
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.items_"+why, naming(items, nil))
	return t.wakeCampaign(ctx, c.ID)
}

// reviewerLeft is a condition on a person, w, with the employment that counts, e:
// they are gone, or no address reaches them.
const reviewerLeft = `(w.merged_into is not null or w.email is null or (w.last_day < @today::date) is true or (e.status = 'ended' and w.last_day is null) is true)`

const presentEmployment = ` left join lateral (select e.status, e.time_zone, e.site, e.source from employment e where e.person_id = w.id order by ` + presentFirst + ` limit 1) e on true `

// UnseatReviewers takes open items back from reviewers who left or are absent. It
// returns how many. Whose account an item is about is asked of those who are absent
// alone, so that it may be done often: RefreshItems asks it of all.
func (s *Store) UnseatReviewers(ctx context.Context, id schema.CampaignID, now time.Time) (int, error) {
	taken := 0
	err := s.inTx(ctx, "find others for reviewers who left", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil || c.State != schema.CampaignOpen && c.State != schema.CampaignAssigning {
			return err
		}
		items, err := scalars[schema.ItemID](ctx, t, `with other as materialized (
				select x.id, x.gone from (
					select w.id, `+reviewerLeft+` as gone, exists (select 1 from reviewer_absence b where b.person_id = w.id and `+absentNow+`) as away
					from (select distinct reviewer_id from campaign_item where campaign_id = @id and state = 'open') o join person w on w.id = o.reviewer_id`+presentEmployment+`
				) x where x.gone or x.away)
			select i.id from campaign_item i join other y on y.id = i.reviewer_id left join account a on a.id = i.account_id
			where i.campaign_id = @id and i.state = 'open' and (y.gone or `+absentOneOf+`array[y.id])))
			order by i.id for no key update of i`, args{"id": id, "now": now, "today": schema.DateOf(now.UTC())})
		taken = len(items)
		if err != nil {
			return err
		}
		return t.takeBack(ctx, c, items, 0, "unseated")
	})
	return taken, err
}

// unseatHolders takes those of the locked items back that are open with somebody who
// holds the account by now or decided about it in another stage.
func (t *tx) unseatHolders(ctx context.Context, c schema.Campaign, ids []schema.ItemID) error {
	if c.State != schema.CampaignOpen {
		return nil
	}
	items, err := scalars[schema.ItemID](ctx, t, `select i.id from campaign_item i join person w on w.id = i.reviewer_id left join account a on a.id = i.account_id
		where i.id = any(@items) and i.state = 'open'
			and (`+holdsOneOf+`array[w.id, w.merged_into])) or i.stage > 0 and `+decidedElsewhere+`coalesce(w.merged_into, w.id)))
		order by i.id`, args{"items": ids})
	if err != nil {
		return err
	}
	return t.takeBack(ctx, c, items, 0, "unseated")
}

// EscalateDue takes up to limit open items back whose time with their reviewer is
// over, for the next in the chain. Without a time of its own an item has that of the
// campaign's deadline.
func (s *Store) EscalateDue(ctx context.Context, id schema.CampaignID, now time.Time, limit int) (int, error) {
	taken := 0
	err := s.inTx(ctx, "escalate items", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil || c.State != schema.CampaignOpen {
			return err
		}
		items, err := scalars[schema.ItemID](ctx, t, `select i.id from campaign_item i where i.campaign_id = @id and i.state = 'open' and `+timeOver+`
			order by i.id limit @limit for no key update`, args{"id": id, "now": now, "over": !c.DueAt.IsZero() && !now.Before(c.DueAt), "limit": limit})
		taken = len(items)
		if err != nil {
			return err
		}
		return t.takeBack(ctx, c, items, 1, "escalated")
	})
	return taken, err
}

// timeOver is a condition on an open item, i: its time with its reviewer is over.
const timeOver = `(i.escalate_at <= @now or i.escalate_at is null and @over)`

// NextDue is when the first open item escalates; zero = none does.
func (s *Store) NextDue(ctx context.Context, id schema.CampaignID) (time.Time, error) {
	at, err := scalar[time.Time](ctx, s.pool, `select min(escalate_at) from campaign_item where campaign_id = @id and state = 'open' and escalate_at is not null`,
		args{"id": id})
	return at, translate("find when items escalate", err)
}

// SilenceDue gives up to limit open items of an open campaign, whose time with their
// reviewer is over after its deadline, their meaning by the rule. What needs a
// reviewer gets one first: somebody abstained, or gave it to another. It returns how
// many. CodeStale before the deadline, which may have been moved, and of a campaign
// that is not open.
func (s *Store) SilenceDue(ctx context.Context, id schema.CampaignID, w schema.CampaignSilence, now time.Time, limit int) (int, error) {
	return s.applySilence(ctx, id, w, `i.state = 'open' and `+timeOver, args{"id": id, "now": now, "over": true, "limit": limit}, func(c schema.Campaign) bool {
		return c.State == schema.CampaignOpen && !now.Before(c.DueAt)
	})
}

// ApplySilence gives up to limit items that nobody decided of a campaign that is
// being closed their meaning, by the rule: nobody's time counts any more. It returns
// how many. CodeStale in another state: one that was opened again asks people.
func (s *Store) ApplySilence(ctx context.Context, id schema.CampaignID, w schema.CampaignSilence, limit int) (int, error) {
	return s.applySilence(ctx, id, w, `i.state in ('unassigned', 'open')`, args{"id": id, "limit": limit}, func(c schema.Campaign) bool {
		return c.State == schema.CampaignClosing
	})
}

// applySilence gives items their meaning: keep, revoke or, for escalate, undecided.
// What an item comes to so was said by nobody: it has no decision, and says why. The
// condition on it, i, holds still when it is locked: whoever had it locked before may
// have said something, or given it to others.
func (s *Store) applySilence(ctx context.Context, id schema.CampaignID, w schema.CampaignSilence, which string, a args, may func(schema.Campaign) bool) (int, error) {
	done := 0
	err := s.inTx(ctx, "apply silence", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil {
			return err
		}
		if !may(c) {
			return staleCampaign(c)
		}
		items, err := scalars[schema.ItemID](ctx, t, `select i.id from campaign_item i where i.campaign_id = @id and `+which+`
			order by i.id limit @limit for no key update`, a)
		if done = len(items); err != nil || done == 0 {
			return err
		}
		return t.silence(ctx, c, items, w)
	})
	return done, err
}

func (t *tx) silence(ctx context.Context, c schema.Campaign, items []schema.ItemID, w schema.CampaignSilence) error {
	state, answer := schema.ItemDecided, schema.ItemAnswer("")
	switch w {
	case schema.SilenceKeeps:
		answer = schema.AnswerKeep
	case schema.SilenceRevokes:
		answer = schema.AnswerRevoke
	default:
		state = schema.ItemUndecided
	}
	b := &pgx.Batch{}
	b.Queue(`update campaign_assignment set ended_at = @now, end_why = 'silent' where item_id = any(@items) and ended_at is null`, args{"items": items, "now": t.now})
	// A made up item is answered by people alone.
	// So is, where silence revokes, one of whose account nobody knows whether it is used.
	b.Queue(`update campaign_item i set state = case when n.people then 'undecided' else @state end, answer = case when n.people then '' else @answer end,
			decided_at = case when @answer <> '' and not n.people then @now::timestamptz end, escalate_at = null, why = 'nobody decided in time', updated_at = @now
		from (select id, account_id is null or @answer = 'revoke' and facts->>'grade' in ('unknown', 'not_collected') as people
			from campaign_item where id = any(@items)) n where i.id = n.id`, args{"items": items, "now": t.now, "state": state, "answer": answer})
	t.recordCampaign(c, engine(), "campaign.silence", naming(items, map[string]string{"meaning": string(w)}))
	return t.SendBatch(ctx, b).Close()
}
