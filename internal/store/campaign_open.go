package store

import (
	"context"
	"strconv"
	"time"

	"sendoff/schema"
)

// OpenCampaign moves assigning to open when no item needs a reviewer: it seeds the
// control items, sets the deadline, says which other campaigns look at the same, and
// queues the notices that ask the reviewers. CodeStale while items need a reviewer.
// One that is open stays as it is.
func (s *Store) OpenCampaign(ctx context.Context, id schema.CampaignID, due time.Time) error {
	return s.inTx(ctx, "open a campaign", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil || c.State == schema.CampaignOpen {
			return err
		}
		if c.State != schema.CampaignAssigning {
			return staleCampaign(c)
		}
		left, err := scalar[bool](ctx, t, `select exists (select from campaign_item where campaign_id = @id and state = 'unassigned')`, args{"id": id})
		if err != nil {
			return err
		}
		if left {
			return &schema.Error{Code: schema.CodeStale, Message: "items of the campaign need a reviewer", Fix: "find reviewers first"}
		}
		reviewers, err := t.openReviewersOf(ctx, id)
		if err != nil {
			return err
		}
		controls, err := t.seedControls(ctx, c, reviewers)
		if err != nil {
			return err
		}
		overlaps, err := t.overlaps(ctx, c)
		if err != nil {
			return err
		}
		due = due.UTC().Truncate(time.Microsecond)
		err = t.moveCampaign(ctx, &c, schema.CampaignOpen, `, opened_at = @now, due_at = @due, warnings = warnings || @warnings::jsonb`,
			args{"now": t.now, "due": due, "warnings": overlaps})
		if err != nil {
			return err
		}
		t.recordCampaign(c, engine(), "campaign.open", map[string]string{
			"due_at": schema.FormatInstant(due), "reviewers": strconv.Itoa(len(reviewers)), "controls": strconv.Itoa(controls), "overlaps": strconv.Itoa(len(overlaps)),
		})
		return t.askReviewers(ctx, c, reviewers)
	})
}

// openReviewer is who has open items of a campaign.
type openReviewer struct {
	ID   schema.PersonID
	Open int
}

// openReviewersOf lists them by id.
func (t *tx) openReviewersOf(ctx context.Context, id schema.CampaignID) ([]openReviewer, error) {
	return all[openReviewer](ctx, t, `select reviewer_id as id, count(*)::int as open from campaign_item
		where campaign_id = @id and state = 'open' and reviewer_id is not null group by 1 order by 1`, args{"id": id})
}

// askReviewers tells each reviewer once that there is something to decide.
func (t *tx) askReviewers(ctx context.Context, c schema.Campaign, reviewers []openReviewer) error {
	for _, r := range reviewers {
		tag, err := t.Exec(ctx, `insert into campaign_reviewer as w (campaign_id, reviewer_id, told_at) values (@campaign, @reviewer, @now)
			on conflict (campaign_id, reviewer_id) do update set told_at = @now where w.told_at is null`,
			args{"campaign": c.ID, "reviewer": r.ID, "now": t.now})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			continue
		}
		if err := t.noticeReviewer(ctx, c.ID, r.ID, schema.NoticeReviewAsk); err != nil {
			return err
		}
	}
	return nil
}

// overlaps are the other campaigns that look at the same access at this time. Each
// may decide: a revocation of one is access that ended for the other.
func (t *tx) overlaps(ctx context.Context, c schema.Campaign) ([]schema.Finding, error) {
	others, err := all[struct {
		ID, Name string
		N        int64
	}](ctx, t, `select o.id::text as id, d.name, n.n from campaign o join access_review d on d.id = o.review_id
		cross join lateral (select count(*) as n from campaign_item i join campaign_item m on m.account_id = i.account_id and m.kind = i.kind and m.ref = i.ref
			where i.campaign_id = o.id and m.campaign_id = @id) as n
		where o.state in ('assigning', 'open', 'closing', 'removing', 'held') and o.id <> @id and n.n > 0 order by d.name, o.id`, args{"id": c.ID})
	out := []schema.Finding{}
	for _, o := range others {
		out = append(out, schema.Finding{
			Code: schema.CampaignOverlaps, Warning: true,
			Message: "campaign " + o.ID + " of access review " + o.Name + " looks at " + strconv.FormatInt(o.N, 10) + " of the same items",
			Fix:     "nothing needs to be done: what either revokes is gone for both",
		})
	}
	return out, err
}
