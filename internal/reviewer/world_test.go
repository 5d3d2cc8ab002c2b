package reviewer_test

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"sendoff/schema"
)

var now = time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)

// human is somebody as they truly are, whatever records there are of them.
type human struct {
	id        schema.PersonID
	addresses []string
	left      bool
	away      bool
	delegates []delegate // of the times they are away, also those in which nobody decides for them
}

// delegate is who decides for somebody (empty = nobody), and who said so.
type delegate struct{ to, by schema.PersonID }

// world is a random directory with the truth about it.
type world struct {
	humans  []human
	records map[schema.PersonID]int             // every id there is, to the human behind it
	kept    map[schema.PersonID]schema.PersonID // every id, to the one it is known by
	dir     schema.Directory
	rule    schema.AccessReviewRule
}

func (w *world) anybody(t *rapid.T, label string) schema.PersonID {
	ids := []schema.PersonID{"ghost"}
	for i := range w.humans {
		ids = append(ids, w.humans[i].id, schema.PersonID("old"+strconv.Itoa(i)), schema.PersonID("twin"+strconv.Itoa(i)))
	}
	return rapid.SampledFrom(ids).Draw(t, label)
}

func (w *world) several(t *rapid.T, label string, most int) []schema.PersonID {
	var list []schema.PersonID
	for range rapid.IntRange(0, most).Draw(t, label) {
		list = append(list, w.anybody(t, label))
	}
	return list
}

// drawWorld makes people with second addresses, merged ids and twins (second
// records of one human, which nobody merged), who manage and stand in for anybody.
func drawWorld(t *rapid.T) *world {
	w := &world{records: map[schema.PersonID]int{}, kept: map[schema.PersonID]schema.PersonID{}}
	for i := range rapid.IntRange(1, 6).Draw(t, "humans") {
		n := strconv.Itoa(i)
		var addresses []string
		if rapid.IntRange(0, 3).Draw(t, "addresses") > 0 {
			addresses = []string{"h" + n + "@example.com", "before" + n + "@example.com"}
		}
		w.humans = append(w.humans, human{
			id: schema.PersonID("p" + n), addresses: addresses,
			left: rapid.IntRange(0, 4).Draw(t, "left") == 0, away: rapid.IntRange(0, 2).Draw(t, "away") == 0,
		})
	}
	w.dir = schema.Directory{
		People: map[schema.PersonID]schema.Colleague{}, AppOwners: map[schema.ConnectionID]schema.PersonID{},
		GroupOwners: map[schema.GroupKey][]schema.PersonID{}, Candidates: map[schema.CandidateKey][]schema.PersonID{}, Load: map[schema.PersonID]int{},
	}
	for i := range w.humans {
		w.record(t, i)
	}
	w.dir.Owner = w.anybody(t, "owner")
	w.dir.AppOwners["c1"] = w.anybody(t, "app owner")
	w.dir.GroupOwners[schema.GroupKey{ConnectionID: "c1", GroupID: "g1"}] = w.several(t, "group owners", 2)
	w.stages(t)
	return w
}

func (w *world) record(t *rapid.T, i int) {
	h := &w.humans[i]
	old, twin := schema.PersonID("old"+strconv.Itoa(i)), schema.PersonID("twin"+strconv.Itoa(i))
	w.records[h.id], w.kept[h.id] = i, h.id
	w.records[old], w.kept[old] = i, h.id
	c := schema.Colleague{ID: h.id, Emails: h.addresses, ManagerID: w.anybody(t, "manager"), Left: h.left, Absences: w.absences(t, h)}
	w.dir.People[h.id], w.dir.People[old] = c, c
	w.dir.Load[h.id] = rapid.IntRange(0, 3).Draw(t, "load")
	if len(h.addresses) == 0 {
		return // nothing says of whom a twin would be one
	}
	c.ID = twin
	w.records[twin], w.kept[twin], w.dir.People[twin] = i, twin, c
	w.dir.Load[twin] = rapid.IntRange(0, 3).Draw(t, "load")
}

