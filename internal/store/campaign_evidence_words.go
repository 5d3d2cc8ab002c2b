package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// evidenceBatches reads the batches that held removals of a campaign, with every word
// on them.
func evidenceBatches(ctx context.Context, q querier, id schema.CampaignID) ([]schema.EvidenceBatch, error) {
	rows, err := all[struct {
		batchRow
		Overruns []schema.Overrun
		Counted  []time.Time
	}](ctx, q, `select `+batchColumns+`, overruns, counted from batch where scope = @scope and scope_id = @id order by created_at, id`,
		args{"scope": schema.BatchOfAccessReview, "id": string(id)})
	if err != nil {
		return nil, err
	}
	list, place, ids := make([]schema.EvidenceBatch, len(rows)), make(map[schema.BatchID]int, len(rows)), make([]schema.BatchID, len(rows))
	for n, r := range rows {
		list[n], place[r.ID], ids[n] = schema.EvidenceBatch{
			ID: r.ID, State: r.State, Size: r.Size, Overruns: r.Overruns, HeldAt: r.CreatedAt, EndedAt: r.EndedAt, Decisions: []schema.EvidenceRelease{},
		}, n, r.ID
	}
	said, err := decisionsOn(ctx, q, ids)
	for _, d := range said {
		n := place[d.BatchID]
		list[n].Decisions = append(list[n].Decisions, schema.EvidenceRelease{BatchDecision: d.BatchDecision, Counts: endedBy(rows[n].batchRow, rows[n].Counted, d.BatchDecision)})
	}
	return list, err
}

// endedBy tells whether a batch ended by a word on it. Of one that ended before that was
// kept, it follows from who saw all of it.
func endedBy(b batchRow, counted []time.Time, d schema.BatchDecision) bool {
	switch {
	case counted != nil:
		return slices.ContainsFunc(counted, d.CreatedAt.Equal)
	case b.State != d.Kind:
		return false
	}
	return d.Kind == schema.BatchDiscarded || d.Size >= b.Size && !d.CreatedAt.Before(b.GrownAt)
}

// evidenceActions are the actions of the engine that the evidence tells of, besides all
// that people did. What is done for each item or removal is not among them: the items
// and removals tell of that, and there are tens of thousands.
func evidenceActions() []string {
	return []string{
		"batch.discarded", "batch.held", "campaign.begun", "campaign.closed", "campaign.closing", "campaign.discarded",
		"campaign.ended", "campaign.joined", "campaign.listed",
		"campaign.listing", "campaign.open", "campaign.over_budget", "campaign.recounted", "campaign.released", "campaign.removing", "campaign.silence",
	}
}

// evidenceEvents reads what was done with a campaign as a whole from its audit stream,
// where bodies do not change.
func evidenceEvents(ctx context.Context, q querier, id schema.CampaignID) ([]schema.EvidenceEvent, error) {
	rows, err := all[struct {
		Seq        int64
		Hash, Body []byte
	}](ctx, q, `select r.seq, r.hash, r.body from audit_record r cross join lateral (select convert_from(r.body, 'UTF8')::json as body) e
		where r.stream = @stream and (e.body->>'action' = any(@actions) or e.body->'actor'->>'kind' <> @engine) order by r.seq`,
		args{"stream": audit.CampaignStream(string(id)), "actions": evidenceActions(), "engine": string(audit.ActorEngine)})
	if err != nil {
		return nil, err
	}
	list := make([]schema.EvidenceEvent, len(rows))
	for n, r := range rows {
		e, err := audit.ParseEvent(r.Body)
		if err != nil {
			return nil, err
		}
		list[n] = schema.EvidenceEvent{
			Seq: r.Seq, At: e.At, Action: e.Action, By: e.Actor.Name, TokenID: schema.TokenID(e.Actor.ID), Details: detailsOf(e.Details), Hash: audit.Hash(r.Hash).String(),
		}
	}
	return list, nil
}

func detailsOf(m map[string]string) []schema.EvidenceDetail {
	list := make([]schema.EvidenceDetail, 0, len(m))
	for name, value := range m {
		list = append(list, schema.EvidenceDetail{Name: name, Value: value})
	}
	slices.SortFunc(list, func(a, b schema.EvidenceDetail) int { return strings.Compare(a.Name, b.Name) })
	return list
}
