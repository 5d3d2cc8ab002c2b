package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

// OpenReviewers lists reviewers with open items.
func (s *Store) OpenReviewers(ctx context.Context, id schema.CampaignID) ([]schema.OpenReviewer, error) {
	list, err := openReviewers(ctx, s.pool, id)
	return list, translate("list reviewers with open items", err)
}

func openReviewers(ctx context.Context, q querier, id schema.CampaignID) ([]schema.OpenReviewer, error) {
	return all[schema.OpenReviewer](ctx, q, `select w.id, coalesce(w.email, '') as email, `+reviewerZone+` as zone, o.n::int as open, m.told_at, m.reminded_at
		from (select reviewer_id, count(*) as n from campaign_item where campaign_id = @id and state = 'open' group by reviewer_id) o
		join person w on w.id = o.reviewer_id`+presentEmployment+`
		left join campaign_reviewer m on m.campaign_id = @id and m.reviewer_id = w.id order by w.list_key, w.id`,
		args{"id": id, "today": schema.DateOf(time.Now().UTC())})
}

// Remind queues the reminder of a reviewer, unless one was queued since the instant
// or nothing of theirs is open any more.
func (s *Store) Remind(ctx context.Context, id schema.CampaignID, reviewer schema.PersonID, since time.Time) error {
	return s.inTx(ctx, "remind a reviewer", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil || c.State != schema.CampaignOpen {
			return err
		}
		_, err = t.remind(ctx, id, reviewer, since)
		return err
	})
}

func (t *tx) remind(ctx context.Context, id schema.CampaignID, reviewer schema.PersonID, since time.Time) (bool, error) {
	tag, err := t.Exec(ctx, `insert into campaign_reviewer as m (campaign_id, reviewer_id, reminders, reminded_at)
			select @id, @reviewer, 1, @now where exists (select 1 from campaign_item where campaign_id = @id and reviewer_id = @reviewer and state = 'open')
			on conflict (campaign_id, reviewer_id) do update set reminders = m.reminders + 1, reminded_at = @now
				where m.reminded_at is null or m.reminded_at < @since`, args{"id": id, "reviewer": reviewer, "now": t.now, "since": since})
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return true, t.noticeReviewer(ctx, id, reviewer, schema.NoticeReviewRemind)
}

// remindAgain is how long after a reminder a person can ask for another one.
const remindAgain = time.Hour

// RemindReviewers queues reminders for all with open items, or one, by address or
// id; who was reminded within the hour is not again. It returns how many.
func (s *Store) RemindReviewers(ctx context.Context, id schema.CampaignID, reviewer string, by schema.Principal) (int, error) {
	if err := checkPrincipal(by); err != nil {
		return 0, err
	}
	count := 0
	err := s.inTx(ctx, "remind reviewers", func(ctx context.Context, t *tx) error {
		count = 0
		c, err := t.shareCampaign(ctx, id)
		if err != nil {
			return err
		}
		if c.State != schema.CampaignOpen {
			return notOpen(c)
		}
		only := schema.PersonID("")
		if reviewer != "" {
			if only, err = personRef(ctx, t, reviewer); err != nil {
				return err
			}
		}
		list, err := openReviewers(ctx, t, id)
		if err != nil {
			return err
		}
		for _, r := range list {
			if only != "" && r.ID != only {
				continue
			}
			sent, err := t.remind(ctx, id, r.ID, t.now.Add(-remindAgain))
			if err != nil {
				return err
			}
			if sent {
				count++
			}
		}
		t.recordCampaign(c, principal(by), "campaign.reminded", map[string]string{"reviewers": strconv.Itoa(count)})
		return nil
	})
	return count, err
}

// tellAssigned tells reviewers of an open campaign that items have come to them:
// whoever was told of nothing yet, and of what another did not decide once an hour.
func (t *tx) tellAssigned(ctx context.Context, c schema.Campaign, a assigned) error {
	escalated := map[string]bool{}
	for n, to := range a.reviewers {
		if to == "" {
			continue
		}
		escalated[to] = escalated[to] || slices.ContainsFunc(a.via[n], func(v schema.Via) bool { return v.Why == "escalation" })
	}
	news, others := []string{}, []string{}
	for to, e := range escalated {
		news = append(news, to)
		if e {
			others = append(others, to)
		}
	}
	told, err := all[struct {
		ReviewerID schema.PersonID
		First      bool
	}](ctx, t, `insert into campaign_reviewer as m (campaign_id, reviewer_id, told_at)
			select @id, x.id, @now from (select unnest(@news::uuid[]) as id) x order by x.id
			on conflict (campaign_id, reviewer_id) do update set told_at = @now
				where m.told_at is null or m.reviewer_id = any(@others::uuid[]) and m.told_at < @now::timestamptz - interval '1 hour'
			returning m.reviewer_id, not m.reviewer_id = any(@others::uuid[]) as first`,
		args{"id": c.ID, "news": news, "others": others, "now": t.now})
	if err != nil {
		return err
	}
	for _, r := range told {
		event := schema.NoticeReviewEscalated
		if r.First {
			event = schema.NoticeReviewAsk
		}
		if err := t.noticeReviewer(ctx, c.ID, r.ReviewerID, event); err != nil {
			return err
		}
	}
	return nil
}
