package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// removal says what a word does to the removal of its item. One that has not
// started is withdrawn by whoever gathers removals; one that has is cancelled in
// the reviewer's name, while that can still be.
func (j *judge) removal(ctx context.Context, t *takenWord) error {
	i, again := t.item, t.to.answer == schema.AnswerRevoke
	if i.RemovalID == "" || t.to.stays {
		return nil
	}
	switch {
	case again && i.Removal.Ended():
		t.to.drop = true
	case again && i.Answer != schema.AnswerRevoke && i.Removal == schema.RemovalStarted:
		return conflict("what was revoked before is being given back", "decide again once that has ended")
	case !again && i.Answer == schema.AnswerRevoke && i.Removal == schema.RemovalStarted:
		j.tell = true
		return j.cancelRemoval(ctx, i, t.Reason)
	case !again && i.Answer == schema.AnswerRevoke:
		j.tell = true
	}
	return nil
}

// cancelRemoval cancels the case of a removal in the reviewer's name. CodeConflict
// when it has ended, or its irreversible step has begun.
func (j *judge) cancelRemoval(ctx context.Context, i liveItem, reason string) error {
	if _, err := j.lockCase(ctx, i.CaseID); err != nil {
		return err
	}
	if err := j.run(ctx, `select 1 from (select id from plan where case_id = @case order by id for no key update) as locked`, args{"case": i.CaseID}); err != nil {
		return err
	}
	p, err := one[struct{ Open, Stopping, Late bool }](ctx, j, `select coalesce(bool_or(open), false) as open, coalesce(bool_or(open and stopping), false) as stopping,
			coalesce(bool_or(exists (select 1 from plan_step s where s.plan_id = p.id and s.kind = 'delete' and s.state in ('running', 'done'))), false) as late
		from (select id, stopping, state not in ('done', 'cancelled', 'superseded') as open from plan where case_id = @case) p`, args{"case": i.CaseID})
	switch {
	case err != nil:
		return err
	case !p.Open, p.Late:
		return conflict("the removal can no longer be undone", "ask an operator to give the access back by hand")
	case p.Stopping:
		return nil
	}
	if reason == "" {
		reason = "the reviewer corrected the decision"
	}
	d := schema.Decision{CaseID: i.CaseID, Kind: schema.DecideCancel, Reason: reason, Receivers: []string{}, Principal: j.by.Name, TokenID: j.by.TokenID}
	if d.ID, err = newID[schema.DecisionID](); err != nil {
		return err
	}
	return j.decide(ctx, &d, j.by)
}

// write writes what the words of a transaction came to.
func (j *judge) write(ctx context.Context) error {
	b := &pgx.Batch{}
	queueFacts(b, j.stale, j.now)
	if len(j.taken) > 0 {
		j.queueDecisions(b)
		j.queueLandings(b)
	}
	if b.Len() > 0 {
		if err := j.SendBatch(ctx, b).Close(); err != nil {
			return raced(err)
		}
	}
	for _, f := range j.stale {
		j.recordFacts(f)
	}
	for _, t := range j.taken {
		j.recordWord(t)
	}
	if !j.tell {
		return nil
	}
	return j.wakeCampaign(ctx, j.c.ID)
}

func (j *judge) queueDecisions(b *pgx.Batch) {
	n := len(j.taken)
	ids, items, stages, versions := make([]schema.DecisionID, n), make([]schema.ItemID, n), make([]int, n), make([]int, n)
	answers, reasons, bulks := make([]string, n), make([]string, n), make([]bool, n)
	for k, t := range j.taken {
		ids[k], items[k], stages[k], versions[k] = t.ID, t.item.ID, t.stage, t.Version
		answers[k], reasons[k], bulks[k] = string(t.Answer), t.Reason, t.Bulk
	}
	b.Queue(`update campaign_decision d set current = false from unnest(@items::uuid[], @stages::int[]) as x(item, stage)
		where d.item_id = x.item and d.stage = x.stage and d.current`, args{"items": items, "stages": stages})
	b.Queue(`insert into campaign_decision (id, campaign_id, item_id, stage, version, answer, reason, bulk, principal, token_id, reviewer_id, decided_at)
		select x.id, @campaign, x.item, x.stage, x.version, x.answer, x.reason, x.bulk, @principal, @token, @reviewer, @at
		from unnest(@ids::uuid[], @items::uuid[], @stages::int[], @versions::int[], @answers::text[], @reasons::text[], @bulks::boolean[])
			as x(id, item, stage, version, answer, reason, bulk)`, args{
		"ids": ids, "items": items, "stages": stages, "versions": versions, "answers": answers, "reasons": reasons, "bulks": bulks,
		"campaign": j.c.ID, "principal": j.by.Name, "token": j.by.TokenID, "reviewer": j.me, "at": j.at,
	})
	// A second look was at what was decided then.
	b.Queue(`update campaign_reviewer set look_by = '', look_id = null, look_at = null, look_reason = '', look_decisions = 0
		where campaign_id = @campaign and reviewer_id = @reviewer and look_at is not null`, args{"campaign": j.c.ID, "reviewer": j.me})
}

