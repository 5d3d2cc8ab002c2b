package activities

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// aheadBudget bounds the reading ahead of one plan.
const aheadBudget = 20 * time.Minute

// ReadAhead reads, before a dated case is due, who the items of its accounts are
// shared with: there is time for all of them then. It is evidence and stands in
// nobody's way: what cannot be read now is left to the snapshot.
func (a *Activities) ReadAhead(ctx context.Context, in CaseInput) error {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySync)
	plans, err := a.store.CasePlans(ctx, in.CaseID)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if p.State != schema.PlanPlanned || p.Deep != nil || !policy.EffectsOf(p.Facts.Steps).MovesContent {
			continue
		}
		d, err := a.readDeep(ctx, p)
		switch connectors.KindOf(err) {
		case connectors.RateLimited, connectors.Unavailable:
			return err // later
		}
		if err != nil {
			continue
		}
		if err := a.store.SaveDeep(ctx, p.ID, d); err != nil {
			return err
		}
	}
	return nil
}

func (a *Activities) readDeep(ctx context.Context, p schema.Plan) (schema.DeepRead, error) {
	d := schema.DeepRead{TakenAt: a.now().UTC()}
	w, err := a.open(ctx, schema.StepRef{PlanID: p.ID}, p)
	if err != nil {
		return d, err
	}
	reader, err := connectors.Capability[connectors.ContentReader](w.c, "read_content")
	if err != nil {
		return d, err
	}
	items, _, err := reader.RootItems(ctx, w.source())
	if err != nil {
		return d, err
	}
	d.Total = len(items)
	deadline := d.TakenAt.Add(aheadBudget)
	for _, item := range items {
		if item.Type == "web_link" {
			continue
		}
		if a.now().After(deadline) {
			break
		}
		shared, err := reader.ItemCollaborations(ctx, w.source(), item)
		switch connectors.KindOf(err) {
		case connectors.NotFound, connectors.Forbidden:
			continue
		}
		if err != nil {
			return d, err
		}
		d.Items = append(d.Items, item.ID)
		d.Collabs = append(d.Collabs, shared...)
	}
	return d, nil
}

// readBefore is what was read ahead, by item; nil when nothing was.
func readBefore(d *schema.DeepRead) map[schema.ExternalID][]schema.SharedBy {
	if d == nil {
		return nil
	}
	known := make(map[schema.ExternalID][]schema.SharedBy, len(d.Items))
	for _, id := range d.Items {
		known[id] = nil
	}
	for _, c := range d.Collabs {
		known[c.ItemID] = append(known[c.ItemID], c)
	}
	return known
}
