package accessreview

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/match"
	"sendoff/schema"
)

// DefaultThreshold is what the use of accounts is graded by in a review that does
// not say how long one must be unused.
const DefaultThreshold = 90 * day

// Review is a rule that is ready to say what its campaigns take.
type Review struct {
	rule   schema.AccessReviewRule
	match  *match.Program // nil = the rule has none
	groups []string       // patterns in lower case
	stages [][]*match.Program
	needs  schema.Needs
	whole  bool // of its accounts it takes all that is of its items and groups
}

// Compile makes a rule ready. A rule that Parse made has no fault; one built by
// hand may.
func Compile(rule schema.AccessReviewRule) (*Review, error) {
	c := compiler{review: Review{rule: rule}}
	if rule.Scope.Match != "" {
		c.review.match = c.program("scope.match", rule.Scope.Match)
	}
	for _, g := range rule.Scope.Groups {
		c.review.groups = append(c.review.groups, strings.ToLower(g))
	}
	for i, s := range rule.Stages {
		whens := make([]*match.Program, len(s.Who))
		for j, who := range s.Who {
			if who.When != "" {
				whens[j] = c.program("reviewers["+strconv.Itoa(i)+"].who["+strconv.Itoa(j)+"].when", who.When)
			}
		}
		c.review.stages = append(c.review.stages, whens)
	}
	if len(rule.Stages) == 0 {
		c.fault("reviewers", "required", "nobody decides", "write for example reviewers: [manager, app_owner]")
	}
	if len(c.problems) > 0 {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the access review is not usable", Problems: c.problems}
	}
	return &c.review, nil
}

type compiler struct {
	review   Review
	problems []schema.Problem
}

func (c *compiler) fault(where, code, message, fix string) {
	c.problems = append(c.problems, schema.Problem{Where: where, Code: code, Message: message, Fix: fix})
}

func (c *compiler) program(where, expression string) *match.Program {
	p, faults := match.Compile(expression)
	for _, f := range faults {
		c.fault(where, "expression", f.Message, f.Fix)
	}
	if len(faults) > 0 {
		return nil
	}
	needs := p.Needs()
	c.review.needs.Person = c.review.needs.Person || needs.Person
	c.review.needs.Groups = c.review.needs.Groups || needs.Groups
	return p
}

// For is the review as a campaign goes by it. One about access that came back takes
// what its accounts hold, whatever else narrows the scope: access that was revoked is
// looked at again also when it is used by now, not privileged any more, or of
// somebody else, and when the review says other things than it did. The scope's
// connections, items and groups stay, and of roles the privileged ones.
func (r *Review) For(c schema.Campaign) *Review {
	if c.Trigger != schema.CampaignReturned {
		return r
	}
	out := *r
	out.whole = true
	return &out
}

// Rule is what the review was made from.
func (r *Review) Rule() schema.AccessReviewRule { return r.rule }

// Threshold is what the use of accounts is graded by.
func (r *Review) Threshold() time.Duration {
	if r.rule.Scope.UnusedFor > 0 {
		return r.rule.Scope.UnusedFor
	}
	return DefaultThreshold
}

// Query selects the holdings that a campaign could take on the connections. What it
// leaves out, Takes would not take either.
func (r *Review) Query(c schema.Campaign, connections []schema.ConnectionID, now time.Time) schema.HoldingQuery {
	s := r.rule.Scope
	if r.whole {
		s.Kinds, s.Holders, s.Privileged = nil, schema.HoldersAll, false
	}
	return schema.HoldingQuery{
		Review: c.ReviewID, Connections: connections, Items: s.Items, Kinds: s.Kinds, Accounts: c.Accounts, Persons: c.Persons,
		Holders: s.Holders, Privileged: s.Privileged, Threshold: r.Threshold(), Now: now, Needs: r.needs,
	}
}

// Takes tells whether a holding of one of the review's connections is in its scope.
// The subject must have what the query's Needs say.
func (r *Review) Takes(h *schema.Holding, now time.Time) bool {
	if !r.kept(h) {
		return false
	}
	if r.whole {
		return true
	}
	grade := r.grade(h, now)
	if r.rule.Scope.UnusedFor > 0 && !r.unused(h, grade, now) {
		return false
	}
	if r.match == nil {
		return true
	}
	yes, err := r.match.Eval(&h.Subject, grade, now)
	return yes && err == nil // what cannot be computed is never taken
}

// kept tells whether what is held, and by whom, is in the scope.
func (r *Review) kept(h *schema.Holding) bool {
	s, a := &r.rule.Scope, &h.Subject.Account
	switch {
	case !slices.Contains(s.Items, h.Facts.Kind):
		return false
	case r.whole:
	case len(s.Kinds) > 0 && !slices.Contains(s.Kinds, a.Kind),
		s.Privileged && !a.Role.Privileged(),
		s.Holders == schema.HoldersMatched && h.Facts.HolderID == "",
		s.Holders == schema.HoldersUnmatched && h.Facts.HolderID != "",
		s.Changed && !h.Context.Changed:
		return false
	}
	switch h.Facts.Kind {
	case schema.ItemRole:
		return r.role(a.Role)
	case schema.ItemGroup, schema.ItemCollaboration:
		return r.group(h.Facts.Group)
	}
	return true
}

func (r *Review) role(held schema.AccountRole) bool {
	if r.whole || len(r.rule.Scope.Roles) == 0 {
		return held.Privileged()
	}
	return slices.Contains(r.rule.Scope.Roles, held)
}

func (r *Review) group(name string) bool {
	if len(r.groups) == 0 {
		return true
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(r.groups, func(pattern string) bool { return match.Like(name, pattern) })
}

// grade is what the use of the account comes to. Without a use and without the day
// it was made, it may have been made yesterday: nobody knows.
func (r *Review) grade(h *schema.Holding, now time.Time) schema.Grade {
	activity, created := &h.Subject.Activity, h.Subject.Account.CreatedAt
	g := activity.Grade(r.Threshold(), created, now)
	if g == schema.GradeInactive && activity.LastActiveAt.IsZero() && created.IsZero() {
		return schema.GradeUnknown
	}
	return g
}

// unused tells whether the account is proven to be unused for so long, or its use
// is not known and those are taken too. One that was made within that time has not
// been unused for it.
func (r *Review) unused(h *schema.Holding, g schema.Grade, now time.Time) bool {
	switch g {
	case schema.GradeInactive:
		return true
	case schema.GradeNever:
		return !h.Subject.Account.CreatedAt.After(now.Add(-r.rule.Scope.UnusedFor))
	case schema.GradeActive:
		return false
	}
	return r.rule.Scope.UnknownUse
}

// Applies says for each stage which candidates of its chain an item may come to: 1
// or 0 for each. A condition that cannot be computed does not hold.
func (r *Review) Applies(h *schema.Holding, now time.Time) []string {
	grade := r.grade(h, now)
	out := make([]string, 0, len(r.stages))
	for _, whens := range r.stages {
		said := make([]byte, len(whens))
		for i, when := range whens {
			said[i] = '1'
			if when == nil {
				continue
			}
			if yes, err := when.Eval(&h.Subject, grade, now); !yes || err != nil {
				said[i] = '0'
			}
		}
		out = append(out, string(said))
	}
	return out
}
