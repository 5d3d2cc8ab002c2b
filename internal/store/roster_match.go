package store

import (
	"slices"
	"time"

	"sendoff/schema"
)

// holder is who has an address.
type holder struct {
	person   schema.PersonID
	verified bool
	employed bool // some source tells of them
}

// rosterFacts is what is known before a roster is applied.
type rosterFacts struct {
	today     schema.Date
	known     map[string]*schema.Employment // of the source, by external id
	addresses map[string]holder             // of those in the roster
	withCases map[schema.PersonID]bool
}

// rosterWrite is an employment that is added or changed.
type rosterWrite struct {
	schema.Employment
	entry schema.RosterEntry
}

// personMerge makes one person of two.
type personMerge struct{ keep, lose schema.PersonID }

// rosterPlan is what a roster comes to.
type rosterPlan struct {
	writes    []rosterWrite
	people    []schema.PersonID // new ones
	merges    []personMerge
	issues    []schema.PersonIssue
	absent    []string
	unchanged int
	persons   map[string]schema.PersonID // of the roster's rows that are somebody's, by external id
}

// matcher decides whose employment each row is (docs/people.md). It guesses
// nothing: what evidence leaves open is an issue, and its row is not applied.
type matcher struct {
	rosterFacts
	plan     rosterPlan
	source   string
	told     []rosterField
	byPerson map[schema.PersonID][]*schema.Employment // of the source, as the roster leaves them
	byNumber map[string][]*schema.Employment
	twice    map[int]schema.PersonIssue // by row
	merged   map[schema.PersonID]schema.PersonID
}

// matchRoster plans a roster. Its employments carry no persons.
func matchRoster(r schema.Roster, f rosterFacts) (rosterPlan, error) {
	m := &matcher{
		rosterFacts: f, source: r.Source, told: toldFields(r.Fields), byPerson: map[schema.PersonID][]*schema.Employment{}, byNumber: map[string][]*schema.Employment{},
		twice: map[int]schema.PersonIssue{}, merged: map[schema.PersonID]schema.PersonID{},
	}
	rows := m.overlay(r)
	m.findTwice(rows)
	for i := range rows {
		if before, ok := m.known[rows[i].ExternalID]; ok {
			m.keepPerson(i, rows[i], before)
		}
	}
	for i := range rows {
		if _, ok := m.known[rows[i].ExternalID]; ok {
			continue
		}
		if err := m.findPerson(i, rows[i]); err != nil {
			return m.plan, err
		}
	}
	m.settlePersons(rows)
	return m.plan, nil
}

// settlePersons puts the persons that remain into what is written, and the
// managers that the roster itself names.
func (m *matcher) settlePersons(rows []*schema.Employment) {
	byID := make(map[string]schema.PersonID, len(m.known)+len(rows))
	for id, e := range m.known {
		byID[id] = e.PersonID
	}
	for _, w := range m.plan.writes {
		byID[w.ExternalID] = w.PersonID
	}
	for i := range m.plan.writes {
		w := &m.plan.writes[i]
		w.PersonID = m.survivor(w.PersonID)
		w.entry.PersonID = w.PersonID
		manager, ok := byID[w.Manager]
		if !ok {
			if h, known := m.addresses[w.Manager]; known && h.verified {
				manager = h.person
			}
		}
		w.ManagerID = m.survivor(manager)
	}
	m.plan.persons = make(map[string]schema.PersonID, len(rows))
	for _, e := range rows {
		if p, ok := byID[e.ExternalID]; ok {
			m.plan.persons[e.ExternalID] = m.survivor(p)
		}
	}
}

// overlay lays the roster over what is known: fields that it does not tell keep
// their values, and what a whole roster leaves out is absent.
func (m *matcher) overlay(r schema.Roster) []*schema.Employment {
	rows := make([]*schema.Employment, len(r.Employments))
	told := map[string]bool{}
	for i := range r.Employments {
		e := r.Employments[i]
		e.Source, told[e.ExternalID] = r.Source, true
		rows[i] = &e
		if before, ok := m.known[e.ExternalID]; ok {
			rows[i] = overlay(before, &e, m.told, m.today)
			m.register(rows[i])
		}
	}
	for id, e := range m.known {
		if told[id] {
			continue
		}
		if r.Mode == schema.RosterWhole {
			m.plan.absent = append(m.plan.absent, id)
			gone := *e
			gone.AbsentSince = m.today.In(time.UTC)
			e = &gone
		}
		m.register(e)
	}
	slices.Sort(m.plan.absent)
	return rows
}

