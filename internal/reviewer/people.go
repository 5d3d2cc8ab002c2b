package reviewer

import "sendoff/schema"

// people are those whom a candidate names, before it is asked who of them may
// decide; for nobody, why.
func (s *search) people(kind schema.ReviewerKind) (list []schema.PersonID, none reason) {
	switch kind {
	case schema.ReviewerManager:
		return one(s.item.ManagerID)
	case schema.ReviewerManagersManager:
		return s.managersManager()
	case schema.ReviewerAppOwner:
		return one(s.dir.AppOwners[s.item.ConnectionID])
	case schema.ReviewerEntitlementOwner:
		if s.item.Group == (schema.GroupKey{}) {
			return nil, nobodyKnown
		}
		return s.dir.GroupOwners[s.item.Group], nobodyKnown
	case schema.ReviewerNamed, schema.ReviewerGroup:
		return s.dir.Candidates[schema.CandidateKey{Stage: s.item.Stage, Place: s.place}], nobodyKnown
	case schema.ReviewerOwner:
		return one(s.dir.Owner)
	}
	return nil, nobodyKnown
}

// managersManager ends where people manage themselves, or are managed by whom they
// manage: roster data has both.
func (s *search) managersManager() ([]schema.PersonID, reason) {
	manager, ok := s.person(s.item.ManagerID)
	if !ok {
		return nil, nobodyKnown
	}
	above, ok := s.person(manager.ID)
	if ok {
		above, ok = s.person(above.ManagerID)
	}
	switch {
	case !ok:
		return nil, nobodyKnown
	case above.ID == manager.ID || above.ID == s.id(s.item.HolderID):
		return nil, cycle
	}
	return []schema.PersonID{above.ID}, ""
}

func one(id schema.PersonID) ([]schema.PersonID, reason) {
	if id == "" {
		return nil, nobodyKnown
	}
	return []schema.PersonID{id}, ""
}
