package store

import (
	"context"
	"strconv"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// campaignColumns are a campaign c with its review d and the version v of it.
const campaignColumns = `c.id, c.review_id, d.name as review, c.version, coalesce(v.rule->>'title', '') as title, v.rule->>'owner' as owner, c.trigger,
	c.scheduled_at, c.requested_by, c.requested_id, c.accounts::text[] as accounts, c.persons::text[] as persons, c.follows, c.state,
	c.end_kind as "end", c.why, c.basis, c.warnings, c.snapshot_at, c.opened_at, c.due_at, c.closed_at, c.overruns, c.batch_id,
	c.signed_at, c.signed_by, c.sign_reason, c.evidence, c.created_at, c.ended_at, c.workflow_id`

const selectCampaigns = `select ` + campaignColumns + ` from campaign c
	join access_review d on d.id = c.review_id
	join access_review_version v on v.review_id = c.review_id and v.version = c.version `

// campaignItemColumns are an item i with its reviewer w and its present removal m.
// Whoever is no more than a reviewer must not be shown control.
const campaignItemColumns = `i.id, i.campaign_id, i.version, i.facts, i.context,
	jsonb_build_object('answer', i.recommended, 'reasons', i.recommended_for) as recommendation,
	jsonb_build_object('level', i.risk, 'score', i.score, 'reasons', i.risk_for) as risk,
	i.state, i.stage, i.reviewer_id, coalesce(nullif(w.name, ''), w.email, '') as reviewer, i.place as position, i.assigned_at, i.escalate_at,
	i.answer, i.reason, i.decided_by, i.decided_at, i.why, i.control <> '' as control, i.removal_id, coalesce(m.state, '') as removal, i.updated_at`

const selectCampaignItems = `select ` + campaignItemColumns + ` from campaign_item i
	left join person w on w.id = i.reviewer_id
	left join campaign_removal m on m.id = i.removal_id `

func loadCampaign(ctx context.Context, q querier, id schema.CampaignID) (schema.Campaign, error) {
	c, ok, err := maybe[schema.Campaign](ctx, q, selectCampaigns+`where c.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no campaign " + string(id), Fix: "sendoff review list shows all campaigns"}
	}
	return c, err
}

func loadCampaignItem(ctx context.Context, q querier, campaign schema.CampaignID, id schema.ItemID) (schema.CampaignItem, error) {
	i, ok, err := maybe[schema.CampaignItem](ctx, q, selectCampaignItems+`where i.id = @id and i.campaign_id = @campaign`, args{"id": id, "campaign": campaign})
	if err == nil && !ok {
		err = &schema.Error{
			Code: schema.CodeNotFound, Message: "the campaign has no item " + string(id), Fix: "sendoff review items " + string(campaign) + " lists its items",
		}
	}
	return i, err
}

// lockCampaign locks a campaign, and the batch that holds it before: who decides
// about a batch locks it first. Items and removals are locked after it.
func (t *tx) lockCampaign(ctx context.Context, id schema.CampaignID) (schema.Campaign, error) {
	for _, sql := range []string{
		`select 1 from batch where id = (select batch_id from campaign where id = @id) for no key update`,
		`select 1 from campaign where id = @id for no key update`,
	} {
		if err := t.run(ctx, sql, args{"id": id}); err != nil {
			return schema.Campaign{}, err
		}
	}
	return loadCampaign(ctx, t, id)
}

// shareCampaign keeps a campaign in its state until the transaction ends, beside
// others that do the same: reviewers do not wait for each other.
func (t *tx) shareCampaign(ctx context.Context, id schema.CampaignID) (schema.Campaign, error) {
	if err := t.run(ctx, `select 1 from campaign where id = @id for share`, args{"id": id}); err != nil {
		return schema.Campaign{}, err
	}
	return loadCampaign(ctx, t, id)
}

// moveCampaign moves a locked campaign by compare-and-set, with more that is set:
// its statements begin with a comma, their arguments are in a. One that moves goes on.
func (t *tx) moveCampaign(ctx context.Context, c *schema.Campaign, to schema.CampaignState, set string, a args) error {
	if !c.State.CanMove(to) {
		return staleCampaign(*c)
	}
	a["id"], a["from"], a["to"] = c.ID, c.State, to
	c.State = to
	if err := t.changeOne(ctx, `update campaign set state = @to`+set+` where id = @id and state = @from`, a); err != nil {
		return err
	}
	return t.clearStumbling(ctx, c.ID)
}

// staleCampaign is the error for a campaign that is in another state by now.
func staleCampaign(c schema.Campaign) error {
	return &schema.Error{Code: schema.CodeStale, Message: "the campaign is " + string(c.State) + " by now", Fix: "read it again"}
}

// recordCampaign appends an event about a campaign to its stream.
func (t *tx) recordCampaign(c schema.Campaign, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.CampaignStream(string(c.ID)), actor, action, audit.Subject{PolicyID: string(c.ReviewID), CampaignID: string(c.ID)},
		with(details, "review", c.Review, "version", strconv.Itoa(c.Version)))
}

// tellCampaign lets the workflow of a campaign look at it again.
func (t *tx) tellCampaign(ctx context.Context, id schema.CampaignID) error {
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxCampaign, CampaignID: id})
}
