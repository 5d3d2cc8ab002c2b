package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"sendoff/schema"
)

// judgeSides is what a person's facts are judged beside.
type judgeSides struct {
	sources map[string]tellingSource // that count, by name
	rules   map[string]schema.MomentRule
}

const tellingColumns = `id, name, kind, time_zone, template, receivers, approvals`

// readSides reads the sources that count, told = one that does although it was
// disabled since, and the rules of their templates. What else tells of people,
// such as a roster that somebody imported, neither starts nor prevents a leaver.
func (t *tx) readSides(ctx context.Context, told tellingSource) (judgeSides, error) {
	sides := judgeSides{sources: map[string]tellingSource{}, rules: map[string]schema.MomentRule{}}
	list, err := all[tellingSource](ctx, t, `select `+tellingColumns+` from hr_source where state = 'enabled'`, nil)
	if err != nil {
		return sides, err
	}
	if told.Name != "" {
		list = append(list, told)
	}
	names := []string{}
	for _, src := range list {
		sides.sources[src.Name] = src
		if t, builtin := schema.FindTemplate(src.Template); builtin {
			sides.rules[src.Template] = t.MomentOrDefault()
			continue
		}
		names = append(names, src.Template)
	}
	if len(names) == 0 {
		return sides, nil
	}
	rows, err := all[templateRow](ctx, t, `select distinct on (name) `+templateColumns+` from template where name = any(@names) order by name, version desc`,
		args{"names": names})
	for _, row := range rows {
		sides.rules[row.Name] = row.template().MomentOrDefault()
	}
	return sides, err
}

// directories are the sources that tell of accounts and not of employments.
func (s judgeSides) directories() map[string]bool {
	out := map[string]bool{}
	for name, src := range s.sources {
		if src.Kind == schema.SourceSCIM {
			out[name] = true
		}
	}
	return out
}

// rule is the rule of a source's template.
func (s judgeSides) rule(src tellingSource) schema.MomentRule {
	if rule, ok := s.rules[src.Template]; ok {
		return rule
	}
	return schema.DefaultMoment()
}

// personFacts is what is known of persons who are judged.
type personFacts struct {
	employments map[schema.PersonID][]schema.Employment
	leavers     map[schema.PersonID]*leaverRow // the one that has not ended, else the newest
	sites       map[string]string
}

// readFacts reads what is known of persons. Leavers stay as they are: whoever
// changes one locks people first.
func (t *tx) readFacts(ctx context.Context, sides judgeSides, persons []schema.PersonID) (personFacts, error) {
	f := personFacts{
		employments: make(map[schema.PersonID][]schema.Employment, len(persons)), leavers: map[schema.PersonID]*leaverRow{}, sites: map[string]string{},
	}
	rows, err := all[schema.Employment](ctx, t, `select `+employmentColumns+` from employment e
		where e.person_id = any(@persons) and e.source = any(@sources) order by e.person_id, e.source, e.external_id`,
		args{"persons": persons, "sources": slices.Sorted(maps.Keys(sides.sources))})
	if err != nil {
		return f, err
	}
	sites := map[string]bool{}
	for _, e := range rows {
		f.employments[e.PersonID] = append(f.employments[e.PersonID], e)
		sites[e.Site] = true
	}
	leavers, err := all[leaverRow](ctx, t, `select `+leaverRowColumns+` from unnest(@persons::uuid[]) as n(id) cross join lateral (
			select * from leaver where person_id = n.id order by state <> 'ended' desc, created_at desc, id desc limit 1) as l`,
		args{"persons": persons})
	if err != nil {
		return f, err
	}
	for i := range leavers {
		f.leavers[leavers[i].PersonID] = &leavers[i]
	}
	delete(sites, "")
	if len(sites) == 0 {
		return f, nil
	}
	zones, err := all[struct{ Name, TimeZone string }](ctx, t, `select name, time_zone from site where name = any(@names)`,
		args{"names": slices.Sorted(maps.Keys(sites))})
	for _, z := range zones {
		f.sites[z.Name] = z.TimeZone
	}
	return f, err
}

// askedOf is who asked for a person's leaver as it stands.
func (f personFacts) askedOf(p schema.PersonID) schema.Asked {
	l := f.leavers[p]
	return schema.Asked{Principal: l.AskedBy, TokenID: l.AskedID}
}