func (m *matcher) register(e *schema.Employment) {
	m.byPerson[e.PersonID] = append(m.byPerson[e.PersonID], e)
	if e.EmployeeNumber != "" {
		m.byNumber[e.EmployeeNumber] = append(m.byNumber[e.EmployeeNumber], e)
	}
}

// findTwice marks rows that claim one address and cannot be one person's. A row
// that had the address before keeps it.
func (m *matcher) findTwice(rows []*schema.Employment) {
	claims := map[string][]int{}
	for i, e := range rows {
		if e.Email != "" {
			claims[e.Email] = append(claims[e.Email], i)
		}
	}
	for _, list := range claims {
		if len(list) < 2 {
			continue
		}
		for _, i := range list {
			e := rows[i]
			if before := m.known[e.ExternalID]; before != nil && before.Email == e.Email {
				continue
			}
			var others []string
			for _, j := range list {
				if i != j && m.apart(e, rows[j]) {
					others = append(others, rows[j].ExternalID)
				}
			}
			if len(others) > 0 {
				m.twice[i] = m.issue(schema.IssueEmailTwice, e, nil, others)
			}
		}
	}
}

// apart tells whether two employments cannot be taken for one person's: known to
// be of two persons, or of one kind at the same time.
func (m *matcher) apart(a, b *schema.Employment) bool {
	if a.PersonID != "" && b.PersonID != "" {
		return a.PersonID != b.PersonID
	}
	return m.clash(a, b)
}

// clash tells whether both are live at the same time in the same capacity.
func (m *matcher) clash(a, b *schema.Employment) bool {
	live := func(e *schema.Employment) bool {
		return e.AbsentSince.IsZero() && !e.Ended(m.today) && (e.Status != schema.StatusEnded || !e.LastDay().IsZero())
	}
	return live(a) && live(b) && !a.Beside(*b)
}

func (m *matcher) issue(kind schema.IssueKind, e *schema.Employment, persons []schema.PersonID, others []string) schema.PersonIssue {
	slices.Sort(others)
	return schema.PersonIssue{Kind: kind, Source: m.source, ExternalID: e.ExternalID, Persons: persons, Others: others}
}

// keepPerson handles an employment that is known: its person stays, whatever
// else changes.
func (m *matcher) keepPerson(i int, e, before *schema.Employment) {
	refused, ok := m.twice[i]
	if ok {
		refused.Persons = []schema.PersonID{e.PersonID}
	} else if refused, ok = m.moveAddress(e); ok {
		if !m.writeKnown(e, before, m.told) {
			m.plan.unchanged++
		}
		return
	}
	m.plan.issues = append(m.plan.issues, refused)
	leaving := slices.DeleteFunc(slices.Clone(m.told), func(f rosterField) bool { return !slices.Contains(leavingFields(), f.name) })
	m.writeKnown(overlay(before, e, leaving, m.today), before, leaving)
}

// writeKnown plans the change of a known employment, and tells whether there is one.
func (m *matcher) writeKnown(e, before *schema.Employment, told []rosterField) bool {
	entry := schema.RosterEntry{Change: schema.RosterChanged, ExternalID: e.ExternalID, Fields: differing(before, e, told)}
	if !before.AbsentSince.IsZero() {
		entry.Fields = append(entry.Fields, "absent")
	}
	if len(entry.Fields) == 0 {
		return false
	}
	m.plan.writes = append(m.plan.writes, rosterWrite{*e, entry})
	return true
}

