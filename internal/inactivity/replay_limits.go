package inactivity

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// moving are the names of a match whose value changes with time or with use.
var moving = regexp.MustCompile(`\b(now|age|silent_for|last_active_at|days_past_last_day)\b`)

// steady tells whether what the rule asks for in CEL can change only with the
// grade, the status or the calendar of an exclusion. The test may take a text for
// a name: then the replay takes longer, and comes to the same.
func (r *Rule) steady() bool {
	if moving.MatchString(r.rule.Match) {
		return false
	}
	return !slices.ContainsFunc(r.exclude, func(e exclusion) bool { return moving.MatchString(e.When) })
}

// bounded tells whether an account meets the bounds of the match, apart from its
// status, which may have been another one. One that does not is never matched.
func (p *Replayer) bounded(s *schema.Subject) bool {
	return !slices.ContainsFunc(p.bounds, func(b schema.Bound) bool {
		value, known := boundValue(s, b.Field)
		return known && !meets(value, b)
	})
}

// boundValue is the value of a field as bounds write it; false = not one to go by.
func boundValue(s *schema.Subject, f schema.BoundField) (string, bool) {
	switch f {
	case schema.BoundKind:
		return string(s.Account.Kind), true
	case schema.BoundRole:
		return string(s.Account.Role), true
	case schema.BoundPrivileged:
		return strconv.FormatBool(s.Account.Role.Privileged()), true
	case schema.BoundSpaceUsed:
		return strconv.FormatInt(s.Account.SpaceUsed, 10), true
	case schema.BoundKnown:
		return strconv.FormatBool(s.Person != nil), true
	case schema.BoundEmployment:
		if s.Person == nil {
			return "", false
		}
		return string(s.Person.Employment), true
	}
	return "", false
}

func meets(value string, b schema.Bound) bool {
	switch b.Op {
	case schema.BoundIn:
		return slices.Contains(b.Values, value)
	case schema.BoundNotIn:
		return !slices.Contains(b.Values, value)
	}
	if len(b.Values) != 1 {
		return true
	}
	has, err := strconv.ParseInt(value, 10, 64)
	limit, errLimit := strconv.ParseInt(b.Values[0], 10, 64)
	if err != nil || errLimit != nil {
		return true
	}
	switch order := cmp.Compare(has, limit); b.Op {
	case schema.BoundLess:
		return order < 0
	case schema.BoundAtMost:
		return order <= 0
	case schema.BoundMore:
		return order > 0
	case schema.BoundAtLeast:
		return order >= 0
	}
	return true
}

// limits says what the record cannot tell.
func (p *Replayer) limits() []string {
	out := []string{
		"A run is taken to judge at 00:00 UTC of its day, by what was used on the days before; of use, whole days are recorded.",
		"Persons, employments, departments, groups, roles, kinds and attributes are taken as they are now: what they were then is not recorded.",
		"Coverage is taken as it is known now: a feed that was behind then, or a past that was read back later, is not played.",
		"A hit is an account that the rule would have taken: holds, protections, budgets, approvals, questions and what would have been done are not played, and of answers \"still needed\" the last of each account alone.",
	}
	if len(p.runs) == 0 {
		out = append(out, "The schedule has no run in the span.")
	}
	if s := p.rule.rule.Schedule; s.Every == 0 && len(s.Times) == 0 {
		out = append(out, "The policy has no schedule: a run on each day is played.")
	}
	if p.inUse {
		out = append(out, "The rule takes accounts in use as well: the first run that would have taken an account is told, and none after it.")
	}
	if strings.Contains(p.rule.rule.Match, "last_event") {
		out = append(out, "What the last use was is not recorded of the past: a match that asks activity.last_event takes nobody there.")
	}
	for _, c := range p.input.Connections {
		out = append(out, p.coverageLimits(c)...)
	}
	return out
}

func (p *Replayer) coverageLimits(c ReplayConnection) []string {
	if len(c.Covered) == 0 {
		return []string{"Use of " + c.Name + " was never collected: the rule takes no account there that is not seen in use."}
	}
	var out []string
	if from := c.Covered[0].From; from.After(p.input.From) {
		out = append(out, "Of "+c.Name+" nothing is recorded before "+dayText(from)+": silences count from then on.")
	}
	for _, hole := range schema.Holes(c.Covered) {
		if hole.To.After(p.input.From) && hole.From.Before(p.input.To) {
			out = append(out, "Of "+c.Name+" nothing is known from "+dayText(hole.From)+" to "+dayText(hole.To)+": silences over that hole are unproven.")
		}
	}
	if to := c.Covered[len(c.Covered)-1].To; to.Before(p.input.To.Add(-schema.FreshFor)) {
		out = append(out, "Of "+c.Name+" nothing is known after "+dayText(to)+".")
	}
	return out
}

func dayText(at time.Time) string { return at.UTC().Format(time.DateOnly) }