// hear judges persons whom the round's events touch.
func (r *round) hear(ctx context.Context, persons []schema.PersonID) (leaverSet, error) {
	facts, err := r.readFacts(ctx, r.sides, persons)
	if err != nil {
		return leaverSet{}, err
	}
	set := leaverSet{sides: r.sides, changes: map[schema.PersonID]*leaverChange{}}
	for _, p := range persons {
		t := r.touched[p]
		h := hearing{
			person: p, last: facts.leavers[p], employments: facts.employments[p], sites: facts.sites, sides: r.sides,
			teller: r.source, news: t.news, heardAt: t.heardAt, now: r.now, event: t.event, asked: t.asked, judge: r.judge,
		}
		change, err := h.hear(t.hand)
		if err != nil {
			return set, err
		}
		set.add(p, change)
	}
	return set, nil
}

// hearing is a person whose facts are judged.
type hearing struct {
	person      schema.PersonID
	last        *leaverRow // nil = never a leaver
	employments []schema.Employment
	sites       map[string]string
	sides       judgeSides
	teller      tellingSource
	news        map[schema.EmploymentKey]employmentNews
	heardAt     time.Time
	now         time.Time
	event       schema.HREventID
	asked       schema.Asked
	judge       schema.LeaverJudge

	verdict schema.Leaving // of the feeds
	decides tellingSource
}

// hear judges the person and decides what becomes of the leaver.
func (h *hearing) hear(hand *inboxEvent) (*leaverChange, error) {
	if err := h.judgeFeeds(); err != nil {
		return nil, err
	}
	if hand == nil {
		return h.byFeeds(), nil
	}
	said := *hand.change.Hand
	if hand.change.Kind == schema.ChangeReturn {
		return h.returns(said), nil
	}
	verdict, err := h.judgeHand(said)
	if err != nil {
		return nil, err
	}
	return h.leaves(said, verdict), nil
}

// judgeFeeds finds the verdict of the feeds, by the rule and zone of the source
// whose employment decides, so that it does not hang on who told last.
func (h *hearing) judgeFeeds() error {
	h.decides = h.teller
	if len(h.employments) == 0 {
		return nil
	}
	facts := schema.LeaverFacts{Employments: h.employments, New: h.unheard(), Directories: h.sides.directories(), HeardAt: h.heardAt}
	for {
		facts.Rule, facts.Zones = h.sides.rule(h.decides), schema.Zones{Sites: h.sites, Company: h.decides.TimeZone}
		var err error
		if h.verdict, err = h.judge(facts); err != nil {
			return err
		}
		decides, counts := h.sides.sources[h.verdict.Key.Source]
		if !counts || decides.ID == h.decides.ID || h.decides.ID != h.teller.ID {
			return nil
		}
		h.decides = decides
	}
}

// unheard are the employments whose end nobody was told of before: new ones, and
// those that are as they were and made nobody a leaver.
func (h *hearing) unheard() map[schema.EmploymentKey]bool {
	known := h.last != nil && h.last.Heard != nil
	out := make(map[schema.EmploymentKey]bool, len(h.employments))
	for _, e := range h.employments {
		n := h.news[e.EmploymentKey]
		out[e.EmploymentKey] = n.added || !n.leaving && !known
	}
	return out
}

// judgeHand is the verdict on what somebody says: an employment that has ended, in
// the zone of those that are known.
func (h *hearing) judgeHand(said schema.ByHand) (schema.Leaving, error) {
	e := schema.Employment{
		EmploymentKey: schema.EmploymentKey{Source: h.teller.Name}, PersonID: h.person, Kind: schema.Employee, Status: schema.StatusEnded,
		LastWorkingDay: said.LastWorkingDay, TerminatedOn: said.TerminatedOn, ForCause: said.ForCause, LeaveReason: said.Reason,
		TimeZone: said.TimeZone, UpdatedAt: h.heardAt,
	}
	for _, known := range h.employments {
		e.TimeZone, e.Site = cmp.Or(e.TimeZone, known.TimeZone), cmp.Or(e.Site, known.Site)
	}
	v, err := h.judge(schema.LeaverFacts{
		Employments: []schema.Employment{e}, Rule: h.sides.rule(h.teller), HeardAt: h.heardAt,
		Zones: schema.Zones{Sites: h.sites, Company: h.teller.TimeZone},
	})
	if err == nil && !v.Leaves {
		err = &schema.Error{Code: schema.CodeInvalid, Message: "by what was said by hand nobody leaves", Fix: "say the last working day"}
	}
	return v, err
}