// absences are ones of another time, and for who is away some that hold.
func (w *world) absences(t *rapid.T, h *human) []schema.Absence {
	other := w.anybody(t, "delegate of another time")
	list := []schema.Absence{
		{ID: "a1", From: now.Add(-48 * time.Hour), Until: now, DelegateID: other},
		{ID: "a2", From: now.Add(time.Second), DelegateID: other},
		{ID: "a3", From: now.Add(-time.Hour), DelegateID: other, EndedAt: now.Add(-time.Minute)},
	}[rapid.IntRange(0, 3).Draw(t, "other times"):]
	if !h.away {
		return list
	}
	for k := range rapid.IntRange(1, 2).Draw(t, "absences") {
		a := schema.Absence{ID: "b" + strconv.Itoa(k), From: now.Add(-time.Duration(k) * time.Hour)}
		if rapid.Bool().Draw(t, "until") {
			a.Until = now.Add(time.Second)
		}
		if rapid.IntRange(0, 3).Draw(t, "with delegate") > 0 {
			a.DelegateID = w.anybody(t, "delegate")
		}
		if a.SetBy = h.id; rapid.Bool().Draw(t, "by another") {
			a.SetBy = w.anybody(t, "set by")
		}
		h.delegates = append(h.delegates, delegate{a.DelegateID, a.SetBy})
		list = append(list, a)
	}
	return list
}

func (w *world) stages(t *rapid.T) {
	w.rule.LoadCap = rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "cap")
	kinds := []schema.ReviewerKind{
		schema.ReviewerManager, schema.ReviewerManagersManager, schema.ReviewerAppOwner, schema.ReviewerEntitlementOwner,
		schema.ReviewerNamed, schema.ReviewerGroup, schema.ReviewerOwner,
	}
	for s := range rapid.IntRange(1, 2).Draw(t, "stages") {
		stage := schema.ReviewStage{}
		for p := range rapid.IntRange(0, 4).Draw(t, "places") {
			c := schema.ReviewerCandidate{Whom: rapid.SampledFrom(kinds).Draw(t, "kind")}
			stage.Who = append(stage.Who, c)
			if c.Whom == schema.ReviewerNamed || c.Whom == schema.ReviewerGroup {
				w.dir.Candidates[schema.CandidateKey{Stage: s, Place: p}] = w.several(t, "candidates", 4)
			}
		}
		w.rule.Stages = append(w.rule.Stages, stage)
	}
}

// drawItem draws an item and the humans who hold its account.
func (w *world) drawItem(t *rapid.T) (schema.Unassigned, map[int]bool) {
	item := schema.Unassigned{
		ItemID: "i", Version: 1, Stage: rapid.IntRange(0, len(w.rule.Stages)-1).Draw(t, "stage"), ConnectionID: "c1",
		Deciders: w.several(t, "deciders", 2), Past: w.several(t, "past", 2),
	}
	held := map[int]bool{}
	if rapid.IntRange(0, 3).Draw(t, "held") > 0 {
		item.HolderID = w.anybody(t, "holder")
		if i, ok := w.records[item.HolderID]; ok {
			held[i] = true
			item.ManagerID = w.dir.People[item.HolderID].ManagerID
		}
	}
	item.Holders = w.several(t, "held before", 2)
	for i := range w.humans {
		for _, d := range w.humans[i].delegates {
			if rapid.IntRange(0, 3).Draw(t, "named by a holder") == 0 {
				item.Holders = append(item.Holders, d.by)
			}
		}
	}
	for _, h := range item.Holders {
		if i, ok := w.records[h]; ok {
			held[i] = true
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "logins") {
		i := rapid.IntRange(0, len(w.humans)-1).Draw(t, "login of")
		if len(w.humans[i].addresses) > 0 {
			item.Logins = append(item.Logins, rapid.SampledFrom(w.humans[i].addresses).Draw(t, "login"))
			held[i] = true
		}
	}
	if rapid.Bool().Draw(t, "of a group") {
		item.Group = schema.GroupKey{ConnectionID: "c1", GroupID: "g1"}
	}
	chain := len(w.rule.Stages[item.Stage].Who)
	for range chain {
		item.Applies += rapid.SampledFrom([]string{"1", "1", "1", "0"}).Draw(t, "applies")
	}
	item.From = rapid.IntRange(0, chain+1).Draw(t, "from")
	if rapid.IntRange(0, 3).Draw(t, "reassigned") == 0 {
		item.To = w.anybody(t, "to")
	}
	return item, held
}
