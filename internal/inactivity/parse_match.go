package inactivity

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const maxExclusions = 100

func policyKinds() []schema.AccountKind {
	return []schema.AccountKind{schema.KindPerson, schema.KindService, schema.KindApp, schema.KindExternal}
}

func policyRoles() []schema.AccountRole {
	return []schema.AccountRole{schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner}
}

// policyStatuses are those of accounts that something can be done to.
func policyStatuses() []schema.AccountStatus {
	return []schema.AccountStatus{schema.AccountActive, schema.AccountSuspended, schema.AccountRestricted}
}

// policyGrades are those that say something (promise 4).
func policyGrades() []schema.Grade {
	return []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever}
}

// match reads which accounts the rule takes.
func (r policyReader) match(rule *schema.PolicyRule, n *yaml.Node) {
	rule.Grades = []schema.Grade{schema.GradeInactive, schema.GradeNever}
	rule.Kinds = []schema.AccountKind{schema.KindPerson}
	rule.Statuses = []schema.AccountStatus{schema.AccountActive, schema.AccountRestricted}
	if n == nil {
		return
	}
	m := r.Some(n, "match", "when", "grades", "kinds", "statuses")
	if v := m["when"]; v != nil {
		rule.Match = r.expression(v, "match.when", "the match")
	}
	if v := m["grades"]; v != nil {
		rule.Grades = yamlfile.Chosen(r.Reader, v, "match.grades", policyGrades(), map[schema.Grade]string{
			schema.GradeUnknown:      "an account whose use is unknown is never matched: what nobody knows is no reason to act",
			schema.GradeNotCollected: "an account whose use is not collected is never matched: nobody looked whether it is used",
		})
	}
	if v := m["kinds"]; v != nil {
		rule.Kinds = yamlfile.Chosen(r.Reader, v, "match.kinds", policyKinds(), nil)
	}
	if v := m["statuses"]; v != nil {
		rule.Statuses = yamlfile.Chosen(r.Reader, v, "match.statuses", policyStatuses(), map[schema.AccountStatus]string{
			schema.AccountMissing: "a missing account is never matched: nothing can be done to it, and absence is not deletion",
			schema.AccountDeleted: "a deleted account is never matched: nothing can be done to it",
		})
	}
}

// threshold reads one length for all, or one by what an account is.
func (r policyReader) threshold(rule *schema.PolicyRule, root, n *yaml.Node, allow map[string]*yaml.Node) {
	zeros := 0
	read := func(n *yaml.Node, path string) time.Duration {
		d, ok := r.Duration(n, path)
		if ok && d == 0 {
			if zeros++; !rule.Allow.ZeroThreshold {
				r.Fault(n, path, "zero", "a threshold of 0 takes an account that was used a moment ago", "write for example 90d, or allow: {zero_threshold: true} if that is meant")
			}
		}
		return d
	}
	switch {
	case n == nil:
		r.Fault(root, "threshold", "required", "the policy does not say how long an account must be silent", "write for example threshold: 90d")
		return
	case n.Kind != yaml.MappingNode:
		rule.Threshold.Default = read(n, "threshold")
	default:
		m := r.Mapping(n, "threshold", "default", "kinds", "roles")
		if v := r.Need(n, m, "threshold", "default", "write for example default: 90d"); v != nil {
			rule.Threshold.Default = read(v, "threshold.default")
		}
		for kind, d := range eachLength(r, m["kinds"], "threshold.kinds", policyKinds(), read) {
			rule.Threshold.Kinds = append(rule.Threshold.Kinds, schema.KindThreshold{Kind: policyKinds()[kind], For: d})
		}
		for role, d := range eachLength(r, m["roles"], "threshold.roles", policyRoles(), read) {
			rule.Threshold.Roles = append(rule.Threshold.Roles, schema.RoleThreshold{Role: policyRoles()[role], For: d})
		}
	}
	if zeros == 0 && rule.Allow.ZeroThreshold {
		r.Warn(allow["zero_threshold"], "allow.zero_threshold", "no_effect", "no threshold is 0", "remove the member")
	}
}

// eachLength yields the lengths that a map gives for some words, with the word's place.
func eachLength[T ~string](r policyReader, n *yaml.Node, path string, allowed []T, read func(*yaml.Node, string) time.Duration) func(func(int, time.Duration) bool) {
	var m map[string]*yaml.Node
	if n != nil {
		m = r.Some(n, path, yamlfile.Words(allowed)...)
	}
	return func(yield func(int, time.Duration) bool) {
		for i, word := range allowed {
			if v := m[string(word)]; v != nil && !yield(i, read(v, yamlfile.Under(path, string(word)))) {
				return
			}
		}
	}
}

func (r policyReader) exclusions(list *yaml.Node) []schema.Exclusion {
	if list == nil {
		return nil
	}
	var out []schema.Exclusion
	first := map[schema.Exclusion]string{}
	for i, n := range r.Items(list, "exclude", maxExclusions) {
		path := yamlfile.Index("exclude", i)
		e, ok := r.exclusion(n, path)
		if !ok {
			continue
		}
		out = append(out, e)
		whom := schema.Exclusion{Group: e.Group, Person: e.Person, Login: e.Login, When: e.When}
		if other := first[whom]; other != "" {
			r.Fault(n, path, "duplicate", "the same accounts as "+other, "keep one of them")
		}
		first[whom] = path
	}
	return out
}

func (r policyReader) exclusion(n *yaml.Node, path string) (schema.Exclusion, bool) {
	var e schema.Exclusion
	before := r.Faults()
	m := r.Mapping(n, path, "group", "person", "login", "when", "until", "reason")
	if m == nil {
		return e, false
	}
	selectors := 0
	for _, member := range []string{"group", "person", "login", "when"} {
		if v := m[member]; v != nil {
			selectors++
			r.selector(&e, member, v, yamlfile.Under(path, member))
		}
	}
	if selectors != 1 {
		r.Fault(n, path, "one_of", "not exactly one of group, person, login and when says whom", "keep one of them")
	}
	if v := m["until"]; v != nil {
		e.Until, _ = r.Day(v, yamlfile.Under(path, "until"))
		if !e.Until.IsZero() && !e.Live(schema.DateOf(r.now)) {
			r.Warn(v, yamlfile.Under(path, "until"), "past", "the day has passed: the exclusion keeps nobody out", "choose a later one, or remove the exclusion")
		}
	}
	if v := r.Need(n, m, path, "reason", "say why, for whoever reads the run"); v != nil {
		e.Reason = r.Line(v, yamlfile.Under(path, "reason"))
	}
	return e, r.Faults() == before
}

// selector reads whom an exclusion keeps out.
func (r policyReader) selector(e *schema.Exclusion, member string, n *yaml.Node, path string) {
	switch member {
	case "group":
		e.Group = r.Line(n, path)
	case "person":
		e.Person, _ = r.Address(n, path, intake.ParseAddress)
	case "when":
		e.When = r.expression(n, path, "the exclusion")
	default:
		e.Login = strings.ToLower(r.Line(n, path))
		if strings.ContainsAny(e.Login, " \t") {
			r.Fault(n, path, "pattern", "a login has no spaces", "write for example svc-*@example.com: * is any text, ? any one character")
		} else if e.Login != "" && strings.Trim(e.Login, "*") == "" {
			r.Warn(n, path, "constant", "the pattern takes every login: the policy never matches", "write for example svc-*@example.com, or remove the exclusion")
		}
	}
}
