package cli

import (
	"strconv"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/template"
	"sendoff/schema"
)

type templateCommands struct {
	Lint   lintTemplatesCommand  `cmd:"" help:"Check template files. Needs no server."`
	Apply  applyTemplatesCommand `cmd:"" help:"Store template files: all of them or none."`
	List   listTemplatesCommand  `cmd:"" help:"List templates."`
	Show   showTemplateCommand   `cmd:"" help:"Print a template's file."`
	Remove removeTemplateCommand `cmd:"" help:"Make no more plans from a template."`
	Schema templateSchemaCommand `cmd:"" help:"Print the JSON Schema of template files, for editors."`
}

type lintTemplatesCommand struct {
	Files []string `arg:"" name:"file" help:"Template files."`
}

// linted is what was found in one file.
type linted struct {
	File     string              `json:"file"`
	Name     string              `json:"name"`
	OK       bool                `json:"ok"`
	Errors   []apiclient.Problem `json:"errors"`
	Warnings []apiclient.Problem `json:"warnings"`
}

// Run checks the files; with errors it ends with ExitUsage.
func (c *lintTemplatesCommand) Run(in *invocation) error {
	files, err := readTemplates(c.Files)
	if err != nil {
		return err
	}
	all, status, first := []linted{}, exitStatus(ExitDone), map[string]string{}
	for _, f := range files {
		t, report := template.Parse(f.File, []byte(f.Source), time.Now())
		l := linted{File: f.File, Name: t.Name, Errors: problemsOf(report.Errors), Warnings: problemsOf(report.Warnings)}
		if other, twice := first[t.Name]; twice && t.Name != "" {
			l.Errors = append(l.Errors, apiclient.Problem{
				Where: f.File, Code: "duplicate", Message: "the template " + t.Name + " is also in " + other, Fix: "keep one of them",
			})
		}
		first[t.Name] = f.File
		if l.OK = len(l.Errors) == 0; !l.OK {
			status = ExitUsage
		}
		all = append(all, l)
	}
	if err := in.result(map[string]any{"files": all}, func() { in.printLint(all) }); err != nil {
		return err
	}
	return status.orNil()
}

func (in *invocation) printLint(all []linted) {
	for _, l := range all {
		for _, p := range l.Errors {
			in.print("%s: error: %s", p.Where, p.Message)
			in.print("    fix: %s", p.Fix)
		}
		for _, p := range l.Warnings {
			in.print("%s: warning: %s", p.Where, p.Message)
			in.print("    fix: %s", p.Fix)
		}
		if l.OK {
			in.print("%s: template %s is usable", l.File, l.Name)
		}
	}
}

type applyTemplatesCommand struct {
	Files []string `arg:"" name:"file" help:"Template files."`
	Plan  bool     `help:"Show the difference and store nothing."`
	Yes   bool     `help:"Do not ask."`
}

// Run shows what would change, asks, and stores exactly that.
func (c *applyTemplatesCommand) Run(in *invocation) error {
	if in.json && !c.Plan && !c.Yes {
		return usage("this asks before it stores, and JSON output cannot", "look with --plan, then repeat with --yes")
	}
	files, err := readTemplates(c.Files)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	planned, err := api.ApplyTemplates(in.ctx, files, true)
	if err != nil {
		return err
	}
	if c.Plan {
		return in.result(planned, func() { in.printChanges(files, planned) })
	}
	if !in.json {
		in.printChanges(files, planned)
	}
	if !changes(planned) {
		return in.result(planned, func() {})
	}
	if !c.Yes && !in.confirms("Store this? [y/N] ") {
		return usage("nothing was stored", "answer y, or give --yes")
	}
	for i := range files {
		files[i].FromVersion = &planned.Templates[i].FromVersion
	}
	applied, err := api.ApplyTemplates(in.ctx, files, false)
	if err != nil {
		return err
	}
	return in.result(applied, func() {
		for _, t := range applied.Templates {
			if t.Change != "unchanged" {
				in.print("Stored template %s as version %d.", t.Name, t.Version)
			}
		}
	})
}

