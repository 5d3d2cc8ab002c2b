package reviewer

import (
	"cmp"
	"slices"
	"time"

	"sendoff/schema"
)

// Chooser finds reviewers for the items of a campaign, one after the other. Each
// choice raises the load of who was chosen in the directory, so the same items in
// the same order have the same reviewers.
type Chooser struct {
	stages []schema.ReviewStage
	cap    int
	dir    *schema.Directory
	now    time.Time
}

// New makes a chooser for the items of a campaign as of now. It writes to the
// directory's loads and to nothing else of it.
func New(rule schema.AccessReviewRule, dir *schema.Directory, now time.Time) *Chooser {
	if dir.Load == nil {
		dir.Load = map[schema.PersonID]int{}
	}
	return &Chooser{stages: rule.Stages, cap: rule.LoadCap, dir: dir, now: now}
}

// Choose finds the reviewer of an item: who a principal named, if they may decide;
// else the first place in the stage's chain, from the item's on, that names somebody
// who may; else the campaign's owner.
func (c *Chooser) Choose(item schema.Unassigned) schema.Assignment {
	s := search{Chooser: c, item: item}
	if item.Stage >= 0 && item.Stage < len(c.stages) {
		s.chain = c.stages[item.Stage].Who
	}
	found, ok := s.find()
	out := schema.Assignment{ItemID: item.ItemID, Version: item.Version, Stage: item.Stage, From: item.From, To: item.To, Place: s.place}
	if !ok {
		out.Place, out.Why = len(s.chain)+1, s.why.text(nobodyLeft)
		return out
	}
	out.ReviewerID, out.Via, out.Why = found.to, s.via(found), s.why.text("")
	c.dir.Load[found.to]++
	return out
}

// search is the way to the reviewer of one item.
type search struct {
	*Chooser
	item  schema.Unassigned
	chain []schema.ReviewerCandidate
	place int

	naming bool // looks at whom a principal named
	last   bool // at the campaign's owner
	why    reasons
}

// find is a person who may decide, and how they were found.
type find struct {
	to     schema.PersonID
	path   []schema.PersonID // from who was asked first to them: longer than one by delegates
	kind   schema.ReviewerKind
	choice bool // of several who may
	named  bool // by a principal
}

// find goes from place to place until somebody may have the item.
func (s *search) find() (found find, ok bool) {
	if found, ok = s.named(); ok {
		return found, true
	}
	for s.place = max(s.item.From, 0); s.place < len(s.chain); s.place++ {
		if found, ok = s.candidate(); ok {
			return found, true
		}
	}
	if s.place > len(s.chain) { // the owner had it
		return find{}, false
	}
	s.last = true
	return s.best(ownerPlace, []schema.PersonID{s.dir.Owner})
}

// named looks for who a principal reassigned the item to, also when they had it
// before or have as many as one may have. The place stays where the item was, so that
// an escalation goes on from there.
func (s *search) named() (find, bool) {
	if s.item.To == "" {
		return find{}, false
	}
	s.place = min(max(s.item.From, 0), len(s.chain))
	s.naming = true
	found, ok := s.best(reassigned, []schema.PersonID{s.item.To})
	s.naming, found.named = false, true
	return found, ok
}

// candidate looks at the search's place in the chain.
func (s *search) candidate() (find, bool) {
	if s.place >= len(s.item.Applies) || s.item.Applies[s.place] != '1' {
		return find{}, false
	}
	kind := s.chain[s.place].Whom
	people, none := s.people(kind)
	if len(people) == 0 {
		s.why.add(string(kind), none)
		return find{}, false
	}
	found, ok := s.best(string(kind), people)
	found.kind = kind
	return found, ok
}

// best chooses from people: of those who may decide, or whose delegate may, who has
// fewest items, then by id.
func (s *search) best(said string, people []schema.PersonID) (find, bool) {
	var all []find
	for _, id := range people {
		if path := s.reach(said, id); path != nil {
			all = append(all, find{to: path[len(path)-1], path: path})
		}
	}
	if len(all) == 0 {
		return find{}, false
	}
	found := slices.MinFunc(all, func(a, b find) int {
		return cmp.Or(cmp.Compare(s.dir.Load[a.to], s.dir.Load[b.to]), cmp.Compare(a.to, b.to), slices.Compare(a.path, b.path))
	})
	found.choice = slices.ContainsFunc(all, func(f find) bool { return f.to != found.to })
	return found, true
}

// via says hop by hop how an item came to its reviewer.
func (s *search) via(f find) []schema.Via {
	var list []schema.Via
	hop := func(from, to schema.PersonID, why string) {
		list = append(list, schema.Via{From: from, To: to, Why: why})
	}
	first := f.path[0]
	switch {
	case f.named:
		hop("", first, "reassigned")
	case s.item.From > 0 && len(s.item.Past) > 0:
		hop(s.item.Past[len(s.item.Past)-1], first, "escalation")
	case s.place > max(s.item.From, 0):
		hop("", first, "fallback")
	}
	switch f.kind {
	case schema.ReviewerManager:
		hop(s.item.HolderID, first, "manager")
	case schema.ReviewerManagersManager:
		hop(s.item.HolderID, s.item.ManagerID, "manager")
		hop(s.item.ManagerID, first, "manager")
	}
	if f.choice {
		hop("", first, "load")
	}
	for i, to := range f.path[1:] {
		hop(f.path[i], to, "delegate")
	}
	return list
}
