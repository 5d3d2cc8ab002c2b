package reviewer

import (
	"cmp"
	"slices"
	"strings"

	"sendoff/schema"
)

// person looks somebody up; an id that was merged into another leads to that one.
func (c *Chooser) person(id schema.PersonID) (schema.Colleague, bool) {
	p, ok := c.dir.People[id]
	if !ok || id == "" {
		return schema.Colleague{}, false
	}
	if p.ID == "" {
		p.ID = id
	}
	if kept, merged := c.dir.People[p.ID]; merged && p.ID != id {
		kept.ID = p.ID
		return kept, true
	}
	return p, true
}

// id is the id that a person is known by now.
func (c *Chooser) id(of schema.PersonID) schema.PersonID {
	if p, ok := c.person(of); ok {
		return p.ID
	}
	return of
}

// reach is the way from who was asked to who may decide: to themselves, or over
// delegates of those who are absent. It is nil for nobody, and then the search
// says why.
func (s *search) reach(said string, id schema.PersonID) []schema.PersonID {
	return s.walk(said, id, map[schema.PersonID]bool{})
}

// walk tries each person once: whether somebody may decide does not depend on who
// handed the item on, so delegations in a circle end.
func (s *search) walk(said string, id schema.PersonID, tried map[schema.PersonID]bool) []schema.PersonID {
	p, ok := s.person(id)
	if !ok {
		s.why.add(said, unknown)
		return nil
	}
	if tried[p.ID] {
		return nil
	}
	tried[p.ID] = true
	if bar := s.barred(p); bar != "" {
		s.why.add(said, bar)
		return nil
	}
	away := s.absences(p)
	if len(away) == 0 {
		if busy := s.taken(p); busy != "" {
			s.why.add(said, busy)
			return nil
		}
		return []schema.PersonID{p.ID}
	}
	for _, a := range away {
		if a.DelegateID == "" {
			continue
		}
		of := "delegate of " + strings.TrimPrefix(said, "delegate of ")
		if path := s.walk(of, a.DelegateID, tried); path != nil {
			return append([]schema.PersonID{p.ID}, path...)
		}
	}
	s.why.add(said, absent)
	return nil
}

// barred says why somebody may neither decide about the item nor hand it on.
func (s *search) barred(p schema.Colleague) reason {
	switch {
	case s.holds(p):
		return holds
	case p.Left:
		return left
	case slices.ContainsFunc(s.item.Deciders, func(d schema.PersonID) bool { return s.id(d) == p.ID }):
		return decided
	}
	return ""
}

// taken says why somebody who is there does not get the item. A past reviewer who
// is absent may still hand it on, and so may one who has enough. Whom a principal
// names gets it all the same: that is somebody's decision, with a reason.
func (s *search) taken(p schema.Colleague) reason {
	switch {
	case s.naming && p.ID == s.id(s.item.To):
		return ""
	case slices.ContainsFunc(s.item.Past, func(d schema.PersonID) bool { return s.id(d) == p.ID }):
		return past
	case s.cap > 0 && s.dir.Load[p.ID] >= s.cap && !s.last && p.ID != s.id(s.dir.Owner):
		return load
	}
	return ""
}

// holds tells whether somebody counts as a holder of the item's account: because it
// is or was known to be theirs, by a login that is one of their addresses, or as a
// second record of a holder, which shares an address with theirs.
func (s *search) holds(p schema.Colleague) bool {
	if s.same(p, s.item.HolderID) || slices.ContainsFunc(s.item.Holders, func(h schema.PersonID) bool { return s.same(p, h) }) {
		return true
	}
	return slices.ContainsFunc(p.Emails, func(address string) bool {
		return slices.ContainsFunc(s.item.Logins, func(login string) bool { return strings.EqualFold(address, login) })
	})
}

// holderSet tells whether a holder of the item's account set an absence: they would
// choose who decides about them.
func (s *search) holderSet(a schema.Absence) bool {
	p, ok := s.person(a.SetBy)
	if !ok {
		p.ID = a.SetBy
	}
	return a.SetBy != "" && s.holds(p)
}

// same tells whether somebody is the person of an id, or another record of them.
func (c *Chooser) same(p schema.Colleague, id schema.PersonID) bool {
	if id == "" {
		return false
	}
	other, _ := c.person(id)
	return p.ID == id || p.ID == other.ID || slices.ContainsFunc(p.Emails, func(address string) bool {
		return slices.ContainsFunc(other.Emails, func(o string) bool { return strings.EqualFold(address, o) })
	})
}

// absences are those that hold now, the one that began last first. For an item about
// an account of whoever set one it does not hold: it would choose who decides.
func (s *search) absences(p schema.Colleague) []schema.Absence {
	var list []schema.Absence
	for _, a := range p.Absences {
		if a.Covers(s.now) && !s.holderSet(a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b schema.Absence) int {
		return cmp.Or(b.From.Compare(a.From), cmp.Compare(a.ID, b.ID), cmp.Compare(a.DelegateID, b.DelegateID))
	})
	return list
}
