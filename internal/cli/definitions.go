package cli

import (
	"os"
	"path/filepath"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// definitionWords are what commands say of one kind of file: of policies, or of
// access reviews.
type definitionWords struct {
	one, many string // "policy", "policies"
	makes     string // what one that is active makes
	goesOn    string // what goes on when it is paused
	look      string // the flag that shows what would change
}

// lintFound is what was found in one file, or in one directory.
type lintFound struct {
	OK       bool                `json:"ok"`
	Errors   []apiclient.Problem `json:"errors"`
	Warnings []apiclient.Problem `json:"warnings"`
}

func (l *lintFound) found(report inactivity.Report) {
	l.Errors, l.Warnings = problemsOf(report.Errors), problemsOf(report.Warnings)
}

// lintResult gives the names of those that are usable, and what was found.
type lintResult interface {
	usable() ([]string, *lintFound)
}

// lintFiles checks files and directories; with errors it ends with ExitUsage.
func lintFiles[L lintResult](in *invocation, w definitionWords, paths []string, lint func(path string) (L, error)) error {
	all, status, first := []L{}, exitStatus(ExitDone), map[string]string{}
	for _, path := range paths {
		result, err := lint(path)
		if err != nil {
			return err
		}
		names, l := result.usable()
		for _, name := range names {
			if other, twice := first[name]; twice {
				l.Errors = append(l.Errors, apiclient.Problem{
					Where: path, Code: "duplicate", Message: "the " + w.one + " " + name + " is also in " + other, Fix: "keep one of them",
				})
			}
			first[name] = path
		}
		if l.OK = len(l.Errors) == 0; !l.OK {
			status = ExitUsage
		}
		all = append(all, result)
	}
	if err := in.result(map[string]any{"paths": all}, func() {
		for i, result := range all {
			names, l := result.usable()
			in.printProblems("error", l.Errors)
			in.printProblems("warning", l.Warnings)
			if l.OK {
				in.print("%s: usable: %s", paths[i], strings.Join(names, ", "))
			}
		}
	}); err != nil {
		return err
	}
	return status.orNil()
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// setOf is the name of the set that a directory is: its own without another. It
// refuses a directory with faults, and tells all of them.
func (in *invocation) setOf(w definitionWords, dir, set string, report inactivity.Report) (string, error) {
	if len(report.Errors) > 0 {
		return "", &apiclient.Error{
			Code: apiclient.CodeUsage, Message: "the " + w.many + " are not usable; nothing was changed", Problems: problemsOf(report.Errors),
		}
	}
	for _, p := range report.Warnings {
		if p.Code == "not_read" { // the server tells the others
			in.note("%s: warning: %s", p.Where, p.Message)
		}
	}
	if set != "" {
		return set, nil
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return "", usage("the directory "+dir+" has no name", "give --set")
	}
	return filepath.Base(whole), nil
}

// applyFiles says how files are applied.
type applyFiles struct {
	words definitionWords
	look  bool // show what would change, and change nothing
	yes   bool // do not ask
	set   string
	files []apiclient.PolicyFile
	// send applies them, or tells what would change: the whole answer, and of each.
	send func(api *apiclient.Client, dryRun bool) (answer any, changes []apiclient.AppliedPolicy, err error)
}

// mayAsk refuses what would ask where nobody can be asked.
func (in *invocation) mayAsk(w definitionWords, look, yes bool) error {
	if in.json && !look && !yes {
		return usage("this asks before it changes anything, and JSON output cannot", "look with "+w.look+", then repeat with --yes")
	}
	return nil
}

// apply shows what would change, asks, and makes exactly that so.
func (in *invocation) apply(a applyFiles) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	planned, changes, err := a.send(api, true)
	if err != nil {
		return translateFlags(err, map[string]string{"set": "--set"})
	}
	if a.look {
		return in.result(planned, func() { in.printApplied(a, changes) })
	}
	if !in.json {
		in.printApplied(a, changes)
	}
	if !anyChange(changes) {
		return in.result(planned, func() {})
	}
	if !a.yes && !in.confirms("Apply this? [y/N] ") {
		return usage("nothing was changed", "answer y, or give --yes")
	}
	applied, changes, err := a.send(api, false)
	if err != nil {
		return err
	}
	return in.result(applied, func() {
		one := strings.ToUpper(a.words.one[:1]) + a.words.one[1:]
		for _, c := range changes {
			if c.Change != string(schema.PolicyUnchanged) {
				in.print("%s %s is %s, version %d.", one, c.Name, c.State, c.Version)
			}
		}
	})
}

func anyChange(changes []apiclient.AppliedPolicy) bool {
	for _, c := range changes {
		if c.Change != string(schema.PolicyUnchanged) {
			return true
		}
	}
	return false
}

func (in *invocation) printApplied(a applyFiles, changes []apiclient.AppliedPolicy) {
	sources, w := map[string]string{}, a.words
	for _, f := range a.files {
		sources[f.Name] = f.Source
	}
	for _, c := range changes {
		switch schema.PolicyChange(c.Change) {
		case schema.PolicyUnchanged:
			in.print("%s: %s %s stays as it is", c.File, w.one, c.Name)
		case schema.PolicyAdded:
			in.print("%s: %s %s is new", c.File, w.one, c.Name)
			for _, line := range difference("", sources[c.File]) {
				in.print("  %s", line)
			}
		case schema.PolicyWithdrawn:
			in.print("%s %s is not in the set %s any more: it is paused, and %s", w.one, c.Name, a.set, w.goesOn)
		case schema.PolicyRestored:
			in.print("%s: %s %s is back in its set: it makes %s again", c.File, w.one, c.Name, w.makes)
		default:
			in.print("%s: %s %s changes, as version %d", c.File, w.one, c.Name, c.Version)
		}
		for _, line := range c.Diff {
			in.print("  %s", line)
		}
		in.printFileWarnings(c.Warnings)
	}
}

// history lists versions, with what each changed.
func (in *invocation) history(limit int, page func(cursor string, limit int) ([]apiclient.PolicyVersion, string, error)) error {
	list, next, err := upTo(limit, page)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"versions": list, "next": next}, func() {
		for _, v := range list {
			in.print("version %d  %s by %s%s  %s", v.Version, at(v.UpdatedAt), v.UpdatedBy, setText(v.Set), v.Hash)
			for _, d := range v.Diff {
				in.print("  %s", d)
			}
		}
		in.more(next)
	})
}
