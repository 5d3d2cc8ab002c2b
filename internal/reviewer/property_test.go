package reviewer_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/reviewer"
	"sendoff/schema"
)

// oracle finds by brute force who may have an item: it spreads sets of people
// until they no longer grow, and knows people by who they truly are.
type oracle struct {
	*world
	item schema.Unassigned
	held map[int]bool
	load map[schema.PersonID]int
}

// out are people who neither decide nor hand on.
func (o oracle) out(id schema.PersonID) bool {
	i, known := o.records[id]
	return !known || o.held[i] || o.humans[i].left || slices.ContainsFunc(o.item.Deciders, func(d schema.PersonID) bool { return o.kept[d] == o.kept[id] })
}

func (o oracle) had(id schema.PersonID) bool {
	return slices.ContainsFunc(o.item.Past, func(d schema.PersonID) bool { return o.kept[d] == id })
}

// away tells whether somebody is absent by the word of anybody but a holder of the
// account.
func (o oracle) away(i int) bool {
	return slices.ContainsFunc(o.humans[i].delegates, func(d delegate) bool { return !o.chosen(d) })
}

// chosen tells whether an absence was set by a holder of the account.
func (o oracle) chosen(d delegate) bool {
	i, known := o.records[d.by]
	return known && o.held[i] || d.by == o.item.HolderID || slices.Contains(o.item.Holders, d.by)
}

// mayHave are all who may have the item when these people are asked. Whom a
// principal named may have it again, and beside as many as one may have.
func (o oracle) mayHave(asked []schema.PersonID, capped, named bool) map[schema.PersonID]bool {
	reached := map[schema.PersonID]bool{}
	for _, id := range asked {
		if !o.out(id) {
			reached[o.kept[id]] = true
		}
	}
	for grown := -1; grown != len(reached); {
		grown = len(reached)
		for id := range maps.Clone(reached) {
			for _, d := range o.humans[o.records[id]].delegates {
				if !o.out(d.to) && !o.chosen(d) {
					reached[o.kept[d.to]] = true
				}
			}
		}
	}
	maps.DeleteFunc(reached, func(id schema.PersonID, _ bool) bool {
		full := capped && o.rule.LoadCap > 0 && o.load[id] >= o.rule.LoadCap && id != o.kept[o.dir.Owner]
		wanted := named && id == o.kept[asked[0]]
		return o.away(o.records[id]) || !wanted && (full || o.had(id))
	})
	return reached
}

// asked are the people of a place.
func (o oracle) asked(place int) []schema.PersonID {
	if o.item.Applies[place] == '0' {
		return nil
	}
	manager := o.kept[o.item.ManagerID]
	switch o.rule.Stages[o.item.Stage].Who[place].Whom {
	case schema.ReviewerManager:
		return []schema.PersonID{manager}
	case schema.ReviewerManagersManager:
		above := o.kept[o.dir.People[manager].ManagerID]
		if above == manager {
			return nil
		}
		return []schema.PersonID{above}
	case schema.ReviewerAppOwner:
		return []schema.PersonID{o.dir.AppOwners["c1"]}
	case schema.ReviewerEntitlementOwner:
		return o.dir.GroupOwners[o.item.Group]
	case schema.ReviewerOwner:
		return []schema.PersonID{o.dir.Owner}
	}
	return o.dir.Candidates[schema.CandidateKey{Stage: o.item.Stage, Place: place}]
}

// expect is the place where the item must go, and who may have it there.
func (o oracle) expect() (int, map[schema.PersonID]bool) {
	chain := len(o.rule.Stages[o.item.Stage].Who)
	if named := o.mayHave([]schema.PersonID{o.item.To}, true, true); len(named) > 0 {
		return min(o.item.From, chain), named
	}
	for place := o.item.From; place < chain; place++ {
		if some := o.mayHave(o.asked(place), true, false); len(some) > 0 {
			return place, some
		}
	}
	if some := o.mayHave([]schema.PersonID{o.dir.Owner}, false, false); len(some) > 0 && o.item.From <= chain {
		return chain, some
	}
	return chain + 1, nil
}

func TestPromiseNobodyReviewsThemselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		o := oracle{world: w, load: maps.Clone(w.dir.Load)}
		chooser := reviewer.New(w.rule, &w.dir, now)
		for range rapid.IntRange(1, 4).Draw(t, "items") {
			o.item, o.held = w.drawItem(t)
			place, may := o.expect()
			got := chooser.Choose(o.item)
			require.Equal(t, place, got.Place, got.Why)
			require.Equal(t, len(may) == 0, got.ReviewerID == "", got.Why)
			if got.ReviewerID == "" {
				require.NotEmpty(t, got.Why)
				require.Empty(t, got.Via)
				continue
			}
			o.allowed(t, got, may)
			o.load[got.ReviewerID]++
			require.Equal(t, o.load, w.dir.Load)
		}
	})
}

// allowed says once more, without the way that was taken, what may never be.
func (o oracle) allowed(t *rapid.T, got schema.Assignment, may map[schema.PersonID]bool) {
	who := o.records[got.ReviewerID]
	require.False(t, o.held[who], "holds the account")
	require.False(t, o.humans[who].left, "has left")
	require.False(t, o.away(who), "is absent")
	for _, d := range o.item.Deciders {
		require.NotEqual(t, o.kept[d], got.ReviewerID, "decided in another stage")
	}
	for _, hop := range got.Via {
		if hop.Why == "delegate" {
			require.False(t, o.held[o.records[hop.From]], "a holder handed it on")
			require.True(t, slices.ContainsFunc(o.humans[o.records[hop.From]].delegates, func(d delegate) bool {
				return o.kept[d.to] == hop.To && !o.chosen(d)
			}), "a holder chose who decides")
		}
	}
	require.True(t, may[got.ReviewerID])
}

func TestTheSameItemsHaveTheSameReviewers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		var items []schema.Unassigned
		for range 5 {
			item, _ := w.drawItem(t)
			items = append(items, item)
		}
		choose := func() (list []schema.Assignment) {
			dir := w.dir
			dir.Load = maps.Clone(w.dir.Load)
			chooser := reviewer.New(w.rule, &dir, now)
			for _, item := range items {
				list = append(list, chooser.Choose(item))
			}
			return list
		}
		require.Equal(t, choose(), choose())
	})
}
