package evidence

import (
	"slices"
	"strconv"

	"sendoff/schema"
)

// First tells whether the evidence was signed in the first format, which has neither
// batches nor events.
func (p *pages) First() bool { return p.e.Format == schema.EvidenceFormatFirst }

// Doubts tells whether anybody's decisions are doubted.
func (p *pages) Doubts() bool {
	return slices.ContainsFunc(p.e.Reviewers, func(r schema.ReviewerStats) bool { return len(r.Alarms) > 0 })
}

// lookView is a second look with whose decisions it was at.
type lookView struct {
	schema.TakenLook
	Of string
}

// Looks are all second looks, by their reviewers; of the first format those that
// counted.
func (p *pages) Looks() []lookView {
	var out []lookView
	for _, r := range p.e.Reviewers {
		looks := r.Looks
		if p.First() && r.LookedBy != "" {
			looks = []schema.TakenLook{{By: r.LookedBy, At: r.LookedAt, Reason: r.LookReason, Decisions: r.LookedDecisions, Current: true}}
		}
		for _, l := range looks {
			out = append(out, lookView{l, reviewerName(r)})
		}
	}
	return out
}

// wordsOn are the words on a batch in order.
func wordsOn(b schema.EvidenceBatch) []schema.EvidenceRelease { return orderedBatch(b).Decisions }

// over says by how much a limit was exceeded.
func (p *pages) over(o schema.Overrun) string {
	of := ""
	if o.Subject != "" {
		of = " of " + p.connection(o.Subject)
	}
	return string(o.Limit) + of + ": " + strconv.FormatInt(o.Used, 10) + " used, " + strconv.FormatInt(o.Wanted, 10) + " wanted, " +
		strconv.FormatInt(o.Allowed, 10) + " allowed"
}

func (p *pages) connection(id schema.ConnectionID) string {
	for _, b := range p.e.Campaign.Basis {
		if b.ConnectionID == id {
			return b.Connection
		}
	}
	return string(id)
}

// Discarded is why sendoff discarded a batch by itself; "" when it did not.
func (p *pages) Discarded(id schema.BatchID) string {
	for _, e := range p.e.Events {
		if e.Action == "batch.discarded" && detail(e, "batch") == string(id) {
			return detail(e, "reason")
		}
	}
	return ""
}

func detail(e schema.EvidenceEvent, name string) string {
	for _, d := range e.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// details are what the page tells of an event: people by their names, and neither what
// stands above nor long lists of ids, which JSON has.
func (p *pages) details(e schema.EvidenceEvent) []schema.EvidenceDetail {
	var out []schema.EvidenceDetail
	for _, d := range e.Details {
		switch d.Name {
		case "review", "version", "item_ids", "removal_ids", "scope", "scope_id":
			continue
		}
		if name := p.people[schema.PersonID(d.Value)]; name != "" {
			d.Value = name
		}
		if d.Value != "" {
			out = append(out, d)
		}
	}
	return out
}
