package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// touch is what a round's events say of one person.
type touch struct {
	news    map[schema.EmploymentKey]employmentNews
	hand    *inboxEvent // the last word by hand
	heardAt time.Time
	event   schema.HREventID // the last
	asked   schema.Asked     // who handed it in
}

// employmentNews is what is new of an employment.
type employmentNews struct {
	added   bool
	leaving bool // whether or when it ends
}

// tell applies the employments that the events tell, as one roster where they are
// alike, and finds whom the others are about.
func (r *round) tell(ctx context.Context) error {
	for rest := r.inbox; len(rest) > 0; {
		n := 1
		if !r.alone {
			n = alike(rest)
		}
		run := rest[:n]
		rest = rest[n:]
		if run[0].refused() {
			continue
		}
		tell := func() error { return r.tellRun(ctx, run) }
		if r.alone {
			tell = func() error { return r.tellAlone(ctx, run[0]) }
		}
		if err := tell(); err != nil {
			return err
		}
	}
	return nil
}

// alike counts the events at the front that are one roster: changes of the same
// fields, in which no address or number is claimed for two employments, and none
// has two statuses. Whether such a claim is refused, and whether somebody is active
// again, must not hang on what comes together.
func alike(events []*inboxEvent) int {
	first := events[0]
	if !mergeable(first) {
		return 1
	}
	claims, statuses := map[string]string{}, map[string]schema.EmploymentStatus{}
	for i, e := range events {
		if !mergeable(e) || !slices.Equal(e.change.Roster.Fields, first.change.Roster.Fields) ||
			!claimed(claims, e.change.Roster.Employments) || !steady(statuses, e.change.Roster.Employments) {
			return max(i, 1)
		}
	}
	return len(events)
}

// steady notes the statuses of rows; false when one was told another before: that
// an employment was ended in between counts.
func steady(statuses map[string]schema.EmploymentStatus, rows []schema.Employment) bool {
	for _, row := range rows {
		if before, told := statuses[row.ExternalID]; told && before != row.Status {
			return false
		}
		statuses[row.ExternalID] = row.Status
	}
	return true
}

func mergeable(e *inboxEvent) bool {
	return !e.refused() && e.change.Kind == schema.ChangeEmployments && e.change.Roster != nil && e.change.Roster.Mode == schema.RosterChanges
}

// claimed notes whose the addresses and numbers of rows are; false when they are
// another's already.
func claimed(claims map[string]string, rows []schema.Employment) bool {
	for _, row := range rows {
		for _, key := range []string{"@" + row.Email, "#" + row.EmployeeNumber} {
			if len(key) == 1 {
				continue
			}
			if id, taken := claims[key]; taken && id != row.ExternalID {
				return false
			}
			claims[key] = row.ExternalID
		}
	}
	return true
}

// tellAlone is tellRun for one event, within a savepoint. An error that stands in
// the event refuses it.
func (r *round) tellAlone(ctx context.Context, e *inboxEvent) error {
	outer, events, touched, merged := r.tx.Tx, len(r.tx.events), copyTouched(r.touched), maps.Clone(r.merged)
	inner, err := outer.Begin(ctx)
	if err != nil {
		return err
	}
	r.tx.Tx = inner
	if err = r.tellRun(ctx, []*inboxEvent{e}); err == nil {
		_, err = r.hear(ctx, e.about())
	}
	r.tx.Tx = outer
	if err == nil {
		return inner.Commit(ctx)
	}
	if rollback := inner.Rollback(ctx); rollback != nil || transient(translate("apply event", err)) || databaseFailed(err) {
		return err
	}
	r.tx.events, r.touched, r.merged = r.tx.events[:events], touched, merged
	e.persons, e.issues, e.person = nil, nil, ""
	e.refuse(translate("apply event", err))
	return nil
}

// about are the persons whom an event that was told is about.
func (e *inboxEvent) about() []schema.PersonID {
	persons := slices.Sorted(maps.Values(e.persons))
	if e.person != "" {
		persons = append(persons, e.person)
	}
	return slices.Compact(persons)
}

func copyTouched(touched map[schema.PersonID]*touch) map[schema.PersonID]*touch {
	out := make(map[schema.PersonID]*touch, len(touched))
	for p, t := range touched {
		kept := *t
		kept.news = maps.Clone(t.news)
		out[p] = &kept
	}
	return out
}

