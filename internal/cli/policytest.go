package cli

import (
	"sendoff/internal/apiclient"
	"sendoff/internal/inactivity"
)

type testPoliciesCommand struct {
	Dir          string `arg:"" name:"dir" help:"Directory of policies and their tests."`
	RequireTests bool   `help:"A policy without a test is a failure."`
}

// policyTestResult is what a case came to.
type policyTestResult struct {
	File     string `json:"file"`
	Where    string `json:"where"`
	Policy   string `json:"policy"`
	Case     string `json:"case"`
	OK       bool   `json:"ok"`
	Untested bool   `json:"untested"` // there is no case of the policy
	Want     string `json:"want"`
	Got      string `json:"got"`
	Grade    string `json:"grade"`
}

// Run runs the tests of a directory; it ends with ExitInternal when one fails, and
// with ExitUsage when a file is not usable.
func (c *testPoliciesCommand) Run(in *invocation) error {
	if !isDirectory(c.Dir) {
		return usage(c.Dir+" is not a directory", "name the directory that holds the policies and their tests")
	}
	rules, tests, warnings, err := readPolicyTests(c.Dir)
	if err != nil {
		return err
	}
	results, failed, untested := []policyTestResult{}, 0, 0
	for _, r := range inactivity.RunTests(rules, tests) {
		results = append(results, policyTestResult{r.File, r.Where, r.Policy, r.Case, r.OK, r.Untested, r.Want, r.Got, string(r.Grade)})
		switch {
		case r.Untested:
			untested++
		case !r.OK:
			failed++
		}
	}
	ok := failed == 0 && (untested == 0 || !c.RequireTests)
	in.printFileWarnings(warnings)
	shown := map[string]any{"ok": ok, "cases": len(tests), "failed": failed, "untested": untested, "results": results}
	if err := in.result(shown, func() { in.printPolicyTests(results, len(tests), failed) }); err != nil {
		return err
	}
	for _, r := range results {
		if r.Untested {
			in.note("warning: no test is of the policy %s", r.Policy)
		}
	}
	if !ok {
		return exitStatus(ExitInternal)
	}
	return nil
}

// readPolicyTests reads a directory, and tells every fault of all its files at once.
func readPolicyTests(dir string) (map[string]*inactivity.Rule, []inactivity.PolicyTest, []apiclient.Problem, error) {
	set, report := inactivity.ReadSet(dir)
	problems, warnings := problemsOf(report.Errors), problemsOf(report.Warnings)
	rules := map[string]*inactivity.Rule{}
	for _, p := range set.Policies {
		rule, err := inactivity.Compile(p.Rule)
		if err != nil {
			problems = append(problems, apiclient.Problem{Where: p.File, Message: err.Error(), Fix: "mend the policy"})
			continue
		}
		rules[p.Rule.Name] = rule
	}
	var tests []inactivity.PolicyTest
	for _, t := range set.Tests {
		read, report := inactivity.ParseTests(t.File, t.Source)
		problems, warnings = append(problems, problemsOf(report.Errors)...), append(warnings, problemsOf(report.Warnings)...)
		tests = append(tests, read...)
	}
	if len(problems) > 0 {
		return nil, nil, nil, &apiclient.Error{Code: apiclient.CodeUsage, Message: "the policies or their tests are not usable; nothing was tested", Problems: problems}
	}
	return rules, tests, warnings, nil
}

func (in *invocation) printPolicyTests(results []policyTestResult, cases, failed int) {
	var rows [][]string
	for _, r := range results {
		word := "ok"
		switch {
		case r.Untested:
			continue
		case !r.OK:
			word = "FAILED"
		}
		rows = append(rows, []string{word, r.Policy, r.Case, r.Want, r.Got, r.Where})
	}
	if len(rows) > 0 {
		in.table("RESULT|POLICY|CASE|WANTED|GOT|AT", rows)
		in.print("")
	}
	in.print("%d cases, %d failed.", cases, failed)
}