// moveAddress makes the address its person's, joining a person that was only ever
// known by it. It returns the issue that forbids that.
func (m *matcher) moveAddress(e *schema.Employment) (schema.PersonIssue, bool) {
	if e.Email == "" {
		return schema.PersonIssue{}, true
	}
	h, taken := m.addresses[e.Email]
	switch {
	case !taken, m.survivor(h.person) == m.survivor(e.PersonID):
	case h.verified || h.employed:
		return m.issue(schema.IssueEmailTaken, e, []schema.PersonID{e.PersonID, h.person}, m.idsOf(h.person)), false
	case m.withCases[h.person] && m.withCases[m.survivor(e.PersonID)]:
		return m.issue(schema.IssueTwoCases, e, []schema.PersonID{e.PersonID, h.person}, nil), false
	default:
		m.merge(m.survivor(e.PersonID), h.person)
	}
	m.addresses[e.Email] = holder{person: e.PersonID, verified: true, employed: true}
	return schema.PersonIssue{}, true
}

// merge keeps the person who has cases, for those keep their person; else the
// older one, whose id sorts first.
func (m *matcher) merge(a, b schema.PersonID) {
	keep, lose := a, b
	if m.withCases[b] || (!m.withCases[a] && b < a) {
		keep, lose = b, a
	}
	m.merged[lose] = keep
	m.plan.merges = append(m.plan.merges, personMerge{keep, lose})
}

func (m *matcher) survivor(p schema.PersonID) schema.PersonID {
	for {
		next, merged := m.merged[p]
		if !merged {
			return p
		}
		p = next
	}
}

// idsOf are the external ids of a person's employments in the source.
func (m *matcher) idsOf(p schema.PersonID) []string {
	var ids []string
	for _, e := range m.byPerson[p] {
		ids = append(ids, e.ExternalID)
	}
	return ids
}

// findPerson handles an employment that is new: of the person who has its
// address, else its employee number, else a new person.
func (m *matcher) findPerson(i int, e *schema.Employment) error {
	if refused, ok := m.twice[i]; ok {
		m.plan.issues = append(m.plan.issues, refused)
		return nil
	}
	entry := schema.RosterEntry{Change: schema.RosterAdded, ExternalID: e.ExternalID}
	var refused schema.PersonIssue
	h, taken := m.addresses[e.Email]
	switch {
	case e.Email != "" && taken:
		e.PersonID, entry.Joined = h.person, string(schema.MatchedByEmail)
		if clashing := m.clashing(e, m.byPerson[h.person]); len(clashing) > 0 {
			refused = m.issue(schema.IssueEmailTaken, e, []schema.PersonID{h.person}, clashing)
		}
	case e.EmployeeNumber != "" && len(m.byNumber[e.EmployeeNumber]) > 0:
		entry.Joined = string(schema.MatchedByNumber)
		refused = m.byEmployeeNumber(e)
	default:
		id, err := newID[schema.PersonID]()
		if err != nil {
			return err
		}
		e.PersonID = id
		m.plan.people = append(m.plan.people, id)
	}
	if refused.Kind != "" {
		m.plan.issues = append(m.plan.issues, refused)
		return nil
	}
	if e.Email != "" {
		m.addresses[e.Email] = holder{person: e.PersonID, verified: true, employed: true}
	}
	m.register(e)
	m.plan.writes = append(m.plan.writes, rosterWrite{*e, entry})
	return nil
}

func (m *matcher) byEmployeeNumber(e *schema.Employment) schema.PersonIssue {
	same := m.byNumber[e.EmployeeNumber]
	var persons []schema.PersonID
	var ids []string
	for _, other := range same {
		if p := m.survivor(other.PersonID); !slices.Contains(persons, p) {
			persons = append(persons, p)
		}
		ids = append(ids, other.ExternalID)
	}
	slices.Sort(persons)
	if len(persons) > 1 {
		return m.issue(schema.IssueNumberAmbiguous, e, persons, ids)
	}
	e.PersonID = persons[0]
	if clashing := m.clashing(e, m.byPerson[persons[0]]); len(clashing) > 0 {
		return m.issue(schema.IssueNumberTaken, e, persons, clashing)
	}
	return schema.PersonIssue{}
}

func (m *matcher) clashing(e *schema.Employment, others []*schema.Employment) []string {
	var ids []string
	for _, other := range others {
		if m.clash(e, other) {
			ids = append(ids, other.ExternalID)
		}
	}
	return ids
}
