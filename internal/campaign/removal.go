package campaign

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"sendoff/schema"
)

// Steps are what takes away the revoked items of a removal, and the way is how
// people take away what we cannot; one of them or both cover every revoked item.
// Items that are not revoked stay: no step takes away what one of them is about,
// so the removal should have all items of the account.
//
// A plan that only takes away groups and the role needs no snapshot: the step that
// removes memberships keeps what it takes away itself, and no content is touched.
// Of an account that is shut and stays, revoked groups and its role are taken away
// too, for who opens it again would have them; of one that is deleted nothing is left.
func Steps(rule schema.EffectRule, r schema.Removal) (steps []schema.StepFact, way string) {
	p := parts{groups: map[schema.ExternalID]*group{}}
	for _, item := range r.Items {
		if item.State == schema.ItemGone || item.Control || item.Facts.AccountID == "" {
			continue
		}
		p.add(item, r.ID)
	}
	var ways []string
	switch {
	case p.account && !p.owner && shuts(rule.Account):
		steps = slices.Clone(rule.Account)
		if deletes(steps) {
			return steps, ""
		}
	case p.account && !p.owner:
		ways = append(ways, "suspend or delete the account at the vendor: effect.account of the review does neither")
	}
	if p.account && p.owner {
		ways = append(ways, "make another account the vendor's primary administrator, then revoke this account again: no vendor lets that one go")
	}
	leave, groupWays := p.leave()
	ways = append(ways, groupWays...)
	var more []schema.StepFact
	if len(leave) > 0 && !slices.ContainsFunc(steps, leavesAll) {
		more = append(more, schema.StepFact{Kind: schema.StepRemoveFromGroups, StepParams: schema.StepParams{Groups: leave}})
	}
	switch {
	case p.role && p.owner:
		ways = append(ways, "make another account the vendor's primary administrator: the vendor takes the role from this one by that alone")
	case p.role:
		role := cmp.Or(rule.Role, schema.RoleMember)
		more = append(more, schema.StepFact{Kind: schema.StepSetRole, StepParams: schema.StepParams{Role: role}})
	}
	return slices.Insert(steps, shutBy(steps), more...), strings.Join(ways, "; ")
}

// Removes tells whether steps take an access away: the proof of a plan is the proof of
// what its steps take away, and says nothing of anything else.
func Removes(steps []schema.StepFact, i schema.CampaignItem) bool {
	if deletes(steps) {
		return true
	}
	group, _, _ := strings.Cut(i.Facts.Ref, "/")
	return slices.ContainsFunc(steps, func(s schema.StepFact) bool {
		named := s.Kind == schema.StepRemoveFromGroups && len(s.Groups) > 0
		switch i.Facts.Kind {
		case schema.ItemAccount:
			return shuts([]schema.StepFact{s})
		case schema.ItemRole:
			return s.Kind == schema.StepSetRole
		case schema.ItemGroup, schema.ItemCollaboration:
			return leavesAll(s) && i.Facts.Provenance == "" && !i.Context.Everybody || named && slices.Contains(s.Groups, schema.ExternalID(group))
		}
		return false
	})
}

// leavesAll tells whether a step takes the account out of all groups that it can leave.
func leavesAll(s schema.StepFact) bool {
	return s.Kind == schema.StepRemoveFromGroups && len(s.Groups) == 0
}

// shuts tells whether steps take an account itself away, or have somebody do it.
func shuts(steps []schema.StepFact) bool {
	return slices.ContainsFunc(steps, func(s schema.StepFact) bool {
		return s.Kind == schema.StepSuspend || s.Kind == schema.StepDelete || s.Kind == schema.StepManual
	})
}

func deletes(steps []schema.StepFact) bool {
	return slices.ContainsFunc(steps, func(s schema.StepFact) bool { return s.Kind == schema.StepDelete })
}

