package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// Evidence is everything a campaign comes to, as it is now.
func (s *Store) Evidence(ctx context.Context, id schema.CampaignID) (schema.CampaignEvidence, error) {
	var e schema.CampaignEvidence
	err := s.readTx(ctx, "read the evidence of a campaign", func(ctx context.Context, q querier) (err error) {
		if e, err = campaignEvidence(ctx, q, id, time.Now().UTC()); err != nil {
			return err
		}
		e.Exceptions, err = signBlocks(ctx, q, e.Campaign, e.Review.Rule)
		return err
	})
	return e, err
}

// campaignEvidence reads the evidence but its exceptions. Each list is in an order that
// does not depend on when or how often it is read.
func campaignEvidence(ctx context.Context, q querier, id schema.CampaignID, now time.Time) (schema.CampaignEvidence, error) {
	e := schema.CampaignEvidence{Format: schema.EvidenceFormat, ExportedAt: now}
	var err error
	if e.Campaign, err = loadCampaign(ctx, q, id); err != nil {
		return e, err
	}
	e.Signed = !e.Campaign.SignedAt.IsZero()
	d, err := accessReviewAt(ctx, q, e.Campaign.ReviewID, e.Campaign.Version)
	if err != nil {
		return e, err
	}
	e.Review = d.AccessReview
	if e.Counts, err = campaignCounts(ctx, q, id); err != nil {
		return e, err
	}
	if e.Reviewers, err = reviewerStats(ctx, q, id, e.Review.Rule); err != nil {
		return e, err
	}
	if e.Batches, err = evidenceBatches(ctx, q, id); err != nil {
		return e, err
	}
	if e.Events, err = evidenceEvents(ctx, q, id); err != nil {
		return e, err
	}
	if e.Items, err = evidenceItems(ctx, q, id); err != nil {
		return e, err
	}
	if e.Removals, err = evidenceRemovals(ctx, q, id); err != nil {
		return e, err
	}
	e.Returns, err = all[schema.Return](ctx, q, `select campaign_id, item_id, facts, cause, detail, seen_at, follow_up from campaign_return
		where campaign_id = @id order by id`, args{"id": id})
	return e, err
}

// evidenceRemovals reads the removals with their accounts; their items name them.
func evidenceRemovals(ctx context.Context, q querier, id schema.CampaignID) ([]schema.Removal, error) {
	list, err := all[schema.Removal](ctx, q, selectRemovals+`where m.campaign_id = @id order by m.created_at, m.id`, args{"id": id})
	if err != nil || len(list) == 0 {
		return list, err
	}
	accounts, err := all[schema.Account](ctx, q, `select `+accountColumns+` from account where id in (select account_id from campaign_removal where campaign_id = @id)`,
		args{"id": id})
	by := make(map[schema.AccountID]schema.Account, len(accounts))
	for _, a := range accounts {
		by[a.ID] = a
	}
	for n := range list {
		list[n].Account = by[list[n].AccountID]
	}
	return list, err
}

// evidenceItems reads the items with everything that was said and done about them.
func evidenceItems(ctx context.Context, q querier, id schema.CampaignID) ([]schema.EvidenceItem, error) {
	items, err := all[schema.CampaignItem](ctx, q, selectCampaignItems+`where i.campaign_id = @id order by i.score desc, i.id`, args{"id": id})
	if err != nil {
		return nil, err
	}
	list, place := make([]schema.EvidenceItem, len(items)), make(map[schema.ItemID]int, len(items))
	for n, i := range items {
		list[n], place[i.ID] = schema.EvidenceItem{
			CampaignItem: i, Shown: []schema.ShownFacts{}, Decisions: []schema.CampaignDecision{}, Assignments: []schema.AssignmentRow{},
		}, n
	}
	notes, err := all[struct {
		ID   schema.ItemID
		Note string
	}](ctx, q, `select id, control as note from campaign_item where campaign_id = @id and control <> ''`, args{"id": id})
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		list[place[n.ID]].Context.Decoy = n.Note
	}
	decisions, err := all[schema.CampaignDecision](ctx, q, `select `+itemDecisionColumns+` from campaign_decision d where d.campaign_id = @id order by d.item_id, d.seq`,
		args{"id": id})
	if err != nil {
		return nil, err
	}
	for _, d := range decisions {
		i := &list[place[d.ItemID]]
		i.Decisions = append(i.Decisions, d)
	}
	if err := addShown(ctx, q, id, list, place); err != nil {
		return nil, err
	}
	return list, addAssignments(ctx, q, id, list, place)
}

// addShown adds each version that a decision was taken by. What the present one speaks
// for is said with the item.
func addShown(ctx context.Context, q querier, id schema.CampaignID, list []schema.EvidenceItem, place map[schema.ItemID]int) error {
	shown, err := all[struct {
		schema.ShownFacts
		ItemID schema.ItemID
	}](ctx, q, `select i.id as item_id, d.version, coalesce(v.facts, i.facts) as facts, min(d.decided_at) as at,
			case when v.risk <> '' then jsonb_build_object('Context', v.context,
				'Recommendation', jsonb_build_object('answer', v.recommended, 'reasons', v.recommended_for),
				'Risk', jsonb_build_object('level', v.risk, 'score', v.score, 'reasons', v.risk_for)) end as weighed
		from campaign_decision d join campaign_item i on i.id = d.item_id
		left join campaign_item_version v on v.item_id = d.item_id and v.version = d.version
		where d.campaign_id = @id group by i.id, v.item_id, v.version, d.version order by i.id, d.version`, args{"id": id})
	for _, s := range shown {
		i := &list[place[s.ItemID]]
		i.Shown = append(i.Shown, s.ShownFacts)
	}
	return err
}

func addAssignments(ctx context.Context, q querier, id schema.CampaignID, list []schema.EvidenceItem, place map[schema.ItemID]int) error {
	had, err := all[struct {
		schema.AssignmentRow
		ItemID schema.ItemID
	}](ctx, q, `select s.item_id, s.stage, s.reviewer_id, coalesce(nullif(p.name, ''), p.email, '') as reviewer, s.via, s.why, s.at, s.ended_at, s.end_why
		from campaign_assignment s join person p on p.id = s.reviewer_id where s.campaign_id = @id order by s.id`, args{"id": id})
	for _, a := range had {
		i := &list[place[a.ItemID]]
		i.Assignments = append(i.Assignments, a.AssignmentRow)
	}
	return err
}
