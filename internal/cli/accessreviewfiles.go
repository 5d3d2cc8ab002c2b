package cli

import (
	"strings"
	"time"

	"sendoff/internal/accessreview"
	"sendoff/internal/apiclient"
	"sendoff/schema"
)

func accessReviewWords() definitionWords {
	return definitionWords{one: "access review", many: "access reviews", makes: "campaigns", goesOn: "its campaigns go on", look: "--dry-run"}
}

type lintAccessReviewsCommand struct {
	Paths []string `arg:"" name:"file|dir" help:"Files of access reviews, or directories of them."`
}

type lintedAccessReviews struct {
	Path    string   `json:"path"`
	Reviews []string `json:"reviews"` // names of the usable ones
	lintFound
}

func (l *lintedAccessReviews) usable() ([]string, *lintFound) { return l.Reviews, &l.lintFound }

// Run checks files; with errors it ends with ExitUsage.
func (c *lintAccessReviewsCommand) Run(in *invocation) error {
	return lintFiles(in, accessReviewWords(), c.Paths, lintAccessReviews)
}

func lintAccessReviews(path string) (*lintedAccessReviews, error) {
	l := &lintedAccessReviews{Path: path, Reviews: []string{}}
	if isDirectory(path) {
		set, report := accessreview.ReadSet(path)
		l.found(report)
		for _, r := range set.Reviews {
			l.Reviews = append(l.Reviews, r.Rule.Name)
		}
		return l, nil
	}
	source, err := readPolicyFile(path)
	if err != nil {
		return nil, err
	}
	rule, report := accessreview.Parse(path, []byte(source), time.Now())
	l.found(report)
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

// Run shows what would change, asks, and makes exactly that so: the versions that the
// difference was for go along, and others are refused.
func (c *createAccessReviewsCommand) Run(in *invocation) error {
	if err := in.mayAsk(accessReviewWords(), c.DryRun, c.Yes); err != nil {
		return err
	}
	apply, err := c.read(in)
	if err != nil {
		return err
	}
	return in.apply(applyFiles{
		words: accessReviewWords(), look: c.DryRun, yes: c.Yes, set: apply.Set, files: apply.Files,
		send: func(api *apiclient.Client, dryRun bool) (any, []apiclient.AppliedPolicy, error) {
			apply.DryRun = dryRun
			applied, err := api.ApplyAccessReviews(in.ctx, apply)
			if apiclient.CodeOf(err) == string(schema.CodeStale) {
				err = in.differs(err)
			}
			apply.Seen = applied.Seen()
			return applied, applied.Changes(), err
		},
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
		set, report := accessreview.ReadSet(c.Paths[0])
		for _, r := range set.Reviews {
			apply.Files = append(apply.Files, apiclient.PolicyFile{Name: r.File, Source: r.Source})
		}
		var err error
		apply.Set, err = in.setOf(accessReviewWords(), c.Paths[0], c.Set, report)
		return apply, err
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