func changes(planned apiclient.AppliedTemplates) bool {
	for _, t := range planned.Templates {
		if t.Change != "unchanged" {
			return true
		}
	}
	return false
}

func (in *invocation) printChanges(files []apiclient.TemplateFile, planned apiclient.AppliedTemplates) {
	for i, t := range planned.Templates {
		switch t.Change {
		case "unchanged":
			in.print("%s: template %s stays at version %d", t.File, t.Name, t.FromVersion)
		case "created":
			in.print("%s: template %s is new", t.File, t.Name)
		default:
			in.print("%s: template %s, version %d, becomes version %d", t.File, t.Name, t.FromVersion, t.Version)
		}
		for _, line := range difference(t.Previous, files[i].Source) {
			in.print("  %s", line)
		}
		for _, p := range t.Warnings {
			in.note("%s: warning: %s", p.Where, p.Message)
			in.note("    fix: %s", p.Fix)
		}
	}
}

type listTemplatesCommand struct{}

// Run lists templates.
func (c *listTemplatesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Templates(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"templates": list}, func() {
		var rows [][]string
		for _, t := range list {
			from := "built in"
			if !t.Builtin {
				from = t.UpdatedBy + ", " + atOr(t.UpdatedAt, "")
			}
			rows = append(rows, []string{t.Name, strconv.Itoa(t.Version), strconv.Itoa(t.Approvals), templateSteps(t), startsAt(t.Moment), from, t.Title})
		}
		in.table("NAME|VERSION|APPROVALS|STEPS|STARTS|FROM|TITLE", rows)
	})
}

func templateSteps(t apiclient.Template) string {
	names := make([]string, len(t.Steps))
	for i, s := range t.Steps {
		names[i] = s.Kind
		switch {
		case s.Kind == "wait" && s.Until != "":
			names[i] += " until " + s.Until
		case s.Kind == "wait" && s.Wait != "":
			names[i] += " " + s.Wait
		}
	}
	return strings.Join(names, " > ")
}

func startsAt(m apiclient.MomentRule) string {
	if m.Starts == string(schema.StartsAtOnce) {
		return m.Starts
	}
	return m.Starts + " " + m.At
}

type showTemplateCommand struct {
	Name    string `arg:"" help:"Name of the template."`
	Version int    `arg:"" optional:"" help:"A version, also one that was replaced; the newest without."`
}

// Run prints the file that a template was read from.
func (c *showTemplateCommand) Run(in *invocation) error {
	if c.Version < 0 {
		return usage("that is not the number of a version", "give 1 or more")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	t, err := api.Template(in.ctx, c.Name, c.Version)
	if err != nil {
		return err
	}
	return in.result(t, func() {
		source := t.Source
		if t.Builtin {
			source = builtinFile(t)
		}
		in.print("%s", strings.TrimSuffix(source, "\n"))
	})
}

// builtinFile is a built-in template as a file would say it.
func builtinFile(t apiclient.Template) string {
	lines := []string{
		"# Built in. A copy needs another name.", "apiVersion: " + template.APIVersion, "kind: " + template.Kind, "name: " + t.Name,
		"moment: {starts: " + t.Moment.Starts + ", at: \"" + t.Moment.At + "\"}", "steps:",
	}
	for _, s := range t.Steps {
		lines = append(lines, "  - "+s.Kind)
	}
	return strings.Join(lines, "\n")
}

type removeTemplateCommand struct {
	Name   string `arg:"" help:"Name of the template."`
	Reason string `required:"" help:"Why; kept in the audit trail."`
}

// Run removes a template.
func (c *removeTemplateCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	t, err := api.RemoveTemplate(in.ctx, c.Name, c.Reason)
	if err != nil {
		return err
	}
	return in.result(t, func() { in.print("Removed template %s. Plans made from it keep their steps.", t.Name) })
}

type templateSchemaCommand struct{}

// Run prints the schema.
func (c *templateSchemaCommand) Run(in *invocation) error {
	in.print("%s", strings.TrimSuffix(string(template.JSONSchema()), "\n"))
	return nil
}
