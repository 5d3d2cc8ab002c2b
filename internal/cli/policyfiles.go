package cli

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/inactivity"
	"sendoff/schema"
)

type lintPoliciesCommand struct {
	Paths []string `arg:"" name:"file|dir" help:"Files of policies, or directories of them."`
}

// lintedPolicies is what was found in one file, or in one directory.
type lintedPolicies struct {
	Path     string              `json:"path"`
	Policies []string            `json:"policies"` // names of the usable ones
	Tests    int                 `json:"tests"`    // files of tests, which policy test reads
	OK       bool                `json:"ok"`
	Errors   []apiclient.Problem `json:"errors"`
	Warnings []apiclient.Problem `json:"warnings"`
}

// Run checks files; with errors it ends with ExitUsage.
func (c *lintPoliciesCommand) Run(in *invocation) error {
	all, status, first := []lintedPolicies{}, exitStatus(ExitDone), map[string]string{}
	for _, path := range c.Paths {
		l, err := lintPath(path)
		if err != nil {
			return err
		}
		for _, name := range l.Policies {
			if other, twice := first[name]; twice {
				l.Errors = append(l.Errors, apiclient.Problem{
					Where: path, Code: "duplicate", Message: "the policy " + name + " is also in " + other, Fix: "keep one of them",
				})
			}
			first[name] = path
		}
		if l.OK = len(l.Errors) == 0; !l.OK {
			status = ExitUsage
		}
		all = append(all, l)
	}
	if err := in.result(map[string]any{"paths": all}, func() {
		for _, l := range all {
			in.printProblems("error", l.Errors)
			in.printProblems("warning", l.Warnings)
			if l.OK {
				in.print("%s: usable: %s", l.Path, strings.Join(l.Policies, ", "))
			}
		}
	}); err != nil {
		return err
	}
	return status.orNil()
}

func lintPath(path string) (lintedPolicies, error) {
	if isDirectory(path) {
		set, report := inactivity.ReadSet(path)
		l := lintedPolicies{Path: path, Policies: []string{}, Tests: len(set.Tests), Errors: problemsOf(report.Errors), Warnings: problemsOf(report.Warnings)}
		for _, p := range set.Policies {
			l.Policies = append(l.Policies, p.Rule.Name)
		}
		return l, nil
	}
	source, err := readPolicyFile(path)
	if err != nil {
		return lintedPolicies{}, err
	}
	rule, report := inactivity.Parse(path, []byte(source), time.Now())
	l := lintedPolicies{Path: path, Policies: []string{}, Errors: problemsOf(report.Errors), Warnings: problemsOf(report.Warnings)}
	if len(l.Errors) == 0 {
		l.Policies = append(l.Policies, rule.Name)
	}
	return l, nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

type policySchemaCommand struct {
	Kind string `enum:"InactivityPolicy,InactivityPolicyTest" default:"InactivityPolicy" help:"Of which kind of file: InactivityPolicy or InactivityPolicyTest."`
}

// Run prints the schema.
func (c *policySchemaCommand) Run(in *invocation) error {
	text := inactivity.JSONSchema()
	if c.Kind == inactivity.TestKind {
		text = inactivity.TestsJSONSchema()
	}
	in.print("%s", strings.TrimSuffix(string(text), "\n"))
	return nil
}

type applyPoliciesCommand struct {
	Path string `arg:"" name:"file|dir" help:"File of a policy, or a directory of them."`
	Set  string `placeholder:"NAME" help:"Name of the set: what was applied with it and is not there any more is paused. A directory's own name without; none for a file."`
	Plan bool   `help:"Show the difference and change nothing."`
	Yes  bool   `help:"Do not ask."`
}

// Run shows what would change, asks, and makes exactly that so.
func (c *applyPoliciesCommand) Run(in *invocation) error {
	if in.json && !c.Plan && !c.Yes {
		return usage("this asks before it changes anything, and JSON output cannot", "look with --plan, then repeat with --yes")
	}
	apply, err := c.read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	apply.DryRun = true
	planned, err := api.ApplyPolicies(in.ctx, apply)
	if err != nil {
		return translateFlags(err, map[string]string{"set": "--set"})
	}
	if c.Plan {
		return in.result(planned, func() { in.printPolicyChanges(apply, planned) })
	}
	if !in.json {
		in.printPolicyChanges(apply, planned)
	}
	if !policyChanges(planned) {
		return in.result(planned, func() {})
	}
	if !c.Yes && !in.confirms("Apply this? [y/N] ") {
		return usage("nothing was changed", "answer y, or give --yes")
	}
	apply.DryRun, apply.Confirm = false, planned.Confirm
	applied, err := api.ApplyPolicies(in.ctx, apply)
	if err != nil {
		return err
	}
	return in.result(applied, func() {
		for _, p := range applied.Policies {
			if p.Change != string(schema.PolicyUnchanged) {
				in.print("Policy %s is %s, version %d.", p.Name, p.State, p.Version)
			}
		}
	})
}

// read reads the file or the directory, and tells every fault of a directory.
func (c *applyPoliciesCommand) read(in *invocation) (apiclient.ApplyPolicies, error) {
	apply := apiclient.ApplyPolicies{Set: c.Set}
	if !isDirectory(c.Path) {
		source, err := readPolicyFile(c.Path)
		apply.Files = []apiclient.PolicyFile{{Name: c.Path, Source: source}}
		return apply, err
	}
	set, report := inactivity.ReadSet(c.Path)
	if len(report.Errors) > 0 {
		return apply, &apiclient.Error{Code: apiclient.CodeUsage, Message: "the policies are not usable; nothing was changed", Problems: problemsOf(report.Errors)}
	}
	for _, p := range report.Warnings {
		if p.Code == "not_read" { // the server tells the others
			in.note("%s: warning: %s", p.Where, p.Message)
		}
	}
	for _, p := range set.Policies {
		apply.Files = append(apply.Files, apiclient.PolicyFile{Name: p.File, Source: p.Source})
	}
	if apply.Set == "" {
		whole, err := filepath.Abs(c.Path)
		if err != nil {
			return apply, usage("the directory "+c.Path+" has no name", "give --set")
		}
		apply.Set = filepath.Base(whole)
	}
	return apply, nil
}

func policyChanges(planned apiclient.AppliedPolicies) bool {
	for _, p := range planned.Policies {
		if p.Change != string(schema.PolicyUnchanged) {
			return true
		}
	}
	return false
}

func (in *invocation) printPolicyChanges(apply apiclient.ApplyPolicies, planned apiclient.AppliedPolicies) {
	sources := map[string]string{}
	for _, f := range apply.Files {
		sources[f.Name] = f.Source
	}
	for _, p := range planned.Policies {
		switch schema.PolicyChange(p.Change) {
		case schema.PolicyUnchanged:
			in.print("%s: policy %s stays as it is", p.File, p.Name)
		case schema.PolicyAdded:
			in.print("%s: policy %s is new", p.File, p.Name)
			for _, line := range difference("", sources[p.File]) {
				in.print("  %s", line)
			}
		case schema.PolicyWithdrawn:
			in.print("policy %s is not in the set %s any more: it is paused, and what it started goes on", p.Name, apply.Set)
		case schema.PolicyRestored:
			in.print("%s: policy %s is back in its set: it makes runs again", p.File, p.Name)
		default:
			in.print("%s: policy %s changes, as version %d", p.File, p.Name, p.Version)
		}
		for _, line := range p.Diff {
			in.print("  %s", line)
		}
		in.printFileWarnings(p.Warnings)
	}
}