// shutBy is the place behind the steps that shut the account, which go first.
func shutBy(steps []schema.StepFact) int {
	at := 0
	for i, s := range steps {
		if s.Kind == schema.StepSuspend || s.Kind == schema.StepRevokeSessions {
			at = i + 1
		}
	}
	return at
}

// parts are the items of an account, by what could be done about them.
type parts struct {
	account bool // revoked
	role    bool // revoked
	owner   bool // the account is the vendor's primary administrator
	groups  map[schema.ExternalID]*group
}

// group is what of a group was revoked, and what was not.
type group struct {
	name       string
	provenance string
	everybody  bool
	membership bool     // revoked
	targets    []string // what is reached through it and was revoked
	stays      bool     // the membership, or something reached through it, is not revoked
}

// add adds what is to be done about an item. One that was revoked and is another
// removal's is gone by that, or stays: a removal that was refused or given back is
// not made good for by the next one of the account.
func (p *parts) add(item schema.CampaignItem, removal schema.RemovalID) {
	f, revoked := item.Facts, item.Answer == schema.AnswerRevoke
	if revoked && item.RemovalID != removal {
		switch item.Removal {
		case schema.RemovalDone, "": // one without a removal will be planned together with this
			return
		}
		revoked = false
	}
	p.owner = p.owner || f.Role == schema.RoleOwner
	switch f.Kind {
	case schema.ItemAccount:
		p.account = p.account || revoked
	case schema.ItemRole:
		p.role = p.role || revoked
	case schema.ItemGroup, schema.ItemCollaboration:
		p.addGroup(item, revoked)
	}
}

func (p *parts) addGroup(item schema.CampaignItem, revoked bool) {
	f := item.Facts
	ref, _, _ := strings.Cut(f.Ref, "/")
	id := schema.ExternalID(ref)
	g := p.groups[id]
	if g == nil {
		g = &group{}
		p.groups[id] = g
	}
	g.name, g.provenance = cmp.Or(g.name, f.Group), cmp.Or(g.provenance, f.Provenance)
	g.everybody = g.everybody || item.Context.Everybody
	switch {
	case !revoked:
		g.stays = g.stays || f.Held
	case f.Kind == schema.ItemGroup:
		g.membership = true
	default:
		g.targets = append(g.targets, f.Target)
	}
}

// leave are the groups that the account can be taken out of, and the ways for the
// others, in the order of their ids.
func (p *parts) leave() (ids []schema.ExternalID, ways []string) {
	var all []schema.ExternalID
	for id, g := range p.groups {
		if g.membership || len(g.targets) > 0 {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	for _, id := range all {
		if way := p.groups[id].way(id); way != "" {
			ways = append(ways, way)
		} else {
			ids = append(ids, id)
		}
	}
	return ids, ways
}

// way is how people take away what we cannot; empty = we can.
func (g *group) way(id schema.ExternalID) string {
	named := "the group " + strconv.Quote(cmp.Or(g.name, string(id)))
	reached := g.reached()
	switch {
	case g.everybody && g.membership:
		return "remove from " + named + ", which everybody is in, what it reaches, or revoke the account: nobody leaves that group alone"
	case g.everybody:
		return "remove " + reached + " from " + named + ", which everybody is in, or revoke the account"
	case g.provenance != "":
		return "take the person out of " + named + " in the directory that feeds it: " + g.provenance
	case g.stays && g.membership:
		return "something reached through " + named + " was not revoked: share that with the person otherwise, then take them out of the group"
	case g.stays:
		return "remove " + reached + " from " + named + ", or revoke its membership: other access by the group was not revoked"
	}
	return ""
}

func (g *group) reached() string {
	slices.Sort(g.targets)
	var list []string
	for _, t := range slices.Compact(g.targets) {
		list = append(list, strconv.Quote(t))
	}
	if len(list) == 1 {
		return "the collaboration on " + list[0]
	}
	return "the collaborations on " + strings.Join(list, ", ")
}
