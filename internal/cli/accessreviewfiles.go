package cli

import (
	"path/filepath"
	"strings"
	"time"

	"sendoff/internal/accessreview"
	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type lintAccessReviewsCommand struct {
	Paths []string `arg:"" name:"file|dir" help:"Files of access reviews, or directories of them."`
}

// lintedAccessReviews is what was found in one file, or in one directory.
type lintedAccessReviews struct {
	Path     string              `json:"path"`
	Reviews  []string            `json:"reviews"` // names of the usable ones
	OK       bool                `json:"ok"`
	Errors   []apiclient.Problem `json:"errors"`
	Warnings []apiclient.Problem `json:"warnings"`
}

// Run checks files; with errors it ends with ExitUsage.
func (c *lintAccessReviewsCommand) Run(in *invocation) error {
	all, status, first := []lintedAccessReviews{}, exitStatus(ExitDone), map[string]string{}
	for _, path := range c.Paths {
		l, err := lintAccessReviews(path)
		if err != nil {
			return err
		}
		for _, name := range l.Reviews {
			if other, twice := first[name]; twice {
				l.Errors = append(l.Errors, apiclient.Problem{
					Where: path, Code: "duplicate", Message: "the access review " + name + " is also in " + other, Fix: "keep one of them",
				})
			}
			first[name] = path
		}
		if l.OK = len(l.Errors) == 0; !l.OK {
			status = ExitUsage
		}
		all = append(all, l)
	}
	_ = in.result(map[string]any{"paths": all}, func() {
		for _, l := range all {
			in.printProblems("error", l.Errors)
			in.printProblems("warning", l.Warnings)
			if l.OK {
				in.print("%s: usable: %s", l.Path, strings.Join(l.Reviews, ", "))
			}
		}
	})
	return status.orNil()
}

func lintAccessReviews(path string) (lintedAccessReviews, error) {
	l := lintedAccessReviews{Path: path, Reviews: []string{}}
	if isDirectory(path) {
		set, report := accessreview.ReadSet(path)
		l.Errors, l.Warnings = problemsOf(report.Errors), problemsOf(report.Warnings)
		for _, r := range set.Reviews {
			l.Reviews = append(l.Reviews, r.Rule.Name)
		}
		return l, nil
	}
	source, err := readPolicyFile(path)
	if err != nil {
		return l, err
	}
	rule, report := accessreview.Parse(path, []byte(source), time.Now())
	l.Errors, l.Warnings = problemsOf(report.Errors), problemsOf(report.Warnings)
	if len(l.Errors) == 0 {
		l.Reviews = append(l.Reviews, rule.Name)
	}
	return l, nil
}

type accessReviewSchemaCommand struct{}

// Run prints the schema.
func (c *accessReviewSchemaCommand) Run(in *invocation) error {
	in.print("%s", strings.TrimSuffix(string(accessreview.JSONSchema()), "\n"))
	return nil
}

type createAccessReviewsCommand struct {
	Paths  []string `arg:"" optional:"" name:"file|dir" help:"Files of access reviews, or one directory of them; none with --name."`
	Set    string   `placeholder:"NAME" help:"Name of the set: what was applied with it and is not there any more is paused. A directory's own name without; none for files."`
	DryRun bool     `help:"Show the difference and change nothing."`
	yesFlag
	handFlags
}

// Run shows what would change, asks, and makes exactly that so.
func (c *createAccessReviewsCommand) Run(in *invocation) error {
	if in.json && !c.DryRun && !c.Yes {
		return usage("this asks before it changes anything, and JSON output cannot", "look with --dry-run, then repeat with --yes")
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
	planned, err := api.ApplyAccessReviews(in.ctx, apply)
	if err != nil {
		return translateFlags(err, map[string]string{"set": "--set"})
	}
	if c.DryRun {
		return in.result(planned, func() { in.printAccessReviewChanges(apply, planned) })
	}
	if !in.json {
		in.printAccessReviewChanges(apply, planned)
	}
	if !accessReviewChanges(planned) {
		return in.result(planned, func() {})
	}
	if !c.Yes && !in.confirms("Apply this? [y/N] ") {
		return usage("nothing was changed", "answer y, or give --yes")
	}
	return in.applyAccessReviews(api, apply, planned)
}

// applyAccessReviews makes so what was shown: the versions that the difference was
// for go along, and others are refused.
func (in *invocation) applyAccessReviews(api *apiclient.Client, apply apiclient.ApplyAccessReviews, planned apiclient.AppliedAccessReviews) error {
	apply.DryRun, apply.Seen = false, planned.Seen()
	applied, err := api.ApplyAccessReviews(in.ctx, apply)
	if apiclient.CodeOf(err) == string(schema.CodeStale) {
		return in.differs(err)
	}
	if err != nil {
		return err
	}
	return in.result(applied, func() {
		for _, r := range applied.Reviews {
			if r.Change != string(schema.PolicyUnchanged) {
				in.print("Access review %s is %s, version %d.", r.Name, r.State, r.Version)
			}
		}
	})
}

// read reads the files, the directory or the flags.
func (c *createAccessReviewsCommand) read(in *invocation) (apiclient.ApplyAccessReviews, error) {
	apply := apiclient.ApplyAccessReviews{Set: c.Set}
	if err := c.oneWay(); err != nil {
		return apply, err
	}
	if c.Name != "" {
		source, err := c.source()
		apply.Files = []apiclient.PolicyFile{{Name: "command line", Source: source}}
		return apply, err
	}
	if isDirectory(c.Paths[0]) {
		return c.readSet(in)
	}
	for _, path := range c.Paths {
		source, err := readPolicyFile(path)
		if err != nil {
			return apply, err
		}
		apply.Files = append(apply.Files, apiclient.PolicyFile{Name: path, Source: source})
	}
	return apply, nil
}

// oneWay refuses what says neither, or both, of files and flags.
func (c *createAccessReviewsCommand) oneWay() error {
	switch {
	case len(c.Paths) == 0 && c.Name == "":
		return usage("nothing says what to create", "name files or a directory, or give --name, --owner and --connection")
	case len(c.Paths) > 0 && !c.handFlags.empty():
		return usage("files and flags both say what the access review is", "give one of them; flags make a review of their own with --name")
	}
	for _, path := range c.Paths {
		if isDirectory(path) && len(c.Paths) > 1 {
			return usage(path+" is a directory beside others", "a directory is a set of its own: apply it alone")
		}
	}
	return nil
}

func (c *createAccessReviewsCommand) readSet(in *invocation) (apiclient.ApplyAccessReviews, error) {
	apply := apiclient.ApplyAccessReviews{Set: c.Set}
	set, report := accessreview.ReadSet(c.Paths[0])
	if len(report.Errors) > 0 {
		return apply, &apiclient.Error{
			Code: apiclient.CodeUsage, Message: "the access reviews are not usable; nothing was changed", Problems: problemsOf(report.Errors),
		}
	}
	for _, p := range report.Warnings {
		if p.Code == "not_read" { // the server tells the others
			in.note("%s: warning: %s", p.Where, p.Message)
		}
	}
	for _, r := range set.Reviews {
		apply.Files = append(apply.Files, apiclient.PolicyFile{Name: r.File, Source: r.Source})
	}
	if apply.Set == "" {
		whole, err := filepath.Abs(c.Paths[0])
		if err != nil {
			return apply, usage("the directory "+c.Paths[0]+" has no name", "give --set")
		}
		apply.Set = filepath.Base(whole)
	}
	return apply, nil
}

func accessReviewChanges(planned apiclient.AppliedAccessReviews) bool {
	for _, r := range planned.Reviews {
		if r.Change != string(schema.PolicyUnchanged) {
			return true
		}
	}
	return false
}

func (in *invocation) printAccessReviewChanges(apply apiclient.ApplyAccessReviews, planned apiclient.AppliedAccessReviews) {
	sources := map[string]string{}
	for _, f := range apply.Files {
		sources[f.Name] = f.Source
	}
	for _, r := range planned.Reviews {
		switch schema.PolicyChange(r.Change) {
		case schema.PolicyUnchanged:
			in.print("%s: access review %s stays as it is", r.File, r.Name)
		case schema.PolicyAdded:
			in.print("%s: access review %s is new", r.File, r.Name)
			for _, line := range difference("", sources[r.File]) {
				in.print("  %s", line)
			}
		case schema.PolicyWithdrawn:
			in.print("access review %s is not in the set %s any more: it is paused, and its campaigns go on", r.Name, apply.Set)
		case schema.PolicyRestored:
			in.print("%s: access review %s is back in its set: it makes campaigns again", r.File, r.Name)
		default:
			in.print("%s: access review %s changes, as version %d", r.File, r.Name, r.Version)
		}
		for _, line := range r.Diff {
			in.print("  %s", line)
		}
		in.printFileWarnings(r.Warnings)
	}
}