// tellRun applies events that are alike.
func (r *round) tellRun(ctx context.Context, run []*inboxEvent) error {
	switch c := run[0].change; {
	case c.Kind == schema.ChangeHint:
		return nil
	case c.Kind == schema.ChangeEmployments && c.Roster != nil && (c.Roster.Mode == schema.RosterChanges || c.Roster.Mode == schema.RosterWhole):
		return r.tellEmployments(ctx, run)
	case (c.Kind == schema.ChangeLeave || c.Kind == schema.ChangeReturn) && c.Hand != nil && c.Hand.Email != "":
		return r.tellByHand(ctx, run[0])
	}
	run[0].refuse(&schema.Error{Code: schema.CodeInvalid, Message: "the event says nothing that can be applied"})
	return nil
}

func (r *round) tellByHand(ctx context.Context, e *inboxEvent) error {
	email := strings.ToLower(e.change.Hand.Email)
	persons, err := r.personsOf(ctx, []string{email})
	if err != nil {
		return err
	}
	e.person = persons[email]
	r.touch(e.person, e).hand = e
	return nil
}

func (r *round) tellEmployments(ctx context.Context, run []*inboxEvent) error {
	plan, err := r.tellRoster(ctx, audit.SourceStream(string(r.source.ID)), mergeEvents(r.source.Name, run), r.source.principal())
	if err != nil {
		return err
	}
	for _, m := range plan.merges {
		r.joinTouched(m)
	}
	issues := make(map[string]schema.IssueKind, len(plan.issues))
	for _, i := range plan.issues {
		issues[i.ExternalID] = i.Kind
	}
	news := make(map[string]employmentNews, len(plan.writes))
	for _, w := range plan.writes {
		added := w.entry.Change == schema.RosterAdded
		leaving := added || slices.ContainsFunc(w.entry.Fields, func(f string) bool { return slices.Contains(leavingFields(), f) })
		news[w.ExternalID] = employmentNews{added: added, leaving: leaving}
	}
	for _, e := range run {
		e.persons, e.issues = map[string]schema.PersonID{}, issues
		for _, row := range e.change.Roster.Employments {
			p, known := plan.persons[row.ExternalID]
			if !known {
				continue
			}
			e.persons[row.ExternalID] = p
			r.touch(p, e).hears(schema.EmploymentKey{Source: r.source.Name, ExternalID: row.ExternalID}, news[row.ExternalID])
		}
	}
	return nil
}

// touch notes that an event is about a person.
func (r *round) touch(p schema.PersonID, e *inboxEvent) *touch {
	t := r.touched[p]
	if t == nil {
		t = &touch{news: map[schema.EmploymentKey]employmentNews{}}
		r.touched[p] = t
	}
	t.event, t.heardAt, t.asked = e.ID, e.ReceivedAt, schema.Asked{}
	if e.change.Asked != nil {
		t.asked = *e.change.Asked
	}
	return t
}

func (t *touch) hears(key schema.EmploymentKey, n employmentNews) {
	before := t.news[key]
	t.news[key] = employmentNews{added: before.added || n.added, leaving: before.leaving || n.leaving}
}

// joinTouched follows two persons who were found to be one.
func (r *round) joinTouched(m personMerge) {
	r.merged[m.lose] = m.keep
	lost := r.touched[m.lose]
	if lost == nil {
		return
	}
	delete(r.touched, m.lose)
	kept := r.touched[m.keep]
	if kept == nil {
		r.touched[m.keep] = lost
		return
	}
	for key, n := range lost.news {
		kept.hears(key, n)
	}
	if kept.hand == nil {
		kept.hand = lost.hand
	}
}

// survivor is the person that somebody was found to be during the round.
func (r *round) survivor(p schema.PersonID) schema.PersonID {
	for r.merged[p] != "" {
		p = r.merged[p]
	}
	return p
}

// mergeEvents is what events that are alike tell together: of an employment what
// the last of them tells.
func mergeEvents(source string, run []*inboxEvent) schema.Roster {
	roster := *run[0].change.Roster
	roster.Source = source
	if len(run) == 1 && roster.Mode == schema.RosterWhole {
		return roster
	}
	roster.Employments = nil
	place := map[string]int{}
	for _, e := range run {
		for _, row := range e.change.Roster.Employments {
			i, told := place[row.ExternalID]
			if !told {
				i = len(roster.Employments)
				place[row.ExternalID] = i
				roster.Employments = append(roster.Employments, row)
			}
			roster.Employments[i] = row
		}
	}
	return roster
}
