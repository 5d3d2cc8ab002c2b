package cli

import (
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/inactivity"
)

func policyWords() definitionWords {
	return definitionWords{one: "policy", many: "policies", makes: "runs", goesOn: "what it started goes on", look: "--plan"}
}

type lintPoliciesCommand struct {
	Paths []string `arg:"" name:"file|dir" help:"Files of policies, or directories of them."`
}

type lintedPolicies struct {
	Path     string   `json:"path"`
	Policies []string `json:"policies"` // names of the usable ones
	Tests    int      `json:"tests"`    // files of tests, which policy test reads
	lintFound
}

func (l *lintedPolicies) usable() ([]string, *lintFound) { return l.Policies, &l.lintFound }

// Run checks files; with errors it ends with ExitUsage.
func (c *lintPoliciesCommand) Run(in *invocation) error {
	return lintFiles(in, policyWords(), c.Paths, lintPolicies)
}

func lintPolicies(path string) (*lintedPolicies, error) {
	l := &lintedPolicies{Path: path, Policies: []string{}}
	if isDirectory(path) {
		set, report := inactivity.ReadSet(path)
		l.found(report)
		l.Tests = len(set.Tests)
		for _, p := range set.Policies {
			l.Policies = append(l.Policies, p.Rule.Name)
		}
		return l, nil
	}
	source, err := readPolicyFile(path)
	if err != nil {
		return nil, err
	}
	rule, report := inactivity.Parse(path, []byte(source), time.Now())
	l.found(report)
	if len(l.Errors) == 0 {
		l.Policies = append(l.Policies, rule.Name)
	}
	return l, nil
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
	if err := in.mayAsk(policyWords(), c.Plan, c.Yes); err != nil {
		return err
	}
	apply, err := c.read(in)
	if err != nil {
		return err
	}
	return in.apply(applyFiles{
		words: policyWords(), look: c.Plan, yes: c.Yes, set: apply.Set, files: apply.Files,
		send: func(api *apiclient.Client, dryRun bool) (any, []apiclient.AppliedPolicy, error) {
			apply.DryRun = dryRun
			applied, err := api.ApplyPolicies(in.ctx, apply)
			apply.Confirm = applied.Confirm
			return applied, applied.Policies, err
		},
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
	for _, p := range set.Policies {
		apply.Files = append(apply.Files, apiclient.PolicyFile{Name: p.File, Source: p.Source})
	}
	var err error
	apply.Set, err = in.setOf(policyWords(), c.Path, c.Set, report)
	return apply, err
}
