package evidence

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// ordered is the evidence in the order that all formats have, whatever order it was
// read in. Neither e nor its lists are changed.
func ordered(e schema.CampaignEvidence) schema.CampaignEvidence {
	c := &e.Campaign
	c.Basis = sorted(c.Basis, func(a, b schema.PopulationBasis) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.ConnectionID, b.ConnectionID))
	})
	c.Accounts, c.Persons = sorted(c.Accounts, cmp.Compare), sorted(c.Persons, cmp.Compare)
	e.Counts.States = sorted(e.Counts.States, func(a, b schema.StateCount) int { return cmp.Compare(a.State, b.State) })
	e.Counts.Answers = sorted(e.Counts.Answers, func(a, b schema.AnswerCount) int { return cmp.Compare(a.Answer, b.Answer) })
	e.Counts.Risks = sorted(e.Counts.Risks, func(a, b schema.RiskCount) int { return cmp.Compare(a.Risk, b.Risk) })
	e.Counts.Removals = sorted(e.Counts.Removals, func(a, b schema.RemovalCount) int { return cmp.Compare(a.State, b.State) })
	e.Batches = sorted(e.Batches, func(a, b schema.EvidenceBatch) int {
		return cmp.Or(times(a.HeldAt, b.HeldAt), cmp.Compare(a.ID, b.ID))
	})
	e.Events = sorted(e.Events, func(a, b schema.EvidenceEvent) int { return cmp.Compare(a.Seq, b.Seq) })
	e.Reviewers = sorted(e.Reviewers, func(a, b schema.ReviewerStats) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Email, b.Email), cmp.Compare(a.ReviewerID, b.ReviewerID))
	})
	e.Items = sorted(e.Items, func(a, b schema.EvidenceItem) int {
		return cmp.Or(cmp.Compare(b.Risk.Score, a.Risk.Score), cmp.Compare(a.ID, b.ID))
	})
	e.Removals = sorted(e.Removals, func(a, b schema.Removal) int {
		return cmp.Or(times(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	e.Returns = sorted(e.Returns, func(a, b schema.Return) int {
		return cmp.Or(times(a.SeenAt, b.SeenAt), cmp.Compare(a.ItemID, b.ItemID))
	})
	return e
}

// orderedBatch is a batch with its list in order.
func orderedBatch(b schema.EvidenceBatch) schema.EvidenceBatch {
	b.Decisions = sorted(b.Decisions, func(a, b schema.EvidenceRelease) int {
		return cmp.Or(times(a.CreatedAt, b.CreatedAt), cmp.Compare(a.Principal, b.Principal))
	})
	return b
}

// orderedItem is an item with its lists in order.
func orderedItem(i schema.EvidenceItem) schema.EvidenceItem {
	i.Shown = sorted(i.Shown, func(a, b schema.ShownFacts) int { return cmp.Compare(a.Version, b.Version) })
	i.Decisions = sorted(i.Decisions, func(a, b schema.CampaignDecision) int {
		// Two of one call have the same instant; that of one that waited for another is the
		// earlier one.
		return cmp.Or(cmp.Compare(a.Number, b.Number), times(a.DecidedAt, b.DecidedAt), cmp.Compare(a.ID, b.ID))
	})
	i.Assignments = sorted(i.Assignments, func(a, b schema.AssignmentRow) int {
		return cmp.Or(times(a.At, b.At), cmp.Compare(a.Stage, b.Stage))
	})
	return i
}

func times(a, b time.Time) int { return a.Compare(b) }

// sorted is a list in order, as another one unless it is in order already.
func sorted[T any](list []T, compare func(a, b T) int) []T {
	if slices.IsSortedFunc(list, compare) {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, compare)
	return list
}
