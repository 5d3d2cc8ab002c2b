package inactivity

import (
	"slices"
	"strconv"
	"time"

	"sendoff/internal/match"
	"sendoff/schema"
)

// KeptWithoutThreshold is how long an answer "still needed" counts for a rule
// whose threshold is 0: the answer would be forgotten at once.
const KeptWithoutThreshold = 30 * 24 * time.Hour

// Rule is a policy's rule, ready to judge accounts.
type Rule struct {
	rule    schema.PolicyRule
	match   *match.Program // nil = the rule has no match: all that the rest leaves
	exclude []exclusion
	needs   schema.Needs
}

// Compile makes a rule ready. A rule that Parse made has no fault; one built by
// hand may.
func Compile(rule schema.PolicyRule) (*Rule, error) {
	c := compiler{rule: Rule{rule: rule}}
	c.thresholds(rule.Threshold)
	if rule.Match != "" {
		c.rule.match = c.program("match", rule.Match)
	}
	for i, e := range rule.Exclude {
		c.exclusion("exclude["+strconv.Itoa(i)+"]", e)
	}
	if len(c.problems) > 0 {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the rule is not usable", Problems: c.problems}
	}
	return &c.rule, nil
}

type compiler struct {
	rule     Rule
	problems []schema.Problem
}

func (c *compiler) fault(where, code, message, fix string) {
	c.problems = append(c.problems, schema.Problem{Where: where, Code: code, Message: message, Fix: fix})
}

// thresholds refuses those below 0: by such a one a silence would be proven
// before it began.
func (c *compiler) thresholds(t schema.Threshold) {
	all := []time.Duration{t.Default}
	for _, k := range t.Kinds {
		all = append(all, k.For)
	}
	for _, r := range t.Roles {
		all = append(all, r.For)
	}
	if slices.Min(all) < 0 {
		c.fault("threshold", "out_of_range", "a threshold is below 0", "write a length of time such as 90d")
	}
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
	c.rule.needs.Person = c.rule.needs.Person || needs.Person
	c.rule.needs.Groups = c.rule.needs.Groups || needs.Groups
	return p
}

// Policy is what the rule was made from.
func (r *Rule) Policy() schema.PolicyRule { return r.rule }

// Needs are the parts of a subject that the rule asks for, in its match or in an
// exclusion.
func (r *Rule) Needs() schema.Needs { return r.needs }

// Query selects the accounts that the rule could take on the connections. What it
// leaves out, Judge would not take either.
func (r *Rule) Query(connections []schema.ConnectionID, now time.Time) schema.PopulationQuery {
	q := schema.PopulationQuery{
		Connections: connections, Kinds: r.rule.Kinds, Statuses: r.rule.Statuses, Threshold: r.rule.Threshold, Now: now, Needs: r.needs,
	}
	for _, g := range r.rule.Grades {
		if provable(g) {
			q.Grades = append(q.Grades, g)
		}
	}
	if r.match != nil {
		q.Bounds = r.match.Bounds()
	}
	return q
}

// provable tells whether a grade says something of an account: one of which
// nobody knows anything is never a candidate (DESIGN promise 4).
func provable(g schema.Grade) bool {
	return g == schema.GradeActive || g == schema.GradeInactive || g == schema.GradeNever
}

// Judge says whether the rule takes an account, and if not, why, in the order of
// schema.VerdictReasons. The subject must have what Needs says.
func (r *Rule) Judge(s *schema.Subject, now time.Time) schema.Verdict {
	v := schema.Verdict{Threshold: r.rule.Threshold.Of(s.Account.Kind, s.Account.Role), Exclusion: -1}
	v.Grade = s.Activity.Grade(v.Threshold, s.Account.CreatedAt, now)
	if v.Reason = r.standing(s, v, now); v.Reason != "" {
		return v
	}
	if v.Exclusion = r.excluded(s, v.Grade, now); v.Exclusion >= 0 {
		v.Reason = schema.ReasonExcluded
		return v
	}
	v.Reason, v.Detail = r.matched(s, v.Grade, now)
	return v
}

// standing is the reason that keeps an account out whatever is said of it, or "".
func (r *Rule) standing(s *schema.Subject, v schema.Verdict, now time.Time) schema.VerdictReason {
	switch {
	case !slices.Contains(r.rule.Connections, s.Connection):
		return schema.ReasonElsewhere
	case !slices.Contains(r.rule.Kinds, s.Account.Kind):
		return schema.ReasonKind
	case !slices.Contains(r.rule.Statuses, s.Account.Status):
		return schema.ReasonStatus
	case v.Grade == schema.GradeNotCollected:
		return schema.ReasonNotCollected
	case !provable(v.Grade):
		return schema.ReasonUnknown
	case s.Activity.LastActiveAt.IsZero() && s.Account.CreatedAt.IsZero():
		return schema.ReasonUnknown // it may have been made yesterday
	case !slices.Contains(r.rule.Grades, v.Grade):
		return schema.ReasonGrade
	case v.Grade == schema.GradeNever && s.Account.CreatedAt.After(now.Add(-v.Threshold)):
		return schema.ReasonYoung
	case !s.KeptAt.IsZero() && !s.KeptAt.Before(now.Add(-keptFor(v.Threshold))):
		return schema.ReasonKept
	}
	return ""
}

// keptFor is how long an answer "still needed" counts.
func keptFor(threshold time.Duration) time.Duration {
	if threshold == 0 {
		return KeptWithoutThreshold
	}
	return threshold
}

// matched asks the match. What it cannot compute is never a match.
func (r *Rule) matched(s *schema.Subject, g schema.Grade, now time.Time) (schema.VerdictReason, string) {
	if r.match == nil {
		return schema.ReasonMatched, ""
	}
	switch yes, err := r.match.Eval(s, g, now); {
	case err != nil:
		return schema.ReasonMatchFailed, err.Error()
	case yes:
		return schema.ReasonMatched, ""
	}
	return schema.ReasonNoMatch, ""
}
