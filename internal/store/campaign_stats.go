package store

import (
	"context"

	"sendoff/schema"
)

// reviewerStatsSQL sums the decisions of each reviewer of a campaign.
//
// What was said at one instant was sent in one call: its decisions share the time
// since the call before, so that many at once do not look slow. The first call is
// measured from when the reviewer could begin. A gap of more than 15 minutes is a
// break, and says nothing about how long somebody looked. Corrected decisions do
// not count.
//
// What the facts spoke for is what was shown with the version that the decision
// names. Control items speak for nothing: their right answer is none of the facts'.
const reviewerStatsSQL = `with said as (
		select d.item_id, coalesce(p.merged_into, p.id) as reviewer, d.answer, d.bulk, d.decided_at, d.current and d.answer <> 'abstain' as counts,
			d.current or d.answer = 'abstain' as timed, i.control <> '' as control,
			case when i.control <> '' then '' when v.risk <> '' then v.recommended else i.recommended end as recommended
		from campaign_decision d join person p on p.id = d.reviewer_id join campaign_item i on i.id = d.item_id
		left join campaign_item_version v on v.item_id = d.item_id and v.version = d.version where d.campaign_id = @id),
	had as (
		select coalesce(p.merged_into, p.id) as reviewer, s.item_id, s.at, s.ended_at is null as has
		from campaign_assignment s join person p on p.id = s.reviewer_id where s.campaign_id = @id),
	began as (select h.reviewer, greatest(min(h.at), (select opened_at from campaign where id = @id)) as at from had h group by h.reviewer),
	calls as (
		select s.reviewer, count(*) as n, 1000 * extract(epoch from s.decided_at - coalesce(lag(s.decided_at) over (partition by s.reviewer order by s.decided_at),
			(select b.at from began b where b.reviewer = s.reviewer))) as gap
		from said s where s.timed group by s.reviewer, s.decided_at),
	pace as (
		select c.reviewer, percentile_disc(0.5) within group (order by c.gap / c.n) as median
		from calls c cross join lateral generate_series(1, c.n) where c.gap <= 15 * 60 * 1000 group by c.reviewer),
	items as (
		select x.reviewer, count(*) as n from (select reviewer, item_id from had where has union select reviewer, item_id from said where counts) x group by x.reviewer),
	open as (
		select coalesce(p.merged_into, p.id) as reviewer, count(*) as n from campaign_item i join person p on p.id = i.reviewer_id
		where i.campaign_id = @id and i.state = 'open' group by 1),
	sums as (
		select reviewer, count(*) filter (where counts) as decided, count(*) filter (where counts and answer = 'keep') as kept,
			count(*) filter (where counts and answer = 'revoke') as revoked, count(*) filter (where answer = 'abstain') as abstained,
			count(*) filter (where counts and bulk) as bulk, count(*) filter (where counts and recommended <> '') as recommended,
			count(*) filter (where counts and recommended <> '' and recommended <> answer) as against,
			count(*) filter (where counts and recommended = 'revoke') as said_revoke,
			count(*) filter (where counts and control and answer = 'keep') as controls_kept
		from said group by reviewer)
	select r.reviewer as reviewer_id, p.name, coalesce(p.email, '') as email, coalesce(items.n, 0)::int as items, coalesce(open.n, 0)::int as open,
		coalesce(s.decided, 0)::int as decided, coalesce(s.kept, 0)::int as kept, coalesce(s.revoked, 0)::int as revoked, coalesce(s.abstained, 0)::int as abstained,
		coalesce(s.bulk, 0)::int as bulk, coalesce(s.recommended, 0)::int as recommended, coalesce(s.against, 0)::int as against,
		coalesce(s.said_revoke, 0)::int as said_revoke, coalesce(pace.median, 0)::bigint as median_millis, coalesce(s.controls_kept, 0)::int as controls_kept,
		coalesce(m.reminders, 0) as reminders, m.reminded_at, null::jsonb as alarms, null::jsonb as looks, coalesce(m.look_by, '') as looked_by, m.look_at as looked_at,
		coalesce(m.look_reason, '') as look_reason, coalesce(m.look_decisions, 0) as looked_decisions
	from (select reviewer from said union select reviewer from had) r join person p on p.id = r.reviewer
	left join sums s on s.reviewer = r.reviewer left join items on items.reviewer = r.reviewer left join open on open.reviewer = r.reviewer
	left join pace on pace.reviewer = r.reviewer left join campaign_reviewer m on m.campaign_id = @id and m.reviewer_id = r.reviewer
	order by p.list_key, p.id`

// ReviewerStats sums the decisions of each reviewer of a campaign, with why they
// are doubted, by address.
func (s *Store) ReviewerStats(ctx context.Context, id schema.CampaignID) ([]schema.ReviewerStats, error) {
	var list []schema.ReviewerStats
	err := s.readTx(ctx, "sum the reviewers of a campaign", func(ctx context.Context, q querier) error {
		c, err := loadCampaign(ctx, q, id)
		if err != nil {
			return err
		}
		rule, err := campaignRule(ctx, q, c)
		if err != nil {
			return err
		}
		list, err = reviewerStats(ctx, q, id, rule)
		return err
	})
	return list, err
}

func reviewerStats(ctx context.Context, q querier, id schema.CampaignID, rule schema.AccessReviewRule) ([]schema.ReviewerStats, error) {
	list, err := all[schema.ReviewerStats](ctx, q, reviewerStatsSQL, args{"id": id})
	if err != nil {
		return nil, err
	}
	looks, err := all[struct {
		schema.TakenLook
		ReviewerID schema.PersonID
	}](ctx, q, selectLooks, args{"id": id})
	for i := range list {
		r := &list[i]
		for _, l := range looks {
			if l.ReviewerID == r.ReviewerID {
				r.Looks = append(r.Looks, l.TakenLook)
			}
		}
		r.Alarms = rule.Quality.Alarms(*r)
	}
	return list, err
}

// selectLooks reads the second looks of a campaign, with which one counts: the last
// one, until its reviewer says another word.
const selectLooks = `select coalesce(p.merged_into, p.id) as reviewer_id, l.look_by as by, l.look_id as token_id, l.at, l.reason, l.decisions, l.redo, l.redone,
		p.merged_into is null and m.look_at is not null
			and not exists (select 1 from campaign_look n where n.campaign_id = l.campaign_id and n.reviewer_id = l.reviewer_id and n.id > l.id) as current
	from campaign_look l join person p on p.id = l.reviewer_id
	left join campaign_reviewer m on m.campaign_id = l.campaign_id and m.reviewer_id = l.reviewer_id
	where l.campaign_id = @id order by l.id`

// campaignRule is the rule of the version that a campaign was made by.
func campaignRule(ctx context.Context, q querier, c schema.Campaign) (schema.AccessReviewRule, error) {
	return scalar[schema.AccessReviewRule](ctx, q, `select rule from access_review_version where review_id = @review and version = @version`,
		args{"review": c.ReviewID, "version": c.Version})
}