// queueLandings moves the items. Who decided an item keeps being shown as its
// reviewer; one that needs another reviewer has none.
func (j *judge) queueLandings(b *pgx.Batch) {
	var moved []takenWord
	for _, t := range j.taken {
		if !t.to.stays {
			moved = append(moved, t)
		}
	}
	n := len(moved)
	if n == 0 {
		return
	}
	ids, states, stages, places := make([]schema.ItemID, n), make([]string, n), make([]int, n), make([]int, n)
	answers, reasons, decisions, drops, ends := make([]string, n), make([]string, n), make([]schema.DecisionID, n), make([]bool, n), make([]string, n)
	for k, t := range moved {
		ids[k], states[k], stages[k], places[k], answers[k], drops[k], ends[k] = t.item.ID, string(t.to.state), t.to.stage, t.to.place, string(t.to.answer), t.to.drop, t.to.end
		if t.to.state == schema.ItemDecided {
			reasons[k], decisions[k] = t.Reason, t.ID
		}
	}
	b.Queue(`update campaign_assignment s set ended_at = @now, end_why = x.why from unnest(@ids::uuid[], @ends::text[]) as x(id, why)
		where s.item_id = x.id and s.ended_at is null`, args{"ids": ids, "ends": ends, "now": j.now})
	b.Queue(`update campaign_item i set state = x.state, stage = x.stage, place = x.place, answer = x.answer, reason = x.reason, decision_id = x.decision,
			decided_by = case when x.decision is null then '' else @by end, decided_at = case when x.decision is not null then @at::timestamptz end,
			reviewer_id = case when x.decision is not null then @me::uuid end, assign_to = null, escalate_at = null, why = '',
			removal_id = case when x.drop then null else i.removal_id end, updated_at = @now
		from unnest(@ids::uuid[], @states::text[], @stages::int[], @places::int[], @answers::text[], @reasons::text[], @decisions::uuid[], @drops::boolean[])
			as x(id, state, stage, place, answer, reason, decision, drop)
		where i.id = x.id`, args{
		"ids": ids, "states": states, "stages": stages, "places": places, "answers": answers, "reasons": reasons, "decisions": decisions, "drops": drops,
		"by": j.by.Name, "at": j.at, "me": j.me, "now": j.now,
	})
}

// recordWord appends the record of a decision to the stream of its reviewer.
func (j *judge) recordWord(t takenWord) {
	details := map[string]string{
		"review": j.c.Review, "review_version": strconv.Itoa(j.c.Version), "version": strconv.Itoa(t.Version), "stage": strconv.Itoa(t.stage),
		"answer": string(t.Answer), "kind": string(t.item.Kind), "risk": string(t.item.Risk),
	}
	if t.Reason != "" {
		details["reason"] = t.Reason
	}
	if t.Bulk {
		details["bulk"] = "true"
	}
	if t.corrects {
		details["corrects"] = "true"
	}
	j.record(audit.ReviewerStream(string(j.c.ID), string(j.me)), principal(j.by), "campaign.item_decided", audit.Subject{
		PolicyID: string(j.c.ReviewID), CampaignID: string(j.c.ID), ItemID: string(t.item.ID), DecisionID: string(t.ID),
		AccountID: string(t.item.AccountID), PersonID: string(j.me),
	}, details)
}

// recordFacts appends to the stream of a reviewer the record of facts that were found
// to be others when they decided: the names of these, for the values are people's.
func (j *judge) recordFacts(n newFacts) {
	var names []string
	for _, d := range n.item.Facts.Differences(n.facts) {
		names = append(names, d.Fact)
	}
	j.record(audit.ReviewerStream(string(j.c.ID), string(j.me)), engine(), "campaign.items_changed", audit.Subject{
		PolicyID: string(j.c.ReviewID), CampaignID: string(j.c.ID), ItemID: string(n.item.ID), AccountID: string(n.item.AccountID),
	}, map[string]string{
		"review": j.c.Review, "review_version": strconv.Itoa(j.c.Version), "items": "1", "version": strconv.Itoa(n.item.Version + 1),
		"facts": strings.Join(names, " "), "held": strconv.FormatBool(n.facts.Held),
	})
}

// wakeCampaign is tellCampaign for what comes in great numbers: when a row waits
// that was written just now, it will do. It is held until the transaction ends, so
// that nobody takes it before what it tells of can be seen; a row that waits longer
// is left alone, so that it is not held for ever.
func (t *tx) wakeCampaign(ctx context.Context, id schema.CampaignID) error {
	rows, err := scalars[int64](ctx, t, `select id from outbox where campaign_id = @id and dispatched_at is null and tries = 0
			and created_at > @now::timestamptz - interval '2 seconds' order by id desc limit 1 for share skip locked`, args{"id": id, "now": t.now})
	if err != nil {
		return err
	}
	if t.wake = true; len(rows) > 0 {
		return nil
	}
	return t.tellCampaign(ctx, id)
}
