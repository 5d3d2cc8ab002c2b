package inactivity

import (
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// PolicyTest is one case of a file of policy tests: an account, and what the
// policy says of it.
type PolicyTest struct {
	File, Policy, Case string
	Where              string // the place of the case
	Now                time.Time
	// Subject is the account; an empty connection stands for the policy's first.
	Subject schema.Subject
	Want    Expected
}

// Expected is what a case expects. Empty members ask for nothing.
type Expected struct {
	Verdict schema.VerdictReason
	Reason  string // a part of why it is excluded, or why the match failed
	Grade   schema.Grade
}

// TestResult is how a case went, or says of a policy that it has no case.
type TestResult struct {
	File, Policy, Case string
	Where              string
	OK                 bool
	// Untested: there is no case of the policy, in any of the files.
	Untested  bool
	Want, Got string
	Grade     schema.Grade // that the account came to
}

// RunTests judges the cases by the rules, by name. After their results, in the
// order of the cases, stand the policies without any.
func RunTests(rules map[string]*Rule, tests []PolicyTest) []TestResult {
	var out []TestResult
	tested := map[string]bool{}
	for _, t := range tests {
		tested[t.Policy] = true
		out = append(out, t.run(rules[t.Policy]))
	}
	var untested []string
	for name := range rules {
		if !tested[name] {
			untested = append(untested, name)
		}
	}
	slices.Sort(untested)
	for _, name := range untested {
		out = append(out, TestResult{Policy: name, Untested: true, Want: "a test", Got: "none"})
	}
	return out
}

func (t PolicyTest) run(r *Rule) TestResult {
	out := TestResult{File: t.File, Policy: t.Policy, Case: t.Case, Where: t.Where, Want: t.Want.String()}
	if r == nil {
		out.Got = "no policy of that name"
		return out
	}
	s := t.Subject
	if s.Connection == "" && len(r.rule.Connections) > 0 {
		s.Connection = r.rule.Connections[0]
	}
	v := r.Judge(&s, t.Now)
	got := Expected{Verdict: v.Reason, Reason: v.Detail, Grade: v.Grade}
	if v.Exclusion >= 0 {
		got.Reason = r.exclude[v.Exclusion].Reason
	}
	out.Grade, out.Got, out.OK = v.Grade, got.String(), t.Want.meets(got)
	return out
}

func (e Expected) meets(got Expected) bool {
	return e.Verdict == got.Verdict && strings.Contains(got.Reason, e.Reason) && (e.Grade == "" || e.Grade == got.Grade)
}

// String is what was expected in one line.
func (e Expected) String() string {
	s := string(e.Verdict)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Grade != "" {
		s += ", grade " + string(e.Grade)
	}
	return s
}
