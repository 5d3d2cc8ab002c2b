package store

import (
	"context"

	"sendoff/schema"
)

// Campaign returns a campaign; CodeNotFound.
func (s *Store) Campaign(ctx context.Context, id schema.CampaignID) (schema.Campaign, error) {
	c, err := loadCampaign(ctx, s.pool, id)
	return c, translate("read campaign", err)
}

// CampaignFlow returns the workflow of a campaign, and whether the campaign has ended.
func (s *Store) CampaignFlow(ctx context.Context, id schema.CampaignID) (workflowID string, ended bool, err error) {
	c, err := loadCampaign(ctx, s.pool, id)
	return c.WorkflowID, c.State == schema.CampaignEnded, translate("find a campaign's workflow", err)
}

// Campaigns lists campaigns, newest first.
func (s *Store) Campaigns(ctx context.Context, f schema.CampaignFilter) ([]schema.Campaign, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	var list []schema.Campaign
	var next string
	err = s.readTx(ctx, "list campaigns", func(ctx context.Context, q querier) error {
		where, a := `where true`, args{"limit": f.Limit + 1}
		if f.Review != "" {
			d, err := findAccessReview(ctx, q, f.Review)
			if err != nil {
				return err
			}
			where, a["review"] = where+` and c.review_id = @review`, d.ID
		}
		if f.State != "" {
			where, a["state"] = where+` and c.state = @state`, f.State
		}
		if f.After != "" {
			where, a["at"], a["id"] = where+` and (c.created_at, c.id) < (@at, @id::uuid)`, from.At, schema.CampaignID(from.ID)
		}
		rows, err := all[schema.Campaign](ctx, q, selectCampaigns+where+` order by c.created_at desc, c.id desc limit @limit`, a)
		list, next = page(rows, f.Limit, func(c schema.Campaign) cursor { return cursor{c.CreatedAt, string(c.ID)} })
		return err
	})
	return list, next, err
}

// CampaignView is a campaign with its counts and what stands against a sign-off.
func (s *Store) CampaignView(ctx context.Context, id schema.CampaignID) (schema.CampaignView, error) {
	var v schema.CampaignView
	err := s.readTx(ctx, "look at a campaign", func(ctx context.Context, q querier) (err error) {
		if v.Campaign, err = loadCampaign(ctx, q, id); err != nil {
			return err
		}
		if v.Counts, err = campaignCounts(ctx, q, id); err != nil {
			return err
		}
		rule, err := campaignRule(ctx, q, v.Campaign)
		if err != nil {
			return err
		}
		v.Blocks, err = signBlocks(ctx, q, v.Campaign, rule)
		return err
	})
	return v, err
}

// campaignCounts counts what a campaign has come to so far. Counts are in the order
// of the constants, so that they come out the same.
func campaignCounts(ctx context.Context, q querier, id schema.CampaignID) (schema.CampaignCounts, error) {
	var out schema.CampaignCounts
	rows, err := all[struct {
		State   schema.CampaignItemState
		Answer  schema.ItemAnswer
		Risk    schema.RiskLevel
		Control bool
		N       int64
	}](ctx, q, `select state, answer, risk, control <> '' as control, count(*) as n from campaign_item where campaign_id = @id group by 1, 2, 3, 4`, args{"id": id})
	if err != nil {
		return out, err
	}
	states, answers, risks := map[schema.CampaignItemState]int64{}, map[schema.ItemAnswer]int64{}, map[schema.RiskLevel]int64{}
	for _, r := range rows {
		out.Items += r.N
		states[r.State] += r.N
		risks[r.Risk] += r.N
		if r.Answer != "" {
			answers[r.Answer] += r.N
		}
		if r.Control {
			out.Controls += r.N
		}
	}
	removals, err := all[struct {
		State schema.RemovalState
		N     int64
	}](ctx, q, `select state, count(*) as n from campaign_removal where campaign_id = @id group by 1`, args{"id": id})
	if err != nil {
		return out, err
	}
	removed := map[schema.RemovalState]int64{}
	for _, r := range removals {
		removed[r.State] = r.N
	}
	out.States = counted(schema.CampaignItemStates(), states, func(s schema.CampaignItemState, n int64) schema.StateCount {
		return schema.StateCount{State: s, Count: n}
	})
	out.Answers = counted(schema.ItemAnswers(), answers, func(a schema.ItemAnswer, n int64) schema.AnswerCount { return schema.AnswerCount{Answer: a, Count: n} })
	levels := []schema.RiskLevel{schema.RiskLow, schema.RiskMedium, schema.RiskHigh}
	out.Risks = counted(levels, risks, func(r schema.RiskLevel, n int64) schema.RiskCount { return schema.RiskCount{Risk: r, Count: n} })
	out.Removals = counted(schema.RemovalStates(), removed, func(s schema.RemovalState, n int64) schema.RemovalCount {
		return schema.RemovalCount{State: s, Count: n}
	})
	out.Returned, err = scalar[int64](ctx, q, `select count(*) from campaign_return where campaign_id = @id`, args{"id": id})
	return out, err
}

// counted lists what was counted, in an order, without what there is none of.
func counted[K comparable, V any](order []K, counts map[K]int64, of func(K, int64) V) []V {
	out := []V{}
	for _, k := range order {
		if counts[k] > 0 {
			out = append(out, of(k, counts[k]))
		}
	}
	return out
}
